//! The corpus table: what the parsers read of a folder of samples, beside what others read of the same files.
//!
//! The folder is laid out as `<format>/ORACLE.jsonl` (one JSON object a line, whose `path` is relative to the folder)
//! with the samples anywhere below `<format>/`. No file name and no count is known here: whatever is in the folder is
//! read. A comparator knows one format's oracle; each has a file of its own and a line in [`comparator`].

mod arf;
mod csaf;
mod feeds;
mod iodef;
mod kev;
mod mail_dmarc_tlsrpt;
mod mail_mime;
mod mail_negative;
mod mail_notifier;
mod mail_shadowserver;
mod misp;
mod reading;
mod rpsl;
mod shadowserver;
mod stix;
mod table;
mod xarf;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use model::report::Report;
use model::time::Time;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::Value;

use reading::Measured;

/// Compares what we read of one file with its line of the oracle.
///
/// The path is that of the file itself; its bytes are handed over too. Records that the oracle does not hold count
/// nowhere: `total` is the oracle's.
pub type Compare = fn(&Path, &[u8], &Value) -> Comparison;

/// What a comparison came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Records of the oracle that we read alike.
    pub matched: usize,
    /// Records of the oracle.
    pub total: usize,
    /// What differs, one sentence each.
    pub differences: Vec<String>,
    /// Where we mean to differ, with the reason; a difference that is meant is no fault.
    pub meant: Vec<String>,
    /// Records of the oracle that we mean to read in another way, so that they are not among those read alike.
    pub excused: usize,
}

impl Comparison {
    /// A comparison of a file that is one record.
    fn one(differences: Vec<String>) -> Comparison {
        Comparison { matched: usize::from(differences.is_empty()), total: 1, differences, ..Comparison::default() }
    }

    /// Counts one more record, which is what it must be when `holds`; else it says what is not so.
    fn hold(&mut self, holds: bool, difference: impl FnOnce() -> String) {
        self.total += 1;
        if holds {
            self.matched += 1;
        } else {
            self.differences.push(difference());
        }
    }

    /// Counts one more record: ours and the oracle's, which must be equal.
    fn same<T: PartialEq + fmt::Debug>(&mut self, what: &str, ours: &T, theirs: &T) {
        self.hold(ours == theirs, || format!("{what}: ours is {}, theirs {}", short(ours), short(theirs)));
    }
}

/// A value for people, cut where nobody reads on.
fn short(value: &impl fmt::Debug) -> String {
    let text = format!("{value:?}");
    if text.chars().count() <= 300 { text } else { text.chars().take(300).chain("...".chars()).collect() }
}

/// The texts of an array of the oracle.
fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// A text of the oracle, or nothing.
fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("")
}

/// A field that a format kept under the sender's own name.
fn extra<'r>(report: &Report<'r>, name: &str) -> &'r str {
    report.fields().find(|(word, _)| report.name(*word).0 == name).map_or("", |(_, value)| value.text())
}

/// Reads bytes as `sluis read` would read a file of that name; `adjust` states what an operator would configure.
fn read_as<'h>(path: &'h Path, bytes: &[u8], adjust: impl FnOnce(&mut Hint<'h>)) -> (Outcome, Collected) {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut hint = Hint::new(name, RECEIVED);
    adjust(&mut hint);
    let mut collected = Collected::default();
    let outcome = read(&mut &*bytes, &hint, &mut collected)
        .unwrap_or_else(|stop| Outcome { unreadable: format!("reading stopped: {stop:?}"), ..Outcome::default() });
    (outcome, collected)
}

/// The comparator of a format's folder; `None` where nobody compares yet.
pub fn comparator(folder: &str) -> Option<Compare> {
    let registry: [(&str, Compare); 15] = [
        ("csaf", csaf::compare),
        ("feeds", feeds::compare),
        ("iodef", iodef::compare),
        ("kev", kev::compare),
        ("mail-arf", arf::compare),
        ("mail-dmarc-tlsrpt", mail_dmarc_tlsrpt::compare),
        ("mail-mime", mail_mime::compare),
        ("mail-negative", mail_negative::compare),
        ("mail-notifier", mail_notifier::compare),
        ("misp", misp::compare),
        ("mail-shadowserver", mail_shadowserver::compare),
        ("rpsl", rpsl::compare),
        ("shadowserver-csv", shadowserver::compare),
        ("stix", stix::compare),
        ("xarf", xarf::compare),
    ];
    registry.into_iter().find(|(name, _)| *name == folder).map(|(_, compare)| compare)
}

