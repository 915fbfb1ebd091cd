//! Verifies keys at all nodes and checks the answers.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use latchkey_client::{Answer, Error, Latchkey, VerifyRequest};
use rand::RngExt;
use secrecy::SecretString;

use super::{
    slots::{Secret, Slots},
    tally::Tally,
};
use crate::{ADDRESS, Result};

/// Longer than any node that holds its lease ever takes: a later answer counts as lost.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// All nodes, as each tenant's verifier asks them.
pub struct Nodes {
    /// By node, then by tenant.
    clients: Vec<Vec<Latchkey>>,
}

impl Nodes {
    pub fn new(urls: &[String], verifiers: &[SecretString]) -> Result<Self> {
        let client = |url: &str, verifier: &SecretString| {
            Ok(Latchkey::builder(url, verifier.clone()).timeout(ANSWER_TIMEOUT).build()?)
        };
        let of_node = |url: &String| verifiers.iter().map(|verifier| client(url, verifier)).collect();
        Ok(Self { clients: urls.iter().map(of_node).collect::<Result<_>>()? })
    }

    /// Asks one node, and notes what is wrong with its answer.
    async fn ask(&self, node: usize, secret: &Secret, tally: &Tally) {
        let question = VerifyRequest::new(secret.text.clone()).permission("reservations:read").ip(ADDRESS);
        let asked = Instant::now();
        match self.clients[node][secret.tenant].verify(&question).await {
            Ok(answer) => {
                if !secret.allows(answer.verdict(), asked) {
                    let (verdict, took) = (answer.verdict(), asked.elapsed().as_millis());
                    let history = secret.history.tell(asked);
                    tally.wrong(format!("node {node} said {verdict} {took} ms after it was asked. {history}"));
                }
                tally.count(key_of(&answer), answer.verdict());
            }
            Err(Error::Unavailable { .. }) => tally.unanswered(),
            Err(error) => tally.wrong(format!("node {node} did not answer: {error}")),
        }
    }

    pub async fn ask_all(&self, secret: &Secret, tally: &Tally) {
        let ask = async |node| self.ask(node, secret, tally).await;
        futures::future::join_all((0..self.clients.len()).map(ask)).await;
    }

    /// Verifies random keys at random nodes, one request after the other, until the time is up.
    pub async fn keep_asking(&self, slots: &Slots, over: &AtomicBool, tally: &Tally) {
        while !over.load(Ordering::Relaxed) {
            let node = rand::rng().random_range(..self.clients.len());
            self.ask(node, &slots.any_secret(), tally).await;
        }
    }

    /// Every node must know the final state of every key.
    pub async fn ask_about_everything(&self, slots: &Slots, tally: &Tally) {
        let secrets = slots.all_secrets();
        let next = AtomicUsize::new(0);
        let ask = async |_| {
            while let Some(secret) = secrets.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.ask_all(secret, tally).await;
            }
        };
        futures::future::join_all((0..super::ASKERS).map(ask)).await;
    }
}

fn key_of(answer: &Answer) -> Option<&str> {
    match answer {
        Answer::Valid(caller) => Some(&caller.key_id),
        Answer::Refused(refusal) => refusal.key_id.as_deref(),
    }
}
