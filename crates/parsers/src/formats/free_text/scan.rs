//! One pass over text for people: everything in it that may be a source of abuse, or tells of one.

use std::collections::HashMap;

use model::address::Address;
use model::resource::Host;
use model::time::{DAY, Time};

use super::addresses::{self, Tail, begins_with, skip};
use super::marks::{Class, WORD, class, has_daemon, house, is_host, said_zone, token};
use super::moment::{self, Stamp};
use super::names;
use super::weigh::{self, Where};
use crate::sink::{Finding, Found};

/// Findings of one submission; a person has enough with them.
pub const MOST: usize = 1_000;
/// Bytes of a line of a log that are kept.
const LOG_LINE: usize = 1 << 10;
/// Bytes of any other text as it was written that are kept.
const WRITTEN: usize = 2 << 10;
/// How often one thing is weighed again when it stands in a text again.
const AGAIN: u8 = 8;
/// How much likelier a thing in a line of a log is what is meant.
const LOGGED: u8 = 20;

/// Where descriptions of formats lie: names of these stand in reports and are never what is reported.
const SCHEMAS: &[&str] = &["acns.net", "w3.org", "x-arf.org", "xarf.org", "schemas.microsoft.com"];

/// What of a text has been found so far.
pub(super) struct Finder {
    reference: Time,
    own: Own,
    zone: Option<i64>,
    entries: Vec<Entry>,
    index: HashMap<Key, usize>,
    parts: Vec<String>,
    on_line: Vec<usize>,
    more: bool,
}

/// What of a mail is its sender's, and so hardly what is reported.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    /// Addresses of the machines that handed it over.
    pub(super) addresses: Vec<Address>,
    /// The domain name of its sender; empty when it has none.
    pub(super) domain: String,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(Address, u16),
    Time(Stamp),
    Other(Found, String),
}

struct Entry {
    key: Key,
    part: usize,
    line: usize,
    written: String,
    confidence: u8,
    weighed: u8,
    logged: bool,
}

/// A line and what is known of it.
#[derive(Clone, Copy)]
struct Line<'a> {
    bytes: &'a [u8],
    above: &'a [u8],
    number: usize,
    place: Where,
}

impl Finder {
    /// Looks in texts that were written at `reference`, by somebody whose house is `own`.
    pub(super) fn new(reference: Time, own: Own) -> Finder {
        Finder {
            reference,
            own,
            zone: None,
            entries: Vec::new(),
            index: HashMap::new(),
            parts: Vec::new(),
            on_line: Vec::new(),
            more: false,
        }
    }

    /// Whether there was more than is kept.
    pub(super) fn has_more(&self) -> bool {
        self.more
    }

    /// Looks through a subject.
    pub(super) fn subject(&mut self, subject: &str) {
        self.parts.push("Subject".to_owned());
        let place = Where { subject: true, ..Where::default() };
        self.line(Line { bytes: subject.as_bytes(), above: b"", number: 0, place });
    }

    /// Looks through a text; `part` is what it is called.
    pub(super) fn text(&mut self, part: &str, text: &[u8]) {
        self.parts.push(part.to_owned());
        let (mut rest, mut above, mut number) = (text, &b""[..], 0);
        let mut place = Where::default();
        while !rest.is_empty() && !self.more {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let whole = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            number += 1;
            let bytes = whole.strip_suffix(b"\r").unwrap_or(whole);
            // RFC 3676 section 4.3; what is quoted after it is the text that was answered, and its own.
            if bytes == b"-- " || bytes == b"--" {
                place.signature = true;
            } else if place.signature && bytes.starts_with(b">") {
                place.signature = false;
            }
            self.line(Line { bytes, above, number, place });
            if !bytes.is_empty() {
                above = bytes;
            }
        }
    }

