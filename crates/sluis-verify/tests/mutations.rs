//! Good bundles, damaged and remade in thousands of ways: none of them is proven, and none stops the verifier.
//!
//! A flipped byte anywhere ends at the container. So the bundle is also taken apart, one thing of it changed or taken from another
//! bundle, and written anew with good digests, as a forger would.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::cell::Cell;

use seal::bundle::{self, Anchor, Bundle, Opening};
use seal::note::Note;
use seal::record::{Hash, Value};
use seal::testing::stories;
use seal::tsp;
use sha2::{Digest, Sha256};
use sluis_verify::{Trust, verify};

/// How many forgeries are tried of each bundle.
const FORGERIES: usize = 400;

fn good() -> (Trust, Vec<(String, Bundle)>) {
    let set = stories::all(60);
    let roots = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes()));
    let trust = Trust::read(set.policy.as_bytes(), None, roots).unwrap();
    let bundles = set.examples.into_iter().filter(|example| example.exit == 0);
    (trust, bundles.map(|example| (example.name, bundle::read(&example.bytes).unwrap())).collect())
}

#[test]
fn no_flipped_or_missing_byte_is_passed_over() {
    let (trust, bundles) = good();
    for (name, good) in &bundles {
        let bytes = bundle::write(good).unwrap();
        assert_eq!(verify(&bytes, &trust, None).exit_code(), 0, "{name}");
        let step = bytes.len().div_ceil(700).max(1);
        for at in (0..bytes.len()).step_by(step) {
            for flip in [0x01, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert_ne!(verify(&other, &trust, None).exit_code(), 0, "{name}: byte {at} ^ {flip:#x}");
            }
            let mut shorter = bytes.clone();
            shorter.remove(at);
            assert_ne!(verify(&shorter, &trust, None).exit_code(), 0, "{name}: without byte {at}");
            assert_ne!(verify(&bytes[..at], &trust, None).exit_code(), 0, "{name}: up to byte {at}");
        }
    }
}

#[test]
fn no_forgery_is_proven() {
    let (trust, bundles) = good();
    let random = Random(Cell::new(42));
    let mut codes = [0_u32; 4];
    for (name, good) in &bundles {
        for round in 0..FORGERIES {
            let mut forged = good.clone();
            let (_, other) = &bundles[random.below(bundles.len())];
            let lie = forge(&mut forged, other, &random);
            forged.sort();
            let Ok(bytes) = bundle::write(&forged) else { continue };
            let code = verify(&bytes, &trust, None).exit_code();
            codes[usize::from(code)] += 1;
            // What says no more and no other than before may be proven still: less of the bundle, or the same.
            let harmless = forged == *good || is_less(&forged, good, &bundles, &trust);
            assert!(code != 0 || harmless, "{name}, round {round}: {lie} is proven");
        }
    }
    println!("proven still, invalid, incomplete, unreadable: {codes:?}");
    assert!(codes[1] > 1_000 && codes[2] > 100, "{codes:?}");
}

/// The text of a signed note. One witness less may be enough witnesses still, and lines of strangers say nothing.
fn text(note: &[u8]) -> String {
    Note::parse(note).map(|note| note.text).unwrap_or_default()
}

/// Whether a time-stamp says anything: one by somebody whom nobody trusts does not, and is passed over.
fn stamps(trust: &Trust, anchor: &Anchor, token: &[u8]) -> bool {
    let imprint = Sha256::digest(text(&anchor.checkpoint)).into();
    tsp::verify(token, &imprint, None, &trust.tsas, None).is_ok()
}

fn of_stream(bundle: &Bundle, stream: &[u8; 16]) -> bool {
    bundle.records.iter().any(|record| record.get("stream") == Some(&Value::Bytes(stream.to_vec())))
}

