//! The intake: one thread that takes in what lies in the spool and the maildirs, and works it off, again and again.
//!
//! Each part (the spool, every maildir, every folder of an administration, the work) fails for itself: it is said once, tried again after a growing pause,
//! and does not stop the others. Nothing here ends the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use desk::{Desk, Error};
use model::submission::Submission;
use model::time::Time;
use serde::{Deserialize, Serialize};

use crate::serve::{administrations, logs};

/// The first pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// From this size on a submission's beginning is worth a line in the log.
const LARGE: u64 = 16 << 20;

/// The intake of a node.
pub(crate) struct Intake {
    desk: Arc<Desk>,
    parts: Vec<Source>,
    poll: Duration,
    woken: Mutex<bool>,
    wake: Condvar,
    state: Mutex<State>,
    working: AtomicBool,
    /// The submission whose beginning was logged last: when work on it fails, it is not said again and again.
    said: AtomicI64,
}

/// What a part does.
enum Source {
    Spool,
    Maildir(PathBuf),
    Administration(Box<administrations::Source>),
    Work,
    Clocks,
}

/// How the intake is doing.
#[derive(Clone, Debug)]
pub(crate) struct State {
    /// When every part last went well, by the node's clock.
    pub(crate) last_success: Option<Time>,
    /// When something last moved, by a clock that only goes forward.
    pub(crate) last_sign: Instant,
    /// The pulse of the desk at that moment.
    pulse: u64,
    /// One for each part.
    pub(crate) parts: Vec<Part>,
}

/// How one part is doing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Part {
    /// What it is called in logs, metrics and status: `spool`, `maildir-1` and `administration-1` (numbered as
    /// configured), `work`; and doors with threads of their own, such as `imap-desk`.
    pub(crate) name: String,
    /// What is wrong now, if anything.
    pub(crate) trouble: Option<Trouble>,
    /// How often it has failed since the process began.
    pub(crate) failures: u64,
    pause: Duration,
    next: Option<Instant>,
}

/// What is wrong with a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// What is wrong, in words that name nobody.
    pub(crate) reason: String,
    /// What can be done.
    pub(crate) hint: String,
    /// The whole message. It may name files: for the owner of the data only.
    pub(crate) message: String,
}

impl Intake {
    /// An intake of the spool, of these maildirs and of these sources of administration, which looks every `poll`.
    pub(crate) fn new(
        desk: Arc<Desk>,
        maildirs: &[PathBuf],
        administrations: Vec<administrations::Source>,
        poll: Duration,
    ) -> Intake {
        let maildirs_named =
            maildirs.iter().enumerate().map(|(at, path)| (format!("maildir-{}", at + 1), Source::Maildir(path.clone())));
        let administrations_named = administrations
            .into_iter()
            .enumerate()
            .map(|(at, source)| (format!("administration-{}", at + 1), Source::Administration(Box::new(source))));
        let (names, parts): (Vec<_>, Vec<_>) = std::iter::once(("spool".to_owned(), Source::Spool))
            .chain(maildirs_named)
            .chain(administrations_named)
            .chain([("work".to_owned(), Source::Work), ("clocks".to_owned(), Source::Clocks)])
            .unzip();
        let state = State {
            last_success: None,
            last_sign: Instant::now(),
            pulse: desk.pulse(),
            parts: names.into_iter().map(|name| Part { name, ..Part::default() }).collect(),
        };
        Intake {
            desk,
            parts,
            poll,
            woken: Mutex::new(false),
            wake: Condvar::new(),
            state: Mutex::new(state),
            working: AtomicBool::new(false),
            said: AtomicI64::new(0),
        }
    }

