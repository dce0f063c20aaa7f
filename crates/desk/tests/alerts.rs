//! Alerts from their cause to their end, with a clock and a data directory of the test's own.

#![allow(clippy::unwrap_used)]

#[path = "engine/mod.rs"]
mod engine;

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::alert::hours::Hours;
use desk::alert::plan::Receiver;
use desk::alert::{Ends, Machine};
use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::calendar::Term;
use model::policy::Alarm;
use model::severity::Severity;
use model::submission::{Door, PublicId};
use model::time::{DAY, HOUR, MINUTE, Time};
use store::Engine;
use store::alerts::{Alert, Raise};

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// A node in a directory that goes away with it.
struct Node {
    desk: Option<Desk>,
    directory: PathBuf,
    clock: Arc<Set>,
    engine: Engine,
    _database: Option<engine::Database>,
}

impl Node {
    fn new() -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("sluis-alerts-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let clock = Arc::new(Set(AtomicI64::new(time("2026-06-01T12:00:00Z").0)));
        let (engine, database) = engine::engine(module_path!());
        let mut node = Node { desk: None, directory, clock, engine, _database: database };
        node.restart();
        node
    }

    fn restart(&mut self) {
        self.desk = None;
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.desk = Some(Desk::open_on(&self.directory, &self.engine, clock, Reading::default()).unwrap());
    }

    fn desk(&self) -> &Desk {
        self.desk.as_ref().unwrap()
    }

    fn pass(&self, time: i64) {
        self.clock.0.fetch_add(time, Ordering::SeqCst);
    }

    /// Receives a mail and works it off; its identifier.
    fn mail(&self, text: &str) -> PublicId {
        let receipt = self.desk().receive(Door::Maildir, "mail.eml", &mut Cursor::new(text.as_bytes())).unwrap();
        self.desk().work(&|_, _| {}).unwrap();
        let mut reader = self.desk().store().reader().unwrap();
        reader.read(|transaction| transaction.submission(receipt.id())).unwrap().unwrap().public
    }

    fn raise(&self, kind: Alarm, key: &str, severity: Severity) {
        let raise = Raise { kind, key, severity, text: "look", due: None };
        self.desk().store().write("raise", |transaction| transaction.raise_alert(&raise, self.desk().now())).unwrap();
    }

    fn open(&self) -> Vec<Alert> {
        self.desk().store().reader().unwrap().read(|transaction| transaction.open_alerts()).unwrap()
    }

