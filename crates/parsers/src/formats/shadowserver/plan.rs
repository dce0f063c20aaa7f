//! The plan of one file: which column goes where. Made once from the header, carried out for every row.

use model::address::{Address, Range, RangeError};
use model::category::Kind;
use model::report::{Batch, Core, Place, Word};
use model::time::Time;

use super::maps::{Maps, Role, Type};
use super::values::{self, APPLICATION, Clock, put_number};
use crate::kinds::csv::{COLUMNS, Record};

/// What a file was found to be.
pub(crate) struct Found<'m> {
    /// The name of its type, as the file gives it.
    pub(crate) feed: String,
    /// How its rows are read.
    pub(crate) rules: &'m Type,
    /// Whether the maps name the type.
    pub(crate) known: bool,
}

/// The type of a file by its name, else by its header; else what the maps say of types they do not name.
pub(crate) fn identify<'m>(maps: &'m Maps, file: &str, header: &[String]) -> Found<'m> {
    static NOTHING: std::sync::OnceLock<Type> = std::sync::OnceLock::new();
    let stated = segment(file);
    // A type for IPv6 that is newer than the maps is read as its twin for IPv4.
    let twin = stated.replacen("6_", "_", 1).replacen("event_", "event4_", 1);
    let name = maps.name_in_file(file).map(|name| (name.to_owned(), name));
    let name = name.or_else(|| maps.name_in_file(&twin).map(|name| (stated.clone(), name)));
    let name = name.or_else(|| maps.name_by_header(header).map(|name| (name.to_owned(), name)));
    if let Some((feed, name)) = name
        && let Some(rules) = maps.by_name(name)
    {
        return Found { feed, rules, known: true };
    }
    let rules = maps.unknown(&stated).unwrap_or_else(|| {
        NOTHING.get_or_init(|| Type {
            kind: Kind::ThreatIntelligence,
            rsit: "other/other".to_owned(),
            identifier: String::new(),
            application: String::new(),
            transport: String::new(),
            service: String::new(),
            cve: String::new(),
            set: Default::default(),
            roles: Default::default(),
            without_url: None,
            when: Vec::new(),
        })
    });
    Found { feed: if stated.is_empty() { "unknown".to_owned() } else { stated }, rules, known: false }
}

/// What a file's name says of its type: `scan_new` in `2026-03-04-scan_new-netherlands-asn.csv`.
fn segment(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let words = || stem.split('-').filter(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.len() <= 60);
    words().find(|part| part.contains('_')).or_else(|| words().next()).unwrap_or_default().to_owned()
}

/// What is done with a column.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Kept under its own name.
    Keep,
    Text(Word),
    Number(Word),
    Port(Word),
    Address(Word),
    Country,
    Transport,
    Application,
    Domain(Word),
    Hash(Word, usize),
    Tag,
    Severity(Word),
}

#[derive(Clone, Copy, Debug)]
struct Step {
    column: usize,
    act: Act,
    /// The column's own name: for what is not what it should be.
    own: Word,
}

/// A URL, or a path and its host.
#[derive(Clone, Copy, Debug)]
struct Link {
    column: usize,
    host: Option<usize>,
    word: Word,
    own: Word,
}

struct Differs<'m> {
    column: usize,
    rule: &'m super::maps::When,
}

/// The plan of one file.
pub(crate) struct Plan<'m> {
    rules: &'m Type,
    header: Vec<String>,
    time: Option<usize>,
    date_and_clock: Option<(usize, usize)>,
    address: Option<usize>,
    address_own: Word,
    network: Option<usize>,
    port: Option<usize>,
    port_own: Word,
    application: Option<usize>,
    application_word: Word,
    steps: Vec<Step>,
    links: Vec<Link>,
    differs: Vec<Differs<'m>>,
    /// Columns whose value names a holder when the address does not: names and locations.
    handles: Vec<usize>,
    clock: Clock,
    scratch: Vec<u8>,
    /// By column: values that were not what they should be, and the line of the first.
    odd: Vec<(u64, u64)>,
    longer: (u64, u64),
    shorter: (u64, u64),
}

