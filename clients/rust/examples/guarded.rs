//! A service that accepts valid keys only.
//!
//! ```console
//! LATCHKEY_URL=http://127.0.0.1:3000 LATCHKEY_KEY=… cargo run --package latchkey-client --example guarded
//! curl http://127.0.0.1:4000/reservations --header "X-API-Key: …"
//! ```
//!
//! `LATCHKEY_KEY` is a key that may ask, of the group "Verifier". `GUARDED_ADDR` says where to listen.

use std::{
    env::{self, VarError},
    error::Error,
    net::SocketAddr,
    process::ExitCode,
};

use axum::{Extension, Router, routing::get};
use latchkey_client::{Caller, Latchkey};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let latchkey = Latchkey::new(&variable("LATCHKEY_URL")?, variable("LATCHKEY_KEY")?)?;
    let guard = latchkey.guard().permission("reservations:read");
    guard.check().await?;
    let service = Router::new()
        .route("/reservations", get(reservations))
        .layer(guard)
        // Behind no guard, as it is added after it.
        .route("/health", get("I am well."));

    let address = env::var("GUARDED_ADDR").unwrap_or_else(|_| "127.0.0.1:4000".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, service.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|error| match error {
        VarError::NotPresent => format!("{name} is not set"),
        VarError::NotUnicode(_) => format!("{name} is no text"),
    })
}

async fn reservations(Extension(caller): Extension<Caller>) -> String {
    let reach = if caller.all_properties { "all properties".to_owned() } else { caller.properties.join(", ") };
    format!("Reservations of {}, for {}\n", reach, caller.name.as_deref().unwrap_or(&caller.key_id))
}
