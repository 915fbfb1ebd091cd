//! Demo data: a tenant with people, groups, properties, keys, usage and bookings.
//!
//! All of it is made through public use cases, in chronological order and at times in the past, so that the audit log
//! and the lists look like those of a tenant that has been there for a year.

mod bookings;
mod keys;
mod usage;

use std::net::{IpAddr, Ipv4Addr};

use booking::Booking;
use chrono::TimeDelta;
use domain::{
    expiration::ExpirationDraft,
    group::{Group, GroupType},
    id::KeyId,
    key_draft::{Grace, KeyDraft},
    person::{Person, Role},
    property::Property,
    tenant::Tenant,
    usage::LegacyMethod,
    usage_record::LegacyCount,
};
use keyring::{
    ActiveSession, Client, Clock, Credentials, Error, Keyring, NewGroup, NewKey, NewPerson, NewProperty, NewRole,
    NewTenant, Rotation, SuperUser, TenantAdmin, generate_password,
};
use secrecy::SecretString;

use crate::keys::{DEMO_KEYS, DemoKey, PLAIN, REPORTING_CALLS, draft};

/// The credentials for signing in to the demo.
pub struct DemoSignIn {
    pub email: String,
    pub password: SecretString,
}

/// Why the demo data could not be added.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Keyring(#[from] Error),
    #[error(transparent)]
    Booking(#[from] booking::Error),
    #[error("a person of the demo could not sign in")]
    SignIn,
}

const TENANT_AGE_DAYS: i64 = 420;

pub(crate) const PROPERTIES: [&str; 3] = ["Harbour House", "Old Town Suites", "Seaview Resort"];

/// Name, e-mail address and role; the first one's credentials are printed.
const PEOPLE: [(&str, &str, Role); 4] = [
    ("Ana Ferreira", "ana@northwind.example", Role::TenantAdmin),
    ("Jonas Keller", "jonas@northwind.example", Role::TenantAdmin),
    ("Mei Tanaka", "mei@northwind.example", Role::Member),
    ("Sofia Marin", "sofia@northwind.example", Role::Member),
];

/// The number of tenant admins, which come first among the people.
const ADMINS: usize = 2;

const GROUPS: [(&str, GroupType, &[&str]); 3] = [
    ("Booking", GroupType::TenantApiKey, &["reservations:*", "availability:read", "services:read", "packages:read"]),
    ("Reporting", GroupType::TenantApiKey, &["*:read"]),
    ("Front desk", GroupType::Person, &["reservations:*", "properties:read"]),
];

/// The members of groups: an index into [`PEOPLE`], and the group's name.
const MEMBERSHIPS: [(usize, &str); 2] = [(2, "Front desk"), (3, "Front desk")];

/// Personal keys: an index into [`PEOPLE`], name, description, age in days and hours since the last use.
const PERSONAL_KEYS: [(usize, &str, &str, i64, Option<i64>); 3] = [
    (0, "Monthly report", "A spreadsheet that fills itself in.", 75, Some(18)),
    (2, "Arrivals on the wall", "The screen behind the front desk.", 40, Some(1)),
    (2, "Trying out the API", "", 12, None),
];

/// People who still call the API with a password: an index into [`PEOPLE`], method, days since the first call, hours
/// since the last, and number of calls.
const LEGACY_USES: [(usize, LegacyMethod, i64, i64, i64); 2] =
    [(2, LegacyMethod::Basic, 310, 5, 18_240), (3, LegacyMethod::Jwt, 64, 30, 412)];

/// The address from which people of the demo sign in.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// Fills an empty database with the demo tenant. A database that has tenants is never changed.
///
/// # Errors
/// If the database fails.
pub async fn fill(keyring: &Keyring, booking: &Booking) -> Result<Option<DemoSignIn>, DemoError> {
    if !keyring.tenants(&SuperUser::operator()).await?.is_empty() {
        return Ok(None);
    }
    let Some(demo) = Demo::create(keyring).await? else { return Ok(None) };
    demo.make_keys().await?;
    demo.add_legacy_usage().await?;
    for (number, property) in (0..).zip(&demo.properties) {
        bookings::fill_property(booking, &demo.tenant.id, &property.id, number, keyring.now()).await?;
    }
    Ok(Some(DemoSignIn { email: PEOPLE[0].1.to_owned(), password: demo.passwords[0].clone() }))
}

