//! Tenants with their people, properties, groups and keys; sessions, usage and the audit log.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            tenant(),
            person(),
            session(),
            authorization_group(),
            property(),
            api_key(),
            api_key_secret(),
            api_key_property(),
            usage_hour(),
            usage_event(),
            audit_chain(),
            audit_event(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        manager.get_connection().execute_unprepared(ONE_LIVE_SECRET).await?;
        Ok(())
    }
}

/// The secret without an end is the current one, and a key never has two of them.
const ONE_LIVE_SECRET: &str =
    "CREATE UNIQUE INDEX api_key_secret_live ON api_key_secret (api_key_id) WHERE retires_at IS NULL";

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

fn id() -> ColumnDef {
    text("id").primary_key().take()
}

/// A column that names a row of another table and goes with it.
fn belongs_to(table: &'static str, column: &'static str, owner: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, column).to(owner, "id").on_delete(ForeignKeyAction::Cascade).take()
}

fn tenant() -> TableCreateStatement {
    table("tenant")
        .col(id())
        .col(text("slug").unique_key())
        .col(text("name"))
        .col(integer("key_limit"))
        .col(boolean("api_keys"))
        .col(text("time_zone"))
        .col(timestamp_with_time_zone("created_at"))
        .take()
}

fn person() -> TableCreateStatement {
    table("person")
        .col(id())
        .col(text_null("tenant_id"))
        .col(text("email").unique_key())
        .col(text("name"))
        .col(text("role"))
        .col(text("password_hash"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut belongs_to("person", "tenant_id", "tenant"))
        .take()
}

fn session() -> TableCreateStatement {
    table("session")
        .col(text("token_sha256").primary_key())
        .col(text("person_id"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(text("ip"))
        .col(text("network"))
        .col(text("user_agent"))
        .foreign_key(&mut belongs_to("session", "person_id", "person"))
        .take()
}

fn authorization_group() -> TableCreateStatement {
    table("authorization_group")
        .col(id())
        .col(text("tenant_id"))
        .col(text("name"))
        .col(text("group_type"))
        .col(text("permissions"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut belongs_to("authorization_group", "tenant_id", "tenant"))
        .take()
}

fn property() -> TableCreateStatement {
    table("property")
        .col(id())
        .col(text("tenant_id"))
        .col(text("name"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut belongs_to("property", "tenant_id", "tenant"))
        .take()
}

fn api_key() -> TableCreateStatement {
    table("api_key")
        .col(id())
        .col(text("tenant_id"))
        .col(text("kind"))
        .col(text_null("owner_id"))
        .col(text("name"))
        .col(text("description"))
        .col(text_null("group_id"))
        .col(text("scopes"))
        .col(boolean("all_properties"))
        .col(text("allowed_ips"))
        .col(text("allowed_origins"))
        .col(integer("rate_limit_per_minute"))
        .col(timestamp_with_time_zone_null("expires_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(text("created_by"))
        .col(timestamp_with_time_zone_null("revoked_at"))
        .col(text_null("revoked_by"))
        .col(timestamp_with_time_zone_null("last_used_at"))
        .col(text_null("last_used_ip"))
        .col(integer("version"))
        .col(text("search_text"))
        .col(text("sort_name"))
        .foreign_key(&mut belongs_to("api_key", "tenant_id", "tenant"))
        .foreign_key(&mut belongs_to("api_key", "owner_id", "person"))
        .foreign_key(ForeignKey::create().from("api_key", "group_id").to("authorization_group", "id"))
        .take()
}

fn api_key_secret() -> TableCreateStatement {
    table("api_key_secret")
        .col(text("sha256").primary_key())
        .col(text("api_key_id"))
        .col(text("head"))
        .col(text("tail"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("retires_at"))
        .foreign_key(&mut belongs_to("api_key_secret", "api_key_id", "api_key"))
        .take()
}

fn api_key_property() -> TableCreateStatement {
    table("api_key_property")
        .col(text("api_key_id"))
        .col(text("property_id"))
        .primary_key(Index::create().col("api_key_id").col("property_id"))
        .foreign_key(&mut belongs_to("api_key_property", "api_key_id", "api_key"))
        .foreign_key(&mut belongs_to("api_key_property", "property_id", "property"))
        .take()
}

fn usage_hour() -> TableCreateStatement {
    table("usage_hour")
        .col(text("api_key_id"))
        .col(timestamp_with_time_zone("hour"))
        .col(text("outcome"))
        .col(big_integer("count"))
        .primary_key(Index::create().col("api_key_id").col("hour").col("outcome"))
        .foreign_key(&mut belongs_to("usage_hour", "api_key_id", "api_key"))
        .take()
}

fn usage_event() -> TableCreateStatement {
    table("usage_event")
        .col(big_pk_auto("id"))
        .col(text("api_key_id"))
        .col(timestamp_with_time_zone("at"))
        .col(text("method"))
        .col(text("route"))
        .col(integer("status"))
        .col(text("outcome"))
        .col(text_null("ip"))
        .foreign_key(&mut belongs_to("usage_event", "api_key_id", "api_key"))
        .take()
}

/// One row a chain: its last hash, and the lock that everyone who changes the tenant takes first.
fn audit_chain() -> TableCreateStatement {
    table("audit_chain").col(id()).col(big_integer("length")).col(text("hash")).take()
}

/// Outlives its subjects, so it has no foreign keys.
fn audit_event() -> TableCreateStatement {
    table("audit_event")
        .col(text("chain_id"))
        .col(big_integer("sequence"))
        .col(timestamp_with_time_zone("at"))
        .col(text("actor"))
        .col(text("actor_name"))
        .col(text("action"))
        .col(text("subject"))
        .col(text("detail"))
        .col(text("hash"))
        .primary_key(Index::create().col("chain_id").col("sequence"))
        .take()
}

fn index(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("person_of_tenant", "person", &["tenant_id", "role"]),
        index("session_of_person", "session", &["person_id", "network"]),
        index("session_by_end", "session", &["expires_at"]),
        index("group_name", "authorization_group", &["tenant_id", "name"]).unique().take(),
        index("property_name", "property", &["tenant_id", "name"]).unique().take(),
        index("api_key_by_created", "api_key", &["tenant_id", "kind", "created_at", "id"]),
        index("api_key_by_name", "api_key", &["tenant_id", "kind", "sort_name", "id"]),
        index("api_key_by_expires", "api_key", &["tenant_id", "kind", "expires_at", "id"]),
        index("api_key_by_last_used", "api_key", &["tenant_id", "kind", "last_used_at", "id"]),
        index("api_key_of_group", "api_key", &["group_id"]),
        index("api_key_of_owner", "api_key", &["owner_id"]),
        index("api_key_secret_of_key", "api_key_secret", &["api_key_id"]),
        index("api_key_property_of_property", "api_key_property", &["property_id"]),
        index("usage_event_of_key", "usage_event", &["api_key_id", "at"]),
        index("usage_hour_by_hour", "usage_hour", &["hour"]),
        index("audit_event_of_subject", "audit_event", &["chain_id", "subject", "sequence"]),
    ]
}
