//! Erasing what was sealed: the field is gone, its neighbours and their proofs are not, whenever the power fails and whichever keys
//! are put back.
#![allow(clippy::unwrap_used)]

mod engine;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use desk::forget::{Wanted, Who};
use desk::retain::Periods;
use desk::seal::open::{self, Opened};
use desk::{Clock, Desk, Reading, backup, restore};
use model::submission::Door;
use model::time::{DAY, Time};
use seal::record::Value;
use seal::seed::{self, Node as Place};
use store::Engine;
use store::erasures::cuts::Stage;
use store::sealed::what;

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
    folder: PathBuf,
    clock: Arc<Later>,
    engine: Engine,
    database: Option<engine::Database>,
}

impl Node {
    fn new() -> Node {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluis-erasing-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let (engine, database) = engine::engine(module_path!());
        Node { folder, clock: Arc::new(Later(AtomicI64::new(START))), engine, database }
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as _
    }

    /// The test that starts another process hands it, for a moment, every lock that others hold here.
    fn open(&self) -> Desk {
        let open = || Desk::open_on(&self.data(), &self.engine, self.clock(), Reading::default());
        for _ in 0..100 {
            match open() {
                Err(desk::Error::Conflict(_)) => std::thread::sleep(std::time::Duration::from_millis(20)),
                opened => return opened.unwrap(),
            }
        }
        open().unwrap()
    }

    fn later(&self, days: i64) {
        self.clock.0.fetch_add(days * DAY, Ordering::Relaxed);
    }

    fn ask(&self, text: &str) -> i64 {
        if let Some(database) = &self.database {
            return database.client().query_one(text, &[]).unwrap().get(0);
        }
        rusqlite::Connection::open(self.data().join("sluis.db")).unwrap().query_row(text, (), |row| row.get(0)).unwrap()
    }

    fn change(&self, text: &str) {
        if let Some(database) = &self.database {
            return database.client().batch_execute(text).unwrap();
        }
        rusqlite::Connection::open(self.data().join("sluis.db")).unwrap().execute_batch(text).unwrap();
    }

    /// Whether bytes stand in any file of the node.
    fn has(&self, needle: &[u8]) -> bool {
        has(&self.data(), needle)
    }

    fn backup(&self) {
        backup::take(&backup::Plan {
            data: &self.data(),
            engine: &self.engine,
            to: &self.folder.join("backups"),
            keys: Some(&self.folder.join("keys")),
            beside: false,
            settings: &[],
            most: None,
            now: self.clock.now(),
        })
        .unwrap();
    }

    fn put_back_keys(&self, copy: &Path) {
        for name in ["keys.db", "keys.db-wal", "keys.db-shm"] {
            let _ = std::fs::remove_file(self.data().join(name));
        }
        std::fs::copy(copy, self.data().join("keys.db")).unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whether bytes stand in any file of a folder.
fn has(folder: &Path, needle: &[u8]) -> bool {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path).unwrap().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle)) {
                return true;
            }
        }
    }
    false
}

fn report(address: &str, contact: &str, text: &str) -> String {
    let seen = Time(START);
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"550e8400-e29b-41d4-a716-446655440000","timestamp":"{seen}",
"reporter":{{"org":"Example Watch","contact":"{contact}","domain":"watch.example"}},
"sender":{{"org":"Example Watch","contact":"{contact}","domain":"watch.example"}},
"source_identifier":"{address}","source_port":40222,"category":"connection","type":"login_attack","protocol":"tcp",
"first_seen":"{seen}","destination_ip":"203.0.113.9","destination_port":22,"evidence_source":"honeypot","description":"{text}"}}"#
    )
}

fn take(desk: &Desk, name: &str, text: &str) {
    desk.receive(Door::File, name, &mut text.as_bytes()).unwrap();
    desk.work(&|_, _| {}).unwrap();
}

fn feed(rows: u32) -> String {
    let mut out =
        "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"region\",\"city\",\"banner\"\n"
            .to_owned();
    for row in 0..rows {
        let host = if row == 4_321 { MARK } else { "" };
        out.push_str(&format!(
            "\"2026-02-02 02:00:00\",\"198.51.100.{}\",\"tcp\",23,\"{host}\",\"telnet\",64496,\"NL\",\"\",\"\",\"login: {row}\"\n",
            row % 50
        ));
    }
    out
}

