//! Killed at any moment, again and again: in the end every table is as if nobody had been killed.
//!
//! The process that is killed is this test itself, started with a task in its environment. `SLUIS_ROWS` and
//! `SLUIS_KILLS` make the feed longer and the kills more; the defaults are for every day.

#![allow(clippy::unwrap_used)]

#[path = "engine/mod.rs"]
mod engine;
#[path = "feed/mod.rs"]
mod feed;
#[path = "tables/mod.rs"]
mod tables;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use desk::import::How;
use desk::{Desk, Reading, spool};
use feed::{At, Random, administration, feed};
use model::submission::{Door, Progress};
use model::time::Time;
use store::Engine;

const TASK: &str = "SLUIS_TEST_TASK";
/// The clock of every run, 2026-06-02.
const NOW: Time = Time(1_780_380_000_000);
/// Longer than any run takes.
const FOREVER: Duration = Duration::from_secs(1_800);

fn number(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

fn temporary(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("sluis-kill-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    if let (_, Some(database)) = engine::engine(module_path!()) {
        std::fs::write(beside(&path), &database.connection).unwrap();
        DATABASES.lock().unwrap().insert(path.clone(), database);
    }
    path
}

/// The databases of data directories that have one in PostgreSQL.
static DATABASES: LazyLock<Mutex<HashMap<PathBuf, engine::Database>>> = LazyLock::new(Mutex::default);

/// The file from which the processes that are killed know the database.
fn beside(data: &Path) -> PathBuf {
    data.with_extension("connection")
}

fn remove(data: &Path) {
    std::fs::remove_dir_all(data).unwrap();
    let _ = std::fs::remove_file(beside(data));
    DATABASES.lock().unwrap().remove(data);
}

fn tables(data: &Path) -> BTreeMap<String, Vec<String>> {
    match DATABASES.lock().unwrap().get(data) {
        Some(database) => tables::tables_of_postgres(&mut database.client()),
        None => tables::tables(data),
    }
}

fn open(data: &Path) -> Desk {
    let begun = Instant::now();
    let engine = match std::fs::read_to_string(beside(data)) {
        Ok(connection) => Engine::postgres(&connection, None).unwrap(),
        Err(_) => Engine::Sqlite,
    };
    loop {
        match Desk::open_on(data, &engine, Arc::new(At(NOW)), Reading::default()) {
            Ok(mut desk) => {
                // Which of two workers comes first is not the same every time.
                desk.set_workers(1);
                return desk;
            }
            // The kernel lets go of a killed process's lock when it has taken the process apart, not before.
            Err(desk::Error::Conflict(_)) if begun.elapsed() < Duration::from_secs(10) => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// What the process that is killed does, to its end if it is let.
fn perform(task: &str, data: &Path, input: &Path) {
    if task == "spool" {
        // As processes do while another owns the data. The moments differ, so that names sort as they were laid down.
        for number in 0..40 {
            let (clock, text) = (At(Time(NOW.0 + number)), small(number));
            spool::put(data, &clock, Door::Pipe, &format!("{number:03}.csv"), &mut text.as_bytes()).unwrap();
        }
    }
    let desk = open(data);
    match task {
        // As the program does that dies of one submission, whatever it is that kills it.
        "poison" => {
            desk.recover().unwrap();
            let dying = |submission: &model::submission::Submission, _| {
                if submission.name == "poison.csv" {
                    std::process::abort();
                }
            };
            desk.work(&dying).unwrap();
            return;
        }
        "receive" => {
            let mut file = std::fs::File::open(input).unwrap();
            desk.receive(Door::File, "2026-06-01-scan_telnet-netherlands-asn.csv", &mut file).unwrap();
        }
        "import" => {
            desk.import("oak", "csv", &administration(1_500), How::Careful).unwrap();
        }
        "maildir" => {
            desk.take_maildir(input).unwrap();
        }
        _ => {
            desk.take_spool().unwrap();
        }
    }
    desk.work(&|_, _| {}).unwrap();
}

fn small(number: i64) -> String {
    format!(
        "timestamp,ip,protocol,port,tag\n2026-06-01 01:02:03,10.0.{number}.1,tcp,23,telnet\nno time,10.0.{number}.2,tcp,23,telnet\n"
    )
}

/// Does nothing unless it is the process that is to be killed.
#[test]
fn child() {
    let Ok(task) = std::env::var(TASK) else { return };
    let mut parts = task.splitn(3, '|');
    let (Some(task), Some(data), Some(input)) = (parts.next(), parts.next(), parts.next()) else { panic!("{task}") };
    perform(task, Path::new(data), Path::new(input));
}

fn start(task: &str, data: &Path, input: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let child = module_path!().split_once("::").map_or("child".to_owned(), |(_, module)| format!("{module}::child"));
    command.args(["--exact", &child, "--nocapture", "--test-threads=1"]);
    command.env(TASK, format!("{task}|{}|{}", data.display(), input.display()));
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Waits until the child ends, or kills it after `most`; whether it ended by itself, which has to be well.
fn ended(mut child: Child, most: Duration) -> bool {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            let mut said = String::new();
            if let Some(mut stderr) = child.stderr.take() {
                std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
            }
            assert!(status.success(), "{status}: {said}");
            return true;
        }
        if begun.elapsed() >= most {
            child.kill().unwrap();
            child.wait().unwrap();
            return false;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// Kills `kills` times at random delays within the time that an unkilled run takes; fresh data whenever a run ends.
fn kill_and_compare(task: &str, kills: u64, prepare: impl Fn(&Path) -> PathBuf) {
    let calm = temporary(&format!("{task}-calm"));
    let input = prepare(&calm);
    let begun = Instant::now();
    assert!(ended(start(task, &calm, &input), FOREVER));
    let whole = begun.elapsed();
    let expected = tables(&calm);
    assert!(expected.values().map(Vec::len).sum::<usize>() > 100);
    remove(&calm);

    let mut random = Random(kills ^ 0x5eed);
    let (mut killed, mut runs, mut most) = (0, 0, 0);
    while killed < kills {
        let data = temporary(&format!("{task}-{runs}"));
        let input = prepare(&data);
        let mut here = 0;
        loop {
            let within = if killed < kills { whole.mul_f64(random.below(1_000) as f64 / 1_000.0) } else { FOREVER };
            if ended(start(task, &data, &input), within) {
                break;
            }
            killed += 1;
            here += 1;
        }
        let found = tables(&data);
        assert!(found.keys().eq(expected.keys()));
        for (table, rows) in &expected {
            let found = &found[table];
            let differ = found.iter().zip(rows).find(|(found, expected)| found != expected);
            assert!(found == rows, "{task}: after {here} kills {table} has {} rows, not {}: {differ:?}", found.len(), rows.len());
        }
        let left = std::fs::read_dir(data.join("raw/tmp")).unwrap().count();
        assert_eq!(left, 0, "{task}: something unfinished is left");
        remove(&data);
        runs += 1;
        most = most.max(here);
    }
    eprintln!("{task}: {killed} kills in {runs} runs (at most {most} in one), {whole:.1?} without kills");
}

#[test]
fn a_receive_that_is_killed_comes_to_the_same() {
    let feed = feed(number("SLUIS_ROWS", 110_000), 25);
    kill_and_compare("receive", number("SLUIS_KILLS", 16), |data| {
        open(data).import("oak", "csv", &administration(3_000), How::Careful).unwrap();
        let input = data.join("feed.csv");
        std::fs::write(&input, &feed).unwrap();
        input
    });
}

#[test]
fn an_import_that_is_killed_comes_to_the_same() {
    let feed = feed(2_000, 25);
    kill_and_compare("import", number("SLUIS_KILLS", 16) / 4, |data| {
        // Cases are open whose holders only the import tells.
        let desk = open(data);
        desk.import("oak", "csv", &administration(500), How::Careful).unwrap();
        desk.receive(Door::File, "2026-06-01-scan_telnet.csv", &mut feed.as_bytes()).unwrap();
        desk.work(&|_, _| {}).unwrap();
        data.to_owned()
    });
}

#[test]
fn small_submissions_that_are_killed_together_come_to_the_same() {
    kill_and_compare("maildir", number("SLUIS_KILLS", 16) / 2, |data| {
        let maildir = data.join("maildir");
        for folder in ["new", "cur", "tmp"] {
            std::fs::create_dir_all(maildir.join(folder)).unwrap();
        }
        for number in 0..200 {
            std::fs::write(maildir.join("new").join(format!("{number:03}.csv")), small(number % 150)).unwrap();
        }
        maildir
    });
}

#[test]
fn what_is_spooled_and_killed_comes_to_the_same() {
    kill_and_compare("spool", number("SLUIS_KILLS", 16) / 2, |data| data.to_owned());
}

#[test]
fn what_processes_die_of_is_set_aside_and_nothing_else_is() {
    let data = temporary("poison");
    let desk = open(&data);
    for number in 0..20 {
        let name = if number == 7 { "poison.csv".to_owned() } else { format!("{number}.csv") };
        desk.receive(Door::File, &name, &mut small(number).as_bytes()).unwrap();
    }
    drop(desk);
    let mut deaths = 0;
    while !start("poison", &data, &data).wait().unwrap().success() {
        deaths += 1;
        assert!(deaths < 20, "it dies for ever");
    }
    assert!(deaths >= 3, "{deaths}");
    let mut reader = open(&data).store().reader().unwrap();
    reader
        .read(|transaction| {
            let all = transaction.submissions(None, i64::MAX, 99)?;
            let unreadable: Vec<_> = all.iter().filter(|one| one.progress == Progress::Unreadable).collect();
            assert_eq!(unreadable.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["poison.csv"]);
            assert_eq!(all.iter().filter(|one| one.progress == Progress::Read).count(), 19);
            assert_eq!(all.iter().map(|one| one.reports).sum::<u32>(), 19);
            Ok::<_, store::Error>(())
        })
        .unwrap();
    drop(reader);
    remove(&data);
}

#[test]
fn processes_that_end_before_they_begin_blame_nothing() {
    let data = temporary("blameless");
    open(&data).receive(Door::File, "a.csv", &mut small(1).as_bytes()).unwrap();
    for _ in 0..30 {
        open(&data).recover().unwrap();
    }
    assert_eq!(open(&data).work(&|_, _| {}).unwrap().unreadable, 0);
    remove(&data);
}
