//! Folders that are watched for what sources of administration have to say: whole administrations, and changes.
//!
//! A file is to be renamed into its folder when it is complete. Files are taken in the order of their names, each once:
//! `NAME` becomes `NAME.done`, or `NAME.failed` with the reason in `NAME.reason`. Order is what changes mean, so behind a
//! file that failed nothing of its source is taken until somebody has put its `.failed` away.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use desk::changes::Mark;
use desk::import::How;
use desk::{Desk, Error};
use model::administration::Changes;
use parsers::administration::lines::Unpacked;
use parsers::administration::{Limits, changes};

use crate::cli::administration::{Way, read_as};

/// How long changes are gathered: the index is built anew for all that came meanwhile.
const GATHER: Duration = Duration::from_secs(2);
/// Bytes that a file of changes may unpack to.
const CHANGES: u64 = 256 << 20;
/// How long what was taken is kept for whoever wants to look.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);
/// Endings of names that are not for us, or not any more.
const PASSED: [&str; 6] = [".done", ".failed", ".reason", ".tmp", ".part", ".partial"];

/// A source of administration as it is configured.
pub(crate) struct Source {
    /// The name its operator gave it.
    pub(crate) name: String,
    /// How its files are read.
    pub(crate) way: Way,
    /// Where they appear, if they do.
    pub(crate) folder: Option<PathBuf>,
    /// How old it may be before it is stale, in milliseconds; 0 for ever.
    pub(crate) fresh: i64,
    state: State,
}

#[derive(Default)]
struct State {
    /// When files were taken last.
    taken: Mutex<Option<Instant>>,
    /// Whether the index is behind what was taken.
    behind: AtomicBool,
    /// Whether the node knows how old the source may be.
    fresh_told: AtomicBool,
}

impl Source {
    /// A source.
    pub(crate) fn new(name: String, way: Way, folder: Option<PathBuf>, fresh: i64) -> Source {
        Source { name, way, folder, fresh, state: State::default() }
    }

    /// Looks into the folder, and takes what is there.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a file could not be taken, now or before; [`Error::Unavailable`], and then it is tried again.
    pub(crate) fn look(&self, desk: &Desk) -> Result<(), Error> {
        if !self.state.fresh_told.swap(true, Ordering::Relaxed) {
            self.tell_fresh(desk)?;
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        let taken = *self.state.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if taken.is_some_and(|taken| taken.elapsed() < GATHER) {
            return Ok(());
        }
        let (waiting, failed) = list(folder)?;
        let mut sum = Sum::default();
        let mut result = Ok(());
        if failed.is_none() {
            for path in &waiting {
                if desk.is_stopping() {
                    break;
                }
                result = self.take(desk, path, &mut sum);
                if result.is_err() {
                    break;
                }
            }
        }
        if sum.files > 0 || self.state.behind.load(Ordering::Relaxed) {
            *self.state.taken.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            let desk::import::Refreshed { holders_found, holders_changed } = desk.refresh()?;
            self.state.behind.store(false, Ordering::Relaxed);
            self.tell_fresh(desk)?;
            let Sum { files, begun, ended, parties, remarks } = sum;
            tracing::info!(files, begun, ended, parties, remarks, holders_found, holders_changed, "administration taken in");
        }
        sweep(folder);
        match failed {
            Some(name) => Err(Error::Invalid(format!(
                "{}: stopped by a file that could not be taken: {name}.reason says why; correct the file and rename it, or delete it",
                folder.display()
            ))),
            None => result,
        }
    }

    fn tell_fresh(&self, desk: &Desk) -> Result<(), Error> {
        desk.set_fresh(&[(self.name.clone(), self.fresh)])
    }

    /// Takes one file, or one folder of files that belong together.
    fn take(&self, desk: &Desk, path: &Path, sum: &mut Sum) -> Result<(), Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let result = if is_changes(&name) { self.take_changes(desk, path, &name) } else { self.take_whole(desk, path) };
        match result {
            Ok(changes) => {
                self.state.behind.store(true, Ordering::Relaxed);
                sum.add(&changes);
                put_away(path, "done")?;
                if is_changes(&name) {
                    desk.settle(&self.name)?;
                }
                Ok(())
            }
            Err(Error::Invalid(reason)) => {
                // The reason first: whoever sees the failure finds it.
                let beside = path.with_file_name(format!("{name}.reason"));
                fs::write(&beside, format!("{reason}\n")).map_err(|error| unavailable(&beside, &error))?;
                put_away(path, "failed")?;
                let folder = path.parent().unwrap_or(path).display();
                Err(Error::Invalid(format!("{folder}: stopped by a file that could not be taken: {name}: {reason}")))
            }
            Err(error) => Err(error),
        }
    }

