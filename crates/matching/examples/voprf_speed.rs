//! What a whole comparison costs each side, in CPU time of one core, with real calls: `voprf_speed LIST CUSTOMERS HITS`, tokens each. Writes one
//! line for each step: side, step, CPU seconds, tokens a second. `bench/openmined` lays them beside another implementation.
#![expect(clippy::print_stdout, reason = "a measuring tool says what it measured")]

use std::convert::Infallible;
use std::error::Error;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use matching::list::{self, Book, Key, Listed, Publication, Status};
use matching::token::Class;
use matching::voprf::{self, Context, MOST, SecretKey};
use rand_core::{Rng as _, TryCryptoRng, TryRng};

const LIST: [u8; 16] = [1; 16];
const EPOCH: u32 = 1;

/// CPU time of this thread where Linux tells it, so that other programs do not count; else the wall's.
fn now(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let spent = told.and_then(|text| text.split(' ').next().and_then(|nanos| nanos.parse().ok()));
    spent.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// At least a millisecond, which is about what can be told.
fn seconds(spent: Duration) -> f64 {
    spent.as_secs_f64().max(0.001)
}

/// Adds up the CPU time of steps.
struct Clock {
    start: Instant,
    steps: Vec<(&'static str, &'static str, Duration)>,
}

impl Clock {
    fn time<T>(&mut self, side: &'static str, step: &'static str, work: impl FnOnce() -> T) -> T {
        let before = now(self.start);
        let done = work();
        let spent = now(self.start).saturating_sub(before);
        match self.steps.iter_mut().find(|known| (known.0, known.1) == (side, step)) {
            Some(known) => known.2 += spent,
            None => self.steps.push((side, step, spent)),
        }
        done
    }
}

/// A token of the list, or of a customer beyond it.
fn token(number: usize) -> Vec<u8> {
    format!("SLUIS1\x02\x10\x01name-{number:09}.example").into_bytes()
}

/// Chance that repeats: this measures, and keeps no secret.
struct Chance(ChaCha20);

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill(0);
        self.0.apply_keystream(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Chance {}

/// The whole list, as its holder publishes it: an entry for every ten tokens.
fn publish(key: &SecretKey, list: usize) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut chance = Chance(ChaCha20::new(&[9; 32].into(), &[0; 12].into()));
    let outputs = key.evaluate_all(&(0..list).map(token).collect::<Vec<_>>())?;
    let entries: Vec<Listed> = outputs
        .chunks(10)
        .map(|outputs| {
            let mut key = Key::default();
            chance.fill_bytes(&mut *key);
            Listed {
                key_full: key,
                capsule: vec![1; 300],
                capsule_proof: vec![2; 700],
                reason: vec![3; 1500],
                reason_proof: vec![4; 700],
                status: Status::Live,
                since: 0,
                tokens: outputs.iter().map(|output| (*output, Class::Domain, 1)).collect(),
            }
        })
        .collect();
    Ok(Publication::new(LIST, EPOCH).build(&entries, &mut chance)?.body)
}

fn main() -> Result<(), Box<dyn Error>> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[listed, customers, hits] = numbers.as_slice() else {
        println!("say how many tokens: voprf_speed LIST CUSTOMERS HITS");
        return Ok(());
    };
    let mut clock = Clock { start: Instant::now(), steps: Vec::new() };
    let key = SecretKey::derive(&[1; 32], b"speed")?;
    let public = key.public();

    let body = clock.time("holder", "publish", || publish(&key, listed))?;
    let book = clock.time("provider", "read the list", || Book::new(LIST, EPOCH, body))?;

    let mut opened = 0;
    for (batch_seq, start) in (0..customers).step_by(MOST).enumerate() {
        // The first `hits` customers are on the list.
        let number = |at: usize| if at < hits.min(listed) { at } else { listed + at };
        let inputs: Vec<Vec<u8>> = (start..customers.min(start + MOST)).map(|at| token(number(at))).collect();
        let context = Context { list: LIST, epoch: EPOCH, group: 2, share: 0, provider: [2; 32], batch_seq: batch_seq as u64 };
        // Of the operating system, where it is not for measuring.
        let seed = matching::sha256(&[b"seed", &(batch_seq as u64).to_be_bytes()]);
        let nonce = matching::sha256(&[b"nonce", &(batch_seq as u64).to_be_bytes()]);
        let blinded = clock.time("provider", "blind", || voprf::blind(&inputs, MOST, &seed))?;
        let (evaluated, proof) =
            clock.time("holder", "evaluate and prove", || voprf::evaluate(&key, &blinded, &context, &nonce))?;
        let outputs = clock.time("provider", "verify and finalize", || {
            voprf::finalize(&inputs, MOST, &seed, &public, &blinded, &evaluated, &proof, &context)
        })?;
        opened += clock.time("provider", "look up and open", || {
            let found = outputs.iter().filter(|output| book.has(&list::tag(output, &LIST, EPOCH)));
            found.map(|output| book.open(output).len()).sum::<usize>()
        });
    }

    for side in ["provider", "holder"] {
        let mut whole = Duration::ZERO;
        for (_, step, spent) in clock.steps.iter().filter(|step| step.0 == side) {
            let once = ["publish", "read the list"].contains(step);
            let tokens = if once { listed } else { customers };
            whole += if once { Duration::ZERO } else { *spent };
            println!("{side}\t{step}\t{:.3}\t{:.0}", spent.as_secs_f64(), tokens as f64 / seconds(*spent));
        }
        println!("{side}\tall for customers\t{:.3}\t{:.0}", whole.as_secs_f64(), customers as f64 / seconds(whole));
    }
    println!("result\thits\t{opened}\t{}", hits.min(listed).min(customers));
    Ok(())
}
