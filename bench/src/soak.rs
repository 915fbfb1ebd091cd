//! A run under full load while keys change: every answer is held against what has been acknowledged.

mod admins;
mod asking;
mod changing;
mod counts;
mod history;
mod places;
mod tally;

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
use asking::Nodes;
use changing::Changing;
use places::{Place, Places};
use tally::Tally;

pub use counts::check as check_counts;

/// So many questions are under way at once, enough for two processors to have no rest.
const ASKERS: usize = 48;
/// So many changes are.
const CHANGERS: usize = 6;

/// After the last change, until whatever gives access is seen by everybody.
const SETTLING: Duration = Duration::from_secs(2);

/// Asks the nodes while it changes keys, and writes down what came of it.
pub async fn run(keyring: &Keyring, file: &Path, nodes: &[String], seconds: u64, report: &Path) -> Result<()> {
    let secrets = secrets::File::read(file)?;
    let tenants = secrets.verifiers.len();
    let place = |(number, (secret, id))| Place::new(number % tenants, id, secret);
    let places = Places::new(secrets.keys.into_iter().enumerate().map(place).collect());
    let admins = Admins::sign_in(keyring, nodes, tenants).await?;
    let (nodes, tally, over) = (Nodes::new(nodes, &secrets.verifiers)?, Tally::default(), AtomicBool::new(false));
    let changing = Changing { admins: &admins, nodes: &nodes, places: &places, tally: &tally };
    let end = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        over.store(true, Ordering::Relaxed);
    };
    futures::join!(
        join_all((0..ASKERS).map(|_| nodes.keep_asking(&places, &over, &tally))),
        join_all((0..CHANGERS).map(|_| changing.keep_changing(&over))),
        end
    );
    tokio::time::sleep(SETTLING).await;
    nodes.ask_about_everything(&places, &tally).await;
    fs::write(report, serde_json::to_vec(&tally.into_report())?)?;
    Ok(keyring.close().await?)
}
