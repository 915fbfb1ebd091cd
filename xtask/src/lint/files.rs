//! The files of the repository.

use std::{fs, path::PathBuf};

use crate::{Result, Workspace, process};

/// A text file, by its path below the root.
pub struct TextFile {
    pub path: PathBuf,
    pub text: String,
}

/// Returns the files with one of these extensions, without those that git ignores.
pub fn text_files(workspace: &Workspace, extensions: &[&str]) -> Result<Vec<TextFile>> {
    let mut git = std::process::Command::new("git");
    git.current_dir(&workspace.root).args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"]);
    let listed = process::read_output(&mut git)?;
    let mut files = Vec::new();
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let path = PathBuf::from(name);
        let is_wanted = path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted));
        // A file that was deleted is listed until the deletion is staged.
        if is_wanted && let Ok(text) = fs::read_to_string(workspace.root.join(&path)) {
            files.push(TextFile { path, text });
        }
    }
    Ok(files)
}

/// Fails with all complaints, if there are any.
pub fn report(complaints: &[String]) -> Result<()> {
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n").into()) }
}
