//! What a process has done since it opened the desk, and the way to ask it to stop: for those who watch over it.

use std::io::{self, Read};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::Desk;
use crate::work::Worked;

/// What this process has done since it opened the desk. All of it is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Submissions taken in, copies of known ones included.
    pub received: u64,
    /// Those that were copies of what was here already.
    pub copies: u64,
    /// Bytes of all of them.
    pub bytes: u64,
    /// What was worked off.
    pub worked: Worked,
    /// Time spent writing submissions down, until they were durable.
    pub receiving: Duration,
    /// Time spent reading them. It passes beside the next two for large submissions.
    pub reading: Duration,
    /// Time spent tracing and placing reports.
    pub tracing: Duration,
    /// Time spent in the transactions that apply them.
    pub applying: Duration,
}

impl Desk {
    /// What this process has done so far. It moves while a submission is worked on.
    pub fn totals(&self) -> Totals {
        *self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, add: impl FnOnce(&mut Totals)) {
        add(&mut self.totals.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Asks all work to stop: the transaction under way is finished, nothing new is begun, and the functions that work
    /// return soon, and well, with what they did until then. What was left is found again by the next process.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Whether [`Desk::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// A number that rises with every bit of work: when it stands still while there is work, something hangs.
    pub fn pulse(&self) -> u64 {
        self.pulse.load(Ordering::Relaxed)
    }

    pub(crate) fn beat(&self) {
        self.pulse.fetch_add(1, Ordering::Relaxed);
    }

    /// The reader, until the desk is asked to stop.
    pub(crate) fn until_stop<'a>(&'a self, reader: &'a mut dyn Read) -> UntilStop<'a> {
        UntilStop { desk: self, reader }
    }
}

/// A reader that fails as soon as the desk is asked to stop, so that a submission of gigabytes does not hold it up.
pub(crate) struct UntilStop<'a> {
    desk: &'a Desk,
    reader: &'a mut dyn Read,
}

impl Read for UntilStop<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.desk.is_stopping() {
            return Err(io::Error::other("the program was asked to stop"));
        }
        self.desk.beat();
        self.reader.read(into)
    }
}
