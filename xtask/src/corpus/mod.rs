//! The corpus table: what the parsers read of a folder of samples, beside what others read of the same files.
//!
//! The folder is laid out as `<format>/ORACLE.jsonl` (one JSON object a line, whose `path` is relative to the folder)
//! with the samples anywhere below `<format>/`. No file name and no count is known here: whatever is in the folder is
//! read. A comparator knows one format's oracle; each has a file of its own and a line in `ORACLES`.

mod arf;
mod claims;
mod comparison;
mod csaf;
mod feeds;
pub mod fetch;
mod figures;
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
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use model::time::Time;
use serde_json::Value;

use comparison::{Compare, Comparison, extra, read_as, stated, texts, word};
use reading::Measured;

/// Each folder with an oracle: who compares, and what made the oracle.
const ORACLES: [(&str, Compare, &str); 15] = [
    ("csaf", csaf::compare, "the standard's test suite"),
    ("feeds", feeds::compare, "IntelMQ"),
    ("iodef", iodef::compare, "lxml"),
    ("kev", kev::compare, "the catalogue's own count"),
    ("mail-arf", arf::compare, "mail-auth, Sisimai"),
    ("mail-dmarc-tlsrpt", mail_dmarc_tlsrpt::compare, "mail-auth"),
    ("mail-mime", mail_mime::compare, "mail-parser, Python"),
    ("mail-negative", mail_negative::compare, "Sisimai"),
    ("mail-notifier", mail_notifier::compare, "Python, PyYAML, lxml"),
    ("mail-shadowserver", mail_shadowserver::compare, "IntelMQ"),
    ("misp", misp::compare, "PyMISP"),
    ("rpsl", rpsl::compare, "rpsl-parser"),
    ("shadowserver-csv", shadowserver::compare, "IntelMQ"),
    ("stix", stix::compare, "stix2-validator"),
    ("xarf", xarf::compare, "jsonschema, xarf"),
];

/// 2026-11-01T00:00:00Z: a fixed time of receipt, so that every run reads the same.
const RECEIVED: Time = Time(1_793_491_200_000);
/// How long one file may take to read.
const SLOW: Duration = Duration::from_secs(1);
/// By how much the whole program may grow while it reads one file, in KiB.
const MUCH: u64 = 64 * 1024;

/// Reads every file, compares where it can, and writes the table; whether all is as it must be. What the samples prove of each
/// format goes into `figures`, when a file is named.
///
/// # Errors
/// When the folder or an oracle cannot be read, or `out` or `figures` not be written.
pub fn run(folder: &Path, figures: Option<&Path>, out: &mut dyn Write) -> anyhow::Result<bool> {
    let mut formats: BTreeMap<String, Format> = BTreeMap::new();
    for path in files(folder)? {
        let name = match path.split_once('/') {
            Some((name, _)) => name.to_owned(),
            None => "(top)".to_owned(),
        };
        let format = formats.entry(name).or_default();
        // The oracle itself is read too: it is as good a strange file as any.
        let file = folder.join(&path);
        let measured = reading::measure(&file);
        format.faults.extend(claims::of_file(&file).map(|claims| format!("{path}: {claims}")));
        format.add(path, measured);
    }
    // Oracles are held in memory, so they come after the measuring.
    let mut all = figures::Figures::default();
    for (name, format) in &mut formats {
        if let Some((_, compare, by)) = ORACLES.iter().find(|(known, ..)| known == name) {
            let mut compared = compare_all(folder, name, *compare)?;
            all.add(&compared.as_expected, by);
            format.faults.append(&mut compared.faults);
            format.compared = Some(compared);
        }
    }
    table::write(&formats, out)?;
    if let Some(file) = figures {
        all.write(file)?;
        writeln!(out, "\nwritten: {}", file.display())?;
    }
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
    /// What must not be: a sample that two formats claim.
    faults: Vec<String>,
    /// For each sample that a format read: its name, and whether nothing differed that is not meant.
    as_expected: Vec<(&'static str, bool)>,
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
            Ok(bytes) => {
                let compared = catch_unwind(AssertUnwindSafe(|| {
                    let declared = feeds::declared(path);
                    let (outcome, _) = read_as(&file, &bytes, stated(&value, declared.as_ref()));
                    (compare(&file, &bytes, &value), outcome.format, claims::of_bytes(&file, &bytes, &value))
                }));
                let panicked = |_| {
                    let differences = vec!["comparing it panicked".to_owned()];
                    (Comparison { differences, ..Comparison::default() }, "", None)
                };
                let (comparison, format, claims) = compared.unwrap_or_else(panicked);
                all.faults.extend(claims.map(|claims| format!("{path}: {claims}")));
                if !format.is_empty() {
                    all.as_expected.push((format, comparison.differences.is_empty()));
                }
                comparison
            }
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
        assert!(run(&folder, None, &mut out).expect("the folder can be read"));
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
        let well = run(&folder, None, &mut out).expect("the corpus can be read");
        assert!(well, "{}", String::from_utf8_lossy(&out));
    }
}