    /// Everything that was found, in the order of the text.
    pub(super) fn finish(self) -> Vec<Finding> {
        let Finder { reference, zone, entries, parts, .. } = self;
        let mut findings = Vec::with_capacity(entries.len());
        let mut times: HashMap<Time, usize> = HashMap::new();
        for entry in entries {
            let (what, value) = match entry.key {
                Key::Address(address, 0) => (Found::Address, address.to_string()),
                Key::Address(address, port) if address.v4().is_some() => (Found::Address, format!("{address}:{port}")),
                Key::Address(address, port) => (Found::Address, format!("[{address}]:{port}")),
                Key::Other(what, value) => (what, value),
                Key::Time(stamp) => {
                    let Some(time) = stamp.time(reference, zone) else { continue };
                    if let Some(earlier) = times.get(&time).and_then(|at| findings.get_mut(*at)) {
                        let earlier: &mut Finding = earlier;
                        earlier.confidence = earlier.confidence.max(entry.confidence);
                        continue;
                    }
                    times.insert(time, findings.len());
                    (Found::Time, time.to_string())
                }
            };
            let part = parts.get(entry.part).map_or("", String::as_str);
            let place = if entry.line == 0 { part.to_owned() } else { format!("{part}, line {}", entry.line) };
            let place = place.trim_start_matches(", ").to_owned();
            findings.push(Finding { place, what, value, written: entry.written, confidence: entry.confidence });
        }
        findings
    }

    fn line(&mut self, mut line: Line<'_>) {
        // What is quoted is of the same line as what is not.
        let quoted = skip(line.bytes, 0, 32, b"> |");
        line.bytes = line.bytes.get(quoted..).unwrap_or_default();
        if self.more || !line.bytes.iter().any(|byte| matches!(byte, b'0'..=b'9' | b'.' | b':' | b'@' | b'[' | b'(')) {
            return;
        }
        self.on_line.clear();
        let mut at = 0;
        while let Some(&byte) = line.bytes.get(at) {
            at = match class(byte) {
                Class::Other | Class::Bracket => self.bracket(&line, at),
                Class::Letter => self.word(&line, at),
                Class::Digit => self.number(&line, at),
                Class::Colon => self.colon(&line, at),
                Class::At => self.at_sign(&line, at, at + 1),
            };
        }
        self.log_line(&line);
    }

    /// `[at]`, `(at)` and `<at>` in mail addresses that were made harmless.
    fn bracket(&mut self, line: &Line<'_>, at: usize) -> usize {
        match line.bytes.get(at..at + 4) {
            Some([b'[' | b'(', a, t, b']' | b')']) if [*a, *t].eq_ignore_ascii_case(b"at") => {
                let before = if at > 0 && line.bytes.get(at - 1) == Some(&b' ') { at - 1 } else { at };
                let after = skip(line.bytes, at + 4, 1, b" ");
                self.mail(line, before, after).unwrap_or(at + 1)
            }
            _ => at + 1,
        }
    }

    fn at_sign(&mut self, line: &Line<'_>, at: usize, after: usize) -> usize {
        self.mail(line, at, after).unwrap_or(after)
    }

    fn mail(&mut self, line: &Line<'_>, at: usize, after: usize) -> Option<usize> {
        let (address, start, end) = names::mail(line.bytes, at, after)?;
        let before = line.bytes.get(..start).unwrap_or_default();
        // Identifiers of messages look like mail addresses.
        let near = before.get(before.len().saturating_sub(24)..).unwrap_or_default();
        if memchr::memmem::find(near, b"essage-").is_none() && memchr::memmem::find(near, b"ESSAGE-").is_none() {
            let own = self.is_own_name(address.rsplit_once('@').map_or("", |(_, host)| host));
            self.add(line, Key::Other(Found::Mail, address), start, end, Where { own, ..line.place });
        }
        Some(end)
    }

    /// A token that begins with a letter.
    fn word(&mut self, line: &Line<'_>, at: usize) -> usize {
        let bytes = line.bytes;
        let rest = bytes.get(at..).unwrap_or_default();
        let (length, has_digit) = token(rest);
        let end = at + length;
        if let (Some(b'a'..=b'f' | b'A'..=b'F'), Some(b':')) = (rest.first(), bytes.get(end))
            && end - at <= 4
            && let Some(end) = self.v6(line, at)
        {
            return end;
        }
        if matches!(bytes.get(end), Some(b':' | b'[' | b'('))
            && let Some(url) = names::url(bytes, at, end)
        {
            return self.url(line, at, url);
        }
        if let Some((stamp, end)) = self.month_or_zone(line, at, end) {
            return self.time(line, stamp, at, end);
        }
        if !matches!(bytes.get(end), Some(b'.' | b'[' | b'(' | b'{')) {
            return if has_digit { self.inner(line, at, end) } else { end.max(at + 1) };
        }
        self.name(line, at)
    }

