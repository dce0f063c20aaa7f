//! Retention on a node with a past: what is too old is gone from every file, what is held or young is not.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::forget::{Wanted, Who};
use desk::retain::Periods;
use desk::{Clock, Desk, Reading};
use model::submission::Door;
use model::time::{DAY, Time};
use store::holds::What;

/// The mark of a person; nothing else has it.
const MARK: &str = "zaphod.beeble@marked.example";
const START: i64 = 1_770_000_000_000;

struct Later(AtomicI64);

impl Clock for Later {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

struct Node {
    directory: PathBuf,
    clock: Arc<Later>,
}

impl Node {
    fn new() -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluis-retain-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Node { directory, clock: Arc::new(Later(AtomicI64::new(START))) }
    }

    fn open(&self) -> Desk {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        Desk::open(&self.directory, clock, Reading::default()).unwrap()
    }

    fn later(&self, days: i64) {
        self.clock.0.fetch_add(days * DAY, Ordering::Relaxed);
    }

    fn ask(&self, text: &str) -> i64 {
        rusqlite::Connection::open(self.directory.join("sluis.db")).unwrap().query_row(text, (), |row| row.get(0)).unwrap()
    }

    fn change(&self, text: &str) {
        rusqlite::Connection::open(self.directory.join("sluis.db"))
            .unwrap()
            .execute_batch(&format!("PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; {text}"))
            .unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn report(address: &str, text: &str, seen: Time) -> String {
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"{seen}",
"reporter":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"sender":{{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}},
"source_identifier":"{address}","source_port":40222,"category":"connection","type":"login_attack","protocol":"tcp",
"first_seen":"{seen}","destination_ip":"203.0.113.9","destination_port":22,"evidence_source":"honeypot","description":"{text}"}}"#
    )
}

fn take(desk: &Desk, name: &str, text: &str) {
    desk.receive(Door::File, name, &mut text.as_bytes()).unwrap();
    desk.work(&|_, _| {}).unwrap();
}

/// Files under a folder in which bytes stand, looking into what is compressed in the database too.
fn grep(folder: &Path, needle: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    let is_in = |bytes: &[u8]| bytes.windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle));
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if is_in(&std::fs::read(&path).unwrap()) {
                found.push(path.display().to_string());
            }
        }
    }
    let path = folder.join("sluis.db");
    let connection = rusqlite::Connection::open(path).unwrap();
    let mut select = connection.prepare("SELECT id, data FROM fields").unwrap();
    let chunks = select.query_map((), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
    for (chunk, data) in chunks.map(Result::unwrap) {
        if is_in(&zstd::decode_all(&data[4..]).unwrap()) {
            found.push(format!("fields {chunk}"));
        }
    }
    found
}