fn stream(desk: &Desk, of: i64, target: i64) -> Vec<Opened> {
    desk.store().reader().unwrap().read(|transaction| open::stream(transaction, desk.store().keys(), of, target)).unwrap()
}

fn text(opened: &Opened, name: &str) -> String {
    match opened.get(name) {
        Value::Text(text) => text.clone(),
        Value::Absent => String::new(),
        other => panic!("{name} is {other:?}"),
    }
}

fn who(word: &str) -> Who {
    Who::parse(&[word.to_owned()]).unwrap()
}

fn wanted() -> Wanted {
    Wanted { force: true, raw: true, reason: "request 7".into(), by: "anna".into(), ..Wanted::default() }
}

/// A field that is erased, with the record that says so; its neighbours open and lead to the log still.
fn is_erased(desk: &Desk, case: i64, name: &str) -> Option<i64> {
    let first = stream(desk, what::CASE, case).remove(0);
    let field = &first.fields[first.kind.ordinal(name).unwrap()];
    assert_eq!(text(&first, "event"), "opened");
    assert!(!text(&first, "resource").is_empty());
    assert_eq!(field.open.is_none(), field.erased.is_some(), "{field:?}");
    field.erased
}

/// The keys of a record that all follow from what is in `keys.db` now.
fn seeds(desk: &Desk, number: u64) -> (Vec<[u8; 32]>, Option<[u8; 32]>) {
    let nodes = desk.store().keys().seeds_of_block(number / seed::BLOCK).unwrap();
    let of = |place: Place| {
        nodes.iter().find_map(|(depth, path, seed)| seed::descend(seed, Place { depth: *depth, path: *path }, place))
    };
    let reporter = seal::record::OPENED.ordinal("reporter").unwrap() as u8;
    (nodes.iter().map(|(.., seed)| *seed).collect(), of(Place::of_field(number, reporter)))
}

#[test]
fn a_person_is_cut_out_of_what_was_sealed_and_nobody_else_is() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", MARK, "first"));
    take(&desk, "two.json", &report("192.0.2.10", "reports@watch.example", "second"));
    desk.seal().unwrap();
    let first = stream(&desk, what::CASE, 1).remove(0);
    assert!(text(&first, "reporter").contains(MARK));
    let number = first.row.number.unsigned_abs();
    let (all, key) = seeds(&desk, number);
    node.backup();
    let is_in = |folder: &str| has(&node.folder.join(folder), &all[0]);
    assert_eq!((is_in("backups"), is_in("keys"), is_in("data")), (false, true, false), "keys are in their own backup only");

    let dry = Wanted { dry_run: true, ..wanted() };
    let found = desk.forget(&who(MARK), &dry).unwrap();
    // A single notice is in no batch.
    assert_eq!((found.sealed, found.sealed_reports), (1, 0), "{found:?}");
    assert_eq!(found.copies_end, Some(Time(START).plus(30 * DAY)));
    let kek = std::fs::read(node.data().join("kek/1")).unwrap();
    let done = desk.forget(&who(MARK), &wanted()).unwrap();
    assert_eq!((done.sealed, done.sealed_reports, done.unfinished), (found.sealed, 0, None));
    assert!(desk.forget(&who(MARK), &dry).unwrap().is_empty());

    // Gone from every file: the words, the key, what it followed from, and what that was encrypted under.
    assert!(!node.has(MARK.as_bytes()));
    for secret in all.iter().chain(&key).map(|secret| &secret[..]).chain([&kek[..]]) {
        assert!(!node.has(secret));
    }
    let (now, key) = seeds(&desk, number);
    assert!(key.is_none() && now.iter().all(|seed| !all.contains(seed)));

    // Who is told of it: the record that confirms it, which names the record and the field.
    let by = is_erased(&desk, 1, "reporter").unwrap();
    assert_eq!(is_erased(&desk, 2, "reporter"), None);
    let erasures = stream(&desk, what::NODE, 0);
    let stages: Vec<String> = erasures.iter().map(|opened| text(opened, "stage")).collect();
    assert_eq!(stages, ["pending", "done"]);
    assert_eq!(erasures[1].row.number, by);
    let Value::Bytes(records) = erasures[1].get("records") else { panic!("nothing is listed") };
    let bits = 1u32 << seal::record::OPENED.ordinal("reporter").unwrap();
    let wanted_entry = [&first.commitment[..], &bits.to_be_bytes()].concat();
    assert!(records.chunks(36).any(|entry| entry == wanted_entry));
    assert_eq!(erasures[0].get("records"), erasures[1].get("records"));
    assert_eq!(erasures[1].get("keys_until"), &Value::Time(START + 30 * DAY));
    // And how many fields were, for everybody.
    let count = node.ask("SELECT count(*) FROM erased");
    let entries = desk.store().reader().unwrap().read(|transaction| transaction.log_entries(1, 0, 1_000)).unwrap();
    let public = entries.iter().filter(|entry| entry.starts_with(&[1, 2, 0, 9, 4])).count();
    assert_eq!((count, public), (1, 1));
    // What is sealed from now on is whole.
    take(&desk, "three.json", &report("192.0.2.11", "reports@watch.example", "third"));
    desk.seal().unwrap();
    assert_eq!(is_erased(&desk, 3, "reporter"), None);
}

