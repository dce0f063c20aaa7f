//! What is done once a day, beside the intake: what is older than it may be is erased.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::Desk;
use desk::retain::Periods;

use crate::serve::logs;

/// Between two looks at the clock.
const POLL: Duration = Duration::from_secs(60);
/// After a failure.
const PAUSE: Duration = Duration::from_secs(900);

/// Runs until the desk is asked to stop.
pub(crate) fn run(desk: &Arc<Desk>, periods: &Periods, hour: u8) {
    while !desk.is_stopping() {
        let pause = match desk.retain_daily(periods, hour) {
            Ok(None) => POLL,
            Ok(Some(done)) => {
                for one in done {
                    tracing::info!(what = one.what, why = one.why, count = one.count, bytes = one.bytes, "erased");
                }
                POLL
            }
            Err(_) if desk.is_stopping() => return,
            Err(error) => {
                let (reason, hint) = logs::cause(&error.to_string());
                tracing::error!(reason, hint, "what is too old cannot be erased, and is tried again");
                PAUSE
            }
        };
        let begun = Instant::now();
        while begun.elapsed() < pause && !desk.is_stopping() {
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}
