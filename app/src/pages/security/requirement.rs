//! Whether a tenant asks everybody for a second factor. For its admins.

use domain::person::{PersonState, Profile};
use keyring::{Error, TenantAdmin};
use leptos::prelude::*;

use crate::{
    components::fields::{Checkbox, Pick},
    console::Console,
    functions::RequireSecondFactor,
    islands::{Afterwards, FormSpec, ServerForm},
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
    let form = FormSpec::calling::<RequireSecondFactor>("requirement", "Save", "Saving…", after(is_on));
    let option = Pick::new("", "Ask everybody for a second factor").picked(is_on);
    view! {
        <section class="panel security-panel" aria-labelledby="everybody">
            <h2 id="everybody" tabindex="-1">{format!("Everybody in {tenant}")}</h2>
            <p>{format!("{} of {people} people have a second factor.", people - without)}</p>
            <div class="security-form">
                <ServerForm form>
                    <div class="ticks"><Checkbox name="is_required" option/></div>
                    <p class="hint">
                        "Whoever has none, you as well, can then do nothing here until they set one up. Programs that call \
                         the public API with somebody’s password are refused; API keys keep working."
                    </p>
                </ServerForm>
            </div>
        </section>
    }
}

/// After a change, it is the other way round.
fn after(was_on: bool) -> Afterwards {
    let notice = if was_on { "Saved. It is up to each person now." } else { "Saved. Everybody is asked for one now." };
    Afterwards::reload(notice, "#everybody")
}
