//! The tenants of the installation, for its super users.

use axum::response::Response;
use domain::tenant::Tenant;
use keyring::TenantOverview;
use leptos::prelude::*;

use super::{SuperUserVisitor, TENANTS_PATH, problem};
use crate::{
    components::{Crumbs, DataTable, Icon},
    numbers::counted,
};

mod create;
mod detail;
mod zones;

pub(crate) use create::tenant_new;
pub(crate) use detail::tenant;

/// The part of the navigation that these pages are in.
const PART: &str = "Platform";
const NEW: &str = "/tenants/new";

pub(crate) async fn tenants(SuperUserVisitor { visitor, super_user }: SuperUserVisitor) -> Response {
    match visitor.visit.console.keyring.tenants(&super_user).await {
        Ok(tenants) => visitor.page("Tenants").render(move || view! { <Tenants tenants=tenants.clone()/> }).await,
        Err(error) => problem::failed(&visitor, &error, "the tenants could not be listed").await,
    }
}

/// Where a tenant's own page is.
fn address_of(tenant: &Tenant) -> String {
    format!("{TENANTS_PATH}/{}", tenant.id)
}

#[component]
fn Tenants(tenants: Vec<TenantOverview>) -> impl IntoView {
    let content =
        if tenants.is_empty() { view! { <NoTenants/> }.into_any() } else { view! { <Table tenants/> }.into_any() };
    view! {
        <Crumbs part=PART/>
        <header class="page-header">
            <h1>"Tenants"</h1>
            <div class="page-actions"><NewTenant/></div>
        </header>
        {content}
    }
}

#[component]
fn NewTenant() -> impl IntoView {
    view! { <a class="button primary" href=NEW><Icon name="plus"/>"New tenant"</a> }
}

#[component]
fn NoTenants() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="tenants"/></span>
            <h2>"No tenants yet"</h2>
            <p>"A tenant is an organization that hands out API keys. Make the first one and invite its admin."</p>
        </div>
    }
}

#[component]
fn Table(tenants: Vec<TenantOverview>) -> impl IntoView {
    let rows = tenants.into_iter().map(|overview| view! { <Row overview/> });
    view! {
        <section class="panel" aria-label="Tenants">
            <DataTable
                caption="The tenants of this installation"
                columns=&["Name", "Slug", "Keys", "People", "Subscription"]
            >
                {rows.collect_view()}
            </DataTable>
        </section>
    }
}

#[component]
fn Row(overview: TenantOverview) -> impl IntoView {
    let TenantOverview { tenant, active_keys, people } = overview;
    let address = address_of(&tenant);
    let keys = format!("{active_keys} of {}", tenant.key_limit);
    view! {
        <tr>
            <th scope="row"><a class="person" href=address>{tenant.name}</a></th>
            <td data-label="Slug"><code>{tenant.slug}</code></td>
            <td data-label="Keys">{keys}</td>
            <td data-label="People">{counted(people, "person", "people")}</td>
            <td data-label="Subscription"><Subscription is_on=tenant.api_keys/></td>
        </tr>
    }
}

#[component]
fn Subscription(is_on: bool) -> impl IntoView {
    if is_on {
        view! { <span class="badge good">"API keys on"</span> }
    } else {
        view! { <span class="badge danger">"API keys off"</span> }
    }
}
