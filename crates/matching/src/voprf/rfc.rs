//! RFC 9497 as it is written, for tests alone: the three modes with their multiplicative blinds, and the proof of a batch in two forms, the
//! RFC's and ours, slow and word for word over any group of prime order, so that the one can be forged at toy size and the other compared
//! with the fast code.

use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use sha2::{Digest as _, Sha512};

use super::{Context, group};

/// A group of prime order, and what the RFC asks of it (section 2.1).
pub(super) trait Group {
    type Scalar: Copy + PartialEq + std::fmt::Debug;
    type Element: Copy + PartialEq + std::fmt::Debug;

    fn generator() -> Self::Element;
    fn add(a: Self::Element, b: Self::Element) -> Self::Element;
    fn mul(element: Self::Element, scalar: Self::Scalar) -> Self::Element;
    fn encode(element: Self::Element) -> Vec<u8>;
    /// a + b·c of scalars.
    fn mul_add(a: Self::Scalar, b: Self::Scalar, c: Self::Scalar) -> Self::Scalar;
    fn negate(scalar: Self::Scalar) -> Self::Scalar;
    fn of(number: u128) -> Self::Scalar;
    /// 64 bytes, little-endian, modulo the order.
    fn reduce(bytes: &[u8; 64]) -> Self::Scalar;
    fn identifier() -> &'static [u8];

    fn hash_to_scalar(message: &[&[u8]], dst: &[&[u8]]) -> Self::Scalar {
        Self::reduce(&group::expand(message, dst))
    }

    /// `CreateContextString` (section 3.1).
    fn context(mode: u8) -> Vec<u8> {
        [b"OPRFV1-", &[mode][..], b"-", Self::identifier()].concat()
    }
}

/// The group that we use.
#[derive(Debug)]
pub(super) struct Ristretto;

impl Group for Ristretto {
    type Scalar = Scalar;
    type Element = RistrettoPoint;

    fn generator() -> RistrettoPoint {
        RistrettoPoint::mul_base(&Scalar::ONE)
    }
    fn add(a: RistrettoPoint, b: RistrettoPoint) -> RistrettoPoint {
        a + b
    }
    fn mul(element: RistrettoPoint, scalar: Scalar) -> RistrettoPoint {
        element * scalar
    }
    fn encode(element: RistrettoPoint) -> Vec<u8> {
        element.compress().as_bytes().to_vec()
    }
    fn mul_add(a: Scalar, b: Scalar, c: Scalar) -> Scalar {
        a + b * c
    }
    fn negate(scalar: Scalar) -> Scalar {
        -scalar
    }
    fn of(number: u128) -> Scalar {
        Scalar::from(number)
    }
    fn reduce(bytes: &[u8; 64]) -> Scalar {
        Scalar::from_bytes_mod_order_wide(bytes)
    }
    fn identifier() -> &'static [u8] {
        b"ristretto255-SHA512"
    }
}

/// Reads a point that the vectors say is one.
pub(super) fn point(bytes: &[u8]) -> RistrettoPoint {
    CompressedRistretto::from_slice(bytes).unwrap().decompress().unwrap()
}

/// `HashToGroup`.
pub(super) fn hash_to_group(mode: u8, input: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&group::expand(&[input], &[b"HashToGroup-", &Ristretto::context(mode)]))
}

/// `DeriveKeyPair` (section 3.2.1).
pub(super) fn derive_key(mode: u8, seed: &[u8], info: &[u8]) -> Scalar {
    let length = u16::try_from(info.len()).unwrap().to_be_bytes();
    (0..=255)
        .map(|counter| {
            Ristretto::hash_to_scalar(&[seed, &length, info, &[counter]], &[b"DeriveKeyPair", &Ristretto::context(mode)])
        })
        .find(|key| *key != Scalar::ZERO)
        .unwrap()
}

/// The tweak m of mode POPRF (section 3.3.3).
pub(super) fn tweak(info: &[u8]) -> Scalar {
    let length = u16::try_from(info.len()).unwrap().to_be_bytes();
    Ristretto::hash_to_scalar(&[b"Info", &length, info], &[b"HashToScalar-", &Ristretto::context(2)])
}

/// `Finalize` of modes OPRF and VOPRF, and with an info of POPRF: the blind is taken off by division.
pub(super) fn finalize(input: &[u8], info: Option<&[u8]>, blind: Scalar, evaluated: RistrettoPoint) -> [u8; 64] {
    let mut hash = Sha512::new();
    let unblinded = Ristretto::encode(evaluated * blind.invert());
    for part in [Some(input), info, Some(&unblinded[..])].into_iter().flatten() {
        hash.update(u16::try_from(part.len()).unwrap().to_be_bytes());
        hash.update(part);
    }
    hash.update(b"Finalize");
    hash.finalize().into()
}

/// How a batch is weighed.
#[derive(Debug, Clone)]
pub(super) enum Form {
    /// As the RFC has it (section 2.2), in this mode.
    Rfc(u8),
    /// As we have it (M1).
    Bound(Context),
}

