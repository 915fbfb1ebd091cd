//! The simulated world: one database, and processes that reach it over an unreliable network.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use chrono::DateTime;
use domain::{
    cluster::{ChangeRecord, Invalidation, NodeName, Revision, StaleNode},
    digest::SecretHash,
    id::{Id, KeyId, SecretId, TenantId},
    key_record::{KeyRecord, TenantRecord},
    permission::Permission,
    property::PropertyScope,
    rate_limit::RateLimit,
    scope::Scopes,
    secret::KeyKind,
    tenant::Tenant,
};

use super::machine::{Machine, Micros};
use crate::{
    cache::SourceError,
    clock::{Millis, Runtime},
    cluster::ClusterStore,
    lookup::KeySource,
};

type Result<T> = std::result::Result<T, SourceError>;

pub(super) const MILLI: Micros = 1_000;
pub(super) const SECOND: Micros = 1_000 * MILLI;

/// The rows of the database.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) latest: Revision,
    log: Vec<ChangeRecord>,
    /// The last heartbeat and the applied revision, by node.
    nodes: BTreeMap<NodeName, (i64, Revision)>,
    heartbeats: i64,
    pub(super) is_subscribed: bool,
    pub(super) revoked: Vec<bool>,
}

impl Tables {
    pub(super) fn with_keys(count: usize) -> Self {
        Self { is_subscribed: true, revoked: vec![false; count], ..Self::default() }
    }

    /// The rows that a change writes, atomically.
    pub(super) fn append_changes(&mut self, touched: Invalidation) -> Revision {
        self.latest = self.latest.next();
        self.log.push(ChangeRecord { revision: self.latest, made_at: DateTime::default(), touched: Some(touched) });
        self.latest
    }

    fn next_heartbeat(&mut self) -> i64 {
        self.heartbeats += 1;
        self.heartbeats
    }

    /// Deletes old changes, so that late nodes find a gap.
    fn clear(&mut self) {
        let kept = self.log.len().saturating_sub(20);
        self.log.drain(..kept);
    }
}

pub(super) struct Database {
    pub(super) machine: Rc<Machine>,
    pub(super) tables: RefCell<Tables>,
    pub(super) numbers: HashMap<SecretHash, usize>,
}

/// A process, with its own clock and a connection to the database.
pub(super) struct Process {
    pub(super) database: Rc<Database>,
    /// The microseconds that its clock advances per thousand that pass.
    rate: u64,
    ahead: Micros,
    /// No message arrives until then.
    cut_off_until: Cell<Micros>,
}

pub(super) fn secret(number: usize) -> SecretHash {
    SecretHash::of(&format!("secret {number}"))
}

pub(super) fn key(number: usize) -> KeyId {
    KeyId::parse(&format!("key_{number:026}")).unwrap()
}

pub(super) fn tenant() -> TenantId {
    TenantId::parse(&format!("ten_{:026}", 1)).unwrap()
}

impl Process {
    pub(super) fn new(database: &Rc<Database>) -> Self {
        let machine = &database.machine;
        let (rate, ahead) = (machine.pick(960..1_041), machine.pick(0..1_000 * SECOND));
        Self { database: database.clone(), rate, ahead, cut_off_until: Cell::default() }
    }

    fn machine(&self) -> &Machine {
        &self.database.machine
    }

    pub(super) fn cut_off(&self, micros: Micros) {
        self.cut_off_until.set(self.machine().now() + micros);
    }

    /// Sends the database a request. It may be lost, and so may the answer to an executed one.
    pub(super) async fn request<T>(&self, query: impl FnOnce(&mut Tables) -> T) -> Result<T> {
        self.travel().await?;
        let answer = query(&mut self.database.tables.borrow_mut());
        self.travel().await?;
        Ok(answer)
    }

    async fn travel(&self) -> Result<()> {
        let machine = self.machine();
        let took = match machine.pick(0..1_000) {
            0..900 => machine.pick(0..3 * MILLI),
            900..990 => machine.pick(0..80 * MILLI),
            _ => machine.pick(0..3 * SECOND),
        };
        machine.delay(took).await;
        let is_lost = machine.now() < self.cut_off_until.get() || machine.chance(4);
        if is_lost {
            machine.delay(machine.pick(0..SECOND)).await;
            return Err(Arc::new(std::io::Error::from(std::io::ErrorKind::TimedOut)));
        }
        Ok(())
    }
}

