//! From reports to decisions, and the clocks: with a clock of the test's own.

#![allow(clippy::unwrap_used)]

mod node;

use desk::advance::Advanced;
use model::case::State;
use model::outbox::{Delivery, Hold, Purpose};
use model::policy::{Closure, Rung};
use model::severity::Severity;
use model::time::{DAY, HOUR, MINUTE};
use node::{Node, time};
use store::cases::marks;
use store::outbox::{Entry, Filter};

/// A policy that acts everywhere, with one rule for telnet that closes and reminds.
const POLICY: &str = r#"
base = "none"
name = "test"
[severity.P0]
mode = "act"
gather = "0"
[severity.P1]
mode = "act"
gather = "0"
[severity.P2]
mode = "act"
gather = "1 hour"
[severity.P3]
mode = "act"
gather = "1 hour"
[severity.P4]
mode = "act"
gather = "1 day"
[ladder]
remind = 50
warn = 80
[confidence]
watch_below = 0.4
unknown = 0.5
[[trust]]
format = "shadowserver"
door = "file"
authenticated = true
trust = 0.9
[brake]
factor = 5
letters = 50
restrictions = 5
[repeat]
confirmed = 3
ignored = 2
within = "90 days"
[dispute]
within = "5 business days"
[history]
age = "90 days"
[calendar]
zone = "Europe/Amsterdam"
holidays = "nl"
[[rule]]
name = "telnet"
kinds = ["vulnerability/open_service"]
severity = "P3"
acknowledge = "never"
customer = "1 day"
fix = "10 days"
force = "none"
addressee = "deepest"
quiet = "14 days"
absent_runs = 3
source = "practice"
mark = "D"
[[rule]]
name = "other"
kinds = ["*"]
severity = "P2"
acknowledge = "never"
customer = "1 hour"
fix = "2 days"
force = "3 days"
addressee = "both"
quiet = "30 days"
absent_runs = 3
source = "practice"
mark = "D"
"#;

const FEED: &str = "2026-06-01-scan_telnet-netherlands-asn.csv";

fn node(now: &str) -> Node {
    let node = Node::new(now);
    node.import(&[("192.0.2.0/25", "c1", "2026-01-01", ""), ("192.0.2.128/25", "c2", "2026-01-01", "")]);
    node
}

fn acting(now: &str) -> Node {
    let node = node(now);
    node.desk.set_policy(POLICY, "test.toml").unwrap();
    node
}

fn waiting(node: &Node) -> Vec<Entry> {
    let filter = Filter { delivery: Some(Delivery::Waiting), ..Filter::default() };
    node.desk.outbox(&filter, 1_000).unwrap()
}

fn advance(node: &Node) -> Advanced {
    node.desk.advance().unwrap()
}

