//! The identity headers that the upstream receives.

use axum::http::{HeaderName, HeaderValue};
use domain::{
    caller::{Caller, Identity},
    id::Id,
    property::PropertyScope,
};
use keyring::CachedKey;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::problem::{Code, Problem};

const X_TENANT: HeaderName = HeaderName::from_static("x-latchkey-tenant");
const X_KEY_ID: HeaderName = HeaderName::from_static("x-latchkey-key-id");
const X_KEY_NAME: HeaderName = HeaderName::from_static("x-latchkey-key-name");
const X_OWNER: HeaderName = HeaderName::from_static("x-latchkey-owner");
const X_PERMISSIONS: HeaderName = HeaderName::from_static("x-latchkey-permissions");
const X_PROPERTIES: HeaderName = HeaderName::from_static("x-latchkey-properties");

/// Everything but visible ASCII, and `%`, the escape character itself.
const INVISIBLE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// The limit on all headers, names included: proxies and APIs drop or refuse longer ones.
const MAX_IDENTITY_BYTES: usize = 8 * 1024;

/// The colon, the space and the line end of a header.
const HEADER_OVERHEAD_BYTES: usize = 4;

/// Builds all identity headers. One without a value is sent empty, so that the proxy overwrites whatever the client sent.
///
/// # Errors
/// If they are too large. They are never truncated: a shortened list of properties would be a wrong one.
pub fn headers(
    caller: &Caller,
    key: Option<&CachedKey>,
    asked_tenant: Option<&str>,
) -> Result<[(HeaderName, HeaderValue); 6], Problem> {
    // Legacy authentication knows the tenant's id only, unless the proxy named its slug.
    let tenant = key.map(|key| key.tenant.slug.as_str()).or(asked_tenant).unwrap_or(caller.tenant.as_str());
    let owner = match &caller.identity {
        Identity::Key(_) => key.and_then(|key| key.owner.as_ref()).map(|owner| owner.id.as_str()),
        Identity::Person(person) => Some(person.as_str()),
    };
    let properties = match key.map(|key| &key.reach) {
        Some(PropertyScope::Only(ids)) => join_with_spaces(ids),
        Some(PropertyScope::All) | None => "*".to_owned(),
    };
    let headers = [
        (X_TENANT, value(tenant.to_owned())),
        (X_KEY_ID, value(key.map(|key| key.id.to_string()).unwrap_or_default())),
        (X_KEY_NAME, value(key.map(|key| encoded(&key.name)).unwrap_or_default())),
        (X_OWNER, value(owner.unwrap_or_default().to_owned())),
        (X_PERMISSIONS, value(join_with_spaces(&caller.grants.effective()))),
        (X_PROPERTIES, value(properties)),
    ];
    let bytes: usize = headers.iter().map(|(name, value)| header_bytes(name, value)).sum();
    if bytes > MAX_IDENTITY_BYTES { Err(too_large(bytes)) } else { Ok(headers) }
}

fn header_bytes(name: &HeaderName, value: &HeaderValue) -> usize {
    name.as_str().len() + value.len() + HEADER_OVERHEAD_BYTES
}

fn too_large(bytes: usize) -> Problem {
    let detail = format!(
        "The identity headers of this key take {bytes} bytes; the limit is {MAX_IDENTITY_BYTES}. Give the key all \
         properties or fewer of them, or a group with fewer permissions."
    );
    Problem::new(Code::IdentityTooLarge, detail)
}

fn join_with_spaces<T: ToString>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, INVISIBLE).to_string()
}

fn value(text: String) -> HeaderValue {
    let Ok(value) = HeaderValue::try_from(text) else { unreachable!("ids, slugs and what is encoded are visible") };
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_through_visible_ascii() {
        for (name, expected) in [
            ("PMS", "PMS"),
            ("Café Übersee", "Caf%C3%A9%20%C3%9Cbersee"),
            ("100 %", "100%20%25"),
            ("a\r\nX-Evil: b", "a%0D%0AX-Evil:%20b"),
            ("", ""),
        ] {
            assert_eq!(encoded(name), expected);
            assert_eq!(value(encoded(name)), expected);
            assert_eq!(percent_encoding::percent_decode_str(expected).decode_utf8().unwrap(), name);
        }
    }
}
