import assert from "node:assert/strict";
import { createClient } from "./generated/client/index.js";
import {
  createReservation, getProperty, getReservation, listProperties, listServices, verifyKey,
} from "./generated/sdk.gen.js";

const DAY = 24 * 60 * 60 * 1000;
const withKey = (variable: string) => createClient({ baseUrl: process.env.LATCHKEY_URL, auth: process.env[variable]! });
const date = (instant: number) => new Date(instant).toISOString().slice(0, 10);

const client = withKey("LATCHKEY_KEY");
const properties = await listProperties({ client, query: { limit: 50 }, throwOnError: true });
const property_id = properties.data.data[0].id;
const services = await listServices({ client, query: { property_id }, throwOnError: true });

const arrival = date(Date.now() + 305 * DAY);
const made = await createReservation({
  client,
  body: {
    property_id,
    service_id: services.data.data[0].id,
    guest: { name: "Ada Lovelace" },
    arrival,
    departure: date(Date.now() + 306 * DAY),
  },
  throwOnError: true,
});
const found = await getReservation({ client, path: { reservation_id: made.data.id }, throwOnError: true });
assert.equal(found.data.guest.name, "Ada Lovelace");
assert.equal(found.data.arrival, arrival);

const unknown = await getProperty({ client, path: { property_id: "prp_unknown" } });
assert.equal(unknown.response?.status, 404);
assert.equal(unknown.error?.code, "not_found");

const verified = await verifyKey({
  client: withKey("LATCHKEY_VERIFIER_KEY"), body: { key: process.env.LATCHKEY_KEY! }, throwOnError: true,
});
assert(verified.data.data.valid);
