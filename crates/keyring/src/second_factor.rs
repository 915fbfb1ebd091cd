//! The second factor: codes from an app, recovery codes for when it is lost, and who can do without.

use std::net::IpAddr;

use domain::{
    audit::Action,
    digest::Sha256Hex,
    field::{Field, FieldError, FieldErrors},
    id::PersonId,
    tenant::Tenant,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{Event, SqlError, StoreError, Subject, people::Account};
use verify::rate_limit::sign_in::{Attempt, Proof};

use crate::{
    Keyring,
    access::{ActiveSession, MfaAuthority, TenantAdmin},
    change::Change,
    error::{Error, Thing},
    people,
    secret::random_code,
    security_events::FailureReason,
    tenants, throttle,
    totp::TotpSecret,
};

const RECOVERY_CODES: usize = 10;

/// Four letters and digits each: about 80 bits, too many to guess at from a hash.
const RECOVERY_CODE_GROUPS: usize = 4;

/// A second factor that a person can set up: what their app needs.
pub struct SecondFactorOffer {
    pub secret: SecretString,
    /// The same for a QR code.
    pub uri: SecretString,
}

/// Recovery codes, in plain text this one time.
pub type RecoveryCodes = Vec<SecretString>;

/// The kind of code that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsumedCode {
    AppCode,
    RecoveryCode,
}

impl ConsumedCode {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AppCode => "app",
            Self::RecoveryCode => "recovery_code",
        }
    }
}

/// A code that has been counted as a failed attempt. It is forgiven when it turns out to be right.
pub(crate) struct CountedCode<'a> {
    code: &'a str,
    attempt: Attempt,
}

/// Loads the secret of a person's second factor.
fn totp_secret(change: &Change, account: &Account) -> Result<Option<TotpSecret>, StoreError> {
    let Some(secret) = store::people::totp_secret(change, account)? else { return Ok(None) };
    let damaged = || SqlError::Unreadable { what: "a second factor of", value: account.person.id.to_string() };
    Ok(Some(TotpSecret::parse(secret).ok_or_else(damaged)?))
}

/// Uses up a code of the person's, within a change. Nothing is used up when the change is dropped.
async fn consume(change: &Change, account: &Account, code: &str) -> Result<Option<ConsumedCode>, Error> {
    let Some(secret) = totp_secret(change, account)? else { return Ok(None) };
    let code = as_compared(code);
    if let Some(step) = secret.step_of(&code, change.now()) {
        let is_fresh = store::people::consume_totp_step(change, &account.person.id, step).await?;
        return Ok(is_fresh.then_some(ConsumedCode::AppCode));
    }
    let is_fresh = store::recovery_codes::consume(change, &account.person.id, &Sha256Hex::of(&code)).await?;
    Ok(is_fresh.then_some(ConsumedCode::RecoveryCode))
}

