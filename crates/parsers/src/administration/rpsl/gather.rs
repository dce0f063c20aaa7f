//! What is kept of a registry's database while it is read: a few numbers per object.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use model::address::{Address, Range, RangeError};
use model::administration::Snapshot;
use model::resource::as_number;
use model::time::Time;

use super::object::{Next, Object, Objects};
use super::{Options, Status, level};
use crate::administration::lines::Unpacked;
use crate::administration::{Finding, Findings};

/// A database while its files are read.
pub struct Database {
    options: Options,
    pub(super) names: Names,
    /// Runs of names, to which blocks point.
    pub(super) lists: Vec<Name>,
    pub(super) blocks: Vec<Block>,
    pub(super) systems: Vec<System>,
    pub(super) routes: Vec<(Range, u32)>,
    pub(super) organisations: HashMap<Name, Organisation>,
    /// Mailboxes for abuse by the handle of the role, person or response team.
    pub(super) mailboxes: HashMap<Name, Name>,
    /// Blocks of the registry itself, which are left out.
    pub(super) registry: usize,
    pub(super) findings: Findings,
    /// Words for a status that were told of already.
    odd: HashSet<String>,
}

/// A text that is kept once. [`Name::NONE`] is no text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name(u32);

impl Name {
    pub(super) const NONE: Name = Name(0);

    pub(super) fn is_some(self) -> bool {
        self != Name::NONE
    }

    /// This one, or the other if this is none.
    pub(super) fn or(self, other: impl FnOnce() -> Name) -> Name {
        if self.is_some() { self } else { other() }
    }
}

/// The texts.
pub(super) struct Names {
    places: HashMap<Arc<str>, Name>,
    texts: Vec<Arc<str>>,
}

impl Names {
    fn new() -> Names {
        Names { places: HashMap::new(), texts: vec![Arc::from("")] }
    }

    /// The name of a text; empty texts are none, and so are more than 2^32 of them.
    pub(super) fn keep(&mut self, text: &str) -> Name {
        if text.is_empty() {
            return Name::NONE;
        }
        if let Some(name) = self.places.get(text) {
            return *name;
        }
        let Ok(number) = u32::try_from(self.texts.len()) else { return Name::NONE };
        let text: Arc<str> = Arc::from(text);
        self.texts.push(text.clone());
        self.places.insert(text, Name(number));
        Name(number)
    }

    /// Handles compare without case.
    fn handle(&mut self, text: &str) -> Name {
        let text = text.split_whitespace().next().unwrap_or_default();
        if text.bytes().any(|byte| byte.is_ascii_lowercase()) { self.keep(&text.to_ascii_uppercase()) } else { self.keep(text) }
    }

    pub(super) fn text(&self, name: Name) -> &str {
        self.texts.get(name.0 as usize).map_or("", |text| text)
    }
}

/// A run in [`Database::lists`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    from: u32,
    length: u32,
}

/// An inetnum or inet6num.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) range: Range,
    pub(super) status: Status,
    pub(super) org: Name,
    pub(super) sponsor: Name,
    pub(super) netname: Name,
    pub(super) admin: Name,
    pub(super) abuse: Name,
    pub(super) mailbox: Name,
    pub(super) team: Name,
    pub(super) country: Name,
    pub(super) created: Option<Time>,
    pub(super) mnt_by: Run,
    pub(super) mnt_lower: Run,
}

/// An aut-num.
#[derive(Clone, Copy, Debug)]
pub(super) struct System {
    pub(super) number: u32,
    pub(super) org: Name,
    pub(super) sponsor: Name,
    pub(super) name: Name,
    pub(super) admin: Name,
    pub(super) abuse: Name,
    pub(super) created: Option<Time>,
    pub(super) mnt_by: Run,
}

