//! Fork proofs: a file that convicts a log of two histories, by its own signatures, and nothing else does.
//!
//! Two signed checkpoints of different sizes without a proof of consistency prove nothing: an honest log may not have been asked.
//! A fork is proven by two checkpoints of one log and, unless their sizes are equal, by hashes that contradict one of them:
//!
//! - `size`: equal sizes, different roots.
//! - `entry`: one index below both sizes, and an audit path from one leaf hash to the one root, from another to the other.
//! - `prefix`: hashes of subtrees that give the later root, and for the first entries a root other than the earlier one.
//!
//! The file is text, lines end with LF, hashes are in base64, numbers in decimal digits; there is one byte string for each proof:
//!
//! ```text
//! sluis-fork-proof/v1
//! size | entry <index> | prefix
//! [earlier <leaf hash>, then a line `hash <hash>` for each of its path, from the leaf up]          entry
//! [later <leaf hash>, then lines `hash <hash>` likewise]                                           entry
//! [a line `hash <hash>` for each subtree, in the order of a consistency proof; where such a proof
//!  omits the earlier root, since the earlier size is a power of two, what stands in its place]     prefix
//! checkpoint <number of lines>
//! <that many lines: the earlier checkpoint, a signed note>
//! checkpoint <number of lines>
//! <that many lines: the later checkpoint, a signed note>
//! ```
//!
//! Of equal sizes, the one with the smaller root (as bytes) stands first.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    checkpoint::{self, Checkpoint, decimal, hash},
    note::{self, MAX_NOTE, Note, VerifierKey},
    tree::{self, Hash, MAX_SIZE, Nodes},
};

const FIRST_LINE: &str = "sluis-fork-proof/v1";
/// The most bytes of a file: two notes, and two paths.
pub const MAX_FILE: usize = 2 * MAX_NOTE + (64 << 10);

/// Why a file or a pair of checkpoints accuses nobody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes are not such a file; the sentence says what is wrong.
    #[error("not a fork proof: {0}")]
    Text(&'static str),
    /// A checkpoint is none, or the log did not sign it.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Wrong),
    /// The checkpoints may contradict each other, but the hashes do not show it: keep them, accuse nobody.
    #[error("unproven: {0}")]
    Unproven(&'static str),
    /// A hash is missing while the proof is made.
    #[error(transparent)]
    Tree(#[from] tree::Wrong),
}

impl From<note::Wrong> for Wrong {
    fn from(wrong: note::Wrong) -> Self {
        Self::Checkpoint(wrong.into())
    }
}

/// What shows the contradiction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Equal sizes and different roots are enough.
    Size,
    /// Two leaf hashes at one index.
    Entry {
        /// The index, below both sizes.
        index: u64,
        /// Leaf hash and audit path in the earlier tree.
        earlier: (Hash, Vec<Hash>),
        /// Leaf hash and audit path in the later tree.
        later: (Hash, Vec<Hash>),
    },
    /// What the later tree says about its first entries (see [`tree::roots_by_prefix`]).
    Prefix(Vec<Hash>),
}

/// A file as it was read. It accuses nobody until [`ForkProof::verify`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForkProof {
    /// The checkpoint of the smaller size.
    pub earlier: Note,
    /// The checkpoint of the larger size.
    pub later: Note,
    /// What contradicts.
    pub evidence: Evidence,
}

/// A proven fork: both checkpoints bear the log's signature, and no single history has both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The checkpoint of the smaller size.
    pub earlier: Checkpoint,
    /// The checkpoint of the larger size.
    pub later: Checkpoint,
}

impl ForkProof {
    /// Two notes of one log in any order, put into the order of a file, as proof (a).
    ///
    /// # Errors
    /// When one is not a checkpoint of this log with its signature.
    fn order(one: Note, other: Note, origin: &str, key: &VerifierKey) -> Result<(Self, Fork), Wrong> {
        let (mut earlier, mut later) = (one, other);
        let mut fork =
            Fork { earlier: checkpoint::open_as(&earlier, origin, key)?, later: checkpoint::open_as(&later, origin, key)? };
        if place(&fork.later) < place(&fork.earlier) {
            std::mem::swap(&mut earlier, &mut later);
            std::mem::swap(&mut fork.earlier, &mut fork.later);
        }
        Ok((Self { earlier, later, evidence: Evidence::Size }, fork))
    }

