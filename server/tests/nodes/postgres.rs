//! A PostgreSQL of a test's own, which it can stop, start again, and freeze.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const CHANGE_TIMEOUT: Duration = Duration::from_secs(30);

pub struct Postgres {
    process: Child,
    folder: TempDir,
    data: PathBuf,
    port: u16,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.thaw();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Postgres {
    pub fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        Self::start_with(folder, data)
    }

    /// Starts a server with its tables on another disk and its write-ahead log on the usual one, because a full log
    /// disk stops it.
    pub fn start_on(disk: &Path) -> Self {
        Self::start_with(TempDir::new().unwrap(), disk.join("data"))
    }

    fn start_with(folder: TempDir, data: PathBuf) -> Self {
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        let mut initdb = as_unprivileged_user("initdb", &folder);
        initdb.arg("-D").arg(&data).arg("-X").arg(folder.path().join("wal")).args([
            "-A",
            "trust",
            "-U",
            "latchkey",
            "--no-sync",
            "-E",
            "UTF8",
        ]);
        assert!(initdb.arg("--locale=C.UTF-8").stdout(Stdio::null()).status().unwrap().success());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut postgres = Self { process: launch(&folder, &data, port), folder, data, port };
        postgres.wait_until_ready();
        postgres
    }

    pub fn url(&self) -> String {
        format!("postgres://latchkey@127.0.0.1:{}/postgres", self.port)
    }

    pub fn url_of(&self, role: &str, password: &str) -> String {
        format!("postgres://{role}:{password}@127.0.0.1:{}/postgres", self.port)
    }

    pub fn execute(&self, sql: &str) {
        let done = Command::new("psql").args([&self.url(), "--quiet", "--command", sql]).stdout(Stdio::null()).status();
        assert!(done.unwrap().success(), "{sql}");
    }

    /// Stops trusting connections of a role.
    pub fn require_password_of(&self, role: &str) {
        let rules = format!("host all {role} 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n");
        fs::write(self.data.join("pg_hba.conf"), rules).unwrap();
        self.execute("SELECT pg_reload_conf()");
    }

    /// Stops it cleanly, which aborts running statements.
    pub fn stop(&mut self) {
        signal("INT", &[self.process.id()]);
        self.process.wait().unwrap();
    }

    pub fn start_again(&mut self) {
        self.process = launch(&self.folder, &self.data, self.port);
        self.wait_until_ready();
    }

    /// Suspends it, with all its connections open.
    pub fn freeze(&self) {
        // The postmaster first, so that it starts no more of them.
        signal("STOP", &[self.process.id()]);
        signal("STOP", &self.processes());
    }

    pub fn thaw(&self) {
        signal("CONT", &self.processes());
    }

    /// Returns how many statements with this text were executed.
    pub fn statements_with(&self, words: &str) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.lines().filter(|line| line.contains("execute ") && line.contains(words)).count()
    }

    /// The one that was started, first, and one for each connection.
    fn processes(&self) -> Vec<u32> {
        let id = self.process.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        std::iter::once(id).chain(children.split_whitespace().map(|child| child.parse().unwrap())).collect()
    }

    /// The last line of this file is the server's own word.
    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + CHANGE_TIMEOUT;
        let file = self.data.join("postmaster.pid");
        let id = self.process.id().to_string();
        let is_ready = |lines: &str| {
            let mut lines = lines.lines();
            lines.next() == Some(&id) && lines.nth(6).is_some_and(|status| status.trim() == "ready")
        };
        while !fs::read_to_string(&file).is_ok_and(|lines| is_ready(&lines)) {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "PostgreSQL did not start");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

fn launch(folder: &TempDir, data: &Path, port: u16) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.path().join("log")).unwrap();
    let mut postgres = as_unprivileged_user("postgres", folder);
    postgres.arg("-D").arg(data).args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", ""]);
    for setting in ["fsync=off", "synchronous_commit=off", "timezone=UTC", "log_statement=all"] {
        postgres.args(["-c", setting]);
    }
    postgres.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap()
}

fn signal(name: &str, processes: &[u32]) {
    let ids: Vec<String> = processes.iter().map(u32::to_string).collect();
    // A connection's process may have ended in the meantime.
    let _ = Command::new("kill").args(["-s", name]).args(ids).stderr(Stdio::null()).status().unwrap();
}

fn is_root() -> bool {
    fs::read_to_string("/proc/self/status").unwrap().lines().any(|line| line.starts_with("Uid:\t0\t"))
}

/// PostgreSQL refuses to run as root. The Debian package makes a user for it.
fn as_unprivileged_user(name: &str, folder: &TempDir) -> Command {
    let program = program(name);
    let mut command = if is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "postgres", "--regid", "postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir(folder.path());
    command
}

/// Debian keeps each version in a folder of its own, off the path.
fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.map(|entry| entry.path()).max_by_key(|path| version(path));
    newest.map(|path| path.join("bin").join(name)).filter(|path| path.is_file()).unwrap_or_else(|| name.into())
}
