//! Every page, server function and call of the API × whoever asks. The lists are those that the program itself routes
//! by: whoever adds a face without saying here who may use it makes these tests fail.

use chrono::{Days, Utc};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::program::{Browser, Program, draft};

/// Whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Nobody,
    /// Signed in, and switched off since.
    SwitchedOff,
    Member,
    Admin,
    /// Another tenant's.
    ForeignAdmin,
    SuperUser,
    /// A super user who has entered Acme.
    SuperUserWithin,
}

const EVERYBODY: [Who; 7] =
    [Who::Nobody, Who::SwitchedOff, Who::Member, Who::Admin, Who::ForeignAdmin, Who::SuperUser, Who::SuperUserWithin];

/// Who may use a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Anybody,
    SignedIn,
    /// Who belongs to a tenant.
    KeyHolders,
    Admins,
    SuperUsers,
    /// A choice that exists, and that this function refuses to everybody.
    NoOne,
}

impl For {
    fn includes(self, who: Who) -> bool {
        let is_signed_in = !matches!(who, Who::Nobody | Who::SwitchedOff);
        match self {
            Self::Anybody => true,
            Self::SignedIn => is_signed_in,
            Self::KeyHolders => matches!(who, Who::Member | Who::Admin | Who::ForeignAdmin),
            Self::Admins => matches!(who, Who::Admin | Who::ForeignAdmin | Who::SuperUserWithin),
            Self::SuperUsers => matches!(who, Who::SuperUser | Who::SuperUserWithin),
            Self::NoOne => false,
        }
    }
}

/// Whose the things are that a face is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// Nothing in particular, or whoever asks.
    Oneself,
    Acme,
    /// What belongs to Acme's member alone.
    TheMember,
}

impl About {
    /// Whether it can be found by somebody whom the face is for.
    fn is_found_by(self, who: Who) -> bool {
        match self {
            Self::Oneself => true,
            Self::Acme => who != Who::ForeignAdmin,
            Self::TheMember => who == Who::Member,
        }
    }
}

/// Who may see a page, and what it is about. None for a page that nobody has thought of.
fn page(path: &str) -> Option<(For, About)> {
    Some(match path {
        "/" | "/security" | "/security/second-factor" | "/user-profile" | "/user_profile" => {
            (For::SignedIn, About::Oneself)
        }
        "/sign-in" | "/invitation/{token}" => (For::Anybody, About::Oneself),
        "/user-profile/api-keys/new" => (For::KeyHolders, About::Oneself),
        "/user-profile/api-keys/{id}" => (For::KeyHolders, About::TheMember),
        "/tenant-api-keys"
        | "/tenant-api-keys/new"
        | "/tenant-api-keys/personal"
        | "/authorization-groups"
        | "/authorization-groups/new"
        | "/audit-log"
        | "/audit-log.csv"
        | "/properties"
        | "/people"
        | "/people/new" => (For::Admins, About::Oneself),
        "/tenants" | "/tenants/new" => (For::SuperUsers, About::Oneself),
        "/tenants/{id}" => (For::SuperUsers, About::Acme),
        "/tenant-api-keys/{id}"
        | "/tenant-api-keys/personal/{id}"
        | "/authorization-groups/{id}"
        | "/properties/{id}"
        | "/people/{id}" => (For::Admins, About::Acme),
        _ => return None,
    })
}

/// What there is in Acme, or the same with ids that nothing has.
struct Ids {
    tenant: String,
    key: String,
    personal_key: String,
    group: String,
    property: String,
    person: String,
    /// What a link ends with by which somebody sets their password.
    invitation: String,
}

impl Ids {
    fn of_nothing() -> Self {
        let id = |prefix: &str| format!("{prefix}_01JCQ4Y2V9ZK3T5N6R7S8W9XAB");
        Self {
            tenant: id("ten"),
            key: id("key"),
            personal_key: id("key"),
            group: id("grp"),
            property: id("prp"),
            person: id("per"),
            invitation: "0".repeat(64),
        }
    }

    /// The path of a page with what it is about in it.
    fn path(&self, page: &str) -> String {
        let id = match page {
            "/user-profile/api-keys/{id}" | "/tenant-api-keys/personal/{id}" => &self.personal_key,
            "/authorization-groups/{id}" => &self.group,
            "/properties/{id}" => &self.property,
            "/tenants/{id}" => &self.tenant,
            "/people/{id}" => &self.person,
            _ => &self.key,
        };
        page.replace("{id}", id).replace("{token}", &self.invitation)
    }

