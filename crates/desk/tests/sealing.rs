//! Steps become sealed records: each once, in order, and what was sealed opens again.

#![allow(clippy::unwrap_used)]

mod node;

use std::collections::{BTreeSet, HashMap};

use desk::acts::Verb;
use desk::acts::split::Pick;
use desk::correct::decide::Correcting;
use desk::seal::open::{self, Opened};
use desk::seal::records::{self, Place};
use model::policy::Closure;
use model::time::{DAY, HOUR, Time};
use node::{Node, doing, time};
use proptest::prelude::*;
use seal::record::{self, Value};
use seal::seed;
use seal::tree;
use store::sealed::what;

const NOW: &str = "2026-06-04T12:00:00Z";
const SEEN: &str = "2026-06-04 10:00:00";
const CUSTOMERS: &[(&str, &str, &str, &str)] =
    &[("192.0.2.0/25", "c1", "2026-01-01", ""), ("192.0.2.128/25", "c2", "2026-01-01", "")];

/// Seals what waits, `most` records in a transaction, as the sequencer does; how many records that made.
fn seal(node: &Node, most: u32, urgent_only: bool) -> usize {
    let store = node.desk.store();
    let mut sealed = 0;
    loop {
        let mut prepared = records::prepare(store, most, urgent_only).unwrap();
        let drawn = store
            .write("seal", |transaction| {
                let first = transaction.log_size(1)?;
                let place = Place { shard: 1, first: first as i64 };
                let drawn = records::draw(transaction, store.keys(), &mut prepared, place, node.desk.now())?;
                transaction.add_entries(1, first, &drawn.entries)?;
                Ok::<_, store::Error>(drawn)
            })
            .unwrap();
        sealed += drawn.entries.len();
        if drawn.entries.is_empty() && drawn.taken == 0 {
            return sealed;
        }
    }
}

fn stream(node: &Node, of: i64, target: i64) -> Vec<Opened> {
    node.read(|transaction| open::stream(transaction, node.desk.store().keys(), of, target))
}

fn text(opened: &Opened, name: &str) -> String {
    match opened.get(name) {
        Value::Text(text) => text.clone(),
        Value::Absent => String::new(),
        other => panic!("{name} is {other:?}"),
    }
}

fn number(opened: &Opened, name: &str) -> u64 {
    match opened.get(name) {
        Value::Number(number) => *number,
        other => panic!("{name} is {other:?}"),
    }
}

/// The reference of the party of each record of a case.
fn parties(node: &Node, case: i64) -> Vec<String> {
    stream(node, what::CASE, case).iter().map(|opened| text(opened, "party_name")).collect()
}

