//! A realistic tenant for the demo.
//!
//! It is made by the same use cases as everything else, each at a time in the past.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use arrayvec::ArrayString;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use domain::{
    expiration::ExpirationDraft,
    group::{Group, GroupType},
    id::{KeyId, PropertyId, TenantId},
    key_draft::{Grace, KeyDraft},
    person::{Person, Role},
    property::Property,
    tenant::Tenant,
    usage::{LOG_DAYS, LegacyMethod},
    usage_record::{Call, CallDetails, LegacyCount, MAX_REQUEST_ID_BYTES, Use},
    verdict::Verdict,
};
use rand::RngExt;
use secrecy::SecretString;
use ulid::{ULID_LEN, Ulid};
use verify::{Clock, usage::Batch};

use crate::{
    Keyring,
    access::{Actor, KeyHolder, SuperUser, TenantAdmin},
    error::Error,
    groups::NewGroup,
    keys::{NewKey, Rotation},
    people::{NewPerson, NewRole},
    properties::NewProperty,
    secret::generate_password,
    tenants::NewTenant,
};

/// How to sign in to the demo.
pub struct DemoSignIn {
    pub email: String,
    pub password: SecretString,
    pub tenant: TenantId,
    pub properties: Vec<PropertyId>,
}

const TENANT_AGE_DAYS: i64 = 420;

const DEMO_PROPERTIES: [&str; 3] = ["Harbour House", "Old Town Suites", "Seaview Resort"];

/// The members of groups: an index into [`PEOPLE`], and the group's name.
const IN_GROUPS: [(usize, &str); 2] = [(2, "Front desk"), (3, "Front desk")];

/// Personal keys: an index into [`PEOPLE`], name, description, age in days and hours since the last use.
const PERSONAL_KEYS: [(usize, &str, &str, i64, Option<i64>); 3] = [
    (0, "Monthly report", "A spreadsheet that fills itself in.", 75, Some(18)),
    (2, "Arrivals on the wall", "The screen behind the front desk.", 40, Some(1)),
    (2, "Trying out the API", "", 12, None),
];

/// Name, e-mail address and role; the first one's credentials are printed.
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
    /// Indexes into [`DEMO_PROPERTIES`]; none means all of them.
    properties: &'static [usize],
    ips: &'static str,
    origins: &'static str,
    rate_limit: u16,
    age_days: i64,
    expires_in_days: Option<i64>,
    rotated_hours_ago: Option<i64>,
    revoked_days_ago: Option<i64>,
    used_hours_ago: Option<i64>,
    /// How many calls come in an hour of the day's busiest.
    busiest_hour: u32,
    calls: &'static [(&'static str, &'static str)],
    from: [u8; 4],
    /// Why the few calls that are denied are.
    denied: Option<Verdict>,
}

const BOOKING_CALLS: &[(&str, &str)] = &[
    ("GET", "/api/v1/reservations"),
    ("GET", "/api/v1/availability"),
    ("GET", "/api/v1/reservations/{id}"),
    ("POST", "/api/v1/reservations"),
    ("GET", "/api/v1/services"),
];

const REPORTING_CALLS: &[(&str, &str)] = &[("GET", "/api/v1/availability"), ("GET", "/api/v1/reservations")];

const GATEWAY_CALLS: &[(&str, &str)] = &[("POST", "/api/v1/keys/verify")];

/// How busy each hour of the day is, of twelve.
const BUSY: [u32; 24] = [1, 1, 0, 0, 1, 2, 4, 7, 10, 12, 11, 9, 8, 9, 10, 11, 12, 12, 10, 8, 6, 4, 3, 2];

/// People who still call the API with a password: an index into [`PEOPLE`], method, days since the first call, hours
/// since the last, and number of calls.
/// The addresses from which people of the demo sign in.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// An address outside every allowlist.
const STRANGER: [u8; 4] = [198, 51, 100, 77];

