//! What a person may do in a tenant: their role, and the groups of a member.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::GroupType,
    id::{Id, PersonId},
    key::GroupName,
    person::{Profile, Role},
};
use serde_json::json;

use super::{check_not_last_admin, find};
use crate::{
    Keyring,
    access::TenantAdmin,
    error::Error,
    store::{self, Change, Event, Subject},
};

/// What a person is to be in a tenant, as it was picked.
#[derive(Debug, Clone)]
pub struct NewRole {
    pub role: String,
    /// The ids of groups for people.
    pub groups: Vec<String>,
}

impl NewRole {
    /// Reads the form, within a change.
    pub(super) async fn parse(&self, change: &Change, admin: &TenantAdmin) -> Result<(Role, Vec<GroupName>), Error> {
        let mut errors = FieldErrors::default();
        let role = errors.collect(parse_role(&self.role).map_err(|error| vec![error]));
        let known = store::groups::list(change.on(), admin.id()).await?;
        let mut groups = Vec::new();
        for picked in &self.groups {
            let group = known.iter().find(|group| group.id.as_str() == picked && group.group_type == GroupType::Person);
            match group {
                Some(group) => groups.push(GroupName { id: group.id.clone(), name: group.name.clone() }),
                None => errors.0.push(unknown_group()),
            }
        }
        groups.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
        groups.dedup();
        match role {
            Some(role) if errors.is_empty() => Ok((role, groups)),
            _ => Err(errors.into()),
        }
    }
}

fn parse_role(text: &str) -> Result<Role, FieldError> {
    let of_a_tenant = Role::parse(text).filter(|role| *role != Role::SuperUser);
    of_a_tenant.ok_or_else(|| FieldError::new(Field::Role, "required", "Choose what the person is to be."))
}

fn unknown_group() -> FieldError {
    let detail = "There is no such group for people any more. Reload the page and choose again.";
    FieldError::new(Field::Groups, "not_found", detail)
}

impl Keyring {
    /// Gives a person another role, and other groups. It holds from their next request and their keys' next call.
    ///
    /// # Errors
    /// When something was picked that there is not, or no admin would be left.
    pub async fn set_role(&self, admin: &TenantAdmin, id: &PersonId, new: &NewRole) -> Result<Profile, Error> {
        let change = self.change(admin).await?;
        let before = find(&change, admin, id).await?;
        let (role, groups) = new.parse(&change, admin).await?;
        if before.person.role == role && before.groups == groups {
            return Ok(before);
        }
        if role != Role::TenantAdmin {
            check_not_last_admin(&change, admin, &before.person).await?;
        }
        store::people::set_role(&change, id, role).await?;
        store::people::set_groups(&change, id, &groups).await?;
        let after = find(&change, admin, id).await?;
        let subject = Subject::new(id, &before.person.name);
        let detail = json!({ "before": in_short(&before), "after": in_short(&after) });
        change.commit(Event { actor: admin.actor(), action: Action::PersonRoleChanged, subject, detail }).await?;
        Ok(after)
    }
}

pub(super) fn in_short(profile: &Profile) -> serde_json::Value {
    let groups: Vec<&str> = profile.groups.iter().map(|group| group.name.as_str()).collect();
    json!({ "role": profile.person.role, "groups": groups })
}