    /// Labels with dots: a domain name, or numbers after some word.
    fn name(&mut self, line: &Line<'_>, at: usize) -> usize {
        let chain = names::chain(line.bytes, at);
        let end = chain.end;
        let next = line.bytes.get(end);
        let before = at.checked_sub(1).and_then(|before| line.bytes.get(before));
        if let Some(name) = names::domain(line.bytes, at, &chain) {
            let of_mail = next == Some(&b'@') || before == Some(&b'@');
            let of_path = matches!(before, Some(b'/' | b'\\' | b'~')) || next == Some(&b'(');
            if !of_mail && (chain.harmless || !of_path) {
                let own = self.is_own_name(name.as_str());
                let place = Where { own, harmless: chain.harmless, ..line.place };
                self.add(line, Key::Other(Found::Domain, name.as_str().to_owned()), at, end, place);
            }
            return end;
        }
        if chain.labels >= 4 { self.inner(line, at, end) } else { end.max(at + 1) }
    }

    /// Looks for addresses inside a word: `from-192.0.2.1`.
    fn inner(&mut self, line: &Line<'_>, at: usize, end: usize) -> usize {
        let mut next = at + 1;
        while next < end {
            let before = line.bytes.get(next - 1).copied().unwrap_or(b' ');
            if line.bytes.get(next).is_some_and(u8::is_ascii_digit)
                && !before.is_ascii_alphanumeric()
                && before < 0x80
                && !(before == b'.' && next >= 2 && line.bytes.get(next - 2).is_some_and(u8::is_ascii_digit))
                && let Some((address, end, harmless)) = addresses::v4(line.bytes, next)
            {
                let place = Where { harmless, ..line.place };
                return self.address(line, address, next, end, place);
            }
            next += 1;
        }
        end.max(at + 1)
    }

    /// The name of a month, and what says of which zone the times of a text are.
    fn month_or_zone(&mut self, line: &Line<'_>, at: usize, end: usize) -> Option<(Stamp, usize)> {
        if end - at < 3 {
            return None;
        }
        match line.bytes.get(at)? {
            b'j' | b'J' | b'f' | b'F' | b'm' | b'M' | b'a' | b'A' | b's' | b'S' | b'o' | b'O' | b'n' | b'N' | b'd' | b'D' => {
                moment::stamp(line.bytes, at)
            }
            b't' | b'T' | b'z' | b'Z' if self.zone.is_none() && end - at >= 4 => {
                self.zone = said_zone(line.bytes, at, end);
                None
            }
            _ => None,
        }
    }

    /// A token that begins with a digit.
    fn number(&mut self, line: &Line<'_>, at: usize) -> usize {
        let bytes = line.bytes;
        let end =
            at + bytes.get(at..).unwrap_or_default().iter().take(WORD).take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let next = bytes.get(end);
        if end - at <= 3
            && matches!(next, Some(b'.' | b'[' | b'(' | b'{'))
            && let Some((address, end, harmless)) = addresses::v4(bytes, at)
            && !is_host(bytes, at, end)
        {
            return self.address(line, address, at, end, Where { harmless, ..line.place });
        }
        if end - at <= 4
            && next == Some(&b':')
            && let Some(end) = self.v6(line, at)
        {
            return end;
        }
        if end - at <= 11
            && let Some((stamp, end)) = moment::stamp(bytes, at)
        {
            return self.time(line, stamp, at, end);
        }
        if let Some((stamp, end)) = (end - at >= 15).then(|| moment::stamp(bytes, at)).flatten() {
            return self.time(line, stamp, at, end);
        }
        if matches!(end - at, 10 | 13)
            && let Some(time) = self.unix(line, at, end)
        {
            self.add(line, Key::Time(time), at, end, line.place);
            return end;
        }
        match next {
            Some(b'.' | b'[' | b'(' | b'{') => self.name(line, at),
            Some(b'-' | b'_') => {
                let rest = bytes.get(end..).unwrap_or_default();
                let more = end
                    + rest.iter().take(64).take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
                if bytes.get(more) == Some(&b'.') { self.name(line, at) } else { end }
            }
            _ => end.max(at + 1),
        }
    }

