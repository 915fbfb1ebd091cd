//! Failed sign-ins: counted across all nodes, and reported in the audit log.

use chrono::TimeDelta;
use domain::{audit::Action, audit_query::AuditQuery, person::Role};
use keyring::{AuditEvent, Credentials, Error, Keyring, NewPerson, SecurityEvent, TenantAdmin};
use serde_json::json;

use super::fixture::{PASSWORD, TestKeyring, client};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    nodes_share_their_counts_of_failures,
    one_network_cannot_try_all_accounts,
    expired_counters_are_deleted,
    repeated_failures_are_audited_once,
    failures_below_the_limit_are_audited_when_their_window_has_passed,
    repeated_wrong_codes_are_audited,
    distributed_guesses_are_audited,
    security_events_are_counted,
}

/// Another node of the same installation, or the same after a restart.
async fn another_node(app: &TestKeyring) -> Keyring {
    app.reopen().await.unwrap()
}

async fn try_password(keyring: &Keyring, email: &str, password: &str, address: &str) -> Result<(), Error> {
    let credentials = Credentials { organization: None, email: email.to_owned(), password: password.to_owned().into() };
    keyring.sign_in(credentials, None, &client(address)).await.map(drop)
}

const ANA: &str = "ana@acme.test";
const WRONG: &str = "a wrong guess";

async fn guess(keyring: &Keyring, times: usize, address: &str) {
    for _ in 0..times {
        assert!(matches!(try_password(keyring, ANA, WRONG, address).await, Err(Error::WrongCredentials)));
    }
}

async fn acme_with_ana(app: &TestKeyring) -> TenantAdmin {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Ana", Role::TenantAdmin).await;
    tenant
}

/// The events of repeated failures, the latest first.
async fn failures(app: &TestKeyring, tenant: Option<&TenantAdmin>) -> Vec<AuditEvent> {
    let query = AuditQuery { action: Some(Action::SignInsFailed), ..AuditQuery::default() };
    app.keyring.audit_stretch(tenant, &query, 100).await.unwrap()
}