/// An organisation.
#[derive(Clone, Debug, Default)]
pub(super) struct Organisation {
    pub(super) name: String,
    pub(super) country: String,
    pub(super) language: String,
    pub(super) mails: Vec<String>,
    pub(super) phones: Vec<String>,
    pub(super) is_lir: bool,
    pub(super) abuse: Name,
    pub(super) mailbox: Name,
}

/// Items that one list attribute of an object may have.
const ITEMS: usize = 64;

impl Database {
    /// An empty one.
    pub fn new(mut options: Options) -> Database {
        options.within.sort();
        let mut merged: Vec<Range> = Vec::with_capacity(options.within.len());
        for range in options.within {
            match merged.last_mut() {
                Some(last) if last.last >= range.first => last.last = last.last.max(range.last),
                _ => merged.push(range),
            }
        }
        options.within = merged;
        Database {
            options,
            names: Names::new(),
            lists: Vec::new(),
            blocks: Vec::new(),
            systems: Vec::new(),
            routes: Vec::new(),
            organisations: HashMap::new(),
            mailboxes: HashMap::new(),
            registry: 0,
            findings: Findings::default(),
            odd: HashSet::new(),
        }
    }

    /// Reads a file, packed or not. `name` is for the places in findings; it may be empty.
    pub fn add(&mut self, name: &str, reader: &mut dyn Read) {
        let before = if name.is_empty() { String::new() } else { format!("{name}, ") };
        let place = |line: u64| format!("{before}line {line}");
        let limits = self.options.limits;
        let mut objects = match Unpacked::open(reader, limits) {
            Ok(reader) => Objects::new(reader, limits.record),
            Err(error) => return self.findings.lose(|| place(1), "", || format!("it cannot be read: {error}")),
        };
        let mut object = Object::default();
        let mut last = 1;
        loop {
            match objects.next_into(&mut object) {
                Ok(Next::End) => return,
                Ok(Next::Broken(reason)) => self.findings.lose(|| place(object.line), object.key(), || reason),
                Ok(Next::Object) => {
                    if let Err(reason) = self.take(&object) {
                        self.findings.lose(|| place(object.line), object.key(), || reason);
                    }
                }
                Err(error) => return self.findings.lose(|| place(last), "", || format!("reading stopped after here: {error}")),
            }
            last = object.line.max(last);
        }
    }

    /// The snapshot of all that was added.
    pub fn finish(self) -> (Snapshot, Vec<Finding>) {
        super::holders::snapshot(self)
    }

    fn take(&mut self, object: &Object) -> Result<(), String> {
        match object.class() {
            "inetnum" | "inet6num" => {
                let range = range(&key(object)).map_err(|error| error.to_string())?;
                if self.is_wanted(&range) {
                    self.block(object, range);
                }
            }
            "route" | "route6" => {
                let range = range(&key(object)).map_err(|error| error.to_string())?;
                let origin = object.attributes().find(|(name, _)| *name == "origin").map(|(_, value)| value);
                let origin = origin.and_then(|origin| as_number(&origin)).ok_or("it has no origin, like 'origin: AS64496'")?;
                if self.is_wanted(&range) {
                    self.routes.push((range, origin));
                }
            }
            "aut-num" => {
                // LACNIC writes the number alone.
                let number = as_number(&key(object)).or_else(|| key(object).parse().ok());
                let number = number.ok_or("not an AS number, like AS64496")?;
                self.system(object, number);
            }
            "organisation" => self.organisation(object),
            "role" | "person" | "irt" => self.contact(object),
            _ => {}
        }
        Ok(())
    }

    fn is_wanted(&self, range: &Range) -> bool {
        let within = &self.options.within;
        let at = within.partition_point(|wanted| wanted.last < range.first);
        within.is_empty() || within.get(at).is_some_and(|wanted| wanted.overlaps(range))
    }

