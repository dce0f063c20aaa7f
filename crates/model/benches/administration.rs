//! How long a comparison of a million assignments takes, in friendly and in hostile shapes.
#![allow(missing_docs)]

use divan::Bencher;
use model::address::{Address, Range};
use model::administration::{Known, KnownAssignment, KnownParty, Snapshot, compare};
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::time::Time;

fn main() {
    divan::main();
}

const MILLION: u32 = 1_000_000;

fn row(first: u32, last: u32, level: Level, party: u32, period: Period) -> Assignment {
    Assignment {
        resource: Resource::Addresses(Range { first: Address::from_v4(first), last: Address::from_v4(last) }),
        period,
        party: format!("P{party}"),
        level,
        service: format!("vps-{first}"),
        product: "vps".to_owned(),
        panel: String::new(),
        account: String::new(),
        reference: String::new(),
    }
}

fn snapshot(rows: impl Iterator<Item = Assignment>) -> Snapshot {
    let parties = (0..1_000).map(|at| Party { reference: format!("P{at}"), ..Party::default() }).collect();
    Snapshot { parties, assignments: rows.collect(), complete: true }
}

fn known(said: &Snapshot) -> Known {
    let party = |(at, party): (usize, &Party)| KnownParty { id: at as i64, party: party.clone(), gone: false };
    let row = |(at, row): (usize, &Assignment)| KnownAssignment { id: at as i64, recorded: Time(0), assignment: row.clone() };
    Known {
        parties: said.parties.iter().enumerate().map(party).collect(),
        assignments: said.assignments.iter().enumerate().map(row).collect(),
        others: Vec::new(),
    }
}

/// Single addresses in no order, under /16 and /24, as an operator's export has them.
fn usual() -> Snapshot {
    snapshot((0..MILLION).map(|at| {
        let at = at.wrapping_mul(7_919) % MILLION;
        let first = 0x0a00_0000 + at;
        match at {
            _ if at.is_multiple_of(65_536) => row(first, first + 65_535, Level::Allocated, 0, Period::ALWAYS),
            _ if at.is_multiple_of(256) => row(first, first + 255, Level::SubAllocated, at % 10, Period::ALWAYS),
            _ => row(first, first, Level::Assigned, at % 1_000, Period { from: Some(Time(i64::from(at))), to: None }),
        }
    }))
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn first_import(bencher: Bencher) {
    let said = usual();
    bencher.bench(|| compare(&Known::default(), &said, Time(1)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn nothing_new(bencher: Bencher) {
    let said = usual();
    let known = known(&said);
    bencher.bench(|| compare(&known, &said, Time(1)));
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn everything_moved(bencher: Bencher) {
    let mut said = usual();
    let known = known(&said);
    for row in &mut said.assignments {
        row.party = "P7".to_owned();
        row.period = Period::ALWAYS;
    }
    bencher.bench(|| compare(&known, &said, Time(2_000_000)));
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn hostile_nested_a_million_deep(bencher: Bencher) {
    let said =
        snapshot((0..MILLION).map(|at| row(0x0a00_0000 + at, 0x0b00_0000 - at, Level::Assigned, at % 1_000, Period::ALWAYS)));
    bencher.bench(|| compare(&Known::default(), &said, Time(1)));
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn hostile_all_crossing(bencher: Bencher) {
    let said =
        snapshot((0..MILLION).map(|at| row(0x0a00_0000 + at, 0x0a10_0000 + at * 2, Level::Assigned, at % 1_000, Period::ALWAYS)));
    bencher.bench(|| compare(&Known::default(), &said, Time(1)));
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn hostile_all_crossing_with_history(bencher: Bencher) {
    let said = snapshot((0..MILLION).map(|at| {
        let period = Period { from: Some(Time(i64::from(at))), to: Some(Time(i64::from(at) + 5)) };
        row(0x0a00_0000 + at, 0x0a10_0000 + at * 2, Level::Assigned, at % 1_000, period)
    }));
    bencher.bench(|| compare(&Known::default(), &said, Time(1)));
}

#[divan::bench(sample_count = 1, sample_size = 1)]
fn hostile_one_lane(bencher: Bencher) {
    let said = snapshot((0..MILLION).map(|at| {
        let from = i64::from(at.wrapping_mul(7_919) % MILLION) * 3;
        row(0x0a00_0000, 0x0a00_0000, Level::Assigned, at % 2, Period { from: Some(Time(from)), to: Some(Time(from + 4)) })
    }));
    bencher.bench(|| compare(&Known::default(), &said, Time(1)));
}
