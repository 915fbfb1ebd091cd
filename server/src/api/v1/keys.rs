//! `/api/v1/keys`: other back ends verify the keys that were presented to them.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::http::request::Parts;
use domain::{
    caller::Caller,
    id::{Id, PropertyId},
    permission::Permission,
    verdict::Verdict,
};
use keyring::{AccessQuery, CachedKey, Decision, Quota, Refusal, Requirement, TenantRef};
use secrecy::SecretString;

use super::super::{
    Api,
    admission::{forwarded_code, unavailable},
    call_record::{CallInfo, CallRecord, Verified},
};
use crate::{address, problem::Problem};

pub mod introspect;
pub mod verify;

/// A key to verify, and what it must grant. The verifier is authenticated, so what it says about its client is trusted;
/// its own address is never taken for the client's.
struct KeyQuery {
    secret: SecretString,
    permission: Option<Permission>,
    property: Option<PropertyId>,
    address: Option<IpAddr>,
    origin: Option<String>,
    cost: u16,
}

/// The decision about the key.
struct KeyVerdict {
    verdict: Verdict,
    /// None for a valid key.
    refusal: Option<Refusal>,
    /// None for a key that the verifier cannot know.
    key: Option<Arc<CachedKey>>,
    quota: Option<Quota>,
}

impl KeyVerdict {
    fn from_decision(decision: Decision) -> Self {
        let Decision { outcome, key, quota, .. } = decision;
        let refusal = outcome.err();
        let verdict = refusal.as_ref().map_or(Some(Verdict::Valid), Refusal::verdict);
        // Legacy credentials alone have no verdict, and none of them is a key.
        Self { verdict: verdict.unwrap_or(Verdict::NotFound), refusal, key, quota }
    }

    /// The status with which the key's own call should be answered.
    fn status(&self) -> u16 {
        self.refusal.as_ref().map_or(200, |refusal| forwarded_code(refusal).status().as_u16())
    }
}

/// Decides about a key of the caller's tenant, and records the call in its own log.
async fn decide(api: &Api, parts: &Parts, caller: &Caller, key_query: &KeyQuery) -> Result<KeyVerdict, Problem> {
    let requirement = Requirement {
        permission: key_query.permission.as_ref(),
        property: key_query.property.as_ref().map(Id::as_str),
        cost: key_query.cost,
        tenant: Some(TenantRef::Id(&caller.tenant)),
    };
    let nearest = address::from_extensions(&parts.extensions).nearest;
    let query = AccessQuery { address: key_query.address, nearest, origin: key_query.origin.as_deref(), requirement };
    let call = CallInfo::of(&parts.method, &parts.extensions, api.keyring.now());
    let decision = api.keyring.verify(&key_query.secret, &query).await.map_err(|error| unavailable(&error))?;
    let key_verdict = KeyVerdict::from_decision(decision);
    let call = CallInfo { address: key_query.address, ..call };
    let call_record = CallRecord::of(&parts.extensions);
    call.record(api, call_record, key_verdict.key.as_deref(), key_verdict.verdict, key_verdict.status());
    call_record.note_verified(Verified { key: key_verdict.key.clone(), verdict: key_verdict.verdict });
    Ok(key_verdict)
}

impl KeyQuery {
    /// The message for the verifier. Some errors are the verifier's to fix, not its client's.
    fn message(&self, refusal: &Refusal) -> Cow<'static, str> {
        match refusal {
            Refusal::IpNotAllowed { address: None } => {
                "This key has an IP allowlist, and the request names no address. Send your client's address as ip."
                    .into()
            }
            Refusal::NoSuchProperty => "The organization has no such property. Send the id of an existing one.".into(),
            refusal => refusal.to_string().into(),
        }
    }
}
