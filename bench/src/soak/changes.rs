//! Changes keys at random, and verifies each change at all nodes as soon as it was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::key_draft::Grace;
use latchkey_client::Verdict;
use rand::RngExt;

use super::{
    admins::{Access, Admins, OutcomeUnknown, Shown},
    slots::{Key, Secret, Slot, Slots},
    tally::Tally,
    verifying::Nodes,
};
use crate::Result;

/// Until the next change: what takes the processor is to be asking.
const CHANGE_PAUSE: Duration = Duration::from_millis(20);

pub struct Changer<'a> {
    pub admins: &'a Admins,
    pub nodes: &'a Nodes,
    pub slots: &'a Slots,
    pub tally: &'a Tally,
}

impl Changer<'_> {
    /// Changes one key after the other until the time is up.
    pub async fn keep_changing(&self, over: &AtomicBool) {
        while !over.load(Ordering::Relaxed) {
            let place = self.slots.any();
            // Another task may be changing it.
            if let Ok(mut held) = place.key.try_lock()
                && let Some(mut key) = held.take()
            {
                match self.change(place, &mut key).await {
                    Ok(()) => *held = Some(key),
                    // The state of this key is unknown, so its answers cannot be checked any more.
                    Err(error) if error.is::<OutcomeUnknown>() => self.tally.unanswered(),
                    Err(error) => self.tally.wrong(error.to_string()),
                }
            }
            tokio::time::sleep(CHANGE_PAUSE).await;
        }
    }

    async fn change(&self, place: &Slot, key: &mut Key) -> Result<()> {
        match rand::rng().random_range(0..10) {
            0..4 => self.edit(place, key).await,
            4..6 => self.rotate(place, key).await,
            6 => self.rotate_with_grace(place, key).await,
            _ => self.revoke(place, key).await,
        }
    }

    /// Takes something from a key, or gives it back.
    async fn edit(&self, place: &Slot, key: &mut Key) -> Result<()> {
        let (terms, verdict) = match rand::rng().random_bool(0.5) {
            _ if key.is_narrowed => (Access::Full, Verdict::Valid),
            true => (Access::WriteOnly, Verdict::InsufficientPermissions),
            false => (Access::Elsewhere, Verdict::IpNotAllowed),
        };
        let secret = place.secret();
        secret.history.begin(verdict);
        self.admins.edit(key, terms, self.tally).await?;
        secret.history.settle();
        key.is_narrowed = !key.is_narrowed;
        self.nodes.ask_all(&secret, self.tally).await;
        Ok(())
    }

    async fn rotate(&self, place: &Slot, key: &mut Key) -> Result<()> {
        self.widen(place, key).await?;
        let old = place.secret();
        old.history.begin(Verdict::SecretReplaced);
        let shown = self.admins.rotate(key, Grace::None, self.tally).await?;
        old.history.settle();
        self.put(place, key.tenant, shown).await;
        self.retire(old, key).await;
        Ok(())
    }

    /// Both secrets are valid until the grace period ends.
    async fn rotate_with_grace(&self, place: &Slot, key: &mut Key) -> Result<()> {
        self.widen(place, key).await?;
        let old = place.secret();
        let shown = self.admins.rotate(key, Grace::OneHour, self.tally).await?;
        self.nodes.ask_all(&old, self.tally).await;
        self.put(place, key.tenant, shown).await;
        old.history.begin(Verdict::SecretReplaced);
        self.admins.end(key, "end_grace", self.tally).await?;
        key.version += 1;
        old.history.settle();
        self.retire(old, key).await;
        Ok(())
    }

    /// Deletes a revoked key and replaces it with a new one.
    async fn revoke(&self, place: &Slot, key: &mut Key) -> Result<()> {
        let secret = place.secret();
        // Revoking a key comes before the replacement of its secrets.
        let secrets = || key.old_secrets.iter().chain([&secret]);
        secrets().for_each(|secret| secret.history.begin(Verdict::Revoked));
        self.admins.end(key, "revoke_key", self.tally).await?;
        secrets().for_each(|secret| secret.history.settle());
        self.retire(secret, key).await;
        key.old_secrets.iter().for_each(|secret| secret.history.begin(Verdict::NotFound));
        self.admins.end(key, "delete_key", self.tally).await?;
        key.old_secrets.iter().for_each(|secret| secret.history.settle());
        for secret in &key.old_secrets {
            self.nodes.ask_all(secret, self.tally).await;
        }
        let shown = self.admins.generate(key.tenant, self.tally).await?;
        *key = Key::new(key.tenant, shown.id.clone());
        self.put(place, key.tenant, shown).await;
        Ok(())
    }

    /// The new secret must be valid with the key's permissions.
    async fn widen(&self, place: &Slot, key: &mut Key) -> Result<()> {
        if key.is_narrowed { self.edit(place, key).await } else { Ok(()) }
    }

    async fn put(&self, place: &Slot, tenant: usize, shown: Shown) {
        let secret = Secret::new(shown.secret.into(), tenant);
        place.put(secret.clone());
        self.nodes.ask_all(&secret, self.tally).await;
    }

    async fn retire(&self, secret: Arc<Secret>, key: &mut Key) {
        self.nodes.ask_all(&secret, self.tally).await;
        self.slots.retire(secret.clone());
        key.old_secrets.push(secret);
    }
}
