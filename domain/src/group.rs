//! Authorization groups: named sets of permissions.

use serde::{Deserialize, Serialize};

use crate::{id::GroupId, permission::Permission, text::Length};

/// Who a group can be given to.
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

/// How long the name of a group, a property, a tenant or a person may be.
pub const NAME: Length = Length { least: 2, most: 100 };
