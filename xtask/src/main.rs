//! `cargo xtask …`: everything that is done with this repository, from building it to testing it.

mod bench;
mod build;
mod dev;
mod fuzz;
mod harness;
mod lint;
mod process;
mod profile;
mod run;
mod scratch;
mod services;
mod setup;
mod site;
mod soak;
mod steal_time;
mod test;
mod workspace;

use std::process::ExitCode;
use workspace::Workspace;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const COMMANDS: &str = "\
cargo xtask run [options]                  build everything and start the console with demo data; the options go to `latchkey serve`
cargo xtask build                          build the release program, one file with the site inside
cargo xtask dev                            debug build with demo data, rebuilt and restarted on change
cargo xtask test                           every test, on SQLite, PostgreSQL and Redis, and in Chromium
cargo xtask test rust                      the Rust tests alone
cargo xtask test conformance               the public API against its own description, by Schemathesis
cargo xtask test clients                   generated clients, OAuth 2.0 libraries and OpenAPI linters against the public API
cargo xtask test browser [options]         the browser tests alone; the options go to `playwright test`
cargo xtask bench                          how fast the release program is, as a table and in target/bench.json
cargo xtask bench --quick                  the same in a minute or two, without the million keys and PostgreSQL
cargo xtask bench --instructions           instructions per request, counted by callgrind; writes server/benches/instructions.json
cargo xtask bench --instructions --check   counts them again and fails when there are over 3 % more than in the file
cargo xtask fuzz [seconds]                 each fuzz target of `fuzz`, for a minute or as long as you say
cargo xtask soak [seconds]                 three servers under full load while keys change, for ten minutes or as long as you say
cargo xtask lint                           formatting, clippy, the dependency and source rules, the size budget
cargo xtask setup                          installs everything that the other commands need; they also install it themselves";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            println!("{COMMANDS}");
            return ExitCode::SUCCESS;
        }
        ["build"] => in_workspace(build::command),
        ["run", rest @ ..] => in_workspace(|workspace| run::command(workspace, rest)),
        ["dev"] => in_workspace(dev::command),
        ["test"] => in_workspace(test::everything),
        ["test", "rust"] => in_workspace(test::rust_alone),
        ["test", "clients"] => in_workspace(test::clients_alone),
        ["test", "conformance"] => in_workspace(test::conformance_alone),
        ["test", "browser", rest @ ..] => in_workspace(|workspace| test::browser_alone(workspace, rest)),
        ["bench"] => in_workspace(bench::everything),
        ["bench", "--quick"] => in_workspace(bench::quick),
        ["bench", "--instructions"] => in_workspace(bench::instructions::write),
        ["bench", "--instructions", "--check"] => in_workspace(bench::instructions::check),
        ["fuzz"] => in_workspace(|workspace| fuzz::command(workspace, fuzz::DEFAULT_SECONDS)),
        ["fuzz", seconds] if seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0) => {
            in_workspace(|workspace| fuzz::command(workspace, seconds.parse()?))
        }
        ["soak"] => in_workspace(|workspace| soak::command(workspace, soak::TEN_MINUTES)),
        ["soak", seconds] if seconds.parse::<u64>().is_ok_and(|seconds| seconds > 0) => {
            in_workspace(|workspace| soak::command(workspace, seconds))
        }
        ["lint"] => in_workspace(lint::command),
        ["setup"] => in_workspace(setup::command),
        unknown => {
            eprintln!("There is no `cargo xtask {}`. There is:\n{COMMANDS}", unknown.join(" "));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn in_workspace(command: impl FnOnce(&Workspace) -> Result<()>) -> Result<()> {
    command(&Workspace::find()?)
}
