//! Passwords: argon2id, and never more of it at once than there are cores.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

const MEMORY_KIB: u32 = 47_104;

/// Checked in place of a real hash when there is no such person, so that both answers take equally long.
/// It belongs to a password that was drawn at random and thrown away.
const NOBODY: &str = "$argon2id$v=19$m=47104,t=1,p=1$bm9ib2R5J3Mgc2FsdA$1d1sgPX1CkJDBmHUhRdlNxJZbNJlSIsLDvfnTr5dfj8";

pub(crate) struct Passwords {
    cores: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)) }
    }
}

fn argon2id() -> Argon2<'static> {
    let Ok(params) = Params::new(MEMORY_KIB, 1, 1, None) else {
        unreachable!("the parameters are within argon2's bounds")
    };
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

impl Passwords {
    /// The hash to store, with its own salt and parameters.
    pub(crate) async fn hash(&self, password: SecretString) -> String {
        let hash = move || {
            let hash: Result<PasswordHash, _> = argon2id().hash_password(password.expose_secret().as_bytes());
            let Ok(hash) = hash else { unreachable!("a password of any length can be hashed") };
            hash.to_string()
        };
        self.acquire_core().await.run(hash).await
    }

    /// Whether the password belongs to the hash. Without a hash it never does, after the same time.
    pub(crate) async fn verify(&self, password: SecretString, hash: Option<String>) -> bool {
        self.acquire_core().await.verify(password, hash).await
    }

    /// Waits for one of the cores that passwords are hashed on.
    pub(crate) async fn acquire_core(&self) -> Core {
        let Ok(permit) = self.cores.clone().acquire_owned().await else {
            unreachable!("the semaphore is never closed")
        };
        Core(Arc::new(permit))
    }
}

/// A core to hash passwords on. Returned when this is dropped and the work on it has ended.
pub(crate) struct Core(Arc<OwnedSemaphorePermit>);

impl Core {
    /// Whether the password belongs to the hash. Without a hash it never does, after the same time.
    pub(crate) async fn verify(&self, password: SecretString, hash: Option<String>) -> bool {
        let verify = move || {
            let known = hash.is_some();
            let text = hash.unwrap_or_else(|| NOBODY.to_owned());
            let matches = PasswordHash::new(&text)
                .is_ok_and(|hash| argon2id().verify_password(password.expose_secret().as_bytes(), &hash).is_ok());
            matches && known
        };
        self.run(verify).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let permit = self.0.clone();
        // The work holds the permit as well: it goes on when the caller is cancelled.
        let held = move || {
            let _permit = permit;
            work()
        };
        match spawn_blocking(held).await {
            Ok(result) => result,
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_opens_for_its_own_password_alone() {
        let passwords = Passwords::default();
        let hash = passwords.hash("correct horse".to_owned().into()).await;
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse".to_owned().into(), Some(hash.clone())).await);
        assert!(!passwords.verify("correct horses".to_owned().into(), Some(hash)).await);
        assert!(!passwords.verify("correct horse".to_owned().into(), None).await);
    }

    #[test]
    fn nobody_has_a_hash_that_costs_as_much_as_a_real_one() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(hash.params.get_decimal("m"), Some(MEMORY_KIB));
        assert_eq!(hash.hash.unwrap().len(), 32);
    }
}
