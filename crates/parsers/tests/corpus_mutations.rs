//! Samples that others wrote, broken in many ways: nothing panics, everything is accounted for, and nothing takes much memory.
//!
//! The samples are in the folder that `SLUIS_SHARED` names, whatever is there; `SLUIS_MUTATIONS` says how often each is
//! broken, and `SLUIS_SLOWEST` the milliseconds that one may take, for a run by hand on a machine that does nothing else.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::report::Batch;
use model::time::Time;
use parsers::read::read;
use parsers::sink::{Note, Reject, Sink};
use parsers::source::{Hint, Limits};

/// Larger samples are cut: what breaks them is near their beginning, and there are many.
const LARGEST: usize = 256 << 10;
/// By how much the process may grow over all of it, in KiB.
const MUCH: u64 = 64 << 10;

/// A small generator with a fixed seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ z >> 31) % bound.max(1) as u64) as usize
    }
}

fn samples(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { samples(&path, into) } else { into.push(path) }
    }
}

/// Bits that flip, ends that are missing, pieces and lines that come twice, stand elsewhere or are another sample's, and what
/// opens again and again and never closes.
fn broken(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len()).min(bytes.len());
        let length = random.below(200).min(bytes.len() - at);
        match random.below(11) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            1 => bytes.truncate(at),
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece);
            }
            4 => {
                let from = random.below(other.len());
                let piece = other[from..].iter().take(400).copied();
                bytes.splice(at..at + length, piece);
            }
            5 => drop(
                bytes.splice(at..at, [b"\0", b"\xff", b"\n", b"\"", b"[", b"{"][random.below(6)].repeat(1 + random.below(50))),
            ),
            6 => drop(bytes.splice(at..at + length, b"99999999999999999999".iter().copied())),
            // A line of its own stands elsewhere, or many times.
            7 => {
                let (start, end) = line(&bytes, at);
                let length = ((end - start) * [1, 1, 2, 500][random.below(4)]).min(LARGEST);
                let piece: Vec<u8> = bytes[start..end].iter().copied().cycle().take(length).collect();
                let (to, _) = line(&bytes, random.below(bytes.len()).min(bytes.len()));
                bytes.splice(to..to, piece);
            }
            // Lines of another sample stand among its own.
            8 => {
                let (start, _) = line(other, random.below(other.len()));
                let (to, _) = line(&bytes, at);
                bytes.splice(to..to, other[start..].iter().take(2_000).copied());
            }
            // All of it comes again.
            9 => {
                let half = bytes.len().min(LARGEST / 2);
                bytes.truncate(half);
                bytes.extend_from_within(..);
            }
            _ => {
                let opens: [&[u8]; 6] =
                    [b"[", b"{\"a\":", b"<a>", b"(", b"--b\nContent-Type: message/rfc822\n\n", b"[\"a\",{\"b\":["];
                bytes.splice(at..at, opens[random.below(6)].repeat([3, 40, 5_000][random.below(3)]));
            }
        }
    }
    bytes
}

/// Where the line begins and ends that a place is in.
fn line(bytes: &[u8], at: usize) -> (usize, usize) {
    let start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
    let end = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length + 1);
    (start, end)
}

/// Keeps only the places of what is told, so that what is measured is the reading.
#[derive(Default)]
struct Places(Vec<u32>);

impl Sink for Places {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.0.extend(batch.reports().map(|report| report.core.ordinal));
        ControlFlow::Continue(())
    }

    fn reject(&mut self, reject: Reject) {
        self.0.push(reject.ordinal);
    }

    fn note(&mut self, _: Note) {}
}

/// Reads bytes as a file of that name that was fetched from there; the format that they are, and how long it took.
fn check(path: &Path, location: &str, format: Option<&'static str>, bytes: &[u8]) -> (&'static str, Duration) {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let limits = Limits { unpacked: 64 << 20, ..Limits::default() };
    let hint = Hint { location, format, limits, ..Hint::new(&name, Time(1_772_600_767_000)) };
    let mut places = Places::default();
    let begun = Instant::now();
    let outcome = read(&mut &*bytes, &hint, &mut places).unwrap();
    let took = begun.elapsed();
    places.0.sort_unstable();
    assert!(places.0.into_iter().eq(0..outcome.statements), "{}: a statement is lost or told twice", path.display());
    (outcome.format, took)
}

/// Where feeds were fetched, as the oracle knows it.
fn locations(corpus: &Path) -> BTreeMap<PathBuf, String> {
    let oracle = std::fs::read_to_string(corpus.join("feeds/ORACLE.jsonl")).unwrap_or_default();
    let rows = oracle.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    rows.map(|row| (corpus.join(text(&row, "path")), text(&row, "feed_url"))).collect()
}

/// A line of what Linux tells of this process (proc(5)), in KiB.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[test]
fn samples_broken_in_many_ways_are_read() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("SKIPPED: SLUIS_SHARED names no folder with samples");
        return;
    };
    let corpus = Path::new(&shared).join("corpus");
    let mut paths = Vec::new();
    samples(&corpus, &mut paths);
    let locations = locations(&corpus);
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let times = number("SLUIS_MUTATIONS").unwrap_or(4);
    let slow = number("SLUIS_SLOWEST").map(Duration::from_millis);
    let mut random = Random(20_261_122);
    let mut other = b"timestamp,ip\n".to_vec();
    let (mut tried, mut slowest) = (0u64, (Duration::ZERO, PathBuf::new()));
    let mut too_slow = Vec::new();
    // What was needed once, the process keeps: its greatest size is more than any one reading took.
    let before = status("VmRSS:");
    let mut most = (before.unwrap_or(0), String::new());
    for path in &paths {
        let Ok(mut bytes) = std::fs::read(path) else { continue };
        bytes.truncate(LARGEST);
        let location = locations.get(path).map_or("", String::as_str);
        let mut format = None;
        for time in 0..=times {
            let tried_now = if time == 0 { bytes.clone() } else { broken(&bytes, &other, &mut random) };
            // What is broken is often not recognised: half of the time it is said what it is.
            let forced = format.filter(|_| time % 2 == 1);
            let said = || {
                let at = std::env::temp_dir().join(format!("sluis-broken-sample-{tried}"));
                let _ = std::fs::write(&at, &tried_now);
                format!("{} broken, as in {} ({forced:?})", path.display(), at.display())
            };
            let result = std::panic::catch_unwind(|| check(path, location, forced, &tried_now));
            let Ok((known, took)) = result else { panic!("{}", said()) };
            if time == 0 {
                format = Some(known).filter(|name| !name.is_empty());
            }
            if slow.is_some_and(|slow| took > slow) {
                too_slow.push(format!("{} took {took:?}", said()));
            }
            if took > slowest.0 {
                slowest = (took, path.clone());
            }
            if let Some(now) = status("VmHWM:").filter(|now| *now > most.0 + 1_024) {
                let grew = now.saturating_sub(before.unwrap_or(0));
                most = (now, if grew > MUCH { said() } else { path.display().to_string() });
            }
            tried += 1;
        }
        other = bytes;
    }
    let grew = before.map(|before| most.0.saturating_sub(before));
    eprintln!("{tried} inputs from {} samples; the slowest took {:?}: {}", paths.len(), slowest.0, slowest.1.display());
    eprintln!("the process grew by {grew:?} KiB, last for {}", most.1);
    assert!(too_slow.is_empty(), "{}", too_slow.join("\n"));
    assert!(grew.is_none_or(|grew| grew <= MUCH), "the process grew by {grew:?} KiB, last for {}", most.1);
}
