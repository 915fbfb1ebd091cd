//! Running the server.

use std::{net::SocketAddr, sync::Arc};

use app::Console;
use keyring::{Clock, Database, DemoSignIn, Error, Keyring, NewPerson, StoreError};
use secrecy::ExposeSecret;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{
    assets::{self, NoSite},
    config::{ServeOptions, Settings},
    console,
    owner::{self, Ownership},
};

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot open the database: {0}")]
    Open(#[source] StoreError),
    #[error("cannot bring the database up to date: {0}")]
    Migrate(String),
    #[error(transparent)]
    Owner(#[from] owner::OwnerError),
    #[error(transparent)]
    Site(#[from] NoSite),
    #[error("cannot listen on {address}: {cause}")]
    Listen { address: SocketAddr, cause: std::io::Error },
    #[error("cannot make the first super user: {0}")]
    SuperUser(#[source] Error),
    #[error("cannot fill the database with the demo: {0}")]
    Demo(#[source] Error),
    #[error("the server failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Opens the database and brings it up to date. Whoever calls this owns the file, if it is one.
///
/// # Errors
/// When the database cannot be opened or migrated.
pub async fn open(settings: &Settings) -> Result<Keyring, ServeError> {
    let database = Database::open(&settings.database_url).await.map_err(ServeError::Open)?;
    migrations::apply(database.connection()).await.map_err(|cause| ServeError::Migrate(cause.to_string()))?;
    Ok(Keyring::new(database, settings.key_product.clone(), Clock::Machine))
}

/// Brings the database up to date and does nothing else. Whoever calls this owns the file, if it is one.
///
/// # Errors
/// As [`open`].
pub async fn migrate(settings: &Settings) -> Result<(), ServeError> {
    open(settings).await?.close().await.map_err(ServeError::Open)
}

/// Serves until the program is told to stop.
///
/// # Errors
/// Says what kept the server from starting.
pub async fn run(settings: &Settings, options: &ServeOptions) -> Result<(), ServeError> {
    let site = Arc::new(assets::site()?);
    let ownership = Ownership::wait(&settings.database_url).await?;
    let keyring = open(settings).await?;
    make_first_super_user(&keyring, settings).await?;
    let demo = if options.demo { keyring.fill_with_demo().await.map_err(ServeError::Demo)? } else { None };
    let listener =
        TcpListener::bind(settings.addr).await.map_err(|cause| ServeError::Listen { address: settings.addr, cause })?;
    let address = listener.local_addr()?;
    let public_url = public_url(settings, address);
    let console = Console {
        keyring: keyring.clone(),
        site,
        public_url: public_url.clone(),
        support_contact: settings.support_contact.as_deref().map(Arc::from),
        legacy_sunset: chrono::NaiveDate::from_ymd_opt(2027, 6, 30).unwrap_or_default(),
    };
    let commands = ownership.answer_commands(keyring.clone())?;
    if address.ip().is_unspecified() && settings.public_url.is_none() {
        tracing::warn!("set LATCHKEY_PUBLIC_URL to where browsers find the console, or they cannot sign in");
    }
    tracing::info!("listening on http://{address}");
    announce(&public_url, options, demo.as_ref());

    let router = console::router(console, settings.trusted_proxies.clone().into());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop_signal()?;
    serve_until(listener, service, stopped).await?;
    drop(commands);
    keyring.close().await.map_err(ServeError::Open)
}

/// Stops accepting at the signal, and gives what runs a while to finish.
async fn serve_until(
    listener: TcpListener,
    service: axum::extract::connect_info::IntoMakeServiceWithConnectInfo<axum::Router, SocketAddr>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let (told, tell) = tokio::sync::oneshot::channel::<()>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        stopped.await;
        let _ = told.send(());
    });
    let deadline = async move {
        let _ = tell.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = server.into_future() => result,
        () = deadline => Ok(()),
    }
}

/// How long requests may take to finish once the program was told to stop.
const GRACE: std::time::Duration = std::time::Duration::from_secs(30);

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

fn public_url(settings: &Settings, bound: SocketAddr) -> Arc<str> {
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

/// For the person at the terminal; the demo's password is shown there and nowhere else.
fn announce(public_url: &str, options: &ServeOptions, demo: Option<&DemoSignIn>) {
    match (options.demo, demo) {
        (true, Some(sign_in)) => {
            println!("Sign in to the demo with  {}", sign_in.email);
            println!("                password  {}", sign_in.password.expose_secret());
        }
        (true, None) => {
            println!("The database has tenants already, so the demo left it alone.");
            println!("For a new password:  latchkey person set-password --email <e-mail> --password-stdin");
        }
        (false, _) => {}
    }
    println!("Latchkey is ready at {public_url}");
}
