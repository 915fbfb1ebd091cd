//! Decides about credentials: keys in `verify`, people by legacy authentication here.

use std::{sync::Arc, time::Duration};

use domain::{
    digest::SecretHash,
    id::TenantId,
    key_record::{KeyRecord, TenantRecord},
};
use secrecy::SecretString;
use verify::{AccessQuery, AdmittedState, Decision, KeySource, Millis, Runtime, TenantRef, cache::SourceError};

use crate::{Keyring, error::Error, legacy::LegacyCredential};

/// The timeout of a lookup.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(2);

/// A presented credential.
pub enum Credential {
    Secret(SecretString),
    Legacy(LegacyCredential),
}

impl Keyring {
    /// Decides about a credential that a client presents as its own. A client that presents many unknown keys is
    /// throttled.
    ///
    /// # Errors
    /// If the database fails: the credential's validity is unknown then.
    pub async fn evaluate(&self, credential: &Credential, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        match credential {
            Credential::Secret(secret) => Ok(self.evaluator.evaluate(self, secret, query).await?),
            // Boxed, as its many steps would otherwise be moved about with every decision about a key.
            Credential::Legacy(credential) => Box::pin(self.evaluate_person(credential, query)).await,
        }
    }

    /// Decides about a key for a verifier, which is not throttled.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub async fn verify(&self, secret: &SecretString, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        Ok(self.evaluator.verify(self, secret, query).await?)
    }

    /// Returns whether nothing has changed that a caller was admitted under, and this node may still use its cache.
    ///
    /// It reads memory alone, so that a write can ask while it holds its locks. If it is false, evaluate the caller once
    /// more: the change need not concern them.
    #[must_use]
    pub fn is_still_admitted(&self, state: &AdmittedState) -> bool {
        self.evaluator.is_still_admitted(state)
    }

    async fn evaluate_person(&self, credential: &LegacyCredential, query: &AccessQuery<'_>) -> Result<Decision, Error> {
        let fence = self.evaluator.cache().fence();
        let caller = match self.legacy_caller(credential, query.nearest).await? {
            Ok(caller) => caller,
            Err(refusal) => return Ok(Decision::refused(refusal.into())),
        };
        if !self.is_known_to(query.requirement.tenant, &caller.tenant).await? {
            return Ok(Decision::refused(credential.unknown().into()));
        }
        Ok(self.evaluator.decide_person(caller, fence, query))
    }

    async fn is_known_to(&self, tenant_ref: Option<TenantRef<'_>>, tenant: &TenantId) -> Result<bool, Error> {
        Ok(match tenant_ref {
            None => true,
            Some(TenantRef::Id(id)) => tenant == id,
            Some(TenantRef::Slug(slug)) => {
                let tenant = store::tenants::find_tenant(&self.database, tenant).await?;
                tenant.is_some_and(|tenant| tenant.slug == slug)
            }
        })
    }
}

impl KeySource for Keyring {
    async fn find_key(&self, hash: &SecretHash) -> Result<Option<KeyRecord>, SourceError> {
        let query = store::key_records::find_key_record(&self.database, hash);
        store::within(LOOK_UP_TIMEOUT, query).await.map_err(|cause| Arc::new(cause) as SourceError)
    }

    async fn find_tenant(&self, id: &TenantId) -> Result<Option<TenantRecord>, SourceError> {
        let query = store::key_records::find_tenant_record(&self.database, id);
        store::within(LOOK_UP_TIMEOUT, query).await.map_err(|cause| Arc::new(cause) as SourceError)
    }
}

impl Runtime for Keyring {
    fn ticks(&self) -> Millis {
        self.clock.ticks()
    }

    async fn sleep(&self, millis: Millis) {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A future is moved several times on its way, whole.
    #[test]
    fn database_query_is_not_part_of_a_decision() {
        fn size<'a, T: 'a, F>(_: impl FnOnce(&'a Keyring, &'a T, &'a AccessQuery<'a>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(size(Keyring::verify) < 512, "{}", size(Keyring::verify));
        assert!(size(Keyring::evaluate) < 512, "{}", size(Keyring::evaluate));
    }
}
