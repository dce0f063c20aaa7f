//! That the honest bundles are honest, and that each lie is one.

use sha2::{Digest, Sha256};

use super::stories::{self, Story};
use crate::bundle::{self, Bundle};
use crate::checkpoint::{self, Checkpoint};
use crate::note::{Note, Signer};
use crate::policy::Policy;
use crate::record::{Value, entry, secret_commitment, slot};
use crate::tree;
use crate::tsp::{self, Anchors};

/// What has to hold of every honest bundle that has a checkpoint.
fn is_honest(story: &Story, bundle: &Bundle) {
    let key = story.world.log.key();
    let note = Note::parse(bundle.checkpoint.as_deref().unwrap()).unwrap();
    let last = checkpoint::open(&note, key).unwrap();
    let proven = |index: u64| {
        let proof = bundle.proofs.iter().find(|proof| proof.index == index).unwrap();
        tree::verify_inclusion(index, last.size, &tree::leaf_hash(&proof.entry), &proof.path, &last.root).unwrap();
        &proof.entry
    };
    for record in &bundle.records {
        assert_eq!(proven(record.index), &entry(&record.slot, &record.commitment()));
        let Some(Value::Bytes(stream)) = record.get("stream") else { panic!("no stream") };
        if let Some((_, secret)) = bundle.secrets.iter().find(|(id, _)| id == &stream[..]) {
            let Some(Value::Number(seq)) = record.get("seq") else { panic!("no seq") };
            assert_eq!(record.slot, slot(secret, *seq));
            if *seq == 0 {
                assert_eq!(record.get("secret_commitment"), Some(&Value::Digest(secret_commitment(secret))));
            }
        }
    }
    for report in &bundle.reports {
        let batch = bundle.records.iter().find(|record| record.commitment() == report.batch).unwrap();
        let (Some(Value::Digest(root)), Some(Value::Number(count))) = (batch.get("root"), batch.get("count")) else { panic!() };
        let digests = std::array::from_fn(|ordinal| report.openings[ordinal].digest());
        let leaf = tree::leaf_hash(&crate::batch::commitment(&digests));
        tree::verify_inclusion(report.place, *count, &leaf, &report.path, root).unwrap();
    }
    let mut trusted = Anchors::new();
    for authority in &story.world.authorities {
        trusted.add(&authority.name, authority.roots.as_bytes()).unwrap();
    }
    for anchor in &bundle.anchors {
        let note = Note::parse(&anchor.checkpoint).unwrap();
        let earlier: Checkpoint = checkpoint::open(&note, key).unwrap();
        assert_eq!(earlier.size, anchor.size);
        tree::verify_consistency(anchor.size, &earlier.root, last.size, &last.root, &anchor.consistency).unwrap();
        for token in &anchor.tokens {
            let stamp = tsp::verify(token, &Sha256::digest(&note.text).into(), Some(anchor.size), &trusted, None).unwrap();
            for record in bundle.records.iter().filter(|record| record.index < anchor.size) {
                let Some(Value::Time(recorded)) = record.get("recorded_at") else { panic!("no time") };
                assert!(*recorded <= stamp.gen_time_ms);
            }
        }
    }
}

#[test]
fn honest_bundles_are_honest_and_the_policy_is_one() {
    let story = Story::new(100);
    let set = stories::all(100);
    Policy::parse(set.policy.as_bytes()).unwrap();
    is_honest(&story, &story.whole());
    is_honest(&story, &story.fed());
    assert_eq!(story.whole().records.len(), 20);
    let mut names: Vec<&str> = set.examples.iter().map(|example| example.name.as_str()).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!((all, true), (names.len(), all > 90), "a name for each, and many");
    for example in &set.examples {
        // What is well formed is read, and nothing else.
        let read = bundle::read(&example.bytes);
        assert_eq!(read.is_err(), example.exit == 3, "{}: {:?}", example.name, read.err());
        if let Some(policy) = &example.policy {
            Policy::parse(policy.as_bytes()).unwrap();
        }
    }
}

#[test]
fn the_log_is_written_as_it_is_audited() {
    let story = Story::new(3);
    let files: std::collections::BTreeMap<String, Vec<u8>> = story.world.files().into_iter().collect();
    let last = story.world.published.last().unwrap();
    let mut read = crate::tile::nodes(last.size, |tile| files.get(&tile.to_string()).cloned());
    assert_eq!(tree::range_root(0, last.size, &mut read).unwrap(), story.world.root(last.size));
}
