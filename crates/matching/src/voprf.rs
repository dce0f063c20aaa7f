//! The pseudorandom function that both sides compute without showing what of: RFC 9497 VOPRF(ristretto255, SHA-512) in batches, under a
//! proof that is bound to the whole batch.
//!
//! A provider calls [`blind`], sends what it gets, and with the answer [`finalize`]. The list holder calls [`evaluate`], and for its own list
//! [`SecretKey::evaluate_all`]. Outputs are those of the RFC; the proof of a batch is not, because the RFC's weights make it forgeable at
//! the sizes we need (`docs/matching.md`, "The pseudorandom function and its proof"). Threads are the caller's: a batch is the unit of work.

#[cfg(test)]
mod forgery;
mod group;
mod key;
mod proof;
#[cfg(test)]
mod rfc;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;

use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

pub use key::{PublicKey, SecretKey};

use crate::bytes::Writer;

/// The most elements of one batch.
pub const MOST: usize = 4096;
/// The sizes that a provider's batches have. Enrolment fixes one for each group of classes (M6), so that size tells nothing.
pub const SIZES: [usize; 4] = [64, 256, 1024, 4096];
/// The longest input, in bytes (RFC 9497, section 1.2).
pub const MOST_INPUT: usize = u16::MAX as usize;

/// A point on the wire, in its one canonical encoding (RFC 9496).
pub type Element = [u8; 32];
/// That all of a batch was evaluated under one key: challenge and response, 32 bytes each, little-endian.
pub type Proof = [u8; 64];
/// What the function says of an input.
pub type Output = [u8; 64];

/// Why a batch, a key or a proof is refused, and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// No element at all.
    #[error("the batch is empty: send at least one element")]
    Empty,
    /// More elements than one batch may have.
    #[error("the batch has {0} elements: send at most {MOST}, the rest in another batch")]
    TooMany(usize),
    /// Not one of [`SIZES`].
    #[error("batches have 64, 256, 1024 or 4096 elements, not {0}: use the size of the enrolment")]
    Size(usize),
    /// More inputs than the batch is large.
    #[error("{inputs} inputs do not go into a batch of {size}: put the rest in another batch")]
    Full {
        /// How many inputs there are.
        inputs: usize,
        /// How many elements the batch has.
        size: usize,
    },
    /// An input longer than [`MOST_INPUT`].
    #[error("input {0} is longer than 65,535 bytes: tokens are at most 512")]
    Long(usize),
    /// An element that is no point, not in its canonical encoding, or the identity.
    #[error(
        "{1} element {0} is not a canonical ristretto255 point other than the identity: refuse the whole batch and ask for a new one"
    )]
    Element(usize, Side),
    /// Not as many evaluated elements as blinded ones.
    #[error("{blinded} elements were sent and {evaluated} came back: refuse the answer and ask for it again")]
    Count {
        /// How many were sent.
        blinded: usize,
        /// How many came back.
        evaluated: usize,
    },
    /// The blinded elements are not made of these inputs and this seed.
    #[error(
        "the blinded elements are not those of these inputs and this seed: open the answer with the state that made its request"
    )]
    Foreign,
    /// The proof does not hold.
    #[error(
        "the proof does not hold for this key, these elements and this batch: use nothing of the answer, and keep request, answer and receipt as evidence"
    )]
    Proof,
    /// Bytes that are no public key.
    #[error("this is not a public key (a canonical ristretto255 point other than the identity): take it from the manifest again")]
    PublicKey,
    /// Bytes that are no secret key.
    #[error("this is not a secret key (a canonical scalar other than zero): export it again from the machine that made it")]
    SecretKey,
    /// An input that the hash takes to the identity, or a seed that yields no key. It happens once in 2^252, so rather something is broken.
    #[error("an input or seed has no image under the hash: this should never be seen, so look for damaged memory or storage")]
    Unlucky,
}

/// Whose elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Sent by the provider.
    Blinded,
    /// Sent back by the list holder.
    Evaluated,
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Side::Blinded => "blinded",
            Side::Evaluated => "evaluated",
        })
    }
}

