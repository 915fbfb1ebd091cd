//! Forms whose fields the server rendered: what is filled in goes to a server function, and what that answers comes
//! back to the fields. A page needs no island of its own to change something.

use leptos::{prelude::*, server_fn::ServerFn};
use serde::{Deserialize, Serialize};
use web_sys::{Event, SubmitEvent};

use super::{
    dialog::Failure,
    shown_once::{OnceWords, ShownOnce, forget_on_leaving},
    submit_button::SubmitButton,
};

mod answer;
mod controls;
mod filled;
mod sending;
mod step_up;

pub(super) use sending::Sending;
pub(super) use step_up::StepUp;

/// What a form does, and in which words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormSpec {
    /// Tells its fields from those of the other forms of the page.
    pub id: String,
    /// Where its server function is.
    pub path: String,
    pub submit: String,
    pub doing: String,
    pub is_danger: bool,
    /// Where “Cancel” leads, in a form that is no dialog.
    pub cancel: Option<String>,
    pub afterwards: Afterwards,
}

impl FormSpec {
    /// A form that calls `F` with its fields. `submit` stands on its button, `doing` while it is under way.
    #[must_use]
    pub fn calling<F: ServerFn>(id: impl Into<String>, submit: &str, doing: &str, afterwards: Afterwards) -> Self {
        Self {
            id: id.into(),
            path: F::PATH.to_owned(),
            submit: submit.to_owned(),
            doing: doing.to_owned(),
            is_danger: false,
            cancel: None,
            afterwards,
        }
    }

    /// The same form, for something that breaks or removes.
    #[must_use]
    pub fn dangerous(self) -> Self {
        Self { is_danger: true, ..self }
    }

    /// The same form, with a way back to another page.
    #[must_use]
    pub fn or_back_to(self, path: &str) -> Self {
        Self { cancel: Some(path.to_owned()), ..self }
    }
}

/// What happens once the function has done its work.
///
/// In all the texts, `{name}` stands for what was filled in as `name`, and `{answer}` for what the function answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Afterwards {
    /// Shows what the function answered, before anything else happens.
    pub reveal: Option<OnceWords>,
    /// The page to leave for; none loads this one anew.
    pub path: Option<String>,
    /// Said on the page that comes next. Never a secret.
    pub notice: String,
    /// What the focus belongs to there, as a selector.
    pub focus: String,
}

impl Afterwards {
    #[must_use]
    pub fn reload(notice: impl Into<String>, focus: impl Into<String>) -> Self {
        Self { reveal: None, path: None, notice: notice.into(), focus: focus.into() }
    }

    #[must_use]
    pub fn go(path: impl Into<String>, notice: impl Into<String>, focus: impl Into<String>) -> Self {
        Self { path: Some(path.into()), ..Self::reload(notice, focus) }
    }

    /// First shows the lines of text that the function answered, this once.
    #[must_use]
    pub fn revealing(self, words: OnceWords) -> Self {
        Self { reveal: Some(words), ..self }
    }
}

/// A form on a page, around fields that the server rendered.
#[island]
pub fn ServerForm(form: FormSpec, children: Children) -> impl IntoView {
    let cancel = form.cancel.clone().map(|path| view! { <a class="button" href=path>"Cancel"</a> });
    let sending = Sending::new(form);
    view! {
        <Fields sending footer="form-footer" cancel=cancel.into_any()>{children()}</Fields>
        <StepUp sending/>
        <Revealed sending/>
    }
}

/// The fields with what sends them and what went wrong.
#[component]
pub(super) fn Fields(sending: Sending, footer: &'static str, cancel: AnyView, children: Children) -> impl IntoView {
    let FormSpec { id, submit, doing, is_danger, .. } = sending.spec();
    let element = sending.element();
    let send = move |event: SubmitEvent| {
        event.prevent_default();
        sending.send();
    };
    let forget_error = move |event: Event| {
        if let Some(element) = element.get_untracked() {
            controls::forget_error(&element, &event);
        }
    };
    // What is typed before the page is alive would be lost.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    view! {
        // Never sent by the browser itself; if it were, nothing typed should end up in an address.
        <form
            class="form"
            id=id
            method="post"
            novalidate
            inert=move || !is_alive.get()
            node_ref=element
            on:submit=send
            on:input=forget_error
        >
            {children()}
            <Failure error=sending.failure()/>
            <footer class=footer>
                {cancel}
                <SubmitButton label=submit doing pending=sending.pending() is_danger/>
            </footer>
        </form>
    }
}

/// What the function answered, when it is to be shown.
#[component]
pub(super) fn Revealed(sending: Sending) -> impl IntoView {
    let revealed = sending.revealed();
    forget_on_leaving(revealed);
    let done = Callback::new(move |()| {
        revealed.set(None);
        sending.go_on();
    });
    move || {
        revealed.get().zip(sending.reveal_words()).map(|(text, words)| view! { <ShownOnce text words on_done=done/> })
    }
}
