//! The proxies, each started as its documentation has it, with the file that is shipped.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

const CHANGE_TIMEOUT: Duration = Duration::from_secs(20);

/// The statuses of refusals after a proxy has rewritten them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The statuses with `mode=nginx`.
    Nginx,
    /// `auth_request` as it is.
    PlainNginx,
    Haproxy,
    Caddy,
}

impl Kind {
    /// Returns the client's status for a 429 from Latchkey.
    pub fn too_many(self) -> u16 {
        if self == Self::PlainNginx { 500 } else { 429 }
    }

    /// Returns the client's status for a 400 from Latchkey.
    pub fn conflict(self) -> u16 {
        if self == Self::PlainNginx { 500 } else { 400 }
    }

    /// Returns the client's status while Latchkey is down.
    pub fn stopped(self) -> u16 {
        match self {
            Self::Nginx | Self::Haproxy => 503,
            Self::PlainNginx => 500,
            Self::Caddy => 502,
        }
    }
}

/// A running proxy, gone when it is dropped.
pub struct Proxy {
    process: Child,
    pub url: String,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/proxies").join(file)
}

/// Returns an address that nothing else listens on: this process has a part of the loopback network to itself, and ports
/// that the system does not assign.
fn own_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = std::process::id();
    let [_, high, middle, low] = process.to_be_bytes();
    let port = 10_000 + (process % 200) as u16 * 100 + NEXT.fetch_add(1, Ordering::Relaxed);
    SocketAddr::from(([127, 64 + high % 64, middle, low], port))
}

impl Proxy {
    pub fn start(kind: Kind, latchkey: &str, api: SocketAddr) -> Self {
        let folder = TempDir::new().unwrap();
        let latchkey = latchkey.strip_prefix("http://").unwrap();
        let address = own_address();
        let mut command = match kind {
            Kind::Nginx => nginx(&folder, latchkey, api, [address, own_address()]),
            Kind::PlainNginx => nginx(&folder, latchkey, api, [own_address(), address]),
            Kind::Haproxy => haproxy(address),
            Kind::Caddy => caddy(&folder, address),
        };
        command.env("LATCHKEY", latchkey).env("API", api.to_string());
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn();
        let process = process.unwrap_or_else(|error| panic!("{kind:?} is not installed: {error}"));
        let mut proxy = Self { process, url: format!("http://{address}"), folder };
        proxy.wait_for(address);
        proxy
    }

    fn wait_for(&mut self, address: SocketAddr) {
        let deadline = Instant::now() + CHANGE_TIMEOUT;
        while TcpStream::connect(address).is_err() {
            let ended = self.process.try_wait().unwrap();
            if ended.is_some() || Instant::now() > deadline {
                let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
                panic!("it did not start: {}", String::from_utf8_lossy(&log));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A configuration of nginx has no variables for addresses, so these are replaced in a copy; nothing else is.
fn nginx(folder: &TempDir, latchkey: &str, api: SocketAddr, servers: [SocketAddr; 2]) -> Command {
    let mut site = fs::read_to_string(shipped("nginx.conf")).unwrap();
    let addresses = [latchkey.to_owned(), api.to_string(), servers[0].to_string(), servers[1].to_string()];
    for (shipped, own) in
        ["127.0.0.1:3000", "127.0.0.1:9000", "127.0.0.1:8080", "127.0.0.1:8081"].into_iter().zip(addresses)
    {
        assert_eq!(site.matches(shipped).count(), 1, "{shipped}");
        site = site.replace(shipped, &own);
    }
    let folder = folder.path();
    fs::write(folder.join("site.conf"), site).unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let temporary: String =
        temporary.iter().map(|kind| format!("{kind}_temp_path {}/{kind};\n", folder.display())).collect();
    let whole = format!(
        "pid {0}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}include {0}/site.conf;\n}}\n",
        folder.display()
    );
    fs::write(folder.join("nginx.conf"), whole).unwrap();
    let mut command = Command::new(program("nginx"));
    command.arg("-c").arg(folder.join("nginx.conf")).args(["-g", "daemon off; master_process off;"]);
    command
}

fn haproxy(address: SocketAddr) -> Command {
    let mut command = Command::new(program("haproxy"));
    command.arg("-db").arg("-f").arg(shipped("haproxy.cfg")).env("LISTEN", address.to_string());
    command.env("LATCHKEY_LUA", shipped("latchkey.lua"));
    command
}

/// Starts Caddy without its admin endpoint, whose port is fixed.
fn caddy(folder: &TempDir, address: SocketAddr) -> Command {
    let (ip, shipped) = (address.ip(), shipped("Caddyfile"));
    // Caddy would listen on all addresses, and share the port with the Caddy of another test.
    let whole = format!("{{\n\tadmin off\n\tdefault_bind {ip}\n}}\nimport {}\n", shipped.display());
    fs::write(folder.path().join("Caddyfile"), whole).unwrap();
    let mut command = Command::new(program("caddy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.path().join("Caddyfile"));
    command.env("SITE", format!("http://{address}")).env("HOME", folder.path());
    command
}

/// Debian installs these outside the `PATH`.
fn program(name: &str) -> PathBuf {
    let system = Path::new("/usr/sbin").join(name);
    if system.exists() { system } else { name.into() }
}
