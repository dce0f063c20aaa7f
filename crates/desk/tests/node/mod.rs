//! A node of one test, with a clock of its own and a directory that goes away with it.
#![allow(dead_code, clippy::unwrap_used)]

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::acts::{Doing, Verb, Which};
use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::resource::Resource;
use model::submission::Door;
use model::time::Time;
use store::Engine;
use store::cases::Filed;
use store::clocks::Standing;
use store::listing::Listing;

#[path = "../engine/mod.rs"]
mod engine;

pub(crate) struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct Node {
    pub(crate) desk: Desk,
    pub(crate) directory: PathBuf,
    pub(crate) clock: Arc<Set>,
    engine: Engine,
    database: Option<engine::Database>,
}

impl Node {
    pub(crate) fn new(now: &str) -> Node {
        Node::reading(now, Reading::default())
    }

    /// A node whose readers are told more.
    pub(crate) fn reading(now: &str, reading: Reading) -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("sluis-acts-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let clock = Arc::new(Set(AtomicI64::new(time(now).0)));
        let (engine, database) = engine::engine(module_path!());
        let desk = Desk::open_on(&directory, &engine, Arc::clone(&clock) as Arc<dyn Clock>, reading).unwrap();
        Node { desk, directory, clock, engine, database }
    }

    /// Ends the process of this node, as far as the node can tell; does something with its files, and begins it anew.
    pub(crate) fn closed(&mut self, work: impl FnOnce()) {
        let spare = self.directory.with_extension("spare");
        let clock = || Arc::clone(&self.clock) as Arc<dyn Clock>;
        drop(std::mem::replace(&mut self.desk, Desk::open(&spare, clock(), Reading::default()).unwrap()));
        work();
        let again = Desk::open_on(&self.directory, &self.engine, clock(), Reading::default()).unwrap();
        drop(std::mem::replace(&mut self.desk, again));
        std::fs::remove_dir_all(spare).unwrap();
    }

    pub(crate) fn is_on_postgres(&self) -> bool {
        self.database.is_some()
    }

    pub(crate) fn set(&self, now: Time) {
        self.clock.0.store(now.0, Ordering::SeqCst);
    }

    pub(crate) fn later(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    /// Receives and works off rows of a Shadowserver telnet report: time, address, port.
    pub(crate) fn telnet(&self, name: &str, rows: &[(&str, &str, u16)]) {
        let mut out =
            b"\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"banner\"\n"
                .to_vec();
        for (when, ip, port) in rows {
            out.extend(format!("\"{when}\",\"{ip}\",\"tcp\",{port},\"\",\"telnet\",64496,\"NL\",\"\",\"\",\"login:\"\n").bytes());
        }
        let name = format!("2026-06-01-scan_telnet-{name}");
        self.desk.receive(Door::File, &name, &mut Cursor::new(out)).unwrap();
        self.desk.work(&|_, _| {}).unwrap();
    }

    pub(crate) fn import(&self, rows: &[(&str, &str, &str, &str)]) -> desk::import::Imported {
        self.desk.import("crm", "csv", &snapshot(rows), How::Vouched).unwrap()
    }

    pub(crate) fn case(&self, id: i64) -> (Filed, Standing) {
        self.read(|transaction| transaction.case_standing(id)).unwrap()
    }

    pub(crate) fn all(&self) -> Vec<(Filed, Standing)> {
        self.read(|transaction| transaction.list_cases(&Listing::default(), 10_000))
    }

    pub(crate) fn read<T>(&self, work: impl FnOnce(&store::Transaction<'_>) -> Result<T, store::Error>) -> T {
        self.desk.store().reader().unwrap().read(work).unwrap()
    }

    pub(crate) fn party(&self, id: Option<i64>) -> String {
        let Some(id) = id else { return "nobody".to_owned() };
        self.read(|transaction| transaction.party(id)).unwrap().party.reference
    }

    /// Runs statements that no act offers.
    pub(crate) fn sql(&self, text: &str) {
        match &self.database {
            Some(database) => database.client().batch_execute(text).unwrap(),
            None => self.sqlite().execute_batch(text).unwrap(),
        }
    }

    /// Whether its rows are in PostgreSQL.
    pub(crate) fn on_postgres(&self) -> bool {
        self.database.is_some()
    }

    /// The only number of an answer.
    pub(crate) fn number(&self, text: &str) -> i64 {
        self.numbers(text)[0][0]
    }

    /// The rows of an answer that has nothing but numbers.
    pub(crate) fn numbers(&self, text: &str) -> Vec<Vec<i64>> {
        if let Some(database) = &self.database {
            let rows = database.client().query(&format!("SELECT * FROM ({text}) AS answer"), &[]).unwrap();
            let number = |row: &postgres::Row, at: usize| match *row.columns()[at].type_() {
                postgres::types::Type::NUMERIC => panic!("{text}: CAST it AS BIGINT"),
                _ => row.get::<_, i64>(at),
            };
            return rows.iter().map(|row| (0..row.len()).map(|at| number(row, at)).collect()).collect();
        }
        let connection = self.sqlite();
        let mut select = connection.prepare(text).unwrap();
        let columns = select.column_count();
        let rows = select.query_map((), |row| (0..columns).map(|at| row.get(at)).collect()).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.directory.join("sluis.db")).unwrap()
    }

    /// What happened in a case.
    pub(crate) fn journal(&self, case: i64) -> Vec<&'static str> {
        self.read(|transaction| transaction.steps(case)).into_iter().map(|step| step.what.word()).collect()
    }

    /// Places in their submissions of a case's reports and of those of the cases merged into it.
    pub(crate) fn ordinals(&self, case: i64) -> Vec<(i64, u32)> {
        let filed = self.case(case).0;
        let (_, kept) = self.read(|transaction| transaction.reports_with_merged(&filed, 10_000));
        let mut found: Vec<(i64, u32)> = kept.iter().map(|kept| (kept.submission, kept.ordinal)).collect();
        found.sort_unstable();
        found
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

pub(crate) fn time(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

/// An act on one or several cases by Anna.
pub(crate) fn doing(verb: Verb, cases: &[i64]) -> Doing {
    let expected = (cases.len() > 1).then_some(cases.len() as u64);
    Doing { verb, which: Which::These(cases.to_vec()), expected, by: "Anna".into(), reason: "because".into() }
}

/// `(resource, party, from, to)`; every party rents from `reseller`, who rents from `provider`.
pub(crate) fn snapshot(rows: &[(&str, &str, &str, &str)]) -> Snapshot {
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    let party = |reference: &str, parent: Option<&str>| Party {
        reference: reference.into(),
        name: reference.into(),
        parent: parent.map(str::to_owned),
        ..Party::default()
    };
    said.parties.push(party("provider", None));
    said.parties.push(party("reseller", Some("provider")));
    for (resource, reference, from, to) in rows {
        if !said.parties.iter().any(|known| known.reference == *reference) {
            said.parties.push(party(reference, Some("reseller")));
        }
        said.assignments.push(Assignment {
            resource: Resource::parse(resource).unwrap(),
            period: Period { from: Time::parse(from.as_bytes()), to: Time::parse(to.as_bytes()) },
            party: (*reference).into(),
            level: Level::Assigned,
            service: String::new(),
            product: String::new(),
            panel: String::new(),
            account: String::new(),
            reference: String::new(),
        });
    }
    said
}
