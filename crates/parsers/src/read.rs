//! Reading a submission: choosing a format, opening containers, and keeping count.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

use model::advisory::Advisory;
use model::report::{Batch, Core, Place};

use crate::formats::{self, Fit, Format};
use crate::kinds;
use crate::sink::{Finding, Form, Note, Part, Reject, Sink, Stop, Taker};
use crate::source::{Hint, Prefix, Source};

/// Reports a batch holds before it goes to the sink.
pub const BATCH_REPORTS: usize = 50_000;
/// Bytes a batch weighs before it goes to the sink.
pub const BATCH_WEIGHT: usize = 20 << 20;
/// Bytes of a reject's text that are kept.
pub const REJECT_TEXT: usize = 4 << 10;

/// What reading came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the format that read it (the first, when a mail held several); empty when none did.
    pub format: &'static str,
    /// Statements found: reports and rejects.
    pub statements: u32,
    /// Why no format read it, for a person; empty otherwise.
    pub unreadable: String,
    /// What it is instead of a report of abuse, when a format knows that nobody has to look: a bounce, a DMARC report.
    /// Empty otherwise, and when anything in it was a report after all.
    pub aside: &'static str,
}

/// Reads everything `reader` gives into `sink`.
///
/// The outcome names no format when nothing understood the submission: then it belongs to a person.
///
/// # Errors
/// [`Stop`] when the reader fails or the sink breaks off; never for what the bytes say.
pub fn read(reader: &mut dyn Read, hint: &Hint<'_>, sink: &mut dyn Sink) -> Result<Outcome, Stop> {
    let mut source = Source::open(reader)?;
    // A mail is read as a whole by whatever reads it, and again for a person when nothing does: it is kept in memory once.
    let mut mail = Vec::new();
    if !source.is_whole() && kinds::mail::detect(&Prefix::new(source.prefix(), hint.name, hint.content_type, hint)) {
        (&mut source).take(hint.limits.whole as u64 + 1).read_to_end(&mut mail)?;
        if mail.len() > hint.limits.whole {
            let mut all = mail.as_slice().chain(source);
            return read_source(&mut Source::open(&mut all)?, None, hint, sink);
        }
        return read_source(&mut Source::memory(&mail), Some(&mail), hint, sink);
    }
    read_source(&mut source, None, hint, sink)
}

/// Reads a source, of which all bytes are in `mail` when they are known to be a mail's.
fn read_source(source: &mut Source<'_>, mail: Option<&[u8]>, hint: &Hint<'_>, sink: &mut dyn Sink) -> Result<Outcome, Stop> {
    let mut reading = Reading {
        hint: *hint,
        sink,
        batch: Batch::new(),
        next: 0,
        depth: 0,
        parts: 0,
        unpacked: Rc::default(),
        context: Vec::new(),
        path: hint.name.to_owned(),
        name: hint.name.to_owned(),
        outcome: Outcome::default(),
    };
    let understood = reading.part(source)?;
    reading.flush()?;
    if !understood && hint.format != Some(formats::free_text::FORMAT.name) {
        offer(&mut reading, source, mail)?;
    }
    let mut outcome = reading.outcome;
    outcome.statements = reading.next;
    if !understood && outcome.unreadable.is_empty() {
        outcome.unreadable = if source.prefix().is_empty() {
            "it is empty".to_owned()
        } else {
            "no format of this version understands it".to_owned()
        };
    }
    if understood {
        outcome.unreadable.clear();
    }
    if !understood {
        outcome.format = "";
    }
    if !understood || outcome.statements > 0 {
        outcome.aside = "";
    }
    Ok(outcome)
}

/// Offers to a person what stands in a submission that nothing understood.
fn offer(reading: &mut Reading<'_>, source: &mut Source<'_>, mail: Option<&[u8]>) -> Result<(), Stop> {
    if let Some(mail) = mail {
        formats::free_text::offer(reading, mail);
    } else if source.is_whole() || !source.is_untouched() {
        // Of a long text that a format has begun to read, the beginning is what is still at hand.
        formats::free_text::offer(reading, source.prefix());
    } else if let Some(bytes) = source.read_whole(reading.hint.limits.whole)? {
        formats::free_text::offer(reading, &bytes);
    } else {
        let limit = reading.hint.limits.whole >> 20;
        reading.unreadable(format!("no format of this version understands it, and it is larger than {limit} MiB"));
    }
    Ok(())
}

