//! The whole way on files: a list of two officers, an evaluator without a list, a provider with a CSV, and the contest desk.

use std::path::PathBuf;

use matching::testing::Chance;

use super::*;
use crate::customers::{Customer, Customers as Table};
use crate::desk::Desk;
use crate::enrolment::{self, About};
use crate::evaluator::Evaluator;
use crate::files::{self, Scratch};
use crate::holder::form::Form;
use crate::holder::state::Settings;
use crate::holder::{Begin, Holder, LogAt};
use crate::keys::{Identity, Role, hex};
use crate::provider::decide::{Decide, decide};
use crate::provider::hits::{DAY, Hit, Says, Status, Sureness, ToldBy, What};
use crate::provider::join;
use crate::sheet::Sheet;

mod branches;

/// 22 November 2026, noon in UTC.
const NOW: i64 = 1_795_348_800_000;

struct World {
    scratch: Scratch,
    officers: [Identity; 2],
    log: LogAt,
    holder: Holder,
    evaluator: Evaluator,
    desk: Desk,
    provider: Provider,
    chance: Chance,
    now: i64,
    key: Key,
    keep: bool,
}

fn form(name: &str, kvk: &str) -> Form {
    Form {
        names: vec![name.into()],
        country: "NL".into(),
        cities: vec!["Utrecht".into()],
        identifiers: [("kvk".to_owned(), vec![kvk.to_owned()])].into(),
        category: "bulletproof hosting".into(),
        reason_nl: "Biedt op fora hosting aan die niet op klachten reageert.".into(),
        reason_en: "Offers hosting on forums that answers no complaints.".into(),
        source: "CASE-2026-17".into(),
        legal_basis: "Wpg 19".into(),
        criterion: "C2".into(),
        protocol: "protocol 2, 2026".into(),
        review_by: "2027-06-30".into(),
        officer_role: "team cybercrime".into(),
        contact: "list@police.example".into(),
        contest_url: "https://desk.example/contest".into(),
        not_to_be_confused_with: "Waterhoen Bakkerij".into(),
        ..Form::default()
    }
}

const CSV: &str = "klantnummer,bedrijfsnaam,kvk,plaats,land\n\
    K-1,Waterhoen Hosting B.V.,11111111,Utrecht,NL\n\
    K-2,Zilvermeeuw Netwerken,,Groningen,NL\n\
    K-3,Roodborst Bakkerij,33333333,Assen,NL\n\
    K-4,Kievitt Cloud B.V.,44444444,Leiden,NL\n\
    K-5,,,,NL\n";

impl World {
    fn new(name: &str) -> World {
        let mut chance = Chance::of(name.bytes().map(u64::from).fold(0, |sum, byte| sum * 31 % 1_000_003 + byte));
        let scratch = Scratch::new(name);
        let at = |name: &str| scratch.0.join(name);
        let officers = ["one", "two"].map(|name| Identity::draw(Role::Officer, name, &mut chance));
        let publics = officers.clone().map(|officer| officer.public);
        let mut evaluator = Evaluator::create(&at("evaluator"), "Evaluator", &publics, None, &mut chance).unwrap();
        let desk = Desk::create(&at("desk"), "Loket", None, &mut chance).unwrap();
        files::directory(&at("keys")).unwrap();
        let log = LogAt { key: Identity::draw(Role::Log, "Log", &mut chance), beside: at("keys") };
        let begin = Begin {
            name: "proef",
            holder: "Politie van Voorbeeld",
            officers: &publics,
            evaluator: evaluator.public(),
            desk: &desk.identity().public,
            origin: "list.example/proef",
            settings: Settings {
                contest: "https://desk.example/contest".into(),
                protocol: "https://police.example/protocol-2".into(),
                days: 90,
                edit_side: "both".into(),
                customers: 1_000,
                guesses: [("registries".to_owned(), 3_000)].into(),
            },
        };
        let mut holder = Holder::create(&at("list"), &begin, &log, &mut chance).unwrap();
        for (name, kvk) in
            [("Waterhoen Hosting", "11111111"), ("Netwerken Zilvermeeuw", "22222222"), ("Kievit Cloud", "99999999")]
        {
            let (id, _) = holder.add(form(name, kvk), &officers[0], NOW, &mut chance).unwrap();
            holder.accept(&hex(&id), &officers[1], NOW).unwrap();
        }
        holder.publish(&officers[0], &log, true, None, NOW, &mut chance).unwrap();
        let finished = holder.sign(&officers[1], &log, NOW, &mut chance).unwrap();
        let base = std::fs::read(public(&holder, &finished.file)).unwrap();
        let parcel = std::fs::read(public(&holder, &finished.evaluator)).unwrap();
        evaluator.take_epoch(&base, &parcel, NOW).unwrap();
        let mut provider = Provider::create(&at("provider"), "Voorbeeld Hosting", None, &mut chance).unwrap();
        let prints = publics.clone().map(|officer| officer.fingerprint());
        join::pin(&mut provider, &base, &prints, NOW).unwrap();
        let about = About {
            name: "Voorbeeld Hosting".to_owned(),
            registration: "AS64500".to_owned(),
            contact: "abuse@hoster.example".to_owned(),
            customers: 300,
        };
        let request = std::fs::read(join::request(&provider, &about, NOW).unwrap()).unwrap();
        let print = provider.identity().public.fingerprint();
        let (paper, _) = enrolment::enrol(&request, &print, None, false, &officers[0], NOW).unwrap();
        evaluator.take_enrolment(&paper.encode(), NOW).unwrap();
        join::enrol(&mut provider, &paper.encode(), NOW).unwrap();
        let mut world = World {
            scratch,
            officers,
            log,
            holder,
            evaluator,
            desk,
            provider,
            chance,
            now: NOW,
            key: Key::new([3; 32]),
            keep: true,
        };
        let desk_file = world.newest_for_desk();
        let desk_prints: Vec<String> = prints.to_vec();
        world.desk.take(&[base, desk_file], &desk_prints, NOW).unwrap();
        world
    }

