//! Tables of what is known, what is said and what comes of it; and properties over random administrations.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::address::{Address, Range};

fn assignment(resource: &str, party: &str, from: Option<i64>, to: Option<i64>, service: &str) -> Assignment {
    Assignment {
        resource: Resource::parse(resource).unwrap(),
        period: Period { from: from.map(Time), to: to.map(Time) },
        party: party.to_owned(),
        level: Level::Assigned,
        service: service.to_owned(),
        product: String::new(),
        panel: String::new(),
        account: String::new(),
        reference: String::new(),
    }
}

fn party(reference: &str, parent: Option<&str>) -> Party {
    Party { reference: reference.to_owned(), parent: parent.map(str::to_owned), ..Party::default() }
}

fn parties() -> Vec<Party> {
    ["A", "B", "C"].map(|name| party(name, None)).to_vec()
}

/// What a store does with changes.
fn apply(known: &mut Known, changes: &Changes, now: Time) {
    let mut next = known.assignments.iter().map(|row| row.id).max().unwrap_or(0) + 1_000;
    for new in &changes.parties_new {
        known.parties.push(KnownParty { id: next, party: new.clone(), gone: false });
        next += 1;
    }
    for row in &mut known.parties {
        if let Some(change) = changes.parties_changed.iter().find(|change| change.id == row.id) {
            assert_eq!(change.old, row.party);
            let parent = row.party.parent.clone();
            row.party = change.new.clone();
            row.party.parent = parent;
        }
        if let Some(moved) = changes.moved.iter().find(|moved| moved.id == row.id) {
            row.party.parent = moved.new.clone();
        }
        row.gone |= changes.parties_gone.iter().any(|(id, _)| *id == row.id);
        row.gone &= !changes.parties_back.iter().any(|(id, _)| *id == row.id);
    }
    let superseded: BTreeSet<i64> = changes.superseded.iter().map(|(id, _)| *id).collect();
    assert_eq!(superseded.len(), changes.superseded.len(), "a row is superseded once");
    for (id, to) in &changes.ended {
        let row = known.assignments.iter_mut().find(|row| row.id == *id).unwrap();
        assert!(!superseded.contains(id), "a row is ended or superseded, not both");
        assert!(row.assignment.period.end() > now.min(*to), "what has ended does not end again");
        assert!(*to < row.assignment.period.end() && *to > row.assignment.period.start(), "an end is inside the row");
        row.assignment.period.to = Some(*to);
    }
    known.assignments.retain(|row| !superseded.contains(&row.id));
    for new in &changes.begun {
        known.assignments.push(KnownAssignment { id: next, recorded: now, assignment: new.clone() });
        next += 1;
    }
}

