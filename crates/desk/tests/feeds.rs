//! Feeds that come with too little: nothing is closed for what they do not name, and somebody is told once.

#![allow(clippy::unwrap_used)]

mod node;

use std::collections::BTreeMap;
use std::io::Cursor;

use desk::alert::Machine;
use desk::fetches::Came;
use desk::{Feed, Reading};
use model::case::State;
use model::policy::{Alarm, Closure};
use model::sender::Envelope;
use model::submission::Door;
use model::time::{DAY, HOUR, MINUTE, Time};
use node::Node;
use store::alerts::Alert;
use store::feeds::Expected;
use store::submissions::Receipt;

const POLICY: &str = r#"
base = "shipped"
[[rule]]
name = "open-service"
absent_runs = 3
"#;
const LOCATION: &str = "https://lists.example/scan.csv";

/// A node that downloads one feed.
fn node(location: &str, expected: Expected) -> Node {
    let feed = Feed { location: location.to_owned(), expected, quiet: Some(DAY), ..Feed::default() };
    let reading = Reading { feeds: BTreeMap::from([("list".to_owned(), feed)]), ..Reading::default() };
    let node = Node::reading("2026-06-01T06:00:00Z", reading);
    node.import(&[("192.0.2.0/24", "c1", "2026-01-01", "")]);
    node.desk.set_policy(POLICY, "test.toml").unwrap();
    node
}

/// Rows about the addresses whose last numbers these are.
fn rows(addresses: impl IntoIterator<Item = u8>) -> String {
    let mut out = "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"banner\"\n".to_owned();
    for address in addresses {
        out += &format!("\"2026-06-01 01:00:00\",\"192.0.2.{address}\",\"tcp\",23,\"\",\"telnet\",64496,\"NL\",\"\"\n");
    }
    out
}

fn download(node: &Node, bytes: &str) -> Receipt {
    let envelope = Envelope { feed: "list".to_owned(), ..Envelope::default() };
    let receipt =
        node.desk.receive_from(Door::Feed, "2026-06-01-scan_telnet-list.csv", envelope, &mut Cursor::new(bytes)).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    node.desk.advance().unwrap();
    receipt
}

/// A day later the feed comes, and by the evening the clocks have run.
fn next_day(node: &Node, bytes: &str) {
    node.later(DAY);
    download(node, bytes);
    node.later(8 * HOUR);
    node.desk.advance().unwrap();
    node.later(-8 * HOUR);
}

/// Alerts that are open now.
fn alerts(node: &Node) -> Vec<Alert> {
    node.desk.check_alarms(&Machine::default()).unwrap();
    node.read(|transaction| transaction.open_alerts())
        .into_iter()
        .filter(|alert| alert.key.contains("fallen") || alert.key.contains("fetch"))
        .collect()
}

fn closure(node: &Node) -> Option<Closure> {
    node.case(1).1.closure
}

#[test]
fn what_half_a_list_does_not_name_is_not_mended() {
    let node = node(LOCATION, Expected::default());
    download(&node, &rows(1..=40));
    for _ in 0..5 {
        next_day(&node, &rows(1..=40));
    }
    assert!(alerts(&node).is_empty());
    // It breaks off after a few rows, for days, in different places.
    for last in 5..=9 {
        next_day(&node, &rows(3..=last));
        let told = alerts(&node);
        assert_eq!(told.len(), 1, "told once");
        assert_eq!((told[0].kind, told[0].count), (Alarm::FallenFeed, 1));
        assert!(told[0].text.starts_with("Feed 1 (list) came with "), "{}", told[0].text);
    }
    assert_eq!(node.case(1).0.case.state, State::Open, "five downloads without it, and none counts");
    assert_eq!(node.read(|transaction| transaction.feeds())[0].runs, 6);
    // It is whole again: that ends the alert, and from now on what it does not name counts.
    for run in 1..=4 {
        next_day(&node, &rows(2..=40));
        assert!(alerts(&node).is_empty());
        assert_eq!(closure(&node), (run >= 3).then_some(Closure::NoLongerListed), "run {run}");
    }
    assert_eq!(node.case(2).0.case.state, State::Open);
}

