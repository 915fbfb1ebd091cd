//! The Prometheus text format 0.0.4, for scrapers that do not ask for OpenMetrics.

use std::collections::BTreeMap;

/// Converts from OpenMetrics, where metadata names counters and infos without their suffix.
pub fn to_prometheus_text(open_metrics: &str) -> String {
    let types: BTreeMap<&str, &str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let metadata = line.strip_prefix("# ").and_then(|rest| rest.split_once(' '));
        match metadata {
            Some((keyword @ ("HELP" | "TYPE"), rest)) => {
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let suffix = match types.get(name) {
                    Some(&"counter") => "_total",
                    Some(&"info") => "_info",
                    _ => "",
                };
                let rest = if (keyword, rest) == ("TYPE", "info") { "gauge" } else { rest };
                text.push_str(&format!("# {keyword} {name}{suffix} {rest}\n"));
            }
            // Units and the end of the text have no counterpart.
            _ if line.starts_with('#') => {}
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_named_with_their_suffix() {
        let open_metrics = "# HELP calls Calls.\n# TYPE calls counter\ncalls_total{a=\"b\"} 1\n\
                            # HELP pause_seconds Pause.\n# TYPE pause_seconds gauge\n# UNIT pause_seconds seconds\n\
                            pause_seconds 2.5\n# HELP build Build.\n# TYPE build info\nbuild_info{v=\"1\"} 1\n# EOF\n";
        let expected = "# HELP calls_total Calls.\n# TYPE calls_total counter\ncalls_total{a=\"b\"} 1\n\
                        # HELP pause_seconds Pause.\n# TYPE pause_seconds gauge\npause_seconds 2.5\n\
                        # HELP build_info Build.\n# TYPE build_info gauge\nbuild_info{v=\"1\"} 1\n";
        assert_eq!(to_prometheus_text(open_metrics), expected);
    }
}
