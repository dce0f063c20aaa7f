//! Mails in labelled words: lines `Label: value` and lines that are a location each, gathered into one item for each source.
//!
//! For senders of whom only the labels are known. What stands before the first source is said of all; what stands behind one
//! is said of that one.

use std::collections::BTreeSet;

use model::address::Address;
use model::category::Kind;
use model::resource::{DomainName, Host, Url};

use super::{Statement, location};
use crate::read::Reading;
use crate::sink::Stop;

/// Sources of one mail that are read.
const ITEMS: usize = 1_000;
/// Other values of one item that are kept.
const VALUES: usize = 32;

/// What stands for the text of a line that may not be shown.
const WITHHELD: &str = "(withheld: it speaks of child abuse material)";

/// What a labelled value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// Where the content is.
    Location,
    /// The source.
    Address,
    /// The domain name.
    Domain,
    /// Anything else, under a name of the format's own.
    Other(&'static str),
}

/// The labels of a sender, in small letters without the colon, and what they mean.
pub(crate) type Labels = &'static [(&'static str, Said)];

/// What is said of one source.
#[derive(Debug, Default)]
pub(crate) struct Item<'a> {
    /// Where the content is.
    pub(crate) url: Option<Url>,
    /// The source.
    pub(crate) address: Option<Address>,
    /// The domain name.
    pub(crate) domain: Option<DomainName>,
    /// The line on which it begins.
    pub(crate) line: usize,
    /// That line.
    pub(crate) text: &'a str,
    /// Why it cannot be read; empty when it can.
    pub(crate) wrong: String,
    others: Vec<(&'static str, &'a str)>,
}

impl<'a> Item<'a> {
    /// The first value under a name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.others.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// Every other value with its name.
    pub(crate) fn others(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.others.iter().copied()
    }

    /// What it states of its source, as far as labels say it.
    pub(crate) fn statement(&self, kind: Kind) -> Statement<'a> {
        let mut statement = Statement::new(kind);
        statement.url.clone_from(&self.url);
        statement.domain.clone_from(&self.domain);
        statement.address = self.address.unwrap_or(Address::NONE);
        statement
    }

    fn is_empty(&self) -> bool {
        self.url.is_none() && self.address.is_none() && self.domain.is_none() && self.wrong.is_empty()
    }

    fn put(&mut self, name: &'static str, value: &'a str) {
        if self.others.len() < VALUES && !self.others.contains(&(name, value)) {
            self.others.push((name, value));
        }
    }
}

/// All that a mail in labelled words says.
#[derive(Debug, Default)]
pub(crate) struct Labelled<'a> {
    /// Its sources.
    pub(crate) items: Vec<Item<'a>>,
    /// Whether there were more of them than are read.
    pub(crate) more: bool,
    /// The labels that were met.
    pub(crate) labels: Vec<&'static str>,
    /// What the lines are counted in, for people, when it is not the mail: ` of the log`.
    pub(crate) within: &'static str,
    /// Whether no text of the mail may be shown, not even of what cannot be read.
    pub(crate) withheld: bool,
    shared: Vec<(&'static str, &'a str)>,
}

