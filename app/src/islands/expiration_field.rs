//! When a key is to stop working.

use domain::{
    expiration::{ExpirationDraft, ExpiresAt, PRESET_DAYS},
    field::{FieldError, FieldErrors},
};
use leptos::prelude::*;

use super::{browser, key_fields::Message};

/// An expiration while it is chosen.
#[derive(Clone, Copy)]
pub(super) struct ExpirationForm {
    pub(super) draft: RwSignal<ExpirationDraft>,
    /// The clocks when the page was made; they go on from there.
    now: ExpiresAt,
    time_zone: StoredValue<String>,
    left: RwSignal<bool>,
    from_server: RwSignal<FieldErrors>,
}

impl ExpirationForm {
    pub(super) fn new(draft: ExpirationDraft, now: ExpiresAt, time_zone: String) -> Self {
        Self {
            draft: RwSignal::new(draft),
            now,
            time_zone: StoredValue::new(time_zone),
            left: RwSignal::new(false),
            from_server: RwSignal::default(),
        }
    }

    fn error(&self) -> Option<FieldError> {
        let now = self.now.later(browser::since_opened());
        self.draft.with(|draft| draft.parse(now).err())
    }

    /// Judges the field from now on. True when it is right.
    pub(super) fn check(&self) -> bool {
        self.left.set(true);
        self.from_server.set(FieldErrors::default());
        untrack(|| self.error().is_none())
    }

    /// Whether what is chosen would do, without saying so.
    pub(super) fn is_right(&self) -> bool {
        self.error().is_none()
    }

    pub(super) fn show_from_server(&self, errors: FieldErrors) {
        self.from_server.set(errors);
    }

    fn shown(&self) -> Vec<String> {
        let own = self.left.get().then(|| self.error()).flatten();
        match own {
            Some(error) => vec![error.detail],
            None => self.from_server.with(|errors| errors.0.iter().map(|error| error.detail.clone()).collect()),
        }
    }

    fn choose(&self, draft: ExpirationDraft) {
        self.from_server.set(FieldErrors::default());
        self.draft.set(draft);
    }

    fn day_in(&self, days: u64) -> String {
        self.now.in_days(days).to_string()
    }
}

#[component]
pub(super) fn ExpirationField(form: ExpirationForm) -> impl IntoView {
    let message = Message { id: "expires-error", lines: Memo::new(move |_| form.shown()) };
    let is_never = move || form.draft.with(|draft| *draft == ExpirationDraft::Never);
    let is_day = move || form.draft.with(|draft| matches!(draft, ExpirationDraft::EndOfDay(_)));
    let is_time = move || form.draft.with(|draft| matches!(draft, ExpirationDraft::At(_)));
    let presets = PRESET_DAYS.map(|days| {
        view! {
            <button class="button small" type="button" on:click=move |_| form.choose(ExpirationDraft::EndOfDay(form.day_in(days)))>
                {format!("{days} days")}
            </button>
        }
    });
    let field = move || {
        if is_never() {
            return ().into_any();
        }
        let (kind, label) = if is_time() { ("datetime-local", "Day and time") } else { ("date", "Day") };
        let value = move || {
            form.draft.with(|draft| match draft {
                ExpirationDraft::EndOfDay(text) | ExpirationDraft::At(text) => text.clone(),
                ExpirationDraft::Never | ExpirationDraft::Instant(_) => String::new(),
            })
        };
        view! {
            <div class="sub-field">
                <label for="expires">{label}</label>
                <input
                    id="expires"
                    type=kind
                    prop:value=value
                    on:input=move |event| {
                        let text = event_target_value(&event);
                        form.choose(if untrack(is_time) { ExpirationDraft::At(text) } else { ExpirationDraft::EndOfDay(text) });
                    }
                    on:blur=move |_| form.left.set(true)
                    aria-invalid=message.invalid()
                    aria-describedby="expires-hint expires-error"
                />
                <p class="hint" id="expires-hint">
                    {if is_time() { "The key stops working at that minute" } else { "The key works to the end of that day" }}
                    {format!(", {} time.", form.time_zone.get_value())}
                </p>
            </div>
        }
        .into_any()
    };
    let kind = Memo::new(move |_| (is_never(), is_time()));
    view! {
        <fieldset class="field" aria-describedby="expires-error">
            <legend>"Expiration date "<span class="optional">"optional"</span></legend>
            <div class="ticks">
                <label>
                    <input type="radio" name="expiration" prop:checked=is_never on:change=move |_| form.choose(ExpirationDraft::Never)/>
                    <span>"Never"</span>
                </label>
                <label>
                    <input type="radio" name="expiration" prop:checked=is_day on:change=move |_| form.choose(ExpirationDraft::EndOfDay(form.day_in(90)))/>
                    <span>"At the end of a day"</span>
                </label>
                <label>
                    <input type="radio" name="expiration" prop:checked=is_time on:change=move |_| form.choose(ExpirationDraft::At(format!("{}T12:00", form.day_in(90))))/>
                    <span>"At an exact time"</span>
                </label>
            </div>
            <div class="presets" role="group" aria-label="In a number of days">
                {presets.into_iter().collect_view()}
                <button class="button small" type="button" on:click=move |_| form.choose(ExpirationDraft::Never)>"Never"</button>
            </div>
            {move || { kind.get(); untrack(field) }}
            {message.view()}
        </fieldset>
    }
}
