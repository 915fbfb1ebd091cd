use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_key")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub tenant_id: String,
    pub kind: String,
    pub owner_id: Option<String>,
    pub name: String,
    pub description: String,
    pub group_id: Option<String>,
    pub scopes: String,
    pub all_properties: bool,
    pub allowed_ips: String,
    pub allowed_origins: String,
    pub rate_limit_per_minute: i32,
    pub expires_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub created_by: String,
    pub revoked_at: Option<DateTimeUtc>,
    pub revoked_by: Option<String>,
    pub last_used_at: Option<DateTimeUtc>,
    pub last_used_ip: Option<String>,
    pub version: i32,
    /// Name, description and tail in lower case: what a search looks through.
    pub search_text: String,
    /// The front of the name in lower case: short, because PostgreSQL indexes no long texts.
    pub sort_name: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
