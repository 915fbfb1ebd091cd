//! Numbers as people read them.

/// `12,345`
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

/// `12,345 calls`, `1 call`
pub(crate) fn calls(count: u64) -> String {
    counted(count, "call", "calls")
}

/// `12,345 properties`, `1 property`
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// `750`, `1.5k`, `20M`: for an axis, whose numbers are round.
pub(crate) fn short(number: u64) -> String {
    let units = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let unit = units.into_iter().find(|(size, _)| number >= *size);
    unit.map_or_else(|| number.to_string(), |(size, name)| format!("{}{name}", number as f64 / size as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        for (number, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), expected);
        }
        assert_eq!((calls(1), calls(0), calls(2000)), ("1 call".into(), "0 calls".into(), "2,000 calls".into()));
    }

    #[test]
    fn an_axis_is_short_of_room() {
        for (number, expected) in [(0, "0"), (500, "500"), (1500, "1.5k"), (20_000, "20k"), (2_500_000, "2.5M")] {
            assert_eq!(short(number), expected);
        }
    }
}