/// What a proof is bound to beside key and elements. A proof made under one context holds under no other, so that neither a batch nor its
/// answer can be passed off as another's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The list: 16 random bytes for each publication.
    pub list: [u8; 16],
    /// The epoch of the key.
    pub epoch: u32,
    /// The group of classes that the key is for.
    pub group: u8,
    /// Which share of the key, from 0.
    pub share: u8,
    /// The provider's key.
    pub provider: [u8; 32],
    /// The number of the provider's batch.
    pub batch_seq: u64,
}

impl Context {
    /// The bytes that stand for it in the transcript.
    fn bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.list).u32(self.epoch).u8(self.group).u8(self.share).raw(&self.provider).u64(self.batch_seq);
        w.done()
    }
}

/// Blinds inputs into a batch of `size` elements, one of [`SIZES`]. Elements beyond the inputs are random points, in form and distribution
/// like the others. Element i stands for input i: shuffle the inputs first.
///
/// Everything comes from the inputs and `batch_seed`, so that a resumed batch has the identical bytes (M9). The seed must be 32 fresh bytes
/// of the operating system for each batch, kept encrypted and destroyed once the answer is open: whoever has it and the elements can test
/// guesses of the inputs. Without it, the elements are uniform points and say nothing, whatever the computing power.
///
/// # Errors
/// When the size is another, the inputs do not fit, or one is too long.
pub fn blind(inputs: &[impl AsRef<[u8]>], size: usize, batch_seed: &[u8; 32]) -> Result<Vec<Element>, Wrong> {
    check_inputs(inputs, size)?;
    let blinds = Blinds::new(inputs, size, batch_seed);
    (0..size).map(|index| blinds.element(inputs, index)).collect()
}

/// Evaluates a batch of any size up to [`MOST`] under the key, and proves it. `nonce` is 32 fresh random bytes; should they ever repeat, the
/// proof stays safe, since its secret nonce depends on key and batch as well.
///
/// Time does not depend on the key. It depends on the elements, which are public.
///
/// # Errors
/// When there are no elements or too many, or one is no point other than the identity; says which.
pub fn evaluate(
    key: &SecretKey,
    elements: &[Element],
    context: &Context,
    nonce: &[u8; 32],
) -> Result<(Vec<Element>, Proof), Wrong> {
    check_count(elements.len())?;
    let points = group::decode_all(elements, Side::Blinded)?;
    let evaluated = key.multiples(&points);
    let proof = proof::prove(key, elements, &points, &evaluated, context, nonce);
    Ok((evaluated, proof))
}

/// Checks that the evaluated elements are the blinded ones under the key, in this context.
///
/// # Errors
/// When they are not, when counts differ or elements are no points, and then nothing of the answer may be used.
pub fn verify(
    public: &PublicKey,
    blinded: &[Element],
    evaluated: &[Element],
    proof: &Proof,
    context: &Context,
) -> Result<(), Wrong> {
    proof::verify(public, blinded, evaluated, proof, context).map(drop)
}

/// Checks the proof of an answer, and only then takes the blinds off: the outputs of the inputs, in their order.
///
/// `blinded` is what [`blind`] made of the same inputs, size and seed. A few elements are made again to see whether it is, so that another
/// batch's state is refused instead of yielding outputs that match nothing: each depends on all inputs.
///
/// # Errors
/// Those of [`blind`] and [`verify`], and when the blinded elements are of other inputs or another seed.
#[expect(clippy::too_many_arguments, reason = "what a batch is of and what came back, each of its own type")]
pub fn finalize(
    inputs: &[impl AsRef<[u8]>],
    size: usize,
    batch_seed: &[u8; 32],
    public: &PublicKey,
    blinded: &[Element],
    evaluated: &[Element],
    proof: &Proof,
    context: &Context,
) -> Result<Vec<Output>, Wrong> {
    check_inputs(inputs, size)?;
    let blinds = Blinds::new(inputs, size, batch_seed);
    check_own(inputs, &blinds, size, blinded, proof)?;
    let verified = proof::verify(public, blinded, evaluated, proof, context)?;
    Ok(unblind(inputs, &blinds, public, &verified))
}

