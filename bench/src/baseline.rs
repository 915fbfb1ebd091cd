//! The least that axum can do: read the body to its end, and answer with bytes that are known beforehand.

use std::{fs, net::SocketAddr, path::Path};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue},
    response::Response,
    routing::{any, get},
};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::Result;

#[derive(Deserialize)]
struct Answer {
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// An answer as it is sent each time.
#[derive(Clone)]
struct Recorded {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

impl Recorded {
    fn of(answer: Answer) -> Result<Self> {
        let headers = answer.headers.into_iter().map(|(name, value)| Ok((name.parse()?, value.parse()?)));
        Ok(Self { headers: headers.collect::<Result<_>>()?, body: answer.body.into() })
    }

    fn response(&self) -> Response {
        let mut response = Response::new(Body::from(self.body.clone()));
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }
}

pub async fn serve(addr: SocketAddr, answers: &Path) -> Result<()> {
    let answers: Vec<Answer> = serde_json::from_slice(&fs::read(answers)?)?;
    let mut router = Router::new().route("/readyz", get(async || ""));
    for answer in answers {
        let path = answer.path.clone();
        let ready = Recorded::of(answer)?;
        router = router.route(&path, any(async move |_: Bytes| ready.response()));
    }
    Ok(axum::serve(TcpListener::bind(addr).await?, router).await?)
}
