//! Tables of parameters and fields.

use leptos::prelude::*;

use super::super::code::marked;
use crate::reference::{Parameter, Shape};

/// The parameters of a call: path, query and headers.
pub(super) fn parameters(parameters: &[Parameter]) -> impl IntoView + use<> {
    let rows = parameters.iter().map(|Parameter { location, member }| {
        view! {
            <tr>
                <th scope="row"><code>{member.name.clone()}</code></th>
                <td data-label="In">{*location}</td>
                <td data-label="Type">{member.shape.type_label()}</td>
                <td data-label="Required">{yes_or_no(member.is_required)}</td>
                <td>{meaning(member.meaning.as_deref(), member.shape.limits.as_deref())}</td>
            </tr>
        }
    });
    table("Parameters", &["Name", "In", "Type", "Required", "Meaning"], rows.collect_view())
}

/// The fields of a body. A response has all of them, so its table has no "Required" column.
pub(super) fn fields(shape: &Shape, is_sent: bool) -> impl IntoView + use<> {
    let rows = shape.fields().into_iter().map(|field| {
        let member = field.member;
        view! {
            <tr>
                <th scope="row"><code>{field.path}</code></th>
                <td data-label="Type">{member.shape.type_label()}</td>
                {is_sent.then(|| view! { <td data-label="Required">{yes_or_no(member.is_required)}</td> })}
                <td>{meaning(member.meaning.as_deref(), member.shape.limits.as_deref())}</td>
            </tr>
        }
    });
    let columns: &[_] = if is_sent { &["Field", "Type", "Required", "Meaning"] } else { &["Field", "Type", "Meaning"] };
    table("Fields", columns, rows.collect_view())
}

fn table(label: &'static str, columns: &'static [&'static str], rows: impl IntoView) -> impl IntoView {
    let columns = columns.iter().map(|column| view! { <th scope="col">{*column}</th> });
    view! {
        <div class="table-frame" tabindex="0" role="group" aria-label=label>
            <table class="lookup">
                <thead>
                    <tr>{columns.collect_view()}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

fn yes_or_no(is_required: bool) -> &'static str {
    if is_required { "yes" } else { "no" }
}

/// The description, followed by the limits.
fn meaning(text: Option<&str>, limits: Option<&str>) -> impl IntoView + use<> {
    let limits = limits.map(|limits| view! { <span class="limits">{sentence(limits)}</span> });
    let text = text.map(marked);
    view! { {text}" "{limits} }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