    fn take_changes(&self, desk: &Desk, path: &Path, name: &str) -> Result<Changes, Error> {
        let limits = Limits::default();
        let file = File::open(path).map_err(|error| unavailable(path, &error))?;
        let mut bytes = Vec::new();
        let read = Unpacked::open(file, limits).and_then(|reader| reader.take(CHANGES + 1).read_to_end(&mut bytes));
        read.map_err(|error| unavailable(path, &error))?;
        if bytes.len() as u64 > CHANGES {
            return Err(Error::Invalid(format!("over {} MiB of changes; hand in several files", CHANGES >> 20)));
        }
        let told = changes::read(&mut bytes.as_slice(), &limits).map_err(Error::Invalid)?;
        Ok(desk.change(&self.name, &told, Some(Mark::of(name, &bytes)))?.changes)
    }

    fn take_whole(&self, desk: &Desk, path: &Path) -> Result<Changes, Error> {
        let mut paths = vec![path.to_owned()];
        if path.is_dir() {
            let entries = fs::read_dir(path).map_err(|error| unavailable(path, &error))?;
            paths = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
            paths.sort();
        }
        let read = read_as(&paths, &self.way).map_err(|error| Error::Unavailable(format!("{error:#}")))?;
        if let Some(why) = read.unread() {
            return Err(Error::Invalid(why));
        }
        let findings = read.findings.len();
        let mut changes = desk.take_in(&self.name, read.kind, &read.snapshot, How::Careful)?;
        for finding in read.findings.into_iter().take(findings.min(model::administration::REMARKS_KEPT)) {
            changes.problems.add(|| format!("{}: {}", finding.place, finding.reason));
        }
        Ok(changes)
    }
}

/// What was taken at one look, in numbers.
#[derive(Default)]
struct Sum {
    files: u64,
    begun: usize,
    ended: usize,
    parties: usize,
    remarks: usize,
}

impl Sum {
    fn add(&mut self, changes: &Changes) {
        self.files += 1;
        self.begun += changes.begun.len();
        self.ended += changes.ended.len() + changes.superseded.len();
        self.parties += changes.parties_new.len() + changes.parties_changed.len() + changes.moved.len();
        self.remarks += changes.problems.count + changes.conflicts.count + changes.overlaps.count + changes.cuts.count;
    }
}

/// Whether a file tells of changes, by its name.
fn is_changes(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    name.ends_with(".changes.jsonl") || name.ends_with(".changes")
}

/// What waits in a folder, by name; and the first file that failed.
fn list(folder: &Path) -> Result<(Vec<PathBuf>, Option<String>), Error> {
    let entries = fs::read_dir(folder).map_err(|error| unavailable(folder, &error))?;
    let (mut waiting, mut failed) = (Vec::new(), None);
    for entry in entries {
        let path = entry.map_err(|error| unavailable(folder, &error))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".failed") {
            failed = Some(name.to_owned());
        }
        if !name.starts_with('.') && !PASSED.iter().any(|ending| name.ends_with(ending)) {
            waiting.push(path);
        }
    }
    waiting.sort();
    Ok((waiting, failed))
}

/// Renames a file so that it is not taken again.
fn put_away(path: &Path, ending: &str) -> Result<(), Error> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    let to = path.with_file_name(name);
    // A folder does not take the place of one that is there.
    if to.is_dir() {
        fs::remove_dir_all(&to).map_err(|error| unavailable(&to, &error))?;
    }
    fs::rename(path, &to).map_err(|error| unavailable(path, &error))
}

/// Deletes what was taken long ago: it holds personal data, and all of it is in the database.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".done")) {
        let written = entry.metadata().and_then(|data| data.modified());
        let is_old = written.is_ok_and(|written| SystemTime::now().duration_since(written).is_ok_and(|age| age > KEPT));
        if is_old {
            // Another look tries again.
            let _ = if entry.path().is_dir() { fs::remove_dir_all(entry.path()) } else { fs::remove_file(entry.path()) };
        }
    }
}

fn unavailable(path: &Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::is_changes;

    #[test]
    fn changes_are_known_by_their_names() {
        for name in ["0001.changes.jsonl", "2026-01-01T00.changes.jsonl.gz", "a.changes"] {
            assert!(is_changes(name), "{name}");
        }
        for name in ["changes.jsonl", "customers.csv", "x.changes.jsonl.tmp"] {
            assert!(!is_changes(name), "{name}");
        }
    }
}
