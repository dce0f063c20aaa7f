//! What people do to cases, and how it is undone.

#![allow(clippy::unwrap_used)]

mod node;

use desk::Error;
use desk::acts::split::Pick;
use desk::acts::{Doing, Verb, Which};
use model::address::Address;
use model::case::State;
use model::policy::Closure;
use model::time::{DAY, HOUR};
use node::{Node, doing, time};
use store::listing::Listing;

const NOW: &str = "2026-06-01T12:00:00Z";
const SEEN: &str = "2026-06-01 10:00:00";

/// A node with cases 1 to `count` on 192.0.2.1 and further, all of one customer.
fn node(count: u8) -> Node {
    let node = Node::new(NOW);
    node.import(&[("192.0.2.0/24", "c1", "2026-01-01", ""), ("198.51.100.0/24", "c2", "2026-01-01", "")]);
    let addresses: Vec<String> = (1..=count).map(|last| format!("192.0.2.{last}")).collect();
    let rows: Vec<(&str, &str, u16)> = addresses.iter().map(|address| (SEEN, address.as_str(), 23)).collect();
    node.telnet("telnet.csv", &rows);
    node
}

fn close(closure: Closure) -> Verb {
    Verb::Close { closure }
}

#[test]
fn what_is_closed_can_be_opened_again_by_undoing_it() {
    let node = node(1);
    let acted = node.desk.act(&doing(close(Closure::NotOurs), &[1])).unwrap();
    let (filed, standing) = node.case(1);
    assert_eq!((filed.case.state, standing.closure, standing.next_due), (State::Closed, Some(Closure::NotOurs), None));
    assert_eq!(node.desk.undo(acted.act, "Bert", "it is ours").unwrap().cases, 1);
    let (filed, standing) = node.case(1);
    assert_eq!((filed.case.state, standing.closure), (State::Open, None));
    assert!(standing.next_due.is_some(), "the desk looks at it again");
    let again = node.desk.undo(acted.act, "Bert", "it is ours").unwrap_err();
    assert!(matches!(again, Error::Conflict(ref text) if text.contains("was undone at")), "{again}");
    assert!(node.journal(1).ends_with(&["closed", "undone"]), "{:?}", node.journal(1));
}

#[test]
fn what_was_changed_since_cannot_be_undone() {
    let node = node(2);
    let closed = node.desk.act(&doing(close(Closure::Lawful), &[1, 2])).unwrap();
    node.desk.act(&doing(Verb::Reopen, &[1])).unwrap();
    let undone = node.desk.undo(closed.act, "Anna", "too fast").unwrap();
    assert_eq!((undone.cases, undone.left.len()), (1, 1));
    assert_eq!(undone.left[0].0, 1);
    assert!(undone.left[0].1.contains("state was changed"), "{}", undone.left[0].1);
    assert_eq!(node.case(2).0.case.state, State::Open);
}

#[test]
fn a_case_whose_problem_has_another_open_case_is_not_opened_again() {
    let node = node(1);
    let closed = node.desk.act(&doing(close(Closure::NotOurs), &[1])).unwrap();
    // Not ours says: what comes again is another case.
    node.telnet("again.csv", &[("2026-06-01 11:00:00", "192.0.2.1", 23)]);
    assert_eq!(node.all().len(), 2);
    for error in [
        node.desk.undo(closed.act, "Anna", "ours after all").map(|_| ()).unwrap_err(),
        node.desk.act(&doing(Verb::Reopen, &[1])).map(|_| ()).unwrap_err(),
    ] {
        assert!(matches!(error, Error::Conflict(ref text) if text.contains("case 2 is open about the same")), "{error}");
    }
}

