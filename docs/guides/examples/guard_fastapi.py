import os

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request

latchkey = httpx.AsyncClient(
    base_url=os.environ["LATCHKEY_URL"],
    headers={"Authorization": "Bearer " + os.environ["LATCHKEY_KEY"]},
    timeout=2,
)


def require(permission):
    async def verify(request: Request):
        key = request.headers.get("X-API-Key")
        if not key:
            raise HTTPException(401, "Send an API key in X-API-Key.")
        body = {
            "key": key,
            "permission": permission,
            "ip": request.client.host,
            "origin": request.headers.get("Origin"),
        }
        try:
            answer = await latchkey.post("/api/v1/keys/verify", json=body)
            answer.raise_for_status()
        except httpx.HTTPError:
            raise HTTPException(503, "Keys cannot be verified.", {"Retry-After": "1"})
        verdict = answer.json()["data"]
        if not verdict["valid"]:
            wait = verdict.get("retry_after_seconds")
            headers = {"Retry-After": str(wait)} if wait else None
            raise HTTPException(verdict["http_status"], verdict["message"], headers)
        return verdict

    return Depends(verify)


app = FastAPI()


@app.get("/orders")
async def list_orders(caller=require("orders:read")):
    return {"orders": [], "key": caller["key_id"]}
