//! What a whole comparison costs each side, in CPU time of one core, with real calls: `voprf_speed LIST CUSTOMERS HITS`, tokens each. Writes one
//! line for each step: side, step, CPU seconds, tokens a second. `bench/openmined` lays them beside another implementation.
#![expect(clippy::print_stdout, reason = "a measuring tool says what it measured")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use matching::voprf::{self, Context, MOST, SecretKey, Wrong};
use sha2::Sha256;

/// CPU time of this thread where Linux tells it, so that other programs do not count; else the wall's.
fn now(start: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/self/schedstat").ok();
    let spent = told.and_then(|text| text.split(' ').next().and_then(|nanos| nanos.parse().ok()));
    spent.map_or_else(|| start.elapsed(), Duration::from_nanos)
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

/// What a record of the list is opened with: 64 bytes of a key derived from the output, and a tag over its content.
fn seal(output: &[u8; 64], content: &[u8]) -> [u8; 32] {
    let mut keys = [0; 64];
    // 64 bytes are far below the bound of HKDF, and HMAC takes keys of any length.
    let _ = Hkdf::<Sha256>::new(None, &output[16..]).expand(b"bench", &mut keys);
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&keys[32..]) else { return [0; 32] };
    mac.update(&output[..16]);
    mac.update(content);
    mac.finalize().into_bytes().into()
}

fn main() -> Result<(), Wrong> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let &[list, customers, hits] = numbers.as_slice() else {
        println!("say how many tokens: voprf_speed LIST CUSTOMERS HITS");
        return Ok(());
    };
    let mut clock = Clock { start: Instant::now(), steps: Vec::new() };
    let key = SecretKey::derive(&[1; 32], b"speed")?;
    let public = key.public();
    let content = [7; 48];

    let records = clock.time("holder", "publish", || -> Result<HashMap<[u8; 16], [u8; 32]>, Wrong> {
        let tokens: Vec<Vec<u8>> = (0..list).map(token).collect();
        let outputs = key.evaluate_all(&tokens)?;
        Ok(outputs.iter().map(|output| (tag(output), seal(output, &content))).collect())
    })?;

    let mut opened = 0;
    for (batch_seq, start) in (0..customers).step_by(MOST).enumerate() {
        // The first `hits` customers are on the list.
        let number = |at: usize| if at < hits.min(list) { at } else { list + at };
        let inputs: Vec<Vec<u8>> = (start..customers.min(start + MOST)).map(|at| token(number(at))).collect();
        let context = Context { list: [1; 16], epoch: 1, group: 2, share: 0, provider: [2; 32], batch_seq: batch_seq as u64 };
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
            outputs.iter().filter(|output| records.get(&tag(output)) == Some(&seal(output, &content))).count()
        });
    }

    for side in ["provider", "holder"] {
        let mut whole = Duration::ZERO;
        for (_, step, spent) in clock.steps.iter().filter(|step| step.0 == side) {
            let tokens = if *step == "publish" { list } else { customers };
            if *step != "publish" {
                whole += *spent;
            }
            println!("{side}\t{step}\t{:.3}\t{:.0}", spent.as_secs_f64(), tokens as f64 / spent.as_secs_f64());
        }
        println!("{side}\tall for customers\t{:.3}\t{:.0}", whole.as_secs_f64(), customers as f64 / whole.as_secs_f64());
    }
    println!("result\thits\t{opened}\t{}", hits.min(list).min(customers));
    Ok(())
}

/// The first 16 bytes, under which a record is found.
fn tag(output: &[u8; 64]) -> [u8; 16] {
    let mut tag = [0; 16];
    tag.copy_from_slice(&output[..16]);
    tag
}
