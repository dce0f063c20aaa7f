//! Receive: a Shadowserver file of 1,000,000 rows becomes durable reports, traced, in cases, rolled up.
//!
//! `cargo bench -p desk --bench receive [-- ROWS [PERCENT]] [sqlite | postgresql]`
//!
//! On SQLite, and on PostgreSQL if there is a server (`SLUIS_POSTGRES`, or a throw-away one that syncs its log as any other).
//!
//! Three mixes: 1%, 25% and 100% of the rows open a case. 100,000 addresses, some seen far more often than others, all
//! assigned to customers of resellers of a provider; each has an open case already, which the other rows join.

#[path = "../tests/engine/mod.rs"]
mod engine;

use std::io::{Cursor, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::case::State;
use model::party::Party;
use model::resource::Resource;
use model::submission::Door;
use model::time::{DAY, Time};
use store::Engine;
use store::cases::Filter;

const ADDRESSES: u64 = 100_000;

/// A clock that stands still until it is set.
struct At(AtomicI64);

impl Clock for At {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

/// A small generator with a fixed seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % bound
    }
}

fn address(number: u64) -> String {
    format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255)
}

/// A provider, 100 resellers and 30,000 customers, who hold the addresses.
fn administration() -> Snapshot {
    let party =
        |reference: String, parent: Option<String>| Party { name: reference.clone(), reference, parent, ..Party::default() };
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    said.parties.push(party("provider".into(), None));
    for reseller in 0..100 {
        said.parties.push(party(format!("r{reseller}"), Some("provider".into())));
    }
    for customer in 0..30_000 {
        said.parties.push(party(format!("c{customer}"), Some(format!("r{}", customer % 100))));
    }
    let mut assign = |text: &str, party: String, level: Level| {
        if let Ok(resource) = Resource::parse(text) {
            let none = String::new;
            let (service, product, panel, account, reference) = (none(), none(), none(), none(), none());
            let period = Period::ALWAYS;
            said.assignments.push(Assignment { resource, period, party, level, service, product, panel, account, reference });
        }
    };
    assign("10.0.0.0/8", "provider".into(), Level::Allocated);
    for number in 0..ADDRESSES {
        assign(&address(number), format!("c{}", number % 30_000), Level::Assigned);
    }
    said
}

const HEADER: &str = "\"timestamp\",\"severity\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"naics\",\"hostname_source\",\"sector\",\"banner\"\n";

fn row(out: &mut Vec<u8>, at: u64, number: u64, port: u16) {
    let (hour, minute, second) = (at % 24, at % 60, at / 60 % 60);
    let ip = address(number);
    let _ = writeln!(
        out,
        "\"2026-06-01 {hour:02}:{minute:02}:{second:02}\",\"high\",\"{ip}\",\"tcp\",{port},\"host-{number}.customer.example\",\"telnet\",64496,\"NL\",\"NOORD-HOLLAND\",\"AMSTERDAM\",518210,\"ptr\",\"Communications, Service Provider, and Hosting Service\",\"Welcome to device {} login:\"",
        at % 977
    );
}

/// One row of `scan_telnet` for each address, at its first port.
fn first_rows() -> Vec<u8> {
    let mut out = HEADER.as_bytes().to_vec();
    for number in 0..ADDRESSES {
        row(&mut out, number, number, 1);
    }
    out
}

/// `rows` rows of `scan_telnet`, of which `percent` in a hundred are a port of an address not seen before.
fn feed(rows: u64, percent: u64) -> Vec<u8> {
    let mut random = Random(7);
    let mut ports = vec![1u16; ADDRESSES as usize];
    let mut out = HEADER.as_bytes().to_vec();
    for number_of_row in 0..rows {
        let number = random.below(ADDRESSES) * random.below(ADDRESSES) / ADDRESSES;
        let seen = &mut ports[number as usize];
        let new = random.below(100) < percent;
        *seen = seen.saturating_add(u16::from(new));
        let port = if new { *seen } else { 1 + random.below(u64::from(*seen)) as u16 };
        row(&mut out, number_of_row, number, port);
    }
    out
}

