//! Working a submission off: read, trace, place, apply, batch after batch, until its end.
//!
//! Reading runs in a thread of its own ahead of the rest, for large submissions. Every flush is one transaction that
//! also moves the submission's cursor; what a killed process had not committed is read again, under the same numbers.

mod claim;
mod gather;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use model::chain::Chains;
use model::report::Batch;
use model::sender::Sender;
use model::submission::{Door, Submission};
use parsers::formats::exchange::kev;
use parsers::read::Outcome;
use parsers::sink::Stop;
use store::apply::{Advance, Applied, Placed};

use self::claim::{Claim, Claims};
use self::gather::{Counted, Ended, Flush, Flushing, said};
use crate::advisory::Advice;
use crate::alert::Suspicion;
use crate::decide::Context;
use crate::place::place;
use crate::policy::InForce;
use crate::shapes::Shapes;
use crate::{Desk, Error, Known, alert};

/// Submissions up to this size are read in the thread that asks, and committed together with others.
const SMALL: u64 = 1 << 20;
/// Reports that one transaction may hold when it takes several submissions.
const TOGETHER: usize = 50_000;
/// Bytes that one transaction may hold when it takes several submissions.
const TOGETHER_BYTES: usize = 32 << 20;
/// Reports and bytes that a small submission may make before it is treated as a large one: an archive of a megabyte can
/// unpack to many hundreds.
const SMALL_MAKES: (usize, usize) = (20_000, 16 << 20);
/// How often reading may crash before a person looks.
const CRASHES: u32 = 2;
/// How often the process may die on a submission without achieving anything before a person looks. More than
/// [`CRASHES`], for a process also dies of things that are not the submission's fault.
const DEATHS: u32 = 8;

/// What work on submissions came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worked {
    /// Submissions worked off.
    pub submissions: u64,
    /// Those that nothing understood.
    pub unreadable: u64,
    /// What was applied.
    pub applied: Applied,
}

impl Worked {
    fn add(&mut self, applied: Applied) {
        self.applied.reports += applied.reports;
        self.applied.opened += applied.opened;
        self.applied.joined += applied.joined;
        self.applied.reopened += applied.reopened;
        self.applied.set_aside += applied.set_aside;
        self.applied.rejects += applied.rejects;
    }

    fn join(&mut self, other: Worked) {
        self.add(other.applied);
        self.submissions += other.submissions;
        self.unreadable += other.unreadable;
    }

    fn end(&mut self, unreadable: bool) {
        self.submissions += 1;
        self.unreadable += u64::from(unreadable);
    }
}

/// A flush that is traced, placed and packed.
struct Part {
    /// What it was traced by.
    known: Arc<Known>,
    /// What was decided by.
    in_force: Arc<InForce>,
    door: Door,
    sender: Option<Arc<Sender>>,
    placed: Placed,
    advance: Advance,
    /// Advice about weak points.
    advice: Option<Advice>,
    /// The submission, when it is perhaps an order, and why.
    order: Option<(Submission, Suspicion)>,
    /// The submission, and how it is laid out, when that is known.
    shapes: Option<(Submission, Shapes)>,
}

impl Desk {
    /// Works off every submission that is not read to its end, oldest first. `progress` is told how many bytes of how
    /// many have been read of the present one. After [`Desk::stop`] it returns with what was done until then.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the database fails, or a file does, which the submissions after it do not wait for. What
    /// was committed stays; the rest is read again.
    pub fn work(&self, progress: &(dyn Fn(&Submission, u64) + Sync)) -> Result<Worked, Error> {
        let result = self.work_off(progress);
        if result.is_err() {
            // A full disk is no death of what was under way. That this cannot be written either is said by the error.
            let _ = self.store.write("forgive", |transaction| transaction.forgive());
        }
        result
    }

    fn work_off(&self, progress: &(dyn Fn(&Submission, u64) + Sync)) -> Result<Worked, Error> {
        let claims = Claims::default();
        let alone = RwLock::new(());
        let along = || {
            let worked = self.work_along(&claims, &alone, progress);
            if worked.is_err() {
                claims.break_off();
            }
            worked
        };
        let worked = std::thread::scope(|scope| {
            let others: Vec<_> = (1..self.workers).map(|_| scope.spawn(along)).collect();
            let mut worked = along();
            for other in others {
                let other = other.join().unwrap_or_else(|panic| Err(Error::Unavailable(said(&*panic))));
                worked = match (worked, other) {
                    (Ok(mut worked), Ok(other)) => {
                        worked.join(other);
                        Ok(worked)
                    }
                    (Err(error), _) | (_, Err(error)) => Err(error),
                };
            }
            worked
        })?;
        if self.is_stopping() {
            // Being asked to stop is not dying of what was under way.
            self.store.write("stop", |transaction| transaction.forgive())?;
            return Ok(worked);
        }
        claims.into_failed().map_or(Ok(worked), Err)
    }

