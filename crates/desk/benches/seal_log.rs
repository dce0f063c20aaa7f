//! The log: from steps that wait to a signed checkpoint over them, with tiles; how long a step waits under load; the whole
//! reckoned again.
//!
//! `cargo bench -p desk --bench seal_log [-- CASES SECONDS]`
//!
//! How often it waits for the disk: `strace -f -c -e trace=fsync,fdatasync target/release/deps/seal_log-…`.

use std::fmt::Write as _;
use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use desk::acts::{Doing, Verb, Which};
use desk::seal::{Settings, fsck};
use desk::{Desk, Reading, SystemClock};
use model::submission::Door;

/// Steps of a second under load, in so many acts.
const LOAD: (i64, i64) = (5_000, 10);
/// How long what is not urgent waits for more of its kind, as in `sluis serve`.
const TOGETHER: Duration = Duration::from_millis(250);
/// How often one urgent step is measured.
const URGENT: usize = 100;

fn feed(cases: u64) -> Vec<u8> {
    let mut out = "timestamp,ip,protocol,port,tag\n".to_owned();
    for at in 0..cases {
        let _ = writeln!(out, "2026-06-01 01:02:03,10.{}.{}.{},tcp,23,telnet", at >> 16 & 255, at >> 8 & 255, at & 255);
    }
    out.into_bytes()
}

/// Milliseconds that a small write takes to be on the disk: the median of a hundred.
fn fsync(directory: &Path) -> f64 {
    let path = directory.join("fsync");
    let Ok(mut file) = std::fs::File::create(&path) else { return f64::NAN };
    let times = (0..100).map(|_| {
        let begun = Instant::now();
        let _ = file.write_all(&[7; 4_096]).and_then(|()| file.sync_data());
        begun.elapsed().as_secs_f64() * 1e3
    });
    let (median, _) = median_and(times.collect(), 0.99);
    let _ = std::fs::remove_file(&path);
    median
}

fn median_and(mut times: Vec<f64>, share: f64) -> (f64, f64) {
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len() - 1)).copied().unwrap_or(f64::NAN);
    (at(0.5), at(share))
}

fn good<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Writes a step into each of these cases.
fn steps(desk: &Desk, cases: std::ops::Range<i64>, round: i64) {
    let verb = Verb::Handle { handler: format!("Anna {round}") };
    let expected = Some(cases.end.abs_diff(cases.start)).filter(|count| *count > 1);
    let doing = Doing { verb, which: Which::These(cases.collect()), expected, by: "Anna".into(), reason: "load".into() };
    good(desk.act(&doing));
}

#[allow(clippy::print_stdout)]
fn main() {
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let (cases, seconds) = (numbers.next().unwrap_or(100_000), numbers.next().unwrap_or(10));
    let directory = std::env::temp_dir().join(format!("sluis-bench-log-{}", std::process::id()));
    let desk = good(Desk::open(&directory, Arc::new(SystemClock), Reading::default()));
    println!("fsync median {:.2} ms", fsync(&directory));
    good(desk.receive(Door::File, "2026-06-01-scan_telnet.csv", &mut Cursor::new(feed(cases))));
    good(desk.work(&|_, _| {}));

    let begun = Instant::now();
    let sealed = good(desk.seal());
    let took = begun.elapsed().as_secs_f64();
    println!("{} entries sealed, with tiles and signatures: {:.0} a second", sealed.entries, sealed.entries as f64 / took);

    let urgent: Vec<f64> = (0..URGENT as i64)
        .map(|at| {
            steps(&desk, 1 + at..2 + at, -1);
            let begun = Instant::now();
            good(desk.seal());
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    let (median, worst) = median_and(urgent, 1.0);
    println!("one step, to its signed checkpoint: median {median:.1} ms, worst of {URGENT} {worst:.1} ms");

    let stop = AtomicBool::new(false);
    let (median, high) = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut seen = 0;
            while !stop.load(Ordering::Relaxed) {
                seen = desk.store().wait_for_commit(seen, TOGETHER);
                std::thread::sleep(TOGETHER);
                good(desk.seal());
            }
        });
        let waits = load(&desk, cases as i64, seconds);
        stop.store(true, Ordering::Relaxed);
        median_and(waits, 0.99)
    });
    println!(
        "{} steps a second for {seconds} s: from step to signed checkpoint median {median:.0} ms, 99 of 100 under {high:.0} ms",
        LOAD.0
    );

    let published = good(desk.publish());
    let begun = Instant::now();
    let reports = good(
        desk.store().reader().map_err(desk::Error::from).and_then(|mut reader| fsck::of_data(&mut reader, &Settings::default())),
    );
    let took = begun.elapsed().as_secs_f64();
    assert!(reports.iter().all(|report| report.wrong.is_empty()), "{reports:?}");
    println!("{} entries reckoned again, in tiles and database: {:.0} a second", published.size, published.size as f64 / took);
    drop(desk);
    let begun = Instant::now();
    let desk = good(Desk::open(&directory, Arc::new(SystemClock), Reading::default()));
    good(desk.log_key());
    println!("a process that begins is ready to seal after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    drop(desk);
    let _ = std::fs::remove_dir_all(&directory);
}

/// Writes steps at a steady rate; for each act the milliseconds until its last step was under a signed checkpoint.
fn load(desk: &Desk, cases: i64, seconds: u64) -> Vec<f64> {
    let (steps_a_second, acts) = LOAD;
    let each = steps_a_second / acts;
    let begun = Instant::now();
    let mut waiting: Vec<(Instant, i64, i64)> = Vec::new();
    let mut waits = Vec::new();
    let mut reader = good(desk.store().reader());
    let mut round = 0;
    while round < seconds as i64 * acts || !waiting.is_empty() {
        if round < seconds as i64 * acts && begun.elapsed().as_secs_f64() * acts as f64 >= round as f64 {
            let first = 1 + round * each % (cases - each).max(1);
            steps(desk, first..first + each, round);
            // All that waits now: when as many records are signed, this act is.
            let wanted = good(reader.read(|transaction| {
                let waits = transaction.count_unsealed()? as i64;
                Ok::<_, store::Error>(transaction.next_record()? + waits)
            }));
            waiting.push((Instant::now(), wanted, round));
            round += 1;
        }
        let signed = good(reader.read(|transaction| {
            let (next, shard) = (transaction.next_record()?, transaction.shard()?);
            let Some(shard) = shard else { return Ok(0) };
            let signed = transaction.signed_checkpoint(shard.id)?.map_or(0, |signed| signed.size);
            // Nothing is padded here, so records and entries are counted alike.
            Ok::<_, store::Error>(next.min(signed as i64))
        }));
        waiting.retain(|(at, wanted, _)| {
            let done = signed >= *wanted;
            if done {
                waits.push(at.elapsed().as_secs_f64() * 1e3);
            }
            !done
        });
        std::thread::sleep(Duration::from_millis(2));
    }
    waits
}
