//! An API behind a proxy, which notes all that reaches it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, Uri},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

type Log = Arc<Mutex<Vec<Seen>>>;

pub struct Upstream {
    pub address: SocketAddr,
    log: Log,
    server: JoinHandle<()>,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Upstream {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let router = Router::new().fallback(record_request).with_state(log.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, log, server }
    }

    /// Returns the requests that arrived since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

async fn record_request(State(log): State<Log>, request: Request) -> &'static str {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    log.lock().unwrap().push(Seen { method: parts.method, uri: parts.uri, headers: parts.headers, body });
    "the upstream's own answer"
}
