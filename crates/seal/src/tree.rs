//! The Merkle tree of RFC 6962 (and RFC 9162): hashes, the frontier that grows, and both proofs, made and checked.
//!
//! Every function follows the recursive definition in RFC 6962, section 2.1, word for word, so that it can be held beside it:
//! a tree of n > 1 leaves is the node over its first k leaves and the rest, where k is the largest power of two smaller than n.

use sha2::{Digest, Sha256};

/// A SHA-256 hash: of a leaf, of a node, or the root of a tree.
pub type Hash = [u8; 32];

/// The root of the tree without leaves: the SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, //
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// The largest number of leaves that is taken: what a signed 64-bit number holds. It lets sizes be added without overflow.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// Why a proof does not prove what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The tree has no leaf with this index.
    #[error("the tree of {size} entries has no entry {index}")]
    NoSuchLeaf {
        /// Index that was asked for, from 0.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// A tree never shrinks, and a proof about the empty tree says nothing.
    #[error("a tree of {old} entries cannot be the beginning of one of {new}")]
    Sizes {
        /// Leaves of the earlier tree.
        old: u64,
        /// Leaves of the later tree.
        new: u64,
    },
    /// The path has too few or too many hashes for this place in a tree of this size.
    #[error("the proof has the wrong length: {given} hashes")]
    Length {
        /// Hashes in the path.
        given: usize,
    },
    /// The hashes lead to another root.
    #[error("the hashes of the proof do not lead to the root")]
    Root,
    /// A hash that the proof needs is not there.
    #[error("the hash at level {level}, index {index} is missing")]
    Missing {
        /// Level of the node: 0 is a leaf.
        level: u8,
        /// Index of the node in its level, from 0.
        index: u64,
    },
    /// The number of subtree roots does not fit the size, or the size is beyond [`MAX_SIZE`].
    #[error("a tree of {size} entries has no frontier of {given} hashes")]
    Frontier {
        /// Leaves of the tree.
        size: u64,
        /// Hashes given.
        given: usize,
    },
}

/// Hash of a leaf: SHA-256 of 0x00 and the entry (RFC 6962, section 2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0x00]).chain_update(entry).finalize().into()
}

/// Hash of a node: SHA-256 of 0x01 and both children (RFC 6962, section 2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    // One array and one call: this is the function in which an audit spends its time.
    let mut bytes = [0x01; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// Root of the tree over these leaf hashes.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY_ROOT,
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The largest power of two smaller than `size`, which must be 2 or more.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// What has to be kept of a tree to let it grow: the roots of its complete subtrees, at most 63.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One for each bit that is set in `size`, the largest subtree first.
    roots: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier as it was kept.
    ///
    /// # Errors
    /// When the number of roots is not that of the bits set in `size`, or `size` exceeds [`MAX_SIZE`].
    pub fn from_parts(size: u64, roots: Vec<Hash>) -> Result<Self, Wrong> {
        if size > MAX_SIZE || roots.len() != size.count_ones() as usize {
            return Err(Wrong::Frontier { size, given: roots.len() });
        }
        Ok(Self { size, roots })
    }

    /// Number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, the largest (leftmost) first.
    #[must_use]
    pub fn roots(&self) -> &[Hash] {
        &self.roots
    }

    /// Adds a leaf by its hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        // Two complete subtrees of the same height become one: as many as there are ones at the end of the size.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                hash = node_hash(&left, &hash);
            }
        }
        self.roots.push(hash);
        self.size += 1; // Cannot overflow: nobody pushes 2^63 leaves.
    }

    /// Adds leaves by their hashes, in order.
    pub fn extend(&mut self, leaves: impl IntoIterator<Item = Hash>) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }

    /// Root of the tree as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right)).unwrap_or(EMPTY_ROOT)
    }
}

/// Checks that the leaf with this hash stands at `index` in the tree of `size` leaves with this root.
///
/// `path` is the audit path of RFC 6962, section 2.1.1: from the sibling of the leaf up to the child of the root.
///
/// # Errors
/// [`Wrong`], when it does not prove that.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash], root: &Hash) -> Result<(), Wrong> {
    if root_by_inclusion(index, size, leaf, path)? == *root { Ok(()) } else { Err(Wrong::Root) }
}

/// The root to which an audit path leads.
///
/// # Errors
/// When the index is outside the tree, or the path has another length than its place asks for.
pub fn root_by_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Result<Hash, Wrong> {
    if index >= size {
        return Err(Wrong::NoSuchLeaf { index, size });
    }
    climb(index, size, leaf, path).ok_or(Wrong::Length { given: path.len() })
}

/// PATH of RFC 6962, section 2.1.1, read backwards. Nothing when the path is too short or too long.
fn climb(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if size == 1 {
        return path.is_empty().then_some(*leaf);
    }
    let (sibling, path) = path.split_last()?;
    let k = split(size);
    Some(if index < k {
        node_hash(&climb(index, k, leaf, path)?, sibling)
    } else {
        node_hash(sibling, &climb(index - k, size - k, leaf, path)?)
    })
}

