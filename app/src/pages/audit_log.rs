//! The audit log: who changed what in the tenant, when, and from where.

use std::collections::HashMap;

use axum::response::Response;
use domain::{
    audit_query::{AuditQuery, Start, SubjectFilter},
    pagination::Page,
    person::Person,
};
use keyring::{AuditEvent, Error, SubjectKind, TenantAdmin, TimeZone};
use leptos::prelude::*;

use super::{AdminVisitor, Parameters, problem};
use crate::{
    components::{Crumbs, DataTable, Icon, LogPager},
    console::Console,
    model::KeysOf,
    times, url,
};

mod changes;
mod csv;
mod filters;

use changes::{Told, Words};
pub(crate) use csv::audit_export;
use filters::Filters;

const PATH: &str = "/audit-log";
const CSV: &str = "/audit-log.csv";

pub(crate) async fn audit_log(AdminVisitor { visitor, admin }: AdminVisitor, parameters: Parameters) -> Response {
    let query = AuditQuery::from_parameters(|name| parameters.first(name));
    match Shown::load(&visitor.visit.console, &admin, query).await {
        Ok(shown) => visitor.page("Audit log").render(move || view! { <AuditLog shown=shown.clone()/> }).await,
        Err(error) => problem::failed(&visitor, &error, "the audit log could not be loaded").await,
    }
}

#[derive(Clone)]
struct Shown {
    page: Page<AuditEvent>,
    query: AuditQuery,
    actors: Actors,
    still_there: HashMap<String, SubjectKind>,
    words: Words,
}

/// Those who can have done something in the tenant, besides the operator.
#[derive(Clone)]
struct Actors {
    own: Vec<Person>,
    super_users: Vec<Person>,
}

/// The operator’s id in the log.
const OPERATOR: &str = "operator";

/// The id of an actor who did not sign in.
const UNKNOWN: &str = "unknown";

impl Shown {
    async fn load(console: &Console, admin: &TenantAdmin, query: AuditQuery) -> Result<Self, Error> {
        let keyring = &console.keyring;
        let page = keyring.audit_log(Some(admin), &query).await?;
        let still_there = keyring.still_there(admin, &page.entries).await?;
        let people = keyring.people(Some(admin)).await?;
        let actors = Actors {
            own: people.into_iter().map(|profile| profile.person).collect(),
            super_users: keyring.super_users_who_acted(admin).await?,
        };
        let words = Words::new(TimeZone::of(admin.tenant()), &keyring.key_choices(admin).await?);
        Ok(Self { page, query, actors, still_there, words })
    }

    /// The address of something's own page.
    fn page_of(&self, id: &str) -> Option<String> {
        let folder = match self.still_there.get(id)? {
            SubjectKind::TenantKey => KeysOf::Tenant.list_path(),
            SubjectKind::PersonalKey => KeysOf::People.list_path(),
            SubjectKind::Person => "/people",
            SubjectKind::Property => "/properties",
            SubjectKind::Group => "/authorization-groups",
        };
        Some(format!("{folder}/{id}"))
    }
}

/// The address of the log as a query describes it.
fn link(query: &AuditQuery) -> String {
    url::with_query(PATH, &query.parameters())
}

#[component]
fn AuditLog(shown: Shown) -> impl IntoView {
    let Shown { page, query, actors, words, .. } = shown.clone();
    let export = url::with_query(CSV, &query.at(Start::Newest).parameters());
    let changes = if page.entries.is_empty() {
        view! { <Nothing is_filtered=query.is_filtered()/> }.into_any()
    } else {
        view! { <Changes shown/> <Pager query=query.clone() page=page.clone()/> }.into_any()
    };
    view! {
        <Crumbs/>
        <header class="page-header">
            <h1>"Audit log"</h1>
            <div class="page-actions">
                <a class="button" href=export download><Icon name="down"/>"Export as CSV"</a>
            </div>
        </header>
        <Filters query actors/>
        {changes}
        <p class="panel-note">{format!("Nothing is ever removed from this log. Times are those of {}.", words.zone)}</p>
    }
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    let (title, advice) = if is_filtered {
        ("No change matches", "Try other days or another filter, or look at all changes again.")
    } else {
        ("Nothing has been changed yet", "Whatever is changed from now on is listed here.")
    };
    view! {
        <div class="empty">
            <span class="empty-mark"><Icon name="search"/></span>
            <h2>{title}</h2>
            <p>{advice}</p>
            {is_filtered.then(|| view! { <a class="button" href=PATH>"Clear the filters"</a> })}
        </div>
    }
}

