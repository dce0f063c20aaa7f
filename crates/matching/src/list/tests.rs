//! The list, from clear entries to what a provider opens.

mod attacks;
mod chain;
mod clear;
mod poly;
mod publish;
mod vectors;

use std::convert::Infallible;

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use rand_core::{Rng as _, TryCryptoRng, TryRng};

use super::*;
use crate::token::Class;

/// Chance that repeats.
pub(super) struct Chance(ChaCha20);

impl Chance {
    pub(super) fn new(seed: u8) -> Chance {
        Chance(ChaCha20::new(&[seed; 32].into(), &[0; 12].into()))
    }

    pub(super) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill_bytes(&mut bytes);
        bytes
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.array()))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        self.0.apply_keystream(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

pub(super) const LIST: ListId = *b"list of a summer";
pub(super) const EPOCH: u32 = 7;

/// The output of a token, as far as this module can tell.
pub(super) fn output(name: &str) -> Output {
    let (first, second) = (crate::sha256(&[b"1", name.as_bytes()]), crate::sha256(&[b"2", name.as_bytes()]));
    let mut output = [0; 64];
    output[..32].copy_from_slice(&first);
    output[32..].copy_from_slice(&second);
    output
}

/// An entry found by these identifiers and names.
pub(super) fn listed(name: &str, identifiers: &[&str], names: &[&str], chance: &mut Chance) -> Listed {
    let strong = identifiers.iter().map(|text| (output(text), Class::Domain, 1));
    let weak = names.iter().map(|text| (output(text), Class::NameSorted, 2));
    Listed {
        key_full: Key::new(chance.array()),
        capsule: format!("capsule of {name}").into_bytes(),
        capsule_proof: format!("path of {name}").into_bytes(),
        reason: format!("reason of {name}").into_bytes(),
        reason_proof: format!("salt of {name}").into_bytes(),
        status: Status::Live,
        since: 1_000,
        tokens: strong.chain(weak).collect(),
    }
}

pub(super) fn three(chance: &mut Chance) -> Vec<Listed> {
    vec![
        listed("first", &["first.example", "shared.example"], &["first hosting"], chance),
        listed("second", &["second.example", "shared.example"], &["second hosting", "shared name"], chance),
        listed("third", &["third.example", "shared.example"], &["shared name"], chance),
    ]
}

/// A publication of these, the book of it, and the slots.
pub(super) fn published(listed: &[Listed], chance: &mut Chance) -> (Publication, Book, Built) {
    let mut publication = Publication::new(LIST, EPOCH);
    let built = publication.build(listed, chance).unwrap();
    let book = Book::new(LIST, EPOCH, built.body.clone()).unwrap();
    (publication, book, built)
}

/// The capsules that a token opens, in their order.
pub(super) fn capsules(book: &Book, name: &str) -> Vec<String> {
    let mut found: Vec<String> =
        book.open(&output(name)).into_iter().map(|one| String::from_utf8(one.capsule).unwrap()).collect();
    found.sort_unstable();
    found
}
