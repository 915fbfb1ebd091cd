//! Says, to the style sheet and to tests, that the page is alive.

use leptos::{leptos_dom::helpers::document, prelude::*};

use super::browser;

/// Stands last in the page, so that every other island is alive before it.
#[island]
pub fn Ready() -> impl IntoView {
    Effect::new(|_| {
        browser::note_opening();
        if let Some(root) = document().document_element() {
            let _ = root.set_attribute("data-ready", "");
        }
    });
}
