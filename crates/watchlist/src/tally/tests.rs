//! A whole tally in directories, and everything that must be refused on the way.

use std::path::PathBuf;

use matching::{
    envelope::{Envelope, Header, Kind},
    tally::{Answer, FLOOR, Member, Outcome, Period, Share, Words},
    testing::Chance,
};

use super::{
    author::{self, Named, Plan, Question},
    collector, provider, *,
};
use crate::{files::Scratch, keys::Role as Keyed, provider::report::Language};

const DAY: i64 = 24 * 60 * 60 * 1000;
const PASSPHRASE: Option<&str> = None;

/// Everybody of a tally, each in a directory of its own.
struct World {
    scratch: Scratch,
    association: Home,
    leader: Home,
    helper: Home,
    collector: Home,
    providers: Vec<Home>,
    chance: Chance,
    now: i64,
}

impl World {
    fn new(providers: usize) -> World {
        let scratch = Scratch::new("tally");
        let mut chance = Chance::of(1);
        let mut make =
            |name: &str, role: Keyed| Home::create(&scratch.0.join(name), role, name, PASSPHRASE, &mut chance).unwrap();
        let association = make("association", Keyed::Association);
        let leader = make("leader", Keyed::Leader);
        let helper = make("helper", Keyed::Helper);
        let collector = make("collector", Keyed::Collector);
        let providers = (0..providers).map(|n| make(&format!("provider{n}"), Keyed::Provider)).collect();
        World { scratch, association, leader, helper, collector, providers, chance, now: 100 * DAY }
    }

    fn plan(&mut self, question: Question) -> Plan {
        let key = self.leader.new_verify_key(&self.helper.identity.public, self.now, &mut self.chance).unwrap();
        let commitment = self.helper.take_verify_key(&key.file, &self.leader.identity.public, self.now).unwrap();
        assert_eq!(commitment, key.commitment);
        let named =
            |home: &Home, entity: &str| Named { public: home.identity.public.clone(), entity: entity.to_owned(), police: false };
        Plan {
            question,
            period: Period { name: "2026-Q4".to_owned(), from: 0, until: 90 * DAY },
            a_year: 4,
            opens: self.now,
            closes: self.now + 10 * DAY,
            ends: self.now + 60 * DAY,
            floor: FLOOR,
            epsilon: None,
            leader: named(&self.leader, "association"),
            helper: named(&self.helper, "university"),
            collector: named(&self.collector, "ministry"),
            verify: commitment,
            members: self
                .providers
                .iter()
                .enumerate()
                .map(|(n, home)| Member { key: home.key(), group: format!("group{n}") })
                .collect(),
        }
    }

    /// The task, signed by all, in every directory.
    fn task(&mut self, plan: &Plan) -> matching::Digest {
        let author = self.association.key();
        let made = author::make(&self.association, plan, self.now, &mut self.chance).unwrap();
        let mut file = made.file();
        for home in [&self.leader, &self.helper, &self.collector] {
            file = home.join(&file, &author, self.now).unwrap().file();
        }
        for home in [&self.leader, &self.helper, &self.collector, &self.association].into_iter().chain(&self.providers) {
            assert_eq!(home.join(&file, &author, self.now).unwrap().unsigned(), []);
        }
        made.id
    }

    fn matches(&mut self, exact: bool) -> matching::Digest {
        let plan = self.plan(Question::Matches { exact });
        self.task(&plan)
    }

    /// One provider reports, and both aggregators take it in.
    fn report(&mut self, id: &matching::Digest, n: usize, answer: &Answer, replace: bool) -> Result<(), String> {
        let home = &self.providers[n];
        let held = home.held(id).unwrap();
        let report =
            provider::report(home, &held, answer, replace, self.now, &mut self.chance).map_err(|error| error.to_string())?;
        for (aggregator, file) in [(&self.leader, &report.leader), (&self.helper, &report.helper)] {
            let file = [report.withdrawal.clone().unwrap_or_default(), file.clone()].concat();
            for taken in aggregator.accept(&file, self.now).unwrap() {
                if let Some(receipt) = taken.outcome.map_err(|error| error.to_string())? {
                    let role = provider::take_receipt(home, &held, &receipt, self.now).unwrap();
                    assert_eq!(role, aggregator.role().unwrap());
                }
            }
        }
        let standing = provider::standing(home, &held).unwrap();
        assert!(standing.reported && standing.leader && standing.helper);
        Ok(())
    }