#[test]
fn a_feed_that_is_new_here_closes_nothing_either_when_it_shrinks_at_once() {
    let node = node(LOCATION, Expected::default());
    download(&node, &rows(1..=40));
    (5..=8).for_each(|last| next_day(&node, &rows(3..=last)));
    assert_eq!(node.case(1).0.case.state, State::Open);
    assert!(alerts(&node).is_empty(), "nobody knows what is usual");
    assert_eq!(node.read(|transaction| transaction.feeds())[0].runs, 1);
}

#[test]
fn half_a_report_that_comes_by_mail_closes_nothing_either() {
    let node = node(LOCATION, Expected::default());
    let policy = format!("{POLICY}[[trust]]\nformat = \"shadowserver\"\ndoor = \"pipe\"\nauthenticated = true\ntrust = 0.9\n");
    node.desk.set_policy(&policy, "test.toml").unwrap();
    let send = |day: i64, bytes: &str| {
        let name = format!("2026-06-{day:02}-scan_telnet-list.csv");
        node.desk.receive(Door::Pipe, &name, &mut Cursor::new(format!("{bytes}{}", "\n".repeat(day as usize)))).unwrap();
        node.desk.work(&|_, _| {}).unwrap();
        node.later(8 * HOUR);
        node.desk.advance().unwrap();
        node.later(DAY - 8 * HOUR);
    };
    (1..=6).for_each(|day| send(day, &rows(1..=40)));
    (7..=11).for_each(|day| send(day, &rows(30..=35)));
    assert_eq!(node.case(1).0.case.state, State::Open);
    assert_eq!(alerts(&node).len(), 1);
    (12..=15).for_each(|day| send(day, &rows(2..=40)));
    assert_eq!(closure(&node), Some(Closure::NoLongerListed));
    assert!(alerts(&node).is_empty());
}

#[test]
fn a_list_with_nothing_in_it_is_told_and_closes_nothing() {
    for (name, bytes) in [
        ("no rows", rows([])),
        ("no row that can be read", rows([]) + "\"x\",\"y\"\n"),
        ("something else", "<html>later</html>".to_owned()),
    ] {
        let node = node(LOCATION, Expected::default());
        download(&node, &rows(1..=3));
        for at in 0..5 {
            // A server that says another time each time, so that it is never a copy.
            next_day(&node, &format!("{bytes}{}", "\n".repeat(at)));
        }
        assert_eq!(node.case(1).0.case.state, State::Open, "{name}");
        assert_eq!(alerts(&node).len(), 1, "{name}");
    }
}

#[test]
fn an_operator_may_say_that_nothing_is_good_news() {
    let node = node(LOCATION, Expected { least: 0, ..Expected::default() });
    download(&node, &rows([1]));
    for at in 0..4 {
        next_day(&node, &(rows([]) + &"\n".repeat(at)));
    }
    assert!(alerts(&node).is_empty());
    assert_eq!(closure(&node), Some(Closure::NoLongerListed));
}

#[test]
fn nothing_follows_from_what_a_list_of_news_or_one_without_tls_does_not_name() {
    let news = Expected { complete: false, ..Expected::default() };
    for (name, location, expected) in
        [("news", LOCATION, news), ("anybody may have changed it", "http://lists.example/scan.csv", Expected::default())]
    {
        let node = node(location, expected);
        // Policy vouches for what looks like Shadowserver's; here nobody does.
        node.desk.set_policy(&format!("{POLICY}[[trust]]\nformat = \"shadowserver\"\ntrust = 0.5\n"), "test.toml").unwrap();
        download(&node, &rows([1, 2]));
        for address in 3..=8 {
            next_day(&node, &rows([2, address]));
        }
        assert_eq!(node.case(1).0.case.state, State::Open, "{name}");
        assert_eq!(node.read(|transaction| transaction.feeds()).len(), 1, "{name}: it is missed all the same when it is quiet");
    }
}

#[test]
fn a_list_is_read_by_the_address_that_it_came_from() {
    let node = node("https://lists.blocklist.de/lists/ssh.txt", Expected { complete: false, ..Expected::default() });
    let envelope = Envelope { feed: "list".to_owned(), ..Envelope::default() };
    node.desk.receive_from(Door::Feed, "ssh.txt", envelope, &mut Cursor::new("192.0.2.7\n192.0.2.8\n")).unwrap();
    node.desk.receive(Door::File, "ssh.txt", &mut Cursor::new("192.0.2.7\n192.0.2.8\n")).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    let read = |id| node.read(|transaction| transaction.submission(id)).unwrap();
    assert_eq!((read(1).format.as_str(), read(1).reports), ("blocklistde_lists", 2));
    assert_eq!(read(2).reports, 0, "a bare list of addresses says nothing");
}

