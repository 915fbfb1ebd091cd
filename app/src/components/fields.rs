//! The fields of a form that the server renders. Each is named after the argument of the server function that it
//! fills in, and has its ids from the form, so that two forms on a page do not get in each other's way.

use leptos::prelude::*;

/// The ids of a field's parts.
#[derive(Clone)]
struct Ids {
    field: String,
    hint: Option<String>,
    error: String,
}

impl Ids {
    fn of(form: &str, name: &str, has_hint: bool) -> Self {
        let field = format!("{form}-{name}");
        Self { hint: has_hint.then(|| format!("{field}-hint")), error: format!("{field}-error"), field }
    }

    fn described_by(&self) -> String {
        self.hint.iter().chain([&self.error]).map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    /// What is said below the field: always the same, and what is wrong with it.
    fn below(&self, hint: Option<String>) -> impl IntoView + use<> {
        view! {
            {self.hint.clone().zip(hint).map(|(id, hint)| view! { <p class="hint" id=id>{hint}</p> })}
            <div class="field-error" id=self.error.clone() aria-live="polite"></div>
        }
    }
}

fn optional_mark(is_optional: bool) -> impl IntoView {
    is_optional.then(|| view! { " "<span class="optional">"optional"</span> })
}

/// Something that the form sends along without showing it.
#[component]
pub(crate) fn HiddenField(name: &'static str, #[prop(into)] value: String) -> impl IntoView {
    view! { <input type="hidden" name=name value=value/> }
}

/// One line of text, or what `kind` makes of it: `email`, `password`, `date`.
#[component]
pub(crate) fn TextField(
    /// The id of the form.
    #[prop(into)]
    form: String,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(default = "text")] kind: &'static str,
    #[prop(default = "off")] autocomplete: &'static str,
    /// Which keys a phone offers.
    #[prop(optional)]
    inputmode: Option<&'static str>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] is_optional: bool,
) -> impl IntoView {
    let ids = Ids::of(&form, name, hint.is_some());
    let is_spelled = (kind == "text").then_some("false");
    view! {
        <div class="field">
            <label for=ids.field.clone()>{label}{optional_mark(is_optional)}</label>
            <input
                id=ids.field.clone()
                type=kind
                name=name
                value=value
                autocomplete=autocomplete
                inputmode=inputmode
                spellcheck=is_spelled
                placeholder=placeholder
                required=!is_optional
                aria-describedby=ids.described_by()
            />
            {ids.below(hint)}
        </div>
    }
}

#[component]
pub(crate) fn TextArea(
    /// The id of the form.
    #[prop(into)]
    form: String,
    name: &'static str,
    #[prop(into)] label: String,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional, into)] placeholder: Option<String>,
    #[prop(optional)] is_optional: bool,
    /// Whether it holds code rather than prose.
    #[prop(optional)]
    is_code: bool,
) -> impl IntoView {
    let ids = Ids::of(&form, name, hint.is_some());
    view! {
        <div class="field">
            <label for=ids.field.clone()>{label}{optional_mark(is_optional)}</label>
            <textarea
                id=ids.field.clone()
                name=name
                rows="3"
                class:code=is_code
                spellcheck=is_code.then_some("false")
                autocapitalize=is_code.then_some("none")
                placeholder=placeholder
                required=!is_optional
                aria-describedby=ids.described_by()
            >
                {value}
            </textarea>
            {ids.below(hint)}
        </div>
    }
}

/// One of several that can be picked.
#[derive(Clone)]
pub(crate) struct Pick {
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) hint: Option<String>,
    pub(crate) is_picked: bool,
}

impl Pick {
    pub(crate) fn new(value: impl Into<String>, label: impl Into<String>) -> Self {
        Self { value: value.into(), label: label.into(), hint: None, is_picked: false }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn picked(self, is_picked: bool) -> Self {
        Self { is_picked, ..self }
    }
}

/// One of several, from a list that unfolds.
#[component]
pub(crate) fn Select(
    /// The id of the form.
    #[prop(into)]
    form: String,
    name: &'static str,
    #[prop(into)] label: String,
    options: Vec<Pick>,
    #[prop(optional, into)] hint: Option<String>,
) -> impl IntoView {
    let ids = Ids::of(&form, name, hint.is_some());
    let options = options.into_iter().map(|option| {
        view! { <option value=option.value selected=option.is_picked>{option.label}</option> }
    });
    view! {
        <div class="field">
            <label for=ids.field.clone()>{label}</label>
            <select id=ids.field.clone() name=name aria-describedby=ids.described_by()>{options.collect_view()}</select>
            {ids.below(hint)}
        </div>
    }
}

/// One of few, each with what there is to say about it.
#[component]
pub(crate) fn RadioOptions(
    /// The id of the form.
    #[prop(into)]
    form: String,
    name: &'static str,
    #[prop(into)] label: String,
    options: Vec<Pick>,
    #[prop(optional, into)] hint: Option<String>,
) -> impl IntoView {
    let ids = Ids::of(&form, name, hint.is_some());
    let options = options.into_iter().map(|option| {
        let id = format!("{}-{}", ids.field, option.value);
        view! {
            <div class="option">
                <input type="radio" name=name id=id.clone() value=option.value checked=option.is_picked/>
                <label for=id>
                    <span class="option-name">{option.label}</span>
                    {option.hint.map(|hint| view! { <span class="hint">{hint}</span> })}
                </label>
            </div>
        }
    });
    view! {
        <fieldset class="field" aria-describedby=ids.described_by()>
            <legend>{label}</legend>
            <div class="options">{options.collect_view()}</div>
            {ids.below(hint)}
        </fieldset>
    }
}

/// Any of several: the function takes a list of the values that are picked.
#[component]
pub(crate) fn CheckboxList(
    /// The id of the form.
    #[prop(into)]
    form: String,
    name: &'static str,
    #[prop(into)] label: String,
    options: Vec<Pick>,
    #[prop(optional, into)] hint: Option<String>,
    #[prop(optional)] is_optional: bool,
) -> impl IntoView {
    let ids = Ids::of(&form, name, hint.is_some());
    let options = options.into_iter().map(|option| view! { <Checkbox name=format!("{name}[]") option/> });
    view! {
        <fieldset class="field" aria-describedby=ids.described_by()>
            <legend>{label}{optional_mark(is_optional)}</legend>
            <div class="ticks">{options.collect_view()}</div>
            {ids.below(hint)}
        </fieldset>
    }
}

/// A single tick. Of a name that ends in `[]` there are several; another is a yes or no.
#[component]
pub(crate) fn Checkbox(#[prop(into)] name: String, option: Pick) -> impl IntoView {
    view! {
        <label>
            <input type="checkbox" name=name value=option.value checked=option.is_picked/>
            <span>{option.label}</span>
            {option.hint.map(|hint| view! { <span class="hint">{hint}</span> })}
        </label>
    }
}
