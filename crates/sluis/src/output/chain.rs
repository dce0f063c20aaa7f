//! Chains as people and programs read them: every link with its party, and why and since when we say so.

use std::collections::HashMap;
use std::io;

use anyhow::Result;
use model::assignment::Assignment;
use model::chain::{Chain, Link, PartyId};
use model::time::Time;
use serde::Serialize;
use store::Transaction;

use super::screen::{Screen, Style};
use super::words::{age, since};

/// One link, with everything that numbers stand for written out.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct LinkView {
    /// The party's identifier; `null` when it is not from a node's data.
    pub(crate) id: Option<String>,
    /// Its reference in its source.
    pub(crate) party: String,
    /// What it is called.
    pub(crate) name: String,
    /// Its height in the chain.
    pub(crate) level: &'static str,
    /// What is assigned to it; `null` when it is here because the next party rents from it.
    pub(crate) resource: Option<String>,
    /// The service that belongs to.
    pub(crate) service: Option<String>,
    /// Since when; `null` when unknown.
    pub(crate) since: Option<String>,
    /// The source that says so.
    pub(crate) source: String,
    /// When that source was last imported.
    pub(crate) source_checked: String,
    /// When this was first recorded.
    pub(crate) recorded: String,
    #[serde(skip)]
    times: (Time, Time),
}

/// What is known of parties, assignments and sources: a node's data, or a file.
pub(crate) trait Names {
    /// Identifier, reference and name of a party.
    fn party(&mut self, id: PartyId) -> Result<(Option<String>, String, String)>;
    /// An assignment.
    fn assignment(&mut self, id: i64) -> Result<Option<Assignment>>;
    /// Name of a source, and when it was last imported.
    fn source(&mut self, link: &Link) -> (String, Time);
}

/// Writes out a chain, outermost link first.
pub(crate) fn view(chain: &Chain, names: &mut dyn Names) -> Result<Vec<LinkView>> {
    let link = |link: &Link| {
        let (id, party, name) = names.party(link.party)?;
        let assignment = match link.assignment {
            Some(id) => names.assignment(id)?,
            None => None,
        };
        let (source, checked) = names.source(link);
        let (resource, service) = match assignment {
            Some(assignment) => (Some(assignment.resource.to_string()), Some(assignment.service)),
            None => (None, None),
        };
        // Who only rents on does so since a time that the link below does not tell.
        let known_since = (link.since != Time::MIN && link.assignment.is_some()).then_some(link.since);
        Ok(LinkView {
            id,
            party,
            name,
            level: link.level.word(),
            resource,
            service: service.filter(|service| !service.is_empty()),
            since: known_since.map(|time| time.to_string()),
            source,
            source_checked: checked.to_string(),
            recorded: link.recorded.to_string(),
            times: (known_since.unwrap_or(Time::MIN), checked),
        })
    };
    chain.links.iter().map(link).collect()
}

/// Draws a chain as a tree. `now` is what ages are counted to.
pub(crate) fn draw(screen: &mut Screen, links: &[LinkView], now: Time) -> io::Result<()> {
    if links.is_empty() {
        let text = screen.paint(Style::Alarm, "nobody is known to have held it then");
        return screen.line(text);
    }
    for (depth, link) in links.iter().enumerate() {
        let last = depth + 1 == links.len();
        let indent = "   ".repeat(depth.saturating_sub(1));
        let branch = if depth == 0 { "" } else { "└─ " };
        let name = screen.paint(if last { Style::Strong } else { Style::Plain }, title(link).as_str());
        let mark = if last { "  ← holder" } else { "" };
        screen.line(format_args!("{indent}{branch}{name}{mark}"))?;
        let below = format!("{}{}", "   ".repeat(depth), if last { "   " } else { "│  " });
        let source = format!("says {}, checked {} ago", link.source, age(link.times.1, now));
        let text = match &link.resource {
            Some(resource) => {
                let service = link.service.as_ref().map_or_else(String::new, |service| format!(" for {service}"));
                format!("{} {resource}{service} since {}, {source}", link.level, since(link.times.0))
            }
            None => format!("rents on to the next, {source}"),
        };
        let text = screen.paint(Style::Dim, &text);
        screen.line(format_args!("{below}{text}"))?;
    }
    Ok(())
}

/// The chain on one line.
pub(crate) fn one_line(links: &[LinkView]) -> String {
    match links {
        [] => "nobody known".to_owned(),
        links => links.iter().map(title).collect::<Vec<_>>().join(" > "),
    }
}

fn title(link: &LinkView) -> String {
    party_title(&link.name, &link.party)
}

/// A party as lists name it: its name with its reference behind.
pub(crate) fn party_title(name: &str, reference: &str) -> String {
    match name {
        "" => reference.to_owned(),
        name if name == reference => name.to_owned(),
        name => format!("{name} ({reference})"),
    }
}

/// Names from a node's data, each looked up once.
pub(crate) struct Kept<'a> {
    transaction: &'a Transaction<'a>,
    parties: HashMap<PartyId, (Option<String>, String, String)>,
    assignments: HashMap<i64, Option<Assignment>>,
    sources: Vec<(String, Time)>,
}

/// Things remembered before they are looked up anew: a batch of addresses may name millions.
const REMEMBERED: usize = 100_000;

impl<'a> Kept<'a> {
    /// Nothing looked up yet.
    pub(crate) fn new(transaction: &'a Transaction<'a>) -> Result<Kept<'a>> {
        let sources = transaction.sources()?.into_iter().map(|source| (source.name, source.checked)).collect();
        Ok(Kept { transaction, parties: HashMap::new(), assignments: HashMap::new(), sources })
    }

    /// A party as lists name it.
    pub(crate) fn title(&mut self, id: PartyId) -> Result<String> {
        let (_, reference, name) = self.party(id)?;
        Ok(party_title(&name, &reference))
    }
}

impl Names for Kept<'_> {
    fn party(&mut self, id: PartyId) -> Result<(Option<String>, String, String)> {
        if let Some(known) = self.parties.get(&id) {
            return Ok(known.clone());
        }
        let found = match self.transaction.party(id)? {
            Some(kept) => (Some(kept.public.to_string()), kept.party.reference, kept.party.name),
            None => (None, format!("party {id}"), String::new()),
        };
        if self.parties.len() >= REMEMBERED {
            self.parties.clear();
        }
        self.parties.insert(id, found.clone());
        Ok(found)
    }

    fn assignment(&mut self, id: i64) -> Result<Option<Assignment>> {
        if let Some(known) = self.assignments.get(&id) {
            return Ok(known.clone());
        }
        let found = self.transaction.assignment(id)?.map(|kept| kept.assignment);
        if self.assignments.len() >= REMEMBERED {
            self.assignments.clear();
        }
        self.assignments.insert(id, found.clone());
        Ok(found)
    }

    fn source(&mut self, link: &Link) -> (String, Time) {
        let known = self.sources.get(usize::from(link.source)).cloned();
        known.unwrap_or_else(|| ("a source that is gone".to_owned(), link.recorded))
    }
}
