//! Running the server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::{Console, UnreadableReference};
use booking::Booking;
use ipnet::IpNet;
use keyring::{
    Clock, Database, DemoSignIn, Error, Keyring, NewPerson, OpenError, SecretKeyFile, SecretKeyFileError, StoreError,
    SuperUserMfa,
};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Notify,
    time::{Instant, timeout},
};

use crate::{
    address,
    api::{self, Api, reference::reference},
    app::{App, EdgeMiddleware},
    assets::{self, NoSite},
    config::{LogFormat, ServeOptions, Settings},
    console,
    database_lock::{self, DatabaseLock},
    file_modes, health,
    listen::{self, ConnectionLimits},
    metrics::Metrics,
};

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot open the database: {0}")]
    Open(#[source] StoreError),
    #[error(transparent)]
    SecretKeyFile(#[from] SecretKeyFileError),
    #[error(transparent)]
    SecretKeys(#[from] OpenError),
    #[error("cannot bring the database up to date: {0}")]
    Migrate(String),
    #[error(transparent)]
    Owner(#[from] database_lock::DatabaseLockError),
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("cannot make the first super user: {}", .0.root_cause())]
    SuperUser(#[source] Error),
    #[error("cannot fill the database with the demo: {}", .0.root_cause())]
    Demo(#[source] Error),
    #[error("cannot become a node of the database: {}", .0.root_cause())]
    Join(#[source] Error),
    #[error("what keys were used for in the last second could not be written: {}", .0.root_cause())]
    Usage(#[source] Error),
    #[error("the database did not answer any more: what keys were used for lately could not be written")]
    Farewell,
    #[error("cannot fill the database with the demo's reservations: {}", .0.root_cause())]
    DemoBookings(#[source] booking::Error),
    #[error(transparent)]
    Reference(#[from] UnreadableReference),
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Opens the database, brings it up to date and encrypts what it stores in clear. The caller owns the file, if it is
/// one.
///
/// # Errors
/// If the database cannot be opened or migrated, or the secret keys do not belong to it.
pub async fn open(settings: &Settings) -> Result<Keyring, ServeError> {
    let secret_keys = SecretKeyFile::locate(settings.secret_key_file.as_deref(), &settings.database_url)?;
    let database = open_migrated(settings).await?;
    let keyring = Keyring::open(database, secret_keys, settings.key_product.clone(), Clock::System).await?;
    Ok(keyring.with_legacy_sunset(settings.legacy_sunset))
}

async fn open_migrated(settings: &Settings) -> Result<Database, ServeError> {
    let database = Database::open(&settings.database_url).await.map_err(ServeError::Open)?;
    migrations::apply(database.connection()).await.map_err(|cause| ServeError::Migrate(cause.to_string()))?;
    Ok(database)
}

/// Brings the database up to date and does nothing else. The caller owns the file, if it is one.
///
/// # Errors
/// If the database cannot be opened or migrated.
pub async fn migrate(settings: &Settings) -> Result<(), ServeError> {
    open_migrated(settings).await?.close().await.map_err(ServeError::Open)
}

/// Serves until shutdown.
///
/// # Errors
/// Says what kept the server from starting.
pub async fn run(settings: &Settings, options: &ServeOptions) -> Result<(), ServeError> {
    let site = Arc::new(assets::site()?);
    let ownership = DatabaseLock::wait(&settings.database_url).await?;
    if let Some(file) = Database::file(&settings.database_url) {
        file_modes::warn_about_wide_modes(file);
    }
    let keyring = open(settings).await?.with_memory(u64::from(settings.memory) * MIB);
    let default_mfa = if options.demo { SuperUserMfa::Optional } else { SuperUserMfa::Required };
    let keyring = keyring.with_super_user_mfa(settings.super_user_mfa.map_or(default_mfa, Into::into));
    make_first_super_user(&keyring, settings).await?;
    let booking = booking(&keyring);
    let demo = if options.demo { keyring.fill_with_demo().await.map_err(ServeError::Demo)? } else { None };
    if let Some(demo) = &demo {
        let filled = booking.fill_with_demo(&demo.tenant, &demo.properties, keyring.now()).await;
        filled.map_err(ServeError::DemoBookings)?;
    }
    let membership = keyring.join().await.map_err(ServeError::Join)?;
    let listener =
        TcpListener::bind(settings.addr).await.map_err(|cause| ServeError::Listen { address: settings.addr, cause })?;
    let bound = listener.local_addr()?;
    let public_url = public_url(settings, bound);
    let console = Console {
        keyring: keyring.clone(),
        site,
        public_url: public_url.clone(),
        support_contact: settings.support_contact.as_deref().map(Arc::from),
        reference: Arc::new(reference(&public_url)?),
    };
    let commands = ownership.answer_commands(keyring.clone(), public_url.clone())?;
    if bound.ip().is_unspecified() && settings.public_url.is_none() {
        tracing::warn!("set LATCHKEY_PUBLIC_URL to where browsers find the console, or they cannot sign in");
    }
    for range in address::wide_ranges(&settings.trusted_proxies) {
        tracing::warn!(%range, "wide range in LATCHKEY_TRUSTED_PROXIES: each of its addresses can claim to be any client");
    }
    tracing::info!("listening on http://{bound}");
    match &demo {
        Some(sign_in) => print_demo_sign_in(sign_in, settings.log_format),
        None if options.demo => tracing::info!(
            "the database has tenants already, so no demo was added; set a password with latchkey person set-password"
        ),
        None => {}
    }

    let metrics = Arc::<Metrics>::default();
    let api = Api::new(api::ApiState {
        keyring: keyring.clone(),
        booking: booking.clone(),
        metrics: metrics.clone(),
        public_url: public_url.clone(),
    });
    let console = console::router(console).merge(health::router(keyring.clone(), metrics.clone()));
    let trusted_proxies: Arc<[IpNet]> = settings.trusted_proxies.clone().into();
    let limits = ConnectionLimits {
        idle_timeout: Duration::from_secs(settings.idle_timeout.into()),
        max_per_address: settings.max_connections_per_address.get(),
        exempt: trusted_proxies.clone(),
    };
    // From here on, a signal to stop is obeyed.
    let stop_signal = stop_signal()?;
    tracing::info!("ready at {public_url}");
    let edge = EdgeMiddleware { public_url, trusted_proxies, metrics };
    let stop = Arc::new(Notify::new());
    let writer = tokio::spawn(write_behind(keyring.clone(), booking, stop.clone()));
    listen::serve(listener, App::new(edge, console, api), limits, stop_signal).await;
    drop(commands);
    let farewell = async {
        membership.leave().await;
        // It is not broken off in the middle of a batch, and what came last is written before the database is let go.
        stop.notify_one();
        writer.await.map_err(std::io::Error::other)?;
        keyring.write_usage().await.map_err(ServeError::Usage)?;
        keyring.close().await.map_err(ServeError::Open)
    };
    timeout(FLUSH_TIMEOUT, farewell).await.unwrap_or(Err(ServeError::Farewell))
}

/// How long the final writes may take once all clients are gone, so that a hanging database cannot prevent the exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

const MIB: u64 = 1024 * 1024;

/// The bookings, in the same database as everything else.
pub fn booking(keyring: &Keyring) -> Booking {
    Booking::new(keyring.database().pool().clone())
}

/// How often what keys were used for is written.
const USAGE_WRITE_INTERVAL: Duration = Duration::from_secs(1);

/// When very many keys are in use, writing takes a while: about a second for twenty thousand. It then
/// rests for so long for each of them, so that answers come first.
const REST: Duration = Duration::from_micros(500);
const MAX_PAUSE: Duration = Duration::from_secs(10);

/// How often what is too old is thrown away.
const CLEANUP_INTERVAL: Duration = Duration::from_secs(3600);

/// How often repeated failures to sign in are written into the audit log.
const FAILURE_REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// How often the heads of the audit chains are logged, for `latchkey audit verify --expect`.
const AUDIT_HEAD_LOG_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// Writes usage and deletes old rows until shutdown.
async fn write_behind(keyring: Keyring, booking: Booking, stop: Arc<Notify>) {
    let (mut next_clearing, mut next_head_log) = (Instant::now(), Instant::now());
    let mut next_failure_report = Instant::now();
    let mut pause = USAGE_WRITE_INTERVAL;
    while timeout(pause, stop.notified()).await.is_err() {
        let written = keyring.write_usage().await.unwrap_or_else(|error| {
            tracing::error!(cause = %error.root_cause(), "what keys were used for could not be written; it is kept for the next time");
            0
        });
        pause = USAGE_WRITE_INTERVAL.max(REST.saturating_mul(written)).min(MAX_PAUSE);
        if Instant::now() >= next_failure_report {
            next_failure_report = Instant::now() + FAILURE_REPORT_INTERVAL;
            if let Err(error) = keyring.report_repeated_failures().await {
                tracing::error!(cause = %error.root_cause(), "repeated sign-in failures could not be written into the audit log");
            }
        }
        if Instant::now() >= next_clearing {
            next_clearing = Instant::now() + CLEANUP_INTERVAL;
            clear_old(&keyring, &booking).await;
        }
        if Instant::now() >= next_head_log {
            next_head_log = Instant::now() + AUDIT_HEAD_LOG_INTERVAL;
            log_audit_heads(&keyring).await;
        }
    }
}

/// Logs where each audit chain ends. An attacker who can write to the database can cut off the end of a chain, but cannot
/// change a log that was shipped elsewhere.
async fn log_audit_heads(keyring: &Keyring) {
    match keyring.audit_heads().await {
        Ok(heads) => heads.iter().for_each(|(chain, head)| tracing::info!(%chain, %head, "audit chain head")),
        Err(cause) => tracing::error!(%cause, "audit chain heads could not be read"),
    }
}

async fn clear_old(keyring: &Keyring, booking: &Booking) {
    if let Err(error) = keyring.clear_old_usage().await {
        tracing::error!(cause = %error.root_cause(), "old usage could not be cleared away");
    }
    if let Err(error) = keyring.clear_old_failures().await {
        tracing::error!(cause = %error.root_cause(), "old counters of failed sign-ins could not be cleared away");
    }
    if let Err(error) = booking.clear_old(keyring.now()).await {
        tracing::error!(cause = %error.root_cause(), "old idempotency keys could not be cleared away");
    }
}

fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
    })
}

/// Where browsers find the console of a server that listens there.
pub fn public_url(settings: &Settings, bound: SocketAddr) -> Arc<str> {
    match &settings.public_url {
        Some(url) => url.as_str().into(),
        None => format!("http://{bound}").into(),
    }
}

async fn make_first_super_user(keyring: &Keyring, settings: &Settings) -> Result<(), ServeError> {
    let (Some(email), Some(password)) = (&settings.admin_email, &settings.admin_password) else { return Ok(()) };
    let new = NewPerson { email: email.clone(), name: "Super user".to_owned(), password: password.clone() };
    keyring.ensure_super_user(new).await.map_err(ServeError::SuperUser)
}

/// Prints how to sign in to the demo: the password is shown there and nowhere else. With JSON logs it is JSON as well.
fn print_demo_sign_in(DemoSignIn { email, password, .. }: &DemoSignIn, format: LogFormat) {
    let password = password.expose_secret();
    match format {
        LogFormat::Text => {
            println!("Sign in to the demo with  {email}");
            println!("                password  {password}");
        }
        LogFormat::Json => println!("{}", json!({ "message": "demo sign-in", "email": email, "password": password })),
    }
}
