//! How fast lists and feeds are read: `cargo bench -p parsers --bench feeds`. One item is one row.

use std::fmt::Write;
use std::ops::ControlFlow;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use model::report::Batch;
use model::time::Time;
use parsers::read::read;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::Hint;

fn main() {
    divan::main();
}

const ROWS: usize = 100_000;

/// Counts, so that what is measured is the reading.
#[derive(Default)]
struct Counting {
    reports: usize,
}

impl Sink for Counting {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.reports += batch.len();
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Reject) {}

    fn note(&mut self, _: Note) {}
}

fn measure(bencher: Bencher<'_, '_>, text: &str, location: &str) {
    let hint = Hint { location, ..Hint::new("", Time(0)) };
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::of_str(text)).bench(|| {
        let mut sink = Counting::default();
        let outcome = read(&mut text.as_bytes(), &hint, &mut sink).map(|outcome| outcome.statements).unwrap_or(0);
        assert_eq!((outcome as usize, sink.reports), (ROWS, ROWS));
    });
}

/// The last two numbers of an address.
fn end(row: usize) -> (usize, usize) {
    (row / 250 % 250, row % 250)
}

/// One address a line.
#[divan::bench]
fn addresses(bencher: Bencher<'_, '_>) {
    let mut text = String::new();
    for (third, fourth) in (0..ROWS).map(end) {
        let _ = writeln!(text, "198.18.{third}.{fourth}");
    }
    measure(bencher, &text, "https://lists.blocklist.de/lists/ssh.txt");
}

/// Six columns in quotation marks.
#[divan::bench]
fn feodo(bencher: Bencher<'_, '_>) {
    let mut text =
        "# abuse.ch Feodo Tracker\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\",\"last_online\",\"malware\"\n"
            .to_owned();
    for (third, fourth) in (0..ROWS).map(end) {
        let _ = writeln!(
            text,
            "\"2026-01-17 07:30:{:02}\",\"198.18.{third}.{fourth}\",\"443\",\"online\",\"2026-03-03\",\"Examplebot\"",
            fourth % 60
        );
    }
    measure(bencher, &text, "");
}

/// Nine columns with a URL.
#[divan::bench]
fn urlhaus(bencher: Bencher<'_, '_>) {
    let mut text = "# abuse.ch URLhaus\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n".to_owned();
    for (third, fourth) in (0..ROWS).map(end) {
        let _ = writeln!(
            text,
            "\"{third}{fourth}\",\"2026-03-03 12:06:08\",\"http://198.18.{third}.{fourth}:8080/bin.sh\",\"online\",\
             \"2026-03-03 12:06:08\",\"malware_download\",\"elf,mirai\",\"https://urlhaus.abuse.ch/url/{third}/\",\"watch\""
        );
    }
    measure(bencher, &text, "");
}

/// JSON objects with nine members.
#[divan::bench]
fn feodo_json(bencher: Bencher<'_, '_>) {
    let mut text = "[".to_owned();
    for (row, (third, fourth)) in (0..ROWS).map(end).enumerate() {
        let comma = if row == 0 { "" } else { "," };
        let _ = write!(
            text,
            "{comma}\n{{\"ip_address\": \"198.18.{third}.{fourth}\", \"port\": 443, \"status\": \"online\", \"hostname\": null, \
             \"as_number\": 64496, \"as_name\": \"EXAMPLE\", \"country\": \"NL\", \"first_seen\": \"2026-01-17 07:44:46\", \
             \"last_online\": \"2026-03-03\", \"malware\": \"Examplebot\"}}"
        );
    }
    text.push(']');
    measure(bencher, &text, "");
}
