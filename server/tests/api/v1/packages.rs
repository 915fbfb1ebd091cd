//! `GET /packages`

use serde_json::json;

use crate::api::stage::{Base, NO_SUCH_ID};

async fn packages_of_a_property_are_listed(base: Base) {
    let stage = base.stage();
    stage.program.tenant("other");
    let (harbour, old_town) = (stage.property("acme", "Harbour House"), stage.property("acme", "Old Town"));
    let service = stage.service("acme", &harbour, "Double room", 12);
    let package = stage.package("acme", &harbour, &service, "With breakfast");
    stage.package("acme", &harbour, &service, "With dinner");
    let path = |property: &str| format!("/api/v1/packages?property_id={property}");
    stage.check_reading(&path(&harbour), Some("packages:read"), "GET,HEAD").await;

    let narrow = stage.key(&["--property", &harbour]);
    let found = stage.get(&path(&harbour), &narrow.secret).await.good();
    let expected = json!({
        "id": package, "property_id": harbour, "service_id": service, "name": "With breakfast",
        "price": { "amount": 15_900, "currency": "EUR" },
    });
    assert_eq!(found["data"][0], expected);
    assert_eq!(json!(stage.walk(&path(&harbour), &narrow.secret, 1).await), found["data"]);
    stage.check_paging(&path(&harbour), &narrow.secret).await;
    stage.get(&path(&old_town), &narrow.secret).await.refused(403, "property_not_allowed");
    let theirs = stage.program.command(&["property", "list", "--tenant", "other"])[0]["id"].clone();
    for missing in [theirs.as_str().unwrap(), &format!("prp_{NO_SUCH_ID}"), "x"] {
        stage.get(&path(missing), &narrow.secret).await.refused(404, "not_found");
    }
    let unnamed = stage.get("/api/v1/packages", &narrow.secret).await;
    assert_eq!(unnamed.refused(422, "invalid").wrong_fields(), ["property_id required"]);
}

on_both_databases!(packages_of_a_property_are_listed);
