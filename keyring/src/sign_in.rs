//! Signing in and out, and finding whose a session is.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::person::Email;
use secrecy::SecretString;

use crate::{
    Keyring,
    access::SignedIn,
    error::Error,
    secret::SessionToken,
    store::{self, people::Account, sessions::NewSession},
    throttle::{Attempt, network_of},
};

/// A session that nobody uses ends after this long.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// For how long it is remembered from where a person has signed in, which strangers cannot take from them.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// How often the use of a session is written down.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

const MOST_USER_AGENT_LETTERS: usize = 300;

/// An e-mail address and a password, as they were typed.
#[derive(Clone)]
pub struct Credentials {
    pub email: String,
    pub password: SecretString,
}

/// Where somebody signs in from.
#[derive(Debug, Clone)]
pub struct Client {
    pub address: IpAddr,
    pub user_agent: String,
}

impl Keyring {
    /// Opens a session. An unknown e-mail address costs the same time and gets the same answer as a wrong
    /// password.
    ///
    /// # Errors
    /// When the credentials are wrong, or were guessed at too often.
    pub async fn sign_in(&self, credentials: Credentials, client: &Client) -> Result<SessionToken, Error> {
        let account = self.account_by_password(&credentials, client.address).await?;
        let now = self.now();
        let token = SessionToken::generate();
        let session = NewSession {
            token: &token.sha256(),
            person: &account.person.id,
            now,
            expires_at: now + IDLE,
            ip: client.address,
            network: network_of(client.address),
            user_agent: &client.user_agent.chars().take(MOST_USER_AGENT_LETTERS).collect::<String>(),
        };
        if !store::sessions::insert(&self.database, session, &account.password_hash).await? {
            return Err(Error::WrongCredentials);
        }
        store::sessions::delete_ended_before(&self.database, now - REMEMBERED).await?;
        Ok(token)
    }

    /// Whose e-mail address and password these are. Guesses are slowed down, wherever they are made.
    pub(crate) async fn account_by_password(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Account, Error> {
        let Ok(email) = Email::parse(&credentials.email) else { return Err(Error::WrongCredentials) };
        let found = store::people::account_by_email(&self.database, &email).await?;
        let claimed = found.as_ref().map(|account| &account.person.id);
        let known_address = store::sessions::was_opened_from(&self.database, claimed, network_of(address)).await?;
        let attempt = Attempt { email: &email, address, known_address };
        self.throttle.begin(&attempt, self.now()).map_err(|retry_after| Error::TooManyAttempts { retry_after })?;
        let hash = found.as_ref().map(|account| account.password_hash.clone());
        let right = self.passwords.verify(credentials.password.clone(), hash).await;
        let account = found.filter(|_| right).ok_or(Error::WrongCredentials)?;
        self.throttle.succeeded(&attempt);
        Ok(account)
    }

    /// Ends a session; one that is over already stays over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sign_out(&self, token: &SessionToken) -> Result<(), Error> {
        Ok(store::sessions::end(&self.database, &token.sha256(), self.now()).await?)
    }

    /// Whose session this is, if it is a live one.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn signed_in(&self, token: &SessionToken) -> Result<Option<SignedIn>, Error> {
        let (token, now) = (token.sha256(), self.now());
        let Some(session) = store::sessions::find(&self.database, &token, now).await? else { return Ok(None) };
        if is_due(session.last_seen_at, now) {
            store::sessions::touch(&self.database, &token, now, now + IDLE).await?;
        }
        let tenant = match &session.tenant {
            Some(id) => store::tenants::find(&self.database, id).await?,
            None => None,
        };
        Ok(Some(SignedIn { person: session.person, tenant }))
    }
}

fn is_due(last_seen_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - last_seen_at >= TOUCH_EVERY
}
