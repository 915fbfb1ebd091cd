//! From a request to the person behind it, and from an outcome to an answer.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{ACCEPT, COOKIE, LOCATION, RETRY_AFTER, SET_COOKIE, USER_AGENT},
    request::Parts,
};
use domain::{id::TenantId, key::Key, key_draft::KeyDraft, secret::redacted};
use http_input::client_address::ClientAddress;
use keyring::{
    ActiveSession, Client, Credentials, Error, Invitation, ManageKeys, NewSecret, RecoveryCodes, SessionToken,
    SuperUser, TenantAdmin, TenantChange, TimeZone, ViewKeys,
};
use leptos::prelude::{expect_context, provide_context, use_context};
use leptos_axum::ResponseOptions;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    console::Console,
    error::{ChangedKey, ConsoleError, SeenKey},
    model::{KeysOf, SecretOnce},
    response::answer_with,
    times, url,
};

/// Under https the browser itself makes sure that nobody else set the cookie.
fn cookie_name(console: &Console) -> &'static str {
    if console.is_https() { "__Host-latchkey_session" } else { "latchkey_session" }
}

fn cookie(console: &Console, value: &str, more: &str) -> HeaderValue {
    let secure = if console.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{more}", cookie_name(console));
    let Ok(mut header) = HeaderValue::from_str(&text) else { unreachable!("a token is hexadecimal") };
    header.set_sensitive(true);
    header
}

/// The value of a cookie, wherever in the headers it stands.
pub(crate) fn read_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

fn token(console: &Console, headers: &HeaderMap) -> Option<SessionToken> {
    read_cookie(headers, cookie_name(console)).map(SessionToken::presented)
}

/// The last address that somebody vouched for.
fn address(parts: &Parts) -> IpAddr {
    let Some(ClientAddress { nearest, .. }) = parts.extensions.get().copied() else {
        unreachable!("the server puts the client's address on every request")
    };
    nearest
}

/// Who is signed in, if somebody is.
pub(crate) async fn find_session(console: &Console, parts: &Parts) -> Result<Option<ActiveSession>, Error> {
    match token(console, &parts.headers) {
        Some(token) => console.keyring.signed_in(&token, address(parts)).await,
        None => Ok(None),
    }
}

/// Whoever calls a server function.
pub(crate) async fn somebody() -> Result<(Console, ActiveSession), ConsoleError> {
    let console = expect_context::<Console>();
    let signed_in = find_session(&console, &expect_context::<Parts>()).await.map_err(fail)?;
    let signed_in = signed_in.ok_or_else(|| refuse(ConsoleError::SignedOut))?;
    provide_context(signed_in.clone());
    Ok((console, signed_in))
}

/// The admin who calls a server function.
pub(crate) async fn admin() -> Result<(Console, TenantAdmin), ConsoleError> {
    let (console, signed_in) = somebody().await?;
    Ok((console, signed_in.as_admin().map_err(fail)?))
}

/// Turns a tenant's API keys on or off, for the super user who calls a server function.
pub(crate) async fn subscribe(id: TenantId, api_keys: bool) -> Result<(), ConsoleError> {
    let (console, super_user) = super_user().await?;
    let wanted = TenantChange { api_keys: Some(api_keys), ..TenantChange::default() };
    map_outcome(console.keyring.change_tenant(&super_user, &id, wanted).await).map(drop)
}

/// The super user who calls a server function.
pub(crate) async fn super_user() -> Result<(Console, SuperUser), ConsoleError> {
    let (console, signed_in) = somebody().await?;
    Ok((console, signed_in.as_super_user().map_err(fail)?))
}

/// Whoever calls a server function, as the one who keeps these keys.
pub(crate) async fn manager(of: KeysOf) -> Result<(Console, Arc<dyn ManageKeys + Send>), ConsoleError> {
    let (console, signed_in) = somebody().await?;
    let manager: Arc<dyn ManageKeys + Send> = match of {
        KeysOf::Tenant => Arc::new(signed_in.as_admin().map_err(fail)?),
        KeysOf::Oneself => Arc::new(signed_in.as_key_holder().map_err(fail)?),
        KeysOf::People => return Err(fail(Error::NotTheOwner)),
    };
    Ok((console, manager))
}

/// Whoever calls a server function, as one who may see these keys and end them.
pub(crate) async fn viewer(of: KeysOf) -> Result<(Console, Arc<dyn ViewKeys + Send>), ConsoleError> {
    let (console, signed_in) = somebody().await?;
    let viewer: Arc<dyn ViewKeys + Send> = match of {
        KeysOf::Tenant => Arc::new(signed_in.as_admin().map_err(fail)?),
        KeysOf::Oneself => Arc::new(signed_in.as_key_holder().map_err(fail)?),
        KeysOf::People => Arc::new(signed_in.as_admin().map_err(fail)?.for_personal_keys()),
    };
    Ok((console, viewer))
}

