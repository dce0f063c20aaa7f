//! The same, done on both databases, leaves the same in every table; and several workers leave what one does.

#![allow(clippy::unwrap_used)]

mod engine;
mod feed;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::import::How;
use desk::{Clock, Desk, Reading};
use feed::{administration, feed};
use model::submission::Door;
use model::time::{HOUR, Time};
use proptest::prelude::*;
use store::Engine;

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

struct Node {
    desk: Option<Desk>,
    engine: Engine,
    clock: Arc<Set>,
    directory: PathBuf,
    database: Option<engine::Database>,
}

impl Node {
    fn new(name: &str) -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("sluis-both-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let (engine, database) = engine::engine(name);
        let clock = Arc::new(Set(AtomicI64::new(1_780_380_000_000)));
        let mut node = Node { desk: None, engine, clock, directory, database };
        node.open();
        node
    }

    fn open(&mut self) {
        self.desk = None;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let mut desk = Desk::open_on(&self.directory, &self.engine, clock, Reading::default()).unwrap();
        desk.set_workers(1);
        self.desk = Some(desk);
    }

    fn desk(&self) -> &Desk {
        self.desk.as_ref().unwrap()
    }

    fn tables(&self) -> BTreeMap<String, Vec<String>> {
        match &self.database {
            Some(database) => tables::tables_of_postgres(&mut database.client()),
            None => {
                self.desk().store().checkpoint().unwrap();
                tables::tables(&self.directory)
            }
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.desk = None;
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Something that is done to a node.
#[derive(Clone, Debug)]
enum Deed {
    /// A feed of so many rows, of which so many in a hundred open a case, beginning somewhere in a longer one.
    Receive {
        skip: usize,
        rows: usize,
        percent: u64,
    },
    /// A notice from a person, and one that nobody understands.
    Note {
        address: u8,
        readable: bool,
    },
    Work,
    /// The administration, of so many customers, vouched for or not.
    Import {
        customers: u64,
        vouched: bool,
    },
    /// Everything that was set aside, once more.
    Again {
        submission: i64,
    },
    /// Another process.
    Open,
    Pass {
        hours: i64,
    },
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        4 => (0..400usize, 1..600usize, prop_oneof![Just(1), Just(25), Just(100)])
            .prop_map(|(skip, rows, percent)| Deed::Receive { skip, rows, percent }),
        2 => (0..9u8, any::<bool>()).prop_map(|(address, readable)| Deed::Note { address, readable }),
        4 => Just(Deed::Work),
        3 => (prop_oneof![0..40u64, 1_000..1_500u64], any::<bool>())
            .prop_map(|(customers, vouched)| Deed::Import { customers, vouched }),
        1 => (1..6i64).prop_map(|submission| Deed::Again { submission }),
        1 => Just(Deed::Open),
        1 => (1..60i64).prop_map(|hours| Deed::Pass { hours }),
    ];
    proptest::collection::vec(deed, 1..14)
}

/// Does it; what came of it, as far as it is to be the same.
fn perform(node: &mut Node, deed: &Deed) -> String {
    match deed {
        Deed::Receive { skip, rows, percent } => {
            let whole = feed(1_000, *percent);
            let (header, rest) = whole.split_once('\n').unwrap();
            let rows: Vec<&str> = rest.lines().skip(*skip).take(*rows).collect();
            let text = format!("{header}\n{}\n", rows.join("\n"));
            let name = "2026-06-01-scan_telnet-netherlands-asn.csv";
            format!("{:?}", node.desk().receive(Door::File, name, &mut text.as_bytes()).unwrap())
        }
        Deed::Note { address, readable } => {
            let text = if *readable {
                format!(
                    "timestamp,ip,category,type,url\n2026-06-01 0{address}:00:00,10.0.0.{address},content,phishing,https://shop{address}.example/login\n"
                )
            } else {
                format!("Hello\u{0}, {address} is not well: naïve text ☃\n")
            };
            format!("{:?}", node.desk().receive(Door::Pipe, "note.csv", &mut text.as_bytes()).unwrap())
        }
        Deed::Work => format!("{:?}", node.desk().work(&|_, _| {}).unwrap()),
        Deed::Import { customers, vouched } => {
            let how = if *vouched { How::Vouched } else { How::Careful };
            let done = node.desk().import("oak", "csv", &administration(*customers), how);
            done.map_or_else(|error| error.to_string(), |done| format!("{} {:?}", done.holders_found, done.changes.begun.len()))
        }
        Deed::Again { submission } => {
            let there = node.desk().store().reader().unwrap().read(|transaction| transaction.submission(*submission)).unwrap();
            if there.is_some() {
                node.desk().read_again(*submission).unwrap();
            }
            format!("{}", there.is_some())
        }
        Deed::Open => {
            node.open();
            node.desk().recover().unwrap();
            String::new()
        }
        Deed::Pass { hours } => {
            node.clock.0.fetch_add(hours * HOUR, Ordering::SeqCst);
            String::new()
        }
    }
}

#[test]
fn whatever_is_done_in_any_order_leaves_the_same_tables() {
    if Node::new("both_postgres").database.is_none() {
        return;
    }
    let cases = std::env::var("SLUIS_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let config = ProptestConfig { cases, max_shrink_iters: 60, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(deeds in deeds())| {
        let (mut one, mut other) = (Node::new("both"), Node::new("both_postgres"));
        for deed in deeds.iter().chain([&Deed::Work]) {
            prop_assert_eq!(perform(&mut one, deed), perform(&mut other, deed), "{:?}", deed);
        }
        let (here, there) = (one.tables(), other.tables());
        prop_assert_eq!(here.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
        for (table, rows) in &here {
            let differ = rows.iter().zip(&there[table]).find(|(one, other)| one != other);
            prop_assert!(rows == &there[table], "{}: {} rows and {}: {:?}", table, rows.len(), there[table].len(), differ);
        }
    });
}

/// What does not depend on who came first: reports by what they say, cases by what they are about, roll-ups, counts.
fn essence(tables: &BTreeMap<String, Vec<String>>) -> BTreeMap<&str, Vec<String>> {
    let keep = |table: &'static str, columns: &[&str]| {
        let kept = |row: &String| -> String {
            let parts = row.split(' ').filter(|part| columns.iter().any(|column| part.split('=').next() == Some(column)));
            parts.collect::<Vec<_>>().join(" ")
        };
        let mut rows: Vec<String> = tables[table].iter().map(kept).collect();
        rows.sort();
        (table, rows)
    };
    BTreeMap::from([
        keep("reports", &["ordinal", "observed", "address", "port", "kind", "confidence", "labels"]),
        keep("cases", &["key", "kind", "state", "holder", "address", "first_seen", "last_seen", "reports", "history"]),
        keep("daily", &["day", "holder", "kind", "reports", "cases"]),
        keep("submissions", &["id", "progress", "cursor", "reports", "rejects"]),
        keep("steps", &["what", "ordinal"]),
        keep("set_aside", &["submission", "ordinal", "queue"]),
    ])
}

#[test]
fn several_workers_leave_what_one_does() {
    let (one, mut several) = (Node::new("both"), Node::new("both_postgres"));
    several.desk.as_mut().unwrap().set_workers(4);
    for node in [&one, &several] {
        node.desk().import("oak", "csv", &administration(900), How::Careful).unwrap();
        // Many that open and join the same cases, small ones together and large ones by themselves.
        for number in 0..60usize {
            let rows = if number % 20 == 19 { 9_000 } else { 120 };
            let whole = feed(rows, 25);
            let (header, rest) = whole.split_once('\n').unwrap();
            let rows: Vec<&str> = rest.lines().skip(number % 7).collect();
            let text = format!("{header}\n{}\n", rows.join("\n"));
            let name = "2026-06-01-scan_telnet-netherlands-asn.csv";
            // Bytes that differ, so that they are no copies of each other.
            let door = Door::File;
            node.desk().receive(door, name, &mut format!("{text}{}", "\n".repeat(number)).as_bytes()).unwrap();
        }
        node.desk().work(&|_, _| {}).unwrap();
    }
    let (here, there) = (one.tables(), several.tables());
    let (here, there) = (essence(&here), essence(&there));
    for (table, rows) in &here {
        assert!(rows.len() > 10, "{table}");
        let differ = rows.iter().zip(&there[table]).find(|(one, other)| one != other);
        assert!(rows == &there[table], "{table}: {} rows and {}: {differ:?}", rows.len(), there[table].len());
    }
    let tables = several.tables();
    let key = |row: &'_ String| row.split_once(" key=").and_then(|(_, rest)| rest.split_once(" kind=")).unwrap().0.to_owned();
    let keys: Vec<String> = tables["cases"].iter().map(key).collect();
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "one open case for one problem");
}
