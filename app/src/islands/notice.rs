//! A short word on what was just done, shown once on the page that comes next.

use std::time::Duration;

use leptos::prelude::*;
use web_sys::Storage;

use super::browser;

const TEXT: &str = "notice";
const FOCUS: &str = "focus";
const SHOWN_FOR: Duration = Duration::from_secs(6);

fn storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Leaves a word for the next page, and where the focus belongs there. Never a secret.
pub(super) fn leave(text: &str, focus: &str) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(TEXT, text);
        let _ = storage.set_item(FOCUS, focus);
    }
}

fn take_item(name: &str) -> Option<String> {
    let storage = storage()?;
    let value = storage.get_item(name).ok()??;
    let _ = storage.remove_item(name);
    Some(value)
}

/// Shows what the page before left.
#[island]
pub fn Notice() -> impl IntoView {
    let text = RwSignal::new(None::<String>);
    Effect::new(move |_| {
        if let Some(selector) = take_item(FOCUS)
            && !browser::focus_first(&selector)
        {
            browser::focus_first("#main");
        }
        if let Some(left) = take_item(TEXT) {
            text.set(Some(left));
            set_timeout(move || text.set(None), SHOWN_FOR);
        }
    });
    view! { <div class="notice" role="status" class:shown=move || text.get().is_some()>{move || text.get()}</div> }
}
