//! `latchkey person`

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    group::GroupType,
    id::{Id, PersonId},
    person::{Profile, Role},
};
use keyring::{Error, Invitation, Keyring, NewInvitation, NewPerson, NewRole, PersonScope, TenantAdmin, Thing};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{PasswordSource, Report, table};

#[derive(Subcommand, Clone)]
pub enum PersonCommand {
    /// Make a person who can sign in
    Create {
        /// The tenant's slug; none for a super user
        #[arg(long)]
        tenant: Option<String>,
        /// The address to sign in with
        #[arg(long)]
        email: String,
        /// The person's name
        #[arg(long)]
        name: String,
        /// The person's role
        #[arg(long, value_enum, default_value = "member")]
        role: RoleArg,
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the people of a tenant, or the super users
    List {
        /// The tenant's slug; none for super users
        #[arg(long)]
        tenant: Option<String>,
    },
    /// Invite a person and print the link by which they choose a password, this once
    Invite {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        /// The address to sign in with
        #[arg(long)]
        email: String,
        /// The person's name
        #[arg(long)]
        name: String,
        #[command(flatten)]
        powers: Powers,
    },
    /// Give a person another role, and these groups and no others
    SetRole {
        /// The person's id
        id: String,
        #[command(flatten)]
        powers: Powers,
    },
    /// Switch a person off: they cannot sign in, and their keys are refused
    SwitchOff {
        /// The person's id
        id: String,
    },
    /// Switch a person on again
    SwitchOn {
        /// The person's id
        id: String,
    },
    /// Take the second factor from a person who lost it
    ResetSecondFactor {
        /// The person's id
        id: String,
    },
    /// Give a person another password, and end their sessions
    SetPassword {
        /// The tenant's slug, where people of several tenants have the address
        #[arg(long)]
        tenant: Option<String>,
        /// The super user with the address
        #[arg(long, conflicts_with = "tenant")]
        super_user: bool,
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
        /// Read the password from standard input instead of asking for it
        #[arg(long)]
        password_stdin: bool,
    },
}

/// The access of a person in their tenant.
#[derive(Args, Clone)]
pub struct Powers {
    /// The person's role
    #[arg(long, value_enum, default_value = "member")]
    role: TenantRoleArg,
    /// A group for people, by name or id; can be given more than once
    #[arg(long)]
    group: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TenantRoleArg {
    TenantAdmin,
    Member,
}

impl From<TenantRoleArg> for Role {
    fn from(word: TenantRoleArg) -> Self {
        match word {
            TenantRoleArg::TenantAdmin => Self::TenantAdmin,
            TenantRoleArg::Member => Self::Member,
        }
    }
}

impl Powers {
    async fn read(self, keyring: &Keyring, operator: &TenantAdmin) -> Result<NewRole, Error> {
        let known = keyring.groups(operator).await?;
        let id = |named: String| {
            let by_name = known.iter().find(|group| group.name == named && group.group_type == GroupType::Person);
            by_name.map(|group| group.id.to_string()).unwrap_or(named)
        };
        let role = Role::from(self.role).as_str().to_owned();
        Ok(NewRole { role, groups: self.group.into_iter().map(id).collect() })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    SuperUser,
    TenantAdmin,
    Member,
}

impl From<RoleArg> for Role {
    fn from(word: RoleArg) -> Self {
        match word {
            RoleArg::SuperUser => Self::SuperUser,
            RoleArg::TenantAdmin => Self::TenantAdmin,
            RoleArg::Member => Self::Member,
        }
    }
}

impl PersonCommand {
    pub(super) fn password_source(&self) -> Option<PasswordSource> {
        match self {
            Self::Create { password_stdin, .. } | Self::SetPassword { password_stdin, .. } => {
                Some(if *password_stdin { PasswordSource::Stdin } else { PasswordSource::Prompt })
            }
            _ => None,
        }
    }
}

/// The line that was typed or piped in, without its end.
fn password(input: &str) -> SecretString {
    input.strip_suffix('\n').map_or(input, |line| line.strip_suffix('\r').unwrap_or(line)).to_owned().into()
}

pub(super) async fn execute(
    keyring: &Keyring,
    public_url: &str,
    command: PersonCommand,
    input: String,
) -> Result<Report, Error> {
    match command {
        PersonCommand::Invite { tenant, email, name, powers } => {
            let operator = keyring.operator_for(&tenant).await?;
            let role = powers.read(keyring, &operator).await?;
            let made = keyring.invite_person(&operator, &NewInvitation { email, name, role }).await?;
            Ok(invited(public_url, &made))
        }
        PersonCommand::SetRole { id, powers } => {
            let (operator, id) = find_person(keyring, &id).await?;
            let role = powers.read(keyring, &operator).await?;
            let profile = keyring.set_role(&operator, &id, &role).await?;
            let text = format!("{} is {} now.\n", profile.person.name, profile.person.role.as_str());
            Ok(Report::new(json!(profile), text))
        }
        PersonCommand::SwitchOff { id } => {
            let (operator, id) = find_person(keyring, &id).await?;
            keyring.deactivate(&operator, &id).await?;
            shown(keyring, &operator, &id, "is deactivated, and their sessions have ended").await
        }
        PersonCommand::SwitchOn { id } => {
            let (operator, id) = find_person(keyring, &id).await?;
            keyring.reactivate(&operator, &id).await?;
            shown(keyring, &operator, &id, "is switched on").await
        }
        PersonCommand::ResetSecondFactor { id } => {
            let (operator, id) = find_person(keyring, &id).await?;
            keyring.reset_second_factor(&operator, &id).await?;
            shown(keyring, &operator, &id, "has no second factor").await
        }
        PersonCommand::Create { tenant, email, name, role, .. } => {
            let operator = match &tenant {
                Some(slug) => Some(keyring.operator_for(slug).await?),
                None => None,
            };
            let new = NewPerson { email, name, password: password(&input) };
            let person = keyring.create_person(operator.as_ref(), role.into(), new).await?;
            let text = format!("Created {} ({}), who signs in as {}.\n", person.name, person.id, person.email.as_str());
            Ok(Report::new(json!(person), text))
        }
        PersonCommand::List { tenant } => {
            let operator = match &tenant {
                Some(slug) => Some(keyring.operator_for(slug).await?),
                None => None,
            };
            let people = keyring.people(operator.as_ref()).await?;
            let row = |Profile { person, state, .. }: &Profile| {
                let (role, state) = (person.role.as_str().to_owned(), state.as_str().to_owned());
                vec![person.id.to_string(), person.email.as_str().to_owned(), person.name.clone(), role, state]
            };
            Ok(Report::new(json!(people), table(&people.iter().map(row).collect::<Vec<_>>())))
        }
        PersonCommand::SetPassword { tenant, super_user, email, .. } => {
            let scope = match &tenant {
                Some(slug) => PersonScope::Tenant(slug),
                None if super_user => PersonScope::SuperUsers,
                None => PersonScope::Everyone,
            };
            keyring.set_password(&email, scope, password(&input)).await?;
            Ok(Report::new(json!({ "email": email }), "The password is set, and the sessions have ended.\n"))
        }
    }
}

/// A person by their id, and the operator of their tenant.
async fn find_person(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, PersonId), Error> {
    let id = PersonId::parse(id).map_err(|_| Error::NotFound(Thing::Person))?;
    Ok((keyring.operator_for_person(&id).await?, id))
}

fn invited(public_url: &str, made: &Invitation) -> Report {
    let Invitation { person, token, expires_at } = made;
    let link = format!("{public_url}/invitation/{}", token.expose_secret());
    let text = format!(
        "Invited {} ({}). Send them this link. It works once, within 7 days:\n{link}\n",
        person.name, person.id
    );
    Report::new(json!({ "id": person.id, "link": link, "expires_at": expires_at }), text)
}

/// A person after a change.
async fn shown(keyring: &Keyring, operator: &TenantAdmin, id: &PersonId, what: &str) -> Result<Report, Error> {
    let profile = keyring.person(operator, id).await?;
    let text = format!("{} {what}.\n", profile.person.name);
    Ok(Report::new(json!(profile), text))
}
