//! A believable tenant for somebody who wants to look around.
//!
//! It is made by the same use cases as everything else, each at a time in the past.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use domain::{
    expiration::ExpirationDraft,
    group::{Group, GroupType},
    id::{KeyId, PropertyId, TenantId},
    key_draft::{Grace, KeyDraft},
    person::{Person, Role},
    property::Property,
    tenant::Tenant,
    verdict::Verdict,
};
use secrecy::SecretString;

use crate::{
    Keyring,
    access::{SignedIn, TenantAdmin},
    clock::Clock,
    error::Error,
    groups::NewGroup,
    keys::{NewKey, Rotation},
    people::NewPerson,
    properties::NewProperty,
    secret::generate_password,
    store,
    tenants::NewTenant,
    usage::{Batch, Call, LastUse},
};

/// How to sign in to the demo.
pub struct DemoSignIn {
    pub email: String,
    pub password: SecretString,
    pub tenant: TenantId,
    pub properties: Vec<PropertyId>,
}

const TENANT_AGE_DAYS: i64 = 420;

const PROPERTIES: [&str; 3] = ["Harbour House", "Old Town Suites", "Seaview Resort"];

/// Name, e-mail address and role; the first one is whom the sign-in is printed for.
const PEOPLE: [(&str, &str, Role); 4] = [
    ("Ana Ferreira", "ana@northwind.example", Role::TenantAdmin),
    ("Jonas Keller", "jonas@northwind.example", Role::TenantAdmin),
    ("Mei Tanaka", "mei@northwind.example", Role::Member),
    ("Sofia Marin", "sofia@northwind.example", Role::Member),
];

const GROUPS: [(&str, GroupType, &[&str]); 3] = [
    ("Booking", GroupType::TenantApiKey, &["reservations:*", "availability:read", "services:read", "packages:read"]),
    ("Reporting", GroupType::TenantApiKey, &["*:read"]),
    ("Front desk", GroupType::Person, &["reservations:*", "properties:read"]),
];

/// One key of the demo, in days and hours before or after now.
struct DemoKey {
    name: &'static str,
    description: &'static str,
    group: &'static str,
    write: bool,
    /// Places in [`PROPERTIES`]; none means all of them.
    properties: &'static [usize],
    ips: &'static str,
    origins: &'static str,
    rate_limit: u16,
    age_days: i64,
    expires_in_days: Option<i64>,
    rotated_hours_ago: Option<i64>,
    revoked_days_ago: Option<i64>,
    used_hours_ago: Option<i64>,
}

const PLAIN: DemoKey = DemoKey {
    name: "",
    description: "",
    group: "Booking",
    write: true,
    properties: &[],
    ips: "",
    origins: "",
    rate_limit: 60,
    age_days: 90,
    expires_in_days: None,
    rotated_hours_ago: None,
    revoked_days_ago: None,
    used_hours_ago: None,
};

