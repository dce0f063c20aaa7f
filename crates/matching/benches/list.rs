//! The list: building 114,000 records (38 entries, every string one edit from their names), and finding in up to a million.
//!
//! `cargo bench -p matching --bench list`

use std::convert::Infallible;

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use divan::{Bencher, black_box, counter::ItemsCount};
use matching::{
    list::{Book, By, Key, Listed, Output, Publication, Status, Tag, tag},
    token::Class,
};
use rand_core::{Rng as _, TryCryptoRng, TryRng};

fn main() {
    divan::main();
}

struct Chance(ChaCha20);

impl Chance {
    fn new() -> Chance {
        Chance(ChaCha20::new(&[7; 32].into(), &[0; 12].into()))
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
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

const LIST: [u8; 16] = [1; 16];

fn listed(entries: usize, tokens: usize, chance: &mut Chance) -> Vec<Listed> {
    (0..entries)
        .map(|_| Listed {
            key_full: Key::new(chance.array()),
            capsule: vec![1; 200],
            capsule_proof: vec![2; 600],
            reason: vec![3; 2000],
            reason_proof: vec![4; 100],
            status: Status::Live,
            since: 0,
            tokens: (0..tokens).map(|_| (chance.array(), Class::NameDeleted, 1)).collect(),
        })
        .collect()
}

fn book(records: usize, chance: &mut Chance) -> (Publication, Book) {
    let mut publication = Publication::new(LIST, 1);
    let body = publication.build(&listed(64, records / 64, chance), chance).expect("a small list is built").body;
    (publication, Book::new(LIST, 1, body).expect("what was built is read"))
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn build_114_000_records(bencher: Bencher<'_, '_>) {
    let mut chance = Chance::new();
    let listed = listed(38, 3_000, &mut chance);
    bencher
        .counter(ItemsCount::new(114_000usize))
        .with_inputs(|| Publication::new(LIST, 1))
        .bench_local_values(|mut publication| publication.build(&listed, &mut chance));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn read_131_072_records(bencher: Bencher<'_, '_>) {
    let mut chance = Chance::new();
    let body = Publication::new(LIST, 1).build(&listed(38, 3_000, &mut chance), &mut chance).expect("a small list is built").body;
    bencher
        .counter(ItemsCount::new(131_072usize))
        .with_inputs(|| body.clone())
        .bench_local_values(|body| Book::new(LIST, 1, body));
}

/// A million tags of customers, none of which is listed.
#[divan::bench(args = [131_072, 1_048_576], sample_count = 10, sample_size = 1)]
fn look_up_1_000_000_tags(bencher: Bencher<'_, '_>, records: usize) {
    let mut chance = Chance::new();
    let (_, book) = book(records, &mut chance);
    let tags: Vec<Tag> = (0..1_000_000).map(|_| chance.array()).collect();
    bencher.counter(ItemsCount::new(1_000_000usize)).bench_local(|| tags.iter().filter(|tag| book.has(black_box(tag))).count());
}

#[divan::bench]
fn tag_of_an_output(bencher: Bencher<'_, '_>) {
    let output: Output = Chance::new().array();
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| tag(black_box(&output), &LIST, 1));
}

#[divan::bench(sample_count = 100)]
fn open_one_hit_after_13_deltas(bencher: Bencher<'_, '_>) {
    let mut chance = Chance::new();
    let mut publication = Publication::new(LIST, 1);
    let mut listed = listed(38, 3_000, &mut chance);
    for one in &mut listed {
        one.tokens[0].1 = Class::Domain;
    }
    let output = listed[0].tokens[0].0;
    let mut book =
        Book::new(LIST, 1, publication.build(&listed, &mut chance).expect("a small list is built").body).expect("and read");
    for _ in 0..13 {
        let body = publication.delta(&[], &[], &mut chance).expect("nothing is added").body;
        book.add(body, By::Officers).expect("in order");
    }
    assert_eq!(book.open(&output).len(), 1);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| book.open(black_box(&output)));
}

/// What a provider does for each delta beside looking up.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn take_in_a_delta_after_1_048_576_records(bencher: Bencher<'_, '_>) {
    let mut chance = Chance::new();
    let (mut publication, mut book) = book(1_048_576, &mut chance);
    bencher.counter(ItemsCount::new(1usize)).bench_local(|| {
        let body = publication.delta(&[], &[], &mut chance).expect("nothing is added").body;
        book.add(body, By::Officers)
    });
}