impl<'m> Plan<'m> {
    /// The plan for a header.
    pub(crate) fn new(found: &Found<'m>, header: Vec<String>, batch: &mut Batch) -> Plan<'m> {
        let rules = found.rules;
        // The first of two columns of one name has its role; the second is kept under its name.
        let at = |name: &str| header.iter().position(|column| column == name);
        let column = |role: Role| rules.roles.get(&role).into_iter().flatten().find_map(|name| at(name));
        let own: Vec<Word> = header.iter().map(|name| own_word(batch, name)).collect();
        let own_of = |column: Option<usize>| column.and_then(|at| own.get(at).copied()).unwrap_or(Word::SOURCE_IDENTIFIER);
        let time = column(Role::Time);
        let (date, clock) = (column(Role::Date), column(Role::Clock));
        let date_and_clock = if time.is_none() { date.zip(clock) } else { None };
        let application_word = batch.word(APPLICATION, Place::Property);
        let (address, network, port) = (column(Role::Address), column(Role::Network), column(Role::Port));
        let mut taken = vec![false; header.len()];
        let mut take = |column: Option<usize>| column.inspect(|at| taken[*at] = true);
        for column in [time, date_and_clock.map(|(date, _)| date), date_and_clock.map(|(_, clock)| clock), address, port] {
            take(column);
        }
        let (url, domain) = (column(Role::Url), column(Role::Domain));
        let (target, target_domain) = (column(Role::DestinationUrl), column(Role::DestinationDomain));
        let mut links = Vec::new();
        for (column, host, name) in [(url, domain, "url"), (target, target_domain, "destination_url")] {
            if let Some(column) = take(column) {
                links.push(Link { column, host, word: batch.word(name, Place::Property), own: own[column] });
            }
        }
        let mut steps = Vec::new();
        let mut step = |role: Role, act: Act| {
            if let Some(column) = take(column(role)) {
                steps.push(Step { column, act, own: own[column] });
            }
        };
        step(Role::Asn, Act::Number(Word::ASN));
        step(Role::Country, Act::Country);
        step(Role::ReverseDns, Act::Text(Word::REVERSE_DNS));
        if rules.transport.is_empty() {
            step(Role::Transport, Act::Transport);
        }
        if rules.application.is_empty() {
            step(Role::Application, Act::Application);
        }
        step(Role::Domain, Act::Domain(Word::DOMAIN));
        step(Role::DestinationIp, Act::Address(Word::DESTINATION_IP));
        step(Role::DestinationPort, Act::Port(Word::DESTINATION_PORT));
        step(Role::DestinationDomain, Act::Domain(batch.word("destination_domain", Place::Property)));
        step(Role::Malware, Act::Text(Word::MALWARE_FAMILY));
        step(Role::Identifier, Act::Text(Word::RSIT_IDENTIFIER));
        step(Role::Tag, Act::Tag);
        step(Role::Md5, Act::Hash(batch.word("file_hashes.md5", Place::Property), 32));
        step(Role::Sha1, Act::Hash(batch.word("file_hashes.sha1", Place::Property), 40));
        step(Role::Sha256, Act::Hash(batch.word("file_hashes.sha256", Place::Property), 64));
        step(Role::Description, Act::Text(Word::DESCRIPTION));
        step(Role::Severity, Act::Severity(batch.word("severity", Place::Property)));
        step(Role::UserAgent, Act::Text(Word::USER_AGENT));
        for (column, own) in own.iter().enumerate().filter(|(column, _)| !taken[*column]) {
            steps.push(Step { column, act: Act::Keep, own: *own });
        }
        steps.sort_by_key(|step| step.column);
        let handles = [domain, url, column(Role::ReverseDns)].into_iter().flatten().collect();
        let differs = rules.when.iter().filter_map(|rule| Some(Differs { column: at(&rule.column)?, rule })).collect();
        Plan {
            rules,
            time,
            date_and_clock,
            address,
            address_own: own_of(address),
            network,
            port,
            port_own: own_of(port),
            application: column(Role::Application),
            application_word,
            steps,
            links,
            differs,
            handles,
            clock: Clock::default(),
            scratch: Vec::new(),
            odd: vec![(0, 0); header.len()],
            header,
            longer: (0, 0),
            shorter: (0, 0),
        }
    }

    /// What is worth knowing of the file before its rows.
    pub(crate) fn notes(&self, found: &Found<'_>, maps: &Maps) -> Vec<String> {
        let mut notes = Vec::new();
        if !found.known {
            let (feed, kind) = (&found.feed, found.rules.kind);
            notes.push(format!(
                "the maps do not name the report type '{feed}': it is read by the rules all types share, as {kind}"
            ));
        }
        let new: Vec<&str> = self.header.iter().map(String::as_str).filter(|name| !maps.knows(name)).take(20).collect();
        if !new.is_empty() {
            notes.push(format!("columns that the maps do not know are kept under their own names: {}", new.join(", ")));
        }
        notes
    }

    /// What is worth knowing of the file after its rows.
    pub(crate) fn afterwards(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, (count, line)) in self.header.iter().zip(&self.odd).filter(|(_, (count, _))| *count > 0) {
            notes.push(format!("values in '{name}' that it should not hold, kept as text: {count}, the first in line {line}"));
        }
        let columns = self.header.len();
        for ((count, line), what) in [(self.longer, "more"), (self.shorter, "fewer")] {
            if count > 0 {
                notes.push(format!("rows with {what} fields than the header's {columns}: {count}, the first in line {line}"));
            }
        }
        notes
    }

