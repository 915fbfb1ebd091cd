//! The guide to using a key, from getting one to finding out why it is refused.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    code::CodeBlock,
    frame::{Entry, Section, entries},
};

const SECTIONS: [(&str, &str); 10] = [
    ("get", "Get a key"),
    ("store", "Store it"),
    ("send", "Send it"),
    ("reach", "What it may do"),
    ("expiry", "Expiration"),
    ("rotate", "Rotate it"),
    ("limits", "Rate limits"),
    ("browser", "In a browser page"),
    ("practice", "Good practice"),
    ("trouble", "When it does not work"),
];

pub(super) fn contents() -> Vec<Entry> {
    entries(&SECTIONS)
}

#[component]
pub(super) fn KeysGuide(public_url: Arc<str>) -> impl IntoView {
    view! {
        <h1>"Using a key"</h1>
        <p class="lead">
            "An API key lets one program call the API in your organization’s name, without anybody’s password. "
            "This guide goes from getting one to keeping it in order; every call is in the "<a href="/docs">"API reference"</a>"."
        </p>
        <GetAndStore/>
        <Send public_url=public_url.to_string()/>
        <PropertyScope/>
        <Ending/>
        <Limits/>
        <Browser public_url=public_url.to_string()/>
        <Practice/>
        <Trouble/>
    }
}

#[component]
fn GetAndStore() -> impl IntoView {
    view! {
        <Section anchor="get" title="Get a key">
            <ol>
                <li>"Sign in to the console. Keys are kept by admins; if you are not one, ask one of yours."</li>
                <li>"Open "<strong>"Settings, Data & Monitoring, API Keys"</strong>" and choose "<strong>"Generate API Key"</strong>"."</li>
                <li>"Name the key after the integration that will use it, pick what it may do, and restrict it as far as you can."</li>
                <li>"Copy the secret from the dialog. It is shown this once: afterwards only a hash of it is stored, and it cannot be looked up."</li>
            </ol>
            <p>"A secret that got lost before it was stored is no great matter: rotate the key and copy the new one."</p>
        </Section>
        <Section anchor="store" title="Store it">
            <p>
                "Keep the secret where your program keeps its other secrets: in a vault, in the secret store of your platform, or in a file or an environment variable that "
                "only the program can read. Anyone who has it can do what the key can. So it does not belong in source code, in a repository, in an address, a ticket or a chat."
            </p>
            <CodeBlock name="For the examples below" code="export LATCHKEY_KEY='paste the secret here'"/>
        </Section>
    }
}

#[component]
fn Send(public_url: String) -> impl IntoView {
    let curl = format!("curl -H \"Authorization: Bearer $LATCHKEY_KEY\" \\\n  {public_url}/api/v1/properties");
    let python = format!(
        "import json, os, urllib.error, urllib.request\n\n\
         request = urllib.request.Request(\n    \"{public_url}/api/v1/properties\",\n    \
         headers={{\"Authorization\": \"Bearer \" + os.environ[\"LATCHKEY_KEY\"]}},\n)\n\
         try:\n    with urllib.request.urlopen(request, timeout=10) as answer:\n        \
         for item in json.load(answer)[\"data\"]:\n            print(item[\"id\"], item[\"name\"])\n\
         except urllib.error.HTTPError as error:\n    problem = json.load(error)\n    \
         print(problem[\"code\"], problem[\"detail\"], problem[\"request_id\"])"
    );
    let script = format!(
        "const answer = await fetch(\"{public_url}/api/v1/properties\", {{\n  \
         headers: {{ Authorization: `Bearer ${{process.env.LATCHKEY_KEY}}` }},\n  \
         signal: AbortSignal.timeout(10_000),\n}});\nconst body = await answer.json();\n\
         if (!answer.ok) throw new Error(`${{body.code}}: ${{body.detail}} (${{body.request_id}})`);\n\
         for (const {{ id, name }} of body.data) console.log(id, name);"
    );
    view! {
        <Section anchor="send" title="Send it">
            <p>
                "The key goes along in a header with every call: "<code>"Authorization: Bearer"</code>", "<code>"X-API-Key"</code>" or "<code>"user-api-key"</code>
                ", whichever suits your tools. There is nothing to log in to and nothing to refresh."
            </p>
            <CodeBlock name="curl" code=curl/>
            <CodeBlock name="Python, with nothing to install" code=python/>
            <CodeBlock name="JavaScript on a server, with fetch" code=script/>
        </Section>
    }
}

