//! The protected API's own data: what properties offer, what is free, and who has reserved it.
//!
//! It sees a [`Caller`](domain::caller::Caller) and never a key. The caller has already been admitted; this crate makes
//! sure that it can neither see nor change anything of another tenant, or of a property outside its scope. Both look
//! like something that does not exist.

mod answers;
mod availability;
mod error;
mod field;
mod id;
mod idempotency;
mod manage_offers;
mod money;
mod occupancy;
mod offers;
mod page;
mod reservation;
mod reservations;
mod reserve;
mod store;

use domain::permission_catalog::BuiltInPermission;
use sql::Pool;

pub use answers::Idempotency;
pub use availability::DayAvailability;
pub use error::{Error, Thing};
pub use field::FieldError;
pub use id::new_id;
pub use manage_offers::{NewPackage, NewService, PackageEdit, ServiceEdit};
pub use money::Money;
pub use occupancy::{FullNight, Stay, find_full_night};
pub use offers::{Package, Service};
pub use page::{Listed, Page};
pub use reservation::{Guest, NewReservation, Offer, Reservation, Status};
pub use reserve::Reserved;

/// The permissions that the booking API checks.
pub const PERMISSIONS: &[BuiltInPermission] = &[
    ("services", "read", "look up what is offered"),
    ("packages", "read", "look up what is offered"),
    ("availability", "read", "look up what is free"),
    ("reservations", "read", "look them up"),
    ("reservations", "write", "make them"),
];

/// The use cases of the booking API over one database. Cheap to clone.
#[derive(Clone)]
pub struct Booking {
    pool: Pool,
    running: idempotency::RunningCalls,
}

impl Booking {
    /// The database has to be migrated already, and the pool the one that everything else uses.
    #[must_use]
    pub fn new(pool: Pool) -> Self {
        Self { pool, running: idempotency::RunningCalls::default() }
    }
}
