//! Bundles that lie: what a thief, a forger or a dishonest operator could make of a [`Story`], with the exit status each deserves.
//!
//! An operator has the log's key and every salt, so most lies are well formed and well signed.

mod containers;
mod sealed;

pub use containers::repacked;

use super::World;
use super::stories::{Example, Story, example};
use crate::bundle::{Anchor, Bundle, Opening};
use crate::cosignature;
use crate::note::{Algorithm, Ed25519Signer, Note, Signer};
use crate::record::{Hash, OPENED, Record, Value};

/// Every lie.
pub(super) fn all(story: &Story) -> Vec<Example> {
    let mut lies = shown(story);
    lies.extend(proofs(story));
    lies.extend(signatures(story));
    lies.extend(times(story));
    lies.extend(streams(story));
    lies.extend(sealed::all(story));
    lies.extend(batches(story));
    lies.extend(erasures(story));
    lies.extend(containers::all(story));
    lies
}

/// A lie: its name, what it is, the exit status that it deserves, and how a bundle is made into it.
type Lie<'a> = (&'a str, &'static str, u8, &'a dyn Fn(&mut Bundle));

/// Lies that are made of one bundle by changing it.
fn changed(bundle: &Bundle, lies: &[Lie<'_>]) -> Vec<Example> {
    let one = |(name, why, exit, lie): &Lie<'_>| {
        let mut bundle = bundle.clone();
        lie(&mut bundle);
        bundle.sort();
        example(name, why, *exit, &bundle)
    };
    lies.iter().map(one).collect()
}

fn set(opening: &mut Opening, change: impl FnOnce(&mut Hash, &mut String, &mut Value)) {
    if let Opening::Shown { salt, name, value, .. } = opening {
        change(salt, name, value);
    }
}

fn salt_of(opening: &Opening) -> Hash {
    match opening {
        Opening::Shown { salt, .. } => *salt,
        _ => [0; 32],
    }
}

/// What the fields of a record are said to be.
fn shown(story: &Story) -> Vec<Example> {
    let place = |name: &str| OPENED.ordinal(name).unwrap();
    let (resource, category, name) = (place("resource"), place("category"), place("party_name"));
    changed(
        &story.whole(),
        &[
            ("salts-swapped", "the salts of two fields change places", 1, &|bundle| {
                let openings = &mut bundle.records[0].openings;
                let (one, other) = (salt_of(&openings[resource]), salt_of(&openings[category]));
                set(&mut openings[resource], |salt, _, _| *salt = other);
                set(&mut openings[category], |salt, _, _| *salt = one);
            }),
            ("values-swapped", "two fields change places with name, salt and value", 1, &|bundle| {
                bundle.records[0].openings.swap(resource, category);
            }),
            ("value-changed", "another address", 1, &|bundle| {
                set(&mut bundle.records[0].openings[resource], |_, _, value| *value = Value::text("192.0.2.6"));
            }),
            ("value-left-out", "a field is said to be absent", 1, &|bundle| {
                set(&mut bundle.records[0].openings[name], |_, _, value| *value = Value::Absent);
            }),
            ("name-changed", "a field under another name", 1, &|bundle| {
                set(&mut bundle.records[0].openings[name], |_, name, _| *name = "actor".into());
            }),
            ("type-changed", "a time shown as a number", 1, &|bundle| {
                set(&mut bundle.records[1].openings[10], |_, _, value| {
                    if let Value::Time(time) = value {
                        *value = Value::Number(*time as u64);
                    }
                });
            }),
            ("kind-changed", "a step shown as evidence", 1, &|bundle| bundle.records[1].kind = 4),
            ("kind-unknown", "a record of a kind that does not exist", 1, &|bundle| bundle.records[1].kind = 99),
            ("event-hidden", "what is always shown is not", 1, &|bundle| {
                let digest = bundle.records[2].openings[0].digest();
                bundle.records[2].openings[0] = Opening::Hidden { digest };
            }),
            ("time-hidden", "when it was recorded is not shown", 1, &|bundle| {
                let digest = bundle.records[2].openings[4].digest();
                bundle.records[2].openings[4] = Opening::Hidden { digest };
            }),
            ("field-missing", "a record has a digest too few", 1, &|bundle| {
                bundle.records[2].openings.pop();
            }),
            ("field-more", "a record has eight digests too many", 1, &|bundle| {
                bundle.records[2].openings.extend(vec![Opening::Hidden { digest: [1; 32] }; 8]);
            }),
            ("attachment-changed", "one letter in an attachment is another", 1, &|bundle| {
                set(&mut bundle.records[3].openings[18], |_, _, value| {
                    if let Value::Bytes(content) = value {
                        content[0] ^= 1;
                    }
                });
            }),
            ("attachments-swapped", "the letter and the transcript change places", 1, &|bundle| {
                let other = bundle.records[4].openings[18].clone();
                bundle.records[4].openings[18] = std::mem::replace(&mut bundle.records[3].openings[18], other);
            }),
        ],
    )
}

