//! Icons, drawn once at the top of every page and referred to from there.

use std::borrow::Cow;

use leptos::prelude::*;

/// The drawings themselves: one file, put into the page as it is.
#[cfg(feature = "ssr")]
pub(crate) const SPRITE: &str = include_str!("../icons.svg");

/// An icon that says nothing to a screen reader: whatever it stands in has a label of its own.
#[component]
pub(crate) fn Icon(#[prop(into)] name: Cow<'static, str>) -> impl IntoView {
    #[cfg(feature = "ssr")]
    debug_assert!(SPRITE.contains(&format!(r#"id="icon-{name}""#)), "there is no icon for {name}");
    view! {
        <svg class="icon" aria-hidden="true">
            <use href=format!("#icon-{name}")></use>
        </svg>
    }
}
