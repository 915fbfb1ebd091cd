//! The one time a key's secret is shown.

use leptos::prelude::*;

use super::shown_once::{OnceWords, ShownOnce, forget_on_leaving};
use crate::model::SecretOnce;

const WARNING: &str = "It is shown this once and cannot be shown again: only a hash of it is stored. Keep it where your \
                       integration keeps its secrets; if it gets lost, rotate the key.";

/// Shows a new secret until the person has it. `secret` is emptied when they do, or leave the page.
#[component]
pub(super) fn SecretDialog(
    secret: RwSignal<Option<SecretOnce>>,
    #[prop(into)] name: Signal<String>,
    public_url: String,
    #[prop(into)] on_done: Callback<()>,
) -> impl IntoView {
    forget_on_leaving(secret);
    let done = Callback::new(move |()| {
        secret.set(None);
        on_done.run(());
    });
    move || {
        secret.get().map(|once| {
            let words = OnceWords {
                title: format!("Copy the secret of “{}” now", name.get_untracked()),
                warning: WARNING.to_owned(),
                label: "Secret".to_owned(),
            };
            let curl = format!("curl -H \"X-API-Key: {}\" {public_url}/api/v1/key", once.secret);
            view! {
                <ShownOnce text=once.secret words on_done=done>
                    <h3>"Use it like this"</h3>
                    <pre class="curl" tabindex="0" aria-label="Command that uses the secret"><code>{curl}</code></pre>
                    // Elsewhere, because leaving this page would lose the secret.
                    <p class="hint"><a href="/docs/keys" target="_blank" rel="noopener">"Using a key"</a>" has more, such as examples for Python and JavaScript (opens in a new tab)."</p>
                </ShownOnce>
            }
        })
    }
}