/// Where records are said to stand in the log.
fn proofs(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let whole = story.whole();
    let mut lies = changed(
        &whole,
        &[
            ("path-changed", "a proof of inclusion with another hash", 1, &|bundle| bundle.proofs[5].path[0] = [1; 32]),
            ("path-longer", "a proof of inclusion with a hash more", 1, &|bundle| bundle.proofs[5].path.push([1; 32])),
            ("path-shorter", "a proof of inclusion with a hash less", 1, &|bundle| {
                bundle.proofs[5].path.pop();
            }),
            ("proof-missing", "a record without a proof", 1, &|bundle| {
                let index = bundle.records[7].index;
                bundle.proofs.retain(|proof| proof.index != index);
            }),
            ("entry-changed", "a proof of another entry", 1, &|bundle| {
                let index = bundle.records[7].index;
                bundle.proofs.iter_mut().filter(|proof| proof.index == index).for_each(|proof| proof.entry[40] ^= 1);
            }),
            ("index-moved", "a record that says to stand one further", 1, &|bundle| bundle.records[7].index += 1),
            ("index-beyond", "a record beyond the checkpoint", 1, &|bundle| {
                let index = bundle.records[19].index;
                bundle.proofs.iter_mut().filter(|proof| proof.index == index).for_each(|proof| proof.index = 1 << 40);
                bundle.records[19].index = 1 << 40;
            }),
            ("slot-changed", "a record in another slot", 1, &|bundle| bundle.records[7].slot[0] ^= 1),
            ("checkpoint-older", "a checkpoint from before the last records", 1, &|bundle| {
                bundle.checkpoint = Some(world.published[1].note.clone());
            }),
            ("consistency-changed", "checkpoints that are not shown to be of one tree", 1, &|bundle| {
                let anchor = bundle.anchors.iter_mut().find(|anchor| !anchor.consistency.is_empty()).unwrap();
                anchor.consistency[0][0] ^= 1;
            }),
            ("consistency-missing", "the same without the hashes", 1, &|bundle| {
                bundle.anchors.iter_mut().for_each(|anchor| anchor.consistency.clear());
            }),
        ],
    );

    // Two views of one log: of the same size with another root, and of a smaller size that the larger does not begin with.
    let last = world.published.last().unwrap();
    let mut other = world.beside(9);
    other.now = world.now;
    other.pad(last.size as usize);
    let note = other.note(last.size, other.root(last.size));
    let tokens = |note: &[u8]| -> Vec<Vec<u8>> {
        let digest = super::world::text_digest(note);
        world.authorities.iter().map(|authority| authority.stamp(&digest, world.now, 5)).collect()
    };
    let mut twice = whole.clone();
    twice.anchors.retain(|anchor| anchor.size != last.size);
    twice.anchors.push(Anchor { size: last.size, tokens: tokens(&note), checkpoint: note, consistency: Vec::new() });
    twice.sort();
    lies.push(example("equal-size-another-root", "two signed checkpoints of one size with two roots", 1, &twice));

    let size = whole.anchors[1].size;
    let note = other.note(size, other.root(size));
    let mut forked = whole.clone();
    forked.anchors[1] = Anchor { size, tokens: tokens(&note), checkpoint: note, consistency: world.consistency(size, last.size) };
    lies.push(example("two-forks", "time-stamps of one history, records of another", 1, &forked));
    forked.anchors[1].consistency = other.consistency(size, last.size);
    lies.push(example("two-forks-own-proof", "the same, with the proof that fits the other history", 1, &forked));
    lies
}

