//! Requests that were allowed when they arrived, but lost their access before it was their turn to write.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use domain::{
    expiration::ExpirationDraft,
    group::GroupType,
    id::{Id, KeyId, PersonId},
    key_draft::KeyDraft,
    person::{PersonState, Role},
};
use futures::future::{BoxFuture, FutureExt, join_all};
use keyring::{
    ActiveSession, Error, KeyHolder, Keyring, NewGroup, NewInvitation, NewKey, NewPerson, NewProperty, NewRole,
    NewTenant, PersonScope, SessionToken, SuperUser, TenantAdmin, TenantChange,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, Statement, TransactionTrait};
use sql::WriteTransaction;
use tokio::time::sleep;

use super::fixture::{PASSWORD, TestKeyring, home};

test_support::on_both_databases! {
    crate::use_cases::fixture::TestKeyring:
    deactivated_admin_changes_nothing,
    demoted_admin_changes_nothing,
    signed_out_admin_changes_nothing,
    admin_who_signed_out_everywhere_changes_nothing,
    other_session_changes_nothing_after_a_password_change,
    expired_session_changes_nothing,
    admin_without_required_mfa_changes_nothing,
    promoted_member_keeps_their_own_keys,
    super_user_who_left_the_tenant_changes_nothing_in_it,
    signed_out_super_user_changes_nothing_anywhere,
    queued_changes_of_a_deactivated_admin_are_refused,
    queued_change_of_a_super_user_in_a_tenant_is_refused,
    people_cannot_reactivate_themselves_or_change_their_own_role,
    super_user_acts_and_signs_out_concurrently_without_deadlock,
    lagging_clock_does_not_revive_an_ended_session,
    renamed_admin_is_audited_under_the_new_name,
}

const ANA: &str = "ana@acme.test";
const ROOT: &str = "root@latchkey.test";

/// Ana's access when her requests arrived.
struct Ana {
    tenant: TenantAdmin,
    token: SessionToken,
    signed_in: ActiveSession,
    admin: TenantAdmin,
    holder: KeyHolder,
    id: PersonId,
    /// Another of the tenant's people.
    mia: PersonId,
    key: KeyId,
}

impl Ana {
    async fn on(app: &TestKeyring) -> Self {
        let tenant = app.tenant("acme").await;
        for (name, role) in [("Ana", Role::TenantAdmin), ("Ben", Role::TenantAdmin), ("Mia", Role::Member)] {
            app.person(&tenant, name, role).await;
        }
        let key = app.generate(&tenant, "PMS").await.id;
        let token = app.sign_in(ANA, PASSWORD).await.unwrap();
        let signed_in = app.whose(&token).await;
        let people = app.keyring.people(Some(&tenant)).await.unwrap();
        let mia = people.into_iter().find(|profile| profile.person.name == "Mia").unwrap().person.id;
        let (admin, holder) = (signed_in.as_admin().unwrap(), signed_in.as_key_holder().unwrap());
        Self { tenant, token, id: signed_in.person.id.clone(), admin, holder, signed_in, mia, key }
    }

    /// The sequence of the latest event of the tenant.
    async fn sequence(&self, app: &TestKeyring) -> i64 {
        let events = app.keyring.audit_stretch(Some(&self.tenant), &Default::default(), 1).await.unwrap();
        events[0].sequence
    }

    /// Tries everything that was allowed before. All of it has to be refused in this way, and to leave no trace.
    async fn is_refused_everything(&self, app: &TestKeyring, is_expected: impl Fn(&Error) -> bool) {
        let before = self.sequence(app).await;
        let admin = changes_as_admin(&app.keyring, &self.admin, self);
        let holder = changes_as_holder(&app.keyring, &self.holder);
        for (what, change) in admin.into_iter().chain(holder) {
            let error = change.await.expect_err(what);
            assert!(is_expected(&error), "{what}: {error:?}");
        }
        assert_eq!(self.sequence(app).await, before, "nothing was written");
    }

    /// The same for what people change about themselves.
    async fn is_refused_own_changes(&self, app: &TestKeyring) {
        let before = self.sequence(app).await;
        for (what, change) in changes_as_person(&app.keyring, &self.signed_in) {
            let error = change.await.expect_err(what);
            assert!(matches!(error, Error::SessionEnded), "{what}: {error:?}");
        }
        assert_eq!(self.sequence(app).await, before, "nothing was written");
    }
}

