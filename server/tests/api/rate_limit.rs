//! Rate limits: exact under any pattern of calls, and reported with every response.

use std::collections::BTreeSet;

use reqwest::Client;
use serde_json::json;
use test_support::test_app::{Answer, Base, Key, TestApp};
use tokio::task::JoinSet;

const KEY: &str = "/api/v1/key";

/// Has this many clients make this many calls each, all concurrently.
async fn calls_at_once(app: &TestApp, key: &Key, clients: usize, each: usize) -> Vec<Answer> {
    let mut running = JoinSet::new();
    for _ in 0..clients {
        let (client, url, secret) = (Client::new(), app.url(KEY), key.secret.clone());
        running.spawn(async move {
            let mut answers = Vec::new();
            for _ in 0..each {
                answers.push(Answer::to(client.get(&url).header("x-api-key", &secret)).await);
            }
            answers
        });
    }
    running.join_all().await.into_iter().flatten().collect()
}

async fn limit_of_60_admits_60_of_200_concurrent_calls(base: Base) {
    let app = base.start();
    // Each on a connection of its own, and then on few that are kept alive.
    for (clients, each) in [(200, 1), (20, 10)] {
        let key = app.key(&["--rate-limit", "60"]);
        let answers = calls_at_once(&app, &key, clients, each).await;
        let (good, refused): (Vec<&Answer>, Vec<&Answer>) = answers.iter().partition(|answer| answer.status == 200);
        assert_eq!((good.len(), refused.len()), (60, 140));
        let left: BTreeSet<u64> = good.iter().map(|answer| answer.quota().0).collect();
        assert_eq!(left, (0..60).collect(), "no two calls took the same one");
        for answer in refused {
            let (remaining, seconds) = answer.refused(429, "rate_limited").quota();
            assert_eq!((remaining, answer.header("retry-after")), (0, seconds.to_string().as_str()));
            assert!((1..=60).contains(&seconds), "{seconds}");
            assert_eq!(answer.header("ratelimit-policy"), r#""default";q=60;w=60"#);
            answer.says(&format!("Wait {seconds} seconds"));
        }
    }
}

async fn refused_calls_cost_nothing(base: Base) {
    let app = base.start();
    let key = app.key(&["--rate-limit", "3", "--scope", "read"]);
    let read = async |path: &str| app.get(path, &key.secret).await;
    assert_eq!(read(KEY).await.quota().0, 2);
    for _ in 0..5 {
        let refused = app.post("/api/v1/reservations", &key.secret, &json!({})).await;
        assert_eq!(refused.refused(403, "insufficient_scope").quota().0, 2);
        let missing = read("/api/v1/properties/nothing").await;
        assert_eq!(missing.refused(404, "not_found").quota().0, 2, "a property that is not there is refused");
    }
    assert_eq!(read(KEY).await.quota().0, 1);
    let wrong = read("/api/v1/properties?limit=0").await;
    assert_eq!(wrong.refused(422, "invalid").quota().0, 0, "a call that was let in is one, right or wrong");
    for _ in 0..5 {
        let (remaining, seconds) = read(KEY).await.refused(429, "rate_limited").quota();
        assert_eq!(remaining, 0);
        assert!((1..=60).contains(&seconds));
    }
    app.edit(&key, &["--rate-limit", "4"]);
    assert_eq!(read(KEY).await.status, 200, "neither did the calls that came too early");
}

async fn changed_limit_applies_immediately(base: Base) {
    let app = base.start();
    let (key, other) = (app.key(&["--rate-limit", "2"]), app.key(&["--rate-limit", "2"]));
    let call = async || app.get(KEY, &key.secret).await;
    for left in [1, 0] {
        assert_eq!(call().await.quota().0, left);
    }
    call().await.refused(429, "rate_limited");
    assert_eq!(app.get(KEY, &other.secret).await.quota().0, 1, "each key has a limit of its own");
    app.edit(&key, &["--rate-limit", "4"]);
    let more = call().await;
    assert_eq!((more.quota().0, more.header("ratelimit-policy")), (1, r#""default";q=4;w=60"#));
    let described = more.good()["rate_limit"].clone();
    assert_eq!((&described["limit"], &described["remaining"]), (&json!(4), &json!(1)));
    app.edit(&key, &["--rate-limit", "1"]);
    let fewer = call().await;
    assert_eq!(fewer.refused(429, "rate_limited").quota().0, 0);
    assert_eq!(fewer.header("ratelimit-policy"), r#""default";q=1;w=60"#);
    let renewed = app.rotate(&key, &[]);
    app.get(KEY, &renewed.secret).await.refused(429, "rate_limited").says("limit of 1 a minute");
    app.edit(&key, &["--rate-limit", "1000"]);
    assert_eq!(app.get(KEY, &renewed.secret).await.quota().0, 996, "the key's calls, not the secret's");
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    limit_of_60_admits_60_of_200_concurrent_calls,
    refused_calls_cost_nothing,
    changed_limit_applies_immediately,
}
