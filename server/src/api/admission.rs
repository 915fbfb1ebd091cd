//! Admission: who calls, and whether they may. A handler that takes an [`Admitted`] cannot forget to ask, and one
//! that does not has no [`Caller`] to work with.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{
        HeaderMap, HeaderValue,
        header::{ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE},
        request::Parts,
    },
};
use domain::{caller::Caller, permission::Permission};
use http_input::credential::{Conflict, PresentedCredential, find_credential};
use keyring::{
    AccessQuery, AdmittedState, CachedKey, Credential, Credentials, Decision, Error, LegacyCredential, LegacyRefusal,
    Quota, Refusal, Requirement,
};

use super::{
    Api, body,
    call_record::{AuthOutcome, CallRecord},
    input::{self, Body},
};
use crate::{
    address,
    problem::{Code, Problem},
};

/// The permission that a route requires of its caller.
pub trait RequiredPermission: Send {
    /// None accepts every valid credential.
    const PERMISSION: Option<Permission>;
    /// The number of calls charged to the caller's rate limit.
    const COST: u16 = 1;
}

macro_rules! required {
    ($($name:ident = $permission:expr;)*) => {$(
        pub struct $name;

        impl RequiredPermission for $name {
            const PERMISSION: Option<Permission> = $permission;
        }
    )*};
}

required! {
    AnyValidKey = None;
    ReadProperties = Some(Permission::known("properties", "read"));
    ReadServices = Some(Permission::known("services", "read"));
    ReadPackages = Some(Permission::known("packages", "read"));
    ReadAvailability = Some(Permission::known("availability", "read"));
    ReadReservations = Some(Permission::known("reservations", "read"));
    WriteReservations = Some(Permission::known("reservations", "write"));
}

/// To ask about other keys, which takes nothing from the asking key's own limit.
pub struct VerifyKeys;

impl RequiredPermission for VerifyKeys {
    const PERMISSION: Option<Permission> = Some(Permission::VERIFY_KEYS);
    const COST: u16 = 0;
}

/// A caller whose credential grants what the route requires, for the property that the request names.
pub struct Admitted<D> {
    pub caller: Caller,
    /// None for a person.
    pub key: Option<Arc<CachedKey>>,
    pub quota: Option<Quota>,
    state: AdmittedState,
    required: PhantomData<D>,
}

/// The same, with the body of the request, which may name a property as well.
pub struct AdmittedWith<D, B> {
    pub admitted: Admitted<D>,
    pub body: B,
    /// The bytes that the body was read from.
    pub bytes: axum::body::Bytes,
    parts: Parts,
    property: Option<String>,
}

impl<D: RequiredPermission> FromRequestParts<Api> for Admitted<D> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let in_path = property_in_path(parts, api).await;
        let in_query = input::first_parameter(&parts.uri, "property_id");
        admit(parts, api, in_path.or(in_query).as_deref()).await
    }
}

impl<D: RequiredPermission, B: Body + Send> FromRequest<Api> for AdmittedWith<D, B> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let read = body::read_json(&parts.headers, body).await;
        // The credential is checked first, so that an unauthenticated client learns nothing from a body.
        let property = read.as_ref().ok().and_then(|body| body.text("property_id")).map(str::to_owned);
        let admitted = admit(&parts, api, property.as_deref()).await?;
        let json = read?;
        Ok(Self { admitted, body: json.parse()?, bytes: json.bytes, parts, property })
    }
}

async fn property_in_path(parts: &mut Parts, api: &Api) -> Option<String> {
    let parameters = RawPathParams::from_request_parts(parts, api).await.ok()?;
    let named = parameters.iter().find(|(name, _)| *name == "property_id");
    named.map(|(_, value)| value.to_owned())
}

/// Admits a caller that meets the requirement for the property that the request names.
pub async fn admit<D: RequiredPermission>(
    parts: &Parts,
    api: &Api,
    property: Option<&str>,
) -> Result<Admitted<D>, Problem> {
    admit_credential(parts, api, find_credential(&parts.headers), property).await
}

