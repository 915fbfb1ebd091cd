//! `GET /reservations`, `GET /reservations/{id}` and `POST /reservations`

use reqwest::Client;
use serde_json::{Value, json};
use test_support::{
    program::PASSWORD,
    test_app::{Answer, Base, Key, NO_SUCH_ID, TestApp, day, stay, text},
};
use tokio::task::JoinSet;

const RESERVATIONS: &str = "/api/v1/reservations";

/// Fewer than the server has connections to its database.
const QUEUED: usize = 12;

struct Hotel {
    app: TestApp,
    harbour: String,
    service: String,
    key: Key,
}

impl Hotel {
    fn open(base: Base, units: u32) -> Self {
        let app = base.start();
        let harbour = app.property("acme", "Harbour House");
        let service = app.service("acme", &harbour, "Double room", units);
        let key = app.key(&["--rate-limit", "1000"]);
        Self { app, harbour, service, key }
    }

    fn stay(&self) -> Value {
        stay(&self.harbour, &self.service)
    }

    async fn reserve(&self, body: &Value) -> Answer {
        self.app.post(RESERVATIONS, &self.key.secret, body).await
    }

    async fn send(&self, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
        let all = [&[("x-api-key", self.key.secret.as_str())], headers].concat();
        self.app.post_with(RESERVATIONS, &all, body).await
    }

    /// Sends the same request this many times concurrently.
    async fn reserve_at_once(&self, times: usize, headers: &[(&'static str, &'static str)]) -> Vec<Answer> {
        let mut running = JoinSet::new();
        for _ in 0..times {
            let request = Client::new().post(self.app.url(RESERVATIONS)).bearer_auth(&self.key.secret);
            running.spawn(Answer::to(test_support::test_app::with(request.json(&self.stay()), headers)));
        }
        running.join_all().await
    }

    /// Sends requests that wait for the service, and makes a change before they get it.
    async fn reserve_while(&self, credential: &str, change: impl FnOnce()) -> Vec<Answer> {
        let mut running = JoinSet::new();
        self.app
            .with_locked("service", async {
                for _ in 0..QUEUED {
                    let request = Client::new().post(self.app.url(RESERVATIONS)).bearer_auth(credential);
                    running.spawn(Answer::to(request.json(&self.stay())));
                }
                let waiting =
                    "SELECT count(*)::text FROM pg_locks WHERE NOT granted AND relation = 'service'::regclass";
                self.app.see(waiting, &[QUEUED.to_string()]).await;
                tokio::task::block_in_place(change);
            })
            .await;
        running.join_all().await
    }

    async fn count(&self) -> usize {
        self.app.walk(RESERVATIONS, &self.key.secret, 200).await.len()
    }
}

