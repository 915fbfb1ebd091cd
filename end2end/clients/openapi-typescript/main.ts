import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const DAY = 24 * 60 * 60 * 1000;
const withKey = (variable: string) =>
  createClient<paths>({ baseUrl: process.env.LATCHKEY_URL, headers: { "X-API-Key": process.env[variable]! } });
const date = (instant: number) => new Date(instant).toISOString().slice(0, 10);

const client = withKey("LATCHKEY_KEY");
const properties = await client.GET("/api/v1/properties", { params: { query: { limit: 50 } } });
const property_id = properties.data!.data[0].id;
const services = await client.GET("/api/v1/services", { params: { query: { property_id } } });

const arrival = date(Date.now() + 307 * DAY);
const made = await client.POST("/api/v1/reservations", {
  body: {
    property_id,
    service_id: services.data!.data[0].id,
    guest: { name: "Ada Lovelace" },
    arrival,
    departure: date(Date.now() + 308 * DAY),
  },
});
const found = await client.GET("/api/v1/reservations/{reservation_id}", {
  params: { path: { reservation_id: made.data!.id } },
});
assert.equal(found.data?.guest.name, "Ada Lovelace");
assert.equal(found.data?.arrival, arrival);

const unknown = await client.GET("/api/v1/properties/{property_id}", { params: { path: { property_id: "prp_unknown" } } });
assert.equal(unknown.response.status, 404);
assert.equal(unknown.error?.code, "not_found");

const verified = await withKey("LATCHKEY_VERIFIER_KEY").POST("/api/v1/keys/verify", { body: { key: process.env.LATCHKEY_KEY! } });
assert(verified.data?.data.valid);
