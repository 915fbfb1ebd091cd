//! The demo data, on both databases.

use std::collections::HashSet;

use booking::{Booking, Page, Reservation, Status};
use chrono::{DateTime, Days, Utc};
use domain::{
    audit_query::AuditQuery,
    caller::{Caller, Identity},
    id::{Id, KeyId, PropertyId},
    key::{Status as KeyStatus, Validity},
    key_list::KeyListQuery,
    key_warning::KeyWarning,
    permission::Grants,
    scope::Scopes,
    secret::Product,
    usage::{CallOutcome, OutcomeCounts, Range, UsageQuery},
};
use keyring::{Client, Clock, Credentials, Database, Keyring, NewTenant, SecretKeyFile, SuperUser, TenantAdmin};
use tempfile::TempDir;
use test_support::databases::create_postgres;

test_support::on_both_databases! {
    crate::TestDemo:
    demo_has_keys_in_every_state,
    demo_shows_usage,
    demo_audit_log_is_chronological,
    demo_bookings_are_believable,
    demo_bookings_are_the_same_every_time,
    database_with_tenants_gets_no_demo,
}

struct TestDemo {
    keyring: Keyring,
    booking: Booking,
    _folder: TempDir,
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

impl TestDemo {
    async fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        Self::on(format!("sqlite://{}/latchkey.db", folder.path().display()), folder).await
    }

    async fn on_postgres() -> Self {
        Self::on(create_postgres().await, TempDir::new().unwrap()).await
    }

    async fn on(url: String, folder: TempDir) -> Self {
        let database = Database::open(&url).await.unwrap();
        migrations::apply(database.connection()).await.unwrap();
        let booking = Booking::new(database.pool().clone());
        // A secret key is created beside a SQLite file only.
        let file = SecretKeyFile::locate(None, &format!("sqlite://{}/latchkey.db", folder.path().display())).unwrap();
        let clock = Clock::stopped_at(now());
        let keyring = Keyring::open(database, file, Product::parse("lk").unwrap(), clock).await.unwrap();
        Self { keyring, booking, _folder: folder }
    }

    /// Fills the database, and signs in to the demo.
    async fn admin(&self) -> TenantAdmin {
        let sign_in = demo::fill(&self.keyring, &self.booking).await.unwrap().unwrap();
        let credentials = Credentials { organization: None, email: sign_in.email, password: sign_in.password };
        let client = Client { address: [203, 0, 113, 9].into(), user_agent: "tests".to_owned() };
        let token = self.keyring.sign_in(credentials, None, &client).await.unwrap();
        self.keyring.signed_in(&token, client.address).await.unwrap().unwrap().as_admin().unwrap()
    }

    /// A caller with access to all properties of the demo tenant.
    async fn caller(&self) -> Caller {
        let admin = self.admin().await;
        let mut properties: Vec<PropertyId> =
            self.keyring.properties(&admin).await.unwrap().into_iter().map(|property| property.id).collect();
        properties.sort();
        Caller {
            tenant: admin.tenant().id.clone(),
            identity: Identity::Key(KeyId::parse("key_01JCQ4Y2V9ZK3T5N6R7S8W9XAB").unwrap()),
            grants: Grants { permissions: [].into(), scopes: Scopes::Both },
            properties: properties.into(),
        }
    }

    async fn reservations(&self, caller: &Caller) -> Vec<Reservation> {
        let (mut all, mut page) = (Vec::new(), Page { limit: 200, after: None });
        loop {
            let listed = self.booking.reservations(caller, None, &page).await.unwrap();
            all.extend(listed.items);
            page.after = listed.next;
            if page.after.is_none() {
                return all;
            }
        }
    }
}

async fn demo_has_keys_in_every_state(app: TestDemo) {
    let admin = app.admin().await;
    assert_eq!(app.keyring.properties(&admin).await.unwrap().len(), 3);
    assert_eq!(app.keyring.people(Some(&admin)).await.unwrap().len(), 4);
    let keys = app.keyring.keys(&admin, &KeyListQuery::default()).await.unwrap().keys;
    assert_eq!(keys.len(), 12);
    let states: HashSet<String> =
        keys.iter().map(|key| format!("{:?} {:?}", key.status(), key.validity(now()))).collect();
    for (status, validity) in [
        (KeyStatus::Active, Validity::Valid),
        (KeyStatus::Active, Validity::ExpiringSoon),
        (KeyStatus::Active, Validity::Expired),
        (KeyStatus::Revoked, Validity::Valid),
        (KeyStatus::Revoked, Validity::Expired),
    ] {
        assert!(states.contains(&format!("{status:?} {validity:?}")), "{status:?} {validity:?}");
    }
    assert!(keys.iter().any(|key| key.old_secret_until.is_some()));
    assert!(keys.iter().any(|key| key.last_used_at.is_none()) && keys.iter().any(|key| key.last_used_at.is_some()));
    assert!(keys.iter().all(|key| key.created_at < now()));
}