/// Opens a session and hands its cookie to the browser.
pub(crate) async fn open(credentials: Credentials, code: &str) -> Result<(), ConsoleError> {
    let console = expect_context::<Console>();
    let parts = expect_context::<Parts>();
    let address = address(&parts);
    let user_agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let client = Client { address, user_agent: kept(user_agent) };
    let token = console.keyring.sign_in(credentials, Some(code), &client).await.map_err(fail)?;
    // A session that was open in this browser before would otherwise stay open, with nobody to end it.
    if let Some(previous) = self::token(&console, &parts.headers) {
        console.keyring.sign_out(&previous, address).await.map_err(fail)?;
    }
    expect_context::<ResponseOptions>().append_header(SET_COOKIE, cookie(&console, token.expose(), ""));
    Ok(())
}

/// Sets the password of whoever was given a link, and signs them in with it when it is enough. Answers where to go.
pub(crate) async fn accept(token: &SecretString, password: SecretString) -> Result<&'static str, ConsoleError> {
    let keyring = expect_context::<Console>().keyring;
    let address = address(&expect_context::<Parts>());
    let joined = keyring.accept_invitation(token, password.clone(), address).await.map_err(fail)?;
    let credentials = Credentials { organization: joined.organization, email: joined.email.into(), password };
    if open(credentials, "").await.is_ok() {
        return Ok("/");
    }
    // The password is set all the same. What else it takes to sign in is asked for there.
    answer_with(StatusCode::OK);
    Ok("/sign-in")
}

