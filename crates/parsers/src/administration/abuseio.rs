//! A database dump of AbuseIO 4: contacts, netblocks, domain names, accounts and brands as an administration, and what is open
//! as reports.
//!
//! - A contact becomes a party, known by its reference, with its mail address as contact; netblocks and domain names become
//!   its assignments, with an unknown start, since a dump does not say when they were given.
//! - An account becomes the party its contacts rent from, with its brand as trade name; contacts of the system account are
//!   direct customers.
//! - Tickets that are open or escalated become reports, one for each of their events, at the time of that event: so cases open
//!   as they do for any report, and what is old is history. Their notes go with their first event.
//!
//! Users, roles, permissions, jobs, evidence and everything that looks like a secret is not read. A dump is read three times,
//! for its tables stand in the order of their names and refer to each other.

mod sql;
mod write;

use std::collections::{BTreeMap, HashMap};
use std::io::Read;

use model::address::{Address, Range};
use model::administration::Snapshot;
use model::assignment::{Assignment, Level, Period};
use model::party::{Channel, Contact, Party, Role};
use model::resource::{DomainName, Resource};

use super::lines::Unpacked;
use super::{Finding, Findings, Limits};
use sql::{Dump, Next, Row};
pub use write::{Written, reports};

/// The tables of the administration, and the tickets.
const TABLES: [&str; 7] = ["accounts", "brands", "contacts", "contact_notification_methods", "netblocks", "domains", "tickets"];
/// Bytes of a field.
const FIELD: usize = 256 << 10;
/// Tickets that are kept.
const TICKETS: usize = 1_000_000;

/// What a dump came to.
#[derive(Debug, Default)]
pub struct Taken {
    /// The administration.
    pub snapshot: Snapshot,
    /// What was not taken as it stood.
    pub findings: Vec<Finding>,
    /// What was taken and what was not, by what it was, with the reason.
    pub counts: Counts,
    /// Open tickets by their number, for [`reports`].
    pub open: BTreeMap<u64, Ticket>,
}

/// How much of each was taken, and how much was not, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// What, and how many of it.
    pub taken: BTreeMap<&'static str, u64>,
    /// What and why not, and how many of it.
    pub left: BTreeMap<(&'static str, &'static str), u64>,
}

impl Counts {
    fn take(&mut self, what: &'static str) {
        *self.taken.entry(what).or_default() += 1;
    }

    fn leave(&mut self, what: &'static str, why: &'static str) {
        *self.left.entry((what, why)).or_default() += 1;
    }
}

/// An open ticket.
#[derive(Clone, Debug, Default)]
pub struct Ticket {
    /// The address; loopback or empty when it is about a name alone.
    pub ip: String,
    /// The domain name, if there is one.
    pub domain: String,
    /// Its class: `OPEN_DNS_RESOLVER`.
    pub class: String,
    /// `INFO`, `ABUSE` or `ESCALATION`.
    pub kind: String,
    /// When it was made, as the dump writes it.
    pub created: String,
}

/// A contact on its way to a party.
struct Known {
    reference: String,
    account: u64,
    party: Party,
    told: bool,
}

#[derive(Default)]
struct Gathered {
    brands: HashMap<u64, Vec<String>>,
    accounts: BTreeMap<u64, (Party, u64, bool)>,
    contacts: BTreeMap<u64, Known>,
    methods: Option<HashMap<u64, bool>>,
    /// Contact, resource and number of what is assigned.
    held: Vec<(u64, Resource, String)>,
    taken: Taken,
    findings: Findings,
}

/// Reads the administration out of a dump, packed with gzip or not, and which tickets are open.
pub fn read(reader: &mut dyn Read, limits: &Limits) -> Taken {
    let mut gathered = Gathered::default();
    match Unpacked::open(reader, *limits) {
        Ok(reader) => gathered.read(reader),
        Err(error) => gathered.findings.lose(|| "the dump".to_owned(), "", || format!("it cannot be read: {error}")),
    }
    gathered.finish()
}

