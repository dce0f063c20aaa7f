//! The offline verifier: bytes that are no bundle, policies and fork proofs, and a good bundle in which the fuzzer's bytes take the
//! place of something. Nothing of it stops the verifier, nothing is proven that was not so before, and all of it can be written out.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seal::bundle::{self, Bundle, Opening};
use seal::policy::Policy;
use seal::record::{Type, Value};
use seal::testing::stories::{Story, all};
use sluis_verify::output::{About, html, json, page, plain, terminal};
use sluis_verify::said::Language;
use sluis_verify::{Trust, fork, verify};

static GOOD: LazyLock<(Trust, Vec<Bundle>)> = LazyLock::new(|| {
    let set = all(20);
    let roots = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes()));
    let trust = Trust::read(set.policy.as_bytes(), None, roots).expect("the policy of the examples can be read");
    let mut good: Vec<Bundle> = set.examples.iter().filter(|one| one.exit == 0).filter_map(|one| bundle::read(&one.bytes).ok()).collect();
    good.push(Story::new(20).whole());
    (trust, good)
});

fuzz_target!(|bytes: &[u8]| {
    let (trust, good) = &*GOOD;
    let Some((&[kind, which, one, two], rest)) = bytes.split_first_chunk::<4>() else { return };
    let (at, on) = (usize::from(one), usize::from(two));
    match kind % 12 {
        0 => return written(rest, trust),
        1 => drop(Policy::parse(rest)),
        2 => drop(fork::judge(rest, trust)),
        3 => drop(Trust::read(rest, Some("sector.example+00000000+AQ=="), [])),
        _ => {}
    }
    let mut forged = good[usize::from(which) % good.len()].clone();
    let records = forged.records.len();
    let Some(record) = forged.records.get_mut(at % records.max(1)) else { return };
    match kind % 12 {
        4 => forged.checkpoint = Some(rest.to_vec()),
        5 => {
            let count = forged.anchors.len();
            let Some(anchor) = forged.anchors.get_mut(at % count.max(1)) else { return };
            if on % 2 == 0 { anchor.checkpoint = rest.to_vec() } else { anchor.tokens[0] = rest.to_vec() }
        }
        6 => {
            let count = forged.proofs.len();
            let Some(proof) = forged.proofs.get_mut(at % count.max(1)) else { return };
            proof.entry = rest.to_vec();
        }
        7 => {
            let width = record.openings.len();
            let Some((&[kind], value)) = rest.split_first_chunk::<1>() else { return };
            let Some(value) = Type::of(kind % 7).and_then(|kind| Value::decode(kind, value)) else { return };
            if let Opening::Shown { value: old, .. } = &mut record.openings[on % width] {
                *old = value;
            }
        }
        8 => {
            let by: Option<&[u8; 32]> = rest.first_chunk();
            let width = record.openings.len();
            let opening = &mut record.openings[on % width];
            *opening = Opening::Erased { digest: opening.digest(), record: by.copied().unwrap_or_default() };
        }
        9 => record.index = rest.first_chunk().map_or(7, |bytes| u64::from_be_bytes(*bytes)),
        10 => record.kind = u16::from(two),
        _ => {
            let name = String::from_utf8_lossy(rest).into_owned();
            let width = record.openings.len();
            if let Opening::Shown { name: old, .. } = &mut record.openings[on % width] {
                *old = name;
            }
        }
    }
    forged.sort();
    if let Ok(bytes) = bundle::write(&forged) {
        written(&bytes, trust);
    }
});

/// The verdict in every form.
fn written(bytes: &[u8], trust: &Trust) {
    let verdict = verify(bytes, trust, Some(1_800_000_000_000));
    let about = About { bytes, at: None, program: "fuzz" };
    for language in [Language::English, Language::Dutch] {
        let page = page(&verdict, &about, language);
        drop((terminal(&verdict, language), plain(&page), html(&page, language)));
    }
    drop(json(&verdict));
}
