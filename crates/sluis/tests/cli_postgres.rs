//! A node whose rows are in PostgreSQL: every command finds them by the configuration, and a service stops and goes on.

#![allow(clippy::unwrap_used)]

#[path = "../../store/tests/cluster/mod.rs"]
mod cluster;
mod common;

use std::fmt::Write;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{CUSTOMERS, User, lines, login_attack};
use rustix::process::{Pid, Signal, kill_process};

/// A user whose data directory has a configuration that names a database.
fn user(database: &cluster::Database) -> User {
    let user = User::new();
    let settings = format!(
        "[database]\npostgres = \"{}\"\npassword_file = \"password\"\n[work]\nworkers = 3\n[http]\nlisten = \"127.0.0.1:0\"\n",
        database.connection
    );
    user.file("data/sluis.toml", settings);
    user.file("data/password", "not asked for\n");
    user
}

#[test]
fn every_command_finds_the_rows_by_the_configuration() {
    let Some(database) = cluster::database() else { return };
    let user = user(&database);
    user.file("customers.csv", CUSTOMERS);
    user.file("before.json", login_attack("192.0.2.7", "2026-09-30T23:00:00Z"));
    user.file("after.json", login_attack("192.0.2.7", "2026-10-01T01:00:00Z"));
    let nothing = user.run(&["case", "list"]).failed(1);
    assert!(nothing.contains("no data") && !nothing.contains("not asked for"), "{nothing}");
    user.run(&["import", "customers.csv"]).good();
    user.run(&["receive", "before.json", "after.json"]).good();
    let cases = lines(&user.run(&["case", "list", "--json"]).good());
    let mut holders: Vec<_> = cases.iter().map(|case| case["holder"]["party"].as_str()).collect();
    holders.sort_unstable();
    assert_eq!(holders, [Some("C-1"), Some("C-2")], "{cases:?}");
    let traced = user.run(&["trace", "192.0.2.7", "--at", "2026-09-30"]).good();
    assert!(traced.contains("First Customer"), "{traced}");
    let queues = lines(&user.run(&["queue", "--json"]).good());
    assert!(queues.len() >= 6, "{queues:?}");

    let status = user.json(&["db", "status", "--json"]);
    assert!(status["engine"].as_str().unwrap().starts_with("PostgreSQL"), "{status}");
    assert_eq!(status["schema"], status["newest_schema"]);
    let place = status["place"].as_str().unwrap();
    assert!(place.starts_with("database sluis_test_"), "{place}");
    assert!(status["partitions"].as_array().unwrap().len() >= 2, "there are partitions ahead: {status}");
    let shown = user.run(&["db", "status"]).good();
    assert!(shown.contains("reports") && shown.contains("partition"), "{shown}");

    // Without the configuration, the directory is not taken for an empty one.
    user.file("other.toml", "");
    let refused = user.run(&["--config", "other.toml", "receive", "before.json"]).failed(75);
    assert!(refused.contains("PostgreSQL") && refused.contains("--config"), "{refused}");
    assert!(!user.data().join("sluis.db").exists());
    assert_eq!(lines(&user.run(&["--config", "data/sluis.toml", "case", "list", "--json"]).good()).len(), 2);
}

#[test]
fn an_sqlite_node_has_a_status_too() {
    let user = User::new();
    user.file("before.json", login_attack("192.0.2.7", "2026-09-30T23:00:00Z"));
    user.run(&["receive", "before.json"]).good();
    let status = user.json(&["db", "status", "--json"]);
    assert!(status["engine"].as_str().unwrap().starts_with("SQLite"), "{status}");
    let tables = status["tables"].as_array().unwrap();
    assert!(tables.iter().any(|table| table["name"] == "reports" && table["rows"] == 1), "{status}");
    user.run(&["db", "status"]).good();
}

#[test]
fn a_server_that_is_away_is_said_and_nothing_is_lost() {
    let user = User::new();
    user.file("data/sluis.toml", "[database]\npostgres = \"host=/nowhere dbname=sluis user=sluis password=hunter2\"\n");
    user.file("before.json", login_attack("192.0.2.7", "2026-09-30T23:00:00Z"));
    for (arguments, code) in [(&["receive", "before.json"][..], 75), (&["case", "list"], 1), (&["serve"], 1)] {
        let said = user.run(arguments).failed(code);
        assert!(said.contains("/nowhere") && !said.contains("hunter2"), "{arguments:?}: {said}");
    }
}

const ADDRESSES: u32 = 3_000;

fn feed(rows: u32) -> String {
    let mut out = "timestamp,ip,protocol,port,tag\n".to_owned();
    for row in 0..rows {
        let address = row % ADDRESSES;
        let _ = writeln!(
            out,
            "2026-11-20 01:{:02}:{:02},10.0.{}.{},tcp,23,telnet",
            row / 60 % 60,
            row % 60,
            address >> 8,
            address & 255
        );
    }
    out
}

/// A service that is killed when the test lets go of it.
struct Service(Child);

impl Service {
    fn start(user: &User) -> Service {
        let mut child = user.command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        while !log.next().unwrap().unwrap().contains("\"ready\"") {}
        // Whoever does not read would stop it when the pipe is full.
        std::thread::spawn(move || log.for_each(drop));
        Service(child)
    }

    fn stop(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
        self.0.wait().unwrap().code()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_service_that_is_stopped_and_killed_loses_and_doubles_nothing() {
    let Some(database) = cluster::database() else { return };
    let user = user(&database);
    user.file("scan_rsync.csv", feed(60_000));
    let mut client = database.client();
    let mut reports = || -> i64 { client.query_one("SELECT count(*) FROM reports", &[]).map_or(0, |row| row.get(0)) };
    let service = Service::start(&user);
    user.run(&["receive", "scan_rsync.csv"]).good();
    for small in 0..40 {
        user.file("small/scan_rsync.csv", feed(5).replace("01:00", &format!("02:{small:02}")));
        user.run(&["receive", "small/scan_rsync.csv"]).good();
    }
    assert_eq!(service.stop(Signal::TERM), Some(0));
    let service = Service::start(&user);
    assert_eq!(service.stop(Signal::KILL), None);
    let service = Service::start(&user);
    let begun = Instant::now();
    while reports() < 60_200 {
        assert!(begun.elapsed() < Duration::from_secs(120), "not all of it is there");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(service.stop(Signal::TERM), Some(0));
    assert_eq!(reports(), 60_200);
    let row = client.query_one("SELECT count(*), CAST(sum(reports) AS BIGINT), count(DISTINCT key) FROM cases", &[]).unwrap();
    let (cases, counted, keys): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!((cases, counted, keys), (i64::from(ADDRESSES), 60_200, i64::from(ADDRESSES)));
}