    fn draft(&self) -> Value {
        let mut draft = draft("Mine", &self.group);
        draft["all_properties"] = json!(false);
        draft["properties"] = json!([self.property]);
        draft
    }
}

/// The ways to call a function: for whom each is, what it is about and its arguments. Empty for a function that nobody
/// has thought of.
fn calls(function: &str, ids: &Ids) -> Vec<(For, About, Value)> {
    let of_keys = |arguments: Value| of_keys(ids, For::NoOne, &arguments);
    let of_acme = |arguments: Value| vec![(For::Admins, About::Acme, arguments)];
    let of_platform = |arguments: Value| vec![(For::SuperUsers, About::Acme, arguments)];
    let of_oneself = |arguments: Value| vec![(For::SignedIn, About::Oneself, arguments)];
    match function {
        "sign_in" | "sign_out" => vec![(For::Anybody, About::Oneself, json!({}))],
        "generate_key" => {
            let of = |of: &str| json!({ "of": of, "draft": ids.draft(), "expiration": "never" });
            vec![
                (For::Admins, About::Acme, of("tenant")),
                (For::KeyHolders, About::Acme, of("oneself")),
                (For::NoOne, About::Acme, of("people")),
            ]
        }
        "load_key" | "end_grace" | "delete_key" => of_keys(json!({})),
        "revoke_key" => self::of_keys(ids, For::Admins, &json!({})),
        "edit_key" => of_keys(json!({ "seen": 1, "draft": ids.draft() })),
        "rotate_key" => of_keys(json!({ "seen": 1, "expiration": null, "grace": "none" })),
        // What is made belongs to whoever makes it; with such a name it is not made at all.
        "create_property" => vec![(For::Admins, About::Oneself, json!({ "name": "x" }))],
        "rename_property" => of_acme(json!({ "id": ids.property, "seen": "Harbour House", "name": "Theirs now" })),
        "archive_property" | "restore_property" => of_acme(json!({ "id": ids.property })),
        "create_group" => {
            let group = json!({ "name": "x", "group_type": "person", "picked": ["*"], "permissions": "" });
            vec![(For::Admins, About::Oneself, group)]
        }
        "edit_group" => {
            of_acme(json!({ "id": ids.group, "seen": "1", "name": "Theirs now", "picked": ["*"], "permissions": "" }))
        }
        "delete_group" => of_acme(json!({ "id": ids.group })),
        "invite_person" => {
            let person = |name: &str| json!({ "email": "new@acme.test", "name": name, "role": "member" });
            let mut into_group = person("Somebody new");
            into_group["groups"] = json!([ids.group]);
            vec![(For::Admins, About::Oneself, person("x")), (For::Admins, About::Acme, into_group)]
        }
        "set_role" => of_acme(json!({ "id": ids.person, "role": "tenant_admin" })),
        "make_password_link" | "switch_off_person" | "switch_on_person" | "end_sessions_of" | "reset_second_factor" => {
            of_acme(json!({ "id": ids.person }))
        }
        "accept_invitation" => {
            vec![(For::Anybody, About::Oneself, json!({ "token": "x", "password": "correct horse battery" }))]
        }
        "create_tenant" => {
            let tenant = json!({
                "name": "x", "slug": "x", "time_zone": "UTC", "key_limit": "10", "admin_name": "x", "email": "x",
            });
            vec![(For::SuperUsers, About::Oneself, tenant)]
        }
        "change_tenant" => {
            of_platform(json!({ "id": ids.tenant, "name": "Theirs now", "time_zone": "UTC", "key_limit": "1" }))
        }
        "stop_subscription" | "resume_subscription" | "enter_tenant" => of_platform(json!({ "id": ids.tenant })),
        "leave_tenant" => vec![(For::SuperUsers, About::Oneself, json!({}))],
        "rename_oneself" => of_oneself(json!({ "name": "Another name" })),
        "change_password" => of_oneself(json!({ "current_password": "x", "password": "x" })),
        "turn_on_second_factor" => of_oneself(json!({ "secret": "x", "code": "x" })),
        "turn_off_second_factor" | "renew_recovery_codes" => of_oneself(json!({ "code": "x" })),
        "sign_out_everywhere" => of_oneself(json!({})),
        "require_second_factor" => vec![(For::Admins, About::Oneself, json!({ "is_required": false }))],
        _ => Vec::new(),
    }
}

