//! The fields of a key, for generating and for editing.

use std::collections::HashSet;

use domain::{
    field::{Field, FieldErrors},
    group::Group,
    key_draft::{Choices, KeyDraft, PermissionSource},
    network::{self, parse_allowlist},
    permission::{Permission, Restriction},
    property::Property,
    scope::Scopes,
};
use leptos::prelude::*;

use super::browser;

/// A form while it is filled in: what is typed, what was left, and what is wrong with it.
#[derive(Clone, Copy)]
pub(super) struct KeyForm {
    pub(super) draft: RwSignal<KeyDraft>,
    choices: StoredValue<Choices>,
    /// A field is only judged once it was left, or the whole form was sent.
    left: RwSignal<HashSet<Field>>,
    all_left: RwSignal<bool>,
    /// What the server found wrong, until the field is changed.
    from_server: RwSignal<FieldErrors>,
}

impl KeyForm {
    pub(super) fn new(draft: KeyDraft, choices: Choices) -> Self {
        Self {
            draft: RwSignal::new(draft),
            choices: StoredValue::new(choices),
            left: RwSignal::default(),
            all_left: RwSignal::new(false),
            from_server: RwSignal::default(),
        }
    }

    /// Everything wrong with the draft, whether it is shown already or not.
    pub(super) fn errors(&self) -> FieldErrors {
        self.choices.with_value(|choices| self.draft.with(|draft| draft.parse(choices).err().unwrap_or_default()))
    }

    /// What to show below a field.
    fn shown(&self, field: Field) -> Vec<String> {
        let details = |errors: &FieldErrors| errors.of(field).map(|error| error.detail.clone()).collect::<Vec<_>>();
        let is_judged = self.all_left.get() || self.left.with(|left| left.contains(&field));
        let own = if is_judged { details(&self.errors()) } else { Vec::new() };
        if own.is_empty() { self.from_server.with(details) } else { own }
    }

    pub(super) fn leave(&self, field: Field) {
        self.left.update(|left| {
            left.insert(field);
        });
    }

    /// Judges the whole form from now on. True when nothing in it is wrong.
    pub(super) fn check_all(&self) -> bool {
        self.all_left.set(true);
        self.from_server.set(FieldErrors::default());
        self.draft.with_untracked(|draft| self.choices.with_value(|choices| draft.parse(choices).is_ok()))
    }

    pub(super) fn show_from_server(&self, errors: FieldErrors) {
        self.from_server.set(errors);
        focus_first_error();
    }

    fn change(&self, field: Field, change: impl FnOnce(&mut KeyDraft)) {
        self.from_server.update(|errors| errors.0.retain(|error| error.field != field));
        self.draft.update(change);
    }
}

/// Takes the person to the first field that is wrong, once the page shows which.
pub(super) fn focus_first_error() {
    request_animation_frame(|| {
        browser::focus_first("[aria-invalid=true]");
    });
}

/// The message below a field, and the attributes that tie it to the field.
#[derive(Clone, Copy)]
pub(super) struct Message {
    pub(super) id: &'static str,
    pub(super) lines: Memo<Vec<String>>,
}

impl Message {
    fn of(form: KeyForm, field: Field, id: &'static str) -> Self {
        Self { id, lines: Memo::new(move |_| form.shown(field)) }
    }

    pub(super) fn invalid(self) -> impl Fn() -> Option<&'static str> {
        move || (!self.lines.with(Vec::is_empty)).then_some("true")
    }

    pub(super) fn view(self) -> impl IntoView {
        view! {
            <div class="field-error" id=self.id aria-live="polite">
                {move || self.lines.get().into_iter().map(|line| view! { <p>{line}</p> }).collect_view()}
            </div>
        }
    }
}

