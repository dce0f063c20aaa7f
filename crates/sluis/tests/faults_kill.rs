//! `sluis receive`, killed again and again and started again: what is in the database in the end is as if nobody had
//! killed it. The tests of `desk` compare every column under a clock that stands still; here the clock runs.

#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "../../desk/tests/feed/mod.rs"]
mod feed;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use feed::{Random, feed};

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("sluis-killed-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn receive(data: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.args(["--now", "2026-06-02T06:00:00Z", "receive"]).arg(data.join("2026-06-01-scan_telnet.csv"));
    command.env("SLUIS_DATA", data.join("data")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The rows of what a receive makes, without what is random and without the moments of the clock.
fn rows(data: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(data.join("data/sluis.db")).unwrap();
    let mut all = Vec::new();
    for text in [
        "SELECT id, door, name, size, format, progress, cursor, reports, rejects, reason FROM submissions ORDER BY id",
        "SELECT id, submission, format, count FROM batches ORDER BY id",
        "SELECT * FROM reports ORDER BY id",
        "SELECT * FROM fields ORDER BY id",
        "SELECT id, key, kind, state, holder, chain, first_seen, last_seen, reports, tail, history FROM cases ORDER BY id",
        // What a step says has the moments of its clocks in it.
        "SELECT case_id, ordinal, what, rule FROM steps ORDER BY case_id, ordinal",
        "SELECT * FROM case_days ORDER BY case_id, day",
        "SELECT case_id, count(*) FROM outbox_cases GROUP BY case_id ORDER BY case_id",
        "SELECT submission, ordinal, queue, place, text, reason FROM set_aside ORDER BY submission, ordinal",
        "SELECT * FROM notes ORDER BY submission, place, text",
        "SELECT * FROM daily ORDER BY day, holder, kind",
    ] {
        let mut select = connection.prepare(text).unwrap();
        let columns = select.column_count();
        let mut found = select.query(()).unwrap();
        while let Some(row) = found.next().unwrap() {
            all.push((0..columns).map(|at| format!("{:?} ", row.get_ref(at).unwrap())).collect());
        }
    }
    all
}

#[test]
fn the_program_that_is_killed_comes_to_the_same() {
    let kills: u64 = std::env::var("SLUIS_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(12);
    let feed = feed(60_000, 25);
    let prepare = |name: &str| {
        let data = temporary(name);
        std::fs::write(data.join("2026-06-01-scan_telnet.csv"), &feed).unwrap();
        data
    };
    let calm = prepare("calm");
    let begun = Instant::now();
    assert!(receive(&calm).wait().unwrap().success());
    let whole = begun.elapsed();
    let expected = rows(&calm);
    assert!(expected.len() > 60_000);
    std::fs::remove_dir_all(&calm).unwrap();
    let mut random = Random(kills);
    let (mut killed, mut run) = (0, 0);
    while killed < kills {
        // Nine deaths with nothing achieved would be taken for the submission's fault, and set it aside.
        let enough = kills.min(killed + 6);
        let data = prepare(&run.to_string());
        loop {
            let mut child = receive(&data);
            let until = Instant::now() + whole.mul_f64(random.below(1_000) as f64 / 900.0);
            let mut status = None;
            while status.is_none() && (killed >= enough || Instant::now() < until) {
                status = child.try_wait().unwrap();
                std::thread::sleep(Duration::from_micros(500));
            }
            if let Some(status) = status {
                assert!(status.success(), "{status}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
        }
        let found = rows(&data);
        let differ = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert!(found == expected, "{} rows, not {}: {differ:?}", found.len(), expected.len());
        std::fs::remove_dir_all(&data).unwrap();
        run += 1;
    }
    eprintln!("{killed} kills in {run} runs, {whole:.1?} without kills");
}
