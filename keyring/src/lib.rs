//! The engine: tenants, people and their sessions, properties, groups, keys and the audit log, with their
//! storage. Every face of the program calls the use cases of [`Keyring`]; none of them knows the database.

mod access;
mod clock;

mod demo;
mod error;
mod groups;
mod history;
mod keys;
mod password;
mod people;
mod properties;
mod secret;
mod sign_in;
mod store;
mod tenants;
mod throttle;
mod zone;

use std::sync::Arc;

use domain::secret::Product;

pub use access::{Actor, SignedIn, TenantAdmin};
pub use clock::Clock;
pub use demo::DemoSignIn;
pub use error::{Changed, Error, Thing};
pub use groups::NewGroup;
pub use keys::{NewKey, NewSecret, Rotation};
pub use people::NewPerson;
pub use properties::NewProperty;
pub use secret::SessionToken;
pub use sign_in::{Client, Credentials};
pub use store::{Database, StoreError};
pub use tenants::{NewTenant, TenantChange};
pub use zone::TimeZone;

/// Everything Latchkey can do, over one database. Cheap to clone.
#[derive(Clone)]
pub struct Keyring {
    database: Arc<Database>,
    product: Product,
    clock: Clock,
    passwords: Arc<password::Passwords>,
    throttle: Arc<throttle::Throttle>,
}

impl Keyring {
    /// The database has to be migrated already.
    #[must_use]
    pub fn new(database: Database, product: Product, clock: Clock) -> Self {
        Self { database: Arc::new(database), product, clock, passwords: Arc::default(), throttle: Arc::default() }
    }

    /// The same keyring, at another time.
    fn at(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    /// Lets go of the database once everything is written.
    ///
    /// # Errors
    /// When the database does not answer any more.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.database.close().await
    }

    /// The instant that everything done now is stamped with.
    #[must_use]
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.clock.now()
    }
}
