//! What can be done with a property.

use domain::property::Property;
use leptos::prelude::*;

use crate::{
    components::{
        Icon,
        fields::{HiddenField, TextField},
    },
    functions::{ArchiveProperty, RenameProperty, RestoreProperty},
    islands::{Afterwards, FormDialog, FormSpec, Opener},
    numbers::counted,
};

/// An icon in a row of many, a button on the property's own page.
fn opener(is_bare: bool, icon: &str, verb: &str, property: &Property) -> Opener {
    let name = format!("{verb} {}", property.name);
    if is_bare { Opener::icon(icon, verb, name) } else { Opener::button(verb).with_icon(icon).named(name) }
}

/// The focus goes back to the property, wherever it is shown.
fn done(verb: &str, property: &Property) -> Afterwards {
    Afterwards::reload(format!("{verb} “{}”.", property.name), format!("#{} :is(a, button)", property.id))
}

#[component]
pub(super) fn Rename(property: Property, #[prop(optional)] is_bare: bool) -> impl IntoView {
    let id = format!("rename-{}", property.id);
    let afterwards = Afterwards::reload("Renamed it “{name}”.", format!("#{} :is(a, button)", property.id));
    let form = FormSpec::calling::<RenameProperty>(&id, "Rename", "Renaming…", afterwards);
    view! {
        <FormDialog opener=opener(is_bare, "pencil", "Rename", &property) title=format!("Rename “{}”", property.name) form>
            <HiddenField name="id" value=property.id.to_string()/>
            <HiddenField name="seen" value=property.name.clone()/>
            <TextField form=id name="name" label="Name" value=property.name/>
        </FormDialog>
    }
}

#[component]
pub(super) fn Archive(property: Property, active_keys: u64, #[prop(optional)] is_bare: bool) -> impl IntoView {
    let id = format!("archive-{}", property.id);
    let form =
        FormSpec::calling::<ArchiveProperty>(&id, "Archive", "Archiving…", done("Archived", &property)).dangerous();
    let consequence = if active_keys == 0 {
        "No active key reaches it now, and none can be given it while it is archived.".to_owned()
    } else {
        let keys = counted(active_keys, "active key reaches", "active keys reach");
        format!(
            "{keys} it and will not any more, from the very next call: the API answers as if there were no such property."
        )
    };
    view! {
        <FormDialog opener=opener(is_bare, "archive", "Archive", &property) title=format!("Archive “{}”?", property.name) form>
            <HiddenField name="id" value=property.id.to_string()/>
            <p class="callout danger"><Icon name="warning"/><span>{consequence}</span></p>
            <p>"Nothing is deleted. The keys keep the property in their selection, so restoring it brings everything back."</p>
        </FormDialog>
    }
}

#[component]
pub(super) fn Restore(property: Property, active_keys: u64) -> impl IntoView {
    let id = format!("restore-{}", property.id);
    let form = FormSpec::calling::<RestoreProperty>(&id, "Restore", "Restoring…", done("Restored", &property));
    let consequence = if active_keys == 0 {
        "No active key has it in its selection. Once restored, keys can be given it again.".to_owned()
    } else {
        let keys = counted(active_keys, "active key has", "active keys have");
        let pronoun = if active_keys == 1 { "its" } else { "their" };
        format!("{keys} it in {pronoun} selection and will reach it again, from the very next call.")
    };
    view! {
        <FormDialog opener=opener(false, "restore", "Restore", &property) title=format!("Restore “{}”?", property.name) form>
            <HiddenField name="id" value=property.id.to_string()/>
            <p>{consequence}</p>
        </FormDialog>
    }
}
