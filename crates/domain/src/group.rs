//! Authorization groups: named sets of permissions.

use serde::{Deserialize, Serialize};

use crate::{field::FieldError, id::GroupId, permission::Permission, text::Length};

/// The kind of credential that a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupType {
    TenantApiKey,
    Person,
}

impl GroupType {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TenantApiKey => "tenant_api_key",
            Self::Person => "person",
        }
    }
}

/// A named set of permissions of one type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub id: GroupId,
    pub name: String,
    #[serde(rename = "type")]
    pub group_type: GroupType,
    pub permissions: Vec<Permission>,
}

/// The version of a group that a person saw, as a form carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub i32);

impl TryFrom<String> for Version {
    type Error = std::num::ParseIntError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.0.to_string()
    }
}

/// The permissions that were picked, and those that were typed, one a line.
#[must_use]
pub fn picked_and_typed(picked: Vec<String>, typed: &str) -> Vec<String> {
    let typed = typed.lines().map(str::trim).filter(|line| !line.is_empty());
    picked.into_iter().chain(typed.map(str::to_owned)).collect()
}

/// The length limits of names of groups, properties, tenants and people.
pub const GROUP_NAME: Length = Length { least: 2, most: 100 };

/// The name of a group, a property, a tenant or a person.
///
/// # Errors
/// Why it was refused, for the person who typed it.
pub fn parse_name(text: &str) -> Result<String, FieldError> {
    GROUP_NAME.name(text)
}
