//! What `cargo xtask bench` needs beside the program that it measures: something to compare it with, databases full of
//! keys, and measurements that are not taken over HTTP.

mod bare;
mod fill;
mod inside;
mod revoke;
mod secrets;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::{Parser, Subcommand};
use domain::secret::Product;
use keyring::{Clock, Database, Keyring};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

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
    /// Time revocations, the last keys of the file first
    Revoke {
        #[command(flatten)]
        place: Place,
        #[arg(long)]
        keys: usize,
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
        let database = Database::open(&self.database_url).await?;
        migrations::apply(database.connection()).await?;
        Ok(Keyring::new(database, Product::parse("lk")?, Clock::Machine))
    }

    fn secrets(&self) -> &Path {
        &self.secrets
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().words {
        Words::Bare { addr, answers } => bare::serve(addr, &answers).await,
        Words::Fill { place, keys } => fill::fill(&place.open().await?, place.secrets(), keys).await,
        Words::Inside { place, keys, calls } => {
            print(&inside::measure(&place.open().await?, place.secrets(), keys, calls).await?)
        }
        Words::Revoke { place, keys } => print(&revoke::measure(&place.open().await?, place.secrets(), keys).await?),
    }
}

fn print(figures: &impl serde::Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(figures)?);
    Ok(())
}