type Changes<'a> = Vec<(&'static str, BoxFuture<'a, Result<(), Error>>)>;

fn changes_as_admin<'a>(keyring: &'a Keyring, admin: &'a TenantAdmin, ana: &'a Ana) -> Changes<'a> {
    let role = |role: Role| NewRole { role: role.as_str().to_owned(), groups: Vec::new() };
    vec![
        ("reactivating herself", keyring.reactivate(admin, &ana.id).boxed()),
        (
            "taking her role back",
            async move { keyring.set_role(admin, &ana.id, &role(Role::TenantAdmin)).await.map(drop) }.boxed(),
        ),
        (
            "promoting a person",
            async move { keyring.set_role(admin, &ana.mia, &role(Role::TenantAdmin)).await.map(drop) }.boxed(),
        ),
        ("deactivating a person", keyring.deactivate(admin, &ana.mia).boxed()),
        ("signing a person out", keyring.end_sessions_of(admin, &ana.mia).map(|done| done.map(drop)).boxed()),
        ("making a password link", keyring.make_password_link(admin, &ana.mia).map(|done| done.map(drop)).boxed()),
        ("resetting a factor", keyring.reset_second_factor(admin, &ana.mia).boxed()),
        ("requiring factors", keyring.require_second_factor(admin, false).boxed()),
        (
            "inviting an admin",
            async move {
                let new = NewInvitation {
                    email: "eve@acme.test".to_owned(),
                    name: "Eve".to_owned(),
                    role: role(Role::TenantAdmin),
                };
                keyring.invite_person(admin, &new).await.map(drop)
            }
            .boxed(),
        ),
        (
            "making a property",
            async move { keyring.create_property(admin, NewProperty { name: "Annexe".to_owned() }).await.map(drop) }
                .boxed(),
        ),
        (
            "making a group",
            async move {
                let permissions = vec!["*".to_owned()];
                let new = NewGroup { name: "Mine".to_owned(), group_type: GroupType::Person, permissions };
                keyring.create_group(admin, new).await.map(drop)
            }
            .boxed(),
        ),
        (
            "generating a key",
            async move {
                let groups = keyring.groups(&ana.tenant).await?;
                let draft =
                    KeyDraft { name: "Mine".to_owned(), group: groups[0].id.to_string(), ..KeyDraft::default() };
                keyring.generate_key(admin, &NewKey { draft, expiration: ExpirationDraft::Never }).await.map(drop)
            }
            .boxed(),
        ),
        (
            "rotating a key",
            async move { keyring.rotate_key(admin, &ana.key, 1, &keyring::Rotation::default()).await.map(drop) }
                .boxed(),
        ),
        ("revoking a key", keyring.revoke_key(admin, &ana.key).map(|done| done.map(drop)).boxed()),
        ("deleting a key", keyring.delete_key(admin, &ana.key).boxed()),
    ]
}

fn changes_as_holder<'a>(keyring: &'a Keyring, holder: &'a KeyHolder) -> Changes<'a> {
    let draft = KeyDraft { name: "Mine".to_owned(), read: true, ..KeyDraft::default() };
    let new = NewKey { draft, expiration: ExpirationDraft::Never };
    vec![("generating a personal key", async move { keyring.generate_key(holder, &new).await.map(drop) }.boxed())]
}

fn changes_as_person<'a>(keyring: &'a Keyring, signed_in: &'a ActiveSession) -> Changes<'a> {
    vec![
        ("renaming herself", keyring.rename_oneself(signed_in, "Another name").boxed()),
        (
            "changing the password",
            async move {
                let new = "another long password".to_owned().into();
                keyring.change_password(signed_in, PASSWORD.to_owned().into(), new).await
            }
            .boxed(),
        ),
        ("setting up a factor", async move { keyring.turn_on_second_factor(signed_in, "x").await.map(drop) }.boxed()),
        ("turning a factor off", keyring.turn_off_second_factor(signed_in).boxed()),
        ("renewing codes", keyring.renew_recovery_codes(signed_in).map(|done| done.map(drop)).boxed()),
        ("signing out everywhere", keyring.sign_out_everywhere(signed_in).boxed()),
    ]
}

fn is_session_ended(error: &Error) -> bool {
    matches!(error, Error::SessionEnded)
}

fn member() -> NewRole {
    NewRole { role: Role::Member.as_str().to_owned(), groups: Vec::new() }
}

