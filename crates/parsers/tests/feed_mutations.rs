//! Lists and feeds that were broken on purpose: nothing panics, nothing takes long, and every statement is accounted for.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::time::Time;
use parsers::formats::feeds;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::{Hint, Limits};
use proptest::prelude::*;

/// One of our own lists: its format, where it was fetched, and its bytes.
struct Sample {
    format: &'static str,
    location: String,
    bytes: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut samples = Vec::new();
    for format in feeds::ALL {
        let entries = fs::read_dir(root.join(format.name)).unwrap().map(|entry| entry.unwrap().path());
        let aside = ["expected.json", "location", "kind", "format", "declared.toml"];
        let mut files: Vec<PathBuf> =
            entries.filter(|path| !aside.iter().any(|end| path.to_string_lossy().ends_with(end))).collect();
        files.sort();
        for file in files {
            let location = fs::read_to_string(format!("{}.location", file.display())).unwrap_or_default().trim().to_owned();
            samples.push(Sample { format: format.name, location, bytes: fs::read(file).unwrap() });
        }
    }
    assert!(!samples.is_empty());
    samples
}

/// Reads bytes within narrow bounds; every statement that was given a place is a report or a reject.
fn check(sample: &Sample, bytes: &[u8], forced: bool) -> Result<(), TestCaseError> {
    let limits = Limits { line: 2 << 10, whole: 1 << 20, json_depth: 8, ..Limits::default() };
    let format = forced.then_some(sample.format);
    let hint = Hint { location: &sample.location, format, limits, ..Hint::new("x", Time(1_772_600_767_000)) };
    let mut collected = Collected::default();
    let begun = Instant::now();
    let outcome = read(&mut &*bytes, &hint, &mut collected).map_err(|stop| TestCaseError::fail(format!("{stop:?}")))?;
    prop_assert!(begun.elapsed() < Duration::from_secs(10), "{} took too long", sample.format);
    let mut places: Vec<u32> = collected.reports().map(|report| report.core.ordinal).collect();
    places.extend(collected.rejects.iter().map(|reject| reject.ordinal));
    places.sort_unstable();
    prop_assert_eq!(places, (0..outcome.statements).collect::<Vec<_>>());
    prop_assert!(collected.rejects.iter().all(|reject| !reject.reason.is_empty()));
    Ok(())
}

/// A change: at a place (of 65,536), something goes and something comes.
fn changes() -> impl Strategy<Value = Vec<(u16, u8, Vec<u8>)>> {
    let insert = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..6),
        prop::collection::vec(prop::sample::select(b"\",;|\t#\n\r {}[]:<>&\\".to_vec()), 0..4),
        Just(vec![b'9'; 30]),
        Just(vec![b'a'; 3_000]),
        Just(b"\n\n".to_vec()),
        Just(b"<entry>".to_vec()),
        Just(b"\0\xff\xfe".to_vec()),
        Just(b"::/0".to_vec()),
        Just(b"1-2-3T".to_vec()),
    ];
    prop::collection::vec((any::<u16>(), 0..40u8, insert), 1..8)
}

fn broken(bytes: &[u8], changes: &[(u16, u8, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, gone, insert) in changes {
        let start = bytes.len() * usize::from(*at) / 65_536;
        let end = (start + usize::from(*gone)).min(bytes.len());
        bytes.splice(start..end, insert.iter().copied());
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_500, ..ProptestConfig::default() })]

    #[test]
    fn broken_lists_are_read(which in any::<prop::sample::Index>(), changes in changes(), forced in any::<bool>()) {
        let samples = samples();
        let sample = which.get(&samples);
        check(sample, &broken(&sample.bytes, &changes), forced)?;
    }

    #[test]
    fn any_bytes_are_read(which in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let samples = samples();
        check(which.get(&samples), &bytes, true)?;
    }
}

/// What never ends, never closes or repeats itself costs no more than its length.
#[test]
fn large_lists_of_nothing_take_no_time() {
    for sample in samples() {
        for piece in ["<entry>", "<entry><a>", "{\"a\":", "[", "{", "\"", "\"a\",", "|", "#", ",", " ", "\n", "a\0", "{\"a\":1}"]
        {
            let whole = [sample.bytes.as_slice(), piece.repeat((128 << 10) / piece.len()).as_bytes()].concat();
            check(&sample, &whole, true).unwrap();
        }
    }
}
