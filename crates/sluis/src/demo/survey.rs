//! What the node made of the demo's year, read from its database, and whether it is true.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use model::category::Kind;
use model::chain::{Chains, PartyId};
use model::policy::Closure;
use model::report::Core;
use model::submission::{Progress, Submission};
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::cases::{Filed, Filter};
use store::queues::{Queue, Waiting};

use super::Play;
use super::care::{Care, care};
use super::files::{Fate, Statement};
use super::world::{PROVIDER, RESELLERS};

/// Cases and submissions that are read from the database at a time.
const PAGE: u32 = 500;
/// More reports than any case has.
const ALL: usize = 1 << 20;
/// Answers that were wrong, of which the text is kept.
const WRONG_KEPT: usize = 20;

/// Everything that the last screen tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Survey {
    pub(crate) seed: u64,
    pub(crate) from: String,
    pub(crate) to: String,
    /// Customers that the world had in the year.
    pub(crate) customers: usize,
    pub(crate) assignments: usize,
    pub(crate) submissions: u64,
    /// Submissions that came more than once.
    pub(crate) copies: u64,
    /// Submissions by the format that read them.
    pub(crate) formats: BTreeMap<String, u64>,
    pub(crate) reports: u64,
    pub(crate) cases: u64,
    /// Reports that are in a case.
    pub(crate) in_cases: u64,
    pub(crate) no_holder: u64,
    pub(crate) unreadable: u64,
    /// The number of the mail that somebody wrote in their own words.
    pub(crate) in_words: i64,
    pub(crate) rejects: u64,
    pub(crate) undated: u64,
    /// Reports whose whole chain is that of the world, at the time of the abuse.
    pub(crate) true_chains: u64,
    /// What did not come to what it should.
    pub(crate) wrong: Vec<String>,
    /// By cases, the most first.
    pub(crate) branches: Vec<Branch>,
    pub(crate) handover: Handover,
    pub(crate) care: Care,
}

/// A reseller with everybody below it, the provider's own customers, or nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Branch {
    /// Its reference; empty for nobody.
    pub(crate) party: String,
    pub(crate) name: String,
    /// The reseller above it.
    pub(crate) below: Option<String>,
    /// Customers with a case.
    pub(crate) customers: usize,
    pub(crate) cases: u64,
    pub(crate) reports: u64,
    /// Kinds of abuse among its cases.
    pub(crate) kinds: usize,
}

/// One address before and after it changed hands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Handover {
    pub(crate) address: String,
    pub(crate) at: String,
    pub(crate) before: Moment,
    pub(crate) after: Moment,
    /// When the report that came late says that the abuse was seen, and when it came.
    pub(crate) late_seen: String,
    pub(crate) late_received: String,
    /// The case it came into.
    pub(crate) late_case: i64,
}

/// A case about the address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Moment {
    /// A moment of the abuse.
    pub(crate) at: String,
    /// Number of the case.
    pub(crate) case: i64,
    pub(crate) reports: u64,
    /// References of the chain, the provider first.
    pub(crate) chain: Vec<String>,
}

/// What every statement has to come to, by the name of its file and its place there, and whether it was met.
struct Expected<'p> {
    play: &'p Play,
    statements: HashMap<&'p str, Vec<(&'p Statement, bool)>>,
}

