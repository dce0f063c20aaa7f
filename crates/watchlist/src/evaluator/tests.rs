//! What an evaluator answers, what it refuses, what it charges, and what it knows afterwards.

use matching::envelope::{Envelope, Header, Kind};
use matching::message::{Code, EvalError, EvalRequest, Plan};
use serde_json::Value;

use super::*;
use crate::enrolment::{About, enrol, leaving, request};
use crate::files::Scratch;
use crate::provider::query::tests::{DAY, START, World, customers, epoch, raw};

fn codes(evaluated: &Evaluated) -> Vec<Code> {
    evaluated.errors.iter().map(|told| told.code).collect()
}

/// The same requests with something changed, signed by the provider again.
fn changed(world: &World, file: &[u8], change: impl Fn(&mut Header, &mut Vec<u8>)) -> Vec<u8> {
    let signing = &world.provider.identity().signing;
    let envelopes = Envelope::read_all(file, 1_000).expect("envelopes").into_iter().map(|envelope| {
        let (mut header, mut body) = (envelope.header, envelope.body);
        change(&mut header, &mut body);
        Envelope::signed(header, body, signing).encode()
    });
    envelopes.collect::<Vec<_>>().concat()
}

fn first(file: &[u8]) -> Vec<u8> {
    Envelope::read_all(file, 1_000).expect("envelopes")[0].encode()
}

#[test]
fn the_same_file_gives_the_same_bytes_and_one_charge() {
    let mut world = World::new(21);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let one = world.evaluator.evaluate(&file, START).expect("evaluated");
    let two = world.evaluator.evaluate(&file, START + 5 * DAY).expect("evaluated");
    assert_eq!((one.fresh, one.again, two.fresh, two.again), (10, 0, 0, 10));
    assert_eq!(one.file, two.file);
    let charged: u64 = world.evaluator.state().audit().iter().map(|volume| volume.elements).sum();
    assert_eq!(charged, 640);
}

#[test]
fn a_stop_after_the_state_was_written_costs_nothing() {
    let mut world = World::new(22);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let lost = world.evaluator.evaluate(&file, START).expect("evaluated").file;
    let dir = world.scratch.0.join("evaluator");
    let World { evaluator, .. } = &mut world;
    // The lock of a process that was killed is gone; here the directory is copied, as a second machine would have it.
    let copy = Scratch::new("copy");
    for (path, bytes) in raw(&dir) {
        let to = copy.0.join(path.strip_prefix(&dir).expect("below"));
        files::directory(to.parent().expect("a folder")).expect("a folder");
        std::fs::write(to, bytes).expect("copied");
    }
    let mut second = Evaluator::open(&copy.0, None).expect("opened");
    let again = second.evaluate(&file, START + DAY).expect("evaluated");
    assert_eq!((again.fresh, again.again), (0, 10));
    assert_eq!(again.file, lost);
    assert_eq!(second.state().audit(), evaluator.state().audit());
}

#[test]
fn when_the_state_cannot_be_written_nothing_is_answered_or_charged() {
    let mut world = World::new(23);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let state = world.scratch.0.join("evaluator/state.json.new");
    std::fs::create_dir(&state).expect("in the way");
    assert!(world.evaluator.evaluate(&file, START).is_err());
    assert!(world.evaluator.state().accounts.is_empty());
    std::fs::remove_dir(&state).expect("gone");
    assert_eq!(world.evaluator.evaluate(&file, START).expect("evaluated").fresh, 10);
}

