//! The chart of calls: a bar for each hour or day, of stacked fates.
//!
//! Across, everything is in percent, so that the chart is as wide as its place; upwards it is in pixels, so that
//! its words and patterns keep their shape.

use chrono::Timelike;
use domain::usage::{CallOutcome, Range, Step};
use leptos::prelude::*;

use super::outcome::fate_in_words;
use crate::{numbers, times};

const HEIGHT: u32 = 208;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 180.0;
const LABELS: u32 = 200;

/// How much of its place a bar takes.
const FILLED: f64 = 0.72;

/// A few calls among many would be too low to be seen.
const MIN_HEIGHT: f64 = 2.0;

/// The most lines that the chart has above its ground.
const MAX_LINES: u64 = 4;

#[component]
pub(super) fn Chart(steps: Vec<Step>, range: Range, summary: String) -> impl IntoView {
    let most = steps.iter().map(|step| step.counts.total()).max().unwrap_or_default();
    let lines = lines(most);
    let scale = Scale { top: lines.last().copied().unwrap_or(1) };
    let place = 100.0 / steps.len() as f64;
    let numbers = lines.iter().map(|value| {
        view! { <text class="tick" x="100%" y=scale.y(*value) dy="0.32em" text-anchor="end">{numbers::short(*value)}</text> }
    });
    let grid = lines.iter().map(|value| {
        view! { <line class="grid" x1="0" x2="100%" y1=scale.y(*value) y2=scale.y(*value)></line> }
    });
    let count = steps.len();
    let bars = steps.into_iter().enumerate().map(|(index, step)| {
        let label = label(&step, range, count - 1 - index);
        view! { <Bar step range scale label left={place * index as f64} width=place/> }
    });
    view! {
        <div class="chart" role="img" aria-label=summary>
            <svg class="axis" width="36" height=HEIGHT aria-hidden="true">{numbers.collect_view()}</svg>
            <svg class="plot" width="100%" height=HEIGHT aria-hidden="true">
                <Patterns/>
                {grid.collect_view()}
                {bars.collect_view()}
            </svg>
        </div>
    }
}

/// Textures, so that the fates differ by more than their colour.
#[component]
fn Patterns() -> impl IntoView {
    view! {
        <defs>
            <pattern id="fate-allowed" width="4" height="4" patternUnits="userSpaceOnUse">
                <rect class="allowed-ground" width="4" height="4"></rect>
            </pattern>
            <pattern id="fate-limited" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                <rect class="limited-ground" width="6" height="6"></rect>
                <rect class="limited-stripe" width="3" height="6"></rect>
            </pattern>
            <pattern id="fate-denied" width="4" height="4" patternUnits="userSpaceOnUse">
                <rect class="denied-ground" width="4" height="4"></rect>
                <rect class="denied-line" y="3" width="4" height="1"></rect>
            </pattern>
        </defs>
    }
}

const fn fill(fate: CallOutcome) -> &'static str {
    match fate {
        CallOutcome::Allowed => "url(#fate-allowed)",
        CallOutcome::RateLimited => "url(#fate-limited)",
        CallOutcome::Denied => "url(#fate-denied)",
    }
}

/// What a fate looks like in the chart.
#[component]
pub(super) fn Swatch(fate: CallOutcome) -> impl IntoView {
    view! {
        <svg class="swatch" width="14" height="14" aria-hidden="true"><rect width="14" height="14" rx="3" fill=fill(fate)></rect></svg>
    }
}

#[component]
fn Bar(step: Step, range: Range, scale: Scale, label: Option<String>, left: f64, width: f64) -> impl IntoView {
    let percent = |value: f64| format!("{value:.3}%");
    let (x, filled) = (percent(left + width * (1.0 - FILLED) / 2.0), percent(width * FILLED));
    let parts = scale.stack(CallOutcome::ALL.map(|fate| (fate, step.counts.with(fate)))).into_iter().map(|part| {
        view! { <rect x=x.clone() y=part.y width=filled.clone() height=part.height fill=fill(part.fate)></rect> }
    });
    view! {
        <g class="chart-bar">
            <title>{step_label(&step, range)}</title>
            <rect class="reach" x=percent(left) y="0" width=percent(width) height=BOTTOM></rect>
            {parts.collect_view()}
        </g>
        {label.map(|label| view! {
            <text class="tick" x=percent(left + width / 2.0) y=LABELS text-anchor="middle">{label}</text>
        })}
    }
}