#[test]
fn what_is_too_old_goes_and_the_rest_stays() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "old.json", &report("192.0.2.9", MARK, Time(START)));
    take(&desk, "reject.json", &format!("{{\"xarf_version\":\"4.2.0\",\"category\":\"connection\",\"type\":\"{MARK}\"}}"));
    take(&desk, "held.json", &report("192.0.2.10", "held for the law", Time(START)));
    drop(desk);
    // Two closed cases; one is held.
    node.change(&format!("UPDATE cases SET state = 1, closed = {}, closure = 0", START + DAY));
    let desk = node.open();
    let held = node.ask("SELECT id FROM cases ORDER BY id DESC LIMIT 1");
    desk.hold(What::Case, held, "an order", "anna").unwrap();
    assert!(desk.hold(What::Case, held, "again", "anna").is_err());
    assert!(desk.retain(&Periods::default(), false).unwrap().is_empty(), "nothing is old");

    node.later(91);
    take(&desk, "young.json", &report("192.0.2.11", "young", Time(START + 91 * DAY)));
    let would = desk.retain(&Periods::default(), true).unwrap();
    assert_eq!((would[0].what, would[0].count), ("raw submissions", 2), "{would:?}");
    assert_eq!(node.ask("SELECT count(*) FROM submissions WHERE place = 2"), 0, "a dry run changes nothing");
    assert_eq!(desk.retain_daily(&Periods::default(), 0).unwrap().unwrap(), would);
    assert_eq!(desk.retain_daily(&Periods::default(), 0).unwrap(), None, "once a day");
    assert_eq!(node.ask("SELECT count(*) FROM submissions WHERE place = 2"), 2);
    assert_eq!(node.ask("SELECT count(*) FROM raw"), 2, "those that are held, or young, stay");
    assert_eq!(node.ask("SELECT count(*) FROM reports"), 3, "what was read stays");
    // Only the fields have it still.
    assert!(grep(&node.directory, MARK.as_bytes()).iter().all(|place| place.starts_with("fields ")));
    let keys: i64 = rusqlite::Connection::open(node.directory.join("keys.db"))
        .unwrap()
        .query_row("SELECT count(*) FROM raw_keys", (), |row| row.get(0))
        .unwrap();
    assert_eq!(keys, 2);

    node.later(730);
    let done = desk.retain(&Periods::default(), false).unwrap();
    assert!(done.iter().any(|one| one.what == "cases" && one.count == 1), "{done:?}");
    assert_eq!(node.ask("SELECT count(*) FROM cases"), 2, "the held and the open one");
    assert_eq!(grep(&node.directory, MARK.as_bytes()), Vec::<String>::new());
    assert!(node.ask("SELECT count(*) FROM erasures") >= 2);
    assert!(node.ask("SELECT sum(reports) FROM daily") >= 3, "counts stay");
    // The reports of other cases are as they were.
    let (batch, _) = desk
        .store()
        .reader()
        .unwrap()
        .read(|transaction| {
            let filed = transaction.case(held)?.unwrap();
            transaction.reports_of(&filed.case, filed.tail, 10)
        })
        .unwrap();
    assert_eq!(batch.len(), 1);
    // When the hold ends, it goes too.
    desk.end_hold(What::Case, held, "bob").unwrap();
    desk.retain(&Periods::default(), false).unwrap();
    assert_eq!(node.ask("SELECT count(*) FROM cases"), 1);
}

#[test]
fn a_strike_keeps_the_frame_of_its_case() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", MARK, Time(START)));
    drop(desk);
    node.change(&format!(
        "UPDATE cases SET state = 1, closed = {START}, closure = 0;
         INSERT INTO strikes (party, case_id, cause, severity, at, withdrawn, reason) VALUES (1, 1, 1, 2, {START}, NULL, '')"
    ));
    let desk = node.open();
    node.later(731);
    desk.retain(&Periods::default(), false).unwrap();
    assert_eq!(node.ask("SELECT count(*) FROM cases WHERE address IS NULL AND length(key) = 0"), 1);
    assert_eq!(node.ask("SELECT count(*) FROM reports"), 0);
    assert_eq!(desk.retain(&Periods::default(), false).unwrap(), [], "a frame is not reduced twice");
    node.later(365);
    desk.retain(&Periods::default(), false).unwrap();
    assert_eq!(node.ask("SELECT (SELECT count(*) FROM cases) + (SELECT count(*) FROM strikes)"), 0);
}

