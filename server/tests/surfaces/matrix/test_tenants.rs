//! The people of two tenants, and what there is in one of them.

use serde_json::{Value, json};
use test_support::program::{Browser, Program, draft};

use super::{Ids, Who};

/// Two tenants with a person of each kind.
pub(super) struct TestTenants {
    pub(super) program: Program,
    pub(super) ids: Ids,
    switched_off: Browser,
}

impl TestTenants {
    pub(super) async fn on(program: Program) -> Self {
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

    /// A browser that has just signed in.
    pub(super) async fn browser(&self, who: Who) -> Browser {
        match who {
            Who::Anonymous => self.program.stranger(),
            Who::Deactivated => {
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

    /// All audited changes, except for sign-ins.
    pub(super) fn changes(&self) -> Vec<Value> {
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

pub(super) async fn personal_key(program: &Program, email: &str) -> Value {
    let mut draft = draft("A key of the member's", "");
    draft["write"] = json!(true);
    let body = json!({ "of": "oneself", "draft": draft, "expiration": "never" });
    let made = program.signed_in(email).await.call("/console/generate_key", &body).await;
    assert_eq!(made.status(), 200);
    made.json().await.unwrap()
}
