//! Keys that were retired or revoked, and archives of policies: page and program judge them alike.

use seal::bundle::{self, Bundle};
use seal::note::{Algorithm, Ed25519Signer, Note, Signer};
use seal::testing::World;
use seal::testing::stories::{Set, Story};
use serde_json::json;
use sluis_verify::Trust;

use crate::bundles::{told, verdict, with_trust};

fn signer(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::new(name, Algorithm::Ed25519, &[seed; 32]).expect("a signer")
}

/// What a key event says, and by whom.
struct Event {
    code: u8,
    word: &'static str,
    size: u64,
    told_size: u64,
    origin: &'static str,
    by: Ed25519Signer,
}

impl Event {
    fn body(&self, key: &str) -> Vec<u8> {
        let Event { word, told_size, origin, .. } = self;
        let text = format!("sluis-key-event/v1\n{origin}\n{word}\n{told_size}\n{key}\n");
        let note = Note::sign(&text, &[&self.by]).expect("it can be signed").to_string();
        let length = u16::try_from(key.len()).expect("it fits").to_be_bytes();
        [&[2, self.code], &self.size.to_be_bytes()[..], &length, key.as_bytes(), note.as_bytes()].concat()
    }
}

/// A story that goes on: a key event is appended, the log takes another key if it says so, and publishes twice.
fn after(event: &Event, rotated: bool, world: World) -> (Bundle, String) {
    let mut story = Story::told_in(world, 20);
    let old = story.world.log.key().to_string();
    let index = story.world.public(&event.body(&old));
    let mut policy = format!("{}#sluis recovery {}\n", story.world.policy(), signer("recovery.example", 91).key());
    if rotated {
        let origin = story.world.origin.clone();
        story.world.log = signer(&origin, 77);
        policy = format!("log {}\n{policy}", story.world.log.key());
    }
    for _ in 0..2 {
        story.world.wait(600);
        story.world.publish();
    }
    let mut bundle = story.whole();
    bundle.proofs.push(story.world.proof(index));
    bundle.proofs.sort_by_key(|proof| proof.index);
    (bundle, policy)
}

/// What whoever verifies has of a world.
fn set(world: &World) -> Set {
    let roots = world.authorities.iter().map(|authority| (authority.name.clone(), authority.roots.clone())).collect();
    Set { policy: world.policy(), roots, examples: Vec::new() }
}

const ORIGIN: &str = "log.provider.example/sluis/2026";

fn event(code: u8, word: &'static str, size: u64) -> Event {
    Event { code, word, size, told_size: size, origin: ORIGIN, by: signer("recovery.example", 91) }
}

#[test]
fn key_events_are_judged_alike_by_page_and_program() {
    let mut cases: Vec<(Event, bool)> = Vec::new();
    for rotated in [false, true] {
        for size in [0, 64, 320, 640, 704, 10_000] {
            cases.push((event(3, "revoked", size), rotated));
        }
        cases.push((event(2, "retired", 0), rotated));
        cases.push((event(1, "added", 0), rotated));
        cases.push((event(2, "revoked", 0), rotated));
        cases.push((Event { by: signer("recovery.example", 92), ..event(3, "revoked", 0) }, rotated));
        cases.push((Event { told_size: 1, ..event(3, "revoked", 0) }, rotated));
        cases.push((Event { origin: "other.example/log", ..event(3, "revoked", 0) }, rotated));
    }
    let world = World::new();
    let set = set(&world);
    let Some(mut page) = with_trust(&set) else { return };
    let (mut apart, mut tally) = (Vec::new(), [0; 5]);
    for (event, rotated) in &cases {
        let (bundle, policy) = after(event, *rotated, world.beside(1));
        let bytes = bundle::write(&bundle).expect("it can be written");
        let said = verdict(&mut page, &bytes, &policy, None);
        let roots: Vec<(&str, &[u8])> = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes())).collect();
        let trust = Trust::read(policy.as_bytes(), None, roots).expect("the policy can be used");
        let program = sluis_verify::verify(&bytes, &trust, None);
        tally[usize::from(program.exit_code())] += 1;
        if said["exit"] != json!(program.exit_code()) {
            apart.push(format!(
                "{} {} at {} rotated {rotated}: {} by the page, {} by the program: {}",
                event.code,
                event.word,
                event.size,
                said["exit"],
                program.exit_code(),
                told(&said)
            ));
        }
    }
    eprintln!("of {} key events: {tally:?}", cases.len());
    assert!(apart.is_empty(), "{}", apart.join("\n"));
    assert!(tally[0] > 0 && tally[1] > 0, "some keys hold and some do not: {tally:?}");
}

