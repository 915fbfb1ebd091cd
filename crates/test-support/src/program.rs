//! A running program with its own database, and browsers that use it.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{Arc, LazyLock, Mutex, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use reqwest::{Client, Response, header, redirect::Policy};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::databases::{default_sqlite_in, postgres_server, sqlite_in};

pub const PASSWORD: &str = "correct horse battery";

/// Long enough for a machine whose cores are all busy.
const LOG_DEADLINE: Duration = Duration::from_secs(30);
const LOG_POLL_INTERVAL: Duration = Duration::from_millis(20);

pub struct Program {
    process: Child,
    pub url: String,
    pub folder: TempDir,
    pub log: Arc<Mutex<String>>,
    /// The threads that read its output into the log.
    readers: Vec<JoinHandle<()>>,
    pub database_url: String,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program that cargo built beside the tests.
pub fn program_path() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("latchkey")
}

fn latchkey(database_url: &str) -> Command {
    let mut command = Command::new(program_path());
    command.env("LATCHKEY_DATABASE_URL", database_url).env("LATCHKEY_BOOKING", "on");
    if database_url.starts_with("postgres") {
        command.env("LATCHKEY_SECRET_KEY_FILE", secret_key_file());
    }
    command
}

/// The same in a shell that sets a umask first, with the default database below this folder.
fn latchkey_with_umask(umask: &str, folder: &TempDir) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", "umask \"$0\" && exec \"$@\"", umask]).arg(program_path());
    command.env("LATCHKEY_BOOKING", "on").env_remove("LATCHKEY_DATABASE_URL").current_dir(folder.path());
    command
}

/// The secret key file that all databases of PostgreSQL's share, and so the nodes of a cluster.
fn secret_key_file() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
        let path = std::env::temp_dir().join(format!("latchkey-secret-key-{}", std::process::id()));
        let key = keyring::generate_secret_key();
        let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&path).unwrap();
        file.write_all(key.expose_secret().as_bytes()).unwrap();
        path
    });
    &FILE
}

/// Creates an empty PostgreSQL database on the test server, and returns its URL.
pub fn create_postgres(folder: &TempDir) -> String {
    let server = postgres_server();
    let unique = folder.path().file_name().unwrap().to_str().unwrap().replace(['.', '-'], "_");
    let name = format!("test_{}_{}", std::process::id(), unique.to_lowercase());
    let sql = format!("CREATE DATABASE \"{name}\"");
    assert!(Command::new("psql").args([&server, "--quiet", "--command", &sql]).status().unwrap().success());
    format!("{}/{name}", server.rsplit_once('/').unwrap().0)
}

fn run(mut command: Command, input: &str) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    // A command that reads nothing may be over before this is written.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

impl Program {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    pub fn start_with(options: &[&str]) -> Self {
        Self::start_in(TempDir::new().unwrap(), options)
    }

    pub fn start_in(folder: TempDir, options: &[&str]) -> Self {
        let database_url = sqlite_in(&folder);
        Self::launch(folder, database_url, options)
    }

    pub fn start_on_postgres() -> Self {
        Self::start_on_postgres_with(&[])
    }

    pub fn start_on_postgres_with(options: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let database_url = create_postgres(&folder);
        Self::launch(folder, database_url, options)
    }

    pub fn start_with_umask(umask: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let database_url = default_sqlite_in(&folder);
        Self::spawn(latchkey_with_umask(umask, &folder), folder, database_url, &[])
    }

    pub fn launch(folder: TempDir, database_url: String, options: &[&str]) -> Self {
        Self::launch_with_env(folder, database_url, options, &[])
    }

    pub fn launch_with_env(folder: TempDir, database_url: String, options: &[&str], env: &[(&str, &Path)]) -> Self {
        let mut command = latchkey(&database_url);
        command.envs(env.iter().copied());
        Self::spawn(command, folder, database_url, options)
    }

    /// The same, with the database URL in a file.
    pub fn start_with_url_file(folder: TempDir, file: &Path, options: &[&str]) -> Self {
        let database_url = std::fs::read_to_string(file).unwrap().trim().to_owned();
        let mut command = latchkey(&database_url);
        command.env_remove("LATCHKEY_DATABASE_URL").env("LATCHKEY_DATABASE_URL_FILE", file);
        Self::spawn(command, folder, database_url, options)
    }