const KEYS: [DemoKey; 12] = [
    DemoKey {
        name: "Property management system",
        description: "Two-way reservations with the front desk software.",
        ips: "203.0.113.0/24\n2001:db8:40::/48",
        rate_limit: 300,
        age_days: 400,
        used_hours_ago: Some(0),
        ..PLAIN
    },
    DemoKey {
        name: "Website booking widget",
        description: "Runs in the guest's browser on the booking pages.",
        origins: "https://book.northwind.example\nhttps://www.northwind.example",
        rate_limit: 600,
        age_days: 320,
        expires_in_days: Some(210),
        used_hours_ago: Some(1),
        ..PLAIN
    },
    DemoKey {
        name: "Revenue management",
        description: "Reads availability every quarter of an hour.",
        group: "Reporting",
        write: false,
        properties: &[0, 2],
        age_days: 180,
        expires_in_days: Some(12),
        used_hours_ago: Some(3),
        ..PLAIN
    },
    DemoKey {
        name: "Channel manager",
        description: "Was rotated lately; the old secret still works for a while.",
        ips: "198.51.100.24",
        age_days: 260,
        expires_in_days: Some(330),
        rotated_hours_ago: Some(20),
        used_hours_ago: Some(2),
        ..PLAIN
    },
    DemoKey {
        name: "Accounting export",
        description: "Nightly export to the ERP.",
        group: "Reporting",
        write: false,
        ips: "192.0.2.10",
        age_days: 365,
        expires_in_days: Some(-9),
        used_hours_ago: Some(9 * 24 + 4),
        ..PLAIN
    },
    DemoKey {
        name: "Gateway",
        description: "Lets the API gateway ask whether a key is good.",
        group: "Verifier",
        write: false,
        rate_limit: 1000,
        age_days: 140,
        used_hours_ago: Some(0),
        ..PLAIN
    },
    DemoKey {
        name: "Seaview kiosk",
        properties: &[2],
        rate_limit: 30,
        age_days: 75,
        expires_in_days: Some(25),
        used_hours_ago: Some(51),
        ..PLAIN
    },
    DemoKey {
        name: "Data warehouse",
        group: "Read only",
        write: false,
        age_days: 48,
        used_hours_ago: Some(14),
        ..PLAIN
    },
    DemoKey {
        name: "Loyalty pilot",
        description: "Waiting for the vendor to start.",
        properties: &[1],
        age_days: 6,
        expires_in_days: Some(84),
        ..PLAIN
    },
    DemoKey {
        name: "Old website",
        description: "Replaced by the booking widget.",
        age_days: 410,
        revoked_days_ago: Some(290),
        used_hours_ago: Some(291 * 24),
        ..PLAIN
    },
    DemoKey {
        name: "Contractor laptop",
        group: "Full access",
        age_days: 130,
        expires_in_days: Some(-60),
        revoked_days_ago: Some(97),
        used_hours_ago: Some(98 * 24),
        ..PLAIN
    },
    DemoKey { name: "Load test", group: "Read only", write: false, age_days: 33, revoked_days_ago: Some(32), ..PLAIN },
];

