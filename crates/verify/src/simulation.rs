//! A simulation of the cluster: nodes that stall, delayed and lost messages, drifting clocks, and look-ups that race
//! changes. The protocol is the one that the program runs; only time and the database are simulated.
//!
//! It checks the promise itself: no look-up that began after a change was confirmed accepts what the change removed. It also
//! runs three easily made mistakes, and must detect each of them.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
};

use domain::{
    cluster::{Invalidation, NodeName},
    digest::SecretHash,
};

use crate::{
    cache::{CachedKey, KeyCache, KeyTenant, Lookup},
    clock::Runtime,
    cluster::{Lease, LeaseState, Node, await_acknowledgements},
    lookup::{KeySource, LookUpError, find_key},
};

mod machine;
mod world;

use machine::{Machine, Micros};
use world::{Database, MILLI, Process, SECOND, Tables, key, secret, tenant};

const SIMULATED_NODES: usize = 3;
const SIMULATED_KEYS: usize = 40;
/// The simulated length of a run.
const RUN_LENGTH: Micros = 12 * SECOND;

/// The order in which a node looks a key up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    /// The order that the program uses.
    Right,
    /// The lease is checked only after the cache was read.
    LeaseCheckedLast,
    /// Rows are cached even if something has changed since they were read.
    Unfenced,
    /// A tenant is taken from cache first, and only then relied on.
    LateTenantDependency,
}

/// The observations of a run.
#[derive(Debug, Default)]
struct Observations {
    /// The time at which the revocation of a key was confirmed.
    revoked: RefCell<BTreeMap<usize, Micros>>,
    /// The time from which all nodes must know that the tenant's subscription has ended.
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
    fn record_accepted(&self, number: usize, asked: Micros, answered: Micros) {
        more(&self.valid);
        let is_before = |change: Option<Micros>| change.is_some_and(|change| change < asked);
        if is_before(self.revoked.borrow().get(&number).copied()) || is_before(self.unsubscribed.get()) {
            let violation = format!("key {number}: requested at {asked}, accepted at {answered}");
            self.broken.borrow_mut().get_or_insert(violation);
        }
    }
}

/// One run, determined by the seed.
fn run(seed: u64, scenario: Scenario) -> Observations {
    let machine = Machine::new(seed);
    let tables = Tables::with_keys(SIMULATED_KEYS);
    let numbers = (0..SIMULATED_KEYS).map(|number| (secret(number), number)).collect();
    let database = Rc::new(Database { machine: machine.clone(), tables: RefCell::new(tables), numbers });
    let observations = Rc::new(Observations::default());
    for place in 0..SIMULATED_NODES {
        machine.spawn(run_restarting_node(database.clone(), observations.clone(), scenario, place));
    }
    for _ in 0..2 {
        machine.spawn(revoke_keys(Process::new(&database), observations.clone()));
    }
    machine.spawn(stop_and_resume_subscription(Process::new(&database), observations.clone()));
    machine.run_until(RUN_LENGTH);
    machine.stop();
    Rc::try_unwrap(observations).expect("all tasks have ended")
}

/// A node that crashes now and then, and restarts under a new name.
async fn run_restarting_node(database: Rc<Database>, observations: Rc<Observations>, scenario: Scenario, place: usize) {
    let machine = database.machine.clone();
    for life in 0.. {
        let server = Rc::new(Server {
            process: Process::new(&database),
            lease: Arc::default(),
            cache: Arc::new(KeyCache::new(12 << 10)),
            scenario,
        });
        let name = NodeName(format!("{place}.{life}"));
        let node = Node::new(name, server.lease.clone(), server.cache.clone());
        let asking = look_up_keys(server.clone(), observations.clone());
        let another = look_up_keys(server.clone(), observations.clone());
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
    cache: Arc<KeyCache>,
    scenario: Scenario,
}

async fn keep_lease(server: Rc<Server>, mut node: Node) {
    let machine = server.process.database.machine.clone();
    loop {
        if machine.chance(20) {
            server.process.cut_off(machine.pick(0..6 * SECOND));
        }
        let renewed = machine.within(800 * MILLI, node.renew(&server.process)).await;
        // A notification comes at any time, or not at all.
        let pause = if matches!(renewed, Some(Ok(()))) { machine.pick(0..500 * MILLI) } else { 100 * MILLI };
        machine.delay(pause).await;
    }
}

async fn look_up_keys(server: Rc<Server>, observations: Rc<Observations>) {
    let machine = server.process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..30 * MILLI)).await;
        let number = machine.pick(0..SIMULATED_KEYS as u64) as usize;
        let asked = machine.now();
        match server.decide(&secret(number)).await {
            Ok(true) => observations.record_accepted(number, asked, machine.now()),
            Ok(false) => more(&observations.refused),
            Err(LookUpError::NoLease) => more(&observations.without_lease),
            Err(_) => {}
        }
    }
}

impl Server {
    async fn decide(&self, hash: &SecretHash) -> Result<bool, LookUpError> {
        let cached_key = match self.scenario {
            Scenario::Right => find_key(&self.process, &self.lease, &self.cache, hash).await?,
            Scenario::LeaseCheckedLast => self.look_up_before_checking_the_lease(hash).await?,
            Scenario::Unfenced => self.recall_unfenced(hash).await?,
            Scenario::LateTenantDependency => self.recall_depending_late(hash).await?,
        };
        Ok(cached_key.is_some_and(|key| key.revoked_at.is_none() && key.tenant.is_subscribed))
    }

