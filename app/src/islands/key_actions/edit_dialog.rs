//! Editing a key.

use domain::{
    id::{Id, KeyId},
    key_draft::{Choices, KeyDraft},
};
use leptos::prelude::*;
use web_sys::SubmitEvent;

use super::KeyFacts;
use crate::{
    components::Icon,
    error::{ChangedKey, ConsoleError, SeenKey},
    functions::{EditableKey, edit_key, load_key},
    islands::{
        browser,
        dialog::{Dialog, Failure},
        key_fields::{AccessFields, IdentityFields, KeyForm, RestrictionFields, focus_first_error},
        submit_button::SubmitButton,
    },
    model::KeysOf,
};

#[component]
pub(super) fn EditDialog(facts: KeyFacts, close: Callback<()>, done: Callback<&'static str>) -> impl IntoView {
    let KeyFacts { of, id, name, hint, .. } = facts;
    let load = Action::new({
        let id = id.clone();
        move |(): &()| load_key(of, id.clone())
    });
    load.dispatch(());
    let try_again = move |_| {
        load.clear();
        load.dispatch(());
    };
    let is_saving = RwSignal::new(false);
    // What is being saved is saved, so the list has to be shown anew.
    let close = Callback::new(move |()| {
        if !is_saving.get_untracked() {
            close.run(());
        }
    });
    let content = move || {
        match load.value().get() {
        None => view! {
            <div class="skeleton" role="status" aria-label="Loading the key">
                {(0..4).map(|_| view! { <div class="skeleton-row"></div> }).collect_view()}
            </div>
            <footer class="dialog-footer"><button class="button" type="button" on:click=move |_| close.run(())>"Cancel"</button></footer>
        }
        .into_any(),
        Some(Err(error)) => view! {
            <p class="form-error" role="alert">{error.to_string()}</p>
            <footer class="dialog-footer">
                <button class="button" type="button" on:click=move |_| close.run(())>"Close"</button>
                <button class="button primary" type="button" on:click=try_again>"Try again"</button>
            </footer>
        }
        .into_any(),
        Some(Ok(key)) => view! { <EditForm of id=id.clone() key close done is_saving/> }.into_any(),
    }
    };
    view! {
        <Dialog labelled_by="dialog-title" on_escape=close wide=true>
            <header class="dialog-header">
                <h2 id="dialog-title">"Edit “"{name}"”"</h2>
                <code class="hint">{hint}</code>
            </header>
            {content}
        </Dialog>
    }
}