/// Name and description, and what the key may do.
#[component]
pub(super) fn IdentityFields(form: KeyForm) -> impl IntoView {
    let name = Message::of(form, Field::Name, "name-error");
    let description = Message::of(form, Field::Description, "description-error");
    view! {
        <div class="field">
            <label for="name">"Key name"</label>
            <input
                id="name"
                type="text"
                autocomplete="off"
                required
                placeholder="For example: Property management system"
                prop:value=move || form.draft.with(|draft| draft.name.clone())
                on:input=move |event| form.change(Field::Name, |draft| draft.name = event_target_value(&event))
                on:blur=move |_| form.leave(Field::Name)
                aria-invalid=name.invalid()
                aria-describedby=name.id
            />
            {name.view()}
        </div>
        <div class="field">
            <label for="description">"Description "<span class="optional">"optional"</span></label>
            <textarea
                id="description"
                rows="2"
                prop:value=move || form.draft.with(|draft| draft.description.clone())
                on:input=move |event| form.change(Field::Description, |draft| draft.description = event_target_value(&event))
                on:blur=move |_| form.leave(Field::Description)
                aria-invalid=description.invalid()
                aria-describedby="description-hint description-error"
            ></textarea>
            <p class="hint" id="description-hint">"What the key is for, and who is responsible for it."</p>
            {description.view()}
        </div>
    }
}

#[component]
pub(super) fn AccessFields(form: KeyForm) -> impl IntoView {
    let Choices { permission_source, properties } = form.choices.get_value();
    let group = match permission_source {
        PermissionSource::Groups(groups) => view! { <GroupField form groups/> }.into_any(),
        PermissionSource::Own(permissions) => view! { <OwnPowers permissions/> }.into_any(),
    };
    view! {
        {group}
        <ScopeField form/>
        <PropertyField form properties/>
    }
}

#[component]
fn GroupField(form: KeyForm, groups: Vec<Group>) -> impl IntoView {
    let message = Message::of(form, Field::Group, "group-error");
    let options = groups.into_iter().enumerate().map(|(index, group)| {
        let id = group.id.to_string();
        let chosen = { let id = id.clone(); move || form.draft.with(|draft| draft.group == id) };
        let input_id = format!("group-{index}");
        let permissions = group.permissions.iter().map(|permission| view! { <code class="permission">{permission.to_string()}</code> }).collect_view();
        view! {
            <div class="option">
                <input
                    type="radio"
                    name="group"
                    id=input_id.clone()
                    value=id.clone()
                    prop:checked=chosen
                    aria-invalid=message.invalid()
                    on:change=move |_| { form.change(Field::Group, |draft| draft.group = id.clone()); form.leave(Field::Group) }
                />
                <label for=input_id>
                    <span class="option-name">{group.name}</span>
                    <span class="permissions">{permissions}</span>
                </label>
            </div>
        }
    });
    view! {
        <fieldset class="field" aria-describedby="group-hint group-error">
            <legend>"Authorization group"</legend>
            <p class="hint" id="group-hint">"Says what the key may do. A permission is a resource and an action; * stands for all of them."</p>
            <div class="options">{options.collect_view()}</div>
            {message.view()}
        </fieldset>
    }
}

/// In place of a group: a personal key goes as far as the person.
#[component]
fn OwnPowers(permissions: Vec<Permission>) -> impl IntoView {
    let codes = permissions
        .iter()
        .map(|permission| view! { <code class="permission">{permission.to_string()}</code> })
        .collect_view();
    let what = if permissions.is_empty() {
        "Nothing at present: you have no permissions yet. Ask an admin of your organization for a group."
    } else {
        "Everything that you may do yourself at the moment of the call. At present that is:"
    };
    view! {
        <div class="field">
            <span class="label">"Permissions"</span>
            <p class="hint">{what}</p>
            <span class="permissions">{codes}</span>
        </div>
    }
}

