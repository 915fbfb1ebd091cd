//! The API's own description, made from the code that answers.

use utoipa::{
    Modify, OpenApi, ToSchema,
    openapi::{
        self, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, ServerBuilder, Type,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::v1;
use crate::problem::Code;

/// What is wrong with a request (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the answer, which is written in one place for all faces")]
struct Problem {
    /// Leads to what the problem means.
    #[schema(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    /// What happened, and what to do.
    detail: String,
    /// For programs: stable, lower case.
    code: String,
    /// Name it when you ask for help.
    request_id: String,
    /// Every wrong field, when fields were wrong.
    errors: Option<Vec<WrongField>>,
}

/// An error of one field.
#[derive(ToSchema)]
#[expect(dead_code, reason = "as above")]
struct WrongField {
    field: String,
    code: String,
    detail: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Latchkey API",
        description = "Reads what properties offer and makes reservations, as far as an API key goes, and tells other back ends whether a key is good. Send the key as `Authorization: Bearer <key>`, `X-API-Key: <key>` or `user-api-key: <key>`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        v1::key::get,
        v1::keys::verify::verify,
        v1::keys::introspect::introspect,
        v1::properties::list,
        v1::properties::get,
        v1::offers::services,
        v1::offers::packages,
        v1::availability::list,
        v1::reservations::list,
        v1::reservations::get,
        v1::reservations::create,
        v1::auth::token,
    ),
    components(schemas(Problem, WrongField)),
    modifiers(&Credentials, &Refusals),
)]
struct Document;

/// The document for the public URL of this installation.
pub fn document(public_url: &str) -> openapi::OpenApi {
    let mut document = Document::openapi();
    document.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    document
}

const BASIC: &str = "A person's e-mail address and password, until the sunset. The user name is `organization/address` \
                     where people of several organizations have the address.";

/// A key in any one of three headers, or one of the old ways.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let header = |name: &str, words: &str| {
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, words)))
        };
        let http = |scheme, words: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build())
        };
        let schemes = [
            ("bearer", http(HttpAuthScheme::Bearer, "An API key, or an access token until the sunset.")),
            ("x_api_key", header("X-API-Key", "An API key.")),
            ("user_api_key", header("user-api-key", "An API key.")),
            ("basic", http(HttpAuthScheme::Basic, BASIC)),
        ];
        let names = schemes.iter().map(|(name, _)| SecurityRequirement::new(*name, Vec::<String>::new())).collect();
        document.security = Some(names);
        let components = document.components.get_or_insert_default();
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
        }
    }
}

/// The refusals of every route, and the headers of every response.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut openapi::OpenApi) {
        for item in document.paths.paths.values_mut() {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                describe_refusals(operation);
            }
        }
    }
}

/// The statuses of refusals, each with the codes that it comes with.
fn codes_by_status() -> std::collections::BTreeMap<u16, Vec<&'static str>> {
    let mut codes: std::collections::BTreeMap<u16, Vec<&'static str>> = std::collections::BTreeMap::new();
    for code in Code::ALL.iter().filter(|code| !matches!(code, Code::CrossSite)) {
        codes.entry(code.status().as_u16()).or_default().push(code.as_str());
    }
    codes
}

fn describe_refusals(operation: &mut Operation) {
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    for (status, codes) in codes_by_status() {
        let description = format!("Refused: `{}`", codes.join("`, `"));
        let response = ResponseBuilder::new().description(description).content("application/problem+json", problem());
        operation.responses.responses.insert(status.to_string(), RefOr::T(response.build()));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response
                .headers
                .insert("X-Request-Id".to_owned(), RefOr::T(text_header("Names the request, here and in the logs.")));
        }
    }
}

fn text_header(words: &str) -> openapi::Header {
    HeaderBuilder::new().description(Some(words)).schema(Some(ObjectBuilder::new().schema_type(Type::String))).build()
}
