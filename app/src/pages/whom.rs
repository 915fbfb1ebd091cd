//! Whom somebody can ask for what they may not do themselves.

use keyring::ActiveSession;
use leptos::prelude::*;

use crate::console::Console;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// What the operator wrote down: a link, an e-mail address, or words.
    Contact(String),
    /// By name.
    People(Vec<String>),
}

impl Whom {
    /// Nobody is named when it cannot be found out: it is said beside something else.
    pub(crate) async fn of(console: &Console, signed_in: &ActiveSession) -> Self {
        if let Some(contact) = console.support_contact.as_deref() {
            return Self::Contact(contact.to_owned());
        }
        let people = console.keyring.admin_contacts(signed_in).await.unwrap_or_else(|error| {
            tracing::error!(cause = %error.root_cause(), "admin contacts could not be loaded");
            Vec::new()
        });
        Self::People(people.into_iter().map(|person| person.name).collect())
    }

    /// Where there is no place for a link.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Contact(contact) => contact.clone(),
            Self::People(names) => match names.as_slice() {
                [] => "the operator of this Latchkey installation".to_owned(),
                [name] => name.clone(),
                [names @ .., last] => format!("{} or {last}", names.join(", ")),
            },
        }
    }
}

#[component]
pub(crate) fn NamedOrContact(whom: Whom) -> impl IntoView {
    match whom {
        Whom::Contact(link) if link.starts_with("https://") || link.starts_with("http://") => {
            let label = link.clone();
            view! { <a href=link>{label}</a> }.into_any()
        }
        Whom::Contact(address) if address.contains('@') => {
            let mail = format!("mailto:{address}");
            view! { <a href=mail>{address}</a> }.into_any()
        }
        other => other.label().into_any(),
    }
}

#[cfg(test)]
mod tests {
    use super::Whom;

    #[test]
    fn people_are_named() {
        for (names, expected) in [
            (&[][..], "the operator of this Latchkey installation"),
            (&["Ada"], "Ada"),
            (&["Ada", "Sam"], "Ada or Sam"),
            (&["Ada", "Sam", "Kim"], "Ada, Sam or Kim"),
        ] {
            let whom = Whom::People(names.iter().map(ToString::to_string).collect());
            assert_eq!(whom.label(), expected);
        }
    }
}
