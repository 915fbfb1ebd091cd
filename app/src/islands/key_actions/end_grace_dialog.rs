//! Ending the time in which the old secret of a rotated key still works.

use leptos::prelude::*;

use super::{
    KeyFacts,
    confirm::{Confirm, Words, when_done},
};
use crate::{components::Icon, functions::end_grace};

#[component]
pub(super) fn EndGraceDialog(facts: KeyFacts, close: Callback<()>, done: Callback<&'static str>) -> impl IntoView {
    let (of, id) = (facts.of, facts.id.clone());
    let end = Action::new(move |(): &()| end_grace(of, id.clone()));
    when_done(end, move |()| done.run("Ended the old secret of"));
    let words =
        Words {
            title: format!("End the old secret of “{}” now?", facts.name), confirm: "End now", pending: "Ending…"
        };
    view! {
        <Confirm words action=end close>
            <p class="callout danger">
                <Icon name="warning"/>
                <span>
                    "It would work until "{facts.old_secret_until}". Applications that have not been given the new secret lose access immediately."
                </span>
            </p>
        </Confirm>
    }
}
