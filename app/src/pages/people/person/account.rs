//! What an admin can do about somebody's way in: each with what happens then.

use domain::person::{Person, PersonState, Profile};
use leptos::{prelude::*, server_fn::ServerFn};

use super::super::new::link_words;
use crate::{
    components::{Icon, fields::HiddenField},
    functions::{EndSessionsOf, MakePasswordLink, ResetSecondFactor, SwitchOffPerson, SwitchOnPerson},
    islands::{Afterwards, FormDialog, FormSpec, Opener},
};

#[component]
pub(super) fn AccountPanel(
    profile: Profile,
    personal_keys: u64,
    is_last_admin: bool,
    is_oneself: bool,
    has_sessions: bool,
) -> impl IntoView {
    let Profile { person, state, has_second_factor, .. } = profile;
    let deeds = if is_oneself {
        view! { <Oneself/> }.into_any()
    } else if state == PersonState::Deactivated {
        view! { <SwitchOn person personal_keys/> }.into_any()
    } else {
        view! {
            <NewLink person=person.clone() state/>
            {has_sessions.then(|| view! { <EndSessions person=person.clone()/> })}
            {has_second_factor.then(|| view! { <ResetFactor person=person.clone()/> })}
            {(!is_last_admin).then(|| view! { <SwitchOff person=person.clone() personal_keys/> })}
        }
        .into_any()
    };
    view! {
        <section class="panel" aria-labelledby="account">
            <h2 id="account" tabindex="-1">"Their account"</h2>
            <div class="deeds">{deeds}</div>
        </section>
    }
}

#[component]
fn Oneself() -> impl IntoView {
    view! {
        <p>
            "This is you. Your password, your second factor and where you are signed in are under "
            <a href="/security">"Security"</a>". Only another admin can switch you off."
        </p>
    }
}

/// What can be done, what it is for, and the button.
#[component]
fn Deed(about: &'static str, children: Children) -> impl IntoView {
    view! { <div class="deed"><p>{about}</p>{children()}</div> }
}

/// A form that names the person to its function. Afterwards the page is shown again.
fn form<F: ServerFn>(id: &str, submit: &str, doing: &str, notice: String) -> FormSpec {
    FormSpec::calling::<F>(id, submit, doing, Afterwards::reload(notice, "#account"))
}

#[component]
fn Warning(#[prop(into)] text: String) -> impl IntoView {
    view! { <p class="callout danger"><Icon name="warning"/><span>{text}</span></p> }
}

#[component]
fn NewLink(person: Person, state: PersonState) -> impl IntoView {
    let Person { id, name, .. } = person;
    let (about, warning) = if state == PersonState::Invited {
        (
            "They have yet to open their link and choose a password. If it is lost or too old, make a new one.",
            "The previous link becomes invalid immediately.",
        )
    } else {
        (
            "If they forgot their password, make a link by which they choose a new one.",
            "Until the link is used, the password from before stays good. Then it ends, and so do their sessions. Their second factor stays.",
        )
    };
    let words = link_words(format!("A new link for {name}"));
    let after = Afterwards::reload(format!("Made a new link for {name}."), "#account").revealing(words);
    let form = FormSpec::calling::<MakePasswordLink>("new-link", "Make a new link", "Making…", after);
    view! {
        <Deed about>
            <FormDialog opener=Opener::button("Make a new link") title=format!("Make a new link for {name}") form>
                <HiddenField name="id" value=id.to_string()/>
                <p>{warning}" You see the new link once, and send it to them yourself."</p>
            </FormDialog>
        </Deed>
    }
}

#[component]
fn EndSessions(person: Person) -> impl IntoView {
    let Person { id, name, .. } = person;
    let notice = format!("{name} is signed out everywhere.");
    let form = form::<EndSessionsOf>("end-sessions", "Sign out everywhere", "Signing out…", notice).dangerous();
    view! {
        <Deed about="If a device of theirs was lost or left open, end all their sessions.">
            <FormDialog opener=Opener::button("Sign out everywhere") title=format!("Sign {name} out everywhere") form>
                <HiddenField name="id" value=id.to_string()/>
                <Warning text="Whatever they have not saved is lost. They can sign in again with their password."/>
            </FormDialog>
        </Deed>
    }
}

#[component]
fn ResetFactor(person: Person) -> impl IntoView {
    let Person { id, name, .. } = person;
    let notice = format!("{name} has no second factor any more.");
    let form =
        form::<ResetSecondFactor>("reset-second-factor", "Reset second factor", "Resetting…", notice).dangerous();
    view! {
        <Deed about="If they lost their authenticator app and their recovery codes, take their second factor away.">
            <FormDialog opener=Opener::button("Reset second factor") title=format!("Reset {name}’s second factor") form>
                <HiddenField name="id" value=id.to_string()/>
                <Warning text="From now on their password alone is enough to sign in, until they set up another. Make sure that it is really they who ask for it."/>
            </FormDialog>
        </Deed>
    }
}

#[component]
fn SwitchOff(person: Person, personal_keys: u64) -> impl IntoView {
    let Person { id, name, .. } = person;
    let warning = format!(
        "{name} is signed out everywhere immediately, and can neither sign in nor call the API. {}",
        match personal_keys {
            0 => "They have no personal API key.".to_owned(),
            1 => "Their personal API key is refused from its next call; what uses it stops working.".to_owned(),
            count =>
                format!("Their {count} personal API keys are refused from the next call; what uses them stops working."),
        }
    );
    let notice = format!("{name} is switched off.");
    let form = form::<SwitchOffPerson>("switch-off", "Switch off", "Switching off…", notice).dangerous();
    view! {
        <Deed about="If they left or should have no access for now, switch them off.">
            <FormDialog opener=Opener::button("Switch off").with_icon("ban") title=format!("Switch {name} off") form>
                <HiddenField name="id" value=id.to_string()/>
                <Warning text=warning/>
                <p>"What they did stays in the audit log, and you can switch them on again as they were."</p>
            </FormDialog>
        </Deed>
    }
}

#[component]
fn SwitchOn(person: Person, personal_keys: u64) -> impl IntoView {
    let Person { id, name, .. } = person;
    let keys = match personal_keys {
        0 => "They have no personal API key.".to_owned(),
        1 => "Their personal API key works again from its next call.".to_owned(),
        count => format!("Their {count} personal API keys work again from the next call."),
    };
    let form =
        form::<SwitchOnPerson>("switch-on", "Switch on", "Switching on…", format!("{name} is switched on again."));
    view! {
        <Deed about="They are switched off: they can neither sign in nor call the API. Their role, groups and personal API keys are kept.">
            <FormDialog opener=Opener::button("Switch on").with_class("button primary") title=format!("Switch {name} on") form>
                <HiddenField name="id" value=id.to_string()/>
                <p>{format!("{name} can sign in again, with the role and the groups from before. {keys}")}</p>
            </FormDialog>
        </Deed>
    }
}
