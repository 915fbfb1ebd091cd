use crate::{Result, Workspace, build, process, profile::Profile};
use std::{
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant, SystemTime},
};

const WATCHED: &[&str] = &["app", "crates", "frontend", "migrations", "public", "server", "style"];
const EVERY: Duration = Duration::from_millis(500);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

pub fn command(workspace: &Workspace) -> Result<()> {
    let mut seen = Snapshot::take(workspace);
    let mut server: Option<Child> = None;
    rebuild(workspace, &mut server);
    loop {
        thread::sleep(EVERY);
        report_end(&mut server);
        let now = Snapshot::take(workspace);
        if now != seen {
            seen = now;
            rebuild(workspace, &mut server);
        }
    }
}

fn rebuild(workspace: &Workspace, server: &mut Option<Child>) {
    if let Err(error) = restart(workspace, server) {
        let left = if server.is_some() { "The old server is still running. " } else { "" };
        eprintln!("error: {error}\n{left}Waiting for a change.");
    }
}

fn restart(workspace: &Workspace, server: &mut Option<Child>) -> Result<()> {
    let program = build::everything(workspace, Profile::Dev)?;
    if let Some(old) = server.take() {
        stop(old)?;
    }
    *server = Some(start(workspace, &program)?);
    Ok(())
}

fn start(workspace: &Workspace, program: &Path) -> Result<Child> {
    let mut command = bound_to_us(program);
    command.args(["serve", "--demo"]).current_dir(&workspace.root);
    command.spawn().map_err(|error| process::not_started(&command, &error).into())
}

/// On Linux, the server exits with this process even if it is killed.
fn bound_to_us(program: &Path) -> Command {
    let Some(setpriv) = process::find_program("setpriv") else { return Command::new(program) };
    let mut command = Command::new(setpriv);
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

fn report_end(server: &mut Option<Child>) {
    let ended = server.as_mut().and_then(|child| child.try_wait().ok().flatten());
    if let Some(status) = ended {
        eprintln!("The server has stopped ({status}). Waiting for a change.");
        *server = None;
    }
}

/// Asks politely first, so that the server closes its database itself.
fn stop(mut server: Child) -> Result<()> {
    let id = server.id().to_string();
    process::succeeds(Command::new("sh").args(["-c", "kill -TERM \"$0\"", &id]));
    let deadline = Instant::now() + STOP_TIMEOUT;
    while server.try_wait()?.is_none() {
        if Instant::now() > deadline {
            server.kill()?;
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// A file that goes changes the count, a file that comes or is saved changes the newest time.
#[derive(PartialEq, Eq)]
struct Snapshot {
    files: usize,
    newest: SystemTime,
}

impl Snapshot {
    fn take(workspace: &Workspace) -> Self {
        let mut snapshot = Self { files: 0, newest: SystemTime::UNIX_EPOCH };
        for directory in WATCHED {
            snapshot.add(&workspace.root.join(directory));
        }
        snapshot
    }

    /// Files come and go while we scan: one that cannot be read is scanned again soon.
    fn add(&mut self, path: &Path) {
        let Ok(metadata) = fs::metadata(path) else { return };
        if metadata.is_dir() {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.for_each(|entry| self.add(&entry.path()));
            return;
        }
        self.files += 1;
        self.newest = self.newest.max(metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH));
    }
}
