//! The proof that a whole batch was evaluated under one key: that of RFC 9497, section 2.2, with weights that come from the whole transcript.
//!
//! The RFC weighs pair i by a hash of the public key, i and that pair alone, so a list holder can shift every D_i by an e_i·G of its choice and
//! look for shifts with sum d_i·e_i = 0: a generalised birthday problem (Wagner, CRYPTO 2002) of about 2^31 steps at 4,096 elements. Here
//! every weight depends on every element and on the context, so that whatever is changed, all weights are drawn anew.

use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{Context, Element, Proof, PublicKey, SecretKey, Side, Wrong, check_count, group};

/// Separates the hashes of this proof from those of the RFC and from all else.
const CONTEXT: &[u8] = b"Sluis-v1-OPRFV1-\x01-ristretto255-SHA512";

/// The evaluated points of a batch whose proof was checked. Nothing else makes one, and nothing unblinds without one.
pub(super) struct Verified(Vec<RistrettoPoint>);

impl Verified {
    pub(super) fn points(&self) -> &[RistrettoPoint] {
        &self.0
    }
}

/// Proves that each of `evaluated` is that of `blinded` under the key. The caller has checked the count and made the evaluated elements.
pub(super) fn prove(
    key: &SecretKey,
    blinded: &[Element],
    points: &[RistrettoPoint],
    evaluated: &[Element],
    context: &Context,
    nonce: &[u8; 32],
) -> Proof {
    let seed = seed(key.public_ref(), blinded, evaluated, context);
    let m = RistrettoPoint::vartime_multiscalar_mul(weights(&seed, points.len()), points);
    let z = m * key.scalar();
    // The nonce is of the key, of fresh chance and of the transcript, as in RFC 8032 with added chance: a repeated or known `nonce`
    // alone never repeats it for another statement, and a fault in the batch is not met with the same one.
    let r = group::secret_scalar(&[&*key.to_bytes(), nonce, &seed], b"Sluis-v1-Nonce");
    let t2 = RistrettoPoint::mul_base(&r);
    let t3 = m * *r;
    let c = challenge(&seed, key.public_ref(), &[m, z, t2, t3]);
    let s = *r - c * key.scalar();
    let mut proof = [0; 64];
    let (first, second) = proof.split_at_mut(32);
    first.copy_from_slice(c.as_bytes());
    second.copy_from_slice(s.as_bytes());
    proof
}

/// Checks a proof, and gives the evaluated points, which now may be used.
///
/// # Errors
/// When it does not hold, counts differ or are out of bounds, or elements are no points.
pub(super) fn verify(
    public: &PublicKey,
    blinded: &[Element],
    evaluated: &[Element],
    proof: &Proof,
    context: &Context,
) -> Result<Verified, Wrong> {
    check_count(blinded.len())?;
    if blinded.len() != evaluated.len() {
        return Err(Wrong::Count { blinded: blinded.len(), evaluated: evaluated.len() });
    }
    let (c, s) = read(proof).ok_or(Wrong::Proof)?;
    let sent = group::decode_all(blinded, Side::Blinded)?;
    let came = group::decode_all(evaluated, Side::Evaluated)?;
    let seed = seed(public, blinded, evaluated, context);
    let weights = weights(&seed, sent.len());
    let m = RistrettoPoint::vartime_multiscalar_mul(&weights, &sent);
    let z = RistrettoPoint::vartime_multiscalar_mul(&weights, &came);
    let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&c, public.point(), &s);
    let t3 = RistrettoPoint::vartime_multiscalar_mul([s, c], [m, z]);
    if challenge(&seed, public, &[m, z, t2, t3]) == c { Ok(Verified(came)) } else { Err(Wrong::Proof) }
}

/// Challenge and response, when both are canonical.
fn read(proof: &Proof) -> Option<(Scalar, Scalar)> {
    let scalar = |bytes: &[u8]| -> Option<Scalar> { Scalar::from_canonical_bytes(bytes.try_into().ok()?).into() };
    let (c, s) = proof.split_at(32);
    Some((scalar(c)?, scalar(s)?))
}

/// What stands for the whole statement: key, all elements of both sides, and the context (M1). The number of elements is in it, and all parts
/// have fixed lengths, so two statements never have the same bytes.
fn seed(public: &PublicKey, blinded: &[Element], evaluated: &[Element], context: &Context) -> [u8; 64] {
    let dst = [b"Seed-", CONTEXT].concat();
    let mut hash = Sha512::new();
    // The RFC's seed transcript, with our DST.
    hash.update([0, 32]);
    hash.update(public.to_bytes());
    // 42 bytes.
    hash.update((dst.len() as u16).to_be_bytes());
    hash.update(&dst);
    hash.update(Sha512::digest(blinded.as_flattened()));
    hash.update(Sha512::digest(evaluated.as_flattened()));
    hash.update((blinded.len() as u16).to_be_bytes());
    hash.update(context.bytes());
    hash.finalize().into()
}

/// The weights d_i: 128 bits each of SHA-512 over seed and i.
///
/// They may be short (Bellare, Garay, Rabin, EUROCRYPT 1998, small exponents): the group has prime order, so if D_j is not k·C_j for some j,
/// then for any values of the other weights at most one value of d_j makes sum d_i·(D_i - k·C_i) vanish, and it is hit with a
/// probability of at most 2^-128 for each transcript that the list holder tries. Short weights halve the cost of the sums.
fn weights(seed: &[u8; 64], n: usize) -> Vec<Scalar> {
    // At most MOST.
    (0..n as u16)
        .map(|i| {
            let hash: [u8; 64] =
                Sha512::new().chain_update(b"Sluis-v1-Weight").chain_update(seed).chain_update(i.to_be_bytes()).finalize().into();
            let mut low = [0; 16];
            low.copy_from_slice(&hash[..16]);
            Scalar::from(u128::from_le_bytes(low))
        })
        .collect()
}

/// The challenge over the statement, the composites and the commitments.
fn challenge(seed: &[u8; 64], public: &PublicKey, points: &[RistrettoPoint; 4]) -> Scalar {
    let [m, z, t2, t3] = points.each_ref().map(RistrettoPoint::compress);
    group::scalar(
        &[seed, &public.to_bytes(), m.as_bytes(), z.as_bytes(), t2.as_bytes(), t3.as_bytes(), b"Challenge"],
        &[b"HashToScalar-", CONTEXT],
    )
}
