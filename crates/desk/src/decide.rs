//! Collecting what a decision rests on: for reports that may open a case, and for a case that is looked at again.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::assignment::Level;
use model::case::CaseKey;
use model::category::Kind;
use model::chain::{Chain, Chains, Index, PartyId};
use model::outbox::{Hold, Purpose};
use model::policy::{Acknowledge, Belief, Facts, LOOK_AGAIN, Mode, Policy, Rung, Speaker, decide, is_under, traits_of};
use model::report::{Core, Report, Word};
use model::resource::Resource;
use model::sender::{Proof, Sender, Silence};
use model::submission::Door;
use model::time::{DAY, HOUR, MINUTE, Time};
use store::apply::{Placed, ReceiptTo};
use store::cases::{Filed, marks};
use store::clocks::{Around, Standing};
use store::follow::receipt;
use store::outbox::gathered;
use store::touch::{DEEPEST, DIRECT, Opening, Terms};
use store::{Transaction, keys};

use crate::Known;
use crate::policy::InForce;

/// How far a report's time may be from a change of holder before a clock that is a little wrong decides whose it was
/// (security.md Y1).
pub(crate) const NEAR: i64 = 15 * MINUTE;
/// How long after it was closed a case is opened again by a new report.
const REOPEN: i64 = 30 * DAY;
/// Bytes of a mail address (RFC 5321, section 4.5.3.1.3).
const CONTACT: usize = 254;

/// Who may be told about reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Who {
    direct: Option<PartyId>,
    deepest: Option<PartyId>,
}

impl Who {
    /// The parties of a chain: the last one, and the first that is not the operator itself.
    fn of(chain: &Chain, around: &Around) -> Who {
        let is_operator = |link: &&model::chain::Link| link.level == Level::Allocated || around.operators.contains(&link.party);
        let direct = chain.links.iter().find(|link| !is_operator(link)).map(|link| link.party);
        Who { direct, deepest: chain.holder().map(|link| link.party) }
    }

    /// The same with stand-ins, so that cases with other parties are alike.
    fn stand_in(self) -> Who {
        let direct = if self.direct == self.deepest { DEEPEST } else { DIRECT };
        Who { direct: self.direct.map(|_| direct), deepest: self.deepest.map(|_| DEEPEST) }
    }
}

/// What makes what follows from reports the same.
#[derive(PartialEq, Eq, Hash)]
struct Alike {
    rule: usize,
    traits: String,
    said: Said,
    who: Who,
    history: bool,
    stale: bool,
    near: bool,
    spoofable: bool,
}

/// Who says it, and how far that is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Said {
    pub(crate) reporter: i64,
    pub(crate) confidence: u8,
    pub(crate) authenticated: bool,
    pub(crate) signed: bool,
    /// Whether its mail says that it is from somebody whom the policy asks for a proof, and there is none.
    pub(crate) pretends: bool,
}

/// What is known of a submission when its reports are looked at.
pub(crate) struct Context<'a> {
    pub(crate) known: &'a Known,
    pub(crate) around: &'a Around,
    pub(crate) in_force: &'a InForce,
    pub(crate) door: Door,
    /// Who the submission is from, when it is a mail.
    pub(crate) sender: Option<&'a Sender>,
    /// Addresses of our own, which are never answered.
    pub(crate) own: &'a [String],
    pub(crate) received: Time,
    pub(crate) now: Time,
}

