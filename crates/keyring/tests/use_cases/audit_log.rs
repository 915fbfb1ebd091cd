use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    audit::Action,
    audit_query::{AUDIT_PAGE_SIZE, AuditQuery, Start, SubjectFilter},
    id::Id,
};
use keyring::{AuditEvent, SubjectKind, TenantAdmin};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::fixture::{TestKeyring, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    log_records_actor_action_subject_and_address,
    every_filter_restricts_the_log,
    days_are_in_the_tenants_time_zone,
    log_pages_are_stable,
    each_tenant_has_its_own_log,
    existing_subjects_are_marked,
    long_log_is_read_through_indexes,
}

async fn log(app: &TestKeyring, tenant: &TenantAdmin, query: &AuditQuery) -> Vec<AuditEvent> {
    app.keyring.audit_log(Some(tenant), query).await.unwrap().entries
}

async fn actions(app: &TestKeyring, tenant: &TenantAdmin, query: &AuditQuery) -> Vec<Action> {
    log(app, tenant, query).await.iter().map(|event| event.action).collect()
}

fn day(text: &str) -> Option<chrono::NaiveDate> {
    Some(text.parse().unwrap())
}

async fn log_records_actor_action_subject_and_address(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let key = app.generate(&ana, "PMS").await.id;
    let events = log(&app, &tenant, &AuditQuery::default()).await;
    let AuditEvent { sequence, at, actor_name, action, subject, subject_name, address, .. } = &events[0];
    assert_eq!((*sequence, *at, actor_name.as_str(), *action), (6, app.now(), "Ana", Action::KeyGenerated));
    assert_eq!((subject.as_str(), subject_name.as_str()), (key.as_str(), "PMS"));
    assert_eq!(address.as_deref(), Some(home().to_string().as_str()));
    let first = events.last().unwrap();
    assert_eq!((first.actor.as_str(), first.address.as_deref()), ("operator", None), "at a shell there is no address");
}

async fn every_filter_restricts_the_log(app: TestKeyring) {
    use Action::{KeyGenerated, KeyRevoked, PersonCreated, PropertyCreated, SessionOpened, TenantCreated};
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let (pms, widget) = (app.generate(&ana, "PMS").await.id, app.generate(&tenant, "Widget").await.id);
    app.keyring.revoke_key(&tenant, &pms).await.unwrap();
    let by_ana = log(&app, &tenant, &AuditQuery::default()).await;
    let id_of_ana = by_ana.iter().find(|event| event.actor_name == "Ana").unwrap().actor.clone();
    let filtered = |query: AuditQuery| {
        let (app, tenant) = (&app, &tenant);
        async move { actions(app, tenant, &query).await }
    };
    let all = AuditQuery::default();
    let query = AuditQuery { actor: Some(id_of_ana.clone()), ..all.clone() };
    assert_eq!(filtered(query).await, [KeyGenerated, SessionOpened]);
    let query = AuditQuery { actor: Some("operator".to_owned()), ..all.clone() };
    let expected = [KeyRevoked, KeyGenerated, PersonCreated, PropertyCreated, PropertyCreated, TenantCreated];
    assert_eq!(filtered(query).await, expected);
    let query = AuditQuery { action: Some(KeyGenerated), ..all.clone() };
    assert_eq!(filtered(query.clone()).await, [KeyGenerated, KeyGenerated]);
    for subject in [pms.as_str(), "PMS", "pms"] {
        let query = AuditQuery { subject: SubjectFilter::parse(subject), ..all.clone() };
        assert_eq!(filtered(query).await, [KeyRevoked, KeyGenerated], "{subject}");
    }
    let query = AuditQuery { subject: SubjectFilter::parse(widget.as_str()), actor: Some(id_of_ana), ..query };
    assert_eq!(filtered(query).await, [], "all filters apply together");
    let query = AuditQuery { subject: SubjectFilter::parse("PM"), ..all };
    assert_eq!(filtered(query).await, [], "a name is looked for as a whole");
}

async fn days_are_in_the_tenants_time_zone(app: TestKeyring) {
    // It is an hour past midnight in Auckland, on the 22nd.
    let tenant = app.tenant("acme").await;
    app.advance(TimeDelta::hours(23) - TimeDelta::milliseconds(1));
    app.generate(&tenant, "Just before midnight").await;
    app.advance(TimeDelta::milliseconds(1));
    app.generate(&tenant, "At midnight").await;
    for (from, to, expected) in [
        (None, None, 5),
        (day("2026-11-22"), None, 5),
        (None, day("2026-11-21"), 0),
        (None, day("2026-11-22"), 4),
        (day("2026-11-22"), day("2026-11-22"), 4),
        (day("2026-11-23"), day("2026-11-23"), 1),
        (day("2026-11-24"), None, 0),
        (day("2026-11-23"), day("2026-11-22"), 0),
    ] {
        let query = AuditQuery { from, to, ..AuditQuery::default() };
        assert_eq!(log(&app, &tenant, &query).await.len(), expected, "{from:?} to {to:?}");
    }
}

