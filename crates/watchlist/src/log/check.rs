//! What a provider checks of a log: that a publication stands in it, and that it only ever grew. Pure, over bytes that came in files.

use matching::bytes::Malformed;
use seal::{
    checkpoint::{self, Checkpoint},
    note::{self, Note, VerifierKey},
    policy::Policy,
    tree::{self, Hash, leaf_hash, verify_consistency},
};

use super::LogProof;

/// The most hashes of a path: a consistency proof has at most one more than the tree has levels, twice over.
pub(super) const MOST_PATH: usize = 128;

/// A log as it is pinned: nothing that it says of itself changes this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Its key, whose name is its origin.
    pub key: VerifierKey,
}

impl Anchor {
    /// From the text of its key (`name+identifier+key`).
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(key: &str) -> Result<Anchor, Wrong> {
        Ok(Anchor { key: VerifierKey::parse(key).map_err(checkpoint::Wrong::Note)? })
    }
}

/// Size and root of a log: what has to be kept of it to notice a second story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Seen {
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// What is not as a log has it. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    /// The bytes are no proof.
    #[error("the proof of the log is {0}; ask for the file again")]
    Malformed(#[from] Malformed),
    /// The checkpoint is not one, or not of this log.
    #[error(
        "the checkpoint is not one of the log that you know: {0}; do not use this file, and tell the list holder and other providers"
    )]
    Checkpoint(#[from] checkpoint::Wrong),
    /// A path does not lead where it must.
    #[error("this is not in the log that was signed: {0}; do not use it, and tell the list holder and other providers")]
    Path(#[from] tree::Wrong),
    /// The log is older than one that was seen.
    #[error("this file is older than what you have ({size} entries of the log, {seen} were seen); ask for the newest")]
    Behind {
        /// Entries of this checkpoint.
        size: u64,
        /// Entries that were seen before.
        seen: u64,
    },
    /// Another root of the same size: the log tells two stories.
    #[error(
        "the log shows you another list than before ({0} entries): keep both files, they prove it, and tell other providers and the contest desk"
    )]
    Fork(u64),
    /// The proof does not lead back to what was seen.
    #[error(
        "nothing leads from this file back to what you have ({0} entries of the log); take in the files in between first, in order"
    )]
    NoWayBack(u64),
    /// A tree that no publication that was taken in has.
    #[error("the entry points to a log of {0} entries that no publication has; it is not a valid hit")]
    Unknown(u64),
    /// The reason is not that of the entry.
    #[error("the reason is not the one that is in the log; it is not a valid hit, tell the contest desk")]
    Reason,
    /// Too few witnesses cosigned.
    #[error("too few witnesses cosigned the checkpoint for your policy; wait for a cosigned one, or ask the list holder")]
    Witnesses,
}

/// What was proven of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// To be kept as what was seen last.
    pub seen: Seen,
    /// To which the proofs in this publication's entries lead: see [`super::listed::check_capsule`].
    pub entries: Seen,
    /// How many witnesses of the policy cosigned; 0 without a policy.
    pub witnesses: usize,
}

/// Checks that `leaf` ([`super::published`]) is in the log of this anchor, and that the log continues what was seen last. `policy` says which
/// witnesses must have cosigned; without one, none is asked for, and it has to be said aloud that nobody else watches this log.
///
/// # Errors
/// [`Wrong`].
pub fn check(
    proof: &LogProof,
    anchor: &Anchor,
    leaf: &[u8],
    seen: Option<&Seen>,
    policy: Option<&Policy>,
) -> Result<Checked, Wrong> {
    let note = Note::parse(proof.checkpoint.as_bytes()).map_err(checkpoint::Wrong::Note)?;
    let Checkpoint { size, root, .. } = checkpoint::open(&note, &anchor.key)?;
    tree::verify_inclusion(proof.index, size, &leaf_hash(leaf), &proof.path, &root)?;
    if let Some(seen) = seen.filter(|seen| seen.size > 0) {
        let way = proof.since.iter().find(|(old, _)| *old == seen.size).map(|(_, path)| path.as_slice());
        continues(seen, &Seen { size, root }, way)?;
    }
    if proof.entries.size > 0 {
        continues(&proof.entries, &Seen { size, root }, Some(&proof.entries_path))?;
    } else if proof.entries.root != tree::EMPTY_ROOT {
        return Err(Wrong::Fork(0));
    }
    let witnesses = policy.map_or(Ok(0), |policy| witnesses(policy, &note))?;
    Ok(Checked { seen: Seen { size, root }, entries: proof.entries, witnesses })
}

/// That one tree begins with the other.
fn continues(old: &Seen, new: &Seen, path: Option<&[Hash]>) -> Result<(), Wrong> {
    match old.size.cmp(&new.size) {
        std::cmp::Ordering::Greater => Err(Wrong::Behind { size: new.size, seen: old.size }),
        std::cmp::Ordering::Equal if old.root == new.root => Ok(()),
        std::cmp::Ordering::Equal => Err(Wrong::Fork(new.size)),
        std::cmp::Ordering::Less => {
            let path = path.ok_or(Wrong::NoWayBack(old.size))?;
            Ok(verify_consistency(old.size, &old.root, new.size, &new.root, path)?)
        }
    }
}

/// How many witnesses cosigned, when they are enough.
fn witnesses(policy: &Policy, note: &Note) -> Result<usize, Wrong> {
    let judged = policy.judge(note)?;
    let counting = policy.counting(&judged, None);
    if policy.is_quorum(&counting) { Ok(counting.len()) } else { Err(Wrong::Witnesses) }
}

impl From<note::Wrong> for Wrong {
    fn from(wrong: note::Wrong) -> Wrong {
        Wrong::Checkpoint(wrong.into())
    }
}
