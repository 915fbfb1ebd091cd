//! Where a person is signed in.

use chrono::{DateTime, Utc};
use domain::person::Session;
use keyring::TimeZone;
use leptos::prelude::*;

use crate::{browsers, components::DataTable, times};

#[component]
pub(super) fn SessionsPanel(sessions: Vec<Session>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let content = if sessions.is_empty() {
        view! { <p class="panel-note">"Nowhere at the moment."</p> }.into_any()
    } else {
        view! { <SessionTable sessions now zone/> }.into_any()
    };
    view! {
        <section class="panel" aria-labelledby="sessions">
            <h2 id="sessions">"Where they are signed in"</h2>
            {content}
        </section>
    }
}

#[component]
fn SessionTable(sessions: Vec<Session>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let rows = sessions.into_iter().map(move |session| view! { <SessionRow session now zone/> });
    view! {
        <DataTable
            caption="Their sessions, the one that was used last first"
            columns=&["Browser", "Address", "Last used"]
        >
            {rows.collect_view()}
        </DataTable>
    }
}

#[component]
fn SessionRow(session: Session, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let Session { user_agent, address, last_seen_at, .. } = session;
    view! {
        <tr>
            <th scope="row" title=user_agent.clone()><span class="person">{browsers::label(&user_agent)}</span></th>
            <td data-label="Address">{address}</td>
            <td data-label="Last used">
                <time datetime=last_seen_at.to_rfc3339() title=times::exact(last_seen_at, zone)>{times::relative(last_seen_at, now)}</time>
            </td>
        </tr>
    }
}