/// Takes the blinds off: Z - r·PK = k·(H(x) + r·G) - r·k·G = k·H(x). This is only so when Z is the evaluation under PK, which is why it
/// takes points that only [`proof::verify`] makes: with additive blinds and no proof, a list holder that answers kC + E would learn from
/// what the provider does next whether an output was shifted by an E of its choice.
fn unblind(inputs: &[impl AsRef<[u8]>], blinds: &Blinds, public: &PublicKey, verified: &proof::Verified) -> Vec<Output> {
    let table = public.table();
    inputs
        .iter()
        .zip(verified.points())
        .enumerate()
        .map(|(index, (input, evaluated))| {
            let input = input.as_ref();
            let blind = blinds.of(index, input);
            let unblinded = Zeroizing::new(evaluated - table * &*blind);
            group::output(input, unblinded.compress().as_bytes())
        })
        .collect()
}

/// What the blinds of one batch come from. It depends on all inputs beside the seed, so that a seed that is used twice by mistake, after a crash or
/// in a copied machine, gives either the same bytes again or elements that have nothing to do with each other: never two with one blind, whose
/// difference would be H(x) - H(y), and no padding that can be told by being the same (M9).
struct Blinds(Zeroizing<[u8; 32]>);

impl Blinds {
    fn new(inputs: &[impl AsRef<[u8]>], size: usize, batch_seed: &[u8; 32]) -> Blinds {
        let mut hash = Sha512::new();
        hash.update(b"Sluis-v1-Batch");
        hash.update(batch_seed);
        // Sizes are at most MOST, lengths at most MOST_INPUT: both were checked.
        hash.update((size as u16).to_be_bytes());
        hash.update((inputs.len() as u16).to_be_bytes());
        for input in inputs.iter().map(AsRef::as_ref) {
            hash.update((input.len() as u16).to_be_bytes());
            hash.update(input);
        }
        let whole = Zeroizing::new(<[u8; 64]>::from(hash.finalize()));
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(&whole[..32]);
        Blinds(key)
    }

    /// The blind r of an input.
    fn of(&self, index: usize, input: &[u8]) -> Zeroizing<Scalar> {
        group::secret_scalar(&[&*self.0, &(index as u16).to_be_bytes(), input], b"Sluis-v1-Blind")
    }

    /// The blinded element at an index: H(x) + r·G, or beyond the inputs r·G. Both are uniform.
    fn element(&self, inputs: &[impl AsRef<[u8]>], index: usize) -> Result<Element, Wrong> {
        let point = match inputs.get(index).map(AsRef::as_ref) {
            Some(input) => {
                let hashed = Zeroizing::new(group::hash_to_group(input)?);
                *hashed + RistrettoPoint::mul_base(&self.of(index, input))
            }
            None => {
                let scalar = group::secret_scalar(&[&*self.0, &(index as u16).to_be_bytes()], b"Sluis-v1-Padding");
                RistrettoPoint::mul_base(&scalar)
            }
        };
        Ok(point.compress().to_bytes())
    }
}

fn check_count(n: usize) -> Result<(), Wrong> {
    match n {
        0 => Err(Wrong::Empty),
        1..=MOST => Ok(()),
        _ => Err(Wrong::TooMany(n)),
    }
}

fn check_inputs(inputs: &[impl AsRef<[u8]>], size: usize) -> Result<(), Wrong> {
    if !SIZES.contains(&size) {
        return Err(Wrong::Size(size));
    }
    if inputs.len() > size {
        return Err(Wrong::Full { inputs: inputs.len(), size });
    }
    match inputs.iter().position(|input| input.as_ref().len() > MOST_INPUT) {
        Some(index) => Err(Wrong::Long(index)),
        None => Ok(()),
    }
}

/// Makes a few of the blinded elements again: the first, the last, and one that the answer picks. Every blind depends on all inputs, so this
/// finds any input that is another or at another place.
fn check_own(
    inputs: &[impl AsRef<[u8]>],
    blinds: &Blinds,
    size: usize,
    elements: &[Element],
    proof: &Proof,
) -> Result<(), Wrong> {
    if elements.len() != size {
        return Err(Wrong::Foreign);
    }
    let picked = usize::from(u16::from_le_bytes([proof[0], proof[1]]));
    for index in [0, size - 1, picked % size] {
        if elements.get(index) != Some(&blinds.element(inputs, index)?) {
            return Err(Wrong::Foreign);
        }
    }
    Ok(())
}
