//! Apache httpd with mod_auth_openidc, which introspects keys.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;
use test_support::{
    program::{Program, draft},
    test_app::{Answer, Key, TestApp, day},
};

use super::{
    guarded::{client, start_app, wait_until_gone},
    proxy::{INSTALLED_LUA_SCRIPT, Proxy, apache_with, copy_lua_script, own_address, program, shipped_with},
    upstream::{Seen, Upstream},
};

const ROOT_CERTIFICATE: &str = ".local/share/caddy/pki/authorities/local/root.crt";

/// An API that httpd guards.
struct IntrospectedApi {
    app: TestApp,
    upstream: Upstream,
    proxy: Proxy,
    /// The module introspects over TLS only.
    _tls: Proxy,
    client: reqwest::Client,
}

impl IntrospectedApi {
    async fn start() -> Self {
        let (app, upstream) = (start_app(), Upstream::start().await);
        let verifier = app.key(&["--group", "Verifier"]);
        let folder = TempDir::new().unwrap();
        let (tls, certificate) = start_tls(&app.program, &folder);
        let address = own_address();
        let mut command = httpd(&folder, &certificate, tls.address, upstream.address, address);
        command.env("LATCHKEY_KEY", &verifier.secret);
        Self { app, proxy: Proxy::spawn(command, folder, address), upstream, _tls: tls, client: client() }
    }