    /// Reads a row into the open report of `batch`.
    ///
    /// # Errors
    /// Why the row is no report.
    pub(crate) fn row(&mut self, record: &Record<'_>, batch: &mut Batch, ordinal: u32) -> Result<Core, String> {
        if record.len() > COLUMNS {
            return Err(format!("the row has {} fields; more than {} are not read", record.len(), COLUMNS));
        }
        let columns = self.header.len();
        if record.len() > columns && record.text().contains(&b'\n') {
            return Err(format!(
                "lines run together: {} fields where the header has {columns}; perhaps a quotation mark is missing",
                record.len()
            ));
        }
        let (time, time_text) = self.time(record)?;
        let mut core = Core::new(self.rules.kind, ordinal);
        core.set_observed(Some(time));
        for Differs { column, rule } in &self.differs {
            if contains(record.get(*column), rule.contains.as_bytes()) {
                core.kind = rule.kind;
                batch.text(Word::RSIT, &rule.rsit);
                batch.text(Word::RSIT_IDENTIFIER, &rule.identifier);
                break;
            }
        }
        self.address(record, batch, &mut core)?;
        self.port(record, batch, &mut core);
        let located = self.links(record, batch);
        if let Some(other) = self.rules.without_url.filter(|_| core.kind == self.rules.kind && !located) {
            core.kind = other;
        }
        match core.kind.category() {
            "connection" => {
                values::rfc3339(time, time_text, &mut self.scratch);
                batch.text(Word::FIRST_SEEN, &self.scratch);
            }
            "vulnerability" if core.port > 0 => put_number(batch, Word::SERVICE_PORT, u32::from(core.port)),
            _ => {}
        }
        self.steps(record, batch, core.kind);
        self.surplus(record, batch);
        Ok(core)
    }

