//! One row on its way to a report: what its columns said, and what follows from all of them together.

use std::borrow::Cow;

use model::address::{Address, Range, RangeError};
use model::category::Kind;
use model::label::Tlp;
use model::report::{Batch, Core, Place, Word};
use model::resource::{DomainName, Host, Url};
use model::time::Time;

use super::layout::{Layout, Means, When, Written};
use super::sheet::{Cells, Column, time};
use super::times;
use crate::formats::shadowserver::values::{Clock, is_domain, number, port, put_number};
use crate::kinds::rsit::{self, Class};

/// One row, its columns read: what a layout's own function may look at and change.
pub struct Row<'a> {
    /// Address, port, confidence and labels; the kind follows from `class`, the time from `time`.
    pub core: Core,
    /// Which of the reports of its row it is, from 0.
    pub nth: usize,
    /// What it tells of.
    pub class: Class,
    /// The finer word under that.
    pub identifier: &'a str,
    /// When it was seen.
    pub time: Option<Time>,
    /// When it was first seen.
    pub first_seen: Option<Time>,
    /// When it was last seen.
    pub last_seen: Option<Time>,
    /// The prefix or range that is reported, when it is no single address.
    pub network: Cow<'a, [u8]>,
    /// Location of content.
    pub url: Cow<'a, [u8]>,
    /// Domain name of content.
    pub domain: Cow<'a, [u8]>,
    /// What else says what the report is about, when there is no address, URL or domain name.
    pub handle: Cow<'a, [u8]>,
    /// Transport protocol.
    pub transport: Cow<'a, [u8]>,
    /// Application protocol.
    pub application: Cow<'a, [u8]>,
    /// Why no time was read, when a column had something that is none.
    pub(super) timeless: Option<String>,
    /// The first column that should lead to a holder and does not.
    pub(super) fault: Option<usize>,
    pub(super) columns: &'a [Column],
    pub(super) cells: &'a dyn Cells,
    pub(super) batch: &'a mut Batch,
}