impl<'a> Labelled<'a> {
    /// Reads a text. Locations at `own` domain names are the sender's links, not what it accuses.
    pub(crate) fn read(text: &'a str, labels: Labels, own: &[&str]) -> Labelled<'a> {
        let mut whole = Labelled::default();
        let mut waiting: Option<Said> = None;
        let mut seen = BTreeSet::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '>' | '*' | '|' | '•'));
            let line = line.strip_prefix("- ").unwrap_or(line).trim();
            if line.is_empty() {
                continue;
            }
            if whole.more {
                break;
            }
            if let Some((label, said, value)) = labelled(line, labels) {
                if !whole.labels.contains(&label) {
                    whole.labels.push(label);
                }
                // A value may stand on the line below its label.
                waiting = value.is_empty().then_some(said);
                if !value.is_empty() {
                    whole.take(said, value, (at + 1, line), own, &mut seen);
                }
                continue;
            }
            if let Some(url) = location(line).filter(|_| is_location_alone(line)) {
                let is_own = matches!(url.host(), Host::Name(name) if is_under(name.as_str(), own));
                if !is_own {
                    whole.take(Said::Location, line, (at + 1, line), own, &mut seen);
                }
                // A list of locations goes on after each of them.
                waiting = waiting.filter(|said| *said == Said::Location);
                continue;
            }
            if let Some(said) = waiting.take() {
                whole.take(said, line, (at + 1, line), own, &mut seen);
            }
        }
        whole.settle();
        whole
    }

    /// Hands on each item that can be read, with its place for people. Those that cannot become rejects, and so do those that are more than
    /// are read.
    ///
    /// # Errors
    /// Those of `take`.
    pub(crate) fn each(
        &self,
        reading: &mut Reading<'_>,
        mut take: impl FnMut(&mut Reading<'_>, &Item<'a>, &str) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        for item in &self.items {
            let place = format!("line {}{}", item.line, self.within);
            if item.wrong.is_empty() {
                take(reading, item, &place)?;
                continue;
            }
            let ordinal = reading.ordinal();
            let text = if self.withheld { WITHHELD } else { item.text };
            reading.reject(ordinal, &place, text.as_bytes(), item.wrong.clone());
        }
        if self.more {
            let ordinal = reading.ordinal();
            let reason = format!("more than {ITEMS} sources; the rest was not read: see the mail itself");
            reading.reject(ordinal, "", b"", reason);
        }
        Ok(())
    }

    fn take(&mut self, said: Said, value: &'a str, (line, text): (usize, &'a str), own: &[&str], seen: &mut BTreeSet<Url>) {
        match said {
            Said::Location => match location(value) {
                Some(url) if matches!(url.host(), Host::Name(name) if is_under(name.as_str(), own)) => {}
                Some(url) => {
                    // The same location may stand in the text and in a list below it.
                    if !seen.insert(url.clone()) {
                        return;
                    }
                    let behind = bracketed(value);
                    if let Some(item) = self.open(|item| item.url.is_some(), line, text) {
                        item.url = Some(url);
                        item.address = item.address.or(behind);
                    }
                }
                None => self.wrong(line, text, "it is not a location with a host: http://…"),
            },
            Said::Address => {
                let word = value.split([' ', ',', ';']).next().unwrap_or_default();
                let word = word.trim_matches(['[', ']', '(', ')']);
                match Address::parse(word.as_bytes()).filter(|address| *address != Address::NONE && address.v4() != Some(0)) {
                    Some(address) => {
                        let differs = |item: &Item<'_>| item.address.is_some_and(|known| known != address);
                        if let Some(item) = self.open(differs, line, text) {
                            item.address = Some(address);
                        }
                    }
                    None => self.wrong(line, text, "it is not an address: 192.0.2.1, 2001:db8::1"),
                }
            }
            Said::Domain => {
                let word = value.split([' ', ',', ';']).next().unwrap_or_default().replace("[.]", ".");
                match DomainName::parse(word.trim_end_matches('.')) {
                    Some(name) => {
                        let differs = |item: &Item<'_>| item.domain.as_ref().is_some_and(|known| *known != name);
                        if let Some(item) = self.open(differs, line, text) {
                            item.domain = Some(name.clone());
                        }
                    }
                    None => self.wrong(line, text, "it is not a domain name: shop.example"),
                }
            }
            Said::Other(name) => match self.items.last_mut() {
                Some(item) => item.put(name, value),
                None if self.shared.len() < VALUES => self.shared.push((name, value)),
                None => {}
            },
        }
    }

    /// The item that a value belongs to: the last one, or a new one when that is `full`.
    fn open(&mut self, full: impl Fn(&Item<'_>) -> bool, line: usize, text: &'a str) -> Option<&mut Item<'a>> {
        if self.items.last().is_none_or(|item| full(item) || !item.wrong.is_empty()) {
            if self.items.len() >= ITEMS {
                self.more = true;
                return None;
            }
            self.items.push(Item { line, text, ..Item::default() });
        }
        self.items.last_mut()
    }

    fn wrong(&mut self, line: usize, text: &'a str, reason: &str) {
        if let Some(item) = self.open(|_| true, line, text) {
            item.wrong = reason.to_owned();
        }
    }

    /// Gives each item what is said of all of them.
    fn settle(&mut self) {
        self.items.retain(|item| !item.is_empty());
        for (name, value) in std::mem::take(&mut self.shared) {
            for item in &mut self.items {
                if item.get(name).is_none() {
                    item.put(name, value);
                }
            }
        }
        // One address for several locations of one site is the address of all; of several sites nobody says which is where.
        let addresses: BTreeSet<Address> = self.items.iter().filter_map(|item| item.address).collect();
        let hosts: BTreeSet<String> =
            self.items.iter().filter_map(|item| item.url.as_ref()).map(|url| url.host().to_string()).collect();
        if let (Some(address), 1, 0 | 1) = (addresses.first().copied(), addresses.len(), hosts.len()) {
            for item in self.items.iter_mut().filter(|item| item.url.is_some()) {
                item.address = item.address.or(Some(address));
            }
        }
    }
}

