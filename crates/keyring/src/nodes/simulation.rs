//! Every order of events: nodes that stall, messages that are late or lost, clocks that go at different rates, and
//! look-ups that race changes. The protocol is the one that the program runs; only time and the database are made up.
//!
//! What is checked is the promise itself: no `VALID` to a question that was asked after a change was answered which
//! took the key's access away. Three mistakes that are easily made are tried as well, and have to be found.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};

use super::{Lease, LeaseState, Node, NodeName, Runtime, Source, await_acknowledgements, find_key};
use crate::{
    error::Error,
    evaluator::CachedKey,
    memory::{Invalidation, Lookup, Memory},
    secret::SecretHash,
    store::StoreError,
};

mod machine;
mod world;

use machine::{Machine, Micros};
use world::{Database, MILLI, Process, SECOND, Tables, key, secret, tenant};

const NODES: usize = 3;
const KEYS: usize = 40;
/// How long a run is.
const LENGTH: Micros = 12 * SECOND;

/// How a node finds out what it knows of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    /// As the program does.
    Right,
    /// The lease is checked only after the cache was read.
    LeaseCheckedLast,
    /// What was read is remembered whether or not anything has changed since it was read.
    Unfenced,
    /// A tenant is taken from memory first, and only then relied on.
    TenantReliedOnLate,
}

/// What happened in a run.
#[derive(Debug, Default)]
struct Observations {
    /// When the revocation of a key was answered.
    revoked: RefCell<BTreeMap<usize, Micros>>,
    /// When all nodes must know that the tenant's subscription has stopped.
    unsubscribed: Cell<Option<Micros>>,
    valid: Cell<u64>,
    refused: Cell<u64>,
    without_lease: Cell<u64>,
    quick: Cell<u64>,
    slow: Cell<u64>,
    broken: RefCell<Option<String>>,
}

fn more(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

impl Observations {
    /// Records that a look-up that began at this time was accepted.
    fn let_in(&self, number: usize, asked: Micros, answered: Micros) {
        more(&self.valid);
        let is_before = |change: Option<Micros>| change.is_some_and(|change| change < asked);
        if is_before(self.revoked.borrow().get(&number).copied()) || is_before(self.unsubscribed.get()) {
            let told = format!("key {number}: asked at {asked}, let in at {answered}");
            self.broken.borrow_mut().get_or_insert(told);
        }
    }
}

/// One run, as the seed has it.
fn run(seed: u64, way: Scenario) -> Observations {
    let machine = Machine::new(seed);
    let tables = Tables::with_keys(KEYS);
    let numbers = (0..KEYS).map(|number| (secret(number), number)).collect();
    let database = Rc::new(Database { machine: machine.clone(), tables: RefCell::new(tables), numbers });
    let story = Rc::new(Observations::default());
    for place in 0..NODES {
        machine.spawn(run_restarting_node(database.clone(), story.clone(), way, place));
    }
    for _ in 0..2 {
        machine.spawn(revoke_keys(Process::new(&database), story.clone()));
    }
    machine.spawn(stop_and_resume_subscription(Process::new(&database), story.clone()));
    machine.run_until(LENGTH);
    machine.stop();
    Rc::try_unwrap(story).expect("everything that told of it is over")
}

/// A node that crashes now and then, and restarts under a new name.
async fn run_restarting_node(database: Rc<Database>, story: Rc<Observations>, way: Scenario, place: usize) {
    let machine = database.machine.clone();
    for life in 0.. {
        let server = Rc::new(Server {
            process: Process::new(&database),
            lease: Arc::default(),
            memory: Arc::new(Memory::new(12 << 10)),
            way,
        });
        let name = NodeName(format!("{place}.{life}"));
        let node = Node::new(name, server.lease.clone(), server.memory.clone());
        let asking = ask_about_keys(server.clone(), story.clone());
        let another = ask_about_keys(server.clone(), story.clone());
        let all = join3(keep_lease(server, node), asking, another);
        machine.within(machine.pick(5 * SECOND..60 * SECOND), all).await;
    }
}

/// Polls three endless futures concurrently.
async fn join3(one: impl Future, two: impl Future, three: impl Future) {
    let (mut one, mut two, mut three) = (std::pin::pin!(one), std::pin::pin!(two), std::pin::pin!(three));
    std::future::poll_fn(|context| {
        let _ = one.as_mut().poll(context);
        let _ = two.as_mut().poll(context);
        let _ = three.as_mut().poll(context);
        std::task::Poll::<()>::Pending
    })
    .await;
}

struct Server {
    process: Process,
    lease: Arc<Lease>,
    memory: Arc<Memory>,
    way: Scenario,
}

async fn keep_lease(server: Rc<Server>, mut node: Node) {
    let machine = server.process.database.machine.clone();
    loop {
        if machine.chance(20) {
            server.process.cut_off(machine.pick(0..6 * SECOND));
        }
        let renewed = machine.within(800 * MILLI, node.renew(&server.process)).await;
        // A hint comes at any time, or not at all.
        let pause = if matches!(renewed, Some(Ok(()))) { machine.pick(0..500 * MILLI) } else { 100 * MILLI };
        machine.delay(pause).await;
    }
}

async fn ask_about_keys(server: Rc<Server>, story: Rc<Observations>) {
    let machine = server.process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..30 * MILLI)).await;
        let number = machine.pick(0..KEYS as u64) as usize;
        let asked = machine.now();
        match server.decide(&secret(number)).await {
            Ok(true) => story.let_in(number, asked, machine.now()),
            Ok(false) => more(&story.refused),
            Err(Error::Unavailable(StoreError::NoLease)) => more(&story.without_lease),
            Err(_) => {}
        }
    }
}

