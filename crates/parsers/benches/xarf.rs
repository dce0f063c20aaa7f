//! XARF 4, read and validated: reports a second on one core, for a report of 747 bytes.
//!
//! `cargo bench -p parsers --bench xarf`

use std::ops::ControlFlow;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use model::report::Batch;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::formats::xarf::check::verdict;
use parsers::read::read;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::{Hint, Limits};
use parsers::write::xarf::{Ids, write};

const REPORTS: usize = 20_000;

fn main() {
    divan::main();
}

/// A report of 747 bytes, and a newline.
fn line(number: usize) -> String {
    let mut line = format!(
        concat!(
            r#"{{"xarf_version":"4.2.0","report_id":"00000000-0000-4000-8000-{:012}","timestamp":"2026-11-21T23:47:54Z","#,
            r#""reporter":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},"#,
            r#""sender":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},"#,
            r#""source_identifier":"192.0.2.{}","source_port":{},"category":"connection","type":"login_attack","#,
            r#""evidence_source":"honeypot","confidence":0.95,"destination_ip":"198.51.100.33","destination_port":22,"#,
            r#""protocol":"tcp","first_seen":"2026-11-21T23:40:00Z","last_seen":"2026-11-21T23:47:54Z","#,
            r#""tags":["tlp:amber","attack:ssh-brute-force"],"#,
            r#""evidence":[{{"content_type":"text/plain","description":"Lines of the log","payload":""#
        ),
        number,
        number % 256,
        1024 + number % 60_000
    );
    let end = "\"}]}";
    while line.len() + end.len() < 747 {
        line.push_str("YWJj");
    }
    line.truncate(747 - end.len());
    line.push_str(end);
    line.push('\n');
    line
}

struct Count(usize);

impl Sink for Count {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.0 += batch.len();
        ControlFlow::Continue(())
    }

    fn reject(&mut self, reject: Reject) {
        panic!("{}", reject.reason);
    }

    fn note(&mut self, note: Note) {
        panic!("{}", note.text);
    }
}

fn reading(bencher: Bencher<'_, '_>, text: String) {
    let maps = Maps::default();
    bencher.counter(ItemsCount::new(REPORTS)).counter(BytesCount::of_str(&text)).bench(|| {
        let hint = Hint {
            name: "",
            content_type: "",
            location: "",
            kind: None,
            format: None,
            received: Time(0),
            maps: &maps,
            declared: None,
            limits: Limits::default(),
        };
        let mut sink = Count(0);
        let outcome = read(&mut text.as_bytes(), &hint, &mut sink);
        assert!(outcome.is_ok() && sink.0 == REPORTS);
    });
}

#[divan::bench]
fn lines_read_and_validated(bencher: Bencher<'_, '_>) {
    reading(bencher, (0..REPORTS).map(line).collect());
}

#[divan::bench]
fn array_read_and_validated(bencher: Bencher<'_, '_>) {
    let lines: Vec<_> = (0..REPORTS).map(line).collect();
    reading(bencher, format!("[{}]", lines.join(",")));
}

#[divan::bench]
fn verdict_alone(bencher: Bencher<'_, '_>) {
    let text = line(7);
    bencher.counter(ItemsCount::new(1usize)).bench(|| assert!(verdict(text.as_bytes()).valid));
}

#[divan::bench]
fn written(bencher: Bencher<'_, '_>) {
    struct Keep(Batch);
    impl Sink for Keep {
        fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
            let next = batch.successor();
            self.0 = std::mem::replace(batch, next);
            ControlFlow::Continue(())
        }
        fn reject(&mut self, _: Reject) {}
        fn note(&mut self, _: Note) {}
    }
    let maps = Maps::default();
    let hint = Hint {
        name: "",
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(0),
        maps: &maps,
        declared: None,
        limits: Limits::default(),
    };
    let mut keep = Keep(Batch::new());
    let outcome = read(&mut line(7).as_bytes(), &hint, &mut keep);
    assert!(outcome.is_ok());
    let ids = Ids { fallback_report_id: String::new(), received: Time(0) };
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        out.clear();
        write(&keep.0.report(0), &ids, &mut out);
    });
}
