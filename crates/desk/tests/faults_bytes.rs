//! Bytes that are damaged, missing, too many or never come: each is set aside clearly, and nothing else waits for it.

#![allow(clippy::unwrap_used)]

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::import::How;
use desk::{Clock, Desk, Error, Reading};
use model::submission::{Door, Progress, Submission};
use model::time::Time;
use store::submissions::Receipt;

struct At(Time);

impl Clock for At {
    fn now(&self) -> Time {
        self.0
    }
}

/// A data directory that goes with the test.
struct Data(PathBuf);

impl Data {
    fn new(name: &str) -> Data {
        let path = std::env::temp_dir().join(format!("sluis-bytes-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Data(path)
    }

    fn open(&self) -> Desk {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Desk, Error> {
        Desk::open(&self.0, Arc::new(At(Time(1_780_380_000_000))), Reading::default())
    }

    /// Files below `raw`.
    fn raw_files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, into) } else { into.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(&self.0.join("raw"), &mut files);
        files
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A feed of so many rows, whose banners do not pack well.
fn feed(rows: u32) -> Vec<u8> {
    let mut out = b"timestamp,ip,protocol,port,tag,banner\n".to_vec();
    let mut state = 1u64;
    for row in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        writeln!(out, "2026-06-01 01:02:03,10.0.{}.{},tcp,23,telnet,{state:016x}{:016x}", row >> 8 & 255, row & 255, !state)
            .unwrap();
    }
    out
}

fn receive(desk: &Desk, name: &str, bytes: &[u8]) -> i64 {
    match desk.receive(Door::File, name, &mut &*bytes).unwrap() {
        Receipt::New(id) => id,
        Receipt::Known(id) => panic!("{name} was here before, as {id}"),
    }
}

fn submission(desk: &Desk, id: i64) -> Submission {
    desk.store().reader().unwrap().read(|transaction| transaction.submission(id)).unwrap().unwrap()
}

/// A reader that gives some bytes and then an error.
struct Failing(Cursor<Vec<u8>>, fn() -> io::Error);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err((self.1)()),
            count => Ok(count),
        }
    }
}

#[test]
fn a_sender_that_breaks_off_leaves_nothing() {
    let data = Data::new("breaks-off");
    let desk = data.open();
    for size in [0, 100, 200_000, 2 << 20, 5 << 20] {
        let bytes = feed(100_000)[..size].to_vec();
        let mut reader = Failing(Cursor::new(bytes), || io::ErrorKind::ConnectionReset.into());
        let error = desk.receive(Door::Pipe, "x.csv", &mut reader).unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        assert_eq!(data.raw_files(), Vec::<PathBuf>::new(), "after {size} bytes");
    }
}

#[test]
fn damaged_raw_files_are_set_aside_and_hold_up_nobody() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage, &str); 7] = [
        ("truncated", |path| resize(path, |length| length / 2), "stored bytes"),
        ("cut to a header", |path| resize(path, |_| 8), "stored bytes"),
        ("cut to three bytes", |path| resize(path, |_| 3), "stored bytes"),
        ("emptied", |path| resize(path, |_| 0), "stored bytes"),
        ("altered", |path| alter(path, 5_000), "altered"),
        ("altered in a length", |path| alter(path, 8), "longer than any"),
        ("gone", |path| std::fs::remove_file(path).unwrap(), "stored bytes"),
    ];
    let data = Data::new("damaged");
    let desk = data.open();
    for (number, (name, damage, reason)) in damages.into_iter().enumerate() {
        let known = data.raw_files();
        let id = receive(&desk, name, &feed(5_000 + number as u32));
        let path = data.raw_files().into_iter().find(|path| !known.contains(path)).unwrap();
        damage(&path);
        let good = receive(&desk, "good.csv", &feed(10 + number as u32));
        let worked = desk.work(&|_, _| {}).unwrap();
        assert_eq!((worked.submissions, worked.unreadable), (2, 1), "{name}");
        let bad = submission(&desk, id);
        assert_eq!(bad.progress, Progress::Unreadable, "{name}");
        assert!(bad.reason.contains(reason), "{name}: {}", bad.reason);
        assert_eq!(submission(&desk, good).progress, Progress::Read, "{name}");
    }
}

