//! The installation's secret keys: they encrypt what must be recoverable, and authenticate the audit log.
//!
//! Each 32-byte key is the pseudorandom key of HKDF-SHA256 (RFC 5869), from which its id and one key for each purpose
//! are expanded. A value is encrypted with XChaCha20-Poly1305 under a random nonce, bound to the column and row where
//! it is stored, and written as `v1.<key id>.<nonce and ciphertext in base64url>`.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use data_encoding::HEXLOWER;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand::RngExt;
use secrecy::{ExposeSecret, ExposeSecretMut, SecretBox, SecretString, zeroize::Zeroizing};
use sha2::Sha256;

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const KEY_ID_BYTES: usize = 8;
const NONCE_BYTES: usize = 24;

const KEY_ID_INFO: &[u8] = b"latchkey v1 key id";
const ENCRYPTION_INFO: &[u8] = b"latchkey v1 encryption";
const AUDIT_LOG_INFO: &[u8] = b"latchkey v1 audit log";

/// The secret keys of an installation. There is at least one; the first encrypts, all of them decrypt.
pub struct SecretKeys(Vec<SecretKey>);

struct SecretKey {
    id: String,
    encryption: DerivedKey,
    audit_log: DerivedKey,
}

type DerivedKey = SecretBox<[u8; KEY_BYTES]>;

/// The location of an encrypted value. A value cannot be decrypted for another location.
#[derive(Debug, Clone, Copy)]
pub struct Location<'a> {
    /// The table and the column, with a dot between.
    pub column: &'static str,
    /// The primary key of the row.
    pub row: &'a str,
}

/// Why a list of secret keys cannot be read. It never contains the text itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseSecretKeysError {
    #[error("it contains no key")]
    Empty,
    #[error("line {0} is not a key of 32 bytes in base64, as `latchkey secret-key generate` prints")]
    Line(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecryptError {
    #[error("it was encrypted with the key {0}, which is not in the secret key file")]
    UnknownKey(String),
    /// It was altered, belongs to another location, or was never encrypted.
    #[error("it is damaged")]
    Damaged,
}

/// Returns a new secret key as a line of the secret key file.
#[must_use]
pub fn generate_secret_key() -> SecretString {
    let key: Zeroizing<[u8; KEY_BYTES]> = Zeroizing::new(rand::rng().random());
    BASE64_STANDARD.encode(*key).into()
}

/// Returns the id of the key that a value is encrypted with, or `None` if the value is not encrypted.
pub fn key_id(encrypted: &str) -> Option<&str> {
    Some(split(encrypted)?.0)
}

fn split(encrypted: &str) -> Option<(&str, &str)> {
    encrypted.strip_prefix(VERSION)?.strip_prefix('.')?.split_once('.')
}

impl SecretKeys {
    /// Parses one key per line. Blank lines are ignored.
    pub fn parse(text: &SecretString) -> Result<Self, ParseSecretKeysError> {
        let lines = (1..).zip(text.expose_secret().lines().map(str::trim));
        let keys = lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(number, line)| SecretKey::parse(line).ok_or(ParseSecretKeysError::Line(number)))
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() { Err(ParseSecretKeysError::Empty) } else { Ok(Self(keys)) }
    }

    fn first(&self) -> &SecretKey {
        &self.0[0]
    }

    /// Returns the id of the key that encrypts.
    pub fn first_id(&self) -> &str {
        &self.first().id
    }

    fn find(&self, id: &str) -> Option<&SecretKey> {
        self.0.iter().find(|key| key.id == id)
    }

    pub fn encrypt(&self, place: Location<'_>, plaintext: &str) -> String {
        let key = self.first();
        let nonce: [u8; NONCE_BYTES] = rand::rng().random();
        let payload = Payload { msg: plaintext.as_bytes(), aad: &place.associated_data() };
        let Ok(ciphertext) = key.cipher().encrypt(&nonce.into(), payload) else {
            unreachable!("the plaintext is shorter than 256 GB")
        };
        let sealed = BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &ciphertext].concat());
        format!("{VERSION}.{}.{sealed}", key.id)
    }

    pub fn decrypt(&self, place: Location<'_>, encrypted: &str) -> Result<SecretString, DecryptError> {
        let (id, sealed) = split(encrypted).ok_or(DecryptError::Damaged)?;
        let key = self.find(id).ok_or_else(|| DecryptError::UnknownKey(id.to_owned()))?;
        key.decrypt(place, sealed).ok_or(DecryptError::Damaged)
    }

    /// Returns the HMAC-SHA256 of an audit row in hexadecimal, or `None` if there is no key with this id.
    pub fn audit_mac(&self, key_id: &str, row: &str) -> Option<String> {
        let key = self.find(key_id)?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.audit_log.expose_secret()).ok()?;
        mac.update(row.as_bytes());
        Some(HEXLOWER.encode(&mac.finalize().into_bytes()))
    }
}

