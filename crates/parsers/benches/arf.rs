//! How fast feedback reports are read: `cargo bench -p parsers --bench arf`. One item is one mail.

use std::ops::ControlFlow;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use model::report::Batch;
use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::read::read;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::{Hint, Limits};

fn main() {
    divan::main();
}

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

/// A mail as feedback loops send it; the message it is about has a body of `body` bytes.
fn mail(body: usize) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(include_bytes!("../fixtures/arf/plain.eml")).into_owned();
    let line = "This line is of the length that lines of mails have, about seventy bytes.\n";
    text = text.replace("Click here.\n", &line.repeat(body / line.len()));
    text.into_bytes()
}

#[divan::bench(args = [0, 2_000, 30_000])]
fn read_one_mail(bencher: Bencher<'_, '_>, body: usize) {
    let bytes = mail(body);
    let maps = Maps::default();
    let limits = Limits::default();
    let hint = Hint {
        name: "a.eml",
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received: Time(0),
        maps: &maps,
        declared: None,
        limits,
    };
    bencher.counter(ItemsCount::new(1usize)).counter(BytesCount::of_slice(&bytes)).bench(|| {
        let mut sink = Counting::default();
        let outcome = read(&mut &*bytes, &hint, &mut sink).map(|outcome| outcome.statements).unwrap_or(0);
        assert_eq!((outcome, sink.reports), (1, 1));
    });
}
