//! The installation's secret keys: what they encrypt, which ones open a database, and their rotation.

use std::{fs, path::Path};

use domain::person::Role;
use keyring::{Credentials, Error, Keyring, OpenError, SecretKeyFileError, generate_secret_key};
use sea_orm::ConnectionTrait;
use secrecy::ExposeSecret;

use super::{
    audit_chain::rewrite_without_key,
    fixture::{PASSWORD, TestKeyring, client, write_secret_keys},
    second_factor::Authenticator,
};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    second_factor_and_token_key_are_stored_encrypted,
    first_start_encrypts_what_is_stored_in_clear,
    wrong_secret_key_is_refused,
    missing_secret_key_file_is_refused,
    encrypted_value_is_bound_to_its_row,
    plaintext_is_refused_once_the_database_is_encrypted,
    rotation_encrypts_every_value_with_the_new_key,
    interrupted_rotation_is_completed,
}

const MIA: &str = "mia@acme.test";

/// A member with a second factor, by their app.
async fn mia(app: &TestKeyring) -> Authenticator {
    let tenant = app.tenant("acme").await;
    app.person(&tenant, "Mia", Role::Member).await;
    app.with_second_factor(&app.at_the_console(MIA).await).await.0
}

async fn sign_in(keyring: &Keyring, email: &str, code: &str) -> Result<(), Error> {
    let credentials = Credentials { organization: None, email: email.to_owned(), password: PASSWORD.to_owned().into() };
    keyring.sign_in(credentials, Some(code), &client("203.0.113.7")).await.map(drop)
}

/// Signs Mia in a minute later, when the app shows a code that was not used yet.
async fn mia_signs_in(app: &TestKeyring, keyring: &Keyring, authenticator: &Authenticator) {
    app.advance(chrono::TimeDelta::minutes(1));
    sign_in(keyring, MIA, &authenticator.code(app.now())).await.unwrap();
}

const ENCRYPTED: &str = "SELECT totp_secret FROM person WHERE totp_secret IS NOT NULL \
    UNION SELECT token_key FROM installation UNION SELECT secret_key_check FROM installation";

/// The key ids of all encrypted values, each once.
async fn key_ids(app: &TestKeyring) -> Vec<String> {
    let values = app.texts(ENCRYPTED).await;
    let id = |value: &String| value.strip_prefix("v1.").and_then(|rest| rest.split_once('.')).unwrap().0.to_owned();
    let mut ids: Vec<String> = values.iter().map(id).collect();
    ids.sort();
    ids.dedup();
    ids
}

async fn execute(app: &TestKeyring, sql: &str) {
    app.connection().await.execute_unprepared(sql).await.unwrap();
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

/// Makes the file what these lines are.
fn write(app: &TestKeyring, keys: &[String]) {
    write_secret_keys(&app.secret_keys, &keys.iter().map(String::as_str).collect::<Vec<_>>());
}

fn new_key() -> String {
    generate_secret_key().expose_secret().to_owned()
}

/// Brings the database to what an earlier version left behind: everything in clear.
async fn store_in_clear(app: &TestKeyring, authenticator: &Authenticator) {
    rewrite_without_key(app).await;
    execute(
        app,
        &format!("UPDATE person SET totp_secret = '{}' WHERE totp_secret IS NOT NULL", authenticator.secret()),
    )
    .await;
    execute(app, "UPDATE installation SET token_key = 'a token key in clear', secret_key_check = NULL").await;
}

async fn second_factor_and_token_key_are_stored_encrypted(app: TestKeyring) {
    let authenticator = mia(&app).await;
    let values = app.texts(ENCRYPTED).await;
    assert_eq!((values.len(), key_ids(&app).await.len()), (3, 1));
    assert!(values.iter().all(|value| !value.contains(&authenticator.secret())), "{values:?}");
    mia_signs_in(&app, &app.keyring, &authenticator).await;
}

async fn first_start_encrypts_what_is_stored_in_clear(app: TestKeyring) {
    let authenticator = mia(&app).await;
    store_in_clear(&app, &authenticator).await;
    let reopened = app.reopen().await.unwrap();
    let values = app.texts(ENCRYPTED).await;
    assert_eq!((values.len(), key_ids(&app).await.len()), (3, 1), "{values:?}");
    mia_signs_in(&app, &reopened, &authenticator).await;
    app.reopen().await.unwrap();
    assert_eq!(app.texts(ENCRYPTED).await, values, "later starts change nothing");
}

async fn wrong_secret_key_is_refused(app: TestKeyring) {
    let authenticator = mia(&app).await;
    let right = lines(&app.secret_keys);
    write(&app, &[new_key()]);
    let refused = app.reopen().await.err().unwrap();
    assert!(matches!(refused, OpenError::WrongSecretKey { .. }), "{refused}");
    let reason = refused.to_string();
    assert!(reason.starts_with("The secret key file does not belong to this database"), "{reason}");
    assert!(reason.contains(&key_ids(&app).await[0]) && reason.contains("secret-key"), "{reason}");
    write(&app, &[&[new_key()], &right[..]].concat());
    mia_signs_in(&app, &app.reopen().await.unwrap(), &authenticator).await;
}

async fn missing_secret_key_file_is_refused(app: TestKeyring) {
    let content = lines(&app.secret_keys);
    fs::remove_file(&app.secret_keys).unwrap();
    assert!(matches!(app.reopen().await, Err(OpenError::LostSecretKey(_))));
    assert!(!app.secret_keys.exists(), "no other key takes its place");
    execute(&app, "DELETE FROM installation").await;
    let refused = app.reopen().await;
    assert!(matches!(refused, Err(OpenError::SecretKeyFile(SecretKeyFileError::Missing(_)))), "the operator named it");
    write(&app, &content);
    app.reopen().await.unwrap();
}

async fn encrypted_value_is_bound_to_its_row(app: TestKeyring) {
    let authenticator = mia(&app).await;
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    app.person(&tenant, "Ben", Role::Member).await;
    let ben = "ben@acme.test";
    app.with_second_factor(&app.at_the_console(ben).await).await;
    let copy = format!(
        "UPDATE person SET totp_secret = (SELECT totp_secret FROM person WHERE email = '{MIA}') WHERE email = '{ben}'"
    );
    execute(&app, &copy).await;
    let refused = sign_in(&app.keyring, ben, &authenticator.code(app.now())).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "the code of another person's app");
}

