//! A layer that passes a request on if Latchkey says that its key is valid.

use std::{
    fmt,
    future::Future,
    mem,
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{
    HeaderMap, HeaderName, Method, Request, Response,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
    request::Parts,
};
use tower::{Layer, Service};

use crate::{Answer, Caller, Error, Latchkey, VerifyRequest};

mod cache;
mod credential;
mod rejection;

use cache::Cache;
use credential::FoundCredential;
use rejection::Rejection;

type RequestReader<T> = Arc<dyn Fn(&Parts) -> Option<T> + Send + Sync>;

impl Latchkey {
    /// Creates a layer that accepts every valid key, until requirements are added.
    pub fn guard(&self) -> Guard {
        Guard {
            latchkey: self.clone(),
            permission: None,
            property: Arc::new(|_| None),
            address: Arc::new(peer),
            cost: None,
            key_header: None,
            cache: None,
        }
    }
}

/// Wraps a service and passes a request on if its key meets the guard's requirements.
///
/// The service finds the [`Caller`] in the request's extensions. Other requests are rejected with
/// `application/problem+json` and never reach the service. If Latchkey cannot be reached, requests are rejected with
/// 503 and `Retry-After`. Only CORS preflights, which carry no key, pass without verification.
#[derive(Clone)]
#[must_use = "a guard does nothing until it is added to a service as a layer"]
pub struct Guard {
    latchkey: Latchkey,
    permission: Option<Arc<str>>,
    property: RequestReader<String>,
    address: RequestReader<IpAddr>,
    cost: Option<u32>,
    key_header: Option<HeaderName>,
    cache: Option<Arc<Cache>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { latchkey, permission, cost, key_header, cache, property: _, address: _ } = self;
        f.debug_struct("Guard")
            .field("latchkey", latchkey)
            .field("permission", permission)
            .field("cost", cost)
            .field("key_header", key_header)
            .field("cache", cache)
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// Requires a permission, such as `reservations:read`.
    pub fn permission(mut self, permission: &str) -> Self {
        self.permission = Some(permission.into());
        self
    }

    /// Sets how to find the property that a request concerns. A request without one is not checked for it: the service
    /// compares with [`Caller::reaches`] itself.
    pub fn property(mut self, read: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.property = Arc::new(read);
        self
    }

    /// Sets how the client's address is found. By default it is axum's `ConnectInfo<SocketAddr>`.
    ///
    /// Behind a proxy, the peer is the proxy, and a key with an IP allowlist would be checked against the proxy's
    /// address. Set the header in which your proxy names its client, and only if no client can bypass the proxy, since
    /// any client can send such a header. Without an address, a key with an IP allowlist is rejected.
    pub fn address(mut self, read: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        self.address = Arc::new(read);
        self
    }

    /// Sets how many calls of the key's rate limit a request uses. The default is 1; 0 uses none.
    pub fn cost(mut self, calls: u32) -> Self {
        self.cost = Some(calls);
        self
    }

    /// Sets the only header that carries the key, for a service whose clients send a credential of its own in another.
    ///
    /// By default, the key is looked for in `Authorization`, `X-API-Key` and `user-api-key`, and a JWT or a password in
    /// `Authorization` is ignored if one of the others carries a key.
    pub fn key_header(mut self, name: HeaderName) -> Self {
        self.key_header = Some(name);
        self
    }

    /// Caches positive answers for this long: the same key with the same request is accepted without another
    /// verification. Clones of this guard share the cache.
    ///
    /// The price: **a key that was revoked, rotated or restricted is accepted for up to that long**. Requests answered
    /// from the cache count neither towards the key's rate limit nor in its usage log. A guard with a
    /// [`cost`](Self::cost) above 0 caches nothing.
    ///
    /// Only valid keys are cached, under the SHA-256 of the whole request, never beyond their expiration by this
    /// machine's clock, and at most 10,000 of them.
    pub fn cache(mut self, lifetime: Duration) -> Self {
        self.cache = Some(Arc::new(Cache::new(lifetime)));
        self
    }

    /// Sends the guard's request with an invalid key, so that a service learns at startup, and not from its clients,
    /// that Latchkey is reachable, that the verifier key is accepted and that the request is valid.
    ///
    /// # Errors
    /// If no key could be verified.
    pub async fn check(&self) -> Result<(), Error> {
        let Self { permission, cost, .. } = self;
        let permission = permission.as_deref().map(str::to_owned);
        let request = VerifyRequest { permission, cost: *cost, ..VerifyRequest::new("no-key") };
        self.latchkey.verify(&request).await.map(drop)
    }

    async fn admit(&self, parts: &Parts) -> Result<Caller, Rejection> {
        let request = self.request(parts)?;
        match self.ask(request).await {
            Ok(Answer::Valid(caller)) => Ok(*caller),
            Ok(Answer::Refused(refusal)) => {
                Err(Rejection::Refused { refusal: Box::new(refusal), permission: self.permission.clone() })
            }
            Err(error) if error.is_client_error() => Err(Rejection::Invalid),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "keys cannot be verified");
                Err(Rejection::Unavailable)
            }
        }
    }

    fn request(&self, parts: &Parts) -> Result<VerifyRequest, Rejection> {
        let key = match credential::find_credential(&parts.headers, self.key_header.as_ref()) {
            FoundCredential::Key(key) => key,
            FoundCredential::Nothing => return Err(Rejection::NoCredential),
            FoundCredential::Password => return Err(Rejection::Password),
            FoundCredential::Conflict => return Err(Rejection::Conflict),
        };
        Ok(VerifyRequest {
            key,
            permission: self.permission.as_deref().map(str::to_owned),
            property: (self.property)(parts),
            ip: (self.address)(parts).map(|address| address.to_canonical()),
            origin: origin(&parts.headers),
            cost: self.cost,
        })
    }

    async fn ask(&self, request: VerifyRequest) -> Result<Answer, Error> {
        match &self.cache {
            Some(cache) if request.cost.is_none_or(|calls| calls == 0) => cache.ask(&self.latchkey, &request).await,
            _ => self.latchkey.verify(&request).await,
        }
    }
}

