//! Mails that report no abuse, as others collected them: none becomes a report, and what nobody has to look at is set aside.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use model::time::Time;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;

fn outcome(name: &str, bytes: &[u8]) -> (Outcome, Collected) {
    let mut sink = Collected::default();
    let received = Time::parse(b"2026-11-22T00:00:00Z").unwrap();
    let outcome = read(&mut &*bytes, &Hint::new(name, received), &mut sink).unwrap();
    (outcome, sink)
}

/// Each line of the oracle of a folder of samples, with the sample; nothing when there are no samples.
fn samples(folder: &str) -> Vec<(serde_json::Value, PathBuf)> {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED names no folder of samples");
        return Vec::new();
    };
    let root = PathBuf::from(shared).join("corpus");
    let oracle = fs::read_to_string(root.join(folder).join("ORACLE.jsonl")).unwrap_or_default();
    let rows = oracle.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    rows.map(|row| (row.clone(), root.join(row["path"].as_str().unwrap()))).collect()
}

#[test]
fn no_mail_that_is_none_becomes_a_report() {
    let (mut aside, mut person) = (0, 0);
    for (oracle, path) in samples("mail-negative") {
        let (outcome, collected) = outcome("mail.eml", &fs::read(&path).unwrap());
        assert_eq!((outcome.statements, collected.reports().count()), (0, 0), "{}", path.display());
        let is_answer = oracle["expected"].as_str().is_some_and(|expected| expected.starts_with("not an abuse report"));
        if is_answer {
            assert!(!outcome.aside.is_empty(), "{}: {outcome:?}", path.display());
        }
        if outcome.aside.is_empty() {
            eprintln!("to a person: {}: {}", path.display(), outcome.unreadable);
            assert!(!outcome.unreadable.is_empty(), "{}", path.display());
            person += 1;
        } else {
            aside += 1;
        }
    }
    eprintln!("{aside} set aside, {person} to a person");
}

#[test]
fn reports_about_mail_are_set_aside() {
    let mut count = 0;
    for (_, path) in samples("mail-dmarc-tlsrpt") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (outcome, collected) = outcome(&name, &fs::read(&path).unwrap());
        assert!(["dmarc", "tlsrpt"].contains(&outcome.format) && !outcome.aside.is_empty(), "{}: {outcome:?}", path.display());
        assert_eq!(collected.reports().count() + collected.rejects.len(), 0, "{}", path.display());
        count += 1;
    }
    eprintln!("{count} set aside");
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_packed_with_gzip_is_read_within_bounds() {
    let report = b"timestamp,ip,port\n2026-03-04 05:06:07,192.0.2.7,23\n";
    let (read, collected) = outcome("scan_telnet.csv.gz", &packed(report));
    assert_eq!((read.format, read.statements, collected.reports().count()), ("shadowserver", 1, 1));
    let (read, collected) = outcome("a.gz", &packed(&packed(report)));
    assert_eq!((read.statements, collected.rejects.len()), (1, 0), "{read:?}");
    // One that is packed in itself five times, one that is cut, and one of zeros.
    let mut deep = report.to_vec();
    for _ in 0..6 {
        deep = packed(&deep);
    }
    let (_, collected) = outcome("deep.gz", &deep);
    assert!(collected.rejects[0].reason.contains("containers inside each other"), "{:?}", collected.rejects);
    let whole = packed(report);
    let (_, collected) = outcome("cut.csv.gz", &whole[..whole.len() - 12]);
    assert!(collected.rejects.iter().any(|reject| reject.reason.contains("damaged")), "{:?}", collected.rejects);
    let mut zeros = b"timestamp,ip,port\n".to_vec();
    zeros.resize(8 << 20, b'\n');
    let begun = std::time::Instant::now();
    let (_, collected) = outcome("scan_telnet.csv.gz", &packed(&zeros));
    assert!(collected.rejects.iter().any(|reject| reject.reason.contains("times its packed size")), "{:?}", collected.rejects);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let (read, _) = outcome("x.gz", b"\x1f\x8b\x08");
    assert_eq!(read.statements, 1);
}
