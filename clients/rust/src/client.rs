//! Asking.

use std::{fmt, sync::Arc, time::Duration};

use reqwest::{
    Client, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER},
    redirect::Policy,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::error::Category;

use crate::{Answer, Error, VerifyRequest, answer::VerifyResponse};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

/// Latchkey closes a connection that is idle for 65 seconds. Who is sooner never asks on one that is being closed.
const IDLE_TIME: Duration = Duration::from_secs(50);

/// One Latchkey, and the key to ask it with. Clones are cheap and share their connections.
#[derive(Clone)]
pub struct Latchkey {
    asking: Arc<InFlightRequest>,
}

struct InFlightRequest {
    client: Client,
    verify: Url,
    authorization: HeaderValue,
    timeout: Duration,
}

impl fmt::Debug for Latchkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Latchkey").field("url", &self.asking.url()).finish_non_exhaustive()
    }
}

/// Sets up a [`Latchkey`].
#[derive(Debug)]
#[must_use = "does nothing until `build` is called"]
pub struct Builder {
    url: String,
    secret: SecretString,
    timeout: Duration,
}

impl Builder {
    /// For how long to wait for an answer, from the connection to its last byte. 2 seconds unless said otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// # Errors
    /// If the address or the secret cannot be one.
    pub fn build(self) -> Result<Latchkey, Error> {
        // Following a redirect would send the request, and the key in it, to another server; so would a proxy from the
        // environment.
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .pool_idle_timeout(IDLE_TIME)
            .timeout(self.timeout)
            .user_agent(concat!("latchkey-client/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Setup)?;
        let (verify, authorization) = (verify_at(&self.url)?, bearer(&self.secret)?);
        Ok(Latchkey { asking: Arc::new(InFlightRequest { client, verify, authorization, timeout: self.timeout }) })
    }
}

/// Latchkey may be served below a path of another site.
fn verify_at(base: &str) -> Result<Url, Error> {
    let base = format!("{}/", base.trim_end_matches('/'));
    let base = Url::parse(&base).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    base.and_then(|base| base.join("api/v1/keys/verify").ok()).ok_or(Error::Address)
}

fn bearer(secret: &SecretString) -> Result<HeaderValue, Error> {
    let secret = secret.expose_secret();
    if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::Secret);
    }
    let mut value = HeaderValue::try_from(format!("Bearer {secret}")).map_err(|_| Error::Secret)?;
    value.set_sensitive(true);
    Ok(value)
}

impl Latchkey {
    /// The address of a Latchkey, and the secret of a key that may ask: one with the permission `keys:verify`, such
    /// as the group "Verifier" grants.
    ///
    /// # Errors
    /// If either cannot be one.
    pub fn new(url: &str, secret: impl Into<SecretString>) -> Result<Self, Error> {
        Self::builder(url, secret).build()
    }

    pub fn builder(url: &str, secret: impl Into<SecretString>) -> Builder {
        Builder { url: url.to_owned(), secret: secret.into(), timeout: DEFAULT_TIMEOUT }
    }

    /// Verifies a key.
    ///
    /// # Errors
    /// If there is no answer. The request must be denied then.
    pub async fn verify(&self, request: &VerifyRequest) -> Result<Answer, Error> {
        let request = self.asking.client.post(self.asking.verify.clone()).json(request);
        let request = request.header(AUTHORIZATION, self.asking.authorization.clone());
        let response = request.send().await.map_err(|error| self.asking.failed(error))?;
        match response.status() {
            StatusCode::OK => self.asking.read(response).await,
            status => Err(self.asking.refused(status, response).await),
        }
    }
}

impl InFlightRequest {
    fn url(&self) -> String {
        self.verify.origin().ascii_serialization()
    }

    fn failed(&self, error: reqwest::Error) -> Error {
        let url = self.url();
        if error.is_timeout() {
            return Error::TimedOut { url, timeout: self.timeout };
        }
        Error::Unreachable { url, source: error.without_url() }
    }

    async fn read(&self, response: Response) -> Result<Answer, Error> {
        let body = response.bytes().await.map_err(|error| self.failed(error))?;
        let wire: Result<VerifyResponse, _> = serde_json::from_slice(&body);
        // The text of the error may quote the response, and a response may echo the request.
        wire.and_then(Answer::try_from).map_err(|error| self.is_another(format!("its response is {}", kind(&error))))
    }

    fn is_another(&self, what: String) -> Error {
        Error::NotLatchkey { url: self.url(), what }
    }

    /// About the question itself, and not about the key in it.
    async fn refused(&self, status: StatusCode, response: Response) -> Error {
        let retry_after = retry_after(response.headers());
        let problem: Option<Problem> = response.json().await.ok();
        match problem {
            Some(Problem { request_id, .. }) if status == StatusCode::SERVICE_UNAVAILABLE => {
                Error::Unavailable { retry_after, request_id }
            }
            Some(Problem { code, detail, request_id, errors }) => {
                let wrong = errors.into_iter().map(|error| error.field).collect();
                Error::NotAnswered { status: status.as_u16(), code, detail, request_id, wrong }
            }
            None if status == StatusCode::SERVICE_UNAVAILABLE => {
                Error::Unavailable { retry_after, request_id: "unknown".to_owned() }
            }
            None => self.is_another(format!("status {status}")),
        }
    }
}

fn kind(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        Category::Data => "no verdict",
        Category::Io | Category::Syntax | Category::Eof => "no JSON",
    }
}

/// RFC 9457, as Latchkey has it.
#[derive(Deserialize)]
struct Problem {
    code: String,
    detail: String,
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    errors: Vec<WrongField>,
}

#[derive(Deserialize)]
struct WrongField {
    field: String,
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_may_have_a_path_or_a_trailing_slash() {
        for (base, expected) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000/api/v1/keys/verify"),
            ("https://keys.example.com/", "https://keys.example.com/api/v1/keys/verify"),
            ("https://example.com/keys", "https://example.com/keys/api/v1/keys/verify"),
        ] {
            assert_eq!(verify_at(base).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn invalid_url_is_reported() {
        for base in ["", "keys.example.com", "localhost:3000", "ftp://keys.example.com", "https://"] {
            assert!(matches!(Latchkey::new(base, "lk_tk_abc"), Err(Error::Address)), "{base}");
        }
    }

    #[test]
    fn invalid_verifier_secret_is_reported_and_never_printed() {
        for secret in ["", "lk_tk_abc\n", "lk tk", "lk_tk_ä"] {
            let error = Latchkey::new("http://127.0.0.1:3000", secret).unwrap_err();
            assert!(matches!(error, Error::Secret), "{secret}");
            assert!(secret.is_empty() || !format!("{error:?} {error}").contains(secret));
        }
        let builder = Latchkey::builder("http://127.0.0.1:3000", "lk_tk_abc");
        assert!(!format!("{builder:?}").contains("abc"));
        assert!(!format!("{:?}", builder.build().unwrap()).contains("abc"));
    }
}