#[test]
fn batches_are_refused_with_a_code_that_says_what_to_do() {
    let mut world = World::new(24);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let element = |body: &mut Vec<u8>, element: [u8; 32]| body[3..35].copy_from_slice(&element);
    type Change = Box<dyn Fn(&mut Header, &mut Vec<u8>)>;
    let cases: Vec<(&str, Change, i64, Code)> = vec![
        ("another list", Box::new(|h, _| h.list[0] ^= 1), START, Code::UnknownEpoch),
        ("another epoch", Box::new(|h, _| h.epoch += 1), START, Code::UnknownEpoch),
        ("another manifest", Box::new(|h, _| h.under[0] ^= 1), START, Code::UnknownEpoch),
        ("another share", Box::new(|h, _| h.share = 1), START, Code::UnknownEpoch),
        ("before the epoch", Box::new(|h, _| h.issued = START - 2 * DAY), START - DAY, Code::Closed),
        ("after the epoch", Box::new(|h, _| h.until = START + 100 * DAY), START + 91 * DAY, Code::Closed),
        ("on its way too long", Box::new(|_, _| ()), START + 60 * DAY, Code::Expired),
        ("a batch of another size", Box::new(|_, body| *body = of_size(256)), START, Code::BatchSize),
        ("no batch at all", Box::new(|_, body| body.truncate(50)), START, Code::BatchSize),
        ("a group that is not in the plan", Box::new(|_, body| body[0] = 3), START, Code::Quota),
        ("no number", Box::new(|h, _| h.seq = 0), START, Code::Quota),
        ("the identity", Box::new(move |_, body| element(body, [0; 32])), START, Code::BadElement),
        ("no canonical point", Box::new(move |_, body| element(body, [0xff; 32])), START, Code::BadElement),
    ];
    for (name, change, now, code) in cases {
        let file = first(&changed(&world, &file, &change));
        let evaluated = world.evaluator.evaluate(&file, now).expect("read");
        assert_eq!(codes(&evaluated), [code], "{name}");
        let answer = Envelope::read_all(&evaluated.file, 1).expect("an answer").remove(0);
        assert_eq!((answer.header.kind, answer.header.recipient), (Kind::EvalError, world.provider.key()));
        let error = EvalError::decode(&answer.body).expect("an error");
        assert_eq!(error.request, Envelope::read_all(&file, 1).expect("a request")[0].hash());
        // Only the two with bad elements were charged, once.
        world.evaluator.state.accounts.clear();
    }
}

fn of_size(size: u16) -> Vec<u8> {
    EvalRequest { group: Group::Registries, elements: vec![[1; 32]; size.into()] }.encode()
}

#[test]
fn another_body_under_the_same_number_is_a_replay() {
    let mut world = World::new(25);
    let file = World::bytes(&world.ask(customers(0..50), START));
    world.evaluate(&file, START);
    let swapped = changed(&world, &file, |_, body| {
        let (one, two) = (body[3..35].to_vec(), body[35..67].to_vec());
        body[3..35].copy_from_slice(&two);
        body[35..67].copy_from_slice(&one);
    });
    let evaluated = world.evaluator.evaluate(&swapped, START).expect("read");
    assert_eq!(codes(&evaluated), [Code::Replay; 10]);
    assert_eq!((evaluated.fresh, evaluated.again), (0, 0));
}

#[test]
fn nobody_burns_the_quota_of_another() {
    let mut world = World::new(26);
    let stranger = World::new(27);
    let file = World::bytes(&world.ask(customers(0..50), START));
    // Signed by somebody else in its name, for another evaluator, or changed on the way: no answer, and no charge.
    let forged = changed(&stranger, &file, |_, _| ());
    let misdirected = changed(&world, &file, |header, _| header.recipient = [3; 32]);
    let mut flipped = file.clone();
    flipped[400] ^= 1;
    for (name, file, refused) in [("forged", &forged, 10), ("misdirected", &misdirected, 10), ("flipped", &flipped, 1)] {
        let evaluated = world.evaluator.evaluate(&first(file), START).expect("read");
        assert_eq!((evaluated.refused.len(), evaluated.file.len()), (1, 0), "{name} ({refused})");
    }
    assert!(world.evaluator.state().accounts.is_empty());
    assert!(world.evaluator.evaluate(&file[..100], START).is_err(), "cut off");
    assert!(world.evaluator.evaluate(b"", START).expect("nothing").file.is_empty());
}

