//! Where a person is signed in.

use chrono::{DateTime, Utc};
use domain::person::Session;
use keyring::{MAX_SESSION_AGE, MAX_SUPER_USER_SESSION_AGE, SESSION_IDLE, TimeZone};
use leptos::prelude::*;

use crate::{
    browsers,
    components::{DataTable, Icon},
    functions::SignOutEverywhere,
    islands::{Afterwards, FormDialog, FormSpec, Opener},
    times,
};

#[component]
pub(super) fn SessionsPanel(sessions: Vec<Session>, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let rows = sessions.into_iter().map(move |session| view! { <SessionRow session now zone/> });
    view! {
        <section class="panel security-panel" aria-labelledby="sessions">
            <header class="panel-header"><h2 id="sessions">"Where you are signed in"</h2><SignOutEverywhereButton/></header>
            <DataTable
                caption="Your sessions, the one that was used last first"
                columns=&["Browser", "Address", "Signed in", "Last used"]
            >
                {rows.collect_view()}
            </DataTable>
            <p class="panel-note">
                {format!("A session ends after {} hours without use. ", SESSION_IDLE.num_hours())}
                {format!("After {} days you have to sign in again ", MAX_SESSION_AGE.num_days())}
                {format!("(super users: {} hours). ", MAX_SUPER_USER_SESSION_AGE.num_hours())}
                {format!("Times are those of {zone}.")}
            </p>
        </section>
    }
}

#[component]
fn SessionRow(session: Session, now: DateTime<Utc>, zone: TimeZone) -> impl IntoView {
    let Session { user_agent, address, opened_at, last_seen_at, is_this } = session;
    let this = is_this.then(|| view! { " "<span class="badge good">"This one"</span> });
    view! {
        <tr>
            <th scope="row" title=user_agent.clone()><span class="person">{browsers::label(&user_agent)}</span>{this}</th>
            <td data-label="Address">{address}</td>
            <td data-label="Signed in"><time datetime=opened_at.to_rfc3339()>{times::exact(opened_at, zone)}</time></td>
            <td data-label="Last used">
                <time datetime=last_seen_at.to_rfc3339() title=times::exact(last_seen_at, zone)>{times::relative(last_seen_at, now)}</time>
            </td>
        </tr>
    }
}

#[component]
fn SignOutEverywhereButton() -> impl IntoView {
    let after = Afterwards::go("/sign-in", "You are signed out everywhere.", "#email");
    let form =
        FormSpec::calling::<SignOutEverywhere>("sign-out-everywhere", "Sign out everywhere", "Signing out…", after);
    let opener = Opener::button("Sign out everywhere").with_icon("sign-out").with_class("button small");
    view! {
        <FormDialog opener title="Sign out everywhere".to_owned() form=form.dangerous()>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>"All your sessions end immediately, including this one. Unsaved changes in other windows are lost."</span>
            </p>
        </FormDialog>
    }
}