    fn request(&self, method: Method, key: Option<&Key>) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/orders", self.proxy.url));
        match key {
            Some(key) => request.bearer_auth(&key.secret),
            None => request,
        }
    }

    async fn get(&self, key: &Key) -> u16 {
        Answer::to(self.request(Method::GET, Some(key))).await.status
    }

    fn arrived(&self) -> Seen {
        let mut seen = self.upstream.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

/// Starts Caddy in front of Latchkey, and returns its root certificate as well.
fn start_tls(latchkey: &Program, folder: &TempDir) -> (Proxy, PathBuf) {
    let (home, address) = (TempDir::new().unwrap(), own_address());
    let site = format!(
        "{{\n\tadmin off\n\tdefault_bind {}\n\tskip_install_trust\n}}\nhttps://{address} {{\n\ttls internal\n\t\
         reverse_proxy {}\n}}\n",
        address.ip(),
        latchkey.url
    );
    let site_path = home.path().join("Caddyfile");
    fs::write(&site_path, site).unwrap();
    let root = home.path().join(ROOT_CERTIFICATE);
    let mut command = Command::new(program("caddy"));
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(site_path);
    command.env("HOME", home.path()).env_remove("XDG_DATA_HOME");
    let proxy = Proxy::spawn(command, home, address);
    let certificate = folder.path().join("root.crt");
    fs::copy(root, &certificate).unwrap();
    fs::set_permissions(&certificate, fs::Permissions::from_mode(0o644)).unwrap();
    (proxy, certificate)
}

fn httpd(folder: &TempDir, certificate: &Path, tls: SocketAddr, api: SocketAddr, address: SocketAddr) -> Command {
    let replacements = [
        ("https://keys.example.com/", format!("https://{tls}/")),
        ("http://127.0.0.1:9000", format!("http://{api}")),
        ("Listen 127.0.0.1:8080", format!("Listen {address}")),
        ("<VirtualHost 127.0.0.1:8080>", format!("<VirtualHost {address}>")),
        (INSTALLED_LUA_SCRIPT, copy_lua_script(folder)),
    ];
    let site = shipped_with("apache-openidc.conf", &replacements);
    let trust = format!("OIDCCABundlePath {}\n", certificate.display());
    let modules = ["authn_core", "authz_user", "auth_openidc", "headers", "lua"];
    apache_with(folder, &modules, &(trust + &site))
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn introspected_key_passes_with_its_identity() {
    let api = IntrospectedApi::start().await;
    let key = api.app.key(&[]);
    assert_eq!(api.get(&key).await, 200);
    let seen = api.arrived();
    assert_eq!(seen.header("x-latchkey-key-id"), key.id);
    assert!(seen.header("x-latchkey-permissions").split(' ').any(|name| name == "reservations:read"), "{seen:?}");
    for name in ["authorization", "x-latchkey-owner", "oidc_access_token"] {
        assert_eq!(seen.header(name), "", "{name}");
    }
}
#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn introspected_personal_key_names_its_owner() {
    let api = IntrospectedApi::start().await;
    let owner = api.app.person("ana", "tenant-admin");
    let browser = api.app.program.signed_in("ana@acme.test").await;
    let body = json!({ "of": "oneself", "draft": draft("Mine", ""), "expiration": "never" });
    let key = Key::of(&browser.call("/console/generate_key", &body).await.json().await.unwrap());
    assert_eq!(api.get(&key).await, 200);
    assert_eq!(api.arrived().header("x-latchkey-owner"), owner);
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn introspected_key_is_refused_from_its_revocation_on() {
    let api = IntrospectedApi::start().await;
    // By default, the module keeps an answer with an expiration.
    let (poor, key) = (api.app.key_with_permission("offers:read"), api.app.key(&["--expires", &day(9)]));
    let unknown = Key { id: String::new(), secret: format!("{}x", key.secret) };
    assert_eq!((api.get(&poor).await, api.get(&unknown).await, api.get(&key).await), (403, 401, 200));
    api.app.revoke(&key);
    assert_eq!((api.get(&key).await, api.upstream.seen().len()), (401, 1));
    let answer = Answer::to(api.request(Method::GET, None)).await;
    assert_eq!((answer.status, answer.header("www-authenticate").starts_with("Bearer")), (401, true));
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn client_cannot_forge_or_strip_identity_headers_of_an_introspection() {
    let api = IntrospectedApi::start().await;
    let key = api.app.key(&[]);
    for name in ["X-Latchkey-Key-Id", "x-latchkey-future", "X_Latchkey_Owner", "X.LATCHKEY.Owner"] {
        let answer = Answer::to(api.request(Method::GET, Some(&key)).header(name, "forged")).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.text);
        assert!(api.arrived().headers.values().all(|value| value != "forged"), "{name}");
    }
    let request =
        api.request(Method::GET, Some(&key)).header("connection", "X-Latchkey-Key-Id, X-Latchkey-Permissions");
    assert_eq!(Answer::to(request).await.status, 200);
    assert_eq!(api.arrived().header("x-latchkey-key-id"), key.id);
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn preflight_needs_no_introspection_and_cannot_override_its_method() {
    let api = IntrospectedApi::start().await;
    let preflight = || api.request(Method::OPTIONS, None).header("access-control-request-method", "POST");
    assert_eq!(Answer::to(preflight()).await.status, 200);
    assert_eq!(api.arrived().header("access-control-request-method"), "POST");
    for name in ["x-http-method-override", "x-http-method", "x_method_override"] {
        assert_eq!(Answer::to(preflight().header(name, "DELETE")).await.status, 200);
        assert_eq!(api.arrived().header(name), "");
    }
    let key = api.app.key(&[]);
    assert_eq!(Answer::to(api.request(Method::OPTIONS, Some(&key))).await.status, 200);
    assert_eq!(api.arrived().header("x-latchkey-key-id"), key.id);
    let answer = Answer::to(api.request(Method::OPTIONS, None)).await;
    assert_eq!((answer.status, api.upstream.seen().len()), (401, 0));
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn introspection_passes_no_upgrade_except_to_websocket() {
    let api = IntrospectedApi::start().await;
    let key = api.app.key(&[]);
    for upgrade in ["h2c", "websocket, h2c", "WebSocket"] {
        let request = api.request(Method::GET, Some(&key)).header("connection", "Upgrade").header("upgrade", upgrade);
        assert_eq!(Answer::to(request).await.status, 200);
        let passed = if upgrade == "WebSocket" { upgrade } else { "" };
        assert_eq!(api.arrived().header("upgrade"), passed, "{upgrade}");
    }
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn failed_introspection_denies_requests() {
    let api = IntrospectedApi::start().await;
    let key = api.app.key(&[]);
    assert_eq!(api.get(&key).await, 200);
    api.upstream.seen();
    api.app.program.terminate();
    wait_until_gone(&api.app.program).await;
    assert_eq!((api.get(&key).await, api.upstream.seen().len()), (401, 0));
}