/// 2026-11-01T00:00:00Z: a fixed time of receipt, so that every run reads the same.
const RECEIVED: Time = Time(1_793_491_200_000);
/// How long one file may take to read.
const SLOW: Duration = Duration::from_secs(1);
/// By how much the whole program may grow while it reads one file, in KiB.
const MUCH: u64 = 64 * 1024;

/// Reads every file, compares where it can, and writes the table; whether all is as it must be.
///
/// # Errors
/// When the folder or an oracle cannot be read, or `out` not be written.
pub fn run(folder: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let mut formats: BTreeMap<String, Format> = BTreeMap::new();
    for path in files(folder)? {
        let name = match path.split_once('/') {
            Some((name, _)) => name.to_owned(),
            None => "(top)".to_owned(),
        };
        let format = formats.entry(name).or_default();
        // The oracle itself is read too: it is as good a strange file as any.
        let measured = reading::measure(&folder.join(&path));
        format.add(path, measured);
    }
    // Oracles are held in memory, so they come after the measuring.
    for (name, format) in &mut formats {
        if let Some(compare) = comparator(name) {
            format.compared = Some(compare_all(folder, name, compare)?);
        }
    }
    table::write(&formats, out)?;
    Ok(formats.values().all(Format::is_well))
}

/// All that is known of one format's folder.
#[derive(Default)]
struct Format {
    files: usize,
    /// Files in which some format of ours found something.
    understood: usize,
    reports: u64,
    rejects: u64,
    slowest: Option<(Duration, String)>,
    largest: Option<(u64, String)>,
    /// Panics, failures of reading, and what was too slow or too large.
    faults: Vec<String>,
    compared: Option<Compared>,
}

/// The comparison of all files of a format.
#[derive(Default)]
struct Compared {
    files: usize,
    matched: usize,
    total: usize,
    differences: Vec<String>,
    meant: Vec<String>,
    excused: usize,
}

impl Format {
    fn add(&mut self, path: String, measured: Measured) {
        self.files += 1;
        self.understood += usize::from(measured.understood);
        self.reports += measured.reports;
        self.rejects += measured.rejects;
        if let Some(fault) = measured.fault {
            self.faults.push(format!("{path}: {fault}"));
        }
        if measured.took > SLOW {
            self.faults.push(format!("{path}: took {} ms; {} may be", measured.took.as_millis(), SLOW.as_millis()));
        }
        if let Some(peak) = measured.peak.filter(|peak| *peak > MUCH) {
            self.faults.push(format!("{path}: the program grew by {peak} KiB; {MUCH} may be"));
        }
        if self.slowest.as_ref().is_none_or(|(took, _)| *took < measured.took) {
            self.slowest = Some((measured.took, path.clone()));
        }
        if let Some(peak) = measured.peak.filter(|peak| self.largest.as_ref().is_none_or(|(most, _)| most < peak)) {
            self.largest = Some((peak, path));
        }
    }

    fn is_well(&self) -> bool {
        let agrees = self.compared.as_ref().is_none_or(|compared| compared.differences.is_empty());
        self.faults.is_empty() && agrees
    }
}

fn compare_all(folder: &Path, name: &str, compare: Compare) -> anyhow::Result<Compared> {
    let oracle = folder.join(name).join("ORACLE.jsonl");
    let text = std::fs::read_to_string(&oracle).with_context(|| format!("cannot read {}", oracle.display()))?;
    let mut all = Compared::default();
    let mut seen = BTreeSet::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{} line {}", oracle.display(), at + 1);
        let value: Value = serde_json::from_str(line).with_context(|| format!("{} is not JSON", place()))?;
        let path = value.get("path").and_then(Value::as_str).with_context(|| format!("{} has no 'path'", place()))?;
        if !seen.insert(path.to_owned()) {
            all.differences.push(format!("{path}: the oracle has two lines about it"));
        }
        all.files += 1;
        let file = folder.join(path);
        let comparison = match std::fs::read(&file) {
            Ok(bytes) => catch_unwind(AssertUnwindSafe(|| compare(&file, &bytes, &value))).unwrap_or_else(|_| Comparison {
                differences: vec!["comparing it panicked".to_owned()],
                ..Comparison::default()
            }),
            Err(error) => Comparison { differences: vec![format!("cannot be read: {error}")], ..Comparison::default() },
        };
        all.matched += comparison.matched;
        all.total += comparison.total;
        all.excused += comparison.excused;
        if comparison.matched + comparison.excused != comparison.total && comparison.differences.is_empty() {
            // A comparator that counts a loss must also say it; when it does not, we do.
            all.differences.push(format!("{path}: {} of {} records", comparison.matched, comparison.total));
        }
        all.differences.extend(comparison.differences.into_iter().map(|difference| format!("{path}: {difference}")));
        all.meant.extend(comparison.meant.into_iter().map(|meant| format!("{path}: {meant}")));
    }
    Ok(all)
}