fn resize(path: &Path, to: fn(u64) -> u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_len(to(file.metadata().unwrap().len())).unwrap();
}

fn alter(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x40;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_file_that_cannot_be_read_now_is_read_later_and_holds_up_nobody() {
    let data = Data::new("later");
    let desk = data.open();
    let id = receive(&desk, "large.csv", &feed(40_000));
    // A folder in the place of the file fails to be read, for everybody, in a way that may pass.
    let path = data.raw_files().remove(0);
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    std::fs::create_dir(&path).unwrap();
    let good = receive(&desk, "good.csv", &feed(10));
    let error = desk.work(&|_, _| {}).unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(submission(&desk, good).progress, Progress::Read);
    assert_eq!(submission(&desk, id).progress, Progress::Received);
    std::fs::remove_dir(&path).unwrap();
    std::fs::rename(&away, &path).unwrap();
    desk.work(&|_, _| {}).unwrap();
    assert_eq!((submission(&desk, id).progress, submission(&desk, id).reports), (Progress::Read, 40_000));
}

#[test]
fn a_submission_whose_key_is_lost_says_so() {
    let data = Data::new("key");
    let desk = data.open();
    let id = receive(&desk, "feed.csv", &feed(10));
    desk.store().keys().destroy(&[submission(&desk, id).public]).unwrap();
    let good = receive(&desk, "good.csv", &feed(11));
    desk.work(&|_, _| {}).unwrap();
    assert!(submission(&desk, id).reason.contains("key is gone"), "{}", submission(&desk, id).reason);
    assert_eq!(submission(&desk, good).progress, Progress::Read);
}

#[test]
fn what_was_written_and_never_acknowledged_is_forgotten() {
    let data = Data::new("orphan");
    let desk = data.open();
    let kept = receive(&desk, "kept.csv", &feed(5_000));
    // As a process leaves it that dies before its row is committed: the key kept, the file in its place.
    let mut arrived = store::raw::write(
        desk.store().directory(),
        desk.store().keys(),
        store::keys::public_id(desk.now()).unwrap(),
        &mut &feed(6_000)[..],
    )
    .unwrap();
    desk.store().keys().keep(&[(arrived.public, arrived.key)]).unwrap();
    store::raw::settle(desk.store().directory(), &mut arrived).unwrap();
    assert_eq!(data.raw_files().len(), 2);
    drop(desk);
    let desk = data.open();
    assert_eq!(data.raw_files().len(), 1);
    assert_eq!(desk.store().keys().get(arrived.public).unwrap(), None);
    desk.work(&|_, _| {}).unwrap();
    assert_eq!(submission(&desk, kept).reports, 5_000);
}

#[test]
fn a_small_archive_that_makes_millions_of_statements_is_worked_off_in_parts() {
    let data = Data::new("archive");
    let desk = data.open();
    let mut rows = b"timestamp,ip,protocol,port,tag\n".to_vec();
    (0..30_000).for_each(|_| rows.extend_from_slice(b"\"\xff\",\"\"\n"));
    (0..60_000).for_each(|_| rows.extend_from_slice(b"2026-06-01 01:02:03,10.0.0.1,tcp,23,telnet\n"));
    (0..30_000).for_each(|_| rows.extend_from_slice(b"x,\n"));
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("2026-06-01-scan_telnet.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&rows).unwrap();
    let packed = zip.finish().unwrap().into_inner();
    assert!(packed.len() < 100_000);
    let id = receive(&desk, "feed.zip", &packed);
    desk.work(&|_, _| {}).unwrap();
    let done = submission(&desk, id);
    assert_eq!((done.progress, done.reports, done.rejects), (Progress::Read, 60_000, 60_000));
}

#[test]
fn the_same_bytes_are_counted_and_not_repeated() {
    let data = Data::new("same");
    let desk = data.open();
    let id = receive(&desk, "feed.csv", &feed(5_000));
    desk.work(&|_, _| {}).unwrap();
    for _ in 0..3 {
        assert_eq!(desk.receive(Door::File, "other.csv", &mut &feed(5_000)[..]).unwrap(), Receipt::Known(id));
    }
    desk.work(&|_, _| {}).unwrap();
    let once = submission(&desk, id);
    assert_eq!((once.times, once.reports, data.raw_files().len()), (4, 5_000, 1));
}

#[test]
fn a_second_process_is_refused_and_a_newer_schema_too() {
    let data = Data::new("two");
    let desk = data.open();
    let said = |result: Result<Desk, Error>| match result {
        Err(Error::Conflict(text)) => text,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was opened"),
    };
    assert!(said(data.try_open()).contains("another sluis process owns"));
    drop(desk);
    rusqlite::Connection::open(data.0.join("sluis.db")).unwrap().pragma_update(None, "user_version", 999).unwrap();
    assert!(said(data.try_open()).contains("install the newer program"));
}

#[test]
fn a_damaged_chunk_of_fields_says_what_to_do_and_other_cases_are_fine() {
    let data = Data::new("chunk");
    let desk = data.open();
    let mut reader = {
        receive(&desk, "one.csv", &feed(1));
        desk.work(&|_, _| {}).unwrap();
        receive(&desk, "two.csv", &feed(2));
        desk.work(&|_, _| {}).unwrap();
        desk.store().reader().unwrap()
    };
    let connection = rusqlite::Connection::open(data.0.join("sluis.db")).unwrap();
    connection.execute("UPDATE fields SET data = substr(data, 1, 20) WHERE id = (SELECT min(id) FROM fields)", ()).unwrap();
    let read = |id: i64, reader: &mut store::Reader| reader.read(|transaction| Ok(transaction.reports_from(id, 10)?.1.len()));
    let error: store::Error = read(1, &mut reader).unwrap_err();
    assert!(error.to_string().contains("restore sluis.db"), "{error}");
    assert_eq!(read(2, &mut reader).unwrap(), 2);
    // Importing looks at every case without a holder, the damaged one too.
    let said = model::administration::Snapshot { complete: true, ..Default::default() };
    desk.import("oak", "csv", &said, How::Vouched).unwrap();
    desk.find_holders().unwrap();
}

#[test]
fn a_spool_file_that_cannot_be_taken_holds_up_nobody() {
    let data = Data::new("spool");
    let desk = data.open();
    let clock = At(Time(1_780_380_000_000));
    desk::spool::put(&data.0, &clock, Door::Pipe, "b.csv", &mut &feed(3)[..]).unwrap();
    // A link to a file that nobody can read to its end, sorted before all others.
    let first = data.0.join("spool/new/0000-pipe-a.csv");
    std::os::unix::fs::symlink("/proc/self/mem", &first).unwrap();
    assert!(desk.take_spool().is_err());
    std::fs::remove_file(&first).unwrap();
    assert_eq!(desk.take_spool().unwrap(), 0, "the other one was taken");
    desk.work(&|_, _| {}).unwrap();
    assert_eq!(submission(&desk, 1).reports, 3);
}

#[test]
fn a_reader_that_crashes_twice_is_set_aside_and_what_it_read_before_is_kept_once() {
    let data = Data::new("poison");
    let desk = data.open();
    let poison = receive(&desk, "poison.csv", &feed(120_000));
    let good = receive(&desk, "good.csv", &feed(40_000));
    // What is told of the progress is called from inside the reading: when it panics, the reader does.
    let crashes = std::sync::atomic::AtomicU32::new(0);
    let crashing = |submission: &Submission, bytes: u64| {
        if submission.id == poison && bytes > submission.size * 2 / 3 {
            crashes.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            panic!("poisoned");
        }
    };
    let worked = desk.work(&crashing).unwrap();
    assert_eq!((worked.submissions, worked.unreadable, crashes.into_inner()), (2, 1, 2));
    let crashed = submission(&desk, poison);
    assert_eq!(crashed.progress, Progress::Unreadable);
    assert!(crashed.reason.contains("crashed twice: poisoned"), "{}", crashed.reason);
    assert_eq!((crashed.reports, submission(&desk, good).reports), (50_000, 40_000));
    // A better reader goes on from there.
    desk.read_again(poison).unwrap();
    desk.work(&|_, _| {}).unwrap();
    assert_eq!((submission(&desk, poison).progress, submission(&desk, poison).reports), (Progress::Read, 120_000));
}
