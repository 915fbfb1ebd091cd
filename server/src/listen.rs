//! The TCP listener: accepts connections, serves HTTP/1.1 and HTTP/2 on them, and closes those that are idle.
//!
//! What one client can hold is bounded before a request reaches the rest of the program: the number of its
//! connections, the time that each may be idle (see [`ConnectionActivity`]), and the memory behind it.

use std::{
    convert::Infallible,
    io::{Error, ErrorKind},
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::body::Body;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};

mod activity;
mod address_limit;
mod body;
mod stream;

use crate::{app::App, log_throttle::LogThrottle};
use activity::{ConnectionActivity, IdleTimeout};
use address_limit::{AddressLimit, AddressPermit};
use body::{RequestBody, ResponseBody};
use stream::CountedStream;

/// More than any browser or client sends.
const MAX_HEADER_BYTES: u32 = 64 * 1024;
const MAX_CONCURRENT_STREAMS: u32 = 128;
/// Streams that a client opens and resets immediately; more of them end the connection.
const MAX_PENDING_RESET_STREAMS: usize = 20;
/// The number of bytes that HTTP/2 clients may send before a handler reads the body.
const STREAM_WINDOW_BYTES: u32 = 64 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1024;

/// The time that running requests have to finish after a shutdown began.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// File descriptors that are kept for the database, the commands and everything else that is not a client.
const RESERVED_FILES: u64 = 256;
/// The limit on open files where the system reports none.
const DEFAULT_FILES: u64 = 1024;

const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// The share of the server that one client may use.
pub struct ConnectionLimits {
    pub idle_timeout: Duration,
    pub max_per_address: usize,
    /// Proxies, which stand for many clients and may open any number of connections.
    pub exempt: Arc<[IpNet]>,
}

/// Serves clients until `stopped` is ready. Then it accepts no more of them, closes idle connections, and gives running
/// requests half a minute to finish.
pub async fn serve(listener: TcpListener, app: App, limits: ConnectionLimits, stopped: impl Future<Output = ()>) {
    let acceptor = Acceptor {
        listener,
        permits: Arc::new(Semaphore::new(connection_limit())),
        addresses: AddressLimit::new(limits.max_per_address, limits.exempt),
        idle_timeout: limits.idle_timeout,
        http: http(),
        app,
        stopped_at: Arc::default(),
        graceful: GracefulShutdown::new(),
    };
    tokio::select! {
        () = acceptor.accept_loop() => {}
        () = stopped => {}
    }
    let Acceptor { listener, stopped_at, graceful, .. } = acceptor;
    drop(listener);
    stopped_at.get_or_init(Instant::now);
    if timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("shutdown timed out before all requests were finished");
    }
}

/// Returns the number of connections that the system has files for, after raising its soft limit, which is meant for
/// programs that use `select`.
fn connection_limit() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(DEFAULT_FILES);
    let limit = files.saturating_sub(RESERVED_FILES).max(files / 2);
    usize::try_from(limit).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    // `IdleTimeout` decides for both versions. hyper's own timeout for headers would close idle connections as early as
    // those whose headers do not arrive, and its pings would keep idle HTTP/2 connections open.
    http.http1().header_read_timeout(None).max_buf_size(MAX_HEADER_BYTES as usize);
    http.http2()
        .max_concurrent_streams(MAX_CONCURRENT_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_pending_accept_reset_streams(MAX_PENDING_RESET_STREAMS)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
    http
}

struct Acceptor {
    listener: TcpListener,
    /// One for every connection that may be open.
    permits: Arc<Semaphore>,
    addresses: Arc<AddressLimit>,
    idle_timeout: Duration,
    http: Builder<TokioExecutor>,
    app: App,
    stopped_at: Arc<OnceLock<Instant>>,
    graceful: GracefulShutdown,
}

impl Acceptor {
    async fn accept_loop(&self) {
        let (full, address_full, failing) = (LogThrottle::default(), LogThrottle::default(), LogThrottle::default());
        loop {
            let permit = self.acquire_permit(&full).await;
            match self.listener.accept().await {
                Ok((stream, peer)) => match self.addresses.try_acquire(peer.ip()) {
                    Some(address_permit) => self.spawn_connection(stream, peer, (permit, address_permit)),
                    None => address_full.log(|| {
                        let (address, limit) = (peer.ip(), self.addresses.limit());
                        tracing::warn!(%address, limit, "connection limit of a client address reached");
                    }),
                },
                Err(cause) if is_connection_error(&cause) => {}
                Err(cause) => {
                    failing.log(|| tracing::error!(%cause, "failed to accept connections"));
                    sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }

    async fn acquire_permit(&self, full: &LogThrottle) -> OwnedSemaphorePermit {
        if self.permits.available_permits() == 0 {
            full.log(|| tracing::warn!("connection limit reached; new clients have to wait"));
        }
        let Ok(permit) = self.permits.clone().acquire_owned().await else { unreachable!("it is never closed") };
        permit
    }

    fn spawn_connection(&self, stream: TcpStream, peer: SocketAddr, permits: (OwnedSemaphorePermit, AddressPermit)) {
        // Responses are written whole. A connection that does not take the option works as well.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(ConnectionActivity::new(self.idle_timeout, self.stopped_at.clone()));
        let connection = Connection { stream, peer, activity };
        let (http, app, watcher) = (self.http.clone(), self.app.clone(), self.graceful.watcher());
        tokio::spawn(async move {
            connection.serve(&http, app, watcher).await;
            drop(permits);
        });
    }
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    activity: Arc<ConnectionActivity>,
}

impl Connection {
    /// Answers requests until the client closes the connection or has been idle for too long.
    async fn serve(self, http: &Builder<TokioExecutor>, app: App, watcher: Watcher) {
        let Self { stream, peer, activity } = self;
        let stream = CountedStream::new(stream, activity.clone());
        let idle_timeout = IdleTimeout::new(activity.clone());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let running = activity.begin_request(request.version());
            let request = request.map(|body| Body::new(RequestBody::new(body, activity.clone())));
            let (app, activity) = (app.clone(), activity.clone());
            async move {
                let response = app.answer(peer, request).await;
                drop(running);
                Ok::<_, Infallible>(response.map(|body| ResponseBody::new(body, activity)))
            }
        });
        let connection = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            // The deadline depends on what the connection has just done.
            biased;
            ended = connection => {
                if let Err(cause) = ended {
                    tracing::trace!(%cause, "connection failed");
                }
            }
            () = idle_timeout => tracing::trace!("idle connection closed"),
        }
    }
}

/// Returns true if the client closed the connection before it was accepted.
fn is_connection_error(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}
