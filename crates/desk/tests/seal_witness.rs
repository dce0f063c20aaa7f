//! Witnesses: a node cosigns another's log, never forgets what it cosigned, and finds out who tells two stories.

#![allow(clippy::unwrap_used)]

#[path = "node/mod.rs"]
mod node;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use desk::Error;
use desk::alert::Machine;
use desk::seal::asking::Wanted;
use desk::seal::folder_of;
use desk::seal::watch::Looked;
use desk::seal::witness::{Answer, Settings};
use model::policy::Alarm;
use model::time::{DAY, HOUR};
use node::Node;
use seal::fork::ForkProof;
use seal::note::{self, Note, VerifierKey};
use seal::tile::Tile;
use seal::witness::{Refused, answer};

const START: &str = "2026-11-21T09:00:00Z";

/// A node with a log, published once.
fn log() -> (Node, VerifierKey) {
    let node = Node::new(START);
    node.desk.add_public(&[vec![4; 9]]).unwrap();
    node.desk.publish().unwrap();
    let (_, key) = node.desk.log_key().unwrap();
    (node, key)
}

fn settings(logs: &[&VerifierKey]) -> Settings {
    Settings { logs: logs.iter().copied().cloned().collect(), ..Settings::default() }
}

/// A node that cosigns these logs.
fn witness(logs: &[&VerifierKey]) -> (Node, VerifierKey) {
    let mut node = Node::new(START);
    node.desk.set_witness(Some(settings(logs)));
    let key = node.desk.witness_key().unwrap().unwrap();
    (node, key)
}

fn one(witness: &Node, body: &str) -> Result<Answer, Error> {
    match witness.desk.read_request(body.as_bytes()) {
        Err(refused) => Ok(Err(refused)),
        Ok(asked) => Ok(witness.desk.cosign(&[asked])?.remove(0)),
    }
}

fn body(log: &Node, wanted: &Wanted, old: u64) -> String {
    log.desk.request_for(wanted, old).unwrap().to_string()
}

