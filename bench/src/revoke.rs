//! Measures the time until a revocation made by `latchkey key revoke` holds on all running servers.

use std::{path::Path, time::Instant};

use keyring::Keyring;

use crate::{Result, secrets};

/// Milliseconds, in the order in which the keys were revoked.
pub async fn measure(keyring: &Keyring, file: &Path, keys: usize) -> Result<Vec<f64>> {
    let mut took = Vec::new();
    for (_, id) in secrets::File::read(file)?.keys.into_iter().rev().take(keys) {
        let (operator, _) = keyring.operator_for_key(&id).await?;
        let begun = Instant::now();
        keyring.revoke_key(&operator, &id).await?;
        took.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    keyring.close().await?;
    Ok(took)
}
