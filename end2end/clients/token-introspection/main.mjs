import assert from "node:assert/strict";
import introspection from "token-introspection";

const { LATCHKEY_URL, LATCHKEY_KEY, LATCHKEY_REVOKED_KEY, LATCHKEY_VERIFIER_KEY } = process.env;
const introspector = (secret) =>
  introspection({ endpoint: `${LATCHKEY_URL}/api/v1/keys/introspect`, client_id: "token-introspection", client_secret: secret });

const active = await introspector(LATCHKEY_VERIFIER_KEY)(LATCHKEY_KEY, "access_token");
assert.equal(active.active, true);
await assert.rejects(introspector(LATCHKEY_VERIFIER_KEY)(LATCHKEY_REVOKED_KEY, "access_token"));
await assert.rejects(introspector("wrong")(LATCHKEY_KEY, "access_token"));
