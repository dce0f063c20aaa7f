//! That the proof of RFC 9497 can be forged for a large batch, done at toy size, and that the proof we use withstands the same attack (M1).
//!
//! The list holder wants answers D_i = k·C_i + e_i·G with e_i of its own choice, none of them zero, under a proof that holds. It needs
//! sum d_i·e_i = 0 modulo the order. In the RFC d_i depends on pair i alone, so each position gives a list of candidates d_i(e)·e that does
//! not depend on the others, and the sum is found by Wagner's generalised birthday algorithm (CRYPTO 2002), which merges lists two by two
//! into ever narrower intervals around zero. With 2^l elements in a group of b bits it takes about 2^(l + b/(l+1)) hashes: for b = 252
//! and l = 12 about 2^31. The toy group is the squares modulo a safe prime of 62 bits; that its logarithms are easy is not made use of.

use super::Context;
use super::rfc::{Form, Group};
use super::tests::context;

/// The largest safe prime below 2^62.
const PRIME: u64 = 4_611_686_018_427_377_339;
/// How many squares there are modulo it: a prime.
const ORDER: u64 = (PRIME - 1) / 2;

/// The squares modulo [`PRIME`].
#[derive(Debug)]
struct Toy;

fn times(a: u64, b: u64, modulus: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(modulus)) as u64
}

impl Group for Toy {
    type Scalar = u64;
    type Element = u64;

    fn generator() -> u64 {
        4
    }
    fn add(a: u64, b: u64) -> u64 {
        times(a, b, PRIME)
    }
    fn mul(element: u64, scalar: u64) -> u64 {
        (0..64).rev().fold(1, |power, bit| {
            let square = times(power, power, PRIME);
            if scalar >> bit & 1 == 1 { times(square, element, PRIME) } else { square }
        })
    }
    fn encode(element: u64) -> Vec<u8> {
        element.to_be_bytes().to_vec()
    }
    fn mul_add(a: u64, b: u64, c: u64) -> u64 {
        (a + times(b, c, ORDER)) % ORDER
    }
    fn negate(scalar: u64) -> u64 {
        (ORDER - scalar) % ORDER
    }
    fn of(number: u128) -> u64 {
        (number % u128::from(ORDER)) as u64
    }
    fn reduce(bytes: &[u8; 64]) -> u64 {
        bytes.iter().rev().fold(0, |rest, byte| ((u128::from(rest) << 8 | u128::from(*byte)) % u128::from(ORDER)) as u64)
    }
    fn identifier() -> &'static [u8] {
        b"toy"
    }
}

/// A sum of one candidate of each list below, and where in the two lists below it comes from.
struct Node {
    sum: u64,
    left: usize,
    right: usize,
}

/// One of each list so that they sum to zero modulo the order: as indexes. There must be a power of two of lists, of one length.
fn sum_to_zero(lists: &[Vec<u64>]) -> Option<Vec<usize>> {
    let length = lists.first()?.len();
    let levels = lists.len().ilog2();
    let mut tree: Vec<Vec<Vec<Node>>> =
        vec![lists.iter().map(|list| list.iter().map(|sum| Node { sum: *sum, left: 0, right: 0 }).collect()).collect()];
    let mut width = ORDER;
    for level in 1..=levels {
        // Sums of pairs that lie within this of zero are about as many as each list is long; the last are zero itself.
        width = if level == levels { 0 } else { width / length as u64 * 5 / 4 };
        let below = tree.last()?;
        tree.push(below.chunks(2).map(|pair| merge(&pair[0], &pair[1], width, 4 * length)).collect());
    }
    // Down again, from a root to what it is made of.
    let mut picked = vec![(!tree.last()?.first()?.is_empty()).then_some(0)?];
    for lists in tree.iter().skip(1).rev() {
        picked = picked.iter().zip(lists).flat_map(|(at, list)| [list[*at].left, list[*at].right]).collect();
    }
    Some(picked)
}

/// The pairs of a node of each whose sum lies in an interval of this width around zero, at most so many.
fn merge(left: &[Node], right: &[Node], width: u64, most: usize) -> Vec<Node> {
    let mut sorted: Vec<usize> = (0..right.len()).collect();
    sorted.sort_by_key(|at| right[*at].sum);
    let mut merged = Vec::new();
    for (at, node) in left.iter().enumerate() {
        // The sums of the right that are wanted start here, and may go on beyond the order, at zero.
        let from = (2 * ORDER - node.sum - width / 2) % ORDER;
        let start = sorted.partition_point(|other| right[*other].sum < from);
        for other in sorted[start..].iter().chain(&sorted[..start]) {
            let past = (right[*other].sum + ORDER - from) % ORDER;
            if past > width || merged.len() == most {
                break;
            }
            merged.push(Node { sum: (node.sum + right[*other].sum) % ORDER, left: at, right: *other });
        }
    }
    merged
}

