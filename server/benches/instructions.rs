//! Serves requests with cached keys on one thread, for `cargo xtask bench --instructions` to count by callgrind.
//!
//! The requests pass everything that they pass in the program: sockets, the listener, the router and the engine.
//! Background tasks do not run, and neither the client nor the kernel is counted.

use std::{
    env,
    error::Error,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use clap::Parser;
use domain::{
    expiration::ExpirationDraft,
    key_draft::{Choices, KeyDraft},
    rate_limit::RateLimit,
};
use keyring::{Clock, Database, Keyring, NewKey, NewTenant, SecretKeyFile, SuperUser};
use mimalloc::MiMalloc;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use server::{
    api::{Api, ApiState},
    app::{App, EdgeMiddleware},
    cli::Cli,
    installation,
    listen::{self, ConnectionLimits},
    telemetry,
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::{Builder, Runtime},
};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Enough that no key reaches its rate limit.
const KEYS: usize = 100;
const WARM_UP_ROUNDS: usize = 2;
/// No count depends on the time at which it is taken.
const NOW: &str = "2026-11-21T12:00:00Z";
const USAGE: &str = "usage: instructions verify|forward-auth|own-key REQUESTS";

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [kind, requests] = arguments.as_slice() else { return Err(USAGE.into()) };
    let requests: usize = requests.parse()?;

    let runtime = Builder::new_current_thread().enable_all().build()?;
    let folder = TempDir::new()?;
    let (keyring, address) = runtime.block_on(start(&folder))?;
    let prepared = runtime.block_on(prepare(&keyring, kind))?;
    let client = runtime.block_on(TcpStream::connect(address))?;
    for request in prepared.iter().cycle().take(WARM_UP_ROUNDS * KEYS) {
        send(&client, request)?;
        runtime.block_on(client.readable())?;
        receive(&client)?;
    }
    // The number of calls that fit into the log between two writes.
    runtime.block_on(keyring.write_usage())?;
    for request in prepared.iter().cycle().take(requests) {
        send(&client, request)?;
        serve_counted(&runtime, &client)?;
        receive(&client)?;
    }
    Ok(())
}

/// Runs the server until it has answered. Callgrind counts what happens below this function and nothing else.
#[inline(never)]
fn serve_counted(runtime: &Runtime, client: &TcpStream) -> io::Result<()> {
    runtime.block_on(client.readable())
}

fn send(client: &TcpStream, request: &[u8]) -> Result<()> {
    let sent = client.try_write(request)?;
    if sent == request.len() { Ok(()) } else { Err("a request did not fit into the socket's buffer".into()) }
}

/// Reads a response to its end, so that the next one is waited for.
fn receive(client: &TcpStream) -> Result<()> {
    let mut response = Vec::with_capacity(4096);
    loop {
        match client.try_read_buf(&mut response) {
            Ok(0) => return Err("the server closed the connection".into()),
            Ok(_) => {}
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => break,
            Err(cause) => return Err(cause.into()),
        }
    }
    let is_valid = response.starts_with(b"HTTP/1.1 200 ");
    if is_valid { Ok(()) } else { Err(format!("refused: {}", String::from_utf8_lossy(&response)).into()) }
}

async fn start(folder: &TempDir) -> Result<(Keyring, SocketAddr)> {
    let database_url = format!("sqlite://{}/latchkey.db", folder.path().display());
    let settings = Cli::try_parse_from(["latchkey", "--log", "warn", "--database-url", &database_url])?.settings;
    telemetry::start(&settings);
    let secret_keys = SecretKeyFile::locate(None, &database_url)?;
    let database = Database::open(&database_url).await?;
    migrations::apply(database.connection()).await?;
    let clock = Clock::stopped_at(NOW.parse()?);
    let keyring = Keyring::open(database, secret_keys, settings.key_product.clone(), clock).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let public_url = installation::public_url(&settings, address);
    let metrics = Arc::default();
    let api = Api::new(ApiState {
        keyring: keyring.clone(),
        booking: None,
        metrics: Arc::clone(&metrics),
        public_url: public_url.clone(),
    });
    let limits = ConnectionLimits {
        idle_timeout: Duration::from_secs(settings.idle_timeout.into()),
        max_per_address: settings.max_connections_per_address.get(),
        exempt: Arc::default(),
    };
    let edge = EdgeMiddleware { public_url, trusted_proxies: Arc::default(), metrics };
    let app = App::new(edge, Router::new(), api);
    tokio::spawn(listen::serve(listener, app, limits, std::future::pending()));
    Ok((keyring, address))
}

/// One request for each key.
async fn prepare(keyring: &Keyring, kind: &str) -> Result<Vec<Vec<u8>>> {
    let new = NewTenant { slug: "acme".into(), name: "Acme Hotels".into(), key_limit: Some(1_000), time_zone: None };
    keyring.create_tenant(&SuperUser::operator(), new).await?;
    let verifier = generate_key(keyring, "Verifier").await?;
    let mut requests = Vec::new();
    for _ in 0..KEYS {
        let key = generate_key(keyring, "Full access").await?;
        requests.push(match kind {
            "verify" => verify(&verifier, &key),
            "forward-auth" => get("/gateway/auth?permission=reservations:read", &key),
            "own-key" => get("/api/v1/key", &key),
            _ => return Err(USAGE.into()),
        });
    }
    Ok(requests)
}

async fn generate_key(keyring: &Keyring, group: &str) -> Result<SecretString> {
    let operator = keyring.operator_for("acme").await?;
    let Choices { permission_source, .. } = keyring.key_choices(&operator).await?;
    let group =
        permission_source.groups().iter().find(|found| found.name == group).ok_or("a new tenant lacks a group")?;
    let draft = KeyDraft {
        name: group.name.clone(),
        group: group.id.to_string(),
        rate_limit_per_minute: RateLimit::MAX.to_string(),
        ..KeyDraft::default()
    };
    let new = NewKey { draft, expiration: ExpirationDraft::Never };
    Ok(keyring.generate_key(&operator, &new).await?.secret)
}

fn verify(verifier: &SecretString, key: &SecretString) -> Vec<u8> {
    let body = json!({ "key": key.expose_secret(), "permission": "reservations:read", "ip": "203.0.113.9" });
    let body = body.to_string();
    let (verifier, length) = (verifier.expose_secret(), body.len());
    format!(
        "POST /api/v1/keys/verify HTTP/1.1\r\nHost: latchkey\r\nX-API-Key: {verifier}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn get(path: &str, key: &SecretString) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: latchkey\r\nX-API-Key: {}\r\n\r\n", key.expose_secret()).into_bytes()
}
