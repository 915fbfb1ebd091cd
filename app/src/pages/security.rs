//! What keeps a person's account their own: the second factor, the password, and where they are signed in.

use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::person::{Role, Session};
use keyring::{ActiveSession, Error, TimeZone};
use leptos::prelude::*;

use super::{Visitor, problem};
use crate::{
    components::{Crumbs, Icon},
    console::Console,
    islands::OnceWords,
};

mod factor;
mod password;
mod qr;
mod sessions;
mod set_up;

use factor::{Factor, FactorPanel, requirement};
use password::PasswordPanel;
use sessions::SessionsPanel;
pub(crate) use set_up::second_factor;

pub(super) const PATH: &str = "/security";

/// The page that sets a second factor up.
const SET_UP_PATH: &str = "/security/second-factor";

/// The words around recovery codes, which are shown this once.
fn codes_once() -> OnceWords {
    OnceWords {
        title: "Copy your recovery codes".to_owned(),
        warning: "Each of these lets you in once when you do not have your phone. Keep them where you keep your \
                  passwords, and not on the phone. They are never shown again."
            .to_owned(),
        label: "Recovery codes".to_owned(),
    }
}

pub(crate) async fn security(visitor: Visitor) -> Response {
    match Shown::load(&visitor.visit.console, &visitor.signed_in).await {
        Ok(shown) => visitor.page("Security").render(move || view! { <SecurityPage shown=shown.clone()/> }).await,
        Err(error) => problem::failed(&visitor, &error, "the security page could not be loaded").await,
    }
}

#[derive(Clone)]
struct Shown {
    owed: Option<Owed>,
    factor: Factor,
    email: String,
    sessions: Vec<Session>,
    now: DateTime<Utc>,
    zone: TimeZone,
}

/// A second factor that the person has yet to set up.
#[derive(Clone)]
struct Owed {
    /// Who requires it, as the beginning of a sentence.
    requirement: String,
    role: Role,
}

impl Owed {
    fn by(signed_in: &ActiveSession) -> Option<Self> {
        let by = signed_in.second_factor_required_by().filter(|_| signed_in.requires_mfa_enrollment())?;
        Some(Self { requirement: requirement(by), role: signed_in.person.role })
    }
}

impl Shown {
    async fn load(console: &Console, signed_in: &ActiveSession) -> Result<Self, Error> {
        Ok(Self {
            owed: Owed::by(signed_in),
            factor: Factor::load(console, signed_in).await?,
            email: signed_in.person.email.as_str().to_owned(),
            sessions: console.keyring.own_sessions(signed_in).await?,
            now: console.keyring.now(),
            zone: zone_of(signed_in),
        })
    }
}

/// That of the tenant; a super user may be in none.
fn zone_of(signed_in: &ActiveSession) -> TimeZone {
    signed_in.tenant.as_ref().map_or(TimeZone::UTC, TimeZone::of)
}

#[component]
fn SecurityPage(shown: Shown) -> impl IntoView {
    let Shown { owed, factor, email, sessions, now, zone } = shown;
    view! {
        <Crumbs part="Account"/>
        <header class="page-header"><h1>"Security"</h1></header>
        {owed.map(|owed| view! { <OwedCallout owed/> })}
        <div class="panels">
            <FactorPanel factor/>
            <PasswordPanel email/>
            <SessionsPanel sessions now zone/>
        </div>
    }
}

#[component]
fn OwedCallout(owed: Owed) -> impl IntoView {
    let Owed { requirement, role } = owed;
    let out_of_reach = match role {
        Role::TenantAdmin | Role::SuperUser => "you can neither see nor change what is kept here",
        Role::Member => "you can neither see nor change your API keys",
    };
    view! {
        <p class="callout warning security-owed">
            <Icon name="warning"/>
            <span>
                <strong>{format!("{requirement}. ")}</strong>
                {format!("Until you have set yours up, {out_of_reach}. API keys that exist keep working.")}
            </span>
        </p>
    }
}
