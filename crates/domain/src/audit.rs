//! The actions in the audit log.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! actions {
    ($($name:ident = $text:literal, $words:literal;)*) => {
        /// Every audited action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Action {
            $(#[serde(rename = $text)] $name,)*
        }

        impl Action {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stored name and the name on the wire: the subject's kind and the action.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The label for people.
            #[must_use]
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

actions! {
    TenantCreated = "tenant.created", "Tenant created";
    TenantChanged = "tenant.changed", "Tenant changed";
    TenantEntered = "tenant.entered", "Tenant entered by a super user";
    TenantLeft = "tenant.left", "Tenant left by a super user";
    PersonCreated = "person.created", "Person created";
    PersonInvited = "person.invited", "Person invited";
    PersonLinkMade = "person.link_made", "Password link made";
    PersonJoined = "person.joined", "Password set by link";
    PersonRenamed = "person.renamed", "Person renamed";
    PersonRoleChanged = "person.role_changed", "Role or groups changed";
    PersonDeactivated = "person.switched_off", "Person switched off";
    PersonReactivated = "person.switched_on", "Person switched on";
    PasswordSet = "person.password_set", "Password set by the operator";
    PasswordChanged = "person.password_changed", "Password changed";
    SecondFactorOn = "second_factor.on", "Second factor turned on";
    SecondFactorOff = "second_factor.off", "Second factor turned off";
    SecondFactorReset = "second_factor.reset", "Second factor reset";
    RecoveryCodesRenewed = "second_factor.codes_renewed", "Recovery codes renewed";
    SignInsFailed = "session.sign_ins_failed", "Repeated failed sign-ins";
    SessionOpened = "session.opened", "Signed in";
    IdentityConfirmed = "session.confirmed", "Identity confirmed";
    SessionEnded = "session.ended", "Signed out";
    SessionsEnded = "session.all_ended", "Signed out everywhere";
    PropertyCreated = "property.created", "Property created";
    PropertyRenamed = "property.renamed", "Property renamed";
    PropertyArchived = "property.archived", "Property archived";
    PropertyRestored = "property.restored", "Property restored";
    GroupCreated = "group.created", "Authorization group created";
    GroupEdited = "group.edited", "Authorization group edited";
    GroupDeleted = "group.deleted", "Authorization group deleted";
    KeyGenerated = "key.generated", "API key generated";
    KeyEdited = "key.edited", "API key edited";
    KeyRotated = "key.rotated", "API key rotated";
    KeyGraceEnded = "key.grace_ended", "Old secret ended";
    KeyRevoked = "key.revoked", "API key revoked";
    KeyDeleted = "key.deleted", "API key deleted";
    PermissionAdded = "permission.added", "Permission added to the catalog";
    PermissionRemoved = "permission.removed", "Permission removed from the catalog";
    AuditSealed = "audit.sealed", "Audit log sealed";
    SecretKeyRotated = "secret_key.rotated", "Secret key rotated";
}

impl Action {
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|action| action.as_str() == text)
    }

    /// Returns true if the action only removes access. Such actions must never wait.
    #[must_use]
    pub const fn removes_access(self) -> bool {
        matches!(
            self,
            Self::KeyRevoked
                | Self::KeyDeleted
                | Self::KeyGraceEnded
                | Self::PersonDeactivated
                | Self::SessionEnded
                | Self::SessionsEnded
                | Self::TenantLeft
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
