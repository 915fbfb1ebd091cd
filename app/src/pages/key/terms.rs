//! What a key may do, and where it comes from.

use chrono::{DateTime, Utc};
use domain::{
    key::Key,
    network,
    permission::Permission,
    property::{Property, PropertyScope},
    scope::Scopes,
};
use keyring::TimeZone;
use leptos::prelude::*;

use crate::{islands::permissions_left, times};

#[component]
pub(super) fn Terms(
    key: Key,
    permissions: Vec<Permission>,
    properties: Vec<Property>,
    now: DateTime<Utc>,
    zone: TimeZone,
) -> impl IntoView {
    let ips: Vec<String> = key.allowed_ips.iter().map(network::show).collect();
    let origins: Vec<String> = key.allowed_origins.iter().map(ToString::to_string).collect();
    let whence = if key.group.is_some() { "Group" } else { "As its owner" };
    let mut facts = vec![
        (whence, view! { <Permissions key=key.clone() permissions/> }.into_any()),
        ("Scopes", scopes_in_words(key.scopes).into_any()),
        (
            "Properties",
            view! { <Items items=property_names(&key.reach, &properties) none="All properties"/> }.into_any(),
        ),
        ("Allowed addresses", view! { <Items items=ips none="Any address"/> }.into_any()),
        ("Allowed origins", view! { <Items items=origins none="Any origin"/> }.into_any()),
        ("Rate limit", rate_in_words(key.rate_limit_per_minute.per_minute()).into_any()),
        ("Secret", view! { <Secret key=key.clone() now zone/> }.into_any()),
        ("Expires", view! { <Expires at=key.expires_at now zone/> }.into_any()),
        ("Last used", view! { <LastUsed key=key.clone() now zone/> }.into_any()),
        ("Created", view! { <Event at=key.created_at by=Some(key.created_by) zone/> }.into_any()),
    ];
    if let Some(at) = key.revoked_at {
        facts.push(("Revoked", view! { <Event at by=key.revoked_by zone/> }.into_any()));
    }
    let facts = facts.into_iter().map(|(name, fact)| view! { <div><dt>{name}</dt><dd>{fact}</dd></div> });
    view! {
        <section class="panel" aria-labelledby="terms">
            <h2 id="terms">"What it may do"</h2>
            <dl class="facts">{facts.collect_view()}</dl>
            <p class="panel-note">{format!("Times are those of {zone}.")}</p>
        </section>
    }
}

/// The group, and what the scopes leave of it.
#[component]
fn Permissions(key: Key, permissions: Vec<Permission>) -> impl IntoView {
    let all: Vec<String> = permissions.iter().map(ToString::to_string).collect();
    let left = permissions_left(&permissions, key.scopes);
    let narrowed = (left != all).then(|| {
        if left.is_empty() {
            view! { <p class="minor">"The scopes leave none of it."</p> }.into_any()
        } else {
            view! { <p class="minor">"The scopes leave "<Codes codes=left/></p> }.into_any()
        }
    });
    view! {
        <p>{key.group.map(|group| group.name).or(key.owner.map(|owner| owner.name))}</p>
        <p><Codes codes=all/></p>
        {narrowed}
    }
}

#[component]
fn Codes(codes: Vec<String>) -> impl IntoView {
    codes.into_iter().map(|code| view! { <code class="permission">{code}</code>" " }).collect_view()
}

const fn scopes_in_words(scopes: Scopes) -> &'static str {
    match scopes {
        Scopes::Both => "Read and write",
        Scopes::Read => "Read: it looks things up and changes nothing",
        Scopes::Write => "Write: it changes things and looks nothing up",
    }
}

fn rate_in_words(limit: u16) -> String {
    if limit == 1 { "1 request a minute".to_owned() } else { format!("{limit} requests a minute") }
}

fn property_names(reach: &PropertyScope, properties: &[Property]) -> Vec<String> {
    let PropertyScope::Only(ids) = reach else { return Vec::new() };
    let reached = properties.iter().filter(|property| ids.contains(&property.id));
    reached.map(|property| property.name.clone()).collect()
}

#[component]
fn Items(items: Vec<String>, none: &'static str) -> impl IntoView {
    if items.is_empty() {
        return none.into_any();
    }
    let items = items.into_iter().map(|item| view! { <li>{item}</li> }).collect_view();
    view! { <ul>{items}</ul> }.into_any()
}

#[component]
fn Secret(key: Key, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let grace = key.old_secret_until.map(|until| {
        view! {
            <p class="grace">"The one before works until "<time datetime=until.to_rfc3339()>{times::exact(until, zone)}</time></p>
        }
    });
    let made = key.secret_created_at;
    view! {
        <p><code class="hint">{key.hint.to_string()}</code></p>
        <p class="minor">"Made "<time datetime=made.to_rfc3339() title=times::exact(made, zone)>{times::relative(made, now)}</time></p>
        {grace}
    }
}

#[component]
fn Expires(at: Option<DateTime<Utc>>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    match at {
        None => view! { "Never" }.into_any(),
        Some(at) => view! {
            <p><time datetime=at.to_rfc3339()>{times::day_or_exact(at, zone)}</time></p>
            <p class="minor">{times::relative(at, now)}</p>
        }
        .into_any(),
    }
}

#[component]
fn LastUsed(key: Key, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    match key.last_used_at {
        None => view! { "Never" }.into_any(),
        Some(at) => view! {
            <p><time datetime=at.to_rfc3339() title=times::exact(at, zone)>{times::relative(at, now)}</time></p>
            {key.last_used_ip.map(|ip| view! { <p class="minor">"from "{ip}</p> })}
        }
        .into_any(),
    }
}

#[component]
fn Event(at: DateTime<Utc>, by: Option<String>, zone: TimeZone) -> impl IntoView {
    view! {
        <p><time datetime=at.to_rfc3339()>{times::exact(at, zone)}</time></p>
        {by.map(|name| view! { <p class="minor">"by "{name}</p> })}
    }
}
