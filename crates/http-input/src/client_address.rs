//! The client's address: the peer's, or the one that trusted proxies report.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use domain::network::{self, IpNet};
use http::{HeaderMap, HeaderValue};

pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress {
    /// None if it is unknown: then it is on no allowlist.
    pub known: Option<IpAddr>,
    /// The last address that can be trusted: the client's own if it is known.
    pub nearest: IpAddr,
    /// True if a trusted proxy reported the address. Otherwise it is the connection's.
    pub is_forwarded: bool,
}

impl ClientAddress {
    /// Reads `X-Forwarded-For` from its right end, for as long as the address that reported an entry is trusted. An entry
    /// that cannot be parsed leaves the client unknown.
    #[must_use]
    pub fn of_request(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let is_trusted = |address: &IpAddr| network::contains(trusted, *address);
        let (mut nearest, mut is_forwarded) = (peer.to_canonical(), false);
        // Works on bytes: entries further left are never read, so they cannot cause an error either.
        let lines: Vec<&[u8]> = headers.get_all(FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
        let mut hops = lines.iter().flat_map(|line| line.split(|byte| *byte == b',')).rev();
        while is_trusted(&nearest) {
            let Some(hop) = hops.next() else { break };
            is_forwarded = true;
            let address = std::str::from_utf8(hop).ok().and_then(|hop| hop.trim().parse::<IpAddr>().ok());
            let Some(address) = address else { return Self { known: None, nearest, is_forwarded } };
            nearest = address.to_canonical();
        }
        Self { known: Some(nearest), nearest, is_forwarded }
    }

    /// Returns the client of a proxy that sends an auth request. The connection's address is the proxy's, so the client's
    /// is unknown unless a trusted proxy reported it.
    #[must_use]
    pub fn behind_proxy(self) -> Self {
        Self { known: self.known.filter(|_| self.is_forwarded), ..self }
    }
}

/// Parses an address as programs report it: with or without a port, IPv6 with or without brackets.
#[must_use]
pub fn parse_address(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let address = text.parse::<IpAddr>().ok().or_else(with_port).or_else(bracketed);
    address.map(|address| address.to_canonical())
}

/// The shortest prefixes that an operator would write for their own proxies.
const MIN_PREFIX_V4: u8 = 16;
const MIN_PREFIX_V6: u8 = 48;

/// Returns the ranges that hold more than the proxies of an installation. Every address in a trusted range can claim to be
/// any client.
pub fn wide_ranges(trusted: &[IpNet]) -> impl Iterator<Item = &IpNet> {
    trusted.iter().filter(|range| match range {
        IpNet::V4(range) => range.prefix_len() < MIN_PREFIX_V4,
        IpNet::V6(range) => range.prefix_len() < MIN_PREFIX_V6,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_static(line));
        }
        let ClientAddress { known, nearest, .. } = ClientAddress::of_request(peer.parse().unwrap(), &headers, &trusted);
        match known {
            Some(known) => {
                assert_eq!(known, nearest);
                known.to_string()
            }
            None => format!("unknown behind {nearest}"),
        }
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, expected) in [
            ("203.0.113.7", &[][..], "203.0.113.7"),
            ("203.0.113.7", &["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", &["6.6.6.6", "198.51.100.1,10.0.0.2"], "198.51.100.1"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1"),
            ("2001:db8::1", &["2a00::1"], "2a00::1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["unknown"], "unknown behind 10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, "], "unknown behind 10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1:443"], "unknown behind 10.0.0.1"),
            ("10.0.0.1", &[""], "unknown behind 10.0.0.1"),
            ("203.0.113.7", &["unknown"], "203.0.113.7"),
            ("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], "unknown behind 10.0.0.2"),
            ("10.0.0.1", &["10.0.0.3"], "10.0.0.3"),
        ] {
            assert_eq!(found(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn client_of_a_proxy_is_known_only_when_a_trusted_proxy_names_it() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/24".parse().unwrap()];
        for (peer, forwarded, expected) in [
            ("10.0.0.1", "203.0.113.7", Some("203.0.113.7")),
            ("10.0.0.1", "10.0.0.2", Some("10.0.0.2")),
            ("10.0.0.1", "10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1", "unknown", None),
            ("10.0.1.1", "203.0.113.7", None),
        ] {
            let found = address_of(peer.parse().unwrap(), forwarded, &trusted).behind_proxy();
            assert_eq!(found.known, expected.map(|address| address.parse().unwrap()), "{peer} {forwarded}");
        }
        let unnamed = ClientAddress::of_request("10.0.0.1".parse().unwrap(), &HeaderMap::new(), &trusted);
        assert_eq!(unnamed.behind_proxy().known, None);
    }

    #[test]
    fn address_is_parsed_with_and_without_a_port() {
        for (text, expected) in [
            ("203.0.113.9", Some("203.0.113.9")),
            ("203.0.113.9:443", Some("203.0.113.9")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:203.0.113.9", Some("203.0.113.9")),
            ("[::ffff:203.0.113.9]:80", Some("203.0.113.9")),
            ("[203.0.113.9]", None),
            ("203.0.113.9:", None),
            ("203.0.113.9:99999", None),
            ("203.0.113", None),
            ("unknown", None),
            ("", None),
        ] {
            assert_eq!(parse_address(text), expected.map(|address| address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn ranges_that_hold_more_than_proxies_are_wide() {
        let ranges = ["10.0.0.5/32", "10.0.0.0/16", "10.0.0.0/15", "2001:db8::/48", "2001:db8::/47", "::/0"];
        let trusted: Vec<IpNet> = ranges.iter().map(|range| range.parse().unwrap()).collect();
        let wide: Vec<String> = wide_ranges(&trusted).map(IpNet::to_string).collect();
        assert_eq!(wide, ["10.0.0.0/15", "2001:db8::/47", "::/0"]);
    }

    fn address_of(peer: IpAddr, line: &str, trusted: &[IpNet]) -> ClientAddress {
        let mut headers = HeaderMap::new();
        headers.append(FORWARDED_FOR, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        ClientAddress::of_request(peer, &headers, trusted)
    }

    proptest! {
        /// The entries that a client forges stay left of the one that the first trusted proxy appends.
        #[test]
        fn client_cannot_choose_its_address(forged in "[\\PC]{0,60}", client: [u8; 4], proxies in prop::collection::vec(any::<u8>(), 0..4)) {
            let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
            let client = IpAddr::from(client);
            prop_assume!(!network::contains(&trusted, client));
            let hops: String = proxies.iter().map(|last| format!(", 10.0.0.{last}")).collect();
            let found = address_of("10.1.2.3".parse().unwrap(), &format!("{forged},{client}{hops}"), &trusted);
            prop_assert_eq!(found, ClientAddress { known: Some(client), nearest: client, is_forwarded: true });
        }

        #[test]
        fn untrusted_peer_is_never_believed(line in "[\\PC]{0,80}", peer: [u8; 4]) {
            let peer = IpAddr::from(peer);
            let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
            prop_assume!(!network::contains(&trusted, peer));
            let expected = ClientAddress { known: Some(peer), nearest: peer, is_forwarded: false };
            prop_assert_eq!(address_of(peer, &line, &trusted), expected);
        }
    }
}