    /// What one worker does: claims submissions and works them off, until there are none.
    fn work_along(
        &self,
        claims: &Claims,
        alone: &RwLock<()>,
        progress: &(dyn Fn(&Submission, u64) + Sync),
    ) -> Result<Worked, Error> {
        let mut worked = Worked::default();
        while let Some(claim) = claims.next(self, self.workers)? {
            // Before it counts as begun: what waits for an answer is no reason to suspect it.
            let later = self.find_senders(claim.submissions())?;
            claims.defer(&later);
            let result = match &claim {
                Claim::Suspect(submission) if later.contains(&submission.id) => Ok(None),
                Claim::Suspect(submission) => {
                    // If the process dies now, nothing else is to be blamed for it.
                    let _alone = alone.write().unwrap_or_else(PoisonError::into_inner);
                    self.begin_suspect(submission.id).and_then(|begun| {
                        if begun {
                            return self.work_on(claim.submissions(), &later, progress, &mut worked);
                        }
                        worked.end(true);
                        Ok(None)
                    })
                }
                Claim::Ordinary(submissions) => {
                    let _beside = alone.read().unwrap_or_else(PoisonError::into_inner);
                    self.work_on(submissions, &later, progress, &mut worked)
                }
            };
            claims.done(&claim, result?);
        }
        Ok(worked)
    }

    /// Works submissions off, but those that wait; what one of them could not be read for, when another time it may be.
    fn work_on(
        &self,
        submissions: &[Submission],
        later: &HashSet<i64>,
        progress: &(dyn Fn(&Submission, u64) + Sync),
        worked: &mut Worked,
    ) -> Result<Option<Error>, Error> {
        let mut failed = None;
        let mut together: Vec<(Submission, Flush)> = Vec::new();
        let (mut weight, mut bytes) = (0, 0);
        for submission in submissions.iter().filter(|submission| !later.contains(&submission.id)) {
            if self.is_stopping() {
                break;
            }
            let small = if submission.size > SMALL { None } else { self.read_small(submission)? };
            let Some(flushes) = small else {
                self.commit_together(std::mem::take(&mut together), worked)?;
                (weight, bytes) = (0, 0);
                if let Some(error) = self.work_large(submission, progress, worked)? {
                    failed.get_or_insert(error);
                }
                continue;
            };
            if let Some(error) = flushes.iter().find_map(|flush| flush.trouble(submission)) {
                failed.get_or_insert(error);
                continue;
            }
            // Small ones share a transaction, and so its wait for the disk.
            for flush in flushes {
                weight += flush.batch.len() + 16;
                bytes += flush.weight();
                together.push((submission.clone(), flush));
            }
            progress(submission, submission.size);
            if weight >= TOGETHER || bytes >= TOGETHER_BYTES {
                self.commit_together(std::mem::take(&mut together), worked)?;
                (weight, bytes) = (0, 0);
            }
        }
        self.commit_together(together, worked)?;
        Ok(failed)
    }

