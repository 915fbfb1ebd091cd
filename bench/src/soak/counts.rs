//! Compares the usage counts that the console shows with the calls that were made.

use std::{collections::BTreeMap, fs, path::Path};

use domain::{
    id::{Id, KeyId},
    usage::UsageQuery,
};
use keyring::{Error, Keyring};

use super::tally::{Counts, Report};
use crate::Result;

/// Compares the counts in the database with the answers, and prints the results of the run. The nodes must have
/// stopped, so that nothing is left to write. Nodes that were starved of processor time may have left requests
/// unanswered, but must not have answered any of them wrongly.
pub async fn check(keyring: &Keyring, file: &Path, starved: bool) -> Result<()> {
    let mut report: Report = serde_json::from_slice(&fs::read(file)?)?;
    let mut compared = 0;
    for (id, answered) in std::mem::take(&mut report.counts) {
        let Some(counted) = counted(keyring, &KeyId::parse(&id)?).await? else { continue };
        compared += 1;
        if counted != answered {
            report.faults += 1;
            report.told.push(format!("{id} was answered {answered:?}, and counted {counted:?}"));
        }
    }
    keyring.close().await?;
    let changes: u64 = report.changes.values().sum();
    println!("{} answers, {changes} changes: {:?}", report.answers, report.changes);
    println!("slowest change {} ms; the counts of {compared} keys were compared", report.slowest_change_ms);
    report.told.iter().for_each(|fault| println!("wrong: {fault}"));
    println!("{} questions and changes were not answered", report.unanswered);
    if report.faults > 0 {
        return Err(format!("{} answers or counts were wrong", report.faults).into());
    }
    if report.unanswered > 0 && !starved {
        return Err("nodes that had the processors for themselves did not answer".into());
    }
    Ok(())
}

/// None for a key that has been deleted.
async fn counted(keyring: &Keyring, id: &KeyId) -> Result<Option<Counts>> {
    let operator = match keyring.operator_for_key(id).await {
        Ok((operator, _)) => operator,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let usage = keyring.key_usage(&operator, id, &UsageQuery::default()).await?;
    let mut counts = BTreeMap::new();
    for verdict in usage.lately.outcomes() {
        counts.insert(verdict.as_str().to_owned(), usage.lately.of(verdict));
    }
    Ok(Some(counts))
}
