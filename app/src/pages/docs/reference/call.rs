//! An operation of the API.

use chrono::NaiveDate;
use leptos::prelude::*;

use super::{
    super::{
        code::{CodeBlock, marked},
        frame::Method,
    },
    fields::{fields, parameters},
};
use crate::{
    islands::{TryCall, TryField},
    reference::{Body, Needs, Operation, Parameter, Purpose, Response},
};

pub(super) fn view(operation: &Operation, public_url: &str, today: NaiveDate) -> impl IntoView + use<> {
    let Operation { id, method, path, summary, description, .. } = operation;
    let (method, href) = (*method, format!("#{id}"));
    let label = format!("Link to “{summary}”");
    let responses = operation.responses.iter().map(|response| response_view(response, today));
    view! {
        <article class="call" aria-labelledby=id.clone()>
            <h3 id=id.clone()>{summary.clone()}<a class="anchor" href=href aria-label=label>"#"</a></h3>
            <p class="call-line"><Method method/><code>{path.clone()}</code></p>
            {description.as_deref().map(|words| view! { <p>{marked(words)}</p> })}
            <p class="needs">{needs(&operation.needs)}</p>
            {(!operation.parameters.is_empty()).then(|| view! { <h4>"Parameters"</h4>{parameters(&operation.parameters)} })}
            {operation.body.as_ref().map(|body| body_view(body, today))}
            {responses.collect_view()}
            <p class="hint">
                "Errors are returned as a "<a href="#errors">"problem"</a>" with one of the codes listed there."
            </p>
            <CodeBlock name="With curl" code=curl(operation, public_url, today)/>
            <details class="try">
                <summary>"Try it"</summary>
                <TryCall
                    id=id.clone()
                    method=method.to_owned()
                    path=path.clone()
                    needs_key={!matches!(operation.needs, Needs::Nothing)}
                    fields=try_fields(&operation.parameters)
                    media_type=operation.body.as_ref().map(|body| body.media_type.clone())
                    body=operation.body.as_ref().map(|body| example(body, today)).unwrap_or_default()
                />
            </details>
        </article>
    }
}

fn needs(needs: &Needs) -> impl IntoView + use<> {
    match needs {
        Needs::Nothing => "No key required.".into_any(),
        Needs::AnyKey => "Any valid key.".into_any(),
        Needs::Permission(permission) => {
            let permission = permission.clone();
            view! { "Requires "<code class="permission">{permission}</code>"." }.into_any()
        }
    }
}

fn body_view(body: &Body, today: NaiveDate) -> impl IntoView + use<> {
    view! {
        <h4>"Body"</h4>
        {fields(&body.shape, true)}
        <CodeBlock name=body.media_type.clone() code=example(body, today)/>
    }
}

fn response_view(response: &Response, today: NaiveDate) -> impl IntoView + use<> {
    let Response { status, description, shape } = response;
    let body = shape.as_ref().map(|shape| {
        view! {
            <CodeBlock name="Response" code=shape.example(Purpose::Response, today)/>
            <details class="more">
                <summary>"Fields"</summary>
                {fields(shape, false)}
            </details>
        }
    });
    view! {
        <h4>{format!("Response {status}")}</h4>
        <p>{description.clone()}"."</p>
        {body}
    }
}

/// An example body in its media type.
fn example(body: &Body, today: NaiveDate) -> String {
    if body.media_type.ends_with("json") {
        return body.shape.example(Purpose::Request, today);
    }
    let fields = body.shape.fields().into_iter().filter(|field| field.member.is_required);
    let pairs: Vec<String> = fields
        .map(|field| format!("{}={}", field.path, field.member.shape.example_word().unwrap_or_default()))
        .collect();
    pairs.join("&")
}

/// A curl command that makes the call.
fn curl(operation: &Operation, public_url: &str, today: NaiveDate) -> String {
    // With a body, curl uses POST by default.
    let method = match operation {
        Operation { method: "GET", .. } | Operation { method: "POST", body: Some(_), .. } => String::new(),
        other => format!("-X {} ", other.method),
    };
    let mut words = vec![format!("curl {method}\"{public_url}{}\"", operation.example_address())];
    if !matches!(operation.needs, Needs::Nothing) {
        words.push("-H \"Authorization: Bearer $LATCHKEY_KEY\"".to_owned());
    }
    if operation.parameters.iter().any(|parameter| parameter.member.name == "Idempotency-Key") {
        words.push("-H \"Idempotency-Key: \\\"$(uuidgen)\\\"\"".to_owned());
    }
    if let Some(body) = &operation.body {
        words.push(format!("-H \"Content-Type: {}\"", body.media_type));
        words.push(format!("-d '{}'", example(body, today)));
    }
    words.join(" \\\n  ")
}

/// The fields of the "Try it" form. Only the required ones are filled in.
fn try_fields(parameters: &[Parameter]) -> Vec<TryField> {
    parameters
        .iter()
        .map(|Parameter { location, member }| TryField {
            name: member.name.clone(),
            place: (*location).to_owned(),
            is_required: member.is_required,
            example: member.shape.example_word().unwrap_or_default(),
        })
        .collect()
}