/// Whether everything in a bundle stands as it does in another one, or is true of another case of the same log: other fields shown, fewer proofs, fewer witnesses.
fn is_less(one: &Bundle, other: &Bundle, all: &[(String, Bundle)], trust: &Trust) -> bool {
    // What gives the same digest is the truth, whether it is shown or not.
    let erased = |opening: &Opening| matches!(opening, Opening::Erased { .. });
    let same_field = |a: &Opening, b: &Opening| a == b || (!erased(a) && a.digest() == b.digest());
    let same_openings = |a: &[Opening], b: &[Opening]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_field(a, b));
    one.form == other.form
        && one.origin == other.origin
        && one.stream == other.stream
        && one.checkpoint.as_deref().map(text) == other.checkpoint.as_deref().map(text)
        // The secret of a stream of which nothing is shown says nothing.
        && one.secrets.iter().all(|secret| other.secrets.contains(secret) || !of_stream(one, &secret.0))
        && one.proofs.iter().all(|proof| all.iter().any(|(_, true_one)| true_one.proofs.contains(proof)))
        && one.anchors.iter().all(|anchor| {
            let find =
                other.anchors.iter().find(|same| same.size == anchor.size && text(&same.checkpoint) == text(&anchor.checkpoint));
            find.is_some_and(|same| anchor.tokens.iter().all(|token| same.tokens.contains(token) || !stamps(trust, anchor, token)))
        })
        && one.records.iter().all(|record| {
            // A true record of another case is true here as well.
            all.iter().flat_map(|(_, true_one)| &true_one.records).any(|same| {
                (same.index, same.slot, same.kind) == (record.index, record.slot, record.kind)
                    && same_openings(&record.openings, &same.openings)
            })
        })
        && one.reports.iter().all(|report| {
            other.reports.iter().any(|same| {
                (same.batch, same.place, &same.path) == (report.batch, report.place, &report.path)
                    && same_openings(&report.openings, &same.openings)
            })
        })
}

/// Chance that repeats: SplitMix64.
struct Random(Cell<u64>);

impl Random {
    fn below(&self, bound: usize) -> usize {
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut mixed = self.0.get();
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    fn flip(&self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            let at = self.below(bytes.len());
            bytes[at] ^= 1 << self.below(8);
        }
    }

    fn one<'a, T>(&self, of: &'a [T]) -> Option<&'a T> {
        (!of.is_empty()).then(|| &of[self.below(of.len())])
    }

    fn one_mut<'a, T>(&self, of: &'a mut [T]) -> Option<&'a mut T> {
        let at = self.below(of.len());
        of.get_mut(at)
    }
}

/// Changes one thing of a bundle, perhaps by what is in another one; what.
fn forge(forged: &mut Bundle, other: &Bundle, random: &Random) -> String {
    let kind = random.below(26);
    let done = attempt(forged, other, random, kind);
    format!("forgery {kind} ({})", if done.is_some() { "made" } else { "nothing to change" })
}