    fn set(&mut self, id: &matching::Digest) -> Result<Vec<u8>, Error> {
        let (leader, helper) = (self.leader.held(id)?, self.helper.held(id)?);
        let proposed = self.leader.propose_set(&leader, self.now)?;
        let answered = self.helper.answer_set(&helper, &proposed, self.now)?;
        let signed = self.leader.confirm_set(&leader, &answered, self.now)?;
        self.helper.take_set(&helper, &signed, self.now)?;
        Ok(signed)
    }

    fn prepare(&mut self, id: &matching::Digest) -> Result<prepare::Counted, Error> {
        let (leader, helper) = (self.leader.held(id)?, self.helper.held(id)?);
        let begun = self.leader.begin(&leader, self.now)?;
        let answered = self.helper.answer(&helper, &begun, self.now)?;
        let (file, counted) = self.leader.end(&leader, &answered, self.now)?;
        assert_eq!(self.helper.take_counted(&helper, &file, self.now)?, counted);
        Ok(counted)
    }

    fn collect(&mut self, id: &matching::Digest, noise: bool) -> Result<(Vec<u8>, Outcome), Error> {
        let mut shares = Vec::new();
        for home in [&self.leader, &self.helper] {
            let held = home.held(id)?;
            shares.push(match noise {
                true => home.release(&held, self.now, &mut self.chance)?,
                false => home.release_without_noise(&held, self.now, &mut self.chance)?,
            });
        }
        self.collector.collect(&self.collector.held(id)?, [&shares[1], &shares[0]], self.now)
    }

    fn close_and_set(&mut self, id: &matching::Digest) {
        self.now += 11 * DAY;
        self.set(id).unwrap();
    }

    fn path(&self, home: &str) -> PathBuf {
        self.scratch.0.join(home)
    }
}

fn said<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    outcome.unwrap_err().to_string()
}

