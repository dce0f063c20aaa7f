//! Bundles and receipts of a node: what is in them, and what is not.

#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;

use desk::Error;
use desk::acts::Verb;
use desk::seal::export::{self, Made, Standing, choice::Choice, receipt};
use model::submission::Door;
use node::{Node, doing};
use seal::bundle::{self, Bundle, Form, Opening, UNSEALED};
use seal::record::{Value, entry, slot};

const NOW: &str = "2026-06-04T12:00:00Z";
const SEEN: &str = "2026-06-04 10:00:00";
const CUSTOMERS: &[(&str, &str, &str, &str)] =
    &[("192.0.2.0/25", "c1", "2026-01-01", ""), ("192.0.2.128/25", "c2", "2026-01-01", "")];

const ROWS: [&str; 9] =
    ["192.0.2.200", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7", "192.0.2.8"];

fn world() -> Node {
    let node = Node::new(NOW);
    node.import(CUSTOMERS);
    // A list: what is fewer could be a person's.
    let rows: Vec<(&str, &str, u16)> = ROWS.iter().map(|address| (SEEN, *address, 23)).collect();
    node.telnet("a.csv", &rows);
    node
}

/// Receives one report as XARF, from a person.
fn notice(node: &Node, label: &str) -> i64 {
    let text = format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"2026-06-04T10:00:00Z",
            "reporter":{{"org":"Bank of Example","contact":"abuse@bank.example","domain":"bank.example"}},
            "sender":{{"org":"Bank of Example","contact":"abuse@bank.example","domain":"bank.example"}},
            "source_identifier":"192.0.2.9","category":"content","type":"phishing","url":"https://shop.example/login",
            "evidence_source":"user_report","description":"A copy of our login page."{label}}}"#
    );
    let receipt = node.desk.receive(Door::File, "notice.json", &mut Cursor::new(text.into_bytes())).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    receipt.id()
}

fn made(node: &Node, case: i64, show: &[&str], hide: &[&str]) -> Result<Made, Error> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let choice = Choice::parse(&owned(show), &owned(hide))?;
    let store = node.desk.store();
    let now = node.desk.now();
    store.reader().unwrap().read(|transaction| export::case(transaction, store.keys(), store.directory(), case, &choice, now))
}

fn receipt_of(node: &Node, submission: i64, rows: &[u32]) -> Result<Made, Error> {
    let store = node.desk.store();
    let now = node.desk.now();
    store
        .reader()
        .unwrap()
        .read(|transaction| receipt::submission(transaction, store.keys(), store.directory(), submission, rows, now))
}

/// Each record leads to its entry; slots are those of the secret.
fn holds_together(bundle: &Bundle) {
    for record in &bundle.records {
        let proof = bundle.proofs.iter().find(|proof| proof.index == record.index).unwrap();
        assert_eq!(proof.entry, entry(&record.slot, &record.commitment()));
        let Some(Value::Bytes(stream)) = record.get("stream") else { panic!("no stream") };
        if let Some((_, secret)) = bundle.secrets.iter().find(|(id, _)| id == &stream[..]) {
            let Some(Value::Number(seq)) = record.get("seq") else { panic!("no seq") };
            assert_eq!(record.slot, slot(secret, *seq));
        }
    }
}

fn events(bundle: &Bundle) -> Vec<String> {
    let own = Value::Bytes(bundle.stream.to_vec());
    let of_case = bundle.records.iter().filter(|record| record.get("stream") == Some(&own));
    of_case.map(|record| format!("{:?}", record.get("event").unwrap()).replace("Text(\"", "").replace("\")", "")).collect()
}

fn standing(node: &Node, case: i64) -> Standing {
    node.read(|transaction| export::standing(transaction, case))
}

