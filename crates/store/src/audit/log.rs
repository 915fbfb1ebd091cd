//! Queries of the audit log, with filters and from any position.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::{
    audit::Action,
    audit_query::{AUDIT_PAGE_SIZE, AuditQuery, Start, SubjectFilter},
    id::{Id, TenantId},
    pagination::Page,
    secret::KeyKind,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Func},
};

use super::{
    super::{
        Database, Result,
        entity::{api_key, audit_event, authorization_group, person, property},
        pagination::{self, Direction, Log},
        readable,
    },
    Chain,
};
use crate::model::{AuditEvent, SubjectKind};

/// Since when and until when, its end not included.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

/// One page of a chain.
pub async fn page(database: &Database, chain: Chain<'_>, query: &AuditQuery, span: Bounds) -> Result<Page<AuditEvent>> {
    pagination::page(database.connection(), matching(&chain, query, span), query.start).await
}

/// Returns this many events of a chain from where the query starts, newest first.
pub async fn stretch(
    database: &Database,
    chain: Chain<'_>,
    query: &AuditQuery,
    span: Bounds,
    limit: u64,
) -> Result<Vec<AuditEvent>> {
    let select = matching(&chain, query, span);
    let select = match query.start {
        Start::Newest => select,
        Start::Before(sequence) => audit_event::Entity::beyond(select, sequence, Direction::Older),
        Start::After(sequence) => audit_event::Entity::beyond(select, sequence, Direction::Newer),
    };
    let rows = audit_event::Entity::sorted(select, Direction::Older).limit(limit).all(database.connection()).await?;
    rows.into_iter().map(event_from_row).collect()
}

fn matching(chain: &Chain<'_>, query: &AuditQuery, span: Bounds) -> Select<audit_event::Entity> {
    use audit_event::Column;
    let mut condition = Condition::all().add(Column::ChainId.eq(chain.id()));
    if let Some(actor) = &query.actor {
        condition = condition.add(Column::Actor.eq(actor.as_str()));
    }
    if let Some(action) = query.action {
        condition = condition.add(Column::Action.eq(action.as_str()));
    }
    match &query.subject {
        Some(SubjectFilter::Id(id)) => condition = condition.add(Column::Subject.eq(id.as_str())),
        Some(SubjectFilter::Name(name)) => condition = condition.add(is_called(name)),
        None => {}
    }
    condition = condition
        .add_option(span.from.map(|from| Column::At.gte(from)))
        .add_option(span.until.map(|until| Column::At.lt(until)));
    audit_event::Entity::find().filter(condition)
}

/// In capitals or not. Both sides are folded by the database, as its index is.
fn is_called(name: &str) -> Expr {
    Func::lower(Expr::col(audit_event::Column::SubjectName)).eq(Func::lower(Expr::value(name)))
}

impl Log for audit_event::Entity {
    type Entry = AuditEvent;
    const PAGE_SIZE: usize = AUDIT_PAGE_SIZE;

    fn sorted(select: Select<Self>, toward: Direction) -> Select<Self> {
        select.order_by(audit_event::Column::Sequence, toward.order())
    }

    fn beyond(select: Select<Self>, sequence: i64, toward: Direction) -> Select<Self> {
        let column = audit_event::Column::Sequence;
        select.filter(match toward {
            Direction::Older => column.lt(sequence),
            Direction::Newer => column.gt(sequence),
        })
    }

    fn read(row: audit_event::Model) -> Result<AuditEvent> {
        event_from_row(row)
    }
}

fn event_from_row(row: audit_event::Model) -> Result<AuditEvent> {
    let detail = readable("an audit event's detail", &row.detail, serde_json::from_str(&row.detail))?;
    let audit_event::Model { sequence, at, actor, actor_name, subject, subject_name, address, .. } = row;
    let action = readable("an action", &row.action, Action::parse(&row.action).ok_or(()))?;
    Ok(AuditEvent { sequence, at, actor, actor_name, action, subject, subject_name, address, detail })
}

/// Returns the subjects among these that still exist, with their kinds.
pub async fn existing(
    connection: &impl ConnectionTrait,
    tenant: &TenantId,
    ids: &[&str],
) -> Result<HashMap<String, SubjectKind>> {
    let tenant = tenant.as_str();
    let keys: Vec<(String, String)> = api_key::Entity::find()
        .select_only()
        .columns([api_key::Column::Id, api_key::Column::Kind])
        .filter(api_key::Column::TenantId.eq(tenant))
        .filter(api_key::Column::Id.is_in(ids.iter().copied()))
        .into_tuple()
        .all(connection)
        .await?;
    let mut existing: HashMap<String, SubjectKind> = HashMap::new();
    for (id, kind) in keys {
        let kind = if kind == KeyKind::Tenant.as_str() { SubjectKind::TenantKey } else { SubjectKind::PersonalKey };
        existing.insert(id, kind);
    }
    let groups = authorization_group::Entity::find().filter(authorization_group::Column::TenantId.eq(tenant));
    let people = person::Entity::find().filter(person::Column::TenantId.eq(tenant));
    let properties = property::Entity::find().filter(property::Column::TenantId.eq(tenant));
    for (found, kind) in [
        (found(connection, groups, authorization_group::Column::Id, ids).await?, SubjectKind::Group),
        (found(connection, people, person::Column::Id, ids).await?, SubjectKind::Person),
        (found(connection, properties, property::Column::Id, ids).await?, SubjectKind::Property),
    ] {
        existing.extend(found.into_iter().map(|id| (id, kind)));
    }
    Ok(existing)
}

async fn found<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
    id: E::Column,
    ids: &[&str],
) -> Result<Vec<String>> {
    let wanted = rows.filter(id.is_in(ids.iter().copied()));
    Ok(wanted.select_only().column(id).into_tuple().all(connection).await?)
}
