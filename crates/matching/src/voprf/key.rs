//! The keys of the pseudorandom function: the list holder's secret one, and the public one that the manifest names.

use std::fmt;
use std::sync::{Arc, OnceLock};

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable};
use curve25519_dalek::{RistrettoPoint, Scalar};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Element, MOST, MOST_INPUT, Output, Wrong, group};

/// A secret key, one for each epoch, group of classes and share. It is wiped from memory when dropped, and shows nothing of itself.
pub struct SecretKey {
    scalar: Scalar,
    public: PublicKey,
}

impl SecretKey {
    /// `DeriveKeyPair` of RFC 9497, section 3.2.1, for mode VOPRF. The caller puts epoch and group into `info`, of at most 65,535 bytes.
    ///
    /// # Errors
    /// When the info is longer, or after 256 tries that all yield zero, which happens with a probability of 2^-64512.
    pub fn derive(seed: &[u8; 32], info: &[u8]) -> Result<SecretKey, Wrong> {
        let length = u16::try_from(info.len()).map_err(|_| Wrong::Long(0))?.to_be_bytes();
        for counter in 0..=u8::MAX {
            let scalar = Zeroizing::new(group::scalar(&[seed, &length, info, &[counter]], &[b"DeriveKeyPair", group::CONTEXT]));
            if *scalar != Scalar::ZERO {
                return Ok(SecretKey::of(*scalar));
            }
        }
        Err(Wrong::Unlucky)
    }

    /// Of what [`SecretKey::to_bytes`] gave.
    ///
    /// # Errors
    /// When it is zero, or not below the order of the group.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<SecretKey, Wrong> {
        let scalar: Option<Scalar> = Scalar::from_canonical_bytes(*bytes).into();
        scalar.filter(|scalar| *scalar != Scalar::ZERO).map(SecretKey::of).ok_or(Wrong::SecretKey)
    }

    /// For a machine that evaluates and has no list. Whoever has these bytes and the published list can test guesses of its entries.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.scalar.to_bytes())
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public.clone()
    }

    /// The function of one input, by the holder of the key: what [`super::finalize`] gives a provider.
    ///
    /// # Errors
    /// When the input is longer than [`MOST_INPUT`].
    pub fn evaluate(&self, input: &[u8]) -> Result<Output, Wrong> {
        if input.len() > MOST_INPUT {
            return Err(Wrong::Long(0));
        }
        let point = Zeroizing::new(*Zeroizing::new(group::hash_to_group(input)?) * self.scalar);
        Ok(group::output(input, point.compress().as_bytes()))
    }

    /// The function of many inputs at once, in their order, for whoever publishes a list: somewhat faster than one by one.
    ///
    /// # Errors
    /// When an input is longer than [`MOST_INPUT`]; says which.
    pub fn evaluate_all(&self, inputs: &[impl AsRef<[u8]>]) -> Result<Vec<Output>, Wrong> {
        let mut outputs = Vec::with_capacity(inputs.len());
        for (chunk, inputs) in inputs.chunks(MOST).enumerate() {
            let mut points = Zeroizing::new(Vec::with_capacity(inputs.len()));
            for (index, input) in inputs.iter().map(AsRef::as_ref).enumerate() {
                if input.len() > MOST_INPUT {
                    return Err(Wrong::Long(chunk * MOST + index));
                }
                points.push(group::hash_to_group(input)?);
            }
            let encoded = Zeroizing::new(self.multiples(&points));
            outputs.extend(inputs.iter().zip(encoded.iter()).map(|(input, element)| group::output(input.as_ref(), element)));
        }
        Ok(outputs)
    }

    /// The encodings of the key's multiples of points. The encoding of the double of a point takes no square root of its own
    /// (`double_and_compress_batch` of dalek), so the points are multiplied by half the key. In constant time.
    pub(super) fn multiples(&self, points: &[RistrettoPoint]) -> Vec<Element> {
        let half = Zeroizing::new(self.scalar.div_by_2());
        let halves: Zeroizing<Vec<RistrettoPoint>> = Zeroizing::new(points.iter().map(|point| point * *half).collect());
        RistrettoPoint::double_and_compress_batch(halves.iter()).iter().map(CompressedRistretto::to_bytes).collect()
    }

    fn of(scalar: Scalar) -> SecretKey {
        let point = RistrettoPoint::mul_base(&scalar);
        SecretKey { scalar, public: PublicKey::of(point.compress(), point) }
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    pub(super) fn public_ref(&self) -> &PublicKey {
        &self.public
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public)
    }
}

/// A public key. Cheap to clone: the table that makes unblinding fast is made once, when it is first needed, and shared.
#[derive(Clone)]
pub struct PublicKey(Arc<Inner>);

struct Inner {
    bytes: CompressedRistretto,
    point: RistrettoPoint,
    table: OnceLock<RistrettoBasepointTable>,
}

impl PublicKey {
    /// Of its 32 bytes.
    ///
    /// # Errors
    /// When they are no canonical encoding, or that of the identity.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<PublicKey, Wrong> {
        let point = group::decode(bytes).ok_or(Wrong::PublicKey)?;
        Ok(PublicKey::of(CompressedRistretto(*bytes), point))
    }

    /// Its 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.bytes.to_bytes()
    }

    fn of(bytes: CompressedRistretto, point: RistrettoPoint) -> PublicKey {
        PublicKey(Arc::new(Inner { bytes, point, table: OnceLock::new() }))
    }

    pub(super) fn point(&self) -> &RistrettoPoint {
        &self.0.point
    }

    /// Multiples of the key, for multiplication in constant time at a third of the cost.
    pub(super) fn table(&self) -> &RistrettoBasepointTable {
        self.0.table.get_or_init(|| RistrettoBasepointTable::create(&self.0.point))
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &PublicKey) -> bool {
        self.0.bytes == other.0.bytes
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.0.bytes.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
