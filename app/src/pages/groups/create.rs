//! Making a group, on a page of its own.

use axum::response::Response;
use domain::{group::GroupType, permission_catalog::PermissionCatalog};
use leptos::prelude::*;

use super::{
    super::{AdminVisitor, problem},
    PATH, SECTION,
    permissions::PermissionFields,
};
use crate::{
    components::{
        Crumbs,
        fields::{Pick, RadioOptions, TextField},
    },
    functions::CreateGroup,
    islands::{Afterwards, FormSpec, ServerForm},
};

const FORM: &str = "new-group";

pub(crate) async fn group_new(AdminVisitor { visitor, .. }: AdminVisitor) -> Response {
    match visitor.visit.console.keyring.permission_catalog().await {
        Ok(catalog) => {
            visitor.page("New group").render(move || view! { <NewGroupPage catalog=catalog.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the permissions could not be loaded").await,
    }
}

#[component]
fn NewGroupPage(catalog: PermissionCatalog) -> impl IntoView {
    let afterwards = Afterwards::go(PATH, "Created “{name}”.", "#{answer} a");
    let form = FormSpec::calling::<CreateGroup>(FORM, "Create", "Creating…", afterwards).or_back_to(PATH);
    let types = vec![
        Pick::new(GroupType::TenantApiKey.as_str(), "API keys")
            .hint("Each API key has one group that says what it may do.")
            .picked(true),
        Pick::new(GroupType::Person.as_str(), "People").hint("What members may do, with their personal API keys."),
    ];
    view! {
        <Crumbs section=SECTION href=PATH/>
        <header class="page-header"><h1>"New group"</h1></header>
        <div class="page-form">
            <ServerForm form>
                <section>
                    <TextField form=FORM name="name" label="Name" placeholder="For example: Booking"/>
                    <RadioOptions form=FORM name="group_type" label="Who can have it" options=types hint="This cannot be changed later."/>
                </section>
                <section><PermissionFields form=FORM.to_owned() catalog permissions=Vec::new()/></section>
            </ServerForm>
        </div>
    }
}
