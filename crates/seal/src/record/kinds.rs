//! The kinds of records: which fields each has, of which type, at which ordinal. `docs/seal.md` 2.2 and 2.3.
//!
//! What is here once is here for ever: a field never moves, changes its name or its type. New kinds get new numbers.

use super::Type::{self, Bytes, Digest, List, Number, Text, Time};

/// A kind of record.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Its number, which stands in the commitment.
    pub number: u16,
    /// What it is called.
    pub name: &'static str,
    /// The fields beyond those of every kind.
    further: &'static [(&'static str, Type)],
}

/// Fields of every kind; the first [`ALWAYS`] of them are always shown.
pub const FIELDS: &[(&str, Type)] = &[
    ("event", Text),
    ("stream", Bytes),
    ("seq", Number),
    ("prev", Digest),
    ("recorded_at", Time),
    ("occurred_at", Time),
    ("secret_commitment", Digest),
    ("actor", Text),
    ("rule", Text),
    ("text", Text),
    ("due", Time),
    ("party", Bytes),
    ("party_name", Text),
    ("party_seq", Number),
    ("party_prev", Digest),
    ("severity", Text),
];

/// How many ordinals, from 0, are shown of every record in every bundle.
pub const ALWAYS: usize = 5;

/// A step of a case.
pub static STEP: Kind = Kind { number: 1, name: "step", further: &[] };

/// The first record of a case: what was reported, about what, and whose it is.
pub static OPENED: Kind = Kind {
    number: 2,
    name: "opened",
    further: &[
        ("resource", Text),
        ("category", Text),
        ("first_seen", Time),
        ("reporter", Text),
        ("submission", Digest),
        ("batch", Digest),
        ("batch_index", Number),
        ("chain", List),
        ("attribution", Text),
        ("attribution_source", Text),
        ("attribution_checked", Time),
        ("completeness", List),
    ],
};

/// Reports of a feed, sealed together.
pub static BATCH: Kind = Kind {
    number: 3,
    name: "batch",
    further: &[
        ("root", Digest),
        ("count", Number),
        ("submission", Digest),
        ("format", Text),
        ("received", Time),
        ("reporter", Text),
    ],
};

/// What others wrote or answered: a letter as it went, a transcript, a bounce, a reply, a receipt.
pub static EVIDENCE: Kind = Kind {
    number: 4,
    name: "evidence",
    further: &[("what", Text), ("media", Text), ("content", Bytes), ("about", Digest), ("recipient", Text), ("message_id", Text)],
};

/// Fields whose keys are to be, or were, destroyed.
pub static ERASURE: Kind = Kind {
    number: 5,
    name: "erasure",
    further: &[("stage", Text), ("records", Bytes), ("ground", Text), ("authority", Text), ("keys_until", Time)],
};

/// A bundle that was given to somebody.
pub static ISSUED: Kind =
    Kind { number: 6, name: "issued", further: &[("recipient", Text), ("bundle", Digest), ("records", Number)] };

/// All kinds, by their numbers.
pub static KINDS: [&Kind; 6] = [&STEP, &OPENED, &BATCH, &EVIDENCE, &ERASURE, &ISSUED];

/// The kind of a number.
pub fn kind_of(number: u16) -> Option<&'static Kind> {
    KINDS.iter().copied().find(|kind| kind.number == number)
}

/// The fields of a report in a batch.
pub const REPORT: &[(&str, Type)] = &[("resource", Text), ("observed", Time), ("category", Text), ("rest", List)];

impl Kind {
    /// How many fields it has.
    pub fn fields(&self) -> usize {
        FIELDS.len() + self.further.len()
    }

    /// How many digests a record has: its fields and decoys, a multiple of 8.
    pub fn width(&self) -> usize {
        self.fields().next_multiple_of(8)
    }

    /// Name and type of the field at an ordinal; `None` beyond the last.
    pub fn field(&self, ordinal: usize) -> Option<(&'static str, Type)> {
        FIELDS.iter().chain(self.further).nth(ordinal).copied()
    }

    /// The ordinal of a field.
    pub fn ordinal(&self, name: &str) -> Option<usize> {
        FIELDS.iter().chain(self.further).position(|(known, _)| *known == name)
    }
}
