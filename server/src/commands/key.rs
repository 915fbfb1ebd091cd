//! `latchkey key`

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    expiration::ExpirationDraft,
    id::{Id, KeyId},
    key::{Key, Status, Validity},
    key_draft::{Choices, Grace, KeyDraft},
    key_list::KeyListQuery,
    network,
    property::PropertyScope,
};
use keyring::{Error, Keyring, NewKey, NewSecret, Rotation, TenantAdmin, Thing};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Report, table};

#[derive(Subcommand, Clone)]
pub enum KeyCommand {
    /// Generate a key and print its secret, this once
    Create {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        #[command(flatten)]
        terms: Terms,
        /// An instant such as 2027-01-31T00:00:00Z, or a day such as 2027-01-31, to its end; never without it
        #[arg(long)]
        expires: Option<String>,
    },
    /// List a tenant's keys, the newest first
    List {
        #[arg(long)]
        tenant: String,
        #[arg(long, value_enum)]
        status: Option<StatusArg>,
        #[arg(long, value_enum)]
        expiration: Option<ValidityArg>,
        /// Look for this in names, descriptions and last characters
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show one key
    Show { id: String },
    /// Change a key; what is not named stays
    Edit {
        id: String,
        #[command(flatten)]
        terms: Terms,
        /// Give access to all properties
        #[arg(long, conflicts_with = "property")]
        all_properties: bool,
        /// Allow every address
        #[arg(long, conflicts_with = "ip")]
        any_ip: bool,
        /// Allow every origin
        #[arg(long, conflicts_with = "origin")]
        any_origin: bool,
    },
    /// Give a key a new secret and print it, this once
    Rotate {
        id: String,
        /// The grace period of the old secret
        #[arg(long, value_enum, default_value = "none")]
        grace: GraceArg,
        /// A new expiration; without it, the key's stays
        #[arg(long, conflicts_with = "never_expires")]
        expires: Option<String>,
        /// Let the key never expire
        #[arg(long)]
        never_expires: bool,
    },
    /// End the grace period of a rotated key's old secret
    EndGrace { id: String },
    /// Revoke a key permanently
    Revoke { id: String },
    /// Remove a key with its secrets and its usage
    Delete { id: String },
}

/// The settings of a key.
#[derive(Args, Clone, Default)]
pub struct Terms {
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    description: Option<String>,
    /// The authorization group, by name or id
    #[arg(long)]
    group: Option<String>,
    /// Once for each scope [default: read]
    #[arg(long, value_enum)]
    scope: Vec<ScopeArg>,
    /// The id of a property, once for each; all of them without it
    #[arg(long)]
    property: Vec<String>,
    /// An address or CIDR range, once for each
    #[arg(long)]
    ip: Vec<String>,
    /// An origin, once for each
    #[arg(long)]
    origin: Vec<String>,
    /// Requests a minute, 1 to 1000 [default: 60]
    #[arg(long)]
    rate_limit: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ScopeArg {
    Read,
    Write,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StatusArg {
    Active,
    Revoked,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValidityArg {
    Valid,
    ExpiringSoon,
    Expired,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GraceArg {
    None,
    #[value(name = "1h")]
    OneHour,
    #[value(name = "24h")]
    OneDay,
    #[value(name = "7d")]
    OneWeek,
}

impl From<GraceArg> for Grace {
    fn from(word: GraceArg) -> Self {
        match word {
            GraceArg::None => Self::None,
            GraceArg::OneHour => Self::OneHour,
            GraceArg::OneDay => Self::OneDay,
            GraceArg::OneWeek => Self::OneWeek,
        }
    }
}

pub(super) async fn execute(keyring: &Keyring, command: KeyCommand) -> Result<Report, Error> {
    match command {
        KeyCommand::Create { tenant, terms, expires } => {
            let operator = keyring.operator_for(&tenant).await?;
            let choices = keyring.key_choices(&operator).await?;
            let draft = terms.onto(KeyDraft::default(), &choices);
            let expiration = expires.map_or(ExpirationDraft::Never, expiration);
            Ok(with_secret(keyring.generate_key(&operator, &NewKey { draft, expiration }).await?, "Generated"))
        }
        KeyCommand::List { tenant, status, expiration, search } => {
            let query = KeyListQuery {
                status: status.map(status_of),
                validity: expiration.map(validity_of),
                search,
                ..KeyListQuery::default()
            };
            list(keyring, &keyring.operator_for(&tenant).await?, query).await
        }
        KeyCommand::Show { id } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            let key = keyring.key(&operator, &id).await?;
            let shown = view(&key, keyring);
            let text = serde_json::to_string_pretty(&shown).unwrap_or_default();
            Ok(Report::new(shown, format!("{text}\n")))
        }
        KeyCommand::Edit { id, terms, all_properties, any_ip, any_origin } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            let key = keyring.key(&operator, &id).await?;
            let choices = keyring.key_choices(&operator).await?;
            let draft = cleared(KeyDraft::of(&key), all_properties, any_ip, any_origin);
            let edited = keyring.edit_key(&operator, &id, key.version, &terms.onto(draft, &choices)).await?;
            Ok(Report::new(view(&edited, keyring), format!("Saved {}.\n", edited.name)))
        }
        KeyCommand::Rotate { id, grace, expires, never_expires } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            let seen = keyring.key(&operator, &id).await?.version;
            let never = never_expires.then_some(ExpirationDraft::Never);
            let rotation = Rotation { expiration: expires.map(expiration).or(never), grace: grace.into() };
            Ok(with_secret(keyring.rotate_key(&operator, &id, seen, &rotation).await?, "Rotated"))
        }
        KeyCommand::EndGrace { id } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            keyring.end_grace(&operator, &id).await?;
            Ok(Report::new(json!({ "id": id }), "The old secret no longer works.\n"))
        }
        KeyCommand::Revoke { id } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            let key = keyring.revoke_key(&operator, &id).await?;
            Ok(Report::new(view(&key, keyring), format!("Revoked {}.\n", key.name)))
        }
        KeyCommand::Delete { id } => {
            let (operator, id) = owner_of(keyring, &id).await?;
            keyring.delete_key(&operator, &id).await?;
            Ok(Report::new(json!({ "id": id }), "Deleted the key.\n"))
        }
    }
}

