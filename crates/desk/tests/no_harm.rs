//! No harm: forged reports put nobody out of action, and late administration puts no letter to the wrong party.

#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;

use model::outbox::{Delivery, Hold, Purpose};
use model::submission::Door;
use model::time::{DAY, HOUR};
use node::Node;
use store::outbox::{Entry, Filter};

/// A policy that acts everywhere, and whose every rule restricts by itself: what no operator should write.
fn reckless() -> String {
    let severities: String =
        (0..5).map(|severity| format!("[severity.P{severity}]\nmode = \"act\"\ngather = \"15 minutes\"\n")).collect();
    format!(
        r#"
base = "none"
name = "reckless"
{severities}
[ladder]
remind = 50
warn = 80
[confidence]
watch_below = 0.4
unknown = 0.5
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
name = "everything"
kinds = ["*"]
severity = "P1"
acknowledge = "1 hour"
customer = "1 hour"
fix = "2 hours"
force = "3 hours"
automatic = true
addressee = "both"
quiet = "14 days"
source = "none"
mark = "D"
"#
    )
}

const CUSTOMERS: usize = 500;

/// A hoster of 500 customers, as mails name them.
fn hoster(now: &str) -> Node {
    let node = Node::new(now);
    import(&node);
    node.desk.set_policy(&reckless(), "reckless.toml").unwrap();
    node
}

fn import(node: &Node) {
    let rows: Vec<(String, String)> = (0..CUSTOMERS).map(|number| (address(number), format!("c{number}"))).collect();
    let rows: Vec<_> = rows.iter().map(|(ip, party)| (ip.as_str(), party.as_str(), "2026-01-01", "")).collect();
    node.import(&rows);
}

fn address(number: usize) -> String {
    let nets = ["192.0.2", "198.51.100"];
    format!("{}.{}", nets[number / 250 % 2], number % 250 + 1)
}

/// Mail that anybody can write.
fn arf(number: usize) -> String {
    format!(
        "From: \"Abuse Watch {number}\" <watch@feed{number}.example>\r\nTo: abuse@hoster.example\r\nSubject: complaint {number}\r\n\
         Date: Mon, 01 Jun 2026 10:00:00 +0000\r\nMessage-ID: <{number}@feed{number}.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nThis is spam.\r\n\
         --b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Forger/1.0\r\nVersion: 1\r\n\
         Source-IP: {}\r\nArrival-Date: Mon, 01 Jun 2026 09:00:00 +0000\r\n\r\n\
         --b\r\nContent-Type: message/rfc822\r\n\r\nFrom: spammer@shop.example\r\nTo: victim@there.example\r\n\
         Subject: buy {number}\r\nDate: Mon, 01 Jun 2026 08:59:00 +0000\r\n\r\nBuy.\r\n--b--\r\n",
        address(number % CUSTOMERS)
    )
}

fn xarf(number: usize, kind: &str) -> String {
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-{number:012}","timestamp":"2026-06-01T10:00:00Z",
"reporter":{{"org":"Watch {number}","contact":"w@watch{number}.example","domain":"watch{number}.example"}},
"sender":{{"org":"Watch {number}","contact":"w@watch{number}.example","domain":"watch{number}.example"}},
"source_identifier":"{}","category":"content","type":"{kind}","url":"https://site{number}.example/login",
"evidence_source":"honeypot","confidence":1.0}}"#,
        address(number % CUSTOMERS)
    )
}

/// Sends through the pipe what anybody may send there, and works it off.
fn send(node: &Node, mails: impl Iterator<Item = String>) {
    let mut arrived = Vec::new();
    for mail in mails {
        arrived.push(node.desk.arrive(Door::Pipe, "mail", &mut Cursor::new(mail)).unwrap());
        if arrived.len() == 500 {
            node.desk.acknowledge(std::mem::take(&mut arrived)).unwrap();
        }
    }
    node.desk.acknowledge(arrived).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
}

fn waiting(node: &Node) -> Vec<Entry> {
    let filter = Filter { delivery: Some(Delivery::Waiting), ..Filter::default() };
    node.desk.outbox(&filter, 100_000).unwrap()
}

fn is_letter(entry: &&Entry) -> bool {
    !matches!(entry.purpose, Purpose::Receipt | Purpose::Restriction)
}

