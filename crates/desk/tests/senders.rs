//! Who mails are from: what is kept, what waits, what follows for trust, receipts and alerts.
#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use desk::sender::{Authenticate, Verdict};
use model::outbox::{Hold, Purpose};
use model::sender::{Envelope, Proof, Silence};
use model::submission::Door;
use model::time::{MINUTE, SECOND, Time};
use node::Node;
use store::cases::marks;

const NOW: &str = "2026-11-20T12:00:00Z";

/// Answers by what stands in the mail: `X-Proof: dkim list.example`.
#[derive(Default)]
struct Told {
    asked: AtomicU32,
    /// What it answers to `X-Proof: later`.
    later: Mutex<Option<Proof>>,
    seen: Mutex<Vec<(Vec<u8>, Envelope)>>,
}

impl Authenticate for Told {
    fn authenticate(&self, mail: &[u8], envelope: &Envelope, _: Time) -> Verdict {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.seen.lock().unwrap().push((mail.to_vec(), envelope.clone()));
        let text = String::from_utf8_lossy(mail).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("X-Proof: ")).unwrap_or_default();
        assert!(line != "panic", "it crashes");
        let (proof, domain) = line.split_once(' ').unwrap_or((line, ""));
        let proof = match proof {
            "later" => self.later.lock().unwrap().unwrap_or(Proof::Unknown),
            word => Proof::parse(word).unwrap_or(Proof::Unproven),
        };
        Verdict { proof, domain: domain.to_owned(), detail: format!("told: {line}\u{7}") }
    }
}

fn node(patience: i64) -> (Node, Arc<Told>) {
    let mut node = Node::new(NOW);
    node.import(&[("192.0.2.0/24", "alpha", "", "")]);
    let told = Arc::new(Told::default());
    node.desk.set_authenticate(Arc::clone(&told) as Arc<dyn Authenticate>, patience);
    node.desk.set_own_addresses(&["Abuse@hoster.example".to_owned()]);
    (node, told)
}

/// A report of spam from `from`, about an address that nobody else reports.
fn arf(from: &str, header: &str, address: u8) -> String {
    format!(
        "From: {from}\nTo: abuse@hoster.example\nSubject: spam\nDate: Fri, 20 Nov 2026 11:58:00 +0000\nMessage-ID: <{address}@a.example>\n\
         {header}MIME-Version: 1.0\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n\
         --b\nContent-Type: text/plain\n\nspam\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: t/1\nVersion: 1\n\
         Source-IP: 192.0.2.{address}\nArrival-Date: Fri, 20 Nov 2026 11:50:00 +0000\n\n--b\nContent-Type: message/rfc822\n\n\
         From: x@spam.example\nSubject: buy\n\nbuy\n--b--\n"
    )
}

fn send(node: &Node, mail: &str) -> i64 {
    let id = node.desk.receive(Door::Smtp, "", &mut Cursor::new(mail.to_owned())).unwrap().id();
    node.desk.work(&|_, _| {}).unwrap();
    id
}

/// Confidence of the case that a mail opened, and whether its reporter is known to be the one.
fn believed(node: &Node, at: u8) -> (u8, bool) {
    let address = format!("192.0.2.{at}").parse::<std::net::Ipv4Addr>().unwrap().octets();
    let all = node.all();
    let of = |filed: &store::cases::Filed| filed.case.key.about().contains(&std::net::Ipv4Addr::from(address).to_string());
    let (_, standing) = all.iter().find(|(filed, _)| of(filed)).unwrap();
    (standing.confidence, standing.has(marks::AUTHENTICATED))
}

fn notes(node: &Node, id: i64) -> String {
    let notes = node.read(|transaction| transaction.notes(id, 100));
    notes.into_iter().map(|(place, text)| format!("{place}: {text}\n")).collect()
}

const POLICY: &str = r#"
[severity.P2]
mode = "act"
[severity.P3]
mode = "act"
[authorities]
domains = ["politie.example"]
[[trust]]
reporter = "list.example"
proven = "dkim"
trust = 0.9
[[trust]]
format = "arf"
door = "smtp"
authenticated = true
trust = 0.7
"#;

