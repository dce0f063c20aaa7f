//! The cache keeps what was answered, and says nothing without its key.

use super::*;
use crate::files::Scratch;
use matching::testing::Chance;
use matching::token::identifier;

const OF: Of = Of { list: [7; 16], epoch: 3 };

fn token(number: u32) -> Token {
    identifier::kvk(&format!("{:08}", 10_000_000 + number)).unwrap()
}

fn key(n: u8) -> Key {
    Key::new([n; 32])
}

/// Fills a cache with tokens and says what each should give.
fn filled(directory: &Path, numbers: std::ops::Range<u32>) -> Cache {
    let mut chance = Chance::of(u64::from(numbers.start));
    let mut cache = Cache::open(directory, key(1), OF).unwrap();
    let tokens: Vec<(Token, [u8; 64])> = numbers.map(|n| (token(n), output(n))).collect();
    cache.add(tokens.iter().map(|(token, output)| (token, [output[0]; 16], output)));
    cache.save(&mut chance).unwrap();
    cache
}

fn output(n: u32) -> [u8; 64] {
    let mut output = [0xa5; 64];
    output[..4].copy_from_slice(&n.to_le_bytes());
    output
}

#[test]
fn what_was_added_is_there_after_it_was_closed() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..300));
    drop(filled(&directory, 200..400));
    let cache = Cache::open(&directory, key(1), OF).unwrap();
    assert_eq!(cache.len(), 400);
    for n in 0..400 {
        let kept = cache.get(&token(n)).unwrap();
        assert_eq!((kept.output, kept.tag), (&output(n), &[output(n)[0]; 16]), "{n}");
    }
    assert!(!cache.has(&token(400)));
}

#[test]
fn another_key_is_told_and_changes_nothing() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..3));
    let before = std::fs::read(directory.join(FOLDER).join(FILE)).unwrap();
    let said = Cache::open(&directory, key(2), OF).unwrap_err().to_string();
    assert!(said.contains("another cache key"), "{said}");
    assert_eq!(before, std::fs::read(directory.join(FOLDER).join(FILE)).unwrap());
}

#[test]
fn a_stop_while_writing_costs_only_what_was_being_written() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..10));
    let path = directory.join(FOLDER).join(FILE);
    let first = std::fs::metadata(&path).unwrap().len() as usize;
    drop(filled(&directory, 10..20));
    let whole = std::fs::read(&path).unwrap();
    for cut in first..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(Cache::open(&directory, key(1), OF).unwrap().len(), 10, "cut at {cut}");
    }
    drop(filled(&directory, 30..40));
    assert_eq!(Cache::open(&directory, key(1), OF).unwrap().len(), 20);
}

#[test]
fn a_changed_byte_is_refused() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..10));
    let path = directory.join(FOLDER).join(FILE);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len()).step_by(17) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        // A changed list or epoch is another list: then nothing is kept. A changed length ends early. Nothing else is ever read out.
        if let Ok(cache) = Cache::open(&directory, key(1), OF) {
            assert!(cache.is_empty(), "byte {at}");
        }
    }
}

#[test]
fn the_cache_of_another_epoch_ends() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..10));
    let cache = Cache::open(&directory, key(1), Of { epoch: 4, ..OF }).unwrap();
    assert_eq!((cache.len(), cache.ended()), (0, Some(3)));
    assert!(!directory.join(FOLDER).join(FILE).exists());
}

#[test]
fn customers_that_left_are_forgotten() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    let mut cache = filled(&directory, 0..10);
    let mut names = cache.names();
    for n in 0..4 {
        cache.note(&mut names, &token(n));
    }
    assert_eq!(cache.gone(&names), 6);
    assert_eq!(cache.keep_only(&names, &mut Chance::of(9)).unwrap(), 6);
    assert_eq!(cache.len(), 4);
    drop(cache);
    let cache = Cache::open(&directory, key(1), OF).unwrap();
    assert_eq!((cache.len(), cache.has(&token(3)), cache.has(&token(4))), (4, true, false));
}

#[test]
fn a_stolen_cache_says_nothing() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    drop(filled(&directory, 0..50));
    let raw = std::fs::read(directory.join(FOLDER).join(FILE)).unwrap();
    let has = |what: &[u8]| raw.windows(what.len()).any(|window| window == what);
    for n in 0..50 {
        let token = token(n);
        assert!(!has(token.bytes()) && !has(&token.input()), "token {n} in clear");
        assert!(!has(&output(n)[..16]) && !has(&matching::sha256(&[&token.input()])[..8]), "token {n} can be looked for");
        assert!(!has(&key::Namer::new(&key(1)).name(&token)), "the name of token {n} in clear");
    }
}

#[test]
fn a_cache_in_memory_writes_nothing() {
    let scratch = Scratch::new("cache");
    let directory = scratch.0.clone();
    let mut cache = Cache::memory(key(1), OF);
    cache.add([(&token(1), [1; 16], &output(1))]);
    cache.save(&mut Chance::of(1)).unwrap();
    assert!(cache.has(&token(1)));
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn a_key_is_made_once_and_read_again() {
    let scratch = Scratch::new("cache-key");
    let path = scratch.0.join("cache.key");
    let made = of_file(&path, &mut Chance::of(1)).unwrap();
    let read = of_file(&path, &mut Chance::of(2)).unwrap();
    assert_eq!(made.bytes(), read.bytes());
    std::fs::write(&path, "something else").unwrap();
    assert!(of_file(&path, &mut Chance::of(2)).is_err());
}

#[test]
fn a_passphrase_makes_the_same_key_beside_the_same_salt() {
    let scratch = Scratch::new("cache-passphrase");
    let made = of_passphrase(&scratch.0, "vier bruine paarden", &mut Chance::of(1)).unwrap();
    let again = of_passphrase(&scratch.0, "vier bruine paarden", &mut Chance::of(2)).unwrap();
    let other = of_passphrase(&scratch.0, "vier bruine paardjes", &mut Chance::of(2)).unwrap();
    assert_eq!(made.bytes(), again.bytes());
    assert_ne!(made.bytes(), other.bytes());
}
