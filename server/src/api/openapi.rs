//! The OpenAPI document, generated from the routes.

use std::collections::BTreeMap;

use domain::permission::Permission;
use utoipa::{
    OpenApi,
    openapi::{
        self, ContactBuilder, ContentBuilder, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, Schema,
        ServerBuilder, Type,
        path::{Operation, ParameterIn},
        schema::ArrayItems,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
        tag::TagBuilder,
    },
};

use super::{schema::one_of_texts, v1};
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
    document.info.contact = Some(ContactBuilder::new().name(Some(CONTACT)).url(Some(public_url)).build());
    document.servers = Some(vec![ServerBuilder::new().url(public_url).build()]);
    add_credentials(&mut document);
    add_refusals(&mut document);
    list_codes(&mut document);
    refer_to_list_items(&mut document);
    describe_tags(&mut document);
    document
}

const CONTACT: &str = "The operator of this installation";

const BASIC: &str = "For introspection only, as RFC 6749 describes it: the id of the key as the user name, and the \
                     secret of the key as the password.";

/// Adds the ways to send a credential: a key in one of three headers. Legacy authentication is left out, because clients
/// that send every credential they know would send two.
fn add_credentials(document: &mut openapi::OpenApi) {
    let header =
        |name: &str, words: &str| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, words)));
    let http =
        |scheme, words: &str| SecurityScheme::Http(HttpBuilder::new().scheme(scheme).description(Some(words)).build());
    document.security = Some(KEY_SCHEMES.map(|name| SecurityRequirement::new(name, NO_SCOPES)).into());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        BEARER_SCHEME,
        http(HttpAuthScheme::Bearer, "An API key, or an access token until the sunset."),
    );
    components.add_security_scheme(X_API_KEY_SCHEME, header("X-API-Key", "An API key."));
    components.add_security_scheme(USER_API_KEY_SCHEME, header("user-api-key", "An API key."));
    components.add_security_scheme(v1::keys::introspect::BASIC_SCHEME, http(HttpAuthScheme::Basic, BASIC));
}

const BEARER_SCHEME: &str = "bearer";
const X_API_KEY_SCHEME: &str = "x_api_key";
const USER_API_KEY_SCHEME: &str = "user_api_key";
const KEY_SCHEMES: [&str; 3] = [BEARER_SCHEME, X_API_KEY_SCHEME, USER_API_KEY_SCHEME];
const NO_SCOPES: [String; 0] = [];

/// Describes the tags that the document uses.
fn describe_tags(document: &mut openapi::OpenApi) {
    const DESCRIPTIONS: [(&str, &str); 6] = [
        ("Key", "The key that makes the call."),
        ("Key verification", "Other back ends verify the keys that their clients present."),
        ("Properties", "The properties that the key can access."),
        ("Offers", "The services and packages of a property, and their availability."),
        ("Reservations", "Reservations of services and packages."),
        ("Legacy authentication", "Access tokens for a person's e-mail address and password, until the sunset."),
    ];
    let is_used =
        |name: &str| operations(document).any(|operation| operation.tags.iter().flatten().any(|tag| tag == name));
    let tags = DESCRIPTIONS.iter().filter(|(name, _)| is_used(name));
    document.tags =
        Some(tags.map(|(name, text)| TagBuilder::new().name(*name).description(Some(*text)).build()).collect());
}

/// utoipa inlines the items of a generic list. A reference gives them the name that generated clients expect.
fn refer_to_list_items(document: &mut openapi::OpenApi) {
    let schemas = &mut document.components.get_or_insert_default().schemas;
    for (name, schema) in schemas {
        let (Some(item), RefOr::T(Schema::Object(list))) = (name.strip_prefix("List_"), schema) else { continue };
        if let Some(RefOr::T(Schema::Array(data))) = list.properties.get_mut("data") {
            data.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}

fn operations(document: &openapi::OpenApi) -> impl Iterator<Item = &Operation> {
    document.paths.paths.values().flat_map(|item| [&item.get, &item.post]).flatten()
}

/// Adds the refusals of every route, and the headers of every response.
fn add_refusals(document: &mut openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
            let traits = Traits::new(operation);
            describe_refusals(operation, &traits);
            describe_headers(operation, &traits);
        }
    }
}

/// Lists the codes that problems can have, which are those of all operations.
fn list_codes(document: &mut openapi::OpenApi) {
    let traits: Vec<Traits> = operations(document).map(Traits::new).collect();
    let is_possible =
        |code: &Code| *code == Code::MethodNotAllowed || traits.iter().any(|traits| traits.can_be_refused_with(*code));
    let mut codes = one_of_texts(Code::ALL.iter().filter(|code| is_possible(code)).map(|code| code.as_str()));
    let problem = document.components.get_or_insert_default().schemas.get_mut("Problem");
    if let Some(RefOr::T(Schema::Object(problem))) = problem
        && let Some(code) = problem.properties.get_mut("code")
    {
        codes.description = Some("The stable code for programs.".to_owned());
        *code = codes.into();
    }
}