#[test]
fn an_erasure_that_broke_off_is_gone_on_with() {
    for last in ["written down", "announced", "cut", "destroyed", "confirming sealed"] {
        let node = Node::new();
        let desk = node.open();
        take(&desk, "one.json", &report("192.0.2.9", MARK, "first"));
        desk.seal().unwrap();
        // What `forget` writes down.
        let record = stream(&desk, what::CASE, 1).remove(0);
        let ordinal = record.kind.ordinal("reporter").unwrap() as u32;
        let cut = store::erasures::cuts::Cut {
            what: store::erasures::cuts::FIELD,
            number: record.row.number,
            ordinal,
            digest: record.fields[ordinal as usize].digest,
        };
        let write = |work: &dyn Fn(&store::Transaction<'_>) -> Result<(), store::Error>| {
            desk.store().write("test", |transaction| work(transaction)).unwrap();
        };
        write(&|transaction| transaction.begin_erasing(&[cut], "request", "anna", 0).map(drop));
        let announce = || {
            desk.seal().unwrap();
            write(&|transaction| transaction.set_announced(1));
        };
        let destroy = || {
            let tree = [(store::keys::seeds::Tree::Block, 0)];
            let out = Place::of_field(record.row.number.unsigned_abs(), ordinal as u8);
            desk.store()
                .keys()
                .cut(&tree, &mut |_, _, nodes| {
                    let (depth, path, seed) = nodes[0];
                    let kept = seed::cut(&seed, Place { depth, path }, out).unwrap();
                    Ok(kept.into_iter().map(|(node, seed)| (node.depth, node.path, seed)).collect())
                })
                .unwrap();
        };
        if last != "written down" {
            announce();
        }
        if matches!(last, "cut" | "destroyed" | "confirming sealed") {
            destroy();
        }
        if matches!(last, "destroyed" | "confirming sealed") {
            desk.store().keys().set_erasures(1).unwrap();
            write(&|transaction| transaction.set_destroyed(1));
        }
        if last == "confirming sealed" {
            desk.seal().unwrap();
        }
        drop(desk);
        let desk = node.open();
        // Until it is confirmed the field is hidden, and nothing says that it was erased.
        let hidden = &stream(&desk, what::CASE, 1)[0].fields[ordinal as usize];
        assert_eq!((hidden.open.is_none(), hidden.erased), (true, None), "{last}");
        assert!(desk.finish_erasing().unwrap(), "{last}");
        assert!(!desk.finish_erasing().unwrap(), "{last}");
        assert!(is_erased(&desk, 1, "reporter").is_some(), "{last}");
        assert_eq!(seeds(&desk, record.row.number.unsigned_abs()).1, None, "{last}");
        let stages: Vec<String> = stream(&desk, what::NODE, 0).iter().map(|opened| text(opened, "stage")).collect();
        assert_eq!(stages, ["pending", "done"], "{last}");
        assert!(desk.store().reader().unwrap().read(|transaction| transaction.erasings(Stage::Destroyed)).unwrap().is_empty());
    }
}

