//! Making a tenant, on a page of its own.

use axum::response::Response;
use domain::tenant::DEFAULT_KEY_LIMIT;
use leptos::prelude::*;

use super::{super::SuperUserVisitor, PART, TENANTS_PATH, zones::ZoneField};
use crate::{
    components::{Crumbs, fields::TextField},
    functions::CreateTenant,
    islands::{Afterwards, FormSpec, OnceWords, ServerForm},
};

const FORM: &str = "new-tenant";

pub(crate) async fn tenant_new(SuperUserVisitor { visitor, .. }: SuperUserVisitor) -> Response {
    visitor.page("New tenant").render(|| view! { <NewTenantPage/> }).await
}

#[component]
fn NewTenantPage() -> impl IntoView {
    let words = OnceWords {
        title: "Send this link to the first admin".to_owned(),
        warning: "It is shown this once. By it, the first admin sets a password and signs in. It is good once and for \
                  seven days; anybody who has it can use it, so send it by a way that you trust."
            .to_owned(),
        label: "Invitation link".to_owned(),
    };
    let afterwards = Afterwards::go(TENANTS_PATH, "Made “{name}”.", "main h1").revealing(words);
    let form =
        FormSpec::calling::<CreateTenant>(FORM, "Create tenant", "Creating…", afterwards).or_back_to(TENANTS_PATH);
    view! {
        <Crumbs part=PART section="Tenants" href=TENANTS_PATH/>
        <header class="page-header"><h1>"New tenant"</h1></header>
        <div class="page-form">
            <ServerForm form>
                <section>
                    <h2>"Organization"</h2>
                    <TextField form=FORM name="name" label="Name" placeholder="For example: Acme Hotels"/>
                    <TextField
                        form=FORM
                        name="slug"
                        label="Slug"
                        placeholder="For example: acme-hotels"
                        hint="What commands call it. Lower-case letters, digits and hyphens; it stays."
                    />
                    <ZoneField form=FORM picked="UTC".to_owned()/>
                    <TextField
                        form=FORM
                        name="key_limit"
                        label="Key limit"
                        kind="number"
                        value=DEFAULT_KEY_LIMIT.to_string()
                        hint="How many active keys it may have. Personal keys do not count."
                    />
                </section>
                <section>
                    <h2>"First admin"</h2>
                    <TextField form=FORM name="admin_name" label="Name"/>
                    <TextField form=FORM name="email" label="E-mail" kind="email"/>
                </section>
            </ServerForm>
        </div>
    }
}
