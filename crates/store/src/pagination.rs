//! Pages of a log, read from where they begin.

use domain::pagination::{HasCursor, Page, Start};
use sea_orm::{ConnectionTrait, EntityTrait, Order, QuerySelect, Select};

use super::Result;

/// The direction in which a log is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Older,
    Newer,
}

impl Direction {
    pub(super) fn order(self) -> Order {
        match self {
            Self::Older => Order::Desc,
            Self::Newer => Order::Asc,
        }
    }
}

type Position<L> = <<L as Log>::Entry as HasCursor>::Position;

/// A table that is read as a log.
pub(super) trait Log: EntityTrait {
    type Entry: HasCursor;
    const PAGE_SIZE: usize;

    fn sorted(select: Select<Self>, toward: Direction) -> Select<Self>;

    /// Selects the rows beyond a position in a direction.
    fn beyond(select: Select<Self>, position: Position<Self>, toward: Direction) -> Select<Self>;

    fn read(row: Self::Model) -> Result<Self::Entry>;
}

/// Returns one page of the selected rows. The newest page is full whenever there are enough rows, from either
/// direction.
pub(super) async fn page<L: Log>(
    connection: &impl ConnectionTrait,
    select: Select<L>,
    start: Start<Position<L>>,
) -> Result<Page<L::Entry>> {
    let page = match start {
        Start::Newest => None,
        Start::Before(position) => older_than(connection, select.clone(), position).await?,
        Start::After(position) => newer_than(connection, select.clone(), position).await?,
    };
    match page {
        Some(page) => Ok(page),
        None => newest(connection, select).await,
    }
}

async fn newest<L: Log>(connection: &impl ConnectionTrait, select: Select<L>) -> Result<Page<L::Entry>> {
    let (entries, has_older) = take_rows(connection, select, Direction::Older).await?;
    Ok(Page { entries, has_newer: false, has_older })
}

/// Returns None if there is nothing older.
async fn older_than<L: Log>(
    connection: &impl ConnectionTrait,
    select: Select<L>,
    position: Position<L>,
) -> Result<Option<Page<L::Entry>>> {
    let older = L::beyond(select, position, Direction::Older);
    let (entries, has_older) = take_rows(connection, older, Direction::Older).await?;
    Ok((!entries.is_empty()).then_some(Page { entries, has_newer: true, has_older }))
}

/// Returns None if this is the newest page.
async fn newer_than<L: Log>(
    connection: &impl ConnectionTrait,
    select: Select<L>,
    position: Position<L>,
) -> Result<Option<Page<L::Entry>>> {
    let newer = L::beyond(select, position, Direction::Newer);
    let (mut entries, has_newer) = take_rows(connection, newer, Direction::Newer).await?;
    entries.reverse();
    Ok(has_newer.then_some(Page { entries, has_newer, has_older: true }))
}

/// A page's worth of entries on the way there, and whether there are more of them.
async fn take_rows<L: Log>(
    connection: &impl ConnectionTrait,
    select: Select<L>,
    toward: Direction,
) -> Result<(Vec<L::Entry>, bool)> {
    let mut rows = L::sorted(select, toward).limit(L::PAGE_SIZE as u64 + 1).all(connection).await?;
    let has_more = rows.len() > L::PAGE_SIZE;
    rows.truncate(L::PAGE_SIZE);
    let entries: Result<Vec<L::Entry>> = rows.into_iter().map(L::read).collect();
    Ok((entries?, has_more))
}