async fn deactivated_admin_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.deactivate(&ana.tenant, &ana.id).await.unwrap();
    let refused = |error: &Error| is_session_ended(error) || is_about_oneself(error);
    ana.is_refused_everything(&app, refused).await;
    ana.is_refused_own_changes(&app).await;
    // Reactivation gives no session back.
    app.keyring.reactivate(&ana.tenant, &ana.id).await.unwrap();
    ana.is_refused_everything(&app, refused).await;
}

async fn demoted_admin_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.set_role(&ana.tenant, &ana.id, &member()).await.unwrap();
    let before = ana.sequence(&app).await;
    for (what, change) in changes_as_admin(&app.keyring, &ana.admin, &ana) {
        let error = change.await.expect_err(what);
        assert!(matches!(error, Error::AccessChanged) || is_about_oneself(&error), "{what}: {error:?}");
    }
    assert_eq!(ana.sequence(&app).await, before, "nothing was written");
    app.keyring.rename_oneself(&ana.signed_in, "Anna").await.expect("she may still do what members may");
}

/// Refused without a look at the session.
fn is_about_oneself(error: &Error) -> bool {
    matches!(error, Error::Refused(reason) if reason.starts_with("You cannot"))
}

async fn signed_out_admin_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.end_sessions_of(&ana.tenant, &ana.id).await.unwrap();
    ana.is_refused_everything(&app, |error| is_session_ended(error) || is_about_oneself(error)).await;
    ana.is_refused_own_changes(&app).await;
    app.keyring.sign_out(&ana.token, home()).await.expect("twice is once");
}

async fn admin_who_signed_out_everywhere_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.sign_out_everywhere(&app.at_the_console(ANA).await).await.unwrap();
    ana.is_refused_everything(&app, |error| is_session_ended(error) || is_about_oneself(error)).await;
}

async fn other_session_changes_nothing_after_a_password_change(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let elsewhere = app.at_the_console(ANA).await;
    let new = "another long password".to_owned();
    app.keyring.change_password(&elsewhere, PASSWORD.to_owned().into(), new.into()).await.unwrap();
    ana.is_refused_everything(&app, |error| is_session_ended(error) || is_about_oneself(error)).await;
    app.keyring
        .create_property(&elsewhere.as_admin().unwrap(), NewProperty { name: "Annexe".to_owned() })
        .await
        .unwrap();
}

async fn expired_session_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.advance(keyring::SESSION_IDLE);
    ana.is_refused_everything(&app, |error| is_session_ended(error) || is_about_oneself(error)).await;
    ana.is_refused_own_changes(&app).await;
}

async fn admin_without_required_mfa_changes_nothing(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.require_second_factor(&ana.tenant, true).await.unwrap();
    let refused = |error: &Error| matches!(error, Error::MfaEnrollmentRequired { .. }) || is_about_oneself(error);
    ana.is_refused_everything(&app, refused).await;
}

async fn promoted_member_keeps_their_own_keys(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let mia = app.at_the_console("mia@acme.test").await.as_key_holder().unwrap();
    let admin = NewRole { role: Role::TenantAdmin.as_str().to_owned(), groups: Vec::new() };
    app.keyring.set_role(&ana.tenant, &ana.mia, &admin).await.unwrap();
    for (what, change) in changes_as_holder(&app.keyring, &mia) {
        change.await.expect(what);
    }
}

/// A super user with a session that has entered the tenant.
async fn root_within(app: &TestKeyring, tenant: &TenantAdmin) -> (SessionToken, ActiveSession) {
    let new = NewPerson { email: ROOT.to_owned(), name: "Root".to_owned(), password: PASSWORD.to_owned().into() };
    app.keyring.ensure_super_user(new).await.unwrap();
    let token = app.sign_in(ROOT, PASSWORD).await.unwrap();
    app.keyring.enter_tenant(&app.whose(&token).await, &tenant.tenant().id).await.unwrap();
    let within = app.whose(&token).await;
    (token, within)
}

async fn super_user_who_left_the_tenant_changes_nothing_in_it(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let other = app.tenant("other").await;
    let (token, within) = root_within(&app, &ana.tenant).await;
    let admin = within.as_admin().unwrap();
    for elsewhere in [None, Some(&other.tenant().id)] {
        app.keyring.leave_tenant(&within).await.unwrap();
        if let Some(elsewhere) = elsewhere {
            app.keyring.enter_tenant(&app.whose(&token).await, elsewhere).await.unwrap();
        }
        let before = ana.sequence(&app).await;
        for (what, change) in changes_as_admin(&app.keyring, &admin, &ana) {
            let error = change.await.expect_err(what);
            assert!(matches!(error, Error::AccessChanged), "{what}: {error:?}");
        }
        assert_eq!(ana.sequence(&app).await, before, "nothing was written");
    }
}