/// The lane of one resource as text: `A 10-20, B 20-`.
fn lane_text(known: &Known) -> String {
    let mut rows: Vec<&KnownAssignment> = known.assignments.iter().collect();
    rows.sort_by_key(|row| (row.assignment.resource.clone(), row.assignment.period.start()));
    let text = |row: &&KnownAssignment| {
        let time = |time: Option<Time>| time.map_or(String::new(), |time| time.0.to_string());
        let assignment = &row.assignment;
        format!("{}{} {}-{}", assignment.party, assignment.service, time(assignment.period.from), time(assignment.period.to))
    };
    rows.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// Party, start, end, service.
type Row = (&'static str, Option<i64>, Option<i64>, &'static str);

/// Why, known rows recorded at 50, said rows, complete, rows after an import at 100, superseded.
type Case<'c> = (&'c str, &'c [Row], &'c [Row], bool, &'c str, usize);

fn known_of(rows: &[Row], recorded: i64) -> Known {
    let parties = parties().into_iter().enumerate().map(|(at, party)| KnownParty { id: at as i64, party, gone: false });
    let assignments = rows.iter().enumerate().map(|(at, (party, from, to, service))| KnownAssignment {
        id: at as i64,
        recorded: Time(recorded),
        assignment: assignment("192.0.2.0/24", party, *from, *to, service),
    });
    Known { parties: parties.collect(), assignments: assignments.collect(), others: Vec::new() }
}

#[test]
fn history_is_ended_and_begun() {
    let cases: &[Case] = &[
        ("an unknown start stays unknown", &[], &[("A", None, None, "")], true, "A -", 0),
        ("nothing new", &[("A", None, None, "")], &[("A", None, None, "")], true, "A -", 0),
        ("an unknown start contradicts none", &[("A", Some(10), None, "")], &[("A", None, None, "")], true, "A 10-", 0),
        ("gone from an export", &[("A", Some(10), None, "")], &[], true, "A 10-100", 0),
        ("not in a feed of changes", &[("A", Some(10), None, "")], &[], false, "A 10-", 0),
        ("another holder, start unknown", &[("A", Some(10), None, "")], &[("B", None, None, "")], true, "A 10-100, B 100-", 0),
        ("another holder, stated start", &[("A", Some(10), None, "")], &[("B", Some(80), None, "")], true, "A 10-80, B 80-", 0),
        ("another holder to come", &[("A", Some(10), None, "")], &[("B", Some(180), None, "")], true, "A 10-180, B 180-", 0),
        ("another holder all along", &[("A", Some(10), None, "")], &[("B", Some(5), None, "")], true, "B 5-", 1),
        ("the start was earlier", &[("A", Some(10), None, "")], &[("A", Some(5), None, "")], true, "A 5-", 1),
        ("the start was later", &[("A", Some(10), None, "")], &[("A", Some(20), None, "")], true, "A 20-", 1),
        ("the start becomes known", &[("A", None, None, "")], &[("A", Some(20), None, "")], true, "A 20-", 1),
        ("held when recorded, begun anew", &[("A", Some(10), None, "")], &[("A", Some(90), None, "")], true, "A 10-90, A 90-", 0),
        ("another service", &[("A", Some(10), None, "1")], &[("A", Some(10), None, "2")], true, "A1 10-100, A2 100-", 0),
        (
            "another service stays known",
            &[("A", Some(10), Some(60), "1"), ("A", Some(60), None, "2")],
            &[("A", Some(10), None, "2")],
            true,
            "A1 10-60, A2 60-",
            0,
        ),
        ("an end is stated", &[("A", Some(10), None, "")], &[("A", Some(10), Some(70), "")], true, "A 10-70", 0),
        ("an end to come is stated", &[("A", Some(10), None, "")], &[("A", Some(10), Some(170), "")], true, "A 10-170", 0),
        ("an end to come is moved", &[("A", Some(10), Some(170), "")], &[("A", Some(10), Some(150), "")], true, "A 10-150", 0),
        ("an end is taken back", &[("A", Some(10), Some(70), "")], &[("A", Some(10), None, "")], true, "A 10-", 1),
        ("a contract goes on", &[("A", Some(10), Some(170), "")], &[("A", None, None, "")], true, "A 10-170, A 170-", 0),
        (
            "history is told once",
            &[("A", Some(10), None, "")],
            &[("B", Some(1), Some(10), ""), ("A", Some(10), None, "")],
            true,
            "B 1-10, A 10-",
            0,
        ),
        (
            "history stays when it is no longer told",
            &[("B", Some(1), Some(10), ""), ("A", Some(10), None, "")],
            &[("A", Some(10), None, "")],
            true,
            "B 1-10, A 10-",
            0,
        ),
        (
            "history corrected in the middle",
            &[("A", Some(10), Some(40), "")],
            &[("B", Some(20), Some(30), "")],
            true,
            "A 10-20, B 20-30, A 30-40",
            1,
        ),
        ("it comes back after an end", &[("A", Some(10), Some(60), "")], &[("A", None, None, "")], true, "A 10-60, A 100-", 0),
        (
            "a future holder taken back",
            &[("A", Some(10), Some(150), ""), ("B", Some(150), None, "")],
            &[("A", Some(10), None, "")],
            true,
            "A 10-",
            2,
        ),
        (
            "both hold it: the known one",
            &[("B", None, None, "")],
            &[("A", None, None, ""), ("B", None, None, "")],
            true,
            "B -",
            0,
        ),
        ("both hold it: the first", &[], &[("A", None, None, ""), ("B", None, None, "")], true, "A -", 0),
        (
            "both hold it: the later ends the earlier",
            &[],
            &[("B", Some(20), None, ""), ("A", Some(10), None, "")],
            true,
            "A 10-20, B 20-",
            0,
        ),
        (
            "a row without start after history",
            &[],
            &[("B", None, None, ""), ("A", Some(10), Some(20), "")],
            true,
            "A 10-20, B 20-",
            0,
        ),
        (
            "ended history overlaps",
            &[],
            &[("A", Some(10), Some(30), ""), ("B", Some(20), Some(40), "")],
            true,
            "A 10-30, B 30-40",
            0,
        ),
        ("the same twice", &[], &[("A", Some(10), None, ""), ("A", Some(10), None, "")], true, "A 10-", 0),
        ("it ends before it begins", &[], &[("A", Some(10), Some(10), "")], true, "", 0),
    ];
    for (why, rows, said, complete, expected, superseded) in cases {
        let mut known = known_of(rows, 50);
        let assignments = said.iter().map(|(party, from, to, service)| assignment("192.0.2.0/24", party, *from, *to, service));
        let said = Snapshot { parties: parties(), assignments: assignments.collect(), complete: *complete };
        let changes = compare(&known, &said, Time(100));
        apply(&mut known, &changes, Time(100));
        assert_eq!(lane_text(&known), *expected, "{why}");
        assert_eq!(changes.superseded.len(), *superseded, "{why}: superseded");
        for now in [100, 100, 101] {
            let again = compare(&known, &said, Time(now));
            assert!(again.is_empty(), "{why}: again at {now}: {again:?}");
        }
    }
}

#[test]
fn crossing_ranges_are_cut_and_nested_ones_are_not() {
    for (why, said, expected, cuts) in [
        ("nested", vec!["192.0.2.0/24", "192.0.2.0/25"], vec!["192.0.2.0/25", "192.0.2.0/24"], 0),
        (
            "the smaller keeps its whole",
            vec!["192.0.2.0 - 192.0.2.99", "192.0.2.90 - 192.0.2.109"],
            vec!["192.0.2.0 - 192.0.2.89", "192.0.2.90 - 192.0.2.109"],
            1,
        ),
        (
            "cut at both ends",
            vec!["192.0.2.10 - 192.0.2.99", "192.0.2.0 - 192.0.2.19", "192.0.2.90 - 192.0.2.109"],
            vec!["192.0.2.0 - 192.0.2.19", "192.0.2.20 - 192.0.2.89", "192.0.2.90 - 192.0.2.109"],
            1,
        ),
        (
            "nothing is left",
            vec!["192.0.2.10 - 192.0.2.19", "192.0.2.8 - 192.0.2.14", "192.0.2.15 - 192.0.2.21"],
            vec!["192.0.2.8 - 192.0.2.14", "192.0.2.15 - 192.0.2.21"],
            1,
        ),
    ] {
        let assignments = said.iter().map(|text| assignment(text, "A", None, None, ""));
        let said = Snapshot { parties: parties(), assignments: assignments.collect(), complete: true };
        let changes = compare(&Known::default(), &said, Time(100));
        let mut got: Vec<Resource> = changes.begun.iter().map(|row| row.resource.clone()).collect();
        got.sort();
        let mut expected: Vec<Resource> = expected.iter().map(|text| Resource::parse(text).unwrap()).collect();
        expected.sort();
        assert_eq!(got, expected, "{why}");
        assert_eq!(changes.cuts.count, cuts, "{why}: {:?}", changes.cuts.texts);
    }
}

#[test]
fn what_another_source_holds_is_not_begun() {
    let foreign = |to: Option<i64>| Foreign {
        source: "crm".to_owned(),
        resource: Resource::parse("192.0.2.0/24").unwrap(),
        level: Level::Assigned,
        period: Period { from: Some(Time(0)), to: to.map(Time) },
        party: "Other".to_owned(),
    };
    let said = Snapshot {
        parties: parties(),
        assignments: vec![assignment("192.0.2.0/24", "A", Some(50), None, ""), assignment("192.0.2.0/25", "B", None, None, "")],
        complete: true,
    };
    let changes = compare(&Known { others: vec![foreign(None)], ..Known::default() }, &said, Time(100));
    assert_eq!((changes.begun.len(), changes.conflicts.count), (1, 1));
    assert!(changes.conflicts.texts[0].contains("'crm' is authoritative"), "{:?}", changes.conflicts.texts);
    let changes = compare(&Known { others: vec![foreign(Some(50))], ..Known::default() }, &said, Time(100));
    assert_eq!((changes.begun.len(), changes.conflicts.count), (2, 0));
}

#[test]
fn parties_move_go_and_come_back() {
    let now = Time(100);
    let mut known = Known::default();
    let mut said = Snapshot {
        parties: vec![party("A", None), party("B", Some("A")), party("C", Some("B"))],
        assignments: Vec::new(),
        complete: true,
    };
    let changes = compare(&known, &said, now);
    apply(&mut known, &changes, now);
    assert_eq!(known.parties.len(), 3);
    assert!(compare(&known, &said, now).is_empty());

    said.parties[2].parent = Some("A".to_owned());
    said.parties[2].name = "Cee".to_owned();
    let changes = compare(&known, &said, now);
    assert_eq!((changes.moved.len(), changes.parties_changed.len()), (1, 1));
    assert_eq!(changes.parties_changed[0].fields, ["name"]);
    apply(&mut known, &changes, now);
    assert!(compare(&known, &said, now).is_empty());

    let without = Snapshot { parties: said.parties[..2].to_vec(), ..said.clone() };
    let changes = compare(&known, &without, now);
    assert_eq!(changes.parties_gone.len(), 1);
    apply(&mut known, &changes, now);
    assert!(compare(&known, &without, now).is_empty());
    let changes = compare(&known, &said, now);
    assert_eq!(changes.parties_back.len(), 1);
    apply(&mut known, &changes, now);
    assert!(compare(&known, &said, now).is_empty());
}

#[test]
fn a_circle_of_parents_is_opened_and_an_unknown_one_left_out() {
    let parties = vec![party("A", Some("B")), party("B", Some("A")), party("C", Some("C")), party("D", Some("X"))];
    let said = Snapshot { parties, assignments: vec![assignment("192.0.2.1", "X", None, None, "")], complete: true };
    let changes = compare(&Known::default(), &said, Time(1));
    let parents: Vec<Option<&str>> = changes.parties_new.iter().map(|party| party.parent.as_deref()).collect();
    assert_eq!(parents, [None, Some("A"), None, None]);
    assert_eq!(changes.problems.count, 4);
    assert!(changes.begun.is_empty());
}

#[test]
fn space_passed_on_to_nobody_is_counted() {
    let mut block = assignment("192.0.2.0/24", "A", None, None, "");
    block.level = Level::Allocated;
    let mut six = assignment("2001:db8::/32", "A", None, None, "");
    six.level = Level::SubAllocated;
    let said = Snapshot {
        parties: parties(),
        assignments: vec![
            block,
            assignment("192.0.2.64/26", "B", None, None, ""),
            six,
            assignment("198.51.100.0/24", "C", None, None, ""),
        ],
        complete: true,
    };
    let gaps = compare(&Known::default(), &said, Time(1)).gaps;
    assert_eq!((gaps.count, gaps.v4_addresses), (3, 192));
    let ranges: Vec<String> = gaps.v4.iter().chain(&gaps.v6).map(|gap| gap.range.to_string()).collect();
    assert_eq!(ranges, ["192.0.2.128/25", "192.0.2.0/26", "2001:db8::/32"]);
}

fn any_rows() -> impl Strategy<Value = Vec<Assignment>> {
    let time = prop_oneof![Just(None), (0i64..12).prop_map(|at| Some(at * 20))];
    let row = (0u32..6, 0u32..6, 0usize..3, 0usize..2, time.clone(), time, 0usize..2);
    prop::collection::vec(row, 0..7).prop_map(|rows| {
        let make =
            |(first, length, party, level, from, to, service): (u32, u32, usize, usize, Option<i64>, Option<i64>, usize)| {
                let first = 0xc000_0200 + first;
                let range = Range::new(Address::from_v4(first), Address::from_v4(first + length)).unwrap();
                let mut row = assignment("192.0.2.1", ["A", "B", "C"][party], from, to, ["", "x"][service]);
                row.resource = Resource::Addresses(range);
                row.level = [Level::Assigned, Level::SubAllocated][level];
                row
            };
        rows.into_iter().map(make).collect()
    })
}

/// Rows of one lane, where history is dense.
fn lane_rows() -> impl Strategy<Value = Vec<Assignment>> {
    any_rows().prop_map(|mut rows| {
        for row in &mut rows {
            row.resource = Resource::parse("192.0.2.0/24").unwrap();
            row.level = Level::Assigned;
        }
        rows
    })
}

fn check(steps: Vec<(Vec<Assignment>, bool, i64)>) -> Result<(), TestCaseError> {
    let mut known = Known::default();
    let mut now = 40;
    for (assignments, complete, later) in steps {
        now += later;
        let said = Snapshot { parties: parties(), assignments, complete };
        let before = known.clone();
        let changes = compare(&known, &said, Time(now));
        prop_assert_eq!(&compare(&known, &said, Time(now)), &changes, "the same input gives the same answer");
        apply(&mut known, &changes, Time(now));
        prop_assert!(known.assignments.len() + changes.superseded.len() >= before.assignments.len(), "history never shrinks");
        for row in &before.assignments {
            if let Some(after) = known.assignments.iter().find(|after| after.id == row.id) {
                prop_assert!(after.assignment.period.end() <= row.assignment.period.end(), "nothing that ended is reopened");
            }
        }
        for (at, a) in known.assignments.iter().enumerate() {
            prop_assert!(!a.assignment.period.is_empty());
            for b in &known.assignments[at + 1..] {
                let lane = lane_of(a) == lane_of(b) && a.assignment.period.overlaps(&b.assignment.period);
                prop_assert!(!lane, "one holder at a time: {:?} {:?}", a, b);
            }
        }
        for (at, a) in changes.begun.iter().enumerate() {
            for b in &changes.begun[at + 1..] {
                let (Resource::Addresses(x), Resource::Addresses(y)) = (&a.resource, &b.resource) else { continue };
                if before.assignments.is_empty() {
                    prop_assert!(!(x.crosses(y) && a.period.overlaps(&b.period)), "nothing crosses: {:?} {:?}", a, b);
                }
            }
        }
        for again in [0, 7] {
            let again = compare(&known, &said, Time(now + again));
            prop_assert!(
                again.is_empty(),
                "applied changes leave nothing to do: ended {:?} superseded {:?} begun {}; known {}",
                again.ended,
                again.superseded,
                again.begun.len(),
                lane_text(&known)
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn administrations_keep_their_rules(steps in prop::collection::vec((any_rows(), any::<bool>(), 0i64..60), 1..5)) {
        check(steps)?;
    }

    #[test]
    fn lanes_keep_their_rules(steps in prop::collection::vec((lane_rows(), any::<bool>(), 0i64..60), 1..5)) {
        check(steps)?;
    }
}
