//! Authorization groups of a tenant.

use domain::{
    audit::Action,
    ensured::Ensured,
    field::{Field, FieldError, FieldErrors},
    group::{Group, GroupType, Version, parse_name},
    id::{GroupId, Id},
    permission::Permission,
};
use serde_json::{Value, json};
use store::{
    Event, Subject,
    model::{GroupOverview, GroupUse, KeyNames, TenantGroup},
};

use crate::{
    Keyring,
    access::{TenantAdmin, ViewKeys},
    audit,
    change::Change,
    error::{Error, Thing},
    secret::new_id,
};

/// The input for a new group, as typed.
#[derive(Debug, Clone)]
pub struct NewGroup {
    pub name: String,
    pub group_type: GroupType,
    pub permissions: Vec<String>,
}

/// The new values of a group, as typed. Its type cannot change.
#[derive(Debug, Clone)]
pub struct GroupEdit {
    /// The version that the person edited. None if they did not load one.
    pub seen: Option<Version>,
    pub name: String,
    pub permissions: Vec<String>,
}

/// A group and who uses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDetail {
    pub group: TenantGroup,
    pub used: GroupUse,
    /// The active ones.
    pub keys: KeyNames,
    /// Some of the people, by name.
    pub people: Vec<String>,
}

fn parse(name: &str, permissions: &[String]) -> Result<(String, Vec<Permission>), FieldErrors> {
    let mut errors = FieldErrors::default();
    let name = errors.collect(parse_name(name));
    let permissions = errors.collect(parse_permissions(permissions));
    name.zip(permissions).ok_or(errors)
}

/// Names everything that is no permission.
fn parse_permissions(texts: &[String]) -> Result<Vec<Permission>, Vec<FieldError>> {
    let wrong = |code, detail: &str| FieldError::new(Field::Permissions, code, detail);
    if texts.is_empty() {
        return Err(vec![wrong("required", "Give the group at least one permission.")]);
    }
    let (mut permissions, mut errors) = (Vec::new(), Vec::new());
    for text in texts {
        match Permission::parse(text) {
            Ok(permission) => permissions.push(permission),
            Err(error) => errors.push(wrong("not_a_permission", &format!("{error}."))),
        }
    }
    permissions.sort();
    permissions.dedup();
    if errors.is_empty() { Ok(permissions) } else { Err(errors) }
}

impl Keyring {
    /// Makes a group.
    ///
    /// # Errors
    /// If a field is wrong or the tenant has a group of this name.
    pub async fn create_group(&self, admin: &TenantAdmin, new: NewGroup) -> Result<Group, Error> {
        match self.ensure_group(admin, new).await? {
            Ensured::Created(group) => Ok(group),
            Ensured::Existing(_) => Err(name_taken()),
        }
    }

    /// Makes a group unless the tenant has one of this type with this name.
    ///
    /// # Errors
    /// If a field is wrong or a group of the other type has the name.
    pub async fn ensure_group(&self, admin: &TenantAdmin, new: NewGroup) -> Result<Ensured<Group>, Error> {
        let (name, permissions) = parse(&new.name, &new.permissions)?;
        let change = self.change(admin).await?;
        match store::groups::named(&change, admin.id(), &name).await? {
            None => {}
            Some(existing) if existing.group_type == new.group_type => return Ok(Ensured::Existing(existing)),
            Some(_) => return Err(name_taken()),
        }
        let group = Group { id: new_id(change.now()), name, group_type: new.group_type, permissions };
        store::groups::insert(&change, admin.id(), &group).await?;
        change.commit(event(Action::GroupCreated, &group, json!(group))).await?;
        Ok(Ensured::Created(group))
    }

