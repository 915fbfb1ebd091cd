//! `/api/v1/keys`: other back ends ask about the keys that were presented to them.

use std::{borrow::Cow, net::IpAddr, sync::Arc};

use axum::http::request::Parts;
use domain::{
    caller::Caller,
    id::{Id, PropertyId},
    permission::Permission,
    verdict::Verdict,
};
use keyring::{Ask, Demand, KeyJudgement, Quota, Refusal, Standing, Whose};
use secrecy::SecretString;

use super::super::{
    Api,
    admission::{code_elsewhere, unavailable},
    exchange::{CallInfo, Exchange, Verified},
};
use crate::{address, problem::Problem};

pub mod introspect;
pub mod verify;

/// A key that somebody presented to whoever asks, and what it is to be good for. What is told of the client is
/// believed, because whoever asks has shown who they are; the address from which they ask is never taken for the
/// client's.
struct Question {
    secret: SecretString,
    permission: Option<Permission>,
    property: Option<PropertyId>,
    address: Option<IpAddr>,
    origin: Option<String>,
    cost: u16,
}

/// What there is to say about the key.
struct Finding {
    verdict: Verdict,
    /// None for a good key.
    refusal: Option<Refusal>,
    /// None for a key that whoever asks does not know.
    key: Option<Arc<Standing>>,
    quota: Option<Quota>,
}

impl Finding {
    fn of(judgement: KeyJudgement) -> Self {
        let KeyJudgement { outcome, key, quota } = judgement;
        let refusal = outcome.err();
        let verdict = refusal.as_ref().map_or(Some(Verdict::Valid), Refusal::verdict);
        // Legacy credentials alone have no verdict, and none of them is a key.
        Self { verdict: verdict.unwrap_or(Verdict::NotFound), refusal, key, quota }
    }

    /// What the key's own call is to be answered with.
    fn status(&self) -> u16 {
        self.refusal.as_ref().map_or(200, |refusal| code_elsewhere(refusal).status().as_u16())
    }
}

/// Judges a key of the caller's tenant, and puts its use into its own log.
async fn judge(api: &Api, parts: &Parts, caller: &Caller, question: &Question) -> Result<Finding, Problem> {
    let demand = Demand {
        permission: question.permission.as_ref(),
        property: question.property.as_ref().map(Id::as_str),
        cost: question.cost,
        tenant: Some(Whose::Id(&caller.tenant)),
    };
    let nearest = address::of(&parts.extensions).nearest;
    let ask = Ask { address: question.address, nearest, origin: question.origin.as_deref(), demand };
    let call = CallInfo::of(&parts.method, &parts.extensions, api.keyring.now());
    let judgement = api.keyring.verify(&question.secret, &ask).await.map_err(|error| unavailable(&error))?;
    let finding = Finding::of(judgement);
    let call = CallInfo { address: question.address, ..call };
    let exchange = Exchange::of(&parts.extensions);
    call.record(api, exchange, finding.key.as_deref(), finding.verdict, finding.status());
    exchange.note_verified(Verified { key: finding.key.clone(), verdict: finding.verdict });
    Ok(finding)
}

impl Question {
    /// What to tell whoever asks. Some of it is theirs to mend, and not their client's.
    fn message(&self, refusal: &Refusal) -> Cow<'static, str> {
        match refusal {
            Refusal::IpNotAllowed { address: None } => {
                "This key has an IP allowlist, and it was asked about without an address. Send your client's as ip."
                    .into()
            }
            Refusal::NoSuchProperty => "The organisation has no such property. Send the id of one that it has.".into(),
            refusal => refusal.to_string().into(),
        }
    }
}
