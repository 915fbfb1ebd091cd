//! The second factor: codes from an app, recovery codes for when it is lost, and who can do without.

use std::net::IpAddr;

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    id::PersonId,
    tenant::Tenant,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    Keyring,
    access::{SignedIn, TenantAdmin},
    error::{Error, Thing},
    people,
    secret::{Sha256Hex, typed_by_hand},
    security_events::FailureReason,
    store::{self, Change, Event, Subject, people::Account},
    tenants,
    throttle::{self, Attempt, Proof},
    totp::TotpSecret,
};

const RECOVERY_CODES: usize = 10;

/// Four letters and digits each: about 80 bits, too many to guess at from a hash.
const RECOVERY_CODE_GROUPS: usize = 4;

/// A second factor that somebody could set up: what their app needs.
pub struct SecondFactorOffer {
    pub secret: SecretString,
    /// The same for a QR code.
    pub uri: SecretString,
}

/// Codes that stand in for the second factor, this once in the clear.
pub type RecoveryCodes = Vec<SecretString>;

/// What stood in for a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spent {
    AppCode,
    RecoveryCode,
}

impl Spent {
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

/// Uses up a code of the person's, within a change. Nothing is used up when the change is dropped.
async fn spend(change: &Change, account: &Account, code: &str) -> Result<Option<Spent>, Error> {
    let Some(secret) = store::people::totp_secret(change, account)? else { return Ok(None) };
    let code = as_compared(code);
    if let Some(step) = secret.step_of(&code, change.now()) {
        let is_fresh = store::people::spend_totp_step(change, &account.person.id, step).await?;
        return Ok(is_fresh.then_some(Spent::AppCode));
    }
    let is_fresh = store::recovery_codes::spend(change, &account.person.id, &Sha256Hex::of(&code)).await?;
    Ok(is_fresh.then_some(Spent::RecoveryCode))
}

/// People type codes in groups, with spaces or hyphens between, and in capitals.
fn as_compared(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}

fn wrong_code() -> Error {
    let detail = "This code is wrong, too old or was used before. Wait until your app shows the next one.";
    FieldErrors::from(FieldError::new(Field::Code, "wrong", detail)).into()
}

impl Keyring {
    /// What a person needs to set up a second factor. Nothing is kept of it until they confirm it.
    #[must_use]
    pub fn offer_second_factor(&self, signed_in: &SignedIn) -> SecondFactorOffer {
        let secret = TotpSecret::generate();
        let uri = secret.uri(signed_in.person.email.as_str());
        SecondFactorOffer { uri, secret: secret.expose().to_owned().into() }
    }

    /// Turns the second factor on, once a code shows that the person's app has the secret.
    ///
    /// # Errors
    /// When the code is wrong, or the person has a second factor already.
    pub async fn turn_on_second_factor(
        &self,
        signed_in: &SignedIn,
        secret: &SecretString,
        code: &str,
    ) -> Result<RecoveryCodes, Error> {
        let change = self.own_change(signed_in).await?;
        if find(&change, signed_in).await?.has_second_factor() {
            return Err(Error::Refused("Your second factor is on already. Reload the page.".to_owned()));
        }
        let secret = TotpSecret::parse(secret.expose_secret());
        let secret = secret.ok_or_else(|| Error::Refused("Reload the page and scan the code again.".to_owned()))?;
        let step = secret.step_of(&as_compared(code), change.now()).ok_or_else(wrong_code)?;
        let person = &signed_in.person.id;
        store::people::set_totp(&change, person, Some(&secret), Some(step)).await?;
        let codes = renew(&change, person).await?;
        commit(change, signed_in, Action::SecondFactorOn).await?;
        Ok(codes)
    }

    /// Turns the second factor off.
    ///
    /// # Errors
    /// When the code is wrong, or the tenant asks for a second factor.
    pub async fn turn_off_second_factor(&self, signed_in: &SignedIn, code: &str) -> Result<(), Error> {
        // Asked again within the change. Here it saves the code from being counted as a wrong one.
        if let Some(tenant) = &signed_in.tenant
            && is_required(self.database.connection(), tenant).await?
        {
            return Err(is_required_by(tenant));
        }
        let code = self.count_own_code(signed_in, code).await?;
        let change = self.own_change(signed_in).await?;
        if let Some(tenant) = &signed_in.tenant
            && is_required(change.on(), tenant).await?
        {
            return Err(is_required_by(tenant));
        }
        self.spend_own(&change, signed_in, code).await?;
        remove(&change, &signed_in.person.id).await?;
        commit(change, signed_in, Action::SecondFactorOff).await
    }

    /// Gives a person new recovery codes; the old ones end.
    ///
    /// # Errors
    /// When the code is wrong.
    pub async fn renew_recovery_codes(&self, signed_in: &SignedIn, code: &str) -> Result<RecoveryCodes, Error> {
        let code = self.count_own_code(signed_in, code).await?;
        let change = self.own_change(signed_in).await?;
        self.spend_own(&change, signed_in, code).await?;
        let codes = renew(&change, &signed_in.person.id).await?;
        commit(change, signed_in, Action::RecoveryCodesRenewed).await?;
        Ok(codes)
    }

