//! The fields that say what a person may do.

use domain::{
    group::{Group, GroupType},
    key::GroupName,
    person::Role,
};
use leptos::prelude::*;

use crate::components::fields::{CheckboxList, Pick, RadioOptions};

/// The groups that can be given to people.
pub(super) fn for_people(mut groups: Vec<Group>) -> Vec<Group> {
    groups.retain(|group| group.group_type == GroupType::Person);
    groups
}

#[component]
pub(super) fn RoleField(form: &'static str, role: Role) -> impl IntoView {
    let options = [
        (Role::Member, "Sees and does what the groups below grant, and can make personal API keys that go as far."),
        (Role::TenantAdmin, "Does everything here: API keys, people, properties, groups and the audit log."),
    ];
    let pick =
        |(option, hint): (Role, &str)| Pick::new(option.as_str(), option.label()).hint(hint).picked(option == role);
    view! { <RadioOptions form name="role" label="Role" options=options.map(pick).to_vec()/> }
}

#[component]
pub(super) fn GroupsField(form: &'static str, known: Vec<Group>, picked: Vec<GroupName>) -> impl IntoView {
    if known.is_empty() {
        return view! { <NoGroups/> }.into_any();
    }
    let is_picked = |group: &Group| picked.iter().any(|name| name.id == group.id);
    let options = known
        .iter()
        .map(|group| Pick::new(group.id.to_string(), group.name.clone()).picked(is_picked(group)))
        .collect();
    let hint = "What a member may do. An admin needs none.";
    view! { <CheckboxList form name="groups" label="Groups" options hint is_optional=true/> }.into_any()
}

#[component]
fn NoGroups() -> impl IntoView {
    view! {
        <div class="field">
            <p class="label">"Groups"</p>
            <p class="hint">
                "There is no group for people yet, so a member can sign in and do nothing else. "
                <a href="/authorization-groups">"Make a group for people"</a>
            </p>
        </div>
    }
}