/// Who is said to have signed.
fn signatures(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let last = world.published.last().unwrap();
    let edit = |change: &dyn Fn(&mut Note)| {
        let mut note = Note::parse(&last.note).unwrap();
        change(&mut note);
        note.to_string().into_bytes()
    };
    let put = |bundle: &mut Bundle, note: Vec<u8>| {
        for anchor in bundle.anchors.iter_mut().filter(|anchor| anchor.size == last.size) {
            anchor.checkpoint.clone_from(&note);
        }
        bundle.checkpoint = Some(note);
    };
    let other = Ed25519Signer::new(&world.origin, Algorithm::Ed25519, &[3; 32]).unwrap();
    let mut lies = changed(
        &story.whole(),
        &[
            ("log-unsigned", "the log's own signature is missing", 1, &|bundle| {
                put(bundle, edit(&|note| drop(note.lines.remove(0))));
            }),
            ("log-key-other", "signed by another key of the same name", 1, &|bundle| {
                let checkpoint = crate::checkpoint::Checkpoint::parse(&Note::parse(&last.note).unwrap().text).unwrap();
                let line = checkpoint.sign(&[&other]).unwrap().lines.remove(0);
                put(bundle, edit(&|note| note.lines[0] = line.clone()));
            }),
            ("log-signature-wrong", "a signature of the log that does not hold", 1, &|bundle| {
                put(bundle, edit(&|note| note.lines[0].signature[10] ^= 1));
            }),
            ("witness-wrong", "a cosignature of a known witness that does not hold", 1, &|bundle| {
                put(bundle, edit(&|note| note.lines[1].signature[10] ^= 1));
            }),
            ("unwitnessed", "no witness has cosigned", 2, &|bundle| put(bundle, edit(&|note| note.lines.truncate(1)))),
            ("one-witness", "one witness of the two that the policy asks for", 2, &|bundle| {
                put(bundle, edit(&|note| note.lines.truncate(2)));
            }),
            ("one-witness-twice", "one witness, at two moments", 2, &|bundle| {
                let again =
                    cosignature::sign(&Note::parse(&last.note).unwrap().text, 1_772_999_999, &world.witnesses[0]).unwrap();
                put(
                    bundle,
                    edit(&|note| {
                        note.lines.truncate(2);
                        note.lines.push(again.clone());
                    }),
                );
            }),
            ("origin-other", "the manifest names another log", 1, &|bundle| bundle.origin = "log.other.example/2026".into()),
        ],
    );
    let mut stripped =
        example("algorithm-stripped", "the policy asks for two algorithms, one of them was stripped", 2, &story.whole());
    stripped.policy = Some(format!("{}#sluis signs all-of 2026-01-01 Voorbeeld Hosting B.V.\n", world.policy()));
    lies.push(stripped);
    let mut unknown = example("log-unknown", "a log that the policy does not name", 1, &story.whole());
    unknown.policy = Some(world.beside(1).policy().replace(&world.log.key().to_string(), &other.key().to_string()));
    lies.push(unknown);
    lies
}

