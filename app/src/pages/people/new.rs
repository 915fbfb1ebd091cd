//! Inviting somebody, on a page of its own.

use axum::response::Response;
use domain::{group::Group, person::Role};
use leptos::prelude::*;

use super::{
    super::{AdminVisitor, problem},
    PART, PATH,
    fields::{GroupsField, RoleField, for_people},
};
use crate::{
    components::{Crumbs, fields::TextField},
    functions::InvitePerson,
    islands::{Afterwards, FormSpec, OnceWords, ServerForm},
};

const FORM: &str = "invite";

pub(crate) async fn person_new(AdminVisitor { visitor, admin }: AdminVisitor) -> Response {
    match visitor.visit.console.keyring.groups(&admin).await {
        Ok(groups) => {
            let groups = for_people(groups);
            visitor.page("Invite a person").render(move || view! { <InvitePage groups=groups.clone()/> }).await
        }
        Err(error) => problem::failed(&visitor, &error, "the groups could not be listed").await,
    }
}

/// The words around a link that was made for somebody.
pub(super) fn link_words(title: String) -> OnceWords {
    let warning = "Send this link to them yourself: Latchkey sends no mail. The first person to open it chooses the password, so use a \
                   way that only they can read. It is good once, for 7 days, and is not shown again.";
    OnceWords { title, warning: warning.to_owned(), label: "Invitation link".to_owned() }
}

#[component]
fn InvitePage(groups: Vec<Group>) -> impl IntoView {
    let after = Afterwards::go(PATH, "Invited {name}.", "#main").revealing(link_words("Invited {name}".to_owned()));
    let form = FormSpec::calling::<InvitePerson>(FORM, "Invite", "Inviting…", after).or_back_to(PATH);
    view! {
        <Crumbs part=PART section="People" href=PATH/>
        <header class="page-header"><h1>"Invite a person"</h1></header>
        <div class="page-form">
            <ServerForm form>
                <section>
                    <TextField form=FORM name="name" label="Name"/>
                    <TextField
                        form=FORM
                        name="email"
                        label="E-mail"
                        kind="email"
                        hint="What they sign in with. Nothing is sent to it."
                    />
                </section>
                <section>
                    <RoleField form=FORM role=Role::Member/>
                    <GroupsField form=FORM known=groups picked=Vec::new()/>
                </section>
            </ServerForm>
        </div>
    }
}
