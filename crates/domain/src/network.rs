//! IP allowlists: single addresses and CIDR ranges, v4 and v6, one a line.

use std::net::{IpAddr, Ipv6Addr};

pub use ipnet::IpNet;
use ipnet::Ipv4Net;

use crate::field::{Field, FieldError};

/// The maximum number of ranges per key.
pub const MAX_RANGES: usize = 100;

/// An allowlist as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist {
    /// The ranges in the order they were typed, each once.
    pub ranges: Vec<IpNet>,
    /// Lines whose meaning differs from their text: the text, and the range that it denotes.
    pub adjusted: Vec<(String, IpNet)>,
}

/// Reads one address or range a line; empty lines are passed over.
///
/// # Errors
/// Names every line that is neither an address nor a range, and a list that is too long.
pub fn parse_allowlist(text: &str) -> Result<Allowlist, Vec<FieldError>> {
    let mut list = Allowlist::default();
    let mut errors = Vec::new();
    for (number, line) in (1..).zip(text.lines()).map(|(number, line)| (number, line.trim())) {
        if line.is_empty() {
            continue;
        }
        match parse_range(line) {
            Some(range) => list.add(line, range),
            None => errors.push(wrong_line(number, line)),
        }
    }
    if list.ranges.len() > MAX_RANGES {
        let detail = format!("A key can list {MAX_RANGES} addresses or ranges; this list has {}.", list.ranges.len());
        errors.push(FieldError::new(Field::AllowedIps, "too_many", detail));
    }
    if errors.is_empty() { Ok(list) } else { Err(errors) }
}

fn wrong_line(number: usize, line: &str) -> FieldError {
    let shown: String = line.chars().take(60).collect();
    let detail = format!(
        "Line {number}, “{shown}”, is neither an IP address nor a CIDR range. Write for example 203.0.113.7, 10.0.0.0/8 or 2001:db8::/32."
    );
    FieldError::new(Field::AllowedIps, "not_an_address", detail)
}

impl Allowlist {
    fn add(&mut self, line: &str, range: IpNet) {
        if !means_what_it_says(line, range) {
            self.adjusted.push((line.to_owned(), range));
        }
        if !self.ranges.contains(&range) {
            self.ranges.push(range);
        }
    }
}

fn means_what_it_says(line: &str, range: IpNet) -> bool {
    line.parse::<IpNet>().is_ok_and(|typed| typed == range)
        || line.parse::<IpAddr>().is_ok_and(|typed| typed == range.addr())
}

/// One address or range.
#[must_use]
pub fn parse_range(line: &str) -> Option<IpNet> {
    let typed = match line.parse::<IpNet>() {
        Ok(range) => range,
        Err(_) => IpNet::from(line.parse::<IpAddr>().ok()?),
    };
    Some(canonical(typed.trunc()))
}

/// The network address with the host bits cleared, and IPv4 that is written as IPv6 made plain.
fn canonical(range: IpNet) -> IpNet {
    const MAPPED_BITS: u8 = 96;
    if let IpNet::V6(v6) = range
        && v6.prefix_len() >= MAPPED_BITS
        && let Some(v4) = Ipv6Addr::to_ipv4_mapped(&v6.addr())
        && let Ok(v4) = Ipv4Net::new(v4, v6.prefix_len() - MAPPED_BITS)
    {
        return IpNet::V4(v4);
    }
    range
}

/// Returns true if an address is in one of the ranges. IPv4-mapped IPv6 addresses count as IPv4.
#[must_use]
pub fn contains(ranges: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    ranges.iter().any(|range| range.contains(&address))
}

/// The network by which clients are counted: an IPv4 address, or a /64 of IPv6, all of which one household or server has.
#[must_use]
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// A range as people write it: a single address without its prefix length.
#[must_use]
pub fn show(range: &IpNet) -> String {
    if range.prefix_len() == range.max_prefix_len() { range.addr().to_string() } else { range.to_string() }
}

/// Ranges as they are searched: sorted, and joined where they touch or overlap, so that a look takes a few steps
/// however many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AddressSet {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl AddressSet {
    #[must_use]
    pub fn of(ranges: &[IpNet]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for range in ranges {
            match canonical(*range) {
                IpNet::V4(range) => v4.push((range.network().to_bits(), range.broadcast().to_bits())),
                IpNet::V6(range) => v6.push((range.network().to_bits(), range.broadcast().to_bits())),
            }
        }
        Self { v4: joined(v4, |last| last.checked_add(1)), v6: joined(v6, |last| last.checked_add(1)) }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => is_in(&self.v4, address.to_bits()),
            IpAddr::V6(address) => is_in(&self.v6, address.to_bits()),
        }
    }

    /// Returns the memory that the ranges use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.v4) + size_of_val(&*self.v6)
    }
}

fn joined<N: Ord + Copy>(mut ranges: Vec<(N, N)>, next: impl Fn(N) -> Option<N>) -> Box<[(N, N)]> {
    ranges.sort_unstable();
    ranges.dedup_by(|later, earlier| {
        let touches = next(earlier.1).is_none_or(|next| later.0 <= next);
        if touches {
            earlier.1 = earlier.1.max(later.1);
        }
        touches
    });
    ranges.into_boxed_slice()
}