    fn base(&self) -> Vec<u8> {
        self.publics().remove(0)
    }

    /// The holder's public files, oldest first.
    fn publics(&self) -> Vec<Vec<u8>> {
        let published = self.holder.state().published.iter().filter(|published| !published.file.is_empty());
        published.map(|published| std::fs::read(public(&self.holder, &published.file)).unwrap()).collect()
    }

    fn newest_for_desk(&self) -> Vec<u8> {
        let mut paths: Vec<PathBuf> =
            std::fs::read_dir(self.scratch.0.join("list/desk")).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        std::fs::read(paths.last().unwrap()).unwrap()
    }

    /// A change of the list, as its public file.
    fn change(&mut self) -> Vec<u8> {
        self.holder.publish(&self.officers[0], &self.log, false, None, self.now, &mut self.chance).unwrap();
        self.holder.sign(&self.officers[1], &self.log, self.now, &mut self.chance).unwrap();
        self.publics().pop().unwrap()
    }

    fn try_round(&mut self, csv: &str, list: Vec<Vec<u8>>, answers: Vec<Vec<u8>>) -> Result<Report> {
        let round = Round {
            list,
            answers,
            key: self.key.clone(),
            keep: self.keep,
            policy: None,
            forget: false,
            language: Language::En,
            now: self.now,
        };
        let mut sheet = Sheet::open(csv.as_bytes().to_vec(), "klanten.csv").unwrap();
        let mut customers = Table::read(&mut sheet, None).unwrap();
        let pinned = self.provider.pinned()?.clone();
        run(
            &mut self.provider,
            &round,
            customers.by_ref().map(|one| one.map_err(|why| Error::Said(why.to_string()))),
            |customer: Customer| Subject::of(&customer, &pinned),
            |_| (),
            &mut self.chance,
        )
    }

    fn round(&mut self, csv: &str, list: Vec<Vec<u8>>, answers: Vec<Vec<u8>>) -> Report {
        self.try_round(csv, list, answers).unwrap()
    }

    /// Asks, has it answered, and takes the answer in.
    fn matched(&mut self) -> Report {
        let base = self.base();
        let report = self.round(CSV, vec![base], Vec::new());
        let answer = self.answer(&report);
        self.round(CSV, Vec::new(), vec![answer])
    }

    fn answer(&mut self, report: &Report) -> Vec<u8> {
        let file = report.next.iter().find_map(|next| match next {
            Next::Send { file, .. } => Some(std::fs::read(file).unwrap()),
            _ => None,
        });
        self.evaluator.evaluate(&file.expect("a query"), self.now).unwrap().file
    }

    fn withdraw(&mut self, name: &str) {
        let id = self.holder.state().entries.iter().find(|kept| kept.form.names[0] == name).unwrap().id.clone();
        self.holder.withdraw(&id, "wrongly listed", &self.officers[0], self.now).unwrap();
        self.holder.accept(&id, &self.officers[1], self.now).ok();
    }
}

