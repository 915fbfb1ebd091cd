//! Modes of the files that hold the data: no other account of the machine may reach them.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use rustix::{fs::Mode, process::umask};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
const OTHER_ACCOUNTS: u32 = 0o077;

/// Makes every folder, file and socket that this process creates accessible to its own account only, regardless of the
/// inherited umask. The umask belongs to the whole process, so this runs before any thread starts.
pub fn set_private_umask() {
    umask(Mode::RWXG | Mode::RWXO);
}

/// Returns the path of a file next to the database, such as `latchkey.db.lock`.
pub fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Warns about each existing folder and file of the database that other accounts can reach, as an operator or an
/// older version may have left them.
pub fn warn_about_wide_modes(database: &Path) {
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let files = ["", "-wal", "-shm", ".lock"].map(|suffix| (with_suffix(database, suffix), FILE_MODE));
    for (path, private_mode) in [(folder.to_owned(), FOLDER_MODE)].into_iter().chain(files) {
        let Ok(metadata) = path.metadata() else { continue };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & OTHER_ACCOUNTS != 0 {
            let path = path.display();
            tracing::warn!(
                %path,
                mode = format_args!("{mode:04o}"),
                "other accounts on this machine have access to the database: run chmod {private_mode:o} {path}"
            );
        }
    }
}
