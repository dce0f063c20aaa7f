//! The user's description of a CSV of their own.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use model::address::Range;
use model::category::Kind;
use model::report::{Batch, Word};
use model::resource::{DomainName, Resource, Url};
use model::time::Time;
use serde::Deserialize;

use super::plan::{Means, plain_name};

/// The user's description of a CSV of their own; [the module](super) shows one.
#[derive(Debug)]
pub struct Declared {
    pub(crate) separator: Option<u8>,
    pub(crate) header: bool,
    pub(crate) kind: Option<Kind>,
    /// Names of columns (or their numbers) as they are compared, and what they hold.
    pub(crate) columns: BTreeMap<String, Means>,
    /// The same columns as they were written, and the names they were given.
    names: Vec<(String, String)>,
    /// Values of the column for the kind, in lower case.
    pub(crate) kinds: BTreeMap<String, Kind>,
    pub(crate) clock: Clock,
    pub(crate) reporter: Reporter,
    /// The path to the list of rows in a JSON document; empty when the rows stand by themselves.
    pub(crate) rows: String,
    /// Values that stand for nothing.
    pub(crate) nothing: Vec<String>,
    /// The scheme of URLs that have none; empty when none is declared.
    pub(crate) scheme: String,
}

/// What a description and a file have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Columns of the file, and what they were said to be.
    pub mapped: Vec<(String, String)>,
    /// Columns that were described and are not there, what they were said to be, and a column that may be meant.
    pub missing: Vec<(String, String, Option<String>)>,
    /// Columns that are there and were not described: they are kept under their own names.
    pub unmapped: Vec<String>,
}

/// The name that is nearest to one, if any is near: at most a third of its letters are otherwise, or one holds the other.
fn nearest<'a>(name: &str, others: impl Iterator<Item = &'a String>) -> Option<String> {
    /// Names longer than this are nobody's typing error.
    const LONGEST: usize = 64;
    let wanted = plain_name(name);
    let near = |other: &&String| {
        let other = plain_name(other);
        if wanted.len() > LONGEST || other.len() > LONGEST || other.is_empty() {
            return None;
        }
        let apart = distance(&wanted, &other);
        let holds = wanted.len() >= 2 && other.len() >= 2 && (other.contains(&wanted) || wanted.contains(&other));
        (apart * 3 <= wanted.chars().count() || holds).then_some(apart)
    };
    others.filter_map(|other| Some((near(&other)?, other))).min_by_key(|(apart, _)| *apart).map(|(_, other)| other.clone())
}