impl Context<'_> {
    fn policy(&self) -> &Policy {
        &self.in_force.policy
    }

    /// Finds for each group of a batch what it rests on, and what follows if it opens a case.
    pub(crate) fn openings(&self, placed: &mut Placed) {
        placed.terms = terms(self.in_force);
        let stale = self.around.stale(self.now);
        let mut alike: HashMap<Alike, u32> = HashMap::new();
        let mut receipts: HashMap<(String, Hold, Time), u32> = HashMap::new();
        let mut last: (&str, Option<u8>, Said) = ("", None, self.said("", placed.batch.format, None));
        let mut openings = Vec::new();
        let mut receipts_to = Vec::new();
        let Placed { batch, chains, order, groups, .. } = placed;
        for group in groups {
            let Some(first) = order.get(group.reports.start).map(|at| *at as usize) else { continue };
            let report = batch.report(first);
            let core = report.core;
            let traits = traits(&report);
            let Some(rule) = self.policy().rule_for(core.kind, core.port, &traits, false) else { continue };
            let reporter = reporter_of(&report);
            let stated = (core.confidence != Core::UNSTATED).then_some(core.confidence);
            if (last.0, last.1) != (reporter, stated) {
                last = (reporter, stated, self.said(reporter, batch.format, stated));
            }
            let said = last.2;
            let at = core.observed().unwrap_or(self.received);
            let chain = chains.chain(first, at, &self.known.index);
            let who = Who::of(&chain, self.around);
            group.direct = who.direct.unwrap_or(0);
            group.other = if group.history { None } else { other_holder(&report, chains, first, &self.known.index) };
            let key = Alike {
                rule,
                traits,
                said,
                who: who.stand_in(),
                history: group.history,
                stale: is_stale(&chain, &stale),
                near: group.other.is_some(),
                spoofable: is_spoofable(&report),
            };
            // A list that comes every day is no notice of somebody who waits for an answer.
            let contact = self.answer_to(&report).filter(|_| report.get(Word::FEED).is_none());
            if let Some((hold, ready)) = self.receipt(rule, said, group.history)
                && let Some(contact) = contact.filter(|contact| is_contact(contact))
            {
                // Whom a report names may be a third person, who asked for nothing: only the sender's own word sends receipts there.
                let is_other = |sender: &Sender| !is_proven(sender) && !sender.from.eq_ignore_ascii_case(&contact);
                let hold = if self.sender.is_some_and(is_other) { Hold::Unauthenticated } else { hold };
                group.receipt = *receipts.entry((contact, hold, ready)).or_insert_with_key(|(contact, ..)| {
                    receipts_to.push(ReceiptTo { contact: contact.clone(), errand: receipt(ready, hold) });
                    receipts_to.len() as u32
                });
            }
            group.opening = match alike.get(&key) {
                Some(known) => *known,
                None => {
                    let number = openings.len() as u32;
                    openings.push(self.opening(&key));
                    alike.insert(key, number);
                    number
                }
            };
        }
        (placed.openings, placed.receipts) = (openings, receipts_to);
    }

    /// Who says something, and how far it is believed.
    pub(crate) fn said(&self, reporter: &str, format: &str, stated: Option<u8>) -> Said {
        let speaker = Speaker { reporter, format, door: self.door, sender: self.sender, stated };
        said(&self.policy().belief(&speaker), reporter, format)
    }

    /// Where an answer to a report goes, in lower case; `None` when there is to be none. Who is proven to have sent it is
    /// answered there, wherever the mail would like to have it.
    fn answer_to(&self, report: &Report<'_>) -> Option<String> {
        if self.stays_silent().is_some() {
            return None;
        }
        let contact = match self.sender.filter(|sender| is_proven(sender)) {
            Some(sender) => &sender.from,
            None => report.text(Word::REPORTER_CONTACT)?.trim(),
        };
        let is_own = self.own.iter().any(|own| own.eq_ignore_ascii_case(contact));
        (!is_own).then(|| contact.to_ascii_lowercase())
    }

    /// Why a submission is answered to nobody, whatever it reports.
    pub(crate) fn stays_silent(&self) -> Option<String> {
        let sender = self.sender?;
        match sender.silence {
            Silence::Answer if sender.proof == Proof::Failed => {
                Some("the domain name in its From says that it is not from it".to_owned())
            }
            Silence::Answer => None,
            silence => Some(silence.word().to_owned()),
        }
    }

    /// What follows from reports that open a case.
    fn opening(&self, alike: &Alike) -> Opening {
        let policy = self.policy();
        let Some(rule) = policy.rules.get(alike.rule) else {
            // The rule was found in this policy.
            return unruled();
        };
        let facts = Facts {
            rule: alike.rule,
            progress: None,
            received: self.received,
            last_received: self.received,
            history: alike.history,
            deepest: alike.who.deepest,
            direct: alike.who.direct,
            confidence: alike.said.confidence,
            authenticated: alike.said.authenticated,
            signed: alike.said.signed,
            corroborated: false,
            spoofable: alike.spoofable,
            stale: alike.stale,
            holder_changed: alike.near,
            // What a restriction needs to know is looked up when there is one.
            holds_now: false,
            shared: true,
            protected: true,
            disputed: None,
            snoozed: None,
            ordered: None,
            absent: None,
            exploited: self.around.exploited_of(&alike.traits),
            next_run: None,
        };
        let mut decided = decide(&facts, policy, self.now);
        if alike.said.pretends
            && let Some(first) = decided.steps.first_mut()
        {
            first.text.push_str("; it is not proven that the mail is from whom it says it is from");
        }
        let gather = policy.care(decided.progress.severity).gather;
        for errand in &mut decided.errands {
            errand.ready = gathered(errand.ready, gather, self.now);
        }
        decided.next = decided.next.map(|next| next.min(self.now.plus(LOOK_AGAIN)));
        // So late that its time is over already: whether anything is restricted is decided about the case itself.
        let restricts = decided.errands.iter().any(|errand| errand.purpose == Purpose::Restriction);
        let decided = (!restricts && decided.closed.is_none()).then_some(decided);
        let mut bits = 0;
        let mut mark = |is: bool, bit: i64| bits |= if is { bit } else { 0 };
        mark(alike.said.authenticated, marks::AUTHENTICATED);
        mark(alike.said.signed, marks::SIGNED);
        mark(alike.spoofable, marks::SPOOFABLE);
        mark(alike.near, marks::HOLDER_CHANGED);
        mark(decided.is_some() && !alike.history, marks::DECIDED);
        mark(decided.as_ref().is_some_and(|decided| decided.progress.observed), marks::OBSERVED);
        Opening {
            rule: rule.name.clone(),
            severity: facts.exploited.map_or(rule.severity, |_| policy.exploited.severity(rule.severity)),
            traits: alike.traits.clone(),
            confidence: alike.said.confidence,
            reporter: alike.said.reporter,
            marks: bits,
            absent_runs: rule.absent_runs.unwrap_or(0),
            decided,
        }
    }

    /// When a receipt to the reporter may go, and what holds it: one to each reporter a day.
    fn receipt(&self, rule: usize, said: Said, history: bool) -> Option<(Hold, Time)> {
        let policy = self.policy();
        let rule = policy.rules.get(rule).filter(|_| !history)?;
        let day = policy.calendar.day(self.received);
        let ready = match rule.acknowledge {
            Acknowledge::Never => return None,
            // The day's letter waits since midnight: what comes later goes into it as long as it waits.
            Acknowledge::Within(_) => policy.calendar.midnight(day),
            Acknowledge::Digest => policy.calendar.midnight(day + 1),
        };
        let hold = if !said.authenticated && !self.sender.is_some_and(is_proven) {
            Hold::Unauthenticated
        } else if policy.care(rule.severity).mode == Mode::Observe {
            Hold::Observing
        } else {
            Hold::Free
        };
        Some((hold, ready))
    }
}

