//! The one time a secret is shown.

use leptos::{ev, html, prelude::*};

use super::{browser, dialog::Dialog};
use crate::{components::Icon, functions::SecretOnce};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    NotYet,
    Yes,
    /// The clipboard was refused; the text is selected for the person to copy.
    ByHand,
}

/// Shows a new secret until the person has it. `secret` is emptied when they do, or leave the page.
#[component]
pub(super) fn SecretDialog(
    secret: RwSignal<Option<SecretOnce>>,
    #[prop(into)] name: Signal<String>,
    public_url: String,
    #[prop(into)] on_done: Callback<()>,
) -> impl IntoView {
    // A page that the browser keeps for its Back button must not come back with the secret in it.
    let leaving = window_event_listener(ev::pagehide, move |_| secret.set(None));
    on_cleanup(move || leaving.remove());
    move || {
        secret.get().map(|once| {
            view! { <Shown secret=once.secret name public_url=public_url.clone() on_done=move |()| { secret.set(None); on_done.run(()) }/> }
        })
    }
}

#[component]
fn Shown(
    secret: String,
    name: Signal<String>,
    public_url: String,
    #[prop(into)] on_done: Callback<()>,
) -> impl IntoView {
    let copied = RwSignal::new(Copied::NotYet);
    let asks_again = RwSignal::new(false);
    let code = NodeRef::<html::Code>::new();
    let curl = format!("curl -H \"X-API-Key: {secret}\" {public_url}/api/v1/key");
    let finish = move || {
        if copied.get_untracked() == Copied::NotYet && !asks_again.get_untracked() {
            asks_again.set(true);
        } else {
            on_done.run(());
        }
    };
    let copy_secret = {
        let secret = secret.clone();
        move |_| {
            let secret = secret.clone();
            leptos::task::spawn_local(async move {
                if browser::copy(&secret).await {
                    copied.set(Copied::Yes);
                } else {
                    copied.set(Copied::ByHand);
                    if let Some(code) = code.get_untracked() {
                        browser::select(&code);
                    }
                }
                asks_again.set(false);
            });
        }
    };
    // Copying by hand counts as well, when it is the whole of it.
    let copied_by_hand = {
        let secret = secret.clone();
        move |_| {
            if browser::selected_text().contains(&secret) {
                copied.set(Copied::Yes);
                asks_again.set(false);
            }
        }
    };
    view! {
        <Dialog labelled_by="secret-title" wide=true on_escape=move |()| { if asks_again.get_untracked() { asks_again.set(false) } else { finish() } }>
            <header class="dialog-header">
                <h2 id="secret-title">"Copy the secret of “"{name}"” now"</h2>
            </header>
            <p class="callout warning">
                <Icon name="warning"/>
                <span>"It is shown this once and cannot be shown again: only a hash of it is stored. Keep it where your integration keeps its secrets; if it gets lost, rotate the key."</span>
            </p>
            <div class="secret" on:copy=copied_by_hand.clone()>
                <code node_ref=code tabindex="0" aria-label="Secret">{secret}</code>
                <button class="button primary" type="button" autofocus on:click=copy_secret>
                    {move || if copied.get() == Copied::Yes {
                        view! { <Icon name="check"/>"Copied" }.into_any()
                    } else {
                        view! { <Icon name="copy"/>"Copy" }.into_any()
                    }}
                </button>
            </div>
            <p class="copy-state" role="status">
                {move || match copied.get() {
                    Copied::NotYet => "",
                    Copied::Yes => "The secret is on your clipboard.",
                    Copied::ByHand => "Your browser does not let the page copy. The secret is selected: press Ctrl+C or ⌘C.",
                }}
            </p>
            <h3>"Use it like this"</h3>
            <pre class="curl" on:copy=copied_by_hand tabindex="0" aria-label="Command that uses the secret"><code>{curl}</code></pre>
            // Elsewhere, because leaving this page would lose the secret.
            <p class="hint"><a href="/docs/keys" target="_blank" rel="noopener">"Using a key"</a>" has more, such as examples for Python and JavaScript (opens in a new tab)."</p>
            {move || asks_again.get().then(|| view! {
                <p class="callout danger" role="alert">
                    <Icon name="warning"/>
                    <span>"You have not copied the secret. Once this dialog is closed, nobody can see it again."</span>
                </p>
            })}
            <footer class="dialog-footer">
                {move || asks_again.get().then(|| view! {
                    <button class="button" type="button" on:click=move |_| asks_again.set(false)>"Back to the secret"</button>
                })}
                <button class="button" class:danger=move || asks_again.get() type="button" on:click=move |_| finish()>
                    {move || if asks_again.get() { "Close without copying" } else { "Done" }}
                </button>
            </footer>
        </Dialog>
    }
}
