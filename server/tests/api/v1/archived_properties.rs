//! An archived property is answered as one that does not exist, by every call and to every credential.

use reqwest::Method;
use serde_json::{Value, json};
use test_support::{
    program::PASSWORD,
    test_app::{Answer, Base, NO_SUCH_ID, TestApp, day, stay, text},
};

const RESERVATIONS: &str = "/api/v1/reservations";

/// A property with one of everything.
struct Hotel {
    property: String,
    service: String,
    package: String,
}

impl Hotel {
    fn open(app: &TestApp, name: &str) -> Self {
        let property = app.property("acme", name);
        let service = app.service("acme", &property, "Double room", 9);
        let package = app.package("acme", &property, &service, "With breakfast");
        Self { property, service, package }
    }

    fn stay(&self) -> Value {
        stay(&self.property, &self.service)
    }

    fn packaged_stay(&self) -> Value {
        let mut body = self.stay();
        body.as_object_mut().unwrap().remove("service_id");
        body["package_id"] = json!(self.package);
        body
    }
}

/// A credential as a client sends it.
struct Client<'a> {
    app: &'a TestApp,
    name: &'static str,
    authorization: String,
}

impl Client<'_> {
    async fn get(&self, path: &str) -> Answer {
        self.app.get_with(path, &[("authorization", &self.authorization)]).await
    }

    async fn reserve(&self, body: &Value) -> Answer {
        let idempotency_key = format!("{}-{}", self.name, text(&body["property_id"]));
        let headers = [("authorization", self.authorization.as_str()), ("idempotency-key", &idempotency_key)];
        let request = self.app.request(Method::POST, RESERVATIONS).json(body);
        Answer::to(test_support::test_app::with(request, &headers)).await
    }

    async fn listed(&self, path: &str, field: &str) -> Vec<String> {
        let answer = self.get(path).await.good();
        answer["data"].as_array().unwrap().iter().map(|item| text(&item[field])).collect()
    }

    async fn assert_gone(&self, path: &str) {
        let answer = self.get(path).await;
        assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("not_found")), "{}: {path}", self.name);
    }
}

async fn archived_property_is_not_found(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (Hotel::open(&app, "Harbour House"), Hotel::open(&app, "Old Town"));
    app.person("ana", "tenant-admin");
    let rate_limit = ["--rate-limit", "1000"];
    let picked = ["--property", &harbour.property, "--property", &old_town.property];
    let bearer = |words: &[&str]| format!("Bearer {}", app.key(&[&rate_limit, words].concat()).secret);
    let clients = [
        ("key-of-all", bearer(&[])),
        ("key-of-both", bearer(&picked)),
        ("person", basic(&format!("ana@acme.test:{PASSWORD}"))),
    ]
    .map(|(name, authorization)| Client { app: &app, name, authorization });

    let mut made = Vec::new();
    for client in &clients {
        let there = client.reserve(&harbour.stay()).await;
        assert_eq!(there.status, 201, "{}: {}", client.name, there.text);
        assert_eq!(client.reserve(&old_town.stay()).await.status, 201);
        made.push(text(&there.json()["id"]));
    }

    app.program.command(&["property", "archive", &harbour.property]);
    for client in &clients {
        assert_eq!(client.listed("/api/v1/properties", "id").await, [&*old_town.property], "{}", client.name);
        let left = client.listed(RESERVATIONS, "property_id").await;
        assert_eq!(left, [(); 3].map(|()| &*old_town.property), "{}", client.name);
        client.assert_gone(&format!("/api/v1/properties/{}", harbour.property)).await;
        for list in ["services", "packages", "reservations"] {
            client.assert_gone(&format!("/api/v1/{list}?property_id={}", harbour.property)).await;
        }
        let days = format!("from={}&to={}", day(1), day(2));
        client.assert_gone(&format!("/api/v1/availability?property_id={}&{days}", harbour.property)).await;
        for id in &made {
            client.assert_gone(&format!("{RESERVATIONS}/{id}")).await;
        }
        // The first is a repeated call, whose first answer is not given again either.
        for body in [harbour.stay(), harbour.packaged_stay()] {
            client.reserve(&body).await.refused(404, "not_found");
        }
    }

    app.program.command(&["property", "restore", &harbour.property]);
    for (client, id) in clients.iter().zip(&made) {
        assert_eq!(client.listed("/api/v1/properties", "id").await.len(), 2);
        assert_eq!(client.listed(RESERVATIONS, "id").await.len(), 6);
        assert_eq!(text(&client.get(&format!("{RESERVATIONS}/{id}")).await.good()["property_id"]), harbour.property);
        let repeated = client.reserve(&harbour.stay()).await;
        assert_eq!((repeated.status, repeated.header("idempotent-replayed")), (201, "true"), "{}", client.name);
        assert_eq!(text(&repeated.json()["id"]), *id);
    }
}

async fn archived_property_is_verified_like_a_missing_one(base: Base) {
    let app = base.start();
    let harbour = app.property("acme", "Harbour House");
    let (verifier, client) = (app.key(&["--group", "Verifier"]), app.key(&[]));
    app.person("ana", "tenant-admin");
    let ana = basic(&format!("ana@acme.test:{PASSWORD}"));
    let verdict = async |property: &str| {
        let question = json!({ "key": client.secret, "property": property });
        let answer = app.post("/api/v1/keys/verify", &verifier.secret, &question).await.good();
        (answer["data"]["code"].clone(), answer["data"]["message"].clone())
    };
    let forwarded = async |authorization: &str, property: &str| {
        let path = format!("/gateway/auth?property={property}");
        let answer = app.get_with(&path, &[("authorization", authorization)]).await;
        (answer.status, answer.text.is_empty().then(Value::default).unwrap_or_else(|| answer.json()["code"].clone()))
    };
    let bearer = format!("Bearer {}", client.secret);
    assert_eq!(verdict(&harbour).await.0, "VALID");
    assert_eq!(forwarded(&bearer, &harbour).await.0, 200);
    assert_eq!(forwarded(&ana, &harbour).await.0, 200);

    app.program.command(&["property", "archive", &harbour]);
    let missing = format!("prp_{NO_SUCH_ID}");
    assert_eq!(verdict(&harbour).await, verdict(&missing).await);
    assert_eq!(verdict(&harbour).await.0, "PROPERTY_NOT_ALLOWED");
    for authorization in [&bearer, &ana] {
        assert_eq!(forwarded(authorization, &harbour).await, forwarded(authorization, &missing).await);
        assert_eq!(forwarded(authorization, &harbour).await, (403, json!("property_not_allowed")));
    }
}

fn basic(credentials: &str) -> String {
    use base64::{Engine, prelude::BASE64_STANDARD};
    format!("Basic {}", BASE64_STANDARD.encode(credentials))
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    archived_property_is_not_found,
    archived_property_is_verified_like_a_missing_one,
}
