//! Membership in the cluster: registers this process as a node, and renews its lease.

use std::{
    convert::Infallible,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use domain::cluster::NodeName;
use store::{
    StoreError,
    cluster::{self, ChangeListener, DedicatedConnection, Tables},
};
use tokio::{
    runtime::{self, Runtime},
    sync::{Notify, oneshot, watch},
    time::sleep,
};
use verify::{LookUpError, Node, Runtime as _};

use crate::{Keyring, cluster_tables::ClusterTables, error::Error, secret::random_hex};

/// The interval between lease renewals. The lease outlives one or two failed renewals.
const RENEWAL_INTERVAL: Duration = Duration::from_millis(500);
/// The delay before a failed renewal is retried.
const RENEWAL_RETRY_DELAY: Duration = Duration::from_millis(100);
/// The timeout of one renewal.
const RENEWAL_TIMEOUT: Duration = Duration::from_millis(800);
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// This process's membership in the cluster. Dropping it leaves the cluster in the background.
pub struct Membership {
    renewing: Option<RenewalState>,
}

struct RenewalState {
    leave: watch::Sender<bool>,
    left: oneshot::Receiver<()>,
}

impl Membership {
    /// Leaves the cluster, so that changes do not wait for this node any more, and stops trusting the cache.
    pub async fn leave(self) {
        if let Some(RenewalState { leave, left }) = self.renewing {
            let _ = leave.send(true);
            if left.await.is_err() {
                tracing::error!("the node could not be deregistered");
            }
        }
    }
}

impl Keyring {
    /// Joins the cluster: from now on the cache is used. The owner of a SQLite file needs no lease for that.
    ///
    /// # Errors
    /// If the first lease cannot be acquired.
    pub async fn join(&self) -> Result<Membership, Error> {
        if !self.database.is_shared() {
            return Ok(Membership { renewing: None });
        }
        let (joined, has_joined) = oneshot::channel();
        let (leave, leaving) = watch::channel(false);
        let (gone, left) = oneshot::channel();
        // A thread of its own, so that the lease is renewed however busy the others are.
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let keyring = self.clone();
        let work = move || {
            keep_renewing(&runtime, &keyring, joined, &leaving);
            let _ = gone.send(());
        };
        thread::Builder::new().name("lease".to_owned()).spawn(work).map_err(no_thread)?;
        has_joined.await.unwrap_or(Err(LookUpError::NoLease.into()))?;
        Ok(Membership { renewing: Some(RenewalState { leave, left }) })
    }

    /// Returns the number of times that the renewal task was restarted after a panic.
    #[must_use]
    pub fn lease_renewal_restarts(&self) -> u64 {
        self.lease_renewal_restarts.load(Ordering::Relaxed)
    }

    /// Returns the remaining time of the lease. None if the process needs no lease.
    #[must_use]
    pub fn lease_remaining(&self) -> Option<Duration> {
        self.evaluator.lease().remaining(self.clock.ticks()).map(Duration::from_millis)
    }

    /// Returns how long changes since the last call took to be applied by all nodes.
    #[must_use]
    pub fn take_confirmations(&self) -> Vec<Duration> {
        self.confirmations.collect()
    }
}

/// Renews the lease until the node leaves. A panic ends the lease, and the renewal starts over.
fn keep_renewing(
    runtime: &Runtime,
    keyring: &Keyring,
    joined: oneshot::Sender<Result<(), Error>>,
    leaving: &watch::Receiver<bool>,
) {
    let mut joined = Some(joined);
    loop {
        let renewal = AssertUnwindSafe(|| runtime.block_on(renew_until(keyring, &mut joined, leaving.clone())));
        let cause = match catch_unwind(renewal) {
            Ok(Ok(())) => return,
            Ok(Err(cause)) => cause.to_string(),
            Err(_) => "it panicked".to_owned(),
        };
        keyring.evaluator.lease().end();
        keyring.lease_renewal_restarts.fetch_add(1, Ordering::Relaxed);
        tracing::error!(cause, "lease renewal failed and is restarted");
        thread::sleep(RENEWAL_RETRY_DELAY);
    }
}

async fn renew_until(
    keyring: &Keyring,
    joined: &mut Option<oneshot::Sender<Result<(), Error>>>,
    leaving: watch::Receiver<bool>,
) -> Result<(), StoreError> {
    let renewal = match (Renewal::begin(keyring.clone()).await, joined.take()) {
        (Ok(renewal), joined) => {
            if let Some(joined) = joined {
                let _ = joined.send(Ok(()));
            }
            renewal
        }
        (Err(cause), Some(joined)) => {
            let _ = joined.send(Err(cause.into()));
            return Ok(());
        }
        (Err(cause), None) => return Err(cause),
    };
    renewal.run(leaving).await;
    Ok(())
}

struct Renewal {
    node: Node,
    keyring: Keyring,
    connection: DedicatedConnection,
    warned: Option<Instant>,
}

impl Renewal {
    async fn begin(keyring: Keyring) -> Result<Self, StoreError> {
        let node =
            Node::new(NodeName(random_hex()), keyring.evaluator.lease().clone(), keyring.evaluator.cache().clone());
        let connection = cluster::dedicated_connection(&keyring.database, RENEWAL_TIMEOUT).await?;
        let mut renewal = Self { node, keyring, connection, warned: None };
        renewal.renew().await?;
        Ok(renewal)
    }

    async fn run(mut self, mut leaving: watch::Receiver<bool>) {
        let (hint, keyring) = (Notify::new(), self.keyring.clone());
        tokio::select! {
            never = self.renew_forever(&hint) => match never {},
            never = listen(&keyring, &hint) => match never {},
            _ = leaving.wait_for(|is_leaving| *is_leaving) => {}
        }
        if let Err(cause) =
            self.node.leave(&ClusterTables::new(Tables::new(&self.connection), &self.keyring.clock)).await
        {
            tracing::warn!(%cause, "the node could not be deregistered; changes wait for its lease to expire");
        }
    }

    async fn renew_forever(&mut self, hint: &Notify) -> Infallible {
        loop {
            let pause = match self.renew().await {
                Ok(()) => RENEWAL_INTERVAL,
                Err(cause) => {
                    self.warn(&cause);
                    // The password may have been rotated since this connection was configured.
                    let _ = cluster::use_present_url(&self.keyring.database, &self.connection);
                    RENEWAL_RETRY_DELAY
                }
            };
            tokio::select! {
                () = hint.notified() => {}
                () = sleep(pause) => {}
            }
        }
    }

    async fn renew(&mut self) -> Result<(), StoreError> {
        let tables = ClusterTables::new(Tables::new(&self.connection), &self.keyring.clock);
        store::within(RENEWAL_TIMEOUT, async {
            self.node.renew(&tables).await?;
            let before = tables.ticks();
            self.keyring.evaluator.database_clock().set(tables.time().await?, before);
            Ok(())
        })
        .await
    }

    fn warn(&mut self, cause: &StoreError) {
        if self.warned.is_none_or(|last| last.elapsed() >= WARNING_INTERVAL) {
            self.warned = Some(Instant::now());
            tracing::warn!(%cause, "the lease could not be renewed");
        }
    }
}

/// Wakes the renewal whenever the database announces a change.
async fn listen(keyring: &Keyring, hint: &Notify) -> Infallible {
    loop {
        if let Ok(mut changes_listener) = ChangeListener::listen(&keyring.database).await {
            while changes_listener.next().await.is_ok() {
                hint.notify_one();
            }
        }
        // Without notifications, changes are seen a little later.
        sleep(RENEWAL_INTERVAL).await;
    }
}

fn no_thread(cause: std::io::Error) -> Error {
    Error::Unavailable(Arc::new(cause))
}
