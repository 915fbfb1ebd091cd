//! SHA-256 digests of secrets, which are all that is stored of them.

use std::hash::{Hash, Hasher};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A SHA-256 digest in hexadecimal, as the database stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sha256Hex(String);

impl Sha256Hex {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(HEXLOWER.encode(&Sha256::digest(bytes)))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The digest of a secret, as the cache is indexed by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    #[must_use]
    pub fn to_hex(self) -> Sha256Hex {
        Sha256Hex(HEXLOWER.encode(&self.0))
    }

    /// Some of its bits, which are as random as all of them.
    #[must_use]
    pub fn spread(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

impl Hash for SecretHash {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.spread());
    }
}
