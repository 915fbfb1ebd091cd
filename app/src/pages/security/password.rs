//! Changing the password.

use domain::person::MIN_PASSWORD_CHARS;
use leptos::prelude::*;

use crate::{
    components::fields::TextField,
    functions::ChangePassword,
    islands::{Afterwards, FormSpec, ServerForm},
};

const FORM: &str = "change-password";

#[component]
pub(super) fn PasswordPanel(email: String) -> impl IntoView {
    let after = Afterwards::reload("Your password is changed, and your other sessions have ended.", "#password");
    let form = FormSpec::calling::<ChangePassword>(FORM, "Change password", "Changing…", after);
    view! {
        <section class="panel security-panel" aria-labelledby="password">
            <h2 id="password" tabindex="-1">"Password"</h2>
            <div class="security-form">
                <ServerForm form>
                    // For password managers, which want to know whose password it is.
                    <input type="text" name="username" autocomplete="username" value=email readonly hidden/>
                    <TextField
                        form=FORM
                        name="current_password"
                        label="Current password"
                        kind="password"
                        autocomplete="current-password"
                    />
                    <TextField
                        form=FORM
                        name="password"
                        label="New password"
                        kind="password"
                        autocomplete="new-password"
                        hint=format!(
                            "At least {MIN_PASSWORD_CHARS} characters; a few words in a row are good. Changing it signs you out everywhere but here."
                        )
                    />
                </ServerForm>
            </div>
        </section>
    }
}