impl Runtime for Process {
    fn ticks(&self) -> Millis {
        (self.ahead + self.machine().now() * self.rate / 1_000) / MILLI
    }

    async fn sleep(&self, millis: Millis) {
        self.machine().delay(millis * MILLI * 1_000 / self.rate).await;
    }

    async fn stall(&self) {
        let machine = self.machine();
        match machine.pick(0..1_000) {
            0..700 => {}
            700..900 => machine.delay(machine.pick(0..4 * MILLI)).await,
            900..980 => machine.delay(machine.pick(0..60 * MILLI)).await,
            980..994 => machine.delay(machine.pick(0..600 * MILLI)).await,
            _ => machine.delay(machine.pick(0..5 * SECOND)).await,
        }
    }
}

impl KeySource for Process {
    async fn find_key(&self, hash: &SecretHash) -> Result<Option<KeyRecord>> {
        let Some(number) = self.database.numbers.get(hash).copied() else { return Ok(None) };
        self.request(move |tables| Some(found(number, tables.revoked[number]))).await
    }

    async fn find_tenant(&self, _: &TenantId) -> Result<Option<TenantRecord>> {
        self.request(|tables| {
            let is_subscribed = tables.is_subscribed;
            let tenant = Tenant {
                id: tenant(),
                slug: String::new(),
                name: String::new(),
                api_keys: is_subscribed,
                key_limit: 10,
                time_zone: "UTC".to_owned(),
                requires_second_factor: false,
            };
            Some(TenantRecord { tenant, properties: vec![] })
        })
        .await
    }
}

/// A plain key that may be revoked.
fn found(number: usize, is_revoked: bool) -> KeyRecord {
    KeyRecord {
        id: key(number),
        name: String::new(),
        kind: KeyKind::Tenant,
        tenant: tenant(),
        owner: None,
        group: None,
        permissions: Vec::<Permission>::new(),
        scopes: Scopes::Both,
        reach: PropertyScope::All,
        rate_limit: RateLimit::DEFAULT,
        expires_at: None,
        secret_id: SecretId::parse(&format!("sec_{number:026}")).unwrap(),
        secret_issued_at: Default::default(),
        secret_retires_at: None,
        allowed_ips: vec![],
        allowed_origins: vec![],
        revoked_at: is_revoked.then(Default::default),
    }
}

impl ClusterStore for Process {
    type Error = SourceError;

    async fn heartbeat(&self, node: &NodeName) -> Result<bool> {
        self.request(|tables| {
            let next = tables.next_heartbeat();
            tables.nodes.get_mut(node).map(|(heartbeat, _)| *heartbeat = next).is_some()
        })
        .await
    }

    async fn register(&self, node: &NodeName) -> Result<()> {
        self.request(|tables| {
            let heartbeat = tables.next_heartbeat();
            tables.nodes.insert(node.clone(), (heartbeat, Revision(-1)));
        })
        .await
    }

    async fn deregister(&self, stale_node: &StaleNode) -> Result<()> {
        self.request(|tables| {
            if tables.nodes.get(&stale_node.name).is_some_and(|(heartbeat, _)| *heartbeat == stale_node.heartbeat) {
                tables.nodes.remove(&stale_node.name);
            }
        })
        .await
    }

    async fn latest(&self) -> Result<Revision> {
        self.request(|tables| tables.latest).await
    }

    async fn changes_from(&self, revision: Revision) -> Result<Vec<ChangeRecord>> {
        self.request(|tables| {
            tables.clear();
            tables.log.iter().filter(|change| change.revision >= revision).cloned().collect()
        })
        .await
    }

    async fn acknowledge(&self, node: &NodeName, applied: Revision) -> Result<()> {
        self.request(|tables| {
            if let Some(known) = tables.nodes.get_mut(node) {
                known.1 = applied;
            }
        })
        .await
    }

    async fn behind(&self, revision: Revision) -> Result<Vec<StaleNode>> {
        self.request(|tables| {
            let behind = tables.nodes.iter().filter(|(_, (_, applied))| *applied < revision);
            behind.map(|(name, (heartbeat, _))| StaleNode { name: name.clone(), heartbeat: *heartbeat }).collect()
        })
        .await
    }
}
