//! Access tokens of people, and what ends them. The clock stands still: everything happens in the same second.

use domain::{
    id::{Id, PersonId},
    person::Role,
};
use keyring::{
    AccessQuery, Credential, Credentials, LegacyCredential, LegacyRefusal, PersonScope, Refusal, Requirement,
};
use secrecy::SecretString;

use super::fixture::{PASSWORD, TestKeyring, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    sign_out_everywhere_revokes_tokens,
    password_change_revokes_tokens,
    ending_sessions_revokes_tokens,
}

const MIA: &str = "mia@acme.test";
const ANOTHER: &str = "another long password";

impl TestKeyring {
    async fn member(&self) -> PersonId {
        let tenant = self.tenant("acme").await;
        self.person(&tenant, "Mia", Role::Member).await;
        let people = self.keyring.people(Some(&tenant)).await.unwrap();
        people.into_iter().next().unwrap().person.id
    }

    async fn token(&self, password: &str) -> SecretString {
        let credentials =
            Credentials { organization: None, email: MIA.to_owned(), password: password.to_owned().into() };
        self.keyring.issue_token(credentials, home()).await.unwrap().unwrap().token
    }

    async fn accepts(&self, token: &SecretString) -> bool {
        let requirement = Requirement { permission: None, property: None, cost: 1, tenant: None };
        let query = AccessQuery { address: Some(home()), nearest: home(), origin: None, requirement };
        let credential = Credential::Legacy(LegacyCredential::Token(token.clone()));
        match self.keyring.evaluate(&credential, &query).await.unwrap().outcome {
            Ok(_) => true,
            Err(Refusal::Legacy(LegacyRefusal::InvalidToken)) => false,
            Err(other) => panic!("another refusal: {other:?}"),
        }
    }
}

async fn sign_out_everywhere_revokes_tokens(app: TestKeyring) {
    app.member().await;
    let mia = app.at_the_console(MIA).await;
    let before = app.token(PASSWORD).await;
    assert!(app.accepts(&before).await);
    app.keyring.sign_out_everywhere(&mia).await.unwrap();
    assert!(!app.accepts(&before).await);
    let after = app.token(PASSWORD).await;
    assert!(app.accepts(&after).await && !app.accepts(&before).await);
}

async fn password_change_revokes_tokens(app: TestKeyring) {
    app.member().await;
    let mia = app.at_the_console(MIA).await;
    let first = app.token(PASSWORD).await;
    app.keyring.change_password(&mia, PASSWORD.to_owned().into(), ANOTHER.to_owned().into()).await.unwrap();
    assert!(!app.accepts(&first).await);
    let second = app.token(ANOTHER).await;
    assert!(app.accepts(&second).await);
    app.keyring.set_password(MIA, PersonScope::Everyone, ANOTHER.to_owned().into()).await.unwrap();
    assert!(!app.accepts(&second).await, "although the password is the same");
    assert!(app.accepts(&app.token(ANOTHER).await).await);
}

async fn ending_sessions_revokes_tokens(app: TestKeyring) {
    let mia = app.member().await;
    let tenant = app.keyring.operator_for("acme").await.unwrap();
    let token = app.token(PASSWORD).await;
    assert_eq!(app.keyring.end_sessions_of(&tenant, &mia).await.unwrap(), 0, "{} has no session", mia.as_str());
    assert!(!app.accepts(&token).await);
}