impl SecretKey {
    fn parse(line: &str) -> Option<Self> {
        // The decoder asks for room for a little more than it writes.
        let mut bytes = Zeroizing::new([0; KEY_BYTES + 2]);
        let length = BASE64_STANDARD.decode_slice(line, &mut *bytes).ok()?;
        let key = bytes.get(..length).filter(|key| key.len() == KEY_BYTES)?;
        let derive = Hkdf::<Sha256>::from_prk(key).ok()?;
        let mut id = [0; KEY_ID_BYTES];
        derive.expand(KEY_ID_INFO, &mut id).ok()?;
        Some(Self {
            id: HEXLOWER.encode(&id),
            encryption: derived_key(&derive, ENCRYPTION_INFO)?,
            audit_log: derived_key(&derive, AUDIT_LOG_INFO)?,
        })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.encryption.expose_secret().into())
    }

    fn decrypt(&self, place: Location<'_>, sealed: &str) -> Option<SecretString> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: ciphertext, aad: &place.associated_data() };
        let plaintext = Zeroizing::new(self.cipher().decrypt(nonce.into(), payload).ok()?);
        Some(std::str::from_utf8(&plaintext).ok()?.to_owned().into())
    }
}

fn derived_key(derive: &Hkdf<Sha256>, info: &[u8]) -> Option<DerivedKey> {
    let mut key = DerivedKey::new(Box::new([0; KEY_BYTES]));
    derive.expand(info, key.expose_secret_mut()).ok()?;
    Some(key)
}

