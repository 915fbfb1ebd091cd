//! `/api/v1/availability`

use axum::{Json, extract::State};
use booking::DayAvailability;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    super::{
        Api,
        admission::{Admitted, ReadAvailability, RequiredPermission},
        input::{self, Queries},
        list::{List, PropertyQuery},
    },
    booking_problem,
};
use crate::problem::Problem;

/// The range of days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DaysQuery {
    /// The first day.
    #[serde(deserialize_with = "input::query_date")]
    from: NaiveDate,
    /// The last day, itself included; at most 366 days in all.
    #[serde(deserialize_with = "input::query_date")]
    to: NaiveDate,
}

/// The free units of a service on a day.
#[derive(Serialize, ToSchema)]
#[schema(as = Availability)]
pub struct DayView {
    date: NaiveDate,
    #[schema(example = "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    service_id: String,
    /// The units in all.
    units: u32,
    /// The units reserved.
    reserved: u32,
    /// The units left.
    available: u32,
}

impl From<DayAvailability> for DayView {
    fn from(day: DayAvailability) -> Self {
        let DayAvailability { date, service, units, reserved, available } = day;
        Self { date, service_id: service.to_string(), units, reserved, available }
    }
}

/// See what is free
///
/// Every service of a property, day by day.
#[utoipa::path(
    get,
    path = "/api/v1/availability",
    operation_id = "list_availability",
    tag = "Offers",
    extensions(("x-permission" = json!(ReadAvailability::PERMISSION))),
    params(PropertyQuery, DaysQuery),
    responses((status = 200, description = "All the days, on one page", body = List<DayView>)),
)]
pub async fn list(
    State(api): State<Api>,
    admitted: Admitted<ReadAvailability>,
    Queries(PropertyQuery { property_id }, DaysQuery { from, to }): Queries<PropertyQuery, DaysQuery>,
) -> Result<Json<List<DayView>>, Problem> {
    let days = api.booking()?.availability(&admitted.caller, &property_id, from, to).await.map_err(booking_problem)?;
    Ok(Json(List::new(days, None)))
}
