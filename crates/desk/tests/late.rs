//! A part of all assignments is recorded three days late: nobody is told, or counted against, without being corrected.

#![allow(clippy::unwrap_used)]

mod node;

use std::collections::{BTreeMap, HashSet};

use desk::correct::decide::Correcting;
use model::outbox::{Delivery, Hold, Purpose};
use model::severity::Severity;
use model::time::{DAY, HOUR, Time};
use node::{Node, time};
use proptest::prelude::*;
use store::acts::Cause;
use store::cases::marks;
use store::outbox::Filter;

/// When the reports begin to come.
const BEGIN: &str = "2026-06-10T00:00:00Z";
/// Days that a late assignment is recorded after it began.
const LATE: i64 = 3;
/// Customers, beside the reseller of all of them.
const CUSTOMERS: usize = 4;
/// Everything is really sent, and soon.
const ACT: &str = "\
[severity.P3]\nmode = \"act\"\ngather = \"1 hour\"\n[severity.P4]\nmode = \"act\"\ngather = \"1 hour\"\n";

/// An address that passed from one customer to another on a day, and whether that was recorded late.
#[derive(Clone, Debug)]
struct Passed {
    from: usize,
    to: usize,
    /// Days after [`BEGIN`].
    day: i64,
    late: bool,
}

#[derive(Clone, Debug)]
struct World {
    addresses: Vec<Passed>,
    /// Reports: day on which it comes, address, hours by which it tells of what was before.
    reports: Vec<(i64, usize, i64)>,
    /// Cases, by their order, that somebody confirms.
    confirmed: Vec<usize>,
}

fn worlds(late: u32) -> impl Strategy<Value = World> {
    let passed = (0..CUSTOMERS, 0..CUSTOMERS, -1i64..6, 0u32..100).prop_map(move |(from, to, day, chance)| Passed {
        from,
        to,
        day,
        late: chance < late,
    });
    let addresses = proptest::collection::vec(passed, 1..12);
    (addresses, proptest::collection::vec((0i64..6, 0usize..12, 1i64..40), 1..40), proptest::collection::vec(0usize..20, 0..4))
        .prop_map(|(addresses, reports, confirmed)| World { addresses, reports, confirmed })
}

fn customer(number: usize) -> &'static str {
    ["anna", "bert", "carla", "dirk"][number % CUSTOMERS]
}

fn begin() -> Time {
    time(BEGIN)
}

/// What the administration says on a day: what it does not know yet is as it was before.
fn said(world: &World, day: i64) -> Vec<(String, &'static str, String, String)> {
    let mut rows = Vec::new();
    for (number, passed) in world.addresses.iter().enumerate() {
        let address = format!("192.0.2.{}", number + 1);
        let known = passed.day + if passed.late { LATE } else { 0 };
        if known > day || passed.from == passed.to {
            rows.push((address, customer(passed.from), "2026-01-01".to_owned(), String::new()));
        } else {
            let at = begin().plus(passed.day * DAY).to_string();
            rows.push((address.clone(), customer(passed.from), "2026-01-01".to_owned(), at.clone()));
            rows.push((address, customer(passed.to), at, String::new()));
        }
    }
    rows
}

fn import(node: &Node, world: &World, day: i64) -> u64 {
    let rows = said(world, day);
    let rows: Vec<(&str, &str, &str, &str)> =
        rows.iter().map(|(address, party, from, to)| (address.as_str(), *party, from.as_str(), to.as_str())).collect();
    node.import(&rows).holders_changed
}

/// Lives through the days, with everything that the desk does by itself; how many cases turned out to be another's.
fn live(node: &Node, world: &World) -> u64 {
    node.desk.set_policy(ACT, "policy.toml").unwrap();
    let mut changed = 0;
    for day in 0..6 + LATE + 2 {
        node.set(begin().plus(day * DAY + HOUR));
        changed += import(node, world, day);
        node.desk.advance().unwrap();
        // Half past the hour: not within minutes of a change of holder.
        node.set(begin().plus(day * DAY + 12 * HOUR));
        for (at, (_, address, before)) in world.reports.iter().enumerate().filter(|(_, (of, ..))| *of == day) {
            let seen = begin().plus(day * DAY + 10 * HOUR + HOUR / 2 - before * HOUR).to_string();
            let address = format!("192.0.2.{}", address % world.addresses.len() + 1);
            node.telnet(&format!("{at}.csv"), &[(&seen.replace('T', " ")[..19], &address, 23)]);
        }
        node.desk.advance().unwrap();
        if day == 6 {
            for number in &world.confirmed {
                // Nobody can confirm a case of which it is not certain whose it is.
                if let Some((filed, standing)) = node.all().get(*number)
                    && let Some(holder) = filed.case.holder
                    && !standing.has(marks::HOLDER_CHANGED)
                {
                    let (case, now) = (filed.case.id, node.desk.now());
                    node.desk
                        .store()
                        .write("strike", |transaction| transaction.add_strike(holder, case, Cause::Confirmed, Severity::P1, now))
                        .unwrap();
                }
            }
        }
    }
    changed
}