fn public(holder: &Holder, file: &str) -> PathBuf {
    let path = PathBuf::from(file);
    if path.is_absolute() { path } else { holder.dir().join("public").join(path) }
}

fn of<'a>(report: &'a Report, customer: &str) -> &'a Hit {
    report
        .hits
        .iter()
        .find(|hit| hit.customer.id == customer)
        .unwrap_or_else(|| panic!("no hit of {customer}: {:#?}", report.next))
}

#[test]
fn a_csv_and_two_walks_to_the_evaluator_show_candidates_with_their_explanation() {
    let mut world = World::new("round");
    let base = world.base();
    let first = world.round(CSV, vec![base], Vec::new());
    assert_eq!((first.hits.len(), first.customers.all, first.customers.without_tokens), (0, 5, 1));
    assert!(first.customers.unanswered > 0 && first.customers.looked_up == 0, "{:?}", first.customers);
    assert!(matches!(&first.next[..], [Next::Send { .. }, ..]), "{:?}", first.next);
    let answer = world.answer(&first);
    let report = world.round(CSV, Vec::new(), vec![answer]);
    assert_eq!(report.customers.unanswered, 0, "{report:#?}");
    assert_eq!(
        report.hits.iter().map(|hit| hit.customer.id.as_str()).collect::<std::collections::BTreeSet<_>>(),
        ["K-1", "K-2", "K-4"].into()
    );

    // A number and a name: the whole entry.
    let whole = of(&report, "K-1");
    assert_eq!((whole.sureness, whole.entry.told_by), (Sureness::Likely, Some(ToldBy::List)));
    assert!(
        whole.met.iter().any(|met| met.class == "kvk" && met.strong) && whole.met.iter().any(|met| met.class == "name-sorted")
    );
    assert_eq!(whole.entry.reason.as_ref().unwrap().source, "CASE-2026-17");
    assert!(whole.facts.iter().any(|fact| fact.what == "kvk" && fact.says == Says::Agrees));
    // A name alone: names and country, and the way to the desk.
    let weak = of(&report, "K-2");
    assert_eq!((weak.entry.reason.as_ref(), weak.entry.told_by), (None, None));
    assert!(report.next.iter().any(|next| matches!(next, Next::Ask { hits } if hits.contains(&weak.id))));
    // K-4 has another register number than the listed party, which is not known while a name alone opened it.
    assert_eq!(of(&report, "K-4").entry.names, ["Kievit Cloud"]);
    // The one of whom nothing can be compared is said by number.
    assert_eq!(report.customers.without_tokens_first, ["K-5"]);
    assert!(!report.json().contains("Roodborst"), "who opened nothing leaves no trace");

    // Again, with nothing new: nothing is asked, and it says the same.
    let again = world.round(CSV, Vec::new(), Vec::new());
    assert_eq!(again.hits.len(), report.hits.len());
    assert!(again.changes.new.is_empty() && !again.next.iter().any(|next| matches!(next, Next::Send { .. })), "{:?}", again.next);
}

#[test]
fn a_change_is_looked_up_without_any_contact() {
    let mut world = World::new("round-change");
    let report = world.matched();
    let hit = of(&report, "K-1").id.clone();
    let decision = Decide { what: What::Quarantined, by: "A. de Vries", why: "voorwaarden, artikel 9", own_evidence: None };
    let mut hits = Hits::open(world.provider.dir()).unwrap();
    decide(&mut hits, &hit, &decision, world.now).map(|_| ()).unwrap();
    hits.save(world.provider.dir()).unwrap();
    // A new entry of a customer that was answered long ago, and a withdrawal, in one change.
    world.now += 3 * DAY;
    let (id, _) =
        world.holder.add(form("Roodborst Bakkerij", "33333333"), &world.officers[0], world.now, &mut world.chance).unwrap();
    world.holder.accept(&hex(&id), &world.officers[1], world.now).unwrap();
    world.withdraw("Waterhoen Hosting");
    let change = world.change();
    let report = world.round(CSV, vec![change], Vec::new());
    assert_eq!(report.list.delta, 1);
    assert_eq!(of(&report, "K-3").sureness, Sureness::Likely);
    let withdrawn = of(&report, "K-1");
    assert_eq!((withdrawn.entry.status, withdrawn.days_left(world.now)), (Status::Withdrawn, Some(14)));
    assert!(matches!(report.next[0], Next::Reconsider { hits: 1, days: 14 }), "{:?}", report.next);
    assert!(!report.next.iter().any(|next| matches!(next, Next::Send { .. })), "no contact: {:?}", report.next);
}

