//! Where reports go: the reader's side of a conversation in batches.

use std::io;
use std::ops::ControlFlow;

use model::report::Batch;

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

/// Takes what is read.
pub trait Sink {
    /// A batch is full, or its file has ended. What the sink leaves in `batch` is thrown away; to keep it, replace it
    /// by [`Batch::successor`]. Breaking ends the reading.
    fn reports(&mut self, batch: &mut Batch) -> ControlFlow<()>;

    /// A statement could not be read.
    fn reject(&mut self, reject: Reject);

    /// Something is worth knowing.
    fn note(&mut self, note: Note);
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
}
