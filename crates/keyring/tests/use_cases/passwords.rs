//! New passwords, wherever they are set.

use domain::person::Role;
use keyring::{Error, NewInvitation, NewPerson, NewRole, PersonScope};
use secrecy::SecretString;

use super::fixture::{PASSWORD, TestKeyring, codes, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    weak_password_is_refused_wherever_it_is_set,
    password_made_of_personal_words_is_refused,
    wrong_fields_are_reported_with_a_weak_password,
}

/// Long enough, and among the first guesses of an attacker.
const WEAK: &str = "password123456";

fn password(text: &str) -> SecretString {
    text.to_owned().into()
}

fn new_person(email: &str, password: &str) -> NewPerson {
    NewPerson { email: email.to_owned(), name: "Ana Ferreira".to_owned(), password: self::password(password) }
}

fn is_too_weak<T>(result: Result<T, Error>) -> bool {
    codes(result) == [("password", "too_weak".to_owned())]
}

async fn weak_password_is_refused_wherever_it_is_set(app: TestKeyring) {
    let keyring = &app.keyring;
    let tenant = app.tenant("acme").await;
    assert!(is_too_weak(keyring.create_person(Some(&tenant), Role::Member, new_person("ana@acme.test", WEAK)).await));
    assert!(is_too_weak(keyring.ensure_super_user(new_person("root@latchkey.test", WEAK)).await));

    app.person(&tenant, "Mia", Role::Member).await;
    assert!(is_too_weak(keyring.set_password("mia@acme.test", PersonScope::Everyone, password(WEAK)).await));
    let mia = app.at_the_console("mia@acme.test").await;
    assert!(is_too_weak(keyring.change_password(&mia, password(PASSWORD), password(WEAK)).await));

    let role = NewRole { role: "member".to_owned(), groups: Vec::new() };
    let new = NewInvitation { email: "zoe@acme.test".to_owned(), name: "Zoe".to_owned(), role };
    let link = keyring.invite_person(&tenant, &new).await.unwrap().token;
    assert!(is_too_weak(keyring.accept_invitation(&link, password(WEAK), home()).await));
    keyring.accept_invitation(&link, password(PASSWORD), home()).await.expect("the link is still valid");
}

async fn password_made_of_personal_words_is_refused(app: TestKeyring) {
    let tenant = app.tenant("quillfeather").await;
    for personal in ["Ana Ferreira", "quillfeather.1", "ana@quillfeather.test"] {
        let new = new_person("ana@quillfeather.test", personal);
        assert!(is_too_weak(app.keyring.create_person(Some(&tenant), Role::Member, new).await), "{personal}");
    }
    let elsewhere = app.tenant("acme").await;
    let new = new_person("ana@acme.test", "quillfeather.1");
    app.keyring.create_person(Some(&elsewhere), Role::Member, new).await.expect("it means nothing there");
}

async fn wrong_fields_are_reported_with_a_weak_password(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let refused = app.keyring.create_person(Some(&tenant), Role::Member, new_person("no address", WEAK)).await;
    let expected = [("email", "not_an_email".to_owned()), ("password", "too_weak".to_owned())];
    assert_eq!(codes(refused), expected);
}