async fn reservation_is_made_and_found(base: Base) {
    let hotel = Hotel::open(base, 5);
    let package = hotel.app.package("acme", &hotel.harbour, &hotel.service, "With breakfast");
    let mut body = hotel.stay();
    body["units"] = json!(2);
    body["guest"] = json!({ "name": "  Robin Sample ", "email": "Robin@Example.com" });
    let made = hotel.reserve(&body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!((made.header("content-type"), made.header("cache-control")), ("application/json", "no-store"));
    let mut found = made.json();
    let id = text(&found["id"]);
    assert!(id.starts_with("res_"));
    assert_eq!(made.header("location"), format!("{RESERVATIONS}/{id}"));
    assert_eq!(hotel.app.get(made.header("location"), &hotel.key.secret).await.good(), found);
    let created_at: chrono::DateTime<chrono::Utc> = found["created_at"].take().as_str().unwrap().parse().unwrap();
    assert!((chrono::Utc::now() - created_at).num_seconds() < 60);
    let expected = json!({
        "id": id,
        "property_id": hotel.harbour,
        "service_id": hotel.service,
        "package_id": null,
        "guest": { "name": "Robin Sample", "email": "robin@example.com" },
        "arrival": day(10),
        "departure": day(12),
        "units": 2,
        "status": "confirmed",
        "price": { "amount": 4 * 12_900, "currency": "EUR" },
        "created_at": null,
    });
    assert_eq!(found, expected);

    let mut body = hotel.stay();
    body.as_object_mut().unwrap().remove("service_id");
    body["package_id"] = json!(package);
    let packaged = hotel.app.post(&format!("{RESERVATIONS}/"), &hotel.key.secret, &body).await;
    assert_eq!(packaged.status, 201, "with a slash, too: {}", packaged.text);
    let packaged = packaged.json();
    assert_eq!((&packaged["package_id"], &packaged["service_id"]), (&json!(package), &json!(hotel.service)));
    assert_eq!(packaged["price"]["amount"], 2 * 15_900);
    let listed = hotel.app.get(RESERVATIONS, &hotel.key.secret).await.good();
    let ids: Vec<&Value> = listed["data"].as_array().unwrap().iter().map(|reservation| &reservation["id"]).collect();
    assert_eq!(ids, [&packaged["id"], &json!(id)], "the latest first");
    hotel.app.check_reading(RESERVATIONS, Some("reservations:read"), "GET,HEAD,POST").await;
    hotel.app.check_reading(&format!("{RESERVATIONS}/{id}"), Some("reservations:read"), "GET,HEAD").await;
}

async fn reservations_stay_within_the_keys_properties(base: Base) {
    let hotel = Hotel::open(base, 5);
    let app = &hotel.app;
    app.program.tenant("other");
    let old_town = app.property("acme", "Old Town");
    let elsewhere = app.service("acme", &old_town, "Suite", 5);
    let here = text(&hotel.reserve(&hotel.stay()).await.json()["id"]);
    let there = text(&hotel.reserve(&stay(&old_town, &elsewhere)).await.json()["id"]);
    let narrow = app.key(&["--property", &hotel.harbour]);
    let listed = app.walk(RESERVATIONS, &narrow.secret, 50).await;
    assert_eq!(listed.iter().map(|found| text(&found["id"])).collect::<Vec<_>>(), std::slice::from_ref(&here));
    let of = |property: &str| format!("{RESERVATIONS}?property_id={property}");
    assert_eq!(app.walk(&of(&hotel.harbour), &hotel.key.secret, 50).await.len(), 1);
    app.get(&of(&old_town), &narrow.secret).await.refused(403, "property_not_allowed");
    app.get(&of(&format!("prp_{NO_SUCH_ID}")), &narrow.secret).await.refused(404, "not_found");
    let twice = app.get(&format!("{}&property_id={old_town}", of(&hotel.harbour)), &narrow.secret).await;
    assert_eq!(twice.refused(422, "invalid").wrong_fields(), ["property_id sent_twice"]);
    let refused = app.post(RESERVATIONS, &narrow.secret, &stay(&old_town, &elsewhere)).await;
    refused.refused(403, "property_not_allowed");
    let mixed = app.post(RESERVATIONS, &narrow.secret, &stay(&hotel.harbour, &elsewhere)).await;
    mixed.refused(404, "not_found").says("service");

    let theirs = app.key_of("other", &[]);
    app.get(&format!("{RESERVATIONS}/{here}"), &theirs.secret).await.refused(404, "not_found");
    app.post(RESERVATIONS, &theirs.secret, &hotel.stay()).await.refused(404, "not_found");
    for id in [&there, &format!("res_{NO_SUCH_ID}"), &format!("key_{NO_SUCH_ID}"), "x", "%00"] {
        let answer = app.get(&format!("{RESERVATIONS}/{id}"), &narrow.secret).await;
        answer.refused(404, "not_found").says("reservation");
    }
    let reader = app.key(&["--scope", "read"]);
    let refused = app.post(RESERVATIONS, &reader.secret, &hotel.stay()).await;
    refused.refused(403, "insufficient_scope").says("reservations:write").says("scope Write");
    let other_words = app.key_with_permission("reservations:read");
    let refused = app.post(RESERVATIONS, &other_words.secret, &hotel.stay()).await;
    refused.refused(403, "insufficient_scope").says("reservations:write");
    assert_eq!(hotel.count().await, 2);
}

async fn all_invalid_fields_are_reported_together(base: Base) {
    let hotel = Hotel::open(base, 5);
    let change = |changes: Value| {
        let mut body = hotel.stay();
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    let long = "x".repeat(201);
    for (body, wrong) in [
        (
            json!({ "property_id": hotel.harbour, "units": "two", "arrival": "soon", "departure": 7, "guest": [], "nonsense": 1 }),
            &[
                "service_id required",
                "guest wrong_type",
                "arrival wrong_type",
                "departure wrong_type",
                "units wrong_type",
                "nonsense unknown",
            ][..],
        ),
        (
            json!({}),
            &[
                "property_id required",
                "service_id required",
                "guest required",
                "arrival required",
                "departure required",
            ],
        ),
        (
            change(json!({ "arrival": day(5), "departure": day(5), "units": 0 })),
            &["units out_of_range", "departure not_after_arrival"],
        ),
        (
            change(json!({ "arrival": "2020-01-01", "guest": { "name": "" } })),
            &["arrival in_the_past", "departure too_many_nights", "guest.name required"],
        ),
        (change(json!({ "arrival": "9000-01-01", "departure": "9000-01-02" })), &["arrival too_far"]),
        (change(json!({ "departure": day(376) })), &["departure too_many_nights"]),
        (change(json!({ "units": 1001 })), &["units out_of_range"]),
        (change(json!({ "units": -1 })), &["units wrong_type"]),
        (change(json!({ "units": 1.5 })), &["units wrong_type"]),
        (change(json!({ "units": 4_294_967_296_u64 })), &["units wrong_type"]),
        (
            change(json!({ "guest": { "name": long, "email": "not-an-address" } })),
            &["guest.name too_long", "guest.email not_an_email"],
        ),
        (change(json!({ "guest": { "name": 7, "age": 7 } })), &["guest.name wrong_type", "guest.age unknown"]),
        (change(json!({ "guest": null })), &["guest required"]),
        (change(json!({ "package_id": "pkg_x" })), &["package_id required", "service_id required"]),
        (change(json!({ "service_id": "x" })), &["service_id required"]),
        (
            change(json!({ "id": "res_x", "price": 1, "status": "cancelled" })),
            &["id unknown", "price unknown", "status unknown"],
        ),
    ] {
        let answer = hotel.reserve(&body).await;
        let mut found = answer.refused(422, "invalid").wrong_fields();
        let mut expected: Vec<String> = wrong.iter().map(|&wrong| wrong.to_owned()).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{body}");
    }
    for missing in ["property_id", "service_id"] {
        for id in [NO_SUCH_ID, "prp_", "x"] {
            let id = if missing == "service_id" { format!("svc_{NO_SUCH_ID}") } else { id.to_owned() };
            hotel.reserve(&change(json!({ missing: id }))).await.refused(404, "not_found");
        }
    }
    assert_eq!(hotel.count().await, 0);
}

async fn any_body_is_parsed_without_a_server_error(base: Base) {
    let hotel = Hotel::open(base, 5);
    let json = [("content-type", "application/json")];
    let whole = hotel.stay().to_string();
    for (body, status, code) in [
        (String::new(), 400, "malformed_body"),
        ("{".to_owned(), 400, "malformed_body"),
        (format!("{whole} x"), 400, "malformed_body"),
        ("{\"units\": 1e999}".to_owned(), 400, "malformed_body"),
        (format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000)), 400, "malformed_body"),
        ("{\"a\":".repeat(10_000), 400, "malformed_body"),
        (format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), 400, "malformed_body"),
        ("[]".to_owned(), 422, "invalid"),
        ("null".to_owned(), 422, "invalid"),
        ("\"x\"".to_owned(), 422, "invalid"),
        ("{\"property_id\":\"\\u0000\"}".to_owned(), 404, "not_found"),
    ] {
        let short = body.chars().take(40).collect::<String>();
        let answer = hotel.send(&json, body).await;
        assert_eq!((answer.status, short.as_str()), (status, short.as_str()), "{}", answer.text);
        answer.refused(status, code);
    }
    hotel.send(&json, b"\xff\xfe{}".to_vec()).await.refused(400, "malformed_body");
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(64 * 1024));
    let too_large = hotel.send(&json, large.clone()).await;
    too_large.refused(413, "body_too_large").says("64 KiB");
    assert_eq!(too_large.header("connection"), "close", "or the next call would be sent into the rest of the body");
    let nul = json!({ "name": "Robin\u{0}Sample" });
    let mut body = hotel.stay();
    body["guest"] = nul;
    assert_eq!(hotel.reserve(&body).await.refused(422, "invalid").wrong_fields().len(), 1);

    for kind in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/jsonx")],
    ] {
        hotel.send(kind, whole.clone()).await.refused(415, "unsupported_media_type").says("application/json");
    }
    let strangers = hotel.app.post_with(RESERVATIONS, &json, large).await;
    assert!(matches!(strangers.status, 401 | 413), "a stranger: {}", strangers.status);
    assert_eq!(hotel.count().await, 0);
    for kind in ["application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(hotel.send(&[("content-type", kind)], whole.clone()).await.status, 201, "{kind}");
    }
}