/// When things are said to have happened.
fn times(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let whole = story.whole();
    let mut lies = changed(
        &whole,
        &[
            ("no-time-stamps", "no time-stamp at all", 2, &|bundle| bundle.anchors.clear()),
            ("one-authority", "one authority of the two that the policy asks for", 2, &|bundle| {
                bundle.anchors.iter_mut().for_each(|anchor| anchor.tokens.truncate(1));
            }),
            ("one-authority-twice", "the token of one authority, two times", 2, &|bundle| {
                bundle.anchors.iter_mut().for_each(|anchor| anchor.tokens[1] = anchor.tokens[0].clone());
            }),
            ("token-of-another-checkpoint", "two checkpoints change their time-stamps", 1, &|bundle| {
                let tokens = bundle.anchors[1].tokens.clone();
                bundle.anchors[1].tokens = std::mem::replace(&mut bundle.anchors[2].tokens, tokens);
            }),
            ("token-damaged", "a token whose signature does not hold", 1, &|bundle| {
                let token = &mut bundle.anchors[1].tokens[0];
                let at = token.len() - 9;
                token[at] ^= 1;
            }),
            ("token-trailing", "a token with a byte after its end", 1, &|bundle| bundle.anchors[1].tokens[0].push(0)),
        ],
    );
    // Authorities of the right names whom nobody trusts.
    let mut untrusted = whole.clone();
    let strangers: Vec<super::Authority> =
        world.authorities.iter().map(|authority| super::Authority::new(&authority.name, 2025, 2035)).collect();
    for anchor in &mut untrusted.anchors {
        let digest = super::world::text_digest(&anchor.checkpoint);
        anchor.tokens = strangers.iter().map(|authority| authority.stamp(&digest, world.now, 1)).collect();
    }
    lies.push(example("authority-unknown", "time-stamps by authorities that nobody trusts", 2, &untrusted));
    // A moment at which their certificates are no longer valid.
    let mut expired = whole.clone();
    for anchor in &mut expired.anchors {
        let digest = super::world::text_digest(&anchor.checkpoint);
        anchor.tokens = world.authorities.iter().map(|authority| authority.stamp(&digest, 2_082_758_400_000, 1)).collect();
    }
    lies.push(example("authority-expired", "time-stamps from after the authorities' certificates ended", 2, &expired));

    // The only entry of a time-stamp that is shown stands after the records.
    let after =
        world.published.iter().find(|one| one.entries[0] > whole.records.last().map_or(0, |record| record.index)).unwrap();
    let mut late = whole.clone();
    let records: Vec<u64> = whole.records.iter().map(|record| record.index).collect();
    late.proofs.retain(|proof| records.contains(&proof.index));
    late.proofs.extend(after.entries.iter().map(|entry| world.proof(*entry)));
    late.anchors.retain(|anchor| anchor.size > records[0]);
    late.anchors.push(world.anchor(after));
    late.sort();
    lies.push(example(
        "anchor-after-the-record",
        "nothing says from when on a record can be: the time-stamp is of later",
        2,
        &late,
    ));

    for (name, why, by) in [
        ("clock-behind", "records that say to be of three days before their time-stamps", -3 * 86_400_000),
        ("clock-ahead", "records that say to be of three days after their time-stamps", 3 * 86_400_000),
    ] {
        let (world, stream, records) = short(story, |_, place, record| {
            if let (2.., Value::Time(time)) = (place, record.get("recorded_at").clone()) {
                record.set("recorded_at", Value::Time(time + by));
            }
        });
        lies.push(example(name, why, 2, &world.bundle(stream, &records, &[], &|_, _| true)));
    }
    lies
}