/// What a bar tells of itself when it is pointed at.
fn step_label(step: &Step, range: Range) -> String {
    let fates = CallOutcome::ALL.into_iter().map(|fate| (fate, step.counts.with(fate))).filter(|(_, count)| *count > 0);
    let parts: Vec<String> = fates
        .map(|(fate, count)| format!("{} {}", numbers::grouped(count), fate_in_words(fate).to_lowercase()))
        .collect();
    let what = if parts.is_empty() { "no calls".to_owned() } else { parts.join(", ") };
    format!("{}: {what}", begins(step, range))
}

/// Every sixth hour by the clock, every seventh day back from today.
fn label(step: &Step, range: Range, ago: usize) -> Option<String> {
    match range {
        Range::Day => step.begins.hour().is_multiple_of(6).then(|| times::hour(step.begins)),
        Range::Month => ago.is_multiple_of(7).then(|| times::short_day(step.begins)),
    }
}

/// Round values from nothing to no less than the highest bar.
fn lines(most: u64) -> Vec<u64> {
    let steps = (0..19).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let step = steps.into_iter().find(|step| most.div_ceil(*step) <= MAX_LINES).unwrap_or(most);
    (0..=most.div_ceil(step).max(1)).map(|line| line * step).collect()
}

/// From counts to heights.
#[derive(Clone, Copy)]
struct Scale {
    top: u64,
}

#[derive(Debug, PartialEq)]
struct Part {
    fate: CallOutcome,
    y: f64,
    height: f64,
}

impl Scale {
    fn height(self, value: u64) -> f64 {
        (BOTTOM - TOP) * value as f64 / self.top as f64
    }

    fn y(self, value: u64) -> f64 {
        round(BOTTOM - self.height(value))
    }

    /// The parts of a bar, from the ground up.
    fn stack(self, counts: [(CallOutcome, u64); 3]) -> Vec<Part> {
        let mut y = BOTTOM;
        let part = |(fate, count)| {
            let height = round(self.height(count).max(MIN_HEIGHT));
            y = round(y - height);
            Part { fate, y, height }
        };
        counts.into_iter().filter(|(_, count)| *count > 0).map(part).collect()
    }
}

fn round(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

pub(super) fn begins(step: &Step, range: Range) -> String {
    let day = times::short_day(step.begins);
    if range == Range::Day { format!("{day}, {}", times::hour(step.begins)) } else { day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_round_and_reach_the_highest_bar() {
        for (most, expected) in [
            (0, &[0, 1][..]),
            (1, &[0, 1]),
            (4, &[0, 1, 2, 3, 4]),
            (5, &[0, 2, 4, 6]),
            (73, &[0, 20, 40, 60, 80]),
            (100, &[0, 50, 100]),
            (1234, &[0, 500, 1000, 1500]),
        ] {
            assert_eq!(lines(most), expected, "{most}");
        }
        assert!(*lines(u64::MAX / 2).last().unwrap() >= u64::MAX / 2);
    }

    #[test]
    fn parts_stand_on_each_other_and_the_smallest_is_seen() {
        let scale = Scale { top: 1000 };
        let parts = scale.stack([(CallOutcome::Allowed, 500), (CallOutcome::RateLimited, 0), (CallOutcome::Denied, 1)]);
        let expected = [
            Part { fate: CallOutcome::Allowed, y: 98.0, height: 82.0 },
            Part { fate: CallOutcome::Denied, y: 96.0, height: 2.0 },
        ];
        assert_eq!(parts, expected);
        assert_eq!((scale.y(0), scale.y(1000)), (BOTTOM, TOP));
    }
}
