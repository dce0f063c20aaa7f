//! Mails that are made to cost: each is read within bounds of time.

#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use model::time::Time;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::Hint;

/// A debug build on a busy machine; what grows with the square of its size takes hours.
const LONGEST: Duration = Duration::from_secs(60);

/// Reads a mail with this body, and says which format took it.
fn read_as(from: &str, subject: &str, body: &str) -> (&'static str, usize) {
    let mail = format!("From: {from}\nSubject: {subject}\nDate: Wed, 04 Mar 2026 05:00:00 +0000\n\n{body}");
    let mut sink = Collected::default();
    let begun = Instant::now();
    let outcome = read(&mut mail.as_bytes(), &Hint::new("", Time(1_772_600_767_000)), &mut sink).unwrap();
    assert!(begun.elapsed() < LONGEST, "{} took {:?}", outcome.format, begun.elapsed());
    let reports = sink.reports().count();
    (outcome.format, reports)
}

#[test]
fn a_notice_of_ampersands() {
    let source = "<Source><IP_Address>192.0.2.1</IP_Address></Source>";
    let body = format!("<Infringement>{source}<Content>{}</Content></Infringement>", "&".repeat(2 << 20));
    assert_eq!(read_as("n@rights.example", "Notice of copyright infringement", &body), ("acns", 1));
    let body = format!("<infringement>{source}</infringement>").repeat(5_000) + &"x".repeat(4 << 20);
    assert_eq!(read_as("n@rights.example", "Notice of copyright infringement", &body), ("acns", 1));
}

#[test]
fn a_summary_of_one_line() {
    for piece in ["a ", "\n", "192.0.2.1\n", "Spamvertised web site: http://a.example/\n"] {
        for subject in ["[SpamCop] summary report", "[SpamCop] Alert", "[SpamCop (http://a.example/) id:1]x"] {
            let (format, _) = read_as("summaries@admin.spamcop.net", subject, &piece.repeat((1 << 20) / piece.len()));
            assert!(["spamcop", ""].contains(&format));
        }
    }
}
