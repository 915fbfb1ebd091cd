//! A key expires at its instant on all servers, without any change to trigger it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use test_support::test_app::Base;

use super::cluster::{Cluster, Demand, SURFACES, Verdict};

/// The maximum difference between the test's clock and a node's estimate of the database's. Both measure by messages,
/// which a busy machine delays.
const APART: TimeDelta = TimeDelta::milliseconds(200);

/// Enough time for every server to cache it.
const FROM_NOW: TimeDelta = TimeDelta::seconds(3);

/// Verifies the key on all servers until it expires.
async fn ends(cluster: &Cluster, secret: &str, end: DateTime<Utc>, verdicts: [&str; 2]) {
    let any = Demand::default();
    cluster.assert_cached(&SURFACES, secret, &any).await;
    assert!(Utc::now() < end, "it took too long to get there");
    loop {
        let begun = Utc::now();
        let answers = cluster.verdicts(&SURFACES, secret, &any).await;
        let ended = Utc::now();
        for (node, surface, verdict) in answers {
            match verdict {
                Verdict::Valid => assert!(begun < end + APART, "{surface:?} at {node} lets it in {} late", begun - end),
                Verdict::Refused(code) if verdicts.contains(&code.as_str()) => {
                    assert!(ended > end - APART, "{surface:?} at {node} refuses it {} early", end - ended);
                }
                other => panic!("{surface:?} at {node}: {other:?}"),
            }
        }
        if begun >= end + APART {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn cached_key_expires_at_its_instant(base: Base) {
    let cluster = Cluster::start(base);
    let end = Utc::now() + FROM_NOW;
    let key = cluster.key(&["--expires", &end.to_rfc3339()]);
    ends(&cluster, &key.secret, end, ["EXPIRED", "key_expired"]).await;
}

async fn cached_old_secret_expires_with_its_grace_period(base: Base) {
    let cluster = Cluster::start(base);
    let key = cluster.key(&[]);
    let next = cluster.app.rotate(&key, &["--grace", "1h"]);
    let end = Utc::now() + FROM_NOW;
    // The key has not been verified yet, and the test cannot wait for an hour.
    let sooner = format!("UPDATE api_key_secret SET retires_at = '{}' WHERE retires_at IS NOT NULL", end.to_rfc3339());
    cluster.app.change_database(&sooner).await;
    ends(&cluster, &key.secret, end, ["SECRET_REPLACED", "secret_replaced"]).await;
    cluster.assert_cached(&SURFACES, &next.secret, &Demand::default()).await;
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    cached_key_expires_at_its_instant,
    cached_old_secret_expires_with_its_grace_period,
}
