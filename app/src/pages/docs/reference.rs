//! The reference: how the API is called, and every call that there is.

use leptos::prelude::*;

use super::{
    code::{CodeBlock, marked},
    frame::{Entry, Section},
};
use crate::{
    console::Console,
    islands::TryKey,
    reference::{Group, ProblemKind, Reference},
};

mod call;
mod fields;

const GENERAL: [(&str, &str); 8] = [
    ("authentication", "Authentication"),
    ("base-url", "Base URL"),
    ("try", "Try it here"),
    ("rate-limits", "Rate limits"),
    ("lists", "Lists"),
    ("idempotency", "Sending again safely"),
    ("browsers", "From a browser page"),
    ("errors", "Errors"),
];

/// Where the calls of a group begin.
fn anchor(group: &Group) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("calls-{}", group.name.chars().map(letter).collect::<String>())
}

pub(super) fn contents(reference: &Reference) -> Vec<Entry> {
    let calls = reference.groups.iter().map(|group| {
        let below = group.operations.iter().map(|operation| Entry {
            method: Some(operation.method),
            ..Entry::new(operation.id.clone(), operation.summary.clone())
        });
        Entry { below: below.collect(), ..Entry::new(anchor(group), group.name.clone()) }
    });
    super::frame::entries(&GENERAL).into_iter().chain(calls).collect()
}

#[component]
pub(super) fn ReferencePage(console: Console) -> impl IntoView {
    let Console { reference, public_url, keyring, .. } = console;
    let today = keyring.now().date_naive();
    let groups = reference.groups.iter().map(|group| {
        let calls = group.operations.iter().map(|operation| call::view(operation, &public_url, today)).collect_view();
        view! { <Section anchor=anchor(group) title=group.name.clone()>{calls}</Section>
        }
    });
    let groups = groups.collect_view();
    view! {
        <h1>"API reference"</h1>
        <p class="lead">
            "Over HTTP, a program reads what your properties offer and makes reservations, as far as its API key goes. "
            "New to keys? Begin with "<a href="/docs/keys">"Using a key"</a>". Tools can read the same as "
            <a href="/api/openapi.json">"OpenAPI 3.1"</a>"."
        </p>
        <Authentication public_url=public_url.to_string()/>
        <BaseUrl public_url=public_url.to_string()/>
        <Section anchor="try" title="Try it here">
            <p>
                "Put a key in here and open “Try it” at any call below. Calls are real: they count towards the key’s rate limit, "
                "and a reservation that you make is made. The key stays in this field until you close or leave the page."
            </p>
            <TryKey/>
        </Section>
        <RateLimits/>
        <Lists/>
        <Idempotency/>
        <Browsers/>
        <Errors problems=reference.problems.clone()/>
        {groups}
    }
}

#[component]
fn Authentication(public_url: String) -> impl IntoView {
    let code = format!("curl -H \"Authorization: Bearer $LATCHKEY_KEY\" {public_url}/api/v1/key");
    view! {
        <Section anchor="authentication" title="Authentication">
            <p>"Every call carries an API key, in one of three headers. They mean the same; take the one that your tools like best."</p>
            <div class="table-frame" tabindex="0" role="group" aria-label="Headers that carry a key">
                <table class="lookup">
                    <thead><tr><th scope="col">"Header"</th><th scope="col">"Good to know"</th></tr></thead>
                    <tbody>
                        <tr><th scope="row"><code>"Authorization: Bearer <key>"</code></th><td>"What most HTTP libraries have a setting for."</td></tr>
                        <tr><th scope="row"><code>"X-API-Key: <key>"</code></th><td>"For tools that keep "<code>"Authorization"</code>" to themselves."</td></tr>
                        <tr><th scope="row"><code>"user-api-key: <key>"</code></th><td>"For integrations that were written with this name."</td></tr>
                    </tbody>
                </table>
            </div>
            <CodeBlock name="Which key is this, and what may it do?" code/>
            <p>
                "Send one credential. The same key in two headers is fine; two different ones, or a header sent twice, is refused with "
                <a href="#problem-conflicting_credentials"><code>"conflicting_credentials"</code></a>
                ". A key in the query, the body or a cookie is not looked at. E-mail and password, or an access token, still work until "
                <a href="/docs/migrate">"their last day"</a>"."
            </p>
        </Section>
    }
}