/// The state of reading one submission, handed to each format.
pub struct Reading<'a> {
    /// What the caller knows.
    pub hint: Hint<'a>,
    sink: &'a mut dyn Sink,
    batch: Batch,
    next: u32,
    depth: u8,
    parts: usize,
    unpacked: Rc<Cell<u64>>,
    context: Vec<Context>,
    path: String,
    name: String,
    outcome: Outcome,
}

/// What a container says about everything inside it.
struct Context {
    name: &'static str,
    place: Place,
    value: String,
}

impl<'a> Reading<'a> {
    /// The batch whose open report the format fills before it calls [`Reading::report`].
    pub fn batch(&mut self) -> &mut Batch {
        &mut self.batch
    }

    /// The name that what is being read came under, without folders: of the file, or of the part of a container.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place of the next statement. Every row or part that makes a statement takes one, whether it becomes a report
    /// or a reject, so that places do not depend on how well this version reads.
    pub fn ordinal(&mut self) -> u32 {
        let ordinal = self.next;
        self.next = self.next.saturating_add(1);
        ordinal
    }

    /// How many places have been given out: a container sees by it whether a part said anything.
    pub fn statements(&self) -> u32 {
        self.next
    }

    /// Closes the open report, and hands on the batch when it is full.
    ///
    /// # Errors
    /// [`Stop::Sink`] when the sink breaks off.
    pub fn report(&mut self, core: Core) -> Result<(), Stop> {
        self.batch.finish(core);
        if self.batch.len() >= BATCH_REPORTS || self.batch.weight() >= BATCH_WEIGHT {
            return self.flush();
        }
        Ok(())
    }

    /// Sets a statement aside, and forgets what was put into the open report.
    pub fn reject(&mut self, ordinal: u32, place: &str, text: &[u8], reason: impl Into<String>) {
        self.batch.cancel();
        let text = String::from_utf8_lossy(&text[..text.len().min(REJECT_TEXT)]).into_owned();
        let place = self.place(place);
        self.sink.reject(Reject { ordinal, place, text, reason: reason.into() });
    }

    /// Tells something that costs nothing.
    pub fn note(&mut self, place: &str, text: impl Into<String>) {
        let place = self.place(place);
        self.sink.note(Note { place, text: text.into() });
    }

    /// Says that what is being read is nothing that anybody has to act on, and what it is: `a bounce`. It counts for the whole
    /// submission if nothing else in it says anything.
    pub fn aside(&mut self, what: &'static str) {
        if self.outcome.aside.is_empty() {
            self.outcome.aside = what;
        }
    }