/// A function on keys, of whichever shelf. `of_people` is who may use it on the personal keys of others.
fn of_keys(ids: &Ids, of_people: For, arguments: &Value) -> Vec<(For, About, Value)> {
    let on = |of: &str, id: &str| {
        let mut arguments = arguments.clone();
        arguments["of"] = json!(of);
        arguments["id"] = json!(id);
        arguments
    };
    vec![
        (For::Admins, About::Acme, on("tenant", &ids.key)),
        (For::KeyHolders, About::TheMember, on("oneself", &ids.personal_key)),
        (of_people, About::Acme, on("people", &ids.personal_key)),
    ]
}

fn functions() -> Vec<&'static str> {
    // Mentioned, so that the linker keeps the crate that registers them.
    let _ = app::routes;
    let functions: Vec<&str> = server_fn_paths().filter_map(|(path, _)| path.strip_prefix("/console/")).collect();
    assert!(functions.len() >= 14, "only these are registered: {functions:?}");
    functions
}

/// Two tenants with somebody of each kind.
struct Stage {
    program: Program,
    ids: Ids,
    switched_off: Browser,
}

impl Stage {
    async fn on(program: Program) -> Self {
        for tenant in ["acme", "other"] {
            program.tenant(tenant);
        }
        let root = ["person", "create", "--email", "root@latchkey.test", "--name", "Root", "--role", "super-user"];
        program.command(&[&root[..], &["--password-stdin"]].concat());
        let gone = ["person", "create", "--tenant", "acme", "--email", "gone@acme.test", "--name", "Gone"];
        let gone_id = program.command(&[&gone[..], &["--password-stdin"]].concat())["id"].clone();
        let switched_off = program.signed_in("gone@acme.test").await;
        program.command(&["person", "switch-off", gone_id.as_str().unwrap()]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let groups = program.command(&["group", "list", "--tenant", "acme"]);
        let group = groups.as_array().unwrap().iter().find(|group| group["name"] == "Full access").unwrap();
        let tenants = program.command(&["tenant", "list"]);
        let acme = tenants.as_array().unwrap().iter().find(|tenant| tenant["slug"] == "acme").unwrap();
        let ids = Ids {
            tenant: text(&acme["id"]),
            key: text(&program.key("acme", "A key of Acme's")["id"]),
            personal_key: personal_key(&program, "member@acme.test").await["id"].as_str().unwrap().to_owned(),
            group: text(&group["id"]),
            property: text(&program.command(&["property", "list", "--tenant", "acme"])[0]["id"]),
            person: member_of_acme(&program),
            invitation: invitation(&program),
        };
        Self { program, ids, switched_off }
    }

    /// A browser of somebody's, who has just signed in.
    async fn browser(&self, who: Who) -> Browser {
        match who {
            Who::Nobody => self.program.stranger(),
            Who::SwitchedOff => {
                let mut browser = self.program.stranger();
                browser.cookie.clone_from(&self.switched_off.cookie);
                browser
            }
            Who::Member => self.program.signed_in("member@acme.test").await,
            Who::Admin => self.program.signed_in("tenant-admin@acme.test").await,
            Who::ForeignAdmin => self.program.signed_in("tenant-admin@other.test").await,
            Who::SuperUser => self.program.signed_in("root@latchkey.test").await,
            Who::SuperUserWithin => {
                let root = self.program.signed_in("root@latchkey.test").await;
                let entered = root.call("/console/enter_tenant", &json!({ "id": self.ids.tenant })).await;
                assert_eq!(entered.status(), 200);
                root
            }
        }
    }

    /// All that was changed, by the audit log; that somebody signed in is no matter.
    fn changes(&self) -> Vec<Value> {
        let all = ["acme", "other"].map(|tenant| {
            let log = self.program.command(&["audit", "list", "--tenant", tenant, "--limit", "1000"]);
            log.as_array().unwrap().clone()
        });
        let is_change = |event: &Value| {
            let action = event["action"].as_str().unwrap();
            !action.starts_with("session.") && !matches!(action, "tenant.entered" | "tenant.left")
        };
        all.into_iter().flatten().filter(is_change).collect()
    }
}

fn member_of_acme(program: &Program) -> String {
    let people = program.command(&["person", "list", "--tenant", "acme"]);
    let member = people.as_array().unwrap().iter().find(|person| person["email"] == "member@acme.test").unwrap();
    member["id"].as_str().unwrap().to_owned()
}

fn invitation(program: &Program) -> String {
    let words = ["person", "invite", "--tenant", "acme", "--email", "zoe@acme.test", "--name", "Zoe"];
    let link = program.command(&words)["link"].as_str().unwrap().to_owned();
    link.rsplit_once('/').unwrap().1.to_owned()
}

async fn personal_key(program: &Program, email: &str) -> Value {
    let mut draft = draft("A key of the member's", "");
    draft["write"] = json!(true);
    let body = json!({ "of": "oneself", "draft": draft, "expiration": "never" });
    let made = program.signed_in(email).await.call("/console/generate_key", &body).await;
    assert_eq!(made.status(), 200);
    made.json().await.unwrap()
}

#[tokio::test]
async fn every_page_is_seen_by_those_it_is_for() {
    let stage = Stage::on(Program::start()).await;
    for path in app::page_paths() {
        let (audience, about) = page(path).unwrap_or_else(|| panic!("{path}: nobody said who may see it"));
        let address = stage.ids.path(path);
        for who in EVERYBODY {
            let answer = stage.browser(who).await.get(&address).await;
            let (status, place) = (answer.status().as_u16(), answer.headers().get("location").cloned());
            let text = answer.text().await.unwrap();
            let case = format!("{path} as {who:?}: {status} {place:?}");
            if !audience.includes(who) {
                let is_nobody = matches!(who, Who::Nobody | Who::SwitchedOff);
                assert_eq!(status, if is_nobody { 303 } else { 403 }, "{case}");
                assert!(!is_nobody || place.unwrap().to_str().unwrap().starts_with("/sign-in"), "{case}");
            } else if about.is_found_by(who) {
                assert!(status == 200 || (status == 303 && matches!(path, "/" | "/sign-in")), "{case}");
            } else {
                assert_eq!(status, 404, "{case}");
            }
            if !audience.includes(who) || !about.is_found_by(who) {
                assert!(!text.contains("A key of"), "{case} shows it all the same");
            }
        }
    }
}

#[tokio::test]
async fn every_function_is_done_for_those_it_is_for_on_sqlite() {
    try_every_function(Program::start()).await;
}

#[tokio::test]
async fn every_function_is_done_for_those_it_is_for_on_postgres() {
    try_every_function(Program::start_on_postgres()).await;
}

async fn try_every_function(program: Program) {
    let stage = Stage::on(program).await;
    let nothing = Ids::of_nothing();
    let before = stage.changes();
    for function in functions() {
        let calls = calls(function, &stage.ids);
        assert!(!calls.is_empty(), "{function}: nobody said who may call it");
        let with_nothing = self::calls(function, &nothing);
        for ((audience, about, arguments), (_, _, missing)) in calls.into_iter().zip(with_nothing) {
            for who in EVERYBODY.into_iter().filter(|who| !audience.includes(*who) || !about.is_found_by(*who)) {
                refuse(&stage, function, who, audience, &arguments, &missing).await;
            }
        }
    }
    assert_eq!(stage.changes(), before, "somebody changed what they may not");
    for function in functions() {
        for (audience, about, arguments) in calls(function, &nothing) {
            for who in EVERYBODY.into_iter().filter(|who| audience.includes(*who) && about.is_found_by(*who)) {
                let answer = stage.browser(who).await.call(&format!("/console/{function}"), &arguments).await;
                let status = answer.status().as_u16();
                assert!(!matches!(status, 401 | 403) && status < 500, "{function} {arguments} as {who:?}: {status}");
            }
        }
    }
}

/// Who may not call it at all is told so; who may, but not with these things, is told that there are none.
async fn refuse(stage: &Stage, function: &str, who: Who, audience: For, arguments: &Value, missing: &Value) {
    let path = format!("/console/{function}");
    let browser = stage.browser(who).await;
    let answer = browser.call(&path, arguments).await;
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    let case = format!("{function} {arguments} as {who:?}: {status} {text}");
    if audience.includes(who) {
        let nothing = browser.call(&path, missing).await;
        assert!((400..500).contains(&status) && status != 403, "{case}");
        assert_eq!(status, nothing.status().as_u16(), "{case}: foreign is told from missing");
        assert_eq!(text, nothing.text().await.unwrap(), "{case}: foreign is told from missing");
    } else {
        let is_nobody = matches!(who, Who::Nobody | Who::SwitchedOff);
        assert_eq!(status, if is_nobody { 401 } else { 403 }, "{case}");
    }
}

/// Whoever calls the API, by their credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    Nobody,
    /// An admin's cookie, which opens no API.
    Session,
    FullKey,
    ReadOnlyKey,
    ForeignKey,
    /// A personal key of a member whom no group grants anything.
    KeyOfMember,
    KeyOfAdmin,
    KeyOfSwitchedOff,
}

