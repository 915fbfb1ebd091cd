//! `/api/v1/services` and `/api/v1/packages`

use axum::{Json, extract::State};
use booking::{Package, Service};
use domain::id::{PackageId, ServiceId};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    super::{
        Api,
        admission::{Admitted, ReadPackages, ReadServices, RequiredPermission},
        input::Queries,
        list::{List, PageQuery, PropertyQuery},
    },
    Price, booking_problem,
};
use crate::problem::Problem;

/// A service of a property, with this many units on each day.
#[derive(Serialize, ToSchema)]
#[schema(as = Service)]
pub struct ServiceView {
    #[schema(example = "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    id: String,
    #[schema(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property_id: String,
    #[schema(example = "Double room")]
    name: String,
    /// The number of units.
    #[schema(example = 12)]
    units: u32,
    /// For one unit and night.
    price: Price,
}

impl From<Service> for ServiceView {
    fn from(service: Service) -> Self {
        let Service { id, property, name, units, price, created_at: _, archived_at: _ } = service;
        Self { id: id.to_string(), property_id: property.to_string(), name, units, price: price.into() }
    }
}

/// A service with something added to it, at a price of its own. It takes the service's units.
#[derive(Serialize, ToSchema)]
#[schema(as = Package)]
pub struct PackageView {
    #[schema(example = "pkg_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    id: String,
    #[schema(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property_id: String,
    #[schema(example = "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    service_id: String,
    #[schema(example = "Double room with breakfast")]
    name: String,
    /// For one unit and night.
    price: Price,
}

impl From<Package> for PackageView {
    fn from(package: Package) -> Self {
        let Package { id, property, service, name, price, created_at: _, archived_at: _ } = package;
        let (id, property_id, service_id) = (id.to_string(), property.to_string(), service.to_string());
        Self { id, property_id, service_id, name, price: price.into() }
    }
}

/// List the services of a property
///
/// What the property offers, the oldest first. Archived services are left out.
#[utoipa::path(
    get,
    path = "/api/v1/services",
    operation_id = "list_services",
    tag = "Offers",
    extensions(("x-permission" = json!(ReadServices::PERMISSION))),
    params(PropertyQuery, PageQuery),
    responses((status = 200, description = "A page of services", body = List<ServiceView>)),
)]
pub async fn services(
    State(api): State<Api>,
    admitted: Admitted<ReadServices>,
    Queries(PropertyQuery { property_id }, page): Queries<PropertyQuery, PageQuery>,
) -> Result<Json<List<ServiceView>>, Problem> {
    let listed = api
        .booking()?
        .services(&admitted.caller, &property_id, &page.page::<ServiceId>()?)
        .await
        .map_err(booking_problem)?;
    Ok(Json(List::new(listed.items, listed.next.as_deref())))
}

/// List the packages of a property
///
/// Services with something added, at a price of their own, the oldest first.
#[utoipa::path(
    get,
    path = "/api/v1/packages",
    operation_id = "list_packages",
    tag = "Offers",
    extensions(("x-permission" = json!(ReadPackages::PERMISSION))),
    params(PropertyQuery, PageQuery),
    responses((status = 200, description = "A page of packages", body = List<PackageView>)),
)]
pub async fn packages(
    State(api): State<Api>,
    admitted: Admitted<ReadPackages>,
    Queries(PropertyQuery { property_id }, page): Queries<PropertyQuery, PageQuery>,
) -> Result<Json<List<PackageView>>, Problem> {
    let listed = api
        .booking()?
        .packages(&admitted.caller, &property_id, &page.page::<PackageId>()?)
        .await
        .map_err(booking_problem)?;
    Ok(Json(List::new(listed.items, listed.next.as_deref())))
}
