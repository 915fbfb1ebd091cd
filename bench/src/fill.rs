//! Keys by the hundred thousand, straight into the tables: by the use case that makes them it would take an hour.

use std::path::Path;

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{
    id::{Id, KeyId, SecretId},
    secret::{KeyKind, Product, SecretHint, assemble},
    tenant::MAX_KEY_LIMIT,
};
use keyring::{Keyring, NewTenant, SuperUser};
use rand::RngExt;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, TransactionTrait,
    sea_query::{InsertStatement, Query},
};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::{Result, secrets::Writer};

const TENANTS: usize = 20;
/// The most that a key may have.
pub const CALLS_A_MINUTE: i32 = 1_000;
pub const FULL_ACCESS: &str = "Full access";
/// The number of bind parameters that one SQLite statement may have.
const ROWS_AT_ONCE: usize = 1_000;

struct Tenant {
    id: String,
    full_access: String,
    verifier: String,
}

struct Key<'a> {
    id: String,
    tenant: &'a str,
    group: &'a str,
    name: String,
    secret: String,
}

impl<'a> Key<'a> {
    fn new(product: &Product, tenant: &'a Tenant, group: &'a str, name: String) -> Self {
        let secret = assemble(product, KeyKind::Tenant, rand::rng().random());
        Self { id: format!("{}{}", KeyId::PREFIX, Ulid::generate()), tenant: &tenant.id, group, name, secret }
    }
}

pub async fn fill(keyring: &Keyring, secrets: &Path, keys: usize) -> Result<()> {
    let product = Product::parse("lk")?;
    let tenants = tenants(keyring).await?;
    let verifier = |tenant| Key::new(&product, tenant, &tenant.verifier, "Verifier".to_owned());
    let other = |number: usize| {
        let tenant = &tenants[number % TENANTS];
        Key::new(&product, tenant, &tenant.full_access, format!("Integration {number}"))
    };
    let mut file = Writer::create(secrets, TENANTS)?;
    let mut all = tenants.iter().map(verifier).chain((0..keys).map(other)).peekable();
    while all.peek().is_some() {
        let some: Vec<Key> = all.by_ref().take(ROWS_AT_ONCE).collect();
        insert(keyring.database().connection(), &some, keyring.now()).await?;
        some.iter().try_for_each(|key| file.add(&key.secret, &key.id))?;
    }
    file.finish()?;
    Ok(keyring.close().await?)
}

pub fn slug(tenant: usize) -> String {
    format!("tenant-{}", tenant + 1)
}

async fn tenants(keyring: &Keyring) -> Result<Vec<Tenant>> {
    let mut tenants = Vec::new();
    for number in 0..TENANTS {
        let slug = slug(number);
        let new = NewTenant { name: slug.clone(), slug: slug.clone(), key_limit: Some(MAX_KEY_LIMIT), time_zone: None };
        keyring.create_tenant(&SuperUser::operator(), new).await?;
        tenants.push(tenant(keyring, &slug).await?);
    }
    Ok(tenants)
}

async fn tenant(keyring: &Keyring, slug: &str) -> Result<Tenant> {
    let operator = keyring.operator_for(slug).await?;
    let groups = keyring.groups(&operator).await?;
    let group = |name: &str| {
        let found = groups.iter().find(|group| group.name == name);
        found.map(|group| group.id.to_string()).ok_or(format!("a new tenant has no group {name}"))
    };
    let id = operator.tenant().id.to_string();
    Ok(Tenant { id, full_access: group(FULL_ACCESS)?, verifier: group("Verifier")? })
}

async fn insert(connection: &DatabaseConnection, keys: &[Key<'_>], now: DateTime<Utc>) -> Result<()> {
    let transaction = connection.begin().await?;
    transaction.execute(&key_rows(keys, now)).await?;
    transaction.execute(&secret_rows(keys, now)).await?;
    Ok(transaction.commit().await?)
}

fn key_rows(keys: &[Key<'_>], now: DateTime<Utc>) -> InsertStatement {
    let columns = [
        "id",
        "tenant_id",
        "kind",
        "name",
        "description",
        "group_id",
        "scopes",
        "all_properties",
        "allowed_ips",
        "allowed_origins",
        "rate_limit_per_minute",
        "created_at",
        "created_by",
        "version",
        "search_text",
        "sort_name",
    ];
    let mut rows = Query::insert().into_table("api_key").columns(columns).take();
    for Key { id, tenant, group, name, .. } in keys {
        let lower = name.to_lowercase();
        rows.values_panic([
            id.as_str().into(),
            (*tenant).into(),
            KeyKind::Tenant.as_str().into(),
            name.as_str().into(),
            "".into(),
            (*group).into(),
            "read write".into(),
            true.into(),
            "".into(),
            "".into(),
            CALLS_A_MINUTE.into(),
            now.into(),
            "operator".into(),
            1.into(),
            lower.as_str().into(),
            lower.as_str().into(),
        ]);
    }
    rows
}

fn secret_rows(keys: &[Key<'_>], now: DateTime<Utc>) -> InsertStatement {
    let columns = ["sha256", "api_key_id", "head", "tail", "created_at", "secret_id"];
    let mut rows = Query::insert().into_table("api_key_secret").columns(columns).take();
    for Key { id, secret, .. } in keys {
        let hint = SecretHint::of(secret);
        let sha256 = HEXLOWER.encode(&Sha256::digest(secret.as_bytes()));
        let secret_id = format!("{}{}", SecretId::PREFIX, Ulid::generate());
        rows.values_panic([
            sha256.into(),
            id.as_str().into(),
            hint.head.into(),
            hint.tail.into(),
            now.into(),
            secret_id.into(),
        ]);
    }
    rows
}
