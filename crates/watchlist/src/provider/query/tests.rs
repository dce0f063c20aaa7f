//! A provider and an evaluator who hand each other files, and what must not be seen in them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use matching::envelope::Envelope;
use matching::message::{Cadence, EvalRequest, EvalResponse, GroupPlan, Plan, Receipt};
use matching::testing::Chance;
use matching::token::{Class, NORM_VERSION};
use matching::voprf;

use super::*;
use crate::enrolment::{self, About, Batches};
use crate::evaluator::{Epoch, Evaluator, Secret};
use crate::files::Scratch;
use crate::hex::Hex;
use crate::keys::{Identity, Role};
use crate::provider::directory::{Enrolled, OUTBOX};

pub(crate) const DAY: i64 = 24 * 60 * 60 * 1_000;
pub(crate) const START: i64 = 1_800_000_000_000;
const LIST: [u8; 16] = [7; 16];
const MANIFEST: [u8; 32] = [9; 32];
const GROUPS: [Group; 3] = [Group::Registries, Group::Contacts, Group::Names];

/// A provider and an evaluator in directories of their own.
pub(crate) struct World {
    pub(crate) scratch: Scratch,
    pub(crate) provider: Provider,
    pub(crate) evaluator: Evaluator,
    pub(crate) officers: [Identity; 2],
    pub(crate) secret: Secret,
    pub(crate) key: Key,
    pub(crate) chance: Chance,
}

impl World {
    /// With batches of 64: three at first and one a week of registries, four and two a week of contacts, none of names.
    pub(crate) fn new(number: u64) -> World {
        let plan = |group, initial, each| GroupPlan { group, batch: 64, cadence: Cadence::Week, initial, each };
        World::with(number, Plan::of(vec![plan(Group::Registries, 3, 1), plan(Group::Contacts, 4, 2)]).expect("a plan"))
    }

    pub(crate) fn with(number: u64, plan: Plan) -> World {
        let mut chance = Chance::of(number);
        let scratch = Scratch::new("world");
        let officers = ["one", "two"].map(|name| Identity::draw(Role::Officer, name, &mut chance));
        let publics = officers.clone().map(|officer| officer.public);
        let mut evaluator =
            Evaluator::create(&scratch.0.join("evaluator"), "Evaluator", &publics, None, &mut chance).expect("an evaluator");
        let mut provider =
            Provider::create(&scratch.0.join("provider"), "Voorbeeld Hosting", None, &mut chance).expect("a provider");
        let secret = Secret::derive(LIST, 1, &crate::chance::draw(&mut chance)).expect("keys");
        let keys = GROUPS.map(|group| (group, secret.key(group).expect("a key").public().to_bytes()));
        let parcel = secret.parcel(&evaluator.public().address, &mut chance).expect("a parcel");
        evaluator.open_epoch(epoch(), &keys, &parcel).expect("an epoch");
        let about = About {
            name: "Voorbeeld Hosting".to_owned(),
            registration: "AS64500".to_owned(),
            contact: "abuse@hoster.example".to_owned(),
            customers: 300,
        };
        let request = enrolment::request(&about, provider.identity(), START).encode();
        let print = provider.identity().public.fingerprint();
        let (paper, _) = enrolment::enrol(&request, &print, Some(plan), false, &officers[0], START).expect("enrolled");
        evaluator.take_enrolment(&paper.encode(), START).expect("taken in");
        provider.state.pinned = Some(pinned(evaluator.public().key, &keys));
        let plan = matching::message::Enrolment::decode(&paper.body).expect("an enrolment").plan;
        provider.state.enrolled = Some(Enrolled {
            enrolment: Hex(paper.hash()),
            issued: START,
            until: START + enrolment::COUNTS,
            plan: Batches::of(&plan),
        });
        provider.save().expect("saved");
        World { scratch, provider, evaluator, officers, secret, key: Key::new([1; 32]), chance }
    }

    /// A query for these tokens, when none is known yet.
    pub(crate) fn ask(&mut self, tokens: Vec<Token>, now: i64) -> Prepared {
        prepare(&mut self.provider, &self.key, tokens, |_| false, now, &mut self.chance).expect("prepared")
    }

