use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use domain::{
    id::{Id, KeyId, SecretId},
    usage::{Call, LOG_PAGE_SIZE, LegacyMethod, Range, Start, UsageQuery},
    verdict::Verdict,
};
use keyring::{Error, TenantAdmin, Thing};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait, Value};

use super::fixture::TestKeyring;

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    day_is_charted_by_the_hour,
    month_is_charted_by_the_tenants_days,
    day_of_25_hours_is_one_day,
    log_is_newest_first_and_pages_are_stable,
    calls_of_one_instant_are_separate_entries,
    newest_page_is_full_from_either_direction,
    log_can_be_filtered_by_outcome,
    call_is_logged_with_its_request_its_secret_and_its_duration,
    log_entries_expire_after_30_days,
    concurrent_write_is_in_both_chart_and_log_or_in_neither,
    old_usage_is_deleted_in_batches,
    foreign_key_has_no_usage,
    people_who_call_with_a_password_are_listed,
}

async fn insert(app: &TestKeyring, sql: &str, values: Vec<Value>) {
    let connection = app.connection().await;
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    connection.execute_raw(statement).await.unwrap();
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn count(app: &TestKeyring, key: &KeyId, hour: DateTime<Utc>, outcome: Verdict, count: i64) {
    let sql = "INSERT INTO usage_hour (api_key_id, hour, outcome, count) VALUES ($1, $2, $3, $4)";
    insert(app, sql, vec![key.to_string().into(), hour.into(), outcome.as_str().into(), count.into()]).await;
}

async fn call(app: &TestKeyring, key: &KeyId, at: DateTime<Utc>, route: &str, outcome: Verdict) {
    let sql = "INSERT INTO usage_event (api_key_id, at, method, route, status, outcome, ip) \
               VALUES ($1, $2, 'GET', $3, 200, $4, '203.0.113.9')";
    insert(app, sql, vec![key.to_string().into(), at.into(), route.into(), outcome.as_str().into()]).await;
}

/// Records calls one minute apart, the last one a minute ago. `/1` is the oldest.
async fn calls(app: &TestKeyring, key: &KeyId, amount: i64) {
    for number in 1..=amount {
        let at = app.now() - TimeDelta::minutes(amount + 1 - number);
        call(app, key, at, &format!("/{number}"), Verdict::Valid).await;
    }
}

fn routes(calls: &[Call]) -> Vec<&str> {
    calls.iter().map(|call| call.route.as_str()).collect()
}

fn numbered(numbers: impl Iterator<Item = i64>) -> Vec<String> {
    numbers.map(|number| format!("/{number}")).collect()
}

async fn steps(app: &TestKeyring, tenant: &TenantAdmin, key: &KeyId, range: Range) -> Vec<(NaiveDateTime, u64)> {
    let query = UsageQuery { range, ..UsageQuery::default() };
    let usage = app.keyring.key_usage(tenant, key, &query).await.unwrap();
    usage.steps.iter().map(|step| (step.begins, step.counts.total())).collect()
}

async fn log(app: &TestKeyring, tenant: &TenantAdmin, key: &KeyId, start: Start) -> domain::usage::LogPage {
    let query = UsageQuery { start, ..UsageQuery::default() };
    app.keyring.key_usage(tenant, key, &query).await.unwrap().log
}

async fn day_is_charted_by_the_hour(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    app.advance(TimeDelta::minutes(40));
    for (hour, outcome, amount) in [
        ("2026-11-21T12:00:00Z", Verdict::Valid, 5),
        ("2026-11-21T12:00:00Z", Verdict::IpNotAllowed, 2),
        ("2026-11-20T13:00:00Z", Verdict::RateLimited, 3),
        ("2026-11-20T12:00:00Z", Verdict::Valid, 100),
    ] {
        count(&app, &key, time(hour), outcome, amount).await;
    }
    let usage = app.keyring.key_usage(&tenant, &key, &UsageQuery::default()).await.unwrap();
    assert_eq!(usage.steps.len(), 24);
    let (first, last) = (&usage.steps[0], &usage.steps[23]);
    assert_eq!((first.begins.to_string().as_str(), first.counts.total()), ("2026-11-21 02:00:00", 3), "in Auckland");
    assert_eq!((last.begins.to_string().as_str(), last.counts.total()), ("2026-11-22 01:00:00", 7));
    assert_eq!((last.counts.of(Verdict::Valid), last.counts.of(Verdict::IpNotAllowed)), (5, 2));
    assert!(usage.steps[1..23].iter().all(|step| step.counts.total() == 0));
    assert_eq!(usage.lately.total(), 110, "the day before counts among the last 30");
}

async fn month_is_charted_by_the_tenants_days(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    // Midnight in Auckland is 11:00 UTC.
    for (hour, amount) in [
        ("2026-11-21T11:00:00Z", 1),
        ("2026-11-21T10:00:00Z", 2),
        ("2026-11-20T11:00:00Z", 4),
        ("2026-10-23T11:00:00Z", 8),
        ("2026-10-23T10:00:00Z", 16),
    ] {
        count(&app, &key, time(hour), Verdict::Valid, amount).await;
    }
    let days = steps(&app, &tenant, &key, Range::Month).await;
    assert_eq!(days.len(), 30);
    let day = |index: usize| (days[index].0.to_string(), days[index].1);
    assert_eq!(day(29), ("2026-11-22 00:00:00".to_owned(), 1));
    assert_eq!(day(28), ("2026-11-21 00:00:00".to_owned(), 6));
    assert_eq!(day(0), ("2026-10-24 00:00:00".to_owned(), 8));
    assert_eq!(days.iter().map(|(_, count)| count).sum::<u64>(), 15);
}

async fn day_of_25_hours_is_one_day(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    // In Auckland the clocks went back on 4 April 2027.
    app.advance(time("2027-04-05T00:30:00Z") - app.now());
    for ago in 0..60 {
        let hour = time("2027-04-05T00:00:00Z") - TimeDelta::hours(ago);
        count(&app, &key, hour, Verdict::Valid, 1).await;
    }
    let days = steps(&app, &tenant, &key, Range::Month).await;
    let last: Vec<(String, u64)> =
        days[26..].iter().map(|(begins, count)| (begins.date().to_string(), *count)).collect();
    let expected = [("2027-04-02", 0), ("2027-04-03", 22), ("2027-04-04", 25), ("2027-04-05", 13)];
    assert_eq!(last, expected.map(|(date, count)| (date.to_owned(), count)));
    app.advance(time("2027-04-03T20:30:00Z") - app.now());
    let hours = steps(&app, &tenant, &key, Range::Day).await;
    let twice = hours.iter().filter(|(begins, _)| begins.to_string() == "2027-04-04 02:00:00");
    assert_eq!(twice.map(|(_, count)| *count).collect::<Vec<_>>(), [1, 1], "an hour shown twice is two hours");
}

async fn log_is_newest_first_and_pages_are_stable(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    assert_eq!(log(&app, &tenant, &key, Start::Newest).await, domain::usage::LogPage::default());
    calls(&app, &key, 60).await;
    let first = log(&app, &tenant, &key, Start::Newest).await;
    assert_eq!(routes(&first.entries), numbered((36..=60).rev()));
    assert_eq!(
        (first.newer(), first.entries[0].ip.as_deref(), first.entries[0].status),
        (None, Some("203.0.113.9"), 200)
    );
    for _ in 0..3 {
        call(&app, &key, app.now(), "/new", Verdict::Valid).await;
    }
    let second = log(&app, &tenant, &key, first.older().unwrap()).await;
    assert_eq!(routes(&second.entries), numbered((11..=35).rev()));
    let third = log(&app, &tenant, &key, second.older().unwrap()).await;
    assert_eq!(routes(&third.entries), numbered((1..=10).rev()));
    assert_eq!(third.older(), None);
    let back = log(&app, &tenant, &key, third.newer().unwrap()).await;
    assert_eq!(back, second);
    let further_back = log(&app, &tenant, &key, back.newer().unwrap()).await;
    assert_eq!(routes(&further_back.entries), numbered((36..=60).rev()));
    assert!(further_back.has_newer, "three calls came in between");
}

async fn calls_of_one_instant_are_separate_entries(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    for number in 1..=30 {
        call(&app, &key, app.now(), &format!("/{number}"), Verdict::Valid).await;
    }
    let first = log(&app, &tenant, &key, Start::Newest).await;
    assert_eq!(routes(&first.entries), numbered((6..=30).rev()));
    let second = log(&app, &tenant, &key, first.older().unwrap()).await;
    assert_eq!(routes(&second.entries), numbered((1..=5).rev()));
}

async fn newest_page_is_full_from_either_direction(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    calls(&app, &key, 30).await;
    let first = log(&app, &tenant, &key, Start::Newest).await;
    let tenth = Start::After(first.entries[10].position);
    assert_eq!(log(&app, &tenant, &key, tenth).await, first);
    let second = log(&app, &tenant, &key, first.older().unwrap()).await;
    let past_the_end = Start::Before(second.entries[4].position);
    assert_eq!(log(&app, &tenant, &key, past_the_end).await, first);
}

async fn log_can_be_filtered_by_outcome(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    calls(&app, &key, 3).await;
    call(&app, &key, app.now(), "/too-often", Verdict::RateLimited).await;
    for (outcome, expected) in
        [(Verdict::RateLimited, &["/too-often"][..]), (Verdict::Valid, &["/3", "/2", "/1"]), (Verdict::Expired, &[])]
    {
        let query = UsageQuery { outcome: Some(outcome), ..UsageQuery::default() };
        let log = app.keyring.key_usage(&tenant, &key, &query).await.unwrap().log;
        assert_eq!(routes(&log.entries), expected, "{outcome}");
        assert!(log.entries.iter().all(|call| call.outcome == outcome));
    }
}

async fn call_is_logged_with_its_request_its_secret_and_its_duration(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    call(&app, &key, app.now() - TimeDelta::minutes(1), "/before-there-were-any", Verdict::Valid).await;
    let secret_id = "sec_01JCQ4Y2V9ZK3T5N6R7S8W9XAB";
    let sql = "INSERT INTO usage_event (api_key_id, at, method, route, status, outcome, secret_id, request_id, duration_us) \
               VALUES ($1, $2, 'GET', '/key', 200, 'VALID', $3, 'req-7', 1500)";
    insert(&app, sql, vec![key.to_string().into(), app.now().into(), secret_id.into()]).await;
    let calls = log(&app, &tenant, &key, Start::Newest).await.entries;
    let details = |call: &Call| (call.secret_id.clone(), call.request_id.clone(), call.duration);
    let secret_id = SecretId::parse(secret_id).unwrap();
    let expected = (Some(secret_id), Some("req-7".to_owned()), Some(Duration::from_micros(1_500)));
    assert_eq!([details(&calls[0]), details(&calls[1])], [expected, (None, None, None)]);
}

async fn log_entries_expire_after_30_days(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    let thirty_days_ago = app.now() - TimeDelta::days(30);
    call(&app, &key, thirty_days_ago, "/forgotten", Verdict::Valid).await;
    call(&app, &key, thirty_days_ago + TimeDelta::milliseconds(1), "/kept", Verdict::Valid).await;
    assert_eq!(routes(&log(&app, &tenant, &key, Start::Newest).await.entries), ["/kept"]);
}

/// Writes the count and the call in one transaction, as the usage writer does.
async fn count_and_log_calls(connection: &DatabaseConnection, key: &KeyId, now: DateTime<Utc>, amount: usize) {
    let backend = connection.get_database_backend();
    let count = "INSERT INTO usage_hour (api_key_id, hour, outcome, count) VALUES ($1, $2, 'VALID', 1) \
                 ON CONFLICT (api_key_id, hour, outcome) DO UPDATE SET count = usage_hour.count + 1";
    let call = "INSERT INTO usage_event (api_key_id, at, method, route, status, outcome, ip) \
                VALUES ($1, $2, 'GET', '/key', 200, 'VALID', '203.0.113.9')";
    for _ in 0..amount {
        let transaction = connection.begin().await.unwrap();
        for sql in [count, call] {
            let values = [key.to_string().into(), now.into()];
            transaction.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}

async fn concurrent_write_is_in_both_chart_and_log_or_in_neither(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (writer, now) = (app.connection().await, app.now());
    for round in 0..4 {
        let key = app.generate(&tenant, &format!("Round {round}")).await.id;
        let written = key.clone();
        let connection = writer.clone();
        let writing = tokio::spawn(async move { count_and_log_calls(&connection, &written, now, LOG_PAGE_SIZE).await });
        loop {
            let is_written = writing.is_finished();
            let usage = app.keyring.key_usage(&tenant, &key, &UsageQuery::default()).await.unwrap();
            assert_eq!(usage.lately.total(), usage.log.entries.len() as u64);
            if is_written {
                break;
            }
        }
        writing.await.unwrap();
    }
}

async fn old_usage_is_deleted_in_batches(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    let now = app.now();
    let many = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 12000)";
    let calls = "INSERT INTO usage_event (api_key_id, at, method, route, status, outcome, ip)";
    let of_each = "SELECT $1, $2, 'GET', '/key', 200, 'VALID', '203.0.113.9' FROM number";
    let old = now - TimeDelta::days(31);
    insert(&app, &format!("{calls} {many} {of_each}"), vec![key.to_string().into(), old.into()]).await;
    call(&app, &key, now - TimeDelta::days(29), "/kept", Verdict::Valid).await;
    for (days, amount) in [(401, 7), (399, 5)] {
        count(&app, &key, now - TimeDelta::days(days), Verdict::Valid, amount).await;
    }
    app.keyring.clear_old_usage().await.unwrap();
    assert_eq!(app.texts("SELECT MIN(route) || ' ' || COUNT(*) FROM usage_event").await, ["/kept 1"]);
    assert_eq!(app.texts("SELECT CAST(count AS text) FROM usage_hour").await, ["5"]);
}

async fn foreign_key_has_no_usage(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let key = app.generate(&tenant, "PMS").await.id;
    calls(&app, &key, 3).await;
    let other = app.tenant("other").await;
    let refused = app.keyring.key_usage(&other, &key, &UsageQuery::default()).await;
    assert!(matches!(refused, Err(Error::NotFound(Thing::Key))));
}

async fn people_who_call_with_a_password_are_listed(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let other = app.tenant("other").await;
    for (tenant, name) in [(&tenant, "Mei"), (&tenant, "Sofia"), (&other, "Mallory")] {
        app.person(tenant, name, domain::person::Role::Member).await;
    }
    assert_eq!(app.keyring.legacy_users(&tenant).await.unwrap(), []);
    for (name, method, last) in [
        ("Mei", "jwt", "2026-11-19T08:00:00Z"),
        ("Mei", "basic", "2026-11-20T08:00:00Z"),
        ("Sofia", "basic", "2026-11-21T08:00:00Z"),
        ("Mallory", "basic", "2026-11-21T09:00:00Z"),
    ] {
        let sql = "INSERT INTO legacy_use (person_id, method, first_seen_at, last_seen_at, count) \
                   SELECT id, $1, $2, $3, 7 FROM person WHERE name = $4";
        let first = time("2026-01-01T00:00:00Z");
        insert(&app, sql, vec![method.into(), first.into(), time(last).into(), name.into()]).await;
    }
    let users = app.keyring.legacy_users(&tenant).await.unwrap();
    let seen: Vec<(&str, LegacyMethod)> = users.iter().map(|user| (user.name.as_str(), user.method)).collect();
    assert_eq!(seen, [("Sofia", LegacyMethod::Basic), ("Mei", LegacyMethod::Basic), ("Mei", LegacyMethod::Jwt)]);
    assert_eq!((users[0].email.as_str(), users[0].count), ("sofia@acme.test", 7));
    assert_eq!(users[0].last_seen_at, time("2026-11-21T08:00:00Z"));
}