/// The demo tenant while its data is being made.
struct Demo<'a> {
    keyring: &'a Keyring,
    tenant: Tenant,
    people: Vec<Person>,
    passwords: Vec<SecretString>,
    properties: Vec<Property>,
    groups: Vec<Group>,
}

/// An event in the life of a key: an index into [`DEMO_KEYS`] or [`PERSONAL_KEYS`].
#[derive(Clone, Copy)]
enum Event {
    Generate(usize),
    Rotate(usize),
    Revoke(usize),
    GeneratePersonal(usize),
}

/// Returns how long ago each event happened, the oldest first.
fn events() -> Vec<(TimeDelta, Event)> {
    let mut events = Vec::new();
    for (index, key) in DEMO_KEYS.iter().enumerate() {
        // A minute that differs from key to key gives the list one order.
        let minutes = TimeDelta::minutes(i64::from(key.rate_limit) + i64::try_from(index).unwrap_or_default());
        events.push((TimeDelta::days(key.age_days) + minutes, Event::Generate(index)));
        events.extend(key.rotated_hours_ago.map(|hours| (TimeDelta::hours(hours), Event::Rotate(index))));
        events.extend(key.revoked_days_ago.map(|days| (TimeDelta::days(days), Event::Revoke(index))));
    }
    let personal = PERSONAL_KEYS.iter().enumerate();
    events.extend(personal.map(|(index, key)| (TimeDelta::days(key.3), Event::GeneratePersonal(index))));
    events.sort_by_key(|(ago, _)| -*ago);
    events
}