    /// Gives a group another name and other permissions, for all who use it, from their next call.
    ///
    /// # Errors
    /// If there is no such group, a field is invalid, the name is taken, or another admin changed it first.
    pub async fn edit_group(&self, admin: &TenantAdmin, id: &GroupId, edit: &GroupEdit) -> Result<TenantGroup, Error> {
        let (name, permissions) = parse(&edit.name, &edit.permissions)?;
        let change = self.change(admin).await?;
        let before = load_group(&change, admin, id).await?;
        if edit.seen.is_some_and(|seen| seen.0 != before.version) {
            return Err(audit::outdated(&change, admin, Thing::Group, id).await?);
        }
        let group = Group { name, permissions, ..before.group.clone() };
        if group == before.group {
            change.already_made().await?;
            return Ok(before);
        }
        if group.name != before.group.name {
            check_is_free(&change, admin, &group.name).await?;
        }
        let after = TenantGroup { group, version: before.version + 1 };
        store::groups::update(&change, admin.id(), &after).await?;
        let detail = json!({ "before": before.group, "after": after.group });
        change.commit(event(Action::GroupEdited, &after.group, detail)).await?;
        Ok(after)
    }

    /// Removes a group that nothing uses.
    ///
    /// # Errors
    /// If there is no such group, or it is in use.
    pub async fn delete_group(&self, admin: &TenantAdmin, id: &GroupId) -> Result<(), Error> {
        let change = self.change(admin).await?;
        let TenantGroup { group, .. } = load_group(&change, admin, id).await?;
        let used = store::groups::used(change.on(), admin.id(), id).await?;
        if let Some(obstacle) = used.obstacle() {
            return Err(Error::Refused(obstacle));
        }
        store::groups::delete(&change, admin.id(), id).await?;
        change.commit(event(Action::GroupDeleted, &group, json!(group))).await?;
        Ok(())
    }

    /// The tenant's groups, by name.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn groups(&self, admin: &TenantAdmin) -> Result<Vec<Group>, Error> {
        Ok(store::groups::list(self.database.connection(), admin.id()).await?)
    }

    /// The tenant's groups by name, each with how many use it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn group_overviews(&self, admin: &TenantAdmin) -> Result<Vec<GroupOverview>, Error> {
        Ok(store::groups::overviews(self.database.connection(), admin.id()).await?)
    }

    /// A group and who uses it.
    ///
    /// # Errors
    /// If there is no such group.
    pub async fn group_detail(&self, admin: &TenantAdmin, id: &GroupId) -> Result<GroupDetail, Error> {
        let connection = self.database.connection();
        let group = store::groups::find_group(connection, admin.id(), id).await?;
        Ok(GroupDetail {
            group: group.ok_or(Error::NotFound(Thing::Group))?,
            used: store::groups::used(connection, admin.id(), id).await?,
            keys: store::keys::holders::of_group(connection, admin.key_scope(), id).await?,
            people: store::groups::people(connection, admin.id(), id).await?,
        })
    }

    /// The operator, acting for the tenant that has this group.
    ///
    /// # Errors
    /// If there is no such group.
    pub async fn operator_for_group(&self, id: &GroupId) -> Result<TenantAdmin, Error> {
        let tenant = store::groups::tenant_of(self.database.connection(), id).await?;
        self.operator_for(tenant.ok_or(Error::NotFound(Thing::Group))?.as_str()).await
    }
}

async fn load_group(change: &Change, admin: &TenantAdmin, id: &GroupId) -> Result<TenantGroup, Error> {
    let found = store::groups::find_group(change.on(), admin.id(), id).await?;
    found.ok_or(Error::NotFound(Thing::Group))
}

/// Inside the change, no other transaction can take the name.
async fn check_is_free(change: &Change, admin: &TenantAdmin, name: &str) -> Result<(), Error> {
    store::groups::named(change, admin.id(), name).await?.map_or(Ok(()), |_| Err(name_taken()))
}

fn name_taken() -> Error {
    FieldErrors::from(FieldError::new(Field::Name, "taken", "The tenant already has a group with this name.")).into()
}

fn event<'a>(action: Action, group: &'a Group, detail: Value) -> Event<'a> {
    Event { action, subject: Subject::new(&group.id, &group.name), detail }
}
