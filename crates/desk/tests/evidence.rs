//! Evidence that people attach: it is kept encrypted, sealed as it is, and shown in bundles with the letter that it belongs to.

#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;

use desk::Error;
use desk::seal::evidence::{About, Attaching, MOST};
use desk::seal::export::{self, choice::Choice};
use model::step::What;
use model::submission::{Door, PublicId};
use model::time::DAY;
use node::Node;
use seal::bundle::{self, Bundle, ShownRecord};
use seal::record::{EVIDENCE, Value};
use store::evidence::Evidence;
use store::sealed::what;

const NOW: &str = "2026-06-04T12:00:00Z";
const LETTER: &[u8] =
    b"Message-ID: <1@provider.example>\r\nTo: abuse@customer.example\r\nSubject: 192.0.2.1\r\n\r\nPlease look at 192.0.2.1.\r\n";

/// A node with a case of which the customer was told.
fn world() -> Node {
    let node = Node::new(NOW);
    node.import(&[("192.0.2.0/25", "c1", "2026-01-01", "")]);
    node.telnet("a.csv", &[("2026-06-04 10:00:00", "192.0.2.1", 23)]);
    node.desk.work(&|_, _| {}).unwrap();
    node.desk.advance().unwrap();
    node
}

fn attaching(kind: &str, content: &[u8]) -> Attaching {
    Attaching {
        case: 1,
        kind: kind.to_owned(),
        content: content.to_vec(),
        about: None,
        recipient: "abuse@customer.example".to_owned(),
        message_id: "<1@provider.example>".to_owned(),
        at: None,
        by: "anna".to_owned(),
    }
}

fn bundle(node: &Node) -> Bundle {
    let store = node.desk.store();
    let now = node.desk.now();
    let choice = Choice::parse(&["all".to_owned()], &[]).unwrap();
    let made =
        store.reader().unwrap().read(|transaction| export::case(transaction, store.keys(), store.directory(), 1, &choice, now));
    bundle::read(&made.unwrap().bytes).unwrap()
}

fn pieces(bundle: &Bundle) -> Vec<&ShownRecord> {
    bundle.records.iter().filter(|record| record.kind == EVIDENCE.number).collect()
}

fn letter(node: &Node) -> u32 {
    let steps = node.read(|transaction| transaction.steps(1));
    steps.iter().rev().find(|step| step.what == What::Told).expect("the customer was told").ordinal
}

#[test]
fn what_is_attached_is_sealed_and_belongs_to_the_last_letter() {
    let node = world();
    let told = letter(&node);
    assert_eq!(node.desk.attach(&attaching("letter", LETTER)).unwrap().step, Some(told));
    let keys = node.desk.store().keys();
    let count = keys.count().unwrap();
    // On its way it is encrypted.
    assert!(node.number("SELECT CAST(length(content) AS BIGINT) FROM evidence") > LETTER.len() as i64);
    let waiting = node.read(|transaction| transaction.evidence(1)).unwrap();
    assert!(!waiting.content.windows(9).any(|nine| nine == b"192.0.2.1"));
    assert_eq!(node.journal(1).last(), Some(&"evidence attached"));

    node.desk.seal().unwrap();
    assert_eq!(node.number("SELECT count(*) FROM evidence"), 0, "it is sealed, and nowhere else");
    assert_eq!(keys.count().unwrap(), count - 1, "nor is its key anywhere");
    assert_eq!(keys.get(waiting.public).unwrap(), None);
    node.desk.publish().unwrap();
    let bundle = bundle(&node);
    let [piece] = pieces(&bundle).try_into().unwrap_or_else(|_| panic!("one piece"));
    assert_eq!(piece.get("content"), Some(&Value::Bytes(LETTER.to_vec())));
    assert_eq!(piece.get("what"), Some(&Value::text("letter")));
    assert_eq!(piece.get("media"), Some(&Value::text("eml")));
    assert_eq!(piece.get("message_id"), Some(&Value::text("1@provider.example")));
    let told = bundle.records.iter().find(|record| record.get("event") == Some(&Value::text("told"))).unwrap();
    assert_eq!(piece.get("about"), Some(&Value::Digest(told.commitment())));
}

