//! What the interface promises and what it refuses.

use std::collections::HashSet;

use curve25519_dalek::{RistrettoPoint, Scalar};

use super::rfc::{Form, Group as _, Ristretto};
use super::vectors::{hex, unhex};
use super::*;

pub(super) fn context() -> Context {
    Context { list: [7; 16], epoch: 3, group: 1, share: 0, provider: [9; 32], batch_seq: 42 }
}

/// A batch of 64 with 50 inputs, and its answer.
struct Batch {
    key: SecretKey,
    inputs: Vec<Vec<u8>>,
    blinded: Vec<Element>,
    evaluated: Vec<Element>,
    proof: Proof,
}

const SEED: [u8; 32] = [2; 32];

impl Batch {
    fn new() -> Batch {
        let key = SecretKey::derive(&[1; 32], b"test").unwrap();
        let inputs: Vec<Vec<u8>> = (0..50u32).map(|n| n.to_be_bytes().to_vec()).collect();
        let blinded = blind(&inputs, 64, &SEED).unwrap();
        let (evaluated, proof) = evaluate(&key, &blinded, &context(), &[3; 32]).unwrap();
        Batch { key, inputs, blinded, evaluated, proof }
    }

    fn finalize(&self) -> Result<Vec<Output>, Wrong> {
        let public = self.key.public();
        finalize(&self.inputs, 64, &SEED, &public, &self.blinded, &self.evaluated, &self.proof, &context())
    }
}