#[component]
fn BaseUrl(public_url: String) -> impl IntoView {
    view! {
        <Section anchor="base-url" title="Base URL">
            <CodeBlock name="All paths below start from here" code=public_url/>
            <p>
                "Requests and answers are JSON in UTF-8. A slash at the end of a path makes no difference. A body may be up to 64 KiB long. "
                "Every answer has an "<code>"X-Request-Id"</code>": send your own to find a call again in your logs, or note ours."
            </p>
        </Section>
    }
}

#[component]
fn RateLimits() -> impl IntoView {
    view! {
        <Section anchor="rate-limits" title="Rate limits">
            <p>
                "A key may be used so many times in any 60 seconds, 60 unless its admin chose another number (1 to 1000). "
                "A call that is refused costs nothing. Every answer to a key says how it stands:"
            </p>
            <CodeBlock name="Headers of an answer" code="RateLimit-Policy: \"default\";q=60;w=60\nRateLimit: \"default\";r=41;t=12"/>
            <p>
                <code>"q"</code>" calls are allowed in "<code>"w"</code>" seconds; "<code>"r"</code>" are left, and in "<code>"t"</code>
                " seconds there will be more. When none is left the answer is 429 with "<code>"Retry-After"</code>
                ", in whole seconds: wait that long, then send the same call again."
            </p>
        </Section>
    }
}

#[component]
fn Lists() -> impl IntoView {
    let code = "{\n  \"data\": [ … ],\n  \"next_cursor\": \"…\"\n}";
    view! {
        <Section anchor="lists" title="Lists">
            <p>
                "A list comes in pages of "<code>"limit"</code>" items, 50 unless you ask for 1 to 200. While "<code>"next_cursor"</code>
                " is not null there is more: send it back as "<code>"cursor"</code>", just as it is. What a key may not see is left out."
            </p>
            <CodeBlock name="A page of a list" code/>
        </Section>
    }
}

#[component]
fn Idempotency() -> impl IntoView {
    view! {
        <Section anchor="idempotency" title="Sending again safely">
            <p>
                "A connection can break after a reservation was made and before you heard of it. Send an "<code>"Idempotency-Key"</code>
                " of your own with each new reservation, such as a UUID in quotes, and send the very same call again when in doubt: within a day you get the first answer, with "
                <code>"Idempotent-Replayed: true"</code>", and nothing is reserved twice. The same key with another body is refused with "
                <a href="#problem-idempotency_key_reused"><code>"idempotency_key_reused"</code></a>
                "; while the first call is still at it, the answer is "
                <a href="#problem-request_in_progress"><code>"request_in_progress"</code></a>"."
            </p>
        </Section>
    }
}

#[component]
fn Browsers() -> impl IntoView {
    view! {
        <Section anchor="browsers" title="From a browser page">
            <p>
                "Scripts on other sites may call the API (CORS). Whether a call is let through is decided by the key’s allowed origins; "
                "a refusal can be read by the script as well, and so can the rate-limit headers, "<code>"Retry-After"</code>" and "
                <code>"X-Request-Id"</code>". Cookies play no part. Anyone who opens a page can read the key in it, so read "
                <a href="/docs/keys#browser">"what to mind"</a>" first."
            </p>
        </Section>
    }
}

#[component]
fn Errors(problems: Vec<ProblemKind>) -> impl IntoView {
    let code = "HTTP/1.1 403 Forbidden\nContent-Type: application/problem+json\n\n{\n  \"type\": \"…/problems/property_not_allowed\",\n  \
                \"title\": \"Property not allowed\",\n  \"status\": 403,\n  \"detail\": \"What happened, and what to do.\",\n  \
                \"code\": \"property_not_allowed\",\n  \"request_id\": \"req_…\"\n}";
    let rows = problems.into_iter().map(|problem| {
        let ProblemKind { code, status, title, meaning } = problem;
        view! {
            <tr id=format!("problem-{code}")>
                <th scope="row"><code>{code}</code></th>
                <td data-label="Status">{status}</td>
                <td><strong>{title}"."</strong>" "{marked(meaning)}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <Section anchor="errors" title="Errors">
            <p>
                "Whatever goes wrong is told as "<code>"application/problem+json"</code>" (RFC 9457). Let programs go by "<code>"code"</code>
                ", which never changes, and people read "<code>"detail"</code>". "<code>"type"</code>
                " leads to a row below. When fields are wrong, "<code>"errors"</code>" names every one of them with its own code and detail."
            </p>
            <CodeBlock name="A refusal" code/>
            <div class="table-frame" tabindex="0" role="group" aria-label="Codes of problems">
                <table class="lookup problems">
                    <thead><tr><th scope="col">"Code"</th><th scope="col">"Status"</th><th scope="col">"What it means, and what to do"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </Section>
    }
}