impl Gathered {
    fn read(&mut self, reader: impl Read) {
        let mut dump = Dump::new(reader, &TABLES, FIELD);
        let mut row = Row::default();
        let mut any = false;
        loop {
            match dump.next_into(&mut row) {
                Ok(Next::End) => break,
                Ok(Next::Broken(line, reason)) => self.findings.lose(|| format!("line {line}"), "", || reason),
                Ok(Next::Row(table)) => {
                    any = true;
                    if row.is_cut {
                        let line = row.line;
                        let reason = || format!("a field of over {FIELD} bytes is left out");
                        self.findings.note(|| format!("line {line}"), table, reason);
                    }
                    self.row(table, &row);
                }
                Err(error) => {
                    let line = row.line;
                    return self.findings.lose(|| format!("line {line}"), "", || format!("reading stopped here: {error}"));
                }
            }
        }
        if !any {
            let reason = || "no table of AbuseIO 4 with rows is in it; make it with mysqldump, structure and data".to_owned();
            self.findings.lose(|| "the dump".to_owned(), "", reason);
        }
    }

    fn row(&mut self, table: &'static str, row: &Row) {
        let number = |name: &str| row.text(name).parse::<u64>().unwrap_or(0);
        let id = number("id");
        let what = match table {
            "contact_notification_methods" => {
                let is_mail = row.text("method").eq_ignore_ascii_case("mail");
                *self.methods.get_or_insert_default().entry(number("contact_id")).or_default() |= is_mail;
                return;
            }
            "tickets" => return self.ticket(id, row),
            what => what,
        };
        if row.bytes("deleted_at").is_some() {
            return self.taken.counts.leave(what, "deleted");
        }
        if row.has("enabled") && row.text("enabled") == "0" && table != "contacts" {
            return self.taken.counts.leave(what, "switched off");
        }
        match table {
            "brands" => {
                let mut names = vec![row.text("company_name"), row.text("name")];
                names.retain(|name| !name.is_empty() && !matches!(name.as_str(), "default" | "AbuseIO"));
                names.dedup();
                self.brands.insert(id, names);
                self.taken.counts.take("brands");
            }
            "accounts" => {
                let is_system = row.text("systemaccount") == "1";
                let party = Party {
                    reference: format!("account-{id}"),
                    name: row.text("name"),
                    roles: vec![Role::Reseller],
                    ..Party::default()
                };
                self.accounts.insert(id, (party, number("brand_id"), is_system));
                match is_system {
                    true => self.taken.counts.leave("accounts", "the system's own: its contacts are direct customers"),
                    false => self.taken.counts.take("accounts"),
                }
            }
            "contacts" => self.contact(id, number("account_id"), row),
            "netblocks" => self.netblock(id, number("contact_id"), row),
            "domains" => match DomainName::parse(&row.text("name")) {
                Some(name) => self.held.push((number("contact_id"), Resource::Domain(name), format!("domain-{id}"))),
                None => self.unreadable("domains", row, &row.text("name"), "not a domain name"),
            },
            _ => {}
        }
    }

    fn unreadable(&mut self, what: &'static str, row: &Row, text: &str, reason: &str) {
        let line = row.line;
        self.findings.lose(|| format!("line {line}"), text, || format!("{what}: {reason}"));
        self.taken.counts.leave(what, "not readable");
    }

    fn contact(&mut self, id: u64, account: u64, row: &Row) {
        let reference = row.text("reference");
        if reference.is_empty() {
            return self.unreadable("contacts", row, &row.text("name"), "it has no reference");
        }
        let wants = !row.has("auto_notify") || row.text("auto_notify") == "1";
        let mails: Vec<String> =
            row.text("email").split([',', ';', ' ']).filter(|mail| mail.contains('@')).map(str::to_owned).collect();
        let contact = |target: &String| Contact {
            channel: Channel::Mail,
            target: target.clone(),
            hours: String::new(),
            notify: wants && row.text("enabled") != "0",
            fallback: false,
        };
        let party = Party {
            reference: reference.clone(),
            name: row.text("name"),
            contacts: mails.iter().map(contact).collect(),
            mails,
            ..Party::default()
        };
        self.contacts.insert(id, Known { reference, account, party, told: row.has("auto_notify") });
        self.taken.counts.take("contacts");
    }