const CALLERS: [Caller; 8] = [
    Caller::Nobody,
    Caller::Session,
    Caller::FullKey,
    Caller::ReadOnlyKey,
    Caller::ForeignKey,
    Caller::KeyOfMember,
    Caller::KeyOfAdmin,
    Caller::KeyOfSwitchedOff,
];

/// What a call of the API asks for.
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

/// What a call asks for, and with which query it names Acme's property. None for one that nobody has thought of.
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
        (_, Caller::Nobody | Caller::Session | Caller::KeyOfSwitchedOff) => &[401],
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

async fn header(stage: &Stage, caller: Caller) -> Header {
    let program = &stage.program;
    let full = ["--scope", "read", "--scope", "write"];
    let key = |tenant: &str, words: &[&str]| {
        let create = ["key", "create", "--tenant", tenant, "--name", "Caller", "--group", "Full access"];
        Some(("x-api-key", secret(&program.command(&[&create[..], words].concat()))))
    };
    match caller {
        Caller::Nobody => None,
        Caller::Session => Some(("cookie", program.signed_in("tenant-admin@acme.test").await.cookie.unwrap())),
        Caller::FullKey => key("acme", &full),
        Caller::ReadOnlyKey => key("acme", &full[..2]),
        Caller::ForeignKey => key("other", &full),
        Caller::KeyOfMember => Some(("user-api-key", secret(&personal_key(program, "member@acme.test").await))),
        Caller::KeyOfAdmin => Some(("user-api-key", secret(&personal_key(program, "tenant-admin@acme.test").await))),
        Caller::KeyOfSwitchedOff => Some(("user-api-key", key_of_switched_off(program).await)),
    }
}