#[test]
fn a_case_that_a_row_opened_is_proven_with_its_row_and_nothing_of_its_neighbours() {
    let node = world();
    let case = 1;
    assert_eq!(standing(&node, case), Standing::Waits);
    assert!(made(&node, case, &[], &[]).unwrap_err().to_string().contains("sealed yet"));
    node.desk.seal().unwrap();
    assert_eq!(standing(&node, case), Standing::Sealed);
    assert!(made(&node, case, &[], &[]).unwrap_err().to_string().contains("published"));
    node.desk.publish().unwrap();
    assert_eq!(standing(&node, case), Standing::Published);

    let whole = made(&node, case, &[], &[]).unwrap();
    let bundle = bundle::read(&whole.bytes).unwrap();
    assert_eq!(bundle.form, Form::Evidence);
    holds_together(&bundle);
    assert_eq!(events(&bundle), node.journal(case));
    assert_eq!((bundle.reports.len(), bundle.secrets.len()), (1, 2));
    let first = &bundle.records[0];
    let Some(Value::Number(place)) = first.get("batch_index") else { panic!("no row") };
    assert_eq!(*place, bundle.reports[0].place);
    assert_eq!(first.get("batch"), Some(&Value::Digest(bundle.reports[0].batch)));
    assert_eq!(bundle.reports[0].openings[0].value(), first.get("resource"));
    // Who reported it is not shown, nor what a row says beside.
    assert!(first.get("reporter").is_none() && matches!(bundle.reports[0].openings[3], Opening::Hidden { .. }));
    assert!(whole.hidden.contains(&"reporter") && whole.hidden.contains(&"rest"), "{:?}", whole.hidden);
    for other in
        ROWS.iter().map(|address| format!("{address}:23")).filter(|other| Some(&Value::text(other)) != first.get("resource"))
    {
        assert!(!whole.bytes.windows(other.len()).any(|window| window == other.as_bytes()), "{other}");
    }
    assert_eq!((whole.stamped, whole.witnesses), (0, 0));
    assert_eq!(whole.remarks.len(), 2, "{:?}", whole.remarks);

    let all = bundle::read(&made(&node, case, &["all"], &[]).unwrap().bytes).unwrap();
    assert!(all.records[0].get("reporter").is_some() && all.reports[0].openings[3].value().is_some());
    let less = bundle::read(&made(&node, case, &[], &["party_name", "chain"]).unwrap().bytes).unwrap();
    assert!(less.records[0].get("party_name").is_none() && less.records[0].get("party").is_some());
    // What is hidden changes no commitment.
    assert_eq!(less.records[0].commitment(), all.records[0].commitment());
}

#[test]
fn who_was_given_a_bundle_is_sealed_in_its_case() {
    let node = world();
    node.desk.publish().unwrap();
    let first = made(&node, 1, &[], &[]).unwrap();
    node.desk.issue(1, " Rechtbank Rotterdam ", first.digest, first.records, "Anna").unwrap();
    assert!(matches!(node.desk.issue(1, " ", first.digest, 1, "Anna"), Err(Error::Invalid(_))));
    assert!(matches!(node.desk.issue(99, "x", first.digest, 1, "Anna"), Err(Error::NotFound(_))));
    // A step of the case comes after it.
    node.desk.act(&doing(Verb::Note, &[1])).unwrap();
    node.desk.publish().unwrap();
    let second = bundle::read(&made(&node, 1, &["actor"], &[]).unwrap().bytes).unwrap();
    holds_together(&second);
    let issued = second.records.iter().find(|record| record.kind == 6).unwrap();
    assert_eq!(issued.get("recipient"), Some(&Value::text("Rechtbank Rotterdam")));
    assert_eq!(issued.get("bundle"), Some(&Value::Digest(first.digest)));
    assert_eq!(issued.get("actor"), Some(&Value::text("Anna")));
    let mut said = events(&second);
    said.sort();
    let mut expected: Vec<String> = node.journal(1).into_iter().map(str::to_owned).chain(["issued".to_owned()]).collect();
    expected.sort();
    assert_eq!(said, expected);
}

#[test]
fn what_came_after_the_last_publication_waits_for_the_next() {
    let node = world();
    node.desk.publish().unwrap();
    let before = made(&node, 1, &[], &[]).unwrap();
    node.desk.act(&doing(Verb::Note, &[1])).unwrap();
    node.desk.seal().unwrap();
    let made_now = made(&node, 1, &[], &[]).unwrap();
    assert_eq!(made_now.records, before.records);
    assert!(made_now.remarks.iter().any(|remark| remark.contains("the last 1 records are not under")), "{:?}", made_now.remarks);
}

