//! Who somebody is, and what they may do.

use domain::{
    group::Group,
    person::{Person, Role},
};
use leptos::prelude::*;

use super::Profile;
use crate::{
    components::fields::TextField,
    functions::RenameOneself,
    islands::{Afterwards, FormDialog, FormSpec, Opener},
};

#[component]
pub(super) fn About(profile: Profile) -> impl IntoView {
    let Profile { person, tenant, organization, groups } = profile;
    let Person { email, name, role, .. } = person;
    let powers = view! { <Powers role tenant=tenant.clone() groups/> };
    view! {
        <section class="panel" aria-labelledby="about">
            <header class="panel-header"><h2 id="about" tabindex="-1">"About you"</h2><Rename name=name.clone()/></header>
            <dl class="facts">
                <div><dt>"Name"</dt><dd>{name}</dd></div>
                <div><dt>"E-mail"</dt><dd>{email.as_str().to_owned()}</dd></div>
                <div><dt>"Role"</dt><dd>{role.label()}</dd></div>
                {tenant.map(|tenant| view! { <div><dt>"Organization"</dt><dd>{tenant}</dd></div> })}
                {organization.map(|slug| view! { <div><dt>"Its short name, to sign in with"</dt><dd><code>{slug}</code></dd></div> })}
                <div class="profile-powers"><dt>"What you may do"</dt><dd>{powers}</dd></div>
            </dl>
            <p class="panel-note">"Your password, second factor and sessions are under "<a href="/security">"Security"</a>"."</p>
        </section>
    }
}

#[component]
fn Rename(name: String) -> impl IntoView {
    let after = Afterwards::reload("You are called “{name}” now.", "#about");
    let form = FormSpec::calling::<RenameOneself>("rename", "Save", "Saving…", after);
    let opener = Opener::button("Change name").with_icon("pencil").with_class("button small");
    view! {
        <FormDialog opener title="Change your name".to_owned() form>
            <TextField
                form="rename"
                name="name"
                label="Name"
                value=name
                autocomplete="name"
                hint="As others see it, in the audit log for example. What you did before keeps the name that you had then."
            />
        </FormDialog>
    }
}

#[component]
fn Powers(role: Role, tenant: Option<String>, groups: Vec<Group>) -> impl IntoView {
    match role {
        Role::SuperUser => view! {
            <p>"You run this installation: its tenants, their limits and their subscriptions."</p>
        }
        .into_any(),
        Role::TenantAdmin => {
            let tenant = tenant.unwrap_or_default();
            view! { <p>{format!("Everything in {tenant}.")}</p> }.into_any()
        }
        Role::Member if groups.is_empty() => view! {
            <p>"Nothing yet. What members may do comes from authorization groups; ask an admin to put you into one."</p>
        }
        .into_any(),
        Role::Member => view! { <ul class="profile-groups">{groups.into_iter().map(|group| view! { <GroupItem group/> }).collect_view()}</ul> }.into_any(),
    }
}

#[component]
fn GroupItem(group: Group) -> impl IntoView {
    let permissions = group.permissions.into_iter().map(|permission| {
        view! { <code class="permission">{permission.to_string()}</code>" " }
    });
    view! {
        <li><p>{group.name}</p><p>{permissions.collect_view()}</p></li>
    }
}