impl Server {
    async fn decide(&self, hash: &SecretHash) -> Result<bool, Error> {
        let cached_key = match self.way {
            Scenario::Right => find_key(&self.process, &self.lease, &self.memory, hash).await?,
            Scenario::LeaseCheckedLast => self.look_up_before_checking_the_lease(hash).await?,
            Scenario::Unfenced => self.recall_unfenced(hash).await?,
            Scenario::TenantReliedOnLate => self.recall_relying_late(hash).await?,
        };
        Ok(cached_key.is_some_and(|key| key.revoked_at.is_none() && key.tenant.is_subscribed))
    }

    async fn look_up_before_checking_the_lease(&self, hash: &SecretHash) -> Result<Option<Arc<CachedKey>>, Error> {
        let recalled = self.memory.recall(hash, self.process.ticks());
        self.process.stall().await;
        match self.lease.check(self.process.ticks()) {
            Ok(LeaseState::Memory) => {}
            _ => return Err(StoreError::NoLease.into()),
        }
        match recalled {
            Lookup::Key(cached_key) => Ok(Some(cached_key)),
            _ => find_key(&self.process, &self.lease, &self.memory, hash).await,
        }
    }

    async fn recall_unfenced(&self, hash: &SecretHash) -> Result<Option<Arc<CachedKey>>, Error> {
        let now = self.process.ticks();
        self.lease.check(now).map_err(|_| StoreError::NoLease)?;
        if let Lookup::Key(cached_key) = self.memory.recall(hash, now) {
            return Ok(Some(cached_key));
        }
        let Some(found) = self.process.find(hash).await? else { return Ok(None) };
        let cached_tenant = self.memory.depend_on_tenant(&found.tenant, now);
        let Some(tenant) = self.process.tenant(&found.tenant).await? else { return Ok(None) };
        let cached_key = Arc::new(self.memory.build_key(found, Arc::new(tenant), cached_tenant, now));
        self.memory.keep(self.memory.fence(), hash, &cached_key);
        Ok(Some(cached_key))
    }

