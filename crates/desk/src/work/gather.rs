//! What is read of a submission, gathered into flushes; what an earlier run applied is left out.

use std::any::Any;
use std::collections::HashSet;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use model::advisory::Advisory;
use model::report::Batch;
use model::sender::Sender;
use model::submission::Submission;
use parsers::read::Outcome;
use parsers::sink::{Form, Note, Reject, Sink};
use store::queues::{Queue, SetAside};

use crate::alert::Suspicion;
use crate::decide::FeedSaid;
use crate::shapes::Shapes;
use crate::{Error, alert};

/// Remarks kept of a submission: they help people, and beyond a few hundred they help nobody.
const NOTES: usize = 500;
/// Rejects kept in memory before they are written, when no report comes between.
const REJECTS: usize = 10_000;
/// Advice kept in memory before it is written.
const ADVICE: usize = 2_000;

/// A part of a submission that was read, on its way to the database.
#[derive(Debug, Default)]
pub(super) struct Flush {
    pub(super) batch: Batch,
    pub(super) set_aside: Vec<SetAside>,
    pub(super) notes: Vec<(String, String)>,
    /// Advice about weak points.
    pub(super) advice: Vec<Advisory>,
    pub(super) read_again: Vec<u32>,
    /// What its first report says of the feed that the submission may be of.
    pub(super) feed: Option<FeedSaid>,
    /// Who the submission is from, when it is a mail.
    pub(super) sender: Option<Arc<Sender>>,
    /// Statements before this one are all in this flush or an earlier one.
    pub(super) cursor: u32,
    /// The last flush says how the reading ended.
    pub(super) end: Option<Ended>,
    /// Why it is perhaps an order, which the last flush says too.
    pub(super) order: Option<Suspicion>,
    /// How it is laid out, which the last flush says as well.
    pub(super) shapes: Shapes,
}

impl Flush {
    /// Bytes it keeps in memory, about.
    pub(super) fn weight(&self) -> usize {
        let set_aside = |entry: &SetAside| entry.place.len() + entry.text.len() + entry.reason.len() + 96;
        self.batch.weight() + self.set_aside.iter().map(set_aside).sum::<usize>()
    }

    /// What kept the submission from being read to its end, when another time it may be.
    pub(super) fn trouble(&self, submission: &Submission) -> Option<Error> {
        match &self.end {
            Some(Ended::Io(error)) if !is_lasting(error) => {
                Some(Error::Unavailable(format!("submission {}: its stored bytes: {error}", submission.public)))
            }
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(super) enum Ended {
    Read(Outcome),
    Crashed(String),
    Io(io::Error),
}

/// Collects what is read, and leaves out what an earlier run applied.
pub(super) struct Flushing<'a> {
    pub(super) give: &'a dyn Fn(Flush) -> ControlFlow<()>,
    /// Places of rejects of an earlier run, which may now be reports.
    pub(super) again: HashSet<u32>,
    /// Statements before this place were applied by an earlier run.
    pub(super) from: u32,
    pub(super) flush: Flush,
    /// Remarks so far, those of an earlier run included: which are kept must not depend on where that one ended.
    pub(super) notes: usize,
    /// Nobody takes flushes any more.
    pub(super) broken_off: bool,
    /// How what is read is laid out.
    pub(super) shapes: Shapes,
}

impl Flushing<'_> {
    pub(super) fn give(&mut self) -> ControlFlow<()> {
        let (feed, sender) = (self.flush.feed.clone(), self.flush.sender.clone());
        let next = Flush { cursor: self.flush.cursor, feed, sender, ..Flush::default() };
        let flow = (self.give)(std::mem::replace(&mut self.flush, next));
        self.broken_off |= flow.is_break();
        flow
    }
}

impl Sink for Flushing<'_> {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        if self.broken_off {
            return ControlFlow::Break(());
        }
        if self.flush.feed.is_none() && !batch.is_empty() {
            self.flush.feed = Some(FeedSaid::of(&batch.report(0), batch.format));
        }
        let last = batch.cores().iter().map(|core| core.ordinal).max().unwrap_or(0);
        let (from, again) = (self.from, &mut self.again);
        if from > 0 {
            batch.retain(|core| core.ordinal >= from || again.contains(&core.ordinal));
        }
        if batch.is_empty() {
            return ControlFlow::Continue(());
        }
        if !again.is_empty() {
            let read = batch.cores().iter().map(|core| core.ordinal).filter(|ordinal| again.remove(ordinal));
            self.flush.read_again.extend(read);
        }
        let next = batch.successor();
        self.flush.batch = std::mem::replace(batch, next);
        // Reports come in order, and every reject before them has been told: up to here nothing is missing.
        self.flush.cursor = self.flush.cursor.max(last + 1);
        self.give()
    }

    fn reject(&mut self, reject: Reject) {
        if self.broken_off {
            return;
        }
        if self.again.contains(&reject.ordinal) {
            self.flush.read_again.push(reject.ordinal);
        } else if reject.ordinal < self.from {
            return;
        }
        let Reject { ordinal, place, text, reason } = reject;
        self.flush.set_aside.push(SetAside { ordinal, queue: Queue::Rejects, place, text, reason });
        if self.flush.set_aside.len() >= REJECTS {
            // That it was broken off shows at the next batch, or at the end.
            let _ = self.give();
        }
    }

    fn advisory(&mut self, advisory: Advisory) -> ControlFlow<()> {
        if self.broken_off {
            return ControlFlow::Break(());
        }
        self.flush.advice.push(advisory);
        // They take no places: after a kill all of them come again, and change nothing the second time.
        if self.flush.advice.len() >= ADVICE { self.give() } else { ControlFlow::Continue(()) }
    }

    fn shape(&mut self, form: Form<'_>) {
        self.shapes.add(form);
    }

    fn note(&mut self, note: Note) {
        if self.notes < NOTES {
            self.notes += 1;
            self.flush.notes.push((note.place, note.text));
        }
    }
}

/// A reader that tells how far it is, and keeps the beginning.
pub(super) struct Counted<'a> {
    pub(super) reader: &'a mut dyn Read,
    pub(super) count: u64,
    pub(super) progress: &'a dyn Fn(u64),
    pub(super) beginning: Vec<u8>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.count += count as u64;
        let room = alert::order::PREFIX.saturating_sub(self.beginning.len()).min(count);
        self.beginning.extend_from_slice(into.get(..room).unwrap_or_default());
        (self.progress)(self.count);
        Ok(count)
    }
}

/// Whether reading the same bytes another time would fail the same way.
pub(super) fn is_lasting(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof)
}

/// What a panic said, for the person who finds the submission in the queue.
pub(super) fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").chars().take(300).collect()
}
