//! The log under everything that can go wrong: killed at any moment, a disk that fails at each step, a disk that is full, two who
//! seal at once. Never two roots for one size, and nothing that was acknowledged is lost.
//!
//! The process that is killed is this test itself. `SLUIS_KILLS` makes the kills more; the default is for every day.

#![allow(clippy::unwrap_used)]

#[path = "feed/mod.rs"]
#[expect(dead_code, reason = "feeds are for other tests")]
mod feed;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use desk::seal::{Settings, folder_of, fsck};
use desk::{Desk, Error, Reading};
use feed::{At, Random};
use model::submission::Door;
use model::time::Time;
use seal::tree::{Hash, leaf_hash, root_of};

const TASK: &str = "SLUIS_TEST_SEAL";
/// The clock of every run, 2026-06-02.
const NOW: Time = Time(1_780_380_000_000);

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("sluis-seal-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

fn open(data: &Path) -> Desk {
    let begun = Instant::now();
    loop {
        match Desk::open(data, Arc::new(At(NOW)), Reading::default()) {
            Ok(desk) => return desk,
            // The kernel lets go of a killed process's lock when it has taken the process apart, not before.
            Err(Error::Conflict(_)) if begun.elapsed() < Duration::from_secs(10) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Reports of ten addresses that nobody reported before: ten cases.
fn reports(number: u64) -> String {
    let mut text = "timestamp,ip,protocol,port,tag\n".to_owned();
    for at in 0..10 {
        text.push_str(&format!("2026-06-01 01:02:03,10.{}.{}.{at},tcp,23,telnet\n", number / 250, number % 250));
    }
    text
}

/// The size and the root that were signed last, of the newest log.
fn signed(desk: &Desk) -> Option<(u64, Hash)> {
    desk.store()
        .reader()
        .unwrap()
        .read(|transaction| {
            let Some(shard) = transaction.shard()? else { return Ok(None) };
            Ok::<_, store::Error>(transaction.signed_checkpoint(shard.id)?.map(|signed| (signed.size, signed.root)))
        })
        .unwrap()
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Does nothing unless it is the process that is to be killed. It says what it did as soon as it is done.
#[test]
fn child() {
    let Ok(data) = std::env::var(TASK) else { return };
    let desk = open(Path::new(&data));
    let first = u64::from(std::process::id()) % 500;
    for number in 0..200 {
        let number = first * 100 + number;
        desk.receive(Door::File, &format!("{number}.csv"), &mut reports(number).as_bytes()).unwrap();
        desk.work(&|_, _| {}).unwrap();
        if number % 5 == 0 {
            desk.publish().unwrap();
        } else {
            desk.seal().unwrap();
        }
        if let Some((size, root)) = signed(&desk) {
            println!("\nSIGNED {size} {}", hex(&root));
        }
    }
}

fn start(data: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]).env(TASK, data);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// What is known to have been signed: one root for one size.
#[derive(Default)]
struct Known(BTreeMap<u64, String>);

impl Known {
    fn add(&mut self, size: u64, root: String) {
        let known = self.0.entry(size).or_insert_with(|| root.clone());
        assert_eq!(*known, root, "two roots were signed for {size} entries");
    }

    /// What the files and the database say, whoever wrote them.
    fn look(&mut self, data: &Path) {
        if let Ok(bytes) = fs::read(data.join("signed/2026")) {
            let promise = seal::log::Promise::decode(&bytes).expect("a promise is whole or not there");
            self.add(promise.size, hex(&promise.root));
        }
        for path in ["checkpoint"] {
            if let Ok(bytes) = fs::read(folder_of(data, "2026").join(path)) {
                let note = seal::note::Note::parse(&bytes).unwrap();
                let checkpoint = seal::checkpoint::Checkpoint::parse(&note.text).unwrap();
                self.add(checkpoint.size, hex(&checkpoint.root));
            }
        }
    }

    /// Everything that was ever signed is a beginning of the log as it is now.
    fn all_begin(&self, desk: &Desk) {
        let mut reader = desk.store().reader().unwrap();
        let entries = reader
            .read(|transaction| {
                let shard = transaction.shard()?.unwrap();
                transaction.log_entries(shard.id, 0, u32::MAX)
            })
            .unwrap();
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        for (size, root) in &self.0 {
            assert_eq!(hex(&root_of(&leaves[..*size as usize])), *root, "{size} entries");
        }
    }
}

/// The log is sound, nothing waits, and each step is sealed once.
fn is_whole(desk: &Desk) {
    let mut reader = desk.store().reader().unwrap();
    for report in fsck::of_data(&mut reader, &Settings::default()).unwrap() {
        assert_eq!(report.wrong, Vec::<String>::new());
    }
    let database = rusqlite::Connection::open(desk.store().directory().join("sluis.db")).unwrap();
    let count = |text: &str| database.query_row(text, (), |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM unsealed"), 0);
    let unsealed = "SELECT count(*) FROM steps s WHERE (SELECT count(*) FROM records r
        WHERE r.what = 1 AND r.target = s.case_id AND r.ordinal = s.ordinal AND r.kind IN (1, 2)) <> 1";
    assert_eq!(count(unsealed), 0, "steps that are not sealed once");
    assert_eq!(count("SELECT count(*) FROM records"), count("SELECT count(DISTINCT idx) FROM records"));
}

#[test]
fn killed_at_any_moment_it_tells_one_story() {
    let kills = std::env::var("SLUIS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(24_u64);
    let data = temporary("killed");
    let (mut random, mut known, mut acknowledged) = (Random(kills ^ 0x10c), Known::default(), 0_u64);
    for _ in 0..kills {
        let mut process = start(&data);
        let lines = BufReader::new(process.stdout.take().unwrap());
        let reading = std::thread::spawn(move || lines.lines().map_while(Result::ok).collect::<Vec<_>>());
        std::thread::sleep(Duration::from_micros(20_000 + random.below(600_000)));
        process.kill().unwrap();
        process.wait().unwrap();
        for line in reading.join().unwrap() {
            if let Some((size, root)) = line.strip_prefix("SIGNED ").and_then(|rest| rest.split_once(' ')) {
                // A line that was cut off says nothing.
                if root.len() == 64 {
                    known.add(size.parse().unwrap(), root.to_owned());
                    acknowledged += 1;
                }
            }
        }
        known.look(&data);
    }
    let desk = open(&data);
    desk.recover().unwrap();
    desk.work(&|_, _| {}).unwrap();
    desk.seal().unwrap();
    known.all_begin(&desk);
    is_whole(&desk);
    desk.publish().unwrap();
    known.look(&data);
    known.all_begin(&desk);
    eprintln!("{kills} kills; {} sizes were signed, {acknowledged} of them acknowledged", known.0.len());
    drop(desk);
    fs::remove_dir_all(data).unwrap();
}

/// A step of sealing, and what makes the disk fail there: a folder where a file has to be written.
const STEPS: [(&str, &str); 4] = [
    ("a full tile", "log/2026/tile/0/000.new"),
    ("a full bundle", "log/2026/tile/entries/000.new"),
    ("the promise", "signed/2026.new"),
    ("the checkpoint that is shown", "log/2026/checkpoint.new"),
];

#[test]
fn whatever_step_fails_it_is_made_good() {
    for (step, in_the_way) in STEPS {
        let data = temporary("step");
        let desk = open(&data);
        let mut known = Known::default();
        desk.add_public(&[vec![4, 0, 0, 0, 0, 0, 0, 0, 1]]).unwrap();
        known.look(&data);
        fs::create_dir_all(data.join(in_the_way)).unwrap();
        let before = signed(&desk).unwrap();
        desk.receive(Door::File, "a.csv", &mut (0..30).map(reports).collect::<String>().as_bytes()).unwrap();
        desk.work(&|_, _| {}).unwrap();
        let failed = desk.publish();
        assert!(matches!(failed, Err(Error::Unavailable(_))), "{step}: {failed:?}");
        assert!(!desk.log_trouble().unwrap().lasts, "{step}");
        if step != "the checkpoint that is shown" {
            assert_eq!(signed(&desk).unwrap(), before, "{step}: signed though it could not be kept");
        }
        known.look(&data);
        fs::remove_dir_all(data.join(in_the_way)).unwrap();
        // The same process, and a new one.
        desk.publish().unwrap();
        assert_eq!(desk.log_trouble(), None);
        known.look(&data);
        drop(desk);
        let desk = open(&data);
        desk.add_public(&[vec![4, 0, 0, 0, 0, 0, 0, 0, 2]]).unwrap();
        known.look(&data);
        known.all_begin(&desk);
        is_whole(&desk);
        drop(desk);
        fs::remove_dir_all(data).unwrap();
    }
}

#[test]
fn a_full_disk_under_the_promise_signs_nothing_and_ends_by_itself() {
    let (data, disk) = (temporary("full"), temporary("full-disk"));
    fs::create_dir_all(&disk).unwrap();
    let mount = |arguments: &[&str]| {
        Command::new("mount").args(arguments).stderr(Stdio::null()).status().is_ok_and(|done| done.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs", &disk.display().to_string()]) {
        eprintln!("SKIPPED: only root may mount a small disk");
        return;
    }
    let result = std::panic::catch_unwind(|| {
        let mut desk = open(&data);
        let settings = Settings { signed: Some(disk.join("signed")), ..Settings::default() };
        desk.set_log(settings);
        desk.add_public(&[vec![4, 0, 0, 0, 0, 0, 0, 0, 1]]).unwrap();
        let before = signed(&desk).unwrap();
        fs::write(disk.join("filler"), vec![1; 60_000]).unwrap_or_default();
        let more: Vec<Vec<u8>> = (0..200).map(|at| [vec![4], vec![at; 100]].concat()).collect();
        let failed = desk.add_public(&more);
        assert!(matches!(&failed, Err(Error::Unavailable(said)) if said.contains("disk is full")), "{failed:?}");
        assert_eq!(signed(&desk).unwrap(), before);
        fs::remove_file(disk.join("filler")).unwrap();
        desk.seal().unwrap();
        // What was added before the disk was full is there once.
        assert_eq!(signed(&desk).unwrap().0, 201);
    });
    let _ = Command::new("umount").arg(&disk).status();
    let _ = (fs::remove_dir(&disk), fs::remove_dir_all(&data));
    result.unwrap();
}

#[test]
fn two_who_seal_at_once_make_one_log() {
    let data = temporary("two");
    let desk = open(&data);
    let (stop, known) = (AtomicBool::new(false), std::sync::Mutex::new(Known::default()));
    std::thread::scope(|scope| {
        for urgent in [true, false] {
            let (desk, stop, known) = (&desk, &stop, &known);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    if urgent { desk.seal_urgent() } else { desk.publish().map(|_| Default::default()) }.unwrap();
                    if let Some((size, root)) = signed(desk) {
                        known.lock().unwrap().add(size, hex(&root));
                    }
                }
            });
        }
        // However slow the machine is: until the two have signed some sizes beside each other.
        for number in 0..400 {
            desk.receive(Door::File, &format!("{number}.csv"), &mut reports(number).as_bytes()).unwrap();
            desk.work(&|_, _| {}).unwrap();
            if number >= 40 && known.lock().unwrap().0.len() > 5 {
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    desk.seal().unwrap();
    let known = known.into_inner().unwrap();
    assert!(known.0.len() > 5);
    known.all_begin(&desk);
    is_whole(&desk);
    drop(desk);
    fs::remove_dir_all(data).unwrap();
}
