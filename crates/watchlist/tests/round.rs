//! The whole way, by files: a list of the list holder, an evaluator without it, and a provider that finds its own customers on it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use matching::list::tag;
use matching::message::Code;
use matching::testing::Chance;
use matching::token::name::{EditSide, Name, Place, asked};
use matching::token::{Class, Token, identifier};
use watchlist::enrolment::{About, enrol, leaving};
use watchlist::evaluator::Evaluator;
use watchlist::files::Lock;
use watchlist::holder::form::Form;
use watchlist::holder::state::Settings;
use watchlist::holder::{Begin, Holder, LogAt};
use watchlist::keys::{Identity, Public, Role, hex};
use watchlist::provider::cache::{Cache, Of};
use watchlist::provider::look::{Against, Found, Subject};
use watchlist::provider::{Provider, directory, join, query, shelf};
use watchlist::vault::Key;

/// 22 November 2026, noon in UTC.
const NOW: i64 = 1_795_348_800_000;
const DAY: i64 = 24 * 60 * 60 * 1_000;

struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A list with its two officers, and an evaluator that has the keys of its first epoch.
struct Parties {
    scratch: Scratch,
    officers: [Identity; 2],
    evaluator: Evaluator,
    list: Vec<u8>,
    parcel: Vec<u8>,
    chance: Chance,
}

fn parties(name: &str) -> Parties {
    let scratch = Scratch(std::env::temp_dir().join(format!("sluis-round-{name}-{}", std::process::id())));
    let dir = &scratch.0;
    std::fs::create_dir_all(dir.join("log-key")).expect("a directory");
    let mut chance = Chance::of(1);
    let officers = ["one", "two"].map(|name| Identity::draw(Role::Officer, name, &mut chance));
    let publics: Vec<Public> = officers.iter().map(|officer| officer.public.clone()).collect();
    let mut evaluator =
        Evaluator::create(&dir.join("evaluator"), "Evaluator", &publics, None, &mut chance).expect("an evaluator");
    let desk = Identity::draw(Role::Desk, "Desk", &mut chance);
    let log = LogAt { key: Identity::draw(Role::Log, "Log", &mut chance), beside: dir.join("log-key") };
    let begin = Begin {
        name: "resellers",
        holder: "Police of Example",
        officers: &publics,
        evaluator: evaluator.public(),
        desk: &desk.public,
        origin: "list.example/resellers",
        settings: Settings {
            contest: "https://desk.example/contest".into(),
            protocol: "https://police.example/protocol-2".into(),
            days: 90,
            edit_side: "list".into(),
            customers: 2_000,
            guesses: [("registries".to_owned(), 6_000)].into(),
        },
    };
    let mut holder = Holder::create(&dir.join("list"), &begin, &log, &mut chance).expect("a list");
    for (name, kvk) in [("Grijze Golf Servers B.V.", "90000007"), ("Nachtvlinder Datahuis B.V.", "99999999")] {
        let (id, _) = holder.add(form(name, kvk), &officers[0], NOW, &mut chance).expect("added");
        holder.accept(&hex(&id), &officers[1], NOW).expect("accepted");
    }
    holder.publish(&officers[0], &log, false, None, NOW, &mut chance).expect("a draft");
    let published = holder.sign(&officers[1], &log, NOW, &mut chance).expect("published");
    let list = std::fs::read(published.file).expect("the list");
    let parcel = std::fs::read(published.evaluator).expect("its keys");
    evaluator.take_epoch(&list, &parcel, NOW).expect("an epoch");
    Parties { scratch, officers, evaluator, list, parcel, chance }
}

fn form(name: &str, kvk: &str) -> Form {
    Form {
        names: vec![name.into()],
        country: "NL".into(),
        cities: vec!["Utrecht".into()],
        identifiers: [("kvk".to_owned(), vec![kvk.to_owned()])].into(),
        category: "bulletproof hosting".into(),
        reason_en: "Offers hosting on forums that answers no complaints.".into(),
        source: "CASE-2026-17".into(),
        legal_basis: "Wpg 19".into(),
        criterion: "C2".into(),
        protocol: "protocol 2, 2026".into(),
        review_by: "2027-06-30".into(),
        officer_role: "team cybercrime".into(),
        contact: "list@police.example".into(),
        contest_url: "https://desk.example/contest".into(),
        ..Form::default()
    }
}

