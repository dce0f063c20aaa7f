//! What a bundle tells once it was checked: the records with the moments that are proven of them. The output makes sentences of it.

use seal::bundle::{Bundle, ShownRecord};
use seal::policy::Policy;
use seal::record::{Hash, Value};

pub use crate::checks::Bracket;
use crate::checks::{Matter, bounds, bracket};
use crate::letters;
use crate::said::Text;
use crate::subject::Known;

/// What a bundle tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The bundle.
    pub bundle: Bundle,
    /// What is proven of each of its records, in the same order.
    pub records: Vec<Told>,
    /// Size and root of the tree that the proofs lead to.
    pub checkpoint: Option<(u64, Hash)>,
    /// The legal person that runs the log, as the policy says.
    pub operator: Option<String>,
    /// Who cosigned the checkpoint, and counts.
    pub witnesses: Vec<String>,
    /// Which authorities stamped checkpoints, and count.
    pub authorities: Vec<String>,
    /// The version of the policy that judged.
    pub policy: Option<Policy>,
}

/// What is proven of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// C.
    pub commitment: Hash,
    /// Whether it is of the case itself.
    pub own: bool,
    /// Whether it is of a letter.
    pub letter: bool,
    /// It was not in the log before this moment (UTC milliseconds since 1970).
    pub not_before: Option<i64>,
    /// It was in the log at this moment, at the latest.
    pub at_the_latest: Option<i64>,
    /// How the sender's clock stands to these.
    pub bracket: Bracket,
    /// How well the delivery of a letter is proven, when somebody graded it. It is no part of the proof.
    pub delivery: Option<Delivery>,
}

/// How well it is proven that a letter came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The grade: a letter from A to F, or `none`.
    pub grade: &'static str,
    /// Who proves it: `recipient`, `third party` or `sender's own record`.
    pub proved_by: String,
    /// All of it in a sentence.
    pub text: Text,
}

/// What is told, but for the bundle itself.
pub(crate) struct Outline {
    pub(crate) records: Vec<Told>,
    checkpoint: Option<(u64, Hash)>,
    operator: Option<String>,
    witnesses: Vec<String>,
    authorities: Vec<String>,
    policy: Option<Policy>,
}

impl Outline {
    pub(crate) fn new(matter: &Matter<'_>) -> Outline {
        let subject = matter.subject;
        let told = |record: &Known<'_>| {
            let (not_before, at_the_latest) = bounds(matter, record);
            Told {
                commitment: record.commitment,
                own: record.stream == subject.bundle.stream,
                letter: letters::is_letter(record),
                not_before,
                at_the_latest,
                bracket: bracket(record.time("recorded_at"), not_before, at_the_latest),
                delivery: None,
            }
        };
        let operator =
            matter.policy.and_then(|policy| policy.logs_of(&subject.bundle.origin).next()).map(|log| log.operator.clone());
        let mut authorities: Vec<String> =
            matter.counted.iter().flat_map(|counted| &counted.stamps).map(|(_, holder)| (*holder).to_owned()).collect();
        authorities.sort();
        authorities.dedup();
        Outline {
            records: subject.records.iter().map(told).collect(),
            checkpoint: subject.checkpoint().map(|checkpoint| (checkpoint.size, checkpoint.root)),
            operator,
            witnesses: crate::checks::witnesses(matter),
            authorities,
            policy: matter.policy.cloned(),
        }
    }

    pub(crate) fn of(self, bundle: Bundle) -> Story {
        let Outline { records, checkpoint, operator, witnesses, authorities, policy } = self;
        Story { bundle, records, checkpoint, operator, witnesses, authorities, policy }
    }
}

impl Story {
    /// The records with what is proven of them.
    pub fn told(&self) -> impl Iterator<Item = (&ShownRecord, &Told)> {
        self.bundle.records.iter().zip(&self.records)
    }

    /// A text of a record, if it is shown.
    #[must_use]
    pub fn text<'a>(record: &'a ShownRecord, name: &str) -> Option<&'a str> {
        match record.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A moment of a record, if it is shown.
    #[must_use]
    pub fn time(record: &ShownRecord, name: &str) -> Option<i64> {
        match record.get(name)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// The record that says whose the case is: the first of the case that says so, or, for another record of the case (by its
    /// place in the bundle), the last before it.
    #[must_use]
    pub fn opened(&self, before: Option<usize>) -> Option<&ShownRecord> {
        let says = |(_, (record, told)): &(usize, (&ShownRecord, &Told))| told.own && record.kind == seal::record::OPENED.number;
        let mut saying = self.told().enumerate().filter(says);
        let found = match before {
            None => saying.next(),
            Some(before) => saying.take_while(|(place, _)| *place <= before).last(),
        };
        found.map(|(_, (record, _))| record)
    }
}
