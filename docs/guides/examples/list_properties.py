import json, os, urllib.error, urllib.request

request = urllib.request.Request(
    os.environ.get("LATCHKEY_URL", "https://keys.example.com") + "/api/v1/properties",
    headers={"Authorization": "Bearer " + os.environ["LATCHKEY_KEY"]},
)
try:
    with urllib.request.urlopen(request, timeout=10) as answer:
        for item in json.load(answer)["data"]:
            print(item["id"], item["name"])
except urllib.error.HTTPError as error:
    problem = json.load(error)
    print(problem["code"], problem["detail"], problem["request_id"])