    pub(crate) fn bytes(prepared: &Prepared) -> Vec<u8> {
        std::fs::read(&prepared.files.last().expect("a file").path).expect("read")
    }

    pub(crate) fn evaluate(&mut self, file: &[u8], now: i64) -> Vec<u8> {
        let evaluated = self.evaluator.evaluate(file, now).expect("evaluated");
        assert!(evaluated.errors.is_empty() && evaluated.refused.is_empty(), "{evaluated:?}");
        evaluated.file
    }

    pub(crate) fn take(&self, answer: &[u8], now: i64) -> Taken {
        take(&self.provider, &self.key, answer, now).expect("taken")
    }
}

pub(crate) fn epoch() -> Epoch {
    Epoch {
        list: Hex(LIST),
        epoch: 1,
        manifest: Hex(MANIFEST),
        not_before: START,
        not_after: START + 90 * DAY,
        groups: GROUPS.iter().map(|group| *group as u8).collect(),
        guesses: Vec::new(),
    }
}

fn pinned(evaluator: [u8; 32], keys: &[(Group, [u8; 32])]) -> Pinned {
    Pinned {
        name: "resellers".to_owned(),
        holder: "Politie".to_owned(),
        list: Hex(LIST),
        epoch: 1,
        manifest: Hex(MANIFEST),
        not_before: START,
        not_after: START + 90 * DAY,
        norm_version: NORM_VERSION,
        evaluator: Hex(evaluator),
        desk: Hex([5; 32]),
        desk_address: Hex([6; 32]),
        keys: keys.iter().map(|(group, key)| (*group as u8, Hex(*key))).collect::<BTreeMap<_, _>>(),
        log: "log.example+00000000+AAAA".to_owned(),
        edits_both: false,
        rarity: 26,
    }
}

pub(crate) fn token(class: Class, text: &str) -> Token {
    let head = [class.group() as u8, class as u8, NORM_VERSION];
    Token::of_input(&[b"SLUIS1", &head[..], text.as_bytes()].concat()).expect("a token")
}

/// A customer has a number in the register and a domain name.
pub(crate) fn customers(range: std::ops::Range<u32>) -> Vec<Token> {
    range.flat_map(|n| [token(Class::Kvk, &format!("{n:08}")), token(Class::Domain, &format!("klant-{n}.example"))]).collect()
}

/// All files below a directory, with their bytes.
pub(crate) fn raw(dir: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.extend(raw(&path));
        } else {
            let bytes = std::fs::read(&path).expect("a file");
            all.push((path, bytes));
        }
    }
    all
}

pub(crate) fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn a_round_gives_each_token_what_the_list_holder_has_for_it() {
    let mut world = World::new(1);
    let tokens = customers(0..100);
    let prepared = world.ask(tokens.clone(), START);
    assert!(prepared.new);
    assert_eq!((prepared.asked, prepared.waiting, prepared.unplanned), (200, 0, 0));
    assert_eq!(prepared.files[0].batches, 3 + 1 + 4 + 2);
    let file = World::bytes(&prepared);
    let answer = world.evaluate(&file, START + DAY);
    let taken = world.take(&answer, START + 2 * DAY);
    assert_eq!((taken.batches, taken.bad.len(), taken.errors.len(), taken.refused.len()), (10, 0, 0, 0));
    assert_eq!(taken.left, [(Group::Registries, 64 * 12), (Group::Contacts, 64 * 24)]);
    let asked: BTreeSet<Token> = tokens.into_iter().collect();
    assert_eq!(taken.outputs.iter().map(|(token, _)| token.clone()).collect::<BTreeSet<_>>(), asked);
    for (token, output) in &taken.outputs {
        let secret = world.secret.key(token.class().group()).expect("a key");
        assert_eq!(secret.evaluate(&token.input()).expect("an output"), *output);
    }
    // Until it is settled, the same answer can be taken in again; then what was asked is gone.
    assert_eq!(world.take(&answer, START + 2 * DAY).outputs.len(), 200);
    taken.settle(&world.provider, &world.key, &mut world.chance).expect("settled");
    let again = world.take(&answer, START + 2 * DAY);
    assert_eq!((again.outputs.len(), again.unknown), (0, 10));
    let names: Vec<_> = raw(world.provider.dir()).into_iter().map(|(path, _)| path).collect();
    assert!(!names.iter().any(|path| path.to_string_lossy().contains("pending-")), "{names:?}");
    let receipts = receipts(world.provider.dir()).expect("receipts");
    assert_eq!(receipts.len(), 10);
    assert!(receipts.iter().all(|receipt| receipt.is_signed_by(&world.evaluator.public().key)));
}

