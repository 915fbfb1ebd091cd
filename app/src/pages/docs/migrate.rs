//! The guide away from passwords and access tokens, which old credentials' answers link to.

use leptos::prelude::*;

use super::{
    code::CodeBlock,
    frame::{Entry, Section, entries},
};
use crate::console::Console;

const SECTIONS: [(&str, &str); 6] = [
    ("why", "Why"),
    ("when", "By when"),
    ("headers", "What answers tell you"),
    ("steps", "Step by step"),
    ("examples", "Before and after"),
    ("questions", "Questions"),
];

pub(super) fn contents() -> Vec<Entry> {
    entries(&SECTIONS)
}

#[component]
pub(super) fn MigrateGuide(console: Console) -> impl IntoView {
    let sunset = console.keyring.legacy_sunset();
    let is_over = console.keyring.now().date_naive() > sunset;
    let last_day = sunset.format("%-d %B %Y").to_string();
    let http_date = sunset.format("%a, %d %b %Y 23:59:59 GMT").to_string();
    let public_url = console.public_url.to_string();
    view! {
        <h1>"Moving from Basic and JWT to a key"</h1>
        <p class="lead">
            "Programs that send a person’s e-mail address and password ("<code>"Authorization: Basic"</code>"), or an access token from "
            <code>"/api/v1/auth/token"</code>", move to an API key. For most it is one line of configuration."
        </p>
        <p>
            "Until then, a person whose address is known to several organizations writes theirs before it: "
            <code>"organization/address"</code>"."
        </p>
        <Why/>
        <Section anchor="when" title="By when">
            <p class="callout warning">
                <span>
                    {if is_over { "The last day was " } else { "The last day is " }}
                    <strong>{last_day}</strong>
                    " (UTC). After it, passwords and access tokens are answered 401 "
                    <a href="/docs#problem-legacy_auth_retired"><code>"legacy_auth_retired"</code></a>". Keys are not affected."
                </span>
            </p>
        </Section>
        <Headers public_url=public_url.clone() http_date/>
        <Steps/>
        <Examples public_url/>
        <Questions/>
    }
}

#[component]
fn Why() -> impl IntoView {
    view! {
        <Section anchor="why" title="Why">
            <ul>
                <li>"A password opens everything that the person may do, and the console as well. A key opens the API alone, and only as far as you say."</li>
                <li>"A person who changes the password, gets a second factor or leaves breaks every program that used it. A key belongs to no person."</li>
                <li>"A key is rotated with both secrets working for a while, and revoked without locking anybody out."</li>
                <li>"A key needs no token and nothing to refresh."</li>
            </ul>
        </Section>
    }
}

#[component]
fn Headers(public_url: String, http_date: String) -> impl IntoView {
    let code = format!(
        "Deprecation: @1782864000\nSunset: {http_date}\nLink: <{public_url}/docs/migrate>; rel=\"deprecation\"; type=\"text/html\""
    );
    view! {
        <Section anchor="headers" title="What answers tell you">
            <p>"Every answer to an old credential says so, good or not. No answer to a key does, so watching for these headers shows which of your programs has yet to move."</p>
            <CodeBlock name="Headers of an answer" code/>
            <p>
                <code>"Deprecation"</code>" is since when the old ways are deprecated, in seconds since 1970: 1 July 2026. "<code>"Sunset"</code>
                " is when they end. "<code>"Link"</code>" leads here."
            </p>
        </Section>
    }
}

#[component]
fn Steps() -> impl IntoView {
    view! {
        <Section anchor="steps" title="Step by step">
            <ol>
                <li>
                    <strong>"Find out what the program needs. "</strong>
                    "The "<a href="/docs">"reference"</a>" says at each call which permission it takes. A program that signed in as an admin could do everything; hardly any needs to."
                </li>
                <li>
                    <strong>"Generate a key for it alone. "</strong>
                    "Pick a group with those permissions, "<code>"read"</code>", and "<code>"write"</code>" if it makes reservations. If you cannot tell yet, the group “Full access” with both scopes reaches as far as an admin’s password did; narrow it later without touching the program."
                </li>
                <li>
                    <strong>"Try the key. "</strong>
                    <a href="/docs#get_key"><code>"GET /api/v1/key"</code></a>" says what it may do, and every call can be "<a href="/docs#try">"tried in the reference"</a>"."
                </li>
                <li>
                    <strong>"Switch. "</strong>
                    "Store the secret where the password was, replace the header, and take out whatever fetched tokens. Password and key work side by side until the last day, so machines can follow one by one."
                </li>
                <li>
                    <strong>"Watch. "</strong>
                    "The console lists who still signs in to the API with a password or token, and when that was last. Once a program’s person no longer moves there, it is done."
                </li>
                <li>
                    <strong>"Clear up. "</strong>
                    "Change the password that the program knew, and turn on a second factor for its owner."
                </li>
            </ol>
        </Section>
    }
}

#[component]
fn Examples(public_url: String) -> impl IntoView {
    let basic = format!("curl -u \"ana@example.com:$PASSWORD\" \\\n  {public_url}/api/v1/reservations");
    let jwt = format!(
        "TOKEN=$(curl -s {public_url}/api/v1/auth/token \\\n  -H \"Content-Type: application/json\" \\\n  \
         -d '{{\"email\": \"ana@example.com\", \"password\": \"…\"}}' | jq -r .access_token)\n\
         curl -H \"Authorization: Bearer $TOKEN\" \\\n  {public_url}/api/v1/reservations"
    );
    let key = format!("curl -H \"Authorization: Bearer $LATCHKEY_KEY\" \\\n  {public_url}/api/v1/reservations");
    view! {
        <Section anchor="examples" title="Before and after">
            <CodeBlock name="Before: Basic" code=basic/>
            <CodeBlock name="Before: an access token, fetched again every hour" code=jwt/>
            <CodeBlock name="After: a key" code=key/>
            <p>"A client that already sends "<code>"Authorization: Bearer"</code>" only needs the key in place of the token. One that can only do Basic can send the key as "<code>"X-API-Key"</code>", without "<code>"Authorization"</code>"."</p>
        </Section>
    }
}

#[component]
fn Questions() -> impl IntoView {
    view! {
        <Section anchor="questions" title="Questions">
            <h3>"What if the person has a second factor?"</h3>
            <p>
                "Then neither password nor token opens the API: the answer is 401 "
                <a href="/docs#problem-two_factor_required"><code>"two_factor_required"</code></a>
                ", today already, because a program cannot be asked for a code. Move the program to a key before its person turns a second factor on."
            </p>
            <h3>"Can I send both for a while?"</h3>
            <p>"Not in one call: two different credentials are refused with "<a href="/docs#problem-conflicting_credentials"><code>"conflicting_credentials"</code></a>". In different calls, yes."</p>
            <h3>"Does a key see other reservations than the person did?"</h3>
            <p>"The same ones, if it reaches all properties. A key for some properties sees what belongs to those."</p>
            <h3>"Why does my program get 429 now?"</h3>
            <p>"A key has a rate limit, 60 calls a minute unless its admin chose another number. See "<a href="/docs/keys#limits">"how to behave"</a>", or have it raised."</p>
            <h3>"Does signing in to the console change?"</h3>
            <p>"No. People go on signing in with their e-mail address and password, and a key never opens the console."</p>
        </Section>
    }
}