#[test]
fn a_new_case_has_its_rule_clocks_and_letter() {
    let node = acting("2026-06-01T12:20:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23), ("2026-06-01 10:00:00", "192.0.2.2", 23)]);
    let (filed, standing) = node.case(1);
    assert_eq!((standing.rule.as_str(), standing.progress.severity, filed.case.state), ("telnet", Severity::P3, State::Open));
    assert!(standing.has(marks::DECIDED | marks::AUTHENTICATED) && standing.confidence == 90);
    assert_eq!(standing.progress.clocks.fix, Some(time("2026-06-11T12:20:00Z")));
    assert_eq!(standing.progress.rung, Rung::Told);
    assert_eq!(node.journal(1), ["opened", "clocks set", "told"]);
    let entries = waiting(&node);
    assert_eq!(entries.len(), 1, "two cases of one party are one letter: {entries:?}");
    let entry = &entries[0];
    assert_eq!((entry.purpose, entry.hold, entry.cases), (Purpose::ToCustomer, Hold::Free, 2));
    assert_eq!(node.party(entry.party), "c1");
    assert_eq!(entry.ready, time("2026-06-01T13:00:00Z"), "its window ends on the hour");
    assert_eq!(node.read(|transaction| transaction.cases_of_entry(entry.id, 9)), [1, 2]);
}

#[test]
fn a_new_node_only_shows_what_it_would_send_and_begins_when_it_is_switched_on() {
    let node = node("2026-06-01T12:20:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    assert!(node.case(1).1.has(marks::OBSERVED));
    assert_eq!(waiting(&node).iter().map(|entry| entry.hold).collect::<Vec<_>>(), [Hold::Observing]);
    node.later(3 * DAY);
    node.desk.set_policy(POLICY, "test.toml").unwrap();
    advance(&node);
    let (_, standing) = node.case(1);
    assert!(!standing.has(marks::OBSERVED));
    assert_eq!(standing.progress.told, Some(time("2026-06-04T12:20:00Z")), "nobody is blamed for letters that never went");
    let entries = waiting(&node);
    assert_eq!(entries.iter().map(|entry| entry.hold).collect::<Vec<_>>(), [Hold::Free], "what was only shown is withdrawn");
}

#[test]
fn clocks_fire_once_in_order_and_catch_up() {
    let node = acting("2026-06-01T12:00:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    node.set(time("2026-06-06T11:59:59Z"));
    assert_eq!(advance(&node).changed, 0, "nothing is due yet");
    node.set(time("2026-06-06T12:00:00Z"));
    assert_eq!(advance(&node).changed, 1);
    assert_eq!(advance(&node).looked, 0, "once");
    // The clock is set back: what has happened does not happen again, and nothing is lost.
    node.set(time("2026-06-05T00:00:00Z"));
    assert_eq!(advance(&node).changed, 0);
    // Nothing ran for days: what came due meanwhile happens in its order, with one letter.
    node.set(time("2026-06-14T00:00:00Z"));
    assert_eq!(advance(&node).changed, 1);
    assert_eq!(node.journal(1), ["opened", "clocks set", "told", "reminded", "warned", "overdue"]);
    let purposes: Vec<Purpose> = waiting(&node).iter().rev().map(|entry| entry.purpose).collect();
    assert_eq!(purposes, [Purpose::ToCustomer, Purpose::Reminder, Purpose::LastWarning]);
    assert_eq!(advance(&node).changed, 0);
}

#[test]
fn a_feed_that_comes_without_a_case_closes_it_and_one_that_does_not_come_does_not() {
    let node = acting("2026-06-01T06:00:00Z");
    let day = |day: i64| format!("2026-06-{:02} 01:00:00", day);
    let send = |number: i64, addresses: &[&str]| {
        let when = day(number);
        let rows: Vec<(&str, &str, u16)> = addresses.iter().map(|address| (when.as_str(), *address, 23)).collect();
        node.telnet(&format!("2026-06-{number:02}-scan_telnet-netherlands-asn.csv"), &rows);
        advance(&node);
    };
    send(1, &["192.0.2.1", "192.0.2.2"]);
    for number in 2..=4 {
        node.later(DAY);
        send(number, &["192.0.2.2"]);
        let closure = (number == 4).then_some(Closure::NoLongerListed);
        node.later(8 * HOUR);
        advance(&node);
        assert_eq!(node.case(1).1.closure, closure, "after {} runs without it", number - 1);
        node.later(-8 * HOUR);
    }
    assert!(node.journal(1).ends_with(&["closed"]));
    assert!(waiting(&node).iter().all(|entry| node.read(|t| t.cases_of_entry(entry.id, 9)) == [2]), "its letters are withdrawn");
    // The feed does not come any more: nothing is concluded from that.
    for _ in 0..8 {
        node.later(DAY);
        advance(&node);
    }
    assert_eq!(node.case(2).0.case.state, State::Open);
    assert_eq!(node.desk.quiet_feeds(node.desk.now()).unwrap().len(), 1, "but somebody is told that it is late");
}

#[test]
fn parts_of_one_run_are_one_run() {
    let node = acting("2026-06-01T06:00:00Z");
    node.telnet("2026-06-01-scan_telnet-part1.csv", &[("2026-06-01 01:00:00", "192.0.2.1", 23)]);
    for part in 2..6 {
        node.later(MINUTE);
        node.telnet(&format!("2026-06-01-scan_telnet-part{part}.csv"), &[("2026-06-01 01:00:00", "192.0.2.2", part)]);
    }
    assert_eq!(node.read(|transaction| transaction.feeds())[0].runs, 1);
}

#[test]
fn what_is_quiet_for_long_enough_closes_and_a_re_sighting_opens_it_again_with_its_history() {
    let node = acting("2026-06-01T12:00:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    node.later(14 * DAY);
    assert_eq!(advance(&node).closed, 1);
    assert_eq!(node.case(1).1.closure, Some(Closure::Quiet));
    assert_eq!(waiting(&node).len(), 0, "what is closed needs no letter");
    node.later(2 * DAY);
    node.telnet("2026-06-17-scan_telnet-netherlands-asn.csv", &[("2026-06-17 10:00:00", "192.0.2.1", 23)]);
    advance(&node);
    let (filed, standing) = node.case(1);
    assert_eq!((filed.case.state, filed.case.reports), (State::Open, 2));
    assert_eq!(standing.received, time("2026-06-17T12:00:00Z"), "clocks begin anew");
    assert_eq!(standing.progress.clocks.fix, Some(time("2026-06-27T12:00:00Z")));
    let journal = node.journal(1);
    assert!(journal.ends_with(&["closed", "reopened", "clocks set", "told"]), "{journal:?}");
    assert_eq!(node.read(|transaction| transaction.case_days(1)), [(20605, 1), (20621, 1)]);
}

#[test]
fn what_a_person_found_to_be_none_is_a_new_case_that_names_the_old_one() {
    for (closure, cases) in [(Closure::Lawful, 2), (Closure::FalseReport, 2), (Closure::Fixed, 1)] {
        let node = acting("2026-06-01T12:00:00Z");
        node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
        node.desk.store().write("test", |t| t.close_case(1, closure, node.desk.now())).unwrap();
        node.later(DAY);
        node.telnet("2026-06-02-scan_telnet-netherlands-asn.csv", &[("2026-06-02 10:00:00", "192.0.2.1", 23)]);
        assert_eq!(node.all().len(), cases, "{closure:?}");
        if cases == 2 {
            let steps = node.read(|transaction| transaction.steps(2));
            assert!(steps[0].text.starts_with("like case 1, which was closed"), "{}", steps[0].text);
        }
    }
}

#[test]
fn history_has_no_clocks_until_something_current_comes() {
    let node = acting("2026-06-01T12:00:00Z");
    node.telnet(FEED, &[("2026-02-01 10:00:00", "192.0.2.1", 23)]);
    let (filed, standing) = node.case(1);
    assert!(filed.case.history && !standing.has(marks::DECIDED) && standing.progress.clocks.fix.is_none());
    assert_eq!(waiting(&node).len(), 0);
    node.later(DAY);
    node.telnet("2026-06-02-scan_telnet-netherlands-asn.csv", &[("2026-06-02 10:00:00", "192.0.2.1", 23)]);
    advance(&node);
    let (filed, standing) = node.case(1);
    assert!(!filed.case.history);
    assert_eq!(standing.progress.clocks.fix, Some(time("2026-06-12T12:00:00Z")));
    assert_eq!(waiting(&node).len(), 1);
}

#[test]
fn near_a_change_of_holder_a_person_looks() {
    let node = Node::new("2026-06-01T12:00:00Z");
    node.import(&[("192.0.2.1", "old", "2026-01-01", "2026-05-30T10:00:00Z"), ("192.0.2.1", "new", "2026-05-30T10:00:00Z", "")]);
    node.desk.set_policy(POLICY, "test.toml").unwrap();
    node.telnet(FEED, &[("2026-05-30 10:05:00", "192.0.2.1", 23), ("2026-05-31 10:05:00", "192.0.2.1", 24)]);
    let held: Vec<bool> = node.all().iter().map(|(_, standing)| standing.has(marks::HOLDER_CHANGED)).collect();
    assert_eq!(held.iter().filter(|held| **held).count(), 1);
    assert_eq!(waiting(&node).iter().map(|entry| entry.cases).sum::<i64>(), 1, "only the other one's party is told");
    assert_eq!(node.number("SELECT count(*) FROM holder_changes WHERE outcome = 0"), 1);
}

#[test]
fn a_stale_source_holds_letters_until_it_is_fresh() {
    let node = acting("2026-06-01T12:00:00Z");
    node.sql("UPDATE sources SET fresh = 86400000");
    node.later(2 * DAY);
    advance(&node);
    node.telnet(FEED, &[("2026-06-02 10:00:00", "192.0.2.1", 23)]);
    assert_eq!(waiting(&node)[0].hold, Hold::StaleSource);
    advance(&node);
    assert_eq!(waiting(&node)[0].hold, Hold::StaleSource);
    node.import(&[("192.0.2.0/25", "c1", "2026-01-01", ""), ("192.0.2.128/25", "c2", "2026-01-01", "")]);
    advance(&node);
    assert_eq!(waiting(&node)[0].hold, Hold::Free);
}

#[test]
fn cases_of_before_are_decided_at_the_first_look() {
    let node = node("2026-06-01T12:00:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    node.sql(
        "UPDATE cases SET rule = '', traits = 0, marks = 0, policy = 0, confidence = 0, reporter = 0, fix_due = NULL,
             customer_due = NULL, told = NULL, rung = 0, next_due = 0;
         DELETE FROM unsealed; DELETE FROM steps WHERE ordinal > 1; DELETE FROM outbox_cases; DELETE FROM outbox;",
    );
    node.later(DAY);
    assert_eq!(advance(&node).changed, 1);
    let (_, standing) = node.case(1);
    assert!(!standing.rule.is_empty() && standing.confidence == 50 && standing.has(marks::DECIDED | marks::OBSERVED));
    assert_eq!(node.journal(1)[..2], ["opened", "clocks set"]);
}

/// What is in the tables that clocks write, without what is random.
fn written(node: &Node) -> Vec<String> {
    let connection = rusqlite::Connection::open(node.directory.join("sluis.db")).unwrap();
    let mut all = Vec::new();
    for text in [
        "SELECT id, state, severity, rule, marks, rung, told, fix_due, next_due, closed, closure FROM cases ORDER BY id",
        "SELECT case_id, ordinal, what, at, text, rule, due FROM steps ORDER BY case_id, ordinal",
        "SELECT purpose, party, hold, delivery, ready, cases FROM outbox ORDER BY party, purpose, ready, hold",
    ] {
        let mut select = connection.prepare(text).unwrap();
        let columns = select.column_count();
        let mut rows = select.query(()).unwrap();
        while let Some(row) = rows.next().unwrap() {
            all.push((0..columns).map(|at| format!("{:?} ", row.get_ref(at).unwrap())).collect());
        }
    }
    all
}

#[test]
fn looking_often_or_at_the_right_moments_comes_to_the_same() {
    let story = |moments: &dyn Fn(&Node)| {
        let node = acting("2026-03-20T12:00:00Z");
        let rows: Vec<(String, String)> =
            (0..40).map(|last| (format!("2026-03-20 0{}:00:00", last % 9), format!("192.0.2.{}", last * 6))).collect();
        let rows: Vec<(&str, &str, u16)> = rows.iter().map(|(when, ip)| (when.as_str(), ip.as_str(), 23)).collect();
        node.telnet("2026-03-20-scan_telnet-netherlands-asn.csv", &rows);
        moments(&node);
        written(&node)
    };
    let end = time("2026-04-10T00:00:00Z");
    // Over the change to summer time, every so often, or whenever something is due.
    let exactly = story(&|node| {
        while let Some(next) = advance(node).next.filter(|next| *next <= end) {
            node.set(next);
        }
    });
    let often = story(&|node| {
        while node.desk.now() < end {
            node.later(MINUTE * 30);
            advance(node);
        }
    });
    assert!(exactly.len() > 200);
    assert_eq!(exactly, often, "every moment of these clocks is on a half hour");
}

#[test]
fn the_brake_stops_what_is_more_than_usual_and_a_person_lets_it_go() {
    let node = Node::new("2026-06-01T12:00:00Z");
    let customers: Vec<(String, String)> = (0..120).map(|number| (format!("192.0.2.{number}"), format!("c{number}"))).collect();
    let rows: Vec<_> = customers.iter().map(|(ip, party)| (ip.as_str(), party.as_str(), "2026-01-01", "")).collect();
    node.import(&rows);
    node.desk.set_policy(POLICY, "test.toml").unwrap();
    let rows: Vec<_> = customers.iter().map(|(ip, _)| ("2026-06-01 10:00:00", ip.as_str(), 23)).collect();
    node.telnet(FEED, &rows);
    let count = |hold: Hold| waiting(&node).iter().filter(|entry| entry.hold == hold).count();
    assert_eq!((count(Hold::Free), count(Hold::Brake)), (50, 70));
    let alerts = node.read(|transaction| transaction.open_alerts());
    assert_eq!(alerts.len(), 1);
    node.later(MINUTE);
    assert!(node.desk.brake_off(false, " ", "Anna").is_err(), "without a reason nothing goes");
    assert_eq!(node.desk.brake_off(false, "a real wave", "Anna").unwrap(), 70);
    assert_eq!((count(Hold::Free), count(Hold::Brake)), (120, 0));
    assert_eq!(node.read(|transaction| transaction.open_alerts()).len(), 0);
    let rows: Vec<_> = customers.iter().map(|(ip, _)| ("2026-06-01 10:00:00", ip.as_str(), 24)).collect();
    node.later(HOUR);
    node.telnet("2026-06-01-scan_telnet-other.csv", &rows[..40]);
    assert_eq!(count(Hold::Brake), 0, "another hour, and no more than may be");
}

#[test]
fn an_entry_is_let_go_by_one_person_or_two_and_thrown_away_by_one() {
    let node = acting("2026-06-01T12:00:00Z");
    node.telnet(FEED, &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    node.sql("UPDATE outbox SET hold = 7");
    let released = desk::outbox::Released::OneMore;
    assert_eq!(node.desk.release(1, "sure", "Anna").unwrap(), released);
    assert!(node.desk.release(1, "sure", "Anna").is_err(), "the same person is not two");
    assert_eq!(node.desk.release(1, "me too", "Bert").unwrap(), desk::outbox::Released::Free);
    assert_eq!(waiting(&node)[0].hold, Hold::Free);
    node.sql("UPDATE outbox SET hold = 8");
    assert!(node.desk.release(1, "sure", "Anna").is_err(), "what is protected is not let go");
    node.desk.discard(1, "they know", "Anna").unwrap();
    assert_eq!(waiting(&node).len(), 0);
    assert!(node.journal(1).ends_with(&["noted", "withdrawn"]), "{:?}", node.journal(1));
}
