import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

const { LATCHKEY_URL, LATCHKEY_KEY, LATCHKEY_REVOKED_KEY, LATCHKEY_VERIFIER_KEY } = process.env;
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(LATCHKEY_URL);
const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...insecure });
const server = await oauth.processDiscoveryResponse(issuer, found);
const client = { client_id: "oauth4webapi" };

async function introspect(key, authentication) {
  const response = await oauth.introspectionRequest(server, client, authentication, key, insecure);
  return oauth.processIntrospectionResponse(server, client, response);
}

for (const authenticate of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
  const active = await introspect(LATCHKEY_KEY, authenticate(LATCHKEY_VERIFIER_KEY));
  assert.equal(active.active, true);
  assert.equal(active.iss, LATCHKEY_URL);
  assert.match(active.sub, /^ten_/);
  assert(active.scope.split(" ").includes("reservations:write"));
  const revoked = await introspect(LATCHKEY_REVOKED_KEY, authenticate(LATCHKEY_VERIFIER_KEY));
  assert.deepEqual(revoked, { active: false });
  const refused = await introspect(LATCHKEY_KEY, authenticate("wrong")).catch((error) => error);
  assert.equal(refused.status, 401);
  assert.equal((await refused.response.json()).error, "invalid_client");
}
