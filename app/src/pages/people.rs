//! The people of a tenant.

use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::{
    id::PersonId,
    key::GroupName,
    person::{PersonState, Profile, Role},
};
use keyring::TimeZone;
use leptos::prelude::*;

use super::{AdminVisitor, problem};
use crate::{
    components::{Crumbs, DataTable, Icon},
    times,
};

mod fields;
mod new;
mod person;
mod second_factor;

pub(crate) use new::person_new;
pub(crate) use person::person;
use second_factor::{SecondFactorPanel, WithoutOne};

const PATH: &str = "/people";

/// The part of the navigation that people are in.
const PART: &str = "Organization";

/// Where a person's own page is.
fn address_of(person: &PersonId) -> String {
    format!("{PATH}/{person}")
}

pub(crate) async fn people(AdminVisitor { visitor, admin }: AdminVisitor) -> Response {
    let keyring = &visitor.visit.console.keyring;
    match keyring.people(Some(&admin)).await {
        Ok(people) => {
            let (is_required, now) = (admin.tenant().requires_second_factor, keyring.now());
            let without_one = WithoutOne::among(&people, &admin);
            let listed = Listed { people, is_required, without_one, now, zone: TimeZone::of(admin.tenant()) };
            visitor.page("People").render(move || view! { <PeoplePage listed=listed.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the people could not be listed").await,
    }
}

#[derive(Clone)]
struct Listed {
    people: Vec<Profile>,
    is_required: bool,
    without_one: WithoutOne,
    now: DateTime<Utc>,
    zone: TimeZone,
}

#[component]
fn PeoplePage(listed: Listed) -> impl IntoView {
    let Listed { people, is_required, without_one, now, zone } = listed;
    let list = if people.is_empty() {
        view! { <Nobody/> }.into_any()
    } else {
        view! { <PeopleTable people now zone/> }.into_any()
    };
    view! {
        <Crumbs part=PART/>
        <header class="page-header">
            <h1>"People"</h1>
            <a class="button primary page-actions" href="/people/new"><Icon name="plus"/>"Invite a person"</a>
        </header>
        <div class="panels">
            {list}
            <SecondFactorPanel is_required without_one/>
        </div>
    }
}

#[component]
fn PeopleTable(people: Vec<Profile>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let rows = people.into_iter().map(move |profile| view! { <PersonRow profile now zone/> });
    view! {
        <section class="panel" aria-label="People">
            <DataTable
                caption="People of this tenant, by e-mail address"
                columns=&["Person", "Role", "State", "Groups", "Second factor", "Last seen"]
            >
                {rows.collect_view()}
            </DataTable>
        </section>
    }
}

#[component]
fn PersonRow(profile: Profile, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let Profile { person, state, groups, has_second_factor, last_seen_at } = profile;
    view! {
        <tr id=person.id.to_string()>
            <th scope="row">
                <a class="person" href=address_of(&person.id)>{person.name}</a>
                <span class="minor">{person.email.as_str().to_owned()}</span>
            </th>
            <td data-label="Role"><RoleBadge role=person.role/></td>
            <td data-label="State"><StateBadge state/></td>
            <td data-label="Groups">{groups_in_words(person.role, &groups)}</td>
            <td data-label="Second factor">{if has_second_factor { "Yes" } else { "No" }}</td>
            <td data-label="Last seen"><LastSeen at=last_seen_at now zone/></td>
        </tr>
    }
}

#[component]
fn Nobody() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="people"/></span>
            <h2>"This tenant has no people yet"</h2>
            <p>"Invite its first admin. They get a link by which they choose a password."</p>
        </div>
    }
}

/// An admin may do everything, whatever groups they are in.
fn groups_in_words(role: Role, groups: &[GroupName]) -> String {
    let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    match (role, names.is_empty()) {
        (Role::Member, true) => "None".to_owned(),
        (Role::Member, false) => names.join(", "),
        (Role::TenantAdmin | Role::SuperUser, _) => "Not needed".to_owned(),
    }
}

#[component]
fn RoleBadge(role: Role) -> impl IntoView {
    view! { <span class="badge">{role.label()}</span> }
}

#[component]
fn StateBadge(state: PersonState) -> impl IntoView {
    let (class, words) = match state {
        PersonState::Invited => ("badge warning", "Invited"),
        PersonState::Active => ("badge good", "Active"),
        PersonState::Deactivated => ("badge danger", "Switched off"),
    };
    view! { <span class=class>{words}</span> }
}

#[component]
fn LastSeen(at: Option<DateTime<Utc>>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    match at {
        None => view! { <span class="minor">"Not lately"</span> }.into_any(),
        Some(at) => view! {
            <time datetime=at.to_rfc3339() title=times::exact(at, zone)>{times::relative(at, now)}</time>
        }
        .into_any(),
    }
}
