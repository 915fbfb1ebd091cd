use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reservation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub tenant_id: String,
    pub property_id: String,
    pub service_id: String,
    pub package_id: Option<String>,
    pub guest_name: String,
    pub guest_email: Option<String>,
    pub arrival: Date,
    pub departure: Date,
    pub units: i32,
    pub status: String,
    pub price_minor: i64,
    pub currency: String,
    pub created_at: DateTimeUtc,
    pub created_by: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
