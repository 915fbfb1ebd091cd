//! What the list and a key's own page tell alike: the state of a key, and what can be done with it.

use chrono::{DateTime, Utc};
use domain::{
    key::{Key, Status, Validity},
    key_list::KeyListQuery,
    key_warning::KeyWarning,
};
use keyring::TimeZone;
use leptos::prelude::*;

use crate::{islands::KeyFacts, model::KeysOf, times, url};

/// What the dialogs have to know of a key.
pub(super) fn facts(of: KeysOf, key: &Key, now: DateTime<Utc>, zone: TimeZone) -> KeyFacts {
    KeyFacts {
        of,
        id: key.id.clone(),
        name: key.name.clone(),
        hint: key.hint.to_string(),
        version: key.version,
        is_active: key.status() == Status::Active,
        is_expired: key.validity(now) == Validity::Expired,
        expires: key.expires_at.map_or_else(|| "Never".to_owned(), |instant| times::day_or_exact(instant, zone)),
        old_secret_until: key.old_secret_until.map(|instant| times::exact(instant, zone)),
        now: zone.moment(now),
        time_zone: zone.to_string(),
    }
}

/// Returns the URL of a list with this query.
pub(super) fn list_link(of: KeysOf, query: &KeyListQuery) -> String {
    let there = url::with_query(of.list_path(), &query.parameters());
    if of == KeysOf::Oneself { format!("{there}#{OWN_KEYS}") } else { there }
}

/// The anchor of personal keys on the profile.
pub(super) const OWN_KEYS: &str = "api-keys";

#[component]
pub(super) fn Badges(key: Key, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let revoked = if key.owner.is_some() { "Withdrawn" } else { "Revoked" };
    let status = match (key.revoked_at, &key.revoked_by) {
        (Some(at), by) => {
            let whom = by.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
            let title = format!("{revoked} on {}{whom}", times::exact(at, zone));
            view! { <span class="badge danger" title=title>{revoked}</span> }.into_any()
        }
        (None, _) => view! { <span class="badge good">"Active"</span> }.into_any(),
    };
    let validity = match key.validity(now) {
        Validity::Valid => view! { <span class="badge">"Valid"</span> }.into_any(),
        Validity::ExpiringSoon => view! { <span class="badge warning">"Expiring soon"</span> }.into_any(),
        Validity::Expired => view! { <span class="badge danger">"Expired"</span> }.into_any(),
    };
    view! { <span class="badges">{status}{validity}</span> }
}

/// Why the key is worth a second look, each with the way to all keys of which the same is true.
#[component]
pub(super) fn Marks(of: KeysOf, key: Key, now: DateTime<Utc>) -> impl IntoView {
    let marked = KeyWarning::ALL.into_iter().filter(|attention| attention.is_marked_on(&key, now));
    let links = marked.map(|attention| {
        let alike = KeyListQuery { attention: Some(attention), ..KeyListQuery::default() };
        view! { <a class="badge mark" href=list_link(of, &alike)>{label(attention)}</a> }
    });
    let links: Vec<_> = links.collect();
    (!links.is_empty()).then(|| view! { <span class="badges marks">{links}</span> })
}

pub(super) const fn label(attention: KeyWarning) -> &'static str {
    match attention {
        KeyWarning::NeverUsed => "Never used",
        KeyWarning::Unused => "Unused for 90 days",
        KeyWarning::OldSecret => "Secret over a year old",
    }
}
