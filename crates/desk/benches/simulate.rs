//! Simulate: two policies over 90 days of 1,000,000 reports, of which a quarter opened a case.
//!
//! `cargo bench -p desk --bench simulate [-- ROWS [PERCENT]]`

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use desk::import::How;
use desk::simulate::{Asked, Old, simulate};
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::submission::Door;
use model::time::{DAY, HOUR, Time};

const DAYS: u64 = 90;
const ADDRESSES: u64 = 50_000;
/// 2026-06-01 06:00 UTC.
const BEGIN: i64 = 1_780_293_600_000;

struct Hand(AtomicI64);

impl Clock for Hand {
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

/// 100 resellers and 10,000 customers, who hold the addresses.
fn administration() -> Snapshot {
    let party =
        |reference: String, parent: Option<String>| Party { name: reference.clone(), reference, parent, ..Party::default() };
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    said.parties.extend((0..100).map(|reseller| party(format!("r{reseller}"), None)));
    said.parties.extend((0..10_000).map(|customer| party(format!("c{customer}"), Some(format!("r{}", customer % 100)))));
    for number in 0..ADDRESSES {
        if let Ok(resource) = Resource::parse(&address(number)) {
            let none = String::new;
            let (service, product, panel, account, reference) = (none(), none(), none(), none(), none());
            let (period, level, party) = (Period::ALWAYS, Level::Assigned, format!("c{}", number % 10_000));
            said.assignments.push(Assignment { resource, period, party, level, service, product, panel, account, reference });
        }
    }
    said
}

/// A day's feed of open services: `percent` in a hundred are seen for the first time.
fn feed(day: Time, rows: u64, percent: u64, seen: &mut Vec<(u64, u64)>, random: &mut Random) -> Vec<u8> {
    let mut out = b"\"timestamp\",\"severity\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\"\n".to_vec();
    let date = day.to_string();
    for _ in 0..rows {
        let (number, port) = if seen.is_empty() || random.below(100) < percent {
            let new = (random.below(ADDRESSES), 1 + random.below(60_000));
            seen.push(new);
            new
        } else {
            // Most of what is seen again was seen lately.
            let most = random.below(seen.len() as u64);
            let back = random.below(1 + most);
            seen.get(seen.len() - 1 - back as usize).copied().unwrap_or_default()
        };
        let ip = address(number);
        let date = date.get(..10).unwrap_or_default();
        let _ = writeln!(
            out,
            "\"{date} 03:00:00\",\"medium\",\"{ip}\",\"tcp\",{port},\"h{number}.customer.example\",\"telnet\",64496,\"NL\""
        );
    }
    out
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let (rows, percent) = (numbers.next().unwrap_or(1_000_000), numbers.next().unwrap_or(25));
    let directory = std::env::temp_dir().join(format!("sluis-simulate-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let clock = Arc::new(Hand(AtomicI64::new(BEGIN)));
    let desk = Desk::open(&directory, Arc::clone(&clock) as Arc<dyn Clock>, Reading::default())?;
    desk.import("own", "csv", &administration(), How::Vouched)?;
    let (mut random, mut seen) = (Random(7), Vec::new());
    let begun = Instant::now();
    for day in 0..DAYS {
        clock.0.store(BEGIN + day as i64 * DAY, Ordering::Relaxed);
        let bytes = feed(desk.now(), rows / DAYS, percent, &mut seen, &mut random);
        desk.receive(Door::File, "scan_telnet.csv", &mut bytes.as_slice())?;
        desk.work(&|_, _| {})?;
    }
    println!("{rows} reports of {DAYS} days taken in: {:.1} s", begun.elapsed().as_secs_f64());
    let until = Time(BEGIN + DAYS as i64 * DAY);
    let new =
        "[[rule]]\nname = \"open-service\"\ncustomer = \"2 days\"\nfix = \"10 days\"\nforce = \"20 days\"\nquiet = \"14 days\"\n";
    let new = desk::policy::read(new, "new")?;
    for (name, cases) in [("by rule", 0), ("naming 100 that differ", 100)] {
        let old = Old::One(Box::new(desk::policy::shipped()));
        let asked = Asked { old, new: new.clone(), since: Time(BEGIN - HOUR), until, acting: true, cases };
        let begun = Instant::now();
        let done = simulate(&|| desk.store().reader(), &asked)?;
        let seconds = begun.elapsed().as_secs_f64();
        let letters = |totals: &desk::simulate::Totals| totals.rules.iter().map(|sum| sum.letters).sum::<u64>();
        let (old, new, differ) = (letters(&done.old), letters(&done.new), done.differ);
        println!("simulate, {name}: {} cases in {seconds:.2} s ({old} and {new} letters, {differ} differ)", done.cases);
    }
    drop(desk);
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}
