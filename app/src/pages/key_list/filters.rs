//! The filters: links and a search field that lead to another URL.

use domain::{
    key::{Status, Validity},
    key_list::{KeyListQuery, Sort},
    key_warning::KeyWarning,
};
use leptos::prelude::*;

use crate::{
    components::{Choice, Icon},
    model::KeysOf,
    pages::key_state::{label, list_link},
};

const STATUSES: [(Option<Status>, &str); 3] =
    [(None, "All"), (Some(Status::Active), "Active"), (Some(Status::Revoked), "Revoked")];

const VALIDITIES: [(Option<Validity>, &str); 4] = [
    (None, "All"),
    (Some(Validity::Valid), "Valid"),
    (Some(Validity::ExpiringSoon), "Expiring soon"),
    (Some(Validity::Expired), "Expired"),
];

/// `matching` is none as long as nobody knows how many keys there are.
#[component]
pub(super) fn Filters(of: KeysOf, query: KeyListQuery, matching: Option<u64>) -> impl IntoView {
    let by_status = STATUSES.map(|(status, label)| {
        let there = KeyListQuery { status, page: 0, ..query.clone() };
        (label, list_link(of, &there), query.status == status)
    });
    let by_validity = VALIDITIES.map(|(validity, label)| {
        let there = KeyListQuery { validity, page: 0, ..query.clone() };
        (label, list_link(of, &there), query.validity == validity)
    });
    let by_attention = std::iter::once(None).chain(KeyWarning::ALL.map(Some)).map(|attention| {
        let there = KeyListQuery { attention, page: 0, ..query.clone() };
        (attention.map_or("All keys", label), list_link(of, &there), query.attention == attention)
    });
    let hits = matching.map(|count| match count {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    });
    view! {
        <div class="filters">
            <SearchField of query=query.clone()/>
            <Choice label="Status" options=by_status.to_vec()/>
            <Choice label="Expiration" options=by_validity.to_vec()/>
            <Choice label="Needs attention" options=by_attention.collect()/>
            <p class="hits" role="status">
                {hits}
                {query.is_filtered().then(|| {
                    let all = KeyListQuery { sort: query.sort, ..KeyListQuery::default() };
                    view! { <a href=list_link(of, &all)>"Clear"</a> }
                })}
            </p>
        </div>
    }
}

#[component]
fn SearchField(of: KeysOf, query: KeyListQuery) -> impl IntoView {
    // A form replaces the whole query of its URL, so what else is in it comes along.
    let kept = KeyListQuery { search: String::new(), page: 0, ..query.clone() }.parameters();
    view! {
        <form class="search" role="search" method="get" action=of.list_path()>
            {kept.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            <input
                type="search"
                name="q"
                value=query.search
                maxlength="200"
                placeholder="Name, description or last characters"
                aria-label="Search by name, description or last characters"
            />
            <button class="icon-button" type="submit" aria-label="Search"><Icon name="search"/></button>
        </form>
    }
}

/// What a column's header says of the order, and where it leads.
pub(super) fn direction(sort: Sort, is_sorted: bool) -> Option<&'static str> {
    is_sorted.then_some(if sort.descending { "descending" } else { "ascending" })
}
