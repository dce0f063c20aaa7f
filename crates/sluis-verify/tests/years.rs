//! Years later: keys that were retired or revoked, policies that followed each other, certificates that ended.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::sync::Arc;

use seal::bundle::{self, Bundle};
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::policy::{Archive, KeyEvent, What};
use seal::record::{OPENED, Record, STEP, Value};
use seal::testing::{Authority, World};
use sluis_verify::said::Language;
use sluis_verify::{Trust, Verdict, output, verify};

/// Seals a case of three records between two published checkpoints; its stream and records.
fn a_case(world: &mut World) -> (usize, Vec<usize>) {
    world.pad(64);
    world.publish();
    world.wait(60);
    let stream = world.stream();
    let mut records = Vec::new();
    for event in ["opened", "told", "closed"] {
        let mut record = Record::new(if event == "opened" { &OPENED } else { &STEP });
        record.set("event", Value::text(event));
        record.set("party_name", Value::text("Voorbeeld B.V."));
        records.push(world.seal(stream, record));
        world.wait(1);
    }
    world.publish();
    (stream, records)
}

fn bundle_of(world: &World, (stream, records): &(usize, Vec<usize>)) -> Bundle {
    world.bundle(*stream, records, &[], &|_, _| true)
}

fn judged(world: &World, policy: &str, key: Option<&str>, bundle: &Bundle, at: Option<i64>) -> Verdict {
    let roots = world.authorities.iter().map(|authority| (authority.name.as_str(), authority.roots.as_bytes()));
    let trust = Trust::read(policy.as_bytes(), key, roots).unwrap();
    verify(&bundle::write(bundle).unwrap(), &trust, at)
}

#[track_caller]
fn ends(verdict: &Verdict, code: u8, says: &str) {
    let text = output::terminal(verdict, Language::English).replace("\n                ", " ");
    assert_eq!(verdict.exit_code(), code, "{text}");
    assert!(text.contains(says), "{says}: {text}");
}

fn signer(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::new(name, Algorithm::Ed25519, &[seed; 32]).unwrap()
}

/// A log whose key is revoked, from its beginning, after a case was sealed, and which goes on with another. With the place of the
/// entry that says so.
fn revoked(recovery: &Ed25519Signer, what: What) -> (World, (usize, Vec<usize>), u64, String) {
    let mut world = World::new();
    let case = a_case(&mut world);
    let event = KeyEvent { origin: world.origin.clone(), what, size: 0, key: world.log.key().clone() };
    let entry = world.public(&event.body(&Note::sign(&event.text(), &[recovery]).unwrap()));
    let old = world.log.key().to_string();
    world.log = signer(&world.origin, 5);
    world.wait(60);
    world.publish();
    let policy = world.policy() + &format!("log {old}\n#sluis recovery {}\n", recovery.key());
    (world, case, entry, policy)
}

#[test]
fn a_revocation_takes_back_nothing_that_others_had_fixed() {
    let recovery = signer("recovery.provider.example", 6);
    let (world, case, entry, policy) = revoked(&recovery, What::Revoked);
    let mut bundle = bundle_of(&world, &case);
    // Without the entry nobody knows of it.
    ends(&judged(&world, &policy, None, &bundle, None), 0, "PROVEN");
    bundle.proofs.push(world.proof(entry));
    bundle.sort();
    ends(&judged(&world, &policy, None, &bundle, None), 0, &format!("disputed since entry {entry}"));
    // One who is not the holder of the recovery key revokes nothing.
    let others = policy.replace(&recovery.key().to_string(), &signer("recovery.provider.example", 7).key().to_string());
    let verdict = judged(&world, &others, None, &bundle, None);
    assert!(!output::terminal(&verdict, Language::English).contains("disputed"));
}

#[test]
fn what_a_revoked_key_signs_after_that_is_void() {
    let recovery = signer("recovery.provider.example", 6);
    for (what, word) in [(What::Revoked, "revoked"), (What::Retired, "retired")] {
        let (mut world, case, entry, policy) = revoked(&recovery, what);
        // The thief signs with the old key again.
        world.log = Ed25519Signer::new(&world.origin, Algorithm::Ed25519, &seed_of_the_old(&world)).unwrap();
        world.wait(60);
        world.publish();
        let mut bundle = bundle_of(&world, &case);
        bundle.proofs.push(world.proof(entry));
        bundle.sort();
        ends(&judged(&world, &policy, None, &bundle, None), 1, &format!("entry {entry} says that the key was {word} before"));
    }
}