/// Encodings of no element: RFC 9496, section 4.3.1 refuses each for another reason.
fn no_elements() -> Vec<(&'static str, Element)> {
    let one = |text: &str| unhex(text).try_into().unwrap();
    let of = RistrettoPoint::mul_base(&Scalar::from(12_345u16)).compress().to_bytes();
    let mut high = of;
    high[31] |= 0x80;
    vec![
        ("the identity", [0; 32]),
        ("the field's prime, which is zero", one("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
        ("above the prime", one("f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
        ("all bits", [0xff; 32]),
        ("2^255 added", high),
        ("one, which is negative", one("0100000000000000000000000000000000000000000000000000000000000000")),
        ("minus a good one", negated(&of)),
        ("no square", one("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371")),
        ("minus one, whose t is negative or y zero", one("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")),
    ]
}

/// 2^255 - 19 - s, for an even s that is not zero: odd, hence negative.
fn negated(element: &Element) -> Element {
    let mut borrow = 0i16;
    let mut negated = [0; 32];
    for (at, byte) in element.iter().enumerate() {
        let prime = match at {
            0 => 0xed,
            31 => 0x7f,
            _ => 0xff,
        };
        let difference = prime - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        negated[at] = (difference & 0xff) as u8;
    }
    negated
}

#[test]
fn a_provider_gets_what_the_holder_computes() {
    let batch = Batch::new();
    let own: Vec<Output> = batch.inputs.iter().map(|input| batch.key.evaluate(input).unwrap()).collect();
    assert_eq!(batch.finalize(), Ok(own.clone()));
    assert_eq!(batch.key.evaluate_all(&batch.inputs), Ok(own));
    let exported = SecretKey::from_bytes(&batch.key.to_bytes()).unwrap();
    assert_eq!(exported.public(), PublicKey::from_bytes(&batch.key.public().to_bytes()).unwrap());
}

#[test]
fn a_batch_of_padding_alone_is_like_any_other() {
    let key = SecretKey::derive(&[1; 32], b"test").unwrap();
    let none: [&[u8]; 0] = [];
    for size in SIZES {
        let blinded = blind(&none, size, &SEED).unwrap();
        let (evaluated, proof) = evaluate(&key, &blinded, &context(), &[3; 32]).unwrap();
        let outputs = finalize(&none, size, &SEED, &key.public(), &blinded, &evaluated, &proof, &context());
        assert_eq!((blinded.len(), outputs), (size, Ok(Vec::new())));
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let good = Batch::new();
    assert_eq!(verify(&good.key.public(), &good.blinded, &good.evaluated, &good.proof, &context()), Ok(()));
    for bit in 0..512 {
        let mut proof = good.proof;
        proof[bit / 8] ^= 1 << (bit % 8);
        let refused = verify(&good.key.public(), &good.blinded, &good.evaluated, &proof, &context());
        assert_eq!(refused, Err(Wrong::Proof), "bit {bit} of the proof");
    }
    let tampered = Batch { proof: good.proof.map(|byte| byte ^ 1), ..Batch::new() };
    assert_eq!(tampered.finalize(), Err(Wrong::Proof), "nothing is unblinded without a proof");
    for index in [0, 1, 49, 50, 63] {
        for bit in (0..256).step_by(17) {
            for side in [Side::Blinded, Side::Evaluated] {
                let (mut blinded, mut evaluated) = (good.blinded.clone(), good.evaluated.clone());
                let side_of = if side == Side::Blinded { &mut blinded } else { &mut evaluated };
                side_of[index][bit / 8] ^= 1 << (bit % 8);
                let refused = verify(&good.key.public(), &blinded, &evaluated, &good.proof, &context()).unwrap_err();
                assert!(refused == Wrong::Proof || refused == Wrong::Element(index, side), "bit {bit} of {side} {index}");
            }
        }
    }
}

#[test]
fn what_is_not_the_proven_statement_is_refused() {
    let good = Batch::new();
    let swapped = |elements: &[Element]| {
        let mut elements = elements.to_vec();
        elements.swap(3, 60);
        elements
    };
    let other_key = SecretKey::derive(&[1; 32], b"other").unwrap();
    let (other_answer, other_proof) = evaluate(&other_key, &good.blinded, &context(), &[3; 32]).unwrap();
    let public = good.key.public();
    let (blinded, evaluated, proof) = (&good.blinded, &good.evaluated, &good.proof);
    let of = context();
    for (what, refused) in [
        ("evaluated elements swapped", verify(&public, blinded, &swapped(evaluated), proof, &of)),
        ("blinded elements swapped", verify(&public, &swapped(blinded), evaluated, proof, &of)),
        ("both swapped alike", verify(&public, &swapped(blinded), &swapped(evaluated), proof, &of)),
        ("fewer of both", verify(&public, &blinded[..63], &evaluated[..63], proof, &of)),
        ("another public key", verify(&other_key.public(), blinded, evaluated, proof, &of)),
        ("evaluated under another key", verify(&public, blinded, &other_answer, &other_proof, &of)),
        ("another's proof", verify(&public, blinded, evaluated, &other_proof, &of)),
        ("the question for an answer", verify(&public, blinded, blinded, proof, &of)),
        ("another list", verify(&public, blinded, evaluated, proof, &Context { list: [8; 16], ..context() })),
        ("another epoch", verify(&public, blinded, evaluated, proof, &Context { epoch: 4, ..context() })),
        ("another group", verify(&public, blinded, evaluated, proof, &Context { group: 2, ..context() })),
        ("another share", verify(&public, blinded, evaluated, proof, &Context { share: 1, ..context() })),
        ("another provider", verify(&public, blinded, evaluated, proof, &Context { provider: [8; 32], ..context() })),
        ("another batch", verify(&public, blinded, evaluated, proof, &Context { batch_seq: 43, ..context() })),
    ] {
        assert_eq!(refused, Err(Wrong::Proof), "{what}");
    }
    assert_eq!(verify(&public, blinded, &evaluated[..63], proof, &of), Err(Wrong::Count { blinded: 64, evaluated: 63 }));
}

#[test]
fn wrong_elements_that_cancel_under_the_old_weights_are_refused() {
    // e_0 = d_1 and e_1 = -d_0 cancel under the weights of the honest answer, which is all a holder can know before it has chosen. Were the
    // weights of the context and the blinded elements alone, this would pass.
    let good = Batch::new();
    let form = Form::Bound(context());
    let points = |elements: &[Element]| elements.iter().map(|element| super::rfc::point(element)).collect::<Vec<_>>();
    let (c, mut d) = (points(&good.blinded), points(&good.evaluated));
    let seed = form.seed::<Ristretto>(*good.key.public().point(), &c, &d);
    let old: Vec<Scalar> = (0..64).map(|i| form.weight::<Ristretto>(&seed, i, c[i], d[i])).collect();
    d[0] += RistrettoPoint::mul_base(&old[1]);
    d[1] -= RistrettoPoint::mul_base(&old[0]);
    let sum = |points: &[RistrettoPoint]| points.iter().zip(&old).map(|(point, weight)| point * weight).sum::<RistrettoPoint>();
    assert_eq!(sum(&c) * good.key.scalar(), sum(&d), "under the old weights the composites are those of an honest answer");
    let forged: Vec<Element> = d.iter().map(|point| point.compress().to_bytes()).collect();
    let proof = proof::prove(&good.key, &good.blinded, &c, &forged, &context(), &[3; 32]);
    assert_eq!(verify(&good.key.public(), &good.blinded, &forged, &proof, &context()), Err(Wrong::Proof));
}

#[test]
fn encodings_of_no_element_are_refused_and_named() {
    let good = Batch::new();
    for (what, element) in no_elements() {
        assert_eq!(PublicKey::from_bytes(&element), Err(Wrong::PublicKey), "{what}");
        let mut elements = good.blinded.clone();
        elements[5] = element;
        assert_eq!(
            evaluate(&good.key, &elements, &context(), &[3; 32]).map(drop),
            Err(Wrong::Element(5, Side::Blinded)),
            "{what}"
        );
        let refused = verify(&good.key.public(), &elements, &good.evaluated, &good.proof, &context());
        assert_eq!(refused, Err(Wrong::Element(5, Side::Blinded)), "{what}");
        let mut elements = good.evaluated.clone();
        elements[6] = element;
        let refused = verify(&good.key.public(), &good.blinded, &elements, &good.proof, &context());
        assert_eq!(refused, Err(Wrong::Element(6, Side::Evaluated)), "{what}");
    }
}

#[test]
fn scalars_that_are_not_canonical_are_refused() {
    // The order of the group, little-endian (RFC 9496, section 4.4).
    let order: [u8; 32] = unhex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").try_into().unwrap();
    let good = Batch::new();
    for (what, bytes) in [("zero", [0; 32]), ("the order", order), ("all bits", [0xff; 32])] {
        assert_eq!(SecretKey::from_bytes(&bytes).map(drop), Err(Wrong::SecretKey), "{what}");
    }
    // A response s + order is the same scalar in another encoding: a proof has one form.
    let mut proof = good.proof;
    let mut carry = 0u16;
    for (byte, add) in proof[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = ((sum & 0xff) as u8, sum >> 8);
    }
    assert_eq!(verify(&good.key.public(), &good.blinded, &good.evaluated, &proof, &context()), Err(Wrong::Proof));
}

#[test]
fn numbers_of_elements_out_of_bounds_are_refused() {
    let good = Batch::new();
    let many = vec![good.blinded[0]; MOST + 1];
    assert_eq!(evaluate(&good.key, &[], &context(), &[3; 32]).map(drop), Err(Wrong::Empty));
    assert_eq!(evaluate(&good.key, &many, &context(), &[3; 32]).map(drop), Err(Wrong::TooMany(4097)));
    assert_eq!(verify(&good.key.public(), &[], &[], &good.proof, &context()), Err(Wrong::Empty));
    assert_eq!(verify(&good.key.public(), &many, &many, &good.proof, &context()), Err(Wrong::TooMany(4097)));
    for size in [0, 1, 63, 65, 4097, usize::MAX] {
        assert_eq!(blind(&good.inputs, size, &SEED), Err(Wrong::Size(size)));
    }
    assert_eq!(blind(&[[0u8]; 65], 64, &SEED), Err(Wrong::Full { inputs: 65, size: 64 }));
    assert_eq!(blind(&[vec![0; 65_536]], 64, &SEED), Err(Wrong::Long(0)));
    assert!(blind(&[vec![0; 65_535]], 64, &SEED).is_ok());
    assert_eq!(good.key.evaluate(&[0; 65_536]), Err(Wrong::Long(0)));
    assert_eq!(good.key.evaluate_all(&[vec![], vec![0; 65_536]]), Err(Wrong::Long(1)));
}

#[test]
fn another_state_than_the_batch_was_made_of_is_refused() {
    let batch = Batch::new();
    let public = batch.key.public();
    let finalize = |inputs: &[Vec<u8>], size: usize, seed: &[u8; 32]| {
        finalize(inputs, size, seed, &public, &batch.blinded, &batch.evaluated, &batch.proof, &context())
    };
    let mut reversed = batch.inputs.clone();
    reversed.reverse();
    assert_eq!(finalize(&batch.inputs, 64, &[4; 32]), Err(Wrong::Foreign), "another seed");
    assert_eq!(finalize(&reversed, 64, &SEED), Err(Wrong::Foreign), "another order");
    let mut one_bit = batch.inputs.clone();
    one_bit[20][3] ^= 1;
    assert_eq!(finalize(&one_bit, 64, &SEED), Err(Wrong::Foreign), "one bit of one input");
    assert_eq!(finalize(&batch.inputs[1..], 64, &SEED), Err(Wrong::Foreign), "an input less");
    assert_eq!(finalize(&batch.inputs, 256, &SEED), Err(Wrong::Foreign), "another size");
    assert_eq!(finalize(&[], 64, &SEED), Err(Wrong::Foreign), "no inputs");
}

#[test]
fn a_resumed_batch_is_the_same_and_another_seed_shares_nothing() {
    let inputs = vec![b"the same".to_vec(); 40];
    let first = blind(&inputs, 64, &SEED).unwrap();
    assert_eq!(blind(&inputs, 64, &SEED).unwrap(), first);
    let second = blind(&inputs, 64, &[3; 32]).unwrap();
    let all: HashSet<Element> = first.iter().chain(&second).copied().collect();
    assert_eq!(all.len(), 128, "neither does one input blinded twice show itself");
    // A seed that is used again for other inputs does not give an input's blind away.
    let other = blind(&vec![b"another".to_vec(); 40], 64, &SEED).unwrap();
    let difference = |a: &Element, b: &Element| super::rfc::point(a) - super::rfc::point(b);
    let images = group::hash_to_group(b"the same").unwrap() - group::hash_to_group(b"another").unwrap();
    assert!((0..40).all(|i| difference(&first[i], &other[i]) != images));
    assert!((40..64).all(|i| first[i] != other[i]), "nor is padding told by being the same");
    let longer = blind(&vec![b"the same".to_vec(); 41], 64, &SEED).unwrap();
    assert!((0..64).all(|i| first[i] != longer[i]));
}

#[test]
fn padding_has_the_form_of_all_others() {
    // Uniform points: about half of all bits are set, in what stands for inputs as in padding. The bounds are eight standard deviations.
    let elements = blind(&vec![[1u8]; 2048], 4096, &SEED).unwrap();
    for half in elements.chunks(2048) {
        let ones: u32 = half.iter().flatten().map(|byte| byte.count_ones()).sum();
        // Of 256 bits the highest and the lowest are always zero (canonical, not negative).
        let middle = 2048 * 254 / 2;
        assert!(ones.abs_diff(middle) < 2885, "{ones}");
        assert!(half.iter().all(|element| group::decode(element).is_some()));
    }
}

#[test]
fn a_proof_never_repeats_its_nonce_for_another_statement() {
    let key = SecretKey::derive(&[1; 32], b"test").unwrap();
    let elements = blind(&[b"x"], 64, &SEED).unwrap();
    let nonce_of = |context: &Context, chance: u8| {
        let proof = evaluate(&key, &elements, context, &[chance; 32]).unwrap().1;
        let scalar = |bytes: &[u8]| Scalar::from_canonical_bytes(bytes.try_into().unwrap()).unwrap();
        scalar(&proof[32..]) + scalar(&proof[..32]) * key.scalar()
    };
    let first = nonce_of(&context(), 0);
    assert_eq!(first, nonce_of(&context(), 0), "the same statement and chance: the same proof, which says nothing new");
    assert_ne!(first, nonce_of(&Context { batch_seq: 43, ..context() }, 0), "another batch with the same chance");
    assert_ne!(first, nonce_of(&context(), 1), "other chance");
}

#[test]
fn a_secret_key_shows_nothing_of_itself() {
    let key = SecretKey::derive(&[1; 32], b"test").unwrap();
    let shown = format!("{key:?}");
    assert!(!shown.contains(&hex(*key.to_bytes())) && shown.contains(&hex(key.public().to_bytes())));
    assert_eq!(SecretKey::derive(&[1; 32], &[0; 65_536]).map(drop), Err(Wrong::Long(0)));
    assert_ne!(key.public(), SecretKey::derive(&[1; 32], b"tess").unwrap().public());
    assert_eq!(Ristretto::encode(*key.public().point()), key.public().to_bytes());
}
