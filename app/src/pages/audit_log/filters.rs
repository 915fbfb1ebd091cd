//! The filters: a form that leads to another URL, with a script or without.

use chrono::NaiveDate;
use domain::{
    audit::Action,
    audit_query::{AuditQuery, SubjectFilter},
    person::Person,
};
use leptos::prelude::*;

use super::{Actors, OPERATOR, PATH};

/// The kinds of actions, by what stands before the dot.
const KINDS: [(&str, &str); 10] = [
    ("key", "API keys"),
    ("group", "Authorization groups"),
    ("property", "Properties"),
    ("person", "People"),
    ("second_factor", "Second factor"),
    ("session", "Sessions"),
    ("tenant", "Tenant"),
    ("audit", "Audit log"),
    ("permission", "Permissions"),
    ("secret_key", "Secret key"),
];

#[component]
pub(super) fn Filters(query: AuditQuery, actors: Actors) -> impl IntoView {
    let clear = query.is_filtered().then(|| view! { <a class="button" href=PATH>"Clear"</a> });
    let subject = query.subject.as_ref().map(SubjectFilter::as_str).unwrap_or_default().to_owned();
    view! {
        <form class="audit-filters" method="get" action=PATH aria-label="Filters">
            <label>
                "Who"
                <select name="actor"><ActorOptions actors picked=query.actor.clone()/></select>
            </label>
            <label>
                "What"
                <select name="action"><ActionOptions picked=query.action/></select>
            </label>
            <label>
                "On what"
                <input type="search" name="subject" value=subject maxlength="200" placeholder="Whole name, or id"/>
            </label>
            <Day label="From" name="from" date=query.from/>
            <Day label="To" name="to" date=query.to/>
            <div class="audit-filter-actions">
                <button class="button" type="submit">"Filter"</button>
                {clear}
            </div>
        </form>
    }
}

#[component]
fn Day(label: &'static str, name: &'static str, date: Option<NaiveDate>) -> impl IntoView {
    let value = date.map(|date| date.to_string());
    view! { <label>{label}<input type="date" name=name value=value/></label> }
}

#[component]
fn ActorOptions(actors: Actors, picked: Option<String>) -> impl IntoView {
    let Actors { own, super_users } = actors;
    let is_known =
        |id: &String| id == OPERATOR || own.iter().chain(&super_users).any(|person| person.id.to_string() == *id);
    // Somebody who is not there any more can still be asked for by a link.
    let unknown = picked.clone().filter(|id| !is_known(id)).map(|id| (id.clone(), id));
    let named = |people: Vec<Person>| people.into_iter().map(|person| (person.id.to_string(), person.name)).collect();
    let picked = picked.unwrap_or_default();
    view! {
        <option value="">"Anybody"</option>
        {options(unknown.into_iter().collect(), &picked)}
        <optgroup label="People">{options(named(own), &picked)}</optgroup>
        <optgroup label="Installation">
            {options(vec![(OPERATOR.to_owned(), "Operator".to_owned())], &picked)}
            {options(named(super_users), &picked)}
        </optgroup>
    }
}

fn options(options: Vec<(String, String)>, picked: &str) -> impl IntoView + use<> {
    let option = |(value, label): (String, String)| {
        let is_picked = value == picked;
        view! { <option value=value selected=is_picked>{label}</option> }
    };
    options.into_iter().map(option).collect_view()
}

#[component]
fn ActionOptions(picked: Option<Action>) -> impl IntoView {
    let picked = picked.map(Action::as_str).unwrap_or_default();
    let kinds = KINDS.map(|(kind, label)| {
        let of_kind = Action::ALL.iter().filter(|action| kind_of(**action) == kind);
        let named = of_kind.map(|action| (action.to_string(), action.label().to_owned()));
        view! { <optgroup label=label>{options(named.collect(), picked)}</optgroup> }
    });
    view! { <option value="">"Anything"</option> {kinds.collect_view()} }
}

fn kind_of(action: Action) -> &'static str {
    action.as_str().split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_can_be_picked() {
        for action in Action::ALL {
            assert!(KINDS.iter().any(|(kind, _)| *kind == kind_of(*action)), "{action} is of no kind");
        }
    }
}