    /// Looks at once instead of at the next poll.
    pub(crate) fn wake(&self) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.wake.notify_all();
    }

    /// A part that has a thread of its own, a door: it is shown with the others. Its number, for [`Intake::tell`].
    pub(crate) fn enlist(&self, name: &str) -> usize {
        let mut state = self.locked();
        state.parts.push(Part { name: name.to_owned(), ..Part::default() });
        state.parts.len() - 1
    }

    /// Notes how such a part goes: a trouble is logged when it is new, a recovery when there was one.
    pub(crate) fn tell(&self, number: usize, result: Result<(), Trouble>) {
        let mut state = self.locked();
        let Some(part) = state.parts.get_mut(number) else { return };
        match result {
            Ok(()) => {
                if part.trouble.take().is_some() {
                    tracing::info!(part = part.name, "works again");
                }
            }
            Err(trouble) => {
                if part.trouble.as_ref().is_none_or(|old| old.reason != trouble.reason) {
                    let (reason, hint) = (&trouble.reason, &trouble.hint);
                    tracing::error!(part = part.name, reason, hint, "does not work, and is tried again");
                }
                part.failures += 1;
                part.trouble = Some(trouble);
            }
        }
    }

    /// How it is doing.
    pub(crate) fn state(&self) -> State {
        let mut state = self.locked();
        self.take_pulse(&mut state);
        state.clone()
    }

    /// Whether a pass is under way.
    pub(crate) fn is_working(&self) -> bool {
        self.working.load(Ordering::Relaxed)
    }

    /// Runs until the desk is asked to stop and what is under way is finished.
    pub(crate) fn run(&self) {
        while !self.desk.is_stopping() {
            self.working.store(true, Ordering::Relaxed);
            self.pass();
            self.working.store(false, Ordering::Relaxed);
            self.pause();
        }
    }

    /// One look at every part whose pause is over.
    fn pass(&self) {
        for (at, source) in self.parts.iter().enumerate() {
            if self.desk.is_stopping() {
                return;
            }
            let due = self.locked().parts.get(at).is_some_and(|part| part.next.is_none_or(|next| next <= Instant::now()));
            if !due {
                continue;
            }
            // A crash in a reader is caught below; this is for all else, so that one mistake does not end the intake.
            let result = catch_unwind(AssertUnwindSafe(|| self.part(source)));
            let result = result.unwrap_or_else(|_| Err(Error::Unavailable("it crashed".to_owned())));
            self.settle(at, result);
        }
        let mut state = self.locked();
        if state.parts.iter().all(|part| part.trouble.is_none()) {
            state.last_success = Some(self.desk.now());
        }
    }

    fn part(&self, source: &Source) -> Result<(), Error> {
        match source {
            Source::Spool => self.taken("spool", self.desk.take_spool()?),
            Source::Maildir(path) => self.taken("maildir", self.desk.take_maildir(path)?),
            Source::Administration(source) => source.look(&self.desk)?,
            Source::Work => self.work()?,
            Source::Clocks => self.advance()?,
        }
        Ok(())
    }

    fn taken(&self, door: &'static str, submissions: u64) {
        if submissions > 0 {
            tracing::info!(door, submissions, "taken in");
        }
    }

    fn work(&self) -> Result<(), Error> {
        let begun = Instant::now();
        let worked = self.desk.work(&|submission: &Submission, _| {
            if self.said.swap(submission.id, Ordering::Relaxed) != submission.id {
                let (bytes, submission) = (submission.size, submission.public);
                if bytes >= LARGE {
                    tracing::info!(%submission, bytes, "reading a large submission");
                } else {
                    tracing::debug!(%submission, bytes, "reading");
                }
            }
        })?;
        let applied = worked.applied;
        if worked.submissions > 0 || applied.reports > 0 {
            tracing::info!(
                submissions = worked.submissions,
                reports = applied.reports,
                opened = applied.opened,
                joined = applied.joined,
                reopened = applied.reopened,
                set_aside = applied.set_aside,
                rejects = applied.rejects,
                unreadable = worked.unreadable,
                seconds = begun.elapsed().as_secs_f64(),
                "worked off"
            );
        }
        Ok(())
    }

    /// Looks at the cases whose moment has come. Every round does: their moments are kept, so none is missed.
    fn advance(&self) -> Result<(), Error> {
        let advanced = self.desk.advance()?;
        if advanced.changed > 0 {
            let (cases, closed, outbox) = (advanced.changed, advanced.closed, advanced.errands);
            tracing::info!(cases, closed, outbox, "clocks");
        }
        Ok(())
    }

    /// Notes how a part went: a failure is logged when it is new, a recovery when there was one.
    fn settle(&self, at: usize, result: Result<(), Error>) {
        let mut state = self.locked();
        state.last_sign = Instant::now();
        let Some(part) = state.parts.get_mut(at) else { return };
        match result {
            Ok(()) => {
                if part.trouble.take().is_some() {
                    tracing::info!(part = part.name, "works again");
                }
                (part.pause, part.next) = (Duration::ZERO, None);
            }
            Err(error) => {
                let message = error.to_string();
                let (reason, hint) = logs::cause(&message);
                part.failures += 1;
                part.pause = (part.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
                part.next = Some(Instant::now() + part.pause);
                if part.trouble.as_ref().is_none_or(|trouble| trouble.reason != reason) {
                    tracing::error!(part = part.name, reason, hint, "does not work, and is tried again");
                }
                part.trouble = Some(Trouble { reason, hint: hint.to_owned(), message });
            }
        }
    }

    /// Waits for the next poll or for [`Intake::wake`].
    fn pause(&self) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.wake.wait_timeout_while(woken, self.poll, |woken| !*woken && !self.desk.is_stopping());
        *waited.unwrap_or_else(PoisonError::into_inner).0 = false;
    }

    /// Work in the desk is a sign of life, too: a large submission holds up a pass for minutes.
    fn take_pulse(&self, state: &mut State) {
        let pulse = self.desk.pulse();
        if pulse != state.pulse {
            (state.pulse, state.last_sign) = (pulse, Instant::now());
        }
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
