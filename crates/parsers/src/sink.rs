//! Where reports go: the reader's side of a conversation in batches.

use std::io;
use std::ops::ControlFlow;

use model::advisory::Advisory;
use model::report::Batch;

use crate::formats::{Fit, Format};

/// A statement that could not be read. Nothing is lost: its text stands here, with the place and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Its place among the statements of the submission, counting reports too.
    pub ordinal: u32,
    /// Where, for people: `feed.zip / scan.csv, line 17`.
    pub place: String,
    /// The text, at most 4 KiB of it, mended to UTF-8.
    pub text: String,
    /// What is wrong and, where one can say, what would be right.
    pub reason: String,
}

/// A remark that costs nothing: an unknown column, a missing optional field, a skipped attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where, for people.
    pub place: String,
    /// What.
    pub text: String,
}

/// What a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Found {
    /// An address, or an address with a port.
    Address,
    /// A prefix or range of addresses.
    Prefix,
    /// A URL.
    Url,
    /// A domain name.
    Domain,
    /// A mail address.
    Mail,
    /// A time.
    Time,
    /// A line of a log: what a person can judge.
    LogLine,
}

/// Something in text for people that may be a source of abuse, or tells of one. A person picks; nothing is done about it
/// before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where, for people: `mail.eml / part 1 (text/plain), line 17`.
    pub place: String,
    /// What it is.
    pub what: Found,
    /// Its value in canonical form: `192.0.2.1`, `192.0.2.1:80`, `http://a.example/`, `2026-03-04T05:06:07Z`.
    pub value: String,
    /// As it was written: `hxxp://a[.]example/`; of a log line all of it, at most 1 KiB.
    pub written: String,
    /// How sure it is that this is meant as the source or time of abuse, from 0 to 100. It only orders what people see.
    pub confidence: u8,
}

/// The columns, members or field names of one kind of thing that a sender sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form<'a> {
    /// Name of the format that read it.
    pub format: &'static str,
    /// What the sender calls this one; empty when it has only one.
    pub feed: &'a str,
    /// The names, in their order, as they are written.
    pub columns: &'a [&'a str],
}

/// What took a part of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// A format.
    Format(&'static Format),
    /// A container, which is opened: `mail`, `zip`, `gzip`.
    Container(&'static str),
    /// Nothing.
    Nobody,
}

/// A part of a submission, or all of it, that is about to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The way to it, for people; empty for the submission itself when it came without a name.
    pub place: String,
    /// How many containers it is in.
    pub depth: u8,
    /// Its media type, when its container states one.
    pub content_type: String,
    /// What takes it.
    pub taker: Taker,
    /// Whether the format was named by who asked, whatever the bytes look like.
    pub forced: bool,
    /// Every format that it may be, with how well it fits.
    pub fits: Vec<(&'static Format, Fit)>,
    /// Bytes that were looked at, and whether those are all.
    pub looked: (usize, bool),
}

/// Takes what is read.
pub trait Sink {
    /// A batch is full, or its file has ended. What the sink leaves in `batch` is thrown away; to keep it, replace it
    /// by [`Batch::successor`]. Breaking ends the reading.
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()>;

    /// A statement could not be read.
    fn reject(&mut self, reject: Reject);

    /// Something is worth knowing.
    fn note(&mut self, note: Note);

    /// Something in text for people may be a source of abuse.
    fn finding(&mut self, _finding: Finding) {}

    /// This is how what the sender sends is laid out.
    fn shape(&mut self, _form: Form<'_>) {}

    /// Whether it wants to know what takes each part ([`Sink::part`]), which costs a look of every format.
    fn wants_parts(&self) -> bool {
        false
    }

    /// A part is about to be read.
    fn part(&mut self, _part: Part) {}

    /// Advice about a weak point. Breaking ends the reading.
    fn advisory(&mut self, _advisory: Advisory) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Why reading ended before the end of the bytes.
#[derive(Debug)]
pub enum Stop {
    /// The reader failed.
    Io(io::Error),
    /// The sink broke off.
    Sink,
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// A sink that keeps everything: for small inputs and tests.
#[derive(Debug, Default)]
pub struct Collected {
    /// The batches, in order.
    pub batches: Vec<Batch>,
    /// The rejects, in order.
    pub rejects: Vec<Reject>,
    /// The notes, in order.
    pub notes: Vec<Note>,
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The shapes, in order: format, feed and columns.
    pub shapes: Vec<(&'static str, String, Vec<String>)>,
    /// The advisories, in order.
    pub advisories: Vec<Advisory>,
}

impl Collected {
    /// All reports of all batches.
    pub fn reports(&self) -> impl Iterator<Item = model::report::Report<'_>> {
        self.batches.iter().flat_map(Batch::reports)
    }
}

impl Sink for Collected {
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let next = batch.successor();
        self.batches.push(std::mem::replace(batch, next));
        ControlFlow::Continue(())
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }

    fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn shape(&mut self, form: Form<'_>) {
        let columns = form.columns.iter().map(|column| (*column).to_owned()).collect();
        self.shapes.push((form.format, form.feed.to_owned(), columns));
    }

    fn advisory(&mut self, advisory: Advisory) -> ControlFlow<()> {
        self.advisories.push(advisory);
        ControlFlow::Continue(())
    }
}