    /// What was said to be nothing that anybody has to act on; empty when nothing was.
    pub fn set_aside(&self) -> &'static str {
        self.outcome.aside
    }

    /// Whether what is being read came by itself, in no container.
    pub fn is_outermost(&self) -> bool {
        self.depth == 0
    }

    /// Offers something that may be a source of abuse, found in text for people; see [`Finding`].
    pub fn find(&mut self, mut finding: Finding) {
        finding.place = self.place(&finding.place);
        self.sink.finding(finding);
    }

    /// As [`Reading::find`], for a place inside the submission that is no part of it by itself.
    pub(crate) fn offer(&mut self, mut finding: Finding) {
        finding.place = match (self.path.is_empty(), finding.place.as_str()) {
            (true, _) => finding.place,
            (false, place) if place.is_empty() || place.starts_with("line ") || place == "Subject" => self.place(place),
            (false, place) => format!("{} / {place}", self.path),
        };
        self.sink.finding(finding);
    }

    /// Tells the columns, members or field names of what a sender sends, so that the desk can be told when they change.
    /// `feed` tells apart what one sender sends in several shapes: the report type of Shadowserver, the name of a list.
    pub fn shape(&mut self, feed: &str, columns: &[&str]) {
        self.sink.shape(Form { format: self.batch.format, feed, columns });
    }

    /// Hands on advice about a weak point; see [`Advisory`].
    ///
    /// # Errors
    /// [`Stop::Sink`] when the sink breaks off.
    pub fn advisory(&mut self, advisory: Advisory) -> Result<(), Stop> {
        if self.sink.advisory(advisory).is_break() { Err(Stop::Sink) } else { Ok(()) }
    }

    /// Says why a person has to look, in case nothing else in the submission is understood.
    pub fn unreadable(&mut self, reason: impl Into<String>) {
        if self.outcome.unreadable.is_empty() {
            self.outcome.unreadable = reason.into();
        }
    }

    /// Why the part that was read last was not understood, taken out so that a container can say it of that part.
    pub fn why_not(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.outcome.unreadable)).filter(|reason| !reason.is_empty())
    }

    /// Hands on what is in the batch.
    ///
    /// # Errors
    /// [`Stop::Sink`] when the sink breaks off.
    pub fn flush(&mut self) -> Result<(), Stop> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let flow = self.sink.reports(&mut self.batch);
        self.batch.clear_reports();
        if flow.is_break() { Err(Stop::Sink) } else { Ok(()) }
    }

    /// Says something about every report from here to the end of this container, unless the report or its format says
    /// it otherwise: who sent the mail around a feed. What an inner container says takes the place of the outer's.
    pub fn context(&mut self, name: &'static str, place: Place, value: &str) {
        let word = self.batch.word(name, place);
        self.batch.fall_back(word, value);
        self.context.push(Context { name, place, value: value.to_owned() });
    }

    /// Counts a part of a mail or an entry of an archive; false when the submission, with everything inside it, has
    /// more than it may. So a bomb of archives in archives is cut at its trunk.
    pub fn count_part(&mut self) -> bool {
        self.parts = self.parts.saturating_add(1);
        self.parts <= self.hint.limits.parts
    }

    /// The count of bytes that came out of archives, for readers that add to it while a part is being read; no more
    /// than [`crate::source::Limits::unpacked`] are to be given out.
    pub fn unpacked(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.unpacked)
    }

    /// How well the best format fits a part that is in memory; a container counts as likely.
    pub fn fit(&self, name: &str, content_type: &str, bytes: &[u8]) -> Fit {
        let prefix = Prefix::new(bytes, name, content_type, &self.hint);
        match best(&prefix) {
            Some((_, fit)) => fit,
            None if kinds::zip::detect(&prefix) || kinds::gzip::detect(&prefix) || kinds::mail::detect(&prefix) => Fit::Likely,
            None => Fit::No,
        }
    }

    /// Reads a part of a container as if it had come by itself; whether something understood it.
    ///
    /// # Errors
    /// As [`read`].
    pub fn nested(&mut self, name: &str, content_type: &str, reader: &mut dyn Read) -> Result<bool, Stop> {
        let mut source = Source::open(reader)?;
        self.inside(name, content_type, &mut source)
    }

    /// As [`Reading::nested`], for a part that is in memory.
    ///
    /// # Errors
    /// As [`read`].
    pub fn nested_bytes(&mut self, name: &str, content_type: &str, bytes: &[u8]) -> Result<bool, Stop> {
        self.inside(name, content_type, &mut Source::memory(bytes))
    }

    fn inside(&mut self, name: &str, content_type: &str, source: &mut Source<'_>) -> Result<bool, Stop> {
        if self.depth >= self.hint.limits.depth {
            let ordinal = self.ordinal();
            let limit = self.hint.limits.depth;
            self.reject(ordinal, name, b"", format!("more than {limit} containers inside each other"));
            return Ok(true);
        }
        let path = self.path.clone();
        // A part is detected by what it is: neither the outer name nor a forced format says anything about it.
        let outer = std::mem::take(&mut self.path);
        self.path = if outer.is_empty() { name.to_owned() } else { format!("{outer} / {name}") };
        self.depth += 1;
        let context = self.context.len();
        let outer_name = std::mem::replace(&mut self.name, name.to_owned());
        let understood = self.part_as(source, name, content_type, None);
        self.context.truncate(context);
        self.name = outer_name;
        self.depth -= 1;
        self.path = path;
        understood
    }

    fn part(&mut self, source: &mut Source<'_>) -> Result<bool, Stop> {
        let hint = self.hint;
        self.part_as(source, hint.name, hint.content_type, hint.format)
    }

    fn part_as(&mut self, source: &mut Source<'_>, name: &str, content_type: &str, forced: Option<&str>) -> Result<bool, Stop> {
        let chosen = match forced {
            Some(forced) => match formats::by_name(forced) {
                Some(format) => Some(format),
                None => {
                    self.unreadable(format!("there is no format named '{forced}'"));
                    return Ok(false);
                }
            },
            None => choose(&self.prefix(source, name, content_type)),
        };
        if self.sink.wants_parts() {
            self.tell_part(source, name, content_type, chosen, forced.is_some());
        }
        // What is in one part has nothing to share with what is in the next, but for what its containers say.
        self.flush()?;
        self.batch = Batch::new();
        for Context { name, place, value } in &self.context {
            let word = self.batch.word(name, *place);
            self.batch.fall_back(word, value);
        }
        let Some(format) = chosen else {
            let prefix = self.prefix(source, name, content_type);
            if kinds::zip::detect(&prefix) {
                return kinds::zip::open(self, source);
            }
            if kinds::gzip::detect(&prefix) {
                return kinds::gzip::open(self, source);
            }
            if kinds::mail::detect(&prefix) {
                return kinds::mail::open(self, source);
            }
            return Ok(false);
        };
        self.batch.format = format.name;
        // What is set aside is named only when nothing inside it is a report.
        let first = self.outcome.format.is_empty() && !formats::aside::has(format);
        if first {
            self.outcome.format = format.name;
        }
        let said = std::mem::take(&mut self.outcome.unreadable);
        let next = self.next;
        (format.parse)(self, source)?;
        self.flush()?;
        // A format may know a submission for its own and yet find nothing in it to read, and say why.
        let understood = self.next > next || self.outcome.unreadable.is_empty();
        if first && !understood {
            self.outcome.format = "";
        } else if understood && self.outcome.format.is_empty() {
            self.outcome.format = format.name;
        }
        if !said.is_empty() {
            self.outcome.unreadable = said;
        }
        Ok(understood)
    }

    /// Tells what takes a part, and what else it might be.
    fn tell_part(&mut self, source: &Source<'_>, name: &str, content_type: &str, chosen: Option<&'static Format>, forced: bool) {
        let prefix = self.prefix(source, name, content_type);
        let taker = match chosen {
            Some(format) => Taker::Format(format),
            None if kinds::zip::detect(&prefix) => Taker::Container("zip"),
            None if kinds::gzip::detect(&prefix) => Taker::Container("gzip"),
            None if kinds::mail::detect(&prefix) => Taker::Container("mail"),
            None => Taker::Nobody,
        };
        let fits = formats::all().map(|format| (format, (format.detect)(&prefix))).filter(|(_, fit)| *fit != Fit::No).collect();
        let looked = (source.prefix().len(), source.is_whole());
        let (place, content_type) = (self.path.clone(), content_type.to_owned());
        self.sink.part(Part { place, depth: self.depth, content_type, taker, forced, fits, looked });
    }

    fn prefix<'b>(&'b self, source: &'b Source<'_>, name: &'b str, content_type: &'b str) -> Prefix<'b> {
        Prefix::new(source.prefix(), name, content_type, &self.hint)
    }

    fn place(&self, place: &str) -> String {
        match (self.path.is_empty(), place.is_empty()) {
            (true, _) => place.to_owned(),
            (_, true) => self.path.clone(),
            _ => format!("{}, {place}", self.path),
        }
    }
}

/// The format that fits best; the first in order among equals.
pub fn choose(prefix: &Prefix<'_>) -> Option<&'static Format> {
    best(prefix).map(|(format, _)| format)
}

fn best(prefix: &Prefix<'_>) -> Option<(&'static Format, Fit)> {
    let mut best: Option<(&'static Format, Fit)> = None;
    for format in formats::all() {
        let fit = (format.detect)(prefix);
        // Nothing fits better, so the others need not look.
        if fit == Fit::Certain {
            return Some((format, fit));
        }
        if fit > best.map_or(Fit::No, |(_, fit)| fit) {
            best = Some((format, fit));
        }
    }
    best
}
