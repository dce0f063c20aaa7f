//! The pseudorandom function: bytes of nobody as elements, keys and proofs, and a good answer that is tampered with. Nothing panics, what we
//! evaluate verifies, and no proof holds for anything but what it was made of. The first byte says which.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use matching::voprf::{self, Context, Element, Proof, PublicKey, SecretKey};

const SEED: [u8; 32] = [2; 32];
const INPUTS: [&[u8]; 3] = [b"one", b"two", b""];

/// A batch of 64 and its answer, as one row of bytes: blinded elements, evaluated elements, proof, context.
struct Good {
    key: SecretKey,
    public: PublicKey,
    bytes: Vec<u8>,
}

/// Where the parts of the row end.
const BLINDED: usize = 64 * 32;
const EVALUATED: usize = 2 * BLINDED;
const PROOF: usize = EVALUATED + 64;

fn good() -> &'static Good {
    static GOOD: OnceLock<Good> = OnceLock::new();
    GOOD.get_or_init(|| {
        let key = SecretKey::derive(&[1; 32], b"fuzz").expect("a short info");
        let blinded = voprf::blind(&INPUTS, 64, &SEED).expect("inputs that fit");
        let of = [5; 62];
        let (evaluated, proof) = voprf::evaluate(&key, &blinded, &context(&of), &[3; 32]).expect("elements of our own");
        let bytes = [blinded.as_flattened(), evaluated.as_flattened(), &proof, &of].concat();
        Good { public: key.public(), key, bytes }
    })
}

/// Of 62 bytes, each of which stands for a part of it.
fn context(bytes: &[u8]) -> Context {
    let part = |from: usize| bytes.get(from..).unwrap_or_default();
    Context {
        list: array(part(0)),
        epoch: u32::from_be_bytes(array(part(16))),
        group: array::<1>(part(20))[0],
        share: array::<1>(part(21))[0],
        provider: array(part(22)),
        batch_seq: u64::from_be_bytes(array(part(54))),
    }
}

/// The first bytes, with zeros where there are none.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

fn elements(bytes: &[u8]) -> Vec<Element> {
    bytes.chunks(32).map(array).collect()
}

/// Bytes of nobody.
fn anything(bytes: &[u8]) {
    let good = good();
    let _ = PublicKey::from_bytes(&array(bytes)).map(|key| assert_eq!(key.to_bytes(), array(bytes)));
    let _ = SecretKey::from_bytes(&array(bytes)).map(|key| assert_eq!(*key.to_bytes(), array::<32>(bytes)));
    let sent = elements(bytes);
    let of = context(bytes);
    if let Ok((evaluated, proof)) = voprf::evaluate(&good.key, &sent, &of, &array(bytes)) {
        assert_eq!(voprf::verify(&good.public, &sent, &evaluated, &proof, &of), Ok(()));
    }
    let (first, second) = sent.split_at(sent.len() / 2);
    let proof: Proof = array(bytes);
    assert!(voprf::verify(&good.public, first, second, &proof, &of).is_err());
    let inputs: Vec<&[u8]> = bytes.chunks(7).collect();
    assert!(voprf::finalize(&inputs, 64, &SEED, &good.public, first, second, &proof, &of).is_err());
    if let Ok(blinded) = voprf::blind(&inputs, 256, &array(bytes)) {
        assert_eq!(voprf::blind(&inputs, 256, &array(bytes)), Ok(blinded));
    }
}

/// The good answer with some bytes flipped, and some elements copied over others or exchanged.
fn tampered(changes: &[u8]) {
    let good = good();
    let mut bytes = good.bytes.clone();
    for change in changes.chunks_exact(4).take(64) {
        let (a, b) = (usize::from(change[1]) % 128 * 32, usize::from(change[2]) % 128 * 32);
        match change[0] % 3 {
            0 => {
                let at = (usize::from(change[1]) << 8 | usize::from(change[2])) % bytes.len();
                bytes[at] ^= change[3];
            }
            1 => bytes.copy_within(a..a + 32, b),
            _ => (0..32).for_each(|at| bytes.swap(a + at, b + at)),
        }
    }
    let (blinded, evaluated) = (elements(&bytes[..BLINDED]), elements(&bytes[BLINDED..EVALUATED]));
    let (proof, of) = (array(&bytes[EVALUATED..PROOF]), context(&bytes[PROOF..]));
    let honest = bytes == good.bytes;
    assert_eq!(voprf::verify(&good.public, &blinded, &evaluated, &proof, &of).is_ok(), honest);
    let outputs = voprf::finalize(&INPUTS, 64, &SEED, &good.public, &blinded, &evaluated, &proof, &of);
    assert_eq!(outputs.is_ok(), honest);
}

fuzz_target!(|bytes: &[u8]| {
    match bytes.split_first() {
        Some((0, rest)) => anything(rest),
        Some((_, rest)) => tampered(rest),
        None => {}
    }
});
