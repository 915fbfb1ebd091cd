//! The route of a request, for metrics and logs. The requested path is never used, because it can contain anything.

use std::borrow::Cow;

use axum::{
    extract::{MatchedPath, Request},
    http::Extensions,
};

#[derive(Clone)]
pub enum Route {
    /// The route that the router matched.
    Matched(MatchedPath),
    /// A page that exists but is not found without signing in.
    Named(&'static str),
    Unmatched,
}

impl Route {
    pub fn of(extensions: &Extensions) -> Self {
        let matched = || extensions.get().cloned().map(Self::Matched);
        extensions.get().cloned().or_else(matched).unwrap_or(Self::Unmatched)
    }

    /// Sets the route of a request that bypasses the router.
    pub fn name(route: &'static str, request: &mut Request) {
        request.extensions_mut().insert(Self::Named(route));
    }

    /// The same with a slash at its end as without.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Matched(path) if path.as_str() == "/" => "/",
            Self::Matched(path) => path.as_str().trim_end_matches('/'),
            Self::Named(name) => name,
            Self::Unmatched => "unmatched",
        }
    }

    pub fn to_text(&self) -> Cow<'static, str> {
        match self {
            Self::Named(name) => Cow::Borrowed(name),
            _ => Cow::Owned(self.as_str().to_owned()),
        }
    }
}
