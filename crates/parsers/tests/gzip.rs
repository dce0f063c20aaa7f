//! What is packed with gzip, as reports about mail come: read within bounds.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::io::Write;

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
