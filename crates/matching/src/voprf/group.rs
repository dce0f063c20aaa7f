//! Hashing into ristretto255 and its scalars as RFC 9497, section 4.1 and RFC 9380 have it, and reading points from outside.

use std::sync::LazyLock;

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::IsIdentity as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::{Element, Output, Side, Wrong};

/// The context string of RFC 9497 for mode VOPRF (0x01) of this suite, under which all our outputs and keys are.
pub(super) const CONTEXT: &[u8] = b"OPRFV1-\x01-ristretto255-SHA512";

/// `expand_message_xmd` of RFC 9380, section 5.3.1, with SHA-512, of 64 bytes, which is one block of output. Message and DST are given in
/// parts; the DSTs are ours and far below 255 bytes.
pub(super) fn expand(message: &[&[u8]], dst: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let length: usize = dst.iter().map(|part| part.len()).sum();
    let tail = |hash: &mut Sha512| {
        for part in dst {
            hash.update(part);
        }
        hash.update([length as u8]);
    };
    let mut first = padded();
    for part in message {
        first.update(part);
    }
    first.update([0, 64, 0]);
    tail(&mut first);
    let mut second = Sha512::new();
    second.update(Zeroizing::new(<[u8; 64]>::from(first.finalize())).as_slice());
    second.update([1]);
    tail(&mut second);
    Zeroizing::new(second.finalize().into())
}

/// SHA-512 that has taken in the block of zeros with which each expansion starts, made once: it is a third of the work of a short one.
fn padded() -> Sha512 {
    static PADDED: LazyLock<Sha512> = LazyLock::new(|| Sha512::new().chain_update([0; 128]));
    PADDED.clone()
}

/// `HashToGroup` of the RFC, for mode VOPRF.
///
/// # Errors
/// When the image is the identity, which the RFC has refused as `InvalidInputError`.
pub(super) fn hash_to_group(input: &[u8]) -> Result<RistrettoPoint, Wrong> {
    let point = RistrettoPoint::from_uniform_bytes(&expand(&[input], &[b"HashToGroup-", CONTEXT]));
    if point.is_identity() { Err(Wrong::Unlucky) } else { Ok(point) }
}

/// `HashToScalar` with this DST: 64 bytes modulo the order, so within 2^-256 of uniform.
pub(super) fn scalar(message: &[&[u8]], dst: &[&[u8]]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&expand(message, dst))
}

/// The same of secrets.
pub(super) fn secret_scalar(message: &[&[u8]], dst: &[u8]) -> Zeroizing<Scalar> {
    Zeroizing::new(scalar(message, &[dst]))
}

/// The last step of `Finalize` of the RFC: SHA-512 over the input and the unblinded element, each after its length. Inputs are at most
/// [`super::MOST_INPUT`] bytes.
pub(super) fn output(input: &[u8], element: &Element) -> Output {
    let mut hash = Sha512::new();
    hash.update((input.len() as u16).to_be_bytes());
    hash.update(input);
    hash.update([0, 32]);
    hash.update(element);
    hash.update(b"Finalize");
    hash.finalize().into()
}

/// `DeserializeElement` of the RFC: the point of a canonical encoding that is not the identity.
pub(super) fn decode(element: &Element) -> Option<RistrettoPoint> {
    CompressedRistretto(*element).decompress().filter(|point| !point.is_identity())
}

/// All of them.
///
/// # Errors
/// Says which is none.
pub(super) fn decode_all(elements: &[Element], side: Side) -> Result<Vec<RistrettoPoint>, Wrong> {
    elements.iter().enumerate().map(|(index, element)| decode(element).ok_or(Wrong::Element(index, side))).collect()
}
