//! An API that a proxy guards, and a client of it.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use test_support::{
    program::Program,
    test_app::{Answer, Base, Key, TestApp, with},
};

use super::{
    proxy::{Kind, Proxy},
    upstream::{Seen, Upstream},
};

pub struct Guarded {
    pub kind: Kind,
    pub app: TestApp,
    pub proxy: Proxy,
    pub upstream: Upstream,
    pub client: Client,
}

impl Guarded {
    pub async fn by(kind: Kind) -> Self {
        let app = start_app();
        let upstream = Upstream::start().await;
        let proxy = Proxy::start(kind, &app.program.url, upstream.address);
        Self { kind, app, proxy, upstream, client: client() }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.proxy.url)
    }

    pub fn request(&self, method: Method, path: &str, key: &Key) -> RequestBuilder {
        self.client.request(method, self.url(path)).bearer_auth(&key.secret)
    }

    pub async fn get(&self, headers: &[(&str, &str)]) -> Answer {
        Answer::to(with(self.client.get(self.url("/orders")), headers)).await
    }

    /// In no case has anything reached the upstream.
    pub fn refused(&self, answer: &Answer, status: u16) {
        assert_eq!((answer.status, self.upstream.seen().len()), (status, 0), "{}", answer.text);
    }

    /// The only request that has reached the upstream.
    pub fn arrived(&self) -> Seen {
        let mut seen = self.upstream.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen.remove(0)
    }
}

pub fn start_app() -> TestApp {
    Base::Sqlite.start_with(&["--trusted-proxies", "127.0.0.1/32"])
}

pub fn client() -> Client {
    Client::builder().http1_title_case_headers().build().unwrap()
}

/// Waits until nothing listens at the address of a program.
pub async fn wait_until_gone(program: &Program) {
    let address = program.url.strip_prefix("http://").unwrap();
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