/// Every step of every case stands in the records once and in order, streams are whole, and slots differ.
fn whole(node: &Node) {
    let keys = node.desk.store().keys();
    let mut slots = BTreeSet::new();
    let mut letters: HashMap<Vec<u8>, Vec<Opened>> = HashMap::new();
    let mut times: Vec<(i64, i64)> = Vec::new();
    let streams = node.numbers("SELECT what, target, count(*) FROM records GROUP BY what, target");
    for of in &streams {
        let (of, target) = (of[0], of[1]);
        let records = stream(node, of, target);
        let secret = node.read(|transaction| open::secret(transaction, keys, of, target)).unwrap();
        let mut prev = None;
        for (seq, opened) in records.iter().enumerate() {
            assert_eq!(opened.row.seq, seq as i64);
            assert_eq!(number(opened, "seq"), seq as u64);
            assert_eq!(opened.slot, record::slot(&secret, seq as u64));
            assert!(slots.insert(opened.slot), "a slot occurs twice");
            assert_eq!(*opened.get("prev"), prev.map_or(Value::Absent, Value::Digest));
            let committed = if seq == 0 { Value::Digest(record::secret_commitment(&secret)) } else { Value::Absent };
            assert_eq!(*opened.get("secret_commitment"), committed);
            prev = Some(opened.commitment);
            let Value::Time(at) = opened.get("recorded_at") else { panic!("no time") };
            times.push((opened.row.idx, *at));
            if let Value::Number(_) = opened.get("party_seq") {
                let Value::Bytes(party) = opened.get("party") else { panic!("a letter to nobody") };
                letters.entry(party.clone()).or_default().push(opened.clone());
            }
            // Sealed once more from what was opened, it is the same.
            let salts: Vec<_> = opened.fields.iter().map(|field| field.open.as_ref().unwrap().0).collect();
            assert_eq!(open::plain(opened).commit(&salts).1, opened.commitment);
        }
        if of == what::CASE {
            let events: Vec<String> = records.iter().map(|opened| text(opened, "event")).collect();
            assert_eq!(events, node.journal(target), "case {target}");
            let ordinals: Vec<i64> = records.iter().map(|opened| opened.row.ordinal).collect();
            assert_eq!(ordinals, (1..=records.len() as i64).collect::<Vec<_>>());
            assert_eq!(records[0].kind.name, "opened");
        }
    }
    let with_steps = node.numbers("SELECT DISTINCT case_id FROM steps").len();
    assert_eq!(streams.iter().filter(|of| of[0] == what::CASE).count(), with_steps);
    times.sort_unstable();
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].1), "the time went back");
    assert_eq!(times.iter().map(|(idx, _)| *idx).collect::<Vec<_>>(), (0..times.len() as i64).collect::<Vec<_>>());
    for (_, mut of_party) in letters {
        of_party.sort_by_key(|opened| opened.row.party_seq);
        let mut prev = None;
        for (seq, opened) in of_party.iter().enumerate() {
            assert_eq!(number(opened, "party_seq"), seq as u64);
            assert_eq!(*opened.get("party_prev"), prev.map_or(Value::Absent, Value::Digest));
            prev = Some(opened.commitment);
        }
    }
    assert_eq!(node.number("SELECT count(*) FROM unsealed"), 0);
}

fn world() -> Node {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    node.telnet("a.csv", &[(SEEN, "192.0.2.1", 23), (SEEN, "192.0.2.2", 23), (SEEN, "192.0.2.200", 23)]);
    node
}

#[test]
fn the_first_record_says_what_was_reported_and_whose_it_was() {
    let node = world();
    seal(&node, 1_000, false);
    whole(&node);
    let first = &stream(&node, what::CASE, 1)[0];
    assert_eq!(text(first, "event"), "opened");
    assert_eq!(text(first, "resource"), "192.0.2.1:23");
    assert_eq!(text(first, "category"), node.case(1).0.case.kind.to_string());
    assert_eq!(text(first, "party_name"), "c1");
    assert_eq!(text(first, "attribution"), "own contract record");
    assert_eq!(text(first, "attribution_source"), "crm");
    assert_eq!(*first.get("attribution_checked"), Value::Time(time(NOW).0));
    assert_eq!(*first.get("occurred_at"), Value::Time(time(NOW).0));
    let Value::List(chain) = first.get("chain") else { panic!("no chain") };
    assert!(chain[0].contains("provider") && chain[1].contains("reseller") && chain[2].contains("c1"), "{chain:?}");
    assert!(matches!(first.get("submission"), Value::Digest(_)));
    assert_eq!(
        *first.get("completeness"),
        Value::List(vec!["location".into(), "notifier".into()]),
        "{:?}",
        first.get("completeness")
    );
}

#[test]
fn what_takes_several_transactions_is_sealed_in_the_same_order() {
    for most in [1, 2, 3, 7] {
        let node = world();
        node.desk.act(&doing(Verb::Note, &[2])).unwrap();
        seal(&node, most, false);
        whole(&node);
        node.desk.act(&doing(Verb::Note, &[1])).unwrap();
        node.desk.act(&doing(Verb::Close { closure: Closure::NotOurs }, &[1])).unwrap();
        // The clock of the machine is set back.
        node.later(-DAY);
        seal(&node, most, false);
        whole(&node);
    }
}

