import json, os, sys, urllib.error, urllib.request

request_body = {
    "key": os.environ["CLIENT_KEY"],
    "permission": "orders:read",
    "ip": os.environ["CLIENT_IP"],
}
request = urllib.request.Request(
    os.environ["LATCHKEY_URL"] + "/api/v1/keys/verify",
    data=json.dumps(request_body).encode(),
    headers={
        "Authorization": "Bearer " + os.environ["LATCHKEY_KEY"],
        "Content-Type": "application/json",
    },
)
try:
    with urllib.request.urlopen(request, timeout=2) as answer:
        verdict = json.load(answer)["data"]
except urllib.error.HTTPError as error:
    problem = json.load(error)
    sys.exit(f"{problem['code']}: {problem['detail']} ({problem['request_id']})")

if verdict["valid"]:
    print("accepted", verdict["key_id"])
else:
    print("refused", verdict["http_status"], verdict["message"])
