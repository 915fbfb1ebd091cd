//! Outcomes of calls, in words and marks.

use domain::{usage::CallOutcome, verdict::Verdict};

pub(super) const fn label(outcome: Verdict) -> &'static str {
    match outcome {
        Verdict::Valid => "Allowed",
        Verdict::InvalidRequest => "Invalid request",
        Verdict::Malformed => "Malformed",
        Verdict::NotFound => "Unknown",
        Verdict::Revoked => "Revoked",
        Verdict::SecretReplaced => "Old secret used",
        Verdict::Expired => "Expired",
        Verdict::Disabled => "Switched off",
        Verdict::IpNotAllowed => "Address not allowed",
        Verdict::OriginNotAllowed => "Origin not allowed",
        Verdict::InsufficientPermissions => "Permission missing",
        Verdict::PropertyNotAllowed => "Property not allowed",
        Verdict::RateLimited => "Rate limited",
    }
}

pub(super) const fn fate_in_words(fate: CallOutcome) -> &'static str {
    match fate {
        CallOutcome::Allowed => "Allowed",
        CallOutcome::RateLimited => "Rate limited",
        CallOutcome::Denied => "Denied",
    }
}

pub(super) const fn badge(fate: CallOutcome) -> &'static str {
    match fate {
        CallOutcome::Allowed => "badge good",
        CallOutcome::RateLimited => "badge warning",
        CallOutcome::Denied => "badge danger",
    }
}
