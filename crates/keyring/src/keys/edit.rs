//! Editing a key: everything but its secret and its expiration.

use domain::{audit::Action, id::KeyId, key::Key, key_draft::KeyDraft};
use serde_json::json;
use store::{Event, Subject};

use super::{check_words, choices, find_unchanged, load_key};
use crate::{Keyring, access::ManageKeys, error::Error};

impl Keyring {
    /// Gives a key other terms. `seen` is the version that the person started from.
    ///
    /// # Errors
    /// Reports all invalid fields; refuses if the key was revoked, or changed concurrently.
    pub async fn edit_key(
        &self,
        manager: &impl ManageKeys,
        id: &KeyId,
        seen: i32,
        draft: &KeyDraft,
    ) -> Result<Key, Error> {
        let change = self.change(manager).await?;
        let before = find_unchanged(&change, manager, id, seen).await?;
        let choices = choices(change.on(), manager).await?;
        let terms = draft.parse(&choices)?;
        check_words(draft)?;
        if KeyDraft::of(&before).parse(&choices).is_ok_and(|unchanged| unchanged == terms) {
            change.already_made().await?;
            return Ok(before);
        }
        store::keys::set_terms(&change, manager.key_scope(), &before, &terms).await?;
        let after = load_key(&change, manager, id).await?;
        let detail = json!({ "before": KeyDraft::of(&before), "after": KeyDraft::of(&after) });
        change.commit(Event { action: Action::KeyEdited, subject: Subject::new(id, &after.name), detail }).await?;
        Ok(after)
    }
}
