//! Reading one file with the parsers, and what that cost.

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use model::report::Batch;
use parsers::read::{Outcome, read};
use parsers::sink::{Note, Reject, Sink, Stop};
use parsers::source::Hint;

use super::RECEIVED;

/// What reading one file came to.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// Whether some format found something in it.
    pub(super) understood: bool,
    pub(super) reports: u64,
    pub(super) rejects: u64,
    pub(super) took: Duration,
    /// By how much the whole program grew while reading, in KiB; `None` where the system does not tell.
    pub(super) peak: Option<u64>,
    /// What must not happen: a panic, or bytes that stop the reading.
    pub(super) fault: Option<String>,
}

/// A sink that only counts, so that what is measured is the reading.
#[derive(Default)]
struct Counting {
    reports: u64,
    rejects: u64,
}

impl Sink for Counting {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        self.reports += batch.len() as u64;
        ControlFlow::Continue(())
    }

    fn reject(&mut self, _: Reject) {
        self.rejects += 1;
    }

    fn note(&mut self, _: Note) {}
}

/// Reads a file as `sluis read` would, and survives what the parsers do not.
pub(super) fn measure(path: &Path) -> Measured {
    forget_peak();
    let before = status("VmRSS:").unwrap_or(0);
    let begun = Instant::now();
    let mut counting = Counting::default();
    let read = catch_unwind(AssertUnwindSafe(|| read_file(path, &mut counting)));
    let took = begun.elapsed();
    let peak = peak().map(|peak| peak.saturating_sub(before));
    let (understood, fault) = match read {
        Ok(Ok(outcome)) => (!outcome.format.is_empty(), None),
        Ok(Err(Stop::Io(error))) => (false, Some(format!("reading stopped: {error}"))),
        Ok(Err(Stop::Sink)) => (false, Some("reading stopped by itself".to_owned())),
        Err(panic) => (false, Some(format!("PANIC: {}", words_of(&*panic)))),
    };
    Measured { understood, reports: counting.reports, rejects: counting.rejects, took, peak, fault }
}

fn read_file(path: &Path, sink: &mut Counting) -> Result<Outcome, Stop> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    read(&mut File::open(path)?, &Hint::new(&name, RECEIVED), sink)
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(words), _) => (*words).to_owned(),
        (_, Some(words)) => words.clone(),
        _ => "without words".to_owned(),
    }
}

/// Linux keeps the most memory a process ever had, and forgets it when told to (proc(5), `clear_refs`).
fn forget_peak() {
    // Where this is not to be had, `peak` gives the most so far: still an upper bound.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

fn peak() -> Option<u64> {
    status("VmHWM:")
}

fn status(name: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_is_a_fault_and_no_panic() {
        let measured = measure(Path::new("/nonexistent/file"));
        assert!(measured.fault.is_some_and(|fault| fault.starts_with("reading stopped")));
    }

    #[test]
    fn the_words_of_a_panic_are_kept() {
        let caught = catch_unwind(|| panic!("the {} broke", "row")).expect_err("it panics");
        assert_eq!(words_of(&*caught), "the row broke");
    }

    #[test]
    fn the_peak_is_known_on_linux() {
        forget_peak();
        assert_eq!(peak().is_some(), cfg!(target_os = "linux"));
    }
}
