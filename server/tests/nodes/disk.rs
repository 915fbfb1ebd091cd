//! A disk that can be filled, and what a command says of a database that cannot be written.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A tmpfs of a few megabytes. Mounting one takes root.
pub struct SmallDisk {
    path: PathBuf,
}

impl SmallDisk {
    pub fn mount(path: &Path, size: &str) -> Self {
        fs::create_dir_all(path).unwrap();
        let options = format!("size={size},mode=777");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(path).status();
        assert!(mounted.unwrap().success(), "run this test as root: it mounts a tmpfs");
        Self { path: path.to_owned() }
    }

    /// Leaves not a byte.
    pub fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        for size in [1 << 16, 1 << 12, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.path.join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.path).status();
    }
}

/// The outcome of a command that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    Done,
    /// Nothing was changed.
    Refused,
    Unknown,
}

impl WriteOutcome {
    pub fn of(output: &Output) -> Self {
        if output.status.success() {
            return Self::Done;
        }
        let refusal: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        let detail = refusal["error"]["detail"].as_str().unwrap();
        match refusal["error"]["code"].as_str().unwrap() {
            "disk_full" | "unavailable" => {
                assert!(detail.contains("Nothing was changed"), "{detail}");
                Self::Refused
            }
            "outcome_unknown" => {
                assert!(detail.contains("Check whether the change took effect"), "{detail}");
                Self::Unknown
            }
            other => panic!("{other}: {detail}"),
        }
    }
}