#[component]
fn ScopeField(form: KeyForm) -> impl IntoView {
    let message = Message::of(form, Field::Scopes, "scopes-error");
    let tick = move |change: fn(&mut KeyDraft, bool)| {
        move |event| {
            let ticked = event_target_checked(&event);
            form.change(Field::Scopes, |draft| change(draft, ticked));
            form.leave(Field::Scopes);
        }
    };
    view! {
        <fieldset class="field" aria-describedby="scopes-left scopes-error">
            <legend>"Scopes"</legend>
            <div class="ticks">
                <label>
                    <input
                        type="checkbox"
                        name="read"
                        prop:checked=move || form.draft.with(|draft| draft.read)
                        aria-invalid=message.invalid()
                        on:change=tick(|draft, ticked| draft.read = ticked)
                    />
                    <span>"Read"</span>
                    <span class="hint">"query data"</span>
                </label>
                <label>
                    <input
                        type="checkbox"
                        name="write"
                        prop:checked=move || form.draft.with(|draft| draft.write)
                        aria-invalid=message.invalid()
                        on:change=tick(|draft, ticked| draft.write = ticked)
                    />
                    <span>"Write"</span>
                    <span class="hint">"create and change"</span>
                </label>
            </div>
            {message.view()}
            <p class="left-over" id="scopes-left" aria-live="polite">{move || left_over(form)}</p>
        </fieldset>
    }
}

/// What the chosen scopes leave of the chosen group.
fn left_over(form: KeyForm) -> AnyView {
    let (permissions, scopes) = form.draft.with(|draft| {
        let permissions = form
            .choices
            .with_value(|choices| choices.permission_source.with_group(&draft.group).map(<[Permission]>::to_vec));
        (permissions, Scopes::from_ticks(draft.read, draft.write))
    });
    let (Some(permissions), Some(scopes)) = (permissions, scopes) else { return ().into_any() };
    let left = permissions_left(&permissions, scopes);
    if left.is_empty() {
        return view! { <strong class="nothing-left">"With these scopes the key can do nothing."</strong> }.into_any();
    }
    let codes = left.into_iter().map(|text| view! { <code class="permission">{text}</code> }).collect_view();
    view! { <span>"The key will be able to: "</span>{codes} }.into_any()
}

/// What scopes leave of permissions, each in words.
pub(crate) fn permissions_left(permissions: &[Permission], scopes: Scopes) -> Vec<String> {
    permissions.iter().flat_map(|permission| words(permission.restriction(scopes), &permission.to_string())).collect()
}

fn words(restriction: Restriction, whole: &str) -> Vec<String> {
    match restriction {
        Restriction::Whole => vec![whole.to_owned()],
        Restriction::Only(left) => left.iter().map(ToString::to_string).collect(),
        Restriction::ReadOnly => vec![format!("{whole} except reading")],
        Restriction::Nothing => Vec::new(),
    }
}

#[component]
fn PropertyField(form: KeyForm, properties: Vec<Property>) -> impl IntoView {
    let message = Message::of(form, Field::Properties, "properties-error");
    let is_narrowed = move || form.draft.with(|draft| !draft.all_properties);
    let list = move || {
        is_narrowed().then(|| {
            if properties.is_empty() {
                return view! { <p class="hint">"This tenant has no properties yet, so there is none to pick."</p> }.into_any();
            }
            let ticks = properties.clone().into_iter().map(|property| {
                let id = property.id.to_string();
                let ticked = { let id = id.clone(); move || form.draft.with(|draft| draft.properties.contains(&id)) };
                let toggle = move |event| {
                    let add = event_target_checked(&event);
                    form.change(Field::Properties, |draft| {
                        draft.properties.retain(|own| *own != id);
                        if add {
                            draft.properties.push(id.clone());
                        }
                    });
                    form.leave(Field::Properties);
                };
                view! {
                    <label>
                        <input type="checkbox" name="property" prop:checked=ticked aria-invalid=message.invalid() on:change=toggle/>
                        <span>{property.name}</span>
                    </label>
                }
            });
            view! { <div class="ticks nested">{ticks.collect_view()}</div> }.into_any()
        })
    };
    view! {
        <fieldset class="field" aria-describedby="properties-error">
            <legend>"Properties"</legend>
            <div class="ticks">
                <label>
                    <input
                        type="checkbox"
                        name="all_properties"
                        prop:checked=move || form.draft.with(|draft| draft.all_properties)
                        on:change=move |event| {
                            let all = event_target_checked(&event);
                            form.change(Field::Properties, |draft| draft.all_properties = all);
                        }
                    />
                    <span>"Access to all properties"</span>
                    <span class="hint">"also those that are added later"</span>
                </label>
            </div>
            {list}
            {message.view()}
        </fieldset>
    }
}

