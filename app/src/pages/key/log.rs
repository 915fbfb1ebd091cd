//! The log: single calls, newest first.

use std::time::Duration;

use domain::{
    usage::{Call, CallOutcome, KeyUsage, LOG_DAYS, LogPage, Start, UsageQuery},
    verdict::Verdict,
};
use keyring::TimeZone;
use leptos::prelude::*;

use super::{
    Shown, link,
    outcome::{badge, label},
};
use crate::{
    components::{Choice, DataTable, LogPager},
    times,
};

#[component]
pub(super) fn Log(shown: Shown) -> impl IntoView {
    let Shown { of, usage: KeyUsage { key, lately, log, .. }, query, zone, .. } = shown;
    let path = of.path_of(&key.id);
    let mut outcomes: Vec<Verdict> = lately.outcomes().chain(query.outcome).collect();
    outcomes.sort();
    outcomes.dedup();
    let options = std::iter::once(None).chain(outcomes.into_iter().map(Some));
    let options = options.map(|outcome| {
        let there = UsageQuery { outcome, start: Start::Newest, ..query };
        (outcome.map_or("All", label), link(&path, &there, "log"), query.outcome == outcome)
    });
    let options: Vec<_> = options.collect();
    let filter = (options.len() > 1).then(|| view! { <Choice label="Outcome" options/> });
    let calls = if log.entries.is_empty() {
        view! { <NoCalls path query/> }.into_any()
    } else {
        view! { <CallTable calls=log.entries.clone() zone/> <Pager path query log/> }.into_any()
    };
    view! {
        <section class="panel" id="log" aria-labelledby="log-title">
            <header class="panel-header">
                <h2 id="log-title">"Log"</h2>
                {filter}
            </header>
            {calls}
            <p class="panel-note">{format!("Each call is kept for {LOG_DAYS} days. Times are those of {zone}. All calls count; of the refused ones, \
                 at most ten a minute are listed.")}</p>
        </section>
    }
}

#[component]
fn NoCalls(path: String, query: UsageQuery) -> impl IntoView {
    match query.outcome {
        None => view! { <p class="nothing">{format!("No calls in the last {LOG_DAYS} days.")}</p> }.into_any(),
        Some(_) => {
            let all = UsageQuery { outcome: None, start: Start::Newest, ..query };
            view! {
                <p class="nothing">
                    {format!("No call of the last {LOG_DAYS} days had this outcome. ")}
                    <a href=link(&path, &all, "log")>"Show all calls"</a>
                </p>
            }
            .into_any()
        }
    }
}

#[component]
fn CallTable(calls: Vec<Call>, zone: TimeZone) -> impl IntoView {
    let rows = calls.into_iter().map(move |call| view! { <CallRow call zone/> });
    view! {
        <DataTable
            class="ledger calls"
            caption="Calls with this key, newest first"
            columns=&["When", "Call", "Status", "Outcome", "Address", "Duration", "Request ID"]
        >
            {rows.collect_view()}
        </DataTable>
    }
}

#[component]
fn CallRow(call: Call, zone: TimeZone) -> impl IntoView {
    let Call { position, method, route, status, outcome, ip, request_id, duration, .. } = call;
    view! {
        <tr>
            <td data-label="When"><time datetime=position.at.to_rfc3339()>{times::to_the_second(position.at, zone)}</time></td>
            <td data-label="Call"><code><span class="method">{method}</span>" "{route}</code></td>
            <td data-label="Status">{status}</td>
            <td data-label="Outcome"><span class=badge(CallOutcome::from(outcome)) title=outcome.as_str()>{label(outcome)}</span></td>
            <td data-label="Address">{ip.map_or_else(|| view! { <span class="minor">"not told"</span> }.into_any(), IntoAny::into_any)}</td>
            <td data-label="Duration">{duration.map(in_milliseconds)}</td>
            <td data-label="Request ID">{request_id.map(|id| view! { <code>{id}</code> })}</td>
        </tr>
    }
}

fn in_milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", duration.as_secs_f64() * 1_000.0)
}

#[component]
fn Pager(path: String, query: UsageQuery, log: LogPage) -> impl IntoView {
    let step = |start: Option<Start>| start.map(|start| link(&path, &UsageQuery { start, ..query }, "log"));
    view! { <LogPager newer=step(log.newer()) older=step(log.older())/> }
}
