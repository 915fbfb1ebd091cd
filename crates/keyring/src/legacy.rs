//! Basic and JWT: the old ways into the API, by a person's password, until the sunset.
//!
//! Their use is counted, so that admins see who still has to move to a key.

use std::{net::IpAddr, time::Duration};

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use domain::{
    caller::{Caller, Identity},
    permission::Grants,
    scope::Scopes,
    usage::LegacyMethod,
};
use secrecy::SecretString;
use store::people::Account;
use verify::{
    LegacyRefusal,
    access_token::{self, Claims, TOKEN_LIFETIME, TokenKey},
};

use crate::{Keyring, error::Error, sign_in::Credentials};

/// A credential of a person's.
pub enum LegacyCredential {
    Basic(Credentials),
    Token(SecretString),
}

impl LegacyCredential {
    /// The refusal of unknown credentials.
    pub(crate) fn unknown(&self) -> LegacyRefusal {
        match self {
            Self::Basic(_) => LegacyRefusal::WrongCredentials,
            Self::Token(_) => LegacyRefusal::InvalidToken,
        }
    }
}

/// A new access token, this once.
pub struct AccessToken {
    pub token: SecretString,
    pub lifetime: Duration,
}

/// A person admitted by legacy authentication, or the reason why not.
type Admission<T> = Result<T, LegacyRefusal>;

impl Keyring {
    /// The last day of Basic and JWT.
    #[must_use]
    pub fn legacy_sunset(&self) -> NaiveDate {
        self.legacy_sunset
    }

    /// Refused from the first instant of the day after.
    fn check_sunset(&self, now: DateTime<Utc>) -> Admission<()> {
        let sunset = self.legacy_sunset;
        let day_after = sunset.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
        let is_over = now >= day_after.and_time(NaiveTime::MIN).and_utc();
        if is_over { Err(LegacyRefusal::Retired { sunset }) } else { Ok(()) }
    }

    /// Hands out an access token for an e-mail address and a password.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn issue_token(
        &self,
        credentials: Credentials,
        address: IpAddr,
    ) -> Result<Admission<AccessToken>, Error> {
        let account = match self.account_of(credentials, address).await? {
            Ok(account) => account,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let token = access_token::sign(
            &Claims::new(&account.person.id, account.token_epoch, self.now()),
            self.token_key().await?,
        );
        self.security_events.report_token_issued(&account.person.id, address);
        Ok(Ok(AccessToken { token, lifetime: TOKEN_LIFETIME }))
    }

    /// Returns the caller that a person's credential stands for, with the person's own permissions.
    pub(crate) async fn legacy_caller(
        &self,
        credential: &LegacyCredential,
        address: IpAddr,
    ) -> Result<Admission<Caller>, Error> {
        let (found, method) = match credential {
            LegacyCredential::Basic(credentials) => {
                (self.account_of(credentials.clone(), address).await?, LegacyMethod::Basic)
            }
            LegacyCredential::Token(token) => (self.account_of_token(token).await?, LegacyMethod::Jwt),
        };
        let caller = match found {
            Ok(account) => self.caller(account).await?,
            Err(refusal) => Err(refusal),
        };
        if let Ok(Caller { identity: Identity::Person(person), .. }) = &caller {
            self.usage.count_legacy(person, method, self.now());
        }
        Ok(caller)
    }

    async fn account_of(&self, credentials: Credentials, address: IpAddr) -> Result<Admission<Account>, Error> {
        if let Err(retired) = self.check_sunset(self.now()) {
            return Ok(Err(retired));
        }
        match self.account_by_password(&credentials, address).await {
            Ok(account) => self.admit(account).await,
            Err(Error::WrongCredentials) => Ok(Err(LegacyRefusal::WrongCredentials)),
            Err(Error::TooManyAttempts { retry_after }) => Ok(Err(LegacyRefusal::TooManyAttempts { retry_after })),
            Err(other) => Err(other),
        }
    }

    async fn account_of_token(&self, token: &SecretString) -> Result<Admission<Account>, Error> {
        let now = self.now();
        if let Err(retired) = self.check_sunset(now) {
            return Ok(Err(retired));
        }
        let Some(claims) = access_token::verify(token, self.token_key().await?, now) else {
            return Ok(Err(LegacyRefusal::InvalidToken));
        };
        let account = store::people::account(self.database.connection(), claims.person()).await?;
        let account = account.filter(|account| claims.are_of(&account.person.id, account.token_epoch));
        match account {
            Some(account) => self.admit(account).await,
            None => Ok(Err(LegacyRefusal::InvalidToken)),
        }
    }

    /// Reported only after the person has proven their identity.
    async fn admit(&self, account: Account) -> Result<Admission<Account>, Error> {
        if account.is_deactivated {
            return Ok(Err(LegacyRefusal::Deactivated));
        }
        let tenant = match &account.tenant {
            Some(id) => store::tenants::find_tenant(&self.database, id).await?,
            None => None,
        };
        if tenant.as_ref().is_some_and(|tenant| !tenant.api_keys) {
            return Ok(Err(LegacyRefusal::NoSubscription));
        }
        let is_required = tenant.is_some_and(|tenant| tenant.requires_second_factor);
        let needs_more = account.has_second_factor() || is_required;
        Ok(if needs_more { Err(LegacyRefusal::TwoFactorRequired) } else { Ok(account) })
    }

    /// A person with the powers that they have at this moment.
    async fn caller(&self, account: Account) -> Result<Admission<Caller>, Error> {
        let (Some(tenant), person) = (account.tenant, account.person.id) else {
            return Ok(Err(LegacyRefusal::NoTenant));
        };
        let permissions = store::people::permissions(self.database.connection(), &tenant, &person).await?;
        let grants = Grants { permissions: permissions.into(), scopes: Scopes::Both };
        let properties = store::properties::ids(&self.database, &tenant).await?.into();
        Ok(Ok(Caller { tenant, identity: Identity::Person(person), grants, properties }))
    }

    /// Returns the key that signs access tokens.
    async fn token_key(&self) -> Result<&TokenKey, Error> {
        let read = || async {
            let keys = self.database.secret_keys()?;
            store::installation::token_key(self.database.connection(), &keys).await
        };
        Ok(self.token_key.get_or_try_init(read).await?)
    }
}