#[component]
pub(super) fn RestrictionFields(form: KeyForm) -> impl IntoView {
    let ips = Message::of(form, Field::AllowedIps, "allowed-ips-error");
    let origins = Message::of(form, Field::AllowedOrigins, "allowed-origins-error");
    let limit = Message::of(form, Field::RateLimitPerMinute, "rate-limit-error");
    view! {
        <div class="field">
            <label for="allowed-ips">"IP allowlist "<span class="optional">"optional"</span></label>
            <textarea
                id="allowed-ips"
                class="code"
                rows="3"
                spellcheck="false"
                autocapitalize="none"
                placeholder="203.0.113.7\n10.0.0.0/8"
                prop:value=move || form.draft.with(|draft| draft.allowed_ips.clone())
                on:input=move |event| form.change(Field::AllowedIps, |draft| draft.allowed_ips = event_target_value(&event))
                on:blur=move |_| form.leave(Field::AllowedIps)
                aria-invalid=ips.invalid()
                aria-describedby="allowed-ips-hint allowed-ips-error"
            ></textarea>
            <p class="hint" id="allowed-ips-hint">"One address or CIDR range a line, IPv4 or IPv6. Left empty, requests may come from anywhere."</p>
            <div class="adjusted" aria-live="polite">{move || adjusted_ranges(form)}</div>
            {ips.view()}
        </div>
        <div class="field">
            <label for="allowed-origins">"Allowed origins "<span class="optional">"optional"</span></label>
            <textarea
                id="allowed-origins"
                class="code"
                rows="2"
                spellcheck="false"
                autocapitalize="none"
                placeholder="https://booking.example.com"
                prop:value=move || form.draft.with(|draft| draft.allowed_origins.clone())
                on:input=move |event| form.change(Field::AllowedOrigins, |draft| draft.allowed_origins = event_target_value(&event))
                on:blur=move |_| form.leave(Field::AllowedOrigins)
                aria-invalid=origins.invalid()
                aria-describedby="allowed-origins-hint allowed-origins-error"
            ></textarea>
            <p class="hint" id="allowed-origins-hint">"For keys used in a browser: the sites that may use it, with commas or line breaks between. Left empty, all may."</p>
            {origins.view()}
        </div>
        <div class="field short">
            <label for="rate-limit">"Rate limit"</label>
            <span class="with-unit">
                <input
                    id="rate-limit"
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    prop:value=move || form.draft.with(|draft| draft.rate_limit_per_minute.clone())
                    on:input=move |event| form.change(Field::RateLimitPerMinute, |draft| draft.rate_limit_per_minute = event_target_value(&event))
                    on:blur=move |_| form.leave(Field::RateLimitPerMinute)
                    aria-invalid=limit.invalid()
                    aria-describedby="rate-limit-unit rate-limit-error"
                />
                <span id="rate-limit-unit">"requests a minute, 1 to 1000"</span>
            </span>
            {limit.view()}
        </div>
    }
}

/// Says which lines of the allowlist mean something else than they say.
fn adjusted_ranges(form: KeyForm) -> AnyView {
    let list = form.draft.with(|draft| parse_allowlist(&draft.allowed_ips));
    let Ok(list) = list else { return ().into_any() };
    list.adjusted
        .into_iter()
        .map(|(typed, range)| view! { <p class="hint">{typed}" will be stored as "<code>{network::show(&range)}</code></p> })
        .collect_view()
        .into_any()
}