/// Customer 7 has the number of the first entry; customer 11 is called as the second one, with one letter wrong and another number.
fn customers(edit: EditSide, rarity: u32) -> Vec<Subject> {
    let one = |n: u32| {
        let name = if n == 11 { "Nachtvlinder Datahuys BV".to_owned() } else { format!("Klant {n} Webdiensten B.V.") };
        let kvk = identifier::of(Class::Kvk, &format!("{}", 90_000_000 + n)).expect("a number");
        let domain = identifier::of(Class::Domain, &format!("klant-{n}.example")).expect("a domain name");
        let place = Place { city: Some("Zwolle".into()), ..Place::default() };
        let mut tokens: Vec<Token> = vec![kvk.clone(), domain.clone()];
        tokens.extend(asked(&Name::of(&name).expect("a name"), Some(&place), edit, rarity));
        Subject {
            id: n.to_string(),
            row: n.into(),
            names: vec![name],
            country: Some("NL".into()),
            city: Some("Zwolle".into()),
            identifiers: vec![kvk, domain],
            tokens,
        }
    };
    (0..2_000).map(one).collect()
}

#[test]
fn a_provider_finds_its_own_customers_and_nobody_else_learns_which() {
    let Parties { scratch, officers, mut evaluator, list, mut chance, .. } = parties("whole");
    let dir = scratch.0.join("provider");
    let mut provider = Provider::create(&dir, "Voorbeeld Hosting", None, &mut chance).expect("a provider");
    assert!(Lock::of(&dir).is_err(), "one process at a time");

    // Joining: fingerprints on both sides.
    let prints: Vec<String> = officers.iter().map(|officer| officer.public.fingerprint()).collect();
    assert!(join::pin(&mut provider, &list, &[], NOW).is_err(), "nobody compared anything");
    assert!(join::pin(&mut provider, &list, &prints[..1], NOW).is_err(), "one officer is not two");
    let stranger = Identity::draw(Role::Officer, "three", &mut chance).public.fingerprint();
    assert!(join::pin(&mut provider, &list, &[prints[0].clone(), stranger], NOW).is_err(), "a stranger");
    let mut changed = list.clone();
    changed[150] ^= 1;
    assert!(join::pin(&mut provider, &changed, &prints, NOW).is_err(), "a changed manifest");
    let joined = join::pin(&mut provider, &list, &prints, NOW).expect("pinned");
    assert!(joined.new && joined.notes[0].contains("no witness"));
    assert!(!join::pin(&mut provider, &list, &[], NOW).expect("again").new);
    let about = About {
        name: "Voorbeeld Hosting".into(),
        registration: "AS64500".into(),
        contact: "abuse@hoster.example".into(),
        customers: 2_000,
    };
    let request = std::fs::read(join::request(&provider, &about, NOW).expect("a request")).expect("its file");
    let print = provider.identity().public.fingerprint();
    let (paper, _) = enrol(&request, &print, None, false, &officers[0], NOW).expect("enrolled");
    evaluator.take_enrolment(&paper.encode(), NOW).expect("taken in");
    let plan = join::enrol(&mut provider, &paper.encode(), NOW).expect("taken in").plan;

    // A query, its answer, the cache.
    let pinned = provider.pinned().expect("pinned").clone();
    let subjects = customers(EditSide::List, pinned.rarity.into());
    let tokens: Vec<Token> = subjects.iter().flat_map(|subject| subject.tokens.clone()).collect();
    let key = Key::new([3; 32]);
    let prepared = query::prepare(&mut provider, &key, tokens.clone(), |_| false, NOW, &mut chance).expect("a query");
    assert_eq!((prepared.waiting, prepared.unplanned, prepared.files.len()), (0, 0, 1));
    let batches: u32 = plan.groups().iter().map(|plan| plan.initial + plan.each).sum();
    assert_eq!(prepared.files[0].batches, batches as usize);
    let file = std::fs::read(&prepared.files[0].path).expect("the query");
    let evaluated = evaluator.evaluate(&file, NOW + DAY).expect("evaluated");
    assert_eq!((evaluated.fresh, evaluated.errors.len(), evaluated.refused.len()), (batches as usize, 0, 0));
    let taken = query::take(&provider, &key, &evaluated.file, NOW + 2 * DAY).expect("taken");
    assert_eq!((taken.batches, taken.bad.len(), taken.errors.len()), (batches as usize, 0, 0));
    let of = Of { list: pinned.list.0, epoch: pinned.epoch };
    let mut cache = Cache::open(&dir, key.clone(), of).expect("a cache");
    let first = |output: &[u8; 64]| tag(output, &pinned.list.0, pinned.epoch);
    cache.add(taken.outputs.iter().map(|(token, output)| (token, first(output), output)));
    cache.save(&mut chance).expect("kept");
    taken.settle(&provider, &key, &mut chance).expect("settled");

    // Looking up, with no contact.
    let found = look(&mut provider, &list, &cache, &subjects);
    let mut ids: Vec<(&str, &str)> =
        found.hits.iter().map(|hit| (hit.customer.id.as_str(), hit.entry.names[0].as_str())).collect();
    ids.sort_unstable();
    // The first entry's number is customer 7's; its name is not, and that a person sees. The second is found by its name alone.
    assert_eq!(ids, [("11", "Nachtvlinder Datahuis B.V."), ("7", "Grijze Golf Servers B.V.")], "{:?}", found.invalid);

    // What is cached is not asked again; the next period has its messages all the same.
    let next = NOW + 8 * DAY;
    let prepared = query::prepare(&mut provider, &key, tokens, |token| cache.has(token), next, &mut chance).expect("a query");
    assert_eq!((prepared.new, prepared.asked, prepared.waiting), (true, 0, 0));
    let each: u32 = plan.groups().iter().map(|plan| plan.each).sum();
    assert_eq!(prepared.files[0].batches, each as usize);

    // It leaves, and is answered no more.
    let paper = join::leave(&mut provider, "", next).expect("left");
    evaluator.take_enrolment(&std::fs::read(paper).expect("the paper"), next).expect("taken in");
    let file = std::fs::read(&prepared.files[0].path).expect("the query");
    let evaluated = evaluator.evaluate(&file, next).expect("read");
    assert!(evaluated.errors.iter().all(|told| told.code == Code::NotEnrolled) && evaluated.fresh == 0);
    assert!(query::prepare(&mut provider, &key, Vec::new(), |_| false, next, &mut chance).is_err());
}

