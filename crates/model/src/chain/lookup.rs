//! Looking up: one resource, or all reports of a batch.

use std::collections::HashMap;

use super::axis::{Axis, Entry, Key};
use super::build::name_key;
use super::{Chain, Link, PartyId, Source};
use crate::address::{Address, Range};
use crate::assignment::{Level, Period};
use crate::category::Scope;
use crate::report::{Batch, Report, Word};
use crate::resource::{DomainName, Host, Resource, Url};
use crate::time::{SECOND, Time};

/// Parties a chain may have; beyond it the administration is wrong, and the rest is left out.
const LONGEST: usize = 64;

/// From whom a party rents.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parent {
    /// From nobody we know of.
    None,
    /// From the same party, as long as we know.
    Always(u32),
    /// It changed: see the memberships.
    Changing,
}

/// Who held what, when: built once by a [`super::Builder`], then only read, from any number of threads.
#[derive(Debug, Default)]
pub struct Index {
    pub(super) v4: Axis<u32>,
    pub(super) v6: Axis<u128>,
    pub(super) names: HashMap<String, Vec<Entry>>,
    /// By party number.
    pub(super) parents: Vec<Parent>,
    /// Of parties whose parent changed.
    pub(super) memberships: HashMap<u32, Vec<(Period, u32)>>,
    pub(super) sources: Vec<Source>,
}

/// The chains of a batch's reports. What is kept per report is small; [`Chains::chain`] writes one out.
#[derive(Debug, Default)]
pub struct Chains {
    /// Entries, innermost first, report after report.
    entries: Vec<Entry>,
    /// Where each report's entries end.
    ends: Vec<u32>,
}

impl Chains {
    /// Number of reports traced.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no report was traced.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn of(&self, report: usize) -> &[Entry] {
        let start = report.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start as usize..self.ends[report] as usize]
    }

    /// The party that held the resource of report number `report`; `None` when nobody is known.
    pub fn holder(&self, report: usize) -> Option<PartyId> {
        self.of(report).first().map(|entry| i64::from(entry.party))
    }

    /// Number of the innermost assignment of report number `report`.
    pub fn assignment(&self, report: usize) -> Option<i64> {
        self.of(report).first().map(|entry| i64::from(entry.assignment))
    }

    /// The whole chain of report number `report`, at the time the batch was traced for it.
    pub fn chain(&self, report: usize, at: Time, index: &Index) -> Chain {
        index.expand(self.of(report), at)
    }

    /// Whether the holder's assignment of report number `report` began or ended within `margin` milliseconds of `at`.
    pub fn is_near_an_edge(&self, report: usize, at: Time, margin: i64) -> bool {
        self.of(report).first().is_some_and(|entry| {
            let since = at.0.saturating_sub(entry.from);
            let left = entry.to.saturating_sub(at.0);
            since < margin || left <= margin
        })
    }

    /// Whether two reports have the same entries, and so the same chain when their times meet the same memberships.
    pub fn same(&self, one: usize, other: usize) -> bool {
        let numbers = |report| self.of(report).iter().map(|entry| entry.assignment);
        numbers(one).eq(numbers(other))
    }
}

impl Index {
    /// Who held `resource` at `at`.
    ///
    /// A range of addresses is answered by what holds all of it; a domain name by its own assignment and those of the
    /// names it lies under; a URL by its host.
    pub fn trace(&self, resource: &Resource, at: Time) -> Chain {
        let mut found = Vec::new();
        self.entries_of(resource, at, &mut found);
        self.expand(&found, at)
    }

    /// Who held `address` at `at`.
    pub fn trace_address(&self, address: Address, at: Time) -> Chain {
        let mut found = Vec::new();
        self.entries_of_address(address, at, &mut found);
        self.expand(&found, at)
    }

