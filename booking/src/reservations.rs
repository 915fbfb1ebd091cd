//! Looking at reservations.

use domain::{
    caller::Caller,
    id::{PropertyId, ReservationId},
};

use crate::{
    Booking,
    error::{Error, Thing},
    page::{Listed, Page},
    reservation::Reservation,
    store,
};

impl Booking {
    /// The reservations of one property or of all within reach, the newest first.
    ///
    /// # Errors
    /// When there can be no such page or the database fails.
    pub async fn reservations(
        &self,
        caller: &Caller,
        property: Option<&PropertyId>,
        page: &Page,
    ) -> Result<Listed<Reservation>, Error> {
        let slice = page.checked()?;
        let read = store::reservations::page(&self.pool, &caller.tenant, &caller.reach, property, &slice).await?;
        Ok(slice.listed(read, |reservation| reservation.id.to_string()))
    }

    /// One reservation.
    ///
    /// # Errors
    /// When there is none within the caller's reach.
    pub async fn reservation(&self, caller: &Caller, id: &ReservationId) -> Result<Reservation, Error> {
        let found = store::reservations::find(&self.pool, &caller.tenant, &caller.reach, id).await?;
        found.ok_or(Error::NotFound(Thing::Reservation))
    }
}