    /// Runs a command with the database URL in a file.
    pub fn command_with_url_file(&self, file: &Path, words: &[&str]) -> Value {
        let mut command = latchkey(&self.database_url);
        command.env_remove("LATCHKEY_DATABASE_URL").env("LATCHKEY_DATABASE_URL_FILE", file).args(words).arg("--json");
        json_of(&run(command, ""))
    }

    fn spawn(mut command: Command, folder: TempDir, database_url: String, options: &[&str]) -> Self {
        let mut process = command
            .args(["serve", "--addr", "127.0.0.1:0"])
            .args(options)
            .env("LATCHKEY_LOG", "debug")
            .env("LATCHKEY_SUPER_USER_MFA", "optional")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut readers = Vec::new();
        let (ready, wait) = mpsc::channel();
        let (listening, wait_for_address) = mpsc::channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] =
            [Box::new(process.stdout.take().unwrap()), Box::new(process.stderr.take().unwrap())];
        for output in outputs {
            let (log, ready, listening) = (log.clone(), ready.clone(), listening.clone());
            readers.push(thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let mut log = log.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                    if let Some((_, url)) = line.split_once("listening on ") {
                        let _ = listening.send(url.split('"').next().unwrap_or_default().to_owned());
                    }
                    if line.contains("ready at ") {
                        let _ = ready.send(());
                    }
                }
            }));
        }
        let timeout = Duration::from_secs(20);
        let started = wait.recv_timeout(timeout).and_then(|()| wait_for_address.recv_timeout(timeout));
        let url = started.unwrap_or_else(|_| panic!("it did not start:\n{}", log.lock().unwrap()));
        Self { process, url, folder, log, readers, database_url }
    }

    /// Waits until something is found in the log: a line may be written after the answer that a test has seen.
    pub fn find_in_log<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let deadline = Instant::now() + LOG_DEADLINE;
        loop {
            let found = find(&self.log.lock().unwrap());
            match found {
                Some(found) => return found,
                None if Instant::now() < deadline => thread::sleep(LOG_POLL_INTERVAL),
                None => panic!("it is not in the log:\n{}", self.log.lock().unwrap()),
            }
        }
    }

    /// Stops it, and returns its folder with all that it has logged.
    pub fn stop_with_log(mut self) -> (TempDir, String) {
        let (log, readers) = (self.log.clone(), std::mem::take(&mut self.readers));
        let (folder, status) = self.stop();
        assert!(status.success(), "{status}");
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        let log = log.lock().unwrap().clone();
        (folder, log)
    }

    pub fn stop_and_read_log(self) -> String {
        self.stop_with_log().1
    }

    /// Waits for a log line that contains this text, and returns it.
    pub async fn wait_for_log(&self, text: &str) -> String {
        const DEADLINE: Duration = Duration::from_secs(60);
        let wait = async {
            loop {
                let line = self.log.lock().unwrap().lines().find(|line| line.contains(text)).map(str::to_owned);
                match line {
                    Some(line) => return line,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let line = tokio::time::timeout(DEADLINE, wait).await;
        line.unwrap_or_else(|_| panic!("“{text}” is not in the log:\n{}", self.log.lock().unwrap()))
    }

    /// The file with the keys that its database is encrypted with.
    pub fn secret_key_file(&self) -> PathBuf {
        match self.database_url.strip_prefix("sqlite://") {
            Some(file) => format!("{file}.secret-key").into(),
            None => secret_key_file().to_owned(),
        }
    }

    /// Stops it as an operator would.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    pub fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Stops it and gives its folder back.
    pub fn stop(self) -> (TempDir, std::process::ExitStatus) {
        self.terminate();
        self.wait()
    }

    /// Waits until it has ended.
    pub fn wait(mut self) -> (TempDir, std::process::ExitStatus) {
        let status = self.process.wait().unwrap();
        let folder = std::mem::replace(&mut self.folder, TempDir::new().unwrap());
        (folder, status)
    }

    /// A line of what the system says of the process, such as `Umask`.
    pub fn status(&self, name: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("it is there");
        value.trim().to_owned()
    }

    /// A number of kilobytes that the system keeps of it, such as `VmRSS` and `VmHWM`.
    pub fn memory(&self, what: &str) -> u64 {
        self.status(what).trim_end_matches(" kB").parse().unwrap()
    }

    /// Executes SQL beside the program. PostgreSQL only.
    pub fn execute_sql(&self, sql: &str) {
        let (server, name) = self.database_url.rsplit_once('/').unwrap();
        let sql = sql.replace("{name}", name);
        let psql = Command::new("psql").args([&format!("{server}/postgres"), "--quiet", "--command", &sql]).output();
        assert!(psql.unwrap().status.success(), "{sql}");
    }

    pub fn kill(mut self) -> TempDir {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        std::mem::replace(&mut self.folder, TempDir::new().unwrap())
    }

    /// Runs a command beside the server.
    pub fn shell(&self, words: &[&str], input: &str) -> Output {
        shell_on(&self.database_url, words, input)
    }

    /// Runs a command with `--json` and returns its output.
    pub fn command(&self, words: &[&str]) -> Value {
        json_of(&self.shell(&[words, &["--json"]].concat(), PASSWORD))
    }

    /// A tenant with a property and a person of each role, named after the role.
    pub fn tenant(&self, slug: &str) {
        self.command(&["tenant", "create", "--slug", slug, "--name", slug]);
        self.command(&["property", "create", "--tenant", slug, "--name", "Harbour House"]);
        for role in ["tenant-admin", "member"] {
            let email = format!("{role}@{slug}.test");
            let words = ["person", "create", "--tenant", slug, "--email", &email, "--name", role, "--role", role];
            self.command(&[&words[..], &["--password-stdin"]].concat());
        }
    }

    pub fn key(&self, tenant: &str, name: &str) -> Value {
        self.command(&["key", "create", "--tenant", tenant, "--name", name, "--group", "Full access"])
    }

    /// A browser without a session.
    pub fn stranger(&self) -> Browser {
        Browser {
            client: Client::builder().redirect(Policy::none()).build().unwrap(),
            url: self.url.clone(),
            host: None,
            cookie: None,
        }
    }

    pub async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.stranger();
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status(), 200, "{email} cannot sign in");
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        browser.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        browser
    }
}