#[test]
fn all_letters_to_a_party_are_shown_by_their_numbers_and_nothing_of_their_cases() {
    let node = world();
    node.later(40 * 24 * 3_600_000);
    node.desk.advance().unwrap();
    node.desk.publish().unwrap();
    let letters = node.numbers("SELECT party, count(*) FROM records WHERE party <> 0 GROUP BY party ORDER BY count(*) DESC");
    let (party, count) = (letters[0][0], letters[0][1]);
    assert!(count > 2, "{letters:?}");
    let case = node.number(&format!("SELECT min(target) FROM records WHERE party = {party}"));
    let mut choice = Choice::parse(&[], &[]).unwrap();
    choice.letters = true;
    let store = node.desk.store();
    let made = store
        .reader()
        .unwrap()
        .read(|transaction| export::case(transaction, store.keys(), store.directory(), case, &choice, node.desk.now()));
    let bundle = bundle::read(&made.unwrap().bytes).unwrap();
    holds_together(&bundle);
    let mut numbers: Vec<u64> = Vec::new();
    for record in &bundle.records {
        if let Some(Value::Number(seq)) = record.get("party_seq") {
            numbers.push(*seq);
            let own = record.get("stream") == Some(&Value::Bytes(bundle.stream.to_vec()));
            assert!(
                own || record.get("party_name").is_none() && record.get("rule").is_none() && record.get("severity").is_none()
            );
        }
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..count.unsigned_abs()).collect::<Vec<_>>());
    assert!(bundle.secrets.iter().all(|(stream, _)| *stream == bundle.stream || bundle.reports.len() == 1));
}

#[test]
fn labels_of_reports_close_what_they_say() {
    let node = world();
    notice(&node, r#","tags":["tlp:red"]"#);
    notice(&node, r#","tlp":"red""#);
    node.desk.publish().unwrap();
    let labelled = node.all().into_iter().find(|(filed, _)| filed.case.kind.to_string() == "content/phishing").unwrap().0.case.id;
    let made = made(&node, labelled, &[], &[]).unwrap();
    let is_red = node.number("SELECT count(*) FROM reports WHERE labels % 16 = 5") > 0;
    assert!(is_red, "the label was read");
    let bundle = bundle::read(&made.bytes).unwrap();
    assert!(bundle.records[0].get("resource").is_none(), "{:?}", made.remarks);
    assert!(made.remarks[0].contains("TLP:RED"));
}

#[test]
fn a_reporter_is_given_his_own_notice_and_nobody_elses_name() {
    let node = world();
    let submission = notice(&node, "");
    assert!(receipt_of(&node, submission, &[]).is_err(), "nothing is sealed yet");
    node.desk.seal().unwrap();
    let early = bundle::read(&receipt_of(&node, submission, &[]).unwrap().bytes).unwrap();
    assert_eq!((early.form, early.checkpoint.is_none(), early.records[0].index), (Form::Receipt, true, UNSEALED));
    node.desk.publish().unwrap();
    let late = bundle::read(&receipt_of(&node, submission, &[]).unwrap().bytes).unwrap();
    holds_together(&late);
    assert_eq!(late.records.len(), 1);
    assert_eq!(late.records[0].commitment(), early.records[0].commitment());
    let text = |name: &str| late.records[0].get(name).cloned();
    assert_eq!(text("reporter"), Some(Value::text("Bank of Example <abuse@bank.example>")));
    assert_eq!(text("resource"), Some(Value::text("https://shop.example/login")));
    for name in ["party", "party_name", "chain", "attribution", "rule", "severity", "text", "due"] {
        assert_eq!(text(name), None, "{name}");
    }
    assert!(late.secrets.is_empty(), "what becomes of the case is not for the reporter to follow");
    assert!(matches!(receipt_of(&node, submission, &[0]), Err(Error::Invalid(_))));
    assert!(matches!(receipt_of(&node, 999, &[]), Err(Error::NotFound(_))));
}

/// A mail in XARF's form of several reports, from another person than [`notice`].
fn notices(node: &Node, urls: &[&str]) -> i64 {
    let one = |url: &&str| {
        format!(
            r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440001","timestamp":"2026-06-04T10:05:00Z",
            "reporter":{{"org":"A Citizen","contact":"citizen@home.example","domain":"home.example"}},
            "sender":{{"org":"A Citizen","contact":"citizen@home.example","domain":"home.example"}},
            "source_identifier":"192.0.2.9","category":"content","type":"phishing","url":"{url}",
            "evidence_source":"user_report","description":"It asks for my password."}}"#
        )
    };
    let text = format!("[{}]", urls.iter().map(one).collect::<Vec<_>>().join(","));
    let text = if urls.len() == 1 { text.trim_matches(['[', ']']).to_owned() } else { text };
    let receipt = node.desk.receive(Door::File, "other.json", &mut Cursor::new(text.into_bytes())).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    receipt.id()
}

