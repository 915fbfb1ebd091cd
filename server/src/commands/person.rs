//! `latchkey person`

use clap::{Subcommand, ValueEnum};
use domain::person::{Profile, Role};
use keyring::{Error, Keyring, NewPerson};
use secrecy::SecretString;
use serde_json::json;

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum PersonWords {
    /// Make a person who can sign in; the password is read from standard input
    Create {
        /// The tenant's slug; none for a super user
        #[arg(long)]
        tenant: Option<String>,
        #[arg(long)]
        email: String,
        #[arg(long)]
        name: String,
        #[arg(long, value_enum, default_value = "member")]
        role: RoleWord,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List the people of a tenant, or the super users
    List {
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Give a person another password, and end their sessions
    SetPassword {
        #[arg(long)]
        email: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleWord {
    SuperUser,
    TenantAdmin,
    Member,
}

impl From<RoleWord> for Role {
    fn from(word: RoleWord) -> Self {
        match word {
            RoleWord::SuperUser => Self::SuperUser,
            RoleWord::TenantAdmin => Self::TenantAdmin,
            RoleWord::Member => Self::Member,
        }
    }
}

impl PersonWords {
    pub(super) fn wants_input(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::SetPassword { .. })
    }
}

/// The line that was typed or piped in, without its end.
fn password(input: &str) -> SecretString {
    input.strip_suffix('\n').map_or(input, |line| line.strip_suffix('\r').unwrap_or(line)).to_owned().into()
}

pub(super) async fn execute(keyring: &Keyring, words: PersonWords, input: String) -> Result<Report, Error> {
    match words {
        PersonWords::Create { tenant, email, name, role, .. } => {
            let operator = match &tenant {
                Some(slug) => Some(keyring.operator_for(slug).await?),
                None => None,
            };
            let new = NewPerson { email, name, password: password(&input) };
            let person = keyring.create_person(operator.as_ref(), role.into(), new).await?;
            let text = format!("Made {} ({}), who signs in as {}.\n", person.name, person.id, person.email.as_str());
            Ok(Report::new(json!(person), text))
        }
        PersonWords::List { tenant } => {
            let operator = match &tenant {
                Some(slug) => Some(keyring.operator_for(slug).await?),
                None => None,
            };
            let people = keyring.people(operator.as_ref()).await?;
            let row = |Profile { person, .. }: &Profile| {
                let role = person.role.as_str().to_owned();
                vec![person.id.to_string(), person.email.as_str().to_owned(), person.name.clone(), role]
            };
            Ok(Report::new(json!(people), table(&people.iter().map(row).collect::<Vec<_>>())))
        }
        PersonWords::SetPassword { email, .. } => {
            keyring.set_password(&email, password(&input)).await?;
            Ok(Report::new(json!({ "email": email }), "The password is set, and the sessions have ended.\n"))
        }
    }
}