    /// How many recovery codes a person has left.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn recovery_codes_left(&self, signed_in: &SignedIn) -> Result<u64, Error> {
        Ok(store::recovery_codes::count(self.database.connection(), &signed_in.person.id).await?)
    }

    /// Takes the second factor from somebody who lost it.
    ///
    /// # Errors
    /// When the tenant has nobody with this id, or it is the admin themselves.
    pub async fn reset_second_factor(&self, admin: &TenantAdmin, id: &PersonId) -> Result<(), Error> {
        people::check_not_oneself(admin, id, "Turn your own second factor off under Security, with one of its codes.")?;
        let change = self.change(admin).await?;
        let found = people::find(&change, admin, id).await?;
        if !found.has_second_factor {
            return Ok(());
        }
        remove(&change, id).await?;
        let subject = Subject::new(id, &found.person.name);
        let event = Event { action: Action::SecondFactorReset, subject, detail: json!({}) };
        change.commit(event).await
    }

    /// Asks everybody in the tenant for a second factor, or leaves it to them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn require_second_factor(&self, admin: &TenantAdmin, is_required: bool) -> Result<(), Error> {
        let change = self.change(admin).await?;
        let before = tenants::find(&change, admin.id()).await?;
        let after = Tenant { requires_second_factor: is_required, ..before.clone() };
        tenants::save(change, &before, &after).await
    }

    /// Counts a code as wrong before it is checked, so that concurrent guesses count as well.
    ///
    /// # Errors
    /// When there were too many wrong codes.
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
    pub(crate) async fn spend_code(
        &self,
        change: &Change,
        account: &Account,
        counted: &CountedCode<'_>,
    ) -> Result<Spent, Error> {
        let CountedCode { code, attempt } = counted;
        let Some(spent) = spend(change, account, code).await? else {
            self.security_events.report_failure(FailureReason::WrongCode, attempt.person.as_ref(), attempt.address);
            return Err(wrong_code());
        };
        throttle::forgive(change, attempt).await?;
        Ok(spent)
    }

    /// Counts a code of a person who has a second factor. Without one there is nothing to guess.
    async fn count_own_code<'a>(&self, signed_in: &SignedIn, code: &'a str) -> Result<Option<CountedCode<'a>>, Error> {
        let account = store::people::account(self.database.connection(), &signed_in.person.id).await?;
        if !account.is_some_and(|account| account.has_second_factor()) {
            return Ok(None);
        }
        self.count_code(&signed_in.person.id, code, signed_in.address).await.map(Some)
    }

    async fn spend_own(
        &self,
        change: &Change,
        signed_in: &SignedIn,
        code: Option<CountedCode<'_>>,
    ) -> Result<(), Error> {
        let account = find(change, signed_in).await?;
        let code = code.filter(|_| account.has_second_factor()).ok_or_else(is_off_already)?;
        self.spend_code(change, &account, &code).await.map(drop)
    }
}

fn is_required_by(tenant: &Tenant) -> Error {
    Error::Refused(format!("{} asks everybody for a second factor, so yours stays on.", tenant.name))
}

fn is_off_already() -> Error {
    Error::Refused("Your second factor is off already. Reload the page.".to_owned())
}

async fn find(change: &Change, signed_in: &SignedIn) -> Result<Account, Error> {
    let found = store::people::account(change.on(), &signed_in.person.id).await?;
    found.ok_or(Error::NotFound(Thing::Person))
}

async fn is_required(connection: &impl store::Connection, tenant: &Tenant) -> Result<bool, Error> {
    let tenant = store::tenants::find_on(connection, &tenant.id).await?;
    Ok(tenant.is_some_and(|tenant| tenant.requires_second_factor))
}

async fn renew(change: &Change, person: &PersonId) -> Result<RecoveryCodes, Error> {
    let codes: RecoveryCodes = (0..RECOVERY_CODES).map(|_| typed_by_hand(RECOVERY_CODE_GROUPS)).collect();
    let hashes: Vec<Sha256Hex> = codes.iter().map(|code| Sha256Hex::of(&as_compared(code.expose_secret()))).collect();
    store::recovery_codes::replace(change, person, &hashes).await?;
    Ok(codes)
}

async fn remove(change: &Change, person: &PersonId) -> Result<(), Error> {
    store::people::set_totp(change, person, None, None).await?;
    Ok(store::recovery_codes::replace(change, person, &[]).await?)
}

async fn commit(change: Change, signed_in: &SignedIn, action: Action) -> Result<(), Error> {
    let subject = Subject::new(&signed_in.person.id, &signed_in.person.name);
    change.commit(Event { action, subject, detail: json!({}) }).await
}
