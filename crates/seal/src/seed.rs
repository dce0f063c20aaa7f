//! Trees of seeds: many keys from one, of which single ones can be destroyed for ever.
//!
//! The construction is that of Goldreich, Goldwasser and Micali ("How to construct random functions", 1986); cutting a leaf out
//! makes it a puncturable function (Boneh and Waters, 2013). `docs/seal.md` 2.4 states the bytes.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A seed or a key: 32 bytes that look random to who does not know what they follow from.
pub type Seed = [u8; 32];

/// Depth of the tree of a block of records: 10 bits of the record's number, 5 of the ordinal.
pub const BLOCK_DEPTH: u8 = 15;
/// Records of one block.
pub const BLOCK: u64 = 1 << 10;
/// Ordinals of a record in a block; the last is the secret of a stream.
pub const ORDINALS: u8 = 32;
/// Depth of the tree of a batch: 20 bits of the report's place.
pub const BATCH_DEPTH: u8 = 20;

/// A node of a tree: all leaves below it follow from its seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Node {
    /// How far below the root, in bits of the path.
    pub depth: u8,
    /// The bits from the root to it, the first highest; below 2 to the power of its depth.
    pub path: u32,
}

impl Node {
    /// The root.
    pub const ROOT: Node = Node { depth: 0, path: 0 };

    /// Whether `other` is this node or below it.
    pub fn covers(self, other: Node) -> bool {
        other.depth >= self.depth && other.path.checked_shr(u32::from(other.depth - self.depth)).unwrap_or(0) == self.path
    }

    /// The node of a whole record in the tree of its block.
    pub fn of_record(number: u64) -> Node {
        Node { depth: 10, path: (number % BLOCK) as u32 }
    }

    /// The leaf of a field in the tree of its record's block.
    pub fn of_field(number: u64, ordinal: u8) -> Node {
        Node { depth: BLOCK_DEPTH, path: Node::of_record(number).path << 5 | u32::from(ordinal % ORDINALS) }
    }

    /// The leaf of a report in the tree of its batch.
    pub fn of_report(place: u32) -> Node {
        Node { depth: BATCH_DEPTH, path: place & ((1 << BATCH_DEPTH) - 1) }
    }
}

/// The child of a seed, to the left or to the right.
pub fn child(seed: &Seed, right: bool) -> Seed {
    let mut hash = Sha256::new();
    hash.update(b"sluis/seed/v1\0");
    hash.update([u8::from(right)]);
    hash.update(seed);
    hash.finalize().into()
}

/// The seed of `to`, from that of `from`; `None` when `from` does not cover it.
pub fn descend(seed: &Seed, from: Node, to: Node) -> Option<Seed> {
    if !from.covers(to) {
        return None;
    }
    Some((from.depth..to.depth).rev().fold(*seed, |seed, bit| {
        let bit = bit - from.depth;
        child(&seed, to.path >> bit & 1 == 1)
    }))
}

/// The seeds of all leaves `below` levels under a seed, from left to right: cheaper than one by one.
pub fn leaves(seed: &Seed, below: u8) -> Vec<Seed> {
    let mut level = vec![*seed];
    for _ in 0..below {
        level = level.iter().flat_map(|seed| [child(seed, false), child(seed, true)]).collect();
    }
    level
}

/// What takes the place of a node when a node below it is cut out: the nodes beside the path, from the top down.
/// Empty when the two are the same node; `None` when `from` does not cover `out`.
pub fn cut(seed: &Seed, from: Node, out: Node) -> Option<Vec<(Node, Seed)>> {
    if !from.covers(out) {
        return None;
    }
    let mut kept = Vec::new();
    let mut seed = *seed;
    let mut at = from;
    while at.depth < out.depth {
        let right = out.path >> (out.depth - at.depth - 1) & 1 == 1;
        let beside = Node { depth: at.depth + 1, path: at.path << 1 | u32::from(!right) };
        kept.push((beside, child(&seed, !right)));
        at = Node { depth: at.depth + 1, path: at.path << 1 | u32::from(right) };
        seed = child(&seed, right);
    }
    Some(kept)
}

/// HMAC-SHA-256 over some parts, one after the other.
pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    hmacs(key, [parts])[0]
}