#[component]
fn PropertyScope() -> impl IntoView {
    view! {
        <Section anchor="reach" title="What it may do">
            <p>"A call goes through when everything that was set on the key lets it through:"</p>
            <dl class="terms">
                <dt>"Authorization group"</dt>
                <dd>"Names the permissions, such as "<code>"reservations:read"</code>" or "<code>"reservations:*"</code>". The reference says at each call which one it takes."</dd>
                <dt>"Scopes"</dt>
                <dd>
                    "Narrow the group: "<code>"read"</code>" for looking, "<code>"write"</code>" for everything that changes something. They do not include each other, so most integrations "
                    "that make reservations need both."
                </dd>
                <dt>"Properties"</dt>
                <dd>"Either all of them, those added later included, or the ones that were ticked. Lists leave the others out; naming one of the others is refused."</dd>
                <dt>"IP allowlist"</dt>
                <dd>"Addresses and ranges that the key may be used from. Empty means any."</dd>
                <dt>"Allowed origins"</dt>
                <dd>"Sites whose pages may use the key. Empty means any, and programs without an origin as well; with a list, a call without one of its origins is refused."</dd>
                <dt>"Rate limit"</dt>
                <dd>"How many calls it has in any 60 seconds."</dd>
            </dl>
            <p>"Ask the key itself when in doubt: "<a href="/docs#get_key"><code>"GET /api/v1/key"</code></a>" answers all of this but the addresses and origins. An admin can change all of it later; the secret stays the same."</p>
        </Section>
    }
}

#[component]
fn Ending() -> impl IntoView {
    view! {
        <Section anchor="expiry" title="Expiration">
            <p>
                "A key can have a day or a minute at which it stops working. The console marks it "<strong>"Expiring soon"</strong>" for the last 30 days, and your program can watch "
                <code>"expires_at"</code>" in what the key says of itself. To move the end, rotate the key and choose another."
            </p>
        </Section>
        <Section anchor="rotate" title="Rotate it">
            <p>
                "Rotating gives the same key a new secret; its name, reach and history stay. You choose for how long the old secret goes on working beside the new one: not at all, an hour, a day or a week."
            </p>
            <ol>
                <li>"Rotate with a grace period and copy the new secret."</li>
                <li>"Put it where the integration reads it, and restart the integration if it needs that."</li>
                <li>"Make sure that nothing uses the old one: a call with it shows "<code>"rotation.retires_at"</code>" in "<code>"GET /api/v1/key"</code>", one with the new secret does not."</li>
                <li>"End the grace period in the console, or let it run out."</li>
            </ol>
            <p>"If a secret may have leaked, rotate without a grace period, or revoke the key: both take effect immediately, and a revoked key cannot be brought back."</p>
        </Section>
    }
}

#[component]
fn Limits() -> impl IntoView {
    let code = "for attempt in range(5):\n    answer = requests.get(url, headers=headers, timeout=10)\n    if \"Retry-After\" not in answer.headers:\n        break\n    \
                time.sleep(int(answer.headers[\"Retry-After\"]))";
    view! {
        <Section anchor="limits" title="Rate limits">
            <p>
                "Every answer says how many calls are left ("<code>"r"</code>" in "<code>"RateLimit"</code>") and when there will be more ("<code>"t"</code>
                ", in seconds). A program that slows down as "<code>"r"</code>" nears zero is never refused. One that is refused gets 429 with "<code>"Retry-After"</code>
                ": wait that long before the next call. Calls sent before that are refused as well, and cost nothing."
            </p>
            <CodeBlock name="Python, with requests" code/>
            <p>"Keep what you have read for a while instead of asking again, and ask for bigger pages. If that is not enough, an admin can raise the limit to as much as 1000 a minute."</p>
        </Section>
    }
}

#[component]
fn Browser(public_url: String) -> impl IntoView {
    let code = format!(
        "const answer = await fetch(\"{public_url}/api/v1/services?property_id=prp_…\", {{\n  headers: {{ \"X-API-Key\": key }},\n}});\n\
         const body = await answer.json();\nif (!answer.ok) show(body.detail);"
    );
    view! {
        <Section anchor="browser" title="In a browser page">
            <p>
                "A booking widget can call the API from the page that it stands in. But anyone who opens the page can read the key in it, and a program outside of a browser can claim any origin. "
                "So give a page a key that may be public:"
            </p>
            <ul>
                <li>"a key of its own, with the "<code>"read"</code>" scope and a group that holds no more than the page shows;"</li>
                <li>"the properties that it is about, and no others;"</li>
                <li>"the page’s origin among the allowed origins, such as "<code>"https://book.example.com"</code>": scheme and host, the port if it is not the usual one, no path;"</li>
                <li>"a rate limit that fits the page."</li>
            </ul>
            <p>"Whatever writes, or shows guests’ names, goes through a server of yours that keeps the key to itself."</p>
            <CodeBlock name="JavaScript in a page" code/>
        </Section>
    }
}

