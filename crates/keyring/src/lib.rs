//! The engine: tenants, people and their sessions, properties, groups, keys and the audit log, with their storage.
//! Every surface of the program calls the use cases of [`Keyring`]; none of them sees the database.

mod access;
mod audit;
mod clock;
mod demo;
mod encryption;
mod error;
mod evaluator;
mod groups;
mod history;
mod impersonation;
mod key_names;
mod keys;
mod legacy;
mod limiter;
mod memory;
mod node;
mod nodes;
mod password;
mod people;
mod profile;
mod properties;
mod ready;
mod repeated_failures;
mod role_permissions;
mod second_factor;
mod secret;
mod secret_key_file;
mod secret_keys;
mod security_events;
mod sign_in;
mod step_up;
mod store;
mod tenants;
mod throttle;
mod token;
mod totp;
mod unknown_keys;
mod usage;
mod zone;

use std::sync::Arc;

use chrono::NaiveDate;
use domain::secret::Product;
use tokio::sync::{Mutex, OnceCell};

use crate::{memory::Memory, node::DatabaseClock, nodes::Lease};

pub use access::{
    ActiveSession, KeyHolder, ManageKeys, MfaAuthority, PersonalKeyAdmin, SuperUser, SuperUserMfa, TenantAdmin,
    ViewKeys,
};
pub use audit::{AuditEvent, AuditHead, AuditVerification, ChainError, ChainErrorKind, ChainReport, SubjectKind};
pub use clock::Clock;
pub use demo::DemoSignIn;
pub use encryption::{OpenError, SecretKeyRotation};
pub use error::{Changed, Error, Thing};
pub use evaluator::{
    AccessQuery, AdmittedState, CachedKey, Credential, Decision, KeyDecision, KeyTenant, Owner, Reason, Refusal,
    Requirement, TenantRef,
};
pub use groups::{GroupDetail, GroupEdit, GroupOverview, GroupUse, NewGroup, TenantGroup};
pub use key_names::{KeyName, KeyNames};
pub use keys::{NewKey, NewSecret, Rotation, key_limit};
pub use legacy::{AccessToken, LegacyCredential, LegacyRefusal};
pub use limiter::Quota;
pub use node::Membership;
pub use people::{Invitation, Invited, Joined, NewInvitation, NewPerson, NewRole, PersonScope};
pub use properties::{NewProperty, PropertyDetail, PropertyOverview, Renaming, TenantProperty};
pub use ready::NotReady;
pub use second_factor::{RecoveryCodes, SecondFactorOffer};
pub use secret::SessionToken;
pub use secret_key_file::{SecretKeyFile, SecretKeyFileError};
pub use secret_keys::generate_secret_key;
pub use security_events::SecurityEvent;
pub use sign_in::{Client, Credentials, MAX_SESSION_AGE, MAX_SUPER_USER_SESSION_AGE, SESSION_IDLE};
pub use step_up::STEP_UP_MAX_AGE;
pub use store::{Database, StoreError};
pub use tenants::{NewTenant, TenantChange, TenantOverview, typed_key_limit};
pub use usage::{CallDetails, MAX_REQUEST_ID_BYTES, Use};
pub use zone::TimeZone;

/// Everything Latchkey can do, over one database. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    database: Arc<Database>,
    /// Held during a rotation, so that there is one at a time.
    secret_key_file: Arc<Mutex<SecretKeyFile>>,
    product: Product,
    clock: Clock,
    passwords: Arc<password::Passwords>,
    security_events: Arc<security_events::SecurityEvents>,
    unknown_keys: Arc<unknown_keys::UnknownKeyLimit>,
    memory: Arc<Memory>,
    lease: Arc<Lease>,
    database_clock: Arc<DatabaseClock>,
    usage: Arc<usage::Usage>,
    write_check: Arc<ready::WriteCheck>,
    legacy_sunset: NaiveDate,
    super_user_mfa: SuperUserMfa,
    token_key: Arc<OnceCell<token::Key>>,
}

/// How much memory is used for keys, unless the operator says otherwise.
pub const MEMORY_BYTES: u64 = 256 * 1024 * 1024;

/// The last day of Basic and JWT, unless the operator names another.
pub const LEGACY_SUNSET: NaiveDate = match NaiveDate::from_ymd_opt(2027, 6, 30) {
    Some(date) => date,
    None => NaiveDate::MAX,
};

impl Keyring {
    fn new(mut database: Database, secret_key_file: SecretKeyFile, product: Product, clock: Clock) -> Self {
        let memory = Arc::new(Memory::new(MEMORY_BYTES));
        database.tell(&memory);
        // The owner of a file is the only one who can change it.
        let lease = if database.shared_url().is_some() { Lease::default() } else { Lease::for_good() };
        Self {
            database: Arc::new(database),
            secret_key_file: Arc::new(Mutex::new(secret_key_file)),
            product,
            clock,
            passwords: Arc::default(),
            security_events: Arc::default(),
            unknown_keys: Arc::default(),
            memory,
            lease: Arc::new(lease),
            database_clock: Arc::default(),
            usage: Arc::default(),
            write_check: Arc::default(),
            legacy_sunset: LEGACY_SUNSET,
            super_user_mfa: SuperUserMfa::default(),
            token_key: Arc::default(),
        }
    }

    /// The same keyring, with another last day of Basic and JWT.
    #[must_use]
    pub fn with_legacy_sunset(self, legacy_sunset: NaiveDate) -> Self {
        Self { legacy_sunset, ..self }
    }

    /// The same keyring, which may do without the second factor of super users.
    #[must_use]
    pub fn with_super_user_mfa(self, super_user_mfa: SuperUserMfa) -> Self {
        Self { super_user_mfa, ..self }
    }

    /// The same keyring, with another amount of memory for keys, in bytes.
    #[must_use]
    pub fn with_memory(self, bytes: u64) -> Self {
        self.memory.resize(bytes);
        self
    }

    /// The same keyring, at another time.
    fn at(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    /// Where it is all kept, for those who keep their own there as well.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Lets go of the database once everything is written.
    ///
    /// # Errors
    /// If the database does not answer any more.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.database.close().await
    }

    /// The instant that everything done now is stamped with.
    #[must_use]
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}
