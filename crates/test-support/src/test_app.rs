//! A running program with a tenant to work on, and a client of its API.

use std::time::{Duration, Instant};

use chrono::{Days, Utc};
use reqwest::{Client, Method, RequestBuilder, Response, header::HeaderMap};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::program::{Program, create_postgres};

/// An id of the right shape that nothing has.
pub const NO_SUCH_ID: &str = "01JCQ4Y2V9ZK3T5N6R7S8W9XAB";

/// The database of a test.
#[derive(Clone, Copy)]
pub enum Base {
    Sqlite,
    Postgres,
}

impl Base {
    #[expect(clippy::unused_async, reason = "as the fixtures of other crates")]
    pub async fn on_sqlite() -> Self {
        Self::Sqlite
    }

    #[expect(clippy::unused_async, reason = "as the fixtures of other crates")]
    pub async fn on_postgres() -> Self {
        Self::Postgres
    }

    /// Starts the program, with the tenant Acme, which has no properties yet.
    pub fn start(self) -> TestApp {
        self.start_with(&[])
    }

    pub fn start_with(self, options: &[&str]) -> TestApp {
        TestApp::on(match self {
            Self::Sqlite => Program::start_with(options),
            Self::Postgres => {
                let folder = TempDir::new().unwrap();
                let database_url = create_postgres(&folder);
                Program::launch(folder, database_url, options)
            }
        })
    }
}

pub struct TestApp {
    pub program: Program,
    client: Client,
}

#[derive(Debug, Clone)]
pub struct Key {
    pub id: String,
    pub secret: String,
}

