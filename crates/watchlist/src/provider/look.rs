//! Looking up, on this machine alone: which cached answers the list has, what they open, whether that is valid, and whether it resembles the
//! customer. No contact with anybody, and no cryptography for what the list does not have.

use std::collections::BTreeMap;

use matching::compare::{self, Verdict};
use matching::list::entry::{Entry as Clear, Missing};
use matching::list::{Book, Capsule, Opened, Status as Listed};
use matching::token::name::{EditSide, Family, Name};
use matching::token::{Class, Group, Token, identifier};

use super::cache::Cache;
use super::directory::Pinned;
use super::hits::{Customer, Entry, Fact, Hit, Likeness, Met, Reason, Says, Status, Sureness, ToldBy, name};
use crate::keys::hex;
use crate::log::Seen;
use crate::log::listed::{check_capsule, check_reason};

/// How many customers without anything to compare are named.
const MOST_NAMED: usize = 20;

/// One customer, as looking up needs it.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Its number in the administration, or that of its row.
    pub id: String,
    /// Its row.
    pub row: u64,
    /// Its names.
    pub names: Vec<String>,
    /// Country, two letters.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Its numbers and addresses, as canonical tokens.
    pub identifiers: Vec<Token>,
    /// All tokens that are asked of it.
    pub tokens: Vec<Token>,
}

impl Subject {
    /// Of a customer, with the tokens that the manifest's settings ask of it.
    #[must_use]
    pub fn of(customer: &crate::customers::Customer, pinned: &Pinned) -> Subject {
        let edit = if pinned.edits_both { EditSide::Both } else { EditSide::List };
        Subject {
            id: customer.id.clone(),
            row: u64::from(customer.row),
            names: customer.names.clone(),
            country: customer.country.map(country),
            city: customer.city.clone(),
            identifiers: customer.identifiers.iter().map(|(_, token)| token.clone()).collect(),
            tokens: customer.tokens(edit, u32::from(pinned.rarity)),
        }
    }
}

/// What everything is held against.
#[derive(Debug)]
pub struct Against<'a> {
    /// The list with its deltas, fresh.
    pub book: &'a Book,
    /// Branches of the desk: what they suspend is suspended.
    pub side: &'a [Book],
    /// The trees of the log to which entries lead.
    pub roots: &'a [Seen],
    /// What the list is called.
    pub list: &'a str,
    /// The answers.
    pub cache: &'a Cache,
    /// Reasons that the desk told, by number and version of the entry.
    pub told: &'a BTreeMap<(String, u32), Reason>,
    /// Now, in milliseconds since 1970 UTC.
    pub now: i64,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Candidates.
    pub hits: Vec<Hit>,
    /// Customers looked at.
    pub customers: u64,
    /// Those of whom nothing can be compared.
    pub without_tokens: u64,
    /// The first of those.
    pub without_tokens_first: Vec<String>,
    /// Entries that opened and whose names are not alike. Counted and forgotten.
    pub unlike: u64,
    /// What opened and is not valid: why, and how often.
    pub invalid: BTreeMap<String, u64>,
}

impl Found {
    /// Counts a customer without looking it up.
    pub fn pass(&mut self, subject: &Subject) {
        self.customers += 1;
        if subject.tokens.is_empty() {
            self.without_tokens += 1;
            if self.without_tokens_first.len() < MOST_NAMED {
                self.without_tokens_first.push(subject.id.clone());
            }
        }
    }

    /// Looks one customer up.
    pub fn look(&mut self, subject: &Subject, against: &Against<'_>) {
        self.pass(subject);
        let mut entries: BTreeMap<[u8; 16], Open> = BTreeMap::new();
        for token in &subject.tokens {
            let Some(kept) = against.cache.get(token) else { continue };
            if !against.book.has(kept.tag) {
                continue;
            }
            for opened in against.book.examine(kept.output) {
                let opened = opened.map_err(|unopened| unopened.what.to_owned()).map(|mut opened| {
                    suspend(&mut opened, kept.output, against.side);
                    opened
                });
                match opened.and_then(|opened| valid(opened, token.class(), against.roots, against.now)) {
                    Ok(open) => add(&mut entries, open),
                    Err(why) => *self.invalid.entry(why).or_default() += 1,
                }
            }
        }
        for (id, open) in entries {
            match open.hit(&id, subject, against) {
                Some(hit) => self.hits.push(hit),
                None => self.unlike += 1,
            }
        }
    }
}

