//! An API behind a proxy, which records all requests that reach it.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use futures::{SinkExt, StreamExt, channel::mpsc};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

/// Echoes the messages of a WebSocket.
pub const SOCKET_PATH: &str = "/socket";

/// Responds with a stream of [`Upstream::send_event`].
pub const EVENTS_PATH: &str = "/events";

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Seen {
    fn new(parts: &Parts, body: Bytes) -> Self {
        Self { method: parts.method.clone(), uri: parts.uri.clone(), headers: parts.headers.clone(), body }
    }

    /// Returns a header, which must not be sent twice. Empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map_or("", |value| value.to_str().unwrap());
        assert_eq!(values.next(), None, "{name}");
        value
    }
}

type Events = mpsc::UnboundedReceiver<Result<Bytes, Infallible>>;

#[derive(Clone)]
struct Shared {
    log: Arc<Mutex<Vec<Seen>>>,
    events: Arc<Mutex<Option<Events>>>,
    uploaded_bytes: watch::Sender<usize>,
}

pub struct Upstream {
    pub address: SocketAddr,
    shared: Shared,
    events: mpsc::UnboundedSender<Result<Bytes, Infallible>>,
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
        let (events, receiver) = mpsc::unbounded();
        let shared = Shared {
            log: Arc::default(),
            events: Arc::new(Mutex::new(Some(receiver))),
            uploaded_bytes: watch::Sender::default(),
        };
        let router = Router::new()
            .route(SOCKET_PATH, any(echo_messages))
            .route(EVENTS_PATH, any(stream_events))
            .fallback(record_request)
            .with_state(shared.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, events, server }
    }

    /// Returns the requests that arrived since the last call.
    pub fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.shared.log.lock().unwrap())
    }

    /// Waits until this many bytes of bodies have arrived.
    pub async fn receive_upload(&self, bytes: usize) {
        self.shared.uploaded_bytes.subscribe().wait_for(|uploaded| *uploaded >= bytes).await.unwrap();
    }

    /// Sends a part of the stream immediately.
    pub fn send_event(&self, event: &str) {
        self.events.unbounded_send(Ok(Bytes::copy_from_slice(event.as_bytes()))).unwrap();
    }
}

impl Shared {
    fn record(&self, parts: &Parts, body: Bytes) {
        self.log.lock().unwrap().push(Seen::new(parts, body));
    }

    /// Reads a body to its end, and reports its parts as they arrive.
    async fn read_body(&self, mut body: Body) -> Bytes {
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(part) = frame.unwrap().into_data() else { continue };
            bytes.extend_from_slice(&part);
            self.uploaded_bytes.send_modify(|uploaded| *uploaded += part.len());
        }
        bytes.into()
    }
}

async fn record_request(State(shared): State<Shared>, request: Request) -> &'static str {
    let (parts, body) = request.into_parts();
    let body = shared.read_body(body).await;
    shared.record(&parts, body);
    "the upstream's own answer"
}

async fn stream_events(State(shared): State<Shared>, request: Request) -> Response {
    shared.record(&request.into_parts().0, Bytes::new());
    let events = shared.events.lock().unwrap().take().expect("the stream is requested once");
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

async fn echo_messages(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    shared.record(&parts, Bytes::new());
    let Some(key) = parts.headers.get(header::SEC_WEBSOCKET_KEY) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let request = Request::from_parts(parts, body);
    tokio::spawn(async move {
        let connection = TokioIo::new(hyper::upgrade::on(request).await.unwrap());
        let mut socket = WebSocketStream::from_raw_socket(connection, Role::Server, None).await;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() {
                socket.send(message).await.unwrap();
            }
        }
    });
    let headers = [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")];
    (StatusCode::SWITCHING_PROTOCOLS, headers, [(header::SEC_WEBSOCKET_ACCEPT, accept)]).into_response()
}
