//! Signing in and out, and finding whose a session is.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    audit::Action,
    id::PersonId,
    network::client_network,
    person::{Email, PersonState, Role},
    tenant::is_slug,
};
use secrecy::SecretString;
use serde_json::json;
use store::{Chain, Event, Subject, people::Account, sessions::NewSession};
use verify::rate_limit::sign_in::Attempt;

use crate::{
    Keyring,
    access::{ActiveSession, Actor},
    change::Change,
    error::Error,
    second_factor::{ConsumedCode, CountedCode},
    secret::SessionToken,
    security_events::FailureReason,
};

/// An unused session ends after this long.
pub const SESSION_IDLE: TimeDelta = TimeDelta::hours(12);

/// A session ends this long after it was opened, however often it is used.
pub const MAX_SESSION_AGE: TimeDelta = TimeDelta::days(30);
pub const MAX_SUPER_USER_SESSION_AGE: TimeDelta = TimeDelta::hours(12);

/// For how long it is remembered from where a person has signed in, which strangers cannot take from them.
const REMEMBERED: TimeDelta = TimeDelta::days(90);

/// The interval at which the use of a session is recorded.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

const MAX_USER_AGENT_BYTES: usize = 300;

/// An e-mail address and a password, as they were typed.
#[derive(Clone)]
pub struct Credentials {
    /// The slug of the person's tenant. An address that several tenants know is ambiguous without it.
    pub organization: Option<String>,
    pub email: String,
    pub password: SecretString,
}

impl Credentials {
    /// Parses a user name as the API accepts it: an e-mail address, or `organization/address`.
    #[must_use]
    pub fn from_user_name(user_name: &str, password: SecretString) -> Self {
        let (organization, email) = match user_name.split_once('/') {
            Some((slug, email)) if is_slug(&slug.trim().to_lowercase()) => (Some(slug.to_owned()), email),
            _ => (None, user_name),
        };
        Self { organization, email: email.to_owned(), password }
    }

    fn tenant_slug(&self) -> Option<String> {
        let slug = self.organization.as_deref().unwrap_or_default().trim().to_lowercase();
        (!slug.is_empty()).then_some(slug)
    }
}

