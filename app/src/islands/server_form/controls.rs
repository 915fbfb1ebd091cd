//! The controls of a form, as the browser has them.

use domain::field::{FieldError, FieldErrors};
use leptos::leptos_dom::helpers::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlFormElement, HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};

use super::filled::{Filled, field_of};
use crate::islands::browser;

fn controls(form: &HtmlFormElement) -> impl Iterator<Item = Element> {
    let elements = form.elements();
    (0..elements.length()).filter_map(move |index| elements.item(index))
}

/// None for a control without a name, such as a button.
fn name_of(control: &Element) -> Option<String> {
    control.get_attribute("name").filter(|name| !name.is_empty())
}

/// Reads everything that is filled in.
pub(super) fn read_form(form: &HtmlFormElement) -> Filled {
    let mut filled = Filled::default();
    for control in controls(form) {
        if let Some(name) = name_of(&control) {
            read_control(&mut filled, &name, &control);
        }
    }
    filled
}

fn read_control(filled: &mut Filled, name: &str, control: &Element) {
    if let Some(input) = control.dyn_ref::<HtmlInputElement>() {
        match input.type_().as_str() {
            "checkbox" => filled.checkbox(name, input.value(), input.checked()),
            "radio" => filled.radio(name, input.value(), input.checked()),
            _ => filled.text(name, input.value()),
        }
    } else if let Some(area) = control.dyn_ref::<HtmlTextAreaElement>() {
        filled.text(name, area.value());
    } else if let Some(select) = control.dyn_ref::<HtmlSelectElement>() {
        filled.text(name, select.value());
    }
}

/// The form's own id, asked for as an attribute: `form.id` is its field of the name `id`, when it has one.
fn id_of(form: &HtmlFormElement) -> String {
    form.get_attribute("id").unwrap_or_default()
}

/// Takes the person to the first field that is wrong.
pub(super) fn focus_first_error(form: &HtmlFormElement) {
    browser::focus_first(&format!("#{} [aria-invalid=true]", id_of(form)));
}

/// Where a field's messages stand.
fn place_of_errors(form: &HtmlFormElement, field: &str) -> Option<Element> {
    document().get_element_by_id(&format!("{}-{field}-error", id_of(form)))
}

/// Puts each message below its field. Answers those of fields that the form does not have.
pub(super) fn show_errors(form: &HtmlFormElement, errors: FieldErrors) -> Vec<FieldError> {
    errors.0.into_iter().filter(|error| !show_error(form, error)).collect()
}

fn show_error(form: &HtmlFormElement, error: &FieldError) -> bool {
    let field = error.field.as_str();
    let place = place_of_errors(form, field);
    let line = document().create_element("p").ok();
    let Some((place, line)) = place.zip(line) else { return false };
    line.set_text_content(Some(&error.detail));
    mark(form, field, true);
    place.append_child(&line).is_ok()
}

fn mark(form: &HtmlFormElement, field: &str, is_invalid: bool) {
    for control in controls(form).filter(|control| name_of(control).is_some_and(|name| field_of(&name) == field)) {
        // Fails only for an attribute that has no name.
        let _ = if is_invalid {
            control.set_attribute("aria-invalid", "true")
        } else {
            control.remove_attribute("aria-invalid")
        };
    }
}

pub(super) fn forget_errors(form: &HtmlFormElement) {
    for name in controls(form).filter_map(|control| name_of(&control)) {
        forget_errors_of(form, field_of(&name));
    }
}

fn forget_errors_of(form: &HtmlFormElement, field: &str) {
    if let Some(place) = place_of_errors(form, field) {
        place.set_text_content(None);
        mark(form, field, false);
    }
}

/// A field that changes is not judged any more.
pub(super) fn forget_error(form: &HtmlFormElement, event: &Event) {
    let control = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    if let Some(name) = control.and_then(|control| name_of(&control)) {
        forget_errors_of(form, field_of(&name));
    }
}