/// Terms that applying needs.
pub(crate) fn terms(in_force: &InForce) -> Terms {
    let policy = &in_force.policy;
    Terms { policy: in_force.version, watch_below: policy.watch_below, brake: policy.brake, reopen: REOPEN }
}

fn unruled() -> Opening {
    Opening {
        rule: String::new(),
        severity: model::severity::Severity::P3,
        traits: String::new(),
        confidence: 0,
        reporter: 0,
        marks: 0,
        absent_runs: 0,
        decided: None,
    }
}

/// The traits of a report, as a column can hold them.
pub(crate) fn traits(report: &Report<'_>) -> String {
    let mut traits = traits_of(report);
    if traits.contains('\0') {
        traits = traits.replace('\0', "");
    }
    traits
}

/// The name that a report gives for its reporter.
pub(crate) fn reporter_of<'a>(report: &Report<'a>) -> &'a str {
    let words = [Word::REPORTER_CONTACT, Word::REPORTER_DOMAIN, Word::REPORTER_ORG];
    words.into_iter().find_map(|word| report.text(word).filter(|text| !text.trim().is_empty())).unwrap_or_default()
}

/// What tells reporters apart: the organisation, not the person.
fn hash_of(reporter: &str, format: &str) -> i64 {
    let name = reporter.rsplit('@').next().unwrap_or_default().trim().to_ascii_lowercase();
    let name = if name.is_empty() { format!("format:{format}") } else { name };
    let digest = keys::sha256(name.as_bytes());
    digest.first_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

/// Who says something, by what is believed of it: whom a proof names is told apart by that, whatever the report says.
fn said(belief: &Belief<'_>, reporter: &str, format: &str) -> Said {
    let name = if belief.proven.is_empty() { reporter } else { belief.proven };
    let Belief { confidence, authenticated, signed, claimed, .. } = *belief;
    Said { reporter: hash_of(name, format), confidence, authenticated, signed, pretends: !claimed.is_empty() }
}

/// Whether it is proven who sent a mail.
fn is_proven(sender: &Sender) -> bool {
    matches!(sender.proof, Proof::Dkim | Proof::Spf) && !sender.from.is_empty()
}

/// Whether a receipt can be written to it.
fn is_contact(contact: &str) -> bool {
    contact.len() <= CONTACT
        && contact.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
        && !contact.chars().any(|c| c.is_control() || c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';'))
}