#[test]
fn the_desk_suspends_and_answers_and_does_nothing_else() {
    let mut world = World::new("round-desk");
    let report = world.matched();
    // The reason behind a name.
    let weak = of(&report, "K-2").id.clone();
    let mut hits = Hits::open(world.provider.dir()).unwrap();
    let asked = ask::ask(
        &mut world.provider,
        &mut hits,
        std::slice::from_ref(&weak),
        "two reports of abuse",
        world.now,
        &mut world.chance,
    )
    .unwrap();
    assert_eq!(asked.left, ask::MOST_A_QUARTER - 1);
    let again = ask::ask(&mut world.provider, &mut hits, std::slice::from_ref(&weak), "again", world.now, &mut world.chance);
    assert!(again.is_err_and(|why| why.to_string().contains("already")));
    let file = std::fs::read(&asked.file).unwrap();
    for secret in ["K-2", "Zilvermeeuw", "Voorbeeld"] {
        assert!(!file.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in the question");
    }
    let questions = world.desk.questions(&file, world.now).unwrap();
    assert!(questions[0].refused.as_ref().unwrap().contains("admitted"), "{:?}", questions[0].refused);
    assert!(world.desk.answer(&questions, world.now, &mut world.chance).unwrap().is_empty());
    let public = world.provider.identity().public.clone();
    assert!(world.desk.admit(&public, "AAAA-BBBB", world.now).is_err());
    world.desk.admit(&public, &public.fingerprint(), world.now).unwrap();
    let questions = world.desk.questions(&file, world.now).unwrap();
    assert_eq!((questions[0].refused.as_ref(), questions[0].why.as_str()), (None, "two reports of abuse"));
    let answers = world.desk.answer(&questions, world.now, &mut world.chance).unwrap();
    let answer = std::fs::read(&answers[0]).unwrap();
    assert!(!answer.windows(4).any(|window| window == b"CASE"), "the answer is packed");
    let report = world.round(CSV, Vec::new(), vec![answer.clone()]);
    let told = of(&report, "K-2");
    assert_eq!((told.entry.told_by, told.entry.reason.as_ref().unwrap().source.as_str()), (Some(ToldBy::Desk), "CASE-2026-17"));
    // It is kept by the next look.
    assert!(of(&world.round(CSV, Vec::new(), Vec::new()), "K-2").entry.reason.is_some());
    // Somebody else's answer is refused.
    let mut other = World::new("round-desk-other");
    other.matched();
    assert!(other.try_round(CSV, Vec::new(), vec![answer]).is_err());

    // A contest suspends, once for each fact.
    let entry = world.desk.entries(world.now).unwrap().into_iter().find(|one| one.entry.names[0] == "Waterhoen Hosting").unwrap();
    world.now += DAY;
    let file = world.desk.suspend(&entry.entry.id, "changed owner in March", world.now, &mut world.chance).unwrap();
    let twice = world.desk.suspend(&entry.entry.id, "Changed  owner in March", world.now, &mut world.chance);
    assert!(twice.is_err_and(|why| why.to_string().contains("before")));
    let delta = std::fs::read(&file).unwrap();
    let report = world.round(CSV, vec![delta.clone()], Vec::new());
    let hit = of(&report, "K-1");
    assert_eq!(hit.entry.status, Status::Suspended);
    let mut hits = Hits::open(world.provider.dir()).unwrap();
    let measure = Decide { what: What::Terminated, by: "A. de Vries", why: "lijst", own_evidence: None };
    assert!(decide(&mut hits, &hit.id.clone(), &measure, world.now).is_err());
    // The list holder takes it in, and its next change follows.
    world.holder.take_desk(&delta, world.now).unwrap();
    world.now += DAY;
    let change = world.change();
    let report = world.round(CSV, vec![change], Vec::new());
    assert_eq!((report.list.delta, of(&report, "K-1").entry.status), (2, Status::Suspended));
    assert_eq!(
        world.desk.record().unwrap().lines().iter().map(|line| line.what.as_str()).collect::<Vec<_>>(),
        ["admitted", "answered", "suspended"]
    );
}

/// The list holder made another change while the desk suspended: both are heard.
#[test]
fn what_the_desk_suspended_on_a_branch_of_its_own_is_suspended() {
    let mut world = World::new("round-branch");
    world.matched();
    let entry = world.desk.entries(world.now).unwrap().into_iter().find(|one| one.entry.names[0] == "Waterhoen Hosting").unwrap();
    world.now += DAY;
    let desk =
        std::fs::read(world.desk.suspend(&entry.entry.id, "changed owner", world.now, &mut world.chance).unwrap()).unwrap();
    let change = world.change();
    let report = world.round(CSV, vec![desk, change], Vec::new());
    assert_eq!((report.list.delta, of(&report, "K-1").entry.status), (1, Status::Suspended));
}

#[test]
fn old_gapped_and_foreign_files_are_refused() {
    let mut world = World::new("round-old");
    world.matched();
    // Older than seven days: nothing is looked up, and it is said.
    world.now += 8 * DAY;
    let report = world.round(CSV, Vec::new(), Vec::new());
    assert!(
        report.customers.looked_up == 0 && report.next.iter().any(|next| matches!(next, Next::Renew { .. })),
        "{:?}",
        report.next
    );
    let first = world.change();
    world.now += DAY;
    let second = world.change();
    // A gap.
    let gap = world.try_round(CSV, vec![second.clone()], Vec::new());
    assert!(gap.as_ref().is_err_and(|why| why.to_string().contains("missing")), "{gap:?}");
    let report = world.round(CSV, vec![first.clone(), second.clone()], Vec::new());
    assert!(report.list.delta == 2 && report.customers.looked_up > 0);
    // Going back to an older state is noticed.
    let list = world.provider.dir().join("list");
    for entry in std::fs::read_dir(&list).unwrap() {
        let path = entry.unwrap().path();
        if std::fs::read(&path).unwrap() == second {
            std::fs::remove_file(path).unwrap();
        }
    }
    let back = world.try_round(CSV, Vec::new(), Vec::new());
    assert!(back.as_ref().is_err_and(|why| why.to_string().contains("was seen before")), "{back:?}");
    world.round(CSV, vec![second], Vec::new());
    // Another list.
    let other = World::new("round-foreign");
    let foreign = world.try_round(CSV, vec![other.base()], Vec::new());
    assert!(foreign.is_err());
    // A changed file.
    let mut changed = first;
    let at = changed.len() / 2;
    changed[at] ^= 1;
    assert!(world.try_round(CSV, vec![changed], Vec::new()).is_err());
    // None of them was kept: it still works.
    assert!(world.round(CSV, Vec::new(), Vec::new()).customers.looked_up > 0);
}

#[test]
fn the_directory_without_the_cache_key_names_no_customer_that_has_no_hit() {
    let mut world = World::new("round-stolen");
    world.matched();
    let mut left = vec![world.provider.dir().to_owned()];
    let mut files = 0;
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        files += 1;
        let raw = std::fs::read(&path).unwrap();
        for secret in ["Roodborst", "roodborst", "33333333", "K-3"] {
            assert!(!raw.windows(secret.len()).any(|window| window == secret.as_bytes()), "{secret} in {}", path.display());
        }
    }
    assert!(files > 5);
    world.key = Key::new([4; 32]);
    let wrong = world.try_round(CSV, Vec::new(), Vec::new());
    assert!(wrong.is_err_and(|why| why.to_string().contains("cache key")));
}