fn secret(made: &Value) -> String {
    made["secret"].as_str().unwrap().to_owned()
}

async fn key_of_switched_off(program: &Program) -> String {
    let words = ["person", "create", "--tenant", "acme", "--email", "left@acme.test", "--name", "Left"];
    let person = program.command(&[&words[..], &["--role", "tenant-admin", "--password-stdin"]].concat());
    let key = secret(&personal_key(program, "left@acme.test").await);
    program.command(&["person", "switch-off", person["id"].as_str().unwrap()]);
    key
}

/// So many days from today.
fn day(from_today: u64) -> String {
    Utc::now().date_naive().checked_add_days(Days::new(from_today)).unwrap().to_string()
}

/// Something of Acme's to reserve: its service, and a reservation.
async fn reserved(stage: &Stage) -> (Value, String) {
    let words = ["service", "create", "--tenant", "acme", "--property", &stage.ids.property, "--name", "Double room"];
    let service = stage.program.command(&[&words[..], &["--units", "100", "--price", "100"]].concat());
    let body = json!({
        "property_id": stage.ids.property, "service_id": service["id"], "guest": { "name": "Robin Sample" },
        "arrival": day(10), "departure": day(12),
    });
    let (name, value) = header(stage, Caller::FullKey).await.unwrap();
    let made = Client::new().post(format!("{}/api/v1/reservations", stage.program.url)).header(name, value);
    let made: Value = made.json(&body).send().await.unwrap().json().await.unwrap();
    (body, made["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_call_of_the_api_is_answered_for_those_it_is_for() {
    let stage = Stage::on(Program::start()).await;
    let client = Client::new();
    let url = |path: &str| format!("{}{path}", stage.program.url);
    let document: Value = client.get(url("/api/openapi.json")).send().await.unwrap().json().await.unwrap();
    let (body, reservation) = reserved(&stage).await;
    let mut headers = Vec::new();
    for caller in CALLERS {
        headers.push((caller, header(&stage, caller).await));
    }
    let known = headers.iter().find(|(caller, _)| *caller == Caller::FullKey).and_then(|(_, header)| header.clone());
    let question = json!({ "key": known.unwrap().1 });
    let operations = document["paths"].as_object().unwrap().iter().flat_map(|(path, methods)| {
        methods.as_object().unwrap().iter().map(move |(method, operation)| (path, method, operation))
    });
    for (path, method, described) in operations {
        let id = described["operationId"].as_str().unwrap();
        let (demand, query) = operation(id).unwrap_or_else(|| panic!("{id}: nobody said who may call it"));
        let address = format!("{path}{query}")
            .replace("{property_id}", &stage.ids.property)
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
            let tells = text.contains(&stage.ids.property) || text.contains(&reservation);
            assert!(*caller != Caller::ForeignKey || !tells, "{case}");
        }
    }
}
