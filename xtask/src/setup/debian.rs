use super::browser;
use crate::{Result, process, services};
use std::{path::Path, process::Command};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Chromium,
    Postgres,
    Redis,
    /// Python with its `venv` module.
    Python,
    /// Runs one of the documentation's examples, as Python and Node.js do.
    Curl,
    Nginx,
    Haproxy,
    Caddy,
    Apache,
    /// The module mod_auth_openidc of Apache httpd.
    ApacheOpenidc,
    /// A library that a script of Apache httpd uses.
    LuaSocket,
    /// Asks as fast as answers come.
    Wrk,
    /// Counts instructions.
    Valgrind,
    /// Compiles libFuzzer.
    Cxx,
    /// Sends signals.
    Kill,
    /// Backs up a database, as the operations guide does.
    Sqlite,
    /// Checks the unit.
    Systemd,
    Logrotate,
    /// Checks the metrics.
    Prometheus,
    /// Brings up the network of a test that has one of its own.
    Ip,
    /// Compiles a client.
    Java,
    /// Three libraries that the generated client in Java uses.
    JavaAnnotations,
    JavaNullness,
    JavaMultipart,
    /// Without a font, a headless browser draws boxes.
    Fonts,
}

impl Tool {
    fn is_met(self) -> bool {
        match self {
            Self::Chromium => browser::installed().is_some(),
            Self::Postgres => services::PostgresPrograms::find().is_some(),
            Self::Redis => services::redis_program().is_some(),
            Self::Python => super::python::is_installed(),
            Self::Curl => is_there("curl"),
            Self::Nginx => is_there("nginx"),
            Self::Haproxy => is_there("haproxy"),
            Self::Caddy => is_there("caddy"),
            Self::Apache => is_there("apache2"),
            Self::ApacheOpenidc => Path::new("/usr/lib/apache2/modules/mod_auth_openidc.so").is_file(),
            Self::LuaSocket => Path::new("/usr/share/lua/5.3/socket.lua").is_file(),
            Self::Wrk => is_there("wrk"),
            Self::Valgrind => is_there("valgrind"),
            Self::Cxx => is_there("c++"),
            Self::Kill => is_there("kill"),
            Self::Sqlite => is_there("sqlite3"),
            Self::Systemd => is_there("systemd-analyze"),
            Self::Logrotate => is_there("logrotate"),
            Self::Prometheus => is_there("promtool"),
            Self::Ip => is_there("ip"),
            Self::Java => is_there("javac"),
            Self::JavaAnnotations => is_jar("geronimo-annotation-1.3-spec"),
            Self::JavaNullness => is_jar("jsr305"),
            Self::JavaMultipart => is_jar("httpmime"),
            Self::Fonts => has_fonts(),
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Chromium => "chromium-headless-shell",
            Self::Postgres => "postgresql",
            Self::Redis => "redis-server",
            Self::Python => "python3-venv",
            Self::Curl => "curl",
            Self::Nginx => "nginx-light",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
            Self::Apache => "apache2",
            Self::ApacheOpenidc => "libapache2-mod-auth-openidc",
            Self::LuaSocket => "lua-socket",
            Self::Wrk => "wrk",
            Self::Valgrind => "valgrind",
            Self::Cxx => "g++",
            Self::Kill => "procps",
            Self::Sqlite => "sqlite3",
            Self::Systemd => "systemd",
            Self::Logrotate => "logrotate",
            Self::Prometheus => "prometheus",
            Self::Ip => "iproute2",
            Self::Java => "default-jdk-headless",
            Self::JavaAnnotations => "libgeronimo-annotation-1.3-spec-java",
            Self::JavaNullness => "libjsr305-java",
            Self::JavaMultipart => "libhttpmime-java",
            Self::Fonts => "fonts-dejavu-core",
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Chromium => "Chromium",
            Self::Postgres => "PostgreSQL (`initdb` and `postgres`)",
            Self::Redis => "Redis (`redis-server`)",
            Self::Python => "Python 3 with `venv`",
            Self::Curl => "curl",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Caddy => "Caddy",
            Self::Apache => "Apache httpd (`apache2`)",
            Self::ApacheOpenidc => "mod_auth_openidc",
            Self::LuaSocket => "LuaSocket for Lua 5.3",
            Self::Wrk => "wrk",
            Self::Valgrind => "Valgrind",
            Self::Cxx => "a C++ compiler",
            Self::Kill => "`kill`",
            Self::Sqlite => "SQLite (`sqlite3`)",
            Self::Systemd => "systemd (`systemd-analyze`)",
            Self::Logrotate => "logrotate",
            Self::Prometheus => "Prometheus (`promtool`)",
            Self::Ip => "`ip`",
            Self::Java => "a Java compiler",
            Self::JavaAnnotations => "geronimo-annotation-1.3-spec.jar in /usr/share/java",
            Self::JavaNullness => "jsr305.jar in /usr/share/java",
            Self::JavaMultipart => "httpmime.jar in /usr/share/java",
            Self::Fonts => "a font",
        }
    }
}

pub fn programs(tools: &[Tool]) -> Result<()> {
    let missing: Vec<Tool> = tools.iter().copied().filter(|tool| !tool.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let prefix = privilege(&missing)?;
    let outcome = install(prefix, &missing);
    if outcome.is_err() && missing.contains(&Tool::Chromium) {
        // Not every Debian release has a Chromium package. Playwright can bring one once it is installed.
        let rest: Vec<Tool> = missing.into_iter().filter(|tool| *tool != Tool::Chromium).collect();
        return if rest.is_empty() { Ok(()) } else { install(prefix, &rest) };
    }
    outcome
}

/// Debian installs servers outside the `PATH`.
fn is_there(program: &str) -> bool {
    process::find_program(program).is_some() || Path::new("/usr/sbin").join(program).is_file()
}

fn is_jar(name: &str) -> bool {
    // The name may contain dots.
    Path::new("/usr/share/java").join(format!("{name}.jar")).is_file()
}

fn has_fonts() -> bool {
    Path::new("/usr/share/fonts/truetype/dejavu").is_dir()
        || process::read_output(&mut Command::new("fc-list")).is_ok_and(|list| !list.trim().is_empty())
}

/// Returns the command prefix that allows installing, or the command that the user has to run.
fn privilege(missing: &[Tool]) -> Result<&'static [&'static str]> {
    if process::find_program("apt-get").is_none() {
        let programs: Vec<_> = missing.iter().map(|tool| tool.program()).collect();
        return Err(format!("Install what is missing and run this again: {}", programs.join(", ")).into());
    }
    if process::is_root() {
        return Ok(&[]);
    }
    if process::succeeds(Command::new("sudo").args(["-n", "true"])) {
        return Ok(&["sudo", "-n"]);
    }
    Err(format!("Install what is missing and run this again: sudo apt-get install {}", packages(missing).join(" "))
        .into())
}

fn install(prefix: &[&str], missing: &[Tool]) -> Result<()> {
    let packages = packages(missing);
    eprintln!("Installing {}", packages.join(", "));
    let script = ["sh", "-c", include_str!("install.sh"), "install"];
    let words: Vec<&str> = prefix.iter().copied().chain(script).chain(packages.iter().copied()).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]);
    let status = command.status().map_err(|error| process::not_started(&command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("The packages could not be installed, and apt-get says above why. Needed: {}", packages.join(" "))
        .into())
}

fn packages(missing: &[Tool]) -> Vec<&'static str> {
    missing.iter().map(|tool| tool.package()).collect()
}