#[test]
fn without_a_cache_the_answers_are_used_once_and_gone() {
    let mut world = World::new("round-no-cache");
    world.keep = false;
    let report = world.matched();
    assert_eq!(report.hits.len(), 3);
    assert!(!world.provider.dir().join("cache/cache.bin").exists());
    let again = world.round(CSV, Vec::new(), Vec::new());
    assert_eq!((again.hits.len(), again.customers.looked_up), (3, 0), "hits stay, answers do not");
}

#[test]
fn customers_that_left_are_marked_and_a_file_that_is_not_whole_costs_nothing() {
    let mut world = World::new("round-left");
    world.matched();
    let few: String = CSV.lines().take(2).map(|line| format!("{line}\n")).collect();
    let report = world.round(&few, Vec::new(), Vec::new());
    assert!(report.problems.iter().any(|problem| problem.contains("whole")), "{:?}", report.problems);
    assert!(of(&report, "K-2").gone.is_some() && of(&report, "K-1").gone.is_none());
    let report = world.round(CSV, Vec::new(), Vec::new());
    assert!(of(&report, "K-2").gone.is_none() && report.customers.unanswered == 0);
}

#[test]
fn whether_somebody_is_listed_is_told_to_nobody_by_the_answer() {
    use crate::desk::listed::{Proof, WAIT};
    let mut world = World::new("listed");
    let (listed, free) = ("11111111", "55555555");
    let mut numbers = Vec::new();
    for kvk in [listed, free] {
        let request = world.desk.request("Aanvrager", "kvk", kvk, NOW, &mut world.chance).unwrap();
        numbers.push((request.number.clone(), request.code.clone()));
        assert!(
            world.desk.request("Ander", "kvk", &format!("KvK {kvk}"), NOW + DAY, &mut world.chance).is_err(),
            "once a quarter"
        );
    }
    assert!(
        world.desk.request("Wie", "name-sorted", "Waterhoen Hosting", NOW, &mut world.chance).is_err(),
        "a name proves nothing"
    );
    assert!(world.desk.is_listed(&numbers[0].0, NOW).is_err(), "not before control is proven");
    for (number, _) in &numbers {
        assert!(world.desk.prove(number, Proof::RegisterExtract, " ", NOW).is_err());
        world.desk.prove(number, Proof::RegisterExtract, "extract of 20 November, seen", NOW).unwrap();
    }
    assert_eq!(numbers.iter().map(|(number, _)| world.desk.is_listed(number, NOW).unwrap().len()).collect::<Vec<_>>(), [1, 0]);
    for language in [Language::Nl, Language::En] {
        for at in [NOW + DAY, NOW + WAIT] {
            let mut letters: Vec<String> = Vec::new();
            for ((number, code), kvk) in numbers.iter().zip([listed, free]) {
                let letter = world.desk.letter(number, language, at).unwrap();
                assert!(letter.contains(number) && !letter.contains('{'), "{letter}");
                letters.push(letter.replace(number, "N").replace(code, "C").replace(kvk, "K"));
            }
            assert_eq!(letters[0], letters[1], "one letter for both");
        }
    }
    // Only the list holder's decision makes a difference.
    let entry = hex(&world.desk.is_listed(&numbers[0].0, NOW).unwrap()[0].entry.id);
    world.desk.disclose(&numbers[0].0, &entry, "officier van dienst", NOW + DAY).unwrap();
    let letter = world.desk.letter(&numbers[0].0, Language::Nl, NOW + WAIT);
    assert!(letter.unwrap().contains("CASE-2026-17"));
}

