//! Sessions, by the SHA-256 of the cookie that opens them.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use domain::{
    digest::Sha256Hex,
    id::{Id, PersonId, TenantId},
    person::{Role, Session},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    AuditedTransaction, Database, Result, encrypted_columns,
    entity::session,
    people::{self, Account},
    readable,
};
use crate::secret_keys::SecretKeys;

pub struct NewSession<'a> {
    pub token: &'a Sha256Hex,
    pub person: &'a PersonId,
    pub now: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub ip: IpAddr,
    pub network: IpAddr,
    pub user_agent: &'a str,
}

/// A live session and whose it is.
pub struct LiveSession {
    pub account: Account,
    /// The person's own tenant, or the one that a super user has entered.
    pub tenant: Option<TenantId>,
    pub opened_at: DateTime<Utc>,
    pub last_seen_at: DateTime<Utc>,
    /// The time at which the person last proved their identity, at sign-in or later.
    pub confirmed_at: DateTime<Utc>,
}

pub async fn insert(change: &AuditedTransaction, session: NewSession<'_>) -> Result<()> {
    let row = session::ActiveModel {
        token_sha256: Set(session.token.as_str().to_owned()),
        person_id: Set(session.person.to_string()),
        created_at: Set(session.now),
        last_seen_at: Set(session.now),
        expires_at: Set(session.expires_at),
        ip: Set(session.ip.to_canonical().to_string()),
        network: Set(session.network.to_string()),
        user_agent: Set(session.user_agent.to_owned()),
        entered_tenant_id: Set(None),
        ended_at: Set(None),
        confirmed_at: Set(None),
        offered_totp_secret: Set(None),
    };
    session::Entity::insert(row).exec_without_returning(change.on()).await?;
    Ok(())
}

/// Used within its time, and not ended.
fn is_live(now: DateTime<Utc>) -> Condition {
    Condition::all().add(session::Column::ExpiresAt.gt(now)).add(session::Column::EndedAt.is_null())
}

/// Loads the session of an active person.
pub async fn find_session(
    connection: &impl ConnectionTrait,
    token: &Sha256Hex,
    now: DateTime<Utc>,
) -> Result<Option<LiveSession>> {
    let found = session::Entity::find_by_id(token.as_str()).filter(is_live(now)).one(connection).await?;
    let Some(session) = found else { return Ok(None) };
    let person = readable("a person's id", &session.person_id, PersonId::parse(&session.person_id))?;
    let account = people::account(connection, &person).await?;
    let Some(account) = account.filter(|account| !account.is_deactivated) else { return Ok(None) };
    let entered = session.entered_tenant_id.filter(|_| account.person.role == Role::SuperUser);
    let tenant = match entered {
        Some(id) => Some(readable("a tenant's id", &id, TenantId::parse(&id))?),
        None => account.tenant.clone(),
    };
    Ok(Some(LiveSession {
        account,
        tenant,
        opened_at: session.created_at,
        last_seen_at: session.last_seen_at,
        confirmed_at: session.confirmed_at.unwrap_or(session.created_at),
    }))
}

/// Notes that a session is in use, which puts off its end.
pub async fn touch(
    database: &Database,
    token: &Sha256Hex,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::LastSeenAt, Expr::value(now))
        .col_expr(session::Column::ExpiresAt, Expr::value(expires_at))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        // One that was ended stays ended, even if it ended after `now` by the clock of another node.
        .filter(is_live(now))
        .exec(database.connection())
        .await?;
    Ok(())
}

/// Moves a super user's session from one tenant, or none, to another. Returns false if it has ended or is elsewhere.
pub async fn move_between(
    change: &AuditedTransaction,
    token: &Sha256Hex,
    from: Option<&TenantId>,
    to: Option<&TenantId>,
) -> Result<bool> {
    let column = session::Column::EnteredTenantId;
    let is_there = from.map_or_else(|| column.is_null(), |tenant| column.eq(tenant.as_str()));
    let moved = session::Entity::update_many()
        .col_expr(column, Expr::value(to.map(ToString::to_string)))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        .filter(is_live(change.now()))
        .filter(is_there)
        .exec(change.on())
        .await?;
    Ok(moved.rows_affected > 0)
}

/// Records that the person of a session has confirmed their identity.
pub async fn set_confirmed(change: &AuditedTransaction, token: &Sha256Hex) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::ConfirmedAt, Expr::value(change.now()))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        .exec(change.on())
        .await?;
    Ok(())
}