async fn plaintext_is_refused_once_the_database_is_encrypted(app: TestKeyring) {
    let authenticator = mia(&app).await;
    execute(&app, &format!("UPDATE person SET totp_secret = '{}' WHERE email = '{MIA}'", authenticator.secret())).await;
    for keyring in [&app.keyring, &app.reopen().await.unwrap()] {
        let refused = sign_in(keyring, MIA, &authenticator.code(app.now())).await;
        let Err(Error::Unavailable(cause)) = refused else { panic!("it was taken") };
        assert!(!cause.to_string().contains(&authenticator.secret()), "{cause}");
    }
    execute(&app, "UPDATE person SET totp_secret = NULL").await;
    execute(&app, "UPDATE installation SET token_key = 'a token key in clear'").await;
    let token = Credentials { organization: None, email: MIA.to_owned(), password: PASSWORD.to_owned().into() };
    let refused = app.keyring.issue_token(token, "203.0.113.7".parse().unwrap()).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))));
}

/// Rotates the key, on PostgreSQL after the operator added the new one to the file of every server.
pub async fn rotate(app: &TestKeyring) -> Keyring {
    let is_file = app.url.starts_with("sqlite");
    let rotated = app.keyring.rotate_secret_key().await;
    if is_file {
        rotated.unwrap();
        return app.keyring.clone();
    }
    let Err(Error::Refused(how)) = rotated else { panic!("{rotated:?}") };
    assert!(how.contains("`latchkey secret-key generate`") && how.contains("every server"), "{how}");
    write(app, &[&[new_key()], &lines(&app.secret_keys)[..]].concat());
    let restarted = app.reopen().await.unwrap();
    restarted.rotate_secret_key().await.unwrap();
    restarted
}

async fn rotation_encrypts_every_value_with_the_new_key(app: TestKeyring) {
    let authenticator = mia(&app).await;
    let (before, old) = (key_ids(&app).await, lines(&app.secret_keys));
    let keyring = rotate(&app).await;
    let after = key_ids(&app).await;
    assert!(after.len() == 1 && after != before, "{before:?} {after:?}");
    let kept = lines(&app.secret_keys);
    assert_eq!((kept.len(), &kept[1..]), (2, &old[..]), "the old key stays");
    mia_signs_in(&app, &keyring, &authenticator).await;
    mia_signs_in(&app, &app.reopen().await.unwrap(), &authenticator).await;
    let rotations = "SELECT detail FROM audit_event WHERE action = 'secret_key.rotated' AND chain_id = 'platform'";
    let expected = format!(r#"{{"after":{{"key":"{}"}},"before":{{"key":"{}"}}}}"#, after[0], before[0]);
    assert_eq!(app.texts(rotations).await, [expected]);
    write(&app, &old);
    assert!(matches!(app.reopen().await, Err(OpenError::WrongSecretKey { .. })), "the old key alone");
}

async fn interrupted_rotation_is_completed(app: TestKeyring) {
    let authenticator = mia(&app).await;
    let before = key_ids(&app).await;
    write(&app, &[&[new_key()], &lines(&app.secret_keys)[..]].concat());
    let restarted = app.reopen().await.unwrap();
    assert_eq!(key_ids(&app).await, before, "the file has the new key, and the database does not yet");
    mia_signs_in(&app, &restarted, &authenticator).await;
    let rotation = restarted.rotate_secret_key().await.unwrap();
    assert_eq!((key_ids(&app).await, before), (vec![rotation.key], vec![rotation.previous_key]));
    assert_eq!(lines(&app.secret_keys).len(), 2, "no third key");
    mia_signs_in(&app, &restarted, &authenticator).await;
}

#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_together_encrypt_once() {
    let app = TestKeyring::on_postgres().await;
    let authenticator = mia(&app).await;
    store_in_clear(&app, &authenticator).await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        starts.spawn(app.reopen());
    }
    for keyring in starts.join_all().await {
        mia_signs_in(&app, &keyring.unwrap(), &authenticator).await;
    }
    assert_eq!(key_ids(&app).await.len(), 1);
}

#[test_support::requires(postgres)]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_nodes_with_different_keys_starts() {
    let app = TestKeyring::on_postgres().await;
    let authenticator = mia(&app).await;
    store_in_clear(&app, &authenticator).await;
    let folder = tempfile::TempDir::new().unwrap();
    let mut starts = tokio::task::JoinSet::new();
    for number in 0..4 {
        let path = folder.path().join(number.to_string());
        write_secret_keys(&path, &[&new_key()]);
        starts.spawn(app.reopen_with(&path));
    }
    let started = starts.join_all().await;
    let refused = started.iter().filter(|start| matches!(start, Err(OpenError::WrongSecretKey { .. }))).count();
    assert_eq!((refused, started.iter().filter(|start| start.is_ok()).count()), (3, 1));
}
