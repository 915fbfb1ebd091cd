//! The form that a key is generated and edited with: what is typed, and what it means once it is right.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{
    field::{Field, FieldError, FieldErrors},
    group::Group,
    id::{GroupId, Id, PropertyId},
    key::Key,
    network::{self, parse_allowlist},
    origin::{Origin, parse_origins},
    permission::Permission,
    property::{Property, PropertyScope},
    rate_limit::RateLimit,
    scope::Scopes,
    text::{InvalidText, Length},
};

pub const KEY_NAME: Length = Length { least: 2, most: 200 };
pub const KEY_DESCRIPTION: Length = Length { least: 0, most: 1000 };

/// Returns the trimmed description of something.
///
/// # Errors
/// Why it was refused, for the person who typed it.
pub fn parse_description(text: &str) -> Result<String, FieldError> {
    KEY_DESCRIPTION.trimmed(text, true).map_err(|bad| {
        let (code, detail) = match bad {
            InvalidText::ControlCharacter => {
                ("control_character", "Remove the invisible control characters.".to_owned())
            }
            other => KEY_DESCRIPTION.explain(other),
        };
        FieldError::new(Field::Description, code, detail)
    })
}

/// The form's fields, exactly as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDraft {
    pub name: String,
    pub description: String,
    /// The id of the group that was picked; empty when none was.
    pub group: String,
    pub read: bool,
    pub write: bool,
    pub all_properties: bool,
    pub properties: Vec<String>,
    pub allowed_ips: String,
    pub allowed_origins: String,
    pub rate_limit_per_minute: String,
}

impl Default for KeyDraft {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            group: String::new(),
            read: true,
            write: false,
            all_properties: true,
            properties: Vec::new(),
            allowed_ips: String::new(),
            allowed_origins: String::new(),
            rate_limit_per_minute: RateLimit::DEFAULT.per_minute().to_string(),
        }
    }
}

/// The options of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    pub permission_source: PermissionSource,
    pub properties: Vec<Property>,
}

/// The source of a key's permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PermissionSource {
    /// One of these groups, for a key of the tenant's.
    Groups(Vec<Group>),
    /// All permissions of the owner, for a personal key.
    Own(Vec<Permission>),
}

impl PermissionSource {
    /// The groups to choose from, if one has to be chosen.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        match self {
            Self::Groups(groups) => groups,
            Self::Own(_) => &[],
        }
    }

    /// Returns the permissions that a key with this group would have. None while no group is selected.
    #[must_use]
    pub fn with_group(&self, picked: &str) -> Option<&[Permission]> {
        match self {
            Self::Groups(groups) => {
                groups.iter().find(|group| group.id.as_str() == picked).map(|group| group.permissions.as_slice())
            }
            Self::Own(permissions) => Some(permissions),
        }
    }
}

/// A draft that is right: all of a key that an edit can change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTerms {
    pub name: String,
    pub description: String,
    /// None for a personal key.
    pub group: Option<GroupId>,
    pub scopes: Scopes,
    pub reach: PropertyScope,
    pub allowed_ips: Vec<IpNet>,
    pub allowed_origins: Vec<Origin>,
    pub rate_limit_per_minute: RateLimit,
}

impl KeyDraft {
    /// Returns the form filled in with an existing key.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        let (all_properties, properties) = match &key.reach {
            PropertyScope::All => (true, Vec::new()),
            PropertyScope::Only(ids) => (false, ids.iter().map(ToString::to_string).collect()),
        };
        let lines = |items: Vec<String>| items.join("\n");
        Self {
            name: key.name.clone(),
            description: key.description.clone(),
            group: key.group.as_ref().map(|group| group.id.to_string()).unwrap_or_default(),
            read: key.scopes.read(),
            write: key.scopes.write(),
            all_properties,
            properties,
            allowed_ips: lines(key.allowed_ips.iter().map(network::show).collect()),
            allowed_origins: lines(key.allowed_origins.iter().map(ToString::to_string).collect()),
            rate_limit_per_minute: key.rate_limit_per_minute.per_minute().to_string(),
        }
    }

    /// Reads the whole form.
    ///
    /// # Errors
    /// Reports all invalid fields together.
    pub fn parse(&self, choices: &Choices) -> Result<KeyTerms, FieldErrors> {
        let mut errors = FieldErrors::default();
        let name = errors.collect(KEY_NAME.name(&self.name));
        let description = errors.collect(parse_description(&self.description));
        let group = errors.collect(self.group(choices));
        let scopes = errors.collect(self.scopes());
        let reach = errors.collect(self.reach(choices));
        let allowed_ips = errors.collect(parse_allowlist(&self.allowed_ips));
        let allowed_origins = errors.collect(parse_origins(&self.allowed_origins));
        let rate_limit = errors.collect(RateLimit::parse(&self.rate_limit_per_minute));
        match (name, description, group, scopes, reach, allowed_ips, allowed_origins, rate_limit) {
            (
                Some(name),
                Some(description),
                Some(group),
                Some(scopes),
                Some(reach),
                Some(ips),
                Some(allowed_origins),
                Some(rate_limit_per_minute),
            ) => Ok(KeyTerms {
                name,
                description,
                group,
                scopes,
                reach,
                allowed_ips: ips.ranges,
                allowed_origins,
                rate_limit_per_minute,
            }),
            _ => Err(errors),
        }
    }

    fn group(&self, choices: &Choices) -> Result<Option<GroupId>, FieldError> {
        let PermissionSource::Groups(groups) = &choices.permission_source else { return Ok(None) };
        let refused = |code, detail: &str| FieldError::new(Field::Group, code, detail);
        if self.group.is_empty() {
            return Err(refused("required", "Choose the authorization group that says what the key may do."));
        }
        let known = groups.iter().find(|group| group.id.as_str() == self.group);
        known
            .map(|group| Some(group.id.clone()))
            .ok_or_else(|| refused("not_found", "There is no such group for API keys. Choose one that the tenant has."))
    }

    fn scopes(&self) -> Result<Scopes, FieldError> {
        Scopes::from_ticks(self.read, self.write).ok_or_else(|| {
            FieldError::new(
                Field::Scopes,
                "required",
                "Choose Read, Write or both: a key without a scope can do nothing.",
            )
        })
    }

    fn reach(&self, choices: &Choices) -> Result<PropertyScope, FieldError> {
        if self.all_properties {
            return Ok(PropertyScope::All);
        }
        let refused = |code, detail: &str| FieldError::new(Field::Properties, code, detail);
        let mut ids: Vec<PropertyId> = Vec::new();
        for picked in &self.properties {
            let known = choices.properties.iter().find(|property| property.id.as_str() == picked);
            let property = known.ok_or_else(|| {
                refused("not_found", "One of these properties does not exist. Choose among those that the tenant has.")
            })?;
            if !ids.contains(&property.id) {
                ids.push(property.id.clone());
            }
        }
        if ids.is_empty() {
            return Err(refused("required", "Pick at least one property, or give access to all of them."));
        }
        ids.sort();
        Ok(PropertyScope::Only(ids))
    }
}

