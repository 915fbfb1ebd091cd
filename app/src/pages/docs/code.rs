//! Code among words, and by itself.

use leptos::prelude::*;

/// Words with `code` between backticks.
pub(super) fn marked(text: &str) -> impl IntoView + use<> {
    let parts = text.split('`').enumerate().map(|(index, part)| {
        let part = part.to_owned();
        if index % 2 == 1 { view! { <code>{part}</code> }.into_any() } else { part.into_any() }
    });
    parts.collect_view()
}

/// Lines of code under a name. They scroll by themselves, by keyboard as well.
#[component]
pub(super) fn CodeBlock(#[prop(into)] name: String, #[prop(into)] code: String) -> impl IntoView {
    let label = name.clone();
    view! {
        <figure class="code-block">
            <figcaption>{name}</figcaption>
            <pre tabindex="0" role="group" aria-label=label><code>{code}</code></pre>
        </figure>
    }
}
