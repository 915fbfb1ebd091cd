//! The guide for services that take keys of Latchkey's from their own clients.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    code::CodeBlock,
    frame::{Entry, Section, entries},
};

const SECTIONS: [(&str, &str); 6] = [
    ("asker", "A key to ask with"),
    ("ask", "Ask"),
    ("question", "What can be asked"),
    ("answer", "The answer"),
    ("rust", "In a Rust service"),
    ("practice", "Good practice"),
];

/// Each runs as it stands; a test takes them from the page and does so.
const CURL: &str = include_str!("snippets/verify.sh");
const PYTHON: &str = include_str!("snippets/verify.py");
const SCRIPT: &str = include_str!("snippets/verify.mjs");
const RUST: &str = include_str!("snippets/guard.rs");

pub(super) fn contents() -> Vec<Entry> {
    entries(&SECTIONS)
}

#[component]
pub(super) fn VerifyGuide(public_url: Arc<str>) -> impl IntoView {
    view! {
        <h1>"Ask whether a key is good"</h1>
        <p class="lead">
            "Your own service can take the same API keys. For each request that it gets, it asks Latchkey about the key in it, and learns whose key it is and how far it goes, or what to answer instead."
        </p>
        <Asker/>
        <Ask public_url=public_url.to_string()/>
        <Asked/>
        <Answered/>
        <InRust/>
        <Practice/>
    }
}

#[component]
fn Asker() -> impl IntoView {
    view! {
        <Section anchor="asker" title="A key to ask with">
            <p>
                "Asking takes a key as well: your service’s own, with the permission "<code>"keys:verify"</code>". The group "<strong>"Verifier"</strong>
                " grants that and nothing else, so such a key can read no reservation. When it expires, you are let in nowhere: give it no expiration, or rotate it in time. It may ask about the keys of its own organization; a key of another’s is answered like one that does not exist."
            </p>
            <p>"Its own rate limit does not count questions. Each question counts as a call of the key that it is about."</p>
        </Section>
    }
}

#[component]
fn Ask(public_url: String) -> impl IntoView {
    let variables = format!(
        "export LATCHKEY_URL='{public_url}'\nexport LATCHKEY_KEY='the key to ask with'\nexport ASKED_KEY='the key that came with a request'\nexport CLIENT_IP='203.0.113.9'"
    );
    view! {
        <Section anchor="ask" title="Ask">
            <CodeBlock name="For the examples below" code=variables/>
            <CodeBlock name="Asking with curl" code=CURL/>
            <CodeBlock name="Asking in Python, with nothing to install" code=PYTHON/>
            <CodeBlock name="Asking in JavaScript, with Node’s own fetch" code=SCRIPT/>
        </Section>
    }
}

#[component]
fn Asked() -> impl IntoView {
    view! {
        <Section anchor="question" title="What can be asked">
            <p>"Only the key is required. Whatever else you send is judged, and what you leave out is not:"</p>
            <dl class="terms">
                <dt><code>"key"</code></dt>
                <dd>"The key as your client sent it."</dd>
                <dt><code>"permission"</code></dt>
                <dd>"What the request needs, such as "<code>"reservations:read"</code>"."</dd>
                <dt><code>"property"</code></dt>
                <dd>"The id of the property that it is about."</dd>
                <dt><code>"ip"</code></dt>
                <dd>"The address of your client. Without it, a key with an IP allowlist is refused, and the key’s log tells none."</dd>
                <dt><code>"origin"</code></dt>
                <dd>"The "<code>"Origin"</code>" header, as it came. Without it, a key with a list of allowed origins is refused."</dd>
                <dt><code>"cost"</code></dt>
                <dd>"How many calls of the key’s rate limit this takes: 1 unless you say otherwise, and 0 to look without counting."</dd>
            </dl>
        </Section>
    }
}

