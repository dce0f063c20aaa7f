//! From bytes to cases, with a clock and a data directory of the test's own.

#![allow(clippy::unwrap_used)]

#[path = "engine/mod.rs"]
mod engine;
#[path = "tables/mod.rs"]
mod tables;

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::import::How;
use desk::{Clock, Desk, Reading};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::case::State;
use model::category::Kind;
use model::party::Party;
use model::report::Word;
use model::resource::Resource;
use model::submission::{Door, Progress};
use model::time::{DAY, Time};
use store::Engine;
use store::cases::{Filed, Filter};
use store::queues::Queue;
use store::submissions::Receipt;
use tables::tables_of_postgres;

struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// A node in a directory that goes away with it.
struct Node {
    desk: Desk,
    directory: PathBuf,
    clock: Arc<Set>,
    engine: Engine,
    database: Option<engine::Database>,
}

impl Node {
    fn new() -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let directory = std::env::temp_dir().join(format!("sluis-desk-{}-{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        let clock = Arc::new(Set(AtomicI64::new(time("2026-06-01T12:00:00Z").0)));
        let (engine, database) = engine::engine(module_path!());
        let mut desk = Desk::open_on(&directory, &engine, Arc::clone(&clock) as Arc<dyn Clock>, Reading::default()).unwrap();
        // What comes first is applied first: several workers do not promise that.
        desk.set_workers(1);
        Node { desk, directory, clock, engine, database }
    }

    fn receive(&self, name: &str, bytes: &[u8]) -> Receipt {
        self.desk.receive(Door::File, name, &mut Cursor::new(bytes)).unwrap()
    }

    fn work(&self) -> desk::work::Worked {
        self.desk.work(&|_, _| {}).unwrap()
    }

    fn cases(&self, filter: Filter) -> Vec<Filed> {
        self.desk.store().reader().unwrap().read(|transaction| transaction.cases(&filter, 1_000)).unwrap()
    }

    fn import(&self, rows: &[(&str, &str, &str, &str)]) -> desk::import::Imported {
        self.desk.import("crm", "csv", &snapshot(rows), How::Careful).unwrap()
    }

    fn party(&self, id: i64) -> String {
        self.desk.store().reader().unwrap().read(|transaction| transaction.party(id)).unwrap().unwrap().party.reference
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn time(text: &str) -> Time {
    Time::parse(text.as_bytes()).unwrap()
}

/// `(resource, party, from, to)`; every party rents from `reseller`, who rents from `provider`.
fn snapshot(rows: &[(&str, &str, &str, &str)]) -> Snapshot {
    let mut said = Snapshot { complete: true, ..Snapshot::default() };
    let party = |reference: &str, parent: Option<&str>| Party {
        reference: reference.into(),
        name: reference.into(),
        parent: parent.map(str::to_owned),
        ..Party::default()
    };
    said.parties.push(party("provider", None));
    said.parties.push(party("reseller", Some("provider")));
    for (resource, reference, from, to) in rows {
        if !said.parties.iter().any(|known| known.reference == *reference) {
            said.parties.push(party(reference, Some("reseller")));
        }
        said.assignments.push(Assignment {
            resource: Resource::parse(resource).unwrap(),
            period: Period { from: Time::parse(from.as_bytes()), to: Time::parse(to.as_bytes()) },
            party: (*reference).into(),
            level: Level::Assigned,
            service: String::new(),
            product: String::new(),
            panel: String::new(),
            account: String::new(),
            reference: String::new(),
        });
    }
    said
}

fn telnet(rows: &[(&str, &str, u16)]) -> Vec<u8> {
    let mut out =
        b"\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"banner\"\n"
            .to_vec();
    for (when, ip, port) in rows {
        out.extend(format!("\"{when}\",\"{ip}\",\"tcp\",{port},\"\",\"telnet\",64496,\"NL\",\"\",\"\",\"login:\"\n").bytes());
    }
    out
}

const TELNET: &str = "2026-06-01-scan_telnet-netherlands-asn.csv";

#[test]
fn a_report_is_its_holders_at_that_moment() {
    let node = Node::new();
    node.import(&[("192.0.2.7", "alice", "2026-01-01", "2026-05-20"), ("192.0.2.7", "bob", "2026-05-20", "")]);
    node.receive(TELNET, &telnet(&[("2026-05-19 10:00:00", "192.0.2.7", 23), ("2026-05-21 10:00:00", "192.0.2.7", 23)]));
    let worked = node.work();
    assert_eq!((worked.applied.reports, worked.applied.opened), (2, 2));
    let mut holders: Vec<String> =
        node.cases(Filter::default()).iter().map(|filed| node.party(filed.case.holder.unwrap())).collect();
    holders.sort();
    assert_eq!(holders, ["alice", "bob"]);
    let mut reader = node.desk.store().reader().unwrap();
    let filed = &node.cases(Filter::default())[0];
    let chain = reader.read(|transaction| transaction.chain(filed.chain)).unwrap();
    let parties: Vec<String> = chain.links.iter().map(|link| node.party(link.party)).collect();
    assert_eq!(parties[..2], ["provider", "reseller"]);
}

#[test]
fn five_thousand_duplicates_are_one_case_with_a_counter() {
    let node = Node::new();
    node.import(&[("192.0.2.7", "alice", "", "")]);
    let rows: Vec<_> = (0..5_000).map(|_| ("2026-05-30 10:00:00", "192.0.2.7", 23)).collect();
    node.receive(TELNET, &telnet(&rows));
    node.receive("2026-05-31-scan_telnet-netherlands-asn.csv", &telnet(&[("2026-05-31 10:00:00", "192.0.2.7", 23)]));
    node.work();
    let cases = node.cases(Filter::default());
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].case.reports, 5_001);
    assert_eq!(cases[0].case.first_seen, time("2026-05-30 10:00:00"));
    assert_eq!(cases[0].case.last_seen, time("2026-05-31 10:00:00"));
    assert_eq!(cases[0].case.first_valid_notice, Some(time("2026-06-01T12:00:00Z")));
    let mut reader = node.desk.store().reader().unwrap();
    let (batch, kept) = reader.read(|transaction| transaction.reports_of(&cases[0].case, cases[0].tail, 10_000)).unwrap();
    assert_eq!(kept.len(), 5_001, "none is lost to sight");
    assert_eq!(batch.report(0).text(Word::FEED), Some("scan_telnet"));
    assert_eq!(batch.report(0).core.observed(), Some(time("2026-05-31 10:00:00")), "the newest run comes first");
}

#[test]
fn the_same_bytes_count_again_and_are_not_reported_again() {
    let node = Node::new();
    let file = telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23)]);
    let first = node.receive(TELNET, &file);
    assert_eq!(node.receive("another-name.csv", &file), Receipt::Known(first.id()));
    node.work();
    assert_eq!(node.receive(TELNET, &file), Receipt::Known(first.id()));
    node.work();
    assert_eq!(node.cases(Filter::default())[0].case.reports, 1);
    let submission = node.desk.store().reader().unwrap().read(|transaction| transaction.submission(first.id())).unwrap().unwrap();
    assert_eq!((submission.times, submission.progress), (3, Progress::Read));
}

