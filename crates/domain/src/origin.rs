//! Web origins: scheme, host and port, in the one form they are compared in.

use std::{fmt, net::Ipv6Addr};

use serde::{Deserialize, Serialize};

use crate::field::{Field, FieldError};

/// The maximum number of origins per key.
pub const MAX_ORIGINS: usize = 50;

const MAX_HOST_CHARS: usize = 253;

/// A normalised origin: lower case, no default port, no path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

/// Why a text is no origin that a key can list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseOriginError {
    #[error("has to start with https:// or http://")]
    Scheme,
    #[error("has a path or a query after the host; write only scheme, host and port")]
    Path,
    #[error("contains a user name; write only scheme, host and port")]
    Credentials,
    #[error("has a wildcard; list every origin by its full name")]
    Wildcard,
    #[error("has letters outside of a–z; write the host in its xn-- form")]
    NotAscii,
    #[error("has no valid host name")]
    Host,
    #[error("has no valid port; a port is a number from 1 to 65535")]
    Port,
}

impl Origin {
    /// Reads an origin as a person types it or a browser sends it.
    ///
    /// # Errors
    /// Says what keeps the text from being an origin.
    pub fn parse(text: &str) -> Result<Self, ParseOriginError> {
        let lower = text.trim().to_ascii_lowercase();
        let (scheme, rest, default_port) = if let Some(rest) = lower.strip_prefix("https://") {
            ("https", rest, 443)
        } else if let Some(rest) = lower.strip_prefix("http://") {
            ("http", rest, 80)
        } else {
            return Err(ParseOriginError::Scheme);
        };
        // A single slash at the end is what copying from the address bar gives; it says nothing.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        check_is_authority_only(authority)?;
        let (host, port) = split_port(authority)?;
        let host = normalised_host(host)?;
        Ok(Self(match port {
            Some(port) if port != default_port => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_is_authority_only(authority: &str) -> Result<(), ParseOriginError> {
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(ParseOriginError::Path);
    }
    if authority.contains('@') {
        return Err(ParseOriginError::Credentials);
    }
    if authority.contains('*') {
        return Err(ParseOriginError::Wildcard);
    }
    if !authority.is_ascii() {
        return Err(ParseOriginError::NotAscii);
    }
    Ok(())
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), ParseOriginError> {
    let end_of_host = if authority.starts_with('[') {
        authority.find(']').ok_or(ParseOriginError::Host)? + 1
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end_of_host);
    if port.is_empty() {
        return Ok((host, None));
    }
    let digits = port.strip_prefix(':').ok_or(ParseOriginError::Host)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(port) if is_number && port > 0 => Ok((host, Some(port))),
        _ => Err(ParseOriginError::Port),
    }
}

fn normalised_host(host: &str) -> Result<String, ParseOriginError> {
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().map(|address| format!("[{address}]")).map_err(|_| ParseOriginError::Host);
    }
    // Browsers read any host whose last label is a number as an IPv4 address, so it has to be one.
    let last = host.rsplit('.').next().unwrap_or_default();
    let is_numeric = last.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = host.len() <= MAX_HOST_CHARS && host.split('.').all(is_label);
    let is_address = host.parse::<std::net::Ipv4Addr>().is_ok();
    if is_address || (is_name && !is_numeric) { Ok(host.to_owned()) } else { Err(ParseOriginError::Host) }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'))
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Reads origins with commas or line breaks between them, each once.
///
/// # Errors
/// Names every entry that is no origin, and a list that is too long.
pub fn parse_origins(text: &str) -> Result<Vec<Origin>, Vec<FieldError>> {
    let mut origins = Vec::new();
    let mut errors = Vec::new();
    for entry in text.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty()) {
        match Origin::parse(entry) {
            Ok(origin) if origins.contains(&origin) => {}
            Ok(origin) => origins.push(origin),
            Err(reason) => errors.push(wrong_entry(entry, reason)),
        }
    }
    if origins.len() > MAX_ORIGINS {
        let detail = format!("A key can list {MAX_ORIGINS} origins; this list has {}.", origins.len());
        errors.push(FieldError::new(Field::AllowedOrigins, "too_many", detail));
    }
    if errors.is_empty() { Ok(origins) } else { Err(errors) }
}

fn wrong_entry(entry: &str, reason: ParseOriginError) -> FieldError {
    let shown: String = entry.chars().take(60).collect();
    FieldError::new(
        Field::AllowedOrigins,
        "not_an_origin",
        format!("“{shown}” {reason}. Write for example https://booking.example.com."),
    )
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = ParseOriginError;

    fn try_from(text: String) -> Result<Self, ParseOriginError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> String {
        origin.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn origins_are_normalised() {
        for (typed, expected) in [
            ("https://example.com", "https://example.com"),
            (" HTTPS://Example.COM/ ", "https://example.com"),
            ("https://example.com:443", "https://example.com"),
            ("http://example.com:80", "http://example.com"),
            ("http://example.com:443", "http://example.com:443"),
            ("http://localhost:03000", "http://localhost:3000"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("http://[0:0:0::1]", "http://[::1]"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://127.0.0.1", "http://127.0.0.1"),
        ] {
            assert_eq!(Origin::parse(typed).unwrap().as_str(), expected, "{typed}");
        }
    }

    #[test]
    fn invalid_origin_is_refused_with_the_reason() {
        use ParseOriginError::{Credentials, Host, NotAscii, Path, Port, Scheme, Wildcard};
        for (typed, reason) in [
            ("", Scheme),
            ("null", Scheme),
            ("example.com", Scheme),
            ("ftp://example.com", Scheme),
            ("file:///etc", Scheme),
            ("https://", Host),
            ("https:///", Host),
            ("https://example.com/booking", Path),
            ("https://example.com//", Path),
            ("https://example.com?x", Path),
            ("https://example.com#x", Path),
            ("https://ana@example.com", Credentials),
            ("https://*.example.com", Wildcard),
            ("https://bücher.example", NotAscii),
            ("https://example..com", Host),
            ("https://-example.com", Host),
            ("https://exa mple.com", Host),
            ("https://1.2.3", Host),
            ("https://256.1.1.1", Host),
            ("https://[::1", Host),
            ("https://[::1]x", Host),
            ("https://example.com:", Port),
            ("https://example.com:0", Port),
            ("https://example.com:65536", Port),
            ("https://example.com:+80", Port),
        ] {
            assert_eq!(Origin::parse(typed), Err(reason), "{typed}");
        }
    }

    #[test]
    fn lists_accept_commas_and_lines_and_report_the_invalid_entry() {
        let origins = parse_origins("https://a.example, https://b.example\nHTTPS://A.example:443\n,").unwrap();
        assert_eq!(origins.iter().map(Origin::as_str).collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
        let errors = parse_origins("https://a.example, b.example\n*").unwrap_err();
        assert_eq!(errors.len(), 2);
        assert!(errors[0].detail.starts_with("“b.example” has to start with"));
        let many = |count: u32| (0..count).map(|n| format!("https://h{n}.example")).collect::<Vec<_>>().join(",");
        assert_eq!(parse_origins(&many(50)).unwrap().len(), 50);
        assert_eq!(parse_origins(&many(51)).unwrap_err()[0].code, "too_many");
    }

    proptest! {
        #[test]
        fn any_text_parses_without_panic_and_normal_forms_are_stable(text in "(https?://)?\\PC{0,60}") {
            if let Ok(origin) = Origin::parse(&text) {
                prop_assert_eq!(Origin::parse(origin.as_str()).unwrap(), origin);
            }
        }
    }
}
