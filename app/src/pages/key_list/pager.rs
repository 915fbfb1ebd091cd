//! Next and previous.

use domain::key_list::KeyListQuery;
use leptos::prelude::*;

use crate::{components::Icon, model::KeysOf, pages::key_state::list_link};

#[component]
pub(in crate::pages) fn Pager(of: KeysOf, query: KeyListQuery, pages: u32) -> impl IntoView {
    let previous = query.page.checked_sub(1).map(|page| list_link(of, &query.on_page(page)));
    let next = (query.page + 1 < pages).then(|| list_link(of, &query.on_page(query.page + 1)));
    (pages > 1).then(|| {
        view! {
            <nav class="pager" aria-label="Pages">
                {step(previous, "Previous", view! { <Icon name="left"/>"Previous" }.into_any(), "prev")}
                <span>{format!("Page {} of {pages}", query.page + 1)}</span>
                {step(next, "Next", view! { "Next"<Icon name="right"/> }.into_any(), "next")}
            </nav>
        }
    })
}

fn step(href: Option<String>, label: &'static str, content: AnyView, rel: &'static str) -> AnyView {
    match href {
        Some(href) => view! { <a class="button" href=href rel=rel>{content}</a> }.into_any(),
        None => view! { <button class="button" type="button" disabled aria-label=format!("{label}: there is none")>{content}</button> }.into_any(),
    }
}
