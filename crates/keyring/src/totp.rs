//! Codes that change every 30 seconds (RFC 6238, with the SHA-1 and the six digits that every app knows).

use chrono::{DateTime, Utc};
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rand::RngExt;
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;

/// Everything except the unreserved characters of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const STEP_SECONDS: i64 = 30;
const SECRET_BYTES: usize = 20;
const CODE_DIGITS: usize = 6;

/// The secret shared with a person's authenticator app.
pub(crate) struct TotpSecret(SecretString);

impl TotpSecret {
    pub(crate) fn generate() -> Self {
        let random: [u8; SECRET_BYTES] = rand::rng().random();
        Self(BASE32_NOPAD.encode(&random).into())
    }

    /// Returns the secret if it is complete.
    pub(crate) fn parse(secret: SecretString) -> Option<Self> {
        let bytes = BASE32_NOPAD.decode(secret.expose_secret().as_bytes());
        bytes.is_ok_and(|bytes| bytes.len() == SECRET_BYTES).then_some(Self(secret))
    }

    pub(crate) fn as_secret(&self) -> &SecretString {
        &self.0
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Returns the content of the QR code.
    pub(crate) fn uri(&self, account: &str) -> SecretString {
        let account = utf8_percent_encode(account, UNRESERVED);
        format!("otpauth://totp/Latchkey:{account}?secret={}&issuer=Latchkey", self.expose()).into()
    }

    /// The step whose code this is: the present one, or one to either side, because clocks differ.
    pub(crate) fn step_of(&self, code: &str, now: DateTime<Utc>) -> Option<i64> {
        let step = now.timestamp() / STEP_SECONDS;
        (step - 1..=step + 1).find(|step| self.code(*step) == code)
    }

    fn code(&self, step: i64) -> String {
        let key = BASE32_NOPAD.decode(self.expose().as_bytes()).unwrap_or_default();
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&key) else { unreachable!("HMAC takes a key of any length") };
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let offset = usize::from(hash[hash.len() - 1] & 0x0f);
        let number = hash[offset..offset + 4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        format!("{:0CODE_DIGITS$}", (number & 0x7fff_ffff) % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    fn rfc() -> TotpSecret {
        TotpSecret::parse(BASE32_NOPAD.encode(b"12345678901234567890").into()).unwrap()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_match_the_rfc_vectors() {
        for (seconds, eight_digits) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(rfc().code(seconds / STEP_SECONDS), eight_digits[2..], "at {seconds}");
        }
    }

    #[test]
    fn code_is_valid_one_step_either_way() {
        let code = rfc().code(40);
        for (step, expected) in [(38, None), (39, Some(40)), (40, Some(40)), (41, Some(40)), (42, None)] {
            assert_eq!(rfc().step_of(&code, at(step * STEP_SECONDS)), expected, "in step {step}");
        }
        assert_eq!(rfc().step_of("", at(1200)), None);
    }

    #[test]
    fn incomplete_secrets_are_rejected() {
        let fresh = TotpSecret::generate();
        assert_eq!(TotpSecret::parse(fresh.expose().into()).unwrap().expose(), fresh.expose());
        for bad in ["", "ABC", "abcdefghijklmnopqrstuvwxyz234567", &fresh.expose()[1..]] {
            assert!(TotpSecret::parse(bad.into()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn qr_code_names_the_account() {
        let uri = rfc().uri("ana+1@acme.test");
        let expected =
            "otpauth://totp/Latchkey:ana%2B1%40acme.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Latchkey";
        assert_eq!(uri.expose_secret(), expected);
    }
}
