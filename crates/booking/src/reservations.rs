//! Looking at reservations.

use domain::{
    caller::Caller,
    id::{PropertyId, ReservationId, TenantId},
};

use crate::{
    Booking,
    error::{Error, Thing},
    page::{Listed, Page},
    reservation::Reservation,
    store,
};

impl Booking {
    /// Stores reservations that were made elsewhere, all or none. Their units are not checked.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn import_reservations(&self, tenant: &TenantId, reservations: &[Reservation]) -> Result<(), Error> {
        let transaction = self.pool.begin_write().await?;
        for reservation in reservations {
            store::reservations::insert(&transaction, tenant, reservation).await?;
        }
        Ok(transaction.commit().await?)
    }

    /// The reservations of one property or of all within reach, the newest first.
    ///
    /// # Errors
    /// If there can be no such page or the database fails.
    pub async fn reservations(
        &self,
        caller: &Caller,
        property: Option<&PropertyId>,
        page: &Page,
    ) -> Result<Listed<Reservation>, Error> {
        let slice = page.checked()?;
        let properties = match property {
            Some(property) if !caller.reaches(property) => return Ok(Listed::default()),
            Some(property) => std::slice::from_ref(property),
            None => &caller.properties,
        };
        let read = store::reservations::page(&self.pool, &caller.tenant, properties, &slice).await?;
        Ok(slice.listed(read, |reservation| reservation.id.to_string()))
    }

    /// One reservation.
    ///
    /// # Errors
    /// If there is none within the caller's reach.
    pub async fn reservation(&self, caller: &Caller, id: &ReservationId) -> Result<Reservation, Error> {
        let found = store::reservations::find_reservation(&self.pool, &caller.tenant, id).await?;
        found.filter(|reservation| caller.reaches(&reservation.property)).ok_or(Error::NotFound(Thing::Reservation))
    }
}
