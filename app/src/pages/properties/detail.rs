//! A property's own page.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use domain::id::{Id, PropertyId};
use keyring::{PropertyDetail, TenantProperty, TimeZone};
use leptos::prelude::*;

use super::{
    super::{AdminVisitor, key_names::Keys, problem},
    PART, PATH,
    actions::{Archive, Rename, Restore},
};
use crate::{components::Crumbs, times};

pub(crate) async fn property(
    AdminVisitor { visitor, admin }: AdminVisitor,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(id) = id.ok().and_then(|Path(id)| PropertyId::parse(&id).ok()) else {
        return problem::missing(visitor.page(problem::MISSING)).await;
    };
    match visitor.visit.console.keyring.property_detail(&admin, &id).await {
        Ok(detail) => {
            let title = format!("{} · Properties", detail.property.property.name);
            let zone = TimeZone::of(admin.tenant());
            visitor.page(title).render(move || view! { <PropertyPage detail=detail.clone() zone/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the property could not be loaded").await,
    }
}

#[component]
fn PropertyPage(detail: PropertyDetail, zone: TimeZone) -> impl IntoView {
    let PropertyDetail { property: TenantProperty { property, archived_at }, keys } = detail;
    let (id, name, active_keys) = (property.id.to_string(), property.name.clone(), keys.count);
    let (heading, none) = match archived_at {
        None => ("Keys that reach it", "No active key reaches this property."),
        Some(_) => ("Keys that would reach it, restored", "No active key has this property in its selection."),
    };
    let actions = match archived_at {
        None => view! { <Archive property=property.clone() active_keys/> }.into_any(),
        Some(_) => view! { <Restore property=property.clone() active_keys/> }.into_any(),
    };
    view! {
        <Crumbs part=PART section="Properties" href=PATH/>
        <header class="page-header" id=id>
            <h1 class="thing-title">{name}</h1>
            {archived_at.map(|at| view! {
                <span class="badge warning" title=format!("Archived on {}", times::exact(at, zone))>"Archived"</span>
            })}
            <div class="page-actions thing-actions"><Rename property/>{actions}</div>
        </header>
        <Keys heading keys none/>
    }
}
