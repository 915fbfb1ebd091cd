//! The button that sends a form.

use std::borrow::Cow;

use leptos::prelude::*;

use super::browser;

#[component]
pub(super) fn SubmitButton(
    #[prop(into)] label: Cow<'static, str>,
    /// What it says while the form is under way.
    #[prop(into)]
    doing: Cow<'static, str>,
    #[prop(into)] pending: Signal<bool>,
    #[prop(optional)] is_danger: bool,
    /// Whether everything that is asked for has been given.
    #[prop(into, default = Signal::stored(true))]
    is_complete: Signal<bool>,
) -> impl IntoView {
    view! {
        <button
            class="button"
            class:danger=is_danger
            class:primary=!is_danger
            type="submit"
            on:mousedown=browser::stay_in_field
            disabled=move || !is_complete.get()
            aria-disabled=move || pending.get().to_string()
        >
            {move || if pending.get() { doing.clone() } else { label.clone() }}
        </button>
    }
}