/// What waits in the outbox after a mail lay here unread for so many days, and was read then: by a newer version, or after the node
/// was down. The letters are counted that go out in the hour in which it is read.
fn read_after(days: i64) -> Vec<Purpose> {
    let node = hoster("2026-06-01T12:00:00Z");
    let mail = node.desk.arrive(Door::File, "mail", &mut Cursor::new(arf(0))).unwrap();
    node.desk.acknowledge(vec![mail]).unwrap();
    node.later(days * DAY);
    // What the administration said then would be too old for letters.
    import(&node);
    node.desk.work(&|_, _| {}).unwrap();
    node.desk.advance().unwrap();
    assert_eq!(node.number("SELECT count(*) FROM reports"), 1);
    let at_once: Vec<Purpose> = waiting(&node).iter().filter(is_letter).map(|entry| entry.purpose).collect();
    node.later(HOUR);
    node.desk.advance().unwrap();
    let restrictions = waiting(&node).iter().filter(|entry| entry.purpose == Purpose::Restriction).count();
    assert_eq!(restrictions, 0, "nobody was told, so no term of theirs has run out");
    at_once
}

#[test]
fn what_is_read_late_is_known_from_then_on() {
    let on_time = read_after(0);
    assert!(!on_time.is_empty());
    assert_eq!(read_after(10), on_time, "terms begin with the day on which it is read: no reminder, no warning");
    assert_eq!(read_after(80), vec![], "it has been quiet for longer than the rule waits");
    assert_eq!(read_after(100), vec![], "a mail of an old mailbox that a newer version understands is history");
}

#[test]
fn three_thousand_forged_reports_restrict_nobody_and_wake_one_person_once() {
    let node = hoster("2026-06-01T12:00:00Z");
    send(&node, (0..1_500).map(arf).chain((1_500..3_000).map(|number| xarf(number, "phishing"))));
    let reports: i64 = node.number("SELECT count(*) FROM reports");
    assert_eq!(reports, 3_000, "every one is kept, and in a case");
    let cases = node.number("SELECT count(*) FROM cases WHERE state = 0");
    assert!(cases >= 500, "{cases}");
    let free = |node: &Node| waiting(node).iter().filter(is_letter).filter(|entry| entry.hold == Hold::Free).count();
    assert!((1..=50).contains(&free(&node)), "letters are bounded: {}", free(&node));
    // The whole ladder, restrictions included, and nothing that the brake forbids.
    for _ in 0..48 {
        node.later(HOUR / 2);
        node.desk.advance().unwrap();
    }
    let entries = waiting(&node);
    let restrictions: Vec<&Entry> = entries.iter().filter(|entry| entry.purpose == Purpose::Restriction).collect();
    assert!(!restrictions.is_empty(), "that they are proposed is seen");
    assert!(restrictions.iter().all(|entry| entry.hold != Hold::Free), "zero restrictions are free to go");
    assert!(free(&node) <= 50, "the brake is on until a person takes it off: {}", free(&node));
    assert!(entries.iter().any(|entry| entry.hold == Hold::Brake), "what is held is seen");
    let alerts = node.read(|transaction| transaction.alerts(100));
    let said: Vec<&str> = alerts.iter().map(|alert| alert.key.as_str()).collect();
    assert_eq!(said, ["brake"], "one alert");
    // Nobody who was named as a sender is written to in numbers.
    let receipts: Vec<&Entry> = entries.iter().filter(|entry| entry.purpose == Purpose::Receipt).collect();
    assert!(receipts.len() <= 100 && receipts.iter().all(|entry| entry.hold == Hold::Unauthenticated), "{}", receipts.len());
    assert_eq!(node.number("SELECT count(*) FROM cases WHERE state = 1"), 0, "nothing is hidden by that");
}

#[test]
fn forged_reports_of_the_worst_kind_wake_a_person_once_too() {
    let node = hoster("2026-06-01T12:00:00Z");
    node.desk.set_policy(&reckless().replace("severity = \"P1\"", "severity = \"P0\""), "worse.toml").unwrap();
    send(&node, (0..600).map(|number| xarf(number, "phishing")));
    let alerts = node.read(|transaction| transaction.alerts(100));
    let mut said: Vec<&str> = alerts.iter().map(|alert| alert.key.as_str()).collect();
    said.sort_unstable();
    assert_eq!(said, ["brake", "many/urgent case/P0"], "one that says there is something, one that the outbox stands still");
}

