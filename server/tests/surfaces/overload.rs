//! Clients that are slow, silent, too many or too talkative, and a shutdown among them.

use std::{
    io::ErrorKind::WouldBlock,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client as Http2, rt::TokioExecutor};
use reqwest::Client;
use rlimit::Resource;
use test_support::program::{PASSWORD, Program};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

const IDLE_CLIENTS: usize = 10_000;
const SLOW_CLIENTS: usize = 200;
/// The timeout of a request's headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The timeout of a request's body.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The time that a stopping server gives running requests.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// Longer than any of these limits, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const KILOBYTES_OF_100_MB: u64 = 100 * 1024;

async fn connect(program: &Program) -> TcpStream {
    TcpStream::connect(program.url.strip_prefix("http://").unwrap()).await.unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

/// The head of a form that a browser sends to sign in.
fn sign_in(program: &Program, how_long: &str) -> String {
    let form = "Content-Type: application/x-www-form-urlencoded\r\nSec-Fetch-Site: same-origin";
    let host = program.url.strip_prefix("http://").unwrap();
    format!("POST /console/sign_in HTTP/1.1\r\nHost: {host}\r\n{form}\r\n{how_long}\r\n\r\n")
}

/// A client that asks once and then keeps its connection.
async fn keep_alive(program: &Program) -> TcpStream {
    let mut stream = connect(program).await;
    stream.write_all(get("/livez").as_bytes()).await.unwrap();
    let mut answer = [0; 1024];
    let read = timeout(DEADLINE, stream.read(&mut answer));
    let length = read.await.expect("there is room for it").unwrap();
    assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
    stream
}

/// Reads until the server closes the connection.
async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut verdict = Vec::new();
    // The server may well reset a connection on which it has not read everything.
    let _ = timeout(DEADLINE, stream.read_to_end(&mut verdict)).await.expect("it is closed");
    String::from_utf8_lossy(&verdict).into_owned()
}

