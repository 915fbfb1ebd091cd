//! The limit on changes that a person makes in the console.

use serde_json::json;
use test_support::program::Program;

const MAX_CHANGES: usize = 60;

#[test_support::requires(postgres)]
#[tokio::test]
async fn changes_beyond_the_limit_are_429_and_change_nothing() {
    for program in [Program::start(), Program::start_on_postgres()] {
        program.tenant("acme");
        let admin = program.signed_in("tenant-admin@acme.test").await;
        for number in 0..MAX_CHANGES {
            let answer = admin.call("/console/create_property", &json!({ "name": format!("House {number}") })).await;
            assert_eq!(answer.status(), 200, "change {number}");
        }
        let refused = admin.call("/console/create_property", &json!({ "name": "One more" })).await;
        assert_eq!(refused.status(), 429);
        let retry_after: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&retry_after), "{retry_after}");
        let body = refused.text().await.unwrap();
        assert!(body.contains("too many changes within a minute") && body.contains("Nothing was changed"), "{body}");
        let properties = program.command(&["property", "list", "--tenant", "acme"]);
        assert_eq!(properties.as_array().unwrap().len(), 1 + MAX_CHANGES);
    }
}
