//! Where a page is among the settings.

use leptos::prelude::*;

#[component]
pub(crate) fn Crumbs(
    /// The part of the navigation that the page is in.
    #[prop(default = "Data & Monitoring")]
    part: &'static str,
    /// The page that this one belongs to.
    #[prop(optional)]
    section: Option<&'static str>,
    #[prop(optional)] href: &'static str,
) -> impl IntoView {
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <ol>
                <li>"Settings"</li>
                <li>{part}</li>
                {section.map(|name| view! { <li><a href=href>{name}</a></li> })}
            </ol>
        </nav>
    }
}
