//! A disk that is full or may not be written, through the real program: it says so, asks to be tried again, and leaves
//! nothing half-done.
//!
//! The disks are small file systems in memory, which only root may mount; elsewhere these tests say that they skip.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A small disk that goes with the test.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str, size: &str) -> Option<Disk> {
        let path = std::env::temp_dir().join(format!("sluis-disk-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], &path);
        if !mounted {
            eprintln!("SKIPPED: only root may mount a small disk, so '{name}' is not tested here");
            let _ = std::fs::remove_dir(&path);
            return None;
        }
        Some(Disk(path))
    }

    fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Fills the disk up to so many bytes.
    fn fill(&self, free: u64) {
        let path = self.0.join("filler");
        let mut most = std::fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        let block = vec![1u8; 4096];
        while std::io::Write::write_all(&mut most, &block).is_ok() {}
        let length = most.metadata().unwrap().len();
        most.set_len(length.saturating_sub(free)).unwrap();
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("filler")).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).stderr(Stdio::null()).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(at).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

fn sluis(data: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.arg("--data").arg(data).args(["--now", "2026-06-02T06:00:00Z"]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || std::io::Write::write_all(&mut stdin, input));
        child.wait_with_output().unwrap()
    })
}

fn feed(rows: u32) -> Vec<u8> {
    let mut out = b"timestamp,ip,protocol,port,tag,banner\n".to_vec();
    let mut state = 1u64;
    for row in 0..rows {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let ip = format!("10.0.{}.{}", row >> 8 & 255, row & 255);
        out.extend_from_slice(
            format!("2026-06-01 01:02:03,{ip},tcp,{},telnet,{state:016x}{:016x}\n", row % 7 + 1, !state).as_bytes(),
        );
    }
    out
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

fn summary(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// However little room there is, the program either does its work or says why not; with room again, everything is there
/// once.
#[test]
fn a_full_disk_loses_nothing_and_doubles_nothing() {
    let feed = feed(20_000);
    for free in [0, 8, 40, 100, 200, 400, 450, 500, 550, 600, 650, 700, 1_000, 2_000, 3_000, 5_000].map(|kib| kib << 10) {
        let Some(disk) = Disk::new(&format!("full-{free}"), "24m") else { return };
        let first =
            sluis(&disk.data(), &["receive", "--json"], b"timestamp,ip,port,tag\n2026-06-01 00:00:00,192.0.2.7,23,telnet\n");
        assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
        disk.fill(free);
        let full = sluis(&disk.data(), &["receive", "--json", "-"], &feed);
        let said = String::from_utf8_lossy(&full.stderr).into_owned();
        match full.status.code() {
            Some(0) => {}
            Some(75) => {
                assert!(said.contains("full") || said.contains("No space"), "{free}: {said}");
                assert!(!said.contains("panicked"), "{free}: {said}");
            }
            code => panic!("{free}: {code:?} {said}"),
        }
        disk.make_room();
        let again = sluis(&disk.data(), &["receive", "--json", "-"], &feed);
        assert!(again.status.success(), "{free}: {}", String::from_utf8_lossy(&again.stderr));
        let came = summary(&again);
        // Acknowledged before or not, the bytes are here once now, and were worked off by one run or the other.
        assert_eq!(came["received"].as_u64().unwrap() + came["repeated"].as_u64().unwrap(), 1, "{free}: {came}");
        if full.status.code() == Some(75) {
            assert_eq!(came["received"], 1, "{free}: it was told to come again, and is not known: {came}");
        }
        let data = disk.data();
        let cases = sluis(&data, &["queue", "--json"], b"");
        assert!(cases.status.success(), "{}", String::from_utf8_lossy(&cases.stderr));
        let connection = rusqlite::Connection::open(data.join("sluis.db")).unwrap();
        let count = |text: &str| -> i64 { connection.query_row(text, (), |row| row.get(0)).unwrap() };
        assert_eq!(count("SELECT count(*) FROM submissions"), 2, "{free}");
        assert_eq!(count("SELECT count(*) FROM reports"), 20_001, "{free}");
        assert_eq!(count("SELECT sum(reports) FROM cases"), 20_001, "{free}");
        assert_eq!(count("SELECT sum(reports) FROM daily"), 20_001, "{free}");
        assert_eq!(count("SELECT count(*) FROM submissions WHERE progress = 1"), 2, "{free}");
        assert_eq!(files(&data.join("raw")).len() as i64, count("SELECT count(*) FROM submissions WHERE place = 1"), "{free}");
        eprintln!(
            "{:>5} KiB free: exit {:?}, {}",
            free >> 10,
            full.status.code(),
            said.lines().next().unwrap_or("(nothing said)")
        );
    }
}

#[test]
fn a_full_disk_refuses_a_data_directory_that_is_not_there_yet() {
    let Some(disk) = Disk::new("empty", "1m") else { return };
    disk.fill(0);
    let full = sluis(&disk.data(), &["receive"], &feed(10));
    assert_eq!(full.status.code(), Some(75), "{}", String::from_utf8_lossy(&full.stderr));
    disk.make_room();
    let again = sluis(&disk.data(), &["receive", "--json"], &feed(10));
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stderr));
}

#[test]
fn a_disk_that_may_only_be_read_is_read() {
    let Some(disk) = Disk::new("read-only", "16m") else { return };
    assert!(sluis(&disk.data(), &["receive"], &feed(10)).status.success());
    assert!(mount(&["-o", "remount,ro"], &disk.0));
    let refused = sluis(&disk.data(), &["receive"], &feed(11));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(75), "{said}");
    assert!(said.to_lowercase().contains("read-only"), "{said}");
    let cases = sluis(&disk.data(), &["case", "list", "--json"], b"");
    let said = String::from_utf8_lossy(&cases.stderr).into_owned();
    assert!(cases.status.success(), "what is there can be looked at: {said}");
    assert!(mount(&["-o", "remount,rw"], &disk.0));
    assert!(sluis(&disk.data(), &["receive"], &feed(11)).status.success());
}

/// Of two processes, the second lays what comes into the spool: durable, exit 0, and taken by whoever is next.
#[test]
fn a_spooled_file_that_cannot_be_read_does_not_turn_mail_away() {
    let data = std::env::temp_dir().join(format!("sluis-spool-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&data);
    std::fs::create_dir_all(data.join("spool/new")).unwrap();
    std::os::unix::fs::symlink("/proc/self/mem", data.join("spool/new/0000-pipe-bad")).unwrap();
    let came = sluis(&data, &["receive", "--json"], &feed(10));
    let said = String::from_utf8_lossy(&came.stderr).into_owned();
    assert!(came.status.success(), "{said}");
    assert_eq!((summary(&came)["received"].as_u64(), summary(&came)["reports"].as_u64()), (Some(1), Some(10)), "{said}");
    assert!(!said.is_empty(), "that something in the spool cannot be read is said");
    std::fs::remove_dir_all(&data).unwrap();
}