impl Location<'_> {
    /// No column name contains a slash, so two locations never share a label.
    fn associated_data(&self) -> Vec<u8> {
        format!("{}/{}", self.column, self.row).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLACE: Location<'_> = Location { column: "person.totp_secret", row: "per_1" };

    fn keys(lines: &[&SecretString]) -> SecretKeys {
        let lines: Vec<&str> = lines.iter().map(|line| line.expose_secret()).collect();
        SecretKeys::parse(&lines.join("\n").into()).ok().unwrap()
    }

    fn parse(text: &str) -> Result<Vec<String>, ParseSecretKeysError> {
        let keys = SecretKeys::parse(&text.to_owned().into())?;
        Ok(keys.0.into_iter().map(|key| key.id).collect())
    }

    fn decrypted(keys: &SecretKeys, place: Location<'_>, encrypted: &str) -> Result<String, DecryptError> {
        keys.decrypt(place, encrypted).map(|plaintext| plaintext.expose_secret().to_owned())
    }

    #[test]
    fn generated_key_is_32_bytes_in_base64() {
        let (one, other) = (generate_secret_key(), generate_secret_key());
        assert_eq!(BASE64_STANDARD.decode(one.expose_secret()).unwrap().len(), KEY_BYTES);
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn key_list_is_one_key_per_line() {
        let (one, other) = ("A".repeat(43) + "=", "B".repeat(42) + "A=");
        let ids = parse(&format!("{one}\n\n  {other}\r\n")).unwrap();
        assert_eq!(ids, [parse(&one).unwrap(), parse(&other).unwrap()].concat());
        assert_eq!(parse(""), Err(ParseSecretKeysError::Empty));
        assert_eq!(parse(" \n\n"), Err(ParseSecretKeysError::Empty));
        for wrong in ["key", &one[..42], &"A".repeat(42), &"A".repeat(44), &"A".repeat(4_000), "not base64!"] {
            assert_eq!(parse(&format!("{one}\n{wrong}")), Err(ParseSecretKeysError::Line(2)), "{wrong}");
        }
    }

    /// Every later version must be able to decrypt values stored today.
    #[test]
    fn format_of_encrypted_values_is_frozen() {
        let keys = keys(&[&("A".repeat(43) + "=").into()]);
        assert_eq!(keys.first_id(), "f7a7eb0a6d7d957d");
        let value = "v1.f7a7eb0a6d7d957d.\
            AAECAwQFBgcICQoLDA0ODxAREhMUFRYXd0dBU15VG7_64qjkk5n9hZ5CUTLtbjpxwauxUPYBvDw";
        assert_eq!(decrypted(&keys, PLACE, value), Ok("GEZDGNBVGY3TQOJQ".to_owned()));
        let mac = "fc0edea40e112e13d542a1e4a3ba8ee247a9a12c7b07b24ce55d4df2b53e4a76";
        assert_eq!(keys.audit_mac("f7a7eb0a6d7d957d", "a row").as_deref(), Some(mac));
        assert_eq!(keys.audit_mac("0000000000000000", "a row"), None);
    }

    #[test]
    fn value_decrypts_in_its_own_place_only() {
        let keys = keys(&[&generate_secret_key()]);
        let encrypted = keys.encrypt(PLACE, "a secret");
        assert_eq!(decrypted(&keys, PLACE, &encrypted), Ok("a secret".to_owned()));
        for place in [Location { row: "per_2", ..PLACE }, Location { column: "installation.token_key", ..PLACE }] {
            assert_eq!(decrypted(&keys, place, &encrypted), Err(DecryptError::Damaged), "{place:?}");
        }
        assert_ne!(keys.encrypt(PLACE, "a secret"), encrypted, "the nonce is random");
    }

    #[test]
    fn value_decrypts_after_a_new_key_became_the_first() {
        let (old, new) = (generate_secret_key(), generate_secret_key());
        let encrypted = keys(&[&old]).encrypt(PLACE, "a secret");
        let rotated = keys(&[&new, &old]);
        assert_eq!(decrypted(&rotated, PLACE, &encrypted), Ok("a secret".to_owned()));
        assert_eq!(key_id(&encrypted), Some(keys(&[&old]).first_id()));
        assert_eq!(key_id(&rotated.encrypt(PLACE, "a secret")), Some(keys(&[&new]).first_id()));
        let unknown = DecryptError::UnknownKey(keys(&[&old]).first_id().to_owned());
        assert_eq!(decrypted(&keys(&[&new]), PLACE, &encrypted), Err(unknown));
    }

    #[test]
    fn plaintext_is_not_taken_for_an_encrypted_value() {
        let keys = keys(&[&generate_secret_key()]);
        for text in ["", "GEZDGNBVGY3TQOJQ", "v1", "v1.", "v2.0123456789abcdef.AAAA"] {
            assert_eq!(decrypted(&keys, PLACE, text), Err(DecryptError::Damaged), "{text}");
        }
    }

    proptest! {
        #[test]
        fn altered_value_is_refused(at: prop::sample::Index, letter in "[A-Za-z0-9_.-]") {
            let keys = keys(&[&generate_secret_key()]);
            let mut altered = keys.encrypt(PLACE, "a secret").into_bytes();
            let at = at.index(altered.len());
            prop_assume!(altered[at] != letter.as_bytes()[0]);
            altered[at] = letter.as_bytes()[0];
            prop_assert!(keys.decrypt(PLACE, &String::from_utf8(altered).unwrap()).is_err());
        }
    }
}
