//! A database of its own for each test, and a house to reserve in.

use booking::{
    Booking, Error, Guest, Money, NewPackage, NewReservation, NewService, Offer, Package, Page, Reservation, Service,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::{
    caller::{Caller, Identity},
    id::{Id, KeyId, PropertyId},
    permission::Grants,
    scope::Scopes,
    secret::Product,
};
use keyring::{Clock, Database, Keyring, NewProperty, NewTenant, SecretKeyFile, SuperUser};
use sea_orm::{ConnectionTrait, Statement};
use sql::{Pool, WriteTransaction};
use tempfile::TempDir;
use test_support::databases::create_postgres;
use ulid::Ulid;

pub struct TestBooking {
    pub booking: Booking,
    pub keyring: Keyring,
    url: String,
    pool: Pool,
    _folder: TempDir,
}

impl TestBooking {
    pub async fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/latchkey.db", folder.path().display());
        Self::on(url, folder).await
    }

    pub async fn on_postgres() -> Self {
        Self::on(create_postgres().await, TempDir::new().unwrap()).await
    }

    async fn on(url: String, folder: TempDir) -> Self {
        let database = Database::open(&url).await.unwrap();
        migrations::apply(database.connection()).await.unwrap();
        let pool = database.pool().clone();
        let booking = Booking::new(pool.clone());
        // The program makes the file beside a database of SQLite's only.
        let beside = format!("sqlite://{}/latchkey.db", folder.path().display());
        let secret_keys = SecretKeyFile::locate(None, &beside).unwrap();
        let clock = Clock::stopped_at(now());
        let keyring = Keyring::open(database, secret_keys, Product::parse("lk").unwrap(), clock).await.unwrap();
        Self { booking, keyring, url, pool, _folder: folder }
    }

    /// Another program over the same database.
    pub fn other_node(&self) -> Booking {
        Booking::new(self.pool.clone())
    }

    /// One that does not share the write lock of the others.
    pub async fn lock_free_node(&self) -> Booking {
        Booking::new(Pool::open(&self.url).await.unwrap())
    }

    /// A tenant with two properties, the first of which has a service of this many units.
    pub async fn house(&self, slug: &str, units: u32) -> House {
        let new = NewTenant { slug: slug.to_owned(), name: slug.to_uppercase(), key_limit: None, time_zone: None };
        self.keyring.create_tenant(&SuperUser::operator(), new).await.unwrap();
        let operator = self.keyring.operator_for(slug).await.unwrap();
        let mut properties = Vec::new();
        for name in ["Harbour House", "Old Town"] {
            let new = NewProperty { name: name.to_owned() };
            properties.push(self.keyring.create_property(&operator, new).await.unwrap().id);
        }
        let identity = Identity::Key(KeyId::parse(&format!("key_{}", Ulid::generate())).unwrap());
        let grants = Grants { permissions: [].into(), scopes: Scopes::Both };
        let mut in_order = properties.clone();
        in_order.sort();
        let tenant = operator.tenant().id.clone();
        let caller = Caller { tenant, identity, grants, properties: in_order.into() };
        let [property, other_property] = properties.try_into().unwrap();
        let service = self.service(&caller, &property, "Double room", units).await;
        House { caller, property, other_property, service }
    }

    pub async fn service(&self, caller: &Caller, property: &PropertyId, name: &str, units: u32) -> Service {
        let new = NewService { name: name.to_owned(), units, price: euros(12_900) };
        self.booking.create_service(&caller.tenant, property, new, now()).await.unwrap()
    }

    pub async fn package(&self, house: &House, name: &str) -> Package {
        let new = NewPackage { service: house.service.id.clone(), name: name.to_owned(), price: euros(15_900) };
        self.booking.create_package(&house.caller.tenant, &house.property, new, now()).await.unwrap()
    }

    /// Reserves without an idempotency key.
    pub async fn reserve(&self, house: &House, new: &NewReservation) -> Result<Reservation, Error> {
        let reserved = self.booking.reserve(&house.caller, new, None, now(), || true).await?;
        assert!(!reserved.replayed);
        Ok(reserved.reservation)
    }

    /// Locks the house's service, so that reservations wait until the guard is dropped.
    pub async fn hold(&self, house: &House) -> WriteTransaction {
        let transaction = self.pool.begin_write().await.unwrap();
        let sql = format!("UPDATE service SET name = name WHERE id = '{}'", house.service.id);
        transaction.on().execute_unprepared(&sql).await.unwrap();
        transaction
    }

    /// Returns the rows of a query that selects one text column.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.pool.connection().get_database_backend(), sql);
        let rows = self.pool.connection().query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    }

    pub async fn execute(&self, sql: &str) {
        self.pool.connection().execute_unprepared(sql).await.unwrap();
    }
}

pub struct House {
    pub caller: Caller,
    pub property: PropertyId,
    pub other_property: PropertyId,
    pub service: Service,
}

impl House {
    /// One unit of the service for some days of December.
    pub fn stay(&self, arrival: u32, departure: u32) -> NewReservation {
        NewReservation {
            property: self.property.clone(),
            offer: Offer::Service(self.service.id.clone()),
            guest: Guest { name: "Ida Lund".to_owned(), email: Some("ida@lund.test".to_owned()) },
            arrival: december(arrival),
            departure: december(departure),
            units: 1,
        }
    }

    /// The same caller, with access to these properties alone.
    pub fn narrowed_to(&self, properties: &[&PropertyId]) -> Caller {
        let properties = properties.iter().map(|id| (*id).clone()).collect();
        Caller { properties, ..self.caller.clone() }
    }
}

pub fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

pub fn minutes_later(minutes: i64) -> DateTime<Utc> {
    now() + TimeDelta::minutes(minutes)
}

pub fn december(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 12, day).unwrap()
}

pub fn euros(cents: i64) -> Money {
    Money { minor: cents, currency: "EUR".to_owned() }
}

pub fn first_page() -> Page {
    Page { limit: 200, after: None }
}

/// The fields that were refused, with the codes.
pub fn refused<T>(result: Result<T, Error>) -> Vec<(&'static str, String)> {
    match result {
        Err(Error::Invalid(errors)) => errors.into_iter().map(|error| (error.field, error.code)).collect(),
        Err(other) => panic!("another refusal: {other}"),
        Ok(_) => panic!("nothing was refused"),
    }
}
