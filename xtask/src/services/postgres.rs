use super::service::{Kind, Service};
use crate::{Result, process};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// PostgreSQL refuses to run as root. The Debian package makes this user.
const USER: &str = "postgres";

const START: &str = r#"
"$1" -D "$3" -A trust -U latchkey --no-sync -E UTF8 --locale=C.UTF-8 &&
exec "$2" -D "$3" -p "$4" -h 127.0.0.1 -k '' -c fsync=off -c synchronous_commit=off \
    -c full_page_writes=off -c max_connections=200 -c timezone=UTC
"#;

pub struct Postgres(Service);

impl Postgres {
    pub fn start() -> Result<Self> {
        let programs = Programs::find().ok_or("PostgreSQL is missing: there is no `initdb` and `postgres`")?;
        let cluster = Cluster { programs, as_root: process::is_root() };
        Service::start(&cluster).map(Self)
    }

    pub fn url(&self) -> String {
        format!("postgres://latchkey@127.0.0.1:{}/postgres", self.0.port())
    }
}

/// The two programs of the newest PostgreSQL there is. Debian keeps them off the path.
pub struct Programs {
    initdb: PathBuf,
    postgres: PathBuf,
}

impl Programs {
    pub fn find() -> Option<Self> {
        Self::of_debian().or_else(|| {
            Some(Self { initdb: process::find_program("initdb")?, postgres: process::find_program("postgres")? })
        })
    }

    fn of_debian() -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        versions
            .flatten()
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let bin = entry.path().join("bin");
                let programs = Self { initdb: bin.join("initdb"), postgres: bin.join("postgres") };
                let whole = programs.initdb.is_file() && programs.postgres.is_file();
                whole.then_some((version, programs))
            })
            .max_by_key(|(version, _)| *version)
            .map(|(_, programs)| programs)
    }
}

struct Cluster {
    programs: Programs,
    as_root: bool,
}

impl Kind for Cluster {
    const NAME: &'static str = "PostgreSQL";
    const PREFERRED_PORT: u16 = 54329;
    const SIGNAL: &'static str = "INT";

    fn prepare(&self, directory: &Path) -> Result<()> {
        if self.as_root && !process::succeeds(Command::new("chown").arg(USER).arg(directory)) {
            return Err(format!("PostgreSQL does not run as root, and there is no user `{USER}` to run it: make one, or run this as yourself").into());
        }
        Ok(())
    }

    fn words(&self, directory: &Path, port: u16) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        if self.as_root {
            words.extend(["setpriv", "--reuid", USER, "--regid", USER, "--init-groups"].map(Into::into));
        }
        words.extend(["sh", "-c", START, "start"].map(Into::into));
        words.push(self.programs.initdb.clone().into());
        words.push(self.programs.postgres.clone().into());
        words.push(directory.join("data").into());
        words.push(port.to_string().into());
        words
    }

    /// The last line of this file is the server's own word, so that no other server on the port can answer for it.
    fn is_ready(&self, directory: &Path) -> bool {
        fs::read_to_string(directory.join("data/postmaster.pid"))
            .is_ok_and(|lines| lines.lines().nth(7).is_some_and(|status| status.trim() == "ready"))
    }
}
