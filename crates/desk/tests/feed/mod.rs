//! An administration and a feed of any length, the same every time.

use std::fmt::Write;

use desk::Clock;
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::time::Time;

const ADDRESSES: u64 = 4_000;

/// A clock that stands still.
#[allow(dead_code)]
pub(crate) struct At(pub(crate) Time);

impl Clock for At {
    fn now(&self) -> Time {
        self.0
    }
}

/// A small generator with a fixed seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) % bound
    }
}

fn address(number: u64) -> String {
    format!("10.0.{}.{}", number >> 8 & 255, number & 255)
}

/// A provider, ten resellers and `customers` customers, who hold one address each.
pub(crate) fn administration(customers: u64) -> Snapshot {
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    let mut party = |reference: String, parent: Option<String>| {
        said.parties.push(Party { name: reference.clone(), reference, parent, ..Party::default() });
    };
    party("provider".into(), None);
    (0..10).for_each(|reseller| party(format!("r{reseller}"), Some("provider".into())));
    (0..customers).for_each(|customer| party(format!("c{customer}"), Some(format!("r{}", customer % 10))));
    for customer in 0..customers {
        let resource = Resource::parse(&address(customer)).unwrap();
        let none = String::new;
        let (service, product, panel, account, reference) = (none(), none(), none(), none(), none());
        let (period, party, level) = (Period::ALWAYS, format!("c{customer}"), Level::Assigned);
        said.assignments.push(Assignment { resource, period, party, level, service, product, panel, account, reference });
    }
    said
}

/// `rows` rows of `scan_telnet`; about `percent` in a hundred open a case, every 500th gives no time that can be
/// believed, and every 300th is no row at all.
pub(crate) fn feed(rows: u64, percent: u64) -> String {
    let mut random = Random(7);
    let mut out = String::with_capacity(rows as usize * 120);
    out += "\"timestamp\",\"severity\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"colour\",\"banner\"\n";
    for row in 0..rows {
        let ip = address(random.below(ADDRESSES));
        let port = if random.below(100) < percent { 1 + random.below(60_000) } else { 23 };
        let (hour, minute, second) = (row % 24, row % 60, row / 60 % 60);
        let year = if row % 500 == 7 { 2199 } else { 2026 };
        if row % 300 == 9 {
            let _ = writeln!(out, "\"no row\",{row}");
            continue;
        }
        let _ = writeln!(
            out,
            "\"{year}-06-01 {hour:02}:{minute:02}:{second:02}\",\"high\",\"{ip}\",\"tcp\",{port},\"host-{row}.customer.example\",\"telnet\",64496,\"NL\",\"green\",\"device {}\"",
            row % 977
        );
    }
    out
}
