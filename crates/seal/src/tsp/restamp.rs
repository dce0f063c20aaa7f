//! Renewal: one token over the whole log and all tokens so far, before their certificates or algorithms die.
//!
//! The idea is that of RFC 4998. The tree of the log is cumulative, so its latest checkpoint stands for every entry before it; with
//! all tokens beside it, one fresh token proves that all of them existed while they still stood by themselves. SHA-512, so
//! that the renewal outlives what it renews; and a tree over the tokens (RFC 9162 section 2.1, with SHA-512), so that one of
//! them is shown by a path of hashes and not by all the others.
//!
//! ```text
//! leaf        SHA-512(0x00 || the response or token as it is kept)
//! node        SHA-512(0x01 || left || right)
//! digest      SHA-512("sluis/restamp/v1\0" || u64 length of the text || text || u64 number of tokens || root)
//! ```
//!
//! The text is the latest checkpoint's note text, with its last newline and without signatures; the tokens are in the order in
//! which they came, earlier renewals among them. The root of no tokens is SHA-512 of nothing.

use sha2::{Digest, Sha512};

use super::{Anchors, Asked, Imprint, Oid, Stamp, Wrong};

/// What the stamped bytes begin with.
const LABEL: &[u8] = b"sluis/restamp/v1\0";
/// Hashes that a path may have: as many as a count has bits.
const PATH: usize = 64;

/// A hash of the tree over tokens.
pub type Hash = [u8; 64];

/// The tokens that a renewal is over, taken one after the other.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    count: u64,
    /// Roots of the perfect trees that the tokens so far make up, the largest first: one for each bit that is set in `count`.
    peaks: Vec<Hash>,
}

impl Tokens {
    /// None yet.
    #[must_use]
    pub fn new() -> Tokens {
        Tokens::default()
    }

    /// Takes the next token, as it is kept.
    pub fn push(&mut self, token: &[u8]) {
        let mut hash = leaf(token);
        // Each set bit at the end is a tree of the same size as what is added: together they are one of the next size.
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                hash = node(&left, &hash);
            }
        }
        self.peaks.push(hash);
        self.count += 1;
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// What a renewal stamps: these tokens, and the text of the latest checkpoint.
    #[must_use]
    pub fn digest(&self, checkpoint: &[u8]) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let root = match peaks.next() {
            Some(last) => peaks.fold(*last, |right, left| node(left, &right)),
            None => Sha512::digest(b"").into(),
        };
        digest(checkpoint, self.count, &root)
    }
}

/// The path by which token `index` among `tokens` is shown (RFC 9162 section 2.1.3.1). `None` when there is no such token.
#[must_use]
pub fn path(tokens: &[&[u8]], index: usize) -> Option<Vec<Hash>> {
    fn root(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => Sha512::digest(b"").into(),
            [one] => *one,
            many => {
                let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
                node(&root(left), &root(right))
            }
        }
    }
    (index < tokens.len()).then_some(())?;
    let leaves: Vec<Hash> = tokens.iter().map(|token| leaf(token)).collect();
    let (mut part, mut index, mut path) = (&leaves[..], index, Vec::new());
    while part.len() > 1 {
        let (left, right) = part.split_at(part.len().next_power_of_two() / 2);
        if index < left.len() {
            path.push(root(right));
            part = left;
        } else {
            path.push(root(left));
            index -= left.len();
            part = right;
        }
    }
    path.reverse();
    Some(path)
}

/// What a renewal over `count` tokens must have stamped, if `token` was the one at `index` (RFC 9162 section 2.1.3.2).
/// `None` when the path cannot be that of a token there.
#[must_use]
pub fn digest_by_path(checkpoint: &[u8], count: u64, index: u64, token: &[u8], path: &[Hash]) -> Option<Hash> {
    if index >= count || path.len() > PATH {
        return None;
    }
    let (mut at, mut last, mut hash) = (index, count - 1, leaf(token));
    for beside in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            hash = node(beside, &hash);
            // A last node without a neighbour goes up as it is.
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then(|| digest(checkpoint, count, &hash))
}

