//! A stub of Latchkey: it returns configured answers and records the requests.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const ASKING: &str = "lk_tk_asking";

#[derive(Clone)]
pub struct Stub {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    answers: Mutex<HashMap<String, Value>>,
    failure: Mutex<Option<(StatusCode, Value)>>,
    delay: Mutex<Duration>,
    questions: Mutex<Vec<Value>>,
}

impl Stub {
    pub async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let router = Router::new().route("/api/v1/keys/verify", post(answer_request)).with_state(shared.clone());
        Self { url: serve(router).await, shared }
    }

    /// Sets the answer for a key.
    pub fn say(&self, key: &str, data: Value) {
        self.shared.answers.lock().unwrap().insert(key.to_owned(), data);
    }

    /// Answers everything like this from now on.
    pub fn fail(&self, status: u16, body: Value) {
        *self.shared.failure.lock().unwrap() = Some((StatusCode::from_u16(status).unwrap(), body));
    }

    pub fn take_its_time(&self, delay: Duration) {
        *self.shared.delay.lock().unwrap() = delay;
    }

    pub fn questions(&self) -> Vec<Value> {
        self.shared.questions.lock().unwrap().clone()
    }
}

async fn answer_request(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(request): Json<Value>) -> Response {
    let delay = *shared.delay.lock().unwrap();
    tokio::time::sleep(delay).await;
    assert_eq!(headers["authorization"], format!("Bearer {ASKING}"));
    let key = request["key"].as_str().unwrap().to_owned();
    shared.questions.lock().unwrap().push(request);
    if let Some((status, body)) = shared.failure.lock().unwrap().clone() {
        return (status, [("retry-after", "7")], Json(body)).into_response();
    }
    let answers = shared.answers.lock().unwrap();
    let data = answers.get(&key).cloned().unwrap_or_else(|| refused("NOT_FOUND", 401, "There is no such key."));
    Json(json!({ "meta": { "request_id": "req_stub" }, "data": data })).into_response()
}

pub fn good(key_id: &str) -> Value {
    json!({
        "valid": true, "code": "VALID", "key_id": key_id, "name": "PMS", "kind": "tenant",
        "tenant": { "id": "ten_1", "slug": "acme" }, "owner": null, "group": "Booking", "scopes": ["read"],
        "permissions": ["reservations:*"], "all_properties": false, "properties": ["prp_1"], "expires_at": null,
        "rate_limit": { "limit": 60, "remaining": 59, "reset_seconds": 1 }, "rotation": null,
    })
}

pub fn refused(code: &str, status: u16, message: &str) -> Value {
    json!({ "valid": false, "code": code, "http_status": status, "message": message })
}

/// On a port of its own.
pub async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

/// An address without a listener.
pub async fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}