/// Plants the person into every column of text, and into bytes, that the schema has.
fn plant(node: &Node) {
    let connection = rusqlite::Connection::open(node.directory.join("sluis.db")).unwrap();
    connection.pragma_update(None, "secure_delete", true).unwrap();
    let mut select = connection
        .prepare("SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT' AND c.pk = 0")
        .unwrap();
    let columns: Vec<(String, String)> =
        select.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let theirs = ["sources", "policies", "batches", "rechecks", "alert_receivers", "counters"];
    for (table, column) in columns {
        let is_ours = theirs.contains(&table.as_str())
            || matches!(
                column.as_str(),
                "format"
                    | "cve"
                    | "rule"
                    | "verb"
                    | "what"
                    | "kind"
                    | "media"
                    | "country"
                    | "language"
                    | "aup_version"
                    | "gaps"
                    | "feed"
                    | "counts"
            );
        if !is_ours {
            connection
                .execute(&format!("UPDATE {table} SET {column} = 'of ' || ?1 || ' ' || rowid"), [MARK])
                .or_else(|_| connection.execute(&format!("UPDATE {table} SET {column} = 'of ' || ?1"), [MARK]))
                .unwrap();
        }
    }
    connection.execute("UPDATE cases SET key = CAST(substr(key, 1, 9) || X'03' || ?1 AS BLOB) WHERE id = 1", [MARK]).unwrap();
}

#[test]
fn a_person_is_forgotten_everywhere() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", &format!("written by {MARK}"), Time(START)));
    take(&desk, "two.json", &report("192.0.2.9", "of somebody else", Time(START)));
    take(&desk, "reject.json", &format!("{{\"xarf_version\":\"4.2.0\",\"category\":\"connection\",\"type\":\"{MARK}\"}}"));
    take(&desk, "mail.eml", "From: a@b.example\nSubject: x\n\nemFwaG9kLmJlZWJsZUBtYXJrZWQuZXhhbXBsZQ==\n");
    // Bytes that do not compress: a file.
    let noise: String =
        (0..200_000u64).map(|n| char::from(33 + (n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(21) % 90) as u8)).collect();
    take(&desk, "large.txt", &format!("{noise} {MARK} {noise}"));
    drop(desk);
    node.change(&format!(
        "UPDATE cases SET state = 1, closed = {START}, closure = 0;
         INSERT INTO sources (id, name, kind, checked) VALUES (9, 'crm', 'csv', 0);
         INSERT INTO parties (id, public, source, reference, roles, name, legal_name, trade_names, registry_number, vat_number, mails,
             phones, domains, handles, country, language, aup_version, kyc_method, kyc_result, recorded, gone)
         VALUES (9, X'09', 9, 'r', 0, '', '', '', '', '', '', '', '', '', '', '', '', '', '', 0, {START});
         INSERT INTO traits (id, text) VALUES (9, 't');
         INSERT INTO contacts VALUES (9, 0, 0, '', '', 1, 0);
         INSERT INTO assignments VALUES (9, 9, NULL, NULL, 'x', 9, 0, NULL, NULL, '', '', '', '', '', 0, 1, '');
         INSERT INTO outbox (id, public, purpose, party, subject, severity, hold, delivery, created, ready, cases, ended, reason, person)
         VALUES (901, X'01', 0, 0, '', 2, 0, 0, 0, 0, 1, NULL, '', ''), (902, X'02', 0, 0, 's', 2, 0, 0, 0, 0, 1, NULL, '', '');
         INSERT INTO feeds (id, name, runs, first, last, every, gaps, submission) VALUES (1, 'f', 1, 0, 0, 0, '', 1);
         INSERT INTO holder_changes VALUES (1, 0, 1, 1, 1, 1, 1, NULL, '', '');
         INSERT INTO strikes VALUES (9, 1, 1, 2, 0, NULL, '');
         INSERT INTO acts VALUES (1, X'01', 'note', '', '', 0, 1, NULL);
         INSERT INTO act_cases VALUES (1, 1, '');
         INSERT INTO alerts VALUES (1, X'01', 0, 'k', 1, '', 0, 0, 1, NULL, NULL, '', NULL);
         INSERT INTO orders VALUES (1, 0, 0, '', 0, NULL, NULL, '', '');
         INSERT INTO erasures VALUES (1, 0, '', '', '', 1, 1);
         INSERT INTO erasing VALUES (1, 3, '', '', 0);
         INSERT INTO evidence VALUES (1, X'01', 1, 'letter', 'eml', 0, '', '', 0, '', X'');
         INSERT INTO holds VALUES (1, 0, 999, '', '', 0, 1, '');
         INSERT INTO advisories VALUES (1, '', '', '', 1, 1, 0, NULL, '', '', 1, '', NULL, '', '', 0, 0, NULL, 0, NULL, '');
         INSERT INTO taken VALUES (1, NULL, 0, '', '');
         INSERT INTO shapes VALUES (1, '', '', '', '', 0, 0, NULL);
         INSERT INTO issued VALUES (1, 1, '', X'01', 1, 0, '')"
    ));
    plant(&node);
    let desk = node.open();
    std::fs::create_dir_all(node.directory.join("spool/new")).unwrap();
    std::fs::write(node.directory.join("spool/new/0-file-x"), format!("To: {MARK}")).unwrap();

    let who = Who::parse(&[MARK.to_uppercase()]).unwrap();
    let mut wanted = Wanted { dry_run: true, raw: true, reason: "request 7".into(), by: "anna".into(), ..Wanted::default() };
    let found = desk.forget(&who, &wanted).unwrap();
    assert_eq!((found.reports, found.raw.len(), found.spool), (1, 4, 1), "{found:?}");
    assert!(!grep(&node.directory, MARK.as_bytes()).is_empty(), "a dry run changes nothing");
    for place in store::erasures::PLACES {
        assert!(found.rows.iter().any(|(table, _)| *table == place.table), "nobody looked through {}", place.table);
    }

    wanted.dry_run = false;
    let done = desk.forget(&who, &wanted).unwrap();
    assert_eq!((done.rows, done.raw, done.destroyed), (found.rows, found.raw, true));
    assert_eq!(grep(&node.directory, MARK.as_bytes()), Vec::<String>::new());
    // In the process of its own and in another: nothing is left to find, and the rest is as it was.
    wanted.dry_run = true;
    assert!(desk.forget(&who, &wanted).unwrap().is_empty());
    assert_eq!(node.ask("SELECT count(*) FROM reports"), 2);
    assert_eq!(node.ask("SELECT count(*) FROM erasures WHERE what LIKE 'person %' AND why = 'request 7' AND person = 'anna'"), 1);
    let other = Who::parse(&["of somebody else".to_owned()]).unwrap();
    assert_eq!(desk.forget(&other, &wanted).unwrap().reports, 1);
}

