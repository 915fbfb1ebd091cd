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
  const revoked = await introspect(LATCHKEY_REVOKED_KEY, authenticate(LATCHKEY_VERIFIER_KEY));
  assert.deepEqual(revoked, { active: false });
  await assert.rejects(introspect(LATCHKEY_KEY, authenticate("wrong")), (error) => error.status === 401);
}