    fn netblock(&mut self, id: u64, contact: u64, row: &Row) {
        // Early versions kept the bytes of addresses.
        let address = |name: &str| {
            let bytes = row.bytes(name)?;
            Address::parse(bytes.trim_ascii()).or_else(|| match bytes.len() {
                4 => Address::parse(std::net::Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).to_string().as_bytes()),
                16 => Address::parse(std::net::Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).to_string().as_bytes()),
                _ => None,
            })
        };
        let range = match (address("first_ip"), address("last_ip")) {
            (Some(first), Some(last)) => Range::new(first, last).ok(),
            _ => None,
        };
        match range {
            Some(range) => self.held.push((contact, Resource::Addresses(range), format!("netblock-{id}"))),
            None => {
                let text = format!("{} - {}", row.text("first_ip"), row.text("last_ip"));
                self.unreadable("netblocks", row, &text, "not a range of addresses");
            }
        }
    }

    fn ticket(&mut self, id: u64, row: &Row) {
        let status = row.text("status_id").to_ascii_uppercase();
        let counts = &mut self.taken.counts;
        if row.bytes("deleted_at").is_some() {
            return counts.leave("tickets", "deleted");
        }
        match status.as_str() {
            "OPEN" | "ESCALATED" => {}
            "CLOSED" | "RESOLVED" | "IGNORED" => return counts.leave("tickets", "closed, resolved or ignored"),
            _ => return counts.leave("tickets", "in a state that AbuseIO 4 does not have"),
        }
        if self.taken.open.len() >= TICKETS {
            return counts.leave("tickets", "over a million open ones");
        }
        counts.take("tickets");
        let ticket = Ticket {
            ip: row.text("ip"),
            domain: row.text("domain"),
            class: row.text("class_id").to_ascii_uppercase(),
            kind: row.text("type_id").to_ascii_uppercase(),
            created: row.text("created_at"),
        };
        self.taken.open.insert(id, ticket);
    }

    fn finish(mut self) -> Taken {
        let mut snapshot = Snapshot::default();
        for (party, brand, is_system) in self.accounts.values() {
            if !is_system {
                let trade_names = self.brands.get(brand).cloned().unwrap_or_default();
                snapshot.parties.push(Party { trade_names, ..party.clone() });
            }
        }
        let mut holders: HashMap<u64, String> = HashMap::new();
        for (id, known) in &self.contacts {
            let mut party = known.party.clone();
            party.parent = self
                .accounts
                .get(&known.account)
                .filter(|(_, _, is_system)| !is_system)
                .map(|(party, ..)| party.reference.clone());
            if let Some(methods) = self.methods.as_ref().filter(|_| !known.told) {
                let wants = methods.get(id).copied().unwrap_or(false);
                party.contacts.iter_mut().for_each(|contact| contact.notify &= wants);
            }
            party.roles = vec![Role::Customer];
            holders.insert(*id, known.reference.clone());
            snapshot.parties.push(party);
        }
        for (contact, resource, reference) in std::mem::take(&mut self.held) {
            let what = if matches!(resource, Resource::Domain(_)) { "domains" } else { "netblocks" };
            let Some(party) = holders.get(&contact) else {
                self.taken.counts.leave(what, "of a contact that is not there");
                continue;
            };
            self.taken.counts.take(what);
            snapshot.assignments.push(Assignment {
                resource,
                period: Period::ALWAYS,
                party: party.clone(),
                level: Level::Assigned,
                service: String::new(),
                product: String::new(),
                panel: String::new(),
                account: String::new(),
                reference,
            });
        }
        let (complete, findings) = self.findings.finish();
        snapshot.complete = complete;
        Taken { snapshot, findings, ..self.taken }
    }
}

#[cfg(test)]
mod tests;
