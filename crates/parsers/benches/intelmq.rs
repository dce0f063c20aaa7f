//! IntelMQ's events and described JSON: rows a second on one core, for events of some 900 bytes in 24 members.
//!
//! `cargo bench -p parsers --bench intelmq`

use std::ops::ControlFlow;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use model::report::Batch;
use model::time::Time;
use parsers::formats::csv::Declared;
use parsers::read::read;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::Hint;

const EVENTS: usize = 20_000;

fn main() {
    divan::main();
}

fn events() -> String {
    let mut text = String::new();
    for number in 0..EVENTS {
        text.push_str(&format!(
            concat!(
                r#"{{"classification.taxonomy":"malicious-code","classification.type":"infected-system","#,
                r#""classification.identifier":"exampler","feed.accuracy":80.0,"feed.name":"Example Sinkhole","#,
                r#""feed.provider":"Example Watch","feed.url":"https://watch.example/sinkhole","#,
                r#""source.ip":"192.0.2.{}","source.port":{},"source.asn":64496,"source.geolocation.cc":"NL","#,
                r#""source.reverse_dns":"host{}.shop.example","destination.ip":"198.51.100.7","destination.port":80,"#,
                r#""destination.fqdn":"sink.watch.example","protocol.transport":"tcp","protocol.application":"http","#,
                r#""malware.name":"exampler","time.source":"2026-03-04T04:00:00+00:00","#,
                r#""time.observation":"2026-03-04T05:00:00+00:00","event_description.text":"Spoke to a sinkhole.","#,
                r#""extra.request":"GET /index.php?a=b","extra.count":{},"#,
                r#""raw":"MjAyNi0wMy0wNCAwNDowMDowMCwxOTIuMC4yLjcsZXhhbXBsZXIsMjAyNi0wMy0wNCAwNDowMDowMCwxOTIuMC4yLjc="}}"#,
                "\n"
            ),
            number % 256,
            1024 + number % 60_000,
            number,
            number
        ));
    }
    text
}

struct Count;

impl Sink for Count {
    fn reports(&mut self, _: &mut Batch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn reject(&mut self, reject: Reject) {
        panic!("{}", reject.reason);
    }

    fn note(&mut self, note: Note) {
        panic!("{}", note.text);
    }
}

fn reading(bencher: Bencher<'_, '_>, text: &str, hint: &Hint<'_>) {
    bencher
        .counter(ItemsCount::new(EVENTS))
        .counter(BytesCount::of_str(text))
        .bench(|| read(&mut text.as_bytes(), hint, &mut Count).map(|outcome| outcome.statements));
}

#[divan::bench]
fn lines(bencher: Bencher<'_, '_>) {
    reading(bencher, &events(), &Hint::new("", Time(0)));
}

#[divan::bench]
fn described(bencher: Bencher<'_, '_>) {
    let text = "kind = 'connection/infected_host'\n[columns]\nip = 'source.ip'\nport = 'source.port'\ntime = 'time.source'\n";
    let declared = Declared::parse(text).unwrap_or_else(|error| panic!("{error}"));
    reading(bencher, &events(), &Hint { declared: Some(&declared), format: Some("json"), ..Hint::new("", Time(0)) });
}
