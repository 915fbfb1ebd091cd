//! Every surface beside a baseline route that reads and returns the same bytes.

use super::{
    Bench,
    load::{ABSENT, FORWARD_AUTH, Generator, MALFORMED, OWN_KEY, Round, Surface, VERIFY_PATH},
    machine::undisturbed,
    revocations::Revoker,
    table::{Row, json_of, median, rate},
};
use crate::{
    Result,
    harness::{self, Answer, DEFAULT_MEMORY_MIB, Program},
};
use serde_json::{Value, json};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

/// These are in memory; all that follow are not.
const IN_MEMORY: Range<u64> = 0..20_000;
/// The number of uncached keys that can be verified in one round.
const NEVER_SEEN: u64 = 25_000;
const FIRST_TOUCH_SECONDS: u32 = 1;
const WARMING_SECONDS: u32 = 2;
const MAX_REVOKED: usize = 1_000;

pub fn measure(bench: &mut Bench, database_url: &str, secrets: PathBuf) -> Result<()> {
    let generator = Generator::new(bench.directory(), secrets)?;
    let latchkey = Program::latchkey(&bench.programs.latchkey, database_url, DEFAULT_MEMORY_MIB)?;
    generator.warm(&latchkey, IN_MEMORY, WARMING_SECONDS)?;
    let baseline = Program::baseline(&bench.programs.bench, &samples(bench.directory(), &latchkey, &generator)?)?;
    let pair = Pair { latchkey, baseline, generator };
    for surface in [VERIFY_PATH, MALFORMED, FORWARD_AUTH, OWN_KEY] {
        pair.surface(bench, surface)?;
    }
    pair.first_touch(bench)?;
    pair.revoking(bench, database_url)?;
    let memory = pair.latchkey.memory()?;
    bench.add(Row::alone("memory after these runs", format!("{memory:.0} MB"), json!(memory)));
    pair.latchkey.stop()
}

struct Pair {
    latchkey: Program,
    baseline: Program,
    generator: Generator,
}

impl Pair {
    fn surface(&self, bench: &mut Bench, surface: Surface) -> Result<()> {
        let seconds = bench.plan.seconds;
        let rounds = self.rounds(bench, surface, seconds, |_| IN_MEMORY)?;
        let row = compared(surface.name, &rounds);
        let [throughput, p99] = ratios(&rounds);
        let met = throughput >= 0.9 && p99 <= 1.2;
        let has_budget = surface.name == VERIFY_PATH.name;
        bench.add(if has_budget { row.with_budget("at least 0.90; p99 at most 1.2 times", met) } else { row });
        Ok(())
    }

    fn first_touch(&self, bench: &mut Bench) -> Result<()> {
        let unseen = |round: u64| IN_MEMORY.end + round * NEVER_SEEN..IN_MEMORY.end + (round + 1) * NEVER_SEEN;
        let rounds = self.rounds(bench, ABSENT, FIRST_TOUCH_SECONDS, unseen)?;
        if rounds.iter().any(|(latchkey, _)| latchkey.issued > NEVER_SEEN) {
            bench.wrong.push(format!("{}: some were asked about twice", ABSENT.name));
        }
        bench.add(compared(ABSENT.name, &rounds));
        Ok(())
    }

    /// One after the other, while the other one is held.
    fn rounds(
        &self,
        bench: &mut Bench,
        surface: Surface,
        seconds: u32,
        keys: impl Fn(u64) -> Range<u64>,
    ) -> Result<Vec<(Round, Round)>> {
        let (mut rounds, mut number) = (Vec::new(), 0);
        while rounds.len() < bench.plan.rounds as usize {
            rounds.push(undisturbed(|| {
                let keys = keys(number);
                number += 1;
                self.latchkey.hold()?;
                let baseline = self.generator.round(&self.baseline, surface.on_bare(), keys.clone(), seconds)?;
                self.latchkey.go_on()?;
                let latchkey = self.generator.latchkey(&self.latchkey, surface, keys, seconds)?;
                bench.wrong.extend([&baseline, &latchkey].into_iter().filter_map(|round| round.wrong.clone()));
                Ok((latchkey, baseline))
            })?);
        }
        Ok(rounds)
    }

