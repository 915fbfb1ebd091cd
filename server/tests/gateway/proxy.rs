//! The proxies, each started as its documentation has it, with the file that is shipped.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::ingress;

const START_TIMEOUT: Duration = Duration::from_secs(60);
const START_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The path in the configurations of httpd.
pub const INSTALLED_LUA_SCRIPT: &str = "/etc/apache2/latchkey-apache.lua";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The statuses with `mode=nginx`.
    Nginx,
    /// `auth_request` as it is.
    PlainNginx,
    /// nginx, as ingress-nginx configures it.
    IngressNginx,
    Haproxy,
    /// A current version.
    Caddy,
    DebianCaddy,
    Traefik,
    Envoy,
    Apache,
}

/// The differences between proxies that clients notice.
impl Kind {
    /// Returns the client's status for a 429 from Latchkey.
    pub fn too_many(self) -> u16 {
        match self {
            Self::PlainNginx => 500,
            Self::IngressNginx => 403,
            _ => 429,
        }
    }

    /// Returns the client's status for a 400 from Latchkey.
    pub fn conflict(self) -> u16 {
        match self {
            Self::PlainNginx => 500,
            Self::IngressNginx => 403,
            _ => 400,
        }
    }

    /// Returns the client's status while Latchkey is down.
    pub fn stopped(self) -> u16 {
        match self {
            Self::Nginx | Self::Haproxy | Self::Envoy | Self::Apache => 503,
            Self::PlainNginx | Self::IngressNginx | Self::Traefik => 500,
            Self::Caddy | Self::DebianCaddy => 502,
        }
    }

    /// Returns true if clients learn when to send a rate-limited request again.
    pub fn has_retry_after(self) -> bool {
        !matches!(self, Self::PlainNginx | Self::IngressNginx)
    }

    /// Returns true if preflight requests do not reach the upstream.
    pub fn answers_preflights(self) -> bool {
        matches!(self, Self::IngressNginx | Self::Traefik)
    }

    /// Returns true if clients cannot send any header that begins with `X-Latchkey-`. nginx removes known headers only.
    pub fn removes_headers_by_prefix(self) -> bool {
        self != Self::PlainNginx
    }

    /// Returns true if Latchkey refuses identity headers that the proxy passes on with the auth request.
    pub fn has_mode_nginx(self) -> bool {
        matches!(self, Self::Nginx | Self::IngressNginx)
    }

    /// Returns true if the upstream receives its own `Authorization` beside a key in another header.
    pub fn keeps_own_authorization(self) -> bool {
        self != Self::IngressNginx
    }

    /// Returns true if a client can upgrade a connection to HTTP/2.
    pub fn passes_http2_upgrades(self) -> bool {
        self == Self::IngressNginx
    }

    /// Returns true if a client can upgrade a connection to a protocol that the proxy does not know.
    pub fn passes_unknown_upgrades(self) -> bool {
        matches!(self, Self::IngressNginx | Self::Traefik)
    }

    /// Returns true if `X-Forwarded-For` reaches the upstream without what the client sent in it.
    pub fn overwrites_forwarded_for(self) -> bool {
        self != Self::Envoy
    }

    /// Returns the addresses of a client on the same host, as the proxy reports them.
    pub fn loopback_clients(self) -> &'static str {
        // Envoy reports the address of a network interface.
        if self == Self::Envoy { "0.0.0.0/0" } else { "127.0.0.1" }
    }
}

/// A running proxy, gone when it is dropped.
pub struct Proxy {
    process: Child,
    pub address: SocketAddr,
    pub url: String,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn shipped_path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/proxies").join(file)
}

/// Returns an address that nothing else listens on: this process has a part of the loopback network to itself, and ports
/// that the system does not assign.
pub fn own_address() -> SocketAddr {
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
            Kind::Nginx => nginx(&folder, &nginx_site(latchkey, api, [address, own_address()])),
            Kind::PlainNginx => nginx(&folder, &nginx_site(latchkey, api, [own_address(), address])),
            Kind::IngressNginx => nginx(&folder, &ingress_site(latchkey, api, address)),
            Kind::Haproxy => haproxy(address),
            Kind::Caddy => caddy(program("caddy"), &folder, address),
            Kind::DebianCaddy => caddy("/usr/bin/caddy".into(), &folder, address),
            Kind::Traefik => traefik(&folder, latchkey, api, address),
            Kind::Envoy => envoy(&folder, latchkey, api, address),
            Kind::Apache => apache(&folder, latchkey, api, address),
        };
        command.env("LATCHKEY", latchkey).env("API", api.to_string());
        Self::spawn(command, folder, address)
    }

    /// Starts a proxy, and waits until it is ready for requests to this address.
    pub fn spawn(mut command: Command, folder: TempDir, address: SocketAddr) -> Self {
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let process = command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null()).spawn();
        let process = process.unwrap_or_else(|error| panic!("{command:?} is not installed: {error}"));
        let mut proxy = Self { process, address, url: format!("http://{address}"), folder };
        proxy.wait_until_ready();
        proxy
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + START_TIMEOUT;
        while !is_ready(self.address) {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "it did not start: {}", self.log());
            thread::sleep(START_POLL_INTERVAL);
        }
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.folder.path().join("log")).unwrap_or_default()).into_owned()
    }
}

/// Returns true if a proxy refuses a request without a key. Traefik listens before it has read its configuration, and
/// answers with 404.
fn is_ready(address: SocketAddr) -> bool {
    status_without_key(address).is_ok_and(|status| !status.is_empty() && !status.contains("404"))
}

fn status_without_key(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(START_TIMEOUT))?;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(line)
}

