import assert from "node:assert/strict";
import * as client from "openid-client";

const { LATCHKEY_URL, LATCHKEY_KEY, LATCHKEY_REVOKED_KEY, LATCHKEY_VERIFIER_KEY } = process.env;
const discover = (authentication) =>
  client.discovery(new URL(LATCHKEY_URL), "openid-client", undefined, authentication, {
    algorithm: "oauth2",
    execute: [client.allowInsecureRequests],
  });

for (const authenticate of [client.ClientSecretBasic, client.ClientSecretPost]) {
  const configuration = await discover(authenticate(LATCHKEY_VERIFIER_KEY));
  const active = await client.tokenIntrospection(configuration, LATCHKEY_KEY);
  assert.equal(active.active, true);
  assert.equal(active.iss, LATCHKEY_URL);
  assert.match(active.sub, /^ten_/);
  assert(active.scope.split(" ").includes("reservations:write"));
  const revoked = await client.tokenIntrospection(configuration, LATCHKEY_REVOKED_KEY);
  assert.deepEqual(revoked, { active: false });
  const wrong = await discover(authenticate("wrong"));
  const refused = await client.tokenIntrospection(wrong, LATCHKEY_KEY).catch((error) => error);
  assert.equal(refused.status, 401);
  assert.equal((await refused.response.json()).error, "invalid_client");
}
