//! Passwords: hashed with argon2id, at most as many concurrently as there are cores. New passwords must be hard to
//! guess.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use domain::{
    field::{Field, FieldError},
    person::check_new_password,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};
use zxcvbn::{Score, zxcvbn};

const MEMORY_KIB: u32 = 47_104;

/// Verified if there is no such person, so that both answers take equally long. It is the hash of a random password
/// that was thrown away.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=47104,t=1,p=1$bm9ib2R5J3Mgc2FsdA$1d1sgPX1CkJDBmHUhRdlNxJZbNJlSIsLDvfnTr5dfj8";

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
    /// Checks a new password and returns the hash to store, with its own salt and parameters. `personal` is what the
    /// password must not be made of: the person's name, their e-mail address, their tenant.
    ///
    /// # Errors
    /// If the password is too short, too long or easy to guess.
    pub(crate) async fn hash_new(&self, password: SecretString, personal: &[&str]) -> Result<String, FieldError> {
        check_new_password(password.expose_secret())?;
        let personal = personal_words(personal);
        let check_and_hash = move || {
            check_strength(password.expose_secret(), &personal)?;
            Ok(hash(&password))
        };
        self.acquire_core().await.run(check_and_hash).await
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
    /// Returns true if the password matches the hash. Without a hash it takes the same time and returns false.
    pub(crate) async fn verify(&self, password: SecretString, hash: Option<String>) -> bool {
        let verify = move || {
            let known = hash.is_some();
            let text = hash.unwrap_or_else(|| DUMMY_HASH.to_owned());
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

fn hash(password: &SecretString) -> String {
    let hash: Result<PasswordHash, _> = argon2id().hash_password(password.expose_secret().as_bytes());
    let Ok(hash) = hash else { unreachable!("a password of any length can be hashed") };
    hash.to_string()
}

/// The number of characters of a password that are scored. Scoring a crafted long password would take very long.
const MAX_SCORED_CHARS: usize = 32;

/// Shorter words are part of too many others.
const MIN_PERSONAL_WORD_CHARS: usize = 3;

/// Returns the words that the strength check tries first: each text as a whole, and its parts.
fn personal_words(texts: &[&str]) -> Vec<String> {
    let mut words = vec!["latchkey".to_owned()];
    for text in texts {
        let text = text.trim().to_lowercase();
        words.extend(text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.push(text);
    }
    words.retain(|word| word.chars().count() >= MIN_PERSONAL_WORD_CHARS);
    words
}

/// Refuses a password that takes fewer than 10^8 guesses.
fn check_strength(password: &str, personal: &[String]) -> Result<(), FieldError> {
    let scored: String = password.chars().take(MAX_SCORED_CHARS).collect();
    let personal: Vec<&str> = personal.iter().map(String::as_str).collect();
    let estimate = zxcvbn(&scored, &personal);
    if estimate.score() >= Score::Three {
        return Ok(());
    }
    let mut sentences = vec!["This password is easy to guess.".to_owned()];
    if let Some(feedback) = estimate.feedback() {
        sentences.extend(feedback.warning().map(|warning| warning.to_string()));
        sentences.extend(feedback.suggestions().iter().map(ToString::to_string));
    }
    let scored = scored.to_lowercase();
    if personal.iter().any(|word| scored.contains(word)) {
        sentences.push("Leave out your name, your e-mail address and your organization.".to_owned());
    }
    Err(FieldError::new(Field::Password, "too_weak", sentences.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[tokio::test]
    async fn hash_matches_its_own_password_only() {
        let passwords = Passwords::default();
        let hash = passwords.hash_new("correct horse".to_owned().into(), &[]).await.unwrap();
        let core = passwords.acquire_core().await;
        assert!(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{hash}");
        assert!(core.verify("correct horse".to_owned().into(), Some(hash.clone())).await);
        assert!(!core.verify("correct horses".to_owned().into(), Some(hash)).await);
        assert!(!core.verify("correct horse".to_owned().into(), None).await);
    }

    fn refusal(password: &str) -> Option<String> {
        let personal = personal_words(&["Ana Ferreira", "ana.f@northwind.example", "northwind", "Northwind Hotels"]);
        check_strength(password, &personal).err().map(|error| error.detail)
    }

    #[test]
    fn password_that_is_easy_to_guess_is_refused_with_advice() {
        for (password, advice) in [
            ("password1234", "This is a very common password."),
            ("aaaaaaaaaaaaaaaa", "Repeats like"),
            ("qwertyuiopasdf", "Add another word or two."),
            ("Northwind Hotels 24", "Leave out your name, your e-mail address and your organization."),
            ("ana.f@northwind.example", "Leave out your name"),
            ("latchkeylatchkey", "Repeats like"),
        ] {
            let refusal = refusal(password).unwrap_or_else(|| panic!("{password} is accepted"));
            assert!(refusal.starts_with("This password is easy to guess. "), "{refusal}");
            assert!(refusal.contains(advice), "{password}: {refusal}");
        }
        for password in ["correct horse", "lantern gravel orbit", "J7x!qP2vRm9z", &"lantern gravel orbit ".repeat(40)] {
            assert_eq!(refusal(password), None, "{password}");
        }
    }

    /// Unbounded, this password takes minutes.
    #[test]
    fn scoring_a_password_takes_no_longer_than_hashing_a_few() {
        let hostile: String = "4@8({[<369!1|0$57+%2".chars().cycle().take(1024).collect();
        let start = Instant::now();
        let _ = check_strength(&hostile, &personal_words(&["4@8({[<369!1|0$57+%2"; 8]));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    }

    #[test]
    fn dummy_hash_costs_as_much_as_a_real_one() {
        let hash = PasswordHash::new(DUMMY_HASH).unwrap();
        assert_eq!(hash.params.get_decimal("m"), Some(MEMORY_KIB));
        assert_eq!(hash.hash.unwrap().len(), 32);
    }
}
