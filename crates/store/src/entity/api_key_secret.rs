use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key_secret")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sha256: String,
    pub api_key_id: String,
    pub head: String,
    pub tail: String,
    pub created_at: DateTimeUtc,
    /// None for the secret that is current.
    pub retires_at: Option<DateTimeUtc>,
    pub secret_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
