//! One tenant: what it is called, how many keys it may have, whether it may have any, and the way in.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use domain::{
    id::{Id, TenantId},
    tenant::Tenant,
};
use keyring::TenantOverview;
use leptos::prelude::*;

use super::{
    super::{SuperUserVisitor, problem},
    PART, Subscription, TENANTS_PATH,
    zones::ZoneField,
};
use crate::{
    components::{
        Crumbs, Icon,
        fields::{HiddenField, TextField},
    },
    functions::{ChangeTenant, EnterTenant, ResumeSubscription, StopSubscription},
    islands::{Afterwards, FormDialog, FormSpec, Opener, ServerForm},
    numbers::counted,
};

pub(crate) async fn tenant(
    SuperUserVisitor { visitor, super_user }: SuperUserVisitor,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(id) = id.ok().and_then(|Path(id)| TenantId::parse(&id).ok()) else {
        return problem::missing(visitor.page(problem::MISSING)).await;
    };
    match visitor.visit.console.keyring.tenant(&super_user, &id).await {
        Ok(overview) => {
            let title = format!("{} · Tenants", overview.tenant.name);
            visitor.page(title).render(move || view! { <TenantPage overview=overview.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the tenant could not be loaded").await,
    }
}

#[component]
fn TenantPage(overview: TenantOverview) -> impl IntoView {
    let TenantOverview { tenant, active_keys, people } = overview;
    view! {
        <Crumbs part=PART section="Tenants" href=TENANTS_PATH/>
        <header class="page-header" id=tenant.id.to_string()>
            <h1 tabindex="-1">{tenant.name.clone()}</h1>
            <Subscription is_on=tenant.api_keys/>
            <div class="page-actions"><Enter tenant=tenant.clone()/></div>
        </header>
        <div class="panels">
            <section class="panel" aria-label="At a glance">
                <dl class="facts">
                    <div><dt>"Slug"</dt><dd><code>{tenant.slug.clone()}</code></dd></div>
                    <div><dt>"Active keys"</dt><dd>{format!("{active_keys} of {}", tenant.key_limit)}</dd></div>
                    <div><dt>"People"</dt><dd>{counted(people, "person", "people")}</dd></div>
                </dl>
            </section>
            <section class="panel" aria-labelledby="subscription-title">
                <h2 id="subscription-title">"Subscription"</h2>
                <div class="deed"><SubscriptionSwitch tenant=tenant.clone() active_keys/></div>
            </section>
            <div class="page-form"><Terms tenant/></div>
        </div>
    }
}

#[component]
fn Enter(tenant: Tenant) -> impl IntoView {
    let form = FormSpec::calling::<EnterTenant>(
        "enter-tenant",
        "Enter",
        "Entering…",
        Afterwards::go("/", format!("You are in {} now.", tenant.name), "main h1"),
    );
    view! {
        <FormDialog opener=Opener::button("Enter").with_class("button primary") title=format!("Enter {}?", tenant.name) form>
            <HiddenField name="id" value=tenant.id.to_string()/>
            <p>
                "You can do there whatever its admins can, until you leave it or sign out. Its audit log notes that you came, \
                 what you do and when you leave, with your name and address."
            </p>
        </FormDialog>
    }
}

#[component]
fn SubscriptionSwitch(tenant: Tenant, active_keys: u64) -> impl IntoView {
    let focus = format!("#{} h1", tenant.id);
    let name = tenant.name.clone();
    if tenant.api_keys {
        let afterwards = Afterwards::reload(format!("The API keys of {name} are off."), focus);
        let form = FormSpec::calling::<StopSubscription>("stop-subscription", "Turn off", "Turning off…", afterwards);
        let opener = Opener::button("Turn API keys off");
        let consequence = format!(
            "{} of {name} stop working immediately, and so do the personal keys of its people: every call with them is refused.",
            counted(active_keys, "active key", "active keys")
        );
        view! {
            <p>"The subscription includes API keys."</p>
            <FormDialog opener title=format!("Turn off the API keys of {name}?") form=form.dangerous()>
                <HiddenField name="id" value=tenant.id.to_string()/>
                <p class="callout danger"><Icon name="warning"/><span>{consequence}</span></p>
                <p>"Nothing is deleted. Turn them on again, and all of them come back unchanged."</p>
            </FormDialog>
        }
        .into_any()
    } else {
        let afterwards = Afterwards::reload(format!("The API keys of {name} are on."), focus);
        let form = FormSpec::calling::<ResumeSubscription>("resume-subscription", "Turn on", "Turning on…", afterwards);
        let opener = Opener::button("Turn API keys on");
        view! {
            <p>"The subscription does not include API keys: none of them works, none can be generated, and passwords and access tokens do not open the API."</p>
            <FormDialog opener title=format!("Turn on the API keys of {name}?") form>
                <HiddenField name="id" value=tenant.id.to_string()/>
                <p>{format!("{} come back as they were, and work from the very next call.", counted(active_keys, "active key", "active keys"))}</p>
            </FormDialog>
        }
        .into_any()
    }
}

const FORM: &str = "change-tenant";

#[component]
fn Terms(tenant: Tenant) -> impl IntoView {
    let afterwards = Afterwards::reload("Saved.", format!("#{} h1", tenant.id));
    let form = FormSpec::calling::<ChangeTenant>(FORM, "Save", "Saving…", afterwards);
    view! {
        <ServerForm form>
            <section>
                <h2>"Settings"</h2>
                <HiddenField name="id" value=tenant.id.to_string()/>
                <TextField form=FORM name="name" label="Name" value=tenant.name/>
                <TextField
                    form=FORM
                    name="key_limit"
                    label="Key limit"
                    kind="number"
                    value=tenant.key_limit.to_string()
                    hint="How many active keys it may have. A lower limit takes none away."
                />
                <ZoneField form=FORM picked=tenant.time_zone/>
            </section>
        </ServerForm>
    }
}
