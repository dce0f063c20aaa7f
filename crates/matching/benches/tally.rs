//! The tally: contributions made and verified, for the standard question with and without exact sums.
//!
//! `cargo bench -p matching --bench tally`

use std::convert::Infallible;

use divan::{Bencher, black_box, counter::ItemsCount};
use ed25519_dalek::SigningKey;
use matching::{
    parcel::Opener,
    sha256,
    tally::{
        Answer, Answers, Cohort, Contribution, Exact, Member, Party, Period, Role, Sum, Task, Verifier, VerifyKey, Words,
        share::contribute, task::STANDARD,
    },
};
use rand_core::{TryCryptoRng, TryRng};

fn main() {
    divan::main();
}

/// Chance that repeats: SHA-256 of a counter.
struct Chance(u64);

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|n| n as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&sha256(&[&self.0.to_be_bytes()])[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

const PROVIDER: [u8; 32] = [9; 32];

/// A task with its two aggregators and one contribution.
struct Bench {
    task: Task,
    verifier: Verifier,
    contribution: Contribution,
}

fn answer(exact: bool) -> Answer {
    if exact { Answer::Parts(vec![1, 2, 3, 0, 0, 40]) } else { Answer::Number(6) }
}

impl Bench {
    fn new(exact: bool) -> Bench {
        let key = VerifyKey::new(&mut Chance(1));
        let cohort = Cohort::new([0; 32], (0..24u8).map(|n| Member { key: [n; 32], group: format!("g{n}") }).collect());
        let cohort = cohort.unwrap_or_else(|wrong| panic!("{wrong}"));
        let words = |text: &str| Words::new(text, text);
        let party = |n: u8| Party {
            name: format!("party {n}"),
            entity: format!("entity {n}"),
            police: false,
            signing: SigningKey::from_bytes(&[n; 32]).verifying_key().to_bytes(),
            sealing: Opener::new([n; 32]).address(),
        };
        let task = Task {
            measure: "watchlist-matches".to_owned(),
            question: words("how many"),
            answers: Answers::Count { from: STANDARD.to_vec() },
            exact: exact.then(|| Exact { most: 1023, of: ["a", "b", "c", "d", "e", "f"].map(words).to_vec() }),
            period: Period { name: "2026-Q4".to_owned(), from: 0, until: 1 },
            a_year: 4,
            cohort: cohort.root(),
            size: 1,
            floor: 20,
            epsilon: 500,
            verify: key.commitment(),
            author: [1; 32],
            leader: party(2),
            helper: party(3),
            collector: party(4),
            opens: 0,
            closes: 1,
            ends: 1 << 40,
        };
        let contribution = contribute(&task, &PROVIDER, &answer(exact), &mut Chance(2)).unwrap_or_else(|wrong| panic!("{wrong}"));
        let verifier = Verifier::new(&task, key).unwrap_or_else(|wrong| panic!("{wrong}"));
        Bench { task, verifier, contribution }
    }

    /// All that both aggregators do with one contribution: opening, proving, adding.
    fn verified(&self, sums: &mut [Sum; 2]) -> Option<()> {
        let (leader, helper) = (Opener::new([2; 32]), Opener::new([3; 32]));
        let first = self.contribution.leader.open(&self.task, Role::Leader, &PROVIDER, &leader).ok()?;
        let second = self.contribution.helper.open(&self.task, Role::Helper, &PROVIDER, &helper).ok()?;
        let begun = self.verifier.leader_begins(&first).ok()?;
        let (answered, output) = self.verifier.helper_answers(&second, &begun).ok()?;
        sums[1].add(&output).ok()?;
        sums[0].add(&self.verifier.leader_ends(&first, &answered).ok()?).ok()
    }
}

#[divan::bench(args = [false, true])]
fn contributed(bencher: Bencher<'_, '_>, exact: bool) {
    let bench = Bench::new(exact);
    bencher
        .counter(ItemsCount::new(1u32))
        .bench_local(|| contribute(black_box(&bench.task), &PROVIDER, &answer(exact), &mut Chance(2)).map(|_| ()));
}

#[divan::bench(args = [false, true])]
fn opened_proven_and_added_by_both(bencher: Bencher<'_, '_>, exact: bool) {
    let bench = Bench::new(exact);
    let sizes = [&bench.contribution.leader, &bench.contribution.helper].map(|share| share.encode().len());
    let mut sums = [Sum::new(&bench.task), Sum::new(&bench.task)];
    assert!(bench.verified(&mut sums).is_some(), "shares of {sizes:?} bytes");
    bencher.counter(ItemsCount::new(1u32)).bench_local(|| bench.verified(black_box(&mut sums)));
}

#[divan::bench(args = [(1, 500), (2, 1_000), (2, 50)])]
fn noise(bencher: Bencher<'_, '_>, (sensitivity, epsilon): (u32, u32)) {
    let (laplace, mut chance) = (matching::tally::noise::Laplace::new(sensitivity, epsilon), Chance(3));
    bencher.bench_local(|| laplace.draw(&mut chance));
}
