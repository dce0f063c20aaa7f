//! How long looking up takes after a change of the list: a million answered tokens against a list of a hundred thousand records, one core.

use std::collections::BTreeMap;

use divan::{Bencher, counter::ItemsCount};
use matching::list::{Book, Listed, Publication, Status, tag};
use matching::testing::Chance;
use matching::token::{Class, Token, identifier};
use rand_core::Rng as _;
use watchlist::provider::cache::{Cache, Of};
use watchlist::provider::look::{Against, Found, Subject};
use watchlist::vault::Key;

fn main() {
    divan::main();
}

const TOKENS: u32 = 1_000_000;
const EACH: usize = 5;
const LIST: [u8; 16] = [7; 16];

fn token(number: u32) -> Option<Token> {
    identifier::of(Class::Kvk, &format!("{:08}", 10_000_000 + number)).ok()
}

/// A list of 1,000 entries of 100 tokens each; none of them is a customer's.
fn book() -> Option<Book> {
    let mut chance = Chance::of(1);
    let mut random = || {
        let mut bytes = [0; 64];
        chance.fill_bytes(&mut bytes);
        bytes
    };
    let listed: Vec<Listed> = (0..1_000)
        .map(|_| Listed {
            key_full: zeroize::Zeroizing::new(*random().first_chunk().unwrap_or(&[0; 32])),
            capsule: vec![1; 200],
            capsule_proof: vec![2; 300],
            reason: vec![3; 900],
            reason_proof: vec![4; 32],
            status: Status::Live,
            since: 0,
            tokens: (0..100).map(|_| (random(), Class::NameJoined, 1)).collect(),
        })
        .collect();
    let built = Publication::new(LIST, 1).build(&listed, &mut Chance::of(2)).ok()?;
    Book::new(LIST, 1, built.body).ok()
}

fn cache() -> Cache {
    let mut chance = Chance::of(3);
    let mut cache = Cache::memory(Key::new([1; 32]), Of { list: LIST, epoch: 1 });
    let answered: Vec<(Token, [u8; 64])> = (0..TOKENS)
        .filter_map(|number| {
            let mut output = [0; 64];
            chance.fill_bytes(&mut output);
            Some((token(number)?, output))
        })
        .collect();
    cache.add(answered.iter().map(|(token, output)| (token, tag(output, &LIST, 1), output)));
    cache
}

fn subjects() -> Vec<Subject> {
    let tokens: Vec<Token> = (0..TOKENS).filter_map(token).collect();
    tokens.chunks(EACH).map(|tokens| Subject { tokens: tokens.to_vec(), ..Subject::default() }).collect()
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn a_million_tokens_after_a_change(bencher: Bencher<'_, '_>) {
    let (Some(book), cache, subjects) = (book(), cache(), subjects()) else { return };
    let told = BTreeMap::new();
    bencher.counter(ItemsCount::new(TOKENS)).bench_local(|| {
        let against = Against { book: &book, side: &[], roots: &[], list: "bench", cache: &cache, told: &told, now: 0 };
        let mut found = Found::default();
        for subject in &subjects {
            found.look(subject, &against);
        }
        found.hits.len()
    });
}