#[test]
fn who_reports_what_is_known_already_is_given_a_receipt_as_well() {
    let node = world();
    let first = notice(&node, "");
    let second = notices(&node, &["https://shop.example/login"]);
    let case = node.all().into_iter().filter(|(filed, _)| filed.case.kind.to_string() == "content/phishing").collect::<Vec<_>>();
    assert_eq!(case.len(), 1, "both are of one case");
    let refused = receipt_of(&node, second, &[]).unwrap_err().to_string();
    assert!(refused.contains("still waits for the log"), "{refused}");
    node.desk.seal().unwrap();
    let early = bundle::read(&receipt_of(&node, second, &[]).unwrap().bytes).unwrap();
    assert_eq!((early.form, early.checkpoint.is_none(), early.records[0].index), (Form::Receipt, true, UNSEALED));
    node.desk.publish().unwrap();
    let late = bundle::read(&receipt_of(&node, second, &[]).unwrap().bytes).unwrap();
    holds_together(&late);
    assert_eq!((late.records.len(), late.records[0].kind, late.reports.len()), (1, 3, 1));
    assert_eq!(late.records[0].commitment(), early.records[0].commitment());
    assert_eq!(late.records[0].get("reporter"), Some(&Value::text("A Citizen <citizen@home.example>")));
    assert!(matches!(late.records[0].get("submission"), Some(Value::Digest(_))));
    assert_eq!(late.reports[0].openings[0].value(), Some(&Value::text("https://shop.example/login")));
    assert!(late.reports[0].openings.iter().all(|opening| opening.value().is_some()), "it is his own");
    let bytes = receipt_of(&node, second, &[]).unwrap().bytes;
    assert!(!bytes.windows(12).any(|window| window == b"bank.example"), "nothing of who reported it first");
    // Who was first has the receipt of the case that he opened, as before.
    let own = bundle::read(&receipt_of(&node, first, &[]).unwrap().bytes).unwrap();
    assert_eq!((own.records.len(), own.records[0].kind, own.reports.len()), (1, 2, 0));
}

#[test]
fn a_notice_of_which_a_part_is_known_already_is_on_its_receipt_whole() {
    let node = world();
    notice(&node, "");
    let urls = ["https://pay.example/login", "https://shop.example/login", "https://shop.example/verify"];
    let second = notices(&node, &urls);
    node.desk.publish().unwrap();
    let cases = node.all().into_iter().filter(|(filed, _)| filed.case.kind.to_string() == "content/phishing").collect::<Vec<_>>();
    assert_eq!(cases.len(), 2);
    let receipt = bundle::read(&receipt_of(&node, second, &[]).unwrap().bytes).unwrap();
    holds_together(&receipt);
    let mut shown: Vec<Option<&Value>> = receipt.reports.iter().map(|report| report.openings[0].value()).collect();
    shown.sort_by_key(|value| format!("{value:?}"));
    assert_eq!((receipt.records.len(), shown), (1, urls.map(Value::text).iter().map(Some).collect()));
    // The case that it opened names the row; the one that it joined does not.
    let mut ids: Vec<i64> = cases.iter().map(|(filed, _)| filed.case.id).collect();
    ids.sort_unstable();
    for (case, rows) in ids.into_iter().zip([0, 1]) {
        let case = bundle::read(&made(&node, case, &[], &[]).unwrap().bytes).unwrap();
        let names_it = matches!(case.records[0].get("batch"), Some(Value::Digest(_)));
        assert_eq!((names_it, case.reports.len()), (rows == 1, rows));
    }
}