    /// Traces every report of a batch at its own time: content by the account, domain name or URL it names when those
    /// are assigned (inside the network that its address is allocated in), else by its address. Reports without a time are not traced: nobody can say who it was.
    pub fn trace_batch(&self, batch: &Batch, chains: &mut Chains) {
        chains.entries.clear();
        chains.ends.clear();
        const GROUP: usize = 32;
        let cores = batch.cores();
        let mut keys = [0u32; GROUP];
        let mut nodes = [0u32; GROUP];
        let mut around = Vec::new();
        for (group, part) in cores.chunks(GROUP).enumerate() {
            for (key, core) in keys.iter_mut().zip(part) {
                *key = core.address.v4().unwrap_or(0);
            }
            self.v4.innermost_of(&keys, &mut nodes);
            for (slot, core) in part.iter().enumerate() {
                if let Some(at) = core.observed() {
                    let by_name = !self.names.is_empty() || core.address == Address::NONE;
                    let named = by_name && self.entries_by_name(&batch.report(group * GROUP + slot), at, &mut chains.entries);
                    if named {
                        // Whose network it stands in is part of the chain, whoever the name is assigned to.
                        around.clear();
                        if core.address != Address::NONE {
                            self.entries_of_address(core.address, at, &mut around);
                        }
                        chains.entries.extend(around.iter().filter(|entry| entry.level == Level::Allocated as u8));
                    } else if core.address.v4().is_some() {
                        self.v4.collect(Axis::<u32>::node(nodes[slot]), at, &mut chains.entries);
                    } else if core.address != Address::NONE {
                        self.v6.collect(self.v6.innermost(core.address.0), at, &mut chains.entries);
                    }
                }
                chains.ends.push(chains.entries.len() as u32);
            }
        }
    }

    /// The sources, in the order of their numbers.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// The source of a link.
    pub fn source(&self, link: &Link) -> Option<&Source> {
        self.sources.get(usize::from(link.source))
    }

    /// Bytes on the heap, names and memberships roughly.
    pub fn heap(&self) -> usize {
        let names: usize = self.names.iter().map(|(name, list)| name.len() + 64 + list.capacity() * size_of::<Entry>()).sum();
        self.v4.heap() + self.v6.heap() + names + self.parents.capacity() * size_of::<Parent>() + self.memberships.len() * 96
    }

    /// Finds the entries of a report by what it names more narrowly than its address; false when nothing is assigned.
    fn entries_by_name(&self, report: &Report<'_>, at: Time, found: &mut Vec<Entry>) -> bool {
        let before = found.len();
        if let Some((panel, account)) = report.text(Word::ACCOUNT).and_then(|text| text.split_once('/')) {
            let account = Resource::Account { panel: panel.to_ascii_lowercase(), account: account.to_owned() };
            self.entries_of(&account, at, found);
        }
        if found.len() == before
            && let Some(hint) = report.text(Word::MAIL_HINT)
        {
            self.entries_of(&Resource::MailHint(hint.to_owned()), at, found);
        }
        if found.len() == before && report.core.kind.scope() == Scope::Site {
            if let Some(url) = report.text(Word::URL).and_then(Url::parse)
                && let Host::Name(name) = url.host()
            {
                self.entries_of_name(name, at, found);
            } else if let Some(name) = report.text(Word::DOMAIN).and_then(DomainName::parse) {
                self.entries_of_name(&name, at, found);
            }
        }
        if found.len() == before && report.core.address == Address::NONE {
            // A prefix, an AS number or a name is all the source gave.
            let named = [Word::SOURCE_IDENTIFIER, Word::DOMAIN, Word::URL].into_iter().filter_map(|word| report.text(word));
            if let Some(resource) = named.filter_map(|text| Resource::parse(text).ok()).next() {
                self.entries_of(&resource, at, found);
            }
        }
        found.len() > before
    }

    fn entries_of(&self, resource: &Resource, at: Time, found: &mut Vec<Entry>) {
        match resource {
            Resource::Addresses(range) => self.entries_of_range(range, at, found),
            Resource::Domain(name) => self.entries_of_name(name, at, found),
            Resource::Url(url) => match url.host() {
                Host::Name(name) => self.entries_of_name(name, at, found),
                Host::Address(address) => self.entries_of_address(*address, at, found),
            },
            Resource::AsNumber(_) | Resource::Account { .. } | Resource::MailHint(_) => {
                let list = self.names.get(&name_key(resource)).map_or(&[][..], Vec::as_slice);
                found.extend(list.iter().filter(|entry| entry.holds(at)));
            }
        }
    }