/// A short case in a log of its own, in which each record can be changed before it is sealed.
fn short(story: &Story, lie: impl Fn(&World, usize, &mut Record)) -> (World, usize, Vec<usize>) {
    let mut world = story.world.beside(7);
    world.pad(64);
    world.publish();
    world.wait(60);
    let stream = world.stream();
    let mut records = Vec::new();
    for place in 0..5 {
        let from = &story.world.sealed[story.complaint.1[if place == 0 { 0 } else { 15 }]].record;
        let mut record = Record::new(from.kind);
        for ordinal in (0..from.kind.fields()).filter(|ordinal| !matches!(ordinal, 1..=4 | 6)) {
            let (name, _) = from.kind.field(ordinal).unwrap();
            record.set(name, from.values()[ordinal].clone());
        }
        if place == 0 {
            records.push(world.seal(stream, record));
        } else {
            let head = world.streams[stream].head;
            record.set("stream", Value::Bytes(world.streams[stream].id.to_vec()));
            record.set("seq", Value::Number(head.map_or(0, |(count, _)| count)));
            record.set("prev", head.map_or(Value::Absent, |(_, prev)| Value::Digest(prev)));
            record.set("recorded_at", Value::Time(world.now));
            lie(&world, place, &mut record);
            records.push(world.seal_as_it_is(stream, record));
        }
        world.wait(1);
    }
    world.publish();
    world.wait(60);
    world.publish();
    (world, stream, records)
}