fn leaf(token: &[u8]) -> Hash {
    Sha512::new().chain_update([0]).chain_update(token).finalize().into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha512::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

fn digest(checkpoint: &[u8], count: u64, root: &Hash) -> Hash {
    let mut hash = Sha512::new();
    hash.update(LABEL);
    hash.update((checkpoint.len() as u64).to_be_bytes());
    hash.update(checkpoint);
    hash.update(count.to_be_bytes());
    hash.update(root);
    hash.finalize().into()
}

/// The request for a renewal's token.
#[must_use]
pub fn request(digest: &Hash, nonce: u64, policy: Option<&Oid>) -> Vec<u8> {
    Asked { imprint: Imprint::Sha512(digest), nonce: Some(nonce), policy }.request()
}

/// Verifies a renewal's token; else as [`verify`](super::verify).
///
/// # Errors
/// Why it proves nothing.
pub fn verify(
    response_or_token: &[u8],
    digest: &Hash,
    nonce: Option<u64>,
    anchors: &Anchors,
    at: Option<i64>,
) -> Result<Stamp, Wrong> {
    let asked = Asked { imprint: Imprint::Sha512(digest), nonce, policy: None };
    super::verify_asked(response_or_token, &asked, &[], anchors, at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(tokens: &[&[u8]]) -> Tokens {
        let mut all = Tokens::new();
        tokens.iter().for_each(|token| all.push(token));
        all
    }

    #[test]
    fn a_renewal_depends_on_every_token_and_on_their_order() {
        let digests = [
            tokens(&[b"a", b"b"]).digest(b"text\n"),
            tokens(&[b"b", b"a"]).digest(b"text\n"),
            tokens(&[b"a"]).digest(b"text\n"),
            tokens(&[]).digest(b"text\n"),
            tokens(&[b"a", b"b"]).digest(b"text"),
            tokens(&[b"a", b"b", b"b"]).digest(b"text\n"),
            tokens(&[]).digest(b""),
        ];
        for (at, one) in digests.iter().enumerate() {
            assert!(digests.iter().skip(at + 1).all(|other| one != other), "{at}");
        }
    }

    /// Python: h = lambda b: sha512(b).digest(); h(b"sluis/restamp/v1\0" + (5).to_bytes(8, "big") + b"text\n" + n + root), where n
    /// is the count in 8 bytes; the root of three is h(1 + h(1 + leaf a + leaf b) + leaf c), a leaf h(0 + token).
    #[test]
    fn a_renewal_as_others_compute_it() {
        let hex = |hash: Hash| hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(
            hex(tokens(&[]).digest(b"text\n")),
            "94f0d6b7e27de543f579c1122c47ecfef954a18498603eff05f939639c7b5de313b9a0cf3812c6f5b3b6d6973e9301bbc34f2532a44058b582e4475666323fa4"
        );
        assert_eq!(
            hex(tokens(&[b"a", b"b", b"c"]).digest(b"text\n")),
            "d6f6e250098e1eb24faee6a3d159a958396bd1a025aabab9601a91adf7feb100bf5b8cbe2e1ce67ec19c0d6a6877cf16b54ffc2bc0599a02d5d86a5867219080"
        );
    }

    proptest! {
        #[test]
        fn each_token_is_shown_by_its_path_and_no_other_is(count in 1_usize..70, at in any::<prop::sample::Index>(), bit in 0_usize..512) {
            let all: Vec<Vec<u8>> = (0..count).map(|n| n.to_be_bytes().to_vec()).collect();
            let all: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
            let (index, expected) = (at.index(count), tokens(&all).digest(b"text\n"));
            let mut path = path(&all, index).unwrap();
            let by = |index: usize, count: usize, token: &[u8], path: &[Hash]| {
                digest_by_path(b"text\n", count as u64, index as u64, token, path)
            };
            prop_assert_eq!(by(index, count, all[index], &path), Some(expected));
            prop_assert_ne!(by(index, count, b"other", &path), Some(expected));
            for other in (0..count).filter(|other| *other != index) {
                prop_assert_ne!(by(other, count, all[index], &path), Some(expected));
            }
            for other in [count - 1, count + 1, 2 * count] {
                prop_assert_ne!(by(index, other, all[index], &path), Some(expected));
            }
            path.push([0; 64]);
            prop_assert_eq!(by(index, count, all[index], &path), None);
            path.pop();
            let length = path.len();
            if length > 0 {
                path[bit % length][bit / 8] ^= 1 << (bit % 8);
                prop_assert_ne!(by(index, count, all[index], &path), Some(expected));
                prop_assert_ne!(by(index, count, all[index], &path[..length - 1]), Some(expected));
            }
        }
    }
}