    /// Keys that are not being verified are revoked, one each half second, while others are verified.
    fn revoking(&self, bench: &mut Bench, database_url: &str) -> Result<()> {
        let seconds = bench.plan.seconds;
        let ids = last_ids(&self.generator.secrets, MAX_REVOKED)?;
        let mut revoked = ids.iter();
        let (mut with, mut without) = (Vec::new(), Vec::new());
        let mut round = || {
            let round = self.generator.latchkey(&self.latchkey, VERIFY_PATH, IN_MEMORY, seconds)?;
            bench.wrong.extend(round.wrong.clone());
            Ok(round)
        };
        let revoker = Revoker { program: &bench.programs.latchkey, database_url };
        for _ in 0..bench.plan.rounds {
            without.push(undisturbed(&mut round)?);
            with.push(undisturbed(|| revoker.beside(&mut revoked, &mut round))?);
        }
        let p99 = |rounds: &[Round]| median(rounds.iter().map(|round| round.p99));
        bench.add(Row {
            what: "verify while other keys are revoked, two a second".into(),
            measured: rate(&with),
            baseline: String::new(),
            compared: format!("p99 {:.2} times that without", p99(&with) / p99(&without)),
            budget: None,
            figures: json!({ "with": json_of(&with), "without": json_of(&without) }),
        });
        Ok(())
    }
}

/// Returns the ratios of throughput and p99 to those of the baseline, per round.
fn ratios(rounds: &[(Round, Round)]) -> [f64; 2] {
    let of =
        |value: fn(&Round) -> f64| median(rounds.iter().map(|(latchkey, baseline)| value(latchkey) / value(baseline)));
    [of(|round| round.a_second), of(|round| round.p99)]
}

fn compared(name: &str, rounds: &[(Round, Round)]) -> Row {
    let (latchkey, baseline): (Vec<Round>, Vec<Round>) = rounds.iter().cloned().unzip();
    let [throughput, p99] = ratios(rounds);
    let processor = |rounds: &[Round]| median(rounds.iter().map(|round| round.processor));
    Row {
        what: name.to_owned(),
        measured: format!("{}, processor {:.1} µs", rate(&latchkey), processor(&latchkey)),
        baseline: format!("{}, processor {:.1} µs", rate(&baseline), processor(&baseline)),
        compared: format!("{throughput:.2} of its throughput, p99 {p99:.2} times"),
        budget: None,
        figures: json!({ "latchkey": json_of(&latchkey), "baseline": json_of(&baseline) }),
    }
}

/// Records one response of each surface, for the baseline to replay.
fn samples(directory: &Path, latchkey: &Program, generator: &Generator) -> Result<PathBuf> {
    let text = fs::read_to_string(&generator.secrets)?;
    let mut lines = text.lines();
    let tenants: usize = lines.next().ok_or("the file of secrets is empty")?.parse()?;
    let secret = |line: Option<&str>| line.and_then(|line| Some(line.split_once(' ')?.0.to_owned()));
    let verifier = secret(text.lines().nth(1)).ok_or("there is no verifier")?;
    let key = secret(lines.nth(tenants)).ok_or("there is no key")?;
    let body = |key: &str| json!({ "key": key, "permission": "reservations:read", "ip": "203.0.113.9" }).to_string();
    let asking = [("X-API-Key", verifier.as_str()), ("Content-Type", "application/json")];
    let own = [("X-API-Key", key.as_str())];
    let answers = [
        sample(VERIFY_PATH, harness::send(latchkey.address, "POST", VERIFY_PATH.path, &asking, &body(&key))?)?,
        sample(MALFORMED, harness::send(latchkey.address, "POST", MALFORMED.path, &asking, &body("lk_tk_"))?)?,
        sample(FORWARD_AUTH, harness::send(latchkey.address, "GET", FORWARD_AUTH.path, &own, "")?)?,
        sample(OWN_KEY, harness::send(latchkey.address, "GET", OWN_KEY.path, &own, "")?)?,
    ];
    let file = directory.join("answers.json");
    fs::write(&file, json!(answers).to_string())?;
    Ok(file)
}

/// Returns the response as bytes, without the headers that every server adds.
fn sample(surface: Surface, answer: Answer) -> Result<Value> {
    if answer.status != 200 {
        return Err(format!("{} was answered with {}: {}", surface.name, answer.status, answer.body).into());
    }
    let sent_anyway = |name: &str| matches!(name, "content-length" | "connection" | "date");
    let headers: Vec<_> = answer.headers.into_iter().filter(|(name, _)| !sent_anyway(name)).collect();
    let path = surface.bare_path.split('?').next().unwrap_or_default();
    Ok(json!({ "path": path, "headers": headers, "body": answer.body }))
}

fn last_ids(secrets: &Path, count: usize) -> Result<Vec<String>> {
    let text = fs::read_to_string(secrets)?;
    let ids = text.lines().rev().take(count).filter_map(|line| Some(line.split_once(' ')?.1.to_owned()));
    Ok(ids.collect())
}
