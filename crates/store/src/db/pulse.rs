//! Who waits for something to be committed is told at once, and asks the database no more often than that.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Counts what this process commits.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Pulse {
    /// Something was committed, or was not.
    pub(super) fn beat(&self, committed: bool) {
        if committed {
            let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
            *count = count.wrapping_add(1);
            self.changed.notify_all();
        }
    }

    /// Waits until the count is another than `seen`, or so long.
    pub(super) fn wait(&self, seen: u64, most: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(count, most, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
