//! What stands around every page of the documentation.

use leptos::prelude::*;

use crate::{components::Icon, islands::ThemeSwitch};

const PAGES: [(&str, &str); 4] = [
    ("/docs", "API reference"),
    ("/docs/keys", "Using a key"),
    ("/docs/verify", "Verifying keys"),
    ("/docs/migrate", "Moving to a key"),
];

/// A place on the page that can be led to.
#[derive(Clone)]
pub(super) struct Entry {
    /// The id of its heading.
    pub(super) anchor: String,
    pub(super) label: String,
    /// Of a call.
    pub(super) method: Option<&'static str>,
    pub(super) below: Vec<Entry>,
}

impl Entry {
    pub(super) fn new(anchor: impl Into<String>, label: impl Into<String>) -> Self {
        Self { anchor: anchor.into(), label: label.into(), method: None, below: Vec::new() }
    }
}

/// The entries of a page without levels.
pub(super) fn entries(pairs: &[(&str, &str)]) -> Vec<Entry> {
    pairs.iter().map(|(anchor, label)| Entry::new(*anchor, *label)).collect()
}

#[component]
pub(super) fn DocsFrame(path: String, contents: Vec<Entry>, children: Children) -> impl IntoView {
    let here = path.trim_end_matches('/').to_owned();
    let pages = PAGES.map(|(href, label)| {
        let current = (here == href).then_some("page");
        view! { <li><a class="nav-link" href=href aria-current=current>{label}</a></li> }
    });
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <header class="docs-bar">
            <a class="brand" href="/docs"><Icon name="key"/>"Latchkey"</a>
            <nav aria-label="Documentation"><ul>{pages.into_iter().collect_view()}</ul></nav>
            <div class="docs-tools">
                <ThemeSwitch/>
                <a class="button" href="/">"Console"</a>
            </div>
        </header>
        <div class="docs-frame">
            <nav class="docs-contents" aria-label="On this page"><Contents entries=contents.clone()/></nav>
            <main id="main" tabindex="-1">
                <details class="docs-jump">
                    <summary>"On this page"</summary>
                    <Contents entries=contents/>
                </details>
                {children()}
            </main>
        </div>
    }
}

#[component]
fn Contents(entries: Vec<Entry>) -> impl IntoView {
    let items = entries.into_iter().map(|Entry { anchor, label, method, below }| {
        let badge = method.map(|method| view! { <Method method/> });
        let nested = (!below.is_empty()).then(|| view! { <Contents entries=below/> }.into_any());
        view! { <li><a href=format!("#{anchor}")>{badge}<span>{label}</span></a>{nested}</li> }
    });
    view! { <ul>{items.collect_view()}</ul> }
}

#[component]
pub(super) fn Method(method: &'static str) -> impl IntoView {
    view! { <span class="call-method" data-method=method>{method}</span> }
}

/// A heading that can be linked to.
#[component]
pub(super) fn Section(#[prop(into)] anchor: String, #[prop(into)] title: String, children: Children) -> impl IntoView {
    let (href, label, id) = (format!("#{anchor}"), format!("Link to “{title}”"), anchor.clone());
    view! {
        <section class="docs-section" aria-labelledby=anchor>
            <h2 id=id>{title}<a class="anchor" href=href aria-label=label>"#"</a></h2>
            {children()}
        </section>
    }
}