/// Whether the packets that a report tells of prove no sender: those of a flood, of a scan, and of anything over UDP.
pub(crate) fn is_spoofable(report: &Report<'_>) -> bool {
    let is_udp = |word: Word| report.text(word).is_some_and(|text| text.eq_ignore_ascii_case("udp"));
    match report.core.kind {
        Kind::Ddos | Kind::PortScan | Kind::Reconnaissance => true,
        kind => kind.category() == "connection" && (is_udp(Word::TRANSPORT) || is_udp(Word::PROTOCOL)),
    }
}

/// Who held it on the other side of a change of holder that a report's time is close to; 0 for nobody that we know.
/// `None` when there is no such change.
fn other_holder(report: &Report<'_>, chains: &Chains, at: usize, index: &Index) -> Option<PartyId> {
    let (observed, holder) = (report.core.observed()?, chains.holder(at)?);
    if !chains.is_near_an_edge(at, observed, NEAR) {
        return None;
    }
    let address = report.core.address;
    if address == Address::NONE || index.trace_address(address, observed).holder().map(|link| link.party) != Some(holder) {
        return Some(0);
    }
    let others =
        [observed.plus(-NEAR), observed.plus(NEAR)].map(|at| index.trace_address(address, at).holder().map(|link| link.party));
    // The same on both sides: it went on under another number.
    others.into_iter().find(|other| *other != Some(holder)).map(|other| other.unwrap_or(0))
}

/// Cases that are looked at again, with what they share.
pub(crate) struct Look<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) known: &'a Known,
    pub(crate) in_force: &'a InForce,
    pub(crate) around: &'a Around,
    pub(crate) stale: &'a [bool],
    pub(crate) now: Time,
    chains: HashMap<i64, Chain>,
    feeds: HashMap<i64, Option<store::feeds::Feed>>,
}