fn attempt(forged: &mut Bundle, other: &Bundle, random: &Random, kind: usize) -> Option<()> {
    match kind {
        0 | 1 => {
            let at = random.below(forged.records.len());
            random.flip(&mut forged.records[at].slot);
        }
        2 => random.one_mut(&mut forged.records)?.index = u64::from(random.below(700) as u32),
        3 => random.one_mut(&mut forged.records)?.kind = random.below(8) as u16,
        4 => {
            let record = random.one_mut(&mut forged.records)?;
            change(random.one_mut(&mut record.openings)?, random);
        }
        5 => {
            let record = random.one_mut(&mut forged.records)?;
            let (a, b) = (random.below(record.openings.len()), random.below(record.openings.len()));
            record.openings.swap(a, b);
        }
        6 => {
            let record = random.one_mut(&mut forged.records)?;
            let at = random.below(record.openings.len());
            let digest = record.openings[at].digest();
            record.openings[at] = Opening::Hidden { digest };
        }
        7 => {
            let by = random.one(&other.records)?.commitment();
            let record = random.one_mut(&mut forged.records)?;
            let at = random.below(record.openings.len());
            record.openings[at] = Opening::Erased { digest: record.openings[at].digest(), record: by };
        }
        8 => drop(forged.records.remove(random.below(forged.records.len()))),
        9 => forged.records.push(random.one(&forged.records)?.clone()),
        10 => {
            // A record of another bundle, with its proof.
            let record = random.one(&other.records)?.clone();
            forged.proofs.extend(other.proofs.iter().filter(|proof| proof.index == record.index).cloned());
            let at = random.below(forged.records.len());
            forged.records[at] = record;
        }
        11 => random.flip(&mut random.one_mut(&mut forged.secrets)?.1),
        12 => forged.secrets = other.secrets.clone(),
        13 => forged.stream = other.stream,
        14 => {
            let checkpoint = forged.checkpoint.as_mut()?;
            random.flip(checkpoint);
        }
        15 => forged.checkpoint = Some(random.one(&forged.anchors)?.checkpoint.clone()),
        16 => {
            let proof = random.one_mut(&mut forged.proofs)?;
            random.flip(random.one_mut(&mut proof.path)?);
        }
        17 => {
            let proof = random.one_mut(&mut forged.proofs)?;
            random.flip(&mut proof.entry);
        }
        18 => drop(forged.proofs.remove(random.below(forged.proofs.len()))),
        19 => {
            let (a, b) = (random.below(forged.proofs.len()), random.below(forged.proofs.len()));
            let path = forged.proofs[a].path.clone();
            forged.proofs[b].path = path;
        }
        20 => {
            let anchor = random.one_mut(&mut forged.anchors)?;
            match random.below(4) {
                0 => random.flip(&mut anchor.checkpoint),
                1 => random.flip(random.one_mut(&mut anchor.tokens)?),
                2 => random.flip(random.one_mut(&mut anchor.consistency)?),
                _ => anchor.size += 1,
            }
        }
        21 => {
            let (a, b) = (random.below(forged.anchors.len()), random.below(forged.anchors.len()));
            let tokens = forged.anchors[a].tokens.clone();
            forged.anchors[b].tokens = tokens;
        }
        22 => drop(forged.anchors.remove(random.below(forged.anchors.len()))),
        23 => {
            let report = random.one_mut(&mut forged.reports)?;
            match random.below(4) {
                0 => random.flip(random.one_mut(&mut report.path)?),
                1 => report.place = random.below(80) as u64,
                2 => random.flip(&mut report.batch),
                _ => change(random.one_mut(&mut report.openings)?, random),
            }
        }
        24 => {
            // Signatures dropped, or taken from another checkpoint.
            let text = String::from_utf8(forged.checkpoint.clone()?).ok()?;
            let mut lines: Vec<&str> = text.lines().collect();
            let at = lines.len() - 1 - random.below(4);
            if lines.get(at).is_some_and(|line| line.starts_with('—')) {
                lines.remove(at);
            }
            forged.checkpoint = Some((lines.join("\n") + "\n").into_bytes());
        }
        _ => forged.origin.push('x'),
    }
    Some(())
}

/// Changes what an opening says.
fn change(opening: &mut Opening, random: &Random) {
    let kind = random.below(4);
    match opening {
        Opening::Hidden { digest } | Opening::Erased { digest, .. } => random.flip(digest),
        Opening::Shown { salt, name, value, .. } => match kind {
            0 => random.flip(salt),
            1 => name.push('x'),
            2 => *value = Value::Absent,
            _ => match value {
                Value::Text(text) => text.push('x'),
                Value::Number(number) => *number = number.wrapping_add(1),
                Value::Time(time) => *time = time.wrapping_add(60_000),
                Value::Bytes(bytes) => bytes.push(1),
                Value::Digest(digest) => random.flip(digest),
                Value::List(items) => items.push(String::new()),
                Value::Absent => *value = Value::Digest(Hash::default()),
            },
        },
    }
}
