//! Tests of the keys: generations, copies, and what is left when a step was the last.

use std::path::PathBuf;

use super::seeds::Tree;
use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sluis-keys-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn keys(&self) -> PathBuf {
        self.0.join("keys.db")
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.0.join(generations::FOLDER))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// All bytes of all files.
    fn bytes(&self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { all.extend(std::fs::read(path).unwrap()) }
            }
        }
        all
    }

    fn has(&self, needle: &[u8]) -> bool {
        self.bytes().windows(needle.len()).any(|part| part == needle)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn keys_are_nowhere_as_they_are_and_survive_generations() {
    let folder = Folder::new("generations");
    let keys = Keys::open(&folder.keys()).unwrap();
    let many: Vec<(PublicId, Key)> = (0..10_000u32).map(|n| (PublicId(n.into()), sha256(&n.to_be_bytes()))).collect();
    keys.keep(&many).unwrap();
    keys.ensure_blocks(0, 3).unwrap();
    let seed = keys.seeds_of_block(2).unwrap();
    assert_eq!((seed.len(), seed[0].0, seed[0].1), (1, 0, 0));
    keys.ensure_blocks(0, 3).unwrap();
    assert_eq!(keys.seeds_of_block(2).unwrap(), seed);
    let reader = Keys::open_to_read(&folder.keys()).unwrap();
    assert_eq!(reader.get(PublicId(7)).unwrap(), Some(many[7].1));
    for generation in [2, 3] {
        let before = std::fs::read(folder.0.join(generations::FOLDER).join((generation - 1).to_string())).unwrap();
        keys.renew().unwrap();
        assert_eq!(folder.files(), [generation.to_string()]);
        assert!(!folder.has(&before), "the key of the generation before is gone");
    }
    assert!(!folder.has(&many[7].1) && !folder.has(&seed[0].2) && !folder.has(&keys.secret));
    // Whoever reads beside goes on.
    assert_eq!(reader.get(PublicId(8)).unwrap(), Some(many[8].1));
    assert_eq!(reader.seeds_of_block(2).unwrap(), seed);
    assert!(reader.is_same_node(&keys));
    drop(keys);
    let keys = Keys::open(&folder.keys()).unwrap();
    assert!(reader.is_same_node(&keys) && keys.generation() == 3);
    assert!(many.iter().all(|(id, key)| keys.get(*id).unwrap() == Some(*key)));
    assert!(!keys.renew_if_cut().unwrap());
    keys.destroy(&[PublicId(7)]).unwrap();
    assert!(keys.renew_if_cut().unwrap() && !keys.renew_if_cut().unwrap());
    assert_eq!((keys.get(PublicId(7)).unwrap(), keys.count().unwrap()), (None, 9_999));
}

#[test]
fn keys_of_before_there_were_generations_are_taken_over() {
    let folder = Folder::new("before");
    let old = Connection::open(folder.keys()).unwrap();
    old.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE node_secrets (name TEXT PRIMARY KEY, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
         CREATE TABLE raw_keys (submission BLOB PRIMARY KEY, key BLOB NOT NULL) STRICT, WITHOUT ROWID;",
    )
    .unwrap();
    old.execute("INSERT INTO node_secrets VALUES ('node', ?1)", [[5u8; 32]]).unwrap();
    old.execute("INSERT INTO raw_keys VALUES (?1, ?2)", ([9u8; 16], [6u8; 32])).unwrap();
    let public = PublicId(u128::from_be_bytes([9; 16]));
    // Also as a copy of before, which nobody may write to.
    let reader = Keys::open_to_read(&folder.keys()).unwrap();
    assert_eq!((reader.secret, reader.get(public).unwrap()), ([5; 32], Some([6; 32])));
    assert!(reader.seeds_of_block(0).is_err());
    drop((old, reader));
    let keys = Keys::open(&folder.keys()).unwrap();
    assert_eq!((keys.secret, keys.get(public).unwrap()), ([5; 32], Some([6; 32])));
    drop(keys);
    assert!(!folder.has(&[5; 32]) && !folder.has(&[6; 32]));
}

#[test]
fn a_generation_that_broke_off_is_gone_on_with() {
    // What was the last thing done before the power failed.
    for last in ["file", "begun", "secret", "some keys", "some seeds", "nothing"] {
        let folder = Folder::new(&format!("broken-{}", last.replace(' ', "-")));
        let keys = Keys::open(&folder.keys()).unwrap();
        let many: Vec<(PublicId, Key)> = (0..6_000u32).map(|n| (PublicId(n.into()), sha256(&n.to_be_bytes()))).collect();
        keys.keep(&many).unwrap();
        keys.ensure_blocks(0, 6_000).unwrap();
        let seeds: Vec<_> = (0..6_000).map(|block| keys.seeds_of_block(block).unwrap()).collect();
        if last == "file" {
            std::fs::write(folder.0.join(generations::FOLDER).join("2"), [1; 32]).unwrap();
        } else if last != "nothing" {
            let mut inner = keys.inner();
            let Inner { connection, generations } = &mut *inner;
            generations.begin(connection, 2).unwrap();
            if last != "begun" {
                inner.wrap_secret_anew().unwrap();
            }
            if last == "some keys" || last == "some seeds" {
                inner.wrap_raw_keys_anew(&[]).unwrap();
            }
            if last == "some seeds" {
                inner.wrap_seeds_anew([i64::MIN; 4]).unwrap();
            }
        }
        drop(keys);
        let reader = Keys::open_to_read(&folder.keys()).unwrap();
        assert_eq!(reader.get(PublicId(5_999)).unwrap(), Some(many[5_999].1), "{last}");
        let keys = Keys::open(&folder.keys()).unwrap();
        let expected = if matches!(last, "file" | "nothing") { "1" } else { "2" };
        assert_eq!(folder.files(), [expected], "{last}");
        assert!(many.iter().all(|(id, key)| keys.get(*id).unwrap() == Some(*key)), "{last}");
        assert!(seeds.iter().zip(0..).all(|(seed, block)| keys.seeds_of_block(block).unwrap() == *seed), "{last}");
    }
}

#[test]
fn without_its_file_a_generation_says_what_to_do() {
    let folder = Folder::new("lost");
    drop(Keys::open(&folder.keys()).unwrap());
    std::fs::remove_file(folder.0.join(generations::FOLDER).join("1")).unwrap();
    for result in [Keys::open(&folder.keys()).map(drop), Keys::open_to_read(&folder.keys()).map(drop)] {
        let text = result.unwrap_err().to_string();
        assert!(text.contains("kek/1") && text.contains("backup of the keys"), "{text}");
    }
}

#[test]
fn a_copy_opens_alone_and_comes_back() {
    let (folder, other) = (Folder::new("copied"), Folder::new("copy"));
    let keys = Keys::open(&folder.keys()).unwrap();
    keys.keep(&[(PublicId(1), [3; 32])]).unwrap();
    keys.ensure_blocks(0, 0).unwrap();
    let copy = other.0.join("copy.db");
    Keys::open_to_read(&folder.keys()).unwrap().copy_to(&copy).unwrap();
    keys.renew().unwrap();
    let copied = Keys::open_to_read(&copy).unwrap();
    let same = |copied: &Keys| {
        assert!(copied.is_same_node(&keys));
        assert_eq!(copied.get(PublicId(1)).unwrap(), Some([3; 32]));
        assert_eq!(copied.seeds_of_block(0).unwrap(), keys.seeds_of_block(0).unwrap());
    };
    same(&copied);
    copied.bring_back(&other.keys()).unwrap();
    std::fs::remove_file(copy).unwrap();
    same(&Keys::open(&other.keys()).unwrap());
    assert!(!other.has(&[3; 32]));
    // Whoever lays the copy in place of the keys is understood too.
    drop(keys);
    let (keys, second) = (Keys::open(&folder.keys()).unwrap(), other.0.join("second.db"));
    keys.copy_to(&second).unwrap();
    drop(keys);
    std::fs::rename(second, folder.keys()).unwrap();
    let keys = Keys::open(&folder.keys()).unwrap();
    assert_eq!((keys.get(PublicId(1)).unwrap(), folder.files()), (Some([3; 32]), vec!["3".to_owned()]));
}

#[test]
fn nodes_take_the_place_of_others_all_at_once() {
    let folder = Folder::new("nodes");
    let keys = Keys::open(&folder.keys()).unwrap();
    keys.ensure_blocks(1, 1).unwrap();
    assert_eq!(keys.keep_batch_seed(4, [7; 32]).unwrap(), [7; 32]);
    assert_eq!(keys.keep_batch_seed(4, [8; 32]).unwrap(), [7; 32]);
    let gone = keys.cut(&[(Tree::Block, 1), (Tree::Batch, 4), (Tree::Batch, 5)], &mut |tree, number, nodes| {
        assert_eq!(nodes.len(), 1);
        Ok(if tree == Tree::Block { vec![(1, 1, [number as u8; 32]), (2, 0, [2; 32])] } else { Vec::new() })
    });
    assert_eq!(gone.unwrap(), 2);
    assert_eq!(keys.seeds_of_block(1).unwrap(), [(1, 1, [1; 32]), (2, 0, [2; 32])]);
    // Erased is another thing than lost, and does not come back.
    assert_eq!(keys.seeds_of_batch(4).unwrap(), []);
    keys.ensure_batches(&[4]).unwrap();
    assert_eq!(keys.seeds_of_batch(4).unwrap(), []);
    assert!(keys.seeds_of_batch(5).unwrap_err().to_string().contains("batch 5"));
    // What fails changes nothing.
    let failed = keys.cut(&[(Tree::Block, 1), (Tree::Block, 1)], &mut |_, _, nodes| match nodes.len() {
        2 => Ok(Vec::new()),
        _ => Err(Error::Random),
    });
    assert!(failed.is_err());
    assert_eq!(keys.seeds_of_block(1).unwrap().len(), 2);
    keys.renew().unwrap();
    assert_eq!((keys.seeds_of_block(1).unwrap().len(), keys.seeds_of_batch(4).unwrap()), (2, vec![]));
}

#[test]
fn whoever_reads_or_keeps_meanwhile_goes_on() {
    let folder = Folder::new("meanwhile");
    let keys = Keys::open(&folder.keys()).unwrap();
    let many: Vec<(PublicId, Key)> = (0..9_000u32).map(|n| (PublicId(n.into()), sha256(&n.to_be_bytes()))).collect();
    keys.keep(&many).unwrap();
    keys.ensure_blocks(0, 0).unwrap();
    let seeds = keys.seeds_of_block(0).unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let beside = Keys::open_to_read(&folder.keys()).unwrap();
            let mut read = 0;
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                let (id, key) = many[read * 17 % many.len()];
                assert_eq!(beside.get(id).unwrap(), Some(key));
                assert_eq!(beside.seeds_of_block(0).unwrap(), seeds);
                read += 1;
            }
            read
        });
        let keeper = scope.spawn(|| {
            for n in 0..40u32 {
                keys.keep(&[(PublicId(1 << 100 | u128::from(n)), [n as u8; 32])]).unwrap();
            }
        });
        for _ in 0..6 {
            keys.renew().unwrap();
            let copy = folder.0.join("copy.db");
            Keys::open_to_read(&folder.keys()).unwrap().copy_to(&copy).unwrap();
            std::fs::remove_file(copy).unwrap();
        }
        keeper.join().unwrap();
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reader.join().unwrap() > 0);
    });
    drop(keys);
    let keys = Keys::open(&folder.keys()).unwrap();
    assert!((0..40u32).all(|n| keys.get(PublicId(1 << 100 | u128::from(n))).unwrap() == Some([n as u8; 32])));
    assert_eq!((keys.count().unwrap(), keys.generation()), (9_040, 7));
}
