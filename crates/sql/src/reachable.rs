//! Says within a second that nothing listens where PostgreSQL should be. A pool would try for as long as a request waits.

use std::{io, time::Duration};

use sea_orm::{DbErr, sqlx::postgres::PgConnectOptions};
use tokio::{
    net::{TcpStream, UnixStream},
    time::timeout,
};

const REACHABLE_TIMEOUT: Duration = Duration::from_secs(1);

/// # Errors
/// If no connection to the server's address is established in time.
pub(crate) async fn check_reachable(options: &PgConnectOptions) -> Result<(), DbErr> {
    let (host, port) = (options.get_host(), options.get_port());
    // A host that begins with a slash is the folder of a socket.
    let socket = options.get_socket().map(|folder| folder.display().to_string());
    let folder = socket.or_else(|| host.starts_with('/').then(|| host.to_owned()));
    let place = folder.map_or_else(|| format!("{host}:{port}"), |folder| format!("{folder}/.s.PGSQL.{port}"));
    let connected = timeout(REACHABLE_TIMEOUT, async {
        if place.starts_with('/') {
            UnixStream::connect(&place).await.map(drop)
        } else {
            TcpStream::connect(&place).await.map(drop)
        }
    });
    let no_answer = || Err(io::Error::new(io::ErrorKind::TimedOut, "no answer within a second"));
    connected.await.unwrap_or_else(|_| no_answer()).map_err(|cause| unreachable_at(&place, &cause))
}

fn unreachable_at(place: &str, cause: &io::Error) -> DbErr {
    DbErr::Custom(format!("PostgreSQL cannot be reached at {place}: {cause}. Check the URL, and that it is running"))
}
