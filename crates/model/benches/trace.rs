//! Trace: 1,000,000 assignments on both axes, chains of three and more; build, single and batched look-ups.
//!
//! `cargo bench -p model --bench trace`

use std::hint::black_box;
use std::time::Instant;

use model::address::{Address, Range};
use model::assignment::{Level, Period};
use model::category::Kind;
use model::chain::{Builder, Chains, Held, Index};
use model::report::{Batch, Core};
use model::resource::Resource;
use model::time::{DAY, Time};

const ASSIGNMENTS: usize = 1_000_000;
const QUESTIONS: usize = 2_000_000;
const YEAR: i64 = 365 * DAY;

/// A small generator with a fixed seed (SplitMix64), so that every run asks the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A provider with 64 /16 blocks, resellers with /20, sub-resellers with /22, customers with /32 to /29; a third of
/// the customers' ranges had another holder before.
fn rows() -> Vec<(Range, Held)> {
    let mut random = Random(1);
    let mut rows: Vec<(Range, Held)> = Vec::with_capacity(ASSIGNMENTS);
    let block = |number: u32| 0x0a00_0000u32 + (number << 16);
    let mut push = |first: u32, size: u32, party: i64, level: Level, period: Period| {
        let range = Range { first: Address::from_v4(first), last: Address::from_v4(first + size - 1) };
        let assignment = rows.len() as i64 + 1;
        rows.push((range, Held { assignment, party, period, level, source: 0, recorded: Time(YEAR) }));
        rows.len() < ASSIGNMENTS
    };
    for sixteen in 0..64 {
        push(block(sixteen), 1 << 16, 1, Level::Allocated, Period::ALWAYS);
        for twenty in 0..16 {
            push(block(sixteen) + (twenty << 12), 1 << 12, 2 + i64::from(sixteen), Level::SubAllocated, Period::ALWAYS);
            for twenty_two in 0..4 {
                let first = block(sixteen) + (twenty << 12) + (twenty_two << 10);
                push(first, 1 << 10, 100 + i64::from(twenty_two), Level::SubAllocated, Period::ALWAYS);
            }
        }
    }
    'all: for round in 0.. {
        for sixteen in 0..64u32 {
            let mut at = 0u32;
            while at < 1 << 16 {
                let size = if random.below(4) == 0 { 1 << random.below(4) } else { 1 };
                let size = size.min((1 << 10) - (at & 1023));
                let party = 1_000 + random.below(200_000) as i64;
                let change = Time((random.below(YEAR as u64)) as i64 + round * YEAR);
                let first = block(sixteen) + at;
                let more = if random.below(3) == 0 {
                    push(first, size, party, Level::Assigned, Period { from: None, to: Some(change) })
                        && push(first, size, party + 1, Level::Assigned, Period { from: Some(change), to: None })
                } else {
                    push(first, size, party, Level::Assigned, Period { from: Some(change), to: None })
                };
                if !more {
                    break 'all;
                }
                at += size + random.below(4) as u32;
            }
        }
    }
    // A database gives them in no particular order.
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.below(at as u64 + 1) as usize);
    }
    rows
}

fn build(rows: &[(Range, Held)]) -> Index {
    let mut builder = Builder::new();
    builder.reserve(rows.len());
    for (range, held) in rows {
        if let Err(error) = builder.assignment(&Resource::Addresses(*range), *held) {
            panic!("{error}");
        }
    }
    match builder.build() {
        Ok(index) => index,
        Err(error) => panic!("{error}"),
    }
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

#[allow(clippy::print_stdout)]
fn main() {
    let rows = rows();
    let mut index = build(&rows);
    let build_seconds = median(
        (0..7)
            .map(|_| {
                let start = Instant::now();
                index = build(black_box(&rows));
                start.elapsed().as_secs_f64()
            })
            .collect(),
    );
    let mut random = Random(2);
    // 100,000 addresses, some asked about far more often than others, at any moment of two years.
    let known: Vec<Address> = (0..100_000).map(|_| Address::from_v4(0x0a00_0000 + random.below(64 << 16) as u32)).collect();
    let questions: Vec<(Address, Time)> = (0..QUESTIONS)
        .map(|_| {
            let skewed = random.below(100_000) * random.below(100_000) / 100_000;
            (known[skewed as usize], Time(random.below(2 * YEAR as u64) as i64))
        })
        .collect();
    let mut links = 0;
    let single = median(
        (0..7)
            .map(|_| {
                let start = Instant::now();
                links = questions.iter().map(|(address, at)| index.trace_address(*address, *at).links.len()).sum::<usize>();
                start.elapsed().as_secs_f64()
            })
            .collect(),
    );
    let batches: Vec<Batch> = questions
        .chunks(50_000)
        .map(|part| {
            let mut batch = Batch::new();
            for (ordinal, (address, at)) in part.iter().enumerate() {
                let mut core = Core::new(Kind::LoginAttack, ordinal as u32);
                core.address = *address;
                core.set_observed(Some(*at));
                batch.finish(core);
            }
            batch
        })
        .collect();
    let mut chains = Chains::default();
    let mut held = 0;
    let batched = median(
        (0..7)
            .map(|_| {
                let start = Instant::now();
                held = 0;
                for batch in &batches {
                    index.trace_batch(black_box(batch), &mut chains);
                    held += (0..chains.len()).filter(|report| chains.holder(*report).is_some()).count();
                }
                start.elapsed().as_secs_f64()
            })
            .collect(),
    );
    println!("assignments                {}", rows.len());
    println!("links per answer           {:.2}", links as f64 / QUESTIONS as f64);
    println!("answers with a holder      {:.3}", held as f64 / QUESTIONS as f64);
    println!("index, MiB                 {:.1}", index.heap() as f64 / (1 << 20) as f64);
    println!("build, ms                  {:.0}", build_seconds * 1e3);
    println!("trace, M/s                 {:.2}", QUESTIONS as f64 / single / 1e6);
    println!("trace_batch, M/s           {:.2}", QUESTIONS as f64 / batched / 1e6);
}
