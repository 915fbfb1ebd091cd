import assert from "node:assert/strict";
import introspection from "token-introspection";

const { LATCHKEY_URL, LATCHKEY_KEY, LATCHKEY_REVOKED_KEY, LATCHKEY_VERIFIER_KEY } = process.env;
const discovered = await fetch(`${LATCHKEY_URL}/.well-known/oauth-authorization-server`);
assert.equal(discovered.status, 200);
const { introspection_endpoint: endpoint } = await discovered.json();
const introspector = (secret) => introspection({ endpoint, client_id: "token-introspection", client_secret: secret });

// The library sends client_secret_basic only, and throws unless the key is active.
const active = await introspector(LATCHKEY_VERIFIER_KEY)(LATCHKEY_KEY, "access_token");
assert.equal(active.active, true);
assert.equal(active.iss, LATCHKEY_URL);
assert.match(active.sub, /^ten_/);
assert(active.scope.split(" ").includes("reservations:write"));
await assert.rejects(
  introspector(LATCHKEY_VERIFIER_KEY)(LATCHKEY_REVOKED_KEY, "access_token"),
  introspection.errors.TokenNotActiveError,
);
await assert.rejects(introspector("wrong")(LATCHKEY_KEY, "access_token"), /Server error 401 [^]*"error":\s*"invalid_client"/);
