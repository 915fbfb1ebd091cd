use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_sha256: String,
    pub person_id: String,
    pub created_at: DateTimeUtc,
    pub last_seen_at: DateTimeUtc,
    pub expires_at: DateTimeUtc,
    pub ip: String,
    /// The household or server that the address belongs to.
    pub network: String,
    pub user_agent: String,
    /// The tenant that a super user has entered.
    pub entered_tenant_id: Option<String>,
    /// Set when the session was ended, not when it expired.
    pub ended_at: Option<DateTimeUtc>,
    /// The time at which the person last confirmed their identity after signing in.
    pub confirmed_at: Option<DateTimeUtc>,
    /// The secret of a second factor that the person may set up, encrypted.
    pub offered_totp_secret: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
