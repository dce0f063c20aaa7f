//! The log of a desk: it grows, is signed and published, and refuses to tell two stories whatever was brought back.

#![allow(clippy::unwrap_used)]

#[path = "node/mod.rs"]
mod node;

use std::fs;
use std::path::Path;

use desk::Error;
use desk::seal::{Settings, folder_of, fsck};
use model::time::{DAY, Time};
use node::{Node, time};
use seal::checkpoint::{self, Checkpoint};
use seal::note::Note;

const START: &str = "2026-11-21T09:00:00Z";

/// A body of a public entry: erasures so far (`docs/seal.md` 4).
fn body(count: u64) -> Vec<u8> {
    [&[4][..], &count.to_be_bytes()].concat()
}

fn add(node: &Node, count: u64) {
    let bodies: Vec<Vec<u8>> = (0..count).map(body).collect();
    node.desk.add_public(&bodies).unwrap();
}

fn signed(node: &Node) -> store::log::Checkpoint {
    let mut reader = node.desk.store().reader().unwrap();
    reader
        .read(|transaction| {
            let shard = transaction.shard()?.unwrap();
            transaction.signed_checkpoint(shard.id)
        })
        .unwrap()
        .unwrap()
}

fn check(node: &Node, settings: &Settings) -> Vec<String> {
    let mut reader = node.desk.store().reader().unwrap();
    fsck::of_data(&mut reader, settings).unwrap().into_iter().flat_map(|report| report.wrong).collect()
}