impl Form {
    fn dst<G: Group>(&self) -> Vec<u8> {
        match self {
            Form::Rfc(mode) => G::context(*mode),
            Form::Bound(_) => [b"Sluis-v1-", &G::context(1)[..]].concat(),
        }
    }

    /// What stands for the statement.
    pub(super) fn seed<G: Group>(&self, b: G::Element, c: &[G::Element], d: &[G::Element]) -> [u8; 64] {
        let dst = [b"Seed-", &self.dst::<G>()[..]].concat();
        let (b, mut transcript) = (G::encode(b), Vec::new());
        for part in [&b, &dst] {
            transcript.extend(u16::try_from(part.len()).unwrap().to_be_bytes());
            transcript.extend(part);
        }
        if let Form::Bound(of) = self {
            for elements in [c, d] {
                let all: Vec<u8> = elements.iter().flat_map(|element| G::encode(*element)).collect();
                transcript.extend(Sha512::digest(all));
            }
            transcript.extend(u16::try_from(c.len()).unwrap().to_be_bytes());
            transcript.extend(of.list);
            transcript.extend(of.epoch.to_be_bytes());
            transcript.extend([of.group, of.share]);
            transcript.extend(of.provider);
            transcript.extend(of.batch_seq.to_be_bytes());
        }
        Sha512::digest(transcript).into()
    }

    /// The weight of one pair.
    pub(super) fn weight<G: Group>(&self, seed: &[u8; 64], i: usize, c: G::Element, d: G::Element) -> G::Scalar {
        let index = u16::try_from(i).unwrap().to_be_bytes();
        match self {
            Form::Rfc(mode) => {
                let (c, d) = (G::encode(c), G::encode(d));
                let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
                G::hash_to_scalar(
                    &[&[0, 64], seed, &index, &length(&c), &c, &length(&d), &d, b"Composite"],
                    &[b"HashToScalar-", &G::context(*mode)],
                )
            }
            Form::Bound(_) => {
                let hash = Sha512::digest([b"Sluis-v1-Weight", &seed[..], &index].concat());
                G::of(u128::from_le_bytes(hash[..16].try_into().unwrap()))
            }
        }
    }

    /// The weighted sum of some elements.
    fn sum<G: Group>(weights: &[G::Scalar], elements: &[G::Element]) -> G::Element {
        let mut terms = weights.iter().zip(elements).map(|(weight, element)| G::mul(*element, *weight));
        let first = terms.next().unwrap();
        terms.fold(first, G::add)
    }

    fn weights<G: Group>(&self, b: G::Element, c: &[G::Element], d: &[G::Element]) -> Vec<G::Scalar> {
        let seed = self.seed::<G>(b, c, d);
        c.iter().zip(d).enumerate().map(|(i, (c, d))| self.weight::<G>(&seed, i, *c, *d)).collect()
    }

    fn challenge<G: Group>(&self, b: G::Element, c: &[G::Element], d: &[G::Element], points: [G::Element; 4]) -> G::Scalar {
        let encoded: Vec<Vec<u8>> = [b].into_iter().chain(points).map(G::encode).collect();
        let message: Vec<u8> = match self {
            Form::Rfc(_) => encoded
                .iter()
                .flat_map(|point| [&u16::try_from(point.len()).unwrap().to_be_bytes()[..], point].concat())
                .collect(),
            Form::Bound(_) => [&self.seed::<G>(b, c, d)[..], &encoded.concat()].concat(),
        };
        G::hash_to_scalar(&[&message, b"Challenge"], &[b"HashToScalar-", &self.dst::<G>()])
    }

    /// `GenerateProof`, with the faster composites of whoever knows k (section 2.2.1). It does not look whether D = kC.
    pub(super) fn prove<G: Group>(
        &self,
        k: G::Scalar,
        c: &[G::Element],
        d: &[G::Element],
        r: G::Scalar,
    ) -> (G::Scalar, G::Scalar) {
        let b = G::mul(G::generator(), k);
        let m = Form::sum::<G>(&self.weights::<G>(b, c, d), c);
        let (z, t2, t3) = (G::mul(m, k), G::mul(G::generator(), r), G::mul(m, r));
        let challenge = self.challenge::<G>(b, c, d, [m, z, t2, t3]);
        (challenge, G::mul_add(r, G::negate(challenge), k))
    }

    /// `VerifyProof` (section 2.2.2).
    pub(super) fn verify<G: Group>(
        &self,
        b: G::Element,
        c: &[G::Element],
        d: &[G::Element],
        proof: (G::Scalar, G::Scalar),
    ) -> bool {
        let weights = self.weights::<G>(b, c, d);
        let (m, z) = (Form::sum::<G>(&weights, c), Form::sum::<G>(&weights, d));
        let (challenge, s) = proof;
        let t2 = G::add(G::mul(G::generator(), s), G::mul(b, challenge));
        let t3 = G::add(G::mul(m, s), G::mul(z, challenge));
        self.challenge::<G>(b, c, d, [m, z, t2, t3]) == challenge
    }
}