async fn demo_shows_usage(app: TestDemo) {
    let admin = app.admin().await;
    for attention in KeyWarning::ALL {
        let query = KeyListQuery { attention: Some(attention), ..KeyListQuery::default() };
        let keys = app.keyring.keys(&admin, &query).await.unwrap().keys;
        assert!(keys.iter().any(|key| attention.is_marked_on(key, now())), "{attention:?}");
    }
    assert_eq!(app.keyring.legacy_users(&admin).await.unwrap().len(), 2);
    let pms = KeyListQuery { search: "property management".to_owned(), ..KeyListQuery::default() };
    let pms = app.keyring.keys(&admin, &pms).await.unwrap().keys.remove(0);
    for range in [Range::Day, Range::Month] {
        let query = UsageQuery { range, ..UsageQuery::default() };
        let usage = app.keyring.key_usage(&admin, &pms.id, &query).await.unwrap();
        let sum = usage.steps.iter().map(|step| &step.counts).collect::<OutcomeCounts>();
        assert!(CallOutcome::ALL.into_iter().all(|outcome| sum.with(outcome) > 0), "{range:?}: {sum:?}");
        assert_eq!(usage.log.entries[0].position.at, pms.last_used_at.unwrap());
        assert!(usage.log.has_older);
    }
}

async fn demo_audit_log_is_chronological(app: TestDemo) {
    let admin = app.admin().await;
    let events = app.keyring.audit_stretch(Some(&admin), &AuditQuery::default(), 500).await.unwrap();
    assert!(events.len() > 40, "{}", events.len());
    assert!(events.is_sorted_by(|newer, older| newer.at >= older.at), "newest first");
    assert!(events.iter().any(|event| event.actor_name == "Ana Ferreira"));
}

async fn demo_bookings_are_believable(app: TestDemo) {
    let caller = app.caller().await;
    let (today, first_page) = (now().date_naive(), Page { limit: 200, after: None });
    for property in &*caller.properties {
        let services = app.booking.services(&caller, property, &first_page).await.unwrap().items;
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["Double room", "Suite", "Sea-view room"]);
        let packages = app.booking.packages(&caller, property, &first_page).await.unwrap().items;
        assert!(packages.len() == 2 && packages[0].price.minor > services[0].price.minor);
        let days = app.booking.availability(&caller, property, today, today + Days::new(60)).await.unwrap();
        assert!(days.iter().all(|day| day.reserved + day.available == day.units), "nothing is overbooked");
        let nearly_full = days.iter().filter(|day| day.available <= 1 && day.units > 4).count();
        let half_empty = days.iter().filter(|day| day.available * 2 > day.units).count();
        assert!(nearly_full >= 3 && half_empty >= 30, "{nearly_full} nearly full, {half_empty} half empty");
    }
    let made = app.reservations(&caller).await;
    assert!(made.iter().any(|reservation| reservation.package.is_some()));
    assert!(made.iter().any(|reservation| reservation.status == Status::Cancelled));
    assert!(made.iter().all(|reservation| reservation.created_at < now() && reservation.arrival >= today));
}

async fn demo_bookings_are_the_same_every_time(app: TestDemo) {
    let summary = |reservation: Reservation| {
        let Reservation { guest, arrival, departure, units, price, created_at, .. } = reservation;
        (created_at, guest.name, arrival, departure, units, price.minor)
    };
    let mut both = Vec::new();
    for app in [app, TestDemo::on_sqlite().await] {
        let mut made: Vec<_> = app.reservations(&app.caller().await).await.into_iter().map(summary).collect();
        // Events of the same instant can come in either order.
        made.sort();
        both.push(made);
    }
    assert!(both[0].len() > 100, "{}", both[0].len());
    assert_eq!(both[0], both[1]);
}

async fn database_with_tenants_gets_no_demo(app: TestDemo) {
    let new = NewTenant { slug: "acme".to_owned(), name: "Acme".to_owned(), key_limit: None, time_zone: None };
    app.keyring.create_tenant(&SuperUser::operator(), new).await.unwrap();
    assert!(demo::fill(&app.keyring, &app.booking).await.unwrap().is_none());
    assert_eq!(app.keyring.tenants(&SuperUser::operator()).await.unwrap().len(), 1);
}
