//! Late administration: what was thought to be one party's turns out to have been another's.

#![allow(clippy::unwrap_used)]

mod node;

use desk::Error;
use desk::correct::decide::Correcting;
use model::case::State;
use model::outbox::{Delivery, Errand, Hold, Purpose};
use model::policy::{Brake, Closure};
use model::severity::Severity;
use model::time::HOUR;
use node::{Node, time};
use store::acts::Cause;
use store::cases::marks;
use store::corrections::Outcome;
use store::outbox::Wanted;

const NOW: &str = "2026-06-04T12:00:00Z";

/// The address was said to be the old customer's, and was the new one's since the first of June.
const THOUGHT: &[(&str, &str, &str, &str)] = &[("192.0.2.7", "old", "2026-01-01", ""), ("192.0.2.8", "other", "2026-01-01", "")];
const WAS: &[(&str, &str, &str, &str)] = &[
    ("192.0.2.7", "old", "2026-01-01", "2026-06-01"),
    ("192.0.2.7", "new", "2026-06-01", ""),
    ("192.0.2.8", "other", "2026-01-01", ""),
];

fn correct(node: &Node, cases: &[i64], moved: bool) -> Result<desk::correct::decide::Corrected, Error> {
    let expected = (cases.len() != 1).then_some(cases.len() as u64);
    let asked = Correcting { cases: cases.to_vec(), moved, expected, by: "Anna".into(), reason: "late".into() };
    node.desk.correct(&asked)
}

/// Puts a letter about a case into the outbox.
fn letter(node: &Node, case: i64, purpose: Purpose, party: i64, hold: Hold, ready: model::time::Time) {
    let errand = Errand { purpose, party, ready, hold };
    let mut wanted = [Wanted { case, errand, severity: Severity::P3, subject: String::new() }];
    let brake = Brake { factor: 9, letters: 999, restrictions: 99 };
    let now = time(NOW);
    node.desk.store().write("letter", |transaction| transaction.add_errands(&mut wanted, &brake, now)).unwrap();
}

fn waiting(node: &Node) -> Vec<(i64, u64, u64)> {
    let found = node.read(|transaction| transaction.waiting_holder_changes(None, 100));
    found.into_iter().map(|change| (change.case, change.reports, change.of)).collect()
}

/// The holder, by reference.
fn holder(node: &Node, case: i64) -> String {
    node.party(node.case(case).0.case.holder)
}

fn world() -> Node {
    let node = Node::new(NOW);
    node.import(THOUGHT);
    node.telnet("a.csv", &[("2026-06-02 10:00:00", "192.0.2.7", 23), ("2026-06-02 10:00:00", "192.0.2.8", 23)]);
    node
}

#[test]
fn nothing_moves_before_a_person_has_looked() {
    let node = world();
    let old = node.case(1).0.case.holder.unwrap();
    let now = time(NOW);
    letter(&node, 1, Purpose::ToCustomer, old, Hold::Free, now.plus(-HOUR));
    letter(&node, 1, Purpose::Reminder, old, Hold::Free, now.plus(HOUR));
    node.desk.store().write("strike", |transaction| transaction.add_strike(old, 1, Cause::Confirmed, Severity::P1, now)).unwrap();

    let done = node.import(WAS);
    assert_eq!(done.holders_changed, 1);
    assert_eq!(waiting(&node), [(1, 1, 1)]);
    let (filed, standing) = node.case(1);
    assert_eq!(filed.case.holder, Some(old), "it is still who we thought");
    assert!(standing.has(marks::HOLDER_CHANGED));
    let entries = node.read(|transaction| transaction.entries_of_case(1, 10));
    let became =
        |purpose: Purpose| entries.iter().find(|entry| entry.purpose == purpose).map(|entry| (entry.delivery, entry.hold));
    assert_eq!(became(Purpose::Reminder), Some((Delivery::Withdrawn, Hold::Free)), "it had not gone");
    assert_eq!(became(Purpose::Correction), Some((Delivery::Waiting, Hold::HolderChanged)), "the letter would have gone");
    assert_eq!(node.number("SELECT count(*) FROM strikes WHERE withdrawn IS NULL"), 0);
    assert_eq!(node.journal(1).last(), Some(&"holder changed"));
    assert!(!node.case(2).1.has(marks::HOLDER_CHANGED), "the other case is whose it was");

    // Importing the same again finds nothing new.
    assert_eq!(node.import(WAS).holders_changed, 0);
    assert_eq!(waiting(&node).len(), 1);

    let done = correct(&node, &[1], true).unwrap();
    assert_eq!((done.cases, done.opened, done.merged), (1, 0, 0));
    assert_eq!(holder(&node, 1), "new");
    let (filed, standing) = node.case(1);
    assert_eq!(filed.case.key.0[1..9], filed.case.holder.unwrap().to_be_bytes(), "further reports of the new holder join it");
    assert!(!standing.has(marks::HOLDER_CHANGED) && standing.decided().is_none(), "its clocks begin anew");
    let entries = node.read(|transaction| transaction.entries_of_case(1, 10));
    let correction = entries.iter().find(|entry| entry.purpose == Purpose::Correction && entry.delivery == Delivery::Waiting);
    assert_eq!(correction.map(|entry| (entry.hold, entry.party)), Some((Hold::Free, Some(old))));
    assert!(waiting(&node).is_empty());
    assert_eq!(node.number("SELECT CAST(sum(reports) AS BIGINT) FROM daily"), 2);
    assert_eq!(
        node.number(&format!("SELECT CAST(sum(reports) AS BIGINT) FROM daily WHERE holder = {old}")),
        0,
        "it is not counted against it"
    );
    assert!(matches!(correct(&node, &[1], true), Err(Error::Conflict(_))), "it waits no more");
}