impl<'a> Look<'a> {
    pub(crate) fn new(
        transaction: &'a Transaction<'a>,
        (known, in_force): (&'a Known, &'a InForce),
        (around, stale): (&'a Around, &'a [bool]),
        now: Time,
    ) -> Look<'a> {
        Look { transaction, known, in_force, around, stale, now, chains: HashMap::new(), feeds: HashMap::new() }
    }

    /// What is known of a case. Its standing is completed when nothing was decided about it before.
    ///
    /// # Errors
    /// [`store::Error`]; [`store::Error::Damaged`] when its first report has to be looked at and cannot be.
    pub(crate) fn facts(&mut self, filed: &Filed, standing: &mut Standing) -> Result<Facts, store::Error> {
        if standing.rule.is_empty() {
            self.complete(filed, standing)?;
        }
        let policy = &self.in_force.policy;
        let rule = self.rule(filed, standing);
        standing.rule = policy.rules.get(rule).map_or_else(String::new, |rule| rule.name.clone());
        let (around, stale) = (self.around, self.stale);
        let chain = self.chain(filed.chain)?;
        let (who, stale) = (Who::of(chain, around), is_stale(chain, stale));
        let progress = if filed.case.history { None } else { standing.decided() };
        let mut facts = Facts {
            rule,
            progress,
            received: standing.received,
            last_received: standing.last_received.max(standing.received),
            history: filed.case.history,
            deepest: who.deepest,
            direct: who.direct,
            confidence: standing.confidence,
            authenticated: standing.has(marks::AUTHENTICATED),
            signed: standing.has(marks::SIGNED),
            corroborated: standing.has(marks::CORROBORATED),
            spoofable: standing.has(marks::SPOOFABLE),
            stale,
            holder_changed: standing.has(marks::HOLDER_CHANGED),
            holds_now: false,
            shared: true,
            protected: true,
            disputed: standing.disputed,
            snoozed: standing.snoozed,
            ordered: standing.ordered,
            absent: None,
            exploited: around.exploited_of(&standing.traits),
            next_run: None,
        };
        self.absence(standing, rule, &mut facts)?;
        // An order may have brought it nearer.
        let is_due = |force: Time| facts.ordered.map_or(force, |ordered| force.min(ordered)) <= self.now;
        let forces = match progress {
            Some(progress) => progress.rung < Rung::Force && progress.clocks.force.is_some_and(is_due),
            None => policy.rules.get(rule).is_some_and(|rule| rule.force.is_some()),
        };
        if forces {
            self.present(filed, who, &mut facts)?;
        }
        Ok(facts)
    }

    /// Looks up what a restriction needs to know, whatever is due.
    pub(crate) fn look_now(&mut self, filed: &Filed, facts: &mut Facts) -> Result<(), store::Error> {
        let around = self.around;
        let who = Who::of(self.chain(filed.chain)?, around);
        self.present(filed, who, facts)
    }

    /// What a restriction needs to know: who holds it now, and who else is on the same address.
    fn present(&self, filed: &Filed, who: Who, facts: &mut Facts) -> Result<(), store::Error> {
        let (mut batch, kept) = self.transaction.reports_of(&filed.case, filed.tail, 1)?;
        if kept.is_empty() {
            return Ok(());
        }
        for core in batch.cores_mut() {
            core.set_observed(Some(self.now));
        }
        let mut chains = Chains::default();
        self.known.index.trace_batch(&batch, &mut chains);
        facts.holds_now = who.deepest.is_some() && chains.holder(0) == who.deepest;
        let address = batch.report(0).core.address;
        let on_address = self.known.index.trace_address(address, self.now).holder().map(|link| link.party);
        // By its name it is one party's, by its address another's: a web server with many sites.
        let by_name = address != Address::NONE && on_address != who.deepest;
        facts.shared = by_name || self.transaction.others_on(address, who.deepest.unwrap_or(0), self.now.plus(-90 * DAY))?;
        facts.protected = is_protected(&self.in_force.policy.protected, &batch.report(0), &filed.case.key);
        Ok(())
    }

    /// The rule about a case: the one it has, unless the policy has changed so that it is gone or about something else.
    fn rule(&self, filed: &Filed, standing: &Standing) -> usize {
        let policy = &self.in_force.policy;
        let kind = filed.case.kind;
        let find = |order| policy.rule_for(kind, filed.case.key.port(), &standing.traits, order);
        if standing.ordered.is_some() {
            return find(true).unwrap_or(usize::MAX);
        }
        let named = policy.rule_named(&standing.rule);
        let fits = |rule: &usize| policy.rules.get(*rule).is_some_and(|rule| rule.kinds.contains(&kind));
        named.filter(fits).or_else(|| find(false)).unwrap_or(usize::MAX)
    }

    /// Finds what a case rests on by its last report: it is of before anything was decided.
    fn complete(&self, filed: &Filed, standing: &mut Standing) -> Result<(), store::Error> {
        let (batch, kept) = self.transaction.reports_of(&filed.case, filed.tail, 1)?;
        let Some(first) = kept.first() else { return Ok(()) };
        let report = batch.report(0);
        let submission = self.transaction.submission(first.submission)?;
        let (format, door) = submission.map_or((String::new(), Door::Pipe), |submission| (submission.format, submission.door));
        let sender = self.transaction.sender(first.submission)?.map(|heard| heard.sender);
        let policy = &self.in_force.policy;
        let reporter = reporter_of(&report);
        let stated = (report.core.confidence != Core::UNSTATED).then_some(report.core.confidence);
        let speaker = Speaker { reporter, format: &format, door, sender: sender.as_ref(), stated };
        let said = said(&policy.belief(&speaker), reporter, &format);
        standing.traits = traits(&report);
        let rule = policy.rule_for(report.core.kind, report.core.port, &standing.traits, standing.ordered.is_some());
        standing.rule = rule.and_then(|rule| policy.rules.get(rule)).map_or_else(String::new, |rule| rule.name.clone());
        standing.confidence = said.confidence.max(standing.confidence);
        if standing.reporter == 0 {
            standing.reporter = said.reporter;
        }
        standing.marks |= if said.authenticated { marks::AUTHENTICATED } else { 0 };
        standing.marks |= if said.signed { marks::SIGNED } else { 0 };
        standing.marks |= if is_spoofable(&report) { marks::SPOOFABLE } else { 0 };
        self.transaction.set_basis(filed.case.id, standing)
    }

    fn chain(&mut self, number: Option<i64>) -> Result<&Chain, store::Error> {
        let key = number.unwrap_or(0);
        if !self.chains.contains_key(&key) {
            let chain = self.transaction.chain(number)?;
            self.chains.insert(key, chain);
        }
        Ok(self.chains.entry(key).or_default())
    }

    /// How often its feed came without it, and when to look at that again.
    fn absence(&mut self, standing: &Standing, rule: usize, facts: &mut Facts) -> Result<(), store::Error> {
        let Some(runs) = self.in_force.policy.rules.get(rule).and_then(|rule| rule.absent_runs) else { return Ok(()) };
        if standing.feed == 0 || standing.has(marks::NOT_ONE_FEED) {
            return Ok(());
        }
        let feed = match self.feeds.get(&standing.feed) {
            Some(feed) => feed,
            None => {
                let feed = self.transaction.feed(standing.feed)?;
                self.feeds.entry(standing.feed).or_insert(feed)
            }
        };
        let Some(feed) = feed else { return Ok(()) };
        let absent = (feed.runs - standing.feed_run).max(0);
        let every = feed.every.unwrap_or(DAY).max(HOUR);
        let left = (i64::from(runs) - absent).max(1);
        let expected = feed.last.plus(every.saturating_mul(left).saturating_add(every / 4));
        facts.absent = Some(u32::try_from(absent).unwrap_or(u32::MAX));
        // It is late: nothing is concluded from that, and it is looked for once every so often.
        facts.next_run = Some(if expected > self.now { expected } else { self.now.plus(every) });
        Ok(())
    }
}

