//! Something that is shown this once: a dialog that is not closed by accident before it was copied.

use leptos::{ev, html, prelude::*};
use serde::{Deserialize, Serialize};

use super::{browser, dialog::Dialog};
use crate::components::Icon;

/// The words around what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceWords {
    pub title: String,
    /// Why it has to be copied now, and where it belongs.
    pub warning: String,
    /// What it is, with a capital letter: `Secret`, `Recovery codes`.
    pub label: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Copied {
    NotYet,
    Yes,
    /// The clipboard was refused; the text is selected for the person to copy.
    ByHand,
}

/// Empties a signal when the page is left: one that the browser keeps for its Back button must not come back with
/// a secret in it.
pub(super) fn forget_on_leaving<T: Send + Sync + 'static>(secret: RwSignal<Option<T>>) {
    let leaving = window_event_listener(ev::pagehide, move |_| secret.set(None));
    on_cleanup(move || leaving.remove());
}

#[component]
pub(super) fn ShownOnce(
    text: String,
    words: OnceWords,
    #[prop(into)] on_done: Callback<()>,
    /// What else there is to say about it. Copying the text from there counts as well.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let OnceWords { title, warning, label } = words;
    let noun = StoredValue::new(label.to_lowercase());
    let copied = RwSignal::new(Copied::NotYet);
    let asks_again = RwSignal::new(false);
    let code = NodeRef::<html::Code>::new();
    let finish = move || {
        if copied.get_untracked() == Copied::NotYet && !asks_again.get_untracked() {
            asks_again.set(true);
        } else {
            on_done.run(());
        }
    };
    let back_or_finish = move |()| if asks_again.get_untracked() { asks_again.set(false) } else { finish() };
    let copy = {
        let text = text.clone();
        move |_| {
            let text = text.clone();
            leptos::task::spawn_local(async move {
                if browser::copy(&text).await {
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
        let text = text.clone();
        move |_| {
            if browser::selected_text().contains(&text) {
                copied.set(Copied::Yes);
                asks_again.set(false);
            }
        }
    };
    view! {
        <Dialog labelled_by="once-title" wide=true on_escape=back_or_finish>
            <header class="dialog-header"><h2 id="once-title">{title}</h2></header>
            <p class="callout warning"><Icon name="warning"/><span>{warning}</span></p>
            <div class="once" on:copy=copied_by_hand>
                <div class="secret">
                    <code node_ref=code tabindex="0" aria-label=label>{text}</code>
                    <button class="button primary" type="button" autofocus on:click=copy>
                        {move || if copied.get() == Copied::Yes {
                            view! { <Icon name="check"/>"Copied" }.into_any()
                        } else {
                            view! { <Icon name="copy"/>"Copy" }.into_any()
                        }}
                    </button>
                </div>
                <p class="copy-state" role="status">{move || noun.with_value(|noun| copy_state(copied.get(), noun))}</p>
                {children.map(|children| children())}
            </div>
            {move || asks_again.get().then(|| view! {
                <p class="callout danger" role="alert">
                    <Icon name="warning"/>
                    <span>
                        {noun.with_value(|noun| format!("You have not copied the {noun}. Once this dialog is closed, it cannot be shown again."))}
                    </span>
                </p>
            })}
            <footer class="dialog-footer">
                {move || asks_again.get().then(|| view! {
                    <button class="button" type="button" on:click=move |_| asks_again.set(false)>
                        {noun.with_value(|noun| format!("Back to the {noun}"))}
                    </button>
                })}
                <button class="button" class:danger=move || asks_again.get() type="button" on:click=move |_| finish()>
                    {move || if asks_again.get() { "Close without copying" } else { "Done" }}
                </button>
            </footer>
        </Dialog>
    }
}

fn copy_state(copied: Copied, noun: &str) -> String {
    match copied {
        Copied::NotYet => String::new(),
        Copied::Yes => format!("Copied the {noun}."),
        Copied::ByHand => {
            format!("Your browser does not let the page copy the {noun}. The text is selected: press Ctrl+C or ⌘C.")
        }
    }
}