#[test]
fn what_a_person_must_see_is_in_a_queue() {
    let node = Node::new();
    node.receive(
        TELNET,
        &telnet(&[
            ("2026-05-30 10:00:00", "198.51.100.1", 23),
            ("not a time", "192.0.2.7", 23),
            ("2099-01-01 00:00:00", "192.0.2.7", 23),
            ("1970-01-01 00:00:00", "192.0.2.7", 23),
            ("2025-01-01 00:00:00", "192.0.2.8", 23),
        ]),
    );
    node.receive("holiday.txt", b"Dear desk, I am on holiday.");
    let worked = node.work();
    assert_eq!((worked.submissions, worked.unreadable, worked.applied.reports), (2, 1, 4));
    let mut reader = node.desk.store().reader().unwrap();
    let waiting = reader.read(|transaction| transaction.waiting()).unwrap();
    assert_eq!((waiting.no_holder, waiting.unreadable, waiting.rejects, waiting.undated, waiting.unread), (2, 1, 1, 2, 0));
    let undated = reader.read(|transaction| transaction.queued(Queue::Undated, None, 10)).unwrap();
    assert_eq!(undated.len(), 2);
    assert!(undated.iter().all(|queued| queued.entry.text.contains("192.0.2.7")), "{undated:?}");
    let history: Vec<bool> = node.cases(Filter::default()).iter().map(|filed| filed.case.history).collect();
    assert_eq!(history.iter().filter(|history| **history).count(), 1, "an old report is kept, without clocks");
}