/// Whether a source that a chain rests on is older than it may be.
pub(crate) fn is_stale(chain: &Chain, stale: &[bool]) -> bool {
    chain.links.iter().any(|link| stale.get(usize::from(link.source)).copied().unwrap_or(false))
}

/// Whether the operator protects what a case is about.
fn is_protected(protected: &[Resource], report: &Report<'_>, key: &CaseKey) -> bool {
    let address = report.core.address;
    let about = key.about();
    let names: HashSet<&str> = [Word::DOMAIN, Word::URL, Word::ACCOUNT]
        .into_iter()
        .filter_map(|word| report.text(word))
        .chain([about.as_str()])
        .collect();
    protected.iter().any(|resource| match resource {
        Resource::Addresses(range) => address != Address::NONE && range.first <= address && address <= range.last,
        Resource::Domain(name) => {
            names.iter().any(|text| host_of(text).is_some_and(|host| is_under(host.as_str(), name.as_str())))
        }
        other => names.iter().any(|text| Resource::parse(text).is_ok_and(|found| found == *other)),
    })
}

fn host_of(text: &str) -> Option<model::resource::DomainName> {
    use model::resource::{DomainName, Host, Url};
    match Url::parse(text) {
        Some(url) => match url.host() {
            Host::Name(name) => Some(name.clone()),
            Host::Address(_) => None,
        },
        None => DomainName::parse(text),
    }
}

/// What the first report of a submission says of the feed that it may be of.
#[derive(Clone, Debug, Default)]
pub(crate) struct FeedSaid {
    format: &'static str,
    kind: String,
    reporter: String,
}

impl FeedSaid {
    pub(crate) fn of(report: &Report<'_>, format: &'static str) -> FeedSaid {
        let kind = report.text(Word::FEED).unwrap_or_default().chars().take(60).collect();
        FeedSaid { format, kind, reporter: reporter_of(report).chars().take(CONTACT).collect() }
    }
}

impl Context<'_> {
    /// The feed that a submission is of. Only what the operator vouches for is one: otherwise anybody could say, by
    /// sending lists without an address, that it is mended.
    pub(crate) fn feed(&self, said: &FeedSaid, name: &str) -> Option<String> {
        self.is_vouched(said).then(|| format!("{}/{}/{}", said.format, said.kind, undated(name)))
    }

    /// Whether the operator vouches for who says this.
    pub(crate) fn is_vouched(&self, said: &FeedSaid) -> bool {
        self.said(&said.reporter, said.format, None).authenticated
    }
}

/// The name of a file without what changes with the day.
pub(crate) fn undated(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit() && !c.is_control()).collect()
}