#[test]
fn what_is_left_stays_and_is_not_asked_again() {
    let node = world();
    let old = node.case(1).0.case.holder.unwrap();
    letter(&node, 1, Purpose::ToCustomer, old, Hold::Free, time(NOW));
    node.desk
        .store()
        .write("strike", |transaction| transaction.add_strike(old, 1, Cause::Confirmed, Severity::P1, time(NOW)))
        .unwrap();
    node.import(WAS);
    correct(&node, &[1], false).unwrap();
    assert_eq!(holder(&node, 1), "old");
    assert!(!node.case(1).1.has(marks::HOLDER_CHANGED));
    assert_eq!(node.number("SELECT count(*) FROM strikes WHERE withdrawn IS NULL"), 1, "it counts again");
    assert_eq!(node.number("SELECT count(*) FROM outbox WHERE purpose = 4 AND delivery = 0"), 0, "nothing is to be corrected");
    // The same once more, by another row of the administration.
    node.import(THOUGHT);
    node.import(WAS);
    assert!(waiting(&node).is_empty());
}

#[test]
fn what_is_taken_back_before_anybody_looked_leaves_the_queue() {
    let node = world();
    node.import(WAS);
    assert_eq!(waiting(&node).len(), 1);
    node.import(THOUGHT);
    assert!(waiting(&node).is_empty());
    assert!(!node.case(1).1.has(marks::HOLDER_CHANGED));
    let changes = node.read(|transaction| transaction.holder_changes_of(1));
    assert_eq!((changes[0].outcome, changes[0].person.as_str()), (Outcome::Left, ""));
}

#[test]
fn some_of_the_reports_get_a_case_of_their_right_holder() {
    let node = Node::new(NOW);
    node.import(THOUGHT);
    node.telnet("a.csv", &[("2026-05-30 10:00:00", "192.0.2.7", 23), ("2026-06-02 10:00:00", "192.0.2.7", 23)]);
    node.telnet("b.csv", &[("2026-06-03 10:00:00", "192.0.2.7", 23)]);
    node.import(WAS);
    assert_eq!(waiting(&node), [(1, 2, 3)]);
    let done = correct(&node, &[1], true).unwrap();
    assert_eq!((done.opened, done.merged), (1, 0));
    assert_eq!((holder(&node, 1), holder(&node, 2)), ("old".into(), "new".into()));
    assert_eq!((node.case(1).0.case.reports, node.case(2).0.case.reports), (1, 2));
    assert_eq!(node.case(1).0.case.last_seen, time("2026-05-30T10:00:00Z"));
    assert_eq!(node.ordinals(1).len() + node.ordinals(2).len(), 3);
    // What comes further joins the new holder's case.
    node.telnet("c.csv", &[("2026-06-04 09:00:00", "192.0.2.7", 23)]);
    assert_eq!(node.case(2).0.case.reports, 3);
}

