//! Fixtures whose lines come many thousand times: twice the bytes cost about twice the time, in every format.
//!
//! Nothing is timed unless `SLUIS_SLOWEST` says how many milliseconds one input of `SLUIS_GROWTH` KiB may take, for a run by hand on
//! a machine that does nothing else; else it is only seen that all is read and accounted for.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::time::Time;
use parsers::formats::all;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::Hint;

/// Fixtures of a format that are texts, with what is known of each beside it.
fn fixtures(format: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(format);
    let beside = [".expected.json", ".declared.toml", ".location", ".kind", ".format", ".md", ".zip", ".gz"];
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.is_file() && !beside.iter().any(|end| path.to_string_lossy().ends_with(end))).collect();
    files.sort();
    files
}

/// Reads bytes as one format; how long it took.
fn time(format: &'static str, file: &Path, bytes: &[u8]) -> Duration {
    let location = fs::read_to_string(format!("{}.location", file.display())).unwrap_or_default();
    let name = file.file_name().unwrap().to_string_lossy();
    let hint = Hint { location: location.trim(), format: Some(format), ..Hint::new(&name, Time(1_772_600_767_000)) };
    let mut sink = Collected::default();
    let begun = Instant::now();
    let outcome = read(&mut &*bytes, &hint, &mut sink).unwrap();
    let took = begun.elapsed();
    let told = sink.reports().count() + sink.rejects.len();
    assert_eq!(told, outcome.statements as usize, "{}", file.display());
    took
}

#[test]
fn what_comes_again_and_again_costs_what_it_is_long() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let slow = number("SLUIS_SLOWEST").map(Duration::from_millis);
    // By hand large enough to be seen; else small, so that the suite stays quick.
    let size = number("SLUIS_GROWTH").map_or(4 << 10, |kibibytes| kibibytes as usize * 1_024);
    let mut worst: Vec<(Duration, String)> = Vec::new();
    for format in all() {
        for file in fixtures(format.name) {
            let bytes = fs::read(&file).unwrap();
            let mut inputs = vec![("all of it".to_owned(), bytes.repeat(size / bytes.len().max(1) + 1))];
            let lines: BTreeSet<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.len() > 1).collect();
            for line in lines {
                let place = bytes.windows(line.len()).position(|part| part == line).unwrap_or(0);
                let many = line.repeat(size / line.len() + 1);
                let whole = [&bytes[..place], &many, &bytes[place..]].concat();
                inputs.push((String::from_utf8_lossy(line).trim_end().chars().take(60).collect(), whole));
            }
            for (what, input) in inputs {
                worst.push((time(format.name, &file, &input), format!("{}: {what:?}", file.display())));
            }
        }
    }
    worst.sort_by_key(|one| std::cmp::Reverse(one.0));
    for (took, what) in worst.iter().take(if size > 4 << 10 { 40 } else { 3 }) {
        eprintln!("{took:?} {what}");
    }
    eprintln!("{} inputs", worst.len());
    assert!(slow.is_none_or(|slow| worst.iter().all(|(took, _)| *took <= slow)));
}