/// People type codes in groups, with spaces or hyphens between, and in capitals.
fn as_compared(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn wrong_code() -> Error {
    let detail = "This code is wrong, expired or already used. Wait until your app shows the next one.";
    FieldErrors::from(FieldError::new(Field::Code, "wrong", detail)).into()
}

impl Keyring {
    /// Returns what a person needs to set up a second factor. A session is offered the same until it is set up.
    ///
    /// # Errors
    /// If the person has to confirm their identity first.
    pub async fn offer_second_factor(&self, signed_in: &ActiveSession) -> Result<SecondFactorOffer, Error> {
        signed_in.check_step_up(self.now())?;
        let session = &signed_in.session;
        store::sessions::offer_totp_secret(&self.database, session, TotpSecret::generate().as_secret()).await?;
        let keys = self.database.secret_keys()?;
        let secret = store::sessions::offered_totp_secret(self.database.connection(), &keys, session).await?;
        let secret = secret.and_then(TotpSecret::parse).ok_or(Error::SessionEnded)?;
        let uri = secret.uri(signed_in.person.email.as_str());
        Ok(SecondFactorOffer { uri, secret: secret.expose().to_owned().into() })
    }

    /// Turns the second factor on, once a code shows that the person's app has the secret that their session was offered.
    /// Their other sessions end.
    ///
    /// # Errors
    /// If the person has to confirm their identity first, the code is wrong, or they have a second factor already.
    pub async fn turn_on_second_factor(&self, signed_in: &ActiveSession, code: &str) -> Result<RecoveryCodes, Error> {
        let change = self.own_confirmed_change(signed_in).await?;
        let (person, session) = (&signed_in.person, &signed_in.session);
        if load_person(&change, signed_in).await?.has_second_factor() {
            return Err(Error::Refused("Your second factor is already on. Reload the page.".to_owned()));
        }
        let offered = store::sessions::offered_totp_secret(change.on(), change.secret_keys(), session).await?;
        let secret = offered
            .and_then(TotpSecret::parse)
            .ok_or_else(|| Error::Refused("Reload the page and scan the code again.".to_owned()))?;
        let step = secret.step_of(&as_compared(code), change.now()).ok_or_else(wrong_code)?;
        store::people::set_totp(&change, &person.id, Some(secret.as_secret()), Some(step)).await?;
        store::sessions::withdraw_totp_offers(&change, Some(session)).await?;
        let codes = renew(&change, &person.id).await?;
        let ended = store::sessions::end_of_person(&change, &person.id, Some(session)).await?;
        let (subject, detail) = (Subject::new(&person.id, &person.name), json!({ "sessions_ended": ended }));
        change.commit(Event { action: Action::SecondFactorOn, subject, detail }).await?;
        Ok(codes)
    }

    /// Turns the second factor off.
    ///
    /// # Errors
    /// If the person has to confirm their identity first, or the second factor is required of them.
    pub async fn turn_off_second_factor(&self, signed_in: &ActiveSession) -> Result<(), Error> {
        let change = self.own_confirmed_change(signed_in).await?;
        match signed_in.second_factor_required_by() {
            Some(MfaAuthority::Installation) => return Err(is_required_of_super_users()),
            _ => check_tenant_allows_turning_off(&change, signed_in).await?,
        }
        check_is_on(&change, signed_in).await?;
        remove(&change, &signed_in.person.id).await?;
        commit(change, signed_in, Action::SecondFactorOff).await
    }

    /// Gives a person new recovery codes; the old ones end.
    ///
    /// # Errors
    /// If the person has to confirm their identity first, or has no second factor.
    pub async fn renew_recovery_codes(&self, signed_in: &ActiveSession) -> Result<RecoveryCodes, Error> {
        let change = self.own_confirmed_change(signed_in).await?;
        check_is_on(&change, signed_in).await?;
        let codes = renew(&change, &signed_in.person.id).await?;
        commit(change, signed_in, Action::RecoveryCodesRenewed).await?;
        Ok(codes)
    }

    /// Returns the number of unused recovery codes of a person.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn recovery_codes_left(&self, signed_in: &ActiveSession) -> Result<u64, Error> {
        Ok(store::recovery_codes::count(self.database.connection(), &signed_in.person.id).await?)
    }

    /// Removes the second factor of a person who lost it.
    ///
    /// # Errors
    /// If the admin has to confirm their identity first, the tenant has no person with this id, or it is the admin
    /// themselves.
    pub async fn reset_second_factor(&self, admin: &TenantAdmin, id: &PersonId) -> Result<(), Error> {
        people::check_not_oneself(admin, id, "Turn your own second factor off under Security.")?;
        let change = self.confirmed_change(admin).await?;
        let found = people::load_person(&change, admin, id).await?;
        if !found.has_second_factor {
            return Ok(());
        }
        remove(&change, id).await?;
        let subject = Subject::new(id, &found.person.name);
        let event = Event { action: Action::SecondFactorReset, subject, detail: json!({}) };
        change.commit(event).await
    }

    /// Requires a second factor of everyone in the tenant, or makes it optional.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn require_second_factor(&self, admin: &TenantAdmin, is_required: bool) -> Result<(), Error> {
        let change = self.change(admin).await?;
        let before = tenants::load_tenant(&change, admin.id()).await?;
        let after = Tenant { requires_second_factor: is_required, ..before.clone() };
        tenants::save(change, &before, &after).await
    }

    /// Counts a code as wrong before it is checked, so that concurrent guesses count as well.
    ///
    /// # Errors
    /// If there were too many wrong codes.
    pub(crate) async fn count_code<'a>(
        &self,
        person: &PersonId,
        code: &'a str,
        address: IpAddr,
    ) -> Result<CountedCode<'a>, Error> {
        let attempt = Attempt::at(Proof::Code, person, address);
        self.count_in_advance(&attempt).await?;
        Ok(CountedCode { code, attempt })
    }

    /// Uses up a code of a person who has a second factor, within a change.
    pub(crate) async fn consume_code(
        &self,
        change: &Change,
        account: &Account,
        counted: &CountedCode<'_>,
    ) -> Result<ConsumedCode, Error> {
        let CountedCode { code, attempt } = counted;
        let Some(consumed) = consume(change, account, code).await? else {
            self.security_events.report_failure(FailureReason::WrongCode, attempt.person.as_ref(), attempt.address);
            return Err(wrong_code());
        };
        throttle::forgive(change, attempt).await?;
        Ok(consumed)
    }
}