async fn concurrent_reservations_do_not_overbook(base: Base) {
    let hotel = Hotel::open(base, 1);
    let answers = hotel.reserve_at_once(50, &[]).await;
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(made.len(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "sold_out").says(&day(10)).says("Only 0");
    }
    let mut later = hotel.stay();
    later["arrival"] = json!(day(12));
    later["departure"] = json!(day(13));
    assert_eq!(hotel.reserve(&later).await.status, 201, "the room is free on the day the guest leaves");
    assert_eq!(hotel.count().await, 2);
}

async fn repeated_call_reserves_once(base: Base) {
    let hotel = Hotel::open(base, 100);
    let json = ("content-type", "application/json");
    let body = hotel.stay().to_string();
    let quoted = ("idempotency-key", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"");
    let first = hotel.send(&[json, quoted], body.clone()).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, ""));
    for spelled in [quoted, ("Idempotency-Key", "8e03978e-40d5-43dd-bc93-6894a57f9324")] {
        let again = hotel.send(&[json, spelled], body.clone()).await;
        assert_eq!((again.status, &again.text), (201, &first.text));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("idempotent-replayed"), "true");
    }
    let other_body = format!("{body} ");
    hotel.send(&[json, quoted], other_body).await.refused(422, "idempotency_key_reused").says("new key");
    let other = hotel.app.key(&[]);
    let headers = [("x-api-key", other.secret.as_str()), json, quoted];
    let others = hotel.app.post_with(RESERVATIONS, &headers, body.clone()).await;
    assert_eq!(others.status, 201);
    assert_ne!(others.text, first.text, "another key's calls are other calls");
    let long = "x".repeat(256);
    for bad in ["", "\"\"", "\"open", "two words", "a,b", &long] {
        let refused = hotel.send(&[json, ("idempotency-key", bad)], body.clone()).await;
        assert_eq!(refused.refused(422, "invalid").wrong_fields(), ["Idempotency-Key not_a_string"], "{bad}");
    }
    let twice = hotel.send(&[json, quoted, quoted], body).await;
    assert_eq!(twice.refused(422, "invalid").wrong_fields(), ["Idempotency-Key not_a_string"]);
    assert_eq!(hotel.count().await, 2);

    let answers = hotel.reserve_at_once(20, &[("idempotency-key", "\"all-at-once\"")]).await;
    let made: Vec<String> =
        answers.iter().filter(|answer| answer.status == 201).map(|answer| text(&answer.json()["id"])).collect();
    assert!(!made.is_empty() && made.iter().all(|id| *id == made[0]), "{made:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "request_in_progress").says("in a moment");
    }
    assert_eq!(hotel.count().await, 3);
}