fn look(provider: &mut Provider, list: &[u8], cache: &Cache, subjects: &[Subject]) -> Found {
    let shelf = shelf::open(provider, &[list.to_vec()], None, NOW + 2 * DAY).expect("the list");
    let told = BTreeMap::new();
    let against = Against {
        book: &shelf.book,
        side: &shelf.side,
        roots: &shelf.roots,
        list: "resellers",
        cache,
        told: &told,
        now: NOW + 2 * DAY,
    };
    let mut found = Found::default();
    for subject in subjects {
        found.look(subject, &against);
    }
    found
}

#[test]
fn a_list_holder_and_an_evaluator_trust_two_officers_and_no_other() {
    let Parties { scratch, officers, mut evaluator, list, parcel, mut chance } = parties("trust");
    // Another evaluator cannot take the epoch, since the manifest names this one.
    let publics: Vec<Public> = officers.iter().map(|officer| officer.public.clone()).collect();
    let mut other = Evaluator::create(&scratch.0.join("other"), "Other", &publics, None, &mut chance).expect("another");
    assert!(other.take_epoch(&list, &parcel, NOW).is_err());
    let strangers = ["three", "four"].map(|name| Identity::draw(Role::Officer, name, &mut chance).public);
    let mut third = Evaluator::create(&scratch.0.join("third"), "Third", &strangers, None, &mut chance).expect("a third");
    assert!(third.take_epoch(&list, &parcel, NOW).is_err(), "signed by officers whom it does not know");
    assert!(Evaluator::create(&scratch.0.join("none"), "None", &publics[..1], None, &mut chance).is_err());
    // What evaluates has nothing of the list.
    let listed: &[&[u8]] = &[b"Grijze", b"Nachtvlinder", b"90000007"];
    for file in files(&scratch.0.join("evaluator")) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(listed.iter().all(|part| !bytes.windows(part.len()).any(|window| window == *part)), "{}", file.display());
    }
    // An enrolment by somebody else changes nothing.
    let me = Provider::create(&scratch.0.join("me"), "Me", None, &mut chance).expect("a provider");
    let paper = leaving(&me.key(), "", &officers[0], NOW).encode();
    assert!(evaluator.take_enrolment(&paper, NOW).expect("read").contains("not enrolled"));
    assert!(!me.folder(directory::CACHE).expect("a folder").join("cache.bin").exists());
}

fn files(dir: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory").flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