fn is_in<N: Ord>(ranges: &[(N, N)], number: N) -> bool {
    let after = ranges.partition_point(|(first, _)| *first <= number);
    after.checked_sub(1).and_then(|at| ranges.get(at)).is_some_and(|(_, last)| number <= *last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ranges(text: &str) -> Vec<String> {
        parse_allowlist(text).unwrap().ranges.iter().map(show).collect()
    }

    #[test]
    fn addresses_and_ranges_are_normalized() {
        for (typed, expected) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 10.0.0.0/8 ", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0:0::/32", "2001:db8::/32"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("::ffff:10.0.0.1/104", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(ranges(typed), [expected], "{typed}");
        }
        assert!(ranges("").is_empty());
        assert_eq!(ranges("10.0.0.1\r\n\n10.0.0.1/32\n::1"), ["10.0.0.1", "::1"], "each once");
    }

    #[test]
    fn normalization_is_reported() {
        let list = parse_allowlist("10.1.2.3/8\n10.0.0.0/8\n203.0.113.7\n203.0.113.8/32").unwrap();
        assert_eq!(list.adjusted.len(), 1);
        assert_eq!(list.adjusted[0].0, "10.1.2.3/8");
    }

    #[test]
    fn every_invalid_line_is_reported() {
        let errors = parse_allowlist("10.0.0.0/8\nlocalhost\n\n10.0.0.0/33\n1.2.3\n10.0.0.0 / 8").unwrap_err();
        let lines: Vec<&str> = errors.iter().map(|error| error.detail.split(',').next().unwrap()).collect();
        assert_eq!(lines, ["Line 2", "Line 4", "Line 5", "Line 6"]);
        assert!(errors[0].detail.contains("“localhost”"));
    }

    #[test]
    fn list_has_at_most_100_ranges() {
        let lines =
            |count: u32| (0..count).map(|n| std::net::Ipv4Addr::from(n).to_string()).collect::<Vec<_>>().join("\n");
        assert_eq!(ranges(&lines(100)).len(), 100);
        assert_eq!(parse_allowlist(&lines(101)).unwrap_err()[0].code, "too_many");
    }

    #[test]
    fn address_is_normalized_before_comparison() {
        let ranges = parse_allowlist("10.0.0.0/8\n2001:db8::/32\n::ffff:192.0.2.0/120").unwrap().ranges;
        for (address, expected) in [
            ("10.255.0.1", true),
            ("::ffff:10.0.0.1", true),
            ("11.0.0.1", false),
            ("192.0.2.200", true),
            ("2001:db8:ffff::1", true),
            ("2001:db9::1", false),
            ("::", false),
        ] {
            assert_eq!(contains(&ranges, address.parse().unwrap()), expected, "{address}");
        }
        assert!(!contains(&[], "10.0.0.1".parse().unwrap()), "an empty list contains no address");
    }

    proptest! {
        #[test]
        fn range_contains_addresses_with_its_prefix(range: u32, bits in 0u8..=32, address: u32, mapped: bool) {
            let net = IpNet::new(std::net::Ipv4Addr::from(range).into(), bits).unwrap().trunc();
            let v4 = std::net::Ipv4Addr::from(address);
            let presented = if mapped { IpAddr::V6(v4.to_ipv6_mapped()) } else { IpAddr::V4(v4) };
            let shared = bits == 0 || range >> (32 - bits) == address >> (32 - bits);
            prop_assert_eq!(contains(&[net], presented), shared);
        }

        /// The ranges are dense enough that they touch, overlap and hold each other.
        #[test]
        fn set_contains_the_addresses_of_its_ranges(
            ranges in prop::collection::vec((0u32..64, 24u8..=32, any::<bool>()), 0..20),
            address in 0u32..64,
            sixth: bool,
        ) {
            let net = |(bits, length, sixth): &(u32, u8, bool)| match sixth {
                true => IpNet::new(Ipv6Addr::from(u128::from(*bits)).into(), 96 + length).unwrap().trunc(),
                false => IpNet::new(std::net::Ipv4Addr::from(*bits).into(), *length).unwrap().trunc(),
            };
            let ranges: Vec<IpNet> = ranges.iter().map(net).collect();
            let address: IpAddr = match sixth {
                true => Ipv6Addr::from(u128::from(address)).into(),
                false => std::net::Ipv4Addr::from(address).into(),
            };
            let set = AddressSet::of(&ranges);
            prop_assert_eq!(set.contains(address), contains(&ranges, address));
            prop_assert_eq!(set.is_empty(), ranges.is_empty());
        }

        #[test]
        fn displayed_text_parses_back(address: std::net::IpAddr, bits in 0u8..=128) {
            let most = if address.is_ipv4() { 32 } else { 128 };
            let typed = format!("{address}/{}", bits.min(most));
            let range = parse_allowlist(&typed).unwrap().ranges[0];
            prop_assert_eq!(parse_allowlist(&show(&range)).unwrap().ranges, vec![range]);
            prop_assert_eq!(range, range.trunc());
        }
    }
}
