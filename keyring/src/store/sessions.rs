//! Sessions, by the SHA-256 of the cookie that opens them.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::{
    id::{Id, PersonId, TenantId},
    person::Person,
};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::Expr};

use super::{
    Change, Database, Result,
    entity::{person, session},
    people,
};
use crate::secret::Sha256Hex;

pub(crate) struct NewSession<'a> {
    pub(crate) token: &'a Sha256Hex,
    pub(crate) person: &'a PersonId,
    pub(crate) now: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) ip: IpAddr,
    pub(crate) network: IpAddr,
    pub(crate) user_agent: &'a str,
}

/// A live session and whose it is.
pub(crate) struct LiveSession {
    pub(crate) person: Person,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) last_seen_at: DateTime<Utc>,
}

/// Opens a session, unless the password was changed since `password_hash` was read. False then.
pub(crate) async fn insert(database: &Database, session: NewSession<'_>, password_hash: &str) -> Result<bool> {
    let (transaction, _turn) = database.begin().await?;
    // Changes nothing and holds the person's row, so that a change of the password comes before or after.
    let held = person::Entity::update_many()
        .col_expr(person::Column::PasswordHash, Expr::value(password_hash))
        .filter(person::Column::Id.eq(session.person.as_str()))
        .filter(person::Column::PasswordHash.eq(password_hash))
        .exec(&transaction)
        .await?;
    if held.rows_affected == 0 {
        return Ok(false);
    }

    let row = session::ActiveModel {
        token_sha256: Set(session.token.as_str().to_owned()),
        person_id: Set(session.person.to_string()),
        created_at: Set(session.now),
        last_seen_at: Set(session.now),
        expires_at: Set(session.expires_at),
        ip: Set(session.ip.to_canonical().to_string()),
        network: Set(session.network.to_string()),
        user_agent: Set(session.user_agent.to_owned()),
    };
    session::Entity::insert(row).exec_without_returning(&transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

pub(crate) async fn find(database: &Database, token: &Sha256Hex, now: DateTime<Utc>) -> Result<Option<LiveSession>> {
    let found = session::Entity::find_by_id(token.as_str())
        .filter(session::Column::ExpiresAt.gt(now))
        .one(database.connection())
        .await?;
    let Some(session) = found else { return Ok(None) };
    let Some(person) = person::Entity::find_by_id(&session.person_id).one(database.connection()).await? else {
        return Ok(None);
    };
    Ok(Some(LiveSession {
        person: people::read(&person)?,
        tenant: people::tenant_of(&person)?,
        last_seen_at: session.last_seen_at,
    }))
}

/// Notes that a session is in use, which puts off its end.
pub(crate) async fn touch(
    database: &Database,
    token: &Sha256Hex,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::LastSeenAt, Expr::value(now))
        .col_expr(session::Column::ExpiresAt, Expr::value(expires_at))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        // One that was ended a moment ago stays ended.
        .filter(session::Column::ExpiresAt.gt(now))
        .exec(database.connection())
        .await?;
    Ok(())
}

/// Ends a session. Its row stays for a while: it tells from where the person signs in.
pub(crate) async fn end(database: &Database, token: &Sha256Hex, now: DateTime<Utc>) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::ExpiresAt, Expr::value(now))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        .filter(session::Column::ExpiresAt.gt(now))
        .exec(database.connection())
        .await?;
    Ok(())
}

pub(crate) async fn end_of_person(change: &Change, person: &PersonId) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::ExpiresAt, Expr::value(change.now()))
        .filter(session::Column::PersonId.eq(person.as_str()))
        .filter(session::Column::ExpiresAt.gt(change.now()))
        .exec(change.on())
        .await?;
    Ok(())
}

pub(crate) async fn delete_ended_before(database: &Database, instant: DateTime<Utc>) -> Result<()> {
    session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(instant)).exec(database.connection()).await?;
    Ok(())
}

/// Whether somebody has signed in as this person from this network. Nobody ever has as nobody, but asking
/// takes as long.
pub(crate) async fn was_opened_from(database: &Database, person: Option<&PersonId>, network: IpAddr) -> Result<bool> {
    let sessions = session::Entity::find()
        .filter(session::Column::PersonId.eq(person.map_or("", Id::as_str)))
        .filter(session::Column::Network.eq(network.to_string()));
    Ok(sessions.count(database.connection()).await? > 0)
}
