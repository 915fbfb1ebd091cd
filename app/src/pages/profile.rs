//! The profile: who somebody is here, and what they may do.

use axum::response::Response;
use domain::{
    group::Group,
    person::{Person, Role},
};
use keyring::{ActiveSession, Error};
use leptos::prelude::*;

use super::{
    Parameters, Visitor,
    own_keys::{OwnKeys, OwnKeysSection},
    problem,
};
use crate::{components::Crumbs, console::Console};

mod about;

use about::About;

pub(crate) async fn profile(visitor: Visitor, parameters: Parameters) -> Response {
    let keys = OwnKeys::of(&visitor, &parameters).await;
    match Profile::load(&visitor.visit.console, &visitor.signed_in).await {
        Ok(profile) => {
            let page = visitor.page("Profile");
            page.render(move || view! { <ProfilePage profile=profile.clone() keys=keys.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the groups could not be loaded").await,
    }
}

#[derive(Clone)]
struct Profile {
    person: Person,
    /// None for a super user, who belongs to no tenant.
    tenant: Option<String>,
    /// The tenant's slug, which people need to sign in where several tenants know their address.
    organization: Option<String>,
    groups: Vec<Group>,
}

impl Profile {
    async fn load(console: &Console, signed_in: &ActiveSession) -> Result<Self, Error> {
        let tenant = signed_in.tenant.as_ref().filter(|_| signed_in.person.role != Role::SuperUser);
        Ok(Self {
            person: signed_in.person.clone(),
            tenant: tenant.map(|tenant| tenant.name.clone()),
            organization: tenant.map(|tenant| tenant.slug.clone()),
            groups: console.keyring.own_groups(signed_in).await?,
        })
    }
}

#[component]
fn ProfilePage(profile: Profile, keys: OwnKeys) -> impl IntoView {
    view! {
        <Crumbs part="Account"/>
        <header class="page-header"><h1>"Profile"</h1></header>
        <div class="panels">
            <About profile/>
        </div>
        <OwnKeysSection keys/>
    }
}