#[test]
fn keys_that_are_put_back_go_through_all_erasures_again() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", MARK, "first"));
    desk.seal().unwrap();
    let number = stream(&desk, what::CASE, 1)[0].row.number.unsigned_abs();
    let copy = node.folder.join("copy.db");
    store::backup::copy_keys(&node.data().join("keys.db"), &copy).unwrap();
    let public = desk.forget(&who(MARK), &wanted()).unwrap().raw[0];
    assert_eq!(public, 1);
    drop(desk);
    node.put_back_keys(&copy);
    let desk = node.open();
    assert_eq!(seeds(&desk, number).1, None, "what was erased stays so");
    assert!(is_erased(&desk, 1, "reporter").is_some());
    assert_eq!(desk.store().keys().count().unwrap(), 0, "and so does what the submission was");
    // Once, not at each start.
    let generation = desk.store().keys().generation();
    drop(desk);
    assert_eq!(node.open().store().keys().generation(), generation);
}

#[test]
fn older_rows_beside_newer_keys_are_sealed_again() {
    let node = Node::new();
    if node.database.is_some() {
        // Rows of PostgreSQL are restored into another database; what is done then is the same.
        return;
    }
    let desk = node.open();
    take(&desk, "zero.json", &report("192.0.2.7", MARK, "nought"));
    take(&desk, "one.json", &report("192.0.2.8", "reports@watch.example", "first"));
    desk.seal().unwrap();
    node.later(1);
    node.backup();
    // After the backup: sealed, forgotten, and the keys are copied once more.
    take(&desk, "two.json", &report("192.0.2.9", MARK, "second"));
    desk.seal().unwrap();
    desk.forget(&who(MARK), &wanted()).unwrap();
    store::backup::copy_keys(&node.data().join("keys.db"), &node.folder.join("newer.db")).unwrap();
    drop(desk);
    std::fs::rename(node.folder.join("newer.db"), node.folder.join("keys/keys.db")).unwrap();
    let data = node.folder.join("restored");
    let plan = restore::Plan {
        from: &node.folder.join("backups"),
        keys: Some(&node.folder.join("keys")),
        data: &data,
        engine: &Engine::Sqlite,
    };
    let restored = restore::restore(&plan, node.clock()).unwrap();
    assert_eq!(restored.erased_since, 1);
    std::fs::remove_dir_all(node.data()).unwrap();
    std::fs::rename(&data, node.data()).unwrap();
    let desk = node.open();
    desk.begin_log().unwrap();
    // The numbers of what is lost are given out again; what was cut out of them is no hindrance.
    take(&desk, "three.json", &report("192.0.2.11", "reports@watch.example", "third"));
    desk.seal().unwrap();
    for case in [2, 3] {
        assert_eq!(is_erased(&desk, case, "reporter"), None);
    }
    // What was erased is so still, and the log says it once more.
    assert!(desk.finish_erasing().unwrap());
    assert!(is_erased(&desk, 1, "reporter").is_some());
    assert_eq!(stream(&desk, what::NODE, 0).len(), 2);
}

#[test]
fn a_case_that_is_too_old_goes_from_the_seal_whole() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "2026-02-02-scan_telnet-example.csv", &feed(40));
    take(&desk, "two.json", &report("192.0.2.10", MARK, "second"));
    desk.seal().unwrap();
    drop(desk);
    node.change(&format!("UPDATE cases SET state = 1, closed = {START}, closure = 0 WHERE id <= 40"));
    let desk = node.open();
    let batch = node.ask("SELECT number FROM records WHERE what = 0 ORDER BY number LIMIT 1");
    node.later(731);
    let done = desk.retain(&Periods::default(), false).unwrap();
    assert!(done.iter().any(|one| one.what == "cases" && one.count == 40), "{done:?}");
    let secret = |case: i64| {
        let keys = desk.store().keys();
        desk.store().reader().unwrap().read(|transaction| open::secret(transaction, keys, what::CASE, case)).unwrap()
    };
    assert_eq!((secret(1), secret(40), secret(41).is_some()), (None, None, true));
    assert!(stream(&desk, what::CASE, 1).is_empty());
    assert!(text(&stream(&desk, what::CASE, 41)[0], "reporter").contains(MARK), "the other case is as it was");
    assert_eq!(node.ask("SELECT count(*) FROM records WHERE what = 1 AND target = 1 AND length(sealed) > 0"), 0);
    assert_eq!(
        node.ask(&format!("SELECT CAST(length(sealed) AS BIGINT) FROM records WHERE number = {batch}")),
        0,
        "nor its batch"
    );
    assert!(desk.store().keys().seeds_of_batch(node.ask("SELECT min(id) FROM batches")).unwrap().len() > 1);
    assert_eq!(node.ask("SELECT count(*) FROM erased WHERE what = 0"), 40);
    assert_eq!(node.ask("SELECT count(*) FROM erasing WHERE stage = 3"), 1);
    // The log is as it was: `fsck` has nothing to say, and goes on.
    take(&desk, "three.json", &report("192.0.2.11", MARK, "third"));
    desk.seal().unwrap();
    desk.check_log().unwrap();
}