    /// From two notes of one log in any order: proof (a).
    ///
    /// # Errors
    /// When they are not signed checkpoints of this log, or not of equal size with different roots.
    pub fn of_equal_size(one: Note, other: Note, origin: &str, key: &VerifierKey) -> Result<Self, Wrong> {
        let (proof, _) = Self::order(one, other, origin, key)?;
        proof.verify(origin, key)?;
        Ok(proof)
    }

    /// From two notes of one log in any order, and the nodes of the tree behind the larger one: proof (b) by subtrees. Of equal
    /// sizes: proof (a).
    ///
    /// # Errors
    /// When they are not signed checkpoints of this log, a hash is missing, or nothing is contradicted.
    pub fn by_prefix(one: Note, other: Note, origin: &str, key: &VerifierKey, later: &mut impl Nodes) -> Result<Self, Wrong> {
        let (mut proof, fork) = Self::order(one, other, origin, key)?;
        if fork.earlier.size < fork.later.size {
            proof.evidence = Evidence::Prefix(tree::prove_prefix(fork.earlier.size, fork.later.size, later)?);
        }
        proof.verify(origin, key)?;
        Ok(proof)
    }

    /// From two notes of one log in any order, and an entry that differs between the trees behind them, whose nodes are given for
    /// the smaller and the larger: proof (b) by an entry. Of equal sizes: proof (a).
    ///
    /// # Errors
    /// When they are not signed checkpoints of this log, a hash is missing, or nothing is contradicted.
    pub fn by_entry(
        (one, other): (Note, Note),
        origin: &str,
        key: &VerifierKey,
        index: u64,
        earlier: &mut impl Nodes,
        later: &mut impl Nodes,
    ) -> Result<Self, Wrong> {
        let (mut proof, fork) = Self::order(one, other, origin, key)?;
        if fork.earlier.size < fork.later.size {
            proof.evidence = Evidence::Entry {
                index,
                earlier: leaf_and_path(index, fork.earlier.size, earlier)?,
                later: leaf_and_path(index, fork.later.size, later)?,
            };
        }
        proof.verify(origin, key)?;
        Ok(proof)
    }

