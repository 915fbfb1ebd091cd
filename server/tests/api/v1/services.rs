//! `GET /services`

use serde_json::json;
use test_support::test_app::{Base, NO_SUCH_ID};

async fn services_of_a_property_are_listed(base: Base) {
    let app = base.start();
    app.program.tenant("other");
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let service = app.service("acme", &harbour, "Double room", 12);
    app.service("acme", &harbour, "Single room", 3);
    app.service("acme", &old_town, "Suite", 1);
    let path = |property: &str| format!("/api/v1/services?property_id={property}");
    app.check_reading(&path(&harbour), Some("services:read"), "GET,HEAD").await;

    let narrow = app.key(&["--property", &harbour, "--rate-limit", "1000"]);
    let found = app.get(&path(&harbour), &narrow.secret).await.good();
    let expected = json!({
        "id": service, "property_id": harbour, "name": "Double room", "units": 12,
        "price": { "amount": 12_900, "currency": "EUR" },
    });
    assert_eq!(found["data"][0], expected);
    assert_eq!((found["data"].as_array().unwrap().len(), &found["next_cursor"]), (2, &json!(null)));
    let walked = app.walk(&path(&harbour), &narrow.secret, 1).await;
    assert_eq!(json!(walked), found["data"]);
    app.check_paging(&path(&harbour), &narrow.secret).await;

    app.get(&path(&old_town), &narrow.secret).await.refused(403, "property_not_allowed");
    let theirs = app.program.command(&["property", "list", "--tenant", "other"])[0]["id"].clone();
    for missing in [theirs.as_str().unwrap(), &format!("prp_{NO_SUCH_ID}"), "x", ""] {
        app.get(&path(missing), &narrow.secret).await.refused(404, "not_found");
    }
    let unnamed = app.get("/api/v1/services", &narrow.secret).await;
    assert_eq!(unnamed.refused(422, "invalid").wrong_fields(), ["property_id required"]);
    let twice = app.get(&format!("{}&property_id={old_town}", path(&harbour)), &narrow.secret).await;
    assert_eq!(twice.refused(422, "invalid").wrong_fields(), ["property_id sent_twice"]);
    let all_wrong = app.get("/api/v1/services?limit=0&cursor=x", &narrow.secret).await;
    let wrong = ["property_id required", "limit out_of_range", "cursor not_a_cursor"];
    assert_eq!(all_wrong.refused(422, "invalid").wrong_fields(), wrong);
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    services_of_a_property_are_listed,
}
