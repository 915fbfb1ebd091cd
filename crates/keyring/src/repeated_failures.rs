//! Repeated sign-in failures, as the audit log records them: "12 failed sign-ins from 203.0.113.7".

use domain::audit::Action;
use serde_json::json;
use store::{Chain, Event, Subject, failed_attempts::Repeated};
use verify::rate_limit::sign_in::{Kind, expired};

use crate::{Keyring, access::Actor, error::Error, throttle::count};

/// Fewer failures are a person who mistyped.
const MIN_REPORTED_FAILURES: i32 = 5;

impl Keyring {
    /// Writes repeated failures into the audit log of the persons they concern: as soon as a limit is reached, or
    /// when the window has passed.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn report_repeated_failures(&self) -> Result<(), Error> {
        let now = self.now();
        let found = store::failed_attempts::find_unreported(self.database.connection(), MIN_REPORTED_FAILURES).await?;
        for repeated in found {
            let count = count(repeated.count.clone())?;
            // The guesses from each address at an account are reported by themselves.
            let is_complete = count.has_expired(now) && count.kind != Kind::Account;
            if is_complete || count.is_exhausted() {
                self.report(&repeated).await?;
            }
        }
        Ok(())
    }

    /// Deletes counters that expired long enough ago to be reported.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn clear_old_failures(&self) -> Result<(), Error> {
        Ok(store::failed_attempts::delete_expired(&self.database, expired(expired(self.now()))).await?)
    }

    async fn report(&self, repeated: &Repeated) -> Result<(), Error> {
        let account = store::people::account(self.database.connection(), &repeated.person).await?;
        let Some(account) = account else { return Ok(()) };
        let actor = Actor::unknown(repeated.address.as_deref().and_then(|address| address.parse().ok()));
        let change = self.begin_change(Chain::of_home(account.tenant.as_ref()), &actor).await?;
        let Some(failures) = store::failed_attempts::mark_reported(&change, repeated).await? else { return Ok(()) };
        let reason = match count(repeated.count.clone())?.kind {
            Kind::AccountFromAddress | Kind::Account | Kind::Address => "wrong_password",
            Kind::Code => "wrong_code",
            Kind::CurrentPassword => "wrong_current_password",
        };
        let subject = Subject::new(&account.person.id, &account.person.name);
        let detail = json!({ "failures": failures, "reason": reason, "since": repeated.count.since });
        change.commit(Event { action: Action::SignInsFailed, subject, detail }).await
    }
}
