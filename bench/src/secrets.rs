//! The file of the secrets that are in a database: how many tenants, one verifier of each, and then the keys, of each
//! tenant in turn. A line has a secret and the key's id.

use std::{
    fs,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use domain::id::{Id, KeyId};
use secrecy::SecretString;

use crate::Result;

pub struct Writer(BufWriter<fs::File>);

impl Writer {
    pub fn create(path: &Path, tenants: usize) -> Result<Self> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        writeln!(file, "{tenants}")?;
        Ok(Self(file))
    }

    pub fn add(&mut self, secret: &str, id: &str) -> Result<()> {
        Ok(writeln!(self.0, "{secret} {id}")?)
    }

    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}

/// The contents of the file.
pub struct File {
    /// One of each tenant.
    pub verifiers: Vec<SecretString>,
    pub keys: Vec<(SecretString, KeyId)>,
}

impl File {
    pub fn read(path: &Path) -> Result<Self> {
        let mut lines = BufReader::new(fs::File::open(path)?).lines();
        let tenants: usize = lines.next().ok_or("the file of secrets is empty")??.parse()?;
        let mut all: Vec<_> = lines.map(|line| parse(&line?)).collect::<Result<_>>()?;
        let keys = all.split_off(tenants);
        Ok(Self { verifiers: all.into_iter().map(|(secret, _)| secret).collect(), keys })
    }
}

fn parse(line: &str) -> Result<(SecretString, KeyId)> {
    let (secret, id) = line.split_once(' ').ok_or("a line has a secret and an id")?;
    Ok((secret.to_owned().into(), KeyId::parse(id)?))
}