/// The label that a line begins with, its meaning, and the value behind the colon.
fn labelled(line: &str, labels: Labels) -> Option<(&'static str, Said, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim().trim_matches(['*', '"']);
    // `http` is no label.
    if name.len() > 64 || value.starts_with("//") {
        return None;
    }
    let (label, said) = labels.iter().find(|(label, _)| name.eq_ignore_ascii_case(label))?;
    Some((label, *said, value.trim().trim_matches('*').trim()))
}

/// Whether a line is a location with nothing but an address in brackets behind it.
fn is_location_alone(line: &str) -> bool {
    match line.split_once(char::is_whitespace) {
        None => true,
        Some((_, rest)) => rest.trim().starts_with(['[', '(']) && bracketed(rest).is_some(),
    }
}

/// The address in brackets behind a location.
pub(crate) fn bracketed(text: &str) -> Option<Address> {
    let inner =
        text.trim_end().strip_suffix(']').map(|text| (text, '[')).or_else(|| Some((text.trim_end().strip_suffix(')')?, '(')));
    let (text, open) = inner?;
    let (_, word) = text.rsplit_once(open)?;
    Address::parse(word.trim().as_bytes()).filter(|address| *address != Address::NONE)
}

/// Whether a name is one of these or below one.
fn is_under(name: &str, domains: &[&str]) -> bool {
    domains.iter().any(|domain| name == *domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: Labels = &[
        ("url", Said::Location),
        ("urls", Said::Location),
        ("ip address", Said::Address),
        ("domain", Said::Domain),
        ("reference", Said::Other("reference")),
    ];

    #[test]
    fn what_stands_first_is_said_of_all_and_what_stands_behind_of_one() {
        let text = "Reference: 7\nURL: http://a.example/1\nIP address: 192.0.2.1\nreference: 8\n\n> URL:\n> hxxp://b[.]example/2 [192.0.2.2]\n";
        let said = Labelled::read(text, LABELS, &[]);
        let seen: Vec<_> = said
            .items
            .iter()
            .map(|item| {
                (item.url.as_ref().map(Url::as_str), item.address.map(|address| address.to_string()), item.get("reference"))
            })
            .collect();
        assert_eq!(
            seen,
            [
                (Some("http://a.example/1"), Some("192.0.2.1".to_owned()), Some("8")),
                (Some("http://b.example/2"), Some("192.0.2.2".to_owned()), Some("7")),
            ]
        );
    }

    #[test]
    fn of_several_sites_and_one_address_nobody_says_which_is_there() {
        let list = "IP address: 192.0.2.1\nURLs:\nhttp://a.example/1\nhttp://b.example/2\nhttps://help.sender.example/x\n";
        let said = Labelled::read(list, LABELS, &["sender.example"]);
        let addresses: Vec<_> = said.items.iter().map(|item| item.address.is_some()).collect();
        assert_eq!(addresses, [true, false]);
        let one = list.replace("b.example", "a.example");
        let said = Labelled::read(&one, LABELS, &["sender.example"]);
        assert!(said.items.iter().all(|item| item.address.is_some()) && said.items.len() == 2);
    }

    #[test]
    fn what_is_wrong_is_told_and_hurts_nothing_else() {
        let said = Labelled::read("URL: é\nIP address: 300.0.2.1\nDomain: -\nURL: http://a.example/\n", LABELS, &[]);
        let wrong: Vec<_> = said.items.iter().map(|item| !item.wrong.is_empty()).collect();
        assert_eq!(wrong, [true, true, true, false]);
        assert!(Labelled::read("", LABELS, &[]).items.is_empty());
    }
}
