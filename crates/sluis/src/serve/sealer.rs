//! The thread that seals: what is urgent at once, the rest a moment later, and at a fixed cadence the log is published.

use std::sync::Arc;
use std::time::{Duration, Instant};

use desk::Desk;
use store::Reader;

use crate::serve::logs;

/// How long what is not urgent waits for more of its kind.
const TOGETHER: Duration = Duration::from_millis(250);
/// As soon as so many rows wait, they wait no longer.
const ENOUGH: u32 = 1_000;
/// After a failure.
const PAUSE: Duration = Duration::from_secs(5);

/// Runs until the desk is asked to stop.
pub(crate) fn run(desk: &Arc<Desk>, publish_every: Duration) {
    let mut said = Said::default();
    said.say(desk.check_log().map(|()| None));
    let mut next = first_publication(desk, publish_every);
    let mut seen = 0;
    let mut since: Option<Instant> = None;
    let mut reader: Option<Reader> = None;
    while !desk.is_stopping() {
        seen = desk.store().wait_for_commit(seen, TOGETHER);
        let result = one(desk, &mut reader, &mut since).and_then(|done| {
            if Instant::now() < next {
                return Ok(done);
            }
            // The cadence says nothing: it does not drift with what there was to do.
            next = (next + publish_every).max(Instant::now());
            desk.publish().map(|published| Some(published.size))
        });
        if !said.say(result) {
            reader = None;
            pause(desk);
        }
    }
}

/// Seals what is urgent, or everything when it waited long enough.
fn one(desk: &Desk, reader: &mut Option<Reader>, since: &mut Option<Instant>) -> Result<Option<u64>, desk::Error> {
    let reader = match reader {
        Some(reader) => reader,
        None => reader.insert(desk.store().reader()?),
    };
    let (waiting, urgent) = reader.read(|transaction| transaction.waiting_for_seal(ENOUGH))?;
    if waiting == 0 {
        *since = None;
        return Ok(None);
    }
    let begun = *since.get_or_insert_with(Instant::now);
    if waiting >= u64::from(ENOUGH) || begun.elapsed() >= TOGETHER {
        *since = None;
        desk.seal()?;
    } else if urgent {
        desk.seal_urgent()?;
    }
    Ok(None)
}

/// When the log is to be published first: a cadence after the last time, by the clock, whichever process that was in.
fn first_publication(desk: &Desk, every: Duration) -> Instant {
    let last = desk.last_published().ok().flatten();
    let ago = last.map_or(i64::MAX, |last| desk.now().0.saturating_sub(last.0));
    // A clock that was set back is no reason to wait for longer than the cadence.
    let ago = u64::try_from(ago).map_or(Duration::ZERO, Duration::from_millis);
    Instant::now() + every.saturating_sub(ago)
}

fn pause(desk: &Desk) {
    let begun = Instant::now();
    while begun.elapsed() < PAUSE && !desk.is_stopping() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Says a failure once, and once that it is over.
#[derive(Default)]
struct Said(bool);

impl Said {
    /// Whether it went well.
    fn say(&mut self, result: Result<Option<u64>, desk::Error>) -> bool {
        match result {
            Ok(published) => {
                if std::mem::take(&mut self.0) {
                    tracing::info!("the log is signed again");
                }
                if let Some(size) = published {
                    tracing::debug!(size, "the log is published");
                }
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.0, true) {
                    let (reason, hint) = logs::cause(&error.to_string());
                    tracing::error!(
                        reason,
                        hint,
                        "the log cannot be signed: what happens waits to be sealed, and letters with it"
                    );
                }
                false
            }
        }
    }
}
