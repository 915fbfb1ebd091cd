//! What an answer from memory takes when nothing stands around it.

use std::{path::Path, thread, time::Instant};

use chrono::Utc;
use domain::{permission::Permission, verdict::Verdict};
use keyring::{Ask, Circumstances, Demand, Keyring, Use};
use secrecy::SecretString;
use serde::Serialize;
use tokio::{runtime::Handle, task::block_in_place};

use crate::{ADDRESS, Result, secrets};

/// Nanoseconds that a call takes on its thread.
#[derive(Serialize)]
pub struct Figures {
    verify: f64,
    verify_on_two_threads: f64,
    verify_and_record: f64,
}

pub async fn measure(keyring: &Keyring, file: &Path, keys: usize, calls: usize) -> Result<Figures> {
    let secrets: Vec<SecretString> =
        secrets::File::read(file)?.keys.into_iter().take(keys).map(|(secret, _)| secret).collect();
    let bench = Bench { keyring, secrets, permission: Permission::parse("reservations:read")? };
    bench.run(0, keys, false).await?;
    let figures = Figures {
        verify: bench.nanos(1, calls, false)?,
        verify_on_two_threads: bench.nanos(2, calls, false)?,
        verify_and_record: bench.nanos(1, calls, true)?,
    };
    keyring.close().await?;
    Ok(figures)
}

struct Bench<'a> {
    keyring: &'a Keyring,
    secrets: Vec<SecretString>,
    permission: Permission,
}

impl Bench<'_> {
    /// Each thread begins with other keys, and comes to all of them.
    fn nanos(&self, threads: usize, calls: usize, recorded: bool) -> Result<f64> {
        let handle = Handle::current();
        let begun = Instant::now();
        let outcomes: Vec<Result<()>> = block_in_place(|| {
            thread::scope(|scope| {
                let run = |number: usize| {
                    let (handle, from) = (handle.clone(), number * self.secrets.len() / threads);
                    scope.spawn(move || handle.block_on(self.run(from, calls, recorded)))
                };
                let running: Vec<_> = (0..threads).map(run).collect();
                running.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")?).collect()
            })
        });
        let took = begun.elapsed();
        outcomes.into_iter().collect::<Result<()>>()?;
        Ok(took.as_nanos() as f64 / calls as f64)
    }

    async fn run(&self, from: usize, calls: usize, recorded: bool) -> Result<()> {
        let demand = Demand { permission: Some(&self.permission), property: None, cost: 1, tenant: None };
        let ask = Ask { address: Some(ADDRESS), nearest: ADDRESS, origin: None, demand };
        for secret in self.secrets.iter().cycle().skip(from).take(calls) {
            let judgement = self.keyring.verify(secret, &ask).await?;
            let Some(key) = judgement.key.filter(|_| judgement.outcome.is_ok()) else {
                return Err("a good key was refused".into());
            };
            if recorded {
                let used = Use { at: Utc::now(), verdict: Verdict::Valid, address: ADDRESS };
                self.keyring.record(&key, used, || Circumstances { method: "POST", route: String::new(), status: 200 });
            }
        }
        Ok(())
    }
}