#[test]
fn an_administration_that_comes_late_gives_cases_their_holder() {
    let node = Node::new();
    node.receive(TELNET, &telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23), ("2026-05-30 10:00:00", "198.51.100.1", 23)]));
    node.work();
    assert_eq!(node.cases(Filter { holder: Some(0), ..Filter::default() }).len(), 2);
    let imported = node.import(&[("192.0.2.0/24", "alice", "", "")]);
    assert_eq!(imported.holders_found, 1);
    let found = node.cases(Filter { holder: Some(0), ..Filter::default() });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].case.key.about(), "198.51.100.1 port 23");
    node.receive("2026-05-31-scan_telnet-x-asn.csv", &telnet(&[("2026-05-31 10:00:00", "192.0.2.7", 23)]));
    assert_eq!(node.work().applied.joined, 1, "the next report joins the case that found its holder");
}

#[test]
fn importing_the_same_again_changes_nothing() {
    let node = Node::new();
    let rows = [("192.0.2.0/25", "alice", "2026-01-01", ""), ("shop.example", "bob", "", "")];
    assert!(!node.import(&rows).changes.is_empty());
    assert!(node.import(&rows).changes.is_empty());
    node.clock.0.fetch_add(DAY, Ordering::SeqCst);
    assert!(node.import(&rows).changes.is_empty());
    let moved = node.import(&[("192.0.2.0/25", "bob", "", ""), ("shop.example", "bob", "", "")]);
    assert_eq!((moved.changes.ended.len(), moved.changes.begun.len()), (1, 1));
    let dry = node.desk.import("crm", "csv", &snapshot(&rows), How::DryRun).unwrap();
    assert!(!dry.changes.is_empty(), "a dry run shows what would change");
    let again = node.desk.import("crm", "csv", &snapshot(&rows), How::DryRun).unwrap();
    assert_eq!(dry, again, "and changes nothing");
}

#[test]
fn an_export_that_broke_off_ends_nothing() {
    let node = Node::new();
    let rows = [("192.0.2.1", "alice", "", ""), ("192.0.2.2", "bob", "", ""), ("192.0.2.3", "carol", "", "")];
    node.import(&rows);
    for broken in [&rows[..1], &[]] {
        let refused = node.desk.import("crm", "csv", &snapshot(broken), How::Careful);
        assert!(matches!(&refused, Err(desk::Error::Invalid(reason)) if reason.contains("--complete")), "{refused:?}");
    }
    assert!(node.import(&rows).changes.is_empty(), "nothing has changed");
    node.clock.0.fetch_add(DAY, Ordering::SeqCst);
    let other_names = [("192.0.2.1", "dave", "", ""), ("192.0.2.2", "erin", "", ""), ("192.0.2.3", "frank", "", "")];
    let changes = node.import(&other_names).changes;
    assert_eq!(changes.ended.len(), 3, "others in their place are no loss: {changes:?}");
    node.clock.0.fetch_add(DAY, Ordering::SeqCst);
    let vouched = node.desk.import("crm", "csv", &snapshot(&rows[..1]), How::Vouched).unwrap();
    assert_eq!(vouched.changes.ended.len(), 3);
}

#[test]
fn reading_again_repeats_nothing() {
    let node = Node::new();
    let receipt = node.receive(TELNET, &telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23), ("not a time", "192.0.2.7", 23)]));
    let unread = node.receive("notes.txt", b"nothing in here");
    node.work();
    for id in [receipt.id(), unread.id()] {
        node.desk.read_again(id).unwrap();
    }
    node.work();
    assert_eq!(node.cases(Filter::default())[0].case.reports, 1);
    let mut reader = node.desk.store().reader().unwrap();
    let waiting = reader.read(|transaction| transaction.waiting()).unwrap();
    assert_eq!((waiting.rejects, waiting.unreadable, waiting.unread), (1, 1, 0));
    let submission = reader.read(|transaction| transaction.submission(receipt.id())).unwrap().unwrap();
    assert_eq!((submission.reports, submission.rejects, submission.cursor), (1, 1, 2));
}