    /// Notes that a process begins with everything that is not read to its end, when it starts. What several processes may
    /// have died of is worked on by itself from then on, so that nothing else is blamed for it, and set aside in the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn recover(&self) -> Result<(), Error> {
        Ok(self.store.write("recover", |transaction| transaction.begin_all())?)
    }

    /// Counts, durably, that work begins on a suspect; false when it has been set aside instead.
    fn begin_suspect(&self, submission: i64) -> Result<bool, Error> {
        Ok(self.store.write("begin suspect", |transaction| {
            // Two were counted before anybody knew which submission it was.
            let tried = transaction.attempt(submission)?;
            if tried > DEATHS {
                transaction.set_unreadable(submission, "the program died of it, again and again")?;
            }
            Ok::<_, store::Error>(tried <= DEATHS)
        })?)
    }

    /// Puts a submission back to be read once more, by a better reader perhaps.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn read_again(&self, submission: i64) -> Result<(), Error> {
        Ok(self.store.write("read again", |transaction| {
            transaction.forget_notes(submission)?;
            transaction.read_again(submission)
        })?)
    }

    /// What a small submission says; `None` when that is too much to be kept in memory.
    fn read_small(&self, submission: &Submission) -> Result<Option<Vec<Flush>>, Error> {
        let flushes = RefCell::new(Vec::new());
        let made = Cell::new((0, 0));
        let fits = || made.get().0 <= SMALL_MAKES.0 && made.get().1 <= SMALL_MAKES.1;
        self.read_into(submission, &|_| {}, &|flush| {
            let (statements, weight) = made.get();
            made.set((statements + flush.batch.len() + flush.set_aside.len(), weight + flush.weight()));
            if !fits() {
                flushes.borrow_mut().clear();
                return ControlFlow::Break(());
            }
            flushes.borrow_mut().push(flush);
            ControlFlow::Continue(())
        })?;
        Ok(fits().then(|| flushes.take()))
    }

    /// Reads ahead in a thread, and commits flush by flush. What comes back well is what kept it from being read to its end.
    fn work_large(
        &self,
        submission: &Submission,
        progress: &(dyn Fn(&Submission, u64) + Sync),
        worked: &mut Worked,
    ) -> Result<Option<Error>, Error> {
        let (sender, receiver) = sync_channel::<Result<Part, Error>>(2);
        std::thread::scope(|scope| {
            let reading = scope.spawn(move || {
                let sender: SyncSender<Result<Part, Error>> = sender;
                self.read_into(submission, &|bytes| progress(submission, bytes), &|flush| {
                    let part = match flush.trouble(submission) {
                        Some(error) => Err(error),
                        None => self.prepare(submission, flush),
                    };
                    if sender.send(part).is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                })
            });
            let mut result = Ok(None);
            for part in &receiver {
                let part = match part {
                    Ok(part) => part,
                    Err(error) => {
                        result = Ok(Some(error));
                        break;
                    }
                };
                if let Err(error) = self.commit(vec![part], worked) {
                    result = Err(error);
                    break;
                }
                if self.is_stopping() {
                    break;
                }
            }
            // When committing failed or work is to stop, the reader finds the channel closed and stops.
            drop(receiver);
            match reading.join() {
                Ok(Ok(())) => result,
                Ok(Err(error)) => result.and(Err(error)),
                Err(panic) => result.and(Err(Error::Unavailable(said(&*panic)))),
            }
        })
    }

    /// Reads a submission and gives what it says in flushes, the last of which says how it ended.
    fn read_into(
        &self,
        submission: &Submission,
        progress: &dyn Fn(u64),
        give: &dyn Fn(Flush) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut reader = self.store.reader()?;
        let (again, heard) = reader.read(|transaction| {
            Ok::<_, store::Error>((transaction.rejected_places(submission.id)?, transaction.sender(submission.id)?))
        })?;
        let sender = heard.map(|heard| Arc::new(heard.sender));
        let Some(key) = self.store.keys().get(submission.public)? else {
            let reason = "its key is gone: the bytes can no longer be read".to_owned();
            let outcome = Outcome { unreadable: reason, ..Outcome::default() };
            let end = Some(Ended::Read(outcome));
            let _ = give(Flush { cursor: submission.cursor, end, sender, ..Flush::default() });
            return Ok(());
        };
        let mut crashes = 0;
        let reading_since = Cell::new(Instant::now());
        let give = |flush: Flush| {
            if self.is_stopping() {
                // From here on the reader sees a broken-off submission: what it makes of that must not be kept.
                return ControlFlow::Break(());
            }
            self.count(|totals| totals.reading += reading_since.get().elapsed());
            let result = give(flush);
            reading_since.set(Instant::now());
            result
        };
        let give: &dyn Fn(Flush) -> ControlFlow<()> = &give;
        let mut sink = Flushing {
            give,
            again: again.into_iter().collect(),
            from: submission.cursor,
            flush: Flush { cursor: submission.cursor, sender: sender.clone(), ..Flush::default() },
            notes: 0,
            broken_off: false,
            shapes: Shapes::default(),
        };
        loop {
            let opened = reader.read(|transaction| transaction.open_raw(submission, &key, self.store.directory()));
            let mut raw = match opened {
                Ok(raw) => raw,
                Err(store::Error::File { cause, .. }) => {
                    let end = Some(Ended::Io(cause));
                    let _ = give(Flush { cursor: submission.cursor, end, sender, ..Flush::default() });
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let mut raw = self.until_stop(&mut *raw);
            let mut counted = Counted { reader: &mut raw, count: 0, progress, beginning: Vec::new() };
            let hint = self.hint(&submission.name, &submission.feed, submission.received);
            // A reader that panics leaves nothing behind: its state is dropped with it.
            let ended = match catch_unwind(AssertUnwindSafe(|| parsers::read::read(&mut counted, &hint, &mut sink))) {
                Ok(Ok(outcome)) => Ended::Read(outcome),
                Ok(Err(Stop::Io(error))) => Ended::Io(error),
                Ok(Err(Stop::Sink)) => return Ok(()),
                Err(panic) => {
                    crashes += 1;
                    if crashes < CRASHES {
                        // What was given is on its way to the database and must not be given twice.
                        sink.from = sink.from.max(sink.flush.cursor);
                        sink.flush = Flush { cursor: sink.flush.cursor, sender: sender.clone(), ..Flush::default() };
                        sink.notes = 0;
                        continue;
                    }
                    Ended::Crashed(said(&*panic))
                }
            };
            let mut last = std::mem::take(&mut sink.flush);
            if let Ended::Read(outcome) = &ended {
                last.cursor = last.cursor.max(outcome.statements);
            }
            if matches!(ended, Ended::Read(_)) {
                last.shapes = std::mem::take(&mut sink.shapes);
            }
            last.end = Some(ended);
            last.order = self.looks_like_order(&counted.beginning, submission.received, sender.as_deref());
            let _ = give(last);
            return Ok(());
        }
    }

    /// Traces a flush, places it and packs it: all that needs no transaction, so that it can be done while another flush
    /// is being written.
    fn prepare(&self, submission: &Submission, mut flush: Flush) -> Result<Part, Error> {
        let begun = Instant::now();
        let (known, around, in_force, now) = (self.known(), self.around()?, self.policy(), self.now());
        let mut chains = Chains::default();
        known.index.trace_batch(&flush.batch, &mut chains);
        let foreign = self.pass_over(submission, &mut flush.batch, &mut chains, &known);
        let (door, received) = (submission.door, submission.received);
        let (sender, own) = (flush.sender.as_deref(), self.own_addresses());
        let context = Context { known: &known, around: &around, in_force: &in_force, door, sender, own, received, now };
        let (feed, expected) = self.feed_of(submission, flush.feed.as_ref(), &context);
        let (mut placed, undated) = place(flush.batch, chains, (received, now), in_force.policy.history);
        context.openings(&mut placed);
        placed.pack()?;
        let mut notes = flush.notes;
        notes.extend(foreign);
        if flush.end.is_some() {
            notes.extend(self.notes_on_sender(&context, placed.batch.format));
        }
        let whole = matches!(&flush.end, Some(Ended::Read(outcome)) if outcome.format == kev::FORMAT.name)
            && submission.rejects == 0
            && flush.set_aside.is_empty();
        let plain = self.reading.feeds.get(&submission.feed).is_some_and(|feed| feed.location.starts_with("http://"));
        let advice = Advice::of(submission, flush.advice, whole, plain, &context);
        notes.extend(advice.as_ref().and_then(Advice::note));
        let mut set_aside = flush.set_aside;
        set_aside.extend(undated);
        let end = flush.end.map(|ended| match ended {
            Ended::Read(outcome) => {
                let understood = !outcome.format.is_empty() || outcome.unreadable.is_empty();
                (outcome.format.to_owned(), (!understood).then_some(outcome.unreadable))
            }
            Ended::Crashed(panic) => (String::new(), Some(format!("reading it crashed twice: {panic}"))),
            Ended::Io(error) => (String::new(), Some(format!("its stored bytes cannot be read: {error}"))),
        });
        let advance = Advance {
            submission: submission.id,
            received: submission.received,
            now,
            cursor: flush.cursor.max(submission.cursor),
            read_again: flush.read_again,
            set_aside,
            notes,
            feed,
            expected,
            end,
        };
        let order = flush.order.map(|why| (submission.clone(), why));
        let shapes = (flush.shapes != Shapes::default()).then(|| (submission.clone(), flush.shapes));
        self.count(|totals| totals.tracing += begun.elapsed());
        Ok(Part { known, in_force, door: submission.door, sender: flush.sender, placed, advance, advice, order, shapes })
    }

    /// Takes out of a list of the world what nobody of ours held then: a list of a hundred thousand addresses would be as many
    /// cases about strangers. What it says of them stays in the submission, and they are counted.
    fn pass_over(
        &self,
        submission: &Submission,
        batch: &mut Batch,
        chains: &mut Chains,
        known: &Known,
    ) -> Option<(String, String)> {
        let is_of_the_world = self.reading.feeds.get(&submission.feed).is_some_and(|feed| feed.only_ours);
        if submission.door != Door::Feed || !is_of_the_world {
            return None;
        }
        // A report without a time is of nobody yet; whether it is ours is seen by who holds it now.
        let is_held = |address| known.index.trace_address(address, submission.received).holder().is_some();
        let cores = batch.cores().iter().enumerate();
        let ours: Vec<bool> =
            cores.map(|(at, core)| chains.holder(at).is_some() || core.observed().is_none() && is_held(core.address)).collect();
        let foreign = ours.iter().filter(|ours| !**ours).count();
        if foreign == 0 {
            return None;
        }
        let mut ours = ours.into_iter();
        batch.retain(|_| ours.next().unwrap_or(true));
        *chains = Chains::default();
        known.index.trace_batch(batch, chains);
        let text = format!("{foreign} that are about nobody in the administration were passed over ('only_ours' of the feed)");
        Some((String::new(), text))
    }

    /// Prepares flushes and applies them in one transaction.
    fn commit_together(&self, flushes: Vec<(Submission, Flush)>, worked: &mut Worked) -> Result<(), Error> {
        let parts = flushes.into_iter().map(|(submission, flush)| self.prepare(&submission, flush));
        self.commit(parts.collect::<Result<_, _>>()?, worked)
    }

    /// Applies what was prepared in one transaction.
    fn commit(&self, mut parts: Vec<Part>, worked: &mut Worked) -> Result<(), Error> {
        if parts.is_empty() {
            return Ok(());
        }
        let begun = Instant::now();
        let ends: Vec<bool> = parts.iter().filter_map(|part| Some(part.advance.end.as_ref()?.1.is_some())).collect();
        let mut memory = self.memories.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        let mut tried = false;
        let result = self.store.write_beside("apply", |transaction| {
            if std::mem::replace(&mut tried, true) {
                memory.clear();
            }
            let generation = transaction.counter("generation")?;
            let mut known = self.known();
            if generation != known.generation {
                let (index, generation) = transaction.index()?;
                known = self.set_known(index, generation);
                memory.clear();
            }
            for part in parts.iter_mut().filter(|part| part.known.generation != generation) {
                // Assignments changed since these reports were traced: what holds now was not known then.
                let batch = std::mem::take(&mut part.placed.batch);
                let mut chains = Chains::default();
                known.index.trace_batch(&batch, &mut chains);
                let received = part.advance.received;
                part.placed = place(batch, chains, (received, part.advance.now), part.in_force.policy.history).0;
                part.known = Arc::clone(&known);
                let around = transaction.around()?;
                let (in_force, now) = (&*part.in_force, part.advance.now);
                let (door, sender, own) = (part.door, part.sender.as_deref(), self.own_addresses());
                let context = Context { known: &known, around: &around, in_force, door, sender, own, received, now };
                context.openings(&mut part.placed);
            }
            let flushes: Vec<_> = parts
                .iter()
                .map(|part| store::apply::Flush { placed: &part.placed, index: &part.known.index, advance: &part.advance })
                .collect();
            let applied = transaction.apply(&flushes, &mut memory)?;
            for part in &parts {
                part.advice.iter().try_for_each(|advice| advice.apply(transaction, part.advance.now))?;
            }
            for (submission, suspicion) in parts.iter().filter_map(|part| part.order.as_ref()) {
                alert::put_order(transaction, submission, suspicion, self.now())?;
            }
            for part in &parts {
                if let Some((submission, shapes)) = &part.shapes {
                    shapes.apply(transaction, submission, part.sender.as_deref(), part.advance.now)?;
                }
            }
            Ok(applied)
        });
        match result {
            Ok(applied) => {
                if parts.iter().any(|part| part.advice.as_ref().is_some_and(Advice::matters)) {
                    self.forget_around();
                }
                let mut done = Worked::default();
                applied.into_iter().for_each(|applied| done.add(applied));
                ends.into_iter().for_each(|unreadable| done.end(unreadable));
                worked.join(done);
                self.memories.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
                self.beat();
                self.count(|totals| {
                    totals.worked.join(done);
                    totals.applying += begun.elapsed();
                });
                Ok(())
            }
            // What was remembered may be of rows that were undone, and is forgotten.
            Err(error) => Err(error.into()),
        }
    }
}
