//! Asking as fast as answers come, and what came of it.

use super::machine::undisturbed;
use crate::{Result, harness::Program, process};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const CONNECTIONS: u64 = 32;

/// A slow response is still counted; it shows in the maximum.
const LOAD_TIMEOUT: &str = "30s";

/// Enough keys for some seconds of load without reaching a rate limit.
const ENOUGH_KEYS: u64 = 5_000;

/// The request, and the expected answer for each key.
#[derive(Clone, Copy)]
pub struct Surface {
    pub name: &'static str,
    /// The name of the request in the script.
    ask: &'static str,
    pub path: &'static str,
    /// The path of the baseline program that returns the same response.
    pub bare_path: &'static str,
    verdict: &'static str,
}

pub const VERIFY_PATH: Surface = Surface {
    name: "verify, key in memory",
    ask: "verify",
    path: "/api/v1/keys/verify",
    bare_path: "/api/v1/keys/verify",
    verdict: "VALID",
};
pub const ABSENT: Surface = Surface { name: "verify, key not in memory yet", ..VERIFY_PATH };
pub const MALFORMED: Surface = Surface {
    name: "verify, malformed key",
    ask: "malformed",
    bare_path: "/api/v1/keys/verify/malformed",
    verdict: "MALFORMED",
    ..VERIFY_PATH
};
pub const FORWARD_AUTH: Surface = Surface {
    name: "forward-auth",
    ask: "key",
    path: "/gateway/auth?permission=reservations:read",
    bare_path: "/gateway/auth?permission=reservations:read",
    verdict: "VALID",
};
pub const OWN_KEY: Surface =
    Surface { name: "`GET /api/v1/key`", path: "/api/v1/key", bare_path: "/api/v1/key", ..FORWARD_AUTH };

impl Surface {
    /// The same, as it is asked of the bare program.
    pub fn on_bare(self) -> Self {
        Self { path: self.bare_path, ..self }
    }
}

/// The program that asks, with the file of the secrets that it asks with.
pub struct Generator {
    script: PathBuf,
    pub secrets: PathBuf,
}

/// One round of asking.
#[derive(Clone)]
pub struct Round {
    /// Answers that came.
    pub requests: u64,
    /// Questions that were put: those of the last moment were not waited for.
    pub issued: u64,
    pub a_second: f64,
    pub p50: f64,
    pub p99: f64,
    /// Microseconds of processor time that the program took for each request.
    pub processor: f64,
    pub wrong: Option<String>,
}

impl Generator {
    pub fn new(directory: &Path, secrets: PathBuf) -> Result<Self> {
        let script = directory.join("ask.lua");
        fs::write(&script, include_str!("ask.lua"))?;
        Ok(Self { script, secrets })
    }

    /// Asks Latchkey with these keys, and looks whether all answers were right.
    pub fn latchkey(
        &self,
        program: &Program,
        surface: Surface,
        keys: std::ops::Range<u64>,
        seconds: u32,
    ) -> Result<Round> {
        let before = program.verdicts()?;
        let mut round = self.round(program, surface, keys, seconds)?;
        let after = program.verdicts()?;
        let more = |verdict: &str| after.get(verdict).unwrap_or(&0) - before.get(verdict).unwrap_or(&0);
        // The verifier's own key is counted as valid as well.
        let others: u64 =
            after.keys().filter(|name| *name != "VALID" && *name != surface.verdict).map(|name| more(name)).sum();
        if round.wrong.is_none() && (others > 0 || more(surface.verdict) < round.requests) {
            let said = after.keys().map(|verdict| format!("{verdict} {}", more(verdict))).collect::<Vec<_>>();
            round.wrong =
                Some(format!("{}: {} answers, but verdicts {}", surface.name, round.requests, said.join(", ")));
        }
        Ok(round)
    }

    pub fn round(
        &self,
        program: &Program,
        surface: Surface,
        keys: std::ops::Range<u64>,
        seconds: u32,
    ) -> Result<Round> {
        let processor = program.processor_time()?;
        let printed = process::read_output(
            Command::new("wrk")
                .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
                .args(["--duration", &format!("{seconds}s"), "--timeout", LOAD_TIMEOUT, "--script"])
                .arg(&self.script)
                .arg(format!("http://{}", program.address))
                .arg("--")
                .arg(&self.secrets)
                .args([surface.ask, surface.path, &keys.start.to_string(), &keys.end.to_string()]),
        )?;
        let processor = program.processor_time()? - processor;
        let line = printed.lines().last().ok_or("wrk printed nothing")?;
        Ok(Round::read(surface, &serde_json::from_str(line)?, processor))
    }

    /// Verifies each of these keys once, in rounds of this many seconds, so that they are cached. Returns the rate per
    /// second.
    pub fn warm(&self, program: &Program, keys: std::ops::Range<u64>, seconds: u32) -> Result<f64> {
        let (mut from, mut rates) = (keys.start, Vec::new());
        while from < keys.end {
            let round = undisturbed(|| {
                // The last few would exceed their rate limits.
                let enough = from.min(keys.end.saturating_sub(ENOUGH_KEYS)).max(keys.start);
                let round = self.latchkey(program, VERIFY_PATH, enough..keys.end, seconds)?;
                // The last requests may not have been answered.
                from = enough + round.issued.saturating_sub(2 * CONNECTIONS);
                round.wrong.clone().map_or(Ok(round), |wrong| Err(wrong.into()))
            })?;
            rates.push(round.a_second);
        }
        Ok(rates.iter().sum::<f64>() / rates.len() as f64)
    }
}

impl Round {
    fn read(surface: Surface, said: &Value, processor: f64) -> Self {
        let whole = |name: &str| said[name].as_u64().unwrap_or_default();
        let number = |name: &str| said[name].as_f64().unwrap_or_default();
        let (failed, refused, requests) = (whole("failed"), whole("refused"), whole("requests"));
        let bad = failed + refused > 0 || requests == 0;
        Self {
            requests,
            issued: whole("issued"),
            a_second: requests as f64 / number("seconds"),
            p50: number("p50_ms"),
            p99: number("p99_ms"),
            processor: processor * 1e6 / requests as f64,
            wrong: bad.then(|| {
                format!("{}: {requests} answers, {refused} of them refusals, and {failed} errors", surface.name)
            }),
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "requests": self.requests, "a_second": self.a_second, "p50_ms": self.p50, "p99_ms": self.p99,
            "processor_us": self.processor,
        })
    }
}