/// Checks that the tree of `new_size` leaves begins with all leaves of the tree of `old_size`: nothing was changed or removed.
///
/// `path` is the consistency proof of RFC 6962, section 2.1.2. An empty earlier tree is refused, since a proof about it says
/// nothing: who has seen nothing yet has nothing to check.
///
/// # Errors
/// [`Wrong`], when it does not prove that.
pub fn verify_consistency(old_size: u64, old_root: &Hash, new_size: u64, new_root: &Hash, path: &[Hash]) -> Result<(), Wrong> {
    if old_size == 0 || old_size > new_size {
        return Err(Wrong::Sizes { old: old_size, new: new_size });
    }
    let (old, new) = widen(old_size, new_size, Some(old_root), path).ok_or(Wrong::Length { given: path.len() })?;
    if old == *old_root && new == *new_root { Ok(()) } else { Err(Wrong::Root) }
}

/// Both roots that the hashes in `path` give: of the first `old_size` leaves, and of all `new_size`.
///
/// The path is a consistency proof that leaves nothing out: where `old_size` is a complete subtree (a power of two), a
/// consistency proof omits its root, since the verifier knows it; here it stands first. This is what shows that two signed
/// checkpoints contradict each other (`fork`).
///
/// # Errors
/// When the sizes cannot be, or the path has another length than they ask for.
pub fn roots_by_prefix(old_size: u64, new_size: u64, path: &[Hash]) -> Result<(Hash, Hash), Wrong> {
    if old_size == 0 || old_size > new_size {
        return Err(Wrong::Sizes { old: old_size, new: new_size });
    }
    widen(old_size, new_size, None, path).ok_or(Wrong::Length { given: path.len() })
}

/// SUBPROOF of RFC 6962, section 2.1.2, read backwards: the root of the first `old` leaves and of all `new`. `known` is the
/// root of the earlier tree as long as this subtree is that tree (the flag b of the RFC).
fn widen(old: u64, new: u64, known: Option<&Hash>, path: &[Hash]) -> Option<(Hash, Hash)> {
    if old == new {
        return match (known, path) {
            (Some(root), []) => Some((*root, *root)),
            (None, [root]) => Some((*root, *root)),
            _ => None,
        };
    }
    let (sibling, path) = path.split_last()?;
    let k = split(new);
    if old <= k {
        let (earlier, later) = widen(old, k, known, path)?;
        Some((earlier, node_hash(&later, sibling)))
    } else {
        let (earlier, later) = widen(old - k, new - k, None, path)?;
        Some((node_hash(sibling, &earlier), node_hash(sibling, &later)))
    }
}

/// Where the hashes of complete subtrees come from: tiles, a database, or memory. `level` 0 holds the leaves, and node
/// `index` of a level covers the leaves `index * 2^level` and on.
pub trait Nodes: FnMut(u8, u64) -> Option<Hash> {}
impl<F: FnMut(u8, u64) -> Option<Hash>> Nodes for F {}

/// The audit path of a leaf (RFC 6962, section 2.1.1).
///
/// # Errors
/// When the tree has no such leaf, or `nodes` lacks a hash of it.
pub fn prove_inclusion(index: u64, size: u64, nodes: &mut impl Nodes) -> Result<Vec<Hash>, Wrong> {
    if index >= size || size > MAX_SIZE {
        return Err(Wrong::NoSuchLeaf { index, size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    // From the root down, so that the sibling of the leaf comes last; then turned round.
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the tree of `new_size` leaves begins with that of `old_size` (RFC 6962, section 2.1.2).
///
/// # Errors
/// When `old_size` is 0 or more than `new_size`, or `nodes` lacks a hash.
pub fn prove_consistency(old_size: u64, new_size: u64, nodes: &mut impl Nodes) -> Result<Vec<Hash>, Wrong> {
    prove_growth(old_size, new_size, nodes, false)
}

/// The path for [`roots_by_prefix`]: a consistency proof in which also the root of a complete earlier tree stands.
///
/// # Errors
/// As for [`prove_consistency`].
pub fn prove_prefix(old_size: u64, new_size: u64, nodes: &mut impl Nodes) -> Result<Vec<Hash>, Wrong> {
    prove_growth(old_size, new_size, nodes, true)
}

fn prove_growth(old_size: u64, new_size: u64, nodes: &mut impl Nodes, whole: bool) -> Result<Vec<Hash>, Wrong> {
    if old_size == 0 || old_size > new_size || new_size > MAX_SIZE {
        return Err(Wrong::Sizes { old: old_size, new: new_size });
    }
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new_size);
    while old_size < end {
        let middle = start + split(end - start);
        if old_size <= middle {
            path.push(range_root(middle, end, nodes)?);
            end = middle;
        } else {
            path.push(range_root(start, middle, nodes)?);
            start = middle;
        }
    }
    // The verifier knows the root of the earlier tree, but not that of a part of it.
    if whole || start > 0 {
        path.push(range_root(start, end, nodes)?);
    }
    path.reverse();
    Ok(path)
}

/// Root over the leaves from `start` to before `end`: a subtree as the definition splits it, complete or not.
///
/// # Errors
/// When `nodes` lacks a hash.
pub fn range_root(start: u64, end: u64, nodes: &mut impl Nodes) -> Result<Hash, Wrong> {
    let size = end.saturating_sub(start);
    if size == 0 {
        return Ok(EMPTY_ROOT);
    }
    if size.is_power_of_two() && start.is_multiple_of(size) {
        let level = size.ilog2() as u8;
        let index = start >> level;
        return nodes(level, index).ok_or(Wrong::Missing { level, index });
    }
    let middle = start + split(size.max(2));
    Ok(node_hash(&range_root(start, middle, nodes)?, &range_root(middle, end, nodes)?))
}