/// The grace period of the old secret after a rotation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grace {
    #[default]
    None,
    OneHour,
    OneDay,
    OneWeek,
}

impl Grace {
    /// The name in commands and forms.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::OneHour => "1h",
            Self::OneDay => "24h",
            Self::OneWeek => "7d",
        }
    }

    #[must_use]
    pub const fn hours(self) -> i64 {
        match self {
            Self::None => 0,
            Self::OneHour => 1,
            Self::OneDay => 24,
            Self::OneWeek => 7 * 24,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::group::GroupType;

    const GROUP: &str = "grp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB";
    const PROPERTY: &str = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB";

    fn choices() -> Choices {
        Choices {
            permission_source: PermissionSource::Groups(vec![Group {
                id: GroupId::parse(GROUP).unwrap(),
                name: "Booking".into(),
                group_type: GroupType::TenantApiKey,
                permissions: vec![],
            }]),
            properties: vec![Property { id: PropertyId::parse(PROPERTY).unwrap(), name: "Harbour House".into() }],
        }
    }

    fn good() -> KeyDraft {
        KeyDraft { name: " PMS ".into(), group: GROUP.into(), ..KeyDraft::default() }
    }

    #[test]
    fn valid_draft_becomes_terms() {
        let terms = good().parse(&choices()).unwrap();
        assert_eq!(terms.name, "PMS");
        assert_eq!(terms.scopes, Scopes::Read);
        assert_eq!(terms.reach, PropertyScope::All);
        assert_eq!(terms.rate_limit_per_minute, RateLimit::DEFAULT);
        let picked = KeyDraft { all_properties: false, properties: vec![PROPERTY.into(), PROPERTY.into()], ..good() };
        assert_eq!(
            picked.parse(&choices()).unwrap().reach,
            PropertyScope::Only(vec![PropertyId::parse(PROPERTY).unwrap()])
        );
    }

    #[test]
    fn personal_key_has_no_group() {
        let own = Choices { permission_source: PermissionSource::Own(vec![]), ..choices() };
        assert_eq!(KeyDraft { group: String::new(), ..good() }.parse(&own).unwrap().group, None);
        assert_eq!(good().parse(&own).unwrap().group, None);
    }

    #[test]
    fn all_invalid_fields_are_reported_together() {
        let draft = KeyDraft {
            name: "x".into(),
            description: "x".repeat(1001),
            group: String::new(),
            read: false,
            write: false,
            all_properties: false,
            properties: vec![],
            allowed_ips: "nonsense".into(),
            allowed_origins: "nonsense".into(),
            rate_limit_per_minute: "0".into(),
        };
        let errors = draft.parse(&choices()).unwrap_err();
        let fields: Vec<_> = errors.0.iter().map(|error| (error.field.as_str(), error.code.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("name", "too_short"),
                ("description", "too_long"),
                ("group", "required"),
                ("scopes", "required"),
                ("properties", "required"),
                ("allowed_ips", "not_an_address"),
                ("allowed_origins", "not_an_origin"),
                ("rate_limit_per_minute", "out_of_range"),
            ]
        );
    }

    #[test]
    fn names_have_2_to_200_characters_and_descriptions_up_to_1000() {
        let parses = |draft: KeyDraft| draft.parse(&choices()).is_ok();
        assert!(parses(KeyDraft { name: "é".repeat(200), ..good() }));
        assert!(!parses(KeyDraft { name: "é".repeat(201), ..good() }));
        assert!(parses(KeyDraft { name: "👩🏽‍🚀👩🏽‍🚀".into(), ..good() }));
        assert!(!parses(KeyDraft { name: "👩🏽‍🚀".into(), ..good() }));
        assert!(parses(KeyDraft { description: "ü\n".repeat(500).trim().into(), ..good() }));
    }

    #[test]
    fn only_the_tenants_own_groups_and_properties_can_be_picked() {
        let foreign_group = KeyDraft { group: GROUP.replace("XAB", "XAC"), ..good() };
        assert_eq!(foreign_group.parse(&choices()).unwrap_err().0[0].code, "not_found");
        let foreign_property =
            KeyDraft { all_properties: false, properties: vec![PROPERTY.replace("XAB", "XAC")], ..good() };
        assert_eq!(foreign_property.parse(&choices()).unwrap_err().0[0].code, "not_found");
    }
}
