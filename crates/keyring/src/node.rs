//! This process as one of the nodes on a database: its lease, kept alive for as long as it serves.

use std::{
    convert::Infallible,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use domain::cluster::NodeName;
use store::{
    StoreError,
    cluster::{ChangeListener, DedicatedConnection, Tables, dedicated_connection},
};
use tokio::{
    runtime,
    sync::{Notify, oneshot},
    time::sleep,
};
use verify::{LookUpError, Node, Runtime};

use crate::{Keyring, cluster_tables::ClusterTables, error::Error, secret::random_hex};

/// How often a lease is renewed when nothing happens: often enough that it outlives a renewal or two that fail.
const RENEWAL_INTERVAL: Duration = Duration::from_millis(500);
/// How soon after one that failed.
const RENEWAL_RETRY_DELAY: Duration = Duration::from_millis(100);
/// How long one may take.
const RENEWAL_TIMEOUT: Duration = Duration::from_millis(800);
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// This process's membership in the cluster. Dropping it leaves the cluster in the background.
pub struct Membership {
    renewing: Option<RenewalState>,
}

struct RenewalState {
    leave: oneshot::Sender<()>,
    left: oneshot::Receiver<()>,
}

impl Membership {
    /// Leaves the cluster, so that changes do not wait for this node any more, and stops trusting the cache.
    pub async fn leave(self) {
        if let Some(RenewalState { leave, left }) = self.renewing {
            let _ = leave.send(());
            if left.await.is_err() {
                tracing::error!("the lease was not given back");
            }
        }
    }
}

impl Keyring {
    /// Becomes a node: from now on keys are answered from memory. The owner of a file needs no lease for that.
    ///
    /// # Errors
    /// If the first lease cannot be had.
    pub async fn join(&self) -> Result<Membership, Error> {
        let Some(url) = self.database.shared_url() else {
            return Ok(Membership { renewing: None });
        };
        let url = url.to_owned();
        let keyring = self.clone();
        let (joined, has_joined) = oneshot::channel();
        let (leave, is_to_leave) = oneshot::channel();
        let (gone, left) = oneshot::channel();
        // A thread of its own: however busy the others are with answers, the lease goes on.
        let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let renew = async move {
            match Renewal::begin(keyring, &url).await {
                Ok(renewal) => {
                    let _ = joined.send(Ok(()));
                    renewal.go_on(&url, is_to_leave).await;
                }
                Err(cause) => drop(joined.send(Err(Error::from(cause)))),
            }
        };
        let work = move || {
            runtime.block_on(renew);
            let _ = gone.send(());
        };
        thread::Builder::new().name("lease".to_owned()).spawn(work).map_err(no_thread)?;
        has_joined.await.unwrap_or(Err(LookUpError::NoLease.into()))?;
        Ok(Membership { renewing: Some(RenewalState { leave, left }) })
    }

    /// For how long this node may go on if it hears nothing more from the database. None when it needs no lease.
    #[must_use]
    pub fn lease_remaining(&self) -> Option<Duration> {
        self.evaluator.lease().remaining(self.clock.ticks()).map(Duration::from_millis)
    }

    /// How long each change since the last time took, from its commit until it was in force everywhere.
    #[must_use]
    pub fn take_confirmations(&self) -> Vec<Duration> {
        self.confirmations.collect()
    }
}

struct Renewal {
    node: Node,
    keyring: Keyring,
    connection: DedicatedConnection,
    warned: Option<Instant>,
}

impl Renewal {
    async fn begin(keyring: Keyring, url: &str) -> Result<Self, StoreError> {
        let node =
            Node::new(NodeName(random_hex()), keyring.evaluator.lease().clone(), keyring.evaluator.cache().clone());
        let mut renewal =
            Self { node, keyring, connection: dedicated_connection(url, RENEWAL_TIMEOUT).await?, warned: None };
        renewal.renew().await?;
        Ok(renewal)
    }

    async fn go_on(mut self, url: &str, is_to_leave: oneshot::Receiver<()>) {
        let hint = Notify::new();
        tokio::select! {
            never = self.keep_renewing(&hint) => match never {},
            never = listen(url, &hint) => match never {},
            _ = is_to_leave => {}
        }
        if let Err(cause) =
            self.node.leave(&ClusterTables::new(Tables::new(&self.connection), &self.keyring.clock)).await
        {
            tracing::warn!(%cause, "the other nodes will find out by themselves that this one is gone");
        }
    }

    async fn keep_renewing(&mut self, hint: &Notify) -> Infallible {
        loop {
            let pause = match self.renew().await {
                Ok(()) => RENEWAL_INTERVAL,
                Err(cause) => {
                    self.warn(&cause);
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

/// Wakes the renewal whenever something has changed, for as long as the database says so.
async fn listen(url: &str, hint: &Notify) -> Infallible {
    loop {
        if let Ok(mut changes_listener) = ChangeListener::listen(url).await {
            while changes_listener.next().await.is_ok() {
                hint.notify_one();
            }
        }
        // Without hints everything takes a little longer, and that is all.
        sleep(RENEWAL_INTERVAL).await;
    }
}

fn no_thread(cause: std::io::Error) -> Error {
    Error::Unavailable(Arc::new(cause))
}
