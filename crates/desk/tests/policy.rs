//! The policy file of a node at work: taken up, kept, wrong, gone; and what another would have done.
// A helper that cannot go on ends the test; a person reads where.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use desk::import::How;
use desk::policy::Looked;
use desk::simulate::{Asked, Old, simulate};
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::Party;
use model::policy::{Alarm, Mode};
use model::resource::Resource;
use model::severity::Severity;
use model::submission::Door;
use model::time::{DAY, HOUR, Time};

const NOW: i64 = 1_780_380_000_000;

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

struct Node {
    directory: PathBuf,
    clock: Arc<Hand>,
    desk: Mutex<Option<Desk>>,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Node {
    fn new(name: &str) -> Node {
        let directory = std::env::temp_dir().join(format!("sluis-policy-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Node { directory, clock: Arc::new(Hand(AtomicI64::new(NOW))), desk: Mutex::default() }
    }

    fn write(&self, text: &str) {
        std::fs::write(self.directory.join("policy.toml"), text).unwrap();
    }

    fn restart(&self) {
        let mut desk = self.desk.lock().unwrap();
        *desk = None;
        *desk = Some(Desk::open(&self.directory, Arc::clone(&self.clock) as Arc<dyn Clock>, Reading::default()).unwrap());
    }

    fn with<T>(&self, work: impl FnOnce(&Desk) -> T) -> T {
        work(self.desk.lock().unwrap().as_ref().unwrap())
    }

    fn mode(&self) -> (i64, Mode) {
        self.with(|desk| (desk.policy().version, desk.policy().policy.care(Severity::P1).mode))
    }

    fn alerts(&self) -> Vec<String> {
        let alerts = self.with(|desk| desk.store().reader().unwrap().read(|transaction| transaction.open_alerts()).unwrap());
        alerts.into_iter().filter(|alert| alert.kind == Alarm::Policy).map(|alert| alert.text).collect()
    }
}

#[test]
fn the_file_is_the_truth_and_a_wrong_one_changes_nothing() {
    let node = Node::new("file");
    node.restart();
    assert_eq!(node.mode(), (1, Mode::Observe), "a new node has the shipped policy");
    node.restart();
    assert_eq!(node.mode().0, 1, "and the next start makes no version more");

    node.write("[severity.P1]\nmode = \"act\"\n");
    assert!(matches!(node.with(|desk| desk.look_at_policy()), Ok(Looked::Changed(new)) if new.version == 2));
    assert!(matches!(node.with(|desk| desk.look_at_policy()), Ok(Looked::Same)));
    assert_eq!(node.mode(), (2, Mode::Act));

    node.write("[severity.P1]\nmode = \"on, please\"\n");
    assert!(matches!(node.with(|desk| desk.look_at_policy()), Ok(Looked::Wrong(reason)) if reason.contains(":2:8:")));
    assert_eq!(node.mode(), (2, Mode::Act), "the last good one holds");
    let alerts = node.alerts();
    assert_eq!(alerts.len(), 1);
    assert!(alerts[0].contains("line 2") && !alerts[0].contains("please"), "{alerts:?}");
    node.restart();
    assert_eq!(node.mode(), (2, Mode::Act), "after a restart, too");

    std::fs::remove_file(node.directory.join("policy.toml")).unwrap();
    assert!(matches!(node.with(|desk| desk.look_at_policy()), Ok(Looked::Wrong(_))), "a file that is gone is no wish");
    node.restart();
    assert_eq!(node.mode(), (2, Mode::Act));

    node.write("[severity.P1]\nmode = \"act\"\n# as before\n");
    assert!(matches!(node.with(|desk| desk.look_at_policy()), Ok(Looked::Changed(new)) if new.version == 3));
    assert!(node.alerts().is_empty(), "the alert is over");
    let held = node.with(|desk| desk.policy_of(1)).unwrap();
    assert_eq!(held.care(Severity::P1).mode, Mode::Observe, "what held then can still be read");
    assert!(node.with(|desk| desk.policy_of(9)).is_err());
}

/// 20 sites of phishing on 10 addresses of one customer, and open services that come back each day for a week.
fn fill(node: &Node) {
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    let party = |reference: &str| Party { name: reference.to_owned(), reference: reference.to_owned(), ..Party::default() };
    said.parties.push(party("customer"));
    said.assignments.push(Assignment {
        resource: Resource::parse("192.0.2.0/24").unwrap(),
        period: Period::ALWAYS,
        party: "customer".into(),
        level: Level::Assigned,
        service: String::new(),
        product: String::new(),
        panel: String::new(),
        account: String::new(),
        reference: String::new(),
    });
    node.with(|desk| desk.import("own", "csv", &said, How::Vouched)).unwrap();
    for day in 0..7 {
        node.clock.0.store(NOW + day * DAY, Ordering::Relaxed);
        let at = Time(NOW + day * DAY - HOUR);
        let mut lines = String::new();
        for number in 0..20 {
            let site = format!(
                r#"{{"xarf_version":"4.2.0","report_id":"7d3c1f00-0000-4000-8000-0000000{day:02}{number:03}","timestamp":"{at}","reporter":{{"org":"r","contact":"a@r.example","domain":"r.example"}},"sender":{{"org":"r","contact":"a@r.example","domain":"r.example"}},"source_identifier":"192.0.2.{number}","category":"#
            );
            if day == 0 {
                lines.push_str(&format!("{site}\"content\",\"type\":\"phishing\",\"url\":\"http://s{number}.example/\"}}\n"));
            }
            lines.push_str(&format!(
                "{site}\"vulnerability\",\"type\":\"open_service\",\"service\":\"telnet\",\"source_port\":23}}\n"
            ));
        }
        node.with(|desk| {
            desk.receive(Door::File, "reports.ndjson", &mut lines.as_bytes()).unwrap();
            desk.work(&|_, _| {}).unwrap();
        });
    }
}

#[test]
fn what_another_policy_would_have_done() {
    let node = Node::new("simulate");
    node.restart();
    fill(&node);
    let shipped = desk::policy::shipped();
    let sooner = "[[rule]]\nname = \"phishing\"\nseverity = \"P0\"\nforce = \"none\"\n[[rule]]\nname = \"open-service\"\nquiet = \"none\"\n";
    let sooner = desk::policy::read(sooner, "new").unwrap();
    let ask =
        |old: Old, acting| Asked { old, new: sooner.clone(), since: Time(0), until: Time(NOW + 100 * DAY), acting, cases: 5 };
    let run = |asked: Asked| node.with(|desk| simulate(&|| desk.store().reader(), &asked)).unwrap();
    let row = |totals: &desk::simulate::Totals, rule: &str| totals.rules.iter().find(|sum| sum.rule == rule).cloned().unwrap();

    let done = run(ask(Old::One(Box::new(shipped.clone())), true));
    assert_eq!((done.cases, done.differ, done.named.len()), (40, 40, 5));
    let (old, new) = (row(&done.old, "phishing"), row(&done.new, "phishing"));
    assert_eq!((old.cases, old.letters, old.reminders, old.warnings, old.restrictions), (20, 1, 1, 1, 20), "{old:?}");
    assert_eq!((old.severity, new.severity), (Some(Severity::P1), Some(Severity::P0)));
    assert_eq!((new.letters, new.restrictions, new.parties), (1, 0, 1), "{new:?}");
    assert!(new.minutes_to_told < old.minutes_to_told, "what gathers for less goes sooner");
    let (old, new) = (row(&done.old, "open-service"), row(&done.new, "open-service"));
    assert_eq!((old.cases, old.closed, new.closed), (20, 20, 0), "45 days after the last report, not after the first");

    let done = run(ask(Old::Recorded(vec![(Time::MIN, shipped.clone())]), false));
    let old = row(&done.old, "phishing");
    assert_eq!((old.letters, old.held), (0, 3), "a node that observes sends nothing");

    let same = Asked { old: Old::One(Box::new(sooner.clone())), ..ask(Old::Recorded(Vec::new()), true) };
    let done = run(same);
    assert_eq!((done.differ, done.old == done.new), (0, true));
}
