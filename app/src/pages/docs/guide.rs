//! The guides, which are Markdown in `docs/guides`.

use leptos::prelude::*;

use super::frame::{DocsFrame, entries};
use crate::console::Console;

/// A guide as the build script renders it.
pub(super) struct Guide {
    pub(super) title: &'static str,
    /// The id and the title of each section.
    pub(super) contents: &'static [(&'static str, &'static str)],
    html: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/guides.rs"));

/// What the guides say instead of the installation's own URL and sunset.
const EXAMPLE_URL: &str = "https://keys.example.com";
const EXAMPLE_LAST_DAY: &str = "30 June 2027";
const EXAMPLE_SUNSET: &str = "Wed, 30 Jun 2027 23:59:59 GMT";

#[component]
pub(super) fn GuidePage(guide: &'static Guide, console: Console, path: String) -> impl IntoView {
    let sunset = console.keyring.legacy_sunset();
    let html = guide
        .html
        .replace(EXAMPLE_URL, &console.public_url)
        .replace(EXAMPLE_LAST_DAY, &sunset.format("%-d %B %Y").to_string())
        .replace(EXAMPLE_SUNSET, &sunset.format("%a, %d %b %Y 23:59:59 GMT").to_string());
    view! {
        <DocsFrame path contents=entries(guide.contents)>
            <article class="docs" inner_html=html></article>
        </DocsFrame>
    }
}
