//! The key that calls are tried with.

use leptos::{ev, html, leptos_dom::helpers::document, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlInputElement;

use super::browser;

const FIELD: &str = "try-key";

/// What the field holds at this moment. It is kept nowhere else, so it is gone with the page.
pub(super) fn typed_key() -> String {
    let field = document().get_element_by_id(FIELD).and_then(|field| field.dyn_into::<HtmlInputElement>().ok());
    field.map(|field| field.value().trim().to_owned()).unwrap_or_default()
}

pub(super) fn focus_key() {
    browser::focus_first(&format!("#{FIELD}"));
}

#[island]
pub fn TryKey() -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let is_shown = RwSignal::new(false);
    // A page that the browser keeps for its Back button must not come back with the key in it.
    let leaving = window_event_listener(ev::pagehide, move |_| {
        if let Some(field) = field.get_untracked() {
            field.set_value("");
        }
    });
    on_cleanup(move || leaving.remove());
    view! {
        <div class="field">
            <label for=FIELD>"API key"</label>
            <div class="try-key">
                <input
                    id=FIELD
                    type=move || if is_shown.get() { "text" } else { "password" }
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    node_ref=field
                    aria-describedby="try-key-hint"
                />
                <button class="button" type="button" aria-pressed=move || is_shown.get().to_string() on:click=move |_| is_shown.update(|shown| *shown = !*shown)>
                    "Show"
                </button>
            </div>
            <p class="hint" id="try-key-hint">"It is sent to this Latchkey alone, and only when you press “Send”."</p>
        </div>
    }
}