    /// Seconds or milliseconds since 1970, after a word that says so.
    fn unix(&self, line: &Line<'_>, at: usize, end: usize) -> Option<Stamp> {
        /// 2000-01-01.
        const SINCE: Time = Time(946_684_800_000);
        let number: i64 = std::str::from_utf8(line.bytes.get(at..end)?).ok()?.parse().ok()?;
        let time = if end - at == 10 { Time::from_unix_seconds(number)? } else { Time(number) };
        if time < SINCE || time > self.reference.plus(2 * DAY) {
            return None;
        }
        let before = line.bytes.get(at.saturating_sub(24)..at)?.to_ascii_lowercase();
        let words = ["time", "epoch", "unix", "seen", "date", "\"ts\"", " ts=", " ts:"];
        words.iter().any(|word| memchr::memmem::find(&before, word.as_bytes()).is_some()).then(|| {
            let (year, month, day) = time.date();
            let of_day = u32::try_from(time.0.rem_euclid(DAY)).unwrap_or(0);
            let clock = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60, of_day % 1_000);
            Stamp { year: Some(year), month, day, either: false, clock: Some(clock), zone: Some(0) }
        })
    }

    fn time(&mut self, line: &Line<'_>, stamp: Stamp, at: usize, end: usize) -> usize {
        let place = Where { faint: stamp.clock.is_none(), ..line.place };
        self.add(line, Key::Time(stamp), at, end, place);
        end
    }

    /// `::1` and its like; a scheme's colon has been seen before.
    fn colon(&mut self, line: &Line<'_>, at: usize) -> usize {
        let before = at.checked_sub(1).and_then(|before| line.bytes.get(before));
        if line.bytes.get(at + 1) == Some(&b':')
            && !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b':')
            && let Some(end) = self.v6(line, at)
        {
            return end;
        }
        at + 1
    }

    fn v6(&mut self, line: &Line<'_>, at: usize) -> Option<usize> {
        let (address, end) = addresses::v6(line.bytes, at)?;
        let written = line.bytes.get(at..end)?;
        // `a::b` is rather of a program than of a network.
        let faint = !written.iter().any(u8::is_ascii_digit);
        Some(self.address(line, address, at, end, Where { faint, ..line.place }))
    }

    fn address(&mut self, line: &Line<'_>, address: Address, at: usize, end: usize, place: Where) -> usize {
        let own = place.own || !address.is_global() || self.own.addresses.contains(&address);
        let place = Where { own, ..place };
        let (tail, after) = addresses::tail(line.bytes, address, at, end);
        match tail {
            Tail::None => self.add(line, Key::Address(address, 0), at, end, place),
            Tail::Port(port) => self.add(line, Key::Address(address, port), at, after, place),
            Tail::Prefix(range, inside) => {
                self.add(line, Key::Other(Found::Prefix, range.to_string()), at, after, place);
                if inside {
                    self.add(line, Key::Address(address, 0), at, end, place);
                }
            }
            Tail::Range(range) => {
                self.add(line, Key::Other(Found::Prefix, range.to_string()), at, after, place);
                for address in [range.first, range.last] {
                    self.add(line, Key::Address(address, 0), at, after, Where { faint: true, ..place });
                }
            }
        }
        after
    }

    fn url(&mut self, line: &Line<'_>, at: usize, spot: names::Spot<model::resource::Url>) -> usize {
        let names::Spot { value: url, end, harmless } = spot;
        let place = Where { harmless, ..line.place };
        match url.host() {
            Host::Address(address) => {
                let own = self.own.addresses.contains(address) || !address.is_global();
                let key = Key::Address(*address, url.port().unwrap_or(0));
                self.add(line, Key::Other(Found::Url, url.as_str().to_owned()), at, end, Where { own, ..place });
                self.add(line, key, at, end, Where { own, ..place });
            }
            Host::Name(name) => {
                let own = self.is_own_name(name.as_str());
                self.add(line, Key::Other(Found::Url, url.as_str().to_owned()), at, end, Where { own, ..place });
            }
        }
        self.in_path(line, at, end);
        end
    }

    /// Addresses in the path and query of a URL: `http://tool.example/lookup?ip=192.0.2.1`.
    fn in_path(&mut self, line: &Line<'_>, at: usize, end: usize) {
        let Some(within) = line.bytes.get(..end) else { return };
        let path = begins_with(within, at, "h")
            .or(Some(at))
            .and_then(|at| memchr::memmem::find(within.get(at..)?, b"//").map(|found| at + found + 2));
        let Some(start) = path.and_then(|path| memchr::memchr3(b'/', b'?', b'#', within.get(path..)?).map(|found| path + found))
        else {
            return;
        };
        let mut next = start + 1;
        while let Some(&byte) = within.get(next) {
            let before = within.get(next - 1).copied().unwrap_or(b' ');
            let begins = byte.is_ascii_hexdigit() && !before.is_ascii_alphanumeric() && !matches!(before, b'.' | b':' | b'_');
            let place = Where { faint: true, ..line.place };
            if begins {
                let found =
                    addresses::v4(within, next).map(|(address, end, _)| (address, end)).or_else(|| addresses::v6(within, next));
                if let Some((address, end)) = found {
                    let own = !address.is_global() || self.own.addresses.contains(&address);
                    self.add(line, Key::Address(address, 0), next, end, Where { own, ..place });
                    next = end;
                    continue;
                }
            }
            next += 1;
        }
    }

    /// Offers the line itself when it is of a log.
    fn log_line(&mut self, line: &Line<'_>) {
        let found =
            |what: fn(&Key) -> bool| self.on_line.iter().any(|at| self.entries.get(*at).is_some_and(|entry| what(&entry.key)));
        let address = found(|key| matches!(key, Key::Address(..)));
        let time = found(|key| matches!(key, Key::Time(stamp) if stamp.clock.is_some()));
        if line.place.subject || !(address && (time || has_daemon(line.bytes)) || time && has_daemon(line.bytes)) {
            return;
        }
        for at in std::mem::take(&mut self.on_line) {
            if let Some(entry) = self.entries.get_mut(at).filter(|entry| !entry.logged) {
                entry.logged = true;
                let may =
                    matches!(entry.key, Key::Address(address, _) if address.is_global()) || matches!(entry.key, Key::Time(_));
                if may && entry.confidence > 10 {
                    entry.confidence = entry.confidence.saturating_add(LOGGED).min(99);
                }
            }
        }
        let trimmed = line.bytes.trim_ascii();
        let kept = trimmed.get(..trimmed.len().min(LOG_LINE)).unwrap_or_default();
        let mut value = String::from_utf8_lossy(kept).into_owned();
        value.retain(|letter| !letter.is_control() || letter == '\t');
        let start = line.bytes.len() - line.bytes.trim_ascii_start().len();
        self.add(line, Key::Other(Found::LogLine, value), start, start + kept.len(), line.place);
    }

    fn is_own_name(&self, name: &str) -> bool {
        let under = |own: &str| name.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let own = house(&self.own.domain);
        (!own.is_empty() && under(own)) || SCHEMAS.iter().any(|schema| under(schema))
    }

    /// Keeps a finding, or weighs it again.
    fn add(&mut self, line: &Line<'_>, key: Key, start: usize, end: usize, place: Where) {
        let what = match &key {
            Key::Address(..) => Found::Address,
            Key::Time(_) => Found::Time,
            Key::Other(what, _) => *what,
        };
        let before = line.bytes.get(..start).unwrap_or_default();
        if let Some(&at) = self.index.get(&key) {
            if let Some(entry) = self.entries.get_mut(at).filter(|entry| entry.weighed < AGAIN) {
                entry.weighed += 1;
                entry.confidence = entry.confidence.max(weigh::confidence(what, place, before, line.above));
            }
            self.on_line.push(at);
            return;
        }
        if self.entries.len() >= MOST {
            self.more = true;
            return;
        }
        let written = line.bytes.get(start..end).unwrap_or_default();
        let written = String::from_utf8_lossy(written.get(..written.len().min(WRITTEN)).unwrap_or_default()).into_owned();
        let confidence = weigh::confidence(what, place, before, line.above);
        let part = self.parts.len().saturating_sub(1);
        self.on_line.push(self.entries.len());
        self.index.insert(key.clone(), self.entries.len());
        self.entries.push(Entry { key, part, line: line.number, written, confidence, weighed: 0, logged: false });
    }
}
