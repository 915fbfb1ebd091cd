//! Starts and stops the server.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use app::Console;
use booking::Booking;
use demo::{DemoError, DemoSignIn};
use http_input::client_address;
use ipnet::IpNet;
use keyring::{Error, Keyring, NewPerson, StoreError, SuperUserMfa};
use secrecy::ExposeSecret;
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::timeout,
};

use crate::{
    api::{self, Api, reference::reference},
    app::{App, EdgeMiddleware},
    assets::{self, NoSite},
    background, cli,
    config::{FirstSuperUser, LogFormat, ServeOptions, Settings, SettingsError},
    console,
    database_lock::{self, DatabaseLock},
    file_modes, health,
    installation::{self, Installation, InstallationError},
    listen::{self, ConnectionLimits},
    metrics::Metrics,
};

/// Why the server did not start, or did not stop cleanly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Owner(#[from] database_lock::DatabaseLockError),
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("cannot create the first super user: {}", .0.root_cause())]
    SuperUser(#[source] Error),
    #[error("cannot create the demo data: {0}")]
    Demo(#[source] DemoError),
    #[error("the demo needs the booking API: leave out --demo, or set LATCHKEY_BOOKING=on")]
    DemoNeedsBooking,
    #[error("cannot join the cluster: {}", .0.root_cause())]
    Join(#[source] Error),
    #[error("the last usage counts could not be written: {}", .0.root_cause())]
    Usage(#[source] Error),
    #[error("the database could not be closed: {0}")]
    Close(#[source] StoreError),
    #[error("shutdown timed out before the last usage counts were written")]
    ShutdownTimedOut,
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Serves until shutdown.
///
/// # Errors
/// Why the server did not start, or did not stop cleanly.
pub async fn run(settings: &Settings, options: &ServeOptions) -> Result<(), ServeError> {
    let site = Arc::new(assets::site()?);
    let database_url = settings.database_url()?;
    installation::check_database_file(&database_url, true)?;
    let lock = DatabaseLock::wait(&database_url).await?;
    if let Some(file) = database_url.sqlite_path() {
        file_modes::warn_about_wide_modes(file);
    }
    let keyring = installation::open(settings, &database_url).await?.with_memory(u64::from(settings.memory) * MIB);
    let default_mfa = if options.demo { SuperUserMfa::Optional } else { SuperUserMfa::Required };
    let keyring = keyring.with_super_user_mfa(settings.super_user_mfa.map_or(default_mfa, Into::into));
    make_first_super_user(&keyring, settings).await?;
    let demo = if options.demo { fill_with_demo(settings, &keyring).await? } else { None };
    let membership = keyring.join().await.map_err(ServeError::Join)?;
    let listener =
        TcpListener::bind(settings.addr).await.map_err(|cause| ServeError::Listen { address: settings.addr, cause })?;
    let bound = listener.local_addr()?;
    let public_url = installation::public_url(settings, bound);
    let installation = Installation::new(keyring, settings.serves_booking(options.demo), public_url.clone());
    let keyring = installation.keyring.clone();
    let console = Console {
        keyring: keyring.clone(),
        site,
        public_url: public_url.clone(),
        support_contact: settings.support_contact.as_deref().map(Arc::from),
        reference: Arc::new(reference(&public_url, installation.booking.is_some())),
    };
    let control_socket = lock.serve_commands({
        let installation = installation.clone();
        move |command| {
            let installation = installation.clone();
            async move { cli::execute_forwarded(&installation, command).await }
        }
    })?;
    if bound.ip().is_unspecified() && settings.public_url.is_none() {
        tracing::warn!("set LATCHKEY_PUBLIC_URL to where browsers find the console, or they cannot sign in");
    }
    for range in client_address::wide_ranges(&settings.trusted_proxies) {
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
        booking: installation.booking.clone(),
        metrics: metrics.clone(),
        public_url: public_url.clone(),
    });
    let tasks = background::start(&keyring, installation.booking.as_ref());
    let health = health::router(keyring.clone(), metrics.clone(), tasks.status());
    let console = console::router(console).merge(health);
    let trusted_proxies: Arc<[IpNet]> = settings.trusted_proxies.clone().into();
    let limits = ConnectionLimits {
        idle_timeout: Duration::from_secs(settings.idle_timeout.into()),
        max_per_address: settings.max_connections_per_address.get(),
        exempt: trusted_proxies.clone(),
    };
    // Stop signals are handled from this point.
    let stop_signal = stop_signal()?;
    tracing::info!("ready at {public_url}");
    let edge = EdgeMiddleware { public_url, trusted_proxies, metrics };
    listen::serve(listener, App::new(edge, console, api), limits, stop_signal).await;
    drop(control_socket);
    let shutdown = async {
        membership.leave().await;
        // A running batch is finished, and the last calls are written before the database is closed.
        tasks.stop().await;
        keyring.write_usage().await.map_err(ServeError::Usage)?;
        keyring.close().await.map_err(ServeError::Close)
    };
    timeout(FLUSH_TIMEOUT, shutdown).await.unwrap_or(Err(ServeError::ShutdownTimedOut))
}

/// The timeout of the final writes once all clients are gone, so that a hanging database cannot prevent the exit.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

const MIB: u64 = 1024 * 1024;

fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    // Without a handler, the end of a terminal session or a `systemctl reload` would end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                Some(()) = hangup.recv() => tracing::info!("SIGHUP ignored; restart the server to change its settings"),
            }
        }
        tracing::info!("stopping");
    })
}

async fn make_first_super_user(keyring: &Keyring, settings: &Settings) -> Result<(), ServeError> {
    let Some(FirstSuperUser { email, password }) = settings.first_super_user()? else { return Ok(()) };
    let new = NewPerson { email, name: "Super user".to_owned(), password };
    keyring.ensure_super_user(new).await.map_err(ServeError::SuperUser)
}

async fn fill_with_demo(settings: &Settings, keyring: &Keyring) -> Result<Option<DemoSignIn>, ServeError> {
    if !settings.serves_booking(true) {
        return Err(ServeError::DemoNeedsBooking);
    }
    let booking = Booking::new(keyring.database().pool().clone());
    demo::fill(keyring, &booking).await.map_err(ServeError::Demo)
}

/// Prints how to sign in to the demo: the password is shown there and nowhere else. With JSON logs it is JSON as well.
fn print_demo_sign_in(DemoSignIn { email, password }: &DemoSignIn, format: LogFormat) {
    let password = password.expose_secret();
    match format {
        LogFormat::Text => {
            println!("Sign in to the demo with  {email}");
            println!("                password  {password}");
        }
        LogFormat::Json => println!("{}", json!({ "message": "demo sign-in", "email": email, "password": password })),
    }
}
