//! What islands ask of the browser. Only ever called there, from event handlers and effects.

use leptos::{leptos_dom::helpers::document, prelude::window};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, HtmlElement, MouseEvent};

/// Leaves for another page of ours, and takes this one out of the history.
pub(super) fn replace_page(path: &str) {
    // Fails only for an address that is none.
    let _ = window().location().replace(path);
}

pub(super) fn reload() {
    let _ = window().location().reload();
}

/// Puts a text on the clipboard. False when the browser does not let us.
pub(super) async fn copy(text: &str) -> bool {
    // Pages that are not served securely have no clipboard at all.
    let navigator = window().navigator();
    let has_clipboard =
        js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|clipboard| !clipboard.is_undefined());
    has_clipboard && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
}

/// Selects all of an element's text, for the person to copy by hand.
pub(super) fn select(element: &Element) {
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(element);
    }
}

/// What is selected on the page.
pub(super) fn selected_text() -> String {
    let selection = window().get_selection().ok().flatten();
    selection.map(|selection| String::from(selection.to_string())).unwrap_or_default()
}

/// Focuses the first element that matches. False when there is none.
pub(super) fn focus_first(selector: &str) -> bool {
    let found = document().query_selector(selector).ok().flatten();
    match found.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        Some(element) => element.focus().is_ok(),
        None => false,
    }
}

/// Keeps the focus where it is while a button is pressed: leaving a field may bring up a message below it,
/// which would move the button away from under the pointer before it is released.
pub(super) fn stay_in_field(event: MouseEvent) {
    event.prevent_default();
}

/// Milliseconds since the page was opened.
pub(super) fn since_opened() -> i64 {
    let now = js_sys::Date::now();
    let opened = OPENED.with(|opened| *opened);
    (now - opened) as i64
}

thread_local! {
    static OPENED: f64 = js_sys::Date::now();
}

/// Starts the clock that [`since_opened`] reads.
pub(super) fn note_opening() {
    OPENED.with(|_| ());
}