#[test]
fn a_second_owner_is_refused_and_the_spool_waits_for_the_first() {
    let node = Node::new();
    let second = Desk::open_on(&node.directory, &node.engine, Arc::clone(&node.clock) as Arc<dyn Clock>, Reading::default());
    assert!(matches!(second, Err(desk::Error::Conflict(_))));
    let file = telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23)]);
    desk::spool::put(&node.directory, &*node.clock, Door::Pipe, TELNET, &mut Cursor::new(&file)).unwrap();
    assert_eq!(node.desk.take_spool().unwrap(), 1);
    assert_eq!(node.desk.take_spool().unwrap(), 0);
    assert_eq!(node.work().applied.reports, 1);
}

#[test]
fn a_submission_that_breaks_off_leaves_nothing() {
    let node = Node::new();
    // Bytes that do not compress, so that they become a file.
    let mut state = 1u64;
    let noise = std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as u8
    });
    let bytes: Vec<u8> = noise.take(8 << 20).collect();
    let mut broken = Cursor::new(bytes).chain(Failing);
    assert!(node.desk.receive(Door::Pipe, "", &mut broken).is_err());
    assert_eq!(std::fs::read_dir(node.directory.join("raw/tmp")).unwrap().count(), 0);
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the peer went away"))
    }
}

#[test]
fn a_desk_that_stops_leaves_work_for_the_next() {
    let node = Node::new();
    let file = telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23)]);
    node.receive(TELNET, &file);
    desk::spool::put(&node.directory, &*node.clock, Door::Pipe, TELNET, &mut Cursor::new(&file)).unwrap();
    node.desk.stop();
    assert_eq!(node.work(), desk::work::Worked::default());
    assert_eq!(node.desk.take_spool().unwrap(), 0);
    assert!(node.desk.receive(Door::File, "late.csv", &mut Cursor::new(&file)).is_err());
    assert_eq!(std::fs::read_dir(node.directory.join("spool/new")).unwrap().count(), 1);
}

#[test]
fn mails_of_a_maildir_are_taken_once_and_kept_by_their_owner() {
    let node = Node::new();
    let maildir = node.directory.join("maildir");
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    std::fs::write(maildir.join("new/1.host"), b"Subject: hello\r\n\r\nnothing\r\n").unwrap();
    assert_eq!(node.desk.take_maildir(&maildir).unwrap(), 1);
    assert_eq!(node.desk.take_maildir(&maildir).unwrap(), 0);
    assert!(maildir.join("cur/1.host:2,S").exists());
    assert!(matches!(node.desk.take_maildir(Path::new("/nonexistent")), Err(desk::Error::NotFound(_))));
}

#[test]
fn a_damaged_copy_goes_to_a_person_and_stops_nobody() {
    let node = Node::new();
    // Bytes that do not compress, so that the frames outgrow the database and become a file.
    let mut state = 1u64;
    let noise: String = (0..10_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{state:016x}")
        })
        .collect();
    node.receive(TELNET, noise.as_bytes());
    let receipt = node.receive("good.csv", b"timestamp,ip,category,type\n2026-05-30 10:00:00,192.0.2.9,messaging,spam\n");
    let mut damaged = 0;
    for folder in std::fs::read_dir(node.directory.join("raw")).unwrap() {
        for file in std::fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let mut bytes = std::fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            std::fs::write(path, bytes).unwrap();
            damaged += 1;
        }
    }
    assert_eq!(damaged, 1, "the large one is a file");
    let worked = node.work();
    assert_eq!((worked.submissions, worked.unreadable), (2, 1));
    let unreadable =
        node.desk.store().reader().unwrap().read(|transaction| transaction.submissions(Some(Progress::Unreadable), 9, 9));
    assert!(unreadable.unwrap()[0].reason.contains("cannot be read"));
    let submission =
        node.desk.store().reader().unwrap().read(|transaction| transaction.submission(receipt.id())).unwrap().unwrap();
    assert_eq!(submission.reports, 1);
}

const ABUSE: &str = r#"{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"2026-05-30T10:00:00Z",
"reporter":{"org":"Hotline","contact":"reports@hotline.example","domain":"hotline.example"},
"sender":{"org":"Hotline","contact":"reports@hotline.example","domain":"hotline.example"},
"source_identifier":"192.0.2.7","category":"content","type":"csam","classification":"baseline","detection_method":"manual_review",
"url":"https://host.example/secret/path.html","description":"see https://host.example/secret/path.html",
"evidence":[{"content_type":"image/png","payload":"c2VjcmV0LXBpY3R1cmU=","hash":"sha256:00ff"}]}"#;

