//! How often a key was used: the chart, its totals, and the same as a table.

use domain::{
    usage::{CallOutcome, KeyUsage, OutcomeCounts, Range, Step, UsageQuery},
    verdict::Verdict,
};
use leptos::prelude::*;

use super::{
    Shown,
    chart::{Chart, Swatch, begins},
    link,
    outcome::{fate_in_words, label},
};
use crate::{components::Choice, numbers};

const RANGES: [(Range, &str); 2] = [(Range::Day, "24 hours"), (Range::Month, "30 days")];

#[component]
pub(super) fn Usage(shown: Shown) -> impl IntoView {
    let Shown { of, usage: KeyUsage { key, steps, .. }, query, zone, .. } = shown;
    let path = of.path_of(&key.id);
    let ranges = RANGES
        .map(|(range, label)| (label, link(&path, &UsageQuery { range, ..query }, "usage"), query.range == range));
    let sum: OutcomeCounts = steps.iter().map(|step| &step.counts).collect();
    let counted = if sum.total() == 0 {
        view! { <p class="nothing">{format!("No calls in the last {}.", length(query.range))}</p> }.into_any()
    } else {
        view! { <Counted steps range=query.range sum/> }.into_any()
    };
    view! {
        <section class="panel" id="usage" aria-labelledby="usage-title">
            <header class="panel-header">
                <h2 id="usage-title">"Usage"</h2>
                <Choice label="Last" options=ranges.to_vec()/>
            </header>
            {counted}
            <p class="panel-note">{format!("{} are those of {zone}.", if query.range == Range::Day { "Hours" } else { "Days" })}</p>
        </section>
    }
}

fn length(range: Range) -> &'static str {
    if range == Range::Day { "24 hours" } else { "30 days" }
}

#[component]
fn Counted(steps: Vec<Step>, range: Range, sum: OutcomeCounts) -> impl IntoView {
    let legend = CallOutcome::ALL.map(|fate| {
        view! {
            <li><Swatch fate/>{fate_in_words(fate)}" "<strong>{numbers::grouped(sum.with(fate))}</strong></li>
        }
    });
    view! {
        <ul class="legend">{legend.collect_view()}</ul>
        <Chart steps=steps.clone() range summary=summary(&sum, range)/>
        <details class="as-table">
            <summary>"The same as a table"</summary>
            <CountTable steps range sum/>
        </details>
    }
}

/// The chart for whoever does not see it.
fn summary(sum: &OutcomeCounts, range: Range) -> String {
    let by_fate = CallOutcome::ALL
        .map(|fate| format!("{} {}", numbers::grouped(sum.with(fate)), fate_in_words(fate).to_lowercase()));
    format!("{} in the last {}: {}", numbers::calls(sum.total()), length(range), by_fate.join(", "))
}

/// Newest first, as the log is; with a column for each outcome that occurs.
#[component]
fn CountTable(steps: Vec<Step>, range: Range, sum: OutcomeCounts) -> impl IntoView {
    let outcomes: Vec<Verdict> = sum.outcomes().collect();
    let headers = outcomes.iter().map(|outcome| {
        view! { <th scope="col" class="number">{label(*outcome)}<code class="minor">{outcome.as_str()}</code></th> }
    });
    let cells = |counts: &OutcomeCounts| {
        let counts = outcomes.iter().map(|outcome| counts.of(*outcome)).chain([counts.total()]);
        counts.map(|count| view! { <td class="number">{numbers::grouped(count)}</td> }).collect_view()
    };
    let rows = steps.iter().rev().map(|step| {
        view! { <tr><th scope="row">{begins(step, range)}</th>{cells(&step.counts)}</tr> }
    });
    let first = if range == Range::Day { "Hour from" } else { "Day" };
    view! {
        <div class="table-frame" tabindex="0" role="region" aria-label="Calls by outcome">
            <table class="ledger wide">
                <caption class="unseen">{format!("Calls of the last {} by outcome", length(range))}</caption>
                <thead>
                    <tr><th scope="col">{first}</th>{headers.collect_view()}<th scope="col" class="number">"Total"</th></tr>
                </thead>
                <tbody>{rows.collect_view()}</tbody>
                <tfoot><tr><th scope="row">"Total"</th>{cells(&sum)}</tr></tfoot>
            </table>
        </div>
    }
}