fn shown(node: &Node, label: &str) -> Checkpoint {
    let bytes = fs::read(folder_of(&node.directory, label).join("checkpoint")).unwrap();
    let (_, key) = node.desk.log_key().unwrap();
    checkpoint::open(&Note::parse(&bytes).unwrap(), &key).unwrap()
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

fn refuses(result: Result<impl std::fmt::Debug, Error>, why: &str) {
    match result {
        Err(Error::Conflict(said)) => assert!(said.contains(why), "{said}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_log_grows_and_is_published_in_blocks() {
    let node = Node::new(START);
    add(&node, 3);
    assert_eq!(signed(&node).size, 3);
    let first = node.desk.publish().unwrap();
    assert_eq!((first.size, first.published), (64, Some(time(START))));
    assert_eq!(shown(&node, "2026").size, 64);
    // Whether something happened or not, it is a block larger.
    assert_eq!(node.desk.publish().unwrap().size, 128);
    add(&node, 65);
    assert_eq!(signed(&node).size, 193);
    assert_eq!(node.desk.publish().unwrap().size, 256);
    add(&node, 1000);
    node.desk.publish().unwrap();
    assert_eq!(check(&node, &Settings::default()), Vec::<String>::new());
    // What others get is whole without the database.
    let (_, key) = node.desk.log_key().unwrap();
    let report = fsck::of_folder(&folder_of(&node.directory, "2026"), Some(&key), true);
    assert_eq!((report.published, report.wrong), (1280, Vec::new()));
    // Partial tiles go when the full ones are there.
    assert!(!folder_of(&node.directory, "2026").join("tile/0/000.p").exists());
}

#[test]
fn the_next_process_goes_on_where_the_last_one_was() {
    let mut node = Node::new(START);
    add(&node, 700);
    let before = signed(&node);
    for _ in 0..3 {
        node.closed(|| ());
        add(&node, 1);
    }
    assert_eq!(signed(&node).size, before.size + 3);
    node.desk.check_log().unwrap();
    node.desk.publish().unwrap();
    assert_eq!(check(&node, &Settings::default()), Vec::<String>::new());
}

#[test]
fn torn_missing_and_damaged_tiles_are_written_anew() {
    let mut node = Node::new(START);
    add(&node, 2_000);
    node.desk.publish().unwrap();
    let folder = folder_of(&node.directory, "2026");
    let bundle = fs::read(folder.join("tile/entries/003")).unwrap();
    fs::write(folder.join("tile/entries/003"), &bundle[..1_000]).unwrap();
    fs::remove_file(folder.join("tile/0/001")).unwrap();
    fs::write(folder.join("tile/0/002"), [7; 8_192]).unwrap();
    assert!(!check(&node, &Settings::default()).is_empty());
    node.closed(|| ());
    node.desk.check_log().unwrap();
    assert_eq!(check(&node, &Settings::default()), Vec::<String>::new());
    // Also without the long look at the start: the tiles that matter then are seen to be wrong.
    fs::write(folder.join("tile/0/002"), [7; 8_192]).unwrap();
    fs::remove_dir_all(folder.join("tile/1")).unwrap();
    node.closed(|| ());
    add(&node, 1);
    assert_eq!(check(&node, &Settings::default()), Vec::<String>::new());
}

#[test]
fn an_older_database_is_not_signed() {
    let mut node = Node::new(START);
    if node.is_on_postgres() {
        // What is brought back here is the file of SQLite.
        return;
    }
    add(&node, 300);
    let kept = node.directory.with_extension("kept");
    let (directory, promise) = (node.directory.clone(), node.directory.join("signed/2026"));
    node.closed(|| copy(&directory, &kept));
    add(&node, 10);
    let newest = fs::read(&promise).unwrap();
    node.closed(|| {
        fs::remove_dir_all(&directory).unwrap();
        copy(&kept, &directory);
        fs::write(&promise, &newest).unwrap();
    });
    refuses(node.desk.add_public(&[body(1)]), "310 entries was signed, and the database has 300");
    refuses(node.desk.publish(), "cannot sign");
    assert!(node.desk.log_trouble().unwrap().reason.contains("sluis log begin"));
    assert!(check(&node, &Settings::default()).iter().any(|wrong| wrong.contains("it is older")));
    // The rest of the node goes on, and a person begins another log.
    let begun = node.desk.begin_log().unwrap();
    assert!(begun.origin.ends_with("/2026.2"), "{}", begun.origin);
    assert_eq!(node.desk.log_trouble(), None);
    add(&node, 5);
    assert_eq!(signed(&node).size, 6);
    fs::remove_dir_all(&kept).unwrap();
}

#[test]
fn a_node_that_was_restored_does_not_know_what_was_signed() {
    let mut node = Node::new(START);
    add(&node, 30);
    let (signed_folder, keys) = (node.directory.join("signed"), node.directory.join("log/keys"));
    node.closed(|| fs::remove_dir_all(&signed_folder).unwrap());
    refuses(node.desk.add_public(&[body(1)]), "nothing says what was signed last");
    node.closed(|| fs::remove_file(&keys).unwrap());
    refuses(node.desk.add_public(&[body(1)]), "which holds the key of the log");
    // Another key is another log, under another name.
    let begun = node.desk.begin_log().unwrap();
    assert!(begun.origin.ends_with("/2026.2"));
    add(&node, 1);
    assert_eq!(signed(&node).size, 2);
}

#[test]
fn a_promise_that_was_brought_back_or_damaged_stops_the_log() {
    let mut node = Node::new(START);
    add(&node, 30);
    let promise = node.directory.join("signed/2026");
    let old = fs::read(&promise).unwrap();
    add(&node, 1);
    let new = fs::read(&promise).unwrap();
    node.closed(|| fs::write(&promise, &old).unwrap());
    refuses(node.desk.add_public(&[body(1)]), "brought an older file back");
    node.closed(|| fs::write(&promise, &new[..40]).unwrap());
    refuses(node.desk.add_public(&[body(1)]), "cannot be read");
    node.closed(|| fs::write(&promise, &new).unwrap());
    add(&node, 1);
    assert_eq!(signed(&node).size, 32);
}

#[test]
fn a_key_of_another_signs_nothing() {
    let mut node = Node::new(START);
    add(&node, 3);
    let keys = node.directory.join("log/keys");
    node.closed(|| fs::write(&keys, "00".repeat(32)).unwrap());
    refuses(node.desk.add_public(&[body(1)]), "its key is not the one that signed so far");
}

#[test]
fn a_new_year_changes_nothing_and_a_log_that_is_begun_holds_the_last_checkpoint_of_the_one_before() {
    let node = Node::new(START);
    add(&node, 1);
    node.set(time("2027-01-01T00:00:01Z"));
    add(&node, 2);
    assert_eq!(signed(&node).size, 3);
    node.desk.publish().unwrap();
    node.desk.begin_log().unwrap();
    add(&node, 2);
    let last = shown_of(&node, "2026");
    assert_eq!(last.size, 64);
    assert_eq!(signed(&node).size, 3);
    let mut reader = node.desk.store().reader().unwrap();
    let (shards, first) = reader
        .read(|transaction| {
            let shards = transaction.shards()?;
            let first = transaction.log_entries(shards[1].id, 0, 1)?;
            Ok::<_, store::Error>((shards, first))
        })
        .unwrap();
    assert!(shards[0].ended.is_some() && shards[1].origin.ends_with("/2027"));
    // Entry 0 holds the last checkpoint of the log before.
    let note = fs::read(folder_of(&node.directory, "2026").join("checkpoint")).unwrap();
    assert_eq!(&first[0][..2], &[1, 2]);
    assert_eq!(&first[0][4..7], &[&[5][..], &(note.len() as u16).to_be_bytes()].concat());
    assert_eq!(&first[0][7..], note);
    // A clock that is set back begins nothing.
    node.set(time(START));
    add(&node, 1);
    assert_eq!(signed(&node).size, 4);
    node.set(Time(time("2027-06-01T00:00:00Z").0 + DAY));
    node.desk.publish().unwrap();
    assert_eq!(check(&node, &Settings::default()), Vec::<String>::new());
}

fn shown_of(node: &Node, label: &str) -> Checkpoint {
    let bytes = fs::read(folder_of(&node.directory, label).join("checkpoint")).unwrap();
    Checkpoint::parse(&Note::parse(&bytes).unwrap().text).unwrap()
}

#[test]
fn a_checkpoint_that_was_seen_elsewhere_stops_the_log_only_when_it_is_ours() {
    let node = Node::new(START);
    add(&node, 5);
    let (shard, _) = node.desk.log_key().unwrap();
    let five = Note::parse(signed(&node).note.as_bytes()).unwrap();
    add(&node, 5);
    assert!(node.desk.seen_elsewhere(&five).unwrap());
    // What a stranger signed, or nobody, says nothing about us.
    let text = Checkpoint::new(&shard.origin, 1_000_000, [1; 32]).unwrap().to_string();
    let stranger = seal::note::Ed25519Signer::new(&shard.origin, seal::note::Algorithm::Ed25519, &[9; 32]).unwrap();
    assert!(!node.desk.seen_elsewhere(&Note::sign(&text, &[&stranger]).unwrap()).unwrap());
    add(&node, 1);
    let digits = fs::read_to_string(node.directory.join("log/keys")).unwrap();
    let seed: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap()).collect();
    let ours = seal::note::Ed25519Signer::new(&shard.origin, seal::note::Algorithm::Ed25519, &seed.try_into().unwrap()).unwrap();
    refuses(node.desk.seen_elsewhere(&Note::sign(&text, &[&ours]).unwrap()), "1000000 entries");
    refuses(node.desk.add_public(&[body(1)]), "1000000 entries");
}

#[test]
fn two_processes_do_not_promise_in_one_folder() {
    let one = Node::new(START);
    add(&one, 1);
    let mut other = Node::new(START);
    other.desk.set_log(Settings { signed: Some(one.directory.join("signed")), ..Settings::default() });
    assert!(matches!(other.desk.add_public(&[body(1)]), Err(Error::Unavailable(_))));
}

#[test]
fn letters_wait_until_their_steps_are_under_a_signed_checkpoint() {
    use store::outbox::{Filter, Gate};
    let node = Node::new(START);
    node.import(&[("192.0.2.0/24", "c1", "2026-01-01", "")]);
    node.telnet("a", &[("2026-11-21 08:00:00", "192.0.2.7", 23)]);
    let entry = node.read(|transaction| transaction.entries(&Filter::default(), 10)).pop().expect("the shipped policy writes");
    let gate = |severity| {
        let entry = store::outbox::Entry { severity, ..entry.clone() };
        node.read(|transaction| transaction.gate(&entry, node.desk.now()))
    };
    use model::severity::Severity;
    assert_eq!((gate(Severity::P0), gate(Severity::P2)), (Gate::Waits, Gate::Waits));
    node.desk.seal().unwrap();
    assert_eq!(gate(Severity::P2), Gate::Sealed);
    // A further step of the case, and a log that cannot sign: the worst goes after a minute, and says that it is unsealed.
    let case = node.all()[0].0.case.id;
    node.desk.act(&node::doing(desk::acts::Verb::Handle { handler: "Anna".into() }, &[case])).unwrap();
    assert_eq!((gate(Severity::P1), gate(Severity::P2)), (Gate::Waits, Gate::Waits));
    node.later(61_000);
    assert_eq!((gate(Severity::P1), gate(Severity::P2)), (Gate::Unsealed, Gate::Waits));
    // Sealed, and not signed yet: as a process that was killed leaves it.
    fs::create_dir_all(node.directory.join("signed/2026.new")).unwrap();
    assert!(matches!(node.desk.seal(), Err(Error::Unavailable(_))));
    assert_eq!(node.number("SELECT count(*) FROM unsealed"), 0);
    assert_eq!(gate(Severity::P2), Gate::Waits);
    fs::remove_dir_all(node.directory.join("signed/2026.new")).unwrap();
    node.desk.seal().unwrap();
    assert_eq!(gate(Severity::P2), Gate::Sealed);
}

#[test]
fn a_log_that_cannot_sign_wakes_somebody_and_the_alert_ends_with_it() {
    let mut node = Node::new(START);
    add(&node, 3);
    let signed_folder = node.directory.join("signed");
    node.closed(|| fs::remove_dir_all(&signed_folder).unwrap());
    let unsigned = |node: &Node| {
        node.desk.check_alarms(&desk::alert::Machine::default()).unwrap();
        node.read(|transaction| transaction.open_alerts()).iter().filter(|alert| alert.key == "log").count()
    };
    assert_eq!(unsigned(&node), 0);
    refuses(node.desk.add_public(&[body(1)]), "cannot sign");
    assert_eq!(unsigned(&node), 1);
    node.desk.begin_log().unwrap();
    assert_eq!(unsigned(&node), 0);
}