#[test]
fn one_report_of_ten_thousand_is_erased_alone() {
    let node = Node::new();
    let desk = node.open();
    take(&desk, "2026-02-02-scan_telnet-example.csv", &feed(10_000));
    desk.seal().unwrap();
    let batch = node.ask("SELECT min(id) FROM batches");
    let reports = |desk: &Desk, places: &[u32]| {
        let keys = desk.store().keys();
        desk.store().reader().unwrap().read(|transaction| open::reports(transaction, keys, batch, places)).unwrap()
    };
    let all: Vec<u32> = (0..10_000).step_by(997).collect();
    let before = reports(&desk, &all);
    let done = desk.forget(&who(MARK), &wanted()).unwrap();
    assert_eq!((done.sealed_reports, done.unfinished), (1, None));
    let gone = u32::try_from(node.ask("SELECT ordinal FROM erased WHERE what = 0")).unwrap();
    let after = reports(&desk, &all);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after, "{}", after.place);
    }
    let beside = reports(&desk, &[gone, gone ^ 1]);
    assert_eq!((beside[0].fields[0].open.is_none(), beside[0].fields[0].erased.is_some()), (true, true));
    assert!(beside[1].fields[0].open.is_some());
    assert!(!node.has(MARK.as_bytes()));
}

/// The data directory in which a process forgets somebody until it is killed.
const TASK: &str = "SLUIS_TEST_FORGETS";

#[test]
fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(TASK) else { return };
    let clock = Arc::new(Later(AtomicI64::new(START)));
    let desk = Desk::open(Path::new(&folder), clock, Reading::default()).unwrap();
    desk.forget(&who(MARK), &wanted()).unwrap();
    desk.finish_erasing().unwrap();
}

#[test]
fn killed_at_any_moment_a_person_is_forgotten_in_the_end() {
    let node = Node::new();
    if node.database.is_some() {
        return;
    }
    let desk = node.open();
    take(&desk, "one.json", &report("192.0.2.9", MARK, "first"));
    take(&desk, "two.json", &report("192.0.2.10", "reports@watch.example", "second"));
    take(&desk, "list.csv", &feed(5_000));
    desk.seal().unwrap();
    let number = stream(&desk, what::CASE, 1)[0].row.number.unsigned_abs();
    let before = seeds(&desk, number).0;
    drop(desk);
    let mut kills = 0;
    for pause in (0..).map(|round| round * 7) {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_process_that_is_killed", "--test-threads", "1"])
            .env(TASK, node.data())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20 + pause));
        let is_done = child.try_wait().unwrap().is_some_and(|status| status.success());
        let _ = child.kill();
        child.wait().unwrap();
        kills += u32::from(!is_done);
        if is_done || kills == 200 {
            break;
        }
    }
    println!("{kills} were killed");
    let desk = node.open();
    desk.forget(&who(MARK), &wanted()).unwrap();
    assert!(!node.has(MARK.as_bytes()));
    assert!(before.iter().all(|seed| !node.has(seed)));
    assert!(is_erased(&desk, 1, "reporter").is_some());
    assert_eq!(is_erased(&desk, 2, "reporter"), None);
    let stages: Vec<String> = stream(&desk, what::NODE, 0).iter().map(|opened| text(opened, "stage")).collect();
    assert_eq!(stages.len() % 2, 0, "{stages:?}");
    assert_eq!(node.ask("SELECT count(*) FROM erasing WHERE stage < 3"), 0);
    assert_eq!(node.ask("SELECT count(*) FROM erased WHERE record < 0"), 0);
    desk.check_log().unwrap();
}