/// The sizes of messages, in their order: all that an onlooker sees beside uniform points.
fn form(file: &[u8]) -> Vec<(u8, u64, usize)> {
    let envelopes = Envelope::read_all(file, MOST_BATCHES).expect("envelopes");
    envelopes
        .iter()
        .map(|envelope| {
            let request = EvalRequest::decode(&envelope.body).expect("a request");
            (request.group as u8, envelope.header.seq, envelope.encode().len())
        })
        .collect()
}

#[test]
fn traffic_is_equal_in_number_and_length_for_no_new_customer_and_for_four_thousand() {
    let mut forms = Vec::new();
    for new in [0, 4_000] {
        // The same chance for both: what differs is the customers alone.
        let mut world = World::new(2);
        let mut seen = Vec::new();
        for (week, customers) in [customers(0..100), customers(0..100 + new), customers(0..100 + 2 * new)].into_iter().enumerate()
        {
            let now = START + week as i64 * 7 * DAY;
            let prepared = world.ask(customers, now);
            assert!(prepared.new, "every period has its messages, whatever there is to ask");
            let file = World::bytes(&prepared);
            let answer = world.evaluate(&file, now);
            seen.push((form(&file), file.len(), answer.len(), prepared.next));
            let taken = world.take(&answer, now);
            taken.settle(&world.provider, &world.key, &mut world.chance).expect("settled");
        }
        forms.push(seen);
    }
    assert_eq!(forms[0], forms[1]);
    assert_eq!(forms[0][1].0.len(), 3, "one batch of registries, two of contacts");
}

#[test]
fn what_does_not_fit_waits_and_what_is_asked_or_known_is_not_asked_again() {
    let mut world = World::new(3);
    let mut all = customers(0..400);
    all.extend(customers(0..400));
    all.push(token(Class::Asn, "AS64500"));
    let prepared = world.ask(all.clone(), START);
    assert_eq!((prepared.asked, prepared.waiting, prepared.unplanned), (256 + 384, 144 + 16, 1));
    assert_eq!(prepared.next, Some(START + 7 * DAY));
    // In the same period nothing is made, and the same file lies there.
    let file = World::bytes(&prepared);
    let again = world.ask(all.clone(), START + DAY);
    assert_eq!((again.new, again.asked, again.pending, again.waiting), (false, 0, 640, 160));
    assert_eq!(World::bytes(&again), file);
    // The next period asks what waited, and nothing that is pending.
    let next = world.ask(all.clone(), START + 7 * DAY);
    assert_eq!((next.new, next.asked, next.pending, next.waiting), (true, 64 + 16, 640, 80));
    assert_eq!(next.files.len(), 2);
    // What is in the cache is not asked at all.
    let last = prepare(&mut world.provider, &world.key, all, |_| true, START + 14 * DAY, &mut world.chance).expect("prepared");
    assert_eq!((last.new, last.asked, last.known, last.waiting), (true, 0, 801, 0));
}

#[test]
fn a_query_that_is_resumed_is_the_identical_file() {
    let mut world = World::new(4);
    let prepared = world.ask(customers(0..50), START);
    let file = World::bytes(&prepared);
    std::fs::remove_file(&prepared.files[0].path).expect("the stick was wiped");
    let resumed = world.ask(Vec::new(), START + DAY);
    assert!(!resumed.new);
    assert_eq!(World::bytes(&resumed), file);
    // Its answer is taken in without the query file, too.
    let answer = world.evaluate(&file, START);
    std::fs::remove_file(&resumed.files[0].path).expect("wiped again");
    assert_eq!(world.take(&answer, START).outputs.len(), 100);
}

