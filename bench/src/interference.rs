//! Measures how revocations affect other keys: one thread verifies keys that are not being changed as fast as it can,
//! first alone and then while other keys are revoked.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use domain::id::KeyId;
use keyring::Keyring;
use secrecy::SecretString;
use serde::Serialize;
use tokio::{
    runtime::Handle,
    sync::oneshot::{self, error::TryRecvError},
    time::sleep,
};

use crate::{Result, in_process::Verifier, secrets};

const ROUND: Duration = Duration::from_secs(5);
const INTERFERENCE_PAUSE: Duration = Duration::from_millis(50);
const MAX_REVOKED_KEYS: usize = 200;
/// The last keys of the file. Some may have been revoked by an earlier run.
const REVOCABLE: usize = 5_000;

#[derive(Serialize)]
pub struct Measurements {
    alone: Latencies,
    beside: Latencies,
    revoked: usize,
}

/// The responses of one measurement.
#[derive(Serialize)]
struct Latencies {
    a_second: f64,
    p99_ns: u32,
    p9999_ns: u32,
}

/// Verifies this many keys, all of which are cached before the clock starts.
pub async fn measure(keyring: &Keyring, file: &Path, keys: usize) -> Result<Measurements> {
    let mut all = secrets::File::read(file)?.keys;
    let revocable = all.split_off(all.len().checked_sub(REVOCABLE).ok_or("too few keys")?);
    all.truncate(keys);
    let verifier = Verifier::new(keyring, all.into_iter().map(|(secret, _)| secret).collect())?;
    verifier.run(0, keys, false).await?;
    let alone = beside(&verifier, async |_| Ok(())).await?.0;
    let (beside, revoked) = beside(&verifier, async |over| revoke(&verifier, &revocable, over).await).await?;
    keyring.close().await?;
    Ok(Measurements { alone, beside, revoked })
}

/// Verifies keys on its own thread until `work` has finished.
async fn beside<T>(
    verifier: &Verifier<'_>,
    work: impl AsyncFnOnce(oneshot::Receiver<()>) -> Result<T>,
) -> Result<(Latencies, T)> {
    let handle = Handle::current();
    let (tell, over) = oneshot::channel();
    thread::scope(|scope| {
        let verifying = scope.spawn(|| {
            let pace = handle.block_on(ask(verifier));
            drop(tell);
            pace
        });
        let done = tokio::task::block_in_place(|| Handle::current().block_on(work(over)));
        let pace = verifying.join().map_err(|_| "the thread that asks panicked")?;
        Ok((pace?, done?))
    })
}

async fn ask(verifier: &Verifier<'_>) -> Result<Latencies> {
    let mut took: Vec<u32> = Vec::new();
    let begun = Instant::now();
    for secret in verifier.secrets.iter().cycle() {
        let asked = Instant::now();
        verifier.verify(secret).await?;
        took.push(u32::try_from(asked.elapsed().as_nanos())?);
        if begun.elapsed() >= ROUND {
            break;
        }
    }
    let a_second = took.len() as f64 / begun.elapsed().as_secs_f64();
    took.sort_unstable();
    let slower_than = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    Ok(Latencies { a_second, p99_ns: slower_than(0.99), p9999_ns: slower_than(0.9999) })
}

/// Revokes one after the other, and looks that each is refused from then on.
async fn revoke(
    verifier: &Verifier<'_>,
    keys: &[(SecretString, KeyId)],
    mut over: oneshot::Receiver<()>,
) -> Result<usize> {
    let mut revoked = 0;
    for (secret, id) in keys {
        if revoked == MAX_REVOKED_KEYS || over.try_recv() != Err(TryRecvError::Empty) {
            break;
        }
        if verifier.verify(secret).await.is_err() {
            continue;
        }
        let (operator, _) = verifier.keyring.operator_for_key(id).await?;
        verifier.keyring.revoke_key(&operator, id).await?;
        if verifier.verify(secret).await.is_ok() {
            return Err("a revoked key was good".into());
        }
        revoked += 1;
        sleep(INTERFERENCE_PAUSE).await;
    }
    Ok(revoked)
}
