import os

import requests
from authlib.integrations.requests_client import OAuth2Session

issuer = os.environ["LATCHKEY_URL"]
discovered = requests.get(f"{issuer}/.well-known/oauth-authorization-server", timeout=10)
discovered.raise_for_status()
metadata = discovered.json()
endpoint = metadata["introspection_endpoint"]


def introspect(key, method, secret=os.environ["LATCHKEY_VERIFIER_KEY"]):
    session = OAuth2Session("authlib", secret, token_endpoint_auth_method=method)
    return session.introspect_token(endpoint, token=key)


for method in ["client_secret_basic", "client_secret_post"]:
    assert method in metadata["introspection_endpoint_auth_methods_supported"], metadata
    active = introspect(os.environ["LATCHKEY_KEY"], method).json()
    assert active["active"] and active["iss"] == issuer and active["sub"].startswith("ten_"), active
    assert "reservations:write" in active["scope"].split(), active
    revoked = introspect(os.environ["LATCHKEY_REVOKED_KEY"], method)
    assert (revoked.status_code, revoked.json()) == (200, {"active": False}), revoked.text
    refused = introspect(os.environ["LATCHKEY_KEY"], method, secret="wrong")
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client"), refused.text
