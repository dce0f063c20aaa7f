//! Whatever the bytes: no panic, and every row is a report or a reject.

#![allow(clippy::unwrap_used)]

use model::time::Time;
use parsers::formats::csv::Declared;
use parsers::formats::shadowserver::Maps;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use proptest::prelude::*;

fn read_as(name: &str, format: Option<&str>, declared: Option<&Declared>, bytes: &[u8]) -> (Outcome, Collected) {
    let limits = Limits { line: 2_000, ..Limits::default() };
    let hint = Hint {
        name,
        content_type: "",
        location: "",
        kind: None,
        format,
        received: Time(0),
        maps: Maps::builtin(),
        declared,
        limits,
    };
    let mut sink = Collected::default();
    let outcome = read(&mut &bytes[..], &hint, &mut sink).unwrap();
    (outcome, sink)
}

/// Statements are numbered from 0 without a gap, each a report or a reject.
fn statements(outcome: &Outcome, sink: &Collected) -> usize {
    let mut ordinals: Vec<u32> = sink.rejects.iter().map(|reject| reject.ordinal).collect();
    ordinals.extend(sink.reports().map(|report| report.core.ordinal));
    ordinals.sort_unstable();
    assert_eq!(ordinals, (0..outcome.statements).collect::<Vec<_>>());
    assert!(sink.rejects.iter().all(|reject| !reject.reason.is_empty() && !reject.place.is_empty()));
    ordinals.len()
}

fn declared() -> Declared {
    Declared::parse("header = false\ncolumns = { time = '1', ip = '2', url = '3', port = '4' }\ntime.zone = 'Europe/Amsterdam'")
        .unwrap()
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => Just("2026-03-04 05:06:07".to_owned()),
        3 => Just("192.0.2.7".to_owned()),
        1 => Just(String::new()),
        1 => Just("198.51.100.0/24".to_owned()),
        1 => Just("GET /x HTTP/1.1".to_owned()),
        1 => Just("host.example".to_owned()),
        1 => Just("exchange;cve-2021-1;;-x".to_owned()),
        2 => "[0-9]{1,12}",
        2 => "\\PC{0,12}",
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..600), name in "\\PC{0,30}") {
        for format in [None, Some("shadowserver"), Some("csv")] {
            for declared in [None, Some(declared())] {
                let (outcome, sink) = read_as(&name, format, declared.as_ref(), &bytes);
                statements(&outcome, &sink);
            }
        }
    }

    #[test]
    fn any_bytes_after_a_header_are_safe(bytes in proptest::collection::vec(
        prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..600)) {
        let mut text = b"timestamp,src_ip,asn,geo,http_url,http_host,tag,dst_port\n".to_vec();
        text.extend(bytes);
        for name in ["event4_sinkhole_http.csv", "scan_exchange.csv", "sandbox_dns.csv", ""] {
            let (outcome, sink) = read_as(name, None, None, &text);
            prop_assert_eq!(outcome.format, "shadowserver");
            statements(&outcome, &sink);
        }
    }

    #[test]
    fn every_row_is_a_report_or_a_reject(
        columns in proptest::sample::subsequence(
            vec!["timestamp", "ip", "src_ip", "asn", "geo", "url", "http_host", "tag", "port", "hostname", "severity", "new"], 1..12),
        rows in proptest::collection::vec(proptest::collection::vec(value(), 1..14), 0..20),
        which in 0..200usize,
    ) {
        let mut names: Vec<&str> = Maps::builtin().names().collect();
        names.sort_unstable();
        let name = names[which % names.len()];
        let mut text = columns.join(",") + "\n";
        for row in &rows {
            let row: Vec<String> = row.iter().map(|value| format!("\"{}\"", value.replace('"', "\"\""))).collect();
            text += &(row.join(",") + "\n");
        }
        for format in ["shadowserver", "csv"] {
            let (outcome, sink) = read_as(name, Some(format), None, text.as_bytes());
            prop_assert_eq!(statements(&outcome, &sink), rows.len());
        }
    }
}

#[test]
fn a_line_of_a_gigabyte_costs_one_reject_and_no_memory() {
    /// A header, a line of 1 GiB, and a row.
    struct Long(u64);
    const HEAD: &[u8] = b"timestamp,ip,asn,geo\n";
    const TAIL: &[u8] = b"\n2026-03-04 05:06:07,192.0.2.7,64496,NL\n";
    const LENGTH: u64 = 1 << 30;
    impl std::io::Read for Long {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let (head, tail) = (HEAD.len() as u64, TAIL.len() as u64);
            let count = match self.0 {
                at if at < head => (&HEAD[at as usize..]).read(into)?,
                at if at < head + LENGTH => {
                    let count = into.len().min((head + LENGTH - at) as usize);
                    into[..count].fill(b'x');
                    count
                }
                at if at < head + LENGTH + tail => (&TAIL[(at - head - LENGTH) as usize..]).read(into)?,
                _ => 0,
            };
            self.0 += count as u64;
            Ok(count)
        }
    }
    // The whole gigabyte is for release builds; a debug build reads its last part.
    let start = if cfg!(debug_assertions) { HEAD.len() as u64 + LENGTH - (32 << 20) } else { HEAD.len() as u64 };
    let mut reader = std::io::Read::chain(HEAD, Long(start));
    let hint = Hint {
        name: "scan_ftp.csv",
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(0),
        maps: Maps::builtin(),
        declared: None,
        limits: Limits::default(),
    };
    let mut sink = Collected::default();
    let outcome = read(&mut reader, &hint, &mut sink).unwrap();
    assert_eq!(statements(&outcome, &sink), 2);
    assert_eq!(
        (sink.rejects[0].ordinal, sink.rejects[0].text.len(), &*sink.rejects[0].place),
        (0, 4 << 10, "scan_ftp.csv, line 2")
    );
    assert_eq!(sink.reports().next().unwrap().core.ordinal, 1);
}
