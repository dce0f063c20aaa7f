//! The checks of `docs/seal.md` 7, in their order: a file each.

mod bracket;
mod erased;
mod inclusion;
mod one_tree;
mod openings;
mod quorum;
mod schema;
mod signature;
mod stamps;
mod stream;
mod unproven;

use seal::policy::Policy;

pub use bracket::Bracket;
pub(crate) use bracket::{bounds, bracket};
pub(crate) use quorum::witnesses;
pub(crate) use unproven::NOT_PROVEN;

use crate::clock::{Clock, Counted};
use crate::log::Walked;
use crate::said::hex;
use crate::story::Outline;
use crate::subject::{Known, Subject};
use crate::trust::Trust;
use crate::verdict::Check;

/// What a check may look at.
pub(crate) struct Matter<'a> {
    pub(crate) subject: &'a Subject<'a>,
    /// The version of the policy that judges; `None` when no version holds at the time of the bundle.
    pub(crate) policy: Option<&'a Policy>,
    /// All time-stamps.
    pub(crate) clock: &'a Clock,
    /// Those that count.
    pub(crate) counted: Option<&'a Counted<'a>>,
    /// The date of verifying, in UTC milliseconds since 1970.
    pub(crate) at: Option<i64>,
    /// What the copy of the whole log showed, if one was given.
    pub(crate) log: Option<&'a Walked>,
}

/// Makes all checks after the first, and says what the bundle tells.
pub(crate) fn all(subject: &Subject<'_>, trust: &Trust, at: Option<i64>, log: Option<&Walked>) -> (Vec<Check>, Outline) {
    let clock = Clock::new(subject, &trust.tsas);
    let origin = subject.bundle.origin.as_str();
    let bound = |policy: &Policy| clock.under(policy, origin, at).upper(subject.last_index()?);
    let policy = trust.version(at, bound).map(|version| &version.policy);
    let counted = policy.map(|policy| clock.under(policy, origin, at));
    let matter = Matter { subject, policy, clock: &clock, counted: counted.as_ref(), at, log };
    let mut eleventh = Check::new(11);
    eleventh.say("not graded by this program", "niet beoordeeld door dit programma");
    let checks = vec![
        openings::check(subject),
        schema::check(subject),
        inclusion::check(subject),
        one_tree::check(subject),
        signature::check(&matter),
        quorum::check(&matter),
        stamps::check(&matter),
        bracket::check(&matter),
        stream::check(&matter),
        eleventh,
        erased::check(subject),
        unproven::check(),
    ];
    (checks, Outline::new(&matter))
}

/// How a record is called in a sentence, in both languages.
pub(crate) fn name(subject: &Subject<'_>, record: &Known<'_>) -> (String, String) {
    let seq = record.seq;
    if record.stream == subject.bundle.stream {
        (format!("record {seq}"), format!("regel {seq}"))
    } else {
        let stream = hex(record.stream.first_chunk::<4>().unwrap_or(&[0; 4]));
        (format!("record {seq} of stream {stream}…"), format!("regel {seq} van reeks {stream}…"))
    }
}
