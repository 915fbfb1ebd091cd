//! Cursors: where the next page of a list begins. Opaque to clients.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::id::Id;

/// Returns the cursor of the page after the item with this id.
#[must_use]
pub fn encode_cursor(id: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

/// Returns the id in a cursor, if it is a cursor of this kind of list.
#[must_use]
pub fn decode_cursor<I: Id>(cursor: &str) -> Option<I> {
    I::parse(&decode_text(cursor)?).ok()
}

/// Returns the text in a cursor.
pub fn decode_text(cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use domain::id::{ReservationId, ServiceId};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursor_round_trips(ulid in "[0-7][0-9A-HJKMNP-TV-Z]{25}") {
            let id = ReservationId::parse(&format!("res_{ulid}")).unwrap();
            let cursor = encode_cursor(id.as_str());
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(decode_cursor::<ReservationId>(&cursor), Some(id));
            prop_assert_eq!(decode_cursor::<ServiceId>(&cursor), None, "of another list");
        }
    }
}
