//! Every page, server function and API operation × every kind of client. The lists are those from which the program
//! builds its routes, so a new route without an entry here fails these tests.

use leptos::server_fn::axum::server_fn_paths;
use serde_json::{Value, json};
use test_support::program::{Program, draft};

mod api;
mod test_tenants;

use test_tenants::TestTenants;

/// The kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anonymous,
    /// Signed in, and deactivated since.
    Deactivated,
    Member,
    Admin,
    /// Another tenant's.
    ForeignAdmin,
    SuperUser,
    /// A super user who has entered Acme.
    SuperUserWithin,
}

const ALL_CLIENTS: [Who; 7] = [
    Who::Anonymous,
    Who::Deactivated,
    Who::Member,
    Who::Admin,
    Who::ForeignAdmin,
    Who::SuperUser,
    Who::SuperUserWithin,
];

/// The role that may use a surface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Anyone,
    ActiveSession,
    /// People who belong to a tenant.
    KeyHolders,
    Admins,
    SuperUsers,
    /// A valid choice that this function refuses from everyone.
    NoOne,
}

impl For {
    fn includes(self, who: Who) -> bool {
        let is_signed_in = !matches!(who, Who::Anonymous | Who::Deactivated);
        match self {
            Self::Anyone => true,
            Self::ActiveSession => is_signed_in,
            Self::KeyHolders => matches!(who, Who::Member | Who::Admin | Who::ForeignAdmin),
            Self::Admins => matches!(who, Who::Admin | Who::ForeignAdmin | Who::SuperUserWithin),
            Self::SuperUsers => matches!(who, Who::SuperUser | Who::SuperUserWithin),
            Self::NoOne => false,
        }
    }
}

/// The owner of the objects that a surface concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// No object in particular, or the client itself.
    Oneself,
    Acme,
    /// An object of Acme's member.
    TheMember,
}

impl About {
    /// Returns whether a client that is allowed to use the surface can find its object.
    fn is_found_by(self, who: Who) -> bool {
        match self {
            Self::Oneself => true,
            Self::Acme => who != Who::ForeignAdmin,
            Self::TheMember => who == Who::Member,
        }
    }
}

