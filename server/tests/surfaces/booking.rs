//! The booking API is optional.

use reqwest::Method;
use tempfile::TempDir;
use test_support::{
    program::{Program, shell_in},
    test_app::{Answer, TestApp},
};

const BOOKING_PATHS: [&str; 4] = ["services", "packages", "availability", "reservations"];

#[tokio::test]
async fn booking_is_absent_unless_it_is_on() {
    let app = TestApp::on(Program::start_with(&["--booking", "off"]));
    let key = app.key(&[]);
    for name in BOOKING_PATHS {
        let path = format!("/api/v1/{name}");
        app.get(&path, &key.secret).await.refused(404, "not_found");
        Answer::to(app.request(Method::POST, &path).bearer_auth(&key.secret)).await.refused(404, "not_found");
    }
    for path in ["/api/v1/key", "/api/v1/properties"] {
        app.get(path, &key.secret).await.good();
    }
    let document = app.get("/api/openapi.json", &key.secret).await.good();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(BOOKING_PATHS.iter().all(|name| !path.contains(name)), "{path}");
    }
    let text = document.to_string().to_lowercase();
    for word in ["reservation", "hotel", "booking", "sold_out"] {
        assert!(!text.contains(word), "{word}");
    }
    let list =
        ["service", "create", "--tenant", "acme", "--property", "x", "--name", "x", "--units", "1", "--price", "1"];
    let output = app.program.shell(&[&list[..], &["--currency", "EUR", "--json"]].concat(), "");
    let refusal = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && refusal.contains("booking_is_off"), "{refusal}");
}

#[tokio::test]
async fn group_form_offers_the_permissions_of_the_installation() {
    let app = TestApp::on(Program::start_with(&["--booking", "off"]));
    let add =
        ["permission", "add", "purchase_orders:approve", "--name", "Approve", "--description", "release an order"];
    app.program.command(&add);
    app.person("ana", "tenant-admin");
    let admin = app.program.signed_in("ana@acme.test").await;
    let form = admin.get("/authorization-groups/new").await.text().await.unwrap();
    for expected in ["Purchase orders", "purchase_orders:approve", "release an order", "properties:read", "keys:verify"]
    {
        assert!(form.contains(expected), "{expected}");
    }
    assert!(!form.to_lowercase().contains("reservations"), "the booking API is off");

    let app = TestApp::on(Program::start_with(&["--booking", "on"]));
    app.person("ana", "tenant-admin");
    let admin = app.program.signed_in("ana@acme.test").await;
    let form = admin.get("/authorization-groups/new").await.text().await.unwrap();
    assert!(form.contains("reservations:write"), "the booking API is on");
}

#[test]
fn demo_without_booking_is_refused() {
    let output = shell_in(&TempDir::new().unwrap(), &["serve", "--demo", "--booking", "off"], "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && error.contains("LATCHKEY_BOOKING=on"), "{error}");
}
