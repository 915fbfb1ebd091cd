//! Setting up the second factor: an app takes the secret in, and a code shows that it did.

use axum::response::{IntoResponse, Redirect, Response};
use keyring::{Error, SecondFactorOffer};
use leptos::prelude::*;
use secrecy::ExposeSecret;

use super::{PATH as SECURITY, codes_once, qr::QrCode};
use crate::{
    components::{Crumbs, fields::TextField},
    functions::{ConfirmIdentity, TurnOnSecondFactor},
    islands::{Afterwards, FormSpec, ServerForm},
    pages::{Visitor, problem},
};

const FORM: &str = "set-up";

const TITLE: &str = "Set up the second factor";

pub(crate) async fn second_factor(visitor: Visitor) -> Response {
    if visitor.signed_in.has_second_factor {
        return Redirect::to(SECURITY).into_response();
    }
    match visitor.visit.console.keyring.offer_second_factor(&visitor.signed_in).await {
        Ok(offer) => {
            let shown = Shown::of(&offer, visitor.signed_in.person.email.as_str());
            visitor.page(TITLE).render(move || view! { <SetUpPage shown=shown.clone()/> }).await
        }
        Err(Error::StepUpRequired { .. }) => visitor.page(TITLE).render(|| view! { <ConfirmPage/> }).await,
        Err(error) => problem::failed(&visitor, &error, "the second factor could not be offered").await,
    }
}

/// Shown before the offer to a person who has not entered their password lately.
#[component]
fn ConfirmPage() -> impl IntoView {
    let after = Afterwards::reload("You can set up your second factor now.", "#main");
    let form = FormSpec::calling::<ConfirmIdentity>("confirm-identity", "Continue", "Confirming…", after);
    view! {
        <Crumbs part="Account" section="Security" href=SECURITY/>
        <header class="page-header"><h1>{TITLE}</h1></header>
        <div class="page-form">
            <ServerForm form=form.or_back_to(SECURITY)>
                <p>"Enter your password first: a second factor decides who can sign in as you."</p>
                <TextField
                    form="confirm-identity"
                    name="password"
                    label="Password"
                    kind="password"
                    autocomplete="current-password"
                />
            </ServerForm>
        </div>
    }
}

/// The offer, out of its wrapper: this page is what shows it. Not `Debug`, so that it cannot end up in a log.
#[derive(Clone)]
struct Shown {
    secret: String,
    uri: String,
    email: String,
}

impl Shown {
    fn of(offer: &SecondFactorOffer, email: &str) -> Self {
        Self {
            secret: offer.secret.expose_secret().to_owned(),
            uri: offer.uri.expose_secret().to_owned(),
            email: email.to_owned(),
        }
    }
}

#[component]
fn SetUpPage(shown: Shown) -> impl IntoView {
    let Shown { secret, uri, email } = shown;
    let after = Afterwards::go(SECURITY, "Your second factor is on.", "#second-factor").revealing(codes_once());
    let form = FormSpec::calling::<TurnOnSecondFactor>(FORM, "Turn on", "Turning on…", after).or_back_to(SECURITY);
    view! {
        <Crumbs part="Account" section="Security" href=SECURITY/>
        <header class="page-header"><h1>{TITLE}</h1></header>
        <div class="page-form">
            <ServerForm form>
                <section aria-labelledby="scan">
                    <h2 id="scan">"1. Scan this code"</h2>
                    <p>
                        "Open an authenticator app on your phone, such as Aegis, Google Authenticator or the one in your \
                         password manager, and add an account by scanning."
                    </p>
                    <div class="factor-offer">
                        <QrCode text=uri label=format!("QR code for the account {email}")/>
                        <div class="factor-secret">
                            <p class="label" id="factor-secret">"If you cannot scan it, type this key"</p>
                            <p><code aria-labelledby="factor-secret">{in_groups(&secret)}</code></p>
                            <p class="hint">
                                {format!("For the account {email}. Spaces do not matter; if the app asks, the codes go by time.")}
                            </p>
                        </div>
                    </div>
                </section>
                <section aria-labelledby="confirm">
                    <h2 id="confirm">"2. Enter the code that the app shows"</h2>
                    <TextField
                        form=FORM
                        name="code"
                        label="Code"
                        autocomplete="one-time-code"
                        inputmode="numeric"
                        hint="Six digits, new every 30 seconds. Afterwards you get ten recovery codes for when you do not have your phone."
                    />
                </section>
            </ServerForm>
        </div>
    }
}

/// Four letters at a time, which is how people read and type.
fn in_groups(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_in_groups_of_four() {
        assert_eq!(in_groups("GEZDGNBVGY3TQOJQGE"), "GEZD GNBV GY3T QOJQ GE");
    }
}