async fn signed_out_super_user_changes_nothing_anywhere(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let (_, within) = root_within(&app, &ana.tenant).await;
    let (admin, super_user) = (within.as_admin().unwrap(), within.as_super_user().unwrap());
    app.keyring.set_password(ROOT, PersonScope::Everyone, "another long password".to_owned().into()).await.unwrap();
    let before = ana.sequence(&app).await;
    for (what, change) in changes_as_admin(&app.keyring, &admin, &ana) {
        let error = change.await.expect_err(what);
        assert!(is_session_ended(&error), "{what}: {error:?}");
    }
    let limit = TenantChange { key_limit: Some(1000), ..TenantChange::default() };
    let changed = app.keyring.change_tenant(&super_user, &ana.tenant.tenant().id, limit).await;
    assert!(matches!(changed, Err(Error::SessionEnded)), "{changed:?}");
    let new = NewTenant { slug: "mine".to_owned(), name: "Mine".to_owned(), key_limit: None, time_zone: None };
    assert!(matches!(app.keyring.create_tenant(&super_user, new).await, Err(Error::SessionEnded)));
    assert!(matches!(app.keyring.leave_tenant(&within).await, Err(Error::SessionEnded)));
    assert_eq!(ana.sequence(&app).await, before, "nothing was written");
    assert_eq!(app.keyring.tenants(&SuperUser::operator()).await.unwrap().len(), 1);
}

/// Keeps all who want to add to a chain waiting until it is released.
enum Held {
    File { transaction: WriteTransaction },
    Server { transaction: DatabaseTransaction },
}

impl Held {
    async fn on(app: &TestKeyring, chain: &str) -> Self {
        let pool = app.keyring.database().pool();
        if !pool.is_shared() {
            return Self::File { transaction: pool.begin_write().await.unwrap() };
        }
        let transaction = app.connection().await.begin().await.unwrap();
        let sql = format!("SELECT id FROM audit_chain WHERE id = '{chain}' FOR UPDATE");
        transaction.execute_unprepared(&sql).await.unwrap();
        Self::Server { transaction }
    }