/// The origin of a sign-in.
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
    /// If the credentials or the code are wrong, or were guessed at too often; when a code is needed and none came.
    pub async fn sign_in(
        &self,
        credentials: Credentials,
        code: Option<&str>,
        client: &Client,
    ) -> Result<SessionToken, Error> {
        let account = self.account_by_password(&credentials, client.address).await?;
        let person = &account.person;
        let code = match code.map(str::trim).filter(|code| !code.is_empty() && account.has_second_factor()) {
            Some(code) => Some(self.count_code(&person.id, code, client.address).await?),
            None => None,
        };
        let actor = Actor::with_credential(person, client.address);
        let change = self.begin_change(Chain::of_home(account.tenant.as_ref()), &actor).await?;
        let hash = account.password_hash.as_deref().unwrap_or_default();
        if !store::people::hold(&change, &person.id, hash).await? {
            return Err(Error::WrongCredentials);
        }
        let consumed = self.pass_second_factor(&change, &person.id, code).await?;
        let token = SessionToken::generate();
        let now = change.now();
        let session = NewSession {
            token: &token.sha256(),
            person: &person.id,
            now,
            expires_at: session_end(person.role, now, now),
            ip: client.address,
            network: client_network(client.address),
            user_agent: &client.user_agent[..client.user_agent.floor_char_boundary(MAX_USER_AGENT_BYTES)],
        };
        store::sessions::insert(&change, session).await?;
        let subject = Subject::new(&person.id, &person.name);
        let detail = json!({ "second_factor": consumed.map(ConsumedCode::as_str) });
        change.commit(Event { action: Action::SessionOpened, subject, detail }).await?;
        store::sessions::delete_ended_before(&self.database, now - REMEMBERED).await?;
        Ok(token)
    }

    /// Uses up the code of a person who has a second factor. Their password was right already.
    async fn pass_second_factor(
        &self,
        change: &Change,
        person: &PersonId,
        code: Option<CountedCode<'_>>,
    ) -> Result<Option<ConsumedCode>, Error> {
        let account = store::people::account(change.on(), person).await?.ok_or(Error::WrongCredentials)?;
        if !account.has_second_factor() {
            return Ok(None);
        }
        let code = code.ok_or(Error::CodeNeeded)?;
        self.consume_code(change, &account, &code).await.map(Some)
    }

    /// Finds the person whose e-mail address and password these are.
    pub(crate) async fn account_by_password(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Account, Error> {
        let Ok(email) = Email::parse(&credentials.email) else {
            self.security_events.report_malformed_email(address, self.clock.ticks());
            return Err(Error::WrongCredentials);
        };
        let tenant_slug = credentials.tenant_slug();
        let connection = self.database.connection();
        let accounts = store::people::accounts_by_email(connection, &email, tenant_slug.as_deref()).await?;
        let is_ambiguous = accounts.len() > 1;
        let found = resolve_account(accounts);
        let claimed = found.as_ref().map(|account| &account.person.id);
        let network = client_network(address);
        let is_known_address = store::sessions::was_opened_from(&self.database, claimed, network).await?;
        let attempt = Attempt::to_sign_in(&email, claimed, address, is_known_address);
        // A deactivated person gets the same answer as one who never existed.
        let active = found.as_ref().filter(|account| !account.is_deactivated);
        let hash = active.and_then(|account| account.password_hash.clone());
        if self.verify_password(&attempt, &credentials.password, hash).await? {
            return found.ok_or(Error::WrongCredentials);
        }
        let reason = match &found {
            None if is_ambiguous => FailureReason::AmbiguousEmail,
            None => FailureReason::UnknownEmail,
            Some(account) if account.is_deactivated => FailureReason::Deactivated,
            Some(_) => FailureReason::WrongPassword,
        };
        self.security_events.report_failure(reason, attempt.person.as_ref(), address);
        Err(Error::WrongCredentials)
    }

    /// Ends a session; one that has already ended stays ended.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn sign_out(&self, token: &SessionToken, address: IpAddr) -> Result<(), Error> {
        let Some(signed_in) = self.signed_in(token, address).await? else { return Ok(()) };
        match self.end_session(&signed_in).await {
            Err(Error::SessionEnded) => Ok(()),
            ended => ended,
        }
    }

    async fn end_session(&self, signed_in: &ActiveSession) -> Result<(), Error> {
        if signed_in.entered().is_some() {
            self.leave_tenant(signed_in).await?;
        }
        let change = self.own_change(signed_in).await?;
        store::sessions::end(&change, &signed_in.session).await?;
        let subject = Subject::new(&signed_in.person.id, &signed_in.person.name);
        let event = Event { action: Action::SessionEnded, subject, detail: json!({}) };
        change.commit(event).await
    }

    /// Returns the session of a token, if it is active and used from this address.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn signed_in(&self, token: &SessionToken, address: IpAddr) -> Result<Option<ActiveSession>, Error> {
        let (token, now) = (token.sha256(), self.now());
        let Some(session) = store::sessions::find_session(self.database.connection(), &token, now).await? else {
            return Ok(None);
        };
        if is_due(session.last_seen_at, now) {
            // Reading goes on while the database cannot be written.
            let expires_at = session_end(session.account.person.role, session.opened_at, now);
            let touched = store::sessions::touch(&self.database, &token, now, expires_at).await;
            let _ = touched.inspect_err(|cause| tracing::warn!(%cause, "the use of a session could not be recorded"));
        }
        ActiveSession::load(self.database.connection(), session, &token, address, self.super_user_mfa).await.map(Some)
    }
}

/// Returns the time at which a session ends unless it is used again.
fn session_end(role: Role, opened_at: DateTime<Utc>, last_used_at: DateTime<Utc>) -> DateTime<Utc> {
    let max_age = match role {
        Role::SuperUser => MAX_SUPER_USER_SESSION_AGE,
        Role::TenantAdmin | Role::Member => MAX_SESSION_AGE,
    };
    (last_used_at + SESSION_IDLE).min(opened_at + max_age)
}

/// Returns the account of an e-mail address. A super user comes first: they have no organization to name, and no tenant
/// may lock them out by inviting someone with their address. Otherwise it must be the only active one.
fn resolve_account(mut accounts: Vec<Account>) -> Option<Account> {
    if accounts.len() > 1 {
        match accounts.iter().position(|account| account.person.role == Role::SuperUser) {
            Some(super_user) => return Some(accounts.swap_remove(super_user)),
            None => accounts.retain(|account| account.state() == PersonState::Active),
        }
    }
    let account = accounts.pop();
    account.filter(|_| accounts.is_empty())
}

fn is_due(last_seen_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    now - last_seen_at >= TOUCH_EVERY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_name_may_begin_with_an_organization() {
        for (user_name, organization, email) in [
            ("ana@acme.test", None, "ana@acme.test"),
            ("acme/ana@acme.test", Some("acme"), "ana@acme.test"),
            ("ACME / ana@acme.test", Some("acme"), " ana@acme.test"),
            ("acme/sales/eu@acme.test", Some("acme"), "sales/eu@acme.test"),
            ("Sales.EU/ana@acme.test", None, "Sales.EU/ana@acme.test"),
            ("/ana@acme.test", None, "/ana@acme.test"),
            ("acme/", Some("acme"), ""),
            ("", None, ""),
        ] {
            let credentials = Credentials::from_user_name(user_name, SecretString::from("x"));
            assert_eq!(credentials.tenant_slug().as_deref(), organization, "{user_name}");
            assert_eq!(credentials.email, email, "{user_name}");
        }
    }
}