async fn log_pages_are_stable(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    fill(&app, &tenant, 120).await;
    let page = |start| {
        let (app, tenant) = (&app, &tenant);
        async move { app.keyring.audit_log(Some(tenant), &AuditQuery::default().at(start)).await.unwrap() }
    };
    let sequences = |events: &[AuditEvent]| (events[0].sequence, events.last().unwrap().sequence, events.len());
    let first = page(Start::Newest).await;
    assert_eq!((sequences(&first.entries), first.newer()), ((120, 71, AUDIT_PAGE_SIZE), None));
    let second = page(first.older().unwrap()).await;
    assert_eq!(sequences(&second.entries), (70, 21, AUDIT_PAGE_SIZE));
    let last = page(second.older().unwrap()).await;
    assert_eq!((sequences(&last.entries), last.older()), ((20, 1, 20), None));
    assert_eq!(page(last.newer().unwrap()).await, second, "and back again");
    assert_eq!(page(Start::Before(1)).await, first, "past the end is the beginning");

    let query = AuditQuery::default();
    let stretch = app.keyring.audit_stretch(Some(&tenant), &query.at(Start::Before(100)), 30).await.unwrap();
    assert_eq!(sequences(&stretch), (99, 70, 30));
}

async fn each_tenant_has_its_own_log(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let key = app.generate(&acme, "PMS").await.id;
    let query = AuditQuery { subject: SubjectFilter::parse(key.as_str()), ..AuditQuery::default() };
    assert_eq!(log(&app, &acme, &query).await.len(), 1);
    assert_eq!(log(&app, &other, &query).await, []);
    assert_eq!(app.keyring.audit_log(None, &query).await.unwrap().entries, []);
}

async fn existing_subjects_are_marked(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let ana = app.admin(&acme, "Ana").await;
    let (kept, deleted) = (app.generate(&ana, "Kept").await.id, app.generate(&ana, "Deleted").await.id);
    app.keyring.delete_key(&ana, &deleted).await.unwrap();
    let events = log(&app, &acme, &AuditQuery::default()).await;
    let still_there = app.keyring.still_there(&acme, &events).await.unwrap();
    let kind = |name: &str| {
        let subject = &events.iter().find(|event| event.subject_name == name).unwrap().subject;
        still_there.get(subject).copied()
    };
    assert_eq!(still_there.get(kept.as_str()), Some(&SubjectKind::TenantKey));
    assert_eq!((kind("Deleted"), kind("ACME")), (None, None));
    assert_eq!((kind("Ana"), kind("Old Town")), (Some(SubjectKind::Person), Some(SubjectKind::Property)));
    assert!(app.keyring.still_there(&other, &events).await.unwrap().is_empty(), "another tenant's is not theirs");
}

/// Fills a log with this many rows by SQL: every tenth by another actor, and one day apart for every hundred.
async fn fill(app: &TestKeyring, tenant: &TenantAdmin, length: i64) {
    let connection = app.connection().await;
    let (chain, begin) = (tenant.tenant().id.as_str(), app.now());
    let numbers: Vec<i64> = (4..=length).collect();
    for numbers in numbers.chunks(500) {
        let row = |number: &i64| {
            let at: DateTime<Utc> = begin + TimeDelta::minutes(number * 14);
            let (actor, at) = (if number % 10 == 0 { "other" } else { "operator" }, at.format("%F %T+00:00"));
            let (subject, action) = (number % 100, if number % 100 == 0 { "key.revoked" } else { "key.edited" });
            format!(
                "('{chain}', {number}, '{at}', '{actor}', 'X', '{action}', 'key_{subject}', 'Key {subject}', '{{}}', '')"
            )
        };
        let rows: Vec<String> = numbers.iter().map(row).collect();
        let columns = "chain_id, sequence, at, actor, actor_name, action, subject, subject_name, detail, hash";
        let sql = format!("INSERT INTO audit_event ({columns}) VALUES {}", rows.join(", "));
        connection.execute_unprepared(&sql).await.unwrap();
    }
    connection.execute_unprepared("ANALYZE").await.unwrap();
}

async fn long_log_is_read_through_indexes(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    fill(&app, &tenant, 3000).await;
    let start = Instant::now();
    let (mut query, mut seen) = (AuditQuery::default(), 0);
    loop {
        let page = app.keyring.audit_log(Some(&tenant), &query).await.unwrap();
        seen += page.entries.len();
        let Some(older) = page.older() else { break };
        query = query.at(older);
    }
    assert_eq!(seen, 3000);
    assert!(start.elapsed() < Duration::from_secs(10), "60 pages took {:?}", start.elapsed());

    let chain = tenant.tenant().id.as_str();
    for (filter, index) in [
        ("", "primary"),
        ("AND sequence < 1500", "primary"),
        ("AND actor = 'other'", "audit_event_of_actor"),
        ("AND action = 'key.revoked'", "audit_event_of_action"),
        ("AND subject = 'key_7'", "audit_event_of_subject"),
        ("AND lower(subject_name) = lower('KEY 7')", "audit_event_by_name"),
        ("AND at >= '2026-11-25 00:00:00+00:00' AND at < '2026-11-26 00:00:00+00:00'", "audit_event_by_time"),
    ] {
        let sql =
            format!("SELECT * FROM audit_event WHERE chain_id = '{chain}' {filter} ORDER BY sequence DESC LIMIT 51");
        let plan = plan(&app, &sql).await;
        let names =
            if index == "primary" { ["audit_event_pkey", "sqlite_autoindex_audit_event_1"] } else { [index; 2] };
        assert!(names.iter().any(|name| plan.contains(name)), "{filter}: {plan}");
    }
}

async fn plan(app: &TestKeyring, sql: &str) -> String {
    let connection = app.connection().await;
    let backend = connection.get_database_backend();
    let (words, column) = if backend == DbBackend::Postgres { ("EXPLAIN", 0) } else { ("EXPLAIN QUERY PLAN", 3) };
    let statement = Statement::from_string(backend, format!("{words} {sql}"));
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index::<String>(column).unwrap()).collect::<Vec<_>>().join("\n")
}
