//! The results: as a table for people, and as JSON for comparisons.

use super::load::Round;
use serde_json::{Value, json};

/// A measured value beside its budget.
pub struct Row {
    pub what: String,
    pub measured: String,
    pub baseline: String,
    pub compared: String,
    pub budget: Option<Budget>,
    pub figures: Value,
}

pub struct Budget {
    pub words: String,
    pub met: bool,
}

impl Row {
    /// Something that there is nothing to compare with.
    pub fn alone(what: impl Into<String>, measured: String, figures: Value) -> Self {
        Self { what: what.into(), measured, baseline: String::new(), compared: String::new(), budget: None, figures }
    }

    pub fn with_budget(self, words: &str, met: bool) -> Self {
        Self { budget: Some(Budget { words: words.to_owned(), met }), ..self }
    }

    fn line(&self) -> String {
        let (budget, met) = match &self.budget {
            None => ("", ""),
            Some(Budget { words, met: true }) => (words.as_str(), "met"),
            Some(Budget { words, met: false }) => (words.as_str(), "**missed**"),
        };
        let Self { what, measured, baseline, compared, .. } = self;
        format!("| {what} | {measured} | {baseline} | {compared} | {budget} | {met} |")
    }

    fn json(&self) -> Value {
        let budget = self.budget.as_ref().map(|budget| json!({ "budget": budget.words, "met": budget.met }));
        json!({ "what": self.what, "figures": self.figures, "budget": budget })
    }
}

pub fn markdown(rows: &[Row]) -> String {
    let head = "| | Latchkey | bare axum | compared | budget | |\n|---|---|---|---|---|---|".to_owned();
    let lines = rows.iter().map(Row::line);
    std::iter::once(head).chain(lines).collect::<Vec<_>>().join("\n")
}

pub fn json(rows: &[Row], machine: &Value) -> Value {
    json!({ "machine": machine, "rows": rows.iter().map(Row::json).collect::<Vec<_>>() })
}

/// The one in the middle, or of two the lower.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50)
}

pub fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(place).copied().unwrap_or_default()
}

/// Rounds of the same: the middle one's rate, and how far the others are from each other.
pub fn rate(rounds: &[Round]) -> String {
    let rates = || rounds.iter().map(|round| round.a_second);
    let middle = median(rates());
    let spread = (rates().fold(0.0, f64::max) - rates().fold(f64::MAX, f64::min)) / middle * 100.0;
    let [p50, p99] = [median(rounds.iter().map(|round| round.p50)), median(rounds.iter().map(|round| round.p99))];
    format!("{}/s ({spread:.0} %), p50 {p50:.2} ms, p99 {p99:.2} ms", thousands(middle))
}

pub fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn json_of(rounds: &[Round]) -> Value {
    rounds.iter().map(Round::json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_and_the_end_are_found() {
        assert_eq!(median([3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median([]), 0.0);
        assert_eq!(percentile((1..=100).map(f64::from), 99), 99.0);
        assert_eq!(percentile([1.0, 9.0], 99), 9.0);
    }

    #[test]
    fn large_numbers_are_readable() {
        for (number, expected) in [(7.4, "7"), (999.6, "1,000"), (1_234_567.0, "1,234,567"), (100.0, "100")] {
            assert_eq!(thousands(number), expected);
        }
    }
}
