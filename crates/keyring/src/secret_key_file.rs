//! The file that holds the installation's secret keys, one per line.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use sql::DatabaseUrl;
use store::secret_keys::{ParseSecretKeysError, SecretKeys, generate_secret_key};
use tempfile::NamedTempFile;

const GROUP_ACCESS: u32 = 0o070;
const WORLD_ACCESS: u32 = 0o007;

/// The file that holds the installation's secret keys: one that the operator named, or the one beside an SQLite file.
#[derive(Debug, Clone)]
pub struct SecretKeyFile {
    path: PathBuf,
    is_named: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum SecretKeyFileError {
    #[error(
        "A PostgreSQL database needs a secret key file. Make one with `umask 077; latchkey secret-key generate > FILE`, \
         give every server the same file, and name it with LATCHKEY_SECRET_KEY_FILE or --secret-key-file."
    )]
    Required,
    #[error(
        "The secret key file {0} does not exist. Make it with `umask 077; latchkey secret-key generate > {0}`, or restore \
         the one that belongs to the database."
    )]
    Missing(PathBuf),
    #[error(
        "Every account on this machine can open the secret key file {0}. Restrict it to the account that runs \
         latchkey: `chmod 600 {0}`."
    )]
    WorldAccessible(PathBuf),
    #[error("The secret key file {path} cannot be read: {cause}.")]
    Unreadable { path: PathBuf, cause: io::Error },
    #[error("The secret key file {path} cannot be read: {cause}.")]
    Malformed { path: PathBuf, cause: ParseSecretKeysError },
    #[error("The secret key file {path} cannot be written: {cause}.")]
    Unwritable { path: PathBuf, cause: io::Error },
}

impl SecretKeyFile {
    /// Returns the file that the operator named or, for an SQLite database, `<file>.secret-key`.
    ///
    /// # Errors
    /// If the database is PostgreSQL and no file is named.
    pub fn locate(named: Option<&Path>, database_url: impl Into<DatabaseUrl>) -> Result<Self, SecretKeyFileError> {
        if let Some(path) = named {
            return Ok(Self { path: path.to_owned(), is_named: true });
        }
        let database_url = database_url.into();
        let database = database_url.sqlite_path().ok_or(SecretKeyFileError::Required)?;
        let mut path = database.as_os_str().to_owned();
        path.push(".secret-key");
        Ok(Self { path: path.into(), is_named: false })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the keys, or returns `None` if there is no such file.
    pub(crate) fn read(&self) -> Result<Option<SecretKeys>, SecretKeyFileError> {
        let Some(text) = self.read_text()? else { return Ok(None) };
        self.parse(&text).map(Some)
    }

    /// Makes the file with one new key. The operator makes a file that they named, so that a mistyped path does not
    /// become a new key.
    pub(crate) fn create(&self) -> Result<SecretKeys, SecretKeyFileError> {
        if self.is_named {
            return Err(SecretKeyFileError::Missing(self.path.clone()));
        }
        let text = generate_secret_key();
        let created = write_beside(&self.path, &text).and_then(|file| Ok(file.persist_noclobber(&self.path)?));
        created.and_then(|_| sync_directory(&self.path)).map_err(|cause| self.unwritable(cause))?;
        tracing::info!(file = %self.path.display(), "secret key file created; back it up apart from the database");
        self.parse(&text)
    }

    /// Puts a new key before the others.
    pub(crate) fn add_first(&self) -> Result<SecretKeys, SecretKeyFileError> {
        let rest = self.read_text()?.ok_or_else(|| SecretKeyFileError::Missing(self.path.clone()))?;
        let text = format!("{}\n{}", generate_secret_key().expose_secret(), rest.expose_secret()).into();
        let keys = self.parse(&text)?;
        // A link stays what it is, and the file behind it is replaced.
        let replaced = fs::canonicalize(&self.path).and_then(|path| {
            write_beside(&path, &text)?.persist(&path)?;
            sync_directory(&path)
        });
        replaced.map_err(|cause| self.unwritable(cause))?;
        Ok(keys)
    }

    fn parse(&self, text: &SecretString) -> Result<SecretKeys, SecretKeyFileError> {
        SecretKeys::parse(text).map_err(|cause| SecretKeyFileError::Malformed { path: self.path.clone(), cause })
    }

    fn unwritable(&self, cause: io::Error) -> SecretKeyFileError {
        SecretKeyFileError::Unwritable { path: self.path.clone(), cause }
    }

    fn read_text(&self) -> Result<Option<SecretString>, SecretKeyFileError> {
        let unreadable = |cause| SecretKeyFileError::Unreadable { path: self.path.clone(), cause };
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(unreadable(cause)),
        };
        let mode = file.metadata().map_err(unreadable)?.permissions().mode();
        if mode & WORLD_ACCESS != 0 {
            return Err(SecretKeyFileError::WorldAccessible(self.path.clone()));
        }
        if mode & GROUP_ACCESS != 0 {
            tracing::warn!(file = %self.path.display(), "a group has access to the secret key file");
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        Ok(Some(text.into()))
    }
}

/// Writes a temporary file with mode 0600 in the same directory, and waits until it is on the disk.
fn write_beside(path: &Path, text: &SecretString) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(directory_of(path))?;
    writeln!(file, "{}", text.expose_secret().trim_end())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::{fs::Permissions, os::unix::fs::symlink};

