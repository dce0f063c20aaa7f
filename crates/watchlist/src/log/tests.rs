//! A log that grows, is interrupted, is copied and is lied about.

use std::path::PathBuf;

use super::{listed::*, *};
use matching::envelope::Kind;

/// A folder of its own for each test.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let dir = std::env::temp_dir().join(format!("sluis-listlog-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        Dir(dir)
    }

    fn log(&self) -> Result<ListLog, Error> {
        ListLog::open(&self.0.join("log"), &self.0.join("key"), "list.example/one", &[7; 32])
    }

    fn create(&self) -> ListLog {
        ListLog::create(&self.0.join("log"), &self.0.join("key"), "list.example/one", &[7; 32]).unwrap()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn leaves(from: u64, n: u64) -> Vec<Vec<u8>> {
    (from..from + n).map(|at| record::entry(&matching::sha256(&[&at.to_be_bytes()]), &[9; 32]).to_vec()).collect()
}

/// A publication after these leaves.
fn publish(log: &mut ListLog, hash: [u8; 32], since: &[u64]) -> (LogProof, Vec<u8>) {
    log.checkpoint().unwrap();
    let entries = log.seen();
    let leaf = published(Kind::Delta, &hash);
    let index = log.size();
    log.append(index, std::slice::from_ref(&leaf)).unwrap();
    let checkpoint = log.checkpoint().unwrap().to_string();
    let size = log.size();
    let proof = LogProof {
        checkpoint,
        index,
        path: log.inclusion(index, size).unwrap(),
        since: since.iter().map(|old| (*old, log.consistency(*old, size).unwrap())).collect(),
        entries,
        entries_path: log.consistency(entries.size, size).unwrap(),
    };
    assert_eq!(LogProof::decode(&proof.encode()).unwrap(), proof);
    (proof, leaf)
}

#[test]
fn a_log_grows_over_bundles_and_proves_everything_from_files_alone() {
    let dir = Dir::new("grows");
    let mut log = dir.create();
    assert!(matches!(
        ListLog::create(&dir.0.join("log"), &dir.0.join("key"), "list.example/one", &[7; 32]),
        Err(Error::Exists(_))
    ));
    let anchor = Anchor::parse(&log.key().to_string()).unwrap();
    let secret = [3; 32];
    let salts = Salts::of(&secret, [1; 16], 1);
    let sealed = seal_entry(&salts, b"capsule", b"reason");
    log.append(0, &leaves(0, 300)).unwrap();
    log.append(300, &[sealed.leaf.to_vec()]).unwrap();
    let (first, leaf) = publish(&mut log, [1; 32], &[]);
    let path = log.inclusion(300, first.entries.size).unwrap();
    let one = check::check(&first, &anchor, &leaf, None, None).unwrap();

    // Opened by itself again, it goes on.
    let mut log = dir.log().unwrap();
    log.append(302, &leaves(302, 600)).unwrap();
    let (second, leaf_two) = publish(&mut log, [2; 32], &[one.seen.size]);
    let two = check::check(&second, &anchor, &leaf_two, Some(&one.seen), None).unwrap();
    assert_eq!(two.seen.size, 903);

    let proof = sealed.capsule_proof(300, first.entries.size, &path);
    let roots = [one.entries, two.entries];
    let logged = check_capsule(&proof, b"capsule", &roots).unwrap();
    assert!(check_reason(&logged, &sealed.reason_proof(), b"reason").is_ok());
    // What was changed by anybody is refused.
    assert!(matches!(check_capsule(&proof, b"another", &roots), Err(Wrong::Path(_))));
    assert!(matches!(check_capsule(&proof, b"capsule", &roots[1..]), Err(Wrong::Unknown(_))));
    assert!(matches!(check_reason(&logged, &sealed.reason_proof(), b"another"), Err(Wrong::Reason)));
    assert!(check_reason(&logged, &[], b"reason").is_err());
    assert!(matches!(check::check(&second, &anchor, &leaf, None, None), Err(Wrong::Path(_))));
    assert!(matches!(check::check(&first, &anchor, &leaf, Some(&two.seen), None), Err(Wrong::Behind { .. })));
    let never = Seen { size: 17, root: [0; 32] };
    assert!(matches!(check::check(&second, &anchor, &leaf_two, Some(&never), None), Err(Wrong::NoWayBack(17))));
    let other = Seen { root: [0; 32], ..one.seen };
    assert!(matches!(check::check(&second, &anchor, &leaf_two, Some(&other), None), Err(Wrong::Path(_))));
    let other = Seen { root: [0; 32], ..two.seen };
    assert!(matches!(check::check(&second, &anchor, &leaf_two, Some(&other), None), Err(Wrong::Fork(903))));
    let foreign = Dir::new("foreign");
    let key = ListLog::create(&foreign.0.join("log"), &foreign.0.join("key"), "list.example/one", &[8; 32]).unwrap();
    let foreign = Anchor::parse(&key.key().to_string()).unwrap();
    assert!(matches!(check::check(&second, &foreign, &leaf_two, None, None), Err(Wrong::Checkpoint(_))));
}

#[test]
fn what_was_interrupted_is_repeated_and_nothing_else() {
    let dir = Dir::new("repeat");
    let mut log = dir.create();
    log.append(0, &leaves(0, 250)).unwrap();
    log.checkpoint().unwrap();
    // Tiles are full, and then the power goes.
    log.append(250, &leaves(250, 10)).unwrap();
    let full = log.growth.take_full();
    log.tiles.keep(&full).unwrap();
    let mut log = dir.log().unwrap();
    assert_eq!(log.size(), 250);
    log.append(250, &leaves(250, 10)).unwrap();
    log.checkpoint().unwrap();
    // Once more, after the checkpoint: nothing is added twice.
    let mut log = dir.log().unwrap();
    log.append(250, &leaves(250, 10)).unwrap();
    assert_eq!(log.size(), 260);
    assert!(matches!(log.append(250, &leaves(251, 1)), Err(Error::Differs(250))));
    assert!(matches!(log.append(261, &leaves(0, 1)), Err(Error::Gap { size: 260, start: 261 })));
}

#[test]
fn an_old_copy_signs_no_second_story() {
    let dir = Dir::new("old");
    let mut log = dir.create();
    log.append(0, &leaves(0, 10)).unwrap();
    log.checkpoint().unwrap();
    let (tiles, old) = (dir.0.join("log"), dir.0.join("old"));
    copy(&tiles, &old);
    log.append(10, &leaves(10, 400)).unwrap();
    log.checkpoint().unwrap();
    // The directory of the log comes back from a backup; the key's place does not.
    std::fs::remove_dir_all(&tiles).unwrap();
    std::fs::rename(&old, &tiles).unwrap();
    assert!(matches!(dir.log(), Err(Error::Damaged(410))));
    // Without what was promised nothing is signed at all.
    std::fs::remove_file(dir.0.join("key").join(PROMISE)).unwrap();
    assert!(matches!(dir.log(), Err(Error::Missing(_))));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &to.join(file.file_name()));
        } else {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

#[test]
fn hostile_proofs_are_refused_without_harm() {
    let dir = Dir::new("hostile");
    let mut log = dir.create();
    log.append(0, &leaves(0, 20)).unwrap();
    let (proof, leaf) = publish(&mut log, [1; 32], &[]);
    let anchor = Anchor::parse(&log.key().to_string()).unwrap();
    let bytes = proof.encode();
    for at in 0..bytes.len() {
        assert!(LogProof::decode(&bytes[..at]).is_err());
        for bit in [1, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= bit;
            if let Ok(changed) = LogProof::decode(&changed) {
                assert!(check::check(&changed, &anchor, &leaf, None, None).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn each_entry_has_salts_of_its_own() {
    let secret = [3; 32];
    let mut all = std::collections::BTreeSet::new();
    for (id, version) in [(1, 1), (1, 2), (2, 1)] {
        let salts = Salts::of(&secret, [id; 16], version);
        for seq in 0..3 {
            all.insert(salts.slot(seq));
            (0..3).for_each(|field| assert!(all.insert(salts.salt(seq, field))));
        }
    }
    assert_eq!(all.len(), 3 * 3 * 4);
    let salts = Salts::of(&secret, [1; 16], 1);
    assert_ne!(seal_status(&salts, 1, "suspended", 5, "contested"), seal_status(&salts, 2, "suspended", 5, "contested"));
}
