//! The drill: a node is backed up while it works, works on, dies, and is restored elsewhere from last night's copy.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{CUSTOMERS, NOW, User, finished, login_attack};
use serde_json::Value;

/// A user whose commands work on a directory that is named.
fn at(user: &User, data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.args(["--now", NOW, "--data"]).arg(data).args(arguments).current_dir(&user.directory);
    command.env_remove("SLUIS_DATA").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn json(user: &User, data: &Path, arguments: &[&str]) -> (Option<i32>, Value) {
    let run = finished(at(user, data, arguments).spawn().unwrap());
    let value = serde_json::from_str(run.out.trim()).unwrap_or_else(|error| panic!("{error}: {run:?}"));
    (run.code, value)
}

/// Text that does not compress, more than fits into a row of the database.
fn noise() -> String {
    let mut state = 88_172_645_463_325_252u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[(state >> 58) as usize])
    };
    (0..120_000).map(|_| next()).collect()
}

/// A mail into a maildir, as a mail server lays it there.
fn deliver(maildir: &Path, name: &str, report: &str) {
    for folder in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(maildir.join(folder)).unwrap();
    }
    std::fs::write(maildir.join("tmp").join(name), report).unwrap();
    std::fs::rename(maildir.join("tmp").join(name), maildir.join("new").join(name)).unwrap();
}

struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(user: &User, data: &Path) -> Served {
    let mut command = at(user, data, &["serve"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let served = Served(command.spawn().unwrap());
    wait("the node serves", || finished(at(user, data, &["serve", "--status"]).spawn().unwrap()).code == Some(0));
    served
}

#[track_caller]
fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn read(user: &User, data: &Path) -> usize {
    let run = finished(at(user, data, &["submission", "list", "--json", "-n", "1000"]).spawn().unwrap());
    run.out.lines().filter(|line| serde_json::from_str::<Value>(line).unwrap()["progress"] == "read").count()
}

/// What people see of the cases: kind, holder, address and how many reports, sorted.
fn cases(user: &User, data: &Path) -> Vec<String> {
    let run = finished(at(user, data, &["case", "list", "--json", "-n", "1000"]).spawn().unwrap());
    let mut cases: Vec<String> = run
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|case| format!("{} {} {} {}", case["kind"], case["address"], case["holder"], case["reports"]))
        .collect();
    cases.sort();
    cases
}

#[test]
fn last_nights_copy_becomes_a_node_again() {
    let user = User::new();
    let data = user.data();
    let maildir = user.directory.join("mail");
    deliver(&maildir, "0", &login_attack("192.0.2.9", "2026-11-22T08:00:00Z"));
    user.file("data/sluis.toml", format!("[http]\nlisten = \"127.0.0.1:0\"\n[intake]\nmaildirs = [{:?}]\n", maildir.display()));
    let customers = user.file("customers.csv", CUSTOMERS);
    user.run(&["import", customers.to_str().unwrap()]).good();
    let (backups, keys) = (user.directory.join("backups"), user.directory.join("keys"));
    let (to, to_keys) = (backups.to_str().unwrap(), keys.to_str().unwrap());

    // A day of work, and a backup while the node serves.
    let served = serve(&user, &data);
    let mut large = login_attack("192.0.2.8", "2026-11-22T08:00:00Z");
    large = large.replace("honeypot", &format!("honeypot\",\"description\":\"{}", noise()));
    deliver(&maildir, "1", &large);
    wait("the first mails are read", || read(&user, &data) == 2);
    let (code, taken) = json(&user, &data, &["backup", to, "--keys", to_keys, "--keep", "2", "--json"]);
    assert_eq!((code, &taken["submissions"], &taken["keys"]), (Some(0), &Value::from(2), &Value::from("apart")), "{taken}");
    let (code, checked) = json(&user, &data, &["backup", "check", to, "--keys", to_keys, "--json"]);
    assert_eq!((code, &checked["without_key"]), (Some(0), &Value::from(0)), "{checked}");

    // The node works on, and dies at once.
    deliver(&maildir, "2", &login_attack("192.0.2.7", "2026-11-22T09:00:00Z"));
    wait("the third mail is read", || read(&user, &data) == 3);
    let waiting = user.file("archive/piped", login_attack("192.0.2.10", "2026-11-22T09:30:00Z"));
    user.run(&["receive", waiting.to_str().unwrap()]);
    wait("the fourth is read", || read(&user, &data) == 4);
    let before = cases(&user, &data);
    drop(served);

    // On another machine.
    let other = user.directory.join("other");
    let archive = waiting.parent().unwrap().to_str().unwrap();
    let (code, restored) = json(&user, &other, &["restore", to, "--keys", to_keys, "--again-from", archive, "--json"]);
    assert_eq!(code, Some(0), "{restored}");
    assert_eq!((&restored["submissions"], &restored["without_key"]), (&Value::from(2), &Value::from(0)), "{restored}");
    let again: Vec<u64> = restored["read_again"].as_array().unwrap().iter().map(|one| one["new"].as_u64().unwrap()).collect();
    assert_eq!(again, [1, 1], "one mail of the mailbox and one file of the archive are new: {restored}");
    let served = serve(&user, &other);
    wait("what was read again is read", || read(&user, &other) == 4);
    let (_, status) = json(&user, &other, &["serve", "--status"]);
    assert!(status["warnings"][0].as_str().unwrap().contains("restore confirm"), "{status}");
    // Holder for holder, case for case and report for report.
    wait("the cases are those of before", || cases(&user, &other) == before);
    // The same folder once more: nothing is reported twice.
    drop(served);
    let held = "SELECT count(*) FROM outbox WHERE delivery = 0 AND hold <> 9 AND hold = 0";
    let free: i64 = rusqlite::Connection::open(other.join("sluis.db")).unwrap().query_row(held, (), |row| row.get(0)).unwrap();
    assert_eq!(free, 0, "nothing may go before a person has looked");
    finished(at(&user, &other, &["restore", "confirm", "--by", "anna"]).spawn().unwrap()).good();
    let run = finished(at(&user, &other, &["restore", "confirm", "--by", "anna"]).spawn().unwrap());
    if free == 0 && run.code == Some(1) {
        assert!(run.err.contains("looked already"), "{run:?}");
    }
    // The large submission's bytes open under the keys that were kept apart.
    let list = finished(at(&user, &other, &["submission", "list", "--json", "-n", "1000"]).spawn().unwrap()).out;
    let ids = list.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned());
    for id in ids {
        let raw = finished(at(&user, &other, &["submission", "show", &id, "--raw"]).spawn().unwrap());
        assert!(raw.code == Some(0) && raw.out.contains("login_attack"), "{raw:?}");
    }
}