/// How long the first page of a list of cases takes: all, open ones, those of one party, those without a holder.
#[allow(clippy::print_stdout)]
fn first_pages(desk: &Desk) {
    let filters = [
        ("all", Filter::default()),
        ("open", Filter { state: Some(State::Open), ..Filter::default() }),
        ("of a party", Filter { holder: Some(500), ..Filter::default() }),
        ("without a holder", Filter { holder: Some(0), ..Filter::default() }),
    ];
    for (name, filter) in filters {
        let mut times: Vec<f64> = (0..21)
            .map(|_| {
                let start = Instant::now();
                let page = desk.store().reader().and_then(|mut reader| reader.read(|transaction| transaction.cases(&filter, 50)));
                assert!(page.is_ok());
                start.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        times.sort_by(f64::total_cmp);
        println!("      first page, {name}: median {:.2} ms, worst of 21 {:.2} ms (a new connection each)", times[10], times[20]);
    }
}

#[allow(clippy::print_stdout)]
fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let rows = numbers.next().unwrap_or(1_000_000);
    let only = numbers.next();
    let is_asked = |engine: &str| {
        let named = |name: &&str| arguments.iter().any(|argument| argument == name);
        !["sqlite", "postgresql"].iter().any(named) || named(&engine)
    };
    println!("rows {rows}; figures per run: rows/s from the first byte to the last commit, cases opened, database MiB");
    for (name, module) in [("sqlite", "receive"), ("postgresql", "receive_postgres")] {
        if !is_asked(name) {
            continue;
        }
        for percent in [1, 25, 100].into_iter().filter(|percent| only.is_none_or(|only| only == *percent)) {
            let bytes = feed(rows, percent);
            let mut rates: Vec<f64> = (0..3).filter_map(|run| measure(name, module, &bytes, rows, percent, run)).collect();
            rates.sort_by(f64::total_cmp);
            if let Some(median) = rates.get(rates.len() / 2) {
                println!("{name} {percent:>3}%: median {median:.0} rows/s");
            }
        }
    }
}

/// One run on a new database; rows a second. `None` when there is no PostgreSQL.
#[allow(clippy::print_stdout)]
fn measure(name: &str, module: &str, bytes: &[u8], rows: u64, percent: u64, run: u32) -> Option<f64> {
    let (engine, _database) = engine::engine_synced(module);
    if name == "postgresql" && matches!(engine, Engine::Sqlite) {
        return None;
    }
    let received = Time::parse(b"2026-06-02T06:00:00Z").unwrap_or(Time(150 * DAY));
    let directory = std::env::temp_dir().join(format!("sluis-bench-{}-{percent}-{run}", std::process::id()));
    let clock = Arc::new(At(AtomicI64::new(received.0)));
    let desk = match Desk::open_on(&directory, &engine, Arc::clone(&clock) as Arc<dyn Clock>, Reading::default()) {
        Ok(desk) => desk,
        Err(error) => panic!("{error}"),
    };
    if let Err(error) = desk.import("bench", "csv", &administration(), How::Careful) {
        panic!("{error}");
    }
    let file = "2026-06-01-scan_telnet-netherlands-asn.csv";
    let before = desk.receive(Door::File, file, &mut Cursor::new(first_rows())).and_then(|_| desk.work(&|_, _| {}));
    assert!(before.is_ok_and(|worked| worked.applied.opened == ADDRESSES));
    // The next day: what joins is counted for a day of its own, as most is that joins.
    clock.0.fetch_add(DAY, Ordering::Relaxed);
    let start = Instant::now();
    if let Err(error) = desk.receive(Door::File, file, &mut Cursor::new(bytes)) {
        panic!("{error}");
    }
    let durable = start.elapsed().as_secs_f64();
    let worked = match desk.work(&|_, _| {}) {
        Ok(worked) => worked,
        Err(error) => panic!("{error}"),
    };
    let seconds = start.elapsed().as_secs_f64();
    let size = desk.store().reader().and_then(|mut reader| reader.status()).map_or(0, |status| status.bytes) >> 20;
    println!(
        "{name} {percent:>3}%: {:>7.0} rows/s  ({durable:.2} s until durable, {seconds:.2} s in all)  opened {}  joined {}  rejects {}  {size} MiB",
        rows as f64 / seconds,
        worked.applied.opened,
        worked.applied.joined,
        worked.applied.set_aside
    );
    if run == 2 {
        first_pages(&desk);
    }
    drop(desk);
    let _ = std::fs::remove_dir_all(&directory);
    Some(rows as f64 / seconds)
}
