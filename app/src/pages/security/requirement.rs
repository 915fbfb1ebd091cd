//! Whether a tenant asks everybody for a second factor. For its admins.

use domain::person::{PersonState, Profile};
use keyring::{Error, TenantAdmin};
use leptos::prelude::*;

use crate::{
    components::Icon,
    console::Console,
    functions::{RequireSecondFactor, WaiveSecondFactor},
    islands::{Afterwards, FormDialog, FormSpec, Opener},
};

#[derive(Clone)]
pub(super) struct Requirement {
    tenant: String,
    is_on: bool,
    people: usize,
    without: usize,
}

impl Requirement {
    pub(super) async fn load(console: &Console, admin: &TenantAdmin) -> Result<Self, Error> {
        let people: Vec<Profile> = console.keyring.people(Some(admin)).await?;
        let people: Vec<&Profile> = people.iter().filter(|person| person.state != PersonState::SwitchedOff).collect();
        Ok(Self {
            tenant: admin.tenant().name.clone(),
            is_on: admin.tenant().requires_second_factor,
            people: people.len(),
            without: people.iter().filter(|person| !person.has_second_factor).count(),
        })
    }
}

#[component]
pub(super) fn RequirementPanel(requirement: Requirement) -> impl IntoView {
    let Requirement { tenant, is_on, people, without } = requirement;
    let (badge, state) = if is_on { ("badge good", "Required") } else { ("badge", "Up to each") };
    let told = if is_on {
        "Everybody needs a second factor. Whoever has none can do nothing but set one up, and passwords do not open the \
         public API."
    } else {
        "Everybody decides for themselves whether to have a second factor."
    };
    let action =
        if is_on { view! { <Waive tenant=tenant.clone()/> }.into_any() } else { view! { <Require/> }.into_any() };
    view! {
        <section class="panel security-panel" aria-labelledby="requirement">
            <header class="panel-header">
                <h2 id="requirement" tabindex="-1">{format!("Second factor of everybody in {tenant}")}</h2>
                <span class=badge>{state}</span>
            </header>
            <p>{told}</p>
            <p>{format!("{} of {people} people have one.", people - without)}</p>
            <div class="security-actions">{action}</div>
        </section>
    }
}

#[component]
fn Require() -> impl IntoView {
    let after = Afterwards::reload("Everybody is asked for a second factor from now on.", "#requirement");
    let form = FormSpec::calling::<RequireSecondFactor>("require", "Ask everybody", "Saving…", after);
    view! {
        <FormDialog opener=Opener::button("Ask everybody for it") title="Ask everybody for a second factor".to_owned() form=form.dangerous()>
            <p class="callout warning">
                <Icon name="warning"/>
                <span>
                    "Whoever has none, you as well, can do nothing here until they set one up. Programs that call the \
                     public API with somebody’s password are refused from now on; API keys keep working."
                </span>
            </p>
        </FormDialog>
    }
}

#[component]
fn Waive(tenant: String) -> impl IntoView {
    let after = Afterwards::reload("Nobody is asked for a second factor any more.", "#requirement");
    let form = FormSpec::calling::<WaiveSecondFactor>("waive", "Leave it to each", "Saving…", after);
    view! {
        <FormDialog opener=Opener::button("Leave it to each") title="Leave the second factor to each".to_owned() form>
            <p>{format!("People of {tenant} may turn their second factor off then. Those who have one keep it until they do.")}</p>
        </FormDialog>
    }
}
