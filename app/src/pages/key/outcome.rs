//! Outcomes of calls, in words and marks.

use domain::{usage::Fate, verdict::Verdict};

pub(super) const fn in_words(outcome: Verdict) -> &'static str {
    match outcome {
        Verdict::Valid => "Allowed",
        Verdict::Malformed => "Malformed",
        Verdict::NotFound => "Unknown",
        Verdict::Revoked => "Revoked",
        Verdict::Expired => "Expired",
        Verdict::Disabled => "Switched off",
        Verdict::IpNotAllowed => "Address not allowed",
        Verdict::OriginNotAllowed => "Origin not allowed",
        Verdict::InsufficientPermissions => "Permission missing",
        Verdict::PropertyNotAllowed => "Property not allowed",
        Verdict::RateLimited => "Rate limited",
    }
}

pub(super) const fn fate_in_words(fate: Fate) -> &'static str {
    match fate {
        Fate::Allowed => "Allowed",
        Fate::RateLimited => "Rate limited",
        Fate::Denied => "Denied",
    }
}

pub(super) const fn badge(fate: Fate) -> &'static str {
    match fate {
        Fate::Allowed => "badge good",
        Fate::RateLimited => "badge warning",
        Fate::Denied => "badge danger",
    }
}