#[test]
fn the_right_holders_own_case_takes_it_in() {
    let node = world();
    // It became known from now on first; a report of then is the new holder's.
    node.import(&[("192.0.2.7", "old", "2026-01-01", "2026-06-03"), ("192.0.2.7", "new", "2026-06-03", ""), THOUGHT[1]]);
    node.telnet("b.csv", &[("2026-06-04 08:00:00", "192.0.2.7", 23)]);
    let of_new = node.all().iter().map(|(filed, _)| filed.case.id).max().unwrap();
    assert_eq!(holder(&node, of_new), "new");
    node.import(WAS);
    assert_eq!(waiting(&node), [(1, 1, 1)]);
    assert_eq!(correct(&node, &[1], true).unwrap().merged, 1);
    assert_eq!(node.case(1).1.closure, Some(Closure::Merged));
    assert_eq!(node.ordinals(of_new).len(), 2);
}

#[test]
fn reports_of_nobody_go_to_the_queue_of_those() {
    let node = world();
    node.import(&[("192.0.2.7", "old", "2026-01-01", "2026-06-01"), THOUGHT[1]]);
    assert_eq!(waiting(&node), [(1, 1, 1)]);
    correct(&node, &[1], true).unwrap();
    assert_eq!(holder(&node, 1), "nobody");
    // And come back from there, into the case that is there by then.
    node.telnet("b.csv", &[("2026-06-04 08:00:00", "192.0.2.7", 23)]);
    assert_eq!(node.case(1).0.case.reports, 2);
    assert_eq!(node.import(WAS).holders_found, 1);
    assert_eq!(holder(&node, 1), "new");
}

#[test]
fn a_case_without_a_holder_becomes_part_of_the_one_its_holder_has() {
    let node = Node::new(NOW);
    node.telnet("a.csv", &[("2026-06-02 10:00:00", "192.0.2.7", 23)]);
    node.import(&[("192.0.2.7", "new", "2026-06-03", "")]);
    node.telnet("b.csv", &[("2026-06-03 10:00:00", "192.0.2.7", 23)]);
    assert_eq!((holder(&node, 1), holder(&node, 2)), ("nobody".into(), "new".into()));
    let done = node.import(&[("192.0.2.7", "new", "2026-06-01", "")]);
    assert_eq!(done.holders_found, 1);
    assert_eq!((node.case(1).0.case.state, node.case(1).1.closure), (State::Closed, Some(Closure::Merged)));
    assert_eq!(node.ordinals(2).len(), 2);
    assert!(node.journal(1).contains(&"holder found"), "{:?}", node.journal(1));
}

#[test]
fn closed_cases_are_looked_at_too() {
    let node = world();
    let old = node.case(1).0.case.holder.unwrap();
    letter(&node, 1, Purpose::ToCustomer, old, Hold::Free, time(NOW).plus(-HOUR));
    node.sql("UPDATE outbox SET delivery = 2");
    node.desk.act(&node::doing(desk::acts::Verb::Close { closure: Closure::Fixed }, &[1])).unwrap();
    node.import(WAS);
    assert_eq!(waiting(&node).len(), 1);
    correct(&node, &[1], true).unwrap();
    assert_eq!((holder(&node, 1), node.case(1).0.case.state), ("new".into(), State::Closed));
    assert_eq!(node.number("SELECT count(*) FROM outbox WHERE purpose = 4 AND delivery = 0 AND hold = 0"), 1);
}

#[test]
fn content_is_looked_for_by_its_name() {
    let node = Node::new(NOW);
    let xarf = |name: &str, seen: &str| {
        format!(
            r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"{seen}",
"reporter":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"sender":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"source_identifier":"192.0.2.7","category":"content","type":"phishing","url":"http://{name}/login"}}"#
        )
    };
    node.import(&[("192.0.2.0/24", "machine", "2026-01-01", ""), ("203.0.113.0/24", "far", "2026-01-01", "")]);
    for (at, name) in ["shop.example", "www.shop.example", "other.example"].iter().enumerate() {
        let text = xarf(name, "2026-06-02T10:00:00Z");
        let name = format!("{at}.json");
        node.desk.receive(model::submission::Door::File, &name, &mut std::io::Cursor::new(text)).unwrap();
    }
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(node.all().len(), 3);
    let rows = [("192.0.2.0/24", "machine", "2026-01-01", ""), ("203.0.113.0/24", "far", "2026-01-01", "")];
    let mut with_name = rows.to_vec();
    with_name.push(("shop.example", "shop", "2026-06-01", ""));
    assert_eq!(node.import(&with_name).holders_changed, 2, "the name, and what lies under it");
    assert_eq!(node.number("SELECT count(*) FROM rechecks"), 0);
    // And back: what was somebody's by name is looked for among its cases.
    let cases: Vec<i64> = waiting(&node).iter().map(|(case, ..)| *case).collect();
    correct(&node, &cases, true).unwrap();
    assert_eq!(holder(&node, cases[0]), "shop");
    let mut later = rows.to_vec();
    later.push(("shop.example", "shop", "2026-06-03", ""));
    assert_eq!(node.import(&later).holders_changed, 2);
}