/// The parties that really held what the reports of each case are about.
fn truth(node: &Node) -> BTreeMap<i64, HashSet<i64>> {
    let index = node.read(|transaction| transaction.index()).0;
    let mut truth = BTreeMap::new();
    for (filed, _) in node.all() {
        let (batch, _) = node.read(|transaction| transaction.reports_with_merged(&filed, 1_000));
        let mut parties = HashSet::new();
        for report in batch.reports() {
            let chain = index.trace_address(report.core.address, report.core.observed().unwrap());
            parties.extend(chain.links.iter().map(|link| link.party));
        }
        truth.insert(filed.case.id, parties);
    }
    truth
}

/// Letters and strikes against somebody whose problem a case never was: of each that is not taken back, a line.
fn wrongs(node: &Node) -> Vec<String> {
    let truth = truth(node);
    let entries = node.read(|transaction| transaction.entries(&Filter::default(), 10_000));
    let cases = |entry: i64| node.read(|transaction| transaction.cases_of_entry(entry, 1_000));
    let mut corrected: HashSet<(i64, i64)> = HashSet::new();
    for entry in entries.iter().filter(|entry| entry.purpose == Purpose::Correction && entry.delivery != Delivery::Withdrawn) {
        corrected.extend(cases(entry.id).into_iter().map(|case| (case, entry.party.unwrap())));
    }
    let mut wrongs = Vec::new();
    for entry in entries.iter().filter(|entry| entry.delivery != Delivery::Withdrawn) {
        if matches!(entry.purpose, Purpose::Receipt | Purpose::Correction) {
            continue;
        }
        for case in cases(entry.id) {
            let party = entry.party.unwrap();
            if !truth[&case].contains(&party) && !corrected.contains(&(case, party)) {
                wrongs.push(format!("case {case}: {} to {}", entry.purpose.word(), node.party(Some(party))));
            }
        }
    }
    let mut strikes = strikes(node);
    strikes.retain(|(party, case)| !truth[case].contains(party));
    wrongs.extend(strikes.into_iter().map(|(party, case)| format!("case {case}: a strike against {}", node.party(Some(party)))));
    wrongs
}

/// Strikes that count: party and case.
fn strikes(node: &Node) -> Vec<(i64, i64)> {
    let rows = node.numbers("SELECT party, case_id FROM strikes WHERE withdrawn IS NULL");
    rows.into_iter().map(|row| (row[0], row[1])).collect()
}

#[test]
fn a_letter_that_would_have_gone_is_corrected() {
    let passed = Passed { from: 0, to: 1, day: 0, late: true };
    let world = World { addresses: vec![passed], reports: vec![(1, 0, 2)], confirmed: Vec::new() };
    let node = Node::new(BEGIN);
    assert_eq!(live(&node, &world), 1);
    let corrections = node.read(|transaction| transaction.held(Hold::HolderChanged, 0, 10));
    let to: Vec<String> = corrections.iter().map(|entry| node.party(entry.party)).collect();
    assert_eq!(to, ["anna"], "the reseller is rightly told, whichever customer it is");
    assert_eq!(wrongs(&node), Vec::<String>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_by_mistake_without_a_correction(world in worlds(10), many in worlds(60)) {
        for world in [world, many] {
            let node = Node::new(BEGIN);
            live(&node, &world);
            prop_assert_eq!(wrongs(&node), Vec::<String>::new());

            // A person looks: what moves is the right holder's, and what is corrected may go.
            let waiting = node.read(|transaction| transaction.waiting_holder_changes(None, 1_000));
            if !waiting.is_empty() {
                let all = Correcting {
                    cases: Vec::new(),
                    moved: true,
                    expected: Some(waiting.len() as u64),
                    by: "Anna".into(),
                    reason: "recorded late".into(),
                };
                node.desk.correct(&all).unwrap();
            }
            let truth = truth(&node);
            for (filed, _) in node.all() {
                if let Some(holder) = filed.case.holder.filter(|_| filed.case.reports > 0) {
                    prop_assert!(truth[&filed.case.id].contains(&holder), "case {} is {}'s", filed.case.id, node.party(Some(holder)));
                }
            }
            node.later(DAY);
            node.desk.advance().unwrap();
            prop_assert_eq!(wrongs(&node), Vec::<String>::new());
            let held = node.read(|transaction| transaction.held(Hold::HolderChanged, 0, 1_000));
            prop_assert!(held.is_empty(), "{:?}", held);
            let reports = node.number("SELECT CAST(coalesce(sum(reports), 0) AS BIGINT) FROM cases");
            prop_assert_eq!(reports, node.number("SELECT count(*) FROM reports WHERE case_id > 0"));
            prop_assert_eq!(reports, node.number("SELECT CAST(coalesce(sum(reports), 0) AS BIGINT) FROM daily"));
        }
    }

    #[test]
    fn with_nothing_late_nothing_changes(world in worlds(0)) {
        let node = Node::new(BEGIN);
        prop_assert_eq!(live(&node, &world), 0);
        prop_assert_eq!(node.number("SELECT count(*) FROM holder_changes"), 0);
        prop_assert_eq!(node.number("SELECT count(*) FROM outbox WHERE purpose = 4"), 0);
        prop_assert_eq!(wrongs(&node), Vec::<String>::new());
    }
}
