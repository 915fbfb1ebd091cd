//! Runs the examples of `/docs/verify` as they are printed.

use std::{
    fs,
    process::{Command, Output},
};

use tempfile::TempDir;
use test_support::test_app::{Base, Key, TestApp};

/// The name of an example on the page, its file, and the interpreter.
const EXAMPLES: [(&str, &str, &str); 3] = [
    ("curl", "verify.sh", "sh"),
    ("Python, with nothing to install", "verify.py", "python3"),
    ("JavaScript, with Node’s own fetch", "verify.mjs", "node"),
];

/// The code below a name, as a reader would copy it.
fn code(page: &str, name: &str) -> String {
    let figure = page
        .split("<figure")
        .find(|figure| figure.contains(&format!("<figcaption>{name}<")))
        .unwrap_or_else(|| panic!("no {name}"));
    let (_, code) = figure.split_once("<code>").expect("it holds code");
    let (code, _) = code.split_once("</code>").expect("which ends");
    assert!(!code.contains('<'), "nothing but text: {code}");
    code.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

struct Example {
    folder: TempDir,
    file: &'static str,
    runs: &'static str,
    latchkey: String,
}

impl Example {
    /// Verifies a key with another one.
    fn run(&self, asking: &Key, asked: &str) -> Output {
        Command::new(self.runs)
            .arg(self.folder.path().join(self.file))
            .env("LATCHKEY_URL", &self.latchkey)
            .env("LATCHKEY_KEY", &asking.secret)
            .env("CLIENT_KEY", asked)
            .env("CLIENT_IP", "203.0.113.9")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", self.runs))
    }

    fn says(&self, asking: &Key, asked: &str, words: &[&str]) {
        let output = self.run(asking, asked);
        let verdict = String::from_utf8(output.stdout).unwrap();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {verdict} {complained}", self.file);
        for word in words {
            assert!(verdict.contains(word), "{}: “{word}” is not in: {verdict}", self.file);
        }
    }

    fn fails(&self, asking: &Key, asked: &str, word: &str) {
        let output = self.run(asking, asked);
        let verdict = [output.stdout, output.stderr].concat();
        let verdict = String::from_utf8_lossy(&verdict);
        assert!(!output.status.success() && verdict.contains(word), "{}: {verdict}", self.file);
    }
}

async fn examples(app: &TestApp) -> Vec<Example> {
    let page = app.get_with("/docs/verify", &[]).await;
    let examples = EXAMPLES.map(|(name, file, runs)| {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(file), code(&page.text, name)).unwrap();
        Example { folder, file, runs, latchkey: app.program.url.clone() }
    });
    examples.into()
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn every_example_runs_as_printed() {
    let app = Base::Sqlite.start();
    let (asking, revoked) = (app.key(&["--group", "Verifier"]), app.key(&[]));
    let good = app.key(&["--ip", "203.0.113.0/24"]);
    let poor = app.key(&["--group", "Verifier"]);
    app.revoke(&revoked);
    for example in examples(&app).await {
        example.says(&asking, &good.secret, &[&good.id]);
        example.says(&asking, &revoked.secret, &["401", "revoked"]);
        example.says(&asking, &poor.secret, &["403", "orders:read"]);
        example.says(&asking, "lk_tk_nonsense", &["401"]);
        let more_than_a_key = format!("{}\",\"ip\":\"127.0.0.1", good.secret);
        let verdict = example.run(&asking, &more_than_a_key).stdout;
        assert!(!String::from_utf8_lossy(&verdict).contains(&good.id), "{}: no caller has this key", example.file);
        example.fails(&revoked, &good.secret, "key_revoked");
    }
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn examples_of_using_a_key_run_as_printed() {
    let app = Base::Sqlite.start();
    let (key, property) = (app.key(&[]), app.property("acme", "Old Town Suites"));
    let page = app.get_with("/docs/keys", &[]).await;
    assert!(page.text.contains(&format!("{}/api/v1/properties", app.program.url)), "the page names the installation");
    for (name, file, runs) in
        [EXAMPLES[1], EXAMPLES[2]].map(|(name, file, runs)| (name, file.replace("verify", "list"), runs))
    {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(file);
        fs::write(&path, code(&page.text, name)).unwrap();
        let output = Command::new(runs).arg(path).env("LATCHKEY_KEY", &key.secret).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains(&property), "{name}: {printed} {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test_support::requires(programs)]
#[tokio::test(flavor = "multi_thread")]
async fn examples_deny_without_an_answer() {
    let app = Base::Sqlite.start();
    let (asking, good) = (app.key(&["--group", "Verifier"]), app.key(&[]));
    let examples = examples(&app).await;
    drop(app);
    for example in examples {
        example.fails(&asking, &good.secret, "");
    }
}
