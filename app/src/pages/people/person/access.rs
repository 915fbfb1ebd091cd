//! What a person may do.

use domain::{group::Group, person::Profile};
use leptos::prelude::*;

use super::super::fields::{GroupsField, RoleField};
use crate::{
    components::{Icon, fields::HiddenField},
    functions::SetRole,
    islands::{Afterwards, FormSpec, ServerForm},
};

const FORM: &str = "access";

#[component]
pub(super) fn AccessPanel(
    profile: Profile,
    groups: Vec<Group>,
    is_last_admin: bool,
    is_oneself: bool,
) -> impl IntoView {
    let content = if is_last_admin {
        view! { <LastAdmin name=profile.person.name/> }.into_any()
    } else if is_oneself {
        view! { <p>"This is you. Only another admin can change your role."</p> }.into_any()
    } else {
        view! { <AccessForm profile groups/> }.into_any()
    };
    view! {
        <section class="panel" aria-labelledby="access-title">
            <h2 id="access-title" tabindex="-1">"What they may do"</h2>
            {content}
        </section>
    }
}

#[component]
fn AccessForm(profile: Profile, groups: Vec<Group>) -> impl IntoView {
    let Profile { person, groups: picked, .. } = profile;
    let saved = format!("Saved. It holds for {} from now on.", person.name);
    let form = FormSpec::calling::<SetRole>(FORM, "Save", "Saving…", Afterwards::reload(saved, "#access-title"));
    view! {
        <ServerForm form>
            <HiddenField name="id" value=person.id.to_string()/>
            <RoleField form=FORM role=person.role/>
            <GroupsField form=FORM known=groups picked/>
            <p class="hint">"It holds from their next click, and from the next call of their personal API keys."</p>
        </ServerForm>
    }
}

#[component]
fn LastAdmin(name: String) -> impl IntoView {
    view! {
        <p class="callout warning">
            <Icon name="info"/>
            <span>
                {format!("{name} is the only admin who can sign in, and one is required. To change their role or deactivate them, ")}
                "make another person an admin first."
            </span>
        </p>
    }
}
