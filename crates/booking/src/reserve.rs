//! Making a reservation.

use chrono::{DateTime, SubsecRound, Utc};
use domain::{caller::Caller, digest::Sha256Hex};

use crate::{
    Booking,
    answers::{Answer, Call, Idempotency, StoredAnswer},
    error::{Error, Thing},
    field::FieldError,
    id::new_id,
    money::Money,
    occupancy::{FullNight, find_full_night},
    offers::{Package, Service},
    reservation::{NewReservation, Offer, Reservation, Status, Visit},
    store::{self, WriteTransaction},
};

/// A reservation, and whether it had been made by an earlier call that this one repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    pub reservation: Reservation,
    pub replayed: bool,
}

/// A call that may be sent again, and the hash of its body.
struct RepeatableCall {
    call: Call,
    body_sha256: String,
}

impl Booking {
    /// Reserves a service or a package. Together, all reservations never take more units than there are.
    ///
    /// # Errors
    /// If a value is wrong, there is no such offer, or a night lacks units; when the idempotency key belongs to
    /// another request, or to this one while its first call is still running; when the caller is no longer admitted
    /// once the reservation holds its locks. `is_admitted` must not wait for anything.
    pub async fn reserve(
        &self,
        caller: &Caller,
        new: &NewReservation,
        idempotency: Option<Idempotency<'_>>,
        now: DateTime<Utc>,
        is_admitted: impl Fn() -> bool + Send + Sync,
    ) -> Result<Reserved, Error> {
        if !caller.reaches(&new.property) {
            return Err(Error::NotFound(new.offer.thing()));
        }
        let Some(idempotency) = idempotency else {
            return self.reserve_once(caller, new, None, now, is_admitted).await;
        };
        let repeatable = RepeatableCall {
            call: Call::of(caller, &idempotency),
            body_sha256: Sha256Hex::of_bytes(idempotency.body).as_str().to_owned(),
        };
        let _entered = self.running.enter(&repeatable.call)?;
        // Before anything is checked: a call that was right at first stays right however late it is repeated.
        match store::idempotency::find_answer(&self.pool, &repeatable.call, now).await? {
            Some(first) => self.answer_again(caller, &repeatable, first).await,
            None => self.reserve_once(caller, new, Some(&repeatable), now, is_admitted).await,
        }
    }

    async fn reserve_once(
        &self,
        caller: &Caller,
        new: &NewReservation,
        repeatable: Option<&RepeatableCall>,
        now: DateTime<Utc>,
        is_admitted: impl Fn() -> bool + Send + Sync,
    ) -> Result<Reserved, Error> {
        let visit = new.checked(now)?;
        let transaction = self.pool.begin_write().await?;
        let attempt = attempt(&transaction, caller, new, visit, now).await?;
        if let Some(repeatable) = repeatable {
            let answered =
                StoredAnswer { body_sha256: repeatable.body_sha256.clone(), answer: answer_to_attempt(&attempt) };
            if !store::idempotency::insert(&transaction, &repeatable.call, &answered, now).await? {
                // Another node was faster with the same key. What was done here is undone.
                drop(transaction);
                return self.answer_of_other_node(caller, repeatable, now).await;
            }
        }
        if !is_admitted() {
            return Err(Error::AdmissionChanged);
        }
        transaction.commit().await?;
        let reservation = attempt.map_err(sold_out)?;
        Ok(Reserved { reservation, replayed: false })
    }

    async fn answer_of_other_node(
        &self,
        caller: &Caller,
        repeatable: &RepeatableCall,
        now: DateTime<Utc>,
    ) -> Result<Reserved, Error> {
        match store::idempotency::find_answer(&self.pool, &repeatable.call, now).await? {
            Some(first) => self.answer_again(caller, repeatable, first).await,
            None => Err(Error::StillRunning),
        }
    }

    async fn answer_again(
        &self,
        caller: &Caller,
        repeatable: &RepeatableCall,
        first: StoredAnswer,
    ) -> Result<Reserved, Error> {
        if first.body_sha256 != repeatable.body_sha256 {
            return Err(Error::KeyReused);
        }
        match first.answer {
            Answer::SoldOut(night) => Err(sold_out(night)),
            Answer::Reserved(id) => Ok(Reserved { reservation: self.reservation(caller, &id).await?, replayed: true }),
        }
    }
}

fn answer_to_attempt(attempt: &Result<Reservation, FullNight>) -> Answer {
    match attempt {
        Ok(reservation) => Answer::Reserved(reservation.id.clone()),
        Err(night) => Answer::SoldOut(*night),
    }
}

fn sold_out(night: FullNight) -> Error {
    Error::SoldOut { date: night.date, available: night.available }
}

/// Reserves the units unless a night lacks them. The service stays locked until the transaction ends.
async fn attempt(
    transaction: &WriteTransaction,
    caller: &Caller,
    new: &NewReservation,
    visit: Visit,
    now: DateTime<Utc>,
) -> Result<Result<Reservation, FullNight>, Error> {
    let (service, package) = lock_offer(transaction, caller, new).await?;
    let stays = store::reservations::stays_of(transaction, &caller.tenant, &service.id, &visit.stay).await?;
    if let Some(night) = find_full_night(service.units, &stays, &visit.stay) {
        return Ok(Err(night));
    }

    let price = total(package.as_ref().map_or(&service.price, |package| &package.price), &visit)?;
    let reservation = Reservation {
        id: new_id(now),
        property: service.property,
        service: service.id,
        package: package.map(|package| package.id),
        guest: visit.guest,
        arrival: visit.stay.arrival,
        departure: visit.stay.departure,
        units: visit.stay.units,
        status: Status::Confirmed,
        price,
        created_at: now.trunc_subsecs(3),
        created_by: caller.identity.to_string(),
    };
    store::reservations::insert(transaction, &caller.tenant, &reservation).await?;
    Ok(Ok(reservation))
}

/// The service whose units are taken, and the package when it was one that was asked for.
async fn lock_offer(
    transaction: &WriteTransaction,
    caller: &Caller,
    new: &NewReservation,
) -> Result<(Service, Option<Package>), Error> {
    let (service, package) = match &new.offer {
        Offer::Service(id) => (id.clone(), None),
        Offer::Package(id) => {
            let found = store::packages::lock(transaction, &caller.tenant, &new.property, id).await?;
            let package = found.ok_or(Error::NotFound(Thing::Package))?;
            (package.service.clone(), Some(package))
        }
    };
    let locked = store::services::lock(transaction, &caller.tenant, &new.property, &service).await?;
    Ok((locked.ok_or(Error::NotFound(Thing::Service))?, package))
}

fn total(price: &Money, visit: &Visit) -> Result<Money, Error> {
    let too_much = || FieldError::new("units", "too_much", "Reserve fewer units or nights: the price is out of range.");
    Ok(price.times(visit.stay.units, visit.nights).ok_or_else(too_much)?)
}