impl<'a> Demo<'a> {
    /// Creates the tenant with its people, properties and groups, unless another server is faster.
    async fn create(keyring: &'a Keyring) -> Result<Option<Self>, DemoError> {
        let start = at(keyring, TimeDelta::days(TENANT_AGE_DAYS));
        let new = NewTenant {
            slug: "northwind".to_owned(),
            name: "Northwind Hotels".to_owned(),
            key_limit: None,
            time_zone: Some("Europe/Lisbon".to_owned()),
        };
        let tenant = match start.create_tenant(&SuperUser::operator(), new).await {
            Ok(tenant) => tenant,
            Err(Error::Invalid(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let operator = start.operator_for(&tenant.slug).await?;
        let passwords: Vec<SecretString> = PEOPLE.iter().map(|_| generate_password()).collect();
        let mut people = Vec::new();
        for ((name, email, role), password) in PEOPLE.into_iter().zip(&passwords) {
            let new = NewPerson { email: email.to_owned(), name: name.to_owned(), password: password.clone() };
            people.push(start.create_person(Some(&operator), role, new).await?);
        }
        let mut properties = Vec::new();
        for name in PROPERTIES {
            properties.push(start.create_property(&operator, NewProperty { name: name.to_owned() }).await?);
        }
        for (name, group_type, permissions) in GROUPS {
            let permissions = permissions.iter().map(ToString::to_string).collect();
            start.create_group(&operator, NewGroup { name: name.to_owned(), group_type, permissions }).await?;
        }
        let groups = start.groups(&operator).await?;
        let demo = Self { keyring, tenant, people, passwords, properties, groups };
        demo.add_members(&start, &operator).await?;
        Ok(Some(demo))
    }

    async fn add_members(&self, start: &Keyring, operator: &TenantAdmin) -> Result<(), Error> {
        for (index, name) in MEMBERSHIPS {
            let person = &self.people[index];
            let groups = self.groups.iter().filter(|group| group.name == name).map(|group| group.id.to_string());
            let role = NewRole { role: person.role.as_str().to_owned(), groups: groups.collect() };
            start.set_role(operator, &person.id, &role).await?;
        }
        Ok(())
    }

    /// Makes everything that happened to keys happen in its order.
    async fn make_keys(&self) -> Result<(), DemoError> {
        let mut ids: Vec<Option<KeyId>> = vec![None; DEMO_KEYS.len()];
        for (ago, event) in events() {
            let then = at(self.keyring, ago);
            match event {
                Event::Generate(index) => {
                    let key = &DEMO_KEYS[index];
                    let admin = self.sign_in(&then, index % ADMINS).await?.as_admin()?;
                    let id = then.generate_key(&admin, &self.new_key(key)).await?.id;
                    self.add_usage(&id, key, key.used_hours_ago).await?;
                    ids[index] = Some(id);
                }
                Event::Rotate(index) => {
                    let Some(id) = &ids[index] else { continue };
                    let admin = self.sign_in(&then, index % ADMINS).await?.as_admin()?;
                    let rotation = Rotation { expiration: None, grace: Grace::OneWeek };
                    then.rotate_key(&admin, id, 1, &rotation).await?;
                }
                Event::Revoke(index) => {
                    let Some(id) = &ids[index] else { continue };
                    let admin = self.sign_in(&then, index % ADMINS).await?.as_admin()?;
                    then.revoke_key(&admin, id).await?;
                }
                Event::GeneratePersonal(index) => self.generate_personal_key(&then, index).await?,
            }
        }
        Ok(())
    }

    fn new_key(&self, key: &DemoKey) -> NewKey {
        let now = self.keyring.now();
        let expires_at = key.expires_in_days.map(|days| (now + TimeDelta::days(days)).to_rfc3339());
        NewKey {
            draft: draft(key, &self.groups, &self.properties),
            expiration: expires_at.map_or(ExpirationDraft::Never, ExpirationDraft::Instant),
        }
    }

    async fn generate_personal_key(&self, then: &Keyring, index: usize) -> Result<(), DemoError> {
        let (person, name, description, _, used_hours_ago) = PERSONAL_KEYS[index];
        let holder = self.sign_in(then, person).await?.as_key_holder()?;
        let draft = KeyDraft { name: name.to_owned(), description: description.to_owned(), ..KeyDraft::default() };
        let id = then.generate_key(&holder, &NewKey { draft, expiration: ExpirationDraft::Never }).await?.id;
        self.add_usage(&id, &DemoKey { busiest_hour: 2, calls: REPORTING_CALLS, ..PLAIN }, used_hours_ago).await
    }

    /// Signs a person in, at the address that all of them use.
    async fn sign_in(&self, then: &Keyring, person: usize) -> Result<ActiveSession, DemoError> {
        let credentials = Credentials {
            organization: None,
            email: PEOPLE[person].1.to_owned(),
            password: self.passwords[person].clone(),
        };
        let client = Client { address: HOME, user_agent: "Demo".to_owned() };
        let token = then.sign_in(credentials, None, &client).await?;
        then.signed_in(&token, HOME).await?.ok_or(DemoError::SignIn)
    }

    async fn add_usage(&self, id: &KeyId, key: &DemoKey, used_hours_ago: Option<i64>) -> Result<(), DemoError> {
        let Some(hours) = used_hours_ago else { return Ok(()) };
        let now = self.keyring.now();
        let calls = usage::calls_until(now - TimeDelta::hours(hours), now, id, key);
        Ok(self.keyring.import_usage(id, calls).await?)
    }

    async fn add_legacy_usage(&self) -> Result<(), Error> {
        for (person, method, days, hours, count) in LEGACY_USES {
            let now = self.keyring.now();
            let (first, last) = (now - TimeDelta::days(days), now - TimeDelta::hours(hours));
            let count = LegacyCount { first, last, count };
            self.keyring.import_legacy_usage(&self.people[person].id, method, count).await?;
        }
        Ok(())
    }
}

/// Returns a keyring whose clock stopped this long ago.
fn at(keyring: &Keyring, ago: TimeDelta) -> Keyring {
    keyring.at(Clock::stopped_at(keyring.now() - ago))
}
