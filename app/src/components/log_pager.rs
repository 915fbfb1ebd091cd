//! The way to what is newer and older in a log.

use leptos::prelude::*;

use super::Icon;

/// Nothing where there is neither.
#[component]
pub(crate) fn LogPager(newer: Option<String>, older: Option<String>) -> impl IntoView {
    (newer.is_some() || older.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of the log">
                {newer.map(|href| view! { <a class="button" href=href rel="prev"><Icon name="left"/>"Newer"</a> })}
                {older.map(|href| view! { <a class="button" href=href rel="next">"Older"<Icon name="right"/></a> })}
            </nav>
        }
    })
}
