//! Allowlists of addresses, behind proxies that are trusted and proxies that are not.

use test_support::test_app::{Answer, Base, TestApp, with};

const KEY: &str = "/api/v1/key";
const TRUSTED: [&str; 2] = ["--trusted-proxies", "127.0.0.0/8,10.0.0.0/8"];

async fn from(app: &TestApp, secret: &str, forwarded: &[&[u8]]) -> Answer {
    let mut request = with(app.request(reqwest::Method::GET, KEY), &[("x-api-key", secret)]);
    for line in forwarded {
        request = request.header("x-forwarded-for", *line);
    }
    Answer::to(request).await
}

async fn allowlist_uses_the_address_that_a_trusted_proxy_saw(base: Base) {
    let app = base.start_with(&TRUSTED);
    let key = app.key(&["--ip", "198.51.100.0/24", "--ip", "2001:db8:1::/48", "--rate-limit", "1000"]);
    for good in [
        &["198.51.100.7"][..],
        &[" 198.51.100.7 "],
        &["6.6.6.6, 198.51.100.7"],
        &["nonsense, 198.51.100.7"],
        &["198.51.100.7, 10.1.2.3"],
        &["198.51.100.7", "10.1.2.3, 127.0.0.9"],
        &["::ffff:198.51.100.7"],
        &["2001:db8:1:2::3"],
    ] {
        let lines: Vec<&[u8]> = good.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(from(&app, &key.secret, &lines).await.status, 200, "{good:?}");
    }
    for (bad, seen) in [
        (&[][..], "127.0.0.1"),
        (&["203.0.113.9"], "203.0.113.9"),
        (&["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
        (&["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
        (&["198.51.100.7, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["198.51.101.7"], "198.51.101.7"),
        (&["2001:db8:2::3"], "2001:db8:2::3"),
    ] {
        let lines: Vec<&[u8]> = bad.iter().map(|line: &&str| line.as_bytes()).collect();
        from(&app, &key.secret, &lines).await.refused(403, "ip_not_allowed").says(&format!("from {seen}."));
    }
    let free = app.key(&["--rate-limit", "1000"]);
    for unreadable in
        [&b"unknown"[..], b"", b"198.51.100.7, ", b"198.51.100.7:443", b"[2001:db8:1::1]", b"198.51.100.7, \xff"]
    {
        let answer = from(&app, &key.secret, &[unreadable]).await;
        answer.refused(403, "ip_not_allowed").says("X-Forwarded-For");
        assert_eq!(from(&app, &free.secret, &[unreadable]).await.status, 200, "a key without a list works");
    }
}

async fn untrusted_peer_cannot_set_the_address(base: Base) {
    let app = base.start_with(&["--trusted-proxies", "10.0.0.0/8"]);
    let (ours, theirs) = (app.key(&["--ip", "127.0.0.1"]), app.key(&["--ip", "198.51.100.7"]));
    for line in [&b"198.51.100.7"[..], b"nonsense", b"\xff"] {
        assert_eq!(from(&app, &ours.secret, &[line]).await.status, 200);
        from(&app, &theirs.secret, &[line]).await.refused(403, "ip_not_allowed").says("127.0.0.1");
    }
}

test_support::on_both_databases! {
    test_support::test_app::Base:
    allowlist_uses_the_address_that_a_trusted_proxy_saw,
    untrusted_peer_cannot_set_the_address,
}