impl<'a> Row<'a> {
    /// The value of a column, whatever it means; empty when there is none.
    pub fn get(&self, name: &str) -> &'a [u8] {
        let at = self.columns.iter().position(|column| column.name == name);
        at.map_or(b"", |at| self.cells.get(at).trim_ascii())
    }

    /// The same as text; empty when it is not UTF-8.
    pub fn get_text(&self, name: &str) -> &'a str {
        std::str::from_utf8(self.get(name)).unwrap_or_default()
    }

    /// Adds a property.
    pub fn put(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let word = self.batch.word(name, Place::Property);
        self.batch.text(word, value);
    }

    /// Adds a whole number as a property.
    pub fn put_number(&mut self, name: &str, value: u32) {
        let word = self.batch.word(name, Place::Property);
        put_number(self.batch, word, value);
    }

    /// Keeps a value for which there is no word, under a name of the sender's.
    pub fn keep(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let word = self.batch.word(name, Place::Extra);
        self.batch.text(word, value);
    }

    /// Takes an address, an address with a port, a prefix or a range; false when it is none.
    pub fn take_address(&mut self, value: &'a [u8]) -> bool {
        if let Some(address) = Address::parse(value).filter(|address| *address != Address::NONE) {
            self.core.address = address;
            return true;
        }
        if let Some((address, port)) = with_port(value) {
            self.core.address = address;
            if self.core.port == 0 {
                self.core.port = port;
            }
            return true;
        }
        match Range::parse(&String::from_utf8_lossy(value)) {
            Ok(range) if range.first == range.last => {
                self.core.address = range.first;
                range.first != Address::NONE
            }
            Ok(_) | Err(RangeError::HostBits(_)) => {
                self.network = Cow::Borrowed(value);
                true
            }
            Err(_) => false,
        }
    }

    /// Takes a URL, mending what makes it unfit to click on; false when it is none.
    pub fn take_url(&mut self, value: &'a [u8]) -> bool {
        let url = mended(value);
        let fine = std::str::from_utf8(&url).is_ok_and(|text| Url::parse(text).is_some());
        if fine {
            self.url = url;
        }
        fine
    }

    /// Takes a domain name; false when it is none.
    pub fn take_domain(&mut self, value: &'a [u8]) -> bool {
        let name = mended(value);
        let fine = is_domain(&name);
        if fine {
            self.domain = name;
        }
        fine
    }

    /// Takes a URL, an address, a prefix or a domain name, whatever it looks like; false when it looks like none.
    pub fn take_source(&mut self, value: &'a [u8]) -> bool {
        if value.windows(3).any(|three| three == b"://") {
            return self.take_url(value);
        }
        if self.take_address(value) || self.take_domain(value) {
            return true;
        }
        let Some((name, number)) = split_port(value) else { return false };
        let fine = self.take_domain(name);
        if fine {
            self.core.port = number;
        }
        fine
    }

    /// Takes a value for what its column means; false when it is not what it should be and is only kept.
    #[inline]
    pub(super) fn take(&mut self, at: usize, column: &'a Column, value: &'a [u8], clock: &mut Clock) -> Result<bool, String> {
        let fine = match column.means {
            Means::Skip => true,
            Means::Keep => false,
            Means::Time(written) | Means::FirstSeen(written) | Means::LastSeen(written) => {
                return self.take_time(column, written, value, clock);
            }
            Means::Address => self.core.address == Address::NONE && self.network.is_empty() && self.take_address(value),
            Means::Url => self.url.is_empty() && self.take_url(value),
            Means::Domain => self.domain.is_empty() && self.take_domain(value),
            Means::Host | Means::Source => self.take_source(value),
            Means::Port => match port(value) {
                Some(port) => {
                    self.core.port = port;
                    true
                }
                None => false,
            },
            Means::Text(_) => {
                self.batch.text(column.word, value);
                true
            }
            _ => self.take_other(column, value),
        };
        if !fine && matches!(column.means, Means::Address | Means::Url | Means::Domain | Means::Host | Means::Source) {
            self.fault = self.fault.or(Some(at));
        }
        Ok(fine)
    }

    fn take_time(&mut self, column: &Column, written: Written, value: &[u8], clock: &mut Clock) -> Result<bool, String> {
        let found = match written {
            Written::Iso => clock.read(value),
            other => time(other, value),
        };
        let into = match column.means {
            Means::FirstSeen(_) => &mut self.first_seen,
            Means::LastSeen(_) => &mut self.last_seen,
            _ => &mut self.time,
        };
        match found {
            _ if into.is_some() => Ok(false),
            Some(time) => {
                *into = Some(time);
                Ok(true)
            }
            // Zero stands for a time that has not come.
            None if value == b"0" || value.starts_with(b"0000-00-00") => Ok(true),
            None => {
                let reason = format!("no readable time in '{}': '{}'", column.name, shown(value));
                // The time of the report may stand elsewhere in the row, but not when this is its place.
                if let Means::Time(_) = column.means {
                    return Err(reason);
                }
                self.timeless = Some(reason);
                Ok(false)
            }
        }
    }

    fn take_other(&mut self, column: &'a Column, value: &'a [u8]) -> bool {
        match column.means {
            Means::Asn => match number(strip_as(value)) {
                Some(0) => {}
                Some(number) => put_number(self.batch, Word::ASN, number),
                None => return false,
            },
            Means::Country => match value {
                [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                    self.batch.text(Word::COUNTRY, [a.to_ascii_uppercase(), b.to_ascii_uppercase()]);
                }
                b"-" | b"--" => {}
                _ => return false,
            },
            Means::Number(_) => match number(value) {
                Some(number) => put_number(self.batch, column.word, number),
                None => return false,
            },
            Means::Hash => return self.put_hash(value),
            Means::Tag(namespace) => self.put_tags(namespace, value),
            Means::Transport => match transport(value) {
                Some(name) => self.transport = name,
                None => return false,
            },
            Means::Application => self.application = Cow::Borrowed(value),
            Means::DestinationIp => match (Address::parse(value), with_port(value)) {
                (Some(address), _) => self.batch.text(Word::DESTINATION_IP, address.to_string()),
                (None, Some((address, port))) => {
                    self.batch.text(Word::DESTINATION_IP, address.to_string());
                    put_number(self.batch, Word::DESTINATION_PORT, u32::from(port));
                }
                (None, None) => return false,
            },
            Means::DestinationPort => match port(value) {
                Some(0) => {}
                Some(port) => put_number(self.batch, Word::DESTINATION_PORT, u32::from(port)),
                None => return false,
            },
            Means::DestinationDomain => {
                let name = mended(value);
                if !is_domain(&name) {
                    return false;
                }
                self.batch.text(column.word, name.to_ascii_lowercase());
            }
            Means::Confidence => {
                let text = std::str::from_utf8(value).unwrap_or_default().trim_end_matches('%').trim();
                let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
                match whole.parse::<u8>() {
                    Ok(percent) if percent <= 100 => self.core.confidence = percent,
                    _ => return false,
                }
            }
            Means::Tlp => match std::str::from_utf8(value).ok().and_then(Tlp::parse) {
                Some(label) => self.core.tlp = label,
                None => return false,
            },
            Means::Class(words) => {
                let found = words.iter().find(|(word, _)| value.eq_ignore_ascii_case(word.as_bytes()));
                if let Some((_, class)) = found {
                    self.class = *class;
                }
                // The sender's own word is finer than ours.
                return false;
            }
            Means::Rsit => match std::str::from_utf8(value).ok().and_then(rsit::by_type) {
                Some(class) => self.class = class,
                None => return false,
            },
            _ => return false,
        }
        true
    }

    /// Adds a hash under its name by its length; false when it is none.
    pub fn put_hash(&mut self, value: &[u8]) -> bool {
        let name = match value.len() {
            32 => "file_hashes.md5",
            40 => "file_hashes.sha1",
            64 => "file_hashes.sha256",
            _ => return false,
        };
        if !value.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        self.put(name, value.to_ascii_lowercase());
        true
    }

    /// Adds labels; what XARF does not allow in one becomes a dash (`namespace:predicate`, letters, digits and `_+-`).
    pub fn put_tags(&mut self, namespace: &str, value: &[u8]) {
        for label in value.split(|byte| matches!(byte, b',' | b';')).map(<[u8]>::trim_ascii).filter(|label| !label.is_empty()) {
            let begin = label.iter().position(u8::is_ascii_alphanumeric).unwrap_or(label.len());
            let label = label.get(begin..).unwrap_or_default();
            if label.is_empty() {
                continue;
            }
            let mut text = Vec::with_capacity(namespace.len() + 1 + label.len().min(100));
            text.extend_from_slice(namespace.as_bytes());
            text.push(b':');
            text.extend(label.iter().take(100).map(|byte| {
                if byte.is_ascii_alphanumeric() || b"_+-".contains(byte) { byte.to_ascii_lowercase() } else { b'-' }
            }));
            self.batch.text(Word::TAG, text);
        }
    }

    /// Works out what it is about, when it was and what kind it is.
    /// `now` is the time of rows that have none of their own; without one such a report is for a person.
    pub(super) fn settle(&mut self, layout: &Layout, now: Option<Time>) -> Result<(), String> {
        self.core.kind = self.class.kind;
        if self.core.address == Address::NONE {
            self.host_of_url();
        }
        // Content has a location; a machine that is only said to hold some is a machine that somebody broke into.
        if self.core.kind.category() == "content" && self.url.is_empty() && self.domain.is_empty() {
            self.core.kind = Kind::CompromisedServer;
        }
        if self.core.address == Address::NONE {
            let leads = [&self.network, &self.url, &self.domain, &self.handle].into_iter().find(|text| !text.is_empty());
            match leads {
                Some(text) => self.batch.text(Word::SOURCE_IDENTIFIER, text),
                None => return Err(self.leads_nowhere()),
            }
        }
        let seen = self.time.or(self.last_seen).or(self.first_seen);
        self.core.set_observed(match (seen, layout.when) {
            (Some(time), _) => Some(time),
            (None, When::Row) => {
                return Err(self.timeless.take().unwrap_or_else(|| "no time: every column for it is empty".to_owned()));
            }
            (None, When::RowOrReceived | When::Received | When::Comment(..)) => now,
        });
        Ok(())
    }

    /// The address, and the port, in the location of content.
    fn host_of_url(&mut self) {
        // Most hosts are names, which need no second look.
        let authority =
            self.url.iter().position(|byte| *byte == b':').and_then(|colon| self.url.get(colon + 3..)).unwrap_or_default();
        if !authority.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'[') && !authority.contains(&b'@') {
            return;
        }
        let Some(url) = std::str::from_utf8(&self.url).ok().and_then(Url::parse) else { return };
        if let Host::Address(address) = url.host()
            && *address != Address::NONE
        {
            self.core.address = *address;
            if self.core.port == 0 {
                self.core.port = url.port().unwrap_or(0);
            }
        }
    }

    fn leads_nowhere(&self) -> String {
        match self.fault.and_then(|at| Some((at, self.columns.get(at)?))) {
            Some((at, column)) => {
                let what = match column.means {
                    Means::Url => "URL",
                    Means::Domain => "domain name",
                    Means::Address => "address",
                    _ => "address or name",
                };
                format!("no readable {what} in '{}': '{}'", column.name, shown(self.cells.get(at).trim_ascii()))
            }
            None => "no address, and no name or URL that leads to one".to_owned(),
        }
    }

    /// Writes what was gathered beside the columns that went straight into the report.
    pub(super) fn write(&mut self, layout: &Layout, shared: (Class, &str), application: Word) {
        let (kind, batch) = (self.core.kind, &mut *self.batch);
        if self.class.rsit != shared.0.rsit {
            batch.text(Word::RSIT, self.class.rsit);
        }
        if self.identifier != shared.1 && !self.identifier.is_empty() {
            batch.text(Word::RSIT_IDENTIFIER, self.identifier);
        }
        if !self.url.is_empty() {
            batch.text(Word::URL, &self.url);
        }
        if !self.domain.is_empty()
            && let Some(name) = std::str::from_utf8(&self.domain).ok().and_then(DomainName::parse)
        {
            batch.text(Word::DOMAIN, name.as_str());
        }
        let begun = self.first_seen.or(self.core.observed().filter(|_| kind.category() == "connection"));
        for (word, time) in [(Word::FIRST_SEEN, begun), (Word::LAST_SEEN, self.last_seen)] {
            if let Some(time) = time {
                batch.text(word, times::written(time));
            }
        }
        if kind.category() == "vulnerability" && self.core.port > 0 {
            put_number(batch, Word::SERVICE_PORT, u32::from(self.core.port));
        }
        if !self.application.is_empty() {
            batch.text(application, self.application.to_ascii_lowercase());
        }
        if kind.category() == "vulnerability" && layout.always.iter().all(|(name, _)| *name != "service") {
            let named = [&*self.application, self.identifier.as_bytes(), layout.feed.as_bytes()];
            batch.text(Word::SERVICE, named.into_iter().find(|name| !name.is_empty()).unwrap_or_default());
        }
        let mut said = false;
        if !self.transport.is_empty() {
            batch.text(Word::TRANSPORT, &self.transport);
            // XARF knows fewer protocols for an infected host than for an attack.
            let attack = matches!(kind, Kind::Ddos | Kind::LoginAttack | Kind::PortScan);
            let known = matches!(&*self.transport, b"tcp" | b"udp") || (attack && matches!(&*self.transport, b"icmp" | b"sctp"));
            if kind.category() == "connection" && known {
                batch.text(Word::PROTOCOL, &self.transport);
                said = true;
            }
        }
        if kind != shared.0.kind {
            for (name, value) in rsit::asked(kind) {
                if *name != "protocol" || !said {
                    let word = batch.word(name, Place::Property);
                    batch.text(word, value);
                }
            }
        }
    }
}

