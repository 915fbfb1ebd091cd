//! Version 1 of the API, one file for each resource.

use booking::{Error, Money};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, admission::out_of_order};
use crate::problem::{Code, Problem, WrongField};

pub mod auth;
pub mod availability;
pub mod key;
pub mod keys;
pub mod offers;
pub mod properties;
pub mod reservations;

/// Everything below `/api/v1`, with its description. A slash at the end of a path makes no difference.
pub fn routes(serves_booking: bool) -> OpenApiRouter<Api> {
    let mut routes = vec![
        routes!(key::get),
        routes!(keys::verify::verify),
        routes!(keys::introspect::introspect),
        routes!(properties::list),
        routes!(properties::get),
    ];
    if serves_booking {
        routes.extend([
            routes!(offers::services),
            routes!(offers::packages),
            routes!(availability::list),
            routes!(reservations::list, reservations::create),
            routes!(reservations::get),
        ]);
    }
    routes.push(routes!(auth::token));
    routes.into_iter().fold(OpenApiRouter::new(), |router, (schemas, paths, methods)| {
        let with_slash = paths.paths.keys().map(|path| format!("{path}/")).collect::<Vec<_>>();
        let router = with_slash.iter().fold(router, |router, path| router.route(path, methods.clone()));
        router.routes((schemas, paths, methods))
    })
}

/// An amount of money, in the smallest unit of its currency.
#[derive(Serialize, ToSchema)]
pub struct Price {
    /// Cents of a euro, yen of a yen.
    #[schema(example = 12_900)]
    amount: i64,
    /// An ISO 4217 code.
    #[schema(example = "EUR")]
    currency: String,
}

impl From<Money> for Price {
    fn from(Money { minor, currency }: Money) -> Self {
        Self { amount: minor, currency }
    }
}

/// The resource does not exist, or belongs to another tenant: callers cannot distinguish the two.
fn nothing(what: &str) -> Problem {
    Problem::new(Code::NotFound, format!("There is no such {what}. Look for its id in the list."))
}

/// Returns the API's problem for a refusal of the booking engine.
fn booking_problem(error: Error) -> Problem {
    let words = error.to_string();
    match error {
        Error::NotFound(thing) => nothing(&thing.to_string()),
        Error::Invalid(errors) => Problem::invalid(errors.into_iter().map(|error| WrongField {
            field: error.field.to_owned(),
            code: error.code,
            detail: error.detail,
        })),
        Error::SoldOut { .. } => Problem::new(Code::SoldOut, words),
        Error::KeyReused => Problem::new(Code::IdempotencyKeyReused, words),
        Error::AdmissionChanged => out_of_order(),
        Error::StillRunning => Problem::new(Code::RequestInProgress, words),
        Error::Unavailable(cause) => {
            tracing::error!(%cause, "the database failed");
            out_of_order()
        }
        Error::DiskFull(cause) => {
            tracing::error!(%cause, "the database's disk is full");
            Problem::new(Code::Unavailable, words)
        }
        Error::OutcomeUnknown(cause) => {
            tracing::error!(%cause, "the outcome of a write is unknown");
            Code::OutcomeUnknown.into()
        }
    }
}