#[component]
fn EditForm(
    of: KeysOf,
    id: KeyId,
    key: EditableKey,
    close: Callback<()>,
    done: Callback<&'static str>,
    is_saving: RwSignal<bool>,
) -> impl IntoView {
    let EditableKey { key, choices } = key;
    let form = KeyForm::new(key.draft.clone(), choices.clone());
    let seen = RwSignal::new(key);
    let failure = RwSignal::new(None::<ConsoleError>);
    let conflict = RwSignal::new(None::<ChangedKey>);
    let save = Action::new(move |(): &()| {
        edit_key(of, id.clone(), seen.with_untracked(|seen| seen.version), form.draft.get_untracked())
    });
    let pending = save.pending();
    Effect::new(move |_| is_saving.set(pending.get()));
    Effect::new(move |_| match save.value().get() {
        None => {}
        Some(Ok(())) => done.run("Saved"),
        Some(Err(ConsoleError::Invalid(errors))) => form.show_from_server(errors),
        Some(Err(ConsoleError::Changed(changed))) => conflict.set(Some(*changed)),
        Some(Err(error)) => failure.set(Some(error)),
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        failure.set(None);
        if !form.check_all() {
            focus_first_error();
        } else if !pending.get_untracked() {
            save.dispatch(());
        }
    };
    // What had the focus while the key was loaded is gone.
    Effect::new(|_| {
        browser::focus_first("dialog[open] #name");
    });
    let choices = StoredValue::new(choices);
    let notice = move || {
        conflict.get().map(|theirs| {
            let names = choices.get_value();
            let differences = seen.with_untracked(|before| differences(before, &theirs.now, &names));
            view! { <Conflict theirs differences form seen conflict/> }
        })
    };
    view! {
        <form class="form" novalidate on:submit=submit>
            {notice}
            <IdentityFields form/>
            <AccessFields form/>
            <div class="field">
                <span class="label">"Expiration"</span>
                <p class="fixed">{move || seen.with(|seen| seen.expires.clone())}</p>
                <p class="hint">"The expiration changes by rotating the key."</p>
            </div>
            <RestrictionFields form/>
            <Failure error=failure/>
            <footer class="dialog-footer">
                <button class="button" type="button" on:click=move |_| close.run(())>"Cancel"</button>
                <SubmitButton
                    label="Save"
                    doing="Saving…"
                    pending
                    is_complete=Signal::derive(move || conflict.with(Option::is_none))
                />
            </footer>
        </form>
    }
}

/// Says that somebody else was first, and what they changed.
#[component]
fn Conflict(
    theirs: ChangedKey,
    differences: Vec<Difference>,
    form: KeyForm,
    seen: RwSignal<SeenKey>,
    conflict: RwSignal<Option<ChangedKey>>,
) -> impl IntoView {
    let ChangedKey { by, when, now } = theirs;
    let keep_mine = {
        let now = now.clone();
        move |_| {
            seen.set(now.clone());
            conflict.set(None);
        }
    };
    let take_theirs = move |_| {
        form.draft.set(now.draft.clone());
        seen.set(now.clone());
        conflict.set(None);
    };
    let rows = differences.into_iter().map(|difference| {
        view! {
            <tr>
                <th scope="row">{difference.field}</th>
                <td>{difference.before}</td>
                <td>{difference.after}</td>
            </tr>
        }
    });
    view! {
        <div class="conflict" role="alert">
            <p class="callout warning">
                <Icon name="warning"/>
                <span>{by}" changed this key on "{when}", after you opened it. Nothing of yours has been saved yet."</span>
            </p>
            <table class="differences">
                <thead>
                    <tr>
                        <th scope="col">"What changed"</th>
                        <th scope="col">"Before"</th>
                        <th scope="col">"Now"</th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
            <div class="conflict-actions">
                <button class="button" type="button" on:click=take_theirs>"Start over from the key as it is now"</button>
                <button class="button" type="button" on:click=keep_mine>"Keep what I typed, to save it over theirs"</button>
            </div>
        </div>
    }
}

struct Difference {
    field: &'static str,
    before: String,
    after: String,
}

/// What differs between a key as it was seen and as it is now, in words.
fn differences(before: &SeenKey, now: &SeenKey, choices: &Choices) -> Vec<Difference> {
    describe(before, choices)
        .into_iter()
        .zip(describe(now, choices))
        .filter(|((_, before), (_, after))| before != after)
        .map(|((field, before), (_, after))| Difference { field, before, after })
        .collect()
}

/// Everything about a key with its value in words. Destructured in full, so that nothing can be forgotten.
fn describe(key: &SeenKey, choices: &Choices) -> Vec<(&'static str, String)> {
    let SeenKey { version: _, draft, expires, hint } = key;
    let KeyDraft {
        name,
        description,
        group,
        read,
        write,
        all_properties,
        properties,
        allowed_ips,
        allowed_origins,
        rate_limit_per_minute,
    } = draft;
    let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
    let group_name = choices
        .permission_source
        .groups()
        .iter()
        .find(|known| known.id.as_str() == group)
        .map(|known| known.name.clone());
    let scopes = [(*read, "Read"), (*write, "Write")];
    let picked = choices.properties.iter().filter(|property| properties.contains(&property.id.to_string()));
    vec![
        ("Key name", name.clone()),
        ("Description", or_none(description.clone())),
        ("Authorization group", group_name.unwrap_or_else(|| group.clone())),
        ("Scopes", scopes.iter().filter(|(ticked, _)| *ticked).map(|(_, label)| *label).collect::<Vec<_>>().join(", ")),
        (
            "Properties",
            if *all_properties {
                "all".to_owned()
            } else {
                picked.map(|property| property.name.clone()).collect::<Vec<_>>().join(", ")
            },
        ),
        ("IP allowlist", or_none(allowed_ips.replace('\n', ", "))),
        ("Allowed origins", or_none(allowed_origins.replace('\n', ", "))),
        ("Rate limit", rate_limit_per_minute.clone()),
        ("Expiration", expires.clone()),
        ("Secret", hint.clone()),
    ]
}