    use tempfile::TempDir;

    use super::*;

    fn beside_database(folder: &TempDir) -> SecretKeyFile {
        SecretKeyFile::locate(None, &format!("sqlite://{}/latchkey.db", folder.path().display())).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn lines(file: &SecretKeyFile) -> Vec<String> {
        fs::read_to_string(&file.path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn file_stands_beside_an_sqlite_database() {
        let file = SecretKeyFile::locate(None, "sqlite://data/latchkey.db").unwrap();
        assert_eq!(file.path(), Path::new("data/latchkey.db.secret-key"));
        let named = SecretKeyFile::locate(Some(Path::new("/run/key")), "sqlite://data/latchkey.db").unwrap();
        assert_eq!(named.path(), Path::new("/run/key"));
        let refused = SecretKeyFile::locate(None, "postgres://127.0.0.1/latchkey");
        assert!(matches!(refused, Err(SecretKeyFileError::Required)));
    }

    #[test]
    fn created_file_is_private_and_never_overwritten() {
        let folder = TempDir::new().unwrap();
        let file = beside_database(&folder);
        assert!(file.read().unwrap().is_none());
        let created = file.create().unwrap();
        assert_eq!((lines(&file).len(), mode(file.path())), (1, 0o600));
        assert_eq!(file.read().unwrap().unwrap().first_id(), created.first_id());
        assert!(matches!(file.create(), Err(SecretKeyFileError::Unwritable { .. })));
        assert_eq!(file.read().unwrap().unwrap().first_id(), created.first_id());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left behind");
    }

    #[test]
    fn missing_file_that_was_named_is_not_created() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("key");
        let file = SecretKeyFile::locate(Some(&path), "sqlite://data/latchkey.db").unwrap();
        assert!(matches!(file.create(), Err(SecretKeyFileError::Missing(_))));
        assert!(!path.exists());
    }

    #[test]
    fn new_first_key_keeps_the_others() {
        let folder = TempDir::new().unwrap();
        let file = beside_database(&folder);
        file.create().unwrap();
        let before = lines(&file);
        let link = folder.path().join("link");
        symlink(file.path(), &link).unwrap();
        let linked = SecretKeyFile::locate(Some(&link), "postgres://127.0.0.1/latchkey").unwrap();
        let keys = linked.add_first().unwrap();
        assert_eq!(lines(&file)[1..], before);
        assert_eq!(file.read().unwrap().unwrap().first_id(), keys.first_id());
        assert_eq!(mode(file.path()), 0o600);
        assert!(link.is_symlink());
    }

    #[test]
    fn file_that_every_account_can_open_is_refused() {
        let folder = TempDir::new().unwrap();
        let file = beside_database(&folder);
        file.create().unwrap();
        for (mode, is_refused) in [(0o604, true), (0o602, true), (0o644, true), (0o640, false), (0o400, false)] {
            fs::set_permissions(file.path(), Permissions::from_mode(mode)).unwrap();
            let refused = matches!(file.read(), Err(SecretKeyFileError::WorldAccessible(_)));
            assert_eq!(refused, is_refused, "{mode:o}");
        }
    }

    #[test]
    fn error_about_a_malformed_file_does_not_contain_its_text() {
        let folder = TempDir::new().unwrap();
        let file = beside_database(&folder);
        file.create().unwrap();
        fs::write(file.path(), "a key that was cut").unwrap();
        let error = file.read().err().unwrap().to_string();
        assert!(error.contains("line 1") && !error.contains("was cut"), "{error}");
    }
}
