//! The plan of one file: what each column holds, and how a row becomes a report.

use std::borrow::Cow;

use model::address::{Address, Range, RangeError};
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Batch, Core, Place, Word};
use model::resource::{DomainName, Url};
use model::time::Time;

use super::declared::{Clock, Declared};
use crate::kinds::csv::{COLUMNS, Record};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Means {
    Time,
    /// The time of day, where [`Means::Time`] is the date alone.
    Clock,
    Ip,
    Port,
    Kind,
    Category,
    Type,
    Url,
    Domain,
    /// An address, a prefix, a URL or a domain name: whichever it is.
    Source,
    Asn,
    Country,
    Protocol,
    DestinationIp,
    DestinationPort,
    Cve,
    Confidence,
    Tlp,
    Pap,
    /// Text of this word.
    Text(Word),
    /// Nothing that is kept.
    Ignore,
}

/// The names of the table in the module's description, each with its other names.
const NAMES: &[(&str, &[&str], Means)] = &[
    ("time", &["timestamp", "observed", "datetime", "date_time", "date", "event_time"], Means::Time),
    ("ip", &["address", "ip_address", "source_ip", "src_ip", "source_identifier"], Means::Ip),
    ("port", &["source_port", "src_port"], Means::Port),
    ("kind", &[], Means::Kind),
    ("category", &["class"], Means::Category),
    ("type", &["abuse_type"], Means::Type),
    ("url", &["uri", "link"], Means::Url),
    ("domain", &["fqdn", "host", "domain_name"], Means::Domain),
    ("source", &[], Means::Source),
    ("reverse_dns", &["rdns", "ptr", "hostname"], Means::Text(Word::REVERSE_DNS)),
    ("asn", &["as", "source_asn"], Means::Asn),
    ("country", &["cc", "geo"], Means::Country),
    ("protocol", &["transport"], Means::Protocol),
    ("destination_ip", &["dst_ip", "target_ip"], Means::DestinationIp),
    ("destination_port", &["dst_port", "target_port"], Means::DestinationPort),
    ("malware", &["malware_family", "family"], Means::Text(Word::MALWARE_FAMILY)),
    ("service", &[], Means::Text(Word::SERVICE)),
    ("cve", &["cve_id"], Means::Cve),
    ("description", &["comment", "message", "details"], Means::Text(Word::DESCRIPTION)),
    ("confidence", &[], Means::Confidence),
    ("tlp", &[], Means::Tlp),
    ("pap", &[], Means::Pap),
    ("report_id", &["reference", "id"], Means::Text(Word::REPORT_ID)),
    ("user_agent", &[], Means::Text(Word::USER_AGENT)),
    ("evidence_source", &[], Means::Text(Word::EVIDENCE_SOURCE)),
    ("reporter_org", &[], Means::Text(Word::REPORTER_ORG)),
    ("reporter_contact", &[], Means::Text(Word::REPORTER_CONTACT)),
    ("reporter_domain", &[], Means::Text(Word::REPORTER_DOMAIN)),
];

/// Names of columns that are a date and a time of day when a header has both.
const DATES: [&str; 2] = ["date", "event_date"];
const CLOCKS: [&str; 2] = ["time", "event_time"];

impl Means {
    /// What a column of this name holds, other names included.
    pub(crate) fn of_column(name: &str) -> Option<Means> {
        let name = plain_name(name);
        let entry = NAMES.iter().find(|(first, others, _)| *first == name || others.contains(&&*name));
        entry.map(|(_, _, means)| *means)
    }

    /// What a name of a declaration stands for.
    pub(crate) fn of_name(name: &str) -> Option<Means> {
        if name == "ignore" { Some(Means::Ignore) } else { Means::of_column(name) }
    }
}

/// A column's name as it is compared: lower case, with `_` for blanks, dots and dashes.
pub(crate) fn plain_name(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '\t', '.', '-'], "_")
}

/// A row, whatever it is written in: values by the number of their column, empty past the last.
pub(crate) trait Row {
    /// How many columns it fills.
    fn len(&self) -> usize;
    /// The value in a column.
    fn get(&self, at: usize) -> &[u8];
}

impl Row for Record<'_> {
    fn len(&self) -> usize {
        Record::len(self)
    }

    fn get(&self, at: usize) -> &[u8] {
        Record::get(self, at)
    }
}

/// The plan of one file.
pub(crate) struct Plan<'d> {
    header: Vec<String>,
    means: Vec<Option<Means>>,
    /// The words under which columns without a meaning are kept.
    own: Vec<Word>,
    declared: Option<&'d Declared>,
    clock: &'d Clock,
    /// The kind of rows that do not say it.
    fixed: Option<Kind>,
    says_kind: bool,
}

