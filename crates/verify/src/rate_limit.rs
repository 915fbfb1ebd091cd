//! Rate limits: of the calls with a key, of unknown keys from one network, and of failed sign-ins.

pub mod calls;
pub mod sign_in;
pub mod unknown_keys;

pub use calls::Quota;

/// Never 0: a client that returned immediately would be refused again.
#[must_use]
pub fn whole_seconds(duration: std::time::Duration) -> u64 {
    duration.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}
