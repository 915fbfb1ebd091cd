//! Picking a time zone.

use keyring::TimeZone;
use leptos::prelude::*;

use crate::components::fields::{Pick, Select};

#[component]
pub(super) fn ZoneField(form: &'static str, picked: String) -> impl IntoView {
    let options = TimeZone::names().map(|name| Pick::new(name, name).picked(name == picked)).collect();
    let hint = "Days begin and end by its clocks: on the key’s expiration, in charts and in the audit log.";
    view! { <Select form name="time_zone" label="Time zone" options hint/> }
}