/// Looks at the node's data.
///
/// # Errors
/// When the database cannot be read.
pub(crate) fn survey(play: &Play, transaction: &Transaction<'_>) -> Result<Survey> {
    let world = &play.world;
    let mut survey = Survey {
        seed: play.seed,
        from: world.start.to_string(),
        to: world.end.to_string(),
        customers: world.customers(),
        assignments: world.holdings.len(),
        submissions: 0,
        copies: 0,
        formats: BTreeMap::new(),
        reports: 0,
        cases: 0,
        in_cases: 0,
        no_holder: 0,
        unreadable: 0,
        in_words: 0,
        rejects: 0,
        undated: 0,
        true_chains: 0,
        wrong: Vec::new(),
        branches: Vec::new(),
        handover: handover(play, transaction)?,
        care: care(play, transaction)?,
    };
    let submissions = submissions(transaction)?;
    for submission in submissions.values() {
        survey.submissions += 1;
        survey.copies += u64::from(submission.times > 1);
        survey.reports += u64::from(submission.reports);
        let format = if submission.progress == Progress::Unreadable { "none" } else { submission.format.as_str() };
        *survey.formats.entry(format.to_owned()).or_default() += 1;
        if submission.progress == Progress::Unreadable {
            survey.in_words = submission.id;
        }
    }
    let Waiting { no_holder, unreadable, rejects, undated, unread, .. } = transaction.waiting()?;
    [survey.no_holder, survey.unreadable, survey.rejects, survey.undated] =
        [no_holder, unreadable, rejects, undated].map(i64::unsigned_abs);
    if unread > 0 {
        survey.wrong.push(format!("{unread} submissions are not read to their end"));
    }

    let mut expected = Expected::of(play);
    let (index, _) = transaction.index()?;
    let mut references = References { transaction, known: HashMap::new() };
    let mut branches = Branches { play, counts: HashMap::new() };
    let mut before = None;
    loop {
        let page = transaction.cases(&Filter { before, ..Filter::default() }, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.case.id);
        for filed in &page {
            let standing = transaction.standing(filed.case.id)?;
            if standing.is_some_and(|standing| standing.closure == Some(Closure::Merged)) {
                // Its reports are met in the case that it became part of.
                continue;
            }
            survey.cases += 1;
            let (batch, kept) = transaction.reports_with_merged(filed, ALL)?;
            survey.in_cases += kept.len() as u64;
            branches.add(filed, &chain_of(transaction, &mut references, filed)?);
            let mut chains = Chains::default();
            index.trace_batch(&batch, &mut chains);
            let holder = filed.case.holder.map(|holder| references.of(holder)).transpose()?;
            for (at, (report, kept)) in batch.reports().zip(&kept).enumerate() {
                let name = submissions.get(&kept.submission).map_or("", |submission| submission.name.as_str());
                let chain = chains.chain(at, report.core.observed().unwrap_or(Time::MIN), &index);
                let chain: Vec<String> = chain.links.iter().map(|link| references.of(link.party)).collect::<Result<_>>()?;
                match expected.meet(name, kept.ordinal, report.core, holder.as_deref(), &chain) {
                    None => survey.true_chains += 1,
                    Some(wrong) => survey.wrong.push(wrong),
                }
            }
        }
    }
    for queue in Queue::ALL {
        for entry in transaction.queued(queue, None, u32::MAX)? {
            let name = submissions.get(&entry.submission).map_or("", |submission| submission.name.as_str());
            survey.wrong.extend(expected.meet_set_aside(name, entry.entry.ordinal, queue));
        }
    }
    survey.wrong.extend(expected.missed());
    survey.wrong.truncate(WRONG_KEPT);
    survey.branches = branches.finish();
    Ok(survey)
}

fn submissions(transaction: &Transaction<'_>) -> Result<BTreeMap<i64, Submission>> {
    let mut all = BTreeMap::new();
    let mut before = i64::MAX;
    loop {
        let page = transaction.submissions(None, before, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        before = last.id;
        all.extend(page.into_iter().map(|submission| (submission.id, submission)));
    }
}

/// References of parties by their numbers.
struct References<'t> {
    transaction: &'t Transaction<'t>,
    known: HashMap<PartyId, String>,
}

impl References<'_> {
    fn of(&mut self, id: PartyId) -> Result<String> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let kept = self.transaction.party(id)?.with_context(|| format!("there is no party {id}"))?;
        self.known.insert(id, kept.party.reference.clone());
        Ok(kept.party.reference)
    }
}

fn chain_of(transaction: &Transaction<'_>, references: &mut References<'_>, filed: &Filed) -> Result<Vec<String>> {
    let chain = transaction.chain(filed.chain)?;
    chain.links.iter().map(|link| references.of(link.party)).collect()
}

impl<'p> Expected<'p> {
    fn of(play: &'p Play) -> Expected<'p> {
        let files = play.files.iter().filter(|file| !file.copy);
        let said = files.map(|file| (file.name.as_str(), file.statements.iter().map(|said| (said, false)).collect()));
        Expected { play, statements: said.collect() }
    }

    /// The references of who really held what a statement is about.
    fn truth(&self, statement: &Statement) -> Vec<&'p str> {
        let world = &self.play.world;
        let chain = world.chain(statement.address, statement.host.as_deref(), statement.at);
        chain.into_iter().map(|party| world.parties[party].reference.as_str()).collect()
    }

    /// The statement at a place, marked as met; an error when it was met before, or nobody made it.
    fn take(&mut self, name: &str, ordinal: u32) -> Result<&'p Statement, String> {
        let said = self.statements.get_mut(name).and_then(|said| said.get_mut(ordinal as usize));
        let (statement, met) = said.ok_or_else(|| format!("{name}, statement {ordinal}: nobody made it"))?;
        if std::mem::replace(met, true) {
            return Err(format!("{name}, statement {ordinal}: it is there twice"));
        }
        Ok(*statement)
    }

    /// Holds a report against the statement it was made from: the holder of its case, and its own chain. What is wrong.
    fn meet(&mut self, name: &str, ordinal: u32, core: &Core, holder: Option<&str>, chain: &[String]) -> Option<String> {
        let statement = match self.take(name, ordinal) {
            Ok(statement) => statement,
            Err(wrong) => return Some(wrong),
        };
        if statement.fate != Fate::Report || statement.kind != core.kind || core.observed() != Some(statement.at) {
            return Some(format!("{name}, statement {ordinal}: it came to {} at {:?}", core.kind, core.observed()));
        }
        let truth = self.truth(statement);
        let right = holder == truth.last().copied() && chain == truth;
        (!right)
            .then(|| format!("{name}, statement {ordinal}: in a case of {holder:?}, traced to {chain:?}, and it was {truth:?}"))
    }

    fn meet_set_aside(&mut self, name: &str, ordinal: u32, queue: Queue) -> Option<String> {
        let fate = match queue {
            Queue::Rejects => Fate::Reject,
            Queue::Undated => Fate::Undated,
        };
        match self.take(name, ordinal) {
            Ok(statement) if statement.fate == fate => None,
            Ok(_) => Some(format!("{name}, statement {ordinal}: it is among the {}", queue.word())),
            Err(wrong) => Some(wrong),
        }
    }

    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        for (name, said) in &self.statements {
            let places = said.iter().enumerate().filter(|(_, (_, met))| !met);
            missed.extend(places.map(|(ordinal, _)| format!("{name}, statement {ordinal}: nothing came of it")));
        }
        missed.sort();
        missed
    }
}

