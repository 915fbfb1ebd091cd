//! The API's own description, made from the code that answers.

use std::collections::BTreeMap;

use utoipa::{
    OpenApi,
    openapi::{
        self, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, ResponseBuilder, ServerBuilder, Type,
        path::Operation,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use super::v1;
use crate::problem::{Code, ProblemBody, WrongField};

#[derive(OpenApi)]
#[openapi(
    info(title = "Latchkey API", license(name = "Apache-2.0", identifier = "Apache-2.0")),
    components(schemas(ProblemBody, WrongField))
)]
struct Document;

const HEADERS: &str = "Send the key as `Authorization: Bearer <key>`, `X-API-Key: <key>` or `user-api-key: <key>`.";

/// The document for the public URL of this installation.
pub fn document(public_url: &str, serves_booking: bool) -> openapi::OpenApi {
    let purpose = if serves_booking {
        "Reads the offers of properties and makes reservations, within the access of an API key, and verifies API \
         keys for other back ends."
    } else {
        "Verifies API keys for other back ends."
    };
    let mut document = Document::openapi();
    document.merge(v1::routes(serves_booking).into_openapi());
    document.info.description = Some(format!("{purpose} {HEADERS}"));
    document.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    add_credentials(&mut document);
    add_refusals(&mut document, serves_booking);
    document
}

const BASIC: &str = "A person's e-mail address and password, until the sunset. The user name is `organization/address` \
                     where people of several organizations have the address.";

/// Adds the ways to send a credential: a key in one of three headers, or legacy authentication.
fn add_credentials(document: &mut openapi::OpenApi) {
    let header =
        |name: &str, words: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, words)));
    let http =
        |scheme, words: &str| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build());
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

/// Adds the refusals of every route, and the headers of every response.
fn add_refusals(document: &mut openapi::OpenApi, serves_booking: bool) {
    let codes = codes_by_status(serves_booking);
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            describe_refusals(operation, &codes);
        }
    }
}

type CodesByStatus = BTreeMap<u16, Vec<&'static str>>;

/// The statuses of refusals, each with its codes.
fn codes_by_status(serves_booking: bool) -> CodesByStatus {
    let is_listed = |code: &Code| match code {
        Code::CrossSite => false,
        Code::SoldOut | Code::IdempotencyKeyReused | Code::RequestInProgress => serves_booking,
        _ => true,
    };
    let mut codes = CodesByStatus::new();
    for code in Code::ALL.iter().filter(|code| is_listed(code)) {
        codes.entry(code.status().as_u16()).or_default().push(code.as_str());
    }
    codes
}

fn describe_refusals(operation: &mut Operation, codes: &CodesByStatus) {
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    for (status, codes) in codes {
        let description = format!("Refused: `{}`", codes.join("`, `"));
        let response = ResponseBuilder::new().description(description).content("application/problem+json", problem());
        operation.responses.responses.insert(status.to_string(), RefOr::T(response.build()));
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert(
                "X-Request-Id".to_owned(),
                RefOr::T(text_header("The id of the request, here and in the logs.")),
            );
        }
    }
}

fn text_header(words: &str) -> openapi::Header {
    HeaderBuilder::new().description(Some(words)).schema(Some(ObjectBuilder::new().schema_type(Type::String))).build()
}
