//! Measures an in-process verification without any network.

use std::{path::Path, sync::Arc, thread, time::Instant};

use chrono::Utc;
use domain::{permission::Permission, verdict::Verdict};
use keyring::{AccessQuery, CachedKey, CallDetails, Keyring, Requirement, Use};
use secrecy::SecretString;
use serde::Serialize;
use tokio::{runtime::Handle, task::block_in_place};

use crate::{ADDRESS, Result, secrets};

/// Nanoseconds that a call takes on its thread.
#[derive(Serialize)]
pub struct Measurements {
    verify: f64,
    verify_on_two_threads: f64,
    verify_and_record: f64,
}

pub async fn measure(keyring: &Keyring, file: &Path, keys: usize, calls: usize) -> Result<Measurements> {
    let secrets = secrets::File::read(file)?.keys.into_iter().take(keys).map(|(secret, _)| secret);
    let verifier = Verifier::new(keyring, secrets.collect())?;
    verifier.run(0, keys, false).await?;
    let figures = Measurements {
        verify: verifier.nanos(1, calls, false)?,
        verify_on_two_threads: verifier.nanos(2, calls, false)?,
        verify_and_record: verifier.nanos(1, calls, true)?,
    };
    keyring.close().await?;
    Ok(figures)
}

/// Verifies keys, all of which must be valid.
pub struct Verifier<'a> {
    pub keyring: &'a Keyring,
    pub secrets: Vec<SecretString>,
    permission: Permission,
}

impl<'a> Verifier<'a> {
    pub fn new(keyring: &'a Keyring, secrets: Vec<SecretString>) -> Result<Self> {
        Ok(Self { keyring, secrets, permission: Permission::parse("reservations:read")? })
    }

    /// Each thread starts at a different key and visits all of them.
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

    pub async fn run(&self, from: usize, calls: usize, recorded: bool) -> Result<()> {
        for secret in self.secrets.iter().cycle().skip(from).take(calls) {
            let key = self.verify(secret).await?;
            if recorded {
                let used = Use { at: Utc::now(), verdict: Verdict::Valid, address: Some(ADDRESS) };
                self.keyring.record(&key, used, || CallDetails {
                    method: "POST",
                    status: 200,
                    ..CallDetails::default()
                });
            }
        }
        Ok(())
    }

    pub async fn verify(&self, secret: &SecretString) -> Result<Arc<CachedKey>> {
        let requirement = Requirement { permission: Some(&self.permission), property: None, cost: 1, tenant: None };
        let query = AccessQuery { address: Some(ADDRESS), nearest: ADDRESS, origin: None, requirement };
        let judgement = self.keyring.verify(secret, &query).await?;
        judgement.key.filter(|_| judgement.outcome.is_ok()).ok_or_else(|| "a good key was refused".into())
    }
}