#[test]
fn a_forged_mail_is_believed_less_than_a_proven_one_and_says_so() {
    let (node, _) = node(0);
    node.desk.set_policy(POLICY, "own.toml").unwrap();
    for (at, name, from, header, expected, says) in [
        (1, "signed", "r@list.example", "X-Proof: dkim list.example\n", (90, true), ""),
        (2, "forged", "r@list.example", "X-Proof: unproven\n", (50, false), "says that it is from list.example"),
        (
            3,
            "only its envelope",
            "r@list.example",
            "X-Proof: spf list.example\n",
            (50, false),
            "says that it is from list.example",
        ),
        (4, "disowned", "r@list.example", "X-Proof: failed\n", (10, false), "says that it is not from it"),
        (5, "vouched for by its door", "r@other.example", "X-Proof: unproven\n", (70, true), ""),
        (6, "vouched for and disowned", "r@other.example", "X-Proof: failed\n", (10, false), "says that it is not from it"),
        (7, "a proof of nobody", "r@list.example", "X-Proof: dkim\n", (50, false), "says that it is from list.example"),
        (8, "a crash", "r@list.example", "X-Proof: panic\n", (50, false), "says that it is from list.example"),
    ] {
        let id = send(&node, &arf(from, header, at));
        assert_eq!(believed(&node, at), expected, "{name}");
        let steps: String = node.read(|transaction| transaction.steps(id)).into_iter().map(|step| step.text).collect();
        assert_eq!(
            steps.contains("not proven that the mail is from"),
            from.contains("list") && expected.0 < 90,
            "{name}: {steps}"
        );
        let notes = notes(&node, id);
        assert!(if says.is_empty() { notes.is_empty() } else { notes.contains(says) }, "{name}: {notes}");
    }
    let kept = node.read(|transaction| transaction.sender(1)).unwrap();
    assert_eq!((kept.sender.proof, kept.sender.domain.as_str(), kept.next_try), (Proof::Dkim, "list.example", None));
    assert_eq!(kept.sender.detail, "told: dkim list.example", "without control characters");
}

#[test]
fn receipts_go_to_who_is_proven_and_to_nobody_who_must_not_be_answered() {
    let (node, _) = node(0);
    node.desk.set_policy(POLICY, "own.toml").unwrap();
    let proven = "X-Proof: dkim list.example\n";
    for (at, header, from) in [
        (1, proven.to_owned(), "R@list.example"),
        (2, format!("{proven}Auto-Submitted: auto-replied\n"), "b@list.example"),
        (3, format!("{proven}Return-Path: <>\n"), "c@list.example"),
        (4, proven.to_owned(), "abuse@hoster.example"),
        (5, "X-Proof: failed\n".to_owned(), "e@list.example"),
        (6, "X-Proof: dkim stranger.example\nReply-To: victim@other.example\n".to_owned(), "f@stranger.example"),
        (7, "X-Proof: unproven\n".to_owned(), "g@list.example"),
    ] {
        send(&node, &arf(from, &header, at));
    }
    let entries = node.read(|transaction| transaction.entries(&Default::default(), 100));
    let mut receipts: Vec<(String, Hold)> = entries
        .iter()
        .filter(|entry| entry.purpose == Purpose::Receipt)
        .map(|entry| (entry.subject.clone(), entry.hold))
        .collect();
    receipts.sort();
    let expected =
        [("f@stranger.example", Hold::Free), ("g@list.example", Hold::Unauthenticated), ("r@list.example", Hold::Free)];
    assert_eq!(receipts, expected.map(|(to, hold)| (to.to_owned(), hold)));
    let silence = |id| node.read(|transaction| transaction.sender(id)).unwrap().sender.silence;
    assert_eq!([silence(2), silence(3), silence(4)], [Silence::Auto, Silence::Bounce, Silence::Loop]);
    assert!(notes(&node, 2).contains("no receipt is prepared: automatic answer"), "{}", notes(&node, 2));
}