/// Admits a caller by a credential that was found elsewhere than in the usual headers.
pub async fn admit_credential<D: RequiredPermission>(
    parts: &Parts,
    api: &Api,
    presented: Result<Option<PresentedCredential>, Conflict>,
    property: Option<&str>,
) -> Result<Admitted<D>, Problem> {
    let permission = D::PERMISSION;
    let requirement = Requirement { permission: permission.as_ref(), property, cost: D::COST, tenant: None };
    let decision = decide(parts, api, presented, requirement).await?;
    let (key, quota) = (decision.key.clone(), decision.quota);
    let (caller, state) = decision.admit().map_err(|refusal| refusal_problem(&refusal))?;
    Ok(Admitted { caller, key, quota, state, required: PhantomData })
}

impl<D: RequiredPermission, B> AdmittedWith<D, B> {
    pub fn map<C>(self, convert: impl FnOnce(B) -> C) -> AdmittedWith<D, C> {
        let Self { admitted, body, bytes, parts, property } = self;
        AdmittedWith { admitted, body: convert(body), bytes, parts, property }
    }

    /// Returns whether nothing has changed that the caller was admitted under.
    pub fn is_current(&self, api: &Api) -> bool {
        api.keyring.is_still_admitted(&self.admitted.state)
    }

    /// Evaluates the credential once more, at no cost, after something changed that the admission depends on.
    pub async fn renew(&mut self, api: &Api) -> Result<(), Problem> {
        let (permission, property) = (D::PERMISSION, self.property.as_deref());
        let requirement = Requirement { permission: permission.as_ref(), property, cost: 0, tenant: None };
        let presented = find_credential(&self.parts.headers);
        let decision = decide(&self.parts, api, presented, requirement).await?;
        (self.admitted.caller, self.admitted.state) = decision.admit().map_err(|refusal| refusal_problem(&refusal))?;
        Ok(())
    }
}

/// Has the evaluator decide about the credential of a request, and records the outcome.
///
/// # Errors
/// If there is none or more than one, or the evaluator fails.
pub async fn decide(
    parts: &Parts,
    api: &Api,
    presented: Result<Option<PresentedCredential>, Conflict>,
    requirement: Requirement<'_>,
) -> Result<Decision, Problem> {
    let credential = match presented {
        Ok(Some(presented)) => to_credential(presented),
        Ok(None) => return Err(challenged(Code::MissingCredential.into(), None)),
        Err(Conflict) => {
            return Err(challenged(Code::ConflictingCredentials.into(), Some("error=\"invalid_request\"")));
        }
    };
    let address = address::from_extensions(&parts.extensions);
    let is_legacy = matches!(credential, Credential::Legacy(_));
    let origin = origin(&parts.headers);
    let query =
        AccessQuery { address: address.known, nearest: address.nearest, origin: origin.as_deref(), requirement };
    let decision = api.keyring.evaluate(&credential, &query).await.map_err(|error| unavailable(&error))?;
    let verdict = verdict(&decision.outcome, is_legacy);
    let auth_outcome = AuthOutcome { key: decision.key.clone(), verdict, quota: decision.quota, is_legacy };
    CallRecord::of(&parts.extensions).note(auth_outcome);
    Ok(decision)
}

fn to_credential(presented: PresentedCredential) -> Credential {
    match presented {
        PresentedCredential::Secret(secret) => Credential::Secret(secret),
        PresentedCredential::AccessToken(token) => Credential::Legacy(LegacyCredential::Token(token)),
        PresentedCredential::Basic { user_name, password } => {
            Credential::Legacy(LegacyCredential::Basic(Credentials::from_user_name(&user_name, password)))
        }
    }
}

/// People are checked differently from keys.
fn verdict<T>(outcome: &Result<T, Refusal>, is_legacy: bool) -> Option<domain::verdict::Verdict> {
    match outcome {
        _ if is_legacy => None,
        Ok(_) => Some(domain::verdict::Verdict::Valid),
        Err(refusal) => refusal.verdict(),
    }
}

