//! The table of keys; on a phone, CSS makes cards of its rows.

use chrono::{DateTime, Utc};
use domain::{
    key::Key,
    key_list::{Column, KeyListQuery},
    network,
    property::{Property, PropertyScope},
};
use keyring::TimeZone;
use leptos::prelude::*;

use super::{
    super::key_state::{Badges, Marks, facts, list_link},
    Loaded,
    filters::direction,
};
use crate::{components::Icon, islands::KeyActions, model::KeysOf, times};

#[component]
pub(in crate::pages) fn KeyTable(loaded: Loaded) -> impl IntoView {
    let Loaded { of, page, properties, query, now, zone, public_url } = loaded;
    let rows = page.keys.into_iter().map(|key| {
        view! { <KeyRow of key properties=properties.clone() now zone public_url=public_url.clone()/> }
    });
    view! {
        <div class="table-frame">
            <table class="keys">
                <caption class="unseen">{caption(of)}</caption>
                <thead>
                    <tr>
                        <SortableHeader of label="Name" column=Column::Name query=query.clone()/>
                        <th scope="col">"Key"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Access"</th>
                        <th scope="col">"Restrictions"</th>
                        <SortableHeader of label="Expires" column=Column::Expires query=query.clone()/>
                        <SortableHeader of label="Last used" column=Column::LastUsed query=query.clone()/>
                        <SortableHeader of label="Created" column=Column::Created query=query.clone()/>
                        <th scope="col"><span class="unseen">"Actions"</span></th>
                    </tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
            </table>
        </div>
    }
}

const fn caption(of: KeysOf) -> &'static str {
    match of {
        KeysOf::Tenant => "API keys of this tenant",
        KeysOf::Oneself => "Your personal API keys",
        KeysOf::People => "Personal API keys of this tenant’s people",
    }
}

#[component]
fn SortableHeader(of: KeysOf, label: &'static str, column: Column, query: KeyListQuery) -> impl IntoView {
    let is_sorted = query.sort.column == column;
    let arrow = if query.sort.descending { "down" } else { "up" };
    view! {
        <th scope="col" aria-sort=direction(query.sort, is_sorted)>
            <a class="sort" href=list_link(of, &query.sorted_by(column))>
                {label}
                {is_sorted.then(|| view! { <Icon name=arrow/> })}
            </a>
        </th>
    }
}

#[component]
fn KeyRow(
    of: KeysOf,
    key: Key,
    properties: Vec<Property>,
    now: DateTime<Utc>,
    zone: TimeZone,
    public_url: String,
) -> impl IntoView {
    let facts = facts(of, &key, now, zone);
    let description =
        (!key.description.is_empty()).then(|| view! { <p class="description">{key.description.clone()}</p> });
    let is_revoked = !facts.is_active;
    view! {
        <tr id=key.id.to_string() class:revoked=is_revoked>
            <th scope="row" data-label="Name">
                <a class="key-name" href=of.path_of(&key.id)>{key.name.clone()}</a>
                {description}
            </th>
            <td data-label="Key">
                <code class="hint">{key.hint.to_string()}</code>
            </td>
            <td data-label="Status"><Badges key=key.clone() now zone/><Marks of key=key.clone() now/></td>
            <td data-label="Access"><Access of key=key.clone() properties/></td>
            <td data-label="Restrictions"><Restrictions key=key.clone()/></td>
            <td data-label="Expires"><Expires key=key.clone() now zone/></td>
            <td data-label="Last used"><LastUsed at=key.last_used_at now zone/></td>
            <td data-label="Created">
                <time datetime=key.created_at.to_rfc3339() title=times::exact(key.created_at, zone)>{times::date(key.created_at, zone)}</time>
                <p class="by">"by "{key.created_by.clone()}</p>
            </td>
            <td class="actions"><KeyActions facts public_url on_own_page=false/></td>
        </tr>
    }
}

/// Group, scopes and properties: all that says what the key opens.
#[component]
fn Access(of: KeysOf, key: Key, properties: Vec<Property>) -> impl IntoView {
    let (reach, names) = match &key.reach {
        PropertyScope::All => ("All properties".to_owned(), None),
        PropertyScope::Only(ids) => {
            let names: Vec<&str> = properties
                .iter()
                .filter(|property| ids.contains(&property.id))
                .map(|property| property.name.as_str())
                .collect();
            let plural = if ids.len() == 1 { "property" } else { "properties" };
            (format!("{} {plural}", ids.len()), Some(names.join(", ")))
        }
    };
    let whose = match of {
        KeysOf::Tenant => key.group.map(|group| group.name),
        KeysOf::People => key.owner.map(|owner| owner.name),
        KeysOf::Oneself => None,
    };
    let scopes = match (key.scopes.read(), key.scopes.write()) {
        (true, true) => "Read, Write",
        (true, false) => "Read",
        _ => "Write",
    };
    view! {
        {whose.map(|name| view! { <p>{name}</p> })}
        <p class="minor">{scopes}</p>
        <p class="minor" title=names>{reach}</p>
    }
}

/// Addresses, origins and the rate limit, at a glance; the lists themselves on hover.
#[component]
fn Restrictions(key: Key) -> impl IntoView {
    let ips: Vec<String> = key.allowed_ips.iter().map(network::show).collect();
    let origins: Vec<String> = key.allowed_origins.iter().map(ToString::to_string).collect();
    let counted = |items: &[String], one: &str, many: &str| {
        let label = match items.len() {
            0 => return None,
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        };
        Some(view! { <p class="minor" title=items.join("\n")>{label}</p> })
    };
    view! {
        <p>{format!("{}/min", key.rate_limit_per_minute.per_minute())}</p>
        {counted(&ips, "address", "addresses")}
        {counted(&origins, "origin", "origins")}
    }
}

#[component]
fn Expires(key: Key, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let grace = key.old_secret_until.map(|until| {
        view! {
            <p class="grace" title="The secret from before the last rotation is still good until then">
                "Old secret until "
                <time datetime=until.to_rfc3339()>{times::exact(until, zone)}</time>
            </p>
        }
    });
    let expires = match key.expires_at {
        None => view! { "Never" }.into_any(),
        Some(at) => view! {
            <time datetime=at.to_rfc3339() title=times::exact(at, zone)>{times::date(at, zone)}</time>
            <p class="minor">{times::relative(at, now)}</p>
        }
        .into_any(),
    };
    view! { {expires}{grace} }
}

#[component]
fn LastUsed(at: Option<DateTime<Utc>>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    match at {
        None => view! { <span class="minor">"Never"</span> }.into_any(),
        Some(at) => view! {
            <time datetime=at.to_rfc3339() title=times::exact(at, zone)>{times::relative(at, now)}</time>
        }
        .into_any(),
    }
}
