//! The navigation: one table of what leads where, and who sees it.

use keyring::{ActiveSession, ViewKeys};
use leptos::prelude::*;

use crate::components::Icon;

/// Who sees an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    Everybody,
    Admins,
    /// Admins whose tenant is subscribed to API keys.
    KeyAdmins,
    SuperUsers,
    /// Who can have keys of their own.
    KeyHolders,
}

impl For {
    fn includes(self, signed_in: &ActiveSession) -> bool {
        match self {
            Self::Everybody => true,
            Self::Admins => signed_in.as_admin().is_ok(),
            Self::KeyAdmins => signed_in.as_admin().is_ok_and(|admin| admin.tenant().api_keys),
            Self::SuperUsers => signed_in.as_super_user().is_ok(),
            Self::KeyHolders => signed_in.as_key_holder().is_ok_and(|holder| holder.tenant().api_keys),
        }
    }
}

struct Entry {
    heading: &'static str,
    label: &'static str,
    icon: &'static str,
    path: &'static str,
    seen_by: For,
}

const fn entry(
    heading: &'static str,
    label: &'static str,
    icon: &'static str,
    path: &'static str,
    seen_by: For,
) -> Entry {
    Entry { heading, label, icon, path, seen_by }
}

/// In the order in which they are seen. Those of one heading stand together.
const ENTRIES: &[Entry] = &[
    entry("Data & Monitoring", "API Keys", "key", "/tenant-api-keys", For::KeyAdmins),
    entry("Data & Monitoring", "Authorization groups", "shield", "/authorization-groups", For::Admins),
    entry("Data & Monitoring", "Audit log", "log", "/audit-log", For::Admins),
    entry("Organization", "People", "people", "/people", For::Admins),
    entry("Organization", "Properties", "building", "/properties", For::Admins),
    entry("Platform", "Tenants", "tenants", "/tenants", For::SuperUsers),
    entry("Account", "Profile", "person", "/user-profile", For::Everybody),
    entry("Account", "Security", "lock", "/security", For::Everybody),
    entry("Account", "Personal API keys", "key", "/user-profile#api-keys", For::KeyHolders),
    entry("Help", "API reference", "book", "/docs", For::Everybody),
];

/// What this person sees, on the page at this path.
#[component]
pub(super) fn Navigation(signed_in: ActiveSession, path: String) -> impl IntoView {
    let seen: Vec<&Entry> = ENTRIES.iter().filter(|entry| entry.seen_by.includes(&signed_in)).collect();
    let parts = seen.chunk_by(|one, next| one.heading == next.heading).enumerate().map(|(number, entries)| {
        let id = format!("navigation-{number}");
        let links = entries.iter().map(|entry| view! { <li><Link entry path=path.clone()/></li> }).collect_view();
        view! {
            <h2 class="nav-group" id=id.clone()>{entries[0].heading}</h2>
            <ul aria-labelledby=id>{links}</ul>
        }
    });
    view! { <nav aria-label="Settings">{parts.collect_view()}</nav> }
}

#[component]
fn Link(entry: &'static Entry, path: String) -> impl IntoView {
    let is_here = path == entry.path || path.starts_with(&format!("{}/", entry.path));
    view! {
        <a class="nav-link" href=entry.path aria-current=is_here.then_some("page")><Icon name=entry.icon/>{entry.label}</a>
    }
}
