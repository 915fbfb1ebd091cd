//! The second factor: whether it is on, and what can be done about it.

use keyring::{ActiveSession, Error, MfaAuthority};
use leptos::prelude::*;

use super::{SET_UP_PATH as SET_UP, codes_once};
use crate::{
    components::Icon,
    console::Console,
    functions::{RenewRecoveryCodes, TurnOffSecondFactor},
    islands::{Afterwards, FormDialog, FormSpec, Opener},
};

/// Fewer recovery codes than this are few.
const ENOUGH_CODES: u64 = 3;

#[derive(Clone)]
pub(super) struct Factor {
    is_on: bool,
    recovery_codes: u64,
    /// Who requires it, as the beginning of a sentence.
    required_by: Option<String>,
}

impl Factor {
    pub(super) async fn load(console: &Console, signed_in: &ActiveSession) -> Result<Self, Error> {
        Ok(Self {
            is_on: signed_in.has_second_factor,
            recovery_codes: console.keyring.recovery_codes_left(signed_in).await?,
            required_by: signed_in.second_factor_required_by().map(requirement),
        })
    }
}

/// The sentence that says who requires a second factor.
pub(super) fn requirement(by: MfaAuthority<'_>) -> String {
    match by {
        MfaAuthority::Installation => "This installation requires super users to have a second factor".to_owned(),
        MfaAuthority::Tenant(tenant) => format!("{} requires a second factor", tenant.name),
    }
}

#[component]
pub(super) fn FactorPanel(factor: Factor) -> impl IntoView {
    let (badge, state) = if factor.is_on { ("badge good", "On") } else { ("badge", "Off") };
    let content = if factor.is_on { view! { <On factor/> }.into_any() } else { view! { <Off/> }.into_any() };
    view! {
        <section class="panel security-panel" aria-labelledby="second-factor">
            <header class="panel-header">
                <h2 id="second-factor" tabindex="-1">"Second factor"</h2>
                <span class=badge>{state}</span>
            </header>
            {content}
        </section>
    }
}

#[component]
fn Off() -> impl IntoView {
    view! {
        <p>
            "With a second factor, signing in takes your password and a code from an app on your phone. Anyone who finds \
             out your password alone does not get in."
        </p>
        <p class="hint">"A password no longer opens the public API then; API keys do as before."</p>
        <div class="security-actions">
            <a class="button primary" href=SET_UP><Icon name="lock"/>"Set up"</a>
        </div>
    }
}

#[component]
fn On(factor: Factor) -> impl IntoView {
    let Factor { recovery_codes, required_by, .. } = factor;
    let is_required = required_by.is_some();
    view! {
        <p>"Signing in takes your password and a code from your authenticator app, or a recovery code instead of it."</p>
        <CodesLeft left=recovery_codes/>
        {required_by.map(|requirement| view! { <p class="hint">{format!("{requirement}, so it cannot be turned off.")}</p> })}
        <div class="security-actions">
            <RenewCodes/>
            {(!is_required).then(|| view! { <TurnOff/> })}
        </div>
    }
}

#[component]
fn CodesLeft(left: u64) -> impl IntoView {
    let told = match left {
        0 => "You have no recovery codes left.".to_owned(),
        1 => "You have 1 recovery code left.".to_owned(),
        left => format!("You have {left} recovery codes left."),
    };
    if left >= ENOUGH_CODES {
        return view! { <p>{told}</p> }.into_any();
    }
    view! {
        <p class="callout warning">
            <Icon name="warning"/>
            <span>{told}" Make new ones: without any, losing your phone would lock you out."</span>
        </p>
    }
    .into_any()
}

#[component]
fn RenewCodes() -> impl IntoView {
    let after = Afterwards::reload("New recovery codes are in force. The old ones have ended.", "#second-factor");
    let after = after.revealing(codes_once());
    let form = FormSpec::calling::<RenewRecoveryCodes>("renew-codes", "Make new codes", "Making…", after);
    view! {
        <FormDialog opener=Opener::button("Make new recovery codes") title="Make new recovery codes".to_owned() form>
            <p>"You get ten new codes. The ones that you have now end immediately."</p>
        </FormDialog>
    }
}

#[component]
fn TurnOff() -> impl IntoView {
    let after = Afterwards::reload("Your second factor is off.", "#second-factor");
    let form = FormSpec::calling::<TurnOffSecondFactor>("turn-off", "Turn off", "Turning off…", after).dangerous();
    view! {
        <FormDialog opener=Opener::button("Turn off") title="Turn off the second factor".to_owned() form>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>"From then on your password alone opens your account. Your recovery codes end as well."</span>
            </p>
        </FormDialog>
    }
}
