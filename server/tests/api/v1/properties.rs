//! `GET /properties` and `GET /properties/{id}`

use serde_json::{Value, json};
use test_support::test_app::{Base, NO_SUCH_ID};

const PROPERTIES: &str = "/api/v1/properties";

async fn key_lists_its_properties(base: Base) {
    let app = base.start();
    app.program.tenant("other");
    let ids = ["Harbour House", "Old Town", "Pier 7"].map(|name| app.property("acme", name));
    let all = app.key(&[]);
    let expected = json!({
        "data": [
            { "id": ids[0], "name": "Harbour House" },
            { "id": ids[1], "name": "Old Town" },
            { "id": ids[2], "name": "Pier 7" },
        ],
        "next_cursor": null,
    });
    assert_eq!(app.get(PROPERTIES, &all.secret).await.good(), expected);
    let narrow = app.key(&["--property", &ids[0], "--property", &ids[2]]);
    let found = app.get(PROPERTIES, &narrow.secret).await.good();
    assert_eq!(found["data"], json!([expected["data"][0], expected["data"][2]]));
    assert_eq!(app.walk(PROPERTIES, &narrow.secret, 1).await.len(), 2);
    app.check_reading(PROPERTIES, Some("properties:read"), "GET,HEAD").await;
}

async fn property_is_found_by_its_id(base: Base) {
    let app = base.start();
    app.program.tenant("other");
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let path = |id: &str| format!("{PROPERTIES}/{id}");
    app.check_reading(&path(&harbour), Some("properties:read"), "GET,HEAD").await;
    let narrow = app.key(&["--property", &harbour]);
    let found = app.get(&path(&harbour), &narrow.secret).await.good();
    assert_eq!(found, json!({ "id": harbour, "name": "Harbour House" }));
    app.get(&path(&old_town), &narrow.secret).await.refused(403, "property_not_allowed");

    let theirs = app.program.command(&["property", "list", "--tenant", "other"])[0]["id"].clone();
    let missing = [
        theirs.as_str().unwrap(),
        &format!("prp_{NO_SUCH_ID}"),
        &format!("key_{NO_SUCH_ID}"),
        "x",
        "%F0%9F%8F%A8",
        "prp_",
    ];
    let all = app.key(&[]);
    for secret in [&all.secret, &narrow.secret] {
        for id in missing {
            app.get(&path(id), secret).await.refused(404, "not_found").says("GET /api/v1/properties");
        }
    }
}

async fn list_can_be_paged_while_it_grows(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "1000"]);
    let before: Vec<String> = (0..7).map(|number| app.property("acme", &format!("House {number}"))).collect();
    let ids = |items: &[Value]| items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    for limit in [1, 3, 7, 200] {
        assert_eq!(ids(&app.walk(PROPERTIES, &key.secret, limit).await), before, "{limit} at a time");
    }
    let first = app.get(&format!("{PROPERTIES}?limit=3"), &key.secret).await.good();
    let added = app.property("acme", "A new one");
    let next = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("{PROPERTIES}?limit=200&cursor={next}"), &key.secret).await.good();
    let together = [ids(first["data"].as_array().unwrap()), ids(second["data"].as_array().unwrap())].concat();
    assert_eq!(together, [before, vec![added]].concat(), "nothing twice and nothing left out");
    app.check_paging(PROPERTIES, &key.secret).await;
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    key_lists_its_properties,
    property_is_found_by_its_id,
    list_can_be_paged_while_it_grows,
}