#[test]
fn who_is_not_enrolled_or_left_gets_nothing() {
    let mut world = World::new(28);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let known = world.evaluator.state.providers.clone();
    world.evaluator.state.providers.clear();
    assert_eq!(codes(&world.evaluator.evaluate(&file, START).expect("read")), [Code::NotEnrolled; 10]);
    world.evaluator.state.providers = known;
    // Another provider cannot make it leave; it can itself, and an officer can.
    let me = world.provider.key();
    let stranger = World::new(29);
    let by_stranger = leaving(&me, "", stranger.provider.identity(), START + 1).encode();
    assert!(world.evaluator.take_enrolment(&by_stranger, START + 1).is_err());
    let by_itself = leaving(&me, "stopped", world.provider.identity(), START + 1).encode();
    world.evaluator.take_enrolment(&by_itself, START + 1).expect("left");
    assert_eq!(codes(&world.evaluator.evaluate(&file, START + 2).expect("read")), [Code::NotEnrolled; 10]);
    // Its old enrolment does not bring it back, a new one does.
    let about = About { name: "V".to_owned(), registration: String::new(), contact: String::new(), customers: 1 };
    let print = world.provider.identity().public.fingerprint();
    let plan = || Some(Plan::usual(300, false));
    let paper = |world: &World, at| {
        let request = request(&about, world.provider.identity(), at).encode();
        enrol(&request, &print, plan(), false, &world.officers[1], at).expect("enrolled").0.encode()
    };
    world.evaluator.take_enrolment(&paper(&world, START), START + 2).expect("read");
    assert!(!world.evaluator.state.providers[0].is_enrolled(START + 2));
    world.evaluator.take_enrolment(&paper(&world, START + 3), START + 3).expect("read");
    assert!(world.evaluator.state.providers[0].is_enrolled(START + 3));
    let by_officer = leaving(&me, "contract ended", &world.officers[0], START + 4).encode();
    world.evaluator.take_enrolment(&by_officer, START + 4).expect("left");
    assert!(!world.evaluator.state.providers[0].is_enrolled(START + 4));
}

#[test]
fn an_enrolment_needs_the_fingerprint_and_an_officer() {
    let mut world = World::new(30);
    let about = About { name: "N".to_owned(), registration: "x".to_owned(), contact: "y".to_owned(), customers: 2_000 };
    let request = request(&about, world.provider.identity(), START).encode();
    let print = world.provider.identity().public.fingerprint();
    let other = world.officers[0].public.fingerprint();
    assert!(enrol(&request, &other, None, false, &world.officers[0], START).is_err());
    assert!(enrol(&request, "", None, false, &world.officers[0], START).is_err());
    let spoken = print.to_lowercase().replace('-', " ");
    let (_, enrolment) = enrol(&request, &spoken, None, false, &world.officers[0], START).expect("as it is read aloud");
    assert_eq!((enrolment.customers, enrolment.plan), (2_048, Plan::usual(2_048, false)));
    let stranger = World::new(31);
    let (paper, _) = enrol(&request, &print, None, false, &stranger.officers[0], START).expect("signed by somebody");
    assert!(world.evaluator.take_enrolment(&paper.encode(), START).is_err(), "an officer of another list");
}

#[test]
fn a_plan_bounds_what_is_asked_in_time_and_in_all() {
    let mut world = World::new(32);
    // The plan has 3 + 1 batches of registries in the first week, and one more each week of thirteen.
    let file = World::bytes(&world.ask(customers(0..50), START));
    let one = first(&file);
    let numbered = |world: &World, seq: u64| changed(world, &one, |header, _| header.seq = seq);
    for seq in 1..=4 {
        assert_eq!(world.evaluator.evaluate(&numbered(&world, seq), START).expect("read").fresh, 1);
    }
    let early = world.evaluator.evaluate(&numbered(&world, 5), START).expect("read");
    assert_eq!(codes(&early), [Code::Cadence]);
    let error = EvalError::decode(&Envelope::read_all(&early.file, 1).expect("one")[0].body).expect("an error");
    assert_eq!(error.retry_after, 7 * 24 * 60 * 60);
    let last = START + 45 * DAY;
    let late = changed(&world, &one, |header, _| header.until = START + 90 * DAY);
    let numbered = |world: &World, seq: u64| changed(world, &late, |header, _| header.seq = seq);
    // After 45 days seven weeks began.
    for seq in 5..=10 {
        assert_eq!(world.evaluator.evaluate(&numbered(&world, seq), last).expect("read").fresh, 1, "{seq}");
    }
    assert_eq!(codes(&world.evaluator.evaluate(&numbered(&world, 11), last).expect("read")), [Code::Cadence]);
    let end = START + 90 * DAY;
    for seq in 11..=16 {
        assert_eq!(world.evaluator.evaluate(&numbered(&world, seq), end).expect("read").fresh, 1, "{seq}");
    }
    assert_eq!(codes(&world.evaluator.evaluate(&numbered(&world, 17), end).expect("read")), [Code::Quota]);
    let audit = world.evaluator.state().audit();
    assert_eq!((audit[0].quota, audit[0].elements, audit[0].left, audit[0].batches), (1_024, 1_024, 0, 16));
}

