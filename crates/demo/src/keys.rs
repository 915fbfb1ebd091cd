//! The keys of the demo tenant.

use domain::{group::Group, key_draft::KeyDraft, property::Property, verdict::Verdict};

/// One key of the demo, in days and hours before or after now.
pub(crate) struct DemoKey {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) group: &'static str,
    pub(crate) write: bool,
    /// Indexes into [`crate::PROPERTIES`]; none means all of them.
    pub(crate) properties: &'static [usize],
    pub(crate) ips: &'static str,
    pub(crate) origins: &'static str,
    pub(crate) rate_limit: u16,
    pub(crate) age_days: i64,
    pub(crate) expires_in_days: Option<i64>,
    pub(crate) rotated_hours_ago: Option<i64>,
    pub(crate) revoked_days_ago: Option<i64>,
    pub(crate) used_hours_ago: Option<i64>,
    /// The number of calls in the busiest hour of a day.
    pub(crate) busiest_hour: u32,
    pub(crate) calls: &'static [(&'static str, &'static str)],
    pub(crate) from: [u8; 4],
    /// Why the few calls that are denied are.
    pub(crate) denied: Option<Verdict>,
}

pub(crate) const BOOKING_CALLS: &[(&str, &str)] = &[
    ("GET", "/api/v1/reservations"),
    ("GET", "/api/v1/availability"),
    ("GET", "/api/v1/reservations/{id}"),
    ("POST", "/api/v1/reservations"),
    ("GET", "/api/v1/services"),
];

pub(crate) const REPORTING_CALLS: &[(&str, &str)] = &[("GET", "/api/v1/availability"), ("GET", "/api/v1/reservations")];

pub(crate) const GATEWAY_CALLS: &[(&str, &str)] = &[("POST", "/api/v1/keys/verify")];

pub(crate) const PLAIN: DemoKey = DemoKey {
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

pub(crate) const DEMO_KEYS: [DemoKey; 12] = [
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
        description: "Rotated yesterday. The old secret still works for a week.",
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
        description: "Lets the API gateway verify keys.",
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

/// Returns the form that generates a key.
pub(crate) fn draft(key: &DemoKey, groups: &[Group], properties: &[Property]) -> KeyDraft {
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
