use chrono::TimeDelta;
use domain::{expiration::ExpirationDraft, key_draft::Grace};
use keyring::{Error, Rotation};
use secrecy::ExposeSecret;

use super::fixture::{TestKeyring, codes};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    rotation_replaces_the_secret_and_nothing_else,
    old_secret_works_during_the_grace_period,
    key_has_at_most_two_live_secrets,
    grace_period_can_be_ended,
    rotation_can_set_the_expiration,
    expired_key_needs_a_new_expiration,
    one_of_two_concurrent_rotations_wins,
    revoked_key_cannot_be_rotated,
}

const GOOD_SECRETS: &str = "SELECT head FROM api_key_secret WHERE retires_at IS NULL";

fn with_grace(grace: Grace) -> Rotation {
    Rotation { expiration: None, grace }
}

async fn rotation_replaces_the_secret_and_nothing_else(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let old = app.generate(&tenant, "PMS").await;
    let before = app.key(&tenant, &old.id).await;
    let new = app.keyring.rotate_key(&tenant, &old.id, 1, &Rotation::default()).await.unwrap();
    assert_ne!(new.secret.expose_secret(), old.secret.expose_secret());
    let after = app.key(&tenant, &old.id).await;
    assert!(new.secret.expose_secret().ends_with(&after.hint.tail));
    assert_eq!(after.old_secret_until, None);
    assert_eq!(after, domain::key::Key { hint: after.hint.clone(), version: 2, ..before });
    assert_eq!(app.texts(GOOD_SECRETS).await, [after.hint.head]);
    assert_eq!(app.actions(&old.id).await, ["key.generated", "key.rotated"]);
}

async fn old_secret_works_during_the_grace_period(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    app.keyring.rotate_key(&tenant, &id, 1, &with_grace(Grace::OneDay)).await.unwrap();
    let until = app.now() + TimeDelta::hours(24);
    assert_eq!(app.key(&tenant, &id).await.old_secret_until, Some(until));
    app.advance(TimeDelta::hours(24));
    assert_eq!(app.key(&tenant, &id).await.old_secret_until, None, "at the instant itself");
}

async fn key_has_at_most_two_live_secrets(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    for version in 1..4 {
        app.keyring.rotate_key(&tenant, &id, version, &with_grace(Grace::OneWeek)).await.unwrap();
        app.advance(TimeDelta::hours(1));
    }
    // All were given a week; only the last rotation's still counts.
    let last_rotation = app.now() - TimeDelta::hours(1);
    assert_eq!(app.key(&tenant, &id).await.old_secret_until, Some(last_rotation + TimeDelta::days(7)));
    assert_eq!(app.texts(GOOD_SECRETS).await.len(), 1);
}

async fn grace_period_can_be_ended(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    app.keyring.rotate_key(&tenant, &id, 1, &with_grace(Grace::OneHour)).await.unwrap();
    let rotated = app.key(&tenant, &id).await;
    app.keyring.end_grace(&tenant, &id).await.unwrap();
    let ended = app.key(&tenant, &id).await;
    assert_eq!((ended.old_secret_until, &ended.hint), (None, &rotated.hint));
    app.keyring.end_grace(&tenant, &id).await.unwrap();
    assert_eq!(app.actions(&id).await, ["key.generated", "key.rotated", "key.grace_ended"], "ended once");
}

async fn rotation_can_set_the_expiration(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let instant = "2027-01-31T00:00:00Z";
    let rotation = Rotation { expiration: Some(ExpirationDraft::Instant(instant.to_owned())), grace: Grace::None };
    app.keyring.rotate_key(&tenant, &id, 1, &rotation).await.unwrap();
    assert_eq!(app.key(&tenant, &id).await.expires_at, Some(instant.parse().unwrap()));
    let never = Rotation { expiration: Some(ExpirationDraft::Never), grace: Grace::None };
    app.keyring.rotate_key(&tenant, &id, 2, &never).await.unwrap();
    assert_eq!(app.key(&tenant, &id).await.expires_at, None);
    let past = ExpirationDraft::Instant("2026-11-21T12:00:00Z".to_owned());
    let refused = Rotation { expiration: Some(past), grace: Grace::None };
    let refused = app.keyring.rotate_key(&tenant, &id, 3, &refused).await;
    assert_eq!(codes(refused), [("expires_at", "in_the_past".to_owned())]);
}

async fn expired_key_needs_a_new_expiration(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let soon = ExpirationDraft::Instant("2026-11-21T12:00:01Z".to_owned());
    let id = app.generate_until(&tenant, "PMS", soon).await.id;
    app.advance(TimeDelta::seconds(1));
    let refused = app.keyring.rotate_key(&tenant, &id, 1, &Rotation::default()).await;
    assert_eq!(codes(refused), [("expires_at", "expired".to_owned())]);
    let renewed = Rotation { expiration: Some(ExpirationDraft::Never), grace: Grace::None };
    app.keyring.rotate_key(&tenant, &id, 1, &renewed).await.unwrap();
}

async fn one_of_two_concurrent_rotations_wins(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let rotate = || {
        let (keyring, tenant, id) = (app.keyring.clone(), tenant.clone(), id.clone());
        tokio::spawn(async move { keyring.rotate_key(&tenant, &id, 1, &Rotation::default()).await })
    };
    let (first, second) = (rotate(), rotate());
    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Changed(_)))).count(), 1);
    let winner = outcomes.into_iter().find_map(Result::ok).unwrap();
    assert!(winner.secret.expose_secret().ends_with(&app.key(&tenant, &id).await.hint.tail));
    assert_eq!(app.actions(&id).await, ["key.generated", "key.rotated"]);
}

async fn revoked_key_cannot_be_rotated(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let id = app.generate(&tenant, "PMS").await.id;
    let key = app.keyring.revoke_key(&tenant, &id).await.unwrap();
    let refused = app.keyring.rotate_key(&tenant, &id, key.version, &Rotation::default()).await;
    assert!(matches!(refused, Err(Error::Revoked)));
}
