//! The program is killed in the middle of its work: what it had acknowledged is there when it comes back.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use reqwest::Client;
use serde_json::{Value, json};
use test_support::{
    program::{Program, json_of, shell_on},
    test_app::{Base, Key, TestApp, stay, text},
};

const RESERVATIONS: &str = "/api/v1/reservations";

/// For how long there is work before the end comes.
const WORK: Duration = Duration::from_secs(6);

/// More than a batch of usage takes from its first call until it is written, on a busy machine.
const LAST_BATCH: Duration = Duration::from_secs(4);

/// The changes that were acknowledged before the crash.
#[derive(Default)]
struct Acknowledged {
    reservations: Mutex<Vec<String>>,
    calls: Mutex<Vec<Instant>>,
    made: Mutex<Vec<Key>>,
    revoked: Mutex<Vec<Key>>,
}

impl Acknowledged {
    /// A busy machine takes longer to get something done.
    async fn wait_for_enough(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.reservations.lock().unwrap().len() <= 10
            || self.made.lock().unwrap().is_empty()
            || self.revoked.lock().unwrap().is_empty()
        {
            assert!(Instant::now() < deadline, "there was no work");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn reserve(url: String, secret: String, body: Value, told: Arc<Acknowledged>) {
    let client = Client::new();
    loop {
        let Ok(answer) = client.post(&url).bearer_auth(&secret).json(&body).send().await else { return };
        if answer.status() != 201 {
            panic!("{}: {}", answer.status(), answer.text().await.unwrap_or_default());
        }
        let Ok(made) = answer.json::<Value>().await else { return };
        told.reservations.lock().unwrap().push(text(&made["id"]));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn read_acknowledgements(url: String, secret: String, told: Arc<Acknowledged>) {
    let client = Client::new();
    while let Ok(answer) = client.get(&url).bearer_auth(&secret).send().await {
        assert_eq!(answer.status(), 200);
        told.calls.lock().unwrap().push(Instant::now());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Generates keys and revokes every other one.
fn manage_keys(database_url: &str, is_over: &AtomicBool, told: &Acknowledged) {
    for number in 0.. {
        let words = ["key", "create", "--tenant", "acme", "--name", "Crash", "--group", "Full access", "--json"];
        let output = shell_on(database_url, &words, "");
        if is_over.load(Ordering::SeqCst) || !output.status.success() {
            return;
        }
        let made = json_of(&output);
        let key = Key { id: text(&made["id"]), secret: text(&made["secret"]) };
        if number % 2 == 0 {
            let revoked = shell_on(database_url, &["key", "revoke", &key.id, "--json"], "");
            if is_over.load(Ordering::SeqCst) || !revoked.status.success() {
                return;
            }
            told.revoked.lock().unwrap().push(key);
        } else {
            told.made.lock().unwrap().push(key);
        }
    }
}

async fn acknowledged_changes_survive_a_crash(base: Base) {
    let mut app = base.start();
    app.program.command(&["tenant", "set", "--slug", "acme", "--key-limit", "1000"]);
    let harbour = app.property("acme", "Harbour House");
    let service = app.service("acme", &harbour, "Double room", 10_000);
    let reader = app.key(&["--rate-limit", "1000"]);
    let told = Arc::new(Acknowledged::default());
    let is_over = Arc::new(AtomicBool::new(false));
    let database_url = app.program.database_url.clone();
    let keys = {
        let (url, is_over, told) = (database_url.clone(), is_over.clone(), told.clone());
        thread::spawn(move || manage_keys(&url, &is_over, &told))
    };
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let (url, writer) = (app.url(RESERVATIONS), app.key(&["--rate-limit", "1000"]));
        clients.spawn(reserve(url, writer.secret, stay(&harbour, &service), told.clone()));
    }
    clients.spawn(read_acknowledgements(app.url("/api/v1/key"), reader.secret.clone(), told.clone()));
    tokio::time::sleep(WORK).await;
    told.wait_for_enough().await;
    is_over.store(true, Ordering::SeqCst);
    let folder = app.program.kill();
    let killed = Instant::now();
    clients.join_all().await;
    tokio::task::spawn_blocking(|| keys.join().unwrap()).await.unwrap();

    app.program = Program::launch(folder, database_url, &[]);
    check(&app, &told, &reader, killed).await;
}

async fn check(app: &TestApp, told: &Acknowledged, reader: &Key, killed: Instant) {
    let checker = app.key(&["--rate-limit", "1000"]);
    let reservations = told.reservations.lock().unwrap().clone();
    let (made, revoked) = (told.made.lock().unwrap().clone(), told.revoked.lock().unwrap().clone());
    let found = app.walk(RESERVATIONS, &checker.secret, 200).await;
    let found: Vec<String> = found.iter().map(|reservation| text(&reservation["id"])).collect();
    for id in &reservations {
        assert!(found.contains(id), "{id} is gone");
    }
    assert!(found.len() <= reservations.len() + 3, "each client may have one that it was not told of");
    for key in &made {
        assert_eq!(app.get("/api/v1/key", &key.secret).await.good()["id"], json!(key.id));
    }
    for key in &revoked {
        app.get("/api/v1/key", &key.secret).await.refused(401, "key_revoked");
    }
    let calls = told.calls.lock().unwrap().clone();
    let counted = format!("SELECT CAST(SUM(count) AS TEXT) FROM usage_hour WHERE api_key_id = '{}'", reader.id);
    let counted: usize = app.texts(&counted).await[0].split('.').next().unwrap().parse().unwrap();
    assert!(counted <= calls.len() + 1, "nothing is counted twice");
    let lost = calls.get(counted..).unwrap_or_default();
    let oldest = lost.first().map_or(Duration::ZERO, |call| killed.duration_since(*call));
    assert!(oldest < LAST_BATCH, "{} calls of {} are lost, the first {oldest:?} old", lost.len(), calls.len());
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    acknowledged_changes_survive_a_crash,
}
