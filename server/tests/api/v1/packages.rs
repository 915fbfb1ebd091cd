//! `GET /packages`

use serde_json::json;
use test_support::test_app::{Base, NO_SUCH_ID};

async fn packages_of_a_property_are_listed(base: Base) {
    let app = base.start();
    app.program.tenant("other");
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let service = app.service("acme", &harbour, "Double room", 12);
    let package = app.package("acme", &harbour, &service, "With breakfast");
    app.package("acme", &harbour, &service, "With dinner");
    let path = |property: &str| format!("/api/v1/packages?property_id={property}");
    app.check_reading(&path(&harbour), Some("packages:read"), "GET,HEAD").await;

    let narrow = app.key(&["--property", &harbour]);
    let found = app.get(&path(&harbour), &narrow.secret).await.good();
    let expected = json!({
        "id": package, "property_id": harbour, "service_id": service, "name": "With breakfast",
        "price": { "amount": 15_900, "currency": "EUR" },
    });
    assert_eq!(found["data"][0], expected);
    assert_eq!(json!(app.walk(&path(&harbour), &narrow.secret, 1).await), found["data"]);
    app.check_paging(&path(&harbour), &narrow.secret).await;
    app.get(&path(&old_town), &narrow.secret).await.refused(403, "property_not_allowed");
    let theirs = app.program.command(&["property", "list", "--tenant", "other"])[0]["id"].clone();
    for missing in [theirs.as_str().unwrap(), &format!("prp_{NO_SUCH_ID}"), "x"] {
        app.get(&path(missing), &narrow.secret).await.refused(404, "not_found");
    }
    let unnamed = app.get("/api/v1/packages", &narrow.secret).await;
    assert_eq!(unnamed.refused(422, "invalid").wrong_fields(), ["property_id required"]);
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    packages_of_a_property_are_listed,
}
