//! The secret key of throwaway databases.

use crate::Result;
use std::{fs::File, io::Write, os::unix::fs::OpenOptionsExt, path::Path, process::Command};

const VARIABLE: &str = "LATCHKEY_SECRET_KEY_FILE";
/// Any 32 bytes will do: nothing that it encrypts is secret.
const KEY: &str = "bm90aGluZyBpcyBzZWNyZXQgaW4gdGhlc2UgdGVzdHM=";

/// Names a secret key file for a database of PostgreSQL's, which needs one: it stands beside the program that is run.
/// For a database of SQLite's the program makes its own.
pub fn name(command: &mut Command, database_url: &str) -> Result<()> {
    if !database_url.starts_with("postgres://") {
        return Ok(());
    }
    let path = Path::new(command.get_program()).with_file_name("secret-key-of-trials");
    File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?.write_all(KEY.as_bytes())?;
    command.env(VARIABLE, path);
    Ok(())
}