/// How many letters must be changed, added or left out to make one of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        let mut left = at + 1;
        for (cell, theirs) in row.iter_mut().skip(1).zip(&other) {
            let cost = diagonal + usize::from(letter != *theirs);
            diagonal = *cell;
            left = cost.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reporter {
    pub(crate) org: String,
    pub(crate) contact: String,
    pub(crate) domain: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    separator: Option<String>,
    #[serde(default = "yes")]
    header: bool,
    kind: Option<String>,
    #[serde(default)]
    rows: String,
    #[serde(default)]
    nothing: Vec<String>,
    #[serde(default)]
    scheme: String,
    columns: BTreeMap<String, Columns>,
    #[serde(default)]
    kinds: BTreeMap<String, String>,
    #[serde(default)]
    time: TimeEntry,
    #[serde(default)]
    reporter: Reporter,
}

/// The column of the file that a name means, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Columns {
    One(String),
    Many(Vec<String>),
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TimeEntry {
    format: String,
    zone: String,
}

fn yes() -> bool {
    true
}

impl Declared {
    /// Reads a declaration in TOML.
    ///
    /// # Errors
    /// Says which key or value is not understood, and what would be.
    pub fn parse(text: &str) -> Result<Declared, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let separator = match file.separator.as_deref().map(str::as_bytes) {
            None => None,
            Some([byte]) if !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
            Some(_) => return Err("'separator' must be one ASCII character, such as \";\"".to_owned()),
        };
        let mut columns = BTreeMap::new();
        let mut names = Vec::new();
        for (name, theirs) in &file.columns {
            let theirs = match theirs {
                Columns::One(one) => std::slice::from_ref(one),
                Columns::Many(many) => many.as_slice(),
            };
            let Some(means) = Means::of_name(&plain_name(name)) else {
                // Somebody may have written the file's column first, which means the opposite.
                let turned = theirs.first().filter(|word| Means::of_name(&plain_name(word)).is_some());
                return Err(match turned {
                    Some(word) => format!("columns: it is the other way round: write {} = \"{name}\"", plain_name(word)),
                    None => format!("columns: '{name}' is not a name that a column can have"),
                });
            };
            for column in theirs {
                if !file.header && !column.parse::<usize>().is_ok_and(|number| (1..=1_000).contains(&number)) {
                    return Err(format!("columns: without a header, '{column}' must be a number from 1 to 1000"));
                }
                names.push((column.clone(), name.clone()));
                if columns.insert(plain_name(column), means).is_some() {
                    return Err(format!("columns: '{column}' is described twice"));
                }
            }
        }
        let leads = |means: &Means| matches!(means, Means::Ip | Means::Url | Means::Domain | Means::Source);
        if !columns.values().any(leads) {
            return Err("columns: one of them must be an 'ip', a 'url', a 'domain' or a 'source'".to_owned());
        }
        let mut kinds = BTreeMap::new();
        for (value, words) in file.kinds {
            kinds.insert(value.trim().to_lowercase(), kind(&words).map_err(|error| format!("kinds: {error}"))?);
        }
        let kind = file.kind.as_deref().map(kind).transpose()?;
        let clock = Clock::new(&file.time.format, &file.time.zone).map_err(|error| format!("time: {error}"))?;
        if !file.scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("'scheme' is '{}'; it must be like 'http'", file.scheme));
        }
        let (rows, nothing, scheme) = (file.rows, file.nothing, file.scheme);
        Ok(Declared {
            rows,
            nothing,
            scheme,
            separator,
            header: file.header,
            kind,
            columns,
            names,
            kinds,
            clock,
            reporter: file.reporter,
        })
    }

    /// Says once for all reports of a file who reports, as far as it is declared.
    pub(crate) fn tell_reporter(&self, batch: &mut Batch) {
        let Reporter { org, contact, domain } = &self.reporter;
        for (word, value) in [
            (Word::REPORTER_ORG, org),
            (Word::REPORTER_CONTACT, contact),
            (Word::REPORTER_DOMAIN, domain),
            (Word::SENDER_ORG, org),
            (Word::SENDER_CONTACT, contact),
            (Word::SENDER_DOMAIN, domain),
        ] {
            if !value.is_empty() {
                batch.share(word, value);
            }
        }
    }

    /// Compares what is described with the columns or members that a file has: what is mapped to what, what is described and not
    /// there, with the nearest name that is, and what is there and not described.
    pub fn compare(&self, there: &[String]) -> Compared {
        let mut compared = Compared::default();
        let plain: Vec<String> = there.iter().map(|name| plain_name(name)).collect();
        let is_described = |name: &String| self.columns.contains_key(name);
        for (column, name) in &self.names {
            let numbered = column.parse::<usize>().ok().filter(|_| !self.header);
            let found = match numbered {
                Some(number) => (1..=there.len()).contains(&number),
                None => plain.contains(&plain_name(column)),
            };
            if found {
                compared.mapped.push((column.clone(), name.clone()));
                continue;
            }
            let free = there.iter().zip(&plain).filter(|(_, plain)| !is_described(plain)).map(|(there, _)| there);
            let near = nearest(column, free).filter(|_| numbered.is_none());
            compared.missing.push((column.clone(), name.clone(), near));
        }
        if self.header {
            let unmapped = there.iter().zip(&plain).filter(|(_, plain)| !is_described(plain));
            compared.unmapped = unmapped.map(|(there, _)| there.clone()).collect();
        }
        compared
    }

    /// Whether a header has all the columns that this declaration names.
    pub fn fits(&self, header: &[String]) -> bool {
        let header: Vec<String> = header.iter().map(|name| plain_name(name)).collect();
        self.header && self.columns.keys().all(|column| header.contains(column))
    }

    /// Whether an object with these members may be a row: one of them leads to a holder.
    pub(crate) fn fits_members(&self, members: &[&str]) -> bool {
        let leads = |means: &Means| matches!(means, Means::Ip | Means::Url | Means::Domain | Means::Source);
        let mut columns = self.columns.iter().filter(|(_, means)| leads(means));
        let named = |column: &str, member: &str| {
            let rest = column.strip_prefix(&*plain_name(member));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        };
        self.header && columns.any(|(column, _)| members.iter().any(|member| named(column, member)))
    }

    /// Whether a column is an item of the list at a path: `address.0.ip` of `address`.
    pub(crate) fn reaches_into(&self, path: &str) -> bool {
        let path = plain_name(path);
        self.columns.keys().any(|column| {
            let rest = column.strip_prefix(&*path).and_then(|rest| rest.strip_prefix('_'));
            rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        })
    }

    /// Whether the first row of a file without a header has an address, a URL or a domain name where it should.
    pub(crate) fn fits_row(&self, row: &[String]) -> bool {
        self.columns.iter().any(|(column, means)| {
            let at = column.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let text = at.and_then(|at| row.get(at)).map_or("", String::as_str);
            match means {
                Means::Ip => Range::parse(text).is_ok(),
                Means::Url => Url::parse(text).is_some(),
                Means::Domain => DomainName::parse(text).is_some(),
                Means::Source => Resource::parse(text).is_ok(),
                _ => false,
            }
        })
    }
}

