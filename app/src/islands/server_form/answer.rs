//! What a server function says to a form.

use leptos::{
    prelude::FromServerFnError,
    serde_json::{self, Value},
};

use crate::{
    error::ConsoleError,
    islands::http::{self, Said},
};

/// Calls the function at a path.
pub(super) async fn decode_answer(path: &str, arguments: &str) -> Result<Value, ConsoleError> {
    let Said { is_ok, body } = http::post_json(path, arguments).await.map_err(|_| ConsoleError::Offline)?;
    if is_ok {
        // Anything but JSON is not from Latchkey: something between it and the browser answered.
        serde_json::from_str(&body).map_err(|_| ConsoleError::Offline)
    } else {
        Err(ConsoleError::de(body.into()))
    }
}

/// The text in an answer; for several, a line each.
pub(super) fn text_in(answer: &Value) -> String {
    match answer {
        Value::String(text) => text.clone(),
        Value::Array(lines) => lines.iter().map(text_in).collect::<Vec<_>>().join("\n"),
        _ => String::new(),
    }
}