#[test]
fn archives_of_policies_are_taken_alike_by_page_and_program() {
    let story = Story::new(20);
    let bytes = bundle::write(&story.whole()).expect("it can be written");
    let now = story.world.policy();
    let other = now.replace("#sluis tsas 2", "#sluis tsas 16");
    let set = set(&story.world);
    let Some(mut browser) = with_trust(&set) else { return };
    let sector = signer("sector.example/policy", 33);
    let key = sector.key().to_string();
    let version = |period: &str, policy: &str| format!("version {period} {}\n{policy}", policy.lines().count());
    let archive = |versions: &[String]| format!("sluis-policy-archive/v1\n{}", versions.concat());
    let mut cases = Vec::new();
    for texts in [
        vec![version("- -", &now)],
        vec![version("- -", &other)],
        vec![version("- 2026-03-01", &other), version("2026-03-01 -", &now)],
        vec![version("- 2026-03-01", &now), version("2026-03-01 -", &other)],
        vec![version("- 2026-03-04", &now), version("2026-03-04 -", &other)],
        vec![version("2026-03-01 2026-03-04", &now)],
        vec![version("2027-01-01 -", &now)],
        vec![version("- 2025-01-01", &now), version("2027-01-01 -", &now)],
        vec![version("- 2026-03-03", &now), version("2026-03-02 -", &now)],
        vec![version("- -", &now), version("2026-03-02 -", &now)],
        vec![version("2026-03-02 -", &now), version("- 2026-03-02", &now)],
        vec![version("- 2026-03-02T12:00:00Z", &other), version("2026-03-02T12:00:00Z -", &now)],
        vec![version("2026-03-04 2026-03-01", &now)],
        vec![version("- -", "quorum none\n")],
        vec![version("- -", &now), "more\n".to_owned()],
        vec![version("- -", &now).replacen("version", "Version", 1)],
        vec![version("- -", &now).replacen(&format!(" {}\n", now.lines().count()), " 100\n", 1)],
        Vec::new(),
    ] {
        let text = archive(&texts);
        let note = Note::sign(&text, &[&sector]).expect("it can be signed").to_string();
        for at in [None, Some(1_772_500_000_000), Some(1_900_000_000_000)] {
            cases.push((note.clone(), key.clone(), at));
        }
        cases.push((note.clone(), signer("sector.example/policy", 34).key().to_string(), None));
        cases.push((text, key.clone(), None));
    }
    cases.push((now.clone(), key.clone(), None));
    let (mut apart, mut tally) = (Vec::new(), [0; 5]);
    for (policy, key, at) in &cases {
        use base64::Engine;
        let carried = base64::engine::general_purpose::STANDARD.encode(&bytes);
        let said = browser.evaluate(&format!(
            "sluis.verdictOf(bytes('{carried}'), utf8({}), roots, {}, {})",
            json!(policy),
            json!(at),
            json!(key)
        ));
        let roots: Vec<(&str, &[u8])> = set.roots.iter().map(|(name, pem)| (name.as_str(), pem.as_bytes())).collect();
        let program = Trust::read(policy.as_bytes(), Some(key), roots)
            .map_or(4, |trust| sluis_verify::verify(&bytes, &trust, *at).exit_code());
        tally[usize::from(program)] += 1;
        if said["exit"] != json!(program) {
            apart.push(format!(
                "{} by the page, {program} by the program at {at:?}: {} {}\n{policy}",
                said["exit"],
                said["reason"],
                told(&said)
            ));
        }
    }
    eprintln!("of {} archives: {tally:?}", cases.len());
    assert!(apart.is_empty(), "{} apart\n{}", apart.len(), apart.join("\n"));
}
