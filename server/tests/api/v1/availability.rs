//! `GET /availability`

use serde_json::{Value, json};
use test_support::test_app::{Base, NO_SUCH_ID, day, stay};

async fn reserved_units_are_not_available(base: Base) {
    let app = base.start();
    let (harbour, old_town) = (app.property("acme", "Harbour House"), app.property("acme", "Old Town"));
    let service = app.service("acme", &harbour, "Double room", 3);
    let path = |property: &str, from: u64, to: u64| {
        format!("/api/v1/availability?property_id={property}&from={}&to={}", day(from), day(to))
    };
    app.check_reading(&path(&harbour, 9, 12), Some("availability:read"), "GET,HEAD").await;
    let key = app.key(&["--property", &harbour]);
    let mut body = stay(&harbour, &service);
    body["units"] = json!(2);
    assert_eq!(app.post("/api/v1/reservations", &key.secret, &body).await.status, 201);

    let found = app.get(&path(&harbour, 9, 12), &key.secret).await.good();
    let expected: Vec<Value> = [(9, 0), (10, 2), (11, 2), (12, 0)]
        .map(|(of, reserved)| {
            json!({
                "date": day(of), "service_id": service, "units": 3, "reserved": reserved, "available": 3 - reserved,
            })
        })
        .into();
    assert_eq!(found, json!({ "data": expected, "next_cursor": null }));
    app.get(&path(&old_town, 9, 12), &key.secret).await.refused(403, "property_not_allowed");
    app.get(&path(&format!("prp_{NO_SUCH_ID}"), 9, 12), &key.secret).await.refused(404, "not_found");
}

async fn all_invalid_days_are_reported_together(base: Base) {
    let app = base.start();
    let harbour = app.property("acme", "Harbour House");
    let key = app.key(&[]);
    for (query, wrong) in [
        ("", &["from required", "to required"][..]),
        ("from=2027-01-31", &["to required"]),
        ("from=today&to=2027-1-31", &["from not_a_date", "to not_a_date"]),
        ("from=2027-02-30&to=+2027-01-01", &["from not_a_date", "to not_a_date"]),
        ("from=2027-01-31T00:00:00Z&to=", &["from not_a_date", "to not_a_date"]),
        ("from=2027-02-01&to=2027-01-31", &["to before_from"]),
        ("from=2027-01-01&to=2028-01-02", &["to too_many_days"]),
        ("from=0000-01-01&to=0000-01-02", &["from out_of_range", "to out_of_range"]),
        ("from=2027-01-01&from=2027-01-01&to=2027-01-02", &["from sent_twice"]),
    ] {
        let answer = app.get(&format!("/api/v1/availability?property_id={harbour}&{query}"), &key.secret).await;
        assert_eq!(answer.refused(422, "invalid").wrong_fields(), wrong, "{query}");
    }
    let nothing = app.get("/api/v1/availability", &key.secret).await;
    let wrong = ["property_id required", "from required", "to required"];
    assert_eq!(nothing.refused(422, "invalid").wrong_fields(), wrong);
    let year = format!("/api/v1/availability?property_id={harbour}&from=2027-01-01&to=2028-01-01");
    assert_eq!(app.get(&year, &key.secret).await.good()["data"], json!([]), "366 days of no service");
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    reserved_units_are_not_available,
    all_invalid_days_are_reported_together,
}