/// The same way once more, in a process that has no network at all. Skipped, and said, where the system does not allow that.
#[test]
fn a_hit_is_opened_with_the_network_cut() {
    let unshare = |command: &mut std::process::Command| command.output().ok().filter(|output| output.status.success());
    if unshare(std::process::Command::new("unshare").args(["-rn", "true"])).is_none() {
        eprintln!("skipped: this system does not let a process give up its network");
        return;
    }
    let me = std::env::current_exe().unwrap();
    let name = "provider::round::tests::a_change_is_looked_up_without_any_contact";
    let output = unshare(std::process::Command::new("unshare").arg("-rn").arg(me).args(["--exact", name]))
        .expect("the test passes there too");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

/// A stop anywhere, as far as files show it: an answer that was kept and not settled, one that was settled, one of somebody else.
#[test]
fn an_answer_may_be_given_again() {
    let mut world = World::new("round-again");
    let base = world.base();
    let first = world.round(CSV, vec![base], Vec::new());
    let answer = world.answer(&first);
    let before = std::fs::read(world.provider.dir().join("state.json")).unwrap();
    // As if it had stopped before anything was forgotten: the directory as it was, with the cache that was written.
    let pending: Vec<(PathBuf, Vec<u8>)> = ["cache", "outbox"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(world.provider.dir().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    let report = world.round(CSV, Vec::new(), vec![answer.clone()]);
    for (path, bytes) in &pending {
        std::fs::write(path, bytes).unwrap();
    }
    assert_eq!(before, std::fs::read(world.provider.dir().join("state.json")).unwrap());
    let again = world.round(CSV, Vec::new(), vec![answer.clone()]);
    assert_eq!((again.hits.len(), again.customers.unanswered), (report.hits.len(), 0));
    assert!(again.problems.is_empty() && !again.next.iter().any(|next| matches!(next, Next::Send { .. })), "{again:#?}");
    let told = world.round(CSV, Vec::new(), vec![answer]);
    assert!(told.problems.iter().any(|problem| problem.contains("taken in before")), "{:?}", told.problems);
}
