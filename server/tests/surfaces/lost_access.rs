//! An admin is deactivated while requests of theirs are under way.

use futures::{FutureExt, future::join_all};
use serde_json::{Value, json};
use test_support::program::Program;

/// More than have their turn before the deactivation, on any machine.
const REQUESTS: usize = 60;

#[tokio::test]
async fn deactivated_admin_writes_nothing_on_sqlite() {
    race(&Program::start()).await;
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn deactivated_admin_writes_nothing_on_postgres() {
    race(&Program::start_on_postgres()).await;
}

async fn race(program: &Program) {
    program.tenant("acme");
    let eve = ["person", "create", "--tenant", "acme", "--email", "eve@acme.test", "--name", "Eve"];
    let eve = program.command(&[&eve[..], &["--role", "tenant-admin", "--password-stdin"]].concat());
    let member = &program.command(&["person", "list", "--tenant", "acme"])[1];
    let (removing, removed) =
        (program.signed_in("tenant-admin@acme.test").await, program.signed_in("eve@acme.test").await);
    let requests = (0..REQUESTS).map(|number| {
        let (function, arguments) = match number % 4 {
            0 => ("create_property", json!({ "name": format!("Annexe {number}") })),
            1 => ("switch_on_person", json!({ "id": eve["id"] })),
            2 => (
                "set_role",
                json!({ "id": member["id"], "role": (if number % 8 == 2 { "tenant_admin" } else { "member" }) }),
            ),
            _ => {
                let email = format!("friend-{number}@acme.test");
                ("invite_person", json!({ "email": email, "name": "Friend", "role": "tenant_admin" }))
            }
        };
        let (removing, removed, eve) = (&removing, &removed, &eve);
        async move {
            // A few of hers are on their way already.
            if number == 8 {
                let answer = removing.call("/console/switch_off_person", &json!({ "id": eve["id"] })).await;
                assert_eq!(answer.status(), 200);
            }
            removed.call(&format!("/console/{function}"), &arguments).await.status().as_u16()
        }
        .boxed_local()
    });
    for status in join_all(requests).await {
        assert!(matches!(status, 200 | 401 | 403 | 409), "{status}");
    }
    let log = program.command(&["audit", "list", "--tenant", "acme", "--limit", "1000"]);
    let log = log.as_array().unwrap();
    let sequence = |event: &Value| event["sequence"].as_i64().unwrap();
    let deactivated = log.iter().find(|event| event["action"] == "person.switched_off").map(sequence).unwrap();
    let late: Vec<&Value> =
        log.iter().filter(|event| event["actor"] == eve["id"] && sequence(event) > deactivated).collect();
    assert!(late.is_empty(), "written after she was deactivated: {late:?}");
    let people = program.command(&["person", "list", "--tenant", "acme"]);
    let found = people.as_array().unwrap().iter().find(|person| person["id"] == eve["id"]).unwrap();
    assert_eq!(found["state"], "switched_off");
}
