//! A group's own page: what it allows, who uses it, and its end.

use axum::{
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use domain::{
    group::{Group, GroupType, Version},
    id::{GroupId, Id},
    permission_catalog::PermissionCatalog,
};
use keyring::{GroupDetail, GroupUse, TenantGroup};
use leptos::prelude::*;

use super::{
    super::{AdminVisitor, key_names::Keys, problem},
    PATH, SECTION,
    permissions::PermissionFields,
    type_in_words,
};
use crate::{
    components::{
        Crumbs, Icon,
        fields::{HiddenField, TextField},
    },
    functions::{DeleteGroup, EditGroup},
    islands::{Afterwards, FormDialog, FormSpec, Opener, ServerForm},
    numbers::{counted, grouped},
};

const FORM: &str = "group";

pub(crate) async fn group(
    AdminVisitor { visitor, admin }: AdminVisitor,
    id: Result<Path<String>, PathRejection>,
) -> Response {
    let Some(id) = id.ok().and_then(|Path(id)| GroupId::parse(&id).ok()) else {
        return problem::missing(visitor.page(problem::MISSING)).await;
    };
    let keyring = &visitor.visit.console.keyring;
    let loaded = async {
        Ok::<_, keyring::Error>((keyring.group_detail(&admin, &id).await?, keyring.permission_catalog().await?))
    };
    match loaded.await {
        Ok((detail, catalog)) => {
            let title = format!("{} · {SECTION}", detail.group.group.name);
            visitor
                .page(title)
                .render(move || view! { <GroupPage detail=detail.clone() catalog=catalog.clone()/> })
                .await
        }
        Err(error) => problem::failed(&visitor, &error, "the group could not be loaded").await,
    }
}

#[component]
fn GroupPage(detail: GroupDetail, catalog: PermissionCatalog) -> impl IntoView {
    let GroupDetail { group: TenantGroup { group, version }, used, keys, people } = detail;
    let users = match group.group_type {
        GroupType::TenantApiKey => {
            view! { <Keys heading="Keys that use it" keys none="No active key uses this group."/> }.into_any()
        }
        GroupType::Person => view! { <People people count=used.people/> }.into_any(),
    };
    view! {
        <Crumbs section=SECTION href=PATH/>
        <header class="page-header">
            <h1 class="thing-title">{group.name.clone()}</h1>
            <span class="badge">{type_in_words(group.group_type)}</span>
            <div class="page-actions"><Delete group=group.clone() used/></div>
        </header>
        <div class="page-form group-page">
            <Edit group version used catalog/>
            {users}
        </div>
    }
}

#[component]
fn Edit(group: Group, version: i32, used: GroupUse, catalog: PermissionCatalog) -> impl IntoView {
    let Group { id, name, group_type, permissions } = group;
    let afterwards = Afterwards::reload("Saved “{name}”.", "#main");
    let form = FormSpec::calling::<EditGroup>(FORM, "Save", "Saving…", afterwards).or_back_to(PATH);
    view! {
        <ServerForm form>
            <HiddenField name="id" value=id.to_string()/>
            <HiddenField name="seen" value=String::from(Version(version))/>
            <section>
                <TextField form=FORM name="name" label="Name" value=name/>
                <PermissionFields form=FORM.to_owned() catalog permissions/>
            </section>
            {affected(group_type, used).map(|who| view! {
                <p class="callout warning">
                    <Icon name="warning"/>
                    <span>{format!("Saving changes what {who} may do, from the very next call.")}</span>
                </p>
            })}
        </ServerForm>
    }
}

/// Whom an edit changes.
fn affected(group_type: GroupType, used: GroupUse) -> Option<String> {
    let (count, one, many) = match group_type {
        GroupType::TenantApiKey => (used.active_keys, "active key", "active keys"),
        GroupType::Person => (used.people, "person", "people"),
    };
    (count > 0).then(|| counted(count, one, many))
}

#[component]
fn Delete(group: Group, used: GroupUse) -> impl IntoView {
    let opener = Opener::button("Delete").with_icon("trash");
    let afterwards = Afterwards::go(PATH, format!("Deleted “{}”.", group.name), "#main");
    let form = FormSpec::calling::<DeleteGroup>("delete-group", "Delete", "Deleting…", afterwards).dangerous();
    match used.obstacle() {
        // Said where it can be read by everybody, and not behind a button that does nothing.
        Some(obstacle) => view! { <p class="hint obstacle">"It cannot be deleted: "{obstacle}</p> }.into_any(),
        None => view! {
            <FormDialog opener title=format!("Delete “{}”?", group.name) form>
                <HiddenField name="id" value=group.id.to_string()/>
                <p>"Nothing uses this group. Once deleted, it can no longer be given to anybody; only the audit log remembers it."</p>
            </FormDialog>
        }
        .into_any(),
    }
}

#[component]
fn People(people: Vec<String>, count: u64) -> impl IntoView {
    let named = people.len() as u64;
    let list = if people.is_empty() {
        view! { <p class="minor">"This group has no members."</p> }.into_any()
    } else {
        let items = people.into_iter().map(|name| view! { <li>{name}</li> }).collect_view();
        view! { <ul class="names">{items}</ul> }.into_any()
    };
    view! {
        <section class="panel" aria-labelledby="people">
            <div class="panel-header">
                <h2 id="people">"People who have it"</h2>
                <span class="panel-note">{counted(count, "person", "people")}</span>
            </div>
            {list}
            {(count > named).then(|| view! { <p class="panel-note">{format!("These are the first {}, by name.", grouped(named))}</p> })}
        </section>
    }
}
