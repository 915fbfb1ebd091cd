//! The query of an auth request. The proxy's operator wrote it; the client's own query must never be taken for it.

use axum::http::{HeaderName, Uri};
use domain::{
    id::{Id, PropertyId},
    permission::Permission,
};
use http_input::credential::CREDENTIAL_HEADERS;
use keyring::{Requirement, TenantRef};

use super::{ROUTE, parameters::Parameters};
use crate::{problem::Problem, redact};

const QUERY_PARAMETERS: [&str; 6] = ["tenant", "permission", "property", "cost", "credential", "mode"];

const MAX_FORWARD_AUTH_COST: u16 = 1_000;

/// The access that the key must grant.
#[derive(Debug, PartialEq, Eq)]
pub struct ForwardAuthQuery {
    /// The slug of the only tenant whose keys are accepted. None accepts the keys of all.
    pub tenant: Option<String>,
    permission: Option<Permission>,
    property: Option<PropertyId>,
    cost: u16,
    /// The header that carries the key. None looks for it in all of them.
    pub credential: Option<HeaderName>,
}

impl ForwardAuthQuery {
    /// Parses the parameters that the operator wrote for a request to `path`.
    ///
    /// # Errors
    /// Reports everything that is wrong with the query. A misspelled requirement never admits a request.
    pub fn parse(path: &str, mut parameters: Parameters) -> Result<Self, Problem> {
        let is_below = path.trim_end_matches('/') != ROUTE;
        if !is_below {
            refuse_unknown(&mut parameters);
        }
        let tenant = parse_parameter(&mut parameters, "tenant", "Name a tenant by its slug: tenant=acme", |text| {
            (!text.is_empty()).then(|| text.to_owned())
        });
        let permission =
            parse_parameter(&mut parameters, "permission", "Write a permission: permission=orders:read", |text| {
                Permission::parse(text).ok()
            });
        let property = parse_parameter(&mut parameters, "property", "Write a property's id: property=prp_…", |text| {
            PropertyId::parse(text).ok()
        });
        // Below the route, the query may be the client's, and a client must not make its own calls free.
        let least = u16::from(is_below);
        let cost = parse_parameter(
            &mut parameters,
            "cost",
            &format!("Write a whole number from {least} to {MAX_FORWARD_AUTH_COST}: cost=1"),
            |text| {
                let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|cost| is_number && (least..=MAX_FORWARD_AUTH_COST).contains(cost))
            },
        );
        let credential =
            parse_parameter(&mut parameters, "credential", "Name a header: credential=x-api-key", |text| {
                CREDENTIAL_HEADERS.into_iter().find(|name| text.eq_ignore_ascii_case(name.as_str()))
            });
        parse_parameter(&mut parameters, "mode", "The only mode is nginx: mode=nginx", |text| {
            (text == "nginx").then_some(())
        });
        let query = Self { tenant, permission, property, cost: cost.unwrap_or(1), credential };
        parameters.finish(Some(query)).map_err(operator_problem)
    }

    pub fn requirement(&self) -> Requirement<'_> {
        Requirement {
            permission: self.permission.as_ref(),
            property: self.property.as_ref().map(Id::as_str),
            cost: self.cost,
            tenant: self.tenant.as_deref().map(TenantRef::Slug),
        }
    }
}

/// Returns the parameters before `path=`, which some proxies append with the client's own path and query.
pub fn operator_parameters(uri: &Uri) -> Parameters {
    let query = uri.query().unwrap_or_default();
    let end = if query.starts_with("path=") { Some(0) } else { query.find("&path=") };
    Parameters::parse(&query.as_bytes()[..end.unwrap_or(query.len())])
}

/// Below `/gateway/auth`, other names are the client's own.
fn refuse_unknown(parameters: &mut Parameters) {
    let unknown: Vec<String> =
        parameters.names().filter(|name| !QUERY_PARAMETERS.contains(name)).map(redact::word).collect();
    for name in unknown {
        parameters.reject(
            &name,
            "unknown",
            format!("Unknown parameter “{name}”. Use one of {}.", QUERY_PARAMETERS.join(", ")),
        );
    }
}

/// Returns None if the parameter is missing, and if it is invalid, which `parameters` records.
fn parse_parameter<T>(
    parameters: &mut Parameters,
    name: &str,
    detail: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Option<T> {
    let text = parameters.single(name)?;
    let value = read(&text);
    if value.is_none() {
        parameters.reject(name, "malformed", format!("{detail}."));
    }
    value
}

fn operator_problem(problem: Problem) -> Problem {
    problem.with_preamble(
        "The proxy in front of this API is misconfigured: its request to Latchkey is invalid, so all calls are refused. \
         Its operator has to correct the URL of the auth request.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    fn parse(uri: &str) -> Result<ForwardAuthQuery, Problem> {
        let uri: Uri = uri.parse().unwrap();
        ForwardAuthQuery::parse(uri.path(), operator_parameters(&uri))
    }

    fn query(tenant: Option<&str>, permission: Option<&str>, cost: u16) -> ForwardAuthQuery {
        let permission = permission.map(|text| Permission::parse(text).unwrap());
        ForwardAuthQuery { tenant: tenant.map(str::to_owned), permission, property: None, cost, credential: None }
    }

    #[test]
    fn query_is_the_operators_and_never_the_clients() {
        for (uri, expected) in [
            ("/gateway/auth", query(None, None, 1)),
            ("/gateway/auth/?", query(None, None, 1)),
            ("/gateway/auth?tenant=acme&permission=a:read&cost=0&mode=nginx", query(Some("acme"), Some("a:read"), 0)),
            ("/gateway/auth?permission=a%3Aread", query(None, Some("a:read"), 1)),
            ("/gateway/auth?tenant=acme&path=/v1?tenant=other&permission=x&cost=0", query(Some("acme"), None, 1)),
            ("/gateway/auth?path=/v1?tenant=other", query(None, None, 1)),
            ("/gateway/auth/v1/orders?page=2", query(None, None, 1)),
            ("/gateway/auth/v1/orders?page=2&permission=a:read&cost=3", query(None, Some("a:read"), 3)),
        ] {
            assert_eq!(parse(uri).unwrap(), expected, "{uri}");
        }
    }

    #[test]
    fn invalid_query_denies_requests() {
        for uri in [
            "/gateway/auth?permision=a:read",
            "/gateway/auth/?permision=a:read",
            "/gateway/auth?permission=",
            "/gateway/auth?permission=a",
            "/gateway/auth?permission=a:read&permission=b:read",
            "/gateway/auth?tenant=",
            "/gateway/auth?property=7",
            "/gateway/auth?cost=1001",
            "/gateway/auth?cost=-1",
            "/gateway/auth?cost=%2B1",
            "/gateway/auth?mode=ngnix",
            "/gateway/auth?credential=cookie",
            "/gateway/auth/v1?cost=0",
            "/gateway/auth/v1?permission=a:read/v2?x",
        ] {
            assert_eq!(parse(uri).unwrap_err().code(), Code::Invalid, "{uri}");
        }
    }
}