#[test]
fn a_tally_from_task_to_total_is_the_plain_sum() {
    let mut world = World::new(22);
    let id = world.matches(true);
    let parts = |n: u32| vec![n % 3, 0, u32::from(n == 7) * 100, 0, 0, 1];
    for n in 0..22 {
        let answer = if n < 15 { Answer::Parts(vec![0; 6]) } else { Answer::Parts(parts(n as u32)) };
        world.report(&id, n, &answer, false).unwrap();
    }
    assert!(said(world.set(&id)).contains("after the task closes"));
    world.now += 11 * DAY;
    let set = world.set(&id).unwrap();
    for home in &world.providers {
        assert!(provider::look_at_set(home, &home.held(&id).unwrap(), &set, world.now).unwrap());
    }
    // Seven days must pass, to the millisecond, by each aggregator's own clock.
    assert!(said(world.prepare(&id)).contains("168 hours to go"));
    world.now += 7 * DAY - 1;
    assert!(said(world.prepare(&id)).contains("seven days"));
    assert!(world.collect(&id, false).is_err());
    world.now += 1;
    let counted = world.prepare(&id).unwrap();
    assert_eq!((counted.set.entries.len(), counted.refused.len()), (22, 0));
    let (total, outcome) = world.collect(&id, false).unwrap();
    assert_eq!((outcome.numbers[0].raw, outcome.count, outcome.groups, outcome.least), (7, 22, 22, 20));
    // Exact sums only when all have consented, whatever the aggregators would like.
    let (leader, helper) = (world.leader.held(&id).unwrap(), world.helper.held(&id).unwrap());
    assert!(
        said(world.leader.release_exact(&leader, &total, world.now, &mut world.chance)).contains("22 of the cohort have not")
    );
    for n in 0..22 {
        let home = &world.providers[n];
        let consent = provider::consent(home, &home.held(&id).unwrap(), world.now).unwrap();
        if n == 21 {
            let without = world.leader.release_exact(&leader, &total, world.now, &mut world.chance);
            assert!(said(without).contains("1 of the cohort have not"));
        }
        for aggregator in [&world.leader, &world.helper] {
            assert!(aggregator.accept(&consent, world.now).unwrap()[0].outcome.is_ok());
        }
    }
    let first = world.leader.release_exact(&leader, &total, world.now, &mut world.chance).unwrap();
    let second = world.helper.release_exact(&helper, &total, world.now, &mut world.chance).unwrap();
    let (total, outcome) = world.collector.collect(&world.collector.held(&id).unwrap(), [&first, &second], world.now).unwrap();
    let expected: Vec<u64> = (0..6).map(|at| (15..22).map(|n| u64::from(parts(n)[at])).sum()).collect();
    assert_eq!(outcome.exact, Some(expected));
    // Anybody checks it, with the two public files alone.
    let task = world.collector.held(&id).unwrap().public_file();
    let author = world.association.key();
    assert_eq!(collector::check(&task, &total, Some(&author)).unwrap().2, outcome);
    assert!(collector::check(&task, &total, Some(&world.leader.key())).is_err());
    let (checked, total, outcome) = collector::check(&task, &total, Some(&author)).unwrap();
    for (language, words) in [(Language::Nl, "geen wederverkopers"), (Language::En, "provider-matches, not resellers")] {
        let shown = page::Shown::new(&checked, &total, &outcome, language);
        let html = shown.html();
        assert!(html.contains(words) && html.contains("epsilon 0.5") && html.contains("4.0") && html.contains("n-1"), "{html}");
        assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href="));
        assert_eq!(shown.bars(20).len(), 7);
        assert_eq!(shown.bars(22)[0].1.chars().count(), 7);
    }
    let cohort = world.leader.held(&id).unwrap().file();
    assert!(
        !task.windows(32).any(|bytes| world.providers.iter().any(|home| bytes == home.key())),
        "the public task names no provider"
    );
    assert!(cohort.len() > task.len());
}

