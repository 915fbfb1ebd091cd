use chrono::TimeDelta;
use domain::{
    expiration::ExpirationDraft,
    key::{Status, Validity},
    key_draft::{Grace, KeyDraft},
    key_list::{Column, KeyListQuery, Sort},
    key_warning::KeyWarning,
};
use keyring::{NewKey, Rotation, TenantAdmin};
use sea_orm::ConnectionTrait;

use super::fixture::TestKeyring;

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    newest_key_comes_first,
    filters_combine_and_counts_match,
    warning_filters_match_the_rules,
    search_covers_names_descriptions_and_secret_tails,
    every_column_sorts_both_ways,
    pages_have_25_keys,
    other_tenant_sees_nothing,
}

fn in_days(app: &TestKeyring, days: i64) -> ExpirationDraft {
    ExpirationDraft::Instant((app.now() + TimeDelta::days(days)).to_rfc3339())
}

async fn filled(app: &TestKeyring) -> TenantAdmin {
    let tenant = app.tenant("acme").await;
    for (name, days) in [("beta", Some(10)), ("Alpha", None), ("gamma", Some(90)), ("delta", Some(1))] {
        let expiration = days.map_or(ExpirationDraft::Never, |days| in_days(app, days));
        app.generate_until(&tenant, name, expiration).await;
        app.advance(TimeDelta::minutes(1));
    }
    app.advance(TimeDelta::days(2));
    let gamma = app.keyring.keys(&tenant, &KeyListQuery { search: "gamma".to_owned(), ..Default::default() }).await;
    app.keyring.revoke_key(&tenant, &gamma.unwrap().keys[0].id).await.unwrap();
    tenant
}

async fn newest_key_comes_first(app: TestKeyring) {
    let tenant = filled(&app).await;
    assert_eq!(app.names(&tenant, &KeyListQuery::default()).await, ["delta", "gamma", "Alpha", "beta"]);
}

async fn filters_combine_and_counts_match(app: TestKeyring) {
    let tenant = filled(&app).await;
    let (active, revoked) = (Some(Status::Active), Some(Status::Revoked));
    let (valid, soon, expired) = (Some(Validity::Valid), Some(Validity::ExpiringSoon), Some(Validity::Expired));
    for (status, validity, expected) in [
        (active, None, &["delta", "Alpha", "beta"][..]),
        (revoked, None, &["gamma"]),
        (None, valid, &["gamma", "Alpha"]),
        (None, soon, &["beta"]),
        (None, expired, &["delta"]),
        (active, valid, &["Alpha"]),
        (revoked, expired, &[]),
    ] {
        let query = KeyListQuery { status, validity, ..KeyListQuery::default() };
        assert_eq!(app.names(&tenant, &query).await, expected, "{query:?}");
        let page = app.keyring.keys(&tenant, &query).await.unwrap();
        assert_eq!((page.matching, page.total, page.active), (expected.len() as u64, 4, 3), "{query:?}");
    }
}

async fn warning_filters_match_the_rules(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    for name in ["idle", "forgotten", "busy", "revoked", "rotated"] {
        app.generate(&tenant, name).await;
        app.advance(TimeDelta::minutes(1));
    }
    let keys = app.keyring.keys(&tenant, &KeyListQuery::default()).await.unwrap().keys;
    let id = |name: &str| &keys.iter().find(|key| key.name == name).unwrap().id;
    app.advance(TimeDelta::days(400));
    // The old secret still works for a while, but no warning is due yet.
    let rotation = Rotation { expiration: None, grace: Grace::OneWeek };
    app.keyring.rotate_key(&tenant, id("rotated"), 1, &rotation).await.unwrap();
    app.keyring.revoke_key(&tenant, id("revoked")).await.unwrap();
    app.generate(&tenant, "new").await;
    let connection = app.connection().await;
    for (name, days) in [("forgotten", 91), ("busy", 1), ("rotated", 89)] {
        let at = (app.now() - TimeDelta::days(days)).format("%Y-%m-%dT%H:%M:%S+00:00");
        let sql = format!("UPDATE api_key SET last_used_at = '{at}' WHERE name = '{name}'");
        connection.execute_unprepared(&sql).await.unwrap();
    }
    let all = app.keyring.keys(&tenant, &KeyListQuery::default()).await.unwrap().keys;
    for (attention, expected) in [
        (KeyWarning::NeverUsed, &["new", "idle"][..]),
        (KeyWarning::Unused, &["forgotten"]),
        (KeyWarning::OldSecret, &["busy", "forgotten", "idle"]),
    ] {
        let query = KeyListQuery { attention: Some(attention), ..KeyListQuery::default() };
        assert_eq!(app.names(&tenant, &query).await, expected, "{attention:?}");
        let page = app.keyring.keys(&tenant, &query).await.unwrap();
        assert_eq!((page.matching, page.total, page.active), (expected.len() as u64, 6, 5), "{attention:?}");
        let by_rule = all.iter().filter(|key| attention.applies_to(key, app.now())).map(|key| key.name.as_str());
        assert_eq!(by_rule.collect::<Vec<_>>(), expected, "{attention:?} by its rule");
    }
}