fn kind(words: &str) -> Result<Kind, String> {
    words
        .split_once('/')
        .and_then(|(category, name)| Kind::from_words(category.trim(), name.trim()))
        .ok_or_else(|| format!("'{words}' is not a category/type of XARF v4, such as 'content/phishing'"))
}

/// How times are written.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    form: Form,
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug)]
enum Form {
    /// ISO 8601, or Unix seconds or milliseconds by their length.
    Any,
    Iso,
    Unix(i64),
    Strftime(String),
}

impl Clock {
    /// The clock of files without a declaration.
    pub(crate) const PLAIN: Clock = Clock { form: Form::Any, zone: None };

    fn new(format: &str, zone: &str) -> Result<Clock, String> {
        let form = match format {
            "" => Form::Any,
            "iso" => Form::Iso,
            "unix" => Form::Unix(1_000),
            "unix_ms" => Form::Unix(1),
            format if format.contains('%') => {
                let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
                jiff::fmt::strtime::format(format, &sample).map_err(|error| format!("'format': {error}"))?;
                Form::Strftime(format.to_owned())
            }
            other => return Err(format!("'format' is '{other}'; it must be iso, unix, unix_ms or like '%d-%m-%Y %H:%M:%S'")),
        };
        let zone = match zone {
            "" | "UTC" | "utc" | "Z" => None,
            name => Some(TimeZone::get(name).map_err(|error| format!("'zone': {error}"))?),
        };
        Ok(Clock { form, zone })
    }

    /// The time in `text`.
    pub(crate) fn read(&self, text: &[u8]) -> Option<Time> {
        match &self.form {
            Form::Any => self.iso(text).or_else(|| match text.len() {
                9..=10 => unix(text, 1_000),
                12..=13 => unix(text, 1),
                _ => None,
            }),
            Form::Iso => self.iso(text),
            Form::Unix(scale) => unix(text, *scale),
            Form::Strftime(format) => self.strftime(format, text),
        }
    }

    fn iso(&self, text: &[u8]) -> Option<Time> {
        let time = Time::parse(text)?;
        let Some(zone) = &self.zone else { return Some(time) };
        // Only a time without a zone may be given one; a date alone is a time without a zone.
        let mut with_zone = text.to_vec();
        with_zone.push(b'Z');
        if Time::parse(&with_zone).is_none() {
            return Some(time);
        }
        let local = Timestamp::from_millisecond(time.0).ok()?.to_zoned(TimeZone::UTC).datetime();
        in_range(local.to_zoned(zone.clone()).ok()?.timestamp())
    }