#[test]
fn child_abuse_material_leaves_no_location_and_no_payload_anywhere() {
    let node = Node::new();
    let receipt = node.receive("report.json", ABUSE.as_bytes());
    assert_eq!(
        node.receive("report.json", ABUSE.as_bytes()),
        Receipt::Known(receipt.id()),
        "the same original is the same submission"
    );
    node.work();
    let cases = node.cases(Filter { kind: Some(Kind::Csam), state: Some(State::Open), ..Filter::default() });
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].case.key.about(), "host.example");
    let mut reader = node.desk.store().reader().unwrap();
    let submission = reader.read(|transaction| transaction.submission(receipt.id())).unwrap().unwrap();
    let key = node.desk.store().keys().get(submission.public).unwrap().unwrap();
    let mut raw = String::new();
    let mut opened = reader.read(|transaction| transaction.open_raw(&submission, &key, &node.directory)).unwrap();
    std::io::Read::read_to_string(&mut opened, &mut raw).unwrap();
    let (batch, _) = reader.read(|transaction| transaction.reports_of(&cases[0].case, cases[0].tail, 10)).unwrap();
    let fields: String = batch.report(0).fields().map(|(_, value)| value.text().to_owned() + "\n").collect();
    for kept in [&raw, &fields] {
        assert!(!kept.contains("secret"), "{kept}");
        assert!(!kept.contains("c2VjcmV0"), "{kept}");
        assert!(kept.contains("sha256:00ff"), "{kept}");
    }
    assert_eq!(node.desk.hidden_location(receipt.id(), 0).unwrap().as_deref(), Some("https://host.example/secret/path.html"));
    // Nor in the files: a text that was there would be found, for the database does not hide what it keeps.
    node.desk.store().checkpoint().unwrap();
    let mut files = vec!["keys.db"];
    match &node.database {
        None => files.push("sluis.db"),
        Some(database) => {
            let all: String = tables_of_postgres(&mut database.client()).into_values().flatten().collect();
            assert!(all.contains("host.example") && !all.contains("secret/path"), "{all}");
        }
    }
    for file in files {
        let bytes = std::fs::read(node.directory.join(file)).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"secret/path"), "{file}");
    }
}

#[test]
fn a_report_of_child_abuse_that_cannot_be_read_is_not_kept_either() {
    let node = Node::new();
    let broken = ABUSE.replace("\"source_identifier\":\"192.0.2.7\",", "").replace("\"url\":", "\"link\":");
    node.receive("report.json", broken.as_bytes());
    let csv = "timestamp,ip,category,type,url\nsoon,192.0.2.7,content,csam,https://host.example/secret/path.html\n";
    node.receive("list.csv", csv.as_bytes());
    node.work();
    let mut reader = node.desk.store().reader().unwrap();
    for submission in reader.read(|transaction| transaction.submissions(None, i64::MAX, 9)).unwrap() {
        assert_eq!(submission.rejects, 1, "a person sees that there was something: {submission:?}");
        let key = node.desk.store().keys().get(submission.public).unwrap().unwrap();
        let mut raw = String::new();
        let mut opened = reader.read(|transaction| transaction.open_raw(&submission, &key, &node.directory)).unwrap();
        std::io::Read::read_to_string(&mut opened, &mut raw).unwrap();
        assert!(!raw.contains("secret") && !raw.contains("c2VjcmV0"), "{raw}");
    }
    for queued in reader.read(|transaction| transaction.queued(Queue::Rejects, None, 9)).unwrap() {
        assert!(!queued.entry.text.contains("secret"), "{queued:?}");
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_into_the_data() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new();
    node.receive(TELNET, &telnet(&[("2026-05-30 10:00:00", "192.0.2.7", 23)]));
    desk::spool::put(&node.directory, &*node.clock, Door::Pipe, "mail", &mut &b"Subject: x\r\n\r\n"[..]).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&node.directory), 0o700);
    let of_sqlite: &[&str] = if node.database.is_none() { &["sluis.db", "sluis.db-wal"] } else { &[] };
    for file in [&["keys.db", "keys.db-wal"], of_sqlite].concat() {
        assert_eq!(mode(&node.directory.join(file)), 0o600, "{file}");
    }
    for spooled in std::fs::read_dir(node.directory.join("spool/new")).unwrap() {
        assert_eq!(mode(&spooled.unwrap().path()), 0o600, "mail in the spool is in the clear");
    }
}