#[component]
fn Practice() -> impl IntoView {
    view! {
        <Section anchor="practice" title="Good practice">
            <ul>
                <li>"One key for each integration, and another for its test system: each can then be narrowed, rotated or revoked without touching the others, and you see which one is used."</li>
                <li>"Give it the least that does the job. Widening a key later takes a minute."</li>
                <li>"Set an expiration, and rotate on a fixed day of the year even if nothing happened."</li>
                <li>"Look at “last used” now and then. Revoke unused keys, and delete it once you are sure."</li>
                <li>"Send reservations with an "<a href="/docs#idempotency"><code>"Idempotency-Key"</code></a>", and log the "<code>"X-Request-Id"</code>" of what failed, never the key."</li>
            </ul>
        </Section>
    }
}

/// What is seen, the code that comes with it, and what helps.
const SYMPTOMS: [(&str, &str, &str); 12] = [
    (
        "401, on a first try",
        "missing_credential",
        "The header did not arrive. Look for a typing error in its name, and for a proxy in between that takes it out.",
    ),
    (
        "401, although the key was copied",
        "invalid_key",
        "The secret is cut off or mistyped, or belongs to another installation. Compare its first and last characters with those in the console; if in doubt, rotate.",
    ),
    (
        "401, after it has worked",
        "key_revoked",
        "The key was revoked, or rotated and its grace period is over. Take the new secret, or generate another key.",
    ),
    ("401, from one day to the next", "key_expired", "Its expiration has come. Rotate it with a later one."),
    (
        "401, for all keys",
        "key_disabled",
        "Your organization’s subscription has no API keys at the moment. Ask the operator of this installation.",
    ),
    (
        "403, from one machine alone",
        "ip_not_allowed",
        "The call comes from an address that is not on the allowlist; the answer names it. Behind a proxy or NAT it is the outer one.",
    ),
    (
        "403, from a page",
        "origin_not_allowed",
        "The page’s origin is not among the allowed ones. Compare scheme, host and port. A server that uses the same key sends no origin: give it a key of its own.",
    ),
    (
        "403, for some calls",
        "insufficient_scope",
        "The group or the scopes do not go so far. The answer names the permission that is missing.",
    ),
    (
        "403, for one property",
        "property_not_allowed",
        "The property is not among those of the key. Have it ticked in the console.",
    ),
    (
        "429, with a RateLimit header",
        "rate_limited",
        "The key’s calls of the last minute are used up. Wait for Retry-After, and see above.",
    ),
    (
        "429, without one",
        "too_many_attempts",
        "Too many wrong credentials came from your network. Fix the client that sends them, and wait for Retry-After. \
         Until then, keys that the server has not seen before are refused as well.",
    ),
    (
        "503",
        "unavailable",
        "Nothing was changed. Send the same call again after Retry-After, reservations with the same Idempotency-Key.",
    ),
];

#[component]
fn Trouble() -> impl IntoView {
    let rows = SYMPTOMS.map(|(symptom, code, help)| {
        view! {
            <tr>
                <th scope="row">{symptom}</th>
                <td data-label="Code"><a href=format!("/docs#problem-{code}")><code>{code}</code></a></td>
                <td>{help}</td>
            </tr>
        }
    });
    view! {
        <Section anchor="trouble" title="When it does not work">
            <p>"Read "<code>"code"</code>" and "<code>"detail"</code>" of the answer before anything else: they say which of these it is."</p>
            <div class="table-frame" tabindex="0" role="group" aria-label="Symptoms">
                <table class="lookup">
                    <thead><tr><th scope="col">"What you see"</th><th scope="col">"Code"</th><th scope="col">"What it is, and what helps"</th></tr></thead>
                    <tbody>{rows.into_iter().collect_view()}</tbody>
                </table>
            </div>
            <p>"If none fits, give your admin the "<code>"request_id"</code>" of the answer. Never send anybody the key."</p>
        </Section>
    }
}
