//! Who still calls the API with a password, as long as somebody does.

use chrono::{DateTime, NaiveDate, Utc};
use domain::usage::{LegacyMethod, LegacyUser};
use keyring::TimeZone;
use leptos::prelude::*;

use crate::{components::Icon, numbers, times};

/// More people than this would push the keys out of sight, so they are folded up at first.
const MAX_UNFOLDED: usize = 4;

#[derive(Clone)]
pub(super) struct Legacy {
    pub(super) users: Vec<LegacyUser>,
    pub(super) sunset: NaiveDate,
}

#[component]
pub(super) fn LegacyPanel(legacy: Legacy, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let Legacy { users, sunset } = legacy;
    let is_unfolded = users.len() <= MAX_UNFOLDED;
    (!users.is_empty()).then(|| {
        let rows = users.into_iter().map(|user| view! { <UserRow user now zone/> }).collect_view();
        view! {
            <details class="panel legacy" open=is_unfolded>
                <summary><h2>"Still signing in with a password"</h2></summary>
                <p class="panel-note">
                    {format!("Basic and JWT work until the end of {}; a key for each integration replaces them. ", times::day(sunset))}
                    <a href="/docs/migrate">"How to move"</a>
                </p>
                <table class="ledger">
                    <caption class="unseen">"People whose password is used to call the API"</caption>
                    <thead>
                        <tr>
                            <th scope="col">"Person"</th>
                            <th scope="col">"Method"</th>
                            <th scope="col">"Since"</th>
                            <th scope="col">"Last call"</th>
                            <th scope="col" class="number">"Calls"</th>
                            <th scope="col"><span class="unseen">"Action"</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </details>
        }
    })
}

#[component]
fn UserRow(user: LegacyUser, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let LegacyUser { name, email, method, first_seen_at, last_seen_at, count } = user;
    let method = match method {
        LegacyMethod::Basic => "Basic",
        LegacyMethod::Jwt => "JWT",
    };
    let instead = format!(" instead of {name}’s password");
    view! {
        <tr>
            <th scope="row">
                <span class="person">{name}</span>
                <span class="minor">{email.as_str().to_owned()}</span>
            </th>
            <td data-label="Method">{method}</td>
            <td data-label="Since">
                <time datetime=first_seen_at.to_rfc3339() title=times::exact(first_seen_at, zone)>{times::date(first_seen_at, zone)}</time>
            </td>
            <td data-label="Last call">
                <time datetime=last_seen_at.to_rfc3339() title=times::exact(last_seen_at, zone)>{times::relative(last_seen_at, now)}</time>
            </td>
            <td data-label="Calls" class="number">{numbers::grouped(count)}</td>
            <td class="action">
                <a class="button small" href="/tenant-api-keys/new"><Icon name="plus"/>"Create a key"<span class="unseen">{instead}</span></a>
            </td>
        </tr>
    }
}