/// The traits of an operation that decide about its refusals.
struct Traits {
    is_open: bool,
    is_limited: bool,
    has_permission: bool,
    has_body: bool,
    has_json_body: bool,
    has_input: bool,
    names_property: bool,
    names_object: bool,
    reserves: bool,
}

impl Traits {
    fn new(operation: &Operation) -> Self {
        let parameters = || {
            operation.parameters.iter().flatten().filter_map(|parameter| match parameter {
                RefOr::T(parameter) => Some(parameter),
                RefOr::Ref(_) => None,
            })
        };
        let permission = operation.extensions.as_ref().and_then(|all| all.get("x-permission")?.as_str());
        let is_open = operation.security.as_ref().is_some_and(|all| all.contains(&SecurityRequirement::default()));
        let reserves = operation.operation_id.as_deref() == Some("create_reservation");
        let names_property = parameters().any(|parameter| parameter.name == "property_id") || reserves;
        Self {
            is_open,
            // Verifying keys costs the verifier nothing.
            is_limited: !is_open && permission != Some(Permission::VERIFY_KEYS.to_string().as_str()),
            has_permission: permission.is_some(),
            has_body: operation.request_body.is_some(),
            has_json_body: matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.contains_key("application/json")),
            has_input: operation.request_body.is_some()
                || parameters().any(|parameter| parameter.parameter_in != ParameterIn::Path),
            names_property,
            names_object: names_property || parameters().any(|parameter| parameter.parameter_in == ParameterIn::Path),
            reserves,
        }
    }

    fn can_be_refused_with(&self, code: Code) -> bool {
        match code {
            Code::MissingCredential
            | Code::ConflictingCredentials
            | Code::InvalidKey
            | Code::KeyRevoked
            | Code::SecretReplaced
            | Code::KeyExpired
            | Code::IpNotAllowed
            | Code::OriginNotAllowed
            | Code::InvalidToken => !self.is_open,
            Code::KeyDisabled
            | Code::InvalidCredentials
            | Code::TwoFactorRequired
            | Code::LegacyAuthRetired
            | Code::TooManyAttempts
            | Code::Unavailable
            | Code::Internal => true,
            Code::InsufficientScope => self.has_permission,
            Code::PropertyNotAllowed => self.names_property,
            Code::RateLimited => self.is_limited,
            Code::NotFound => self.names_object,
            Code::Invalid => self.has_input,
            Code::MalformedBody => self.has_json_body,
            Code::UnsupportedMediaType | Code::BodyTooLarge => self.has_body,
            Code::SoldOut | Code::IdempotencyKeyReused | Code::RequestInProgress | Code::OutcomeUnknown => {
                self.reserves
            }
            Code::MethodNotAllowed | Code::IdentityHeader | Code::IdentityTooLarge | Code::CrossSite => false,
        }
    }
}

fn describe_refusals(operation: &mut Operation, traits: &Traits) {
    let mut codes: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in Code::ALL.iter().filter(|code| traits.can_be_refused_with(**code)) {
        codes.entry(code.status().as_u16()).or_default().push(code.as_str());
    }
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    for (status, codes) in codes {
        let responses = &mut operation.responses.responses;
        let response = responses.entry(status.to_string()).or_insert_with(|| RefOr::T(Response::default()));
        let RefOr::T(response) = response else { continue };
        let own = std::mem::take(&mut response.description);
        response.description = format!("{own}Refused: `{}`", codes.join("`, `"));
        response.content.insert("application/problem+json".to_owned(), RefOr::T(problem()));
    }
}

fn describe_headers(operation: &mut Operation, traits: &Traits) {
    const REQUEST_ID: (&str, &str) = ("X-Request-Id", "The id of the request, here and in the logs.");
    const LIMITS: [(&str, &str); 2] = [
        ("RateLimit-Policy", "The rate limit of the key: `q` calls in `w` seconds."),
        ("RateLimit", "The `r` calls that are left, and the `t` seconds until there are more."),
    ];
    const CHALLENGE: (&str, &str) = ("WWW-Authenticate", "The credential that is expected (RFC 6750).");
    const RETRY_AFTER: (&str, &str) = ("Retry-After", "The seconds to wait before the next attempt.");
    const LOCATION: (&str, &str) = ("Location", "The path of the new object.");
    const REPLAYED: (&str, &str) = ("Idempotent-Replayed", "`true` for the stored response to a repeated call.");
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let mut headers = vec![REQUEST_ID];
        match status.as_str() {
            "200" | "201" if traits.is_limited => headers.extend(LIMITS),
            "401" => headers.push(CHALLENGE),
            "403" if traits.has_permission => headers.push(CHALLENGE),
            "429" => headers.extend(LIMITS.into_iter().filter(|_| traits.is_limited).chain([RETRY_AFTER])),
            "503" => headers.push(RETRY_AFTER),
            _ => {}
        }
        if status == "201" {
            headers.extend([LOCATION, REPLAYED]);
        }
        for (name, description) in headers {
            response.headers.insert(name.to_owned(), RefOr::T(text_header(description)));
        }
    }
}

fn text_header(description: &str) -> openapi::Header {
    let text = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().description(Some(description)).schema(Some(text)).build()
}
