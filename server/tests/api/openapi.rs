//! The API's own description: complete, and never changed by mistake.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use test_support::test_app::{Answer, Base, NO_SUCH_ID};

async fn document(base: Base) -> (test_support::test_app::TestApp, Value) {
    let app = base.start();
    let answer = app.get_with("/api/openapi.json", &[("origin", "https://docs.example")]).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("access-control-allow-origin"), "https://docs.example");
    let mut document = answer.good();
    let servers = document.as_object_mut().unwrap().remove("servers").unwrap();
    let contact = document["info"]["contact"].as_object_mut().unwrap().remove("url").unwrap();
    for url in [&servers[0]["url"], &contact] {
        assert_eq!(*url, app.program.url, "where this installation is");
    }
    (app, document)
}

/// `INSTA_UPDATE=always` accepts a change; review it before committing it.
async fn openapi_document_matches_the_committed_one(base: Base) {
    let (_, document) = document(base).await;
    insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!("openapi", document);
    });
}

async fn every_method_is_described_and_no_other(base: Base) {
    let (app, document) = document(base).await;
    let paths = document["paths"].as_object().unwrap();
    for (path, item) in paths {
        let path = path.replace("{property_id}", &format!("prp_{NO_SUCH_ID}"));
        let path = path.replace("{reservation_id}", &format!("res_{NO_SUCH_ID}"));
        let answer = Answer::to(app.request(Method::DELETE, &path)).await;
        assert_eq!(answer.status, 405, "{path}");
        let taken: BTreeSet<String> =
            answer.header("allow").split(',').filter(|method| *method != "HEAD").map(str::to_lowercase).collect();
        let methods: BTreeSet<String> =
            item.as_object().unwrap().keys().filter(|name| *name != "parameters").cloned().collect();
        assert_eq!(taken, methods, "{path}");
    }
    let text = document.to_string();
    for scheme in ["bearer", "x_api_key", "user_api_key", "client_secret_basic"] {
        assert!(document["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
    }
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for code in ["missing_credential", "insufficient_scope", "rate_limited", "sold_out", "idempotency_key_reused"] {
        assert!(text.contains(code), "{code}");
    }
}

/// The permissions offered in the group form are those that the API requires.
async fn permission_catalog_matches_the_api(base: Base) {
    let (app, document) = document(base).await;
    let calls = document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let demanded: BTreeSet<String> =
        calls.filter_map(|call| call["x-permission"].as_str().map(str::to_owned)).collect();
    let catalog = app.program.command(&["permission", "list"]);
    let offered = catalog.as_array().unwrap().iter().map(|known| known["permission"].as_str().unwrap().to_owned());
    let offered: BTreeSet<String> = offered.collect();
    assert_eq!(offered, demanded);
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    openapi_document_matches_the_committed_one,
    every_method_is_described_and_no_other,
    permission_catalog_matches_the_api,
}
