//! A table: its name, a heading for each column, and its rows.

use leptos::prelude::*;

#[component]
pub(crate) fn DataTable(
    #[prop(default = "ledger")] class: &'static str,
    /// For those who do not see what stands around the table.
    caption: &'static str,
    columns: &'static [&'static str],
    /// What the last column holds, when that is plain to see: buttons.
    #[prop(optional)]
    unseen: Option<&'static str>,
    children: Children,
) -> impl IntoView {
    let headings = columns.iter().map(|column| view! { <th scope="col">{*column}</th> });
    let unseen = unseen.map(|column| view! { <th scope="col"><span class="unseen">{column}</span></th> });
    view! {
        <table class=class>
            <caption class="unseen">{caption}</caption>
            <thead><tr>{headings.collect_view()}{unseen}</tr></thead>
            <tbody>{children()}</tbody>
        </table>
    }
}
