import express from "express";

const { LATCHKEY_URL, LATCHKEY_KEY, PORT = "9000" } = process.env;

function requirePermission(permission) {
  return async (request, response, next) => {
    const key = request.get("X-API-Key");
    if (!key) {
      return response.status(401).send("Send an API key in X-API-Key.");
    }
    let verdict;
    try {
      const answer = await fetch(`${LATCHKEY_URL}/api/v1/keys/verify`, {
        method: "POST",
        headers: {
          Authorization: `Bearer ${LATCHKEY_KEY}`,
          "Content-Type": "application/json",
        },
        body: JSON.stringify({
          key,
          permission,
          ip: request.ip,
          origin: request.get("Origin"),
        }),
        signal: AbortSignal.timeout(2_000),
      });
      if (!answer.ok) throw new Error(`verify: ${answer.status}`);
      verdict = (await answer.json()).data;
    } catch (error) {
      console.error(error.message);
      return response.status(503).set("Retry-After", "1").send("Keys cannot be verified.");
    }
    if (verdict.valid) {
      response.locals.caller = verdict;
      return next();
    }
    if (verdict.retry_after_seconds) {
      response.set("Retry-After", String(verdict.retry_after_seconds));
    }
    response.status(verdict.http_status).send(verdict.message);
  };
}

const app = express();
app.get("/orders", requirePermission("orders:read"), (request, response) => {
  response.json({ orders: [], key: response.locals.caller.key_id });
});
app.listen(Number(PORT), "127.0.0.1");
