//! Forward-auth: proxies in front of other APIs ask whether to pass a request on. The key is in the client's own
//! headers, which the proxy forwards; what it must grant is in the query, which the proxy's operator wrote.

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt, Limited};
use http_input::{client_address::ClientAddress, credential::find_forwarded_credential};
use keyring::Refusal;

use crate::{
    address,
    api::{
        Api,
        admission::{decide, forwarded_refusal},
        call_record::{CallInfo, with_call_log},
        cors,
    },
    metrics,
    problem::{Code, Problem},
};

mod identity;
mod parameters;
mod query;

use parameters::Parameters;
use query::{ForwardAuthQuery, operator_parameters};

pub const ROUTE: &str = "/gateway/auth";

/// Returns true for the route and everything below it, because some proxies append the client's own path. Every method
/// is answered, preflights included: the proxy's configuration decides whether they pass without a key.
pub fn matches_route(path: &str) -> bool {
    path.strip_prefix(ROUTE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Most bodies are shorter. A longer one closes the connection.
const MAX_DRAINED_BODY_BYTES: usize = 1024 * 1024;

/// The status of a refusal, for nginx, which understands 401 and 403 only.
const X_AUTH_STATUS: HeaderName = HeaderName::from_static("x-auth-status");

/// The prefix of the identity headers.
const IDENTITY_PREFIX: &str = "x-latchkey-";

/// The method of the client's own request, from proxies that send auth requests with another one. The first header that
/// is present counts, so a proxy that sends the second must remove the first from client requests.
const ORIGINAL_METHOD: [HeaderName; 2] =
    [HeaderName::from_static("x-original-method"), HeaderName::from_static("x-forwarded-method")];

async fn auth(api: &Api, request: Request, parameters: Parameters) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    drain_body(body);
    let is_nginx = parameters.is_nginx();
    let query = ForwardAuthQuery::parse(parts.uri.path(), parameters)?;
    if is_nginx && has_identity(&parts.headers) {
        return Err(Problem::new(Code::IdentityHeader, "Send no header whose name begins with X-Latchkey-."));
    }
    let presented = find_forwarded_credential(&parts.headers, query.credential.as_ref());
    let decision = decide(&parts, api, presented, query.requirement()).await?;
    let key = decision.key.clone();
    let (caller, _) =
        decision.admit().map_err(|refusal| refusal_problem(&refusal, address::from_extensions(&parts.extensions)))?;
    let identity = identity::headers(&caller, key.as_deref(), query.tenant.as_deref())?;
    Ok((StatusCode::OK, identity).into_response())
}

/// Returns true if a client sends identity headers that its proxy does not overwrite. nginx cannot remove headers by
/// prefix, so it passes them on with the auth request.
fn has_identity(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with(IDENTITY_PREFIX))
}

/// The refusal that the client gets. It names the setting when the proxy's address is not trusted.
fn refusal_problem(refusal: &Refusal, client: ClientAddress) -> Problem {
    match refusal {
        Refusal::IpNotAllowed { address: None } if !client.is_forwarded => Problem::new(
            Code::IpNotAllowed,
            "This key has an IP allowlist, and Latchkey does not know the client's address. The operator has to list the \
             proxy's address in LATCHKEY_TRUSTED_PROXIES and have the proxy send X-Forwarded-For.",
        ),
        refusal => forwarded_refusal(refusal),
    }
}

/// The body belongs to the upstream and is ignored. It is read all the same, because otherwise a client would find the
/// connection closed before it reads the response. The response does not wait for it: some proxies announce the length
/// of a body that they do not send.
fn drain_body(body: Body) {
    if !body.is_end_stream() {
        let mut body = Limited::new(body, MAX_DRAINED_BODY_BYTES);
        tokio::spawn(async move { while let Some(Ok(_)) = body.frame().await {} });
    }
}

/// Answers an auth request. The call is logged for the key under the method of the client's own request, and the
/// response carries CORS headers.
pub async fn handle(api: &Api, mut request: Request) -> Response {
    let client = address::from_extensions(request.extensions()).behind_proxy();
    request.extensions_mut().insert(client);
    let parameters = operator_parameters(request.uri());
    let is_nginx = parameters.is_nginx();
    let origin = cors::origin(&request);
    let call = CallInfo::of(request.method(), request.extensions(), api.keyring.now());
    let method = original_method(request.headers()).unwrap_or(call.method);
    let call = CallInfo { method, address: client.known, ..call };
    let decided = async move |request| auth(api, request, parameters).await.into_response();
    let mut response = with_call_log(api, call, request, decided).await;
    cors::explain(response.headers_mut(), origin);
    if is_nginx {
        for_nginx(&mut response);
    }
    response
}

/// None if the header is missing or does not name a standard method.
fn original_method(headers: &HeaderMap) -> Option<&'static str> {
    let header = ORIGINAL_METHOD.iter().find_map(|name| headers.get(name))?;
    let method = metrics::known(&Method::from_bytes(header.as_bytes()).ok()?);
    (method != "OTHER").then_some(method)
}

/// nginx turns every refusal except 401 and 403 into a 500.
fn for_nginx(response: &mut Response) {
    let status = response.status();
    if !status.is_success() && !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        response.headers_mut().insert(X_AUTH_STATUS, HeaderValue::from(status.as_u16()));
        *response.status_mut() = StatusCode::FORBIDDEN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_standard_methods_are_accepted() {
        for (headers, expected) in [
            (&[][..], None),
            (&[("x-original-method", "POST")], Some("POST")),
            (&[("x-forwarded-method", "DELETE")], Some("DELETE")),
            (&[("x-original-method", "PUT"), ("x-forwarded-method", "GET")], Some("PUT")),
            (&[("x-original-method", "BREW")], None),
            (&[("x-original-method", "post")], None),
            (&[("x-original-method", "")], None),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            assert_eq!(original_method(&headers), expected, "{headers:?}");
        }
    }
}
