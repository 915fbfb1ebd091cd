//! The file of the secrets that are in a database: how many tenants, one verifier of each, and then the keys, of each
//! tenant in turn. A line has a secret and the key's id.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use domain::id::{Id, KeyId};
use secrecy::SecretString;

use crate::Result;

pub struct Writer(BufWriter<File>);

impl Writer {
    pub fn create(path: &Path, tenants: usize) -> Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
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

/// The keys, without the verifiers.
pub fn read(path: &Path) -> Result<Vec<(SecretString, KeyId)>> {
    let mut lines = BufReader::new(File::open(path)?).lines();
    let tenants: usize = lines.next().ok_or("the file of secrets is empty")??.parse()?;
    lines.skip(tenants).map(|line| parse(&line?)).collect()
}

fn parse(line: &str) -> Result<(SecretString, KeyId)> {
    let (secret, id) = line.split_once(' ').ok_or("a line has a secret and an id")?;
    Ok((secret.to_owned().into(), KeyId::parse(id)?))
}
