//! Seal: steps that wait become durable records, heads and entries, in batches; one urgent step; a batch of a million reports.
//!
//! `cargo bench -p desk --bench seal [-- CASES REPORTS TOGETHER...] [sqlite | postgresql]`: TOGETHER is how many records one transaction
//! seals, and of several each has a run of its own.
//!
//! How often it waits for the disk: `strace -f -c -e trace=fsync,fdatasync target/release/deps/seal-… sqlite`.
//!
//! Entries are committed to the database together with the records; tiles and signatures, which come after, are measured by
//! the bench of the log.

#[path = "../tests/engine/mod.rs"]
mod engine;

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use desk::acts::{Doing, Verb, Which};
use desk::import::How;
use desk::seal::records::{self, Place};
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::submission::Door;
use model::time::Time;
use store::Engine;

/// Records that one transaction seals, unless said otherwise.
const TOGETHER: u64 = 2_048;
/// How often one urgent step is measured.
const URGENT: usize = 100;

/// A clock that stands still.
struct At;

impl Clock for At {
    fn now(&self) -> Time {
        Time(1_780_380_000_000)
    }
}

fn administration() -> Snapshot {
    let party =
        |reference: String, parent: Option<String>| Party { name: reference.clone(), reference, parent, ..Party::default() };
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    said.parties.push(party("provider".into(), None));
    for customer in 0..3_000 {
        said.parties.push(party(format!("c{customer}"), Some("provider".into())));
        let text = format!("10.{}.{}.0/24", customer >> 8, customer & 255);
        if let Ok(resource) = Resource::parse(&text) {
            let none = String::new;
            said.assignments.push(Assignment {
                resource,
                period: Period::ALWAYS,
                party: format!("c{customer}"),
                level: Level::Assigned,
                service: none(),
                product: none(),
                panel: none(),
                account: none(),
                reference: none(),
            });
        }
    }
    said
}

/// Rows of `scan_telnet` about so many addresses.
fn feed(rows: u64, addresses: u64) -> Vec<u8> {
    let mut out =
        b"\"timestamp\",\"severity\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"naics\",\"hostname_source\",\"sector\",\"banner\"\n"
            .to_vec();
    for at in 0..rows {
        let number = at % addresses;
        let _ = writeln!(
            out,
            "\"2026-06-01 {:02}:{:02}:{:02}\",\"high\",\"10.{}.{}.{}\",\"tcp\",{},\"host-{number}.customer.example\",\"telnet\",64496,\"NL\",\"NOORD-HOLLAND\",\"AMSTERDAM\",518210,\"ptr\",\"Communications, Service Provider, and Hosting Service\",\"Welcome to device {} login:\"",
            at % 24,
            at % 60,
            at / 60 % 60,
            number >> 16 & 255,
            number >> 8 & 255,
            number & 255,
            1 + number % 3,
            at % 977
        );
    }
    out
}

