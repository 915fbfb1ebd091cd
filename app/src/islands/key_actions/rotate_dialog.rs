//! Rotating a key.

use domain::{
    expiration::ExpirationDraft,
    field::{Field, FieldErrors},
    key_draft::Grace,
};
use leptos::prelude::*;

use super::{
    KeyFacts,
    confirm::{Confirm, Words, when_done},
};
use crate::{
    components::Icon,
    error::ConsoleError,
    functions::rotate_key,
    islands::expiration_field::{ExpirationField, ExpirationForm},
    model::SecretOnce,
};

const GRACES: [(Grace, &str); 4] = [
    (Grace::None, "No, it stops working now"),
    (Grace::OneHour, "For 1 hour"),
    (Grace::OneDay, "For 24 hours"),
    (Grace::OneWeek, "For 7 days"),
];

#[component]
pub(super) fn RotateDialog(facts: KeyFacts, close: Callback<()>, rotated: Callback<SecretOnce>) -> impl IntoView {
    let KeyFacts { of, id, name, hint, version, is_expired, expires, now, time_zone, .. } = facts;
    let grace = RwSignal::new(Grace::None);
    let renews = RwSignal::new(is_expired);
    let expiration = ExpirationForm::new(ExpirationDraft::EndOfDay(now.in_days(90).to_string()), now, time_zone);
    let rotate = Action::new(move |(): &()| {
        let wanted = renews.get_untracked().then(|| expiration.draft.get_untracked());
        rotate_key(of, id.clone(), version, wanted, grace.get_untracked())
    });
    when_done(rotate, move |once| rotated.run(once));
    Effect::new(move |_| {
        if let Some(Err(ConsoleError::Invalid(errors))) = rotate.value().get() {
            let own = errors.0.into_iter().filter(|error| error.field == Field::ExpiresAt).collect();
            expiration.show_from_server(FieldErrors(own));
        }
    });
    let is_complete = Signal::derive(move || !renews.get() || expiration.is_right());
    let words = Words { title: format!("Rotate “{name}”?"), confirm: "Rotate", pending: "Rotating…" };
    let choices = GRACES.map(|(value, label)| {
        view! {
            <label>
                <input type="radio" name="grace" prop:checked=move || grace.get() == value on:change=move |_| grace.set(value)/>
                <span>{label}</span>
            </label>
        }
    });
    view! {
        <Confirm words action=rotate close is_complete is_harmless=true>
            <p class="callout warning">
                <Icon name="warning"/>
                <span>
                    {move || if grace.get() == Grace::None {
                        "The key gets a new secret, and all applications with the old one lose access immediately. Its settings stay as they are."
                    } else {
                        "The key gets a new secret. Applications with the old one lose access when its time is over. The settings stay as they are."
                    }}
                </span>
            </p>
            <p class="about"><code class="hint">{hint}</code></p>
            <fieldset class="field">
                <legend>"Keep the old secret working?"</legend>
                <div class="ticks">{choices.into_iter().collect_view()}</div>
            </fieldset>
            <fieldset class="field">
                <legend>"Expiration"</legend>
                <div class="ticks">
                    <label>
                        <input
                            type="radio"
                            name="renew"
                            disabled=is_expired
                            prop:checked=move || !renews.get()
                            on:change=move |_| renews.set(false)
                        />
                        <span>{if is_expired { format!("Expired on {expires}") } else { format!("Keep as it is: {expires}") }}</span>
                    </label>
                    <label>
                        <input type="radio" name="renew" prop:checked=move || renews.get() on:change=move |_| renews.set(true)/>
                        <span>"Set a new one"</span>
                    </label>
                </div>
            </fieldset>
            {move || renews.get().then(|| view! { <ExpirationField form=expiration/> })}
        </Confirm>
    }
}