    #[inline]
    fn time<'t>(&mut self, record: &Record<'t>) -> Result<(Time, &'t [u8]), String> {
        if let Some(column) = self.time {
            let text = record.get(column).trim_ascii();
            return match self.clock.read(text) {
                Some(time) => Ok((time, text)),
                None => Err(self.no("time", column, text)),
            };
        }
        let Some((date, clock)) = self.date_and_clock else {
            return Err("the header has no column for the time ('timestamp')".to_owned());
        };
        let (day, hour) = (record.get(date).trim_ascii(), record.get(clock).trim_ascii());
        match self.clock.read(&[day, b" ", hour].concat()) {
            Some(time) => Ok((time, b"")),
            None => Err(format!("{} and {}", self.no("time", date, day), self.no("time", clock, hour))),
        }
    }

    fn no(&self, what: &str, column: usize, text: &[u8]) -> String {
        let name = self.header.get(column).map_or("", String::as_str);
        if text.is_empty() {
            return format!("no {what}: '{name}' is empty");
        }
        format!("no readable {what} in '{name}': '{}'", String::from_utf8_lossy(&text[..text.len().min(100)]))
    }

    /// The address; or what else leads to a holder: a prefix, a name, a location.
    #[inline]
    fn address(&mut self, record: &Record<'_>, batch: &mut Batch, core: &mut Core) -> Result<(), String> {
        let text = self.address.map_or(&b""[..], |column| record.get(column).trim_ascii());
        match Address::parse(text) {
            Some(address) if address != Address::NONE => {
                core.address = address;
                Ok(())
            }
            _ => self.instead_of_address(text, record, batch, core),
        }
    }

    #[cold]
    fn instead_of_address(&mut self, text: &[u8], record: &Record<'_>, batch: &mut Batch, core: &mut Core) -> Result<(), String> {
        let network = self.network.map_or(&b""[..], |column| record.get(column).trim_ascii());
        for prefix in [text, network].into_iter().filter(|text| text.contains(&b'/')) {
            match Range::parse(&String::from_utf8_lossy(prefix)) {
                Ok(range) if range.first == range.last => core.address = range.first,
                Ok(_) => batch.text(Word::SOURCE_IDENTIFIER, prefix),
                Err(RangeError::HostBits(_)) => {
                    batch.text(Word::SOURCE_IDENTIFIER, prefix);
                    self.odd(self.address.or(self.network), record.line);
                }
                Err(_) => continue,
            }
            return Ok(());
        }
        let handle = self.handles.iter().map(|column| record.get(*column).trim_ascii());
        // A type that never has addresses is about names, whatever they look like.
        let nameless = self.rules.roles.get(&Role::Address).is_some_and(Vec::is_empty);
        let leads = |text: &[u8]| values::is_domain(text) || text.windows(3).any(|three| three == b"://");
        let handle = handle.into_iter().find(|text| leads(text) || (nameless && !text.is_empty()));
        let Some(handle) = handle else {
            return Err(match self.address {
                Some(column) => self.no("address", column, text),
                None => "no address, and no name or URL that leads to one".to_owned(),
            });
        };
        batch.text(Word::SOURCE_IDENTIFIER, if text.is_empty() { handle } else { text });
        if !text.is_empty() {
            batch.text(self.address_own, text);
            self.odd(self.address, record.line);
        }
        Ok(())
    }

    #[inline]
    fn port(&mut self, record: &Record<'_>, batch: &mut Batch, core: &mut Core) {
        let text = self.port.map_or(&b""[..], |column| record.get(column).trim_ascii());
        if text.is_empty() {
            return;
        }
        match values::port(text) {
            Some(port) => core.port = port,
            None => {
                batch.text(self.port_own, text);
                self.odd(self.port, record.line);
            }
        }
    }

    /// Joins URLs; whether the row has one of its own.
    fn links(&mut self, record: &Record<'_>, batch: &mut Batch) -> bool {
        let mut located = false;
        for link in &self.links {
            let value = record.get(link.column);
            if value.is_empty() {
                continue;
            }
            let host = link.host.map_or(&b""[..], |column| record.get(column));
            let application = self.application.map_or(&b""[..], |column| record.get(column));
            let application = if application.is_empty() { self.rules.application.as_bytes() } else { application };
            if values::url(value, host, application, &mut self.scratch) {
                batch.text(link.word, &self.scratch);
                located |= link.word == Word::URL;
            } else {
                batch.text(link.own, value);
            }
        }
        located
    }

    #[inline]
    fn steps(&mut self, record: &Record<'_>, batch: &mut Batch, kind: Kind) {
        for at in 0..self.steps.len() {
            let Step { column, act, own } = self.steps[at];
            let value = record.get(column);
            if value.is_empty() {
                continue;
            }
            let fine = match act {
                Act::Keep => {
                    batch.text(own, value);
                    true
                }
                Act::Text(word) => {
                    batch.text(word, value);
                    true
                }
                _ => self.act(act, value.trim_ascii(), own, batch, kind),
            };
            if !fine {
                batch.text(own, value);
                self.odd(Some(column), record.line);
            }
        }
    }

    /// Takes a value that must be of some form; false when it is not.
    fn act(&mut self, act: Act, value: &[u8], own: Word, batch: &mut Batch, kind: Kind) -> bool {
        match act {
            Act::Number(word) => match values::number(value.strip_prefix(b"AS").unwrap_or(value)) {
                // Zero stands for "not known".
                Some(0) => {}
                Some(number) => put_number(batch, word, number),
                None => return false,
            },
            Act::Port(word) => match values::port(value) {
                Some(0) => {}
                Some(port) => put_number(batch, word, u32::from(port)),
                None => return false,
            },
            Act::Address(word) => match Address::parse(value) {
                Some(_) => batch.text(word, value),
                None => return false,
            },
            Act::Country => match value {
                [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                    batch.text(Word::COUNTRY, [a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
                }
                b"-" | b"--" => {}
                _ => return false,
            },
            Act::Transport => {
                if value.len() > 16 || !value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') {
                    return false;
                }
                self.lower(value);
                batch.text(Word::TRANSPORT, &self.scratch);
                // XARF knows fewer protocols for an infected host than for an attack.
                let attack = matches!(kind, Kind::Ddos | Kind::LoginAttack | Kind::PortScan);
                let known = matches!(&*self.scratch, b"tcp" | b"udp") || (attack && matches!(&*self.scratch, b"icmp" | b"sctp"));
                if kind.category() == "connection" && known {
                    batch.text(Word::PROTOCOL, &self.scratch);
                }
            }
            Act::Application => {
                self.lower(value);
                batch.text(self.application_word, &self.scratch);
            }
            Act::Domain(word) if values::is_domain(value) => {
                self.lower(value.strip_suffix(b".").unwrap_or(value));
                batch.text(word, &self.scratch);
            }
            // A host may be an address; that is no fault, and no domain name.
            Act::Domain(_) => batch.text(own, value),
            Act::Hash(word, length) => {
                if value.len() != length || !value.iter().all(u8::is_ascii_hexdigit) {
                    return false;
                }
                self.lower(value);
                batch.text(word, &self.scratch);
            }
            Act::Tag => self.tag(value, own, batch, kind),
            Act::Severity(word) => {
                self.lower(value);
                let known: &[u8] = if self.scratch == b"info" { b"informational" } else { &self.scratch };
                batch.text(word, known);
            }
            Act::Keep => batch.text(own, value),
            Act::Text(word) => batch.text(word, value),
        }
        true
    }

    /// Tags are `shadowserver:label`, several labels apart by `;`; a label that XARF does not allow is mended, and the
    /// text kept as it was.
    fn tag(&mut self, value: &[u8], own: Word, batch: &mut Batch, kind: Kind) {
        let mut mended = false;
        for label in value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|label| !label.is_empty()) {
            self.scratch.clear();
            self.scratch.extend_from_slice(b"shadowserver:");
            for &byte in label {
                let first = self.scratch.last() == Some(&b':');
                let allowed = byte.is_ascii_alphanumeric() || (!first && matches!(byte, b'_' | b'+' | b'-'));
                mended |= !allowed;
                if allowed {
                    self.scratch.push(byte.to_ascii_lowercase());
                } else if !first {
                    self.scratch.push(b'-');
                }
            }
            if self.scratch.last() != Some(&b':') {
                batch.text(Word::TAG, &self.scratch);
            }
        }
        if mended {
            batch.text(own, value);
        }
        if kind.category() == "vulnerability"
            && self.rules.cve.is_empty()
            && let Some(cve) = values::cve(value)
        {
            batch.text(Word::CVE_ID, cve);
        }
    }

    fn lower(&mut self, value: &[u8]) {
        self.scratch.clear();
        self.scratch.extend(value.iter().map(u8::to_ascii_lowercase));
    }

    /// Fields beyond the header are kept as `column_N`, counting from 1.
    fn surplus(&mut self, record: &Record<'_>, batch: &mut Batch) {
        let (columns, fields) = (self.header.len(), record.len());
        if fields == columns {
            return;
        }
        let count = if fields > columns { &mut self.longer } else { &mut self.shorter };
        tally(count, record.line);
        for column in columns..fields {
            let value = record.get(column);
            if !value.is_empty() {
                let word = batch.word(&format!("column_{}", column + 1), Place::Extra);
                batch.text(word, value);
            }
        }
    }

    fn odd(&mut self, column: Option<usize>, line: u64) {
        if let Some(count) = column.and_then(|column| self.odd.get_mut(column)) {
            tally(count, line);
        }
    }
}

/// A column that has no name, and nothing else, is `column`.
fn own_word(batch: &mut Batch, name: &str) -> Word {
    batch.word(if name.is_empty() { "column" } else { name }, Place::Extra)
}

fn tally((count, first): &mut (u64, u64), line: u64) {
    if *count == 0 {
        *first = line;
    }
    *count += 1;
}

fn contains(text: &[u8], lower: &[u8]) -> bool {
    !lower.is_empty() && text.windows(lower.len()).any(|part| part.eq_ignore_ascii_case(lower))
}