/// Milliseconds that a small write takes to be on the disk: the median of a hundred.
fn fsync(directory: &Path) -> f64 {
    let path = directory.join("fsync");
    let Ok(mut file) = std::fs::File::create(&path) else { return f64::NAN };
    let mut times: Vec<f64> = (0..100)
        .map(|_| {
            let begun = Instant::now();
            let _ = file.write_all(&[7; 4_096]).and_then(|()| file.sync_data());
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let _ = std::fs::remove_file(&path);
    times.sort_by(f64::total_cmp);
    times[50]
}

/// Seconds that this thread has worked so far: what it waits for, others' turns included, does not count.
fn worked() -> f64 {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    said.split(' ').next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

/// One transaction of the sequencer: records, and the seconds that preparing and sealing took.
fn seal(desk: &Desk, together: u32, urgent_only: bool) -> (usize, f64, f64) {
    let store = desk.store();
    let begun = Instant::now();
    let mut prepared = match records::prepare(store, together, urgent_only) {
        Ok(prepared) => prepared,
        Err(error) => panic!("{error}"),
    };
    let ready = begun.elapsed().as_secs_f64();
    let drawn = store.write("seal", |transaction| {
        let first = transaction.log_size(1)?;
        let place = Place { shard: 1, first: first as i64 };
        let drawn = records::draw(transaction, store.keys(), &mut prepared, place, desk.now())?;
        transaction.add_entries(1, first, &drawn.entries)?;
        Ok::<_, store::Error>(drawn)
    });
    match drawn {
        Ok(drawn) => (drawn.entries.len(), ready, begun.elapsed().as_secs_f64() - ready),
        Err(error) => panic!("{error}"),
    }
}

/// What sealing all that waited took.
#[derive(Default)]
struct Took {
    records: usize,
    transactions: usize,
    /// Seconds of preparing, and of transactions.
    ready: f64,
    sealed: f64,
    /// Seconds of each transaction.
    each: Vec<f64>,
}

/// Seals all that waits.
fn seal_all(desk: &Desk, together: u32) -> Took {
    let mut took = Took::default();
    loop {
        let (records, ready, sealed) = seal(desk, together, false);
        if records == 0 {
            took.each.sort_by(f64::total_cmp);
            return took;
        }
        took.records += records;
        took.transactions += 1;
        took.ready += ready;
        took.sealed += sealed;
        took.each.push(sealed);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let mut numbers = arguments.iter().filter_map(|argument| argument.parse::<u64>().ok());
    let (cases, reports) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(1_000_000));
    let mut together: Vec<u64> = numbers.collect();
    if together.is_empty() {
        together.push(TOGETHER);
    }
    for (name, module) in [("sqlite", "seal"), ("postgresql", "seal_postgres")] {
        let is_asked =
            !arguments.iter().any(|one| one == "sqlite" || one == "postgresql") || arguments.iter().any(|one| one == name);
        for together in together.iter().filter(|_| is_asked) {
            let (engine, _database) = engine::engine_synced(module);
            if name == "sqlite" || !matches!(engine, Engine::Sqlite) {
                measure(name, &engine, cases, reports, u32::try_from(*together).unwrap_or(u32::MAX));
            }
        }
    }
}

#[allow(clippy::print_stdout)]
fn measure(name: &str, engine: &Engine, cases: u64, reports: u64, together: u32) {
    let directory = std::env::temp_dir().join(format!("sluis-bench-seal-{}-{name}-{together}", std::process::id()));
    let desk = match Desk::open_on(&directory, engine, Arc::new(At), Reading::default()) {
        Ok(desk) => desk,
        Err(error) => panic!("{error}"),
    };
    if let Err(error) = desk.import("bench", "csv", &administration(), How::Careful) {
        panic!("{error}");
    }
    println!("{name}: {together} records a transaction; fsync median {:.2} ms", fsync(&directory));
    let receive = |name: &str, bytes: &[u8]| {
        let done = desk.receive(Door::File, name, &mut Cursor::new(bytes)).and_then(|_| desk.work(&|_, _| {}));
        assert!(done.is_ok());
    };
    receive("2026-06-01-scan_telnet-a.csv", &feed(cases, cases));
    let before = worked();
    let Took { records, transactions, ready, sealed, each } = seal_all(&desk, together);
    let own = worked() - before;
    println!(
        "{name}: {records} records of {cases} cases in {transactions} transactions: {:.0} records/s ({ready:.2} s ahead of transactions, {sealed:.2} s in them; {:.1} µs a record, {:.1} µs of them at work; a transaction median {:.0} ms, worst {:.0} ms)",
        records as f64 / (ready + sealed),
        (ready + sealed) * 1e6 / records as f64,
        own * 1e6 / records as f64,
        each.get(each.len() / 2).unwrap_or(&0.0) * 1e3,
        each.last().unwrap_or(&0.0) * 1e3,
    );
    urgent(&desk, name, together);
    if reports > 0 {
        receive("2026-06-01-scan_telnet-b.csv", &feed(reports, 1_000));
        let before = worked();
        let Took { records, transactions, ready, sealed, .. } = seal_all(&desk, together);
        let own = worked() - before;
        println!(
            "{name}: {reports} reports in batches, {records} records in {transactions} transactions: {ready:.2} s ahead of transactions, {sealed:.2} s in them; {own:.2} s at work",
        );
    }
    drop(desk);
    let _ = std::fs::remove_dir_all(&directory);
}

/// From a person's act on an urgent case to its record, durable.
#[allow(clippy::print_stdout)]
fn urgent(desk: &Desk, name: &str, together: u32) {
    let mut times = Vec::new();
    for at in 0..URGENT as i64 {
        let verb = Verb::Handle { handler: format!("Anna {at}") };
        let doing = Doing { verb, which: Which::These(vec![1 + at]), expected: None, by: "Anna".into(), reason: "urgent".into() };
        if let Err(error) = desk.act(&doing) {
            panic!("{error}");
        }
        let marked = desk.store().write("urgent", |transaction| transaction.queue_for_seal(1, 1 + at, 1, 0, true));
        assert!(marked.is_ok());
        let begun = Instant::now();
        let (records, ..) = seal(desk, together, true);
        assert!(records > 0);
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!(
        "{name}: one urgent step: median {:.1} ms, worst of {URGENT} {:.1} ms",
        times[times.len() / 2],
        times[times.len() - 1]
    );
}