/// Has a log cosigned, as the program does: with the size that is thought to be known, and then with the one that is.
fn ask(log: &Node, witness: &Node, key: &VerifierKey) -> Result<u64, Refused> {
    let Some(wanted) = log.desk.wanted_of(key).unwrap() else { return Ok(0) };
    let mut answer_of = one(witness, &body(log, &wanted, wanted.cosigned)).unwrap();
    if let Err(Refused::OtherSize(size)) = answer_of {
        if size > wanted.published.size {
            return Err(Refused::OtherSize(size));
        }
        answer_of = one(witness, &body(log, &wanted, size)).unwrap();
    }
    let line = answer_of?;
    let kept = log.desk.keep_cosignatures(&wanted, answer(&[line]).as_bytes(), std::slice::from_ref(key)).unwrap();
    assert_eq!(kept, 1);
    Ok(wanted.published.size)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

/// Ends the process of a node, does something with its files, and begins it anew.
fn closed(node: &mut Node, work: impl FnOnce()) {
    let spare = node.directory.with_extension("spare");
    let open = |directory: &Path| {
        desk::Desk::open(directory, Arc::clone(&node.clock) as Arc<dyn desk::Clock>, desk::Reading::default()).unwrap()
    };
    drop(std::mem::replace(&mut node.desk, open(&spare)));
    work();
    let again = open(&node.directory);
    drop(std::mem::replace(&mut node.desk, again));
    fs::remove_dir_all(spare).unwrap();
}

/// The twin of a node: everything as it is there now, promises and keys included, as a snapshot of a machine is.
fn twin(node: &mut Node) -> Node {
    let mut twin = Node::new(START);
    let (from, to) = (node.directory.clone(), twin.directory.clone());
    closed(node, || {
        closed(&mut twin, || {
            fs::remove_dir_all(&to).unwrap();
            copy(&from, &to);
        });
    });
    twin
}

fn tiles(node: &Node) -> (Vec<u8>, impl FnMut(&Tile) -> Option<Vec<u8>> + use<>) {
    let folder: PathBuf = folder_of(&node.directory, "2026");
    (fs::read(folder.join("checkpoint")).unwrap(), move |tile: &Tile| fs::read(folder.join(tile.to_string())).ok())
}

fn look(watcher: &Node, key: &VerifierKey, log: &Node) -> Result<Looked, Error> {
    let (checkpoint, read) = tiles(log);
    watcher.desk.look_at_log("peer", key, &checkpoint, read)
}

fn alerts(node: &Node, kind: Alarm) -> Vec<String> {
    node.desk.check_alarms(&Machine::default()).unwrap();
    let alerts = node.desk.store().reader().unwrap().read(|transaction| transaction.open_alerts()).unwrap();
    alerts.into_iter().filter(|alert| alert.kind == kind).map(|alert| alert.text).collect()
}

fn forks(node: &Node) -> Vec<(bool, String)> {
    let conflicts = node.desk.store().reader().unwrap().read(|transaction| transaction.conflicts(100)).unwrap();
    conflicts.into_iter().map(|conflict| (conflict.proven, conflict.text)).collect()
}

#[test]
fn a_log_is_cosigned_as_it_grows() {
    let (log, log_key) = log();
    let (witness, key) = witness(&[&log_key]);
    assert_eq!(ask(&log, &witness, &key), Ok(64));
    assert_eq!(log.desk.wanted_of(&key).unwrap(), None);
    for size in [128, 192, 256, 320] {
        log.desk.publish().unwrap();
        assert_eq!(ask(&log, &witness, &key), Ok(size));
        let note = Note::parse(&fs::read(folder_of(&log.directory, "2026").join(format!("cosigned/{size}"))).unwrap()).unwrap();
        let keys = [log_key.clone(), key.clone()];
        assert_eq!(note::open(&note, &keys).unwrap().verified.len(), 2);
    }
    // Whoever forgot where the witness was learns it, and the same is cosigned as often as it is asked for.
    let wanted = Wanted { cosigned: 0, ..log.desk.wanted_of(&log_key).unwrap().unwrap() };
    assert_eq!(one(&witness, &body(&log, &wanted, 0)).unwrap(), Err(Refused::OtherSize(320)));
    assert!(one(&witness, &body(&log, &wanted, 320)).unwrap().is_ok());
    // What is no cosignature of a key that counts is not kept.
    let rubbish = answer(&[note::SignatureLine::by(&key, vec![0; 72])]);
    assert_eq!(log.desk.keep_cosignatures(&wanted, rubbish.as_bytes(), std::slice::from_ref(&key)).unwrap(), 0);
}

#[test]
fn two_witnesses_stand_in_one_file() {
    let (log, log_key) = log();
    let (one, one_key) = witness(&[&log_key]);
    let (two, two_key) = witness(&[&log_key]);
    ask(&log, &one, &one_key).unwrap();
    ask(&log, &two, &two_key).unwrap();
    let note = Note::parse(&fs::read(folder_of(&log.directory, "2026").join("cosigned/64")).unwrap()).unwrap();
    assert_eq!(note::open(&note, &[log_key, one_key, two_key]).unwrap().verified.len(), 3);
}

#[test]
fn the_log_that_follows_is_known_too_and_nobody_elses() {
    let (log, log_key) = log();
    let (other, _) = self::log();
    let (witness, key) = witness(&[&log_key]);
    ask(&log, &witness, &key).unwrap();
    log.later(60 * DAY);
    witness.later(60 * DAY);
    log.desk.publish().unwrap();
    assert_ne!(log.desk.begin_log().unwrap().origin, log_key.name());
    log.desk.publish().unwrap();
    // The last of the old tree, and the first of the new one, which the same key signs.
    assert_eq!(ask(&log, &witness, &key), Ok(128));
    assert_eq!(ask(&log, &witness, &key), Ok(64));
    assert!(matches!(ask(&other, &witness, &key), Err(Refused::UnknownLog(_))));
    let stranger = Node::new(START);
    let wanted = log.desk.wanted_of(&log_key).unwrap().unwrap();
    assert!(matches!(stranger.desk.read_request(body(&log, &wanted, 0).as_bytes()), Err(Refused::UnknownLog(_))));
}

#[test]
fn one_key_has_one_role() {
    let (mut node, log_key) = log();
    fs::copy(node.directory.join("log/keys"), node.directory.join("log/witness")).unwrap();
    node.desk.set_witness(Some(settings(&[])));
    assert!(node.desk.witness_key().unwrap_err().to_string().contains("one of its own"));
    // Nor that of a log that it cosigns.
    let mut other = Node::new(START);
    fs::create_dir_all(other.directory.join("log")).unwrap();
    fs::copy(node.directory.join("log/keys"), other.directory.join("log/witness")).unwrap();
    other.desk.set_witness(Some(settings(&[&log_key])));
    assert!(other.desk.witness_key().is_err());
    // And its own cosignature under its own log never counts.
    let (mut alone, key) = log();
    alone.desk.set_witness(Some(settings(&[&key])));
    let own = alone.desk.witness_key().unwrap().unwrap();
    let wanted = alone.desk.wanted_of(&own).unwrap().unwrap();
    let line = one(&alone, &body(&alone, &wanted, 0)).unwrap().unwrap();
    assert_eq!(alone.desk.keep_cosignatures(&wanted, answer(&[line]).as_bytes(), &[own]).unwrap(), 0);
}

#[test]
fn many_at_once_never_roll_it_back() {
    let (log, log_key) = log();
    let (witness, key) = witness(&[&log_key]);
    let mut bodies = Vec::new();
    for size in 1..=8 {
        let wanted = log.desk.wanted_of(&key).unwrap().unwrap();
        for old in 0..size {
            bodies.push((size * 64, body(&log, &wanted, old * 64)));
        }
        log.desk.publish().unwrap();
    }
    let cosigned: Vec<u64> = std::thread::scope(|scope| {
        let share = |part: usize| {
            let (witness, bodies) = (&witness, &bodies);
            move || -> Vec<u64> {
                let some = bodies.iter().skip(part).step_by(4);
                some.filter(|(_, body)| one(witness, body).unwrap().is_ok()).map(|(size, _)| *size).collect()
            }
        };
        let threads: Vec<_> = (0..4).map(|part| scope.spawn(share(part))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let mut once = cosigned.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), cosigned.len(), "{cosigned:?}");
    let views = witness.desk.store().reader().unwrap().read(|transaction| transaction.views(store::witness::Views::Witnessed));
    assert_eq!(views.unwrap()[0].size, *once.last().unwrap());
}

#[test]
fn a_witness_that_was_rolled_back_remembers() {
    let (log, log_key) = log();
    let (mut witness, key) = witness(&[&log_key]);
    ask(&log, &witness, &key).unwrap();
    let old = witness.directory.with_extension("old");
    let directory = witness.directory.clone();
    closed(&mut witness, || copy(&directory, &old));
    witness.desk.set_witness(Some(settings(&[&log_key])));
    log.desk.publish().unwrap();
    let wanted = log.desk.wanted_of(&key).unwrap().unwrap();
    assert_eq!(ask(&log, &witness, &key), Ok(128));
    // The database of before, beside a memory that no backup brings back.
    closed(&mut witness, || {
        for file in ["sluis.db", "sluis.db-wal", "sluis.db-shm"] {
            let _ = fs::remove_file(directory.join(file));
            let _ = fs::copy(old.join(file), directory.join(file));
        }
    });
    witness.desk.set_witness(Some(settings(&[&log_key])));
    assert_eq!(one(&witness, &body(&log, &wanted, 64)).unwrap(), Err(Refused::OtherSize(128)));
    log.desk.publish().unwrap();
    assert_eq!(ask(&log, &witness, &key), Ok(192));
    // Without that memory nobody knows what was cosigned last.
    closed(&mut witness, || fs::remove_file(directory.join("signed/witness")).unwrap());
    witness.desk.set_witness(Some(settings(&[&log_key])));
    log.desk.publish().unwrap();
    let wanted = log.desk.wanted_of(&key).unwrap().unwrap();
    let refused = one(&witness, &body(&log, &wanted, 192)).unwrap_err();
    assert!(refused.to_string().contains("as after a restore"), "{refused}");
    assert!(alerts(&witness, Alarm::Witness)[0].contains("cannot cosign"));
    // With a key that never signed anything it may begin.
    fs::remove_file(directory.join("log/witness")).unwrap();
    assert_ne!(witness.desk.witness_key().unwrap().unwrap(), key);
    assert!(one(&witness, &body(&log, &wanted, 192)).unwrap().is_ok());
    assert!(alerts(&witness, Alarm::Witness).is_empty());
    // A memory that is older than the database, as after a crash between the two, is brought up to it.
    closed(&mut witness, || {
        fs::copy(old.join("signed/witness"), directory.join("signed/witness")).unwrap();
    });
    witness.desk.set_witness(Some(settings(&[&log_key])));
    let other = wanted.clone();
    assert_eq!(one(&witness, &body(&log, &other, 64)).unwrap(), Err(Refused::OtherSize(256)));
    assert!(fs::read_to_string(directory.join("signed/witness")).unwrap().contains("\n256 "));
    fs::remove_dir_all(old).unwrap();
}

#[test]
fn a_log_that_was_copied_and_runs_twice_is_found_out() {
    let (mut log, log_key) = log();
    let (witness, key) = witness(&[&log_key]);
    ask(&log, &witness, &key).unwrap();
    let twin = twin(&mut log);
    log.desk.publish().unwrap();
    twin.desk.publish().unwrap();
    assert_eq!(ask(&log, &witness, &key), Ok(128));
    // The twin has another root for the same size: never cosigned, whatever it is asked with.
    let wanted = twin.desk.wanted_of(&key).unwrap().unwrap();
    assert_eq!(wanted.published.size, 128);
    for (old, refused) in [(0, Refused::OtherSize(128)), (64, Refused::OtherSize(128)), (128, Refused::OtherRoot(128))] {
        assert_eq!(one(&witness, &body(&twin, &wanted, old)).unwrap(), Err(refused));
    }
    // Both signatures together are the proof; it is kept once, and wakes somebody.
    assert_eq!(one(&witness, &body(&twin, &wanted, 128)).unwrap(), Err(Refused::OtherRoot(128)));
    let found = forks(&witness);
    assert_eq!(found.len(), 1);
    assert_eq!(alerts(&witness, Alarm::Fork).len(), 1);
    let file = fs::read(witness.directory.join("log/forks/1.fork-proof")).unwrap();
    assert_eq!(ForkProof::parse(&file).unwrap().verify(log_key.name(), &log_key).unwrap().later.size, 128);
    // Also when it has grown since.
    twin.desk.publish().unwrap();
    let wanted = twin.desk.wanted_of(&key).unwrap().unwrap();
    assert_eq!(one(&witness, &body(&twin, &wanted, 128)).unwrap(), Err(Refused::Inconsistent));
    assert_eq!(forks(&witness).len(), 1, "a proof that does not hold says nothing against the log");
    // Who looks at the tiles proves it for any two sizes.
    assert_eq!(look(&witness, &log_key, &twin).unwrap(), Looked::Forked);
    let found = forks(&witness);
    assert_eq!((found.len(), found[0].0), (2, true));
    let proof = ForkProof::parse(found[0].1.as_bytes()).unwrap().verify(log_key.name(), &log_key).unwrap();
    assert_eq!((proof.earlier.size, proof.later.size), (128, 192));
    // The twin learns from a mirror that it is one, and signs nothing more; what nobody signed stops nobody.
    let (checkpoint, _) = tiles(&log);
    assert!(twin.desk.seen_elsewhere(&Note::parse(&checkpoint).unwrap()).is_err());
    assert!(twin.desk.publish().is_err());
    log.desk.publish().unwrap();
}

#[test]
fn a_log_is_looked_at_as_it_grows() {
    let (log, log_key) = log();
    let watcher = Node::new(START);
    for size in [64, 128, 192, 256, 320] {
        assert_eq!(look(&watcher, &log_key, &log).unwrap(), Looked::Sound { size });
        assert_eq!(look(&watcher, &log_key, &log).unwrap(), Looked::Sound { size });
        log.desk.publish().unwrap();
    }
    let (_, read) = tiles(&log);
    let old = log.desk.store().reader().unwrap().read(|transaction| transaction.checkpoint_at(1, 128)).unwrap().unwrap();
    let behind = watcher.desk.look_at_log("peer", &log_key, old.note.as_bytes(), read).unwrap();
    assert_eq!(behind, Looked::Behind { size: 128, seen: 320 });
    assert_eq!(alerts(&watcher, Alarm::Witness).len(), 1);
    look(&watcher, &log_key, &log).unwrap();
    assert_eq!(alerts(&watcher, Alarm::Witness).len(), 0);
    // Tiles that are damaged or missing accuse nobody.
    log.desk.publish().unwrap();
    let (checkpoint, _) = tiles(&log);
    let missing = watcher.desk.look_at_log("peer", &log_key, &checkpoint, |_| None);
    assert!(matches!(missing, Err(Error::Unavailable(_))));
    let damaged = |tile: &Tile| Some(vec![7; 32 * usize::from(tile.width)]);
    assert_eq!(watcher.desk.look_at_log("peer", &log_key, &checkpoint, damaged).unwrap(), Looked::Unproven);
    assert_eq!(forks(&watcher).iter().map(|(proven, _)| *proven).collect::<Vec<_>>(), [false]);
    assert!(alerts(&watcher, Alarm::Fork).is_empty());
    assert_eq!(alerts(&watcher, Alarm::Witness).len(), 1);
    assert!(watcher.directory.join("log/forks/1.unproven").exists());
    // Another log's checkpoint is none of it.
    let (other, _) = self::log();
    assert!(matches!(look(&watcher, &log_key, &other), Err(Error::Invalid(_))));
    assert_eq!(look(&watcher, &log_key, &log).unwrap(), Looked::Sound { size: 448 });
}

#[test]
fn silence_wakes_somebody() {
    let (log, log_key) = log();
    let (witness, key) = witness(&[&log_key]);
    log.desk.expect_witnesses(&[("hub".to_owned(), key.clone())]);
    log.later(DAY - HOUR);
    assert!(alerts(&log, Alarm::Witness).is_empty());
    log.later(2 * HOUR);
    assert!(alerts(&log, Alarm::Witness)[0].contains("'hub' has not cosigned the log yet"));
    witness.later(DAY + HOUR);
    ask(&log, &witness, &key).unwrap();
    assert!(alerts(&log, Alarm::Witness).is_empty());
    log.later(DAY + HOUR);
    assert!(alerts(&log, Alarm::Witness)[0].contains("'hub' last cosigned"));
    // What nobody signed is told, and stops nothing.
    log.desk.witness_claims("hub", Some(1_000_000_000_000));
    assert_eq!(alerts(&log, Alarm::Witness).len(), 2);
    log.desk.publish().unwrap();
    log.desk.witness_claims("hub", None);
    assert_eq!(alerts(&log, Alarm::Witness).len(), 1);
    // A log that cannot be seen is told after an hour.
    log.desk.could_not_look("peer", "nobody answers there");
    log.later(HOUR / 2);
    log.desk.could_not_look("peer", "nobody answers there");
    assert_eq!(alerts(&log, Alarm::Witness).len(), 1);
    log.later(HOUR);
    log.desk.could_not_look("peer", "nobody answers there");
    assert_eq!(alerts(&log, Alarm::Witness).len(), 2);
}