pub fn shell_in(folder: &TempDir, words: &[&str], input: &str) -> Output {
    shell_on(&sqlite_in(folder), words, input)
}

/// Runs a command on a database, with or without a server.
pub fn shell_on(database_url: &str, words: &[&str], input: &str) -> Output {
    let mut command = latchkey(database_url);
    command.args(words);
    run(command, input)
}

/// Runs a command alone in the folder, started with a umask of its own.
pub fn shell_with_umask(umask: &str, folder: &TempDir, words: &[&str], input: &str) -> Output {
    let mut command = latchkey_with_umask(umask, folder);
    command.args(words);
    run(command, input)
}

pub fn json_of(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

/// Calls the console as a browser would.
pub struct Browser {
    client: Client,
    url: String,
    /// None for that of the URL.
    host: Option<&'static str>,
    pub cookie: Option<String>,
}

impl Browser {
    /// The same browser, which finds the console at another host, through a proxy.
    pub fn at_host(self, host: &'static str) -> Self {
        Self { host: Some(host), ..self }
    }

    pub async fn get(&self, path: &str) -> Response {
        let request = self.client.get(format!("{}{path}", self.url));
        self.with_cookie(request).send().await.unwrap()
    }

    /// Calls a server function from one of the console's own pages.
    pub async fn call(&self, function: &str, body: &Value) -> Response {
        self.call_with(function, body, &[("sec-fetch-site", "same-origin")]).await
    }

    pub async fn call_with(&self, function: &str, body: &Value, headers: &[(&str, &str)]) -> Response {
        let mut request = self.client.post(format!("{}{function}", self.url)).json(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.with_cookie(request).send().await.unwrap()
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        let form = format!("email={email}&password={}&next=", password.replace(' ', "+"));
        let request = self
            .client
            .post(format!("{}/console/sign_in", self.url))
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        self.with_cookie(request).send().await.unwrap()
    }

    fn with_cookie(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        let request = match self.host {
            Some(host) => request.header(header::HOST, host),
            None => request,
        };
        match &self.cookie {
            Some(cookie) => request.header(header::COOKIE, cookie),
            None => request,
        }
    }
}

/// A form for a key, with what has to be filled in.
pub fn draft(name: &str, group: &str) -> Value {
    json!({
        "name": name, "description": "", "group": group, "read": true, "write": false, "all_properties": true,
        "properties": [], "allowed_ips": "", "allowed_origins": "", "rate_limit_per_minute": "60",
    })
}