const LEGACY_USES: [(usize, LegacyMethod, i64, i64, i64); 2] =
    [(2, LegacyMethod::Basic, 310, 5, 18_240), (3, LegacyMethod::Jwt, 64, 30, 412)];

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
    busiest_hour: 4,
    calls: BOOKING_CALLS,
    from: [203, 0, 113, 24],
    denied: None,
};

const DEMO_KEYS: [DemoKey; 12] = [
    DemoKey {
        name: "Property management system",
        description: "Two-way reservations with the front desk software.",
        ips: "203.0.113.0/24\n2001:db8:40::/48",
        rate_limit: 300,
        age_days: 400,
        used_hours_ago: Some(0),
        busiest_hour: 10,
        denied: Some(Verdict::IpNotAllowed),
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
        busiest_hour: 8,
        denied: Some(Verdict::OriginNotAllowed),
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
        calls: REPORTING_CALLS,
        denied: Some(Verdict::InsufficientPermissions),
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
        from: [198, 51, 100, 24],
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
        busiest_hour: 1,
        calls: REPORTING_CALLS,
        from: [192, 0, 2, 10],
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
        busiest_hour: 6,
        calls: GATEWAY_CALLS,
        ..PLAIN
    },
    DemoKey {
        name: "Seaview kiosk",
        description: "Stands in the lobby in summer.",
        properties: &[2],
        rate_limit: 30,
        age_days: 205,
        expires_in_days: Some(25),
        used_hours_ago: Some(112 * 24),
        ..PLAIN
    },
    DemoKey {
        name: "Data warehouse",
        description: "The analysts have not connected it yet.",
        group: "Read only",
        write: false,
        age_days: 48,
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
    /// If the database fails.
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
        let tenant = match start.create_tenant(&SuperUser::operator(), new).await {
            Ok(tenant) => tenant,
            // Another server that started at the same time was first.
            Err(Error::Invalid(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let operator = start.operator_for(&tenant.slug).await?;
        let (people, password) = start.demo_people(&operator).await?;
        self.demo_legacy_uses(&people).await?;
        let admins = admins_among(&people, &tenant);
        let properties = start.demo_properties(&operator).await?;
        for (name, group_type, permissions) in GROUPS {
            let permissions = permissions.iter().map(ToString::to_string).collect();
            start.create_group(&operator, NewGroup { name: name.to_owned(), group_type, permissions }).await?;
        }
        let groups = self.groups(&operator).await?;
        for (key, admin) in DEMO_KEYS.iter().zip(admins.iter().cycle()) {
            self.demo_key(admin, key, &groups, &properties, now).await?;
        }
        start.demo_groups_of_people(&operator, &people, &groups).await?;
        self.demo_personal_keys(&people, &tenant).await?;
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
        for name in DEMO_PROPERTIES {
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
            self.demo_usage(&id, key, now - TimeDelta::hours(hours)).await?;
        }
        if let Some(days) = key.revoked_days_ago {
            self.before(TimeDelta::days(days)).revoke_key(admin, &id).await?;
        }
        Ok(())
    }

    async fn demo_groups_of_people(
        &self,
        operator: &TenantAdmin,
        people: &[Person],
        groups: &[Group],
    ) -> Result<(), Error> {
        for (place, name) in IN_GROUPS {
            let person = &people[place];
            let groups = groups.iter().filter(|group| group.name == name).map(|group| group.id.to_string()).collect();
            let role = NewRole { role: person.role.as_str().to_owned(), groups };
            self.set_role(operator, &person.id, &role).await?;
        }
        Ok(())
    }

    async fn demo_personal_keys(&self, people: &[Person], tenant: &Tenant) -> Result<(), Error> {
        for (place, name, description, days, used_hours_ago) in PERSONAL_KEYS {
            let holder = KeyHolder::new(tenant.clone(), &people[place].id, Actor::in_demo(&people[place], HOME));
            let draft = KeyDraft { name: name.to_owned(), description: description.to_owned(), ..KeyDraft::default() };
            let new = NewKey { draft, expiration: ExpirationDraft::Never };
            let id = self.before(TimeDelta::days(days)).generate_key(&holder, &new).await?.id;
            if let Some(hours) = used_hours_ago {
                let usage = DemoKey { busiest_hour: 2, calls: REPORTING_CALLS, ..PLAIN };
                self.demo_usage(&id, &usage, self.now() - TimeDelta::hours(hours)).await?;
            }
        }
        Ok(())
    }

    async fn demo_usage(&self, id: &KeyId, key: &DemoKey, last: DateTime<Utc>) -> Result<(), Error> {
        let is_logged = last > self.now() - TimeDelta::days(LOG_DAYS);
        let hours = if is_logged { LOG_DAYS * 24 } else { 1 };
        let calls = (0..hours).flat_map(|ago| calls_of_hour(id, key, last, ago)).collect();
        let batch = Batch::of(id, calls);
        Ok(store::usage::write(&self.database, &crate::usage::rows(&batch)).await?)
    }

    async fn demo_legacy_uses(&self, people: &[Person]) -> Result<(), Error> {
        let mut batch = Batch::default();
        for (person, method, days, hours, count) in LEGACY_USES {
            let (first, last) = (self.now() - TimeDelta::days(days), self.now() - TimeDelta::hours(hours));
            batch.legacy.insert((people[person].id.clone(), method), LegacyCount { first, last, count });
        }
        Ok(store::usage::write(&self.database, &crate::usage::rows(&batch)).await?)
    }
}

/// The calls in one of the hours that end with the last call. That one is always among them.
fn calls_of_hour(id: &KeyId, key: &DemoKey, last: DateTime<Utc>, ago: i64) -> impl Iterator<Item = Call> {
    let end = last - TimeDelta::hours(ago);
    // No two days are alike, but every demo is.
    let unevenness = 5 + (ago / 24 * 29 % 7 + ago % 5) as u32;
    let count = BUSY[end.hour() as usize] * key.busiest_hour * unevenness / (12 * 10);
    let count = i64::from(count.max(u32::from(ago == 0)));
    (0..count).map(move |index| call(id, key, end - TimeDelta::seconds(index * 3571 / count), ago * 7 + index))
}

fn call(id: &KeyId, key: &DemoKey, at: DateTime<Utc>, number: i64) -> Call {
    let is_denied = number % 31 == 7 && number / 168 % 4 < 2;
    let outcome = match (number % 53, key.denied) {
        (11..=13, _) => Verdict::RateLimited,
        (_, Some(denied)) if is_denied => denied,
        _ => Verdict::Valid,
    };
    let (method, route) = match outcome {
        Verdict::InsufficientPermissions => ("POST", "/api/v1/reservations"),
        _ => key.calls[(number % key.calls.len() as i64) as usize],
    };
    let address = IpAddr::from(if outcome == Verdict::IpNotAllowed { STRANGER } else { key.from });
    let details = CallDetails {
        request_id: request_id(at),
        method,
        route: route.into(),
        status: status(outcome, method, route),
        duration: Duration::from_micros(800 + number.unsigned_abs() * 7_919 % 9_000),
    };
    Call { key: id.clone(), secret_id: None, used: Use { at, verdict: outcome, address: Some(address) }, details }
}

fn request_id(at: DateTime<Utc>) -> ArrayString<MAX_REQUEST_ID_BYTES> {
    let millis = at.timestamp_millis().unsigned_abs();
    let mut id = ArrayString::new();
    id.push_str("req_");
    id.push_str(Ulid::from_parts(millis, rand::rng().random()).array_to_str(&mut [0; ULID_LEN]));
    id
}

fn status(outcome: Verdict, method: &str, route: &str) -> u16 {
    match outcome {
        Verdict::Valid if method == "POST" && route.ends_with("/reservations") => 201,
        Verdict::Valid => 200,
        Verdict::RateLimited => 429,
        _ => 403,
    }
}

fn admins_among(people: &[Person], tenant: &Tenant) -> Vec<TenantAdmin> {
    let admins = people.iter().filter(|person| person.role == Role::TenantAdmin);
    admins.map(|person| TenantAdmin::new(tenant.clone(), Actor::in_demo(person, HOME))).collect()
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
