//! Connections that are silent, that carry nothing but control frames, or that one client has too many of.

use std::time::Duration;
use test_support::program::Program;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use super::http2;

/// Long enough for any machine to notice that two seconds have passed.
const DEADLINE: Duration = Duration::from_secs(60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);
const OPTIONS: [&str; 2] = ["--idle-timeout", "2"];
const REQUEST: &[u8] = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.url.strip_prefix("http://").unwrap()).await.unwrap()
}

/// Connects and sends bytes before the server can accept, so that they arrive together with the handshake.
async fn connect_with(program: &Program, bytes: &[u8]) -> TcpStream {
    program.signal("STOP");
    let mut stream = connect(program).await;
    stream.write_all(bytes).await.unwrap();
    program.signal("CONT");
    stream
}

async fn has_answer(stream: &mut TcpStream) -> bool {
    let mut answer = [0; 12];
    matches!(timeout(DEADLINE, stream.read_exact(&mut answer)).await, Ok(Ok(_))) && answer == *b"HTTP/1.1 200"
}

/// Reads until the server closes the connection.
async fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that is reset is closed as well.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut bytes)).await.expect("the connection is never closed");
    bytes
}

#[tokio::test]
async fn connection_that_is_silent_after_an_early_request_is_closed() {
    let program = Program::start_with(&OPTIONS);
    let start = Instant::now();
    let mut stream = connect_with(&program, REQUEST).await;
    assert!(has_answer(&mut stream).await);
    read_to_end(&mut stream).await;
    assert!(start.elapsed() >= IDLE_TIMEOUT, "closed after {:?}", start.elapsed());
}

#[tokio::test]
async fn http2_connection_that_is_silent_after_an_early_request_is_closed() {
    let program = Program::start_with(&OPTIONS);
    let start = Instant::now();
    let mut stream = connect_with(&program, &http2::opening("/livez", http2::DEFAULT_WINDOW)).await;
    assert!(http2::ends_stream(&read_to_end(&mut stream).await), "the request is answered");
    assert!(start.elapsed() >= IDLE_TIMEOUT, "closed after {:?}", start.elapsed());
}

#[tokio::test]
async fn http2_control_frames_do_not_keep_a_connection_open() {
    let program = Program::start_with(&OPTIONS);
    for frame in [http2::ping(), http2::settings(&[])] {
        let mut stream = connect(&program).await;
        stream.write_all(&http2::opening("/livez", http2::DEFAULT_WINDOW)).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let send = async {
            while writer.write_all(&frame).await.is_ok() {
                sleep(Duration::from_millis(200)).await;
            }
        };
        let mut received = Vec::new();
        let closed = async {
            tokio::select! {
                _ = reader.read_to_end(&mut received) => {}
                () = send => {}
            }
        };
        timeout(DEADLINE, closed).await.expect("the connection is never closed");
    }
}

#[tokio::test]
async fn http2_control_frame_flood_is_cut_off() {
    const TOO_MANY_BYTES: usize = 64 * 1024 * 1024;
    let program = Program::start();
    for frame in [http2::ping(), http2::settings(&[])] {
        let mut stream = connect(&program).await;
        stream.write_all(&http2::opening("/livez", http2::DEFAULT_WINDOW)).await.unwrap();
        let (mut reader, mut writer) = stream.split();
        let frames = frame.repeat(1_000);
        let send = async {
            let mut sent = 0;
            while sent < TOO_MANY_BYTES && writer.write_all(&frames).await.is_ok() {
                sent += frames.len();
            }
            sent
        };
        let discard = async {
            let mut buffer = vec![0; 64 * 1024];
            while reader.read(&mut buffer).await.is_ok_and(|length| length > 0) {}
        };
        let (sent, ()) = timeout(DEADLINE, async { tokio::join!(send, discard) }).await.expect("it is cut off");
        assert!(sent < TOO_MANY_BYTES, "{sent} bytes were accepted");
    }
}

/// The length of an answer that takes a client several windows to receive.
const LONG_ANSWER: &str = "/api/openapi.json";
const SMALL_WINDOW: u32 = 8 * 1024;

#[tokio::test]
async fn http2_client_that_stops_taking_its_answer_is_closed_despite_pings() {
    let program = Program::start_with(&OPTIONS);
    let mut stream = connect(&program).await;
    stream.write_all(&http2::opening(LONG_ANSWER, SMALL_WINDOW)).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let ping = async {
        while writer.write_all(&http2::ping()).await.is_ok() {
            sleep(Duration::from_millis(200)).await;
        }
    };
    let mut received = Vec::new();
    let closed = async {
        tokio::select! {
            _ = reader.read_to_end(&mut received) => {}
            () = ping => {}
        }
    };
    timeout(DEADLINE, closed).await.expect("the connection is never closed");
    assert!(!http2::ends_stream(&received), "the window is too small for the whole answer");
}

#[tokio::test]
async fn connections_beyond_the_limit_of_an_address_are_refused() {
    let program = Program::start_with(&["--max-connections-per-address", "3"]);
    let mut connections = Vec::new();
    for _ in 0..3 {
        let mut stream = connect(&program).await;
        stream.write_all(REQUEST).await.unwrap();
        assert!(has_answer(&mut stream).await);
        connections.push(stream);
    }
    let mut refused = connect(&program).await;
    assert_eq!(read_to_end(&mut refused).await, b"", "the fourth is closed without an answer");
    program.wait_for_log("connection limit of a client address reached").await;

    connections.pop();
    let admitted = async {
        loop {
            let mut stream = connect(&program).await;
            if stream.write_all(REQUEST).await.is_ok() && has_answer(&mut stream).await {
                break;
            }
        }
    };
    timeout(DEADLINE, admitted).await.expect("a closed connection makes room for another");
}

#[tokio::test]
async fn trusted_proxy_may_open_any_number_of_connections() {
    let program = Program::start_with(&["--max-connections-per-address", "3", "--trusted-proxies", "127.0.0.1"]);
    let mut connections = Vec::new();
    for _ in 0..10 {
        let mut stream = connect(&program).await;
        stream.write_all(REQUEST).await.unwrap();
        assert!(has_answer(&mut stream).await);
        connections.push(stream);
    }
}
