//! Every API operation × every kind of credential, from the OpenAPI document.

use chrono::{Days, Utc};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use test_support::program::Program;

use super::test_tenants::{TestTenants, personal_key};

/// The credential of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Anonymous,
    /// An admin's cookie, which opens no API.
    Session,
    FullKey,
    ReadOnlyKey,
    ForeignKey,
    /// A personal key of a member without any permissions.
    KeyOfMember,
    KeyOfAdmin,
    KeyOfSwitchedOff,
}

const CALLERS: [Caller; 8] = [
    Caller::Anonymous,
    Caller::Session,
    Caller::FullKey,
    Caller::ReadOnlyKey,
    Caller::ForeignKey,
    Caller::KeyOfMember,
    Caller::KeyOfAdmin,
    Caller::KeyOfSwitchedOff,
];

/// The parameters of an API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Demand {
    /// A password in its body, and no credential of a program's.
    Password,
    AnyKey,
    Reading,
    Writing,
    /// `keys:verify`, and a key to ask about.
    Verifying,
}

/// The permission that an operation requires, and the query that names Acme's property. None for an operation without
/// an entry.
fn operation(id: &str) -> Option<(Demand, &'static str)> {
    Some(match id {
        "create_token" => (Demand::Password, ""),
        "get_key" => (Demand::AnyKey, ""),
        "list_properties" | "get_property" | "list_reservations" | "get_reservation" => (Demand::Reading, ""),
        "list_services" | "list_packages" => (Demand::Reading, "?property_id={property_id}"),
        "list_availability" => (Demand::Reading, "?property_id={property_id}&from={from}&to={to}"),
        "create_reservation" => (Demand::Writing, ""),
        "verify_key" | "introspect_key" => (Demand::Verifying, ""),
        _ => return None,
    })
}

/// The status that a caller gets. `names` says whether the call names something of Acme's.
fn expected(demand: Demand, caller: Caller, names: bool) -> &'static [u16] {
    match (demand, caller) {
        (Demand::Password, _) => &[400, 401, 415, 422],
        (_, Caller::Anonymous | Caller::Session | Caller::KeyOfSwitchedOff) => &[401],
        (Demand::AnyKey, _) => &[200],
        (_, Caller::KeyOfMember) | (Demand::Writing, Caller::ReadOnlyKey) => &[403],
        // 415: introspection takes a form.
        (Demand::Verifying, _) => &[200, 415],
        (_, Caller::ForeignKey) if names => &[404],
        (Demand::Writing, _) => &[201],
        (Demand::Reading, _) => &[200],
    }
}

/// A credential's header.
type Header = Option<(&'static str, String)>;

async fn header(tenants: &TestTenants, caller: Caller) -> Header {
    let program = &tenants.program;
    let full = ["--scope", "read", "--scope", "write"];
    let key = |tenant: &str, words: &[&str]| {
        let create = ["key", "create", "--tenant", tenant, "--name", "Caller", "--group", "Full access"];
        Some(("x-api-key", secret(&program.command(&[&create[..], words].concat()))))
    };
    match caller {
        Caller::Anonymous => None,
        Caller::Session => Some(("cookie", program.signed_in("tenant-admin@acme.test").await.cookie.unwrap())),
        Caller::FullKey => key("acme", &full),
        Caller::ReadOnlyKey => key("acme", &full[..2]),
        Caller::ForeignKey => key("other", &full),
        Caller::KeyOfMember => Some(("user-api-key", secret(&personal_key(program, "member@acme.test").await))),
        Caller::KeyOfAdmin => Some(("user-api-key", secret(&personal_key(program, "tenant-admin@acme.test").await))),
        Caller::KeyOfSwitchedOff => Some(("user-api-key", key_of_deactivated_owner(program).await)),
    }
}

fn secret(made: &Value) -> String {
    made["secret"].as_str().unwrap().to_owned()
}

async fn key_of_deactivated_owner(program: &Program) -> String {
    let words = ["person", "create", "--tenant", "acme", "--email", "left@acme.test", "--name", "Left"];
    let person = program.command(&[&words[..], &["--role", "tenant-admin", "--password-stdin"]].concat());
    let key = secret(&personal_key(program, "left@acme.test").await);
    program.command(&["person", "switch-off", person["id"].as_str().unwrap()]);
    key
}

/// This many days from today.
fn day(from_today: u64) -> String {
    Utc::now().date_naive().checked_add_days(Days::new(from_today)).unwrap().to_string()
}

/// Something of Acme's to reserve: its service, and a reservation.
async fn reserved(tenants: &TestTenants) -> (Value, String) {
    let words = ["service", "create", "--tenant", "acme", "--property", &tenants.ids.property, "--name", "Double room"];
    let service = tenants.program.command(&[&words[..], &["--units", "100", "--price", "100"]].concat());
    let body = json!({
        "property_id": tenants.ids.property, "service_id": service["id"], "guest": { "name": "Robin Sample" },
        "arrival": day(10), "departure": day(12),
    });
    let (name, value) = header(tenants, Caller::FullKey).await.unwrap();
    let made = Client::new().post(format!("{}/api/v1/reservations", tenants.program.url)).header(name, value);
    let made: Value = made.json(&body).send().await.unwrap().json().await.unwrap();
    (body, made["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_operation_serves_its_audience() {
    let tenants = TestTenants::on(Program::start()).await;
    let client = Client::new();
    let url = |path: &str| format!("{}{path}", tenants.program.url);
    let document: Value = client.get(url("/api/openapi.json")).send().await.unwrap().json().await.unwrap();
    let (body, reservation) = reserved(&tenants).await;
    let mut headers = Vec::new();
    for caller in CALLERS {
        headers.push((caller, header(&tenants, caller).await));
    }
    let known = headers.iter().find(|(caller, _)| *caller == Caller::FullKey).and_then(|(_, header)| header.clone());
    let question = json!({ "key": known.unwrap().1 });
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    });
    for (path, method, described) in operations {
        let id = described["operationId"].as_str().unwrap();
        let (demand, query) = operation(id).unwrap_or_else(|| panic!("{id}: missing from the list"));
        let address = format!("{path}{query}")
            .replace("{property_id}", &tenants.ids.property)
            .replace("{reservation_id}", &reservation)
            .replace("{from}", &day(10))
            .replace("{to}", &day(12));
        let body = if demand == Demand::Verifying { &question } else { &body };
        let names = address.contains("prp_") || address.contains("res_") || demand == Demand::Writing;
        for (caller, header) in &headers {
            let method: Method = method.to_uppercase().parse().unwrap();
            let mut request = client.request(method.clone(), url(&address));
            if method == Method::POST {
                request = request.json(body);
            }
            if let Some((name, value)) = header {
                request = request.header(*name, value);
            }
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            let case = format!("{method} {address} as {caller:?}: {status} {text}");
            assert!(expected(demand, *caller, names).contains(&status), "{case}");
            let tells = text.contains(&tenants.ids.property) || text.contains(&reservation);
            assert!(*caller != Caller::ForeignKey || !tells, "{case}");
        }
    }
}