/// Returns a shipped configuration with these texts replaced, each of which it contains once.
pub fn shipped_with(file: &str, replacements: &[(&str, String)]) -> String {
    let mut text = fs::read_to_string(shipped_path(file)).unwrap();
    for (shipped, own) in replacements {
        assert_eq!(text.matches(shipped).count(), 1, "{shipped}");
        text = text.replace(shipped, own);
    }
    text
}

/// A configuration of nginx has no variables for addresses, so these are replaced in a copy; nothing else is.
fn nginx_site(latchkey: &str, api: SocketAddr, [server, plain_server]: [SocketAddr; 2]) -> String {
    let replacements = [
        ("127.0.0.1:3000", latchkey.to_owned()),
        ("127.0.0.1:9000", api.to_string()),
        ("127.0.0.1:8080", server.to_string()),
        ("127.0.0.1:8081", plain_server.to_string()),
    ];
    shipped_with("nginx.conf", &replacements)
}

fn ingress_site(latchkey: &str, api: SocketAddr, address: SocketAddr) -> String {
    ingress::generate(&shipped_with("ingress-nginx.yaml", &[]), latchkey, api, address)
}

fn nginx(folder: &TempDir, site: &str) -> Command {
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
    command.arg("-db").arg("-f").arg(shipped_path("haproxy.cfg")).env("LISTEN", address.to_string());
    command.env("LATCHKEY_LUA", shipped_path("latchkey.lua"));
    command
}

/// Starts Caddy without its admin endpoint, whose port is fixed.
fn caddy(program: PathBuf, folder: &TempDir, address: SocketAddr) -> Command {
    let (ip, shipped) = (address.ip(), shipped_path("Caddyfile"));
    // Caddy would listen on all addresses, and share the port with the Caddy of another test.
    let whole = format!("{{\n\tadmin off\n\tdefault_bind {ip}\n}}\nimport {}\n", shipped.display());
    fs::write(folder.path().join("Caddyfile"), whole).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.path().join("Caddyfile"));
    command.env("SITE", format!("http://{address}")).env("HOME", folder.path());
    command
}

fn traefik(folder: &TempDir, latchkey: &str, api: SocketAddr, address: SocketAddr) -> Command {
    let replacements = [("127.0.0.1:3000", latchkey.to_owned()), ("127.0.0.1:9000", api.to_string())];
    let file = folder.path().join("traefik.yml");
    fs::write(&file, shipped_with("traefik.yml", &replacements)).unwrap();
    let mut command = Command::new(program("traefik"));
    command
        .args(["--global.checkNewVersion=false", "--global.sendAnonymousUsage=false"])
        .arg(format!("--entryPoints.web.address={address}"))
        .arg(format!("--providers.file.filename={}", file.display()));
    command
}

fn envoy(folder: &TempDir, latchkey: &str, api: SocketAddr, address: SocketAddr) -> Command {
    let socket_address =
        |address: SocketAddr| format!("{{ address: {}, port_value: {} }}", address.ip(), address.port());
    let replacements = [
        ("{ address: 127.0.0.1, port_value: 3000 }", socket_address(latchkey.parse().unwrap())),
        ("{ address: 127.0.0.1, port_value: 9000 }", socket_address(api)),
        ("{ address: 127.0.0.1, port_value: 8080 }", socket_address(address)),
    ];
    let file = folder.path().join("envoy.yaml");
    fs::write(&file, shipped_with("envoy.yaml", &replacements)).unwrap();
    let mut command = Command::new(program("envoy"));
    command.args(["--disable-hot-restart", "--concurrency", "1", "--log-level", "warning", "-c"]).arg(file);
    command
}

fn apache(folder: &TempDir, latchkey: &str, api: SocketAddr, address: SocketAddr) -> Command {
    let replacements = [
        ("http://127.0.0.1:3000", format!("http://{latchkey}")),
        ("http://127.0.0.1:9000", format!("http://{api}")),
        ("Listen 127.0.0.1:8080", format!("Listen {address}")),
        ("<VirtualHost 127.0.0.1:8080>", format!("<VirtualHost {address}>")),
        (INSTALLED_LUA_SCRIPT, copy_lua_script(folder)),
    ];
    apache_with(folder, &["lua", "setenvif"], &shipped_with("apache.conf", &replacements))
}

/// Started by root, httpd reads the script as another user, so this copies it to where that user may read it.
pub fn copy_lua_script(folder: &TempDir) -> String {
    let copy = folder.path().join("latchkey-apache.lua");
    fs::copy(shipped_path("latchkey-apache.lua"), &copy).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    copy.display().to_string()
}

/// Starts httpd with these modules and those that every proxy needs.
pub fn apache_with(folder: &TempDir, modules: &[&str], site: &str) -> Command {
    let folder = folder.path();
    fs::write(folder.join("site.conf"), site).unwrap();
    let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http"]
        .iter()
        .chain(modules)
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .collect();
    let whole = format!(
        "ServerRoot {0}\nServerName localhost\nDefaultRuntimeDir {0}\nPidFile {0}/pid\nErrorLog /dev/stderr\n\
         User www-data\nGroup www-data\n{modules}Include {0}/site.conf\n",
        folder.display()
    );
    fs::write(folder.join("apache.conf"), whole).unwrap();
    let mut command = Command::new(program("apache2"));
    // With -X, it has no child processes that could outlive it.
    command.arg("-X").arg("-f").arg(folder.join("apache.conf"));
    command
}

/// Finds a program in the folder that the environment names, where Debian installs servers, or in the `PATH`.
pub fn program(name: &str) -> PathBuf {
    let folders = [std::env::var_os("LATCHKEY_TEST_PROGRAMS").map(PathBuf::from), Some("/usr/sbin".into())];
    let found = folders.into_iter().flatten().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| name.into())
}