#[cfg(feature = "axum")]
fn peer(parts: &Parts) -> Option<IpAddr> {
    use std::net::SocketAddr;

    let peer = parts.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>();
    peer.map(|axum::extract::ConnectInfo(address)| address.ip())
}

#[cfg(not(feature = "axum"))]
fn peer(_: &Parts) -> Option<IpAddr> {
    None
}

/// More than one origin, or one that is not text, matches no allowlist.
fn origin(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(ORIGIN).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

fn is_preflight(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { guard: Arc::new(self.clone()), inner }
    }
}

/// A service with a [`Guard`] in front of it.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    guard: Arc<Guard>,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let guard = self.guard.clone();
        // The one that said it was ready is the one to call.
        let unready = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, unready);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            // Removes a caller that did not come from a guard.
            parts.extensions.remove::<Caller>();
            if !is_preflight(&parts) {
                match guard.admit(&parts).await {
                    Ok(caller) => parts.extensions.insert(caller),
                    Err(rejection) => return Ok(rejection.response()),
                };
            }
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn any_tower_service_can_be_guarded() {
        let service = service_fn(async |_: Request<()>| Ok::<_, Infallible>(Response::new("let in".to_owned())));
        let guard = Latchkey::new("http://127.0.0.1:1", "lk_tk_abc").unwrap().guard();
        let response = guard.layer(service).oneshot(Request::new(())).await.unwrap();
        assert_eq!(response.status(), 401);
        assert!(response.body().contains("missing_credential"), "{}", response.body());
    }

    #[tokio::test]
    async fn only_a_guard_sets_the_caller() {
        let who = service_fn(async |request: Request<()>| {
            let is_known = request.extensions().get::<Caller>().is_some();
            Ok::<_, Infallible>(Response::new(is_known.to_string()))
        });
        let mut preflight = Request::new(());
        *preflight.method_mut() = Method::OPTIONS;
        preflight.headers_mut().insert(ACCESS_CONTROL_REQUEST_METHOD, http::HeaderValue::from_static("GET"));
        let caller = serde_json::json!({ "key_id": "key_1", "tenant": { "id": "ten_1" } });
        preflight.extensions_mut().insert(serde_json::from_value::<Caller>(caller).unwrap());
        let guard = Latchkey::new("http://127.0.0.1:1", "lk_tk_abc").unwrap().guard();
        assert_eq!(guard.layer(who).oneshot(preflight).await.unwrap().body(), "false");
    }
}
