//! Room for encryption: the check value by which a wrong secret key is recognized, the key of each audit event, and
//! the epoch that ends a person's access tokens.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("installation", text_null("secret_key_check")),
            ("person", big_integer("token_epoch").default(0).take()),
            ("audit_event", text_null("key_id")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        Ok(())
    }
}