/// The seed from which the log's first key is made.
fn seed_of_the_old(world: &World) -> [u8; 32] {
    seal::seed::hmac(b"keys", &[world.origin.as_bytes()])
}

#[test]
fn a_key_counts_only_while_it_is_valid() {
    let mut world = World::new();
    let case = a_case(&mut world);
    let bundle = bundle_of(&world, &case);
    for (period, code, says) in [
        ("- -", 0, "PROVEN"),
        ("2026-03-02 2026-03-03", 0, "PROVEN"),
        ("2026-03-03 -", 1, "the key was not valid then"),
        ("- 2026-03-02", 1, "the key was not valid then"),
    ] {
        let policy = world.policy() + &format!("#sluis valid {} {period}\n", world.origin);
        ends(&judged(&world, &policy, None, &bundle, None), code, says);
    }
    // A witness whose key was not valid is one witness less: two of the others are enough, one is not.
    let policy = world.policy() + "#sluis valid hub - 2026-03-02\n";
    ends(&judged(&world, &policy, None, &bundle, None), 0, "witnessed by \"The association\", \"The university\"");
    let policy = policy + "#sluis valid university - 2026-03-02\n";
    ends(&judged(&world, &policy, None, &bundle, None), 2, "not enough witnesses");
}

#[test]
fn the_policy_of_then_judges() {
    let mut world = World::new();
    let case = a_case(&mut world);
    let bundle = bundle_of(&world, &case);
    let sector = signer("sector.example", 8);
    let then = world.policy();
    // The policy of now knows the log no more.
    let now = then.replace(&world.log.key().to_string(), &signer(&world.origin, 9).key().to_string());
    let archive = |versions: &[(&str, &str, &str)]| Note::sign(&Archive::text(versions), &[&sector]).unwrap().to_string();
    let key = sector.key().to_string();
    let good = archive(&[("-", "2027-01-01", &then), ("2027-01-01", "-", &now)]);
    for at in [None, Some(1_900_000_000_000)] {
        ends(&judged(&world, &good, Some(&key), &bundle, at), 0, "PROVEN");
    }
    let turned = archive(&[("-", "2026-01-01", &then), ("2026-01-01", "-", &now)]);
    ends(&judged(&world, &turned, Some(&key), &bundle, None), 1, "none of the known keys signed this");
    let hole = archive(&[("-", "2026-01-01", &then), ("2027-01-01", "-", &then)]);
    ends(&judged(&world, &hole, Some(&key), &bundle, None), 2, "no version of the policy holds");
    // An archive without its key, and one that another signed, are no trust.
    assert!(Trust::read(good.as_bytes(), None, []).is_err());
    assert!(Trust::read(good.as_bytes(), Some(&world.log.key().to_string()), []).is_err());
    assert!(Trust::read(then.as_bytes(), Some(&key), []).is_err());
}

#[test]
fn a_time_stamp_outlives_its_certificates_when_the_log_renewed_it() {
    let mut world = World::new();
    let old = Arc::new(Authority::new("old", 2025, 2027));
    let young = Arc::new(Authority::new("young", 2026, 2060));
    world.authorities = vec![old.clone()];
    let case = a_case(&mut world);
    let fixed: Vec<usize> = (0..world.published.len()).collect();
    world.authorities = vec![young.clone()];
    world.wait(60);
    let renewal = world.publish();
    world.wait(60);
    world.authorities = vec![old, young];
    let policy: String =
        world.policy().lines().filter(|line| !line.starts_with("#sluis tsa")).map(|line| format!("{line}\n")).collect();
    let mut bundle = bundle_of(&world, &case);
    let in_2030 = Some(1_900_000_000_000);
    ends(&judged(&world, &policy, None, &bundle, None), 0, "PROVEN");
    ends(&judged(&world, &policy, None, &bundle, in_2030), 2, "no renewal is shown");
    for number in fixed {
        let published = &world.published[number];
        bundle
            .proofs
            .extend(published.entries.iter().filter(|entry| **entry < bundle_size(&world)).map(|entry| world.proof(*entry)));
    }
    bundle.sort();
    ends(&judged(&world, &policy, None, &bundle, in_2030), 2, "no renewal is shown");
    bundle.anchors.push(world.anchor(&world.published[renewal]));
    bundle.sort();
    ends(&judged(&world, &policy, None, &bundle, in_2030), 0, "PROVEN");
    // In 2070 those of the renewal have ended too.
    ends(&judged(&world, &policy, None, &bundle, Some(3_160_000_000_000)), 2, "no renewal is shown");
}

fn bundle_size(world: &World) -> u64 {
    world.published.last().map_or(0, |published| published.size)
}
