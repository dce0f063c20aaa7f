//! The grading of deliveries: a good bundle to which the fuzzer's bytes are attached, as whatever kind of evidence. Nothing of it stops
//! the grading, and no grade that somebody else must prove comes from bytes alone.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use seal::bundle::{self, Opening};
use seal::note::{Algorithm, Ed25519Signer, Signer};
use seal::record::{EVIDENCE, Value};
use seal::testing::stories::Story as Tale;
use sluis_grade::{Grade, ProvedBy, grade};
use sluis_verify::{Story, Trust, verify};

static GOOD: LazyLock<Story> = LazyLock::new(|| {
    let tale = Tale::new(20);
    let key = |seed: u8| Ed25519Signer::new("key.example", Algorithm::Ed25519, &[seed; 32]).expect("a name and a key");
    let mut policy = tale.world.policy();
    policy += &format!("#sluis observer {} The observatory\n", key(20).key());
    let party: String = b"voorbeeld-web-bv".iter().map(|byte| format!("{byte:02x}")).collect();
    policy += &format!("#sluis recipient {party} receipt {}\n", key(21).key());
    let roots = tale.world.authorities.iter().map(|one| (one.name.as_str(), one.roots.as_bytes()));
    let trust = Trust::read(policy.as_bytes(), None, roots).expect("the policy can be read");
    let bytes = bundle::write(&tale.whole()).expect("the bundle can be written");
    verify(&bytes, &trust, None).story.expect("the bundle is good")
});

const WHAT: [&str; 5] = ["letter", "transcript", "bounce", "reply", "receipt"];

fuzz_target!(|bytes: &[u8]| {
    let Some((&[which, what], rest)) = bytes.split_first_chunk::<2>() else { return };
    let mut story = GOOD.clone();
    let pieces = story.bundle.records.iter_mut().filter(|record| record.kind == EVIDENCE.number);
    let (at, count) = (usize::from(which), pieces.count());
    let place = at % count.max(1);
    let Some(piece) = story.bundle.records.iter_mut().filter(|record| record.kind == EVIDENCE.number).nth(place) else { return };
    let mut set = |name: &str, to: Value| {
        let Some(ordinal) = EVIDENCE.ordinal(name) else { return };
        if let Some(Opening::Shown { value, .. }) = piece.openings.get_mut(ordinal) {
            *value = to;
        }
    };
    set("what", Value::text(WHAT[usize::from(what) % WHAT.len()]));
    set("content", Value::Bytes(rest.to_vec()));
    let letters = story.records.iter().filter(|told| told.letter).count();
    let grading = grade(&story, &[rest.to_vec()]);
    assert_eq!(grading.letters.len(), letters);
    for one in &grading.letters {
        assert!(one.grade != Some(Grade::A) && one.proved_by == ProvedBy::OwnRecord, "bytes alone prove nothing");
        assert!(!one.line.en.contains("could not be read"), "a part failed");
    }
    drop(grading.lines());
});
