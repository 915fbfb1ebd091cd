//! New secrets and session tokens.

use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use domain::{
    digest::Sha256Hex,
    id::{Id, SecretId},
    secret::{KeyKind, Product, SecretHint, assemble},
};
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use store::model::SecretRow;
use ulid::Ulid;

/// A new secret: its plain text for the one response that carries it, and what is stored of it.
pub(crate) struct FreshSecret {
    id: SecretId,
    pub(crate) plain: SecretString,
    pub(crate) sha256: Sha256Hex,
    pub(crate) hint: SecretHint,
}

impl FreshSecret {
    pub(crate) fn generate(product: &Product, kind: KeyKind, now: DateTime<Utc>) -> Self {
        let plain = assemble(product, kind, rand::rng().random());
        Self { id: new_id(now), sha256: Sha256Hex::of(&plain), hint: SecretHint::of(&plain), plain: plain.into() }
    }

    /// Returns the stored form.
    pub(crate) fn row(&self) -> SecretRow<'_> {
        SecretRow { id: &self.id, sha256: &self.sha256, hint: &self.hint }
    }
}

/// The content of a session cookie.
pub struct SessionToken(SecretString);

impl SessionToken {
    pub(crate) fn generate() -> Self {
        Self(random_hex().into())
    }

    /// Wraps a token that a browser presents.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned().into())
    }

    pub(crate) fn sha256(&self) -> Sha256Hex {
        Sha256Hex::of(self.0.expose_secret())
    }

    /// The text for the cookie.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// 256 random bits in hexadecimal.
pub(crate) fn random_hex() -> String {
    let random: [u8; 32] = rand::rng().random();
    HEXLOWER.encode(&random)
}

/// A random password that a person can type: about 100 bits.
#[must_use]
pub fn generate_password() -> SecretString {
    random_code(5)
}

/// Something random for people to type, in groups of four letters and digits that are not mistaken for each other:
/// 20 bits each.
pub(crate) fn random_code(groups: usize) -> SecretString {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let mut group = || (0..4).map(|_| char::from(LETTERS[random.random_range(0..32)])).collect::<String>();
    let groups: Vec<String> = (0..groups).map(|_| group()).collect();
    groups.join("-").into()
}

/// A new identifier that sorts by its time of creation.
pub(crate) fn new_id<I: Id>(now: DateTime<Utc>) -> I {
    let milliseconds = u64::try_from(now.timestamp_millis()).unwrap_or_default();
    let ulid = Ulid::from_parts(milliseconds, rand::rng().random());
    let Ok(id) = I::parse(&format!("{}{ulid}", I::PREFIX)) else { unreachable!("a prefix and a ULID are an id") };
    id
}