/// Returns the secret of the second factor that a session was offered.
pub async fn offered_totp_secret(
    connection: &impl ConnectionTrait,
    keys: &SecretKeys,
    token: &Sha256Hex,
) -> Result<Option<SecretString>> {
    let row = session::Entity::find_by_id(token.as_str()).one(connection).await?;
    let Some(encrypted) = row.and_then(|row| row.offered_totp_secret) else { return Ok(None) };
    encrypted_columns::decrypt(keys, encrypted_columns::offered_totp_secret(token.as_str()), &encrypted).map(Some)
}

/// Keeps the secret of a second factor that a session is offered, unless it has an offer already.
pub async fn offer_totp_secret(database: &Database, token: &Sha256Hex, secret: &SecretString) -> Result<()> {
    let encrypted =
        database.secret_keys()?.encrypt(encrypted_columns::offered_totp_secret(token.as_str()), secret.expose_secret());
    session::Entity::update_many()
        .col_expr(session::Column::OfferedTotpSecret, Expr::value(encrypted))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        .filter(session::Column::OfferedTotpSecret.is_null())
        .exec(database.connection())
        .await?;
    Ok(())
}

/// Ends the offers of second factors: to one session, or to all.
pub async fn withdraw_totp_offers(change: &AuditedTransaction, token: Option<&Sha256Hex>) -> Result<()> {
    let mut sessions = session::Entity::update_many()
        .col_expr(session::Column::OfferedTotpSecret, Expr::value(Option::<String>::None))
        .filter(session::Column::OfferedTotpSecret.is_not_null());
    if let Some(token) = token {
        sessions = sessions.filter(session::Column::TokenSha256.eq(token.as_str()));
    }
    sessions.exec(change.on()).await?;
    Ok(())
}

/// Ends a session. Its row is kept for a while: it records where the person signs in from.
pub async fn end(change: &AuditedTransaction, token: &Sha256Hex) -> Result<()> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(change.now()))
        .filter(session::Column::TokenSha256.eq(token.as_str()))
        .filter(is_live(change.now()))
        .exec(change.on())
        .await?;
    Ok(())
}

/// Ends the access tokens of a person and their sessions, save the one to be kept. Returns how many sessions those were.
pub async fn end_of_person(change: &AuditedTransaction, person: &PersonId, kept: Option<&Sha256Hex>) -> Result<u64> {
    people::end_tokens(change, person).await?;
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(change.now()))
        .filter(session::Column::PersonId.eq(person.as_str()))
        .filter(is_live(change.now()))
        .filter(session::Column::TokenSha256.ne(kept.map_or("", Sha256Hex::as_str)))
        .exec(change.on())
        .await?;
    Ok(ended.rows_affected)
}

/// The live sessions of a person, the one that was used last first.
pub async fn list(
    database: &Database,
    person: &PersonId,
    this: Option<&Sha256Hex>,
    now: DateTime<Utc>,
) -> Result<Vec<Session>> {
    let rows = session::Entity::find()
        .filter(session::Column::PersonId.eq(person.as_str()))
        .filter(is_live(now))
        .order_by_desc(session::Column::LastSeenAt)
        .all(database.connection())
        .await?;
    let read = |row: session::Model| Session {
        is_this: this.is_some_and(|token| token.as_str() == row.token_sha256),
        user_agent: row.user_agent,
        address: row.ip,
        opened_at: row.created_at,
        last_seen_at: row.last_seen_at,
    };
    Ok(rows.into_iter().map(read).collect())
}

pub async fn delete_ended_before(database: &Database, instant: DateTime<Utc>) -> Result<()> {
    session::Entity::delete_many().filter(session::Column::ExpiresAt.lt(instant)).exec(database.connection()).await?;
    Ok(())
}

/// Returns whether the person has signed in from this network before. An unknown person never has, but the query takes
/// equally long.
pub async fn was_opened_from(database: &Database, person: Option<&PersonId>, network: IpAddr) -> Result<bool> {
    let sessions = session::Entity::find()
        .filter(session::Column::PersonId.eq(person.map_or("", Id::as_str)))
        .filter(session::Column::Network.eq(network.to_string()));
    Ok(sessions.count(database.connection()).await? > 0)
}
