//! WebSockets, uploads and event streams.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use axum::{
    body::Bytes,
    http::{HeaderValue, header::AUTHORIZATION},
};
use futures::{SinkExt, Stream, StreamExt, channel::mpsc, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use reqwest::{Body, Method, Response};
use test_support::test_app::{Answer, with};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::{
    guarded::Guarded,
    upstream::{EVENTS_PATH, SOCKET_PATH},
};

/// Only a proxy that never passes a message on exceeds it.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

const UPLOAD_BYTES: usize = 20 * 1024 * 1024;
const PART_BYTES: usize = 64 * 1024;

const EVENTS: usize = 25;

/// HAProxy holds small parts of a response back for 200 ms, unless told otherwise.
const MAX_MEDIAN_DELAY: Duration = Duration::from_millis(100);

async fn open_socket(guarded: &Guarded, authorization: &str) -> Result<WebSocketStream<TcpStream>, Error> {
    let mut request = format!("ws://{}{SOCKET_PATH}", guarded.proxy.address).into_client_request().unwrap();
    request.headers_mut().insert(AUTHORIZATION, HeaderValue::from_str(authorization).unwrap());
    let stream = TcpStream::connect(guarded.proxy.address).await.unwrap();
    let opened = timeout(MESSAGE_TIMEOUT, client_async(request, stream)).await.expect("the proxy answers");
    opened.map(|(socket, _)| socket)
}

pub async fn websocket_carries_messages(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let mut socket = open_socket(&guarded, &format!("Bearer {}", key.secret)).await.unwrap();
    let handshake = guarded.arrived();
    assert_eq!((handshake.header("x-latchkey-key-id"), handshake.header("authorization")), (key.id.as_str(), ""));
    for text in ["one", "two", &"three ".repeat(30_000)] {
        socket.send(Message::text(text)).await.unwrap();
        let echo = timeout(MESSAGE_TIMEOUT, socket.next()).await.expect("the echo arrives").unwrap().unwrap();
        assert!(echo.to_text().unwrap() == text, "{} bytes", echo.len());
    }
    socket.close(None).await.unwrap();
}

pub async fn websocket_needs_a_key(guarded: Guarded) {
    let Err(Error::Http(answer)) = open_socket(&guarded, "Bearer lk_tk_nonsense").await else {
        panic!("the handshake succeeded")
    };
    assert_eq!((answer.status().as_u16(), guarded.upstream.seen().len()), (401, 0));
}

/// Inside a connection that was upgraded to HTTP/2, a client could send requests that nothing verifies.
pub async fn other_upgrades_do_not_pass(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let http2 = [("connection", "Upgrade, HTTP2-Settings"), ("http2-settings", "AAMAAABkAAQAAP__")];
    for (upgrade, is_limited) in [
        (&["h2c"][..], guarded.kind.passes_http2_upgrades()),
        (&["H2C"], guarded.kind.passes_http2_upgrades()),
        (&["h2c", "websocket"], guarded.kind.passes_http2_upgrades()),
        (&["websocket", "h2c"], false),
        (&["websocket, h2c"], guarded.kind.passes_http2_upgrades()),
        (&["own/1"], guarded.kind.passes_unknown_upgrades()),
    ] {
        let request = with(guarded.request(Method::GET, "/orders", &key), &http2);
        let request = upgrade.iter().fold(request, |request, protocol| request.header("upgrade", *protocol));
        Answer::to(request).await;
        let passes = guarded.upstream.seen().iter().any(|seen| !["", "websocket"].contains(&seen.header("upgrade")));
        assert_eq!(passes, is_limited, "{upgrade:?}");
    }
}

pub async fn large_upload_arrives(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let upload: Bytes = (0..UPLOAD_BYTES).map(|at| (at % 251) as u8).collect();
    let parts: Vec<_> = upload.chunks(PART_BYTES).map(Bytes::copy_from_slice).collect();
    for (encoding, body) in
        [("content-length", Body::from(upload.clone())), ("transfer-encoding", streamed_body(stream::iter(parts)))]
    {
        let request = guarded.request(Method::POST, "/orders", &key).body(body);
        let answer = Answer::to(request).await;
        assert_eq!(answer.status, 200, "{encoding}: {}", answer.text);
        let seen = guarded.arrived();
        assert!(seen.body == upload, "{encoding}: {} bytes", seen.body.len());
    }
}

/// The client sends the second part after the upstream has received the first one, so a proxy that collects the body would
/// wait forever.
pub async fn upload_arrives_as_it_is_sent(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let (mut parts, body) = mpsc::channel(1);
    let request = guarded.request(Method::POST, "/orders", &key).body(streamed_body(body));
    let response = tokio::spawn(request.send());
    for number in 1..=2 {
        parts.send(Bytes::from_static(&[7; PART_BYTES])).await.unwrap();
        let arrival = timeout(MESSAGE_TIMEOUT, guarded.upstream.receive_upload(number * PART_BYTES)).await;
        arrival.unwrap_or_else(|_| panic!("part {number} does not arrive"));
    }
    drop(parts);
    assert_eq!(response.await.unwrap().unwrap().status(), 200);
    assert_eq!(guarded.arrived().body.len(), 2 * PART_BYTES);
}

/// A body whose length is not announced.
fn streamed_body(parts: impl Stream<Item = Bytes> + Send + Sync + 'static) -> Body {
    Body::wrap(StreamBody::new(parts.map(|part| Ok::<_, Infallible>(Frame::data(part)))))
}

/// A proxy that leaves the body unread would take it for the next request on the connection.
pub async fn body_of_a_refused_request_is_no_request(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let request = |line: &str, secret: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: {}\r\nX-API-Key: {secret}\r\n{more}\r\n", guarded.proxy.address)
    };
    let hidden = request("GET /hidden", &key.secret, "");
    let refused = request("POST /orders", "lk_tk_nonsense", &format!("Content-Length: {}\r\n", hidden.len()));
    let next = request("GET /next", &key.secret, "Connection: close\r\n");
    let mut stream = TcpStream::connect(guarded.proxy.address).await.unwrap();
    stream.write_all(format!("{refused}{hidden}{next}").as_bytes()).await.unwrap();
    let mut answers = Vec::new();
    // A proxy may reset the connection instead of reading the body.
    let _ = timeout(MESSAGE_TIMEOUT, stream.read_to_end(&mut answers)).await.expect("the connection closes");
    let seen = guarded.upstream.seen();
    assert!(seen.iter().all(|seen| seen.uri == "/next"), "{seen:?}: {}", String::from_utf8_lossy(&answers));
}

/// The upstream sends each event after the client has received the one before, so a proxy that collects events would
/// wait forever.
pub async fn events_arrive_without_delay(guarded: Guarded) {
    let key = guarded.app.key(&[]);
    let response = timeout(MESSAGE_TIMEOUT, guarded.request(Method::GET, EVENTS_PATH, &key).send()).await;
    let mut response = response.expect("the headers arrive before the first event").unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut delays = Vec::with_capacity(EVENTS);
    for number in 0..EVENTS {
        let event = format!("data: {number}\n\n");
        let sent = Instant::now();
        guarded.upstream.send_event(&event);
        assert_eq!(receive(&mut response, event.len()).await, event);
        delays.push(sent.elapsed());
    }
    delays.sort_unstable();
    assert!(delays[EVENTS / 2] < MAX_MEDIAN_DELAY, "{delays:?}");
}

async fn receive(response: &mut Response, bytes: usize) -> String {
    let mut received = Vec::new();
    while received.len() < bytes {
        let chunk = timeout(MESSAGE_TIMEOUT, response.chunk()).await.expect("the event arrives").unwrap();
        received.extend(chunk.expect("the stream goes on"));
    }
    String::from_utf8(received).unwrap()
}
