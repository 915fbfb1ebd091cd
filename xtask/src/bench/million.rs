//! The same with very many keys.

use super::{
    Bench,
    load::{Generator, Round, VERIFY_PATH},
    machine::undisturbed,
    table::{Row, json_of, median, rate, thousands},
};
use crate::{
    Result,
    harness::{DEFAULT_MEMORY_MIB, Program},
    process,
};
use serde_json::{Value, json};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

const MILLION_KEYS: u64 = 1_000_000;
/// All of them fit, in MiB.
const MEMORY: u32 = 1_024;
const FEW: Range<u64> = 0..1_000;
const MILLION_STARTS: usize = 3;
/// The number of keys that are verified while others are revoked.
const UNDISTURBED: u64 = 100_000;

/// Compares with a server with few keys, given by its database URL and the file of its secrets.
pub fn measure(bench: &mut Bench, few_url: &str, few_secrets: PathBuf) -> Result<()> {
    let url = bench.sqlite("million");
    let secrets = bench.fill(&url, "million", MILLION_KEYS)?;
    super::start_up(bench, "start-up with 1,000,000 keys", MILLION_STARTS, |_| url.clone())?;

    let many = Side::start(bench, &url, secrets, 0..MILLION_KEYS)?;
    let filling = many.generator.warm(&many.program, 0..MILLION_KEYS, 10)?;
    let what = "first touch of 1,000,000 keys, one after the other";
    bench.add(Row::alone(what, format!("{}/s", thousands(filling)), json!(filling)));
    let memory = many.program.memory()?;
    let what = format!("memory with 1,000,000 keys in it (`--memory {MEMORY}`)");
    bench.add(Row::alone(what, format!("{memory:.0} MB"), json!(memory)));
    many.program.hold()?;

    let few = Side::start(bench, few_url, few_secrets, FEW)?;
    few.generator.warm(&few.program, FEW, 1)?;
    few.program.hold()?;
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for _ in 0..bench.plan.rounds {
        let (few, many) = undisturbed(|| Ok((few.round(bench)?, many.round(bench)?)))?;
        with_few.push(few);
        with_many.push(many);
    }
    compare(bench, &with_few, &with_many);
    few.stop()?;
    let memory = many.program.memory()?;
    bench.add(Row::alone("memory after these runs", format!("{memory:.0} MB"), json!(memory)));
    let secrets = many.generator.secrets.clone();
    many.stop()?;
    measure_interference(bench, &url, &secrets)
}

/// Inside the process, because the load over sockets is lower.
fn measure_interference(bench: &mut Bench, url: &str, secrets: &Path) -> Result<()> {
    let mut command = Command::new(&bench.programs.bench);
    command.args(["interference", "--database-url", url, "--keys", &UNDISTURBED.to_string(), "--secrets"]).arg(secrets);
    let figures: Value = serde_json::from_str(&undisturbed(|| process::read_output(&mut command))?)?;
    let number = |path: &str| figures.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    let words = |side: &str| {
        let [p99, p9999] = ["p99_ns", "p9999_ns"].map(|name| number(&format!("/{side}/{name}")) / 1_000.0);
        format!("{}/s, p99 {p99:.1} µs, p99.99 {p9999:.1} µs", thousands(number(&format!("/{side}/a_second"))))
    };
    let what = format!("inside the process: {} of 1,000,000 keys in turn", thousands(UNDISTURBED as f64));
    bench.add(Row::alone(what, words("alone"), figures["alone"].clone()));
    let what = format!("the same while {:.0} others are revoked in 5 s", number("/revoked"));
    let row = Row::alone(what, words("beside"), figures.clone());
    let ratio = number("/beside/a_second") / number("/alone/a_second");
    bench.add(Row { compared: format!("{ratio:.2} of the throughput without"), ..row });
    Ok(())
}

struct Side {
    program: Program,
    generator: Generator,
    keys: Range<u64>,
}

impl Side {
    fn start(bench: &Bench, url: &str, secrets: PathBuf, keys: Range<u64>) -> Result<Self> {
        let memory = if keys.end > FEW.end { MEMORY } else { DEFAULT_MEMORY_MIB };
        let program = Program::latchkey(&bench.programs.latchkey, url, memory)?;
        Ok(Self { program, generator: Generator::new(bench.directory(), secrets)?, keys })
    }

    fn round(&self, bench: &mut Bench) -> Result<Round> {
        self.program.go_on()?;
        let round = self.generator.latchkey(&self.program, VERIFY_PATH, self.keys.clone(), bench.plan.seconds)?;
        self.program.hold()?;
        bench.wrong.extend(round.wrong.clone());
        Ok(round)
    }

    fn stop(self) -> Result<()> {
        self.program.go_on()?;
        self.program.stop()
    }
}

fn compare(bench: &mut Bench, few: &[Round], many: &[Round]) {
    let ratio = median(few.iter().zip(many).map(|(few, many)| many.a_second / few.a_second));
    bench.add(Row::alone("verify, 1,000 keys", rate(few), json_of(few)));
    let row = Row::alone("verify, 1,000,000 keys", rate(many), json_of(many));
    let row = Row { compared: format!("{ratio:.2} of the throughput with 1,000"), ..row };
    bench.add(row.with_budget("at least 0.90", ratio >= 0.9));
}