#[test]
fn exact_sums_wait_for_five_affected() {
    let mut world = World::new(20);
    let id = world.matches(true);
    for n in 0..20 {
        world.report(&id, n, &Answer::Parts(vec![u32::from(n < 4), 0, 0, 0, 0, 0]), false).unwrap();
        let home = &world.providers[n];
        let consent = provider::consent(home, &home.held(&id).unwrap(), world.now).unwrap();
        assert!(world.leader.accept(&consent, world.now).unwrap()[0].outcome.is_ok());
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    let (total, outcome) = world.collect(&id, false).unwrap();
    assert_eq!(outcome.numbers[0].clamped, 4);
    let held = world.leader.held(&id).unwrap();
    assert!(said(world.leader.release_exact(&held, &total, world.now, &mut world.chance)).contains("fewer than five"));
}

#[test]
fn what_is_released_has_noise_is_drawn_once_and_is_collected_once_for_ever() {
    let mut world = World::new(20);
    let id = world.matches(false);
    for n in 0..20 {
        world.report(&id, n, &Answer::Number(0), false).unwrap();
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    let (file, outcome) = world.collect(&id, true).unwrap();
    assert!((outcome.deviation - 3.96).abs() < 0.01);
    assert!(outcome.numbers[0].clamped <= 20);
    // A second call, and one after a restart, give the same noise; another would let the mean of many be taken.
    let held = world.leader.held(&id).unwrap();
    let first = world.leader.release(&held, world.now, &mut Chance::of(99)).unwrap();
    let spare = Home::create(&world.path("spare"), Keyed::Leader, "", None, &mut Chance::of(5)).unwrap();
    drop(std::mem::replace(&mut world.leader, spare));
    world.leader = Home::open(&world.path("leader"), Keyed::Leader, PASSPHRASE).unwrap();
    assert_eq!(world.leader.release(&held, world.now + DAY, &mut Chance::of(98)).unwrap(), first);
    assert_eq!(world.collect(&id, true).unwrap().0, file);

    // The same again as another task: one provider less, another salt, an overlapping period, another name for the measure.
    let mut plan = world.plan(Question::Matches { exact: false });
    plan.period = Period { name: "autumn".to_owned(), from: 80 * DAY, until: 120 * DAY };
    let author = world.association.key();
    let made = author::make(&world.association, &plan, world.now, &mut world.chance).unwrap();
    assert!(said(world.leader.join(&made.file(), &author, world.now)).contains("counted for this measure and period"));
    assert!(said(world.helper.join(&made.file(), &author, world.now)).contains("counted for this measure and period"));
    // The next period is another.
    plan.period = Period { name: "2027-Q1".to_owned(), from: 90 * DAY, until: 180 * DAY };
    let made = author::make(&world.association, &plan, world.now, &mut world.chance).unwrap();
    assert!(world.leader.join(&made.file(), &author, world.now).is_ok());
    // What a year allows: 0.5 was released, 2 twice and 0.5 is too much.
    plan.epsilon = Some(2_000);
    plan.a_year = 1;
    let made = author::make(&world.association, &plan, world.now, &mut world.chance).unwrap();
    assert!(world.leader.join(&made.file(), &author, world.now).is_ok());
    let members: Vec<_> = world.providers.iter().map(Home::key).collect();
    let mut task = made.task.clone();
    task.epsilon = 3_501;
    assert!(said(world.leader.check_spent(&task, &members, world.now)).contains("epsilon 4"));
    assert!(world.leader.check_spent(&task, &members, world.now + 366 * DAY).is_ok());
}

#[test]
fn a_kill_between_any_two_files_of_the_release_releases_once() {
    let mut world = World::new(20);
    let id = world.matches(false);
    for n in 0..20 {
        world.report(&id, n, &Answer::Number(1), false).unwrap();
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    let held = world.leader.held(&id).unwrap();
    // A release that was being written when the power went is not there; what was given out is.
    std::fs::write(world.path("leader/tally/released/half.new"), b"half").unwrap();
    let first = world.leader.release(&held, world.now, &mut Chance::of(3)).unwrap();
    assert_eq!(world.leader.release(&held, world.now, &mut Chance::of(4)).unwrap(), first);
    // One that is broken stops everything rather than letting it be drawn again.
    let path = world.path("leader/tally/released");
    let name = home::names(&path).unwrap().pop().unwrap();
    std::fs::write(path.join(name), b"broken").unwrap();
    assert!(world.leader.release(&held, world.now, &mut Chance::of(4)).is_err());
}

#[test]
fn nine_providers_are_refused_and_ten_need_a_lower_floor() {
    let mut world = World::new(9);
    let plan = world.plan(Question::Matches { exact: false });
    let made = author::make(&world.association, &plan, world.now, &mut world.chance);
    assert!(said(made).contains("9 independent providers are in it and 10 must be"));
    for floor in [9, 0] {
        let plan = Plan { floor, ..plan.clone() };
        assert!(author::make(&world.association, &plan, world.now, &mut world.chance).is_err());
    }
    let mut world = World::new(10);
    let mut plan = world.plan(Question::Matches { exact: false });
    assert!(author::make(&world.association, &plan, world.now, &mut world.chance).is_err());
    plan.floor = 10;
    // What is lower than usual is printed with the total.
    // Ten keys of nine groups are nine.
    let mut brands = plan.clone();
    brands.members[0].group = "group1".to_owned();
    assert!(said(author::make(&world.association, &brands, world.now, &mut world.chance)).contains("9 independent"));
    let id = world.task(&plan);
    for n in 0..9 {
        world.report(&id, n, &Answer::Number(0), false).unwrap();
    }
    world.now += 11 * DAY;
    assert!(said(world.set(&id)).contains("9 independent providers are in it and 10 must be"));
}

#[test]
fn roles_that_are_one_and_police_that_collect_are_refused() {
    let mut world = World::new(20);
    let plan = world.plan(Question::Matches { exact: false });
    type Change = fn(&mut Plan);
    let cases: [(&str, Change); 6] = [
        ("collector is police", |plan| plan.collector.police = true),
        ("leader and helper are one legal entity", |plan| plan.helper.entity = "Association".to_owned()),
        ("helper and collector are one legal entity", |plan| plan.collector.entity = "University".to_owned()),
        ("a leader's", |plan| plan.helper.public = plan.leader.public.clone()),
        ("both police", |plan| (plan.leader.police, plan.helper.police) = (true, true)),
        ("key is in it twice", |plan| plan.members.push(plan.members[0].clone())),
    ];
    for (what, change) in cases {
        let mut changed = plan.clone();
        change(&mut changed);
        let refused = said(author::make(&world.association, &changed, world.now, &mut world.chance));
        assert!(refused.contains(what), "{what}: {refused}");
    }
    // Nobody does another's work.
    assert!(author::make(&world.leader, &plan, world.now, &mut world.chance).is_err());
    let id = world.task(&plan);
    let held = world.leader.held(&id).unwrap();
    assert!(said(world.helper.propose_set(&held, world.now)).contains("the leader does this"));
    assert!(said(world.collector.release(&held, world.now, &mut world.chance)).contains("the leader or the helper does this"));
    assert!(provider::report(&world.leader, &held, &Answer::Number(0), false, world.now, &mut world.chance).is_err());
    // An aggregator that the task does not name does not sign it.
    let stranger = Home::create(&world.path("stranger"), Keyed::Leader, "stranger", None, &mut Chance::of(8)).unwrap();
    assert!(said(stranger.join(&held.file(), &world.association.key(), world.now)).contains("another leader"));
    assert!(said(stranger.join(&held.file(), &stranger.key(), world.now)).contains("another sender"));
    // A provider outside the cohort cannot join, and one without the cohort cannot either.
    let outside = Home::create(&world.path("outside"), Keyed::Provider, "outside", None, &mut Chance::of(9)).unwrap();
    assert!(said(outside.join(&held.file(), &world.association.key(), world.now)).contains("not in the cohort"));
    assert!(said(outside.join(&held.public_file(), &world.association.key(), world.now)).contains("without its cohort"));
}

#[test]
fn a_contribution_is_taken_once_and_replaced_only_before_the_close() {
    let mut world = World::new(21);
    let id = world.matches(false);
    for n in 0..20 {
        world.report(&id, n, &Answer::Number(0), false).unwrap();
    }
    // Asked again, the same files and the same receipts.
    let held = world.providers[0].held(&id).unwrap();
    let again = |world: &mut World, replace| {
        provider::report(&world.providers[0], &held, &Answer::Number(9), replace, world.now, &mut world.chance).unwrap()
    };
    let first = again(&mut world, false);
    assert!(first.again);
    assert!(world.leader.accept(&first.leader, world.now).unwrap()[0].outcome.is_ok());
    // A second contribution without a withdrawal is refused; so are the wrong half and the other's half.
    let replaced = again(&mut world, true);
    let refused = |world: &World, home: &Home, file: &[u8]| {
        home.accept(file, world.now).unwrap().pop().unwrap().outcome.unwrap_err().to_string()
    };
    assert!(refused(&world, &world.leader, &replaced.leader).contains("has contributed already"));
    assert!(refused(&world, &world.leader, &replaced.helper).contains("was expected"));
    assert!(refused(&world, &world.helper, &replaced.leader).contains("was expected"));
    let withdrawal = replaced.withdrawal.clone().unwrap();
    for (home, file) in [(&world.leader, &replaced.leader), (&world.helper, &replaced.helper)] {
        assert!(home.accept(&withdrawal, world.now).unwrap()[0].outcome.is_ok());
        assert!(home.accept(file, world.now).unwrap()[0].outcome.is_ok());
    }
    // The withdrawn one does not come back.
    assert!(refused(&world, &world.leader, &first.leader).contains("replay"));
    // A rival signs a copy of it; a file for another task; somebody outside.
    let rival = &world.providers[20];
    let copy = Envelope::read_all(&replaced.leader, 1).unwrap().remove(0);
    let header = Header { sender: rival.key(), ..copy.header.clone() };
    let copied = Envelope::signed(header.clone(), copy.body.clone(), &rival.identity.signing).encode();
    assert!(refused(&world, &world.leader, &copied).contains("is another provider's"));
    let mut share = Share::decode(&copy.body).unwrap();
    share.nonce[0] ^= 1;
    let renamed = Envelope::signed(header.clone(), share.encode(), &rival.identity.signing).encode();
    assert!(refused(&world, &world.leader, &renamed).contains("not sealed for this key"));
    let foreign = Envelope::signed(Header { under: [9; 32], ..header }, copy.body.clone(), &rival.identity.signing).encode();
    assert!(refused(&world, &world.leader, &foreign).contains("does not know"));
    let mut unsigned = copy.clone();
    unsigned.signatures.clear();
    assert!(refused(&world, &world.leader, &unsigned.encode()).contains("not signed"));
    let stranger = &world.association;
    let header = Header { sender: stranger.key(), ..copy.header.clone() };
    let outside = Envelope::signed(header, copy.body.clone(), &stranger.identity.signing).encode();
    assert!(refused(&world, &world.leader, &outside).contains("nobody of the cohort"));
    // After the close nothing is taken in, changed or withdrawn.
    world.now += 11 * DAY;
    let error = |error: Error| error.to_string();
    let late =
        provider::report(&world.providers[20], &held, &Answer::Number(1), false, world.now, &mut world.chance).map_err(error);
    assert!(late.unwrap_err().contains("no longer"));
    let late =
        provider::report(&world.providers[0], &held, &Answer::Number(1), true, world.now, &mut world.chance).map_err(error);
    assert!(late.unwrap_err().contains("no longer"));
    world.set(&id).unwrap();
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    assert_eq!(world.collect(&id, false).unwrap().1.numbers[0].raw, 1);
}

#[test]
fn a_contribution_out_of_range_is_refused_and_named() {
    let mut world = World::new(24);
    let id = world.matches(false);
    for n in 1..24 {
        world.report(&id, n, &Answer::Number(3), false).unwrap();
    }
    // A liar with a changed program: both aggregators take it in, since each sees only its half.
    let (liar, mut chance) = (&world.providers[0], Chance::of(6));
    let held = liar.held(&id).unwrap();
    let made = matching::tally::share::out_of_range(&held.task, &liar.key(), &Answer::Number(0), &mut chance).unwrap();
    for (home, kind, share) in
        [(&world.leader, Kind::LeaderShare, &made.leader), (&world.helper, Kind::HelperShare, &made.helper)]
    {
        let envelope =
            Envelope::signed(held.header(kind, liar.key(), home.key(), world.now), share.encode(), &liar.identity.signing);
        assert!(home.accept(&envelope.encode(), world.now).unwrap()[0].outcome.is_ok());
    }
    let liar = liar.key();
    world.close_and_set(&id);
    world.now += 8 * DAY;
    let counted = world.prepare(&id).unwrap();
    assert_eq!((counted.set.entries.len(), counted.refused), (23, vec![liar]));
    assert_eq!(world.collect(&id, false).unwrap().1.numbers[0].raw, 23);
}

#[test]
fn one_task_is_prepared_once_and_a_changed_message_costs_its_contribution() {
    let mut world = World::new(24);
    let id = world.matches(false);
    for n in 0..24 {
        world.report(&id, n, &Answer::Number(3), false).unwrap();
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    let (leader, helper) = (world.leader.held(&id).unwrap(), world.helper.held(&id).unwrap());
    let begun = world.leader.begin(&leader, world.now).unwrap();
    let mut envelope = Envelope::read_all(&begun, 1).unwrap().remove(0);
    // Two bytes into the list begins the first provider: key, flag, length, and then its message.
    envelope.body[2 + 32 + 1 + 4 + 3] ^= 1;
    let lie = Envelope::signed(envelope.header.clone(), envelope.body.clone(), &world.leader.identity.signing).encode();
    let answered = world.helper.answer(&helper, &lie, world.now).unwrap();
    assert!(said(world.helper.answer(&helper, &begun, world.now)).contains("prepared once"));
    assert!(said(world.leader.end(&leader, &answered, world.now)).contains("other messages"));
    leader.write("begun.slu", &lie).unwrap();
    let (file, counted) = world.leader.end(&leader, &answered, world.now).unwrap();
    assert_eq!((counted.set.entries.len(), counted.refused.len()), (23, 1));
    assert_eq!(world.helper.take_counted(&helper, &file, world.now).unwrap(), counted);
    assert_eq!(world.collect(&id, false).unwrap().1.numbers[0].raw, 23);
}

#[test]
fn a_helper_that_lies_or_is_lost_and_a_leader_that_isolates_are_found_out() {
    let mut world = World::new(24);
    let id = world.matches(false);
    for n in 0..24 {
        world.report(&id, n, &Answer::Number(u32::from(n == 0)), false).unwrap();
    }
    world.now += 11 * DAY;
    let (leader, helper) = (world.leader.held(&id).unwrap(), world.helper.held(&id).unwrap());
    let proposed = world.leader.propose_set(&leader, world.now).unwrap();
    let answered = world.helper.answer_set(&helper, &proposed, world.now).unwrap();
    let set = set::AcceptedSet::decode(&Envelope::read_all(&answered, 1).unwrap()[0].body).unwrap();
    // The helper says other than is so.
    let sign = |body: Vec<u8>, kind: Kind, home: &Home| {
        Envelope::signed(helper.header(kind, home.key(), matching::envelope::EVERYBODY, world.now), body, &home.identity.signing)
            .encode()
    };
    let lie = |change: &dyn Fn(&mut set::AcceptedSet)| {
        let mut lying = set.clone();
        change(&mut lying);
        said(world.leader.confirm_set(&leader, &sign(lying.encode(), Kind::AcceptedSet, &world.helper), world.now))
    };
    assert!(lie(&|set| set.entries.truncate(23)).contains("leaves out"));
    assert!(lie(&|set| set.entries[0].nonce[0] ^= 1).contains("is not here"));
    assert!(
        lie(&|set| {
            let entry = set.entries.pop().unwrap();
            set.apart.push((entry.provider, set::Apart::HelperOnly));
        })
        .contains("do")
    );
    // It leaves out more than a tenth, and says so: too few are left.
    assert!(
        lie(&|set| {
            for entry in set.entries.split_off(19) {
                set.apart.push((entry.provider, set::Apart::LeaderOnly));
            }
        })
        .contains("19 independent providers are in it and 22 must be")
    );
    // A leader that proposes its shills and one victim, and has lost the rest.
    let mut few = set.clone();
    few.entries.truncate(3);
    let header = leader.header(Kind::AcceptedSet, world.leader.key(), world.helper.key(), world.now);
    let few = Envelope::signed(header, few.encode(), &world.leader.identity.signing).encode();
    assert!(said(world.helper.answer_set(&helper, &few, world.now)).contains("3 independent"));
    // One that shows the cohort a set with everybody in it, and has another counted.
    let mut other = set.clone();
    other.entries.truncate(22);
    let header = leader.header(Kind::AcceptedSet, world.leader.key(), world.helper.key(), world.now);
    let other = Envelope::signed(header, other.encode(), &world.leader.identity.signing).encode();
    assert!(said(world.helper.answer_set(&helper, &other, world.now)).contains("another set before"));
    assert_eq!(world.helper.answer_set(&helper, &proposed, world.now + 5).unwrap(), answered, "the same again");
    let signed = world.leader.confirm_set(&leader, &answered, world.now).unwrap();
    assert!(said(world.helper.take_set(&helper, &answered, world.now)).contains("signed by both"));
    world.helper.take_set(&helper, &signed, world.now).unwrap();
    // After the proof too: a leader that counts only some, or leaves one out unnamed.
    world.now += 8 * DAY;
    let begun = world.leader.begin(&leader, world.now).unwrap();
    // The helper is lost before it answers: nothing comes out, and nothing is released by the leader alone.
    assert!(said(world.leader.release(&leader, world.now, &mut Chance::of(1))).contains("not proven yet"));
    let answered = world.helper.answer(&helper, &begun, world.now).unwrap();
    let (file, counted) = world.leader.end(&leader, &answered, world.now).unwrap();
    let shorter = |keep: usize, named: bool| {
        let mut shorter = counted.clone();
        let out = shorter.set.entries.split_off(keep);
        if named {
            shorter.refused = out.iter().map(|entry| entry.provider).collect();
        }
        shorter.encode_for_tests()
    };
    let sign = |body: Vec<u8>| {
        let header = leader.header(Kind::AcceptedSet, world.leader.key(), matching::envelope::EVERYBODY, world.now);
        Envelope::signed(header, body, &world.leader.identity.signing).encode()
    };
    assert!(said(world.helper.take_counted(&helper, &sign(shorter(23, false)), world.now)).contains("without naming it"));
    assert!(said(world.helper.take_counted(&helper, &sign(shorter(21, true)), world.now)).contains("21 independent"));
    world.helper.take_counted(&helper, &file, world.now).unwrap();
    assert!(said(world.helper.take_counted(&helper, &sign(shorter(23, true)), world.now)).contains("counted once"));
    // Shares of totals that do not belong together.
    let first = world.leader.release_without_noise(&leader, world.now, &mut Chance::of(1)).unwrap();
    let held = world.collector.held(&id).unwrap();
    assert!(said(world.collector.collect(&held, [&first, &first], world.now)).contains("one of each"));
    assert!(said(world.collector.collect(&held, [&first, &begun], world.now)).contains("expected"));
    assert_eq!(world.collect(&id, false).unwrap().1.numbers[0].raw, 1);
}

#[test]
fn a_foreign_key_of_verification_joins_nothing() {
    let mut world = World::new(20);
    let mut plan = world.plan(Question::Matches { exact: false });
    plan.verify = [7; 32];
    let made = author::make(&world.association, &plan, world.now, &mut world.chance).unwrap();
    let author = world.association.key();
    assert!(said(world.leader.join(&made.file(), &author, world.now)).contains("key of verification is not here"));
    // A key sealed to another helper, or that another leader sent.
    let other = Home::create(&world.path("other"), Keyed::Helper, "other", None, &mut Chance::of(8)).unwrap();
    let key = world.leader.new_verify_key(&other.identity.public, world.now, &mut world.chance).unwrap();
    assert!(
        said(world.helper.take_verify_key(&key.file, &world.leader.identity.public, world.now)).contains("another recipient")
    );
    assert!(other.take_verify_key(&key.file, &world.association.identity.public, world.now).is_err());
    assert!(other.take_verify_key(&key.file, &world.leader.identity.public, world.now).is_ok());
}

#[test]
fn any_closed_question_is_counted_by_choice() {
    let mut world = World::new(20);
    let plan = world.plan(Question::Choices {
        measure: "two-factor".to_owned(),
        question: Words::new("Vraagt u resellers om twee factoren?", "Do you ask resellers for two factors?"),
        choices: vec![Words::new("ja", "yes"), Words::new("nee", "no"), Words::new("deels", "partly")],
    });
    let id = world.task(&plan);
    for n in 0..20u16 {
        world.report(&id, n.into(), &Answer::Choice(n % 3), false).unwrap();
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    let (_, outcome) = world.collect(&id, false).unwrap();
    assert_eq!(outcome.numbers.iter().map(|number| number.raw).collect::<Vec<_>>(), [7, 7, 6]);
}

#[test]
fn no_partys_files_hold_an_answer() {
    // The one question of which each answer is visible in the clear, if it is anywhere: every answer is the same, and so would its bytes be.
    let mut world = World::new(20);
    let id = world.matches(false);
    for n in 0..20 {
        world.report(&id, n, &Answer::Number(0x00C0_FFEE), false).unwrap();
    }
    world.close_and_set(&id);
    world.now += 8 * DAY;
    world.prepare(&id).unwrap();
    world.collect(&id, true).unwrap();
    let mut folders = vec![world.scratch.0.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            assert!(!has(&0x00C0_FFEE_u32.to_be_bytes()) && !has(&0x00C0_FFEE_u32.to_le_bytes()), "{}", path.display());
        }
    }
}
