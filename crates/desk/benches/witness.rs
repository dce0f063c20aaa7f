//! A witness at work: requests read and verified, compared, durable and cosigned, alone and many at once.
//!
//! `cargo bench -p desk --bench witness [-- REQUESTS]`
//!
//! Each request advances a log by an entry, as a busy witness sees it: some logs, each growing. The wait for the disk (p50 of
//! a write and fdatasync) stands beside the figures, since that is what one request alone waits for.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::seal::witness::{Asked, Settings};
use desk::{Desk, Reading, SystemClock};
use seal::checkpoint::Checkpoint;
use seal::note::{Algorithm, Ed25519Signer, Signer};
use seal::tree::{Hash, leaf_hash, prove_consistency, root_of};
use seal::witness::Request;

/// Logs that ask.
const LOGS: usize = 64;

#[expect(clippy::unwrap_used, clippy::print_stdout, reason = "what fails here ends the bench, and it shows what it found")]
fn main() {
    let requests = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(4_096usize);
    let directory = std::env::temp_dir().join(format!("sluis-witness-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    let signer =
        |log: usize| Ed25519Signer::new(&format!("log.h{log}.example/x/2026"), Algorithm::Ed25519, &[log as u8 + 1; 32]).unwrap();
    let logs: Vec<Ed25519Signer> = (0..LOGS).map(signer).collect();
    let mut desk = Desk::open(&directory, Arc::new(SystemClock), Reading::default()).unwrap();
    let keys = logs.iter().map(|log| log.key().clone()).collect();
    desk.set_witness(Some(Settings { logs: keys, ..Settings::default() }));
    let rounds = requests.div_ceil(LOGS);
    let leaves: Vec<Hash> = (0..=3 * rounds).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
    let mut nodes = |level: u8, index: u64| leaves.get((index as usize) << level..(index as usize + 1) << level).map(root_of);
    let mut body = |log: usize, size: usize| {
        let proof = if size == 1 { Vec::new() } else { prove_consistency(size as u64 - 1, size as u64, &mut nodes).unwrap() };
        let checkpoint = Checkpoint::new(logs[log].key().name(), size as u64, root_of(&leaves[..size])).unwrap();
        Request { old: size as u64 - 1, proof, checkpoint: checkpoint.sign(&[&logs[log]]).unwrap() }.to_string()
    };
    println!("write and fdatasync: p50 {:?}", fsync(&directory));
    let mut size = 0;
    for together in [64, 16, 1] {
        let rounds = if together == 1 { (rounds / 16).max(1) } else { rounds };
        let bodies: Vec<String> = (size + 1..=size + rounds)
            .flat_map(|size| (0..LOGS).map(move |log| (log, size)))
            .map(|(log, size)| body(log, size))
            .collect();
        size += rounds;
        let begun = Instant::now();
        let asked: Vec<Asked> = bodies.iter().map(|body| desk.read_request(body.as_bytes()).unwrap()).collect();
        let read = begun.elapsed();
        let mut slowest = Duration::ZERO;
        let begun = Instant::now();
        for some in asked.chunks(together) {
            let one = Instant::now();
            assert!(desk.cosign(some).unwrap().iter().all(Result::is_ok));
            slowest = slowest.max(one.elapsed());
        }
        let cosigned = begun.elapsed();
        let rate = |time: Duration| bodies.len() as f64 / time.as_secs_f64();
        println!(
            "{together:>3} together: {} requests, read and verified {:.0}/s, compared, durable and cosigned {:.0}/s, both {:.0}/s, slowest {slowest:?}",
            bodies.len(),
            rate(read),
            rate(cosigned),
            rate(read + cosigned)
        );
    }
    drop(desk);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[expect(clippy::unwrap_used, reason = "what fails here ends the bench")]
fn fsync(directory: &std::path::Path) -> Duration {
    let mut file = std::fs::File::create(directory.join("probe")).unwrap();
    let mut times: Vec<Duration> = (0..50)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[1; 4096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[25]
}