/// HMAC-SHA-256 over several things under one key.
fn hmacs<const N: usize>(key: &[u8], of: [&[&[u8]]; N]) -> [[u8; 32]; N] {
    // HMAC takes a key of any length (RFC 2104), so the error cannot happen; the empty key stands in for it.
    let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    of.map(|parts| {
        let mut mac = keyed.clone();
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    })
}

/// The salt of a field, from its key and the nonce of its record.
pub fn salt(key: &Seed, nonce: &[u8; 12]) -> [u8; 32] {
    hmac(key, &[b"sluis/salt/v1", nonce])
}

/// The salt of a field and the key under which its value is encrypted: [`salt`] and [`cipher_key`], for less work than both.
pub fn field_keys(key: &Seed, nonce: &[u8; 12]) -> ([u8; 32], [u8; 32]) {
    let [salt, cipher] = hmacs(key, [&[b"sluis/salt/v1", nonce], &[b"sluis/cipher/v1"]]);
    (salt, cipher)
}

/// The key under which the value of a field is encrypted.
pub fn cipher_key(key: &Seed) -> [u8; 32] {
    hmac(key, &[b"sluis/cipher/v1"])
}

/// The secret of a stream, from the key at the last ordinal of its first record.
pub fn stream_secret(key: &Seed) -> [u8; 32] {
    hmac(key, &[b"sluis/stream/v1"])
}

/// The salt of a report's field, from the report's seed.
pub fn report_salt(seed: &Seed, ordinal: u8) -> [u8; 32] {
    hmac(seed, &[b"sluis/report-salt/v1", &[ordinal]])
}

/// The salts of a report's four fields: [`report_salt`] of each, for less work.
pub fn report_salts(seed: &Seed) -> [[u8; 32]; 4] {
    const LABEL: &[u8] = b"sluis/report-salt/v1";
    hmacs(seed, [&[LABEL, &[0]], &[LABEL, &[1]], &[LABEL, &[2]], &[LABEL, &[3]]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_derived_together_is_what_is_derived_alone() {
        let nonce = [3; 12];
        assert_eq!(field_keys(&[5; 32], &nonce), (salt(&[5; 32], &nonce), cipher_key(&[5; 32])));
        assert_eq!(report_salts(&[5; 32]), [0, 1, 2, 3].map(|ordinal| report_salt(&[5; 32], ordinal)));
    }

    #[test]
    fn a_leaf_is_the_same_from_wherever_it_is_reached() {
        let root = [7; 32];
        let all = leaves(&root, 5);
        for (place, leaf) in all.iter().enumerate() {
            let node = Node { depth: 5, path: place as u32 };
            assert_eq!(descend(&root, Node::ROOT, node).as_ref(), Some(leaf));
            let half = Node { depth: 2, path: place as u32 >> 3 };
            let seed = descend(&root, Node::ROOT, half).unwrap();
            assert_eq!(descend(&seed, half, node).as_ref(), Some(leaf));
        }
    }

    #[test]
    fn what_is_cut_out_follows_from_nothing_and_the_rest_still_does() {
        let root = [9; 32];
        let out = Node::of_field(1_027, 6);
        let kept = cut(&root, Node::ROOT, out).unwrap();
        assert_eq!(kept.len(), usize::from(BLOCK_DEPTH));
        for number in [1_024, 1_026, 1_027, 1_028, 2_047] {
            for ordinal in 0..ORDINALS {
                let leaf = Node::of_field(number, ordinal);
                let found: Vec<_> = kept.iter().filter(|(node, _)| node.covers(leaf)).collect();
                if leaf == out {
                    assert!(found.is_empty());
                } else {
                    assert_eq!(found.len(), 1);
                    assert_eq!(descend(&found[0].1, found[0].0, leaf), descend(&root, Node::ROOT, leaf));
                }
            }
        }
        assert!(kept.iter().all(|(_, seed)| Some(*seed) != descend(&root, Node::ROOT, out)));
        assert_eq!(cut(&root, out, out).unwrap(), []);
        assert_eq!(cut(&root, out, Node::of_field(1_028, 6)), None);
    }
}
