const answer = await fetch(`${process.env.LATCHKEY_URL}/api/v1/keys/verify`, {
  method: "POST",
  headers: {
    Authorization: `Bearer ${process.env.LATCHKEY_KEY}`,
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    key: process.env.CLIENT_KEY,
    permission: "orders:read",
    ip: process.env.CLIENT_IP,
  }),
  signal: AbortSignal.timeout(2_000),
});
const body = await answer.json();
if (!answer.ok) {
  throw new Error(`${body.code}: ${body.detail} (${body.request_id})`);
}

const verdict = body.data;
if (verdict.valid) {
  console.log("accepted", verdict.key_id);
} else {
  console.log("refused", verdict.http_status, verdict.message);
}