/// What is kept of a browser's name for itself: no key, and no word as long as a token.
fn kept(user_agent: &str) -> String {
    const MAX_WORD_CHARS: usize = 60;
    let word = |word: &str| if word.len() > MAX_WORD_CHARS { "…".to_owned() } else { word.to_owned() };
    redacted(user_agent).split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Ends the session and takes its cookie back.
pub(crate) async fn close() -> Result<(), ConsoleError> {
    let console = expect_context::<Console>();
    let parts = expect_context::<Parts>();
    if let Some(token) = token(&console, &parts.headers) {
        console.keyring.sign_out(&token, address(&parts)).await.map_err(fail)?;
    }
    take_cookie_back(&console);
    Ok(())
}

/// Ends every session of whoever calls, and takes the cookie of this one back.
pub(crate) async fn close_all() -> Result<(), ConsoleError> {
    let (console, signed_in) = somebody().await?;
    console.keyring.sign_out_everywhere(&signed_in).await.map_err(fail)?;
    take_cookie_back(&console);
    Ok(())
}

fn take_cookie_back(console: &Console) {
    expect_context::<ResponseOptions>().append_header(SET_COOKIE, cookie(console, "", "; Max-Age=0"));
}

/// A path on this site that a browser can be redirected to; the start page instead of anything else.
pub(crate) fn safe_redirect_path(next: &str) -> String {
    let is_path = next.starts_with('/') && !next.starts_with("//");
    let is_safe = is_path && !next.contains(|character: char| character == '\\' || character.is_control());
    if is_safe { next.to_owned() } else { "/".to_owned() }
}

/// Whether a browser sent a form by itself, without scripts, and will show the answer as a page.
pub(crate) fn is_plain_form(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Names the page to which a plain form leads back, because it did not succeed.
pub(crate) fn return_to_form(page: &str) {
    if let (true, Ok(page)) = (is_plain_form(&expect_context::<Parts>().headers), HeaderValue::from_str(page)) {
        expect_context::<ResponseOptions>().insert_header(LOCATION, page);
    }
}

/// Says when a client can try again, in whole seconds.
fn set_retry_after(retry_after: Duration) {
    if let Some(options) = use_context::<ResponseOptions>() {
        let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
        options.insert_header(RETRY_AFTER, HeaderValue::from(seconds));
    }
}

fn refuse(error: ConsoleError) -> ConsoleError {
    answer_with(match &error {
        ConsoleError::SignedOut | ConsoleError::CodeNeeded => StatusCode::UNAUTHORIZED,
        ConsoleError::NotAllowed(_) | ConsoleError::StepUpRequired { .. } => StatusCode::FORBIDDEN,
        ConsoleError::NotFound(_) => StatusCode::NOT_FOUND,
        ConsoleError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        ConsoleError::Changed(_) | ConsoleError::Refused(_) => StatusCode::CONFLICT,
        ConsoleError::Malformed => StatusCode::BAD_REQUEST,
        ConsoleError::Unavailable | ConsoleError::Failed(_) | ConsoleError::Offline => StatusCode::SERVICE_UNAVAILABLE,
    });
    error
}

/// Reports that the person who calls a server function may not call it.
fn report_forbidden(error: &Error) {
    let (console, parts) = (use_context::<Console>(), use_context::<Parts>());
    if let (Some(console), Some(parts), Some(signed_in)) = (console, parts, use_context::<ActiveSession>()) {
        console.keyring.report_forbidden(&signed_in, parts.uri.path(), error);
    }
}

/// An outcome that no tenant is needed to explain.
fn fail(error: Error) -> ConsoleError {
    match error {
        Error::NotFound(thing) => refuse(ConsoleError::NotFound(thing.to_string())),
        Error::Invalid(errors) => refuse(ConsoleError::Invalid(errors)),
        Error::SessionEnded => refuse(ConsoleError::SignedOut),
        error @ (Error::NotAnAdmin
        | Error::NotASuperUser
        | Error::NotTheOwner
        | Error::NoKeysOfTheirOwn
        | Error::MfaEnrollmentRequired { .. }
        | Error::AccessChanged) => {
            report_forbidden(&error);
            refuse(ConsoleError::NotAllowed(error.to_string()))
        }
        Error::CodeNeeded => refuse(ConsoleError::CodeNeeded),
        Error::StepUpRequired { needs_code } => refuse(ConsoleError::StepUpRequired { needs_code }),
        error @ Error::WrongCredentials => {
            let refused = refuse(ConsoleError::Refused(error.to_string()));
            answer_with(StatusCode::UNAUTHORIZED);
            refused
        }
        Error::TooManyAttempts { retry_after } | Error::TooManyChanges { retry_after } => {
            let refused = refuse(ConsoleError::Refused(error.to_string()));
            answer_with(StatusCode::TOO_MANY_REQUESTS);
            set_retry_after(retry_after);
            refused
        }
        Error::Unavailable(cause) => {
            tracing::error!(%cause, "the database failed");
            refuse(ConsoleError::Unavailable)
        }
        Error::DiskFull(ref cause) | Error::OutcomeUnknown(ref cause) => {
            tracing::error!(%cause, "the database failed");
            refuse(ConsoleError::Failed(error.to_string()))
        }
        error @ (Error::LimitReached { .. }
        | Error::OwnLimitReached { .. }
        | Error::NoSubscription
        | Error::Revoked
        | Error::Outdated { .. }
        | Error::AmbiguousEmail { .. }
        | Error::Refused(_)
        | Error::Changed(_)) => refuse(ConsoleError::Refused(error.to_string())),
    }
}

/// The outcome of a use case, as the browser is told.
pub(crate) fn map_outcome<T>(outcome: Result<T, Error>) -> Result<T, ConsoleError> {
    outcome.map_err(fail)
}

/// The outcome of a use case that changes a key, as the browser is told.
pub(crate) fn answer_on_key<T>(outcome: Result<T, Error>, manager: &impl ViewKeys) -> Result<T, ConsoleError> {
    outcome.map_err(|error| match error {
        Error::Changed(changed) => refuse(ConsoleError::Changed(Box::new(ChangedKey {
            by: changed.by,
            when: times::exact(changed.at, TimeZone::of(manager.tenant())),
            now: seen(&changed.current, manager),
        }))),
        other => fail(other),
    })
}

/// A key as its form shows it.
pub(crate) fn seen(key: &Key, viewer: &impl ViewKeys) -> SeenKey {
    SeenKey {
        version: key.version,
        draft: KeyDraft::of(key),
        expires: expires_in_words(key, viewer),
        hint: key.hint.to_string(),
    }
}

fn expires_in_words(key: &Key, viewer: &impl ViewKeys) -> String {
    key.expires_at
        .map_or_else(|| "Never".to_owned(), |instant| times::day_or_exact(instant, TimeZone::of(viewer.tenant())))
}

/// Here and in [`codes_once`] alone a secret is taken out of its wrapper: into the answer that shows it.
pub(crate) fn secret_once(NewSecret { id, secret }: NewSecret) -> SecretOnce {
    SecretOnce { id, secret: secret.expose_secret().to_owned() }
}

/// The link by which somebody sets their password.
pub(crate) fn link_once(console: &Console, invitation: &Invitation) -> String {
    format!("{}/invitation/{}", console.public_url, invitation.token.expose_secret())
}

pub(crate) fn codes_once(codes: RecoveryCodes) -> Vec<String> {
    codes.iter().map(|code| code.expose_secret().to_owned()).collect()
}

pub(crate) const SIGN_IN_PATH: &str = "/sign-in";
pub(crate) const NEXT: &str = "next";
pub(crate) const FAILED: &str = "failed";

/// Returns the path of the sign-in form after a failed attempt without scripts.
pub(crate) fn failed_sign_in_path(next: &str) -> String {
    url::with_query(SIGN_IN_PATH, &[(NEXT, next.to_owned()), (FAILED, "1".to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_to_paths_of_this_site_alone() {
        for own in ["/", "/tenant-api-keys?status=active", "/tenant-api-keys/new", "/people?search=Jürgen"] {
            assert_eq!(safe_redirect_path(own), own);
        }
        for foreign in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\u{1}",
            "/\r\nset-cookie: a=b",
            "/\u{7f}",
            "/\u{85}",
        ] {
            assert_eq!(safe_redirect_path(foreign), "/", "{foreign:?}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("xsession=no; session=yes; session2=no"));
        assert_eq!(read_cookie(&headers, "session"), Some("yes"));
        assert_eq!(read_cookie(&headers, "ession"), None);
    }
}