#[test]
fn what_cannot_be_told_yet_waits_some_minutes_and_holds_up_nothing_else() {
    let (node, told) = node(5 * MINUTE);
    node.desk.set_policy(POLICY, "own.toml").unwrap();
    let reports = |node: &Node, id| node.read(|transaction| transaction.submission(id)).unwrap().reports;
    let first = send(&node, &arf("r@list.example", "X-Proof: later list.example\n", 1));
    let second = send(&node, &arf("r@list.example", "X-Proof: later\n", 2));
    let third = send(&node, &arf("r@list.example", "X-Proof: dkim list.example\n", 3));
    assert_eq!([first, second, third].map(|id| reports(&node, id)), [0, 0, 1]);
    assert_eq!(told.asked.load(Ordering::SeqCst), 3, "nothing is asked again before its time");
    node.later(20 * SECOND);
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(told.asked.load(Ordering::SeqCst), 5);
    // Now the name server answers for one of them.
    *told.later.lock().unwrap() = Some(Proof::Dkim);
    node.later(MINUTE);
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!([first, second].map(|id| reports(&node, id)), [1, 1], "the second names no domain: it is unproven, and known");
    assert_eq!((believed(&node, 1), believed(&node, 2)), ((90, true), (50, false)));
    *told.later.lock().unwrap() = None;
    let fourth = send(&node, &arf("r@list.example", "X-Proof: later\n", 4));
    for _ in 0..40 {
        node.later(10 * SECOND);
        node.desk.work(&|_, _| {}).unwrap();
    }
    assert_eq!((reports(&node, fourth), believed(&node, 4)), (1, (50, false)));
    let kept = node.read(|transaction| transaction.sender(fourth)).unwrap();
    assert_eq!((kept.sender.proof, kept.next_try), (Proof::Unknown, None));
    assert!(told.asked.load(Ordering::SeqCst) < 16, "{:?}: pauses grow", told.asked);
}

#[test]
fn many_that_wait_do_not_keep_the_desk_busy_nor_others_waiting() {
    let (node, told) = node(5 * MINUTE);
    for at in 0..1_100_u32 {
        let mail = arf("r@list.example", &format!("X-Number: {at}\nX-Proof: later\n"), (at % 250) as u8);
        node.desk.receive(Door::Smtp, "", &mut Cursor::new(mail)).unwrap();
    }
    let last = node.desk.receive(Door::Smtp, "", &mut Cursor::new(arf("a@b.example", "X-Proof: unproven\n", 251))).unwrap().id();
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(told.asked.load(Ordering::SeqCst), 1_101);
    assert_eq!(node.read(|transaction| transaction.submission(last)).unwrap().reports, 1);
    assert_eq!(node.number("SELECT count(*) AS n FROM submissions WHERE progress = 0"), 1_100);
    node.later(6 * MINUTE);
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(node.number("SELECT count(*) AS n FROM submissions WHERE progress = 0"), 0);
}

#[test]
fn what_tells_of_child_abuse_is_asked_about_before_it_is_rewritten() {
    let (node, told) = node(5 * MINUTE);
    let mail = "From: h@hotline.example\nSubject: notice\nDate: Fri, 20 Nov 2026 11:58:00 +0000\nX-Proof: dkim hotline.example\n\
         MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: application/json; name=xarf.json\n\n\
         {\"xarf_version\":\"4.2.0\",\"report_id\":\"7f2b6c9a-4d0e-4b57-9d3f-1f3f0d7b9a11\",\"timestamp\":\"2026-11-20T11:50:00Z\",\
         \"reporter\":{\"org\":\"Hotline\",\"contact\":\"h@hotline.example\",\"domain\":\"hotline.example\"},\
         \"sender\":{\"org\":\"Hotline\",\"contact\":\"h@hotline.example\",\"domain\":\"hotline.example\"},\
         \"source_identifier\":\"192.0.2.9\",\"category\":\"content\",\"type\":\"csam\",\"url\":\"https://192.0.2.9/secret\",\
         \"classification\":\"baseline\",\"detection_method\":\"manual_review\"}\n--b--\n";
    let envelope =
        Envelope { mail_from: Some("h@hotline.example".to_owned()), peer: Some([198, 51, 100, 7].into()), ..Envelope::default() };
    let id = node.desk.receive_from(Door::Smtp, "", envelope, &mut Cursor::new(mail)).unwrap().id();
    assert_eq!(told.asked.load(Ordering::SeqCst), 1, "at once");
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(told.asked.load(Ordering::SeqCst), 1, "once");
    let seen = told.seen.lock().unwrap();
    assert_eq!(seen[0].0, mail.as_bytes(), "the bytes as they came");
    assert_eq!((seen[0].1.peer, seen[0].1.mail_from.as_deref()), (Some([198, 51, 100, 7].into()), Some("h@hotline.example")));
    assert!(node.read(|transaction| transaction.holds_child_abuse(id)));
    let kept = node.read(|transaction| transaction.sender(id)).unwrap();
    assert_eq!((kept.sender.from.as_str(), kept.sender.proof), ("h@hotline.example", Proof::Dkim));
}