    /// Checks the proof against the log's origin and key, which are never taken from the file.
    ///
    /// # Errors
    /// [`Wrong::Checkpoint`] when the log did not sign this, [`Wrong::Unproven`] when nothing is contradicted.
    pub fn verify(&self, origin: &str, key: &VerifierKey) -> Result<Fork, Wrong> {
        let fork = Fork {
            earlier: checkpoint::open_as(&self.earlier, origin, key)?,
            later: checkpoint::open_as(&self.later, origin, key)?,
        };
        let (earlier, later) = (&fork.earlier, &fork.later);
        if place(later) < place(earlier) {
            return Err(Wrong::Text("the checkpoints stand in the wrong order"));
        }
        let proven = match &self.evidence {
            Evidence::Size => earlier.size == later.size && earlier.root != later.root,
            _ if earlier.size == later.size => return Err(Wrong::Text("of equal sizes, the kind is size")),
            Evidence::Entry { index, earlier: one, later: other } => {
                one.0 != other.0
                    && tree::verify_inclusion(*index, earlier.size, &one.0, &one.1, &earlier.root).is_ok()
                    && tree::verify_inclusion(*index, later.size, &other.0, &other.1, &later.root).is_ok()
            }
            Evidence::Prefix(path) => tree::roots_by_prefix(earlier.size, later.size, path)
                .is_ok_and(|(first, whole)| whole == later.root && first != earlier.root),
        };
        match (proven, &self.evidence) {
            (true, _) => Ok(fork),
            (_, Evidence::Size) if earlier.root == later.root => Err(Wrong::Unproven("both are the same checkpoint")),
            (_, Evidence::Size) => Err(Wrong::Unproven("the sizes differ, and there are no hashes that contradict a root")),
            (_, Evidence::Entry { .. }) => Err(Wrong::Unproven("the paths do not lead two entries of one index to the roots")),
            (_, Evidence::Prefix(_)) => Err(Wrong::Unproven("the hashes do not give the later root and another earlier one")),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Wrong::Text`] and [`Wrong::Checkpoint`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if bytes.len() > MAX_FILE {
            return Err(Wrong::Text("it is too large"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| Wrong::Text("it is not UTF-8"))?;
        let text = text.strip_suffix('\n').ok_or(Wrong::Text("it does not end with a line feed"))?;
        let mut lines = text.split('\n').peekable();
        if lines.next() != Some(FIRST_LINE) {
            return Err(Wrong::Text("the first line is not sluis-fork-proof/v1"));
        }
        let kind = lines.next().unwrap_or_default();
        let evidence = match kind.strip_prefix("entry ") {
            None if kind == "size" => Evidence::Size,
            None if kind == "prefix" => Evidence::Prefix(path(&mut lines)?),
            Some(index) => Evidence::Entry {
                index: decimal(index).filter(|index| *index < MAX_SIZE).ok_or(Wrong::Text("the index is not a number"))?,
                earlier: (leaf("earlier ", &mut lines)?, path(&mut lines)?),
                later: (leaf("later ", &mut lines)?, path(&mut lines)?),
            },
            None => return Err(Wrong::Text("the second line is not size, prefix, or entry and an index")),
        };
        let proof = Self { earlier: note(&mut lines)?, later: note(&mut lines)?, evidence };
        if lines.next().is_some() { Err(Wrong::Text("something stands after the second checkpoint")) } else { Ok(proof) }
    }
}

impl fmt::Display for ForkProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |f: &mut fmt::Formatter<'_>, path: &[Hash]| {
            path.iter().try_for_each(|hash| writeln!(f, "hash {}", BASE64.encode(hash)))
        };
        writeln!(f, "{FIRST_LINE}")?;
        match &self.evidence {
            Evidence::Size => writeln!(f, "size")?,
            Evidence::Entry { index, earlier, later } => {
                writeln!(f, "entry {index}\nearlier {}", BASE64.encode(earlier.0))?;
                path(f, &earlier.1)?;
                writeln!(f, "later {}", BASE64.encode(later.0))?;
                path(f, &later.1)?;
            }
            Evidence::Prefix(hashes) => {
                writeln!(f, "prefix")?;
                path(f, hashes)?;
            }
        }
        for note in [&self.earlier, &self.later] {
            let note = note.to_string();
            write!(f, "checkpoint {}\n{note}", note.lines().count())?;
        }
        Ok(())
    }
}

/// Where a checkpoint stands in a file: the smaller one first.
fn place(checkpoint: &Checkpoint) -> (u64, Hash) {
    (checkpoint.size, checkpoint.root)
}

fn leaf_and_path(index: u64, size: u64, nodes: &mut impl Nodes) -> Result<(Hash, Vec<Hash>), Wrong> {
    let path = tree::prove_inclusion(index, size, nodes)?;
    Ok((nodes(0, index).ok_or(tree::Wrong::Missing { level: 0, index })?, path))
}

fn leaf<'a>(word: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<Hash, Wrong> {
    let line = lines.next().and_then(|line| line.strip_prefix(word));
    line.and_then(hash).ok_or(Wrong::Text("expected the earlier and the later leaf hash"))
}

fn path<'a>(lines: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Result<Vec<Hash>, Wrong> {
    let mut path = Vec::new();
    while let Some(text) = lines.next_if(|line| line.starts_with("hash ")) {
        path.push(text.strip_prefix("hash ").and_then(hash).ok_or(Wrong::Text("a hash is not 32 bytes in base64"))?);
        // No path is longer than the height of the tree, and one for the subtree itself.
        if path.len() > 64 {
            return Err(Wrong::Text("a path has more than 64 hashes"));
        }
    }
    Ok(path)
}

fn note<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Result<Note, Wrong> {
    let count = lines.next().and_then(|line| line.strip_prefix("checkpoint ")).and_then(decimal);
    let count = count.ok_or(Wrong::Text("expected a checkpoint and its number of lines"))?;
    let mut text = String::new();
    for _ in 0..count {
        text.push_str(lines.next().ok_or(Wrong::Text("a checkpoint is cut off"))?);
        text.push('\n');
    }
    Ok(Note::parse(text.as_bytes())?)
}
