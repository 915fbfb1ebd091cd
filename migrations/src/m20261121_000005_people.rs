//! People: groups, invitations, second factors, super users who enter a tenant, and an audit log with addresses and
//! subject names.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in columns() {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for table in [person_group(), invitation(), recovery_code()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        manager.get_connection().execute_unprepared(AUDIT_EVENT_BY_NAME).await?;
        Ok(())
    }
}

/// People look for a name in capitals or not.
const AUDIT_EVENT_BY_NAME: &str =
    "CREATE INDEX audit_event_by_name ON audit_event (chain_id, lower(subject_name), sequence)";

fn columns() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("tenant", boolean("requires_second_factor").default(false).take()),
        ("session", text_null("entered_tenant_id")),
        ("property", timestamp_with_time_zone_null("archived_at")),
        ("authorization_group", integer("version").default(1).take()),
        ("audit_event", text("subject_name").default("").take()),
        ("audit_event", text_null("address")),
    ]
}

fn belongs_to_person(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "person_id").to("person", "id").on_delete(ForeignKeyAction::Cascade).take()
}

/// A group with members cannot be deleted.
fn person_group() -> TableCreateStatement {
    Table::create()
        .table("person_group")
        .col(text("person_id"))
        .col(text("group_id"))
        .primary_key(Index::create().col("person_id").col("group_id"))
        .foreign_key(&mut belongs_to_person("person_group"))
        .foreign_key(ForeignKey::create().from("person_group", "group_id").to("authorization_group", "id"))
        .take()
}

/// A link for setting a password, deleted once it was used.
fn invitation() -> TableCreateStatement {
    Table::create()
        .table("invitation")
        .col(text("token_sha256").primary_key())
        .col(text("person_id"))
        .col(timestamp_with_time_zone("expires_at"))
        .foreign_key(&mut belongs_to_person("invitation"))
        .take()
}

/// A recovery code, deleted once it was used.
fn recovery_code() -> TableCreateStatement {
    Table::create()
        .table("recovery_code")
        .col(text("person_id"))
        .col(text("sha256"))
        .primary_key(Index::create().col("person_id").col("sha256"))
        .foreign_key(&mut belongs_to_person("recovery_code"))
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
        index("person_group_of_group", "person_group", &["group_id"]),
        index("invitation_of_person", "invitation", &["person_id"]),
        index("audit_event_of_actor", "audit_event", &["chain_id", "actor", "sequence"]),
        index("audit_event_of_action", "audit_event", &["chain_id", "action", "sequence"]),
        index("audit_event_by_time", "audit_event", &["chain_id", "at", "sequence"]),
    ]
}
