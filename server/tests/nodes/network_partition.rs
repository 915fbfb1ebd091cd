//! A proxy between a server and its database. Its connections can fall silent without closing, or break during a
//! commit.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
};

use reqwest::Url;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf},
    sync::watch,
};

pub struct Wire {
    pub url: String,
    silence: watch::Sender<()>,
    commits: Commits,
}

/// The message that is lost when a connection breaks during a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostCommit {
    /// The database commits, and its answer does not arrive.
    Answer,
    /// The database never receives it.
    Request,
}

/// The next commit to lose, and the text that identifies its transaction.
#[derive(Clone, Default)]
struct Commits(Arc<Mutex<Option<(String, LostCommit)>>>);

impl Wire {
    pub async fn to(url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let end = (Ipv4Addr::LOCALHOST, url.port().unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (silence, commits) = (watch::Sender::new(()), Commits::default());
        let (heard, lost) = (silence.clone(), commits.clone());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, TcpStream::connect(end).await.unwrap(), heard.subscribe(), lost.clone()));
            }
        });
        Self { url: url.to_string(), silence, commits }
    }

    /// For all that is connected now. What connects from now on is carried.
    pub fn fall_silent(&self) {
        self.silence.send_replace(());
    }

    /// Breaks the connection on which a transaction with this text is committed next.
    pub fn lose_commit(&self, words: &str, lost: LostCommit) {
        *self.commits.0.lock().unwrap() = Some((words.to_owned(), lost));
    }
}

impl Commits {
    /// Returns the message to lose of the commit that ends this transaction.
    fn take(&self, transaction: &[u8]) -> Option<LostCommit> {
        let mut next = self.0.lock().unwrap();
        let is_meant = next.as_ref().is_some_and(|(words, _)| contains(transaction, words.as_bytes()));
        if is_meant { next.take().map(|(_, lost)| lost) } else { None }
    }
}

async fn carry(near: TcpStream, far: TcpStream, mut silence: watch::Receiver<()>, commits: Commits) {
    let ((near_reads, mut near_writes), (mut far_reads, mut far_writes)) = (near.into_split(), far.into_split());
    let lost = {
        let answers = copy(&mut far_reads, &mut near_writes);
        tokio::select! {
            lost = carry_requests(near_reads, &mut far_writes, &commits) => lost.ok().flatten(),
            _ = answers => None,
            // Neither end hears that the other has gone.
            _ = silence.changed() => std::future::pending().await,
        }
    };
    if lost == Some(LostCommit::Answer) {
        // The database has committed once it says something.
        let _ = far_writes.write_all(COMMIT).await;
        let _ = far_reads.read(&mut [0; 1]).await;
    }
}

/// A commit as it is sent: a simple query, its length, and its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Passes on what a client sends, up to the commit that is to be lost.
async fn carry_requests(
    mut near: OwnedReadHalf,
    far: &mut (impl AsyncWriteExt + Unpin),
    commits: &Commits,
) -> io::Result<Option<LostCommit>> {
    let mut buffer = vec![0; 1 << 16];
    let mut transaction = Vec::new();
    loop {
        let length = near.read(&mut buffer).await?;
        if length == 0 {
            return Ok(None);
        }
        let sent = &buffer[..length];
        transaction.extend_from_slice(sent);
        if sent.ends_with(COMMIT) {
            if let Some(lost) = commits.take(&transaction) {
                far.write_all(&sent[..length - COMMIT.len()]).await?;
                return Ok(Some(lost));
            }
            transaction.clear();
        }
        far.write_all(sent).await?;
    }
}

fn contains(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}
