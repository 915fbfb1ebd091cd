//! `/api/v1/reservations`

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use booking::{Error, Guest, Idempotency, NewReservation, Offer, Reservation, Reserved};
use chrono::{DateTime, NaiveDate, Utc};
use domain::id::{Id, PackageId, PropertyId, ReservationId, ServiceId};
use http_input::idempotency_key::{InvalidIdempotencyKey, find_idempotency_key};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema, openapi::Object};

use super::{
    super::{
        Api,
        admission::{Admitted, AdmittedWith, ReadReservations, RequiredPermission, WriteReservations},
        input::{self, Body, InvalidInput, PathId, Queries},
        list::{List, PageQuery},
        schema::one_of_texts,
    },
    Price, booking_problem, nothing,
};
use crate::{
    api::admission::out_of_order,
    problem::{Problem, WrongField},
};

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// A reservation.
#[derive(Serialize, ToSchema)]
#[schema(as = Reservation)]
pub struct ReservationView {
    #[schema(example = "res_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    id: String,
    #[schema(example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property_id: String,
    #[schema(example = "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    service_id: String,
    /// The reserved package, if it was one.
    package_id: Option<String>,
    guest: GuestView,
    arrival: NaiveDate,
    /// The day on which the guest leaves.
    departure: NaiveDate,
    units: u32,
    #[schema(schema_with = status_schema)]
    status: &'static str,
    /// For all units and nights together.
    price: Price,
    created_at: DateTime<Utc>,
}

/// The guest.
#[derive(Serialize, ToSchema)]
#[schema(as = Guest)]
pub struct GuestView {
    #[schema(example = "Robin Sample")]
    name: String,
    #[schema(example = "robin@example.com")]
    email: Option<String>,
}

impl From<Reservation> for ReservationView {
    fn from(reservation: Reservation) -> Self {
        Self {
            id: reservation.id.to_string(),
            property_id: reservation.property.to_string(),
            service_id: reservation.service.to_string(),
            package_id: reservation.package.as_ref().map(ToString::to_string),
            guest: GuestView { name: reservation.guest.name, email: reservation.guest.email },
            arrival: reservation.arrival,
            departure: reservation.departure,
            units: reservation.units,
            status: reservation.status.as_str(),
            price: reservation.price.into(),
            created_at: reservation.created_at,
        }
    }
}

fn status_schema() -> Object {
    one_of_texts(["confirmed", "cancelled"])
}

/// A new reservation, of either a service or a package.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReservationInput)]
pub struct ReservationInput {
    /// The property, by its id.
    #[schema(value_type = String, example = "prp_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    property_id: PropertyId,
    /// The service to reserve, by its id. Leave it out for a package.
    #[serde(default, deserialize_with = "offer_id")]
    #[schema(value_type = Option<String>, example = "svc_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")]
    service_id: Option<ServiceId>,
    /// The package to reserve instead of a service, by its id.
    #[serde(default, deserialize_with = "offer_id")]
    #[schema(value_type = Option<String>)]
    package_id: Option<PackageId>,
    guest: GuestInput,
    /// Today or later.
    #[serde(deserialize_with = "input::date")]
    arrival: NaiveDate,
    /// A day after the arrival, at most 365 nights.
    #[serde(deserialize_with = "input::date")]
    departure: NaiveDate,
    /// The number of units, 1 by default.
    #[schema(minimum = 1, maximum = 1000)]
    units: Option<u32>,
}

/// The guest.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GuestInput)]
pub struct GuestInput {
    #[schema(example = "Robin Sample", min_length = 1, max_length = 200)]
    name: String,
    #[schema(example = "robin@example.com", max_length = 254)]
    email: Option<String>,
}

const OFFER_REQUIRED: InvalidInput = InvalidInput {
    code: "required",
    detail: "Send either service_id or package_id, with the id of an offer of this property.",
};

fn offer_id<'de, I: Id, D: Deserializer<'de>>(deserializer: D) -> Result<Option<I>, D::Error> {
    let id = Option::<String>::deserialize(deserializer)?;
    id.map(|id| I::parse(&id).map_err(|_| D::Error::custom(OFFER_REQUIRED))).transpose()
}

impl Body for ReservationInput {
    /// Either a service or a package is named.
    fn check(object: &Map<String, Value>) -> Option<WrongField> {
        let is_named = |name| object.get(name).is_some_and(|value| !value.is_null());
        let is_ambiguous = is_named("service_id") == is_named("package_id");
        is_ambiguous.then(|| WrongField::new("service_id", OFFER_REQUIRED.code, OFFER_REQUIRED.detail))
    }
}

