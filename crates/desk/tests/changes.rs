//! Changes of an administration, one by one: in order, as a whole, once, and as an import would have them.

#![allow(clippy::unwrap_used)]

#[path = "engine/mod.rs"]
mod engine;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::changes::Mark;
use desk::import::How;
use desk::{Clock, Desk, Error, Reading};
use model::administration::Snapshot;
use model::time::Time;
use parsers::administration::{Limits, changes, csv};

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

struct Node {
    desk: Desk,
    directory: PathBuf,
    clock: Arc<Set>,
    _database: Option<engine::Database>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn time(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

impl Node {
    fn new() -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("sluis-changes-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let clock = Arc::new(Set(AtomicI64::new(time("2026-06-01T12:00:00Z").0)));
        let (engine, database) = engine::engine(module_path!());
        let desk = Desk::open_on(&directory, &engine, Arc::clone(&clock) as Arc<dyn Clock>, Reading::default()).unwrap();
        Node { desk, directory, clock, _database: database }
    }

    fn at(&self, text: &str) -> &Node {
        self.clock.0.store(time(text).0, Ordering::SeqCst);
        self
    }

    fn change(&self, lines: &str) -> Result<desk::changes::Changed, Error> {
        self.desk.change("crm", &told(lines), None)
    }

    /// Everything that is held and was held, one row a line, in order.
    fn rows(&self) -> Vec<String> {
        let mut rows = self
            .desk
            .store()
            .reader()
            .unwrap()
            .read(|transaction| {
                let sources = transaction.sources()?;
                let mut rows = Vec::new();
                for source in sources {
                    for kept in transaction.assignments(source.id, false)? {
                        let row = kept.assignment;
                        rows.push(format!("{} {} {} {}", row.resource, row.level.word(), row.party, row.period));
                    }
                }
                Ok::<_, store::Error>(rows)
            })
            .unwrap();
        rows.sort();
        rows
    }

    fn roles(&self, reference: &str) -> String {
        let kept = self.desk.store().reader().unwrap().read(|transaction| transaction.party_of(1, reference)).unwrap().unwrap();
        let roles: Vec<&str> = kept.party.roles.iter().map(|role| role.word()).collect();
        format!("{} {} {}", roles.join(";"), kept.party.contacts.len(), kept.party.parent.unwrap_or_default())
    }
}

fn told(lines: &str) -> Vec<model::administration::change::Told> {
    changes::read(&mut lines.as_bytes(), &Limits::default()).unwrap()
}

const PARTIES: &str = r#"{"party": {"party": "R-7", "party_name": "Kade"}}
{"party": {"party": "A", "party_name": "Oak", "parent": "R-7", "contact_mail": "it@oak.example"}}
{"party": {"party": "B", "party_name": "Elm", "parent": "R-7"}}
"#;

#[test]
fn an_address_goes_from_hand_to_hand_in_the_order_of_the_lines() {
    let node = Node::new();
    node.change(PARTIES).unwrap();
    node.change(
        r#"{"begin": {"resource": "192.0.2.64/26", "party": "R-7", "level": "sub-allocated", "from": "2026-01-01"}}
{"begin": {"resource": "192.0.2.70", "party": "A", "from": "2026-01-01", "service": "vps-1"}}
{"end": {"resource": "192.0.2.70", "party": "A", "to": "2026-02-01"}}
{"begin": {"resource": "192.0.2.70", "party": "B", "from": "2026-02-02"}}
{"begin": {"resource": "oak.example", "party": "A"}}
"#,
    )
    .unwrap();
    let expected = [
        "192.0.2.64/26 sub-allocated R-7 2026-01-01T00:00:00Z until now",
        "192.0.2.70 assigned A 2026-01-01T00:00:00Z until 2026-02-01T00:00:00Z",
        "192.0.2.70 assigned B 2026-02-02T00:00:00Z until now",
        "oak.example assigned A unknown until now",
    ];
    assert_eq!(node.rows(), expected);
    // Who takes over ends who had it; what nobody stated follows from what they hold.
    node.at("2026-06-02T08:00:00Z").change(r#"{"begin": {"resource": "192.0.2.70", "party": "A"}}"#).unwrap();
    assert!(node.rows().contains(&"192.0.2.70 assigned B 2026-02-02T00:00:00Z until 2026-06-02T08:00:00Z".to_owned()));
    assert!(node.rows().contains(&"192.0.2.70 assigned A 2026-06-02T08:00:00Z until now".to_owned()));
    assert_eq!((node.roles("R-7").as_str(), node.roles("A").as_str()), ("reseller 0 ", "customer 1 R-7"));
    // What is said of a party is all that is known of it, but for what follows.
    node.change(r#"{"party": {"party": "A", "party_name": "Oak Bakery"}}"#).unwrap();
    assert_eq!(node.roles("A"), "customer 0 ");
}

#[test]
fn a_file_is_taken_as_a_whole_or_not_at_all() {
    let node = Node::new();
    node.change(PARTIES).unwrap();
    let before = node.rows();
    for (lines, expected) in [
        (r#"{"begin": {"resource": "192.0.2.1", "party": "X"}}"#, "line 2: there is no party 'X'"),
        (r#"{"party": {"party": "C", "parent": "X"}}"#, "line 2: the parent 'X' of 'C' is not a party"),
        (r#"{"party": {"party": "R-7", "parent": "A"}}"#, "line 2: 'R-7' rents from itself"),
        (r#"{"end": {"resource": "192.0.2.9", "party": "A", "to": "2025-01-01"}}"#, "line 2: 192.0.2.9 would end at"),
    ] {
        let lines =
            format!("{{\"begin\": {{\"resource\": \"192.0.2.9\", \"party\": \"A\", \"from\": \"2026-01-01\"}}}}\n{lines}");
        let error = node.change(&lines).unwrap_err();
        assert!(matches!(&error, Error::Invalid(reason) if reason.starts_with(expected)), "{lines}: {error}");
        assert_eq!(node.rows(), before, "{lines}");
    }
}

#[test]
fn what_was_applied_before_a_kill_is_not_applied_again() {
    let node = Node::new();
    node.change(PARTIES).unwrap();
    let lines = r#"{"begin": {"resource": "192.0.2.1", "party": "A"}}"#;
    let mark = Mark::of("0001.changes.jsonl", lines.as_bytes());
    let first = node.desk.change("crm", &told(lines), Some(mark)).unwrap();
    assert!(!first.known && first.changes.begun.len() == 1);
    node.at("2026-06-03T12:00:00Z");
    // Another party has it meanwhile, by hand: applied again, it would be taken away from them.
    let again = node.desk.change("crm", &told(lines), Some(mark)).unwrap();
    assert!(again.known && again.changes.is_empty());
    node.desk.settle("crm").unwrap();
    assert!(!node.desk.change("crm", &told(lines), Some(mark)).unwrap().known);
    assert_ne!(mark, Mark::of("0002.changes.jsonl", lines.as_bytes()));
    assert_ne!(mark, Mark::of("0001.changes.jsonl", b""));
}

#[test]
fn what_is_shown_is_not_done_and_what_another_source_holds_is_told() {
    let node = Node::new();
    let (ripe, _) =
        csv::read(&mut "resource,party,level\n192.0.2.0/24,P,allocated\n192.0.2.5,P,\n".as_bytes(), None, &Limits::default());
    node.desk.import("ripe", "csv", &ripe, How::Careful).unwrap();
    let before = node.rows();
    let lines = format!("{PARTIES}{}", r#"{"begin": {"resource": "192.0.2.5", "party": "A"}}"#);
    let shown = node.desk.import_changes("crm", &told(&lines), How::DryRun).unwrap();
    assert_eq!((shown.changes.parties_new.len(), shown.changes.conflicts.count, node.rows()), (3, 1, before));
    let ended = r#"{"end": {"resource": "192.0.2.77"}}"#;
    let done = node.desk.import_changes("crm", &told(ended), How::Careful).unwrap();
    assert_eq!((done.changes.problems.count, done.changes.is_empty()), (1, true));
}

#[test]
fn an_import_of_the_same_state_finds_nothing_to_do() {
    let node = Node::new();
    node.change(PARTIES).unwrap();
    node.change(
        r#"{"begin": {"resource": "192.0.2.1", "party": "A", "from": "2026-01-01"}}
{"begin": {"resource": "192.0.2.2", "party": "A", "from": "2026-01-01"}}
{"end": {"resource": "192.0.2.2", "to": "2026-03-01"}}
{"begin": {"resource": "192.0.2.2", "party": "B", "from": "2026-03-01"}}"#,
    )
    .unwrap();
    let text = "party,party_name,parent,contact_mail,roles,resource,from,to\n\
        R-7,Kade,,,,,,\nA,Oak,R-7,it@oak.example,,192.0.2.1,2026-01-01,\nA,,,,,192.0.2.2,2026-01-01,2026-03-01\n\
        B,Elm,R-7,,,192.0.2.2,2026-03-01,\n";
    let (said, findings) = csv::read(&mut text.as_bytes(), None, &Limits::default());
    assert!(findings.is_empty(), "{findings:?}");
    let done: Snapshot = said;
    let imported = node.desk.import("crm", "csv", &done, How::Careful).unwrap();
    assert!(imported.changes.is_empty(), "{:?}", imported.changes);
}

#[test]
fn a_source_is_stale_when_it_is_older_than_it_may_be() {
    let node = Node::new();
    node.change(PARTIES).unwrap();
    node.desk.set_fresh(&[("crm".to_owned(), 3_600_000), ("unknown".to_owned(), 1)]).unwrap();
    let now = node.desk.now();
    assert!(node.desk.stale_sources(Time(now.0 + 3_600_000)).unwrap().is_empty());
    let stale = node.desk.stale_sources(Time(now.0 + 3_600_001)).unwrap();
    assert_eq!(stale.iter().map(|source| source.name.as_str()).collect::<Vec<_>>(), ["crm"]);
}
