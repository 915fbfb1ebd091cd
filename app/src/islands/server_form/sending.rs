//! A form on its way to its server function and back.

use leptos::{html, prelude::*, task::spawn_local};
use web_sys::HtmlFormElement;

use super::{Afterwards, FormSpec, answer, controls, filled::Filled};
use crate::{
    error::ConsoleError,
    islands::{browser, notice, shown_once::OnceWords},
};

#[derive(Clone, Copy)]
pub(in crate::islands) struct Sending {
    spec: StoredValue<FormSpec>,
    element: NodeRef<html::Form>,
    /// From the press of the button until the page is left, or something has to be corrected.
    pending: RwSignal<bool>,
    failure: RwSignal<Option<ConsoleError>>,
    revealed: RwSignal<Option<String>>,
    /// Whether the person has to confirm their identity first, and whether that takes a code.
    step_up: RwSignal<Option<bool>>,
    /// What is to happen, in its final words.
    next: StoredValue<Option<Afterwards>>,
}

impl Sending {
    pub(in crate::islands) fn new(spec: FormSpec) -> Self {
        Self {
            spec: StoredValue::new(spec),
            element: NodeRef::new(),
            pending: RwSignal::new(false),
            failure: RwSignal::new(None),
            revealed: RwSignal::new(None),
            step_up: RwSignal::new(None),
            next: StoredValue::new(None),
        }
    }

    pub(in crate::islands) fn spec(self) -> FormSpec {
        self.spec.get_value()
    }

    pub(in crate::islands) fn pending(self) -> RwSignal<bool> {
        self.pending
    }

    pub(super) fn failure(self) -> RwSignal<Option<ConsoleError>> {
        self.failure
    }

    pub(in crate::islands) fn revealed(self) -> RwSignal<Option<String>> {
        self.revealed
    }

    pub(in crate::islands) fn step_up(self) -> RwSignal<Option<bool>> {
        self.step_up
    }

    /// Sends the form that waited for the person to confirm their identity.
    pub(super) fn send_again(self) {
        self.step_up.set(None);
        self.send();
    }

    /// Goes back to the form, as it was filled in.
    pub(super) fn cancel_step_up(self) {
        self.step_up.set(None);
    }

    /// The form itself, once it is in the page.
    pub(super) fn element(self) -> NodeRef<html::Form> {
        self.element
    }

    /// Calls the function with what is filled in, unless it is being called already.
    pub(super) fn send(self) {
        let Some(form) = self.element.get_untracked().filter(|_| !self.pending.get_untracked()) else { return };
        self.pending.set(true);
        self.failure.set(None);
        controls::forget_errors(&form);
        let filled = controls::read_form(&form);
        spawn_local(async move {
            let spec = self.spec();
            match answer::decode_answer(&spec.path, &filled.to_json()).await {
                Ok(answer) => self.succeed(spec.afterwards, &filled, &answer::text_in(&answer)),
                Err(error) => self.fail(&form, error),
            }
        });
    }

    fn succeed(self, afterwards: Afterwards, filled: &Filled, answer: &str) {
        let shows = afterwards.reveal.is_some();
        // What is shown this once must not end up in a notice or an address.
        let told = if shows { "" } else { answer };
        let label = |text: &str| filled.within(&text.replace("{answer}", told));
        self.next.set_value(Some(Afterwards {
            path: afterwards.path.as_deref().map(label),
            notice: label(&afterwards.notice),
            focus: label(&afterwards.focus),
            reveal: afterwards.reveal.map(|words| OnceWords { title: label(&words.title), ..words }),
        }));
        if shows {
            self.revealed.set(Some(answer.to_owned()));
        } else {
            self.go_on();
        }
    }

    /// The words around what is revealed.
    pub(super) fn reveal_words(self) -> Option<OnceWords> {
        self.next.get_value().and_then(|next| next.reveal)
    }

    /// Leaves for the page that comes next.
    pub(super) fn go_on(self) {
        let Some(Afterwards { path, notice, focus, .. }) = self.next.get_value() else { return };
        notice::leave(&notice, &focus);
        match path {
            Some(path) => browser::replace_page(&path),
            None => browser::reload(),
        }
    }

    fn fail(self, form: &HtmlFormElement, error: ConsoleError) {
        self.pending.set(false);
        let errors = match error {
            ConsoleError::Invalid(errors) => errors,
            ConsoleError::StepUpRequired { needs_code } => {
                self.step_up.set(Some(needs_code));
                return;
            }
            error => {
                self.failure.set(Some(error));
                return;
            }
        };
        let elsewhere = controls::show_errors(form, errors);
        if !elsewhere.is_empty() {
            let details: Vec<String> = elsewhere.into_iter().map(|error| error.detail).collect();
            self.failure.set(Some(ConsoleError::Refused(details.join(" "))));
        }
        controls::focus_first_error(form);
    }
}
