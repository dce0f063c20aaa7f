//! While another process owns the data, what comes waits in the spool; maildirs are watched until somebody says stop.

mod common;

use std::fs::File;
use std::process::Child;
use std::time::{Duration, Instant};

use common::{User, login_attack};

fn report(address: &str) -> String {
    login_attack(address, "2026-11-20T01:00:00Z")
}

#[test]
fn what_comes_meanwhile_waits_in_the_spool() {
    let user = User::new();
    user.file("a.json", report("192.0.2.1"));
    user.run(&["receive", "a.json"]).good();
    let lock = File::options().write(true).open(user.data().join("lock")).unwrap();
    lock.lock().unwrap();
    user.file("b.json", report("192.0.2.2"));
    let said = user.run(&["receive", "b.json"]).good();
    assert!(said.contains("1 submission laid into the spool"), "{said}");
    assert_eq!(user.pipe(&["receive"], report("192.0.2.3")).good(), "");
    assert_eq!(user.json(&["case", "list", "--json"])["about"], "192.0.2.1", "reading goes on beside the owner");
    let said = user.run(&["receive", "--again-all"]).failed(75);
    assert!(said.contains("no 'sluis serve' listens here"), "{said}");
    drop(lock);
    user.file("c.json", report("192.0.2.4"));
    let summary = user.json(&["receive", "--json", "c.json"]);
    assert_eq!((summary["taken"].as_u64(), summary["received"].as_u64()), (Some(2), Some(1)), "{summary}");
    assert_eq!(user.run(&["case", "list", "--json"]).good().lines().count(), 4);
    let doors: Vec<_> = common::lines(&user.run(&["submission", "list", "--json"]).good());
    assert!(doors.iter().any(|one| one["door"] == "pipe") && doors.iter().any(|one| one["name"] == "b.json"), "{doors:?}");
}

#[test]
fn a_maildir_is_watched_until_somebody_says_stop() {
    let user = User::new();
    for folder in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(user.directory.join("Maildir").join(folder)).unwrap();
    }
    user.file("Maildir/new/1.host", report("192.0.2.1"));
    let mut watch = Service(Some(user.command(&["receive", "--maildir", "Maildir", "--watch"]).spawn().unwrap()));
    let until = Instant::now() + Duration::from_secs(30);
    let seen = |name: &str| {
        while !user.directory.join("Maildir/cur").join(name).exists() {
            assert!(Instant::now() < until, "{name} was not taken");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    seen("1.host:2,S");
    user.file("Maildir/new/2.host", report("192.0.2.2"));
    seen("2.host:2,S");
    let child = watch.0.take().unwrap();
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let said = common::finished(child).good();
    assert!(said.contains("taken from spool or maildir"), "{said}");
    assert_eq!(user.run(&["case", "list", "--json"]).good().lines().count(), 2);
    assert!(user.run(&["receive", "--maildir", "nothing"]).failed(66).contains("not a maildir"));
}

#[test]
fn a_running_service_takes_what_comes_and_reads_again_when_asked() {
    let user = User::new();
    user.file("data/sluis.toml", "[http]\nlisten = \"127.0.0.1:0\"\n");
    let mut service = Service(Some(user.command(&["serve"]).spawn().unwrap()));
    let until = Instant::now() + Duration::from_secs(30);
    let wait = |what: &str, holds: &dyn Fn() -> bool| {
        while !holds() {
            assert!(Instant::now() < until, "{what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait("it answers", &|| user.run(&["serve", "--status"]).code == Some(0));
    user.file("a.json", report("192.0.2.1"));
    user.file("b.txt", "hello");
    assert!(user.run(&["receive", "a.json", "b.txt"]).good().contains("2 submissions laid into the spool"));
    wait("the case is there", &|| user.run(&["case", "list", "--json"]).good().lines().count() == 1);
    wait("b.txt is unreadable", &|| user.run(&["queue", "unreadable", "--json"]).good().lines().count() == 1);
    assert!(user.run(&["receive", "--again", "unreadable"]).good().contains("1 to be read once more by 'sluis serve'"));
    assert!(user.run(&["receive", "--again", "1", "--format", "csv"]).failed(64).contains("reads with its own settings"));
    let child = service.0.take().unwrap();
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    common::finished(child).good();
}

/// A service that does not outlive its test, however that ends.
struct Service(Option<Child>);

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