/// The manifest tells everybody how often any provider can guess (M6). One officer alone cannot enrol a friend for more.
#[test]
fn no_plan_goes_beyond_what_the_manifest_tells_everybody() {
    let mut world = World::new(39);
    world.evaluator.state.epochs[0].guesses = vec![(Group::Registries as u8, 130)];
    let one = first(&World::bytes(&world.ask(customers(0..50), START)));
    let numbered = |world: &World, seq: u64| changed(world, &one, |header, _| header.seq = seq);
    for (seq, expected) in [(1, vec![]), (2, vec![]), (3, vec![Code::Quota])] {
        assert_eq!(codes(&world.evaluator.evaluate(&numbered(&world, seq), START).expect("read")), expected, "{seq}");
    }
    let audit = world.evaluator.state().audit();
    assert_eq!((audit[0].quota, audit[0].elements, audit[0].left), (130, 128, 2));
}

/// Where two values differ, or have another form.
fn differences(path: &str, one: &Value, two: &Value, found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(one), Value::Object(two)) => {
            assert!(one.keys().eq(two.keys()), "{path}");
            one.iter().for_each(|(name, value)| differences(&format!("{path}.{name}"), value, &two[name], found));
        }
        (Value::Array(one), Value::Array(two)) => {
            assert_eq!(one.len(), two.len(), "{path}");
            one.iter().zip(two).for_each(|(one, two)| differences(path, one, two, found));
        }
        (Value::String(one), Value::String(two)) => {
            assert_eq!(one.len(), two.len(), "{path}");
            if one != two {
                found.push(path.to_owned());
            }
        }
        _ if one == two => {}
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn two_customer_bases_of_one_size_leave_states_that_differ_in_hashes_alone() {
    let states: Vec<Vec<(String, Vec<u8>)>> = [0, 10_000]
        .into_iter()
        .map(|from| {
            let mut world = World::new(33);
            for week in 0..3 {
                let now = START + week * 7 * DAY;
                let file = World::bytes(&world.ask(customers(from..from + 600), now));
                world.evaluate(&file, now);
            }
            let dir = world.scratch.0.join("evaluator");
            let name = |path: &Path| path.strip_prefix(&dir).expect("below").to_string_lossy().into_owned();
            let mut files: Vec<(String, Vec<u8>)> = raw(&dir).into_iter().map(|(path, bytes)| (name(&path), bytes)).collect();
            files.sort();
            files
        })
        .collect();
    let forms = |state: &[(String, Vec<u8>)]| state.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect::<Vec<_>>();
    assert_eq!(forms(&states[0]), forms(&states[1]), "the same files of the same size");
    for ((name, one), (_, two)) in states[0].iter().zip(&states[1]) {
        if name != STATE {
            assert_eq!(one, two, "{name}");
            continue;
        }
        let (one, two) = (serde_json::from_slice(one).expect("json"), serde_json::from_slice(two).expect("json"));
        let mut found = Vec::new();
        differences("", &one, &two, &mut found);
        assert!(found.iter().all(|path| path == ".accounts.batches.hash"), "{found:?}");
        assert_eq!(found.len(), 10 + 3 + 3, "every hash differs");
    }
}

#[test]
fn keys_that_are_not_those_of_the_manifest_are_refused() {
    let mut world = World::new(34);
    let address = world.evaluator.public().address;
    let other = Secret::derive(world.secret.list, 1, &[8; 32]).expect("keys");
    let keys = [(Group::Contacts, world.secret.key(Group::Contacts).expect("a key").public().to_bytes())];
    let wrong = other.parcel(&address, &mut world.chance).expect("a parcel");
    let right = world.secret.parcel(&address, &mut world.chance).expect("a parcel");
    assert!(world.evaluator.open_epoch(epoch(), &keys, &wrong).is_err());
    assert!(world.evaluator.open_epoch(Epoch { epoch: 2, ..epoch() }, &keys, &right).is_err());
    assert!(world.evaluator.open_epoch(Epoch { manifest: Hex([1; 32]), ..epoch() }, &keys, &right).is_err());
    assert!(world.evaluator.open_epoch(epoch(), &keys, &right).is_ok());
    let mut stranger = World::new(35).evaluator;
    assert!(stranger.open_epoch(epoch(), &keys, &right).is_err(), "packed for somebody else");
    assert!(!format!("{:?}", world.secret).contains("keys"));
}