impl From<ReservationInput> for NewReservation {
    fn from(body: ReservationInput) -> Self {
        let ReservationInput { property_id, service_id, package_id, guest, arrival, departure, units } = body;
        let offer = match (service_id, package_id) {
            (Some(service), _) => Offer::Service(service),
            (None, Some(package)) => Offer::Package(package),
            (None, None) => unreachable!("the body names a service or a package"),
        };
        let guest = Guest { name: guest.name, email: guest.email };
        Self { property: property_id, offer, guest, arrival, departure, units: units.unwrap_or(1) }
    }
}

/// Filters of the list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// Those of this property alone.
    #[param(value_type = Option<String>)]
    property_id: Option<PropertyId>,
}

const IDEMPOTENCY_KEY_DESCRIPTION: &str = "A unique text for this reservation, such as a UUID in quotes. A repeated \
    call with the same text and body within a day returns the first response and reserves nothing more.";

/// List the reservations
///
/// The latest first.
#[utoipa::path(
    get,
    path = "/api/v1/reservations",
    operation_id = "list_reservations",
    tag = "Reservations",
    extensions(("x-permission" = json!(ReadReservations::PERMISSION))),
    params(Filter, PageQuery),
    responses((status = 200, description = "A page of reservations", body = List<ReservationView>)),
)]
pub async fn list(
    State(api): State<Api>,
    admitted: Admitted<ReadReservations>,
    Queries(Filter { property_id }, page): Queries<Filter, PageQuery>,
) -> Result<Json<List<ReservationView>>, Problem> {
    let listed =
        api.booking()?.reservations(&admitted.caller, property_id.as_ref(), &page.page::<ReservationId>()?).await;
    let listed = listed.map_err(booking_problem)?;
    Ok(Json(List::new(listed.items, listed.next.as_deref())))
}

/// Get a reservation
///
/// One of a property that the key can access.
#[utoipa::path(
    get,
    path = "/api/v1/reservations/{reservation_id}",
    operation_id = "get_reservation",
    tag = "Reservations",
    extensions(("x-permission" = json!(ReadReservations::PERMISSION))),
    params(("reservation_id" = String, Path, description = "The reservation's id", example = "res_01JCQ4Y2V9ZK3T5N6R7S8W9XAB")),
    responses((status = 200, description = "The reservation", body = ReservationView)),
)]
pub async fn get(
    State(api): State<Api>,
    admitted: Admitted<ReadReservations>,
    PathId(id): PathId,
) -> Result<Json<ReservationView>, Problem> {
    let id = ReservationId::parse(&id).map_err(|_| nothing("reservation"))?;
    let reservation = api.booking()?.reservation(&admitted.caller, &id).await.map_err(booking_problem)?;
    Ok(Json(reservation.into()))
}

/// Make a reservation
///
/// Reserves units. More than exist are never reserved: a call that comes too late is refused.
#[utoipa::path(
    post,
    path = "/api/v1/reservations",
    operation_id = "create_reservation",
    tag = "Reservations",
    extensions(("x-permission" = json!(WriteReservations::PERMISSION))),
    params(("Idempotency-Key" = Option<String>, Header, description = IDEMPOTENCY_KEY_DESCRIPTION)),
    request_body = ReservationInput,
    responses((status = 201, description = "It is reserved", body = ReservationView)),
)]
pub async fn create(
    State(api): State<Api>,
    headers: HeaderMap,
    request: AdmittedWith<WriteReservations, ReservationInput>,
) -> Result<Response, Problem> {
    let key = find_idempotency_key(&headers).map_err(invalid_idempotency_key)?;
    let reserved = reserve(&api, request.map(NewReservation::from), key.as_deref()).await?;
    let place = format!("/api/v1/reservations/{}", reserved.reservation.id);
    let mut response = (StatusCode::CREATED, Json(ReservationView::from(reserved.reservation))).into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static("/")));
    if reserved.replayed {
        headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn invalid_idempotency_key(error: InvalidIdempotencyKey) -> Problem {
    Problem::invalid([WrongField::new("Idempotency-Key", "not_a_string", error.to_string())])
}

/// The maximum number of admissions of a caller while the reservation waits and the caller's access changes.
const MAX_ADMISSIONS: usize = 5;

/// Reserves for a caller who is still admitted once the reservation holds its locks.
async fn reserve(
    api: &Api,
    mut request: AdmittedWith<WriteReservations, NewReservation>,
    key: Option<&str>,
) -> Result<Reserved, Problem> {
    let now = api.keyring.now();
    for _ in 0..MAX_ADMISSIONS {
        let idempotency = key.map(|key| Idempotency { key, body: &request.bytes });
        let is_admitted = || request.is_current(api);
        let reserved =
            api.booking()?.reserve(&request.admitted.caller, &request.body, idempotency, now, is_admitted).await;
        match reserved {
            Err(Error::AdmissionChanged) => request.renew(api).await?,
            outcome => return outcome.map_err(booking_problem),
        }
    }
    Err(out_of_order())
}