    fn entries_of_name(&self, name: &DomainName, at: Time, found: &mut Vec<Entry>) {
        for name in name.with_parents() {
            if let Some(list) = self.names.get(name) {
                found.extend(list.iter().filter(|entry| entry.holds(at)));
            }
        }
    }

    fn entries_of_address(&self, address: Address, at: Time, found: &mut Vec<Entry>) {
        match address.v4() {
            Some(number) => self.v4.collect(self.v4.innermost(number), at, found),
            None => self.v6.collect(self.v6.innermost(address.0), at, found),
        }
    }

    fn entries_of_range(&self, range: &Range, at: Time, found: &mut Vec<Entry>) {
        let before = found.len();
        self.entries_of_address(range.first, at, found);
        if range.first != range.last {
            // What holds both ends holds all between, for ranges are unbroken.
            let mut at_last = Vec::new();
            self.entries_of_address(range.last, at, &mut at_last);
            let holds_last = |entry: &Entry| at_last.iter().any(|other| other.assignment == entry.assignment);
            let kept: Vec<Entry> = found.drain(before..).filter(holds_last).collect();
            found.extend(kept);
        }
    }

    /// Turns entries, innermost first, into links, outermost first, with the parties between that are rented from.
    fn expand(&self, entries: &[Entry], at: Time) -> Chain {
        let mut links: Vec<Link> = Vec::with_capacity(entries.len() + 1);
        for entry in entries.iter().rev() {
            let link = Link {
                party: i64::from(entry.party),
                assignment: Some(i64::from(entry.assignment)),
                level: Level::ALL[usize::from(entry.level).min(2)],
                source: entry.source,
                recorded: Time(i64::from(entry.recorded) * SECOND),
                since: Time(entry.from),
            };
            match links.last_mut() {
                // A party that passes on to itself is one link, by its narrowest assignment.
                Some(last) if last.party == link.party => *last = link,
                _ => {
                    self.fill_in(&mut links, entry.party, &link, at);
                    links.push(link);
                }
            }
            if links.len() >= LONGEST {
                break;
            }
        }
        Chain { links }
    }

    /// Adds the parties that `party` rents from, outermost first, up to one that already stands in the chain.
    fn fill_in(&self, links: &mut Vec<Link>, party: u32, below: &Link, at: Time) {
        let start = links.len();
        let mut party = party;
        while let Some(parent) = self.parent(party, at) {
            let known = links.iter().any(|link| link.party == i64::from(parent)) || i64::from(parent) == below.party;
            if known || links.len() >= LONGEST {
                break;
            }
            let level = if below.level == Level::Assigned { Level::SubAllocated } else { below.level };
            links.push(Link { party: i64::from(parent), assignment: None, level, ..*below });
            party = parent;
        }
        links[start..].reverse();
    }

    fn parent(&self, party: u32, at: Time) -> Option<u32> {
        match *self.parents.get(party as usize)? {
            Parent::None => None,
            Parent::Always(parent) => Some(parent),
            Parent::Changing => {
                let list = self.memberships.get(&party)?;
                list.iter()
                    .filter(|(period, _)| period.contains(at))
                    .max_by_key(|(period, _)| period.start())
                    .map(|(_, parent)| *parent)
            }
        }
    }
}

impl<K: Key> Axis<K> {
    /// Adds the entries that hold at `at`, from `node` outwards.
    #[inline]
    fn collect(&self, mut node: Option<u32>, at: Time, found: &mut Vec<Entry>) {
        while let Some(inside) = node {
            for entry in &self.entries[self.list(inside)] {
                if entry.holds(at) {
                    found.push(*entry);
                }
            }
            node = self.parent(inside);
        }
    }
}
