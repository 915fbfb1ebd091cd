//! Servers on one database, with clients on every surface of each.

use std::time::{Duration, Instant};

use domain::secret::{KeyKind, Product, assemble};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::{
    program::{Browser, Program},
    test_app::{Answer, Base, Key, TestApp},
};
use tokio::task::JoinSet;

/// Granted access is visible, and a server that lost its database has recovered, within this time.
pub const SOON: Duration = Duration::from_secs(1);

/// The number of verifications of a valid key, enough for every server to cache it.
const OFTEN: usize = 3;

pub struct Cluster {
    /// The first of them, and what is done at a shell.
    pub app: TestApp,
    pub others: Vec<Program>,
    pub asker: Asker,
}

/// A back end that verifies keys.
#[derive(Clone)]
pub struct Asker {
    client: Client,
    verifier: String,
}

/// A surface that a key can be presented to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    Verify,
    /// `GET /api/v1/key`, which accepts any valid key.
    Key,
    /// A call of the API that takes a permission.
    Properties,
    Gateway,
}

pub const SURFACES: [Surface; 4] = [Surface::Verify, Surface::Key, Surface::Properties, Surface::Gateway];

/// The surfaces that check permissions, and not just validity.
pub const DEMANDING: [Surface; 3] = [Surface::Verify, Surface::Properties, Surface::Gateway];

/// A server's answer about a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    Valid,
    /// Refused, with the verdict or the problem's code.
    Refused(String),
    /// The server cannot tell.
    Unavailable,
}

/// The required permission: to read all properties, or one of them.
#[derive(Debug, Clone, Default)]
pub struct Demand {
    pub property: Option<String>,
}

/// Such as a key could have, and one for each number.
pub fn made_up_secret(number: u64) -> String {
    let mut entropy = [0; 32];
    entropy[..8].copy_from_slice(&number.to_be_bytes());
    assemble(&Product::parse("lk").unwrap(), KeyKind::Tenant, entropy)
}

impl Cluster {
    /// Three servers; a file has one owner.
    pub fn start(base: Base) -> Self {
        Self::around(base.start(), if matches!(base, Base::Sqlite) { 0 } else { 2 })
    }

    /// Starts this many more servers on the database of the first.
    pub fn around(app: TestApp, others: usize) -> Self {
        let launch = |_| Program::launch(TempDir::new().unwrap(), app.program.database_url.clone(), &[]);
        let others = (0..others).map(launch).collect();
        let verifier = app.key(&["--group", "Verifier", "--rate-limit", "1000"]).secret;
        Self { asker: Asker { client: Client::new(), verifier }, app, others }
    }

    pub fn nodes(&self) -> impl Iterator<Item = &Program> {
        std::iter::once(&self.app.program).chain(&self.others)
    }

    /// A key with a high rate limit.
    pub fn key(&self, words: &[&str]) -> Key {
        self.app.key(&[&["--rate-limit", "1000"], words].concat())
    }

    pub fn command(&self, words: &[&str]) -> Value {
        self.app.program.command(words)
    }

    /// A signed-in browser, at the first server.
    pub async fn admin(&self) -> Browser {
        self.app.person("ana", "tenant-admin");
        self.app.program.signed_in("ana@acme.test").await
    }

    /// Returns one server's answer about a key.
    pub async fn says(&self, node: &Program, surface: Surface, secret: &str, demand: &Demand) -> Verdict {
        self.asker.ask(&node.url, surface, secret, demand).await
    }

    /// Returns the verdicts of all surfaces, requested concurrently.
    pub async fn verdicts(
        &self,
        surfaces: &[Surface],
        secret: &str,
        demand: &Demand,
    ) -> Vec<(String, Surface, Verdict)> {
        let mut asked = JoinSet::new();
        for url in self.nodes().map(|node| node.url.clone()) {
            for surface in surfaces.iter().copied() {
                let (asker, secret, demand, url) = (self.asker.clone(), secret.to_owned(), demand.clone(), url.clone());
                asked.spawn(async move {
                    let verdict = asker.ask(&url, surface, &secret, &demand).await;
                    (url, surface, verdict)
                });
            }
        }
        asked.join_all().await
    }

    /// Asserts that every server accepts the key, and has it cached.
    pub async fn assert_cached(&self, surfaces: &[Surface], secret: &str, demand: &Demand) {
        for _ in 0..OFTEN {
            for (node, surface, verdict) in self.verdicts(surfaces, secret, demand).await {
                assert_eq!(verdict, Verdict::Valid, "{surface:?} at {node}, before the change");
            }
        }
    }

    /// Asserts that every server rejects the key with this reason.
    pub async fn assert_rejected(&self, surfaces: &[Surface], secret: &str, demand: &Demand, change: &str) {
        for (node, surface, verdict) in self.verdicts(surfaces, secret, demand).await {
            assert!(matches!(verdict, Verdict::Refused(_)), "{surface:?} at {node}, after {change}: {verdict:?}");
        }
    }

    /// Asserts that every server accepts the key within a second.
    pub async fn wait_until_admitted(&self, surfaces: &[Surface], secret: &str, change: &str) {
        let changed = Instant::now();
        loop {
            let begun = changed.elapsed();
            let answers = self.verdicts(surfaces, secret, &Demand::default()).await;
            if answers.iter().all(|(.., verdict)| *verdict == Verdict::Valid) {
                return;
            }
            assert!(begun < SOON, "{begun:?} after {change}: {answers:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Asserts that a key accepted by all servers is rejected by all as soon as a command has returned.
    pub async fn assert_revoked(&self, surfaces: &[Surface], secret: &str, demand: &Demand, words: &[&str]) {
        self.assert_cached(surfaces, secret, demand).await;
        self.command(words);
        self.assert_rejected(surfaces, secret, demand, &words.join(" ")).await;
    }
}

impl Asker {
    pub async fn ask(&self, url: &str, surface: Surface, secret: &str, demand: &Demand) -> Verdict {
        let answer = self.answer(url, surface, secret, demand).await;
        if answer.status == 503 {
            answer.refused(503, "unavailable");
            assert_eq!(answer.header("retry-after"), "1");
            return Verdict::Unavailable;
        }
        match surface {
            Surface::Verify => match answer.good()["data"]["code"].as_str().expect("a verdict") {
                "VALID" => Verdict::Valid,
                verdict => Verdict::Refused(verdict.to_owned()),
            },
            _ if answer.status == 200 => Verdict::Valid,
            _ => Verdict::Refused(answer.json()["code"].as_str().expect("a problem").to_owned()),
        }
    }

    async fn answer(&self, url: &str, surface: Surface, secret: &str, demand: &Demand) -> Answer {
        let (permission, property) = ("properties:read", demand.property.as_deref());
        let get = |path: &str| self.client.get(format!("{url}{path}")).bearer_auth(secret);
        Answer::to(match surface {
            Surface::Verify => {
                let question =
                    json!({ "key": secret, "permission": permission, "property": property, "ip": "127.0.0.1" });
                let asked = self.client.post(format!("{url}/api/v1/keys/verify")).bearer_auth(&self.verifier);
                asked.json(&question)
            }
            Surface::Key => get("/api/v1/key"),
            Surface::Properties => get(&format!("/api/v1/properties/{}", property.unwrap_or_default())),
            Surface::Gateway => {
                let named = property.map(|property| format!("&property={property}")).unwrap_or_default();
                get(&format!("/gateway/auth?tenant=acme&permission={permission}{named}"))
            }
        })
        .await
    }
}
