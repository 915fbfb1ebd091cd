//! One of several, each a link to another URL.

use leptos::prelude::*;

/// Each option has a label, an address, and whether it is the chosen one.
#[component]
pub(crate) fn Choice(label: &'static str, options: Vec<(&'static str, String, bool)>) -> impl IntoView {
    let id = format!("filter-{}", label.to_lowercase().replace(' ', "-"));
    let labelled_by = id.clone();
    view! {
        <div class="choice" role="group" aria-labelledby=labelled_by>
            <span class="choice-label" id=id>{label}</span>
            <span class="segments">
                {options
                    .into_iter()
                    .map(|(label, href, chosen)| view! { <a href=href aria-current=chosen.then_some("true")>{label}</a> })
                    .collect_view()}
            </span>
        </div>
    }
}
