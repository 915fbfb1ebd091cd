//! Light, dark, or as the system has it.

use leptos::{leptos_dom::helpers::document, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::HtmlDocument;

use crate::components::Icon;

const THEMES: [(&str, &str); 3] = [("system", "System"), ("light", "Light"), ("dark", "Dark")];
const A_YEAR: u32 = 31_536_000;

fn current() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("data-theme")).unwrap_or_else(|| "system".to_owned())
}

/// The cookie is for the server, which writes the theme into the next page before it is painted.
fn choose(theme: &str) {
    let Some(root) = document().document_element() else { return };
    let cookie = if theme == "system" {
        let _ = root.remove_attribute("data-theme");
        "theme=; Path=/; SameSite=Lax; Max-Age=0".to_owned()
    } else {
        let _ = root.set_attribute("data-theme", theme);
        format!("theme={theme}; Path=/; SameSite=Lax; Max-Age={A_YEAR}")
    };
    let _ = document().unchecked_into::<HtmlDocument>().set_cookie(&cookie);
}

#[island]
pub fn ThemeSwitch() -> impl IntoView {
    let theme = RwSignal::new("system".to_owned());
    Effect::new(move |_| theme.set(current()));
    view! {
        <label class="theme">
            <Icon name="theme"/>
            <span class="unseen">"Theme"</span>
            <select
                prop:value=move || theme.get()
                on:change=move |event| {
                    let chosen = event_target_value(&event);
                    choose(&chosen);
                    theme.set(chosen);
                }
            >
                {THEMES.map(|(value, label)| view! { <option value=value>{label}</option> }).into_iter().collect_view()}
            </select>
        </label>
    }
}
