use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "usage_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub api_key_id: String,
    pub at: DateTimeUtc,
    pub method: String,
    pub route: String,
    pub status: i32,
    pub outcome: String,
    pub ip: Option<String>,
    pub secret_id: Option<String>,
    pub request_id: Option<String>,
    pub duration_us: Option<i32>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