    async fn recall_relying_late(&self, hash: &SecretHash) -> Result<Option<Arc<CachedKey>>, Error> {
        let now = self.process.ticks();
        self.lease.check(now).map_err(|_| StoreError::NoLease)?;
        if let Lookup::Key(cached_key) = self.memory.recall(hash, now) {
            return Ok(Some(cached_key));
        }
        let fence = self.memory.fence();
        let Some(found) = self.process.find(hash).await? else { return Ok(None) };
        let Some(tenant) = self.memory.depend_on_tenant(&found.tenant, now).tenant() else {
            return find_key(&self.process, &self.lease, &self.memory, hash).await;
        };
        self.process.stall().await;
        let cached_tenant = self.memory.depend_on_tenant(&found.tenant, now);
        let cached_key = Arc::new(self.memory.build_key(found, tenant, cached_tenant, now));
        self.memory.keep(fence, hash, &cached_key);
        Ok(Some(cached_key))
    }
}

/// Commits a change and waits for its confirmation, even if nothing changed. None if the outcome of the commit is
/// unknown.
async fn change(
    process: &Process,
    story: &Observations,
    touched: Invalidation,
    write: impl FnOnce(&mut Tables) -> bool,
) -> Option<()> {
    let machine = &process.database.machine;
    let begun = machine.now();
    let committed = process.ask(|tables| if write(tables) { tables.append_changes(touched) } else { tables.latest });
    await_acknowledgements(process, committed.await.ok()?).await;
    more(if machine.now() - begun < SECOND { &story.quick } else { &story.slow });
    Some(())
}

async fn revoke_keys(process: Process, story: Rc<Observations>) {
    let machine = process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..SECOND)).await;
        let number = machine.pick(0..KEYS as u64) as usize;
        let revoke = |tables: &mut Tables| !std::mem::replace(&mut tables.revoked[number], true);
        if change(&process, &story, Invalidation::Key(key(number)), revoke).await.is_some() {
            story.revoked.borrow_mut().entry(number).or_insert(machine.now());
        }
    }
}

async fn stop_and_resume_subscription(process: Process, story: Rc<Observations>) {
    let machine = process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..4 * SECOND)).await;
        let stop = |tables: &mut Tables| std::mem::replace(&mut tables.is_subscribed, false);
        if change(&process, &story, Invalidation::Tenant(tenant()), stop).await.is_some() {
            story.unsubscribed.set(Some(machine.now()));
        }
        machine.delay(machine.pick(0..2 * SECOND)).await;
        // From here on it may be seen at any time that it goes on.
        story.unsubscribed.set(None);
        let resume = |tables: &mut Tables| !std::mem::replace(&mut tables.is_subscribed, true);
        while change(&process, &story, Invalidation::Tenant(tenant()), resume).await.is_none() {}
    }
}

/// Enough for each of the mistakes to show in some of them, and for a new one to have a hard time.
const SEEDS: std::ops::Range<u64> = 0..2_000;

#[test]
fn no_key_is_accepted_after_a_confirmed_change() {
    let all = Observations::default();
    for seed in SEEDS {
        let story = run(seed, Scenario::Right);
        assert_eq!(story.broken.take(), None, "with seed {seed}");
        for (sum, count) in [
            (&all.valid, &story.valid),
            (&all.refused, &story.refused),
            (&all.without_lease, &story.without_lease),
            (&all.quick, &story.quick),
            (&all.slow, &story.slow),
        ] {
            sum.set(sum.get() + count.get());
        }
    }
    // A simulation in which little happens proves little.
    for count in [&all.valid, &all.refused, &all.without_lease, &all.quick, &all.slow] {
        assert!(count.get() > SEEDS.end, "{all:?}");
    }
}

fn is_found(way: Scenario) -> bool {
    SEEDS.into_iter().any(|seed| run(seed, way).broken.take().is_some())
}

#[test]
fn simulation_detects_a_lease_that_is_checked_too_late() {
    assert!(is_found(Scenario::LeaseCheckedLast));
}

#[test]
fn simulation_detects_a_look_up_that_ignores_concurrent_changes() {
    assert!(is_found(Scenario::Unfenced));
}

#[test]
fn simulation_detects_a_tenant_dependency_recorded_too_late() {
    assert!(is_found(Scenario::TenantReliedOnLate));
}