/// The audience of a page, and what it is about. None for a page without an entry.
fn page(path: &str) -> Option<(For, About)> {
    Some(match path {
        "/" | "/security" | "/security/second-factor" | "/user-profile" | "/user_profile" => {
            (For::ActiveSession, About::Oneself)
        }
        "/sign-in" | "/invitation/{token}" => (For::Anyone, About::Oneself),
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

/// The ids of Acme's objects, or ids that do not exist.
struct Ids {
    tenant: String,
    key: String,
    personal_key: String,
    group: String,
    property: String,
    person: String,
    /// The token of a link for setting a password.
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

/// The ways to call a function: its audience, what it is about and its arguments. Empty for a function without an
/// entry.
fn calls(function: &str, ids: &Ids) -> Vec<(For, About, Value)> {
    let of_keys = |arguments: Value| of_keys(ids, For::NoOne, &arguments);
    let of_acme = |arguments: Value| vec![(For::Admins, About::Acme, arguments)];
    let of_platform = |arguments: Value| vec![(For::SuperUsers, About::Acme, arguments)];
    let of_oneself = |arguments: Value| vec![(For::ActiveSession, About::Oneself, arguments)];
    match function {
        "sign_in" | "sign_out" => vec![(For::Anyone, About::Oneself, json!({}))],
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
        // A new object belongs to its creator; with this name it is not created at all.
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
            let mut into_group = person("New person");
            into_group["groups"] = json!([ids.group]);
            vec![(For::Admins, About::Oneself, person("x")), (For::Admins, About::Acme, into_group)]
        }
        "set_role" => of_acme(json!({ "id": ids.person, "role": "tenant_admin" })),
        "make_password_link" | "switch_off_person" | "switch_on_person" | "end_sessions_of" | "reset_second_factor" => {
            of_acme(json!({ "id": ids.person }))
        }
        "accept_invitation" => {
            vec![(For::Anyone, About::Oneself, json!({ "token": "x", "password": "correct horse battery" }))]
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
        "confirm_identity" => of_oneself(json!({ "password": "x" })),
        "turn_on_second_factor" => of_oneself(json!({ "code": "x" })),
        "turn_off_second_factor" | "renew_recovery_codes" => of_oneself(json!({})),
        "sign_out_everywhere" => of_oneself(json!({})),
        "require_second_factor" => vec![(For::Admins, About::Oneself, json!({ "is_required": false }))],
        _ => Vec::new(),
    }
}

/// A function on keys of any scope. `of_people` is the audience for the personal keys of others.
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

#[tokio::test]
async fn every_page_serves_its_audience() {
    let tenants = TestTenants::on(Program::start()).await;
    for path in app::page_paths() {
        let (audience, about) = page(path).unwrap_or_else(|| panic!("{path}: missing from the list of pages"));
        let address = tenants.ids.path(path);
        for who in ALL_CLIENTS {
            let answer = tenants.browser(who).await.get(&address).await;
            let (status, place) = (answer.status().as_u16(), answer.headers().get("location").cloned());
            let text = answer.text().await.unwrap();
            let case = format!("{path} as {who:?}: {status} {place:?}");
            if !audience.includes(who) {
                let is_anonymous = matches!(who, Who::Anonymous | Who::Deactivated);
                assert_eq!(status, if is_anonymous { 303 } else { 403 }, "{case}");
                assert!(!is_anonymous || place.unwrap().to_str().unwrap().starts_with("/sign-in"), "{case}");
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
async fn every_function_serves_its_audience_on_sqlite() {
    try_every_function(Program::start()).await;
}

#[test_support::requires(postgres)]
#[tokio::test]
async fn every_function_serves_its_audience_on_postgres() {
    try_every_function(Program::start_on_postgres()).await;
}

async fn try_every_function(program: Program) {
    let tenants = TestTenants::on(program).await;
    let nothing = Ids::of_nothing();
    let before = tenants.changes();
    for function in functions() {
        let calls = calls(function, &tenants.ids);
        assert!(!calls.is_empty(), "{function}: missing from the list");
        let with_nothing = self::calls(function, &nothing);
        for ((audience, about, arguments), (_, _, missing)) in calls.into_iter().zip(with_nothing) {
            for who in ALL_CLIENTS.into_iter().filter(|who| !audience.includes(*who) || !about.is_found_by(*who)) {
                assert_rejected(&tenants, function, who, audience, &arguments, &missing).await;
            }
        }
    }
    assert_eq!(tenants.changes(), before, "a forbidden change was made");
    for function in functions() {
        for (audience, about, arguments) in calls(function, &nothing) {
            for who in ALL_CLIENTS.into_iter().filter(|who| audience.includes(*who) && about.is_found_by(*who)) {
                let answer = tenants.browser(who).await.call(&format!("/console/{function}"), &arguments).await;
                let status = answer.status().as_u16();
                assert!(!matches!(status, 401 | 403) && status < 500, "{function} {arguments} as {who:?}: {status}");
            }
        }
    }
}

/// A client outside the audience is forbidden; one inside it does not find foreign objects.
async fn assert_rejected(
    tenants: &TestTenants,
    function: &str,
    who: Who,
    audience: For,
    arguments: &Value,
    missing: &Value,
) {
    let path = format!("/console/{function}");
    let browser = tenants.browser(who).await;
    let answer = browser.call(&path, arguments).await;
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    let case = format!("{function} {arguments} as {who:?}: {status} {text}");
    if audience.includes(who) {
        let nothing = browser.call(&path, missing).await;
        assert!((400..500).contains(&status) && status != 403, "{case}");
        assert_eq!(status, nothing.status().as_u16(), "{case}: foreign is told from missing");
        assert_eq!(text, nothing.text().await.unwrap(), "{case}: foreign is told from missing");
    } else {
        let is_anonymous = matches!(who, Who::Anonymous | Who::Deactivated);
        assert_eq!(status, if is_anonymous { 401 } else { 403 }, "{case}");
    }
}
