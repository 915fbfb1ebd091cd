//! Who was let through, for the upstream to read.

use axum::http::{HeaderName, HeaderValue};
use domain::{
    caller::{Caller, Identity},
    id::Id,
    property::Reach,
};
use keyring::Standing;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

const TENANT: HeaderName = HeaderName::from_static("x-latchkey-tenant");
const KEY_ID: HeaderName = HeaderName::from_static("x-latchkey-key-id");
const KEY_NAME: HeaderName = HeaderName::from_static("x-latchkey-key-name");
const OWNER: HeaderName = HeaderName::from_static("x-latchkey-owner");
const PERMISSIONS: HeaderName = HeaderName::from_static("x-latchkey-permissions");
const PROPERTIES: HeaderName = HeaderName::from_static("x-latchkey-properties");

/// All that is not visible in ASCII, and what the encoding itself is written with.
const INVISIBLE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// Always all of them, empty where there is nothing: what the proxy overwrites, no client can have sent.
pub fn headers(caller: &Caller, key: Option<&Standing>, asked_tenant: Option<&str>) -> [(HeaderName, HeaderValue); 6] {
    // A person's password, one of the old ways, leads to no more than an id unless the proxy named the tenant.
    let tenant = key.map(|key| key.tenant.slug.as_str()).or(asked_tenant).unwrap_or(caller.tenant.as_str());
    let owner = match &caller.identity {
        Identity::Key(_) => key.and_then(|key| key.owner.as_ref()).map(|owner| owner.id.as_str()),
        Identity::Person(person) => Some(person.as_str()),
    };
    let properties = match key.map(|key| &key.reach) {
        Some(Reach::Only(ids)) => words(ids),
        Some(Reach::All) | None => "*".to_owned(),
    };
    [
        (TENANT, value(tenant.to_owned())),
        (KEY_ID, value(key.map(|key| key.id.to_string()).unwrap_or_default())),
        (KEY_NAME, value(key.map(|key| encoded(&key.name)).unwrap_or_default())),
        (OWNER, value(owner.unwrap_or_default().to_owned())),
        (PERMISSIONS, value(words(&caller.grants.listed()))),
        (PROPERTIES, value(properties)),
    ]
}

fn words<T: ToString>(items: &[T]) -> String {
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
    fn names_become_visible_ascii_and_can_be_read_back() {
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
