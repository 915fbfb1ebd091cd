//! Step-up authentication: changes that decide who can sign in, and with what rights, take the password again, and a code
//! of the second factor, unless the person entered them within the last minutes.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
};
use secrecy::SecretString;
use serde_json::json;
use store::{Chain, Event, Subject};

use crate::{
    Keyring,
    access::{ActiveSession, TenantAdmin},
    change::Change,
    error::Error,
    profile::hold_password,
    second_factor::ConsumedCode,
};

impl Keyring {
    /// Confirms the identity of the person behind a session, by their password and a code of their second factor.
    ///
    /// # Errors
    /// If one of them is wrong, was guessed at too often, or a code is needed and there is none.
    pub async fn confirm_identity(
        &self,
        signed_in: &ActiveSession,
        password: &SecretString,
        code: &str,
    ) -> Result<(), Error> {
        let person = &signed_in.person;
        let account = self.check_own_password(signed_in, password, Field::Password).await?;
        let code = match code.trim() {
            _ if !account.has_second_factor() => None,
            "" => {
                let detail = "Enter the code that your authenticator app shows, or a recovery code.";
                return Err(FieldErrors::from(FieldError::new(Field::Code, "required", detail)).into());
            }
            code => Some(self.count_code(&person.id, code, signed_in.address).await?),
        };
        let change = self.own_change(signed_in).await?;
        hold_password(&change, &account).await?;
        let consumed = match code {
            Some(code) => Some(self.consume_code(&change, &account, &code).await?),
            None => None,
        };
        store::sessions::set_confirmed(&change, &signed_in.session).await?;
        let subject = Subject::new(&person.id, &person.name);
        let detail = json!({ "second_factor": consumed.map(ConsumedCode::as_str) });
        change.commit(Event { action: Action::IdentityConfirmed, subject, detail }).await
    }

    /// A change of an admin's that takes a recently confirmed identity.
    pub(crate) async fn confirmed_change(&self, admin: &TenantAdmin) -> Result<Change, Error> {
        let actor = admin.actor().with_step_up();
        self.begin_change(Chain::Tenant(admin.id()), &actor).await
    }

    /// The same, of what people change about themselves.
    pub(crate) async fn own_confirmed_change(&self, signed_in: &ActiveSession) -> Result<Change, Error> {
        let chain = Chain::of_home(signed_in.home().map(|tenant| &tenant.id));
        self.begin_change(chain, &signed_in.as_person().with_step_up()).await
    }
}