/// A statement to lie about: a key, elements and their true evaluations.
struct Statement {
    key: u64,
    public: u64,
    blinded: Vec<u64>,
    evaluated: Vec<u64>,
}

fn statement(n: usize) -> Statement {
    let key = 0x1234_5678_9abc_def1 % ORDER;
    let element = |i: usize| Toy::mul(Toy::generator(), Toy::hash_to_scalar(&[&i.to_be_bytes()], &[b"an element"]));
    let blinded: Vec<u64> = (0..n).map(element).collect();
    let evaluated = blinded.iter().map(|element| Toy::mul(*element, key)).collect();
    Statement { key, public: Toy::mul(Toy::generator(), key), blinded, evaluated }
}

/// Evaluations that are all wrong, with a proof: the attack, which is the same for both forms. Each weight is asked for with the pair it is
/// of, all others being as they are in `around`, which is all that can be done for one list at a time.
fn forge(form: &Form, statement: &Statement, around: &[u64], candidates: usize) -> Option<(Vec<u64>, (u64, u64))> {
    let Statement { key, public, blinded, evaluated } = statement;
    let mut lists = Vec::new();
    let mut shifted = Vec::new();
    let seed = form.seed::<Toy>(*public, blinded, around);
    for (i, (c, d)) in blinded.iter().zip(evaluated).enumerate() {
        let shifts: Vec<u64> = (0..candidates)
            .scan(*d, |last, _| {
                *last = Toy::add(*last, Toy::generator());
                Some(*last)
            })
            .collect();
        lists.push(shifts.iter().zip(1u64..).map(|(d, e)| times(form.weight::<Toy>(&seed, i, *c, *d), e, ORDER)).collect());
        shifted.push(shifts);
    }
    let picked = sum_to_zero(&lists)?;
    let forged: Vec<u64> = picked.iter().zip(&shifted).map(|(at, shifts)| shifts[*at]).collect();
    let proof = form.prove::<Toy>(*key, blinded, &forged, 0x0fed_cba9_8765_4321 % ORDER);
    Some((forged, proof))
}

fn all_are_wrong(statement: &Statement, forged: &[u64]) -> bool {
    forged.len() == statement.evaluated.len() && forged.iter().zip(&statement.evaluated).all(|(forged, honest)| forged != honest)
}

#[test]
fn the_toy_group_has_the_prime_order_that_it_says() {
    assert_eq!(Toy::mul(Toy::generator(), ORDER), 1);
    for a in [2u64, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37] {
        // Fermat's test to twelve bases, for both primes.
        let power = |modulus: u64| {
            (0..64).rev().fold(1, |power, bit| {
                let square = times(power, power, modulus);
                if (modulus - 1) >> bit & 1 == 1 { times(square, a, modulus) } else { square }
            })
        };
        assert_eq!((power(PRIME), power(ORDER)), (1, 1));
    }
}

#[test]
fn honest_batches_of_the_toy_group_are_proven_in_both_forms() {
    let s = statement(64);
    for form in [Form::Rfc(1), Form::Bound(context())] {
        let proof = form.prove::<Toy>(s.key, &s.blinded, &s.evaluated, 99);
        assert!(form.verify::<Toy>(s.public, &s.blinded, &s.evaluated, proof));
        let mut one_wrong = s.evaluated.clone();
        one_wrong[17] = Toy::add(one_wrong[17], Toy::generator());
        let proof = form.prove::<Toy>(s.key, &s.blinded, &one_wrong, 99);
        assert!(!form.verify::<Toy>(s.public, &s.blinded, &one_wrong, proof), "one wrong element and no search");
    }
}

#[test]
fn the_proof_of_the_rfc_is_forged_with_every_element_wrong() {
    for (n, candidates) in [(256, 256), (1024, 128)] {
        let s = statement(n);
        let (forged, proof) = forge(&Form::Rfc(1), &s, &s.evaluated, candidates).expect("lists long enough");
        assert!(all_are_wrong(&s, &forged));
        assert!(Form::Rfc(1).verify::<Toy>(s.public, &s.blinded, &forged, proof), "n = {n}: forged in {} hashes", n * candidates);
    }
}

#[test]
fn the_same_attack_is_refused_by_weights_of_the_whole_transcript() {
    for batch_seq in 0..3 {
        let form = Form::Bound(Context { batch_seq, ..context() });
        let s = statement(256);
        let mut around = s.evaluated.clone();
        // The second time with the weights of its own first forgery, and so on: every attempt draws all weights anew.
        for _ in 0..2 {
            let (forged, proof) = forge(&form, &s, &around, 256).expect("lists long enough");
            assert!(all_are_wrong(&s, &forged));
            assert!(!form.verify::<Toy>(s.public, &s.blinded, &forged, proof));
            around = forged;
        }
    }
}