impl<'d> Plan<'d> {
    /// The plan for a header; without one, columns are numbered. `kind` is that of rows of a file that does not say it.
    pub(crate) fn new(header: Vec<String>, declared: Option<&'d Declared>, kind: Option<Kind>, batch: &mut Batch) -> Plan<'d> {
        let mut plan = Plan {
            header: Vec::new(),
            means: Vec::new(),
            own: Vec::new(),
            declared,
            clock: &Clock::PLAIN,
            fixed: kind,
            says_kind: false,
        };
        if let Some(declared) = declared {
            plan.clock = &declared.clock;
            plan.fixed = declared.kind.or(kind);
        }
        let numbered = declared.filter(|declared| !declared.header).into_iter().flat_map(|declared| declared.columns.keys());
        let most = numbered.filter_map(|column| column.parse::<usize>().ok()).max().unwrap_or(0);
        let count = header.len().max(most);
        for at in 0..count {
            let name = header.get(at).cloned().unwrap_or_default();
            plan.column(at, name, batch);
        }
        if declared.is_none() {
            plan.join_date_and_clock();
        }
        plan
    }

    /// The number of columns so far.
    pub(crate) fn columns(&self) -> usize {
        self.header.len()
    }

    /// The names of the columns so far.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Of a header with `date` and `time` neither alone is the time: the one is midnight, the other any day's.
    fn join_date_and_clock(&mut self) {
        let at = |names: [&str; 2]| self.header.iter().position(|name| names.contains(&&*plain_name(name)));
        let (Some(date), Some(clock)) = (at(DATES), at(CLOCKS)) else { return };
        for (at, means) in self.means.iter_mut().enumerate() {
            match at {
                at if at == date => *means = Some(Means::Time),
                at if at == clock => *means = Some(Means::Clock),
                _ if *means == Some(Means::Time) => *means = None,
                _ => {}
            }
        }
    }

    /// Takes one more column into the plan. Of two columns that mean the same, the first has the meaning.
    pub(crate) fn column(&mut self, at: usize, name: String, batch: &mut Batch) {
        let means = match self.declared {
            Some(declared) if declared.header => declared.columns.get(&plain_name(&name)).copied(),
            Some(declared) => declared.columns.get(&(at + 1).to_string()).copied(),
            None => Means::of_column(&name),
        };
        let means = means.filter(|means| *means == Means::Ignore || !self.means.contains(&Some(*means)));
        let name = if name.is_empty() { format!("column_{}", at + 1) } else { name };
        self.own.push(batch.word(&name, Place::Extra));
        self.header.push(name);
        self.says_kind |= matches!(means, Some(Means::Kind | Means::Category | Means::Type));
        self.means.push(means);
    }

    /// What is worth knowing of the file before its rows.
    pub(crate) fn note(&self) -> Option<String> {
        let unsaid = !self.says_kind && self.fixed.is_none();
        unsaid.then(|| {
            format!(
                "no column says the kind of abuse ('kind', or 'category' and 'type'): all rows are {}",
                Kind::ThreatIntelligence
            )
        })
    }

    fn value<'r>(&self, means: Means, record: &'r impl Row) -> &'r [u8] {
        let at = self.means.iter().position(|other| *other == Some(means));
        at.map_or(b"", |at| self.cell(record, at))
    }

    /// The value in a column, unless it is declared to stand for nothing.
    fn cell<'r>(&self, record: &'r impl Row, at: usize) -> &'r [u8] {
        let value = record.get(at).trim_ascii();
        let nothing = self.declared.is_some_and(|declared| declared.nothing.iter().any(|word| word.as_bytes() == value));
        if nothing { b"" } else { value }
    }

    /// Reads a row into the open report of `batch`.
    ///
    /// # Errors
    /// Why the row is no report.
    pub(crate) fn row(&mut self, record: &impl Row, batch: &mut Batch, ordinal: u32) -> Result<Core, String> {
        if record.len() > COLUMNS {
            return Err(format!("the row has {} fields; more than {COLUMNS} are not read", record.len()));
        }
        for at in self.header.len()..record.len() {
            self.column(at, String::new(), batch);
        }
        let mut core = Core::new(self.kind(record)?, ordinal);
        if self.means.contains(&Some(Means::Time)) {
            let text = self.value(Means::Time, record);
            let time = self.time(text, record).ok_or_else(|| self.unreadable("time", Means::Time, text))?;
            core.set_observed(Some(time));
            if core.kind.category() == "connection" {
                batch.text(Word::FIRST_SEEN, time.to_string());
            }
        }
        self.place(record, batch, &mut core)?;
        for at in 0..record.len() {
            let (value, means, own) = (self.cell(record, at), self.means[at], self.own[at]);
            if value.is_empty() || means == Some(Means::Ignore) {
                continue;
            }
            if !self.put(means, value, batch, &mut core) {
                batch.text(own, record.get(at));
            }
        }
        Ok(core)
    }

    /// The time; with a column of its own for the time of day both together, or that column when it says all.
    fn time(&self, text: &[u8], record: &impl Row) -> Option<Time> {
        if !self.means.contains(&Some(Means::Clock)) {
            return self.clock.read(text);
        }
        // A date whose time of day is left out is any moment of a day, in which an address may change hands.
        let clock = Some(self.value(Means::Clock, record)).filter(|clock| !clock.is_empty())?;
        self.clock.read(&[text, b" ", clock].concat()).or_else(|| self.clock.read(clock))
    }

    /// The address; or a prefix, URL or domain name that leads to a holder.
    fn place(&self, record: &impl Row, batch: &mut Batch, core: &mut Core) -> Result<(), String> {
        let any = self.value(Means::Source, record);
        let said = |means| Some(self.value(means, record)).filter(|text| !text.is_empty()).unwrap_or(any);
        let text = said(Means::Ip);
        if let Some(address) = Address::parse(text).filter(|address| *address != Address::NONE) {
            core.address = address;
            return Ok(());
        }
        let utf8 = String::from_utf8_lossy(text);
        if utf8.contains('/') && !utf8.contains("://") {
            match Range::parse(&utf8) {
                Ok(range) if range.first == range.last => core.address = range.first,
                // What a prefix with host bits means is for a person to say; the row is not lost for it.
                Ok(_) | Err(RangeError::HostBits(_)) => batch.text(Word::SOURCE_IDENTIFIER, text),
                // What says whichever it is may be a location without a scheme.
                Err(_) if self.value(Means::Ip, record).is_empty() => return self.named(record, batch),
                Err(_) => return Err(self.unreadable("address or prefix", Means::Ip, text)),
            }
            return Ok(());
        }
        self.named(record, batch)
    }

    /// The URL or domain name that leads to a holder.
    fn named(&self, record: &impl Row, batch: &mut Batch) -> Result<(), String> {
        let any = self.value(Means::Source, record);
        let said = |means| Some(self.value(means, record)).filter(|text| !text.is_empty()).unwrap_or(any);
        let (url, domain) = (said(Means::Url), said(Means::Domain));
        if let Some(url) = self.url(url) {
            batch.text(Word::SOURCE_IDENTIFIER, url.as_str());
            return Ok(());
        }
        if std::str::from_utf8(domain).is_ok_and(|text| DomainName::parse(text).is_some()) {
            batch.text(Word::SOURCE_IDENTIFIER, domain);
            return Ok(());
        }
        let columns = [Means::Ip, Means::Url, Means::Domain, Means::Source];
        match columns.into_iter().map(|means| (means, self.value(means, record))).find(|(_, text)| !text.is_empty()) {
            Some((means, text)) => Err(self.unreadable("address, URL or domain name", means, text)),
            None => Err("no address, URL or domain name".to_owned()),
        }
    }

    /// The URL in a text; with the scheme that is declared when it has none.
    fn url(&self, text: &[u8]) -> Option<Url> {
        let text = std::str::from_utf8(text).ok()?;
        match self.declared.map_or("", |declared| &*declared.scheme) {
            "" => Url::parse(text),
            scheme if !text.is_empty() && !text.contains("://") => Url::parse(&format!("{scheme}://{text}")),
            _ => Url::parse(text),
        }
    }

    fn unreadable(&self, what: &str, means: Means, text: &[u8]) -> String {
        let at = self.means.iter().position(|other| *other == Some(means)).unwrap_or(0);
        let name = self.header.get(at).map_or("", String::as_str);
        if text.is_empty() {
            return format!("no {what}: '{name}' is empty");
        }
        format!("no readable {what} in '{name}': '{}'", String::from_utf8_lossy(&text[..text.len().min(100)]))
    }

    /// The kind of abuse: as the row says it, else as declared.
    fn kind(&self, record: &impl Row) -> Result<Kind, String> {
        let fixed = self.fixed;
        let text = |means| String::from_utf8_lossy(self.value(means, record));
        let (kind, category, name) = (text(Means::Kind), text(Means::Category), text(Means::Type));
        if kind.is_empty() && category.is_empty() && name.is_empty() {
            return match (fixed, self.says_kind) {
                (Some(fixed), _) => Ok(fixed),
                (None, false) => Ok(Kind::ThreatIntelligence),
                (None, true) => Err("the row does not say the kind of abuse".to_owned()),
            };
        }
        let said: Cow<'_, str> = match (kind.is_empty(), category.is_empty(), name.is_empty()) {
            (false, _, _) => kind,
            (_, false, false) => format!("{category}/{name}").into(),
            (_, false, true) => category.clone(),
            _ => name.clone(),
        };
        let mapped = self.declared.and_then(|declared| {
            let of = |text: &str| declared.kinds.get(&text.to_lowercase()).copied();
            of(&said).or_else(|| of(&category)).or_else(|| of(&name))
        });
        let found = mapped.or_else(|| match said.split_once('/') {
            Some((category, name)) => Kind::from_words(category.trim(), name.trim()),
            // XARF's types have names of their own, in whatever category.
            None => Kind::ALL.iter().copied().find(|kind| Kind::from_words(kind.category(), &said) == Some(*kind)),
        });
        let shown: String = said.chars().take(100).collect();
        found.or(fixed).ok_or_else(|| format!("'{shown}' is not a kind of abuse that XARF v4 knows, such as 'content/phishing'"))
    }

    /// Puts a value where it belongs; false when it is only text.
    fn put(&self, means: Option<Means>, value: &[u8], batch: &mut Batch, core: &mut Core) -> bool {
        let text = std::str::from_utf8(value);
        let port = || text.ok().and_then(|text| text.parse::<u16>().ok());
        match means {
            None => return false,
            Some(Means::Time | Means::Clock | Means::Kind | Means::Category | Means::Type | Means::Ignore) => {}
            Some(Means::Ip) => return core.address != Address::NONE,
            Some(Means::Port) => match port() {
                Some(port) => {
                    core.port = port;
                    if port > 0 && core.kind.category() == "vulnerability" {
                        batch.json(Word::SERVICE_PORT, &port.to_string());
                    }
                }
                None => return false,
            },
            Some(Means::DestinationPort) => match port() {
                Some(0) => {}
                Some(port) => batch.json(Word::DESTINATION_PORT, &port.to_string()),
                None => return false,
            },
            Some(Means::DestinationIp) => match Address::parse(value) {
                Some(_) => batch.text(Word::DESTINATION_IP, value),
                None => return false,
            },
            Some(Means::Url) => match self.url(value) {
                Some(url) => batch.text(Word::URL, url.as_str()),
                None => return false,
            },
            Some(Means::Source) => {
                match (self.url(value).filter(|_| core.address == Address::NONE), text.ok().and_then(DomainName::parse)) {
                    (Some(url), _) => batch.text(Word::URL, url.as_str()),
                    (None, Some(name)) => batch.text(Word::DOMAIN, name.as_str()),
                    // An address is in the core, and a prefix is what the report is about.
                    (None, None) => {}
                }
            }
            Some(Means::Domain) => match text.ok().and_then(DomainName::parse) {
                Some(name) => batch.text(Word::DOMAIN, name.as_str()),
                None => return false,
            },
            Some(Means::Asn) => {
                let number = value.strip_prefix(b"AS").or(value.strip_prefix(b"as")).unwrap_or(value);
                match std::str::from_utf8(number).ok().and_then(|number| number.parse::<u32>().ok()) {
                    Some(number) => batch.json(Word::ASN, &number.to_string()),
                    None => return false,
                }
            }
            Some(Means::Country) => match value {
                [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                    batch.text(Word::COUNTRY, value.to_ascii_uppercase());
                }
                _ => return false,
            },
            Some(Means::Protocol) => {
                let value = value.to_ascii_lowercase();
                if core.kind.category() == "connection" || core.kind.category() == "messaging" {
                    batch.text(Word::PROTOCOL, &value);
                } else {
                    batch.text(Word::TRANSPORT, &value);
                }
            }
            Some(Means::Cve) => batch.text(Word::CVE_ID, value.to_ascii_uppercase()),
            Some(Means::Confidence) => match text.ok().and_then(|text| text.trim_end_matches('%').trim().parse::<u8>().ok()) {
                Some(percent) if percent <= 100 => core.confidence = percent,
                _ => return false,
            },
            Some(Means::Tlp) => match text.ok().and_then(Tlp::parse) {
                Some(label) => core.tlp = label,
                None => return false,
            },
            Some(Means::Pap) => match text.ok().and_then(Pap::parse) {
                Some(label) => core.pap = label,
                None => return false,
            },
            Some(Means::Text(word)) => batch.text(word, value),
        }
        true
    }
}
