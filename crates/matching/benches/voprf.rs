//! What a token costs at the provider and at the list holder, beside the two scalar multiplications that any such protocol takes:
//! `cargo bench -p matching --bench voprf`. One core; times are of the wall, so look at the fastest column on a busy machine.

use curve25519_dalek::{RistrettoPoint, Scalar};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use matching::voprf::{self, Context, Element, Proof, PublicKey, SecretKey};

/// The sizes that are measured.
const SIZES: [usize; 3] = [64, 1024, 4096];
const SEED: [u8; 32] = [7; 32];

fn main() {
    divan::main();
}

struct Batch {
    key: SecretKey,
    public: PublicKey,
    context: Context,
    inputs: Vec<Vec<u8>>,
    blinded: Vec<Element>,
    evaluated: Vec<Element>,
    proof: Proof,
}

/// A full batch, evaluated.
fn batch(size: usize) -> Batch {
    let key = SecretKey::derive(&[1; 32], b"bench").expect("a short info");
    let context = Context { list: [1; 16], epoch: 1, group: 2, share: 0, provider: [2; 32], batch_seq: 3 };
    let inputs: Vec<Vec<u8>> = (0..size).map(|n| format!("SLUIS1\x02\x10\x01customer-{n:08}.example").into_bytes()).collect();
    let blinded = voprf::blind(&inputs, size, &SEED).expect("inputs that fit");
    let (evaluated, proof) = voprf::evaluate(&key, &blinded, &context, &[4; 32]).expect("elements of our own");
    let public = key.public();
    Batch { key, public, context, inputs, blinded, evaluated, proof }
}

#[divan::bench(args = SIZES)]
fn provider_blind(bencher: Bencher<'_, '_>, size: usize) {
    let batch = batch(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| voprf::blind(&batch.inputs, size, black_box(&SEED)));
}

#[divan::bench(args = SIZES)]
fn provider_verify(bencher: Bencher<'_, '_>, size: usize) {
    let b = batch(size);
    bencher
        .counter(ItemsCount::new(size))
        .bench_local(|| voprf::verify(&b.public, &b.blinded, &b.evaluated, black_box(&b.proof), &b.context));
}

/// With the verification.
#[divan::bench(args = SIZES)]
fn provider_finalize(bencher: Bencher<'_, '_>, size: usize) {
    let b = batch(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        voprf::finalize(&b.inputs, size, &SEED, &b.public, &b.blinded, &b.evaluated, black_box(&b.proof), &b.context)
    });
}

/// All that a provider does: blind, verify, finalize.
#[divan::bench(args = SIZES)]
fn provider_whole(bencher: Bencher<'_, '_>, size: usize) {
    let b = batch(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| {
        let blinded = voprf::blind(&b.inputs, size, black_box(&SEED)).expect("inputs that fit");
        voprf::finalize(&b.inputs, size, &SEED, &b.public, &blinded, &b.evaluated, &b.proof, &b.context)
    });
}

/// All that the list holder does: evaluate and prove.
#[divan::bench(args = SIZES)]
fn holder_whole(bencher: Bencher<'_, '_>, size: usize) {
    let b = batch(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| voprf::evaluate(&b.key, black_box(&b.blinded), &b.context, &[4; 32]));
}

/// The list holder's own tokens, when it publishes.
#[divan::bench(args = SIZES)]
fn holder_publish(bencher: Bencher<'_, '_>, size: usize) {
    let b = batch(size);
    bencher.counter(ItemsCount::new(size)).bench_local(|| b.key.evaluate_all(black_box(&b.inputs)));
}

/// The measure: two multiplications of a point that is not known beforehand by a secret scalar.
#[divan::bench]
fn two_variable_base_multiplications(bencher: Bencher<'_, '_>) {
    let point = RistrettoPoint::mul_base(&Scalar::from(3u8));
    let scalar = Scalar::from_bytes_mod_order([0xa7; 32]);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| black_box(black_box(point) * black_box(scalar)) * black_box(scalar));
}
