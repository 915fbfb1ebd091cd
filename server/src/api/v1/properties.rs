//! `/api/v1/properties`

use axum::{Json, extract::State};
use domain::{id::PropertyId, property::Property};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{
    Api,
    admission::{Admitted, ReadProperties, RequiredPermission, unavailable},
    input::{PathId, Query},
    list::{List, PageQuery},
};
use crate::problem::Problem;

/// A site.
#[derive(Serialize, ToSchema)]
#[schema(as = Property)]
pub struct PropertyView {
    #[schema(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    id: String,
    #[schema(example = "Harbour House")]
    name: String,
}

impl From<Property> for PropertyView {
    fn from(property: Property) -> Self {
        Self { id: property.id.to_string(), name: property.name }
    }
}

/// List the properties
///
/// The properties that the key can access.
#[utoipa::path(
    get,
    path = "/api/v1/properties",
    operation_id = "list_properties",
    tag = "Properties",
    extensions(("x-permission" = json!(ReadProperties::PERMISSION))),
    params(PageQuery),
    responses((status = 200, description = "A page of properties", body = List<PropertyView>)),
)]
pub async fn list(
    State(api): State<Api>,
    admitted: Admitted<ReadProperties>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<PropertyView>>, Problem> {
    let page = page.page::<PropertyId>()?;
    let found = api.keyring.reachable_properties(&admitted.caller, page.limit, page.after.as_deref()).await;
    let (properties, next) = found.map_err(|error| unavailable(&error))?;
    Ok(Json(List::new(properties, next.as_ref().map(domain::id::Id::as_str))))
}

/// Get a property
///
/// A property outside of the key’s access is answered like one that does not exist.
#[utoipa::path(
    get,
    path = "/api/v1/properties/{property_id}",
    operation_id = "get_property",
    tag = "Properties",
    extensions(("x-permission" = json!(ReadProperties::PERMISSION))),
    params(("property_id" = String, Path, description = "The property's id", example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")),
    responses((status = 200, description = "The property", body = PropertyView)),
)]
pub async fn get(
    State(api): State<Api>,
    admitted: Admitted<ReadProperties>,
    PathId(id): PathId,
) -> Result<Json<PropertyView>, Problem> {
    let found = api.keyring.reachable_property(&admitted.caller, &id).await.map_err(|error| unavailable(&error))?;
    found.map(|property| Json(property.into())).ok_or_else(|| super::nothing("property"))
}