#[test]
fn what_is_urgent_is_sealed_before_the_rest_with_all_that_came_before_it() {
    let node = world();
    node.sql("UPDATE cases SET severity = 1 WHERE id = 2");
    node.desk.act(&doing(Verb::Note, &[2])).unwrap();
    assert!(seal(&node, 100, true) > 0);
    assert_eq!(node.number("SELECT count(*) FROM unsealed WHERE what = 1 AND target = 2"), 0);
    assert!(node.number("SELECT count(*) FROM unsealed WHERE what = 1") > 0, "the others wait");
    assert!(stream(&node, what::CASE, 2).len() > 1);
    seal(&node, 100, false);
    whole(&node);
}

#[test]
fn the_party_of_then_is_sealed_when_the_holder_is_corrected_before_the_seal() {
    let thought = &[("192.0.2.7", "old", "2026-01-01", ""), ("192.0.2.8", "other", "2026-01-01", "")];
    let was = &[
        ("192.0.2.7", "old", "2026-01-01", "2026-06-01"),
        ("192.0.2.7", "new", "2026-06-01", ""),
        ("192.0.2.8", "other", "2026-01-01", ""),
    ];
    let node = Node::new(NOW);
    node.import(thought);
    node.telnet("a.csv", &[("2026-06-02 10:00:00", "192.0.2.7", 23)]);
    let before = node.journal(1).len();
    node.import(was);
    let asked = Correcting { cases: vec![1], moved: true, expected: None, by: "Anna".into(), reason: "late".into() };
    node.desk.correct(&asked).unwrap();
    node.desk.act(&doing(Verb::Note, &[1])).unwrap();
    seal(&node, 1_000, false);
    whole(&node);
    let parties = parties(&node, 1);
    assert!(parties[..before].iter().all(|party| party == "old"), "{parties:?}");
    assert_eq!(parties.last().unwrap(), "new");
    let records = stream(&node, what::CASE, 1);
    // Whoever the new chain names stands in a record with that chain.
    let last = records.last().unwrap();
    assert_eq!(last.kind.name, "opened");
    let Value::List(chain) = last.get("chain") else { panic!("no chain") };
    assert!(chain.last().unwrap().contains("new"), "{chain:?}");
    let of_old = records.iter().filter(|opened| opened.kind.name == "opened").count();
    assert_eq!(of_old, 2, "a chain is sealed once");
}

#[test]
fn cases_that_were_split_merged_and_undone_have_whole_streams() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    node.telnet("a.csv", &[("2026-06-04 10:00:00", "192.0.2.1", 23), ("2026-06-04 11:00:00", "192.0.2.1", 23)]);
    node.telnet("b.csv", &[(SEEN, "192.0.2.2", 23)]);
    seal(&node, 1, false);
    let first = Pick { to: Some(time("2026-06-04T10:30:00Z")), ..Pick::default() };
    let split = node.desk.split(1, &first, "Anna", "another machine then").unwrap();
    let merged = node.desk.act(&doing(Verb::Merge { into: 1 }, &[2])).unwrap();
    node.desk.undo(merged.act, "Bert", "they are two").unwrap();
    node.desk.undo(split.act, "Bert", "it was one").unwrap();
    seal(&node, 3, false);
    whole(&node);
    assert!(!node.journal(split.case).is_empty());
}

#[test]
fn a_case_that_was_erased_before_it_was_sealed_holds_nothing_up() {
    let node = world();
    for table in ["outbox_cases", "steps", "act_cases"] {
        node.sql(&format!("DELETE FROM {table} WHERE case_id = 2"));
    }
    node.sql("DELETE FROM cases WHERE id = 2");
    seal(&node, 2, false);
    whole(&node);
    assert!(stream(&node, what::CASE, 2).is_empty());
    assert!(!stream(&node, what::CASE, 3).is_empty());
}

#[test]
fn what_was_reported_about_the_past_is_sealed_as_well() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    node.telnet("a.csv", &[("2026-01-04 10:00:00", "192.0.2.1", 23)]);
    assert!(node.case(1).0.case.history);
    seal(&node, 10, false);
    whole(&node);
}

