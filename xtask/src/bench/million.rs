//! The same with very many keys.

use super::{
    Bench,
    load::{Generator, Round, VERIFY},
    table::{Row, json_of, median, rate, thousands},
};
use crate::{
    Result,
    trial::{Program, USUAL_MEMORY},
};
use serde_json::json;
use std::{ops::Range, path::PathBuf};

const KEYS: u64 = 1_000_000;
/// All of them fit, in MiB.
const MEMORY: u32 = 1_024;
const FEW: Range<u64> = 0..1_000;
const STARTS: usize = 3;

/// Beside a server with few keys, whose database is told by its address and the file of its secrets.
pub fn measure(bench: &mut Bench, few_url: &str, few_secrets: PathBuf) -> Result<()> {
    let url = bench.sqlite("million");
    let secrets = bench.fill(&url, "million", KEYS)?;
    super::start_up(bench, "start-up with 1,000,000 keys", STARTS, |_| url.clone())?;

    let many = Side::start(bench, &url, secrets, 0..KEYS)?;
    let filling = many.generator.warm(&many.program, 0..KEYS)?;
    let what = "first touch of 1,000,000 keys, one after the other";
    bench.add(Row::alone(what, format!("{}/s", thousands(filling)), json!(filling)));
    let memory = many.program.memory()?;
    let what = format!("memory with 1,000,000 keys in it (`--memory {MEMORY}`)");
    bench.add(Row::alone(what, format!("{memory:.0} MB"), json!(memory)));
    many.program.hold()?;

    let few = Side::start(bench, few_url, few_secrets, FEW)?;
    few.generator.warm(&few.program, FEW)?;
    few.program.hold()?;
    let (mut with_few, mut with_many) = (Vec::new(), Vec::new());
    for _ in 0..bench.plan.rounds {
        with_few.push(few.round(bench)?);
        with_many.push(many.round(bench)?);
    }
    compare(bench, &with_few, &with_many);
    few.stop()?;
    let memory = many.program.memory()?;
    bench.add(Row::alone("memory after these runs", format!("{memory:.0} MB"), json!(memory)));
    many.stop()
}

struct Side {
    program: Program,
    generator: Generator,
    keys: Range<u64>,
}

impl Side {
    fn start(bench: &Bench, url: &str, secrets: PathBuf, keys: Range<u64>) -> Result<Self> {
        let memory = if keys.end > FEW.end { MEMORY } else { USUAL_MEMORY };
        let program = Program::latchkey(&bench.programs.latchkey, url, memory)?;
        Ok(Self { program, generator: Generator::new(bench.directory(), secrets)?, keys })
    }

    fn round(&self, bench: &mut Bench) -> Result<Round> {
        self.program.go_on()?;
        let round = self.generator.latchkey(&self.program, VERIFY, self.keys.clone(), bench.plan.seconds)?;
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