#[test]
fn a_stop_before_the_state_is_written_makes_the_batches_anew() {
    let mut world = World::new(5);
    let dir = world.provider.dir().to_owned();
    let before = std::fs::read(dir.join("state.json")).expect("state");
    let first = World::bytes(&world.ask(customers(0..50), START));
    // As if it had stopped after the pending batches were written: the state is the old one, and nobody got the query file.
    std::fs::write(dir.join("state.json"), before).expect("put back");
    std::fs::remove_dir_all(dir.join(OUTBOX)).expect("no query file");
    let World { scratch, evaluator, officers, secret, key, chance, provider } = world;
    drop(provider);
    let provider = Provider::open(&dir, None).expect("opened");
    let mut world = World { scratch, provider, evaluator, officers, secret, key, chance };
    let second = world.ask(customers(0..50), START);
    assert!(second.new);
    let second = World::bytes(&second);
    assert_eq!(form(&first), form(&second), "the same numbers, since nobody saw the first ones");
    let answer = world.evaluate(&second, START);
    assert_eq!(world.take(&answer, START).outputs.len(), 100);
}

#[test]
fn a_query_whose_time_ran_out_is_signed_anew_and_charged_once() {
    let mut world = World::new(6);
    let file = World::bytes(&world.ask(customers(0..50), START));
    let lost = world.evaluate(&file, START);
    let late = START + TRAVEL + DAY;
    let expired = world.evaluator.evaluate(&file, late).expect("read");
    assert_eq!(expired.errors.len(), 10);
    let taken = world.take(&expired.file, late);
    assert!(taken.errors.iter().all(|failure| failure.code == matching::message::Code::Expired));
    taken.settle(&world.provider, &world.key, &mut world.chance).expect("settled");
    let prepared = world.ask(Vec::new(), late);
    let renewed = std::fs::read(&prepared.files[0].path).expect("the first file");
    assert_ne!(renewed, file);
    let answer = world.evaluate(&renewed, late);
    assert_ne!(answer, lost);
    assert_eq!(world.take(&answer, late).outputs.len(), 100);
    let elements: u64 = world.evaluator.state().audit().iter().map(|volume| volume.elements).sum();
    assert_eq!(elements, 640, "charged once");
}

#[test]
fn another_cache_key_opens_nothing_and_says_so() {
    let mut world = World::new(7);
    let file = World::bytes(&world.ask(customers(0..10), START));
    let answer = world.evaluate(&file, START);
    world.key = Key::new([2; 32]);
    let error = take(&world.provider, &world.key, &answer, START).map(drop).expect_err("another key");
    assert!(error.to_string().contains("cache key"), "{error}");
    assert!(prepare(&mut world.provider, &world.key, Vec::new(), |_| false, START, &mut world.chance).is_err());
}

/// An answer that the evaluator itself changed and signed.
fn cheat(world: &World, answer: &[u8], change: impl Fn(usize, &mut EvalResponse)) -> Vec<u8> {
    let identity = crate::keys::open(&world.scratch.0.join("evaluator/identity.key"), Role::Evaluator, None).expect("its key");
    let envelopes = Envelope::read_all(answer, MOST_BATCHES).expect("envelopes");
    let changed = envelopes.into_iter().enumerate().map(|(number, envelope)| {
        let mut response = EvalResponse::decode(&envelope.body).expect("a response");
        change(number, &mut response);
        let answered = EvalResponse::answered(&response.elements, &response.proof);
        let Receipt { at, request, provider, .. } = response.receipt;
        response.receipt = Receipt::new(at, request, answered, provider, &identity.signing);
        Envelope::signed(envelope.header, response.encode(), &identity.signing).encode()
    });
    changed.collect::<Vec<_>>().concat()
}