#[test]
fn many_are_touched_only_after_a_look_at_how_many_and_never_those_of_p0() {
    let node = node(5);
    node.sql("UPDATE cases SET severity = 0 WHERE id = 3");
    node.desk.act(&doing(close(Closure::Lawful), &[5])).unwrap();
    let listed = |expected| Doing {
        verb: close(Closure::FalseReport),
        which: Which::Listed(Listing { holder: node.case(1).0.case.holder, ..Listing::default() }),
        expected,
        by: "Anna".into(),
        reason: "the feed was wrong".into(),
    };
    let preview = node.read(|transaction| Ok(desk::acts::preview(transaction, &listed(None), time(NOW)).unwrap()));
    assert_eq!((preview.cases, preview.urgent), (3, 1));
    assert_eq!(preview.others, [("it is closed".to_owned(), 1)]);
    assert_eq!(preview.kinds.iter().map(|(_, count)| count).sum::<u64>(), 3);
    for (expected, said) in [(None, "look at them first"), (Some(2), "2 were looked at")] {
        let error = node.desk.act(&listed(expected)).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
    let acted = node.desk.act(&listed(Some(3))).unwrap();
    assert_eq!((acted.cases, acted.urgent), (3, 1));
    assert_eq!(node.case(3).0.case.state, State::Open, "nobody closes P0 in passing");
    assert_eq!(node.desk.undo(acted.act, "Anna", "it was right").unwrap().cases, 3);
    assert_eq!(node.case(5).1.closure, Some(Closure::Lawful), "what was left out is not undone either");
    // By itself it can be closed.
    node.desk.act(&doing(close(Closure::FalseReport), &[3])).unwrap();
}

#[test]
fn a_dispute_is_decided_by_somebody_else() {
    let node = node(3);
    node.desk.act(&doing(Verb::Handle { handler: "Anna".into() }, &[1, 2, 3])).unwrap();
    node.desk.act(&doing(Verb::Handle { handler: "Bert".into() }, &[2])).unwrap();
    node.desk.act(&doing(Verb::Dispute, &[1, 2, 3])).unwrap();
    let decide = |case: i64, upheld: bool, by: &str| {
        let decided = Doing { by: by.into(), ..doing(Verb::Decide { upheld }, &[case]) };
        node.desk.act(&decided).map(|_| ())
    };
    for (case, by) in [(1, "Anna"), (1, " anna "), (2, "Bert"), (2, "Anna")] {
        let error = decide(case, false, by).unwrap_err().to_string();
        assert!(error.contains("somebody else"), "{case} {by}: {error}");
    }
    decide(1, false, "Carla").unwrap();
    assert_eq!((node.case(1).0.case.state, node.case(1).1.disputed), (State::Open, None));
    decide(2, true, "Carla").unwrap();
    assert_eq!(node.case(2).1.closure, Some(Closure::FalseReport));
    assert!(decide(1, true, "Carla").is_err(), "it is disputed no more");
}

#[test]
fn confirmed_cases_of_p1_count_until_they_are_undone() {
    let node = node(5);
    node.sql("UPDATE cases SET severity = 1 WHERE id < 5");
    let resolve = Verb::Resolve { by_operator: false, confirmed: true };
    let strikes = || node.number("SELECT count(*) FROM strikes WHERE withdrawn IS NULL");
    let reviews = || node.number("SELECT count(*) FROM alerts WHERE kind = 9");
    node.desk.act(&doing(resolve.clone(), &[5])).unwrap();
    assert_eq!(strikes(), 0, "what is no worse than P2 does not count");
    let first = node.desk.act(&doing(resolve.clone(), &[1, 2])).unwrap();
    assert_eq!((strikes(), reviews()), (2, 0));
    node.desk.act(&doing(resolve.clone(), &[3])).unwrap();
    assert_eq!((strikes(), reviews()), (3, 1), "a person looks at the whole of it");
    node.desk.undo(first.act, "Anna", "not certain at all").unwrap();
    assert_eq!(strikes(), 1);
}

#[test]
fn put_off_until_and_no_longer() {
    let node = node(1);
    for bad in [time(NOW), time("2028-01-01"), time("2020-01-01")] {
        assert!(matches!(node.desk.act(&doing(Verb::Snooze { until: Some(bad) }, &[1])), Err(Error::Invalid(_))), "{bad}");
    }
    let until = time(NOW).plus(3 * DAY);
    node.desk.act(&doing(Verb::Snooze { until: Some(until) }, &[1])).unwrap();
    assert_eq!(node.case(1).1.snoozed, Some(until));
    node.desk.act(&doing(Verb::Snooze { until: None }, &[1])).unwrap();
    assert_eq!(node.case(1).1.snoozed, None);
}

#[test]
fn a_merged_case_is_read_in_the_whole() {
    let node = node(3);
    node.sql("UPDATE cases SET fix_due = 5000, severity = 2 WHERE id = 2; UPDATE cases SET fix_due = 9000 WHERE id = 1;");
    let acted = node.desk.act(&doing(Verb::Merge { into: 1 }, &[2, 3])).unwrap();
    let (_, whole) = node.case(1);
    assert_eq!(whole.progress.clocks.fix, Some(model::time::Time(5000)), "the clock that runs out first");
    assert_eq!(whole.progress.severity, model::severity::Severity::P2);
    assert_eq!(node.case(2).1.closure, Some(Closure::Merged));
    assert_eq!(node.ordinals(1).len(), 3);
    let error = node.desk.act(&doing(Verb::Reopen, &[2])).unwrap_err().to_string();
    assert!(error.contains("undo the merge"), "{error}");

    // Three cases: the two parts, and the whole.
    assert_eq!(node.desk.undo(acted.act, "Anna", "two machines after all").unwrap().cases, 3);
    assert_eq!(node.case(2).0.case.state, State::Open);
    assert_eq!(node.case(1).1.progress.clocks.fix, Some(model::time::Time(9000)));
    assert_eq!(node.ordinals(1).len(), 1);
}

#[test]
fn further_reports_of_a_merged_case_join_the_whole() {
    let node = node(3);
    node.desk.act(&doing(Verb::Merge { into: 1 }, &[2])).unwrap();
    node.desk.act(&doing(Verb::Merge { into: 3 }, &[1])).unwrap();
    node.later(HOUR);
    // In one batch, reports of the whole and of both its parts: three runs of one case.
    let seen = "2026-06-01 11:30:00";
    node.telnet(
        "more.csv",
        &[(seen, "192.0.2.1", 23), (seen, "192.0.2.2", 23), (seen, "192.0.2.3", 23), (seen, "192.0.2.2", 23)],
    );
    assert_eq!(node.all().len(), 3, "no case was opened");
    let whole = node.case(3).0;
    assert_eq!(whole.case.reports, 5);
    let (_, kept) = node.read(|transaction| transaction.reports_of(&whole.case, whole.tail, 100));
    let mut ids: Vec<i64> = kept.iter().map(|kept| kept.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "every report once");
    assert_eq!(node.ordinals(3).len(), 7);
    // When the whole is closed, what comes again is opened for itself.
    node.desk.act(&doing(close(Closure::Lawful), &[3])).unwrap();
    node.telnet("again.csv", &[("2026-06-01 11:45:00", "192.0.2.2", 23)]);
    assert_eq!(node.case(3).0.case.reports, 5);
}

#[test]
fn cases_of_two_parties_are_not_one() {
    let node = node(1);
    node.telnet("other.csv", &[(SEEN, "198.51.100.1", 23), (SEEN, "203.0.113.1", 23)]);
    let (nobodys, others): (Vec<_>, Vec<_>) = node.all().into_iter().partition(|(filed, _)| filed.case.holder.is_none());
    let other = others.iter().map(|(filed, _)| filed.case.id).max().unwrap();
    let error = node.desk.act(&doing(Verb::Merge { into: 1 }, &[other])).unwrap_err().to_string();
    assert!(error.contains("another party"), "{error}");
    // Nobody's problem may turn out to be somebody's.
    node.desk.act(&doing(Verb::Merge { into: 1 }, &[nobodys[0].0.case.id])).unwrap();
    assert!(node.desk.act(&doing(Verb::Merge { into: 1 }, &[1])).is_err(), "not into itself");
}

#[test]
fn a_split_case_takes_its_reports_along() {
    let node = node(1);
    for (name, minute) in [("b.csv", 10), ("c.csv", 20)] {
        let seen = format!("2026-06-01 11:{minute}:00");
        node.telnet(name, &[(&seen, "192.0.2.1", 23), (&seen, "198.51.100.9", 23), (&seen, "192.0.2.1", 23)]);
    }
    assert_eq!(node.ordinals(1).len(), 5);
    let all = node.ordinals(1);
    let first = Pick { to: Some(time("2026-06-01T11:15:00Z")), ..Pick::default() };
    for wrong in
        [Pick { address: Address::parse(b"192.0.2.1"), ..Pick::default() }, Pick { ordinals: vec![99], ..Pick::default() }]
    {
        assert!(matches!(node.desk.split(1, &wrong, "Anna", "why"), Err(Error::Invalid(_))), "{wrong:?}");
    }
    let split = node.desk.split(1, &first, "Anna", "another machine then").unwrap();
    assert_eq!(split.reports, 3);
    let (old, new) = (node.case(1).0, node.case(split.case).0);
    assert_eq!((old.case.reports, new.case.reports), (2, 3));
    assert_eq!(old.case.first_seen, time("2026-06-01T11:20:00Z"));
    assert_eq!(new.case.last_seen, time("2026-06-01T11:10:00Z"));
    assert_eq!(new.case.key.about(), old.case.key.about());
    let mut both = node.ordinals(1);
    both.extend(node.ordinals(split.case));
    both.sort_unstable();
    assert_eq!(both, all, "every report is in one of them");
    let of_submission = node.read(|transaction| transaction.reports_from(2, 100)).1;
    assert_eq!(of_submission.len(), 3, "and once in its submission");

    // Further reports join the case that was there; then it is undone.
    node.telnet("d.csv", &[("2026-06-01 11:40:00", "192.0.2.1", 23)]);
    assert_eq!((node.case(1).0.case.reports, node.case(split.case).0.case.reports), (3, 3));
    assert_eq!(node.desk.undo(split.act, "Anna", "the same after all").unwrap().cases, 1);
    assert_eq!(node.case(split.case).1.closure, Some(Closure::Merged));
    assert_eq!(node.ordinals(1).len(), 6);
}

#[test]
fn notes_stay() {
    let node = node(1);
    let acted = node.desk.act(&doing(Verb::Note, &[1])).unwrap();
    assert!(node.desk.undo(acted.act, "Anna", "never mind").is_err());
    for (reason, by) in [("  ", "Anna"), ("x", " ")] {
        let empty = Doing { reason: reason.into(), by: by.into(), ..doing(Verb::Note, &[1]) };
        assert!(matches!(node.desk.act(&empty), Err(Error::Invalid(_))));
    }
    assert!(matches!(node.desk.act(&doing(Verb::Note, &[77])), Err(Error::NotFound(_))));
}
