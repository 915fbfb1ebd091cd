const url = process.env.LATCHKEY_URL ?? "https://keys.example.com";
const answer = await fetch(`${url}/api/v1/properties`, {
  headers: { Authorization: `Bearer ${process.env.LATCHKEY_KEY}` },
  signal: AbortSignal.timeout(10_000),
});
const body = await answer.json();
if (!answer.ok) throw new Error(`${body.code}: ${body.detail} (${body.request_id})`);
for (const { id, name } of body.data) console.log(id, name);
