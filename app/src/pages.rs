//! The pages, one file each. A page finds who asks, asks the engine, and shows what it says.

mod audit_log;
mod docs;
mod groups;
mod home;
mod invitation;
mod key;
mod key_list;
mod key_names;
mod key_new;
mod key_state;
mod own_keys;
mod people;
mod personal_keys;
mod problem;
mod profile;
mod properties;
mod security;
mod sign_in;
mod tenants;
mod whom;

use std::{borrow::Cow, convert::Infallible};

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use keyring::{ActiveSession, KeyHolder, SuperUser, TenantAdmin};

use crate::{
    console::Console,
    session,
    shell::{Page, Visit},
    url,
};

pub(crate) use audit_log::{audit_export, audit_log};
pub(crate) use docs::{api_reference, moving_to_a_key, problem_kind, using_a_key, verifying_keys};
pub(crate) use groups::{group, group_new, groups};
pub(crate) use home::home;
pub(crate) use invitation::invitation;
pub(crate) use key::{key, own_key, personal_key};
pub(crate) use key_list::key_list;
pub(crate) use key_new::{key_new, own_key_new};
pub(crate) use people::{people, person, person_new};
pub(crate) use personal_keys::personal_keys;
pub(crate) use problem::not_found;
pub(crate) use profile::profile;
pub(crate) use properties::{properties, property};
pub(crate) use security::{second_factor, security};
pub(crate) use sign_in::sign_in;
pub(crate) use tenants::{tenant, tenant_new, tenants};

/// The path of the list of tenants.
const TENANTS_PATH: &str = "/tenants";

/// What is open to people who have yet to set up the second factor that their tenant asks for.
const OPEN_TO_ALL: [&str; 4] = [security::PATH, "/security/second-factor", "/user-profile", "/user_profile"];

/// Somebody who is signed in. Whoever is not is led to the sign-in, and back from there; whoever owes a second factor,
/// to where it is set up.
pub(crate) struct Visitor {
    visit: Visit,
    signed_in: ActiveSession,
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visit = Visit::of(parts, console);
        match session::find_session(console, parts).await {
            Ok(Some(signed_in)) if signed_in.requires_mfa_enrollment() && !OPEN_TO_ALL.contains(&visit.path()) => {
                Err(Redirect::to(security::PATH).into_response())
            }
            Ok(Some(signed_in)) => Ok(Self { visit, signed_in }),
            Ok(None) => Err(to_sign_in(parts)),
            Err(error) => {
                tracing::error!(cause = %error.root_cause(), "the session could not be looked up");
                Err(problem::unavailable(visit.page(problem::UNAVAILABLE)).await)
            }
        }
    }
}

impl Visitor {
    /// A page with this person's navigation beside it.
    fn page(&self, title: impl Into<Cow<'static, str>>) -> Page {
        self.visit.page(title).beside_navigation(Some(self.signed_in.clone()))
    }
}

/// An admin of a tenant. Everybody else is told whom to ask.
pub(crate) struct AdminVisitor {
    visitor: Visitor,
    admin: TenantAdmin,
}

impl FromRequestParts<Console> for AdminVisitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        match visitor.signed_in.as_admin() {
            Ok(admin) => Ok(Self { visitor, admin }),
            Err(_) => Err(problem::not_allowed(&visitor).await),
        }
    }
}

/// An admin of a tenant that is subscribed to API keys. Without a subscription it is said whom to ask for one.
pub(crate) struct KeyAdminVisitor {
    visitor: Visitor,
    admin: TenantAdmin,
}

impl FromRequestParts<Console> for KeyAdminVisitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let AdminVisitor { visitor, admin } = AdminVisitor::from_request_parts(parts, console).await?;
        if admin.tenant().api_keys { Ok(Self { visitor, admin }) } else { Err(problem::not_subscribed(&visitor).await) }
    }
}

/// Somebody who runs the installation.
pub(crate) struct SuperUserVisitor {
    visitor: Visitor,
    super_user: SuperUser,
}

impl FromRequestParts<Console> for SuperUserVisitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        match visitor.signed_in.as_super_user() {
            Ok(super_user) => Ok(Self { visitor, super_user }),
            Err(_) => Err(problem::for_super_users(&visitor).await),
        }
    }
}

/// Somebody with keys of their own.
pub(crate) struct HolderVisitor {
    visitor: Visitor,
    holder: KeyHolder,
}

impl FromRequestParts<Console> for HolderVisitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Response> {
        let visitor = Visitor::from_request_parts(parts, console).await?;
        match visitor.signed_in.as_key_holder() {
            Ok(holder) => Ok(Self { visitor, holder }),
            Err(_) => Err(problem::not_allowed(&visitor).await),
        }
    }
}

fn to_sign_in(parts: &Parts) -> Response {
    let here = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let sign_in =
        if here == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", url::percent_encode(here)) };
    Redirect::to(&sign_in).into_response()
}

/// The parameters that a page was asked for with; none when they cannot be read.
pub(crate) struct Parameters(Vec<(String, String)>);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Query::try_from_uri(&parts.uri).map(|Query(pairs)| pairs).unwrap_or_default()))
    }
}

impl Parameters {
    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
