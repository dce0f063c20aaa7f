//! Changed layouts: what a known sender sends is learned at first sight, and told once when it changes.
#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;
use std::sync::Arc;

use desk::sender::{Authenticate, Verdict};
use model::policy::Alarm;
use model::sender::{Envelope, Proof};
use model::submission::Door;
use model::time::{DAY, Time};
use node::Node;

const NOW: &str = "2026-11-20T12:00:00Z";

/// What says it is proven is.
struct Honest;

impl Authenticate for Honest {
    fn authenticate(&self, mail: &[u8], _: &Envelope, _: Time) -> Verdict {
        let proven = String::from_utf8_lossy(mail).contains("X-Proof: yes");
        let (proof, domain) = if proven { (Proof::Dkim, "list.example") } else { (Proof::Unproven, "") };
        Verdict { proof, domain: domain.to_owned(), detail: String::new() }
    }
}

fn node() -> Node {
    let mut node = Node::new(NOW);
    node.import(&[("192.0.2.0/24", "alpha", "", "")]);
    node.desk.set_authenticate(Arc::new(Honest), 0);
    node
}

/// A mail with a CSV of these columns.
fn send(node: &Node, from: &str, proven: bool, header: &str, row: &str) {
    let proof = if proven { "X-Proof: yes\n" } else { "" };
    let mail = format!(
        "From: {from}\nTo: abuse@hoster.example\nSubject: list\nDate: Fri, 20 Nov 2026 11:58:00 +0000\n{proof}MIME-Version: 1.0\n\
         Content-Type: text/csv; name=list.csv\n\n{header}\n{row}\n"
    );
    node.desk.receive(Door::Smtp, "", &mut Cursor::new(mail)).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
}

fn told(node: &Node) -> Vec<String> {
    let open = node.desk.store().reader().unwrap().read(|transaction| transaction.open_alerts()).unwrap();
    open.into_iter().filter(|alert| alert.kind == Alarm::Shape).map(|alert| alert.text).collect()
}

const ROW: &str = "2026-11-20T11:00:00Z,192.0.2.7,connection/login_attack,1,2";

#[test]
fn a_changed_layout_is_told_once_with_the_new_columns() {
    let node = node();
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,y", ROW);
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,y", &ROW.replace(".7", ".8"));
    assert!(told(&node).is_empty(), "the first sight tells nothing");
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,z\u{1b}[2j<b>", &ROW.replace(".7", ".9"));
    let first = told(&node);
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("from list.example") && first[0].contains("'z_2j_b_'") && !first[0].contains("'y'"), "{first:?}");
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,z\u{1b}[2j<b>", &ROW.replace(".7", ".10"));
    assert_eq!(told(&node), first, "it is known now");

    // A second change on the same day waits for the next: nothing is lost, and nobody is told twice a day.
    send(&node, "a@list.example", true, "timestamp,address,kind,x,w", &ROW.replace(".7", ".11"));
    assert_eq!(told(&node), first);
    node.later(2 * DAY);
    send(&node, "a@list.example", true, "timestamp,address,kind,x,w", &ROW.replace(".7", ".12"));
    let second = told(&node);
    assert_eq!(second.len(), 2);
    let new = second.iter().find(|text| !first.contains(text)).unwrap();
    assert!(new.contains("'w'") && new.contains("Gone") && new.contains("'ip'"), "{new}");
}

#[test]
fn nobody_else_teaches_us_what_a_known_sender_sends() {
    let node = node();
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,y", ROW);
    // Whoever only says so has shapes of its own.
    send(&node, "a@list.example", false, "timestamp,ip,kind,x,evil", ROW);
    assert!(told(&node).is_empty());
    send(&node, "a@list.example", true, "timestamp,ip,kind,x,evil", &ROW.replace(".7", ".8"));
    assert!(told(&node)[0].contains("'evil'"));
    send(&node, "a@list.example", false, "timestamp,ip,kind,x,more", ROW);
    let texts = told(&node);
    assert!(texts.iter().any(|text| text.contains("'more'") && text.contains("proves nothing")), "{texts:?}");
    // A flood of names is not learned for ever.
    for number in 0..150 {
        send(&node, &format!("a@h{number}.example"), false, "timestamp,ip,kind,x,y", ROW);
    }
    let kept = node.desk.store().reader().unwrap().read(|transaction| transaction.shapes(1_000)).unwrap();
    assert!(kept.len() <= 101, "{}", kept.len());
}

#[test]
fn what_nobody_is_known_to_have_written_has_no_shape() {
    let node = node();
    for header in ["timestamp,ip,kind,x,y", "timestamp,ip,kind,a,b"] {
        node.desk.receive(Door::File, "a.csv", &mut Cursor::new(format!("{header}\n{ROW}\n"))).unwrap();
        node.desk.work(&|_, _| {}).unwrap();
    }
    assert!(told(&node).is_empty());
    assert!(node.desk.store().reader().unwrap().read(|transaction| transaction.shapes(10)).unwrap().is_empty());
}