/// The verdict, what to answer, and what it means.
const VERDICTS: [(&str, &str, &str); 11] = [
    ("VALID", "–", "Let the request in."),
    ("MALFORMED", "401", "The key is mistyped or cut off."),
    ("NOT_FOUND", "401", "There is no such key in your organization."),
    ("REVOKED", "401", "The key was revoked, or its secret was replaced by a rotation."),
    ("EXPIRED", "401", "The key’s expiration has come."),
    ("DISABLED", "401", "The organization has no API keys at the moment, or the key’s owner was switched off."),
    ("IP_NOT_ALLOWED", "403", "The address is not on the key’s allowlist."),
    ("ORIGIN_NOT_ALLOWED", "403", "The origin is not among those of the key."),
    ("INSUFFICIENT_PERMISSIONS", "403", "The key’s group or its scopes do not go so far."),
    ("PROPERTY_NOT_ALLOWED", "403", "The key does not reach the property."),
    ("RATE_LIMITED", "429", "The key’s calls of the last minute are used up."),
];

#[component]
fn Answered() -> impl IntoView {
    let rows = VERDICTS.map(|(verdict, status, meaning)| {
        view! {
            <tr>
                <th scope="row"><code>{verdict}</code></th>
                <td data-label="Your answer">{status}</td>
                <td>{meaning}</td>
            </tr>
        }
    });
    view! {
        <Section anchor="answer" title="The answer">
            <p>
                "A question that could be judged is answered 200, however it came out. "<code>"data.valid"</code>" says whether the key is good. If it is, the rest of "<code>"data"</code>
                " says whose it is and how far it goes. If not, "<code>"code"</code>" says why, "<code>"http_status"</code>" and "<code>"message"</code>
                " what to answer your own client, and "<code>"retry_after_seconds"</code>", if it is there, goes into "<code>"Retry-After"</code>"."
            </p>
            <div class="table-frame" tabindex="0" role="group" aria-label="Verdicts">
                <table class="lookup">
                    <thead><tr><th scope="col">"Verdict"</th><th scope="col">"Your answer"</th><th scope="col">"What it means"</th></tr></thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
            <p>
                "Any other status is about your question, or the key that you ask with: "<code>"code"</code>" and "<code>"detail"</code>" say what is wrong, and the reference lists "<a href="/docs#errors">"all of them"</a>". Then nothing is known of the other key. A 422 whose "<code>"errors"</code>" name nothing but "<code>"property"</code>" or "<code>"origin"</code>" is your client’s own: answer 400."
            </p>
        </Section>
    }
}

#[component]
fn InRust() -> impl IntoView {
    view! {
        <Section anchor="rust" title="In a Rust service">
            <p>
                "The crate "<code>"latchkey-client"</code>", which comes with Latchkey’s source, does all of this for services of axum, and of everything else that is built on tower. Three lines put a guard in front of one:"
            </p>
            <CodeBlock name="Guarding a service of axum’s" code=RUST/>
            <p>
                "It finds the key in the headers, asks, and sends the answers above to requests that it rejects. The service finds a "<code>"Caller"</code>
                " among the request’s extensions. The crate’s own README says how to tell it of proxies and properties."
            </p>
        </Section>
    }
}

#[component]
fn Practice() -> impl IntoView {
    view! {
        <Section anchor="practice" title="Good practice">
            <ul>
                <li>"Reject requests without an answer. If Latchkey cannot be reached in time, answer 503 with "<code>"Retry-After"</code>", and never treat the request as one with a valid key."</li>
                <li>"Ask about every request. A key that was revoked is refused from the very next question; if you remember answers, it lives on for as long as you remember them, and its rate limit counts questions instead of requests."</li>
                <li>"Take the client’s address from your own connection, or from a proxy that you run. Anybody can send "<code>"X-Forwarded-For"</code>"."</li>
                <li>"Take a key from one header only, and answer 400 if a request brings two different ones."</li>
                <li>"Log "<code>"key_id"</code>" and "<code>"meta.request_id"</code>", never the key."</li>
            </ul>
        </Section>
    }
}
