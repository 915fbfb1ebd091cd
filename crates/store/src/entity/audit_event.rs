use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub chain_id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub at: DateTimeUtc,
    pub actor: String,
    pub actor_name: String,
    pub action: String,
    pub subject: String,
    pub subject_name: String,
    /// The actor's address. None for a command.
    pub address: Option<String>,
    pub detail: String,
    /// HMAC-SHA256 over this row and the hash of the one before it.
    pub hash: String,
    /// The secret key that the hash was made with. None before there was one: those hashes are plain SHA-256.
    pub key_id: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
