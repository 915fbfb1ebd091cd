//! Accepting connections, for as long as the program runs, from clients of every kind: quick, slow and silent.
//!
//! Nobody can hold a connection for nothing (see [`Activity`]), so there is room for all others; and what a
//! client can make the server remember is bounded before any of our own code sees it.

use std::{
    convert::Infallible,
    io::{Error, ErrorKind},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout},
};

mod activity;
mod patient;

use crate::front::Faces;
use activity::Activity;
use patient::Patient;

/// More than any browser or client sends.
const MOST_HEADER_BYTES: usize = 64 * 1024;
const MOST_STREAMS: u32 = 128;
/// Streams that a client opens and takes back at once; more of them end the connection.
const MOST_RESET_STREAMS: usize = 20;

/// How long requests may take to finish once the program was told to stop.
const GRACE: Duration = Duration::from_secs(30);

/// Files and sockets that are left for the database, the commands and whatever else is not a client.
const RESERVED_FILES: u64 = 256;
/// Where the system does not say how many files may be open.
const USUAL_FILES: u64 = 1024;

const LOOK_AGAIN: Duration = Duration::from_millis(100);
const BETWEEN_WARNINGS: Duration = Duration::from_secs(60);

/// Answers clients until told to stop. Then no more are let in, idle ones are let go at once, and what runs may
/// finish within half a minute.
pub async fn serve(listener: TcpListener, faces: Faces, stopped: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(most_connections()));
    let stopping = Arc::default();
    let doorway = Doorway { listener, room, http: http(), faces, stopping, graceful: GracefulShutdown::new() };
    tokio::select! {
        () = doorway.let_in() => {}
        () = stopped => {}
    }
    let Doorway { listener, stopping, graceful, .. } = doorway;
    drop(listener);
    stopping.store(true, Ordering::Relaxed);
    if timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish in time and were broken off");
    }
}

/// As many as the system has files for: its soft limit is for programs that know no better, so it is raised.
fn most_connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(USUAL_FILES);
    let most = files.saturating_sub(RESERVED_FILES).max(files / 2);
    usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS)
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    // How long to wait for anything is decided in one place, for both versions alike. The timeout that comes with
    // the first version would let go of idle clients as early as of those whose headers do not arrive. Pings, in
    // the second, would keep idle clients; the dead ones among them are let go with the other idle ones.
    http.http1().header_read_timeout(None).max_buf_size(MOST_HEADER_BYTES);
    http.http2()
        .max_concurrent_streams(MOST_STREAMS)
        .max_header_list_size(MOST_HEADER_BYTES as u32)
        .max_pending_accept_reset_streams(MOST_RESET_STREAMS);
    http
}

/// What every new connection is given.
struct Doorway {
    listener: TcpListener,
    /// A place for every connection that may be open.
    room: Arc<Semaphore>,
    http: Builder<TokioExecutor>,
    faces: Faces,
    stopping: Arc<AtomicBool>,
    graceful: GracefulShutdown,
}

impl Doorway {
    async fn let_in(&self) {
        let (mut full, mut failing) = (Warning::default(), Warning::default());
        loop {
            let place = self.place(&mut full).await;
            match self.listener.accept().await {
                Ok((stream, peer)) => self.welcome(stream, peer, place),
                Err(cause) if has_gone_away(&cause) => {}
                Err(cause) => {
                    failing.now_and_then(|| tracing::error!(%cause, "connections cannot be accepted"));
                    sleep(LOOK_AGAIN).await;
                }
            }
        }
    }

    async fn place(&self, full: &mut Warning) -> OwnedSemaphorePermit {
        if self.room.available_permits() == 0 {
            full.now_and_then(|| tracing::warn!("as many clients are connected as there may be; others have to wait"));
        }
        let Ok(place) = self.room.clone().acquire_owned().await else { unreachable!("the room is never closed") };
        place
    }

    fn welcome(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        // Answers are written at once and whole; a connection that does not take the option works all the same.
        let _ = stream.set_nodelay(true);
        let activity = Arc::new(Activity::new(Instant::now(), self.stopping.clone()));
        let client = Client { stream: Patient::new(stream, activity.clone()), peer, activity };
        let (http, faces, watcher) = (self.http.clone(), self.faces.clone(), self.graceful.watcher());
        tokio::spawn(async move {
            client.attend(&http, faces, watcher).await;
            drop(place);
        });
    }
}

struct Client {
    stream: Patient,
    peer: SocketAddr,
    activity: Arc<Activity>,
}

impl Client {
    /// Answers it until it leaves, or is let go.
    async fn attend(self, http: &Builder<TokioExecutor>, faces: Faces, watcher: Watcher) {
        let Self { stream, peer, activity } = self;
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            let running = activity.begin(request.version());
            let faces = faces.clone();
            async move {
                let answer = faces.answer(peer, request).await;
                drop(running);
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        if let Err(cause) = watcher.watch(connection).await {
            tracing::trace!(%cause, "a connection broke off");
        }
    }
}

/// It is the client that failed, before we could turn to it.
fn has_gone_away(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset)
}

/// Something to complain about that may well go on for a while.
#[derive(Default)]
struct Warning {
    last: Option<Instant>,
}

impl Warning {
    fn now_and_then(&mut self, warn: impl FnOnce()) {
        if self.last.is_none_or(|last| last.elapsed() >= BETWEEN_WARNINGS) {
            self.last = Some(Instant::now());
            warn();
        }
    }
}
