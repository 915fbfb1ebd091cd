//! Keys that something concerns, each with the way to its page.

use keyring::KeyNames;
use leptos::prelude::*;

use crate::{
    model::KeysOf,
    numbers::{counted, grouped},
};

#[component]
pub(super) fn Keys(
    heading: &'static str,
    keys: KeyNames,
    /// What to say when there are none.
    none: &'static str,
) -> impl IntoView {
    let KeyNames { first, count } = keys;
    let named = first.len() as u64;
    let items = first.into_iter().map(|key| view! { <li><a href=KeysOf::Tenant.path_of(&key.id)>{key.name}</a></li> });
    let list = if named == 0 {
        view! { <p class="minor">{none}</p> }.into_any()
    } else {
        view! { <ul class="names">{items.collect_view()}</ul> }.into_any()
    };
    view! {
        <section class="panel" aria-labelledby="keys">
            <div class="panel-header">
                <h2 id="keys">{heading}</h2>
                <span class="panel-note">{counted(count, "active key", "active keys")}</span>
            </div>
            {list}
            {(count > named).then(|| view! {
                <p class="panel-note">{format!("These are the first {}, by name.", grouped(named))}</p>
            })}
        </section>
    }
}
