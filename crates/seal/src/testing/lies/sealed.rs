//! Records that were sealed so as to be read in two ways.

use super::super::Sealed;
use super::super::stories::{Example, Story, example};
use super::short;
use crate::bundle::Opening;
use crate::record::{Hash, OPENED, STEP, Value, commitment, entry};

/// What an operator seals to have two readings of it.
pub(super) fn all(story: &Story) -> Vec<Example> {
    // The digests of one step are replaced before it is sealed: as many records as lies.
    type Crooked = fn(&Sealed) -> Vec<Opening>;
    let honest = |sealed: &Sealed| -> Vec<Opening> {
        let opening = |ordinal: usize| match sealed.record.kind.field(ordinal) {
            Some((name, _)) => Opening::shown(sealed.salts[ordinal], name, sealed.record.values()[ordinal].clone()),
            None => Opening::Hidden { digest: sealed.digests[ordinal] },
        };
        (0..sealed.digests.len()).map(opening).collect()
    };
    let lies: [(&str, &'static str, u16, Crooked); 6] = [
        ("decoy-opened", "what was a decoy is a second name of the party", OPENED.number, |sealed| {
            vec![Opening::shown(sealed.salts[29], "party_name", Value::text("Another B.V.")); 4]
        }),
        ("name-at-another-place", "a field at the ordinal of another", STEP.number, |sealed| {
            vec![Opening::shown(sealed.salts[12], "text", Value::text("Another B.V."))]
        }),
        ("name-twice", "a field two times", STEP.number, |sealed| {
            vec![Opening::shown(sealed.salts[12], "actor", Value::text("J. Jansen"))]
        }),
        ("type-of-another", "a text where a number belongs", STEP.number, |sealed| {
            vec![Opening::shown(sealed.salts[12], "party_name", Value::Number(1))]
        }),
        ("name-unknown", "a field that no kind has", STEP.number, |sealed| {
            vec![Opening::shown(sealed.salts[12], "recipient", Value::text("Another B.V."))]
        }),
        ("event-absent", "what is always shown was sealed as absent", STEP.number, |sealed| {
            vec![Opening::shown(sealed.salts[0], "event", Value::Absent)]
        }),
    ];
    let mut examples = Vec::new();
    for (name, why, kind, lie) in lies {
        let (mut world, stream, records) = short(story, |_, _, _| ());
        let number = if kind == OPENED.number { records[0] } else { records[4] };
        let mut openings = honest(&world.sealed[number]);
        let more = lie(&world.sealed[number]);
        let at = match name {
            "decoy-opened" => 28,
            "event-absent" => 0,
            _ => 12,
        };
        openings.splice(at..at + more.len(), more);
        let digests: Vec<Hash> = openings.iter().map(Opening::digest).collect();
        let commitment = commitment(kind, &digests);
        // The record is sealed once more, as the last of the log, so that its slot and its proof are right.
        let slot = world.sealed[number].slot;
        let index = world.append(entry(&slot, &commitment).into());
        world.publish();
        world.wait(60);
        world.sealed[number].index = index;
        let mut bundle = world.bundle(stream, &records, &[], &|_, _| true);
        for record in bundle.records.iter_mut().filter(|record| record.index == index) {
            record.openings.clone_from(&openings);
        }
        examples.push(example(name, why, 1, &bundle));
    }
    // A public entry that reads like a record's: 66 bytes, but of the other kind.
    let (mut world, stream, records) = short(story, |_, _, _| ());
    let last = world.sealed[records[4]].clone();
    let mut public = entry(&last.slot, &last.commitment).to_vec();
    public[1] = 2;
    let index = world.append(public);
    world.publish();
    world.sealed[records[4]].index = index;
    examples.push(example(
        "entry-of-another-kind",
        "a public entry shown as a record's",
        1,
        &world.bundle(stream, &records, &[], &|_, _| true),
    ));
    examples
}
