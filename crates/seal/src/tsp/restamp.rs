//! Renewal: one token over the whole log and all tokens so far, before their certificates or algorithms die.
//!
//! The idea is that of RFC 4998. The tree is cumulative, so its latest checkpoint stands for every entry before it; with the
//! digests of all tokens beside it, one fresh token proves that all of them existed while they still stood by themselves.
//! SHA-512, so that the renewal outlives what it renews.
//!
//! The stamped digest is SHA-512 over, in this order (integers big-endian):
//!
//! ```text
//! "sluis/restamp/v1\0"
//! u64   length of the checkpoint's text, in bytes
//!       the checkpoint's note text, with its last newline and without signatures
//! u64   number of tokens
//! 64 B  SHA-512 of each response or token as it is kept, in the order of their anchors
//! ```

use sha2::{Digest, Sha512};

use super::{Anchors, Asked, Imprint, Oid, Stamp, Wrong};

/// What the stamped bytes begin with.
const LABEL: &[u8] = b"sluis/restamp/v1\0";

/// The SHA-512 of a token as it is kept, for [`digest`].
#[must_use]
pub fn of_token(token: &[u8]) -> [u8; 64] {
    Sha512::digest(token).into()
}

/// What a renewal stamps: the text of the latest checkpoint, and the digests ([`of_token`]) of all tokens in their order.
#[must_use]
pub fn digest(checkpoint: &[u8], tokens: &[[u8; 64]]) -> [u8; 64] {
    let mut hash = Sha512::new();
    hash.update(LABEL);
    hash.update((checkpoint.len() as u64).to_be_bytes());
    hash.update(checkpoint);
    hash.update((tokens.len() as u64).to_be_bytes());
    for token in tokens {
        hash.update(token);
    }
    hash.finalize().into()
}

/// The request for a renewal's token.
#[must_use]
pub fn request(digest: &[u8; 64], nonce: u64, policy: Option<&Oid>) -> Vec<u8> {
    Asked { imprint: Imprint::Sha512(digest), nonce: Some(nonce), policy }.request()
}

/// Verifies a renewal's token; else as [`verify`](super::verify).
///
/// # Errors
/// Why it proves nothing.
pub fn verify(
    response_or_token: &[u8],
    digest: &[u8; 64],
    nonce: Option<u64>,
    anchors: &Anchors,
    at: Option<i64>,
) -> Result<Stamp, Wrong> {
    let asked = Asked { imprint: Imprint::Sha512(digest), nonce, policy: None };
    super::verify_asked(response_or_token, &asked, &[], anchors, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_depends_on_every_token_and_on_their_order() {
        let (a, b) = (of_token(b"a"), of_token(b"b"));
        let digests = [
            digest(b"text\n", &[a, b]),
            digest(b"text\n", &[b, a]),
            digest(b"text\n", &[a]),
            digest(b"text\n", &[]),
            digest(b"text", &[a, b]),
            digest(b"", &[]),
        ];
        for (at, one) in digests.iter().enumerate() {
            assert!(digests.iter().skip(at + 1).all(|other| one != other), "{at}");
        }
    }

    /// printf 'sluis/restamp/v1\0\0\0\0\0\0\0\0\5text\n\0\0\0\0\0\0\0\0' | sha512sum
    #[test]
    fn a_renewal_as_others_compute_it() {
        let hex: String = digest(b"text\n", &[]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "d7d14fd1ca95172a54bfb9e2c2d6502dc21bb80381c15c6fadfcb9862b3a1bd1a913fcfb89289289e8b28ed6a48477c4dd92f4b3d3dc5d052c917f173701afd4"
        );
    }
}