async fn owner_of(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, KeyId), Error> {
    let id = KeyId::parse(id).map_err(|_| Error::NotFound(Thing::Key))?;
    Ok((keyring.operator_for_key(&id).await?, id))
}

/// A day, or an instant with its offset.
fn expiration(text: String) -> ExpirationDraft {
    if text.contains(['T', 't', ' ']) { ExpirationDraft::Instant(text) } else { ExpirationDraft::EndOfDay(text) }
}

impl Terms {
    /// Returns the draft with every option that was given replaced.
    fn onto(self, draft: KeyDraft, choices: &Choices) -> KeyDraft {
        let Self { name, description, group, scope, property, ip, origin, rate_limit } = self;
        let group = group.map(|named| {
            let by_name = choices.permission_source.groups().iter().find(|group| group.name == named);
            by_name.map(|group| group.id.to_string()).unwrap_or(named)
        });
        let has_scopes = !scope.is_empty();
        KeyDraft {
            name: name.unwrap_or(draft.name),
            description: description.unwrap_or(draft.description),
            group: group.unwrap_or(draft.group),
            read: if has_scopes { scope.contains(&ScopeArg::Read) } else { draft.read },
            write: if has_scopes { scope.contains(&ScopeArg::Write) } else { draft.write },
            all_properties: draft.all_properties && property.is_empty(),
            properties: if property.is_empty() { draft.properties } else { property },
            allowed_ips: if ip.is_empty() { draft.allowed_ips } else { ip.join("\n") },
            allowed_origins: if origin.is_empty() { draft.allowed_origins } else { origin.join("\n") },
            rate_limit_per_minute: rate_limit.unwrap_or(draft.rate_limit_per_minute),
        }
    }
}

fn cleared(draft: KeyDraft, all_properties: bool, any_ip: bool, any_origin: bool) -> KeyDraft {
    KeyDraft {
        all_properties: draft.all_properties || all_properties,
        allowed_ips: if any_ip { String::new() } else { draft.allowed_ips },
        allowed_origins: if any_origin { String::new() } else { draft.allowed_origins },
        ..draft
    }
}

fn status_of(word: StatusArg) -> Status {
    match word {
        StatusArg::Active => Status::Active,
        StatusArg::Revoked => Status::Revoked,
    }
}

fn validity_of(word: ValidityArg) -> Validity {
    match word {
        ValidityArg::Valid => Validity::Valid,
        ValidityArg::ExpiringSoon => Validity::ExpiringSoon,
        ValidityArg::Expired => Validity::Expired,
    }
}

/// The one answer of the command line that carries a secret.
fn with_secret(new: NewSecret, done: &str) -> Report {
    let NewSecret { id, secret } = new;
    let secret = secret.expose_secret();
    let text = format!("{done} {id}. This is its secret; it is not shown again:\n{secret}\n");
    Report::new(json!({ "id": id, "secret": secret }), text)
}

async fn list(keyring: &Keyring, operator: &TenantAdmin, query: KeyListQuery) -> Result<Report, Error> {
    let mut keys = Vec::new();
    for number in 0.. {
        let page = keyring.keys(operator, &query.on_page(number)).await?;
        let is_last = number + 1 >= page.pages();
        keys.extend(page.keys);
        if is_last {
            break;
        }
    }
    let json = keys.iter().map(|key| view(key, keyring)).collect();
    let rows: Vec<Vec<String>> = keys.iter().map(|key| row(key, keyring)).collect();
    Ok(Report::new(json, table(&rows)))
}

fn status_arg(key: &Key) -> &'static str {
    match key.status() {
        Status::Active => "active",
        Status::Revoked => "revoked",
    }
}

fn validity_arg(key: &Key, keyring: &Keyring) -> &'static str {
    match key.validity(keyring.now()) {
        Validity::Valid => "valid",
        Validity::ExpiringSoon => "expiring_soon",
        Validity::Expired => "expired",
    }
}

fn row(key: &Key, keyring: &Keyring) -> Vec<String> {
    vec![
        key.id.to_string(),
        key.hint.to_string(),
        status_arg(key).to_owned(),
        validity_arg(key, keyring).to_owned(),
        key.group.as_ref().map(|group| group.name.clone()).unwrap_or_default(),
        key.name.clone(),
    ]
}

/// A key for programs; its secret is no part of it.
fn view(key: &Key, keyring: &Keyring) -> Value {
    let properties = match &key.reach {
        PropertyScope::All => Vec::new(),
        PropertyScope::Only(ids) => ids.clone(),
    };
    json!({
        "id": key.id,
        "name": key.name,
        "description": key.description,
        "head": key.hint.head,
        "tail": key.hint.tail,
        "status": status_arg(key),
        "expiration": validity_arg(key, keyring),
        "group": key.group,
        "scopes": key.scopes,
        "all_properties": key.reach == PropertyScope::All,
        "properties": properties,
        "allowed_ips": key.allowed_ips.iter().map(network::show).collect::<Vec<_>>(),
        "allowed_origins": key.allowed_origins,
        "rate_limit_per_minute": key.rate_limit_per_minute,
        "expires_at": key.expires_at,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
        "last_used_at": key.last_used_at,
        "old_secret_until": key.old_secret_until,
        "version": key.version,
    })
}
