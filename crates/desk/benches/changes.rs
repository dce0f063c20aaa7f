//! Changes of an administration: 1,000,000 assignments, and files of 1,000 changes each.
//!
//! `cargo bench -p desk --bench changes [-- ASSIGNMENTS]`

// What it measures it prints.
#![allow(clippy::print_stdout)]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::time::Time;
use parsers::administration::{Limits, changes};

struct At(Time);

impl Clock for At {
    fn now(&self) -> Time {
        self.0
    }
}

fn address(number: u64) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

fn main() {
    let count: u64 = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(1_000_000);
    let directory = std::env::temp_dir().join(format!("sluis-bench-changes-{}", std::process::id()));
    let now = Time::parse(b"2026-06-01T12:00:00Z").unwrap_or(Time(0));
    let desk = Desk::open(&directory, Arc::new(At(now)), Reading::default()).expect("a desk");
    let party = |number: u64| format!("C-{}", number % 30_000);
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    for number in 0..30_000.min(count) {
        said.parties.push(Party { reference: party(number), name: format!("Customer {number}"), ..Party::default() });
    }
    for number in 0..count {
        said.assignments.push(Assignment {
            resource: Resource::parse(&address(number)).expect("an address"),
            period: Period { from: Time::parse(b"2025-01-01"), to: None },
            party: party(number),
            level: Level::Assigned,
            service: format!("vps-{number}"),
            product: String::new(),
            panel: String::new(),
            account: String::new(),
            reference: String::new(),
        });
    }
    let begun = Instant::now();
    desk.import("crm", "csv", &said, How::Careful).expect("an import");
    println!("import of {count} assignments: {:.2} s", begun.elapsed().as_secs_f64());
    let begun = Instant::now();
    desk.import("crm", "csv", &said, How::Careful).expect("an import");
    println!("the same again, nothing to do: {:.2} s", begun.elapsed().as_secs_f64());
    drop(said);
    for round in 0..5u64 {
        let mut text = String::new();
        for number in 0..1_000u64 {
            let at = (number * 977 + round * 13) % count;
            let _ = match number % 3 {
                0 => writeln!(
                    text,
                    "{{\"begin\": {{\"resource\": \"{}\", \"party\": \"{}\"}}}}",
                    address(at),
                    party(at + 1 + round)
                ),
                1 => writeln!(text, "{{\"end\": {{\"resource\": \"{}\"}}}}", address(at)),
                _ => writeln!(text, "{{\"party\": {{\"party\": \"{}\", \"party_name\": \"Customer {round}\"}}}}", party(at)),
            };
        }
        let begun = Instant::now();
        let told = changes::read(&mut text.as_bytes(), &Limits::default()).expect("changes");
        let read = begun.elapsed();
        desk.change("crm", &told, None).expect("applied");
        let applied = begun.elapsed() - read;
        desk.refresh().expect("an index");
        let whole = begun.elapsed();
        println!(
            "1,000 changes: read {:.1} ms, applied {:.1} ms, index and holders {:.1} ms",
            read.as_secs_f64() * 1e3,
            applied.as_secs_f64() * 1e3,
            (whole - read - applied).as_secs_f64() * 1e3
        );
    }
    let _ = std::fs::remove_dir_all(&directory);
}