/// What the desk suspended on a branch of its own stays suspended until the list holder's table says something newer of it.
fn suspend(opened: &mut Opened, output: &[u8; 64], side: &[Book]) {
    for book in side {
        let there = book.open(output).into_iter().find(|there| there.slot == opened.slot);
        if let Some(there) = there.filter(|there| there.status == Listed::Suspended)
            && opened.status == Listed::Live
            && there.since > opened.since
        {
            (opened.status, opened.since) = (there.status, there.since);
        }
    }
}

/// One version of an entry that opened, with all tokens that led to it.
struct Open {
    capsule: Capsule,
    reason: Option<Reason>,
    met: Vec<Met>,
    classes: Vec<Class>,
    slot: u32,
    status: Listed,
    since: i64,
    leaf: u64,
    log_size: u64,
}

/// Reads what opened, and checks that it stands in the log: nobody can contest what does not (M2, M3).
fn valid(opened: Opened, class: Class, roots: &[Seen], now: i64) -> Result<Open, String> {
    let logged = check_capsule(&opened.capsule_proof, &opened.capsule, roots).map_err(|wrong| wrong.to_string())?;
    if opened.class != class {
        return Err("it was listed under a token of another class".to_owned());
    }
    let capsule = Capsule::read(&opened.capsule).map_err(|wrong| wrong.to_string())?;
    let strong = opened.reason.is_some();
    let reason = match &opened.reason {
        None => None,
        Some((bytes, proof)) => {
            check_reason(&logged, proof, bytes).map_err(|wrong| wrong.to_string())?;
            let clear = Clear::read(&opened.capsule, bytes).map_err(|wrong| wrong.to_string())?;
            must_say_why(&clear, now)?;
            Some(reason(&clear))
        }
    };
    let family = if class.group() == Group::Names || class.group() == Group::Variants || class == Class::NamePlace {
        Family::of(opened.family).map_or("", Family::name)
    } else {
        ""
    };
    let met = Met { class: class.name().to_owned(), family: family.to_owned(), strong };
    Ok(Open {
        capsule,
        reason,
        met: vec![met],
        classes: vec![class],
        slot: opened.slot,
        status: opened.status,
        since: opened.since,
        leaf: logged.index,
        log_size: logged.size,
    })
}

/// That an entry has what somebody who is held against it is owed: reason, source, legal basis, criterion, a date of review within two years, and
/// a place to contest it. A list holder cannot publish one without; a list that has one all the same was not made by the rules.
///
/// # Errors
/// What is missing.
pub(super) fn must_say_why(entry: &Clear, now: i64) -> Result<(), String> {
    // An overdue review is told of the hit, and clocks differ about a date of today.
    let missing = entry.check(now).into_iter().find(|missing| !matches!(missing, Missing::Overdue | Missing::Future));
    missing.map_or(Ok(()), |missing| Err(format!("an entry is not as it must be: {}: {missing}", missing.field())))
}

/// Of several versions of an entry the newest counts; of one version everything that led to it.
fn add(entries: &mut BTreeMap<[u8; 16], Open>, open: Open) {
    let id = open.capsule.id;
    match entries.get_mut(&id) {
        Some(there) if there.capsule.version == open.capsule.version => {
            there.met.extend(open.met);
            there.met.sort();
            there.met.dedup();
            there.classes.extend(open.classes);
            there.reason = there.reason.take().or(open.reason);
        }
        Some(there) if there.capsule.version > open.capsule.version => {}
        _ => {
            entries.insert(id, open);
        }
    }
}