#[test]
fn forged_lists_close_no_case() {
    let node = hoster("2026-06-01T12:00:00Z");
    node.telnet("2026-06-01-scan_telnet.csv", &[("2026-06-01 10:00:00", "192.0.2.1", 23)]);
    for day in 2..9 {
        node.later(DAY);
        let list = format!(
            "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"banner\"\n\
             \"2026-06-0{day} 01:00:00\",\"192.0.2.9\",\"tcp\",23,\"\",\"telnet\",64496,\"NL\",\"\",\"\",\"login:\"\n"
        );
        let name = format!("2026-06-0{day}-scan_telnet.csv");
        node.desk.receive(Door::Pipe, &name, &mut Cursor::new(list)).unwrap();
        node.desk.work(&|_, _| {}).unwrap();
        node.desk.advance().unwrap();
    }
    assert_eq!(node.case(1).1.closure, None);
    assert_eq!(node.number("SELECT count(*) FROM feeds"), 0, "what anybody can send is no feed");
}

/// A tenth of the addresses changed hands on the first of June, and the administration says so three days late.
#[test]
fn what_is_recorded_three_days_late_leaves_no_letter_with_the_wrong_holder() {
    let node = Node::new("2026-06-01T00:00:00Z");
    let names: Vec<(String, String, String)> =
        (0..CUSTOMERS).map(|number| (address(number), format!("c{number}"), format!("n{number}"))).collect();
    let before: Vec<_> = names.iter().map(|(ip, old, _)| (ip.as_str(), old.as_str(), "2026-01-01", "")).collect();
    node.import(&before);
    let policy = reckless().replace("\"15 minutes\"", "\"4 days\"").replace("letters = 50", "letters = 5000");
    node.desk.set_policy(&policy, "late.toml").unwrap();
    // Three days of reports, all of them after the change.
    let mut sent = 0;
    for day in 2..=4 {
        node.later(DAY);
        let rows: Vec<(String, &str)> = names
            .iter()
            .enumerate()
            .filter(|(number, _)| number % 3 == day % 3)
            .map(|(_, (ip, ..))| (format!("2026-06-{:02} 00:00:00", day), ip.as_str()))
            .collect();
        let rows: Vec<(&str, &str, u16)> = rows.iter().map(|(when, ip)| (when.as_str(), *ip, 23)).collect();
        node.telnet(&format!("2026-06-{day:02}-scan_telnet.csv"), &rows);
        node.desk.advance().unwrap();
        sent += rows.len();
    }
    assert_eq!(node.number("SELECT count(*) FROM cases"), sent as i64);
    // A party that was thought to have ignored what was never its affair.
    let wrong: Vec<i64> = (0..CUSTOMERS)
        .step_by(10)
        .map(|number| node.number(&format!("SELECT id FROM parties WHERE reference = 'c{number}'")))
        .collect();
    node.sql(
        "INSERT INTO strikes (party, case_id, cause, severity, at, withdrawn, reason)
         SELECT holder, id, 2, 1, opened, NULL, '' FROM cases",
    );

    let mut after = before.clone();
    for (number, (ip, old, new)) in names.iter().enumerate().step_by(10) {
        after[number] = (ip, old, "2026-01-01", "2026-06-01");
        after.push((ip, new, "2026-06-01", ""));
    }
    let done = node.import(&after);
    assert_eq!(done.holders_changed, CUSTOMERS as u64 / 10, "every one of them is found");
    node.later(HOUR);
    node.desk.advance().unwrap();
    for party in wrong {
        let letters = node.number(&format!(
            "SELECT count(*) FROM outbox WHERE party = {party} AND delivery = 0 AND purpose IN (1, 2, 3, 5) AND hold = 0
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.party = {party} AND o.purpose = 4)"
        ));
        assert_eq!(letters, 0, "no letter waits for the wrong holder {party} that is not corrected");
        let strikes = node.number(&format!("SELECT count(*) FROM strikes WHERE party = {party} AND withdrawn IS NULL"));
        assert_eq!(strikes, 0, "nothing counts against {party}");
    }
    let strikes = node.number("SELECT count(*) FROM strikes WHERE withdrawn IS NULL");
    assert_eq!(strikes, sent as i64 - CUSTOMERS as i64 / 10, "what was right still counts");
}
