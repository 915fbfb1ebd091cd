//! Calls from a page: to the API, as any other client would make them, without a cookie; and to the functions of the
//! console.

use js_sys::JSON;
use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestCredentials, RequestInit, Response};

/// What of an answer's head is worth showing.
const TELLING: [&str; 9] = [
    "RateLimit-Policy",
    "RateLimit",
    "Retry-After",
    "X-Request-Id",
    "Location",
    "Idempotent-Replayed",
    "WWW-Authenticate",
    "Deprecation",
    "Sunset",
];

pub(super) struct Call {
    pub(super) method: String,
    pub(super) address: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
}

#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The status in words, where the connection carries them.
    pub(super) reason: String,
    pub(super) milliseconds: u32,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

#[derive(Clone, Copy)]
pub(super) enum NoAnswer {
    /// A header cannot hold what was written.
    Unsendable,
    Unreachable,
}

impl Call {
    pub(super) async fn send(self) -> Result<Answer, NoAnswer> {
        let options = self.options().map_err(|_| NoAnswer::Unsendable)?;
        let start = js_sys::Date::now();
        let (response, body) = fetch(&self.address, &options).await.map_err(|_| NoAnswer::Unreachable)?;
        let milliseconds = (js_sys::Date::now() - start) as u32;
        let header = |name: &'static str| Some((name, response.headers().get(name).ok()??));
        Ok(Answer {
            status: response.status(),
            reason: response.status_text(),
            milliseconds,
            headers: TELLING.into_iter().filter_map(header).collect(),
            body: readable(body),
        })
    }

    fn options(&self) -> Result<RequestInit, JsValue> {
        let headers = Headers::new()?;
        for (name, value) in &self.headers {
            headers.set(name, value)?;
        }
        let options = RequestInit::new();
        options.set_method(&self.method);
        options.set_headers(&headers);
        options.set_credentials(RequestCredentials::Omit);
        options.set_cache(RequestCache::NoStore);
        if let Some(body) = &self.body {
            options.set_body(&JsValue::from_str(body));
        }
        Ok(options)
    }
}

/// What a function of the console said.
pub(super) struct Said {
    pub(super) is_ok: bool,
    pub(super) body: String,
}

/// Calls a function of the console.
pub(super) async fn post_json(path: &str, body: &str) -> Result<Said, JsValue> {
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    headers.set("Accept", "application/json")?;
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_headers(&headers);
    options.set_body(&JsValue::from_str(body));
    let (response, body) = fetch(path, &options).await?;
    Ok(Said { is_ok: response.ok(), body })
}

async fn fetch(address: &str, options: &RequestInit) -> Result<(Response, String), JsValue> {
    let response = JsFuture::from(window().fetch_with_str_and_init(address, options)).await?;
    let response = response.unchecked_into::<Response>();
    let body = JsFuture::from(response.text()?).await?;
    Ok((response, body.as_string().unwrap_or_default()))
}

/// JSON with a line for each thing in it; anything else as it came.
fn readable(text: String) -> String {
    let laid_out = JSON::parse(&text)
        .and_then(|value| JSON::stringify_with_replacer_and_space(&value, &JsValue::NULL, &JsValue::from_f64(2.0)));
    laid_out.map(String::from).unwrap_or(text)
}