    fn block(&mut self, object: &Object, range: Range) {
        let mut block = Block {
            range,
            status: Status::Unknown,
            org: Name::NONE,
            sponsor: Name::NONE,
            netname: Name::NONE,
            admin: Name::NONE,
            abuse: Name::NONE,
            mailbox: Name::NONE,
            team: Name::NONE,
            country: Name::NONE,
            created: None,
            mnt_by: Run::default(),
            mnt_lower: Run::default(),
        };
        for (name, value) in object.attributes() {
            match name {
                "status" => {
                    block.status = level(&value);
                    if block.status == Status::Unknown && self.odd.len() < ITEMS && self.odd.insert(value.to_string()) {
                        let reason = || "not a status of a registry that is known here; read as legacy space".to_owned();
                        self.findings.note(|| format!("line {}", object.line), &value, reason);
                    }
                }
                "org" => block.org = self.names.handle(&value),
                "sponsoring-org" => block.sponsor = self.names.handle(&value),
                "netname" => block.netname = self.names.keep(&value),
                "admin-c" => block.admin = block.admin.or(|| self.handle_of_somebody(&value)),
                "abuse-c" => block.abuse = self.handle_of_somebody(&value),
                "abuse-mailbox" => block.mailbox = self.mailbox(&value),
                "mnt-irt" => block.team = self.names.handle(&value),
                "country" => block.country = block.country.or(|| self.names.handle(&value)),
                "created" => block.created = created(&value),
                _ => {}
            }
        }
        block.mnt_by = self.list(object, "mnt-by");
        block.mnt_lower = self.list(object, "mnt-lower");
        let of_iana = ["IANA-BLK", "IANA-RESERVED", "NON-RIPE-NCC-MANAGED-ADDRESS-BLOCK"];
        if block.status == Status::Registry || of_iana.contains(&self.names.text(block.netname)) {
            self.registry += 1;
            return;
        }
        self.blocks.push(block);
    }

    fn system(&mut self, object: &Object, number: u32) {
        let mut system = System {
            number,
            org: Name::NONE,
            sponsor: Name::NONE,
            name: Name::NONE,
            admin: Name::NONE,
            abuse: Name::NONE,
            created: None,
            mnt_by: self.list(object, "mnt-by"),
        };
        for (name, value) in object.attributes() {
            match name {
                "org" => system.org = self.names.handle(&value),
                "sponsoring-org" => system.sponsor = self.names.handle(&value),
                "as-name" => system.name = self.names.keep(&value),
                "admin-c" => system.admin = system.admin.or(|| self.handle_of_somebody(&value)),
                "abuse-c" => system.abuse = self.handle_of_somebody(&value),
                "created" => system.created = created(&value),
                _ => {}
            }
        }
        self.systems.push(system);
    }

    fn organisation(&mut self, object: &Object) {
        let mut organisation = Organisation::default();
        let add = |list: &mut Vec<String>, value: &str| {
            if list.len() < ITEMS && !value.is_empty() {
                list.push(value.to_owned());
            }
        };
        for (name, value) in object.attributes() {
            match name {
                "org-name" => organisation.name = value.into_owned(),
                "country" => organisation.country = value.to_ascii_uppercase(),
                "language" => organisation.language = value.to_ascii_lowercase(),
                "org-type" => organisation.is_lir = value.eq_ignore_ascii_case("LIR"),
                "e-mail" => add(&mut organisation.mails, &value),
                "phone" => add(&mut organisation.phones, &value),
                "abuse-c" => organisation.abuse = self.handle_of_somebody(&value),
                "abuse-mailbox" => organisation.mailbox = self.mailbox(&value),
                _ => {}
            }
        }
        let handle = self.names.handle(&key(object));
        self.organisations.insert(handle, organisation);
    }

