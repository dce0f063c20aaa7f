//! Samples that others wrote, broken in many ways: nothing panics, everything is accounted for, and nothing takes long.
//!
//! The samples are in the folder that `SLUIS_SHARED` names, whatever is there; `SLUIS_MUTATIONS` says how often each is
//! broken.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::time::Time;
use parsers::formats::shadowserver::Maps;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};

/// Larger samples are cut: what breaks them is near their beginning, and there are many.
const LARGEST: usize = 256 << 10;

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

/// Bits that flip, ends that are missing, pieces that come twice, stand elsewhere or are another sample's.
fn broken(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let length = random.below(200).min(bytes.len() - at);
        match random.below(7) {
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
            _ => drop(bytes.splice(at..at + length, b"99999999999999999999".iter().copied())),
        }
    }
    bytes
}

fn check(path: &Path, bytes: &[u8]) -> Duration {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let received = Time(1_772_600_767_000);
    let limits = Limits { unpacked: 64 << 20, ..Limits::default() };
    let hint = Hint {
        name: &name,
        content_type: "",
        location: "",
        kind: None,
        format: None,
        received,
        maps: Maps::builtin(),
        declared: None,
        limits,
    };
    let mut collected = Collected::default();
    let begun = Instant::now();
    let outcome = read(&mut &*bytes, &hint, &mut collected).unwrap();
    let took = begun.elapsed();
    let mut places: Vec<u32> = collected.reports().map(|report| report.core.ordinal).collect();
    places.extend(collected.rejects.iter().map(|reject| reject.ordinal));
    places.sort_unstable();
    assert!(places.into_iter().eq(0..outcome.statements), "{}: a statement is lost or told twice", path.display());
    took
}

#[test]
fn samples_broken_in_many_ways_are_read() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("SKIPPED: SLUIS_SHARED names no folder with samples");
        return;
    };
    let mut paths = Vec::new();
    samples(&Path::new(&shared).join("corpus"), &mut paths);
    let times: usize = std::env::var("SLUIS_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut random = Random(20_261_122);
    let mut other = b"timestamp,ip\n".to_vec();
    let (mut tried, mut slowest) = (0u64, (Duration::ZERO, PathBuf::new()));
    for path in &paths {
        let Ok(mut bytes) = std::fs::read(path) else { continue };
        bytes.truncate(LARGEST);
        for time in 0..=times {
            let tried_now = if time == 0 { bytes.clone() } else { broken(&bytes, &other, &mut random) };
            let said = || {
                let at = std::env::temp_dir().join("sluis-broken-sample");
                let _ = std::fs::write(&at, &tried_now);
                format!("{} broken, as in {}", path.display(), at.display())
            };
            let result = std::panic::catch_unwind(|| check(path, &tried_now));
            let Ok(took) = result else { panic!("{}", said()) };
            assert!(took < Duration::from_secs(20), "{} took {took:?}", said());
            if took > slowest.0 {
                slowest = (took, path.clone());
            }
            tried += 1;
        }
        other = bytes;
    }
    eprintln!("{tried} inputs from {} samples; the slowest took {:?}: {}", paths.len(), slowest.0, slowest.1.display());
}
