//! A separate database for each test, with a tenant to work on.

use std::{
    fs::File,
    io::Write,
    net::IpAddr,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    expiration::ExpirationDraft,
    id::{Id, KeyId},
    key_draft::KeyDraft,
    key_list::KeyListQuery,
    person::Role,
    property::Property,
    secret::Product,
};
use keyring::{
    Client, Clock, Credentials, Database, Error, Keyring, NewKey, NewPerson, NewProperty, NewSecret, NewTenant,
    OpenError, SecretKeyFile, SessionToken, SuperUser, SuperUserMfa, TenantAdmin, generate_secret_key,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use secrecy::ExposeSecret;
use tempfile::TempDir;
use test_support::databases::create_postgres;

pub const PASSWORD: &str = "correct horse battery";

pub struct TestKeyring {
    pub keyring: Keyring,
    pub clock: Clock,
    pub url: String,
    pub secret_keys: PathBuf,
    _folder: TempDir,
}

async fn open(url: &str, secret_keys: &Path, clock: &Clock) -> Result<Keyring, OpenError> {
    let database = Database::open(url).await.unwrap();
    migrations::apply(database.connection()).await.unwrap();
    let file = SecretKeyFile::locate(Some(secret_keys), url).unwrap();
    let keyring = Keyring::open(database, file, Product::parse("lk").unwrap(), clock.clone()).await?;
    Ok(keyring.with_super_user_mfa(SuperUserMfa::Optional))
}

/// Writes a secret key file, of one key a line.
pub fn write_secret_keys(path: &Path, keys: &[&str]) {
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(keys.join("\n").as_bytes()).unwrap();
}

impl TestKeyring {
    pub async fn on_sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite://{}/latchkey.db", folder.path().display());
        Self::on(url, folder).await
    }

    pub async fn on_postgres() -> Self {
        Self::on(create_postgres().await, TempDir::new().unwrap()).await
    }

    async fn on(url: String, folder: TempDir) -> Self {
        let clock = Clock::stopped_at("2026-11-21T12:00:00Z".parse().unwrap());
        let secret_keys = folder.path().join("secret-key");
        write_secret_keys(&secret_keys, &[generate_secret_key().expose_secret()]);
        let keyring = open(&url, &secret_keys, &clock).await.unwrap();
        Self { keyring, clock, url, secret_keys, _folder: folder }
    }

    /// Another keyring over the same database, as after a restart.
    pub fn reopen(&self) -> impl Future<Output = Result<Keyring, OpenError>> + use<> {
        self.reopen_with(&self.secret_keys)
    }

    /// The same by a clock that shows another time.
    pub async fn reopen_at(&self, now: DateTime<Utc>) -> Keyring {
        open(&self.url, &self.secret_keys, &Clock::stopped_at(now)).await.unwrap()
    }

    /// The same with another secret key file.
    pub fn reopen_with(&self, secret_keys: &Path) -> impl Future<Output = Result<Keyring, OpenError>> + use<> {
        let (url, secret_keys, clock) = (self.url.clone(), secret_keys.to_owned(), self.clock.clone());
        async move { open(&url, &secret_keys, &clock).await }
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
    }

    /// A tenant with two properties, acted for by the operator.
    pub async fn tenant(&self, slug: &str) -> TenantAdmin {
        self.tenant_with_limit(slug, 10).await
    }

    pub async fn tenant_with_limit(&self, slug: &str, key_limit: u32) -> TenantAdmin {
        let new = NewTenant {
            slug: slug.to_owned(),
            name: slug.to_uppercase(),
            key_limit: Some(key_limit),
            time_zone: Some("Pacific/Auckland".to_owned()),
        };
        self.keyring.create_tenant(&SuperUser::operator(), new).await.unwrap();
        let operator = self.keyring.operator_for(slug).await.unwrap();
        for name in ["Harbour House", "Old Town"] {
            self.keyring.create_property(&operator, NewProperty { name: name.to_owned() }).await.unwrap();
        }
        operator
    }

    /// The tenant's two properties.
    pub async fn properties(&self, tenant: &TenantAdmin) -> [Property; 2] {
        self.keyring.properties(tenant).await.unwrap().try_into().unwrap()
    }

    /// A person who can sign in with [`PASSWORD`].
    pub async fn person(&self, tenant: &TenantAdmin, name: &str, role: Role) {
        let email = format!("{}@{}.test", name.to_lowercase(), tenant.tenant().slug);
        let new = NewPerson { email, name: name.to_owned(), password: PASSWORD.to_owned().into() };
        self.keyring.create_person(Some(tenant), role, new).await.unwrap();
    }

    /// An admin of the tenant's who has signed in.
    pub async fn admin(&self, tenant: &TenantAdmin, name: &str) -> TenantAdmin {
        self.person(tenant, name, Role::TenantAdmin).await;
        let token = self.sign_in(&format!("{name}@{}.test", tenant.tenant().slug), PASSWORD).await.unwrap();
        self.keyring.signed_in(&token, home()).await.unwrap().unwrap().as_admin().unwrap()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Result<SessionToken, Error> {
        let credentials =
            Credentials { organization: None, email: email.to_owned(), password: password.to_owned().into() };
        self.keyring.sign_in(credentials, None, &client("203.0.113.7")).await
    }

    /// A form filled in with all that has to be.
    pub async fn draft(&self, tenant: &TenantAdmin, name: &str) -> KeyDraft {
        let groups = self.keyring.groups(tenant).await.unwrap();
        let full_access = groups.iter().find(|group| group.name == "Full access").unwrap();
        KeyDraft { name: name.to_owned(), group: full_access.id.to_string(), ..KeyDraft::default() }
    }

    pub async fn generate(&self, tenant: &TenantAdmin, name: &str) -> NewSecret {
        self.generate_until(tenant, name, ExpirationDraft::Never).await
    }

    pub async fn generate_until(&self, tenant: &TenantAdmin, name: &str, expiration: ExpirationDraft) -> NewSecret {
        let new = NewKey { draft: self.draft(tenant, name).await, expiration };
        self.keyring.generate_key(tenant, &new).await.unwrap()
    }

    pub async fn key(&self, tenant: &TenantAdmin, id: &KeyId) -> domain::key::Key {
        self.keyring.key(tenant, id).await.unwrap()
    }

    /// The names of the listed keys.
    pub async fn names(&self, tenant: &TenantAdmin, query: &KeyListQuery) -> Vec<String> {
        let page = self.keyring.keys(tenant, query).await.unwrap();
        page.keys.into_iter().map(|key| key.name).collect()
    }

    /// A connection beside the keyring's own, to look at what is stored.
    pub async fn connection(&self) -> DatabaseConnection {
        sea_orm::Database::connect(&self.url).await.unwrap()
    }

    /// Returns the rows of a query that selects one text column.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = self.connection().await;
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    }

    /// Returns the audited actions on a subject, in order.
    pub async fn actions(&self, subject: &impl Id) -> Vec<String> {
        let sql = format!("SELECT action FROM audit_event WHERE subject = '{}' ORDER BY sequence", subject.as_str());
        self.texts(&sql).await
    }
}

/// The default address of sign-ins.
pub fn home() -> IpAddr {
    IpAddr::from([203, 0, 113, 7])
}

pub fn client(address: &str) -> Client {
    Client { address: address.parse().unwrap(), user_agent: "tests".to_owned() }
}

/// The codes of the fields that were refused.
pub fn codes<T>(result: Result<T, Error>) -> Vec<(&'static str, String)> {
    match result {
        Err(Error::Invalid(errors)) => errors.0.into_iter().map(|error| (error.field.as_str(), error.code)).collect(),
        Err(other) => panic!("another refusal: {other}"),
        Ok(_) => panic!("nothing was refused"),
    }
}
