//! Authorization groups: named sets of permissions, for keys or for people.

use axum::response::Response;
use domain::{
    group::{Group, GroupType},
    permission::Permission,
};
use keyring::{GroupOverview, GroupUse, TenantGroup};
use leptos::prelude::*;

use super::{AdminVisitor, problem};
use crate::{
    components::{Crumbs, DataTable, Icon},
    numbers::counted,
};

mod create;
mod detail;
mod permissions;

pub(crate) use create::group_new;
pub(crate) use detail::group;

const PATH: &str = "/authorization-groups";
const NEW: &str = "/authorization-groups/new";
const SECTION: &str = "Authorization groups";

fn address_of(group: &Group) -> String {
    format!("{PATH}/{}", group.id)
}

const fn type_in_words(group_type: GroupType) -> &'static str {
    match group_type {
        GroupType::TenantApiKey => "For API keys",
        GroupType::Person => "For people",
    }
}

pub(crate) async fn groups(AdminVisitor { visitor, admin }: AdminVisitor) -> Response {
    match visitor.visit.console.keyring.group_overviews(&admin).await {
        Ok(groups) => visitor.page(SECTION).render(move || view! { <List groups=groups.clone()/> }).await,
        Err(error) => problem::failed(&visitor, &error, "the groups could not be listed").await,
    }
}

#[component]
fn List(groups: Vec<GroupOverview>) -> impl IntoView {
    let is_empty = groups.is_empty();
    view! {
        <Crumbs/>
        <header class="page-header">
            <h1>{SECTION}</h1>
            <div class="page-actions">{(!is_empty).then(|| view! { <NewGroup/> })}</div>
        </header>
        {if is_empty { view! { <None/> }.into_any() } else { view! { <Table groups/> }.into_any() }}
    }
}

#[component]
fn NewGroup() -> impl IntoView {
    view! { <a class="button primary" href=NEW><Icon name="plus"/>"New group"</a> }
}

#[component]
fn None() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="shield"/></span>
            <h2>"No authorization groups yet"</h2>
            <p>
                "A group says what its holders may do: look up reservations, say, or make them. Each API key has one; people \
                 may have several. A change to a group applies to everyone in it."
            </p>
            <NewGroup/>
        </div>
    }
}

#[component]
fn Table(groups: Vec<GroupOverview>) -> impl IntoView {
    let rows = groups.into_iter().map(|GroupOverview { group: TenantGroup { group, .. }, used }| {
        let (id, address) = (group.id.to_string(), address_of(&group));
        let in_use = in_use(group.group_type, used);
        view! {
            <tr id=id>
                <th scope="row"><a href=address>{group.name}</a></th>
                <td>{type_in_words(group.group_type)}</td>
                <td><Permissions permissions=group.permissions/></td>
                <td>{in_use}</td>
            </tr>
        }
    });
    view! {
        <div class="table-frame">
            <DataTable
                class="things stacked"
                caption="Authorization groups of this tenant"
                columns=&["Name", "Type", "Permissions", "Used by"]
            >
                {rows.collect_view()}
            </DataTable>
        </div>
    }
}

/// `3 keys`, or `2 people`.
fn in_use(group_type: GroupType, used: GroupUse) -> String {
    match group_type {
        GroupType::Person => counted(used.people, "person", "people"),
        GroupType::TenantApiKey if used.revoked_keys == 0 => counted(used.active_keys, "key", "keys"),
        GroupType::TenantApiKey => {
            format!("{} and {} revoked", counted(used.active_keys, "key", "keys"), used.revoked_keys)
        }
    }
}

#[component]
fn Permissions(permissions: Vec<Permission>) -> impl IntoView {
    const SHOWN: usize = 6;
    let more = permissions.len().saturating_sub(SHOWN);
    let codes = permissions.into_iter().take(SHOWN);
    let codes = codes.map(|permission| view! { <code class="permission">{permission.to_string()}</code>" " });
    view! { {codes.collect_view()}{(more > 0).then(|| format!("and {more} more"))} }
}
