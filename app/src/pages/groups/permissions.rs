//! Picking what a group allows.

use domain::{
    permission::Permission,
    permission_catalog::{PermissionCatalog, WILDCARDS},
};
use leptos::prelude::*;

use crate::components::fields::{Checkbox, Pick, TextArea};

const PICKED: &str = "picked[]";

/// The permissions of the catalog as checkboxes, and all others as text.
#[component]
pub(super) fn PermissionFields(
    form: String,
    catalog: PermissionCatalog,
    permissions: Vec<Permission>,
) -> impl IntoView {
    let held: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    let others = permissions.iter().filter(|permission| !catalog.offers(permission)).map(ToString::to_string);
    let typed = others.collect::<Vec<_>>().join("\n");
    let pick = |permission: String, label: &str, hint: &str| {
        let is_picked = held.contains(&permission);
        Pick::new(permission, label).hint(hint).picked(is_picked)
    };
    let across = WILDCARDS.iter().map(|(permission, meaning)| {
        let label = if *permission == "*" { "All" } else { "Read" };
        pick((*permission).to_owned(), label, meaning)
    });
    let resources = catalog.resources();
    let rows = resources.iter().map(|resource| {
        let known = resource.permissions.iter();
        let options = known.map(|known| pick(known.permission.to_string(), &known.name, &known.description));
        let all = pick(resource.every_action(), "All", "also what is added later");
        view! { <ResourceRow name=resource.name.to_owned() label=resource.label() options=options.chain([all]).collect()/> }
    });
    view! {
        <fieldset class="field">
            <legend>"Permissions"</legend>
            <div class="resources">
                <div class="resource across">
                    <span class="resource-name" id="resource-across">"Across everything"</span>
                    <Ticks labelled_by="resource-across".to_owned() options=across.collect()/>
                </div>
                {rows.collect_view()}
            </div>
        </fieldset>
        <TextArea
            form
            name="permissions"
            label="Other permissions"
            value=typed
            is_optional=true
            is_code=true
            placeholder="invoices:read"
            hint="One a line: a resource and an action with a colon between, with * for either side. For what your own back ends ask Latchkey about."
        />
    }
}

#[component]
fn ResourceRow(name: String, label: String, options: Vec<Pick>) -> impl IntoView {
    let id = format!("resource-{name}");
    view! {
        <div class="resource">
            <span class="resource-name" id=id.clone()>{label}</span>
            <Ticks labelled_by=id options/>
        </div>
    }
}

#[component]
fn Ticks(labelled_by: String, options: Vec<Pick>) -> impl IntoView {
    let ticks = options.into_iter().map(|option| view! { <Checkbox name=PICKED option/> });
    view! { <div class="ticks" role="group" aria-labelledby=labelled_by>{ticks.collect_view()}</div> }
}