    /// Of roles, persons and response teams only the mailbox for abuse is kept: who they are is nobody's business here.
    fn contact(&mut self, object: &Object) {
        let (mut handle, mut mailbox, mut mail) = (Name::NONE, Name::NONE, Name::NONE);
        let team = object.class() == "irt";
        if team {
            handle = self.names.handle(&key(object));
        }
        for (name, value) in object.attributes() {
            match name {
                "nic-hdl" => handle = self.handle_of_somebody(&value),
                "abuse-mailbox" => mailbox = self.mailbox(&value),
                "e-mail" if team => mail = mail.or(|| self.mailbox(&value)),
                _ => {}
            }
        }
        let mailbox = mailbox.or(|| mail);
        if handle.is_some() && mailbox.is_some() {
            self.mailboxes.insert(handle, mailbox);
        }
    }

    /// A handle that stands for somebody: dumps replace persons by a dummy.
    fn handle_of_somebody(&mut self, value: &str) -> Name {
        let dummy = value.trim().get(..4).is_some_and(|start| start.eq_ignore_ascii_case("DUMY"));
        if dummy { Name::NONE } else { self.names.handle(value) }
    }

    /// A mailbox that somebody reads.
    fn mailbox(&mut self, value: &str) -> Name {
        const NOBODY: [&str; 3] = ["unread@ripe.net", "bitbucket@ripe.net", "nobody@ripe.net"];
        let value = value.split_whitespace().next().unwrap_or_default();
        if !value.contains('@') || NOBODY.iter().any(|nobody| nobody.eq_ignore_ascii_case(value)) {
            return Name::NONE;
        }
        self.names.keep(value)
    }

    /// The handles of an attribute that may be there several times, and may list several.
    fn list(&mut self, object: &Object, wanted: &str) -> Run {
        let from = self.lists.len();
        for (name, value) in object.attributes() {
            if name == wanted {
                for item in value.split([',', ' ']).filter(|item| !item.is_empty()) {
                    let item = self.names.handle(item);
                    if item.is_some() && self.lists.len() - from < ITEMS {
                        self.lists.push(item);
                    }
                }
            }
        }
        // Most objects repeat the list of the one before them.
        let length = self.lists.len() - from;
        if length <= from && self.lists[from - length..from] == self.lists[from..] {
            self.lists.truncate(from);
            return Run { from: u32::try_from(from - length).unwrap_or(0), length: u32::try_from(length).unwrap_or(0) };
        }
        match u32::try_from(from) {
            Ok(from) => Run { from, length: u32::try_from(length).unwrap_or(0) },
            Err(_) => Run::default(),
        }
    }

    pub(super) fn run(&self, run: Run) -> &[Name] {
        let from = run.from as usize;
        self.lists.get(from..from + run.length as usize).unwrap_or_default()
    }
}

/// The key without its comment.
fn key(object: &Object) -> String {
    object.attributes().next().map_or(String::new(), |(_, value)| value.into_owned())
}

/// Reads the key of a block: a range or prefix, in LACNIC's files with the zeros left out (`24.232.16/24`).
pub(super) fn range(text: &str) -> Result<Range, RangeError> {
    match text.split_once('/') {
        Some((network, length)) if !network.contains(':') && network.trim().split('.').count() < 4 => {
            let mut network = network.trim().trim_end_matches('.').to_owned();
            while network.split('.').count() < 4 {
                network.push_str(".0");
            }
            let length = length.trim().parse().map_err(|_| RangeError::Unreadable)?;
            Range::prefix(Address::parse(network.as_bytes()).ok_or(RangeError::Unreadable)?, length)
        }
        _ => Range::parse(text),
    }
}

/// When an object was made: ISO 8601, in LACNIC's files `YYYYMMDD`. 1970 is RIPE's word for "nobody knows".
fn created(text: &str) -> Option<Time> {
    let time = match Time::parse(text.as_bytes()) {
        Some(time) => time,
        None if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let (year, rest) = text.split_at_checked(4)?;
            let (month, day) = rest.split_at_checked(2)?;
            Time::parse(format!("{year}-{month}-{day}").as_bytes())?
        }
        None => return None,
    };
    (time.date().0 > 1970).then_some(time)
}