/// What is said to belong to the case.
fn streams(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let whole = story.whole();
    let foreign = world.bundle(story.erased.0, &story.erased.1, &[], &|_, _| true);
    let mut lies = changed(
        &whole,
        &[
            ("step-dropped", "a step in the middle is left out", 2, &|bundle| drop(bundle.records.remove(9))),
            ("first-dropped", "the first record is left out", 2, &|bundle| drop(bundle.records.remove(0))),
            ("record-twice", "a record stands there twice", 1, &|bundle| bundle.records.push(bundle.records[3].clone())),
            ("secret-missing", "the secret of the case is not shown", 2, &|bundle| bundle.secrets.clear()),
            ("secret-other", "another secret than the one that was committed to", 1, &|bundle| bundle.secrets[0].1[0] ^= 1),
            ("case-left-out", "nothing of the case is there", 2, &|bundle| {
                bundle.records.clear();
                bundle.secrets.clear();
            }),
            ("case-of-another", "the manifest names one case, the records are of another", 2, &|bundle| {
                bundle.stream = [9; 16];
            }),
            ("record-of-another-case", "a record of another case in the place of a step, with its own proof", 1, &|bundle| {
                let mut record = foreign.records[1].clone();
                let own = bundle.records[1].openings[1].clone();
                let index = record.index;
                record.openings[1] = own;
                bundle.records[1] = record;
                bundle.proofs.extend(foreign.proofs.iter().filter(|proof| proof.index == index).cloned());
            }),
        ],
    );
    for (name, why, exit, lie) in [
        ("prev-other", "a record that does not follow the one before it", 1, &|_: &World, place: usize, record: &mut Record| {
            if place == 2 {
                record.set("prev", Value::Digest([1; 32]));
            }
        }),
        (
            "prev-missing",
            "a record in the middle that says to follow none",
            1,
            &|_: &World, place: usize, record: &mut Record| {
                if place == 2 {
                    record.set("prev", Value::Absent);
                }
            },
        ),
        ("number-left-out", "a number of the case is given to no record", 2, &|_: &World, place: usize, record: &mut Record| {
            if place == 3 {
                record.set("seq", Value::Number(4));
            } else if place == 4 {
                record.set("seq", Value::Number(5));
            }
        }),
        ("slot-twice", "two records in one slot, both shown", 1, &|_: &World, place: usize, record: &mut Record| {
            if place == 4 {
                record.set("seq", Value::Number(3));
            }
        }),
        ("clock-back", "a record of before the one that it follows", 2, &|_: &World, place: usize, record: &mut Record| {
            if let (3, Value::Time(time)) = (place, record.get("recorded_at").clone()) {
                record.set("recorded_at", Value::Time(time - 50 * 60_000));
            }
        }),
        (
            "stream-of-another",
            "a record that names another case than the one whose slot it has",
            1,
            &|_: &World, place: usize, record: &mut Record| {
                if place == 2 {
                    record.set("stream", Value::Bytes(vec![8; 16]));
                }
            },
        ),
    ] as [(&str, &'static str, u8, &dyn Fn(&World, usize, &mut Record)); 6]
    {
        let (world, stream, records) = short(story, lie);
        lies.push(example(name, why, exit, &world.bundle(stream, &records, &[], &|_, _| true)));
    }

    // One slot, two records: one of them is shown, and only the whole log shows the other. And a record that is kept back.
    let (world, stream, records) = short(story, |_, place, record| {
        if place == 4 {
            record.set("seq", Value::Number(3));
        }
    });
    let mut two = example(
        "slot-twice-in-the-log",
        "another record in the slot of one that is shown: the log has it",
        1,
        &world.bundle(stream, &records[..4], &[], &|_, _| true),
    );
    two.log = Some(world.files());
    lies.push(two);
    let (world, stream, records) = short(story, |_, _, _| ());
    let mut tail = example(
        "tail-kept-back",
        "the last record of the case is not shown: the log has its slot",
        2,
        &world.bundle(stream, &records[..4], &[], &|_, _| true),
    );
    tail.log = Some(world.files());
    lies.push(tail);
    lies
}

/// What is said of a batch.
fn batches(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let other = world.shown_report(story.batch.1, story.row.2 + 1, true);
    changed(
        &story.fed(),
        &[
            ("report-changed", "a row with another address", 1, &|bundle| {
                set(&mut bundle.reports[0].openings[0], |_, _, value| *value = Value::text("198.51.100.251"));
            }),
            ("report-moved", "a row that says to be the next", 1, &|bundle| bundle.reports[0].place += 1),
            ("report-beyond", "a row beyond the batch", 1, &|bundle| bundle.reports[0].place = 1 << 33),
            ("report-path", "a row with another way up the batch", 1, &|bundle| bundle.reports[0].path[0][0] ^= 1),
            ("report-fields-swapped", "two fields of a row change places", 1, &|bundle| bundle.reports[0].openings.swap(0, 2)),
            ("report-of-another-row", "another row than the one that opened the case", 2, &|bundle| {
                bundle.reports[0] = other.clone()
            }),
            ("report-of-another-batch", "a row of a batch that is not shown", 1, &|bundle| bundle.reports[0].batch = [1; 32]),
            ("batch-missing", "the record of the batch is not shown", 1, &|bundle| drop(bundle.records.pop())),
            ("batch-root-hidden", "the root of the batch is not shown", 1, &|bundle| {
                let record = bundle.records.last_mut().unwrap();
                let digest = record.openings[16].digest();
                record.openings[16] = Opening::Hidden { digest };
            }),
        ],
    )
}

/// What is said to have been erased.
fn erasures(story: &Story) -> Vec<Example> {
    let world = &story.world;
    let mut records = story.erased.1.clone();
    records.extend(&story.erasures);
    let whole = world.bundle(story.erased.0, &records, &[], &|_, _| true);
    let (first, done) = (world.sealed[story.erased.1[0]].clone(), world.sealed[story.erasures[1]].commitment);
    changed(
        &whole,
        &[
            ("erasure-missing", "the record that says so is not shown", 2, &|bundle| {
                bundle.records.retain(|record| record.kind != 5);
            }),
            ("erasure-of-another-field", "a field that no record says was erased", 1, &|bundle| {
                bundle.records[0].openings[16] = Opening::Erased { digest: first.digests[16], record: done };
            }),
            ("erasure-by-another-record", "a record that is no erasure is said to be one", 1, &|bundle| {
                let digest = first.digests[12];
                bundle.records[0].openings[12] = Opening::Erased { digest, record: first.commitment };
            }),
            ("erased-always-shown", "what is always shown is said to be erased", 1, &|bundle| {
                bundle.records[1].openings[0] = Opening::Erased { digest: bundle.records[1].openings[0].digest(), record: done };
            }),
            ("erasure-hidden", "what the record erased is not shown", 2, &|bundle| {
                for record in bundle.records.iter_mut().filter(|record| record.kind == 5) {
                    let digest = record.openings[17].digest();
                    record.openings[17] = Opening::Hidden { digest };
                }
            }),
        ],
    )
}
