//! Whether everybody in a tenant needs a second factor.

use domain::person::{PersonState, Profile};
use keyring::TenantAdmin;
use leptos::prelude::*;

use crate::{
    components::Icon,
    functions::RequireSecondFactor,
    islands::{Afterwards, FormDialog, FormSpec, Opener},
};

/// The people who could sign in and have no second factor yet.
#[derive(Clone, Copy)]
pub(super) struct WithoutOne {
    people: usize,
    of: usize,
    /// Whether the admin who is looking is one of them.
    with_oneself: bool,
}

impl WithoutOne {
    pub(super) fn among(people: &[Profile], admin: &TenantAdmin) -> Self {
        let counted = || people.iter().filter(|profile| profile.state != PersonState::Deactivated);
        let without = || counted().filter(|profile| !profile.has_second_factor);
        let with_oneself = without().any(|profile| admin.is(&profile.person.id));
        Self { people: without().count(), of: counted().count(), with_oneself }
    }

    fn label(self) -> String {
        match (self.people, self.of) {
            (0, _) => "Everybody has one already.".to_owned(),
            (1, 1) => "The only person here has none yet.".to_owned(),
            (people, of) if people == of => format!("None of the {of} people has one yet."),
            (1, of) => format!("1 of {of} people has none yet."),
            (people, of) => format!("{people} of {of} people have none yet."),
        }
    }
}

#[component]
pub(super) fn SecondFactorPanel(is_required: bool, without_one: WithoutOne) -> impl IntoView {
    let (rule, change) = if is_required {
        ("Everybody has to have one.", view! { <Waive/> }.into_any())
    } else {
        ("It is left to each person whether they have one.", view! { <Require without_one/> }.into_any())
    };
    view! {
        <section class="panel" aria-labelledby="second-factor">
            <header class="panel-header">
                <h2 id="second-factor" tabindex="-1">"Second factor"</h2>
                {change}
            </header>
            <p>{rule}" "{without_one.label()}</p>
        </section>
    }
}

#[component]
fn Require(without_one: WithoutOne) -> impl IntoView {
    let after = Afterwards::reload("From now on, everyone needs a second factor.", "#second-factor");
    let form = FormSpec::calling::<RequireSecondFactor>("require-second-factor", "Require it", "Saving…", after);
    let oneself = without_one.with_oneself.then_some("You are one of them: you will be asked to set yours up. ");
    view! {
        <FormDialog
            opener=Opener::button("Require a second factor for everyone").with_icon("lock").with_class("button long-label")
            title="Require a second factor for everyone".to_owned()
            form
        >
            <Answer is_required=true/>
            <p class="callout warning">
                <Icon name="warning"/>
                <span>
                    {without_one.label()}" "{oneself}
                    "People without one can do nothing else in the console until they have set one up. "
                    "With e-mail and password (Basic and JWT) people of this tenant cannot call the API any more, with a second factor or without."
                </span>
            </p>
            <p>"API keys keep working, personal ones as well."</p>
        </FormDialog>
    }
}

/// What the form says without asking: whoever presses its button has decided.
#[component]
fn Answer(is_required: bool) -> impl IntoView {
    view! { <input type="checkbox" name="is_required" checked=is_required hidden/> }
}

#[component]
fn Waive() -> impl IntoView {
    let after = Afterwards::reload("A second factor is left to each person now.", "#second-factor");
    let form = FormSpec::calling::<RequireSecondFactor>("waive-second-factor", "Leave it to them", "Saving…", after);
    view! {
        <FormDialog opener=Opener::button("Leave it to each person") title="Leave it to each person".to_owned() form>
            <Answer is_required=false/>
            <p class="callout warning">
                <Icon name="warning"/>
                <span>
                    "People can then turn their second factor off, and those without one sign in with their password alone. "
                    "The API lets those in with e-mail and password (Basic and JWT) again."
                </span>
            </p>
            <p>"This turns off no second factor."</p>
        </FormDialog>
    }
}