#[test]
fn what_it_belongs_to_can_be_said() {
    let node = world();
    let opened = About::Step(1);
    node.desk.attach(&Attaching { about: Some(opened), ..attaching("reply", b"yes\n") }).unwrap();
    node.desk.seal().unwrap();
    node.desk.publish().unwrap();
    let first = bundle(&node).records[0].commitment();
    let again = Attaching { about: Some(About::Record(first)), ..attaching("bounce", b"\0no") };
    assert_eq!(node.desk.attach(&again).unwrap().step, Some(1));
    // A piece may belong to another one.
    let piece = pieces(&bundle(&node))[0].commitment();
    assert_eq!(
        node.desk.attach(&Attaching { about: Some(About::Record(piece)), ..attaching("reply", b"!") }).unwrap().step,
        None
    );
    node.desk.seal().unwrap();
    node.desk.publish().unwrap();
    let bundle = bundle(&node);
    let about: Vec<_> = pieces(&bundle).iter().map(|piece| piece.get("about").cloned().unwrap()).collect();
    assert_eq!(about, [Value::Digest(first), Value::Digest(first), Value::Digest(piece)]);
    let media: Vec<_> = pieces(&bundle).iter().map(|piece| piece.get("media").cloned().unwrap()).collect();
    assert_eq!(media, [Value::text("txt"), Value::text("bin"), Value::text("txt")]);
}

#[test]
fn what_is_not_well_formed_is_refused_and_leaves_nothing() {
    let node = world();
    let count = node.desk.store().keys().count().unwrap();
    let later = node.desk.now().plus(2 * DAY);
    for (why, wrong) in [
        ("an unknown kind", attaching("photo", b"x")),
        ("nothing in it", attaching("letter", b"")),
        ("too large", attaching("letter", &vec![b'x'; MOST + 1])),
        ("nobody does it", Attaching { by: " ".to_owned(), ..attaching("letter", b"x") }),
        ("two lines", Attaching { recipient: "a@b.example\nb".to_owned(), ..attaching("letter", b"x") }),
        ("in the future", Attaching { at: Some(later), ..attaching("letter", b"x") }),
        ("no such case", Attaching { case: 99, ..attaching("letter", b"x") }),
        ("no such step", Attaching { about: Some(About::Step(99)), ..attaching("letter", b"x") }),
        ("no such record", Attaching { about: Some(About::Record([7; 32])), ..attaching("letter", b"x") }),
        ("what may not be kept", attaching("reply", b"Subject: re\n\nThis is about child sexual abuse material.\n")),
    ] {
        assert!(node.desk.attach(&wrong).is_err(), "{why}");
    }
    assert_eq!(node.number("SELECT count(*) FROM evidence"), 0);
    assert_eq!(node.desk.store().keys().count().unwrap(), count);
    assert!(!node.journal(1).contains(&"evidence attached"));
}

#[test]
fn of_child_abuse_material_nothing_is_kept() {
    let node = world();
    let text = r#"{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"2026-06-04T10:00:00Z",
        "reporter":{"org":"Meldpunt","contact":"abuse@meldpunt.example","domain":"meldpunt.example"},
        "sender":{"org":"Meldpunt","contact":"abuse@meldpunt.example","domain":"meldpunt.example"},
        "source_identifier":"192.0.2.9","category":"content","type":"csam","url":"https://shop.example/x",
        "classification":"baseline","detection_method":"manual_review","evidence_source":"user_report"}"#;
    node.desk.receive(Door::File, "notice.json", &mut Cursor::new(text.as_bytes().to_vec())).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    let case = node.all().iter().find(|(filed, _)| filed.case.kind.is_child_abuse()).expect("a case").0.case.id;
    let refused = node.desk.attach(&Attaching { case, ..attaching("letter", LETTER) });
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

/// The power may fail between sealing and destroying the key: the next pass does it.
#[test]
fn a_key_that_was_left_behind_goes_with_the_next_pass() {
    let node = world();
    let public = PublicId(7);
    node.desk.store().keys().keep(&[(public, [7; 32])]).unwrap();
    let left_behind = Evidence {
        public,
        case: 1,
        kind: "letter".to_owned(),
        media: "eml".to_owned(),
        about: None,
        recipient: String::new(),
        message_id: String::new(),
        at: node.desk.now(),
        person: String::new(),
        content: vec![1],
    };
    let written: Result<(), store::Error> = node.desk.store().write("test", |transaction| {
        let id = transaction.add_evidence(&left_behind)?;
        transaction.forget_unsealed(what::EVIDENCE, id)?;
        transaction.empty_evidence(id)
    });
    written.unwrap();
    let left = node.read(|transaction| transaction.evidence_sealed(10));
    assert_eq!(left.len(), 1);
    node.desk.attach(&attaching("reply", b"yes")).unwrap();
    node.desk.seal().unwrap();
    assert_eq!(node.number("SELECT count(*) FROM evidence"), 0);
    assert_eq!(node.desk.store().keys().get(public).unwrap(), None);
}
