//! A key is over at its instant, for everybody at once, although nobody changed anything.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    cluster::{Cluster, Demand, FACES, Said},
    stage::{Base, Key},
};

/// By how much the test's clock and a node's idea of the database's may differ: both measure by messages.
const APART: TimeDelta = TimeDelta::milliseconds(50);

async fn until(instant: DateTime<Utc>) {
    tokio::time::sleep((instant - Utc::now()).to_std().unwrap_or_default()).await;
}

async fn a_key_in_memory_is_over_at_its_instant(base: Base) {
    let cluster = Cluster::start(base);
    let ends = Utc::now() + TimeDelta::seconds(3);
    let key: Key = cluster.key(&["--expires", &ends.to_rfc3339()]);
    cluster.know(&FACES, &key.secret, &Demand::default()).await;
    let mut seen = 0;
    loop {
        let begun = Utc::now();
        let answers = cluster.all_say(&FACES, &key.secret, &Demand::default()).await;
        let ended = Utc::now();
        for (node, face, said) in answers {
            let late = ended - ends;
            assert!(said != Said::Valid || begun < ends + APART, "{face:?} at {node} lets it in {late} late");
            assert!(said == Said::Valid || ended > ends - APART, "{face:?} at {node} refuses it {late} late");
            let is_over = matches!(&said, Said::Refused(code) if code == "EXPIRED" || code == "key_expired");
            assert!(said == Said::Valid || is_over, "{said:?}");
            seen += usize::from(is_over);
        }
        if begun > ends + APART {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(seen > 0);
    until(ends + TimeDelta::seconds(1)).await;
    cluster.refuse(&FACES, &key.secret, &Demand::default(), "its end").await;
}

on_both_databases!(a_key_in_memory_is_over_at_its_instant);