#[test]
fn one_report_of_a_batch_is_shown_alone() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    let addresses: Vec<String> = (1..=40).map(|last| format!("192.0.2.{last}")).collect();
    node.telnet("a.csv", &addresses.iter().map(|address| (SEEN, address.as_str(), 23)).collect::<Vec<_>>());
    seal(&node, 1_000, false);
    whole(&node);
    let keys = node.desk.store().keys();
    let batch = &stream(&node, what::BATCH, 1)[0];
    assert_eq!((batch.kind.name, number(batch, "count"), batch.row.idx), ("batch", 40, 0), "it stands before its cases");
    let Value::Digest(root) = batch.get("root") else { panic!("no root") };
    let first = &stream(&node, what::CASE, 7)[0];
    assert_eq!(*first.get("batch"), Value::Digest(batch.commitment));
    let place = number(first, "batch_index") as u32;
    let opened = node.read(|transaction| open::reports(transaction, keys, batch.row.ordinal, &[place])).remove(0);
    let values: Vec<Value> = opened.fields.iter().map(|field| field.open.clone().unwrap().1).collect();
    assert_eq!(values[0], Value::Text(text(first, "resource")));
    assert!(matches!(&values[3], Value::List(rest) if rest.iter().any(|item| item.starts_with("feed: "))), "{values:?}");
    let digests: Vec<_> = opened.fields.iter().map(|field| field.digest).collect();
    assert_eq!(seal::batch::commitment(&digests.try_into().unwrap()), opened.commitment);
    let leaf = tree::leaf_hash(&opened.commitment);
    tree::verify_inclusion(place.into(), 40, &leaf, &opened.path, root).unwrap();

    // Another report's row and key go: this one is shown all the same.
    node.sql(&format!("DELETE FROM reports WHERE id = {}", batch.row.ordinal * (1 << 20) + 3));
    let other = node.read(|transaction| open::reports(transaction, keys, batch.row.ordinal, &[3, 4]));
    assert!(other[0].fields.iter().all(|field| field.open.is_none()));
    tree::verify_inclusion(4, 40, &tree::leaf_hash(&other[1].commitment), &other[1].path, root).unwrap();
}

#[test]
fn a_field_whose_key_was_cut_out_stays_a_digest() {
    let node = world();
    seal(&node, 1_000, false);
    let keys = node.desk.store().keys();
    let before = stream(&node, what::CASE, 1).remove(1);
    let ordinal = before.kind.ordinal("party_name").unwrap() as u8;
    let number = before.row.number;
    let digest = node.read(|transaction| open::digests(transaction, keys, number, &[ordinal])).remove(0).1;
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let literal = if node.on_postgres() { format!("'\\x{hex}'") } else { format!("x'{hex}'") };
    node.sql(&format!(
        "INSERT INTO erased (what, number, ordinal, record, digest) VALUES (1, {number}, {ordinal}, 0, {literal})"
    ));
    let out = seed::Node::of_field(number.unsigned_abs(), ordinal);
    keys.cut(&[(store::keys::seeds::Tree::Block, 0)], &mut |_, _, nodes| {
        let mut left = Vec::new();
        for (depth, path, seed) in nodes {
            let node = seed::Node { depth, path };
            match seed::cut(&seed, node, out) {
                Some(kept) => left.extend(kept.into_iter().map(|(node, seed)| (node.depth, node.path, seed))),
                None => left.push((depth, path, seed)),
            }
        }
        Ok(left)
    })
    .unwrap();
    let after = stream(&node, what::CASE, 1).remove(1);
    assert_eq!(after.commitment, before.commitment);
    for (at, (before, after)) in before.fields.iter().zip(&after.fields).enumerate() {
        assert_eq!(before.digest, after.digest);
        assert_eq!(after.open.is_none(), at == usize::from(ordinal));
    }
    assert_eq!(after.fields[usize::from(ordinal)].erased, Some(0));
    // The case goes on.
    node.desk.act(&doing(Verb::Note, &[1])).unwrap();
    seal(&node, 10, false);
    assert_eq!(stream(&node, what::CASE, 1).len(), node.journal(1).len());
}

