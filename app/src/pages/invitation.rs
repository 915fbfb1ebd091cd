//! Behind a link that somebody was given: here they choose their password.

use axum::{
    extract::{Path, rejection::PathRejection},
    http::StatusCode,
    response::Response,
};
use domain::person::MIN_PASSWORD_CHARS;
use keyring::{Error, Invited};
use leptos::prelude::*;
use secrecy::SecretString;

use super::problem;
use crate::{
    components::{
        Icon,
        fields::{HiddenField, TextField},
    },
    functions::AcceptInvitation,
    islands::{Afterwards, FormSpec, ServerForm},
    shell::Visit,
};

const FORM: &str = "accept";

pub(crate) async fn invitation(visit: Visit, token: Result<Path<String>, PathRejection>) -> Response {
    let token = token.map(|Path(token)| token).unwrap_or_default();
    match visit.console.keyring.invited(&SecretString::from(token.clone())).await {
        Ok(invited) => {
            let page = visit.page(if invited.is_new { "Join" } else { "New password" });
            page.render(move || view! { <InvitationPage invited=invited.clone() token=token.clone()/> }).await
        }
        Err(Error::NotFound(_)) => {
            visit.page("Link not good").with_status(StatusCode::NOT_FOUND).render(|| view! { <NoLongerGood/> }).await
        }
        Err(error) => {
            tracing::error!(cause = %error.root_cause(), "the invitation could not be looked up");
            problem::unavailable(visit.page(problem::UNAVAILABLE)).await
        }
    }
}

#[component]
fn InvitationPage(invited: Invited, token: String) -> impl IntoView {
    let Invited { name, email, tenant, is_new, has_second_factor } = invited;
    let whither = tenant.map_or_else(|| "Latchkey".to_owned(), |tenant| tenant.name);
    let (title, greeting) = if is_new {
        (
            format!("Join {whither}"),
            format!("Welcome, {name}. You were invited to {whither} on Latchkey. Choose a password."),
        )
    } else {
        (
            "Choose a new password".to_owned(),
            format!(
                "Hello, {name}. This link lets you into {whither} with a new password. The old one ends, and so do your sessions."
            ),
        )
    };
    view! {
        <div class="sign-in">
            <p class="brand"><Icon name="key"/>"Latchkey"</p>
            <h1>{title}</h1>
            <p>{greeting}</p>
            <PasswordForm email=email.into() token has_second_factor/>
        </div>
    }
}

#[component]
fn PasswordForm(email: String, token: String, has_second_factor: bool) -> impl IntoView {
    let (submit, notice) = if has_second_factor {
        ("Set password", "Your password is set. Sign in with it and a code of your second factor.")
    } else {
        ("Set password and sign in", "Your password is set, and you are signed in.")
    };
    let after = Afterwards::go("{answer}", notice, "#email, #main");
    let form = FormSpec::calling::<AcceptInvitation>(FORM, submit, "Setting…", after);
    view! {
        <ServerForm form>
            <HiddenField name="token" value=token/>
            <div class="field">
                <label for="accept-email">"E-mail"</label>
                <input id="accept-email" type="email" autocomplete="username" value=email readonly/>
            </div>
            <TextField
                form=FORM
                name="password"
                label="New password"
                kind="password"
                autocomplete="new-password"
                hint=format!("At least {MIN_PASSWORD_CHARS} characters. A few words in a row make a good password.")
            />
        </ServerForm>
    }
}

#[component]
fn NoLongerGood() -> impl IntoView {
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="info"/></span>
            <h1>"This link is not good any more"</h1>
            <p>
                "A link is good once and for 7 days, and ends when a newer one is made. If you have chosen your password already, sign in with it. "
                "Otherwise ask the admin of your organization who sent you the link for a new one."
            </p>
            <a class="button" href="/sign-in">"Go to the sign-in"</a>
        </div>
    }
}