    /// When the orders about the open cases end.
    fn ordered(&self) -> Vec<Option<Time>> {
        let mut reader = self.desk().store().reader().unwrap();
        let cases = reader.read(|transaction| transaction.cases(&store::cases::Filter::default(), 100)).unwrap();
        let clocks = |id: i64| reader.read(|transaction| transaction.standing(id)).unwrap().unwrap().ordered;
        cases.into_iter().map(|filed| filed.case.id).map(clocks).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.desk = None;
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn time(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

fn receiver() -> Receiver {
    Receiver {
        name: "desk".into(),
        hours: Hours::default(),
        severities: Severity::ALL.to_vec(),
        kinds: Alarm::ALL.to_vec(),
        after: 0,
        repeat: 15 * MINUTE,
        repeat_most: 4 * HOUR,
        per_hour: 12,
    }
}

/// An order as a mail that is a feedback report too, so that it has a report in a case.
fn order(number: u32) -> String {
    format!(
        "From: Desk <desk@justice.example>\nDate: Mon, 1 Jun 2026 11:00:00 +0000\nMessage-ID: <{number}@justice.example>\n\
         Subject: Removal order, Regulation (EU) 2021/784\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=x\n\n\
         --x\nContent-Type: text/plain\n\nRemoval order under Regulation (EU) 2021/784.\n\
         --x\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: a/1\nVersion: 1\nSource-IP: 192.0.2.7\n\
         Arrival-Date: Mon, 1 Jun 2026 10:00:00 +0000\n\n--x\nContent-Type: message/rfc822\n\nSubject: s\n\nbody\n--x--\n"
    )
}

#[test]
fn an_order_is_shown_within_the_hour_and_only_shortens() {
    let node = Node::new();
    let first = node.mail(&order(1));
    let open: Vec<Alert> = node.open().into_iter().filter(|alert| alert.kind == Alarm::Order).collect();
    assert_eq!((open.len(), open[0].severity, open[0].due), (1, Severity::P0, Some(node.desk().now().plus(HOUR))));
    assert!(open[0].text.contains(&first.to_string()) && !open[0].text.contains("justice"), "{}", open[0].text);
    assert_eq!(node.ordered(), [None], "nothing acts by itself");

    let received = node.desk().now();
    node.pass(2 * HOUR);
    let decide = |id, ends| node.desk().decide_order(id, true, ends, "anna", "called back");
    let within = |text| Some(Ends::Within(Term::parse(text).unwrap()));
    assert!(node.desk().decide_order(first, true, None, "anna", " ").is_err(), "without a reason");
    assert!(decide(first, Some(Ends::At(received))).is_err(), "a term that had ended before");
    assert_eq!(decide(first, within("24 hours")).unwrap(), 1);
    assert_eq!(node.ordered(), [Some(received.plus(DAY))], "counted from when it came");
    assert!(!node.open().iter().any(|alert| alert.kind == Alarm::Order), "somebody has looked");

    let again = node.mail(&order(2));
    decide(again, within("3 days")).unwrap();
    assert_eq!(node.ordered(), [Some(received.plus(DAY))], "a repeated one restarts nothing");
    decide(again, within("1 hour")).unwrap();
    assert_eq!(node.ordered(), [Some(received.plus(3 * HOUR))], "a shorter one shortens");
}

#[test]
fn an_old_mailbox_and_ordinary_mail_wake_nobody() {
    let node = Node::new();
    node.mail(&order(1).replace("2026 11:00", "2024 11:00"));
    node.mail("From: a@b.example\nDate: Mon, 1 Jun 2026 11:00:00 +0000\nSubject: hello\n\nhello\n");
    assert!(!node.open().iter().any(|alert| alert.kind == Alarm::Order));
}

#[test]
fn the_same_order_read_once_more_is_no_second_one() {
    let node = Node::new();
    let id = node.mail(&order(1));
    node.desk().decide_order(id, false, None, "anna", "a test").unwrap();
    let row = node.desk().store().reader().unwrap().read(|transaction| transaction.submission_by_public(id)).unwrap().unwrap().id;
    node.desk().read_again(row).unwrap();
    node.desk().work(&|_, _| {}).unwrap();
    assert!(!node.open().iter().any(|alert| alert.kind == Alarm::Order));
}

#[test]
fn what_lasts_is_open_as_long_as_it_does() {
    let node = Node::new();
    let check = |free_mib: u64| {
        let machine = Machine { free: Some(free_mib << 20), least: 500 << 20 };
        node.desk().check_alarms(&machine).unwrap();
        node.open().into_iter().map(|alert| alert.key).collect::<Vec<_>>()
    };
    assert!(check(1_000).is_empty());
    assert_eq!(check(499), ["disk"]);
    assert_eq!(check(499), ["disk"], "one, however often it is looked at");
    assert_eq!(node.open()[0].count, 1, "and nothing is written for it");
    assert_eq!(check(510), ["disk"], "a hair more is not enough");
    assert!(check(600).is_empty());

    node.desk().import("crm", "csv", &Snapshot::default(), How::Vouched).unwrap();
    node.desk().set_fresh(&[("crm".to_owned(), DAY)]).unwrap();
    assert!(check(1_000).is_empty());
    node.pass(DAY + HOUR);
    assert_eq!(check(1_000).len(), 1);
    assert!(node.open()[0].text.contains("'crm'") && node.open()[0].kind == Alarm::StaleSource);
    node.desk().import("crm", "csv", &Snapshot::default(), How::Vouched).unwrap();
    assert!(check(1_000).is_empty());
}

#[test]
fn what_was_told_is_known_after_a_restart() {
    let mut node = Node::new();
    node.raise(Alarm::Urgent, "case/1/urgent", Severity::P1);
    let receivers = [receiver()];
    let due = |node: &Node| node.desk().due_messages(&receivers[0], &receivers).unwrap();
    let message = due(&node).remove(0);
    assert_eq!(due(&node), std::slice::from_ref(&message), "until it is kept, the same message");
    node.desk().message_sent("desk", &message, Some("it broke off")).unwrap();
    assert!(due(&node).is_empty(), "the channel rests");
    node.pass(MINUTE);
    assert_eq!(due(&node), std::slice::from_ref(&message), "with the same number");
    node.desk().message_sent("desk", &message, None).unwrap();
    node.restart();
    assert!(due(&node).is_empty());
    node.pass(15 * MINUTE);
    let again = due(&node).remove(0);
    assert!(again.again && again.number == message.number + 1);
    node.desk().acknowledge_alert(node.open()[0].public, "anna").unwrap();
    assert!(due(&node).is_empty());
}
