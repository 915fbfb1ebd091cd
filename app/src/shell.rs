//! What every page stands in: the document, its policy, and the navigation.

use std::{borrow::Cow, convert::Infallible};

use axum::{
    body::Body,
    extract::{FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header::CONTENT_SECURITY_POLICY, request::Parts},
    response::Response,
};
use keyring::ActiveSession;
use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;

use crate::{
    components::{Icon, icon::SPRITE},
    console::Console,
    functions::LeaveTenant,
    islands::{Afterwards, FormSpec, Notice, Ready, ServerForm, SignOutButton, ThemeSwitch},
    session::read_cookie,
};

mod navigation;

use navigation::Navigation;

/// What a page takes from the request that asks for it.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) console: Console,
    theme: Theme,
    path: String,
}

impl FromRequestParts<Console> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, Infallible> {
        Ok(Self::of(parts, console))
    }
}

impl Visit {
    pub(crate) fn of(parts: &Parts, console: &Console) -> Self {
        Self { console: console.clone(), theme: Theme::of(parts), path: parts.uri.path().to_owned() }
    }

    /// A page that anybody sees.
    pub(crate) fn page(&self, title: impl Into<Cow<'static, str>>) -> Page {
        Page { visit: self.clone(), title: title.into(), status: StatusCode::OK, frame: Frame::Alone }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

/// A page on its way to the browser.
pub(crate) struct Page {
    visit: Visit,
    title: Cow<'static, str>,
    status: StatusCode,
    frame: Frame,
}

/// What stands around the content of a page.
#[derive(Clone)]
enum Frame {
    Alone,
    /// The navigation of whoever is signed in.
    Navigation(Box<ActiveSession>),
    /// What the content brings along.
    Own,
}

impl Page {
    pub(crate) fn beside_navigation(self, signed_in: Option<ActiveSession>) -> Self {
        Self { frame: signed_in.map_or(Frame::Alone, |signed_in| Frame::Navigation(Box::new(signed_in))), ..self }
    }

    pub(crate) fn in_its_own_frame(self) -> Self {
        Self { frame: Frame::Own, ..self }
    }

    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Renders the page around its content.
    pub(crate) async fn render<V: IntoView + 'static>(
        self,
        content: impl Fn() -> V + Clone + Send + Sync + 'static,
    ) -> Response<Body> {
        let Self { visit: Visit { console, theme, path }, title, status, frame } = self;
        let document = move || {
            answer_under_policy(status);
            let body = content();
            let framed = match &frame {
                Frame::Navigation(signed_in) => {
                    view! { <Framed signed_in=signed_in.as_ref().clone() path=path.clone()>{body}</Framed> }.into_any()
                }
                Frame::Alone => view! { <main id="main" class="alone">{body}</main> }.into_any(),
                Frame::Own => body.into_any(),
            };
            view! { <Document console=console.clone() title=title.clone() theme>{framed}</Document> }
        };
        leptos_axum::render_app_to_stream_with_context(|| {}, document)(Request::new(Body::empty())).await
    }
}

/// Light, dark, or as the system has it.
#[derive(Clone, Copy)]
struct Theme(Option<&'static str>);

impl Theme {
    fn of(parts: &Parts) -> Self {
        Self(match read_cookie(&parts.headers, "theme") {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        })
    }
}

/// Scripts run by the nonce of this very answer and nothing else.
fn answer_under_policy(status: StatusCode) {
    let options = expect_context::<ResponseOptions>();
    options.set_status(status);
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        options.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

#[component]
fn Document(console: Console, title: Cow<'static, str>, theme: Theme, children: Children) -> impl IntoView {
    let options = LeptosOptions::builder().output_name(console.site.output_name.clone()).site_pkg_dir("pkg").build();
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=theme.0>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <title inner_html=escaped(&format!("{title} · Latchkey"))></title>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg"/>
                <link rel="stylesheet" href=format!("/{}", console.site.stylesheet)/>
                <HydrationScripts options islands=true/>
            </head>
            <body>
                <div class="sprite" inner_html=SPRITE></div>
                {children()}
                <Notice/>
                <Ready/>
            </body>
        </html>
    }
}

/// For a title, in which the marks that Leptos leaves between texts would be read as words.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// Says that somebody is in a tenant that is not their own.
#[component]
fn Entered(tenant: String, visitor: String) -> impl IntoView {
    let afterwards = Afterwards::go("/tenants", format!("You left {tenant}."), "main h1");
    let form = FormSpec::calling::<LeaveTenant>("leave-tenant", "Leave", "Leaving…", afterwards);
    view! {
        <section class="entered" aria-label="Entered tenant">
            <Icon name="info"/>
            <p>
                "You are in "<strong>{tenant}</strong>" as the super user "<strong>{visitor}</strong>
                ". Its audit log notes what you do."
            </p>
            <ServerForm form>""</ServerForm>
        </section>
    }
}

/// A page with the navigation beside it.
#[component]
fn Framed(signed_in: ActiveSession, path: String, children: Children) -> impl IntoView {
    let tenant = signed_in.tenant.as_ref().map(|tenant| tenant.name.clone());
    let entered = signed_in.entered().cloned();
    let visitor = signed_in.person.name.clone();
    view! {
        <a class="skip" href="#main">"Skip to the content"</a>
        <header class="bar">
            <a class="brand" href="/"><Icon name="key"/>"Latchkey"</a>
            <button class="icon-button menu-button" type="button" popovertarget="navigation" aria-label="Menu">
                <Icon name="menu"/>
            </button>
        </header>
        <div class="frame">
            <aside class="sidebar" id="navigation" popover="auto" aria-label="Navigation and account">
                <a class="brand" href="/"><Icon name="key"/>"Latchkey"</a>
                {tenant.map(|name| view! { <p class="tenant-name">{name}</p> })}
                <Navigation signed_in=signed_in.clone() path/>
                <div class="account">
                    <p class="account-name">{signed_in.person.name.clone()}</p>
                    <p class="account-email">{signed_in.person.email.as_str().to_owned()}</p>
                    <div class="account-actions">
                        <ThemeSwitch/>
                        <SignOutButton/>
                    </div>
                </div>
            </aside>
            <main id="main" tabindex="-1">
                {entered.map(|tenant| view! { <Entered tenant=tenant.name visitor/> })}
                {children()}
            </main>
        </div>
    }
}