impl Keyring {
    /// Fills an empty database with the demo tenant. One that has tenants is never touched.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fill_with_demo(&self) -> Result<Option<DemoSignIn>, Error> {
        if store::tenants::any(&self.database).await? {
            return Ok(None);
        }
        let now = self.now();
        let start = self.before(TimeDelta::days(TENANT_AGE_DAYS));
        let new = NewTenant {
            slug: "northwind".to_owned(),
            name: "Northwind Hotels".to_owned(),
            key_limit: None,
            time_zone: Some("Europe/Lisbon".to_owned()),
        };
        let tenant = match start.create_tenant(new).await {
            Ok(tenant) => tenant,
            // Another server that started at the same time was first.
            Err(Error::Invalid(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let operator = start.operator_for(&tenant.slug).await?;
        let (people, password) = start.demo_people(&operator).await?;
        let admins = admins_among(people, &tenant);
        let properties = start.demo_properties(&operator).await?;
        for (name, group_type, permissions) in GROUPS {
            let permissions = permissions.iter().map(ToString::to_string).collect();
            start.create_group(&operator, NewGroup { name: name.to_owned(), group_type, permissions }).await?;
        }
        let groups = self.groups(&operator).await?;
        for (key, admin) in KEYS.iter().zip(admins.iter().cycle()) {
            self.demo_key(admin, key, &groups, &properties, now).await?;
        }
        let properties = properties.into_iter().map(|property| property.id).collect();
        Ok(Some(DemoSignIn { email: PEOPLE[0].1.to_owned(), password, tenant: tenant.id, properties }))
    }

    fn before(&self, ago: TimeDelta) -> Self {
        self.at(Clock::stopped_at(self.now() - ago))
    }

    async fn demo_people(&self, operator: &TenantAdmin) -> Result<(Vec<Person>, SecretString), Error> {
        let password = generate_password();
        let mut people = Vec::new();
        for (index, (name, email, role)) in PEOPLE.into_iter().enumerate() {
            let own = if index == 0 { password.clone() } else { generate_password() };
            let new = NewPerson { email: email.to_owned(), name: name.to_owned(), password: own };
            people.push(self.create_person(Some(operator), role, new).await?);
        }
        Ok((people, password))
    }

    async fn demo_properties(&self, operator: &TenantAdmin) -> Result<Vec<Property>, Error> {
        let mut properties = Vec::new();
        for name in PROPERTIES {
            properties.push(self.create_property(operator, NewProperty { name: name.to_owned() }).await?);
        }
        Ok(properties)
    }

    async fn demo_key(
        &self,
        admin: &TenantAdmin,
        key: &DemoKey,
        groups: &[Group],
        properties: &[Property],
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        // A different minute for each, so that the list has one order.
        let born = self.before(TimeDelta::days(key.age_days) + TimeDelta::minutes(i64::from(key.rate_limit)));
        let expires_at = key.expires_in_days.map(|days| (now + TimeDelta::days(days)).to_rfc3339());
        let new = NewKey {
            draft: draft(key, groups, properties),
            expiration: expires_at.map_or(ExpirationDraft::Never, ExpirationDraft::Instant),
        };
        let id = born.generate_key(admin, &new).await?.id;
        if let Some(hours) = key.rotated_hours_ago {
            let rotation = Rotation { expiration: None, grace: Grace::OneWeek };
            self.before(TimeDelta::hours(hours)).rotate_key(admin, &id, 1, &rotation).await?;
        }
        if let Some(hours) = key.used_hours_ago {
            self.demo_usage(&id, now - TimeDelta::hours(hours), key.rate_limit).await?;
        }
        if let Some(days) = key.revoked_days_ago {
            self.before(TimeDelta::days(days)).revoke_key(admin, &id).await?;
        }
        Ok(())
    }

    /// Two days of calls up to the last one.
    async fn demo_usage(&self, key: &KeyId, last: DateTime<Utc>, rate: u16) -> Result<(), Error> {
        let address = IpAddr::from([203, 0, 113, 24]);
        let call = |number: i64| Call {
            key: key.clone(),
            at: last - TimeDelta::minutes(4 + number * 7),
            method: "GET".to_owned(),
            route: "/api/v1/reservations".to_owned(),
            status: if number % 9 == 8 { 429 } else { 200 },
            verdict: if number % 9 == 8 { Verdict::RateLimited } else { Verdict::Valid },
            address,
        };
        // Busy by day and quiet by night, as hotels are.
        let count = |ago: i64| i64::from(rate) * (12 - (ago % 24 - 12).abs()) / 6 + 1;
        let hour = |ago: i64| ((key.clone(), whole_hour(last - TimeDelta::hours(ago)), Verdict::Valid), count(ago));
        let calls: Vec<Call> = (0..40).map(call).collect();
        let last_uses = calls.first().map(|call| (key.clone(), LastUse { at: call.at, address }));
        let batch = Batch {
            calls,
            hours: (0..48).map(hour).collect(),
            last_uses: last_uses.into_iter().collect(),
            ..Batch::default()
        };
        Ok(store::usage::write(&self.database, &batch).await?)
    }
}

fn admins_among(people: Vec<Person>, tenant: &Tenant) -> Vec<TenantAdmin> {
    let signed_in = |person| SignedIn { person, tenant: Some(tenant.clone()) };
    people.into_iter().filter_map(|person| signed_in(person).as_admin().ok()).collect()
}

fn draft(key: &DemoKey, groups: &[Group], properties: &[Property]) -> KeyDraft {
    let group = groups.iter().find(|group| group.name == key.group).map(|group| group.id.to_string());
    KeyDraft {
        name: key.name.to_owned(),
        description: key.description.to_owned(),
        group: group.unwrap_or_default(),
        read: true,
        write: key.write,
        all_properties: key.properties.is_empty(),
        properties: key.properties.iter().map(|index| properties[*index].id.to_string()).collect(),
        allowed_ips: key.ips.to_owned(),
        allowed_origins: key.origins.to_owned(),
        rate_limit_per_minute: key.rate_limit.to_string(),
    }
}

fn whole_hour(time: DateTime<Utc>) -> DateTime<Utc> {
    time.with_minute(0).and_then(|time| time.with_second(0)).and_then(|time| time.with_nanosecond(0)).unwrap_or(time)
}
