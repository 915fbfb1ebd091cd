//! The parts of pages that the browser brings to life.

mod browser;
mod dialog;
mod expiration_field;
mod form_dialog;
mod generate_key;
mod http;
mod key_actions;
mod key_fields;
mod notice;
mod ready;
mod secret_dialog;
mod server_form;
mod shown_once;
mod sign_in_form;
mod sign_out_button;
mod submit_button;
mod theme_switch;
mod try_call;
mod try_key;

pub use form_dialog::{FormDialog, Opener};
pub use generate_key::GenerateKey;
pub use key_actions::{KeyActions, KeyFacts};
#[cfg(feature = "ssr")]
pub(crate) use key_fields::permissions_left;
pub use notice::Notice;
pub use ready::Ready;
pub use server_form::{Afterwards, FormSpec, ServerForm};
pub use shown_once::OnceWords;
pub use sign_in_form::SignInForm;
pub use sign_out_button::SignOutButton;
pub use theme_switch::ThemeSwitch;
pub use try_call::{TryCall, TryField};
pub use try_key::TryKey;