/// What may happen to a node between two seals.
#[derive(Clone, Debug)]
enum Deed {
    Report(u8, u16),
    Act(u8, i64),
    Advance(i64),
    Merge(i64, i64),
    Undo(i64),
    Seal(u32, bool),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let deed = prop_oneof![
        3 => (1u8..255, 23u16..25).prop_map(|(last, port)| Deed::Report(last, port)),
        4 => (0u8..7, 1i64..8).prop_map(|(verb, case)| Deed::Act(verb, case)),
        2 => (1i64..200).prop_map(Deed::Advance),
        1 => (1i64..6, 1i64..6).prop_map(|(case, into)| Deed::Merge(case, into)),
        1 => (1i64..6).prop_map(Deed::Undo),
        2 => (1u32..9, any::<bool>()).prop_map(|(most, urgent)| Deed::Seal(most, urgent)),
    ];
    proptest::collection::vec(deed, 1..25)
}

fn do_it(node: &Node, at: usize, deed: &Deed) {
    match deed {
        Deed::Report(last, port) => {
            let seen = node.desk.now().plus(-HOUR).to_string().replace('T', " ").replace('Z', "");
            let address = format!("192.0.2.{last}");
            let rows: Vec<(&str, &str, u16)> = (0..1 + at % 12).map(|_| (&seen[..19], address.as_str(), *port)).collect();
            node.telnet(&format!("{at}.csv"), &rows);
        }
        Deed::Act(verb, case) => {
            let verb = match verb {
                0 => Verb::Note,
                1 => Verb::Close { closure: Closure::NotOurs },
                2 => Verb::Reopen,
                3 => Verb::Handle { handler: "Bert".into() },
                4 => Verb::Dispute,
                5 => Verb::Resolve { by_operator: false, confirmed: true },
                _ => Verb::Snooze { until: Some(node.desk.now().plus(HOUR)) },
            };
            // What cannot be done is not done, and leaves no step.
            let _ = node.desk.act(&doing(verb, &[*case]));
        }
        Deed::Advance(hours) => {
            node.later(hours * HOUR);
            node.desk.advance().unwrap();
        }
        Deed::Merge(case, into) => {
            let _ = node.desk.act(&doing(Verb::Merge { into: *into }, &[*case]));
        }
        Deed::Undo(act) => {
            let _ = node.desk.undo(*act, "Anna", "wrong");
        }
        Deed::Seal(most, urgent) => {
            seal(node, *most, *urgent);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_step_is_sealed_once_and_in_order_whatever_happens(deeds in deeds()) {
        let node = world();
        for (at, deed) in deeds.iter().enumerate() {
            do_it(&node, at, deed);
        }
        seal(&node, 5, false);
        whole(&node);
        prop_assert!(node.desk.now() > Time(0));
    }
}

/// A XARF v4 report of one person, of this type, about a page on 192.0.2.7.
fn notice(of: &str) -> String {
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440017","timestamp":"2026-06-04T10:00:00Z",
"reporter":{{"org":"Meldpunt","contact":"desk@meldpunt.example","domain":"meldpunt.example"}},
"sender":{{"org":"Meldpunt","contact":"desk@meldpunt.example","domain":"meldpunt.example"}},
"source_identifier":"192.0.2.7","category":"content","type":"{of}","classification":"baseline","detection_method":"manual_review",
"url":"https://host.example/secret/path.html","description":"see https://host.example/secret/path.html",
"evidence":[{{"content_type":"image/png","payload":"c2VjcmV0LXBpY3R1cmU=","hash":"sha256:00ffee"}}]}}"#
    )
}

fn receive(node: &Node, name: &str, text: &str) -> i64 {
    let receipt = node.desk.receive(model::submission::Door::Pipe, name, &mut text.as_bytes()).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    receipt.id()
}

