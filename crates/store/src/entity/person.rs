use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub tenant_id: Option<String>,
    pub email: String,
    pub name: String,
    pub role: String,
    pub password_hash: String,
    pub created_at: DateTimeUtc,
    /// Set once a second factor is confirmed, and encrypted.
    pub totp_secret: Option<String>,
    pub totp_last_step: Option<i64>,
    /// Since when the person may do nothing.
    pub switched_off_at: Option<DateTimeUtc>,
    /// Access tokens of an earlier epoch are refused.
    pub token_epoch: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