async fn list_can_be_paged_while_it_grows(base: Base) {
    let hotel = Hotel::open(base, 100);
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(text(&hotel.reserve(&hotel.stay()).await.json()["id"]));
    }
    let ids = |items: &[Value]| items.iter().map(|item| text(&item["id"])).collect::<Vec<_>>();
    let latest_first: Vec<String> = made.iter().rev().cloned().collect();
    let secret = &hotel.key.secret;
    for limit in [1, 3, 7] {
        assert_eq!(ids(&hotel.app.walk(RESERVATIONS, secret, limit).await), latest_first, "{limit} at a time");
    }
    let first = hotel.app.get(&format!("{RESERVATIONS}?limit=3"), secret).await.good();
    assert_eq!(hotel.reserve(&hotel.stay()).await.status, 201);
    let next = text(&first["next_cursor"]);
    let rest = hotel.app.get(&format!("{RESERVATIONS}?cursor={next}"), secret).await.good();
    let together = [ids(first["data"].as_array().unwrap()), ids(rest["data"].as_array().unwrap())].concat();
    assert_eq!(together, latest_first, "what is new comes on no later page");
    hotel.app.check_paging(RESERVATIONS, secret).await;
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    reservation_is_made_and_found,
    reservations_stay_within_the_keys_properties,
    all_invalid_fields_are_reported_together,
    any_body_is_parsed_without_a_server_error,
    concurrent_reservations_do_not_overbook,
    repeated_call_reserves_once,
    list_can_be_paged_while_it_grows,
}

/// On SQLite all writers wait in one queue, so that a revocation cannot overtake a reservation.
#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn queued_reservations_of_a_revoked_key_are_refused() {
    let hotel = Hotel::open(Base::Postgres, 1000);
    let doomed = hotel.app.key(&[]);
    for answer in hotel.reserve_while(&doomed.secret, || hotel.app.revoke(&doomed)).await {
        answer.refused(401, "key_revoked");
    }
    assert_eq!(hotel.count().await, 0);
}

#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn queued_reservations_of_a_deactivated_person_are_refused() {
    let hotel = Hotel::open(Base::Postgres, 1000);
    let person = hotel.app.person("ana", "tenant-admin");
    hotel.app.person("ben", "tenant-admin");
    let sign_in = json!({ "email": "ana@acme.test", "password": PASSWORD });
    let token = hotel.app.post_with("/api/v1/auth/token", &[("content-type", "application/json")], sign_in.to_string());
    let token = text(&token.await.good()["access_token"]);
    let deactivate = || drop(hotel.app.program.command(&["person", "switch-off", &person]));
    for answer in hotel.reserve_while(&token, deactivate).await {
        assert_eq!(answer.status, 401, "{}", answer.text);
    }
    assert_eq!(hotel.count().await, 0);
}

#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn queued_reservations_of_an_edited_key_go_on() {
    let hotel = Hotel::open(Base::Postgres, 1000);
    let edited = hotel.app.key(&[]);
    for answer in hotel.reserve_while(&edited.secret, || hotel.app.edit(&edited, &["--name", "Renamed"])).await {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    assert_eq!(hotel.count().await, QUEUED);
}
