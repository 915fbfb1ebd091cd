//! Checks that hold for any input of the parsers that read what clients and people send.
//!
//! The property tests below run them with text, and the targets in `fuzz` with whatever libFuzzer comes up with.

use std::net::{IpAddr, Ipv4Addr};

use chrono::DateTime;
use domain::{
    id::{Id, ReservationId},
    network::{self, IpNet},
    permission::Permission,
    secret,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use http_input::{client_address::ClientAddress, credential, cursor, idempotency_key};

/// Credentials in any combination of headers: one header per line, the first byte of a line chooses its name.
///
/// # Panics
/// If a header that was sent twice is not a conflict.
pub fn credentials(data: &[u8]) {
    let mut headers = HeaderMap::new();
    let mut names = Vec::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((choice, value)) = line.split_first() else { continue };
        let Ok(value) = HeaderValue::from_bytes(value) else { continue };
        let name = usize::from(*choice) % credential::CREDENTIAL_HEADERS.len();
        names.push(name);
        headers.append(&credential::CREDENTIAL_HEADERS[name], value);
    }
    let is_repeated = names.iter().enumerate().any(|(at, name)| names[..at].contains(name));
    assert!(!is_repeated || credential::find_credential(&headers).is_err(), "{headers:?}");
    assert!(!is_repeated || credential::find_forwarded_credential(&headers, None).is_err(), "{headers:?}");
}

/// Cursors of a list.
///
/// # Panics
/// If a valid cursor does not name the id that it was made from.
pub fn cursors(text: &str) {
    if let Some(id) = cursor::decode_cursor::<ReservationId>(text) {
        assert_eq!(cursor::decode_cursor(&cursor::encode_cursor(id.as_str())), Some(id));
    }
}

/// Access tokens.
///
/// # Panics
/// If a token is valid that the key did not sign.
pub fn tokens(text: &str) {
    let key = "a key that signed nothing".to_owned().into();
    assert_eq!(verify::access_token::verify(&text.to_owned().into(), &key, DateTime::UNIX_EPOCH), None);
}

/// Permissions.
///
/// # Panics
/// If the text of a permission is another permission.
pub fn permissions(text: &str) {
    if let Ok(permission) = Permission::parse(text) {
        assert_eq!(Permission::parse(&permission.to_string()), Ok(permission));
    }
}

/// IP allowlists.
///
/// # Panics
/// If a range is shown as another one.
pub fn networks(text: &str) {
    for range in network::parse_allowlist(text).into_iter().flat_map(|allowlist| allowlist.ranges) {
        assert_eq!(network::parse_range(&network::show(&range)), Some(range));
        assert!(network::contains(&[range], range.addr()));
    }
}

/// `X-Forwarded-For`, from a peer that is not trusted and behind a proxy that is.
///
/// # Panics
/// If a client can choose its own address.
pub fn forwarded_for(data: &[u8]) {
    let trusted = [IpNet::from(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)))];
    let (proxy, client) = (trusted[0].addr(), IpAddr::from([203, 0, 113, 7]));
    let name = HeaderName::from_static("x-forwarded-for");
    let Ok(forged) = HeaderValue::from_bytes(data) else { return };
    let Ok(appended) = HeaderValue::from_bytes(&[data, b", 203.0.113.7"].concat()) else { return };
    let address =
        |peer, value| ClientAddress::of_request(peer, &HeaderMap::from_iter([(name.clone(), value)]), &trusted).known;
    assert_eq!(address(client, forged), Some(client));
    assert_eq!(address(proxy, appended), Some(client));
}

/// Secrets of keys.
///
/// # Panics
/// If a well-formed secret is also well-formed with one character less or more.
pub fn secrets(text: &str) {
    if secret::is_well_formed(text) {
        assert!(!secret::is_well_formed(&text[..text.len() - 1]) && !secret::is_well_formed(&format!("{text}0")));
    }
}

/// `Idempotency-Key`.
///
/// # Panics
/// If a key is empty or longer than 255 characters.
pub fn idempotency_keys(data: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(data) else { return };
    let headers = HeaderMap::from_iter([(HeaderName::from_static("idempotency-key"), value)]);
    if let Ok(Some(key)) = idempotency_key::find_idempotency_key(&headers) {
        assert!((1..=255).contains(&key.len()), "{key:?}");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_credentials_are_parsed(lines in prop::collection::vec("[a-c][\\PC\t]{0,60}", 0..4)) {
            super::credentials(lines.join("\n").as_bytes());
        }

        #[test]
        fn any_cursor_is_parsed(text in "\\PC{0,80}|cmVzX[A-Za-z0-9]{35}") {
            super::cursors(&text);
        }

        #[test]
        fn any_token_is_parsed(text in "\\PC{0,200}|[A-Za-z0-9]{1,40}\\.[A-Za-z0-9]{1,40}\\.[A-Za-z0-9]{43}") {
            super::tokens(&text);
        }

        #[test]
        fn any_permission_is_parsed(text in "\\PC{0,40}|[a-z*]{1,8}:[a-z*]{1,8}") {
            super::permissions(&text);
        }

        #[test]
        fn any_allowlist_is_parsed(text in "\\PC{0,200}|([0-9]{1,3}\\.){3}[0-9]{1,3}(/[0-9]{1,2})?") {
            super::networks(&text);
        }

        #[test]
        fn any_forwarded_for_is_parsed(text in "\\PC{0,80}|([0-9.]{7,15}, ){0,4}[0-9.]{7,15}") {
            super::forwarded_for(text.as_bytes());
        }

        #[test]
        fn any_secret_is_parsed(text in "\\PC{0,80}") {
            super::secrets(&text);
        }

        #[test]
        fn any_idempotency_key_is_parsed(text in "\\PC{0,300}|\"[ -~]{0,300}\"") {
            super::idempotency_keys(text.as_bytes());
        }
    }
}