async fn nodes_share_their_counts_of_failures(app: TestKeyring) {
    acme_with_ana(&app).await;
    let nodes = [app.keyring.clone(), another_node(&app).await, another_node(&app).await];
    let guesses: Vec<_> = (0..30)
        .map(|number| {
            let node = nodes[number % nodes.len()].clone();
            tokio::spawn(async move { try_password(&node, ANA, WRONG, "198.51.100.9").await })
        })
        .collect();
    let mut wrong = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Err(Error::WrongCredentials) => wrong += 1,
            Err(Error::TooManyAttempts { retry_after }) => assert!(retry_after.as_secs() <= 900, "{retry_after:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong, 10);
    let restarted = another_node(&app).await;
    for node in nodes.iter().chain([&restarted]) {
        let refused = try_password(node, ANA, PASSWORD, "198.51.100.9").await;
        assert!(matches!(refused, Err(Error::TooManyAttempts { .. })), "{refused:?}");
        try_password(node, ANA, PASSWORD, "203.0.113.7").await.expect("from elsewhere");
    }
    app.advance(TimeDelta::minutes(15));
    try_password(&restarted, ANA, PASSWORD, "198.51.100.9").await.expect("not for good");
}

async fn one_network_cannot_try_all_accounts(app: TestKeyring) {
    acme_with_ana(&app).await;
    let guesses = (0..100).map(|number| {
        let keyring = app.keyring.clone();
        tokio::spawn(async move {
            try_password(&keyring, &format!("p{number}@acme.test"), WRONG, &format!("2001:db8::{number:x}")).await
        })
    });
    for guess in guesses.collect::<Vec<_>>() {
        assert!(matches!(guess.await.unwrap(), Err(Error::WrongCredentials)));
    }
    let refused = try_password(&app.keyring, ANA, PASSWORD, "2001:db8::ffff").await;
    assert!(matches!(refused, Err(Error::TooManyAttempts { .. })), "{refused:?}");
    try_password(&app.keyring, ANA, PASSWORD, "2001:db8:0:1::1").await.expect("from another network");
}

async fn expired_counters_are_deleted(app: TestKeyring) {
    acme_with_ana(&app).await;
    let count = "SELECT CAST(COUNT(*) AS TEXT) FROM failed_attempt";
    guess(&app.keyring, 2, "198.51.100.9").await;
    assert_eq!(app.texts(count).await, ["3"], "for the account, the address and both");
    app.advance(TimeDelta::minutes(29));
    app.keyring.clear_old_failures().await.unwrap();
    assert_eq!(app.texts(count).await, ["3"]);
    app.advance(TimeDelta::minutes(1));
    app.keyring.clear_old_failures().await.unwrap();
    assert_eq!(app.texts(count).await, ["0"]);
}

async fn repeated_failures_are_audited_once(app: TestKeyring) {
    let tenant = acme_with_ana(&app).await;
    let since = json!(app.now());
    guess(&app.keyring, 9, "198.51.100.9").await;
    let other = another_node(&app).await;
    other.report_repeated_failures().await.unwrap();
    assert!(failures(&app, Some(&tenant)).await.is_empty(), "there may be more to come");
    guess(&other, 1, "198.51.100.9").await;
    let (one, another) = tokio::join!(app.keyring.report_repeated_failures(), other.report_repeated_failures());
    one.unwrap();
    another.unwrap();
    let [event] = failures(&app, Some(&tenant)).await.try_into().unwrap();
    assert_eq!((event.actor_name.as_str(), event.address.as_deref()), ("Unknown", Some("198.51.100.9")));
    assert_eq!(event.subject_name, "Ana");
    assert_eq!(event.detail, json!({ "failures": 10, "reason": "wrong_password", "since": since }));

    app.advance(TimeDelta::minutes(15));
    guess(&app.keyring, 10, "198.51.100.9").await;
    other.report_repeated_failures().await.unwrap();
    assert_eq!(failures(&app, Some(&tenant)).await.len(), 2, "the next quarter of an hour is another event");
    let reports = app.keyring.verify_audit(None, &[]).await.unwrap().chains;
    assert!(reports.iter().all(|report| report.fault.is_none()), "{reports:?}");
}

async fn failures_below_the_limit_are_audited_when_their_window_has_passed(app: TestKeyring) {
    let tenant = acme_with_ana(&app).await;
    guess(&app.keyring, 4, "198.51.100.8").await;
    guess(&app.keyring, 7, "198.51.100.9").await;
    for _ in 0..10 {
        let unknown = try_password(&app.keyring, "unknown@acme.test", WRONG, "198.51.100.10").await;
        assert!(matches!(unknown, Err(Error::WrongCredentials)));
    }
    app.advance(TimeDelta::minutes(15) - TimeDelta::milliseconds(1));
    app.keyring.report_repeated_failures().await.unwrap();
    assert!(failures(&app, Some(&tenant)).await.is_empty());
    app.advance(TimeDelta::milliseconds(1));
    app.keyring.report_repeated_failures().await.unwrap();
    let [event] = failures(&app, Some(&tenant)).await.try_into().unwrap();
    assert_eq!((&event.detail["failures"], event.address.as_deref()), (&json!(7), Some("198.51.100.9")));
    assert!(failures(&app, None).await.is_empty(), "unknown addresses belong to no tenant");
}

async fn repeated_wrong_codes_are_audited(app: TestKeyring) {
    app.tenant("acme").await;
    let new = NewPerson { email: "root@latchkey.test".to_owned(), name: "Root".to_owned(), password: PASSWORD.into() };
    app.keyring.create_person(None, Role::SuperUser, new).await.unwrap();
    let root = app.at_the_console("root@latchkey.test").await;
    app.with_second_factor(&root).await;
    for _ in 0..10 {
        let refused = app.confirm(&root, "not a code").await;
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
    app.keyring.report_repeated_failures().await.unwrap();
    let [event] = failures(&app, None).await.try_into().unwrap();
    assert_eq!((event.subject_name.as_str(), &event.detail["reason"]), ("Root", &json!("wrong_code")));
    assert_eq!((&event.detail["failures"], event.address.as_deref()), (&json!(10), Some("203.0.113.7")));
}

async fn distributed_guesses_are_audited(app: TestKeyring) {
    let tenant = acme_with_ana(&app).await;
    for number in 0..50 {
        guess(&app.keyring, 1, &format!("198.51.100.{number}")).await;
    }
    app.keyring.report_repeated_failures().await.unwrap();
    let [event] = failures(&app, Some(&tenant)).await.try_into().unwrap();
    assert_eq!((&event.detail["failures"], event.address), (&json!(50), None::<String>));
}

async fn security_events_are_counted(app: TestKeyring) {
    acme_with_ana(&app).await;
    guess(&app.keyring, 10, "198.51.100.9").await;
    try_password(&app.keyring, "no address", WRONG, "198.51.100.9").await.unwrap_err();
    for _ in 0..3 {
        try_password(&app.keyring, ANA, PASSWORD, "198.51.100.9").await.unwrap_err();
    }
    let credentials = Credentials { organization: None, email: ANA.to_owned(), password: PASSWORD.into() };
    assert!(app.keyring.issue_token(credentials, client("203.0.113.7").address).await.unwrap().is_ok());
    let counted = |event| {
        let events: Vec<_> = app.keyring.take_security_events().into_iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(events, event);
    };
    counted(vec![
        (SecurityEvent::WrongCredentials, 11),
        (SecurityEvent::Throttled, 3),
        (SecurityEvent::TokenIssued, 1),
    ]);
    counted(Vec::new());
}