/// Compares a folder of the shared corpus; `None`, and says so, when it is not there.
#[cfg(test)]
fn walk(name: &str, compare: Compare) -> Option<Compared> {
    let folder = std::env::var_os("SLUIS_SHARED").map(|shared| Path::new(&shared).join("corpus"));
    let Some(folder) = folder.filter(|folder| folder.join(name).join("ORACLE.jsonl").is_file()) else {
        println!("skipped: SLUIS_SHARED is not set, or has no corpus/{name}");
        return None;
    };
    Some(compare_all(&folder, name, compare).expect("the oracle can be read"))
}

/// All files below a folder, as paths relative to it, sorted. Links are not followed.
fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let entries = std::fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let below = path.strip_prefix(folder).unwrap_or(&path);
                found.push(below.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/"));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half(_: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
        assert!(!bytes.starts_with(b"panic"), "as asked");
        let total = oracle["count"].as_u64().unwrap_or(0) as usize;
        let differences = if total > 0 { vec!["half is missing".to_owned()] } else { Vec::new() };
        Comparison { matched: total / 2, total, differences, ..Comparison::default() }
    }

    fn folder_with(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("sluis-corpus-{}-{name}", std::process::id()));
        for (path, text) in files {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("a folder can be made");
            std::fs::write(file, text).expect("a file can be written");
        }
        folder
    }

    #[test]
    fn every_line_of_an_oracle_is_compared() {
        let oracle = "{\"path\":\"f/a.csv\",\"count\":4}\n\n{\"path\":\"f/gone.csv\"}\n{\"path\":\"f/b.csv\"}\n";
        let folder = folder_with("lines", &[("f/ORACLE.jsonl", oracle), ("f/a.csv", "x"), ("f/b.csv", "panic")]);
        let all = compare_all(&folder, "f", half).expect("the oracle can be read");
        assert_eq!((all.files, all.matched, all.total), (3, 2, 4));
        assert_eq!(all.differences.len(), 3);
        assert_eq!(all.differences[0], "f/a.csv: half is missing");
        assert!(all.differences[1].starts_with("f/gone.csv: cannot be read"));
        assert_eq!(all.differences[2], "f/b.csv: comparing it panicked");
        std::fs::remove_dir_all(folder).expect("it was ours");
    }

    #[test]
    fn an_oracle_that_is_not_json_names_its_line() {
        let folder = folder_with("bad", &[("f/ORACLE.jsonl", "{\"path\":\"f/ORACLE.jsonl\"}\nnot json\n")]);
        let error = compare_all(&folder, "f", half).err().expect("it is refused");
        assert!(format!("{error:#}").contains("line 2"), "{error:#}");
        std::fs::remove_dir_all(folder).expect("it was ours");
    }

    #[test]
    fn any_folder_is_read_and_told_about() {
        let folder = folder_with("any", &[("unknown/deep/a.bin", "\0\u{1}"), ("loose.txt", "hello")]);
        let mut out = Vec::new();
        assert!(run(&folder, &mut out).expect("the folder can be read"));
        let text = String::from_utf8(out).expect("the table is text");
        assert!(text.contains("unknown") && text.contains("not compared yet") && text.contains("(top)"), "{text}");
        std::fs::remove_dir_all(folder).expect("it was ours");
    }

    #[test]
    fn a_difference_fails_unless_it_is_meant() {
        let compared = Compared { differences: vec!["x".to_owned()], ..Compared::default() };
        let format = Format { compared: Some(compared), ..Format::default() };
        assert!(!format.is_well());
        let compared = Compared { meant: vec!["x".to_owned()], ..Compared::default() };
        assert!(Format { compared: Some(compared), ..Format::default() }.is_well());
        let slow = Measured { took: SLOW * 2, ..Measured::default() };
        let mut format = Format::default();
        format.add("a".to_owned(), slow);
        assert!(!format.is_well());
    }

    /// Every sample of the shared corpus is read without a panic, in time and in little memory.
    #[test]
    fn the_shared_corpus_is_read_without_a_fault() {
        let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
            println!("skipped: SLUIS_SHARED is not set");
            return;
        };
        let folder = Path::new(&shared).join("corpus");
        if !folder.is_dir() {
            println!("skipped: {} is not there", folder.display());
            return;
        }
        let mut out = Vec::new();
        let well = run(&folder, &mut out).expect("the corpus can be read");
        assert!(well, "{}", String::from_utf8_lossy(&out));
    }
}