#[test]
fn the_name_of_an_authority_wakes_nobody_when_it_says_that_it_did_not_write() {
    let (node, _) = node(0);
    node.desk.set_policy(POLICY, "own.toml").unwrap();
    let mail = |proof: &str| {
        format!(
            "From: x@politie.example\nSubject: hello {}\nDate: Fri, 20 Nov 2026 11:58:00 +0000\nX-Proof: {proof}\n\nCall me\n",
            proof.len()
        )
    };
    let alerts = || node.number("SELECT count(*) AS n FROM alerts WHERE ended IS NULL");
    let before = alerts();
    let forged = send(&node, &mail("failed"));
    let order = node.read(|transaction| transaction.order(forged)).unwrap();
    assert!(order.why.contains("is not from it"), "{}", order.why);
    assert_eq!(alerts(), before, "it is shown, and wakes nobody");
    send(&node, &mail("unproven"));
    assert_eq!(alerts(), before + 1);
    let proven = send(&node, &mail("dkim politie.example"));
    let order = node.read(|transaction| transaction.order(proven)).unwrap();
    assert!(order.why.contains("dkim proves it"), "{}", order.why);
    assert_eq!(alerts(), before + 2);
}

#[test]
fn whose_mailbox_it_was_goes_with_the_bytes() {
    let (node, _) = node(0);
    let id = send(&node, &arf("r@list.example", "X-Proof: dkim list.example\n", 1));
    node.later(91 * 24 * 60 * MINUTE);
    node.desk.retain(&desk::retain::Periods::default(), false).unwrap();
    let kept = node.read(|transaction| transaction.sender(id)).unwrap();
    assert_eq!((kept.sender.from.as_str(), kept.sender.detail.as_str()), ("", ""));
    assert_eq!((kept.sender.proof, kept.sender.domain.as_str()), (Proof::Dkim, "list.example"));
}

#[test]
fn a_person_is_forgotten_here_too() {
    let (node, _) = node(0);
    let id = send(&node, &arf("jan@person.example", "X-Proof: dkim person.example\n", 1));
    let wanted = desk::forget::Wanted { reason: "asked".to_owned(), by: "desk".to_owned(), force: true, ..Default::default() };
    node.desk.forget(&desk::forget::Who::parse(&["jan@person.example".to_owned()]).unwrap(), &wanted).unwrap();
    assert!(!node.read(|transaction| transaction.sender(id)).unwrap().sender.from.contains("jan"));
}

#[test]
fn who_asks_nothing_keeps_who_it_says_it_is() {
    let node = Node::new(NOW);
    let id = send(&node, &arf("R@List.example", "", 1));
    let kept = node.read(|transaction| transaction.sender(id)).unwrap();
    assert_eq!((kept.sender.from.as_str(), kept.sender.proof, kept.next_try), ("r@list.example", Proof::None, None));
    let csv = node.desk.receive(Door::File, "x.csv", &mut Cursor::new("a,b\n1,2\n")).unwrap().id();
    assert_eq!(node.read(|transaction| transaction.sender(csv)), None, "no mail");
}
