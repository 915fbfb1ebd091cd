//! A run under full load while keys change: every answer is held against what has been acknowledged.

mod admins;
mod changes;
mod counts;
mod history;
mod slots;
mod tally;
mod verifying;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::future::join_all;
use keyring::Keyring;

use crate::{Result, secrets};
use admins::Admins;
use changes::Changer;
use slots::{Slot, Slots};
use tally::Tally;
use verifying::Nodes;

pub use counts::check as check_counts;

/// The number of concurrent requests: enough to keep two processors busy.
const ASKERS: usize = 48;
/// The number of concurrent changes.
const CHANGERS: usize = 6;

/// The wait after the last change, until all nodes have seen every grant.
const SETTLING: Duration = Duration::from_secs(2);

/// Asks the nodes while it changes keys, and writes down what came of it.
pub async fn run(keyring: &Keyring, file: &Path, nodes: &[String], seconds: u64, report: &Path) -> Result<()> {
    let secrets = secrets::File::read(file)?;
    let tenants = secrets.verifiers.len();
    let place = |(number, (secret, id))| Slot::new(number % tenants, id, secret);
    let slots = Slots::new(secrets.keys.into_iter().enumerate().map(place).collect());
    let admins = Admins::sign_in(keyring, nodes, tenants).await?;
    let (nodes, tally, over) = (Nodes::new(nodes, &secrets.verifiers)?, Tally::default(), AtomicBool::new(false));
    let changes = Changer { admins: &admins, nodes: &nodes, slots: &slots, tally: &tally };
    let end = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        over.store(true, Ordering::Relaxed);
    };
    futures::join!(
        join_all((0..ASKERS).map(|_| nodes.keep_asking(&slots, &over, &tally))),
        join_all((0..CHANGERS).map(|_| changes.keep_changing(&over))),
        end
    );
    tokio::time::sleep(SETTLING).await;
    nodes.ask_about_everything(&slots, &tally).await;
    fs::write(report, serde_json::to_vec(&tally.into_report())?)?;
    Ok(keyring.close().await?)
}
