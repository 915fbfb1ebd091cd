//! A call of the API, tried from the page that describes it.

use leptos::{html, prelude::*};
use serde::{Deserialize, Serialize};
use web_sys::SubmitEvent;

use super::{
    http::{Answer, Call, NoAnswer},
    submit_button::SubmitButton,
    try_key,
};

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// A parameter that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TryField {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub is_required: bool,
    pub example: String,
}

#[derive(Clone)]
enum Outcome {
    NoKey,
    None(NoAnswer),
    Answer(Answer),
}

/// A field and what is typed into it.
#[derive(Clone)]
struct Typed {
    field: TryField,
    input: NodeRef<html::Input>,
}

impl Typed {
    fn value(&self) -> String {
        self.input.get_untracked().map(|input| input.value().trim().to_owned()).unwrap_or_default()
    }
}

#[island]
pub fn TryCall(
    /// Tells its fields from those of other calls.
    id: String,
    method: String,
    path: String,
    needs_key: bool,
    fields: Vec<TryField>,
    /// None when no body is sent.
    media_type: Option<String>,
    body: String,
) -> impl IntoView {
    let fields: Vec<Typed> = fields.into_iter().map(|field| Typed { field, input: NodeRef::new() }).collect();
    let text = NodeRef::<html::Textarea>::new();
    let outcome = RwSignal::new(None::<Outcome>);
    let pending = RwSignal::new(false);
    let send = {
        let (fields, media_type) = (fields.clone(), media_type.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if pending.get_untracked() {
                return;
            }
            let key = try_key::typed_key();
            if needs_key && key.is_empty() {
                outcome.set(Some(Outcome::NoKey));
                return;
            }
            let body = text.get_untracked().map(|text| text.value());
            let mut call = call(&method, &path, &fields);
            call.headers.extend(media_type.iter().map(|media_type| ("Content-Type".to_owned(), media_type.clone())));
            if needs_key {
                call.headers.push(("Authorization".to_owned(), format!("Bearer {key}")));
            }
            pending.set(true);
            outcome.set(None);
            leptos::task::spawn_local(async move {
                let answered = Call { body, ..call }.send().await;
                outcome.set(Some(answered.map_or_else(Outcome::None, Outcome::Answer)));
                pending.set(false);
            });
        }
    };
    // What is typed before the page is alive would be lost.
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let inputs = fields.into_iter().map(|typed| view! { <Input id=id.clone() typed/> });
    let body_id = format!("{id}-body");
    let text_area = media_type.is_some().then(|| {
        view! {
            <div class="field">
                <label for=body_id.clone()>"Body"</label>
                <textarea class="code" id=body_id.clone() spellcheck="false" node_ref=text>{body}</textarea>
            </div>
        }
    });
    view! {
        <form class="form" inert=move || !is_alive.get() on:submit=send>
            {inputs.collect_view()}
            {text_area}
            <div class="try-send">
                <SubmitButton label="Send" doing="Sending…" pending/>
                <p class="try-status" role="status">{move || status(outcome.get(), pending.get())}</p>
            </div>
        </form>
        {move || match outcome.get() {
            Some(Outcome::NoKey) => Some(view! {
                <button class="button small" type="button" on:click=|_| try_key::focus_key()>"Go to the field for the key"</button>
            }.into_any()),
            Some(Outcome::Answer(answer)) => Some(view! { <Answered answer/> }.into_any()),
            Some(Outcome::None(_)) | None => None,
        }}
    }
}

/// Everything of a call but its credential and its body.
fn call(method: &str, path: &str, fields: &[Typed]) -> Call {
    let mut address = path.to_owned();
    let (mut query, mut headers) = (Vec::new(), Vec::new());
    for typed in fields {
        let (name, value) = (&typed.field.name, typed.value());
        let encoded = String::from(js_sys::encode_uri_component(&value));
        match typed.field.place.as_str() {
            "path" => address = address.replace(&format!("{{{name}}}"), &encoded),
            _ if value.is_empty() => {}
            "query" => query.push(format!("{name}={encoded}")),
            _ => headers.push((name.clone(), value)),
        }
    }
    if !query.is_empty() {
        address = format!("{address}?{}", query.join("&"));
    }
    Call { method: method.to_owned(), address, headers, body: None }
}

/// One line that says what became of the call.
fn status(outcome: Option<Outcome>, is_pending: bool) -> String {
    match outcome {
        _ if is_pending => String::new(),
        None => String::new(),
        Some(Outcome::NoKey) => "There is no key to send: put one into the field under “Try it here”.".to_owned(),
        Some(Outcome::None(NoAnswer::Unsendable)) => {
            "This cannot be sent: a key or a header holds a character that no header can.".to_owned()
        }
        Some(Outcome::None(NoAnswer::Unreachable)) => {
            "The server cannot be reached. Check your connection and send it again.".to_owned()
        }
        Some(Outcome::Answer(Answer { status, reason, milliseconds, .. })) => {
            format!("{} in {milliseconds} ms", format!("{status} {reason}").trim_end())
        }
    }
}

#[component]
fn Input(id: String, typed: Typed) -> impl IntoView {
    let Typed { field: TryField { name, place, is_required, example }, input } = typed;
    let id = format!("{id}-{name}");
    let is_idempotency_key = name == IDEMPOTENCY_KEY;
    let renew = move || {
        if let Some(input) = input.get_untracked() {
            input.set_value(&fresh_idempotency_key());
        }
    };
    if is_idempotency_key {
        Effect::new(move |_| renew());
    }
    let optional = (!is_required).then(|| view! { <span class="optional">"optional"</span> });
    view! {
        <div class="field">
            <label for=id.clone()><code>{name}</code>" "<span class="optional">{place}</span>" "{optional}</label>
            <div class="try-key">
                <input id=id type="text" autocomplete="off" autocapitalize="none" spellcheck="false" required=is_required placeholder=example node_ref=input/>
                {is_idempotency_key.then(|| view! { <button class="button" type="button" on:click=move |_| renew()>"New"</button> })}
            </div>
        </div>
    }
}

/// Never the same twice, which is all that it has to be.
fn fresh_idempotency_key() -> String {
    let digits = || (js_sys::Math::random() * 1e9) as u32;
    format!("try-{:09}{:09}", digits(), digits())
}

#[component]
fn Answered(answer: Answer) -> impl IntoView {
    let headers = answer.headers.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
    view! {
        <div class="try-answer" class:refused={answer.status >= 400}>
            <dl>{headers.collect_view()}</dl>
            <pre tabindex="0" role="group" aria-label="The answer’s body"><code>{answer.body}</code></pre>
        </div>
    }
}