impl Open {
    fn hit(self, id: &[u8; 16], subject: &Subject, against: &Against<'_>) -> Option<Hit> {
        let (likeness, verdict) = likeness(&subject.names, &self.capsule);
        let entry_id = hex(id);
        let told = || against.told.get(&(entry_id.clone(), self.capsule.version)).cloned();
        let by_list = self.reason.is_some();
        let reason = self.reason.clone().or_else(told);
        let facts = facts(subject, &self.capsule, reason.as_ref());
        let sureness = weigh(&self.classes, verdict, &facts)?;
        let status = match self.status {
            Listed::Live if reason.as_ref().is_some_and(|reason| reason.review_by < against.now) => Status::Expired,
            Listed::Live => Status::Live,
            Listed::Suspended => Status::Suspended,
            Listed::Withdrawn => Status::Withdrawn,
            // Nothing may rest on what the table does not say; the next delta tells.
            _ => Status::Suspended,
        };
        Some(Hit {
            id: name(&subject.id, id),
            customer: Customer {
                id: subject.id.clone(),
                row: subject.row,
                names: subject.names.clone(),
                country: subject.country.clone(),
                city: subject.city.clone(),
            },
            entry: Entry {
                id: entry_id,
                version: self.capsule.version,
                slot: self.slot,
                list: against.list.to_owned(),
                epoch: against.book.epoch(),
                names: self.capsule.names.iter().chain(&self.capsule.aliases).cloned().collect(),
                country: self.capsule.country.map(country),
                status,
                since: if self.status == Listed::Live { 0 } else { self.since },
                told_by: reason.as_ref().map(|_| if by_list { ToldBy::List } else { ToldBy::Desk }),
                reason,
                leaf: self.leaf,
                log_size: self.log_size,
            },
            met: self.met,
            names: likeness,
            sureness,
            facts,
            first: against.now,
            last: against.now,
            gone: None,
            asked: None,
            decisions: Vec::new(),
            reconsider: None,
        })
    }
}

/// The nearest of the customer's names to any name of the entry.
fn likeness(names: &[String], capsule: &Capsule) -> (Option<Likeness>, Verdict) {
    let listed: Vec<&str> = capsule.names.iter().chain(&capsule.aliases).map(String::as_str).collect();
    let best = names
        .iter()
        .map(|name| (name, compare::compare(name, &listed)))
        .max_by_key(|(_, likeness)| (likeness.verdict, likeness.score));
    let Some((customer, best)) = best else { return (None, Verdict::No) };
    let of = best.listed.and_then(|at| listed.get(at)).map(|name| (*name).to_owned());
    let likeness = of.map(|listed| Likeness {
        score: best.score,
        customer: customer.clone(),
        listed,
        common: best.common,
        only_customer: best.customer_only,
        only_listed: best.listed_only,
    });
    (likeness, best.verdict)
}

/// How sure that both are the same; nothing when they are not alike.
///
/// A number of a register is one party's. An address, a phone number or a bank account can be shared, so alone it is possible. Names count by
/// their likeness, and a register number or a country that differs makes them a namesake until a person saw it.
fn weigh(classes: &[Class], verdict: Verdict, facts: &[Fact]) -> Option<Sureness> {
    let registered = classes.iter().any(|class| matches!(class, Class::Kvk | Class::Registry | Class::Vat));
    let identified = classes.iter().any(|class| class.is_strong() && *class != Class::NamePlace);
    let differs = |what: &[&str]| facts.iter().any(|fact| fact.says == Says::Differs && what.contains(&fact.what.as_str()));
    let doubt = differs(&["kvk", "registry", "vat"]) || (!identified && differs(&["country"]));
    match verdict {
        _ if registered && !doubt => Some(Sureness::Likely),
        Verdict::Likely if !doubt => Some(Sureness::Likely),
        Verdict::Possible if identified && !doubt => Some(Sureness::Likely),
        Verdict::Likely | Verdict::Possible => Some(Sureness::Possible),
        Verdict::No if identified => Some(Sureness::Possible),
        Verdict::No => None,
    }
}

