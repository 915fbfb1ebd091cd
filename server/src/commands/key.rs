//! `latchkey key`

use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use domain::{
    ensured::Ensured,
    expiration::ExpirationDraft,
    id::{Id, KeyId},
    key::{Key, Status, Validity},
    key_draft::{Choices, Grace, KeyDraft},
    key_list::KeyListQuery,
    network,
    property::PropertyScope,
    secret::KeyKind,
};
use keyring::{Error, Keyring, NewKey, NewSecret, Rotation, TenantAdmin, Thing, ViewKeys};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Report, created, pretty, table};

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
        /// Do nothing if the tenant has an active key with this name; its secret is not shown again
        #[arg(long)]
        if_absent: bool,
    },
    /// List a tenant's keys, the newest first
    List {
        /// The tenant's slug
        #[arg(long)]
        tenant: String,
        /// Only keys with this status
        #[arg(long, value_enum)]
        status: Option<StatusArg>,
        /// Only keys that are valid, expire within 30 days or have expired
        #[arg(long, value_enum)]
        expiration: Option<ValidityArg>,
        /// Look for this in names, descriptions and last characters
        #[arg(long, default_value = "")]
        search: String,
    },
    /// Show one key, also a personal one
    Show {
        /// The key's id
        id: String,
    },
    /// Change a key; what is not named stays
    Edit {
        /// The key's id
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
        /// The key's id
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
    EndGrace {
        /// The key's id
        id: String,
    },
    /// Revoke a key permanently, also a personal one
    Revoke {
        /// The key's id
        id: String,
    },
    /// Remove a key with its secrets and its usage
    Delete {
        /// The key's id
        id: String,
    },
}

/// The settings of a key.
#[derive(Args, Clone, Default)]
pub struct Terms {
    /// The name of the key
    #[arg(long)]
    name: Option<String>,
    /// What the key is for
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
        KeyCommand::Create { tenant, terms, expires, if_absent } => {
            let operator = keyring.operator_for(&tenant).await?;
            let choices = keyring.key_choices(&operator).await?;
            let draft = terms.onto(KeyDraft::default(), &choices);
            let new = NewKey { draft, expiration: expires.map_or(ExpirationDraft::Never, expiration) };
            if !if_absent {
                return Ok(generated(keyring.generate_key(&operator, &new).await?));
            }
            Ok(match keyring.ensure_key(&operator, &new).await? {
                Ensured::Created(new) => generated(new),
                Ensured::Existing(key) => created(json!({ "id": key.id }), false, &key.name),
            })
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
            let (viewer, id) = viewer_of(keyring, &id).await?;
            Ok(pretty(view(&keyring.key(&viewer, &id).await?, keyring)))
        }
        KeyCommand::Edit { id, terms, all_properties, any_ip, any_origin } => {
            let (operator, id) = manager_of(keyring, &id).await?;
            let key = keyring.key(&operator, &id).await?;
            let choices = keyring.key_choices(&operator).await?;
            let draft = cleared(KeyDraft::of(&key), all_properties, any_ip, any_origin);
            let edited = keyring.edit_key(&operator, &id, key.version, &terms.onto(draft, &choices)).await?;
            Ok(Report::new(view(&edited, keyring), format!("Saved {}.\n", edited.name)))
        }
        KeyCommand::Rotate { id, grace, expires, never_expires } => {
            let (operator, id) = manager_of(keyring, &id).await?;
            let seen = keyring.key(&operator, &id).await?.version;
            let never = never_expires.then_some(ExpirationDraft::Never);
            let rotation = Rotation { expiration: expires.map(expiration).or(never), grace: grace.into() };
            Ok(with_secret(keyring.rotate_key(&operator, &id, seen, &rotation).await?, "Rotated"))
        }
        KeyCommand::EndGrace { id } => {
            let (operator, id) = manager_of(keyring, &id).await?;
            keyring.end_grace(&operator, &id).await?;
            Ok(Report::new(json!({ "id": id }), "The old secret no longer works.\n"))
        }
        KeyCommand::Revoke { id } => {
            let (viewer, id) = viewer_of(keyring, &id).await?;
            let key = keyring.revoke_key(&viewer, &id).await?;
            Ok(Report::new(view(&key, keyring), format!("Revoked {}.\n", key.name)))
        }
        KeyCommand::Delete { id } => {
            let (operator, id) = manager_of(keyring, &id).await?;
            keyring.delete_key(&operator, &id).await?;
            Ok(Report::new(json!({ "id": id }), "Deleted the key.\n"))
        }
    }
}

/// The operator, in charge of a key of the tenant's own.
async fn manager_of(keyring: &Keyring, id: &str) -> Result<(TenantAdmin, KeyId), Error> {
    let id = parse_id(id)?;
    match keyring.operator_for_key(&id).await? {
        (operator, KeyKind::Tenant) => Ok((operator, id)),
        (_, KeyKind::Personal) => {
            let detail = "This is a personal key. Only its owner can change it; you can show and revoke it.";
            Err(Error::Refused(detail.to_owned()))
        }
    }
}

/// The operator, able to show and revoke a key of either kind.
async fn viewer_of(keyring: &Keyring, id: &str) -> Result<(Arc<dyn ViewKeys + Send>, KeyId), Error> {
    let id = parse_id(id)?;
    let viewer: Arc<dyn ViewKeys + Send> = match keyring.operator_for_key(&id).await? {
        (operator, KeyKind::Tenant) => Arc::new(operator),
        (operator, KeyKind::Personal) => Arc::new(operator.for_personal_keys()),
    };
    Ok((viewer, id))
}

fn parse_id(id: &str) -> Result<KeyId, Error> {
    KeyId::parse(id).map_err(|_| Error::NotFound(Thing::Key))
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

/// The only report that contains a secret.
fn with_secret(new: NewSecret, done: &str) -> Report {
    let NewSecret { id, secret } = new;
    let secret = secret.expose_secret();
    let text = format!("{done} {id}. This is its secret; it is not shown again:\n{secret}\n");
    Report::new(json!({ "id": id, "secret": secret }), text)
}

fn generated(new: NewSecret) -> Report {
    let mut report = with_secret(new, "Generated");
    report.json["created"] = true.into();
    report
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
        "owner": key.owner,
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