#[test]
fn many_are_decided_only_after_a_look_and_those_of_p0_one_by_one() {
    let node = Node::new(NOW);
    let thought: Vec<String> = (1..5).map(|last| format!("192.0.2.{last}")).collect();
    let rows = |from: &'static str| -> Vec<(&str, &str, &str, &str)> {
        thought.iter().map(|address| (address.as_str(), if from.is_empty() { "old" } else { "new" }, "2026-01-01", "")).collect()
    };
    node.import(&rows(""));
    let reports: Vec<(&str, &str, u16)> = thought.iter().map(|address| ("2026-06-02 10:00:00", address.as_str(), 23)).collect();
    node.telnet("a.csv", &reports);
    node.sql("UPDATE cases SET severity = 0 WHERE id = 2");
    let moved: Vec<(&str, &str, &str, &str)> = thought
        .iter()
        .flat_map(|address| [(address.as_str(), "old", "2026-01-01", "2026-06-01"), (address.as_str(), "new", "2026-06-01", "")])
        .collect();
    node.import(&moved);
    assert_eq!(waiting(&node).len(), 4);
    let all = |expected| Correcting { cases: Vec::new(), moved: true, expected, by: "Anna".into(), reason: "late".into() };
    let preview = node.read(|transaction| Ok(desk::correct::decide::preview(transaction, &all(None)).unwrap()));
    assert_eq!((preview.cases, preview.urgent), (3, 1));
    assert!(node.desk.correct(&all(None)).is_err() && node.desk.correct(&all(Some(4))).is_err());
    assert_eq!(node.desk.correct(&all(Some(3))).unwrap().cases, 3);
    assert_eq!(waiting(&node), [(2, 1, 1)]);
}

#[test]
fn what_was_seen_within_minutes_of_a_change_is_whose_a_person_says() {
    let world = || {
        let node = Node::new(NOW);
        node.import(WAS);
        // The old one's until midnight, by a clock that may be a little wrong.
        node.telnet("a.csv", &[("2026-05-31 23:55:00", "192.0.2.7", 23)]);
        assert_eq!((holder(&node, 1), waiting(&node)), ("old".into(), vec![(1, 1, 1)]));
        node
    };
    // The administration cannot say: another import leaves it in the queue.
    let node = world();
    node.import(&[WAS[0], WAS[1], WAS[2], ("192.0.2.9", "another", "2026-01-01", "")]);
    assert_eq!(waiting(&node).len(), 1);
    correct(&node, &[1], true).unwrap();
    assert_eq!(holder(&node, 1), "new");
    assert_eq!(node.case(1).0.case.key.0[1..9], node.case(1).0.case.holder.unwrap().to_be_bytes());
    let node = world();
    correct(&node, &[1], false).unwrap();
    assert_eq!((holder(&node, 1), waiting(&node)), ("old".into(), vec![]));
}

#[test]
fn a_correction_is_owed_even_when_the_case_is_closed() {
    let node = world();
    let old = node.case(1).0.case.holder.unwrap();
    letter(&node, 1, Purpose::ToCustomer, old, Hold::Free, time(NOW).plus(-HOUR));
    node.import(WAS);
    correct(&node, &[1], true).unwrap();
    node.desk.act(&node::doing(desk::acts::Verb::Close { closure: Closure::Lawful }, &[1])).unwrap();
    let owed = "SELECT count(*) FROM outbox WHERE purpose = 4 AND delivery = 0";
    assert_eq!(node.number(owed), 1);
    // Nor does a rule that closes it: nothing came for years.
    let node = world();
    letter(&node, 1, Purpose::ToCustomer, old, Hold::Free, time(NOW).plus(-HOUR));
    node.import(WAS);
    correct(&node, &[1], true).unwrap();
    node.desk.advance().unwrap();
    node.later(900 * model::time::DAY);
    node.desk.advance().unwrap();
    assert_eq!(node.case(1).0.case.state, State::Closed);
    assert_eq!(node.number(owed), 1);
}