    async fn look_up_before_checking_the_lease(
        &self,
        hash: &SecretHash,
    ) -> Result<Option<Arc<CachedKey>>, LookUpError> {
        let recalled = self.cache.recall(hash, self.process.ticks());
        self.process.stall().await;
        match self.lease.check(self.process.ticks()) {
            Ok(LeaseState::Cache) => {}
            _ => return Err(LookUpError::NoLease),
        }
        match recalled {
            Lookup::Key(cached_key) => Ok(Some(cached_key)),
            _ => find_key(&self.process, &self.lease, &self.cache, hash).await,
        }
    }

    async fn recall_unfenced(&self, hash: &SecretHash) -> Result<Option<Arc<CachedKey>>, LookUpError> {
        let now = self.process.ticks();
        self.lease.check(now).map_err(|_| LookUpError::NoLease)?;
        if let Lookup::Key(cached_key) = self.cache.recall(hash, now) {
            return Ok(Some(cached_key));
        }
        let Some(found) = self.process.find_key(hash).await.map_err(LookUpError::Source)? else { return Ok(None) };
        let cached_tenant = self.cache.depend_on_tenant(&found.tenant, now);
        let Some(tenant) = self.process.find_tenant(&found.tenant).await.map_err(LookUpError::Source)? else {
            return Ok(None);
        };
        let cached_key = Arc::new(self.cache.build_key(found, Arc::new(KeyTenant::new(tenant)), cached_tenant, now));
        self.cache.keep(self.cache.fence(), hash, &cached_key);
        Ok(Some(cached_key))
    }

    async fn recall_depending_late(&self, hash: &SecretHash) -> Result<Option<Arc<CachedKey>>, LookUpError> {
        let now = self.process.ticks();
        self.lease.check(now).map_err(|_| LookUpError::NoLease)?;
        if let Lookup::Key(cached_key) = self.cache.recall(hash, now) {
            return Ok(Some(cached_key));
        }
        let fence = self.cache.fence();
        let Some(found) = self.process.find_key(hash).await.map_err(LookUpError::Source)? else { return Ok(None) };
        let Some(tenant) = self.cache.depend_on_tenant(&found.tenant, now).tenant() else {
            return find_key(&self.process, &self.lease, &self.cache, hash).await;
        };
        self.process.stall().await;
        let cached_tenant = self.cache.depend_on_tenant(&found.tenant, now);
        let cached_key = Arc::new(self.cache.build_key(found, tenant, cached_tenant, now));
        self.cache.keep(fence, hash, &cached_key);
        Ok(Some(cached_key))
    }
}

/// Commits a change and waits for its confirmation, even if nothing changed. None if the outcome of the commit is
/// unknown.
async fn change(
    process: &Process,
    observations: &Observations,
    touched: Invalidation,
    write: impl FnOnce(&mut Tables) -> bool,
) -> Option<()> {
    let machine = &process.database.machine;
    let begun = machine.now();
    let committed =
        process.request(|tables| if write(tables) { tables.append_changes(touched) } else { tables.latest });
    await_acknowledgements(process, committed.await.ok()?).await;
    more(if machine.now() - begun < SECOND { &observations.quick } else { &observations.slow });
    Some(())
}

async fn revoke_keys(process: Process, observations: Rc<Observations>) {
    let machine = process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..SECOND)).await;
        let number = machine.pick(0..SIMULATED_KEYS as u64) as usize;
        let revoke = |tables: &mut Tables| !std::mem::replace(&mut tables.revoked[number], true);
        if change(&process, &observations, Invalidation::Key(key(number)), revoke).await.is_some() {
            observations.revoked.borrow_mut().entry(number).or_insert(machine.now());
        }
    }
}

async fn stop_and_resume_subscription(process: Process, observations: Rc<Observations>) {
    let machine = process.database.machine.clone();
    loop {
        machine.delay(machine.pick(0..4 * SECOND)).await;
        let stop = |tables: &mut Tables| std::mem::replace(&mut tables.is_subscribed, false);
        if change(&process, &observations, Invalidation::Tenant(tenant()), stop).await.is_some() {
            observations.unsubscribed.set(Some(machine.now()));
        }
        machine.delay(machine.pick(0..2 * SECOND)).await;
        // The resumption may become visible at any time after this.
        observations.unsubscribed.set(None);
        let resume = |tables: &mut Tables| !std::mem::replace(&mut tables.is_subscribed, true);
        while change(&process, &observations, Invalidation::Tenant(tenant()), resume).await.is_none() {}
    }
}

/// Enough for each of the mistakes to show in some of the runs.
const SEEDS: std::ops::Range<u64> = 0..2_000;

#[test]
fn no_key_is_accepted_after_a_confirmed_change() {
    let all = Observations::default();
    for seed in SEEDS {
        let observations = run(seed, Scenario::Right);
        assert_eq!(observations.broken.take(), None, "with seed {seed}");
        for (sum, count) in [
            (&all.valid, &observations.valid),
            (&all.refused, &observations.refused),
            (&all.without_lease, &observations.without_lease),
            (&all.quick, &observations.quick),
            (&all.slow, &observations.slow),
        ] {
            sum.set(sum.get() + count.get());
        }
    }
    // Every kind of event must have occurred often.
    for count in [&all.valid, &all.refused, &all.without_lease, &all.quick, &all.slow] {
        assert!(count.get() > SEEDS.end, "{all:?}");
    }
}

fn is_found(scenario: Scenario) -> bool {
    SEEDS.into_iter().any(|seed| run(seed, scenario).broken.take().is_some())
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
    assert!(is_found(Scenario::LateTenantDependency));
}
