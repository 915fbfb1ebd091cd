//! The tools behind `cargo xtask bench` and `cargo xtask soak`: a baseline to compare with, databases full of keys,
//! measurements inside the process, and the checker of the soak test.

mod bare;
mod disturb;
mod fill;
mod inside;
mod revoke;
mod secrets;
mod soak;

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use clap::{Parser, Subcommand};
use domain::secret::Product;
use keyring::{Clock, Database, Keyring, SecretKeyFile};
use mimalloc::MiMalloc;

/// The one that the server has, so that it is not what makes the difference.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// From where all keys are said to be used.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    words: Words,
}

#[derive(Subcommand)]
enum Words {
    /// Serve answers that were taken from Latchkey, by axum and nothing else
    Bare {
        #[arg(long)]
        addr: SocketAddr,
        #[arg(long)]
        answers: PathBuf,
    },
    /// Fill a database with tenants and keys, and write down the secrets
    Fill {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        keys: usize,
    },
    /// Time the engine's own function, with all keys in memory
    Inside {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        keys: usize,
        #[arg(long)]
        calls: usize,
    },
    /// Verify cached keys while others are revoked
    Disturb {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        keys: usize,
    },
    /// Time revocations, the last keys of the file first
    Revoke {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        keys: usize,
    },
    /// Ask nodes about keys while these change, and write down what was answered
    Soak {
        #[command(flatten)]
        place: Place,
        /// The address of a node, as often as there are nodes
        #[arg(long)]
        node: Vec<String>,
        #[arg(long)]
        seconds: u64,
        #[arg(long)]
        report: PathBuf,
    },
    /// Hold what the nodes have counted against what was answered
    Counts {
        #[arg(long)]
        database_url: String,
        #[arg(long)]
        report: PathBuf,
        /// Other processes used the processors, so some requests stayed unanswered
        #[arg(long)]
        starved: bool,
    },
}

/// A database, and the file with the secrets that are in it.
#[derive(clap::Args)]
struct Place {
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    secrets: PathBuf,
}

impl Place {
    async fn open(&self) -> Result<Keyring> {
        open(&self.database_url).await
    }
}

async fn open(database_url: &str) -> Result<Keyring> {
    let named = std::env::var_os("LATCHKEY_SECRET_KEY_FILE").map(PathBuf::from);
    let secret_keys = SecretKeyFile::locate(named.as_deref(), database_url)?;
    let database = Database::open(database_url).await?;
    migrations::apply(database.connection()).await?;
    Ok(Keyring::open(database, secret_keys, Product::parse("lk")?, Clock::System).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().words {
        Words::Bare { addr, answers } => bare::serve(addr, &answers).await,
        Words::Fill { place, keys } => fill::fill(&place.open().await?, &place.secrets, keys).await,
        Words::Inside { place, keys, calls } => {
            print(&inside::measure(&place.open().await?, &place.secrets, keys, calls).await?)
        }
        Words::Disturb { place, keys } => print(&disturb::measure(&place.open().await?, &place.secrets, keys).await?),
        Words::Revoke { place, keys } => print(&revoke::measure(&place.open().await?, &place.secrets, keys).await?),
        Words::Soak { place, node, seconds, report } => {
            soak::run(&place.open().await?, &place.secrets, &node, seconds, &report).await
        }
        Words::Counts { database_url, report, starved } => {
            soak::check_counts(&open(&database_url).await?, &report, starved).await
        }
    }
}

fn print(figures: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