#[test]
fn a_list_has_a_receipt_for_all_of_its_rows_or_for_some() {
    let node = world();
    node.desk.publish().unwrap();
    let whole = bundle::read(&receipt_of(&node, 1, &[]).unwrap().bytes).unwrap();
    holds_together(&whole);
    assert_eq!((whole.records.len(), whole.reports.len()), (1, ROWS.len()));
    let rows = node.numbers("SELECT ordinal FROM reports ORDER BY ordinal");
    let second = rows[1][0] as u32;
    let one = receipt_of(&node, 1, &[second, 4_000]).unwrap();
    assert!(one.remarks.iter().any(|remark| remark.starts_with("1 of the rows")), "{:?}", one.remarks);
    let one = bundle::read(&one.bytes).unwrap();
    assert_eq!(one.reports.len(), 1);
    let shown: Vec<Option<&Value>> = one.reports[0].openings.iter().map(Opening::value).collect();
    assert_eq!(shown[0], Some(&Value::text("192.0.2.1:23")), "the second row of the list, wherever it stands in its batch");
    assert!(shown.iter().all(Option::is_some), "it is his own");
}

#[test]
fn what_was_forgotten_is_shown_as_erased_with_the_record_that_says_so() {
    let node = world();
    notice(&node, "");
    node.desk.publish().unwrap();
    let case = node.all().into_iter().find(|(filed, _)| filed.case.kind.to_string() == "content/phishing").unwrap().0.case.id;
    let before = bundle::read(&made(&node, case, &["all"], &[]).unwrap().bytes).unwrap();
    assert!(before.records[0].get("reporter").is_some());

    let words = ["abuse@bank.example".to_owned(), "Bank of Example".to_owned()];
    let wanted = desk::forget::Wanted { force: true, reason: "request 9".into(), by: "Anna".into(), ..Default::default() };
    node.desk.forget(&desk::forget::Who::parse(&words).unwrap(), &wanted).unwrap();
    node.desk.publish().unwrap();
    let after = bundle::read(&made(&node, case, &["all"], &[]).unwrap().bytes).unwrap();
    holds_together(&after);
    let reporter = seal::record::OPENED.ordinal("reporter").unwrap();
    let Opening::Erased { digest, record } = after.records[0].openings[reporter] else { panic!("{:?}", after.records[0]) };
    assert_eq!(digest, before.records[0].openings[reporter].digest());
    let says = after.records.iter().find(|one| one.commitment() == record).unwrap();
    assert_eq!((says.kind, says.get("stage")), (5, Some(&Value::text("done"))));
    let Some(Value::Bytes(erased)) = says.get("records") else { panic!("{says:?}") };
    let own = before.records[0].commitment();
    let (_, bits) =
        erased.as_chunks::<36>().0.iter().map(|one| one.split_first_chunk::<32>().unwrap()).find(|(c, _)| **c == own).unwrap();
    assert_eq!(u32::from_be_bytes(bits.try_into().unwrap()) >> reporter & 1, 1);
    assert_eq!(after.records[0].commitment(), own, "the record stays what it was");

    // The row of a list that opened a case: the case no longer leads to it, and says nothing of it.
    let listed = node.all().into_iter().find(|(filed, _)| filed.case.kind.to_string() != "content/phishing").unwrap().0.case.id;
    let address =
        match made(&node, listed, &[], &[]).map(|made| bundle::read(&made.bytes).unwrap().records[0].get("resource").cloned()) {
            Ok(Some(Value::Text(resource))) => resource.trim_end_matches(":23").to_owned(),
            other => panic!("{other:?}"),
        };
    node.desk.forget(&desk::forget::Who::parse(&[address]).unwrap(), &wanted).unwrap();
    node.desk.publish().unwrap();
    let gone = made(&node, listed, &["all"], &[]).unwrap();
    let bundle = bundle::read(&gone.bytes).unwrap();
    holds_together(&bundle);
    assert!(bundle.reports.is_empty() && bundle.records[0].get("batch").is_none(), "{:?}", gone.remarks);
    assert!(gone.remarks.iter().any(|remark| remark.contains("was erased")), "{:?}", gone.remarks);
    // A neighbour's row is proven as before.
    let neighbour = node
        .all()
        .into_iter()
        .find(|(filed, _)| filed.case.kind.to_string() != "content/phishing" && filed.case.id != listed)
        .unwrap();
    let neighbour = bundle::read(&made(&node, neighbour.0.case.id, &[], &[]).unwrap().bytes).unwrap();
    holds_together(&neighbour);
    assert_eq!(neighbour.reports.len(), 1);
}