fn strip_as(value: &[u8]) -> &[u8] {
    match value {
        [b'A' | b'a', b'S' | b's', rest @ ..] => rest.trim_ascii(),
        other => other,
    }
}

/// A host and the port behind it.
fn split_port(value: &[u8]) -> Option<(&[u8], u16)> {
    let colon = value.iter().rposition(|byte| *byte == b':')?;
    let (host, rest) = value.split_at(colon);
    port(rest.get(1..)?).filter(|port| *port > 0).map(|port| (host, port))
}

/// `192.0.2.1:80` or `[2001:db8::1]:80`.
fn with_port(value: &[u8]) -> Option<(Address, u16)> {
    let (host, port) = split_port(value)?;
    // Without brackets the end of an IPv6 address is no port.
    if host.contains(&b':') && host.first() != Some(&b'[') {
        return None;
    }
    Address::parse(host).filter(|address| *address != Address::NONE).map(|address| (address, port))
}

/// Undoes what people write so that nobody clicks: `hxxp`, `[.]`, `(.)`, `[:]`.
pub fn mended(value: &[u8]) -> Cow<'_, [u8]> {
    let hidden = value.iter().any(|byte| matches!(byte, b'[' | b'('));
    let scheme = value.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case(b"hxxp"));
    if !hidden && !scheme {
        return Cow::Borrowed(value);
    }
    let mut text =
        String::from_utf8_lossy(value).replace("[.]", ".").replace("(.)", ".").replace("[:]", ":").replace("[://]", "://");
    if scheme && let Some(rest) = text.get(4..) {
        text = format!("http{rest}");
    }
    Cow::Owned(text.into_bytes())
}

/// A transport protocol by its name or by the number that IANA gave it.
pub fn transport(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u8>().ok());
    let known: &[u8] = match number.and_then(|number| PROTOCOLS.iter().find(|(known, _)| *known == number)) {
        Some((_, name)) => name.as_bytes(),
        _ if value.len() <= 16 && value.first().is_some_and(u8::is_ascii_alphabetic) => {
            return value
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
                .then(|| Cow::Owned(value.to_ascii_lowercase()));
        }
        _ => return None,
    };
    Some(Cow::Borrowed(known))
}

fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text.get(..text.len().min(100)).unwrap_or_default())
}

/// Protocols by the numbers of IANA's registry.
const PROTOCOLS: [(u8, &str); 17] = [
    (1, "icmp"),
    (2, "igmp"),
    (4, "ipv4"),
    (6, "tcp"),
    (11, "nvp-ii"),
    (17, "udp"),
    (33, "dccp"),
    (41, "ipv6"),
    (46, "rsvp"),
    (47, "gre"),
    (50, "esp"),
    (51, "ah"),
    (58, "ipv6-icmp"),
    (59, "ipv6-nonxt"),
    (89, "ospf"),
    (132, "sctp"),
    (136, "udplite"),
];