/// More than one origin, or one that is not text, matches no allowlist.
fn origin(headers: &HeaderMap) -> Option<String> {
    let lines: Vec<&str> = headers.get_all(ORIGIN).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    (!lines.is_empty()).then(|| lines.join(" "))
}

/// Logs the cause, and says no more than that it can be tried again.
pub fn unavailable(error: &Error) -> Problem {
    tracing::error!(cause = %error.root_cause(), "the database failed");
    out_of_order()
}

/// The response if the state of a key cannot be determined.
pub fn out_of_order() -> Problem {
    Problem::from(Code::Unavailable).with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

/// RFC 6750: the scheme that is expected. A request without a credential gets no error code.
fn challenged(problem: Problem, error: Option<&str>) -> Problem {
    let challenge = match error {
        None => "Bearer realm=\"latchkey\"".to_owned(),
        Some(error) => format!("Bearer realm=\"latchkey\", {error}"),
    };
    match HeaderValue::from_str(&challenge) {
        Ok(challenge) => problem.with_header(WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    }
}

/// Returns the problem for a refusal on surfaces whose properties are not the API's own: an unknown property is not
/// allowed.
pub fn forwarded_refusal(refusal: &Refusal) -> Problem {
    refusal_problem(forwarded_problem(refusal))
}

pub fn forwarded_code(refusal: &Refusal) -> Code {
    code_of(forwarded_problem(refusal))
}

fn forwarded_problem(refusal: &Refusal) -> &Refusal {
    match refusal {
        Refusal::NoSuchProperty => &Refusal::PropertyNotAllowed,
        refusal => refusal,
    }
}

/// Returns the public API's problem for a refusal.
pub fn refusal_problem(refusal: &Refusal) -> Problem {
    let code = code_of(refusal);
    let problem = Problem::new(code, refusal.to_string());
    let problem = match refusal.retry_after() {
        Some(seconds) => problem.with_header(RETRY_AFTER, HeaderValue::from(seconds)),
        None => problem,
    };
    match (code.status().as_u16(), refusal) {
        (401, _) => challenged(problem, Some("error=\"invalid_token\"")),
        (_, Refusal::InsufficientPermissions { needed, .. }) => {
            challenged(problem, Some(&format!("error=\"insufficient_scope\", scope=\"{needed}\"")))
        }
        _ => problem,
    }
}

fn code_of(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Malformed | Refusal::NotFound => Code::InvalidKey,
        Refusal::TooManyUnknownKeys { .. } => Code::TooManyAttempts,
        Refusal::Revoked { .. } => Code::KeyRevoked,
        Refusal::Replaced { .. } => Code::SecretReplaced,
        Refusal::Expired { .. } => Code::KeyExpired,
        Refusal::Disabled(_) => Code::KeyDisabled,
        Refusal::IpNotAllowed { .. } => Code::IpNotAllowed,
        Refusal::OriginNotAllowed { .. } => Code::OriginNotAllowed,
        Refusal::InsufficientPermissions { .. } => Code::InsufficientScope,
        Refusal::PropertyNotAllowed => Code::PropertyNotAllowed,
        Refusal::NoSuchProperty => Code::NotFound,
        Refusal::RateLimited(_) | Refusal::CostsTooMuch { .. } => Code::RateLimited,
        Refusal::Legacy(refusal) => legacy_code_of(refusal),
    }
}

fn legacy_code_of(refusal: &LegacyRefusal) -> Code {
    match refusal {
        LegacyRefusal::Retired { .. } => Code::LegacyAuthRetired,
        LegacyRefusal::WrongCredentials => Code::InvalidCredentials,
        LegacyRefusal::InvalidToken => Code::InvalidToken,
        LegacyRefusal::TwoFactorRequired => Code::TwoFactorRequired,
        LegacyRefusal::Deactivated | LegacyRefusal::NoSubscription | LegacyRefusal::NoTenant => Code::KeyDisabled,
        LegacyRefusal::TooManyAttempts { .. } => Code::TooManyAttempts,
    }
}
