//! The tools behind `cargo xtask bench` and `cargo xtask soak`: a baseline to compare with, databases full of keys,
//! measurements inside the process, and the checker of the soak test.

mod baseline;
mod fill;
mod in_process;
mod interference;
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
static GLOBAL: MiMalloc = MiMalloc;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The client address of every request.
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Replay recorded responses of Latchkey from a bare axum server
    Baseline {
        #[arg(long)]
        addr: SocketAddr,
        #[arg(long)]
        answers: PathBuf,
    },
    /// Fill a database with tenants and keys, and write their secrets to a file
    Fill {
        #[command(flatten)]
        database: DatabaseArgs,
        #[arg(long)]
        keys: usize,
    },
    /// Time the evaluator inside the process, with all keys cached
    InProcess {
        #[command(flatten)]
        database: DatabaseArgs,
        #[arg(long)]
        keys: usize,
        #[arg(long)]
        calls: usize,
    },
    /// Verify cached keys while others are revoked
    Interference {
        #[command(flatten)]
        database: DatabaseArgs,
        #[arg(long)]
        keys: usize,
    },
    /// Time revocations, the last keys of the file first
    Revoke {
        #[command(flatten)]
        database: DatabaseArgs,
        #[arg(long)]
        keys: usize,
    },
    /// Verify keys on several nodes while they change, and write a report
    Soak {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The address of a node, as often as there are nodes
        #[arg(long)]
        node: Vec<String>,
        #[arg(long)]
        seconds: u64,
        #[arg(long)]
        report: PathBuf,
    },
    /// Compare the usage counts in the database with the answers
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
struct DatabaseArgs {
    #[arg(long)]
    database_url: String,
    #[arg(long)]
    secrets: PathBuf,
}

impl DatabaseArgs {
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
    match Cli::parse().command {
        Command::Baseline { addr, answers } => baseline::serve(addr, &answers).await,
        Command::Fill { database, keys } => fill::fill(&database.open().await?, &database.secrets, keys).await,
        Command::InProcess { database, keys, calls } => {
            print(&in_process::measure(&database.open().await?, &database.secrets, keys, calls).await?)
        }
        Command::Interference { database, keys } => {
            print(&interference::measure(&database.open().await?, &database.secrets, keys).await?)
        }
        Command::Revoke { database, keys } => {
            print(&revoke::measure(&database.open().await?, &database.secrets, keys).await?)
        }
        Command::Soak { database, node, seconds, report } => {
            soak::run(&database.open().await?, &database.secrets, &node, seconds, &report).await
        }
        Command::Counts { database_url, report, starved } => {
            soak::check_counts(&open(&database_url).await?, &report, starved).await
        }
    }
}

fn print(figures: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