#[component]
fn Changes(shown: Shown) -> impl IntoView {
    let events = shown.page.entries.clone();
    let rows = events.into_iter().map(move |event| view! { <Change shown=shown.clone() event/> });
    view! {
        <section class="panel" aria-label="Changes">
            <DataTable
                class="ledger audit"
                caption="What was changed, newest first"
                columns=&["When", "Who", "What", "On what", "From where"]
            >
                {rows.collect_view()}
            </DataTable>
        </section>
    }
}

#[component]
fn Change(shown: Shown, event: AuditEvent) -> impl IntoView {
    let zone = shown.words.zone;
    let exact = format!("{} ({zone})", times::to_the_second(event.at, zone));
    let told = Told::by(&event.detail, &shown.words);
    let id = format!("change-{}", event.sequence);
    let address = event.address.clone().unwrap_or_else(|| "Shell".to_owned());
    view! {
        <tr id=id>
            <td data-label="When"><time datetime=event.at.to_rfc3339() title=exact>{times::exact(event.at, zone)}</time></td>
            <td data-label="Who"><Who event=event.clone() actors=shown.actors.clone()/></td>
            <td data-label="What">
                <span class="action-words" title=event.action.as_str()>{event.action.label()}</span>
                <Details told/>
            </td>
            <td data-label="On what"><OnWhat page=shown.page_of(&event.subject) event/></td>
            <td data-label="From where">{address}</td>
        </tr>
    }
}

/// Names can be chosen, so whose they are is told by the id.
#[component]
fn Who(event: AuditEvent, actors: Actors) -> impl IntoView {
    let badge = if event.actor == OPERATOR {
        Some("Operator")
    } else if event.actor == UNKNOWN {
        None
    } else {
        let is_own = actors.own.iter().any(|person| person.id.to_string() == event.actor);
        (!is_own).then_some("Super user")
    };
    let name = if event.actor == OPERATOR {
        "Shell".to_owned()
    } else if badge.is_some() {
        event.actor_name.trim_end_matches(" (super user)").to_owned()
    } else {
        event.actor_name.clone()
    };
    let alike = AuditQuery { actor: Some(event.actor), ..AuditQuery::default() };
    let title = format!("Only what {} did", event.actor_name);
    view! {
        <a class="quiet" href=link(&alike) title=title>{name}</a>
        {badge.map(|badge| view! { " "<span class="badge">{badge}</span> })}
    }
}

#[component]
fn OnWhat(page: Option<String>, event: AuditEvent) -> impl IntoView {
    let history = AuditQuery { subject: SubjectFilter::parse(&event.subject), ..AuditQuery::default() };
    let label = format!("History of {}", event.subject_name);
    let name = event.subject_name;
    let name = match page {
        Some(page) => view! { <a href=page>{name}</a> }.into_any(),
        None => view! { <span>{name}</span> }.into_any(),
    };
    view! { {name}<a class="minor quiet" href=link(&history) aria-label=label>"History"</a> }
}

/// What changed, folded away.
#[component]
fn Details(told: Told) -> impl IntoView {
    let Told { differences, facts } = told;
    let is_told = !(differences.is_empty() && facts.is_empty());
    let rows = differences.into_iter().map(|difference| {
        view! { <tr><th scope="row">{difference.field}</th><td>{difference.before}</td><td>{difference.after}</td></tr> }
    });
    let rows: Vec<_> = rows.collect();
    let table = (!rows.is_empty()).then(|| {
        view! {
            <table class="differences">
                <caption class="unseen">"What changed"</caption>
                <thead><tr><th scope="col">"Field"</th><th scope="col">"Before"</th><th scope="col">"After"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
    });
    let facts: Vec<_> =
        facts.into_iter().map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> }).collect();
    let facts = (!facts.is_empty()).then(|| view! { <dl class="told">{facts}</dl> });
    is_told.then(|| view! { <details class="audit-details"><summary>"Details"</summary>{table}{facts}</details> })
}

#[component]
fn Pager(query: AuditQuery, page: Page<AuditEvent>) -> impl IntoView {
    let step = |start: Option<Start>| start.map(|start| link(&query.at(start)));
    view! { <LogPager newer=step(page.newer()) older=step(page.older())/> }
}
