//! `#[requires(…)]`: lists a test as ignored if something is missing that it requires.

use proc_macro::{TokenStream, TokenTree};

/// Ignores a test unless everything is there that it names:
///
/// - `postgres`: a PostgreSQL server, at `LATCHKEY_TEST_POSTGRES_URL`;
/// - `programs`: the programs that `cargo xtask setup` installs, such as proxies; `LATCHKEY_TEST_PROGRAMS` says so;
/// - `site`: the browser side, as `cargo xtask build` makes it.
///
/// `cargo xtask test` provides all of them.
#[proc_macro_attribute]
pub fn requires(names: TokenStream, test: TokenStream) -> TokenStream {
    let missing = names.into_iter().find_map(|name| match name {
        TokenTree::Ident(name) => reason(&name.to_string()),
        _ => None,
    });
    let Some(reason) = missing else { return test };
    let Ok(ignore) = format!("#[ignore = {reason:?}]").parse::<TokenStream>() else {
        unreachable!("a string literal is a token")
    };
    ignore.into_iter().chain(test).collect()
}

/// Returns why a test with this requirement is ignored.
fn reason(requirement: &str) -> Option<&'static str> {
    match requirement {
        "postgres" if !cfg!(postgres) => Some("set LATCHKEY_TEST_POSTGRES_URL, or run `cargo xtask test`"),
        "programs" if !cfg!(programs) => Some("run `cargo xtask test`, which installs the programs"),
        "site" if !cfg!(site) => Some("run `cargo xtask test`, which builds the browser side"),
        "postgres" | "programs" | "site" => None,
        unknown => panic!("no such requirement: {unknown}"),
    }
}