#[test]
fn what_one_person_wrote_stands_in_the_record_of_its_case() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    let said = notice("phishing");
    let submission = receive(&node, "notice.json", &said);
    seal(&node, 100, false);
    whole(&node);
    assert!(stream(&node, what::BATCH, submission).is_empty());
    let first = &stream(&node, what::CASE, 1)[0];
    assert_eq!(*first.get("submission"), Value::Digest(store::keys::sha256(said.as_bytes())));
    assert_eq!(*first.get("batch"), Value::Absent);
    assert_eq!(text(first, "resource"), "https://host.example/secret/path.html");
    assert_eq!(text(first, "reporter"), "Meldpunt <desk@meldpunt.example>");
    let whole_notice = ["explanation", "location", "notifier"].map(str::to_owned).to_vec();
    assert_eq!(*first.get("completeness"), Value::List(whole_notice));
}

#[test]
fn records_of_child_abuse_material_hold_reference_numbers_only() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    let many =
        (0..12).map(|at| notice("csam").replace('\n', " ").replace("440017", &format!("4400{at:02}")) + "\n").collect::<String>();
    for (name, bytes) in [("one.json", notice("csam")), ("many.json", many)] {
        let submission = receive(&node, name, &bytes);
        assert_eq!(node.number(&format!("SELECT count(*) FROM submissions WHERE id = {submission} AND sha256 IS NULL")), 1);
    }
    let mut note = doing(Verb::Note, &[1]);
    note.reason = "it is still at https://host.example/secret/path.html".into();
    node.desk.act(&note).unwrap();
    seal(&node, 100, false);
    whole(&node);
    let first = &stream(&node, what::CASE, 1)[0];
    assert_eq!(text(first, "category"), "content/csam");
    assert!(text(first, "text").contains("550e8400-e29b-41d4-a716-446655440017"), "{}", text(first, "text"));
    let mut said = String::new();
    for of in node.numbers("SELECT DISTINCT what, target FROM records") {
        for opened in stream(&node, of[0], of[1]) {
            said.push_str(&format!("{:?}", open::plain(&opened)));
            if opened.kind.name == "batch" {
                let keys = node.desk.store().keys();
                let reports = node.read(|transaction| open::reports(transaction, keys, opened.row.ordinal, &[0, 5]));
                assert_eq!(reports.len(), 2);
                said.push_str(&format!("{reports:?}"));
            }
        }
    }
    assert!(said.contains("550e8400-e29b-41d4-a716-446655440005"), "the batch holds references");
    for hidden in ["host.example", "secret", "00ffee", "c2Vj"] {
        assert!(!said.contains(hidden), "{hidden}");
    }
}

#[test]
fn a_notice_that_joins_a_case_is_sealed_as_well() {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    receive(&node, "one.json", &notice("phishing"));
    let other = receive(&node, "two.json", &notice("phishing").replace("Meldpunt", "Burger"));
    assert_eq!(node.all().len(), 1);
    seal(&node, 100, false);
    whole(&node);
    let batch = &stream(&node, what::BATCH, other)[0];
    assert_eq!((number(batch, "count"), text(batch, "reporter")), (1, "Burger <desk@meldpunt.example>".into()));
    let keys = node.desk.store().keys();
    let reports = node.read(|transaction| open::reports(transaction, keys, batch.row.ordinal, &[0]));
    assert_eq!(reports[0].fields[0].open.as_ref().unwrap().1, Value::text("https://host.example/secret/path.html"));
    assert!(reports[0].path.is_empty());
}

#[test]
fn damaged_fields_hold_nothing_up() {
    let node = world();
    node.sql("UPDATE fields SET data = (SELECT public FROM cases WHERE id = 1)");
    seal(&node, 100, false);
    whole(&node);
    assert_eq!(text(&stream(&node, what::CASE, 1)[0], "resource"), "", "what cannot be read is not said");
    assert_eq!(text(&stream(&node, what::CASE, 1)[0], "party_name"), "c1");
}
