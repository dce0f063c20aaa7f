//! Attachments made to take long: each costs time in proportion to its bytes.

use std::time::{Duration, Instant};

use seal::bundle::{self, Opening};
use seal::record::{EVIDENCE, Value};
use seal::testing::stories::Story;
use sluis_grade::grade;
use sluis_verify::{Trust, verify};

/// Bytes of an attachment. In a build that is not optimised the whole 10 MiB would take a while.
const SIZE: usize = 2 << 20;
/// Far more than it takes, far less than it would if it grew with the square.
const MOST: Duration = Duration::from_secs(20);

#[test]
fn hostile_attachments_take_no_longer_than_others() {
    let tale = Story::new(20);
    let roots = tale.world.authorities.iter().map(|one| (one.name.as_str(), one.roots.as_bytes()));
    let trust = Trust::read(tale.world.policy().as_bytes(), None, roots).unwrap();
    let good = verify(&bundle::write(&tale.whole()).unwrap(), &trust, None).story.unwrap();
    let report = "Content-Type: multipart/report; boundary=b\n\n";
    let signature = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=a.example; s=s; bh=AA==; b=AA==; h=from\n";
    let many = |text: &str| text.repeat(SIZE / text.len()).into_bytes();
    let after = |head: &str, text: &str| [head.as_bytes(), &many(text)].concat();
    for (why, bytes) in [
        ("empty lines", many("\n")),
        ("one line", many("x")),
        ("fields", many("a:\n")),
        ("a field that is folded", after("From: a\n", " b\n")),
        ("boundaries", after(report, "--b\n")),
        ("parts that do not end", after(report, "--b\nContent-Type: message/delivery-status\n\n")),
        (
            "recipients",
            after(
                &format!("{report}--b\nContent-Type: message/delivery-status\n\n"),
                "Final-Recipient: rfc822;a@b.example\nAction: failed\nStatus: 5.0.0\n\n",
            ),
        ),
        ("signatures", after(signature, signature)),
        ("a signed body of empty lines", after(&format!("{signature}From: a@a.example\n\n"), "\n")),
        ("a signed body of blanks", after(&format!("{signature}From: a@a.example\n\n"), " \t")),
        (
            "names that are covered",
            format!(
                "DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=s; bh=AA==; b=AA==; h=from{}\nFrom: a\n\n",
                ":from".repeat(40_000)
            )
            .into_bytes(),
        ),
        ("quotes", after("From: ", "\"\\\"<")),
        ("references", after("From: a@a.example\nIn-Reply-To: ", "<a>,")),
        ("notes", after("sluis-receipt-of-notice/v1\n", "\n\n")),
        (
            "a dialogue",
            after(
                "sluis-smtp/v1\nto mx a.example 192.0.2.1\ntls none\nchecked none\nat 2026-01-01T00:00:00Z\n\n",
                "C: RCPT TO:<a@b.example>\n",
            ),
        ),
    ] {
        for what in ["transcript", "bounce", "reply", "receipt"] {
            let mut story = good.clone();
            for record in story.bundle.records.iter_mut().filter(|record| record.kind == EVIDENCE.number).take(2) {
                for (name, to) in [("what", Value::text(what)), ("content", Value::Bytes(bytes.clone()))] {
                    if let Some(Opening::Shown { value, .. }) = record.openings.get_mut(EVIDENCE.ordinal(name).unwrap()) {
                        *value = to;
                    }
                }
            }
            let begun = Instant::now();
            let grading = grade(&story, std::slice::from_ref(&bytes));
            let took = begun.elapsed();
            assert!(took < MOST, "{why} as {what}: {took:?}");
            assert!(!grading.letters.iter().any(|one| one.line.en.contains("could not be read")), "{why} as {what}");
            if std::env::var_os("SLUIS_TIMES").is_some() {
                eprintln!("{took:>10.1?}  {why} as {what}");
            }
        }
    }
}
