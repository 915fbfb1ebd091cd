use chrono::{DateTime, Utc};
use domain::{
    expiration::ExpirationDraft, key::Validity, key_draft::KeyDraft, key_list::KeyListQuery, property::PropertyScope,
    scope::Scopes,
};
use keyring::{Error, NewKey, Rotation, SuperUser, TenantChange};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    key_is_stored_as_requested,
    only_the_hash_of_a_secret_is_stored,
    longest_texts_fit,
    all_invalid_fields_are_reported_together,
    foreign_groups_and_properties_are_refused,
    days_end_in_the_tenants_time_zone,
    key_can_expire_on_the_last_day_of_9999,
    key_limit_is_enforced,
    fifty_concurrent_generations_of_the_last_key_make_one,
}

async fn key_is_stored_as_requested(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let ana = app.admin(&tenant, "Ana").await;
    let properties = app.keyring.properties(&tenant).await.unwrap();
    let draft = KeyDraft {
        description: " For the front desk. ".to_owned(),
        read: true,
        write: true,
        all_properties: false,
        properties: vec![properties[1].id.to_string()],
        allowed_ips: "10.1.2.3/8\n2001:db8::1".to_owned(),
        allowed_origins: "HTTPS://Book.acme.test/, http://localhost:8080".to_owned(),
        rate_limit_per_minute: "120".to_owned(),
        ..app.draft(&tenant, "  PMS ").await
    };
    let made = app.keyring.generate_key(&ana, &NewKey { draft, expiration: ExpirationDraft::Never }).await.unwrap();
    let key = app.key(&tenant, &made.id).await;
    assert_eq!((key.name.as_str(), key.description.as_str()), ("PMS", "For the front desk."));
    assert_eq!(key.group.unwrap().name, "Full access");
    assert_eq!(key.scopes, Scopes::Both);
    assert_eq!(key.reach, PropertyScope::Only(vec![properties[1].id.clone()]));
    assert_eq!(key.allowed_ips.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "2001:db8::1/128"]);
    assert_eq!(
        key.allowed_origins.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["https://book.acme.test", "http://localhost:8080"]
    );
    assert_eq!(key.rate_limit_per_minute.per_minute(), 120);
    assert_eq!((key.created_at, key.created_by.as_str()), (app.now(), "Ana"));
    assert_eq!((key.expires_at, key.revoked_at, key.last_used_at, key.version), (None, None, None, 1));
    let secret = made.secret.expose_secret();
    assert!(secret.starts_with("lk_tk_") && secret.starts_with(&key.hint.head) && secret.ends_with(&key.hint.tail));
    assert_eq!(app.actions(&made.id).await, ["key.generated"]);
}

async fn only_the_hash_of_a_secret_is_stored(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let made = app.generate(&tenant, "PMS").await;
    let secret = made.secret.expose_secret();
    let hash: String = Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(app.texts("SELECT sha256 FROM api_key_secret").await, [hash]);
    let random_part = &secret["lk_tk_".len() + 8..secret.len() - 4];
    let everything = [
        "SELECT head || tail FROM api_key_secret",
        "SELECT name || description || search_text FROM api_key",
        "SELECT detail FROM audit_event",
    ];
    for sql in everything {
        assert!(app.texts(sql).await.iter().all(|text| !text.contains(random_part)), "{sql}");
    }
    assert!(!format!("{:?}", made.secret).contains(random_part), "printing it for debugging");
}

async fn longest_texts_fit(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    // No two letters in a row are alike, so that no database can make it small.
    let letters = |count: u32| (0..count).filter_map(|n| char::from_u32(0x4E00 + n * 7 % 20_000)).collect::<String>();
    let draft = KeyDraft { description: letters(1000), ..app.draft(&tenant, &letters(200)).await };
    let new = NewKey { draft, expiration: ExpirationDraft::Never };
    let id = app.keyring.generate_key(&tenant, &new).await.unwrap().id;
    assert_eq!(app.key(&tenant, &id).await.description, letters(1000));
}

async fn all_invalid_fields_are_reported_together(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let draft = KeyDraft { name: "x".to_owned(), allowed_ips: "here".to_owned(), ..KeyDraft::default() };
    let expiration = ExpirationDraft::EndOfDay("2026-11-20".to_owned());
    let refused = app.keyring.generate_key(&tenant, &NewKey { draft, expiration }).await;
    let fields: Vec<&str> = codes(refused).iter().map(|(field, _)| *field).collect();
    assert_eq!(fields, ["name", "group", "allowed_ips", "expires_at"]);
    assert_eq!(app.keyring.active_keys(&tenant).await.unwrap(), 0);
}