fn is_required_of_super_users() -> Error {
    Error::Refused("This installation requires super users to have a second factor, so yours stays on.".to_owned())
}

async fn check_tenant_allows_turning_off(change: &Change, signed_in: &ActiveSession) -> Result<(), Error> {
    match &signed_in.tenant {
        Some(tenant) if is_required(change.on(), tenant).await? => Err(is_required_by(tenant)),
        _ => Ok(()),
    }
}

async fn check_is_on(change: &Change, signed_in: &ActiveSession) -> Result<(), Error> {
    if load_person(change, signed_in).await?.has_second_factor() { Ok(()) } else { Err(is_off_already()) }
}

fn is_required_by(tenant: &Tenant) -> Error {
    Error::Refused(format!("{} requires a second factor, so you cannot turn yours off.", tenant.name))
}

fn is_off_already() -> Error {
    Error::Refused("Your second factor is already off. Reload the page.".to_owned())
}

async fn load_person(change: &Change, signed_in: &ActiveSession) -> Result<Account, Error> {
    let found = store::people::account(change.on(), &signed_in.person.id).await?;
    found.ok_or(Error::NotFound(Thing::Person))
}

async fn is_required(connection: &impl store::Connection, tenant: &Tenant) -> Result<bool, Error> {
    let tenant = store::tenants::find_on(connection, &tenant.id).await?;
    Ok(tenant.is_some_and(|tenant| tenant.requires_second_factor))
}

async fn renew(change: &Change, person: &PersonId) -> Result<RecoveryCodes, Error> {
    let codes: RecoveryCodes = (0..RECOVERY_CODES).map(|_| random_code(RECOVERY_CODE_GROUPS)).collect();
    let hashes: Vec<Sha256Hex> = codes.iter().map(|code| Sha256Hex::of(&as_compared(code.expose_secret()))).collect();
    store::recovery_codes::replace(change, person, &hashes).await?;
    Ok(codes)
}

async fn remove(change: &Change, person: &PersonId) -> Result<(), Error> {
    store::people::set_totp(change, person, None, None).await?;
    Ok(store::recovery_codes::replace(change, person, &[]).await?)
}

async fn commit(change: Change, signed_in: &ActiveSession, action: Action) -> Result<(), Error> {
    let subject = Subject::new(&signed_in.person.id, &signed_in.person.name);
    change.commit(Event { action, subject, detail: json!({}) }).await
}