/// What else both sides have.
fn facts(subject: &Subject, capsule: &Capsule, reason: Option<&Reason>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    let fact = |what: &str, customer: &str, listed: &str, agrees: bool| Fact {
        what: what.to_owned(),
        says: match (customer.is_empty() || listed.is_empty(), agrees) {
            (true, _) => Says::Unknown,
            (false, true) => Says::Agrees,
            (false, false) => Says::Differs,
        },
        customer: customer.to_owned(),
        listed: listed.to_owned(),
    };
    let (customer, listed) = (subject.country.clone().unwrap_or_default(), capsule.country.map(country).unwrap_or_default());
    facts.push(fact("country", &customer, &listed, same(&customer, &listed)));
    let Some(reason) = reason else { return facts };
    if !reason.places.is_empty() {
        let customer = subject.city.clone().unwrap_or_default();
        let agrees = reason.places.iter().any(|place| same_words(place, &customer));
        facts.push(fact("city", &customer, &reason.places.join(", "), agrees));
    }
    for class in Class::ALL {
        let of_class = reason.identifiers.iter().filter(|(name, _)| name == class.name());
        let listed: Vec<(&str, Option<Token>)> =
            of_class.map(|(_, text)| (text.as_str(), identifier::of(class, text).ok())).collect();
        if listed.is_empty() {
            continue;
        }
        let own: Vec<&Token> = subject.identifiers.iter().filter(|token| token.class() == class).collect();
        let agree: Vec<&str> = listed
            .iter()
            .filter(|(_, token)| token.as_ref().is_some_and(|token| own.contains(&token)))
            .map(|(text, _)| *text)
            .collect();
        let customer: Vec<String> = own.iter().map(|token| readable(token)).collect();
        let shown = if agree.is_empty() { listed.iter().map(|(text, _)| *text).collect() } else { agree.clone() };
        facts.push(fact(class.name(), &customer.join(", "), &shown.join(", "), !agree.is_empty()));
    }
    facts
}

fn same_words(a: &str, b: &str) -> bool {
    match (Name::of(a), Name::of(b)) {
        (Some(a), Some(b)) => a.sorted() == b.sorted(),
        _ => a.trim().eq_ignore_ascii_case(b.trim()) && !a.trim().is_empty(),
    }
}

/// The canonical form of a token for people: text where it is text.
fn readable(token: &Token) -> String {
    match (token.class(), std::str::from_utf8(token.bytes())) {
        (Class::Asn, _) => match <[u8; 4]>::try_from(token.bytes()) {
            Ok(number) => format!("AS{}", u32::from_be_bytes(number)),
            Err(_) => hex(token.bytes()),
        },
        (Class::Ipv4, _) => match token.bytes() {
            [a, b, c, d, length] => format!("{a}.{b}.{c}.{d}/{length}"),
            other => hex(other),
        },
        (Class::Ipv6, _) => match token.bytes().split_at_checked(16) {
            Some((address, [length])) => match <[u8; 16]>::try_from(address) {
                Ok(address) => format!("{}/{length}", std::net::Ipv6Addr::from(address)),
                Err(_) => hex(token.bytes()),
            },
            _ => hex(token.bytes()),
        },
        (_, Ok(text)) if text.chars().all(|letter| !letter.is_control()) => text.to_owned(),
        _ => hex(token.bytes()),
    }
}

fn country(code: [u8; 2]) -> String {
    String::from_utf8_lossy(&code).into_owned()
}

/// The reason of an entry in the form of hits.
pub(crate) fn reason(entry: &Clear) -> Reason {
    Reason {
        category: entry.category.clone(),
        nl: entry.reason_nl.clone(),
        en: entry.reason_en.clone(),
        source: entry.source.clone(),
        source_kind: entry.source_kind.name().to_owned(),
        legal_basis: entry.legal_basis.clone(),
        criterion: entry.criterion.clone(),
        protocol: entry.protocol.clone(),
        listed_at: entry.listed_at,
        review_by: entry.review_by,
        tlp: entry.tlp.name().to_owned(),
        pap: entry.pap.name().to_owned(),
        officer_role: entry.officer_role.clone(),
        contact: entry.contact.clone(),
        contest_url: entry.contest_url.clone(),
        contest_desk: entry.contest_desk.clone(),
        identifiers: entry.identifiers.iter().map(|(class, text)| (class.name().to_owned(), text.clone())).collect(),
        places: entry.places.iter().map(|place| place.city.clone()).filter(|city| !city.is_empty()).collect(),
        evidence: entry.evidence.iter().map(|digest| hex(digest)).collect(),
        not_to_be_confused_with: entry.not_to_be_confused_with.clone(),
        advice: "review".to_owned(),
    }
}

#[cfg(test)]
mod tests;
