import assert from "node:assert/strict";
import {
  Configuration, KeyVerificationApi, OffersApi, ProblemFromJSON, PropertiesApi, ReservationsApi, ResponseError,
} from "./generated/index.js";

const DAY = 24 * 60 * 60 * 1000;

function withKey(variable: string): Configuration {
  return new Configuration({ basePath: process.env.LATCHKEY_URL, headers: { "X-API-Key": process.env[variable]! } });
}

const configuration = withKey("LATCHKEY_KEY");
const properties = new PropertiesApi(configuration);
const [property] = (await properties.listProperties({ limit: 50 })).data;
const [service] = (await new OffersApi(configuration).listServices({ propertyId: property.id })).data;

const arrival = new Date(Date.now() + 304 * DAY);
const reservations = new ReservationsApi(configuration);
const made = await reservations.createReservation({
  reservationInput: {
    propertyId: property.id,
    serviceId: service.id,
    guest: { name: "Ada Lovelace" },
    arrival,
    departure: new Date(arrival.getTime() + DAY),
  },
});
const found = await reservations.getReservation({ reservationId: made.id });
assert.equal(found.guest.name, "Ada Lovelace");
assert.equal(found.arrival.toISOString().slice(0, 10), arrival.toISOString().slice(0, 10));

const refused = await properties.getProperty({ propertyId: "prp_unknown" }).catch((error: unknown) => error);
assert(refused instanceof ResponseError);
assert.equal(refused.response.status, 404);
assert.equal(ProblemFromJSON(await refused.response.json()).code, "not_found");

const verification = await new KeyVerificationApi(withKey("LATCHKEY_VERIFIER_KEY"))
  .verifyKey({ verifyRequest: { key: process.env.LATCHKEY_KEY! } });
assert(verification.data.valid);