    /// Waits until this many requests wait. Those for a SQLite file queue in the order in which they were first polled.
    async fn until_waiting(&self, app: &TestKeyring, wanted: i64) {
        let Self::Server { .. } = self else { return };
        let connection = app.connection().await;
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let statement = Statement::from_string(connection.get_database_backend(), sql);
            let row = connection.query_one_raw(statement).await.unwrap().unwrap();
            let waiting: i64 = row.try_get_by_index(0).unwrap();
            if waiting >= wanted {
                return;
            }
            assert!(Instant::now() < deadline, "only {waiting} of {wanted} wait");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn release(self) {
        match self {
            Self::File { transaction } => transaction.rollback().await.unwrap(),
            Self::Server { transaction } => transaction.rollback().await.unwrap(),
        }
    }
}

async fn queued_changes_of_a_deactivated_admin_are_refused(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let held = Held::on(&app, ana.tenant.tenant().id.as_str()).await;
    let removal = app.keyring.deactivate(&ana.tenant, &ana.id);
    let late = changes_as_admin(&app.keyring, &ana.admin, &ana);
    let count = late.len();
    let late = async {
        held.until_waiting(&app, 1).await;
        let late = join_all(late.into_iter().map(|(what, change)| change.map(move |done| (what, done))));
        // Two of them are about Ana herself, and do not even wait.
        let release = async {
            held.until_waiting(&app, 1 + count as i64 - 2).await;
            held.release().await;
        };
        tokio::join!(late, release).0
    };
    let (removed, late) = tokio::join!(removal, late);
    removed.unwrap();
    for (what, done) in late {
        let error = done.expect_err(what);
        assert!(is_session_ended(&error) || is_about_oneself(&error), "{what}: {error:?}");
    }
    let profile = app.keyring.person(&ana.tenant, &ana.id).await.unwrap();
    assert_eq!((profile.person.role, profile.state), (Role::TenantAdmin, PersonState::Deactivated));
    let events = app.keyring.audit_stretch(Some(&ana.tenant), &Default::default(), 1).await.unwrap();
    assert_eq!(events[0].action.as_str(), "person.switched_off", "nothing came after it");
}

async fn queued_change_of_a_super_user_in_a_tenant_is_refused(app: TestKeyring) {
    let tenant = app.tenant("acme").await;
    let (_, within) = root_within(&app, &tenant).await;
    let admin = within.as_admin().unwrap();
    let elsewhere = app.at_the_console(ROOT).await;
    // Super users' sessions are ended on the platform's chain, and what they do in a tenant is on another.
    let held = Held::on(&app, "platform").await;
    let removal = app.keyring.sign_out_everywhere(&elsewhere);
    let late = async {
        held.until_waiting(&app, 1).await;
        let late = app.keyring.create_property(&admin, NewProperty { name: "Annexe".to_owned() });
        let release = async {
            held.until_waiting(&app, 2).await;
            held.release().await;
        };
        tokio::join!(late, release).0
    };
    let (removed, late) = tokio::join!(removal, late);
    removed.unwrap();
    assert!(is_session_ended(&late.unwrap_err()));
}

async fn people_cannot_reactivate_themselves_or_change_their_own_role(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    let (_, root) = root_within(&app, &ana.tenant).await;
    for (who, admin, id) in [("Ana", &ana.admin, &ana.id), ("Root", &root.as_admin().unwrap(), &root.person.id)] {
        assert!(is_about_oneself(&app.keyring.reactivate(admin, id).await.unwrap_err()), "{who}");
        for role in [Role::Member, Role::TenantAdmin] {
            let new = NewRole { role: role.as_str().to_owned(), groups: Vec::new() };
            assert!(is_about_oneself(&app.keyring.set_role(admin, id, &new).await.unwrap_err()), "{who}");
        }
    }
}

async fn super_user_acts_and_signs_out_concurrently_without_deadlock(app: TestKeyring) {
    let (acme, other) = (app.tenant("acme").await, app.tenant("other").await);
    for round in 0..5 {
        let mut changes: Vec<BoxFuture<'static, Result<(), Error>>> = Vec::new();
        for tenant in [&acme, &other] {
            let (_, within) = root_within(&app, tenant).await;
            for number in 0..4 {
                let (keyring, admin) = (app.keyring.clone(), within.as_admin().unwrap());
                let new = NewProperty { name: format!("Annexe {round}-{number}") };
                changes.push(async move { keyring.create_property(&admin, new).await.map(drop) }.boxed());
            }
            let (keyring, root) = (app.keyring.clone(), within.clone());
            changes.push(async move { keyring.rename_oneself(&root, &format!("Root {round}")).await }.boxed());
            let keyring = app.keyring.clone();
            changes.push(async move { keyring.leave_tenant(&within).await }.boxed());
        }
        let (_, root) = root_within(&app, &acme).await;
        let keyring = app.keyring.clone();
        changes.push(async move { keyring.sign_out_everywhere(&root).await }.boxed());
        let tasks: Vec<_> = changes.into_iter().map(tokio::spawn).collect();
        for done in join_all(tasks).await {
            match done.unwrap() {
                Ok(()) | Err(Error::SessionEnded | Error::AccessChanged) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
    }
}

async fn lagging_clock_does_not_revive_an_ended_session(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.advance(TimeDelta::minutes(5));
    app.keyring.end_sessions_of(&ana.tenant, &ana.id).await.unwrap();
    let lagging = app.reopen_at(app.now() - TimeDelta::minutes(2)).await;
    assert!(lagging.signed_in(&ana.token, home()).await.unwrap().is_none(), "ended, regardless of the clock");
    assert!(app.keyring.signed_in(&ana.token, home()).await.unwrap().is_none(), "and not put off");
}

async fn renamed_admin_is_audited_under_the_new_name(app: TestKeyring) {
    let ana = Ana::on(&app).await;
    app.keyring.rename_oneself(&ana.signed_in, "Anna").await.unwrap();
    app.keyring.create_property(&ana.admin, NewProperty { name: "Annexe".to_owned() }).await.unwrap();
    let events = app.keyring.audit_stretch(Some(&ana.tenant), &Default::default(), 1).await.unwrap();
    assert_eq!((events[0].actor.as_str(), events[0].actor_name.as_str()), (ana.id.to_string().as_str(), "Anna"));
}