async fn search_covers_names_descriptions_and_secret_tails(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    for (name, description) in [("Größe 100%", ""), ("snake_case", "for the ÄRGER desk"), ("plain", "back\\slash")] {
        let draft = KeyDraft { description: description.to_owned(), ..app.draft(&tenant, name).await };
        let new = NewKey { draft, expiration: ExpirationDraft::Never };
        app.keyring.generate_key(&tenant, &new).await.unwrap();
        app.advance(TimeDelta::minutes(1));
    }
    for (search, expected) in [
        ("GRÖSSE", &[][..]),
        ("größe", &["Größe 100%"]),
        ("GRÖẞE", &["Größe 100%"]),
        ("0%", &["Größe 100%"]),
        ("%", &["Größe 100%"]),
        ("_", &["snake_case"]),
        ("\\", &["plain"]),
        ("ärger", &["snake_case"]),
        ("nothing like it", &[]),
    ] {
        let query = KeyListQuery { search: search.to_owned(), ..KeyListQuery::default() };
        assert_eq!(app.names(&tenant, &query).await, expected, "{search}");
    }
    let plain = &app.keyring.keys(&tenant, &KeyListQuery::default()).await.unwrap().keys[0];
    let by_tail = KeyListQuery { search: plain.hint.tail.clone(), ..KeyListQuery::default() };
    assert!(app.names(&tenant, &by_tail).await.contains(&plain.name));
}

async fn every_column_sorts_both_ways(app: TestKeyring) {
    let tenant = filled(&app).await;
    let connection = app.connection().await;
    for (name, at) in [("beta", "2026-11-20 10:00:00+00:00"), ("delta", "2026-11-21 09:00:00+00:00")] {
        let sql = format!("UPDATE api_key SET last_used_at = '{at}' WHERE name = '{name}'");
        connection.execute_unprepared(&sql).await.unwrap();
    }
    for (column, descending, expected) in [
        (Column::Name, false, ["Alpha", "beta", "delta", "gamma"]),
        (Column::Name, true, ["gamma", "delta", "beta", "Alpha"]),
        (Column::Created, false, ["beta", "Alpha", "gamma", "delta"]),
        (Column::Expires, false, ["delta", "beta", "gamma", "Alpha"]),
        (Column::Expires, true, ["Alpha", "gamma", "beta", "delta"]),
        (Column::LastUsed, true, ["delta", "beta", "gamma", "Alpha"]),
        (Column::LastUsed, false, ["Alpha", "gamma", "beta", "delta"]),
    ] {
        let query = KeyListQuery { sort: Sort { column, descending }, ..KeyListQuery::default() };
        assert_eq!(app.names(&tenant, &query).await, expected, "{query:?}");
    }
}

async fn pages_have_25_keys(app: TestKeyring) {
    let tenant = app.tenant_with_limit("acme", 100).await;
    for number in 0..30 {
        app.generate(&tenant, &format!("Key {number:02}")).await;
        app.advance(TimeDelta::seconds(1));
    }
    let sort = Sort { column: Column::Name, descending: false };
    let first = KeyListQuery { sort, ..KeyListQuery::default() };
    let names = app.names(&tenant, &first).await;
    assert_eq!((names.len(), names[0].as_str()), (25, "Key 00"));
    let names = app.names(&tenant, &first.on_page(1)).await;
    assert_eq!((names.len(), names[0].as_str()), (5, "Key 25"));
    assert!(app.names(&tenant, &first.on_page(2)).await.is_empty());
    assert_eq!(app.keyring.keys(&tenant, &first).await.unwrap().pages(), 2);
}

async fn other_tenant_sees_nothing(app: TestKeyring) {
    filled(&app).await;
    let other = app.tenant("other").await;
    let page = app.keyring.keys(&other, &KeyListQuery::default()).await.unwrap();
    assert_eq!((page.keys.len(), page.matching, page.total, page.active), (0, 0, 0, 0));
}