    fn strftime(&self, format: &str, text: &[u8]) -> Option<Time> {
        if text.len() > 200 {
            return None;
        }
        let read = BrokenDownTime::parse(format, text).ok()?;
        if read.offset().is_some() {
            return in_range(read.to_timestamp().ok()?);
        }
        let local =
            read.to_datetime().or_else(|_| read.to_date().map(|date| date.to_datetime(jiff::civil::Time::midnight()))).ok()?;
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        in_range(local.to_zoned(zone).ok()?.timestamp())
    }
}

fn in_range(timestamp: Timestamp) -> Option<Time> {
    let time = Time(timestamp.as_millisecond());
    (Time::MIN < time && time <= Time::MAX).then_some(time)
}

fn unix(text: &[u8], scale: i64) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?;
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let time = Time(whole.parse::<i64>().ok()?.checked_mul(scale)?);
    (Time::MIN < time && time <= Time::MAX).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_people_declare_them() {
        for (format, zone, text, expected) in [
            ("", "", "2026-03-04 05:06:07", Some("2026-03-04T05:06:07Z")),
            ("", "", "1772600767", Some("2026-03-04T05:06:07Z")),
            ("", "", "1772600767123", Some("2026-03-04T05:06:07.123Z")),
            ("iso", "Europe/Amsterdam", "2026-07-04 05:06:07", Some("2026-07-04T03:06:07Z")),
            ("iso", "Europe/Amsterdam", "2026-07-04 05:06:07Z", Some("2026-07-04T05:06:07Z")),
            ("iso", "Europe/Amsterdam", "2026-03-04", Some("2026-03-03T23:00:00Z")),
            ("iso", "", "1772600767", None),
            ("unix", "", "1772600767.5", Some("2026-03-04T05:06:07Z")),
            ("unix", "", "99999999999999999999", None),
            ("unix", "", "9999999999999999", None),
            ("%d-%m-%Y %H:%M", "Europe/Amsterdam", "04-03-2026 05:06", Some("2026-03-04T04:06:00Z")),
            ("%d-%m-%Y", "", "04-03-2026", Some("2026-03-04T00:00:00Z")),
            ("%d/%b/%Y:%H:%M:%S %z", "", "04/Mar/2026:05:06:07 +0100", Some("2026-03-04T04:06:07Z")),
            ("%d-%m-%Y", "", "31-02-2026", None),
        ] {
            let clock = Clock::new(format, zone).unwrap();
            let found = clock.read(text.as_bytes()).map(|time| time.to_string());
            assert_eq!(found.as_deref(), expected, "{text:?} as {format:?} in {zone:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (text, error) in [
            ("", "missing field `columns`"),
            ("colums = {}", "unknown field `colums`"),
            ("columns = { time = 'a' }", "one of them must be an 'ip'"),
            ("columns = { Datum = 'time' }", "it is the other way round: write time = \"Datum\""),
            ("columns = { ip = 'a', url = 'A' }", "'A' is described twice"),
            ("columns = { ipp = 'a' }", "'ipp' is not a name"),
            ("columns = { ip = 'a' }\nseparator = ';;'", "must be one ASCII character"),
            ("columns = { ip = 'a' }\nkind = 'phishing'", "not a category/type"),
            ("columns = { ip = 'a' }\nkinds = { x = 'content/x' }", "kinds: 'content/x'"),
            ("columns = { ip = 'a' }\nheader = false", "must be a number"),
            ("columns = { ip = 'a' }\ntime.format = 'rfc'", "must be iso, unix"),
            ("columns = { ip = 'a' }\ntime.format = '%ü'", "'format'"),
            ("columns = { ip = 'a' }\ntime.zone = 'Europe/Utrecht'", "'zone'"),
        ] {
            let found = Declared::parse(text).err().unwrap_or_default();
            assert!(found.contains(error), "{text}: {found}");
        }
    }
}
