//! A person's access in a tenant: their role, and the groups of a member.

use domain::{
    audit::Action,
    field::{Field, FieldError, FieldErrors},
    group::{Group, GroupType},
    id::{Id, PersonId},
    key::GroupName,
    person::{Profile, Role},
};
use serde_json::json;
use store::{Event, Subject};

use super::{check_not_last_admin, check_not_oneself, load_person};
use crate::{Keyring, access::TenantAdmin, error::Error};

/// The selected role and groups of a person.
#[derive(Debug, Clone)]
pub struct NewRole {
    pub role: String,
    /// The ids of groups for people.
    pub groups: Vec<String>,
}

impl NewRole {
    /// Reads the form. `known` are the groups that the tenant has.
    pub(super) fn parse(&self, known: &[Group]) -> Result<(Role, Vec<GroupName>), FieldErrors> {
        let role = parse_role(&self.role).map_err(FieldErrors::from);
        FieldErrors::both(role, find_groups(&self.groups, known))
    }
}

/// The picked groups, in the order of those that are known.
fn find_groups(picked: &[String], known: &[Group]) -> Result<Vec<GroupName>, FieldErrors> {
    let is_picked = |group: &&Group| picked.iter().any(|id| id == group.id.as_str());
    let for_people = known.iter().filter(|group| group.group_type == GroupType::Person);
    let found: Vec<GroupName> = for_people
        .filter(is_picked)
        .map(|group| GroupName { id: group.id.clone(), name: group.name.clone() })
        .collect();
    let is_found = |id: &String| found.iter().any(|group| group.id.as_str() == id);
    if picked.iter().all(is_found) { Ok(found) } else { Err(unknown_group().into()) }
}

fn parse_role(text: &str) -> Result<Role, FieldError> {
    let of_a_tenant = Role::parse(text).filter(|role| *role != Role::SuperUser);
    of_a_tenant.ok_or_else(|| FieldError::new(Field::Role, "required", "Choose a role."))
}

fn unknown_group() -> FieldError {
    let detail = "One of these groups no longer exists. Choose from the current ones.";
    FieldError::new(Field::Groups, "not_found", detail)
}

impl Keyring {
    /// Gives a person another role, and other groups. It holds from their next request and their keys' next call.
    ///
    /// # Errors
    /// If the admin has to confirm their identity first, it is the admin themselves, something was picked that there is not, or no admin would be left.
    pub async fn set_role(&self, admin: &TenantAdmin, id: &PersonId, new: &NewRole) -> Result<Profile, Error> {
        check_not_oneself(admin, id, "You cannot change your own role. Ask another admin.")?;
        let change = self.confirmed_change(admin).await?;
        let before = load_person(&change, admin, id).await?;
        let (role, groups) = new.parse(&store::groups::list(change.on(), admin.id()).await?)?;
        if before.person.role == role && before.groups == groups {
            change.already_made().await?;
            return Ok(before);
        }
        if role != Role::TenantAdmin {
            check_not_last_admin(&change, admin, &before).await?;
        }
        store::people::set_role(&change, id, role).await?;
        store::people::set_groups(&change, id, &groups).await?;
        let after = load_person(&change, admin, id).await?;
        let subject = Subject::new(id, &before.person.name);
        let detail = json!({ "before": in_short(&before), "after": in_short(&after) });
        change.commit(Event { action: Action::PersonRoleChanged, subject, detail }).await?;
        Ok(after)
    }
}

pub(super) fn in_short(profile: &Profile) -> serde_json::Value {
    let groups: Vec<&str> = profile.groups.iter().map(|group| group.name.as_str()).collect();
    json!({ "role": profile.person.role, "groups": groups })
}
