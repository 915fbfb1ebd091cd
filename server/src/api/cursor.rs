//! Cursors: where the next page of a list begins. Opaque to clients.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::id::Id;

/// The cursor of a page that follows on what has this id.
pub fn write(id: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

/// The id behind a cursor, if it is one of a list of these.
pub fn decode_cursor<I: Id>(cursor: &str) -> Option<I> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?;
    I::parse(std::str::from_utf8(&bytes).ok()?).ok()
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
            let cursor = write(id.as_str());
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(decode_cursor::<ReservationId>(&cursor), Some(id));
            prop_assert_eq!(decode_cursor::<ServiceId>(&cursor), None, "of another list");
        }

        #[test]
        fn any_text_is_parsed_without_panic(text in "\\PC{0,80}") {
            let _ = decode_cursor::<ReservationId>(&text);
        }
    }
}
