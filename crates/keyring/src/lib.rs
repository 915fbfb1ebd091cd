//! The engine: tenants, people and their sessions, properties, groups, keys and the audit log.
//! Every surface of the program calls the use cases of [`Keyring`]; none of them sees the database.

mod access;
mod audit;
mod change;
mod change_limit;
mod cluster_tables;
mod confirmations;
mod encryption;
mod error;
mod evaluator;
mod groups;
mod history;
mod impersonation;
mod keys;
mod legacy;
mod node;
mod password;
mod people;
mod permissions;
mod profile;
mod properties;
mod ready;
mod repeated_failures;
mod second_factor;
mod secret;
mod secret_key_file;
mod security_events;
mod sign_in;
mod step_up;
mod tenants;
mod throttle;
mod totp;
mod usage;

use std::sync::{Arc, atomic::AtomicU64};

use chrono::NaiveDate;
use domain::secret::Product;
use tokio::sync::{Mutex, OnceCell};
use verify::{Evaluator, Lease, usage::Usage};

pub use access::{
    ActiveSession, KeyHolder, ManageKeys, MfaAuthority, PersonalKeyAdmin, STEP_UP_MAX_AGE, SuperUser, SuperUserMfa,
    TenantAdmin, ViewKeys,
};
pub use audit::{AuditVerification, ChainReport};
pub use domain::{
    key_record::Owner,
    usage_record::{CallDetails, MAX_REQUEST_ID_BYTES, Use},
    zone::TimeZone,
};
pub use encryption::{OpenError, SecretKeyRotation};
pub use error::{Changed, Error, Thing};
pub use evaluator::Credential;
pub use groups::{GroupDetail, GroupEdit, NewGroup};
pub use keys::{NewKey, NewSecret, Rotation, key_limit};
pub use legacy::{AccessToken, LegacyCredential};
pub use node::Membership;
pub use people::{Invitation, Invited, Joined, NewInvitation, NewPerson, NewRole, PersonScope};
pub use permissions::NewPermission;
pub use properties::{NewProperty, PropertyDetail, PropertyOverview, Renaming};
pub use ready::NotReady;
pub use second_factor::{RecoveryCodes, SecondFactorOffer};
pub use secret::{SessionToken, generate_password};
pub use secret_key_file::{SecretKeyFile, SecretKeyFileError};
pub use security_events::SecurityEvent;
pub use sign_in::{Client, Credentials, MAX_SESSION_AGE, MAX_SUPER_USER_SESSION_AGE, SESSION_IDLE};
pub use sql::DatabaseUrl;
pub use store::{
    Database, StoreError, generate_secret_key,
    model::{
        AuditEvent, AuditHead, ChainError, ChainErrorKind, GroupOverview, GroupUse, KeyName, KeyNames, SubjectKind,
        TenantGroup, TenantOverview, TenantProperty,
    },
};
pub use tenants::{NewTenant, TenantChange, typed_key_limit};
pub use verify::{
    AccessQuery, AdmittedState, CachedKey, Clock, Decision, KeyTenant, LegacyRefusal, Quota, Reason, Refusal,
    Requirement, TenantRef,
};

/// The use cases of Latchkey on one database. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    database: Arc<Database>,
    /// Held during a rotation, so that there is one at a time.
    secret_key_file: Arc<Mutex<SecretKeyFile>>,
    product: Product,
    clock: Clock,
    passwords: Arc<password::Passwords>,
    security_events: Arc<security_events::SecurityEvents>,
    evaluator: Evaluator,
    confirmations: Arc<confirmations::Confirmations>,
    lease_renewal_restarts: Arc<AtomicU64>,
    usage: Arc<Usage>,
    /// Usage is written in one batch at a time, so that a caller that gets the lock knows that the previous one is
    /// written.
    usage_writer: Arc<Mutex<()>>,
    write_check: Arc<ready::WriteCheck>,
    legacy_sunset: NaiveDate,
    super_user_mfa: SuperUserMfa,
    /// Those of the program's optional parts.
    permissions: &'static [domain::permission_catalog::BuiltInPermission],
    token_key: Arc<OnceCell<verify::access_token::TokenKey>>,
}

/// The default size of the key cache.
pub const MEMORY_BYTES: u64 = 256 * 1024 * 1024;

/// The default last day of legacy authentication.
pub const LEGACY_SUNSET: NaiveDate = match NaiveDate::from_ymd_opt(2027, 6, 30) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

impl Keyring {
    fn new(database: Database, secret_key_file: SecretKeyFile, product: Product, clock: Clock) -> Self {
        // The owner of a file is the only process that can change it.
        let lease = if database.is_shared() { Lease::default() } else { Lease::permanent() };
        let evaluator = Evaluator::new(clock.clone(), lease, MEMORY_BYTES);
        Self {
            database: Arc::new(database),
            secret_key_file: Arc::new(Mutex::new(secret_key_file)),
            product,
            clock,
            passwords: Arc::default(),
            security_events: Arc::default(),
            evaluator,
            confirmations: Arc::default(),
            lease_renewal_restarts: Arc::default(),
            usage: Arc::default(),
            usage_writer: Arc::default(),
            write_check: Arc::default(),
            legacy_sunset: LEGACY_SUNSET,
            super_user_mfa: SuperUserMfa::default(),
            permissions: &[],
            token_key: Arc::default(),
        }
    }

    /// Sets the last day of legacy authentication.
    #[must_use]
    pub fn with_legacy_sunset(self, legacy_sunset: NaiveDate) -> Self {
        Self { legacy_sunset, ..self }
    }

    /// Sets whether super users must have a second factor.
    #[must_use]
    pub fn with_super_user_mfa(self, super_user_mfa: SuperUserMfa) -> Self {
        Self { super_user_mfa, ..self }
    }

    /// Sets the size of the key cache in bytes.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        self.evaluator.cache().resize(bytes);
        self
    }

    /// Returns a keyring with another clock.
    #[must_use]
    pub fn at(&self, clock: Clock) -> Self {
        Self { evaluator: self.evaluator.at(clock.clone()), clock, ..self.clone() }
    }

    /// The database, for crates with tables of their own in it.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Closes the database once everything is written.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.database.close().await
    }

    /// The current time, to the millisecond.
    #[must_use]
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}