impl Key {
    pub fn of(made: &Value) -> Self {
        Self { id: text(&made["id"]), secret: text(&made["secret"]) }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl TestApp {
    /// On an empty database.
    pub fn on(program: Program) -> Self {
        program.command(&["tenant", "create", "--slug", "acme", "--name", "Acme Hotels", "--key-limit", "50"]);
        Self::around(program)
    }

    /// On a database that has the tenant already.
    pub fn around(program: Program) -> Self {
        Self { program, client: Client::new() }
    }

    pub fn property(&self, tenant: &str, name: &str) -> String {
        text(&self.program.command(&["property", "create", "--tenant", tenant, "--name", name])["id"])
    }

    pub fn service(&self, tenant: &str, property: &str, name: &str, units: u32) -> String {
        let units = units.to_string();
        let words = ["service", "create", "--tenant", tenant, "--property", property, "--name", name];
        text(&self.program.command(&[&words[..], &["--units", &units, "--price", "12900"]].concat())["id"])
    }

    pub fn package(&self, tenant: &str, property: &str, service: &str, name: &str) -> String {
        let words = ["package", "create", "--tenant", tenant, "--property", property, "--service", service];
        text(&self.program.command(&[&words[..], &["--name", name, "--price", "15900"]].concat())["id"])
    }

    /// Creates a key of Acme with full access, except for these options.
    pub fn key(&self, words: &[&str]) -> Key {
        self.key_of("acme", words)
    }

    pub fn key_of(&self, tenant: &str, words: &[&str]) -> Key {
        let mut all = vec!["key", "create", "--tenant", tenant, "--name", "PMS"];
        for (option, values) in [("--group", &["Full access"][..]), ("--scope", &["read", "write"])] {
            if !words.contains(&option) {
                all.extend(values.iter().flat_map(|value| [option, *value]));
            }
        }
        Key::of(&self.program.command(&[&all[..], words].concat()))
    }

    /// A key with this permission and no other.
    pub fn key_with_permission(&self, permission: &str) -> Key {
        let groups = self.program.command(&["group", "list", "--tenant", "acme"]);
        if groups.as_array().unwrap().iter().all(|group| group["name"] != permission) {
            let words = ["group", "create", "--tenant", "acme", "--name", permission, "--type", "tenant-api-key"];
            self.program.command(&[&words[..], &["--permission", permission]].concat());
        }
        self.key(&["--group", permission])
    }

    pub fn edit(&self, key: &Key, words: &[&str]) {
        self.program.command(&[&["key", "edit", &key.id], words].concat());
    }

    pub fn rotate(&self, key: &Key, words: &[&str]) -> Key {
        Key::of(&self.program.command(&[&["key", "rotate", &key.id], words].concat()))
    }

    pub fn revoke(&self, key: &Key) {
        self.program.command(&["key", "revoke", &key.id]);
    }

    pub fn person(&self, name: &str, role: &str) -> String {
        let email = format!("{name}@acme.test");
        let words = ["person", "create", "--tenant", "acme", "--email", &email, "--name", name, "--role", role];
        text(&self.program.command(&[&words[..], &["--password-stdin"]].concat())["id"])
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.program.url)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str, secret: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).bearer_auth(secret)).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::to(with(self.request(Method::GET, path), headers)).await
    }

    pub async fn post(&self, path: &str, secret: &str, body: &Value) -> Answer {
        Answer::to(self.request(Method::POST, path).bearer_auth(secret).json(body)).await
    }

    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
        Answer::to(with(self.request(Method::POST, path), headers).body(body)).await
    }

    /// A connection beside the program's own.
    pub async fn connection(&self) -> DatabaseConnection {
        sea_orm::Database::connect(&self.program.database_url).await.unwrap()
    }

    /// Returns the rows of a query that selects one text column.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = self.connection().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        let texts = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect();
        connection.close().await.unwrap();
        texts
    }

    pub async fn change_database(&self, sql: &str) {
        let connection = self.connection().await;
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Runs a future while a PostgreSQL table is locked.
    pub async fn with_locked<T>(&self, table: &str, future: impl Future<Output = T>) -> T {
        let connection = self.connection().await;
        let lock = connection.begin().await.unwrap();
        lock.execute_unprepared(&format!("LOCK TABLE {table}")).await.unwrap();
        let outcome = future.await;
        lock.rollback().await.unwrap();
        connection.close().await.unwrap();
        outcome
    }

    /// Waits for the result of a query about something that is written in the background.
    pub async fn see(&self, sql: &str, expected: &[String]) {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let found = self.texts(sql).await;
            if found == expected {
                return;
            }
            assert!(Instant::now() < deadline, "{sql}\n{found:?}\ninstead of\n{expected:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Checks the rules for every call that reads: permissions, the trailing slash, HEAD, and other methods.
    pub async fn check_reading(&self, path: &str, permission: Option<&str>, allowed: &str) {
        let good = permission.map_or_else(|| self.key(&[]), |permission| self.key_with_permission(permission));
        let found = self.get(path, &good.secret).await;
        assert_eq!(found.status, 200, "{}", found.text);
        assert_eq!((found.header("content-type"), found.header("cache-control")), ("application/json", "no-store"));
        assert_eq!(found.header("ratelimit-policy"), r#""default";q=60;w=60"#);

        let (place, query) =
            path.split_once('?').map_or((path, String::new()), |(place, query)| (place, format!("?{query}")));
        let with_slash = self.get(&format!("{place}/{query}"), &good.secret).await;
        assert_eq!((with_slash.status, with_slash.stable()), (200, found.stable()), "with a slash");

        let head = Answer::to(self.request(Method::HEAD, path).bearer_auth(&good.secret)).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "HEAD");
        assert_eq!(head.header("content-type"), "application/json");
        assert!(head.headers.contains_key("ratelimit"));

        let other = Answer::to(self.request(Method::DELETE, path).bearer_auth(&good.secret)).await;
        other.refused(405, "method_not_allowed");
        assert_eq!(other.header("allow"), allowed);

        self.get_with(path, &[]).await.refused(401, "missing_credential");
        if let Some(permission) = permission {
            let poor = self.key(&["--group", "Verifier"]);
            let refused = self.get(path, &poor.secret).await;
            refused.refused(403, "insufficient_scope").says(permission).says("Verifier");
            let challenge = format!("Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"{permission}\"");
            assert_eq!(refused.header("www-authenticate"), challenge);
        }
    }

    /// Every item of a list, walked through a few at a time.
    pub async fn walk(&self, path: &str, secret: &str, limit: usize) -> Vec<Value> {
        let sign = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{sign}limit={limit}{cursor}"), secret).await.good();
            let data = page["data"].as_array().unwrap();
            assert!(data.len() <= limit, "{page}");
            items.extend(data.iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return items };
            assert_eq!(data.len(), limit, "a page that is not the last is full");
            cursor = format!("&cursor={next}");
        }
    }

    /// Refuses every cursor and limit that is none.
    pub async fn check_paging(&self, path: &str, secret: &str) {
        let sign = if path.contains('?') { '&' } else { '?' };
        for (query, wrong) in [
            ("limit=0", &["limit out_of_range"][..]),
            ("limit=201", &["limit out_of_range"]),
            ("limit=-1", &["limit out_of_range"]),
            ("limit=", &["limit out_of_range"]),
            ("limit=99999999999999999999", &["limit out_of_range"]),
            ("limit=%2B5", &["limit out_of_range"]),
            ("limit=5&limit=6", &["limit sent_twice"]),
            ("cursor=", &["cursor not_a_cursor"]),
            ("cursor=nonsense", &["cursor not_a_cursor"]),
            ("cursor=a2V5XzAxSkNRNFkyVjlaSzNUNU42UjdTOFc5WEFC", &["cursor not_a_cursor"]),
            ("limit=x&cursor=%00", &["limit out_of_range", "cursor not_a_cursor"]),
        ] {
            let answer = self.get(&format!("{path}{sign}{query}"), secret).await;
            assert_eq!(answer.refused(422, "invalid").wrong_fields(), wrong, "{query}");
        }
        assert_eq!(self.get(&format!("{path}{sign}limit=200"), secret).await.status, 200);
    }
}

pub fn with(mut request: RequestBuilder, headers: &[(&str, &str)]) -> RequestBuilder {
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
}

/// This many days from today.
pub fn day(from_today: u64) -> String {
    Utc::now().date_naive().checked_add_days(Days::new(from_today)).unwrap().to_string()
}

/// One unit for two nights.
pub fn stay(property: &str, service: &str) -> Value {
    json!({
        "property_id": property, "service_id": service, "guest": { "name": "Robin Sample" },
        "arrival": day(10), "departure": day(12),
    })
}

/// An answer of the API, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub async fn to(request: RequestBuilder) -> Self {
        Self::of(request.send().await.unwrap()).await
    }

    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    /// Empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON: {}", self.status, self.text))
    }

    pub fn good(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// Returns the answer without the parts that differ from call to call.
    fn stable(&self) -> Value {
        let mut json = self.json();
        if let Some(object) = json.as_object_mut() {
            object.remove("rate_limit");
        }
        json
    }

    /// A problem, with all that belongs to one.
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!(self.status, status, "{}", self.text);
        let problem = self.json();
        assert_eq!((&problem["code"], &problem["status"]), (&json!(code), &json!(status)), "{problem}");
        assert!(text(&problem["type"]).ends_with(&format!("/problems/{code}")), "{problem}");
        assert!(text(&problem["title"]).len() > 5, "{problem}");
        assert!(text(&problem["detail"]).contains(' '), "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(!self.header("x-request-id").is_empty());
        let challenge = match (status, code) {
            (401, "missing_credential") => "Bearer realm=\"latchkey\"",
            (401, _) => "Bearer realm=\"latchkey\", error=\"invalid_token\"",
            (_, "conflicting_credentials") => "Bearer realm=\"latchkey\", error=\"invalid_request\"",
            (_, "insufficient_scope") => "Bearer realm=\"latchkey\", error=\"insufficient_scope\", scope=\"",
            _ => "",
        };
        let found = self.header("www-authenticate");
        let fits = if code == "insufficient_scope" { found.starts_with(challenge) } else { found == challenge };
        assert!(fits, "{code}: {found}");
        self
    }

    /// The detail says what to do.
    pub fn says(&self, words: &str) -> &Self {
        let detail = text(&self.json()["detail"]);
        assert!(detail.contains(words), "“{words}” is not in: {detail}");
        self
    }

    /// Each with its code.
    pub fn wrong_fields(&self) -> Vec<String> {
        let problem = self.json();
        let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("{problem}"));
        errors.iter().map(|error| format!("{} {}", text(&error["field"]), text(&error["code"]))).collect()
    }

    /// Returns the remaining calls and the seconds to the reset from `RateLimit`.
    pub fn quota(&self) -> (u64, u64) {
        let line = self.header("ratelimit");
        let numbers = line.strip_prefix("\"default\";r=").and_then(|rest| rest.split_once(";t="));
        let (remaining, seconds) = numbers.unwrap_or_else(|| panic!("{}: {line:?}", self.status));
        (remaining.parse().unwrap(), seconds.parse().unwrap())
    }
}