#[test]
fn what_a_list_says_again_after_it_said_otherwise_is_new() {
    let node = node(LOCATION, Expected::default());
    let [first, second] = [rows([1]), rows([2])];
    let is_new = |bytes: &str| {
        node.later(MINUTE);
        matches!(download(&node, bytes), Receipt::New(_))
    };
    assert!(is_new(&first) && !is_new(&first), "unchanged");
    assert!(is_new(&second) && is_new(&first) && !is_new(&first) && is_new(&second));
    assert_eq!(node.case(1).0.case.reports, 2);
    node.later(DAY);
    assert!(is_new(&second) && !is_new(&second), "it says each day that it is still so");
    assert_eq!(node.case(2).0.case.reports, 3);
}

#[test]
fn a_download_that_fails_for_hours_is_told_until_it_comes() {
    let node = node(LOCATION, Expected::default());
    download(&node, &rows([1]));
    let next = Time(0);
    let mut fetch = node.desk.fetch("list", [1; 32]).unwrap();
    for _ in 0..8 {
        fetch = node.desk.fetched(&fetch, Came::Failed("it answered 503".to_owned()), next).unwrap();
        node.later(HOUR);
    }
    let told = alerts(&node);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].kind, Alarm::QuietFeed);
    assert!(told[0].text.contains("8 times): it answered 503"), "{}", told[0].text);
    let came = Came::New { etag: "\"a\"".to_owned(), modified: String::new(), digest: [3; 32] };
    fetch = node.desk.fetched(&fetch, came, next).unwrap();
    assert!(alerts(&node).is_empty());
    fetch = node.desk.fetched(&fetch, Came::Same { etag: String::new(), modified: String::new() }, next).unwrap();
    assert_eq!((fetch.etag.as_str(), fetch.failures), ("\"a\"", 0));
    node.later(MINUTE);
    assert_eq!(node.desk.fetch("list", [1; 32]).unwrap(), fetch);
    node.later(DAY);
    assert_eq!(node.desk.fetch("list", [1; 32]).unwrap().etag, "", "once a day the whole of it is wanted");
    node.later(-DAY);
    assert_eq!(node.desk.fetch("list", [2; 32]).unwrap().etag, "", "another address is another list");
    let changed = fetch.changed;
    node.later(2 * DAY);
    let came = Came::New { etag: "\"b\"".to_owned(), modified: String::new(), digest: [3; 32] };
    assert_eq!(node.desk.fetched(&fetch, came, next).unwrap().changed, changed, "the same bytes are nothing new");
    assert!(alerts(&node)[0].text.contains("nothing new since"));
    assert!(node.desk.fetch_soon("other").is_err());
    node.desk.note_fetched("list", "a").unwrap();
    assert!(node.desk.has_fetched("list", "a").unwrap() && !node.desk.has_fetched("list", "b").unwrap());
}

#[test]
fn a_list_of_the_world_makes_cases_of_what_is_ours_alone() {
    let feed = Feed { location: LOCATION.to_owned(), only_ours: true, ..Feed::default() };
    let reading = Reading { feeds: BTreeMap::from([("list".to_owned(), feed)]), ..Reading::default() };
    let node = Node::reading("2026-06-01T06:00:00Z", reading);
    node.import(&[("192.0.2.8/29", "c1", "2026-01-01", "")]);
    let id = download(&node, &rows(1..=200)).id();
    assert_eq!(node.all().len(), 8, "eight addresses are ours");
    assert!(node.all().iter().all(|(filed, _)| node.party(filed.case.holder) == "c1"));
    let (submission, notes) = node.read(|transaction| Ok((transaction.submission(id)?, transaction.notes(id, 10)?)));
    assert_eq!(submission.unwrap().reports, 8);
    let told = notes.iter().any(|note| note.1.contains("192 that are about nobody in the administration were passed over"));
    assert!(told, "{notes:?}");
    // How long the list was still tells whether it is whole: half of it closes nothing.
    assert_eq!(node.read(|transaction| transaction.feeds())[0].counts, [200]);
    // What comes by any other door is kept, whosever it is.
    node.desk.receive(Door::File, "2026-06-01-scan_telnet-own.csv", &mut Cursor::new(rows(1..=3))).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
    assert_eq!(node.all().len(), 11);
}