#[test]
fn an_evaluator_that_cheats_is_caught_and_nothing_of_it_is_used() {
    let mut world = World::new(8);
    let file = World::bytes(&world.ask(customers(0..100), START));
    let honest = world.evaluate(&file, START);
    let others = Secret::derive(LIST, 1, &[8; 32]).expect("keys");
    let other = others.key(Group::Registries).expect("another key");
    let requests = Envelope::read_all(&file, MOST_BATCHES).expect("envelopes");
    let me = world.provider.key();
    type Change<'a> = Box<dyn Fn(usize, &mut EvalResponse) + 'a>;
    let changes: Vec<(&str, Change<'_>)> = vec![
        ("a flipped bit of the proof", Box::new(|_, response| response.proof[40] ^= 1)),
        ("two elements swapped", Box::new(|_, response| response.elements.swap(3, 4))),
        ("the identity", Box::new(|_, response| response.elements[5] = [0; 32])),
        ("bytes that are no point", Box::new(|_, response| response.elements[6] = [0xff; 32])),
        (
            "another key",
            Box::new(|number, response| {
                let request = EvalRequest::decode(&requests[number].body).expect("a request");
                let header = &requests[number].header;
                let context = voprf::Context {
                    list: header.list,
                    epoch: header.epoch,
                    group: request.group as u8,
                    share: 0,
                    provider: me,
                    batch_seq: header.seq,
                };
                (response.elements, response.proof) =
                    voprf::evaluate(other, &request.elements, &context, &[3; 32]).expect("evaluated");
            }),
        ),
    ];
    for (name, change) in changes {
        let answer = cheat(&world, &honest, change);
        let taken = world.take(&answer, START);
        assert_eq!((taken.outputs.len(), taken.batches, taken.bad.len()), (0, 0, 10), "{name}");
        let evidence = &taken.bad[0].evidence;
        for file in ["request.slu", "response.slu", "receipt.bin", "read-me.txt"] {
            assert!(evidence.join(file).exists(), "{name}: {file}");
        }
        let text = std::fs::read_to_string(evidence.join("read-me.txt")).expect("text");
        assert!(text.contains("contest desk") && text.contains("klachtenloket"));
    }
    // One bad batch: it is dropped, and the others are used.
    let answer = cheat(&world, &honest, |number, response| response.proof[0] ^= u8::from(number == 0));
    let taken = world.take(&answer, START);
    assert_eq!((taken.batches, taken.bad.len()), (9, 1));
    taken.settle(&world.provider, &world.key, &mut world.chance).expect("settled");
    let taken = world.take(&honest, START);
    assert_eq!((taken.batches, taken.unknown), (0, 10), "what was aborted is not opened later");
}

#[test]
fn answers_from_and_for_others_are_refused() {
    let mut world = World::new(9);
    let mut stranger = World::new(10);
    let file = World::bytes(&world.ask(customers(0..10), START));
    let answer = world.evaluate(&file, START);
    let foreign_file = World::bytes(&stranger.ask(customers(0..10), START));
    let foreign = stranger.evaluate(&foreign_file, START);
    let counts = |taken: &Taken| (taken.outputs.len(), taken.bad.len(), taken.refused.len());
    assert_eq!(counts(&world.take(&foreign, START)), (0, 0, 10), "another evaluator, for another provider");
    assert_eq!(counts(&world.take(&file, START)), (0, 0, 10), "its own query");
    assert_eq!(counts(&world.take(&answer, START + 200 * DAY)), (0, 0, 10), "too old");
    let pinned = world.provider.state.pinned.clone();
    type Change = fn(&mut Pinned);
    let changes: [Change; 3] = [|p| p.list.0[0] ^= 1, |p| p.epoch += 1, |p| p.evaluator.0[0] ^= 1];
    for change in changes {
        let mut other = pinned.clone().expect("pinned");
        change(&mut other);
        world.provider.state.pinned = Some(other);
        assert_eq!(counts(&world.take(&answer, START)), (0, 0, 10));
    }
    world.provider.state.pinned = pinned;
    let mut flipped = answer.clone();
    flipped[300] ^= 1;
    assert_eq!(counts(&world.take(&flipped, START)), (10, 0, 1), "a byte changed on the way is nobody's fault");
    assert!(take(&world.provider, &world.key, &answer[..answer.len() - 1], START).is_err());
    assert_eq!(counts(&world.take(&answer, START)), (20, 0, 0));
}