fn small_node(user: &User) -> (PathBuf, PathBuf) {
    let report = user.file("one.json", login_attack("192.0.2.9", "2026-11-22T08:00:00Z"));
    user.run(&["receive", report.to_str().unwrap()]).good();
    (user.directory.join("backups"), user.directory.join("keys"))
}

#[test]
fn what_was_altered_or_does_not_fit_is_refused() {
    let user = User::new();
    let (backups, keys) = small_node(&user);
    let (to, to_keys) = (backups.to_str().unwrap(), keys.to_str().unwrap());
    let beside = backups.join("keys");
    let error = user.run(&["backup", to, "--keys", beside.to_str().unwrap()]).failed(1);
    assert!(error.contains("--keys-beside"), "{error}");
    let error = user.run(&["backup", user.data().join("x").to_str().unwrap()]).failed(1);
    assert!(error.contains("another disk"), "{error}");
    let taken = user.json(&["backup", to, "--keys", to_keys, "--json"]);
    let folder = PathBuf::from(taken["folder"].as_str().unwrap());
    // A target that is not empty.
    let error = user.run(&["restore", to, "--keys", to_keys]).failed(1);
    assert!(error.contains("empty"), "{error}");
    // Without keys it is restored, and says what that costs.
    let other = user.directory.join("other");
    let (code, restored) = json(&user, &other, &["restore", to, "--json"]);
    assert_eq!((code, &restored["without_key"]), (Some(3), &Value::from(1)), "{restored}");
    let (_, status) = json(&user, &other, &["db", "status", "--json"]);
    assert!(status["warnings"].to_string().contains("keys.db"), "{status}");
    // As long as nobody has looked the keys are left alone, and those of another node never overwrite them.
    let run = finished(at(&user, &other, &["backup", to, "--keys", to_keys]).spawn().unwrap());
    assert!(run.failed(1).contains("restore confirm"));
    finished(at(&user, &other, &["restore", "confirm", "--by", "anna"]).spawn().unwrap()).good();
    let run = finished(at(&user, &other, &["backup", to, "--keys", to_keys]).spawn().unwrap());
    assert!(run.failed(1).contains("nothing there was overwritten"));
    // One byte.
    let path = folder.join("sluis.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let run = finished(at(&user, &user.data(), &["backup", "check", to]).spawn().unwrap());
    assert!(run.code == Some(1) && run.out.contains("sluis.db"), "{run:?}");
    let third = user.directory.join("third");
    let run = finished(at(&user, &third, &["restore", to, "--keys", to_keys]).spawn().unwrap());
    assert!(run.failed(1).contains("not those that were written"));
}

#[test]
fn backups_share_what_is_the_same_and_the_oldest_go() {
    let user = User::new();
    let (backups, _) = small_node(&user);
    let large = user.file("large.txt", noise());
    user.run(&["receive", large.to_str().unwrap()]);
    let to = backups.to_str().unwrap();
    let first = user.json(&["backup", to, "--json"]);
    assert_eq!((&first["shared"], &first["keys"]), (&Value::from(0), &Value::from("none")));
    // What a try before left is gone on with, or goes.
    std::fs::create_dir_all(backups.join("unfinished/raw/zz")).unwrap();
    std::fs::write(backups.join("unfinished/raw/zz/left"), "left").unwrap();
    let second = user.json(&["backup", to, "--keep", "1", "--json"]);
    assert_eq!((&second["shared"], &second["removed"]), (&Value::from(1), &Value::from(1)), "{second}");
    let left = std::fs::read_dir(&backups).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir());
    assert_eq!(left.count(), 1);
    assert!(!PathBuf::from(second["folder"].as_str().unwrap()).join("raw/zz").join("left").exists());
    user.run(&["backup", "check", to]).good();
}