async fn foreign_groups_and_properties_are_refused(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    let foreign = app.keyring.properties(&other).await.unwrap();
    let draft = KeyDraft {
        all_properties: false,
        properties: vec![foreign[0].id.to_string()],
        ..app.draft(&other, "PMS").await
    };
    let refused = app.keyring.generate_key(&acme, &NewKey { draft, expiration: ExpirationDraft::Never }).await;
    assert_eq!(codes(refused), [("group", "not_found".to_owned()), ("properties", "not_found".to_owned())]);
}

async fn days_end_in_the_tenants_time_zone(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    // It is past midnight in Auckland already, so the 22nd is today and the 21st is in the past.
    let today = ExpirationDraft::EndOfDay("2026-11-22".to_owned());
    let key = app.generate_until(&tenant, "PMS", today).await.id;
    let expected: DateTime<Utc> = "2026-11-22T10:59:59.999Z".parse().unwrap();
    assert_eq!(app.key(&tenant, &key).await.expires_at, Some(expected));
    let over = ExpirationDraft::EndOfDay("2026-11-21".to_owned());
    let new = NewKey { draft: app.draft(&tenant, "PMS").await, expiration: over };
    let refused = app.keyring.generate_key(&tenant, &new).await;
    assert_eq!(codes(refused), [("expires_at", "in_the_past".to_owned())]);
    let exact = ExpirationDraft::At("2026-12-01T18:30".to_owned());
    let key = app.generate_until(&tenant, "ERP", exact).await.id;
    let expected: DateTime<Utc> = "2026-12-01T05:30:00Z".parse().unwrap();
    assert_eq!(app.key(&tenant, &key).await.expires_at, Some(expected));
}

/// West of UTC that day ends in the year 10000.
async fn key_can_expire_on_the_last_day_of_9999(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let change = TenantChange { time_zone: Some("America/Los_Angeles".to_owned()), ..TenantChange::default() };
    app.keyring.change_tenant(&SuperUser::operator(), &tenant.tenant().id, change).await.unwrap();
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    for (name, expiration) in [
        ("Day", ExpirationDraft::EndOfDay("9999-12-31".to_owned())),
        ("Time", ExpirationDraft::At("9999-12-31T20:00".to_owned())),
        ("Instant", ExpirationDraft::Instant("9999-12-31T23:59:59.999Z".to_owned())),
    ] {
        let made = app.generate_until(&tenant, name, expiration.clone()).await;
        let key = app.key(&tenant, &made.id).await;
        assert_eq!(key.expires_at, Some("9999-12-31T23:59:59.999Z".parse().unwrap()), "{name}");
        let rotation = Rotation { expiration: Some(expiration), ..Rotation::default() };
        app.keyring.rotate_key(&tenant, &made.id, key.version, &rotation).await.unwrap();
    }
    let valid = KeyListQuery { validity: Some(Validity::Valid), ..KeyListQuery::default() };
    assert_eq!(app.names(&tenant, &valid).await.len(), 3);
    let expired = KeyListQuery { validity: Some(Validity::Expired), ..KeyListQuery::default() };
    assert!(app.names(&tenant, &expired).await.is_empty());
}

async fn key_limit_is_enforced(app: TestKeyring) {
    let tenant = app.tenant_with_limit("acme", 2).await;
    let first = app.generate(&tenant, "First").await.id;
    app.generate(&tenant, "Second").await;
    let third = NewKey { draft: app.draft(&tenant, "Third").await, expiration: ExpirationDraft::Never };
    let refused = app.keyring.generate_key(&tenant, &third).await;
    assert!(matches!(refused, Err(Error::LimitReached { limit: 2 })));
    app.keyring.revoke_key(&tenant, &first).await.unwrap();
    app.keyring.generate_key(&tenant, &third).await.expect("a revoked key does not count");
}

async fn fifty_concurrent_generations_of_the_last_key_make_one(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    for number in 0..9 {
        app.generate(&tenant, &format!("Key {number}")).await;
    }
    let new = NewKey { draft: app.draft(&tenant, "The tenth").await, expiration: ExpirationDraft::Never };
    let attempts: Vec<_> = (0..50)
        .map(|_| {
            let (keyring, tenant, new) = (app.keyring.clone(), tenant.clone(), new.clone());
            tokio::spawn(async move { keyring.generate_key(&tenant, &new).await })
        })
        .collect();
    let mut made = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Ok(_) => made += 1,
            Err(Error::LimitReached { limit: 10 }) => {}
            Err(other) => panic!("another refusal: {other}"),
        }
    }
    assert_eq!(made, 1);
    assert_eq!(app.keyring.active_keys(&tenant).await.unwrap(), 10);
}