/// Cases by the resellers in their chains.
struct Branches<'p> {
    play: &'p Play,
    /// By the party's place in the world: a reseller, the provider for its own customers, none for nobody.
    counts: HashMap<Option<usize>, Count>,
}

#[derive(Default)]
struct Count {
    cases: u64,
    reports: u64,
    holders: HashSet<String>,
    kinds: HashSet<Kind>,
}

impl Branches<'_> {
    fn add(&mut self, filed: &Filed, chain: &[String]) {
        let parties = &self.play.world.parties;
        let mut of: Vec<Option<usize>> = Vec::new();
        of.extend(RESELLERS.iter().filter(|at| chain.contains(&parties[**at].reference)).map(|at| Some(*at)));
        if of.is_empty() {
            of.push((!chain.is_empty()).then_some(PROVIDER));
        }
        for branch in of {
            let count = self.counts.entry(branch).or_default();
            count.cases += 1;
            count.reports += filed.case.reports;
            count.holders.extend(chain.last().cloned());
            count.kinds.insert(filed.case.kind);
        }
    }

    fn finish(self) -> Vec<Branch> {
        let world = &self.play.world;
        let branch = |(party, count): (Option<usize>, Count)| {
            let reference = party.map_or_else(String::new, |party| world.parties[party].reference.clone());
            let name = match party {
                Some(PROVIDER) => format!("{}, own customers", world.parties[PROVIDER].name),
                Some(party) => world.parties[party].name.clone(),
                None => "nobody known".to_owned(),
            };
            let below = party.and_then(|party| world.parent(party, world.end));
            Branch {
                party: reference,
                name,
                below: below.map(|parent| world.parties[parent].reference.clone()),
                customers: count.holders.len(),
                cases: count.cases,
                reports: count.reports,
                kinds: count.kinds.len(),
            }
        };
        let mut branches: Vec<Branch> = self.counts.into_iter().map(branch).collect();
        branches.sort_by(|a, b| b.cases.cmp(&a.cases).then_with(|| a.party.cmp(&b.party)));
        branches
    }
}

/// The cases about the address that changed hands, before and after.
fn handover(play: &Play, transaction: &Transaction<'_>) -> Result<Handover> {
    let moved = play.world.handover;
    let mut references = References { transaction, known: HashMap::new() };
    let filter = Filter { address: Some(moved.address), kind: Some(Kind::LoginAttack), ..Filter::default() };
    let cases = transaction.cases(&filter, PAGE)?;
    let mut moment = |is_wanted: &dyn Fn(&Filed) -> bool| -> Result<Moment> {
        let filed = cases.iter().rev().find(|filed| is_wanted(filed)).context("the case of the story is not there")?;
        let chain = chain_of(transaction, &mut references, filed)?;
        Ok(Moment { at: filed.case.first_seen.to_string(), case: filed.case.id, reports: filed.case.reports, chain })
    };
    let before = moment(&|filed| filed.case.last_seen < moved.at)?;
    let after = moment(&|filed| filed.case.first_seen >= moved.at)?;
    let late = play.files.iter().find_map(|file| {
        let of_it = |said: &&Statement| said.address == Some(moved.address) && said.at < moved.at && file.received > moved.at;
        file.statements.iter().find(of_it).map(|said| (said.at, file))
    });
    let (seen, file) = late.context("the late report of the story is not there")?;
    let mut late_case = 0;
    for filed in &cases {
        let (batch, kept) = transaction.reports_with_merged(filed, ALL)?;
        if batch.reports().zip(&kept).any(|(report, kept)| report.core.observed() == Some(seen) && kept.received == file.received)
        {
            late_case = filed.case.id;
        }
    }
    Ok(Handover {
        address: moved.address.to_string(),
        at: moved.at.to_string(),
        before,
        after,
        late_seen: seen.to_string(),
        late_received: file.received.to_string(),
        late_case,
    })
}
