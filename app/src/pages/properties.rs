//! The properties that keys can be narrowed to.

use axum::response::Response;
use domain::property::Property;
use keyring::{PropertyOverview, TenantProperty, TimeZone};
use leptos::prelude::*;

use super::{AdminVisitor, problem};
use crate::{
    components::{Crumbs, DataTable, Icon, fields::TextField},
    functions::CreateProperty,
    islands::{Afterwards, FormDialog, FormSpec, Opener},
    numbers::counted,
    times,
};

mod actions;
mod detail;

pub(crate) use detail::property;

use actions::{Archive, Rename, Restore};

const PATH: &str = "/properties";
const PART: &str = "Organization";

fn address_of(property: &Property) -> String {
    format!("{PATH}/{}", property.id)
}

pub(crate) async fn properties(AdminVisitor { visitor, admin }: AdminVisitor) -> Response {
    match visitor.visit.console.keyring.property_overviews(&admin).await {
        Ok(properties) => {
            let zone = TimeZone::of(admin.tenant());
            visitor.page("Properties").render(move || view! { <List properties=properties.clone() zone/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the properties could not be listed").await,
    }
}

#[component]
fn List(properties: Vec<PropertyOverview>, zone: TimeZone) -> impl IntoView {
    let (archived, live): (Vec<_>, Vec<_>) =
        properties.into_iter().partition(|overview| overview.property.archived_at.is_some());
    let is_empty = live.is_empty();
    view! {
        <Crumbs part=PART/>
        <header class="page-header">
            <h1>"Properties"</h1>
            <div class="page-actions">{(!is_empty).then(|| view! { <Create/> })}</div>
        </header>
        {if is_empty { view! { <None/> }.into_any() } else { view! { <Live properties=live/> }.into_any() }}
        {(!archived.is_empty()).then(|| view! { <Archived properties=archived zone/> })}
    }
}

#[component]
fn Create() -> impl IntoView {
    let afterwards = Afterwards::reload("Created “{name}”.", "#{answer} a");
    let form = FormSpec::calling::<CreateProperty>("new-property", "Create", "Creating…", afterwards);
    let opener = Opener::button("New property").with_icon("plus").with_class("button primary");
    view! {
        <FormDialog opener title="New property".to_owned() form>
            <TextField
                form="new-property"
                name="name"
                label="Name"
                placeholder="For example: Harbour House"
                hint="Keys with access to all properties include it immediately; others once you select it for them."
            />
        </FormDialog>
    }
}

#[component]
fn None() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="building"/></span>
            <h2>"No properties yet"</h2>
            <p>
                "A property is a hotel or a site of your organization. Once there are some, each API key can be narrowed to \
                 those that its integration works with."
            </p>
            <Create/>
        </div>
    }
}

#[component]
fn Live(properties: Vec<PropertyOverview>) -> impl IntoView {
    let rows = properties.into_iter().map(|PropertyOverview { property, active_keys }| {
        let property = property.property;
        let id = property.id.to_string();
        view! {
            <tr id=id>
                <NameCell property=property.clone()/>
                <td>{counted(active_keys, "key", "keys")}</td>
                <td class="row-end">
                    <Rename property=property.clone() is_bare=true/>
                    <Archive property active_keys is_bare=true/>
                </td>
            </tr>
        }
    });
    view! {
        <div class="table-frame">
            <DataTable
                class="things"
                caption="Properties of this tenant"
                columns=&["Name", "Reached by"]
                unseen="Actions"
            >
                {rows.collect_view()}
            </DataTable>
        </div>
    }
}

#[component]
fn NameCell(property: Property) -> impl IntoView {
    let address = address_of(&property);
    view! { <th scope="row"><a href=address>{property.name}</a></th> }
}

#[component]
fn Archived(properties: Vec<PropertyOverview>, zone: TimeZone) -> impl IntoView {
    let rows = properties.into_iter().map(move |PropertyOverview { property, active_keys }| {
        let TenantProperty { property, archived_at } = property;
        let id = property.id.to_string();
        view! {
            <tr id=id>
                <NameCell property=property.clone()/>
                <td>{archived_at.map(|at| view! { <time datetime=at.to_rfc3339()>{times::date(at, zone)}</time> })}</td>
                <td class="row-end"><Restore property active_keys/></td>
            </tr>
        }
    });
    view! {
        <section class="archived" aria-labelledby="archived">
            <h2 id="archived">"Archived"</h2>
            <p class="hint">"No key reaches these. Restored, they are back for every key that still has them in its selection."</p>
            <div class="table-frame">
                <DataTable
                    class="things"
                    caption="Archived properties of this tenant"
                    columns=&["Name", "Archived"]
                    unseen="Actions"
                >
                    {rows.collect_view()}
                </DataTable>
            </div>
        </section>
    }
}
