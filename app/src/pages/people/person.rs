//! One person, as their tenant's admins see them.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use chrono::{DateTime, Utc};
use domain::{
    group::Group,
    id::{Id, PersonId},
    person::{Profile, Session},
};
use keyring::{Error, TenantAdmin, TimeZone};
use leptos::prelude::*;

use super::{
    super::{AdminVisitor, problem},
    LastSeen, PART, PATH, RoleBadge, StateBadge,
    fields::for_people,
    groups_in_words,
};
use crate::{components::Crumbs, console::Console};

mod access;
mod account;
mod sessions;

use access::AccessPanel;
use account::AccountPanel;
use sessions::SessionsPanel;

pub(crate) async fn person(
    AdminVisitor { visitor, admin }: AdminVisitor,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(id) = id.ok().and_then(|Path(id)| PersonId::parse(&id).ok()) else {
        return problem::missing(visitor.page(problem::MISSING)).await;
    };
    match Shown::load(&visitor.visit.console, &admin, &id).await {
        Ok(shown) => {
            let title = format!("{} · People", shown.profile.person.name);
            visitor.page(title).render(move || view! { <PersonPage shown=shown.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the person could not be loaded").await,
    }
}

#[derive(Clone)]
struct Shown {
    profile: Profile,
    /// The groups that they could be given.
    groups: Vec<Group>,
    sessions: Vec<Session>,
    personal_keys: u64,
    is_last_admin: bool,
    is_oneself: bool,
    now: DateTime<Utc>,
    zone: TimeZone,
}

impl Shown {
    async fn load(console: &Console, admin: &TenantAdmin, id: &PersonId) -> Result<Self, Error> {
        let keyring = &console.keyring;
        let profile = keyring.person(admin, id).await?;
        Ok(Self {
            groups: for_people(keyring.groups(admin).await?),
            sessions: keyring.sessions_of(admin, id).await?,
            personal_keys: keyring.active_keys_of(admin, id).await?,
            is_last_admin: keyring.is_last_admin(admin, &profile).await?,
            is_oneself: admin.is(id),
            now: keyring.now(),
            zone: TimeZone::of(admin.tenant()),
            profile,
        })
    }
}

#[component]
fn PersonPage(shown: Shown) -> impl IntoView {
    let Shown { profile, groups, sessions, personal_keys, is_last_admin, is_oneself, now, zone } = shown;
    let has_sessions = !sessions.is_empty();
    view! {
        <Crumbs part=PART section="People" href=PATH/>
        <header class="page-header key-header">
            <h1>{profile.person.name.clone()}</h1>
            <span class="badges"><RoleBadge role=profile.person.role/><StateBadge state=profile.state/></span>
            <p class="lead">{profile.person.email.as_str().to_owned()}</p>
        </header>
        <div class="panels">
            <Facts profile=profile.clone() personal_keys now zone/>
            <AccessPanel profile=profile.clone() groups is_last_admin is_oneself/>
            <SessionsPanel sessions now zone/>
            <AccountPanel profile personal_keys is_last_admin is_oneself has_sessions/>
        </div>
    }
}

#[component]
fn Facts(profile: Profile, personal_keys: u64, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let groups = groups_in_words(profile.person.role, &profile.groups);
    let second_factor = if profile.has_second_factor { "Yes" } else { "No" };
    view! {
        <section class="panel" aria-label="In short">
            <dl class="facts">
                <div><dt>"Groups"</dt><dd>{groups}</dd></div>
                <div><dt>"Second factor"</dt><dd>{second_factor}</dd></div>
                <div><dt>"Last seen"</dt><dd><LastSeen at=profile.last_seen_at now zone/></dd></div>
                <div><dt>"Personal API keys"</dt><dd><PersonalKeys count=personal_keys/></dd></div>
            </dl>
        </section>
    }
}

#[component]
fn PersonalKeys(count: u64) -> impl IntoView {
    if count == 0 {
        return view! { "None" }.into_any();
    }
    view! { <a href="/tenant-api-keys/personal">{format!("{count} active")}</a> }.into_any()
}
