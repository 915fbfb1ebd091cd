//! Adds the tables of the booking API: services, packages and reservations, and stored responses for repeated calls.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Lets the tables below reference the tenant and the property together, so that no row can mix two tenants.
        manager.create_index(index("property_of_tenant", "property", &["tenant_id", "id"]).unique().take()).await?;
        for table in [service(), package(), reservation(), idempotency()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(name).take()
}

fn id() -> ColumnDef {
    text("id").primary_key().take()
}

/// A row goes with its property, and the property with its tenant.
fn of_property(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, ("tenant_id", "property_id"))
        .to("property", ("tenant_id", "id"))
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

/// A foreign key that prevents the referenced row from being deleted.
fn names(table: &'static str, column: &'static str, other: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, column).to(other, "id").take()
}

fn service() -> TableCreateStatement {
    table("service")
        .col(id())
        .col(text("tenant_id"))
        .col(text("property_id"))
        .col(text("name"))
        .col(integer("units"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut of_property("service"))
        .take()
}

fn package() -> TableCreateStatement {
    table("package")
        .col(id())
        .col(text("tenant_id"))
        .col(text("property_id"))
        .col(text("service_id"))
        .col(text("name"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut of_property("package"))
        .foreign_key(&mut names("package", "service_id", "service"))
        .take()
}

/// The departure is the first day that the guest is gone.
fn reservation() -> TableCreateStatement {
    table("reservation")
        .col(id())
        .col(text("tenant_id"))
        .col(text("property_id"))
        .col(text("service_id"))
        .col(text_null("package_id"))
        .col(text("guest_name"))
        .col(text_null("guest_email"))
        .col(date("arrival"))
        .col(date("departure"))
        .col(integer("units"))
        .col(text("status"))
        .col(big_integer("price_minor"))
        .col(text("currency"))
        .col(timestamp_with_time_zone("created_at"))
        .col(text("created_by"))
        .foreign_key(&mut of_property("reservation"))
        .foreign_key(&mut names("reservation", "service_id", "service"))
        .foreign_key(&mut names("reservation", "package_id", "package"))
        .take()
}

/// The first answer to a call: a reservation, or the night on which too few units were left.
fn idempotency() -> TableCreateStatement {
    table("idempotency")
        .col(text("tenant_id"))
        .col(text("caller"))
        .col(text("key_sha256"))
        .col(text("body_sha256"))
        .col(text_null("reservation_id"))
        .col(date_null("sold_out_on"))
        .col(integer_null("sold_out_left"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("tenant_id").col("caller").col("key_sha256"))
        .foreign_key(
            ForeignKey::create()
                .from("idempotency", "tenant_id")
                .to("tenant", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .foreign_key(
            ForeignKey::create()
                .from("idempotency", "reservation_id")
                .to("reservation", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
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
        index("service_of_property", "service", &["tenant_id", "property_id", "id"]),
        index("package_of_property", "package", &["tenant_id", "property_id", "id"]),
        index("package_of_service", "package", &["service_id"]),
        index("reservation_of_tenant", "reservation", &["tenant_id", "id"]),
        index("reservation_of_property", "reservation", &["tenant_id", "property_id", "id"]),
        index("reservation_by_departure", "reservation", &["tenant_id", "property_id", "departure"]),
        index("reservation_of_service", "reservation", &["service_id", "departure"]),
        index("reservation_of_package", "reservation", &["package_id"]),
        index("idempotency_of_reservation", "idempotency", &["reservation_id"]),
        index("idempotency_by_age", "idempotency", &["created_at"]),
    ]
}