/// Sends a byte a second until the server has had enough.
async fn trickle(mut stream: TcpStream) {
    let (mut from, mut to) = stream.split();
    let closed = async {
        let mut nothing = [0; 16];
        let _ = from.read(&mut nothing).await;
    };
    let send = async {
        for byte in b"GET /livez HTTP/1.1\r\nX-Slow: ".iter().chain(std::iter::repeat(&b'x')) {
            if to.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
    };
    tokio::select! {
        () = closed => {}
        () = send => {}
        () = sleep(DEADLINE) => panic!("a slow client still holds its connection after {DEADLINE:?}"),
    }
}

/// Starts the program with a low limit on open files, which the server has to raise itself.
fn start_with_few_files() -> Program {
    let hard = Resource::NOFILE.get_hard().unwrap();
    let needed = (IDLE_CLIENTS + SLOW_CLIENTS + 1000) as u64;
    assert!(hard >= needed, "only {hard} files may be open here; this test needs {needed}: raise `ulimit -Hn`");
    Resource::NOFILE.set(1024, hard).unwrap();
    let program = Program::start_with(&["--max-connections-per-address", &needed.to_string()]);
    Resource::NOFILE.set(hard, hard).unwrap();
    program
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_and_slow_clients_do_not_delay_others() {
    let program = start_with_few_files();
    let before = program.memory("VmRSS");
    let slow: Vec<_> = {
        let mut slow = Vec::new();
        for _ in 0..SLOW_CLIENTS {
            slow.push(tokio::spawn(trickle(connect(&program).await)));
        }
        slow
    };
    let (mut silent, mut idle) = (Vec::new(), Vec::new());
    for _ in 0..IDLE_CLIENTS / 2 {
        silent.push(connect(&program).await);
        idle.push(keep_alive(&program).await);
    }
    let mut longest = Duration::ZERO;
    for request in 0..100 {
        let path = if request % 2 == 0 { "/sign-in" } else { "/readyz" };
        let start = Instant::now();
        let answer = Client::new().get(format!("{}{path}", program.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap();
        longest = longest.max(start.elapsed());
    }
    let grown = program.memory("VmHWM") - before;
    let is_open = |client: &TcpStream| client.try_read(&mut [0]).is_err_and(|error| error.kind() == WouldBlock);
    assert_eq!(idle.iter().filter(|client| is_open(client)).count(), IDLE_CLIENTS / 2);
    println!("{} of the silent clients are still there", silent.iter().filter(|client| is_open(client)).count());
    println!("the longest of 100 requests took {longest:?}; the server grew by {} MB", grown / 1024);
    assert!(longest < HEADER_TIME / 2, "a request waited for slow clients: {longest:?}");
    assert!(grown < 400 * 1024, "{grown} kB");
    for client in slow {
        client.await.unwrap();
    }
}

async fn time_until_end(start: Instant, client: impl Future<Output = ()>) -> Duration {
    client.await;
    start.elapsed()
}

#[tokio::test]
async fn slow_headers_time_out() {
    let program = Program::start();
    let start = Instant::now();
    let (mut silent, new, old) = (connect(&program).await, connect(&program).await, keep_alive(&program).await);
    let mut kept = keep_alive(&program).await;
    let silence = async { drop(rest(&mut silent).await) };
    let held = tokio::join!(
        time_until_end(start, silence),
        time_until_end(start, trickle(new)),
        time_until_end(start, trickle(old)),
    );
    for (who, held) in [("silent", held.0), ("new", held.1), ("old", held.2)] {
        assert!(held >= HEADER_TIME, "the {who} client was cut off after {held:?}");
    }
    kept.write_all(get("/livez").as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    kept.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200", "between requests a client may take longer");
}

/// Sends a byte of a body now and then until the server has had enough.
async fn dawdle(program: &Program, pause: Duration) {
    let mut stream = connect(program).await;
    let start = Instant::now();
    stream.write_all(sign_in(program, "Content-Length: 1000").as_bytes()).await.unwrap();
    let (mut from, mut to) = stream.split();
    let send = async {
        while to.write_all(b"x").await.is_ok() {
            sleep(pause).await;
        }
    };
    let answer = tokio::select! {
        answer = rest(&mut from) => answer,
        () = send => panic!("it is closed without an answer"),
    };
    let waited = start.elapsed();
    assert!(waited >= BODY_TIME, "{waited:?}");
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test]
async fn stalled_or_trickling_body_times_out() {
    let program = Program::start();
    tokio::join!(dawdle(&program, Duration::from_secs(1_000)), dawdle(&program, Duration::from_secs(5)));
}

#[tokio::test]
async fn megabyte_of_headers_is_refused() {
    let program = Program::start();
    let mut stream = connect(&program).await;
    let request = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Large: {}\r\n\r\n", "x".repeat(1024 * 1024));
    // The server does not read to the end.
    let _ = stream.write_all(request.as_bytes()).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let request = Client::new().get(format!("{}/livez", program.url)).header("x-large", "x".repeat(48 * 1024));
    assert_eq!(request.send().await.unwrap().status(), 200, "48 KiB are fine");
}

#[tokio::test]
async fn hundred_megabyte_body_is_refused_and_not_buffered() {
    let program = Program::start();
    assert_eq!(program.stranger().sign_in("unknown@acme.test", PASSWORD).await.status(), 401);
    let before = program.memory("VmHWM");
    let chunk = [b"10000\r\n", "x".repeat(65_536).as_bytes(), b"\r\n"].concat();
    for (how_long, status) in [("Content-Length: 104857600", 413), ("Transfer-Encoding: chunked", 400)] {
        let mut stream = connect(&program).await;
        stream.write_all(sign_in(&program, how_long).as_bytes()).await.unwrap();
        for _ in 0..KILOBYTES_OF_100_MB / 64 {
            if stream.write_all(&chunk).await.is_err() {
                break;
            }
        }
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{how_long}: {answer}");
    }
    let grown = program.memory("VmHWM") - before;
    println!("the server grew by {grown} kB");
    assert!(grown < 50 * 1024, "{grown} kB");
}

#[tokio::test]
async fn running_requests_finish_before_shutdown() {
    let program = Program::start();
    program.tenant("acme");
    let form = format!("email=member%40acme.test&password={}&next=", PASSWORD.replace(' ', "+"));
    let (first, second) = form.split_at(10);
    let mut running = connect(&program).await;
    let expecting = format!("Content-Length: {}\r\nExpect: 100-continue", form.len());
    running.write_all(sign_in(&program, &expecting).as_bytes()).await.unwrap();
    let mut go_on = [0; "HTTP/1.1 100 Continue\r\n\r\n".len()];
    running.read_exact(&mut go_on).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&go_on), "HTTP/1.1 100 Continue\r\n\r\n", "it runs");
    running.write_all(first.as_bytes()).await.unwrap();

    program.terminate();
    let address = program.url.strip_prefix("http://").unwrap();
    let refuses = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(Duration::from_secs(30), refuses).await.expect("new connections are refused");
    running.write_all(second.as_bytes()).await.unwrap();
    let answer = rest(&mut running).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("set-cookie"), "{answer}");
    let (_, status) = program.wait();
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn idle_clients_do_not_delay_shutdown() {
    let program = Program::start();
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect(&program).await);
        idle.push(keep_alive(&program).await);
    }
    for client in &mut idle[20..] {
        client.write_all(b"GET /li").await.unwrap();
    }
    let second_version = Http2::builder(TokioExecutor::new()).http2_only(true).build_http::<Full<&[u8]>>();
    let answer = second_version.get(format!("{}/livez", program.url).parse().unwrap()).await.unwrap();
    assert_eq!(answer.version(), axum::http::Version::HTTP_2);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok");
    // The client is silent from here on, without closing the connection.
    let start = Instant::now();
    let (_, status) = program.stop();
    assert!(status.success(), "{status}");
    assert!(start.elapsed() < SHUTDOWN_TIMEOUT / 2, "{:?}", start.elapsed());
}