#[test]
fn what_runs_or_is_held_is_not_forgotten_by_mistake() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", MARK, Time(START)));
    let who = Who::parse(&[MARK.to_owned()]).unwrap();
    let mut wanted = Wanted { reason: "request 8".into(), by: "anna".into(), ..Wanted::default() };
    let error = desk.forget(&who, &wanted).unwrap_err().to_string();
    assert!(error.contains("are open") && error.contains("--force"), "{error}");
    wanted.force = true;
    desk.hold(What::Case, 1, "an order", "anna").unwrap();
    let error = desk.forget(&who, &wanted).unwrap_err().to_string();
    assert!(error.contains("held for the law"), "{error}");
    desk.end_hold(What::Case, 1, "anna").unwrap();
    let done = desk.forget(&who, &wanted).unwrap();
    assert_eq!((done.reports, done.destroyed, done.raw.len()), (1, false, 1));
    wanted.reason = " ".into();
    assert!(desk.forget(&who, &wanted).is_err());
    // An address is forgotten in the columns and keys that are no text.
    wanted.reason = "request 9".into();
    let address = Who::parse(&["192.0.2.9".to_owned()]).unwrap();
    let done = desk.forget(&address, &wanted).unwrap();
    assert_eq!(done.addresses, 1);
    assert_eq!(
        node.ask("SELECT count(*) FROM cases WHERE address IS NOT NULL")
            + node.ask("SELECT count(*) FROM reports WHERE address IS NOT NULL"),
        0
    );
}