#[test]
fn no_customer_stands_in_any_file() {
    let mut world = World::new(11);
    let tokens = customers(31_415_900..31_416_000);
    let file = World::bytes(&world.ask(tokens.clone(), START));
    let answer = world.evaluate(&file, START);
    let elements: Vec<[u8; 32]> = [&file, &answer]
        .into_iter()
        .flat_map(|file| Envelope::read_all(file, MOST_BATCHES).expect("envelopes"))
        .flat_map(|envelope| {
            EvalRequest::decode(&envelope.body)
                .map(|request| request.elements)
                .or_else(|_| EvalResponse::decode(&envelope.body).map(|response| response.elements))
                .expect("elements")
        })
        .collect();
    let needles = |token: &Token| [token.bytes().to_vec(), token.input()];
    // The provider's own directory, before the answer is taken in: nothing in clear.
    for (path, bytes) in raw(world.provider.dir()) {
        for needle in tokens.iter().step_by(7).flat_map(needles) {
            assert!(!holds(&bytes, &needle), "{}", path.display());
        }
    }
    // The evaluator's: nothing in clear, and no element.
    for (path, bytes) in raw(&world.scratch.0.join("evaluator")) {
        for needle in tokens.iter().step_by(7).flat_map(needles).chain(elements.iter().map(|element| element.to_vec())) {
            assert!(!holds(&bytes, &needle), "{}", path.display());
            let hex = crate::keys::hex(&needle);
            assert!(!holds(&bytes, hex.as_bytes()), "{} (hexadecimal)", path.display());
        }
    }
    assert!(world.provider.dir().join("cache/CACHEDIR.TAG").exists());
}

#[test]
fn an_error_frees_what_another_batch_can_ask_and_keeps_what_can_be_sent_again() {
    use matching::message::{Code, EvalError};
    for code in Code::ALL {
        let mut world = World::new(12);
        let tokens = customers(0..20);
        let file = World::bytes(&world.ask(tokens.clone(), START));
        let identity =
            crate::keys::open(&world.scratch.0.join("evaluator/identity.key"), Role::Evaluator, None).expect("its key");
        let errors = Envelope::read_all(&file, MOST_BATCHES).expect("envelopes").into_iter().map(|request| {
            let mut header = request.header.clone();
            (header.kind, header.sender, header.recipient) =
                (matching::envelope::Kind::EvalError, identity.public.key, request.header.sender);
            let body = EvalError { request: request.hash(), code, retry_after: 60 }.encode();
            Envelope::signed(header, body, &identity.signing).encode()
        });
        let taken = world.take(&errors.collect::<Vec<_>>().concat(), START);
        assert_eq!((taken.errors.len(), taken.outputs.len()), (10, 0), "{code:?}");
        assert!(taken.errors.iter().all(|failure| failure.code == code && failure.retry_after == 60));
        taken.settle(&world.provider, &world.key, &mut world.chance).expect("settled");
        let next = world.ask(tokens, START + 7 * DAY);
        let again = match code {
            Code::Quota | Code::BadElement | Code::Replay | Code::BatchSize => (1, 40, 0),
            _ => (2, 0, 40),
        };
        assert_eq!((next.files.len(), next.asked, next.pending), again, "{code:?}");
    }
}

#[test]
fn an_epoch_that_is_over_or_a_plan_that_ran_out_asks_nothing() {
    let mut world = World::new(13);
    let over = prepare(&mut world.provider, &world.key, Vec::new(), |_| false, START + 91 * DAY, &mut world.chance);
    assert!(over.err().is_some_and(|error| error.to_string().contains("epoch")));
    let late = START + enrolment::COUNTS + DAY;
    let over = prepare(&mut world.provider, &world.key, Vec::new(), |_| false, late, &mut world.chance);
    assert!(over.err().is_some_and(|error| error.to_string().contains("enrolment")));
    world.provider.state.pinned = None;
    let none = prepare(&mut world.provider, &world.key, Vec::new(), |_| false, START, &mut world.chance);
    assert!(none.err().is_some_and(|error| error.to_string().contains("join")));
}

#[test]
fn dummies_and_customers_look_the_same() {
    let mut world = World::new(14);
    let file = World::bytes(&world.ask(customers(0..96), START));
    // Every element is a point of its own, whether a customer stands behind it or nobody.
    let mut all = BTreeSet::new();
    for envelope in Envelope::read_all(&file, MOST_BATCHES).expect("envelopes") {
        let request = EvalRequest::decode(&envelope.body).expect("a request");
        assert_eq!(request.elements.len(), 64);
        for element in request.elements {
            assert!(voprf::PublicKey::from_bytes(&element).is_ok(), "a canonical point, not the identity");
            assert!(all.insert(element), "no element twice");
        }
    }
    assert_eq!(all.len(), 640);
}
