//! The URL of a database, which contains its password.

use std::{
    io,
    path::{Path, PathBuf},
};

const SQLITE: &str = "sqlite://";

/// The URL of a database, and the file that it was read from.
#[derive(Clone)]
pub struct DatabaseUrl {
    text: String,
    file: Option<PathBuf>,
}

impl From<&str> for DatabaseUrl {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), file: None }
    }
}

impl From<&String> for DatabaseUrl {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&Self> for DatabaseUrl {
    fn from(url: &Self) -> Self {
        url.clone()
    }
}

impl DatabaseUrl {
    /// Reads the URL from the first line of a file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(file: PathBuf) -> io::Result<Self> {
        Ok(Self { text: first_line(&file)?, file: Some(file) })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the path of the SQLite file, if the URL names one.
    #[must_use]
    pub fn sqlite_path(&self) -> Option<&Path> {
        let path = self.text.strip_prefix(SQLITE)?;
        Some(Path::new(path.split('?').next().unwrap_or(path)))
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.text.starts_with("postgres://") || self.text.starts_with("postgresql://")
    }

    /// Reads the file again. Returns the URL if it has changed.
    pub(crate) fn reread(&self) -> io::Result<Option<Self>> {
        let Some(file) = &self.file else { return Ok(None) };
        let text = first_line(file)?;
        Ok((text != self.text).then(|| Self { text, file: Some(file.clone()) }))
    }
}

fn first_line(file: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(file)?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
