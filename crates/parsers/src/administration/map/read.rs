//! Rows of somebody's files on their way into a snapshot: what a description takes from each of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::net::IpAddr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::administration::Snapshot;
use model::resource::Resource;
use model::time::Time;

use super::{Columns, Field, Kind, Mapping, Origin, Part, json, text, xml};
use crate::administration::columns::Column;
use crate::administration::csv;
use crate::administration::rows::{Builder, Row, dutch, is_never};
use crate::administration::{Finding, Limits};

/// Texts that one row may have for one column.
const TEXTS: usize = 4_096;

/// Reads an administration that `mapping` describes.
pub fn read(reader: &mut dyn Read, mapping: &Mapping, limits: &Limits) -> (Snapshot, Vec<Finding>) {
    let mut rows = Rows::default();
    rows.add(reader, &FileName::default(), mapping, limits);
    rows.finish()
}

/// What the name of a file says of its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileName {
    /// The whole, for places in findings; empty when one file is all there is.
    pub shown: String,
    /// Without folders and endings: `@stem`.
    pub stem: String,
    /// The last number in the stem: `@number`.
    pub number: String,
}

impl FileName {
    /// Of a path; `shown` says whether findings are to name it.
    pub fn of(path: &str, shown: bool) -> FileName {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let mut stem = name;
        for ending in [".gz", ".json", ".csv", ".xml", ".txt", ".conf", ".tsv"] {
            stem = stem.strip_suffix(ending).unwrap_or(stem);
        }
        let end = stem.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
        let digits = stem.get(..end).unwrap_or_default();
        let from = digits
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |at| at + digits[at..].chars().next().map_or(1, char::len_utf8));
        FileName {
            shown: if shown { name.to_owned() } else { String::new() },
            stem: stem.to_owned(),
            number: digits.get(from..).unwrap_or_default().to_owned(),
        }
    }
}

/// What a field of a row holds.
pub(super) enum Texts {
    One(String),
    Many(Vec<String>),
}

/// The rows of all files of one import on their way into the snapshot.
#[derive(Default)]
pub struct Rows {
    pub(super) builder: Builder,
    row: Row,
    file: FileName,
    /// Resources that are taken when one party alone has them: the row, or nothing when others have it too.
    soles: BTreeMap<String, (u64, String, Option<Row>)>,
    /// Rows of the file that is being read.
    pub(super) count: u64,
    /// Which columns any row of it had something for.
    seen: Vec<bool>,
    /// Of each kind of file that says how many rows there are: that number, and how many came.
    totals: BTreeMap<String, (u64, u64)>,
}

impl Rows {
    /// Adds a file. Parties of several files are one when they have the same identifier.
    pub fn add(&mut self, reader: &mut dyn Read, name: &FileName, mapping: &Mapping, limits: &Limits) {
        self.begin(name);
        self.seen = vec![false; mapping.columns.len()];
        match mapping.kind {
            Kind::Csv => text::csv(reader, self, mapping, limits),
            Kind::Json => json::read(reader, self, mapping, limits),
            Kind::Xml => xml::read(reader, self, mapping, limits),
            Kind::Pairs => text::pairs(reader, self, mapping, limits),
            Kind::Settings => text::settings(reader, self, mapping, limits),
        }
        if !mapping.quiet {
            self.remark_unseen(mapping);
        }
    }

    /// Adds a CSV in the columns of Sluis.
    pub fn add_csv(&mut self, reader: &mut dyn Read, name: &FileName, separator: Option<u8>, limits: &Limits) {
        self.begin(name);
        csv::rows(reader, separator, limits, &mut self.builder);
    }

    /// Says something that costs nothing.
    pub fn note(&mut self, place: &str, text: &str) {
        self.builder.findings.file.clear();
        self.builder.findings.note(|| place.to_owned(), "", || text.to_owned());
    }

    /// Says that something of the files cannot be taken, so that they are not everything.
    pub fn lose(&mut self, place: &str, reason: String) {
        self.builder.findings.file.clear();
        self.builder.findings.lose(|| place.to_owned(), "", || reason);
    }

    /// The snapshot of all that was added.
    pub fn finish(mut self) -> (Snapshot, Vec<Finding>) {
        self.builder.unit = "row";
        let (mut shared, mut unsure) = (0usize, 0usize);
        let lost = self.builder.findings.is_lost();
        for (resource, (line, _, row)) in std::mem::take(&mut self.soles) {
            let is_address = matches!(Resource::parse(&resource), Ok(Resource::Addresses(_)));
            match row {
                // Perhaps a row that was lost had it too. A wrong holder is worse than one who is known a day later.
                Some(_) if lost && is_address => unsure += 1,
                Some(row) => drop(self.builder.row(line, &row)),
                None => shared += 1,
            }
        }
        self.builder.findings.file.clear();
        if shared > 0 {
            let reason =
                || format!("shared by several parties, and so nobody's: {shared}; content there is traced by other names");
            self.builder.findings.note(|| "the files".to_owned(), "", reason);
        }
        if unsure > 0 {
            let reason = || format!("not taken, for a row that was lost may share them: {unsure}");
            self.builder.findings.note(|| "the files".to_owned(), "addresses of one party alone", reason);
        }
        for (path, (total, came)) in std::mem::take(&mut self.totals) {
            if came < total {
                let reason = || format!("there are {total} rows and {came} came; hand in every page of the answer together");
                self.builder.findings.lose(|| "the files".to_owned(), &path, reason);
            }
        }
        self.builder.finish()
    }

    fn begin(&mut self, name: &FileName) {
        self.file = name.clone();
        self.builder.findings.file.clone_from(&name.shown);
        self.builder.unit = "line";
        self.count = 0;
        self.seen.clear();
    }

    /// Notes how many rows there are of this kind, and how many came.
    pub(super) fn total(&mut self, path: &str, total: u64, came: u64) {
        let kept = self.totals.entry(path.to_owned()).or_default();
        *kept = (kept.0.max(total), kept.1 + came);
    }

    pub(super) fn lose_row(&mut self, line: u64, reason: impl FnOnce() -> String) {
        let place = self.builder.place(line);
        self.builder.findings.lose(|| place, "", reason);
    }

    /// Takes a row, whose fields `look` finds.
    pub(super) fn take(&mut self, mapping: &Mapping, line: u64, look: &dyn Fn(&Field) -> Option<Texts>) {
        self.count += 1;
        let file = self.file.clone();
        let look = |field: &Field| match field.name.as_str() {
            "@stem" => Some(Texts::One(file.stem.clone())),
            "@number" => Some(Texts::One(file.number.clone())),
            _ => look(field),
        };
        for (field, texts) in &mapping.skip_when {
            let is_skipped = |text: &str| texts.iter().any(|skipped| skipped.trim() == text.trim());
            let skipped = match look(field) {
                None => is_skipped(""),
                Some(Texts::One(text)) => is_skipped(&text),
                Some(Texts::Many(texts)) if texts.is_empty() => is_skipped(""),
                Some(Texts::Many(texts)) => texts.iter().any(|text| is_skipped(text)),
            };
            if skipped {
                return;
            }
        }
        let mut seen = std::mem::take(&mut self.seen);
        self.columns(mapping, &mapping.columns, line, &look, Some(&mut seen));
        self.seen = seen;
        for also in &mapping.also {
            self.columns(mapping, also, line, &look, None);
        }
    }

    /// Fills a row from `columns`. `seen` is `None` for a row that may be about nobody.
    fn columns(
        &mut self,
        mapping: &Mapping,
        columns: &Columns,
        line: u64,
        look: &dyn Fn(&Field) -> Option<Texts>,
        mut seen: Option<&mut Vec<bool>>,
    ) {
        let main = seen.is_some();
        self.row.clear();
        let mut resources: Vec<(String, &Origin)> = Vec::new();
        for (at, (column, origins)) in columns.iter().enumerate() {
            let mut found = false;
            for origin in origins {
                let (text, there) = origin.texts(look, origins.len() > 1);
                found |= there;
                if *column == Column::Resource {
                    match text {
                        Texts::One(text) => resources.push((text, origin)),
                        Texts::Many(texts) => resources.extend(texts.into_iter().map(|text| (text, origin))),
                    }
                    continue;
                }
                let text = match text {
                    Texts::One(text) => text,
                    Texts::Many(texts) => texts.join(";"),
                };
                if !text.trim().is_empty() {
                    let text = mapping.dated(*column, text.trim());
                    // A name on two lines is one name; lists are what stands on several.
                    match text.contains('\n') && !column.is_list() {
                        true => self.row.set(*column, &text.replace('\n', " ")),
                        false => self.row.set(*column, &text),
                    }
                    break;
                }
            }
            if let Some(seen) = seen.as_mut().and_then(|seen| seen.get_mut(at)) {
                *seen |= found;
            }
        }
        let party = self.row.party().to_owned();
        // Where the description says what identifies a party, its name does not stand in for that.
        let is_nobody =
            party.is_empty() || (self.row.is(Column::Party, "") && columns.iter().any(|(column, _)| *column == Column::Party));
        if is_nobody && main {
            let place = self.builder.place(line);
            let text = resources.first().map_or("", |(text, _)| text.as_str());
            self.builder.findings.lose(|| place, text, || "the row names no party, so it is nobody's".to_owned());
        }
        if is_nobody {
            return;
        }
        // Who stands at the top of a panel owns itself there; that is nobody to rent from.
        if self.row.is(Column::Parent, &party) {
            self.row.set(Column::Parent, "");
        }
        resources.retain(|(text, _)| !text.trim().is_empty());
        if resources.len() > TEXTS {
            self.lose_row(line, || format!("a row with over {TEXTS} resources"));
            resources.truncate(TEXTS);
        }
        let mut told = false;
        let mut known = HashSet::new();
        for (text, origin) in resources {
            if !known.insert(text.trim().to_owned()) {
                continue;
            }
            if origin.maybe && !is_somebodys(text.trim()) {
                let place = self.builder.place(line);
                let reason = || "nothing that a party alone could have in public; left out".to_owned();
                self.builder.findings.note(|| place, text.trim(), reason);
                continue;
            }
            self.row.set(Column::Resource, &text);
            if origin.sole {
                self.sole(line, text.trim());
            } else {
                told = true;
                // What is wrong with the row beside its resource is said once.
                if !self.builder.row(line, &self.row) && Resource::parse(text.trim()).is_ok() {
                    break;
                }
            }
        }
        if !told {
            self.row.set(Column::Resource, "");
            self.builder.row(line, &self.row);
        }
    }

    fn sole(&mut self, line: u64, resource: &str) {
        let party = self.row.party();
        match self.soles.get_mut(resource) {
            Some((_, holder, row)) if holder != party => *row = None,
            Some(_) => {}
            None => drop(self.soles.insert(resource.to_owned(), (line, party.to_owned(), Some(self.row.clone())))),
        }
    }

    fn remark_unseen(&mut self, mapping: &Mapping) {
        for ((column, origins), seen) in mapping.columns.iter().zip(std::mem::take(&mut self.seen)) {
            let names: Vec<&str> = origins.iter().flat_map(Origin::fields).map(|field| field.name.as_str()).collect();
            if !seen && self.count > 0 && !names.is_empty() {
                let reason = || format!("no row has it, so the column '{}' stays empty", column.name());
                self.builder.findings.note(|| "the file".to_owned(), &names.join(", "), reason);
            }
        }
    }
}

impl Mapping {
    /// A text as its column takes it: dates in the described format become ISO 8601.
    fn dated<'t>(&self, column: Column, text: &'t str) -> Cow<'t, str> {
        let is_date = matches!(column, Column::From | Column::To | Column::AupAccepted | Column::KycChecked);
        if !is_date || is_never(text) {
            return Cow::Borrowed(text);
        }
        let zone = self.zone.as_ref();
        Cow::Owned(match &self.date_format {
            Some(format) => date(format, zone, text),
            None => local(zone, text),
        })
    }
}

impl Origin {
    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }

    /// The texts for a row, and whether the row has any of the fields. A template whose fields are all empty is empty; one
    /// with a field of many texts is as many.
    /// With `whole`, it is empty already when one of its fields is.
    fn texts(&self, look: &dyn Fn(&Field) -> Option<Texts>, whole: bool) -> (Texts, bool) {
        let (mut texts, mut found, mut filled) = (Texts::One(String::new()), false, self.fields().next().is_none());
        let mut lacks = false;
        for part in &self.parts {
            match part {
                Part::Text(part) => texts.push(part),
                Part::Field(field) => match look(field) {
                    None => lacks = true,
                    Some(Texts::One(value)) => {
                        found = true;
                        lacks |= value.trim().is_empty();
                        filled |= !value.trim().is_empty();
                        texts.push(value.trim());
                    }
                    Some(Texts::Many(values)) => {
                        found = true;
                        filled |= values.iter().any(|value| !value.trim().is_empty());
                        texts = texts.times(&values);
                    }
                },
            }
        }
        if !filled || (whole && lacks) {
            texts = Texts::One(String::new());
        }
        let is_plain = self.setting.is_empty() && self.before.is_empty() && self.split.is_empty();
        if is_plain && let Texts::One(text) = texts {
            return (Texts::One(self.mapped(text)), found);
        }
        let texts = match texts {
            Texts::One(text) => vec![text],
            Texts::Many(texts) => texts,
        };
        let mut made = Vec::with_capacity(texts.len());
        for text in &texts {
            let text = match self.setting.as_str() {
                "" => Some(text.as_str()),
                setting => setting_of(text, setting),
            };
            let Some(text) = text else { continue };
            let is_cut = |c: char| c == '\n' || self.split.contains(c);
            for piece in text.split(|c| !self.split.is_empty() && is_cut(c)) {
                let piece =
                    if self.before.is_empty() { piece } else { piece.split(self.before.as_str()).next().unwrap_or(piece) };
                let piece = self.mapped(piece.trim().to_owned());
                if !piece.is_empty() && made.len() <= TEXTS {
                    made.push(piece);
                }
            }
        }
        (Texts::Many(made), found)
    }

    fn mapped(&self, text: String) -> String {
        match (self.map.get(text.trim()), &self.otherwise) {
            (Some(mapped), _) => mapped.clone(),
            (None, Some(otherwise)) => otherwise.clone(),
            (None, None) => text,
        }
    }
}

impl Texts {
    fn push(&mut self, text: &str) {
        match self {
            Texts::One(one) => one.push_str(text),
            Texts::Many(many) => many.iter_mut().for_each(|one| one.push_str(text)),
        }
    }

    /// Each text so far with each of `values` behind it.
    fn times(self, values: &[String]) -> Texts {
        let before = match self {
            Texts::One(one) => vec![one],
            Texts::Many(many) => many,
        };
        let mut made = Vec::new();
        for one in &before {
            for value in values.iter().map(|value| value.trim()).filter(|value| !value.is_empty()) {
                if made.len() <= TEXTS {
                    made.push(format!("{one}{value}"));
                }
            }
        }
        Texts::Many(made)
    }
}

/// Whether a text is a resource that can be one party's alone, as others see it.
fn is_somebodys(text: &str) -> bool {
    match Resource::parse(text) {
        Ok(Resource::Addresses(range)) => !is_local(range.first.to_string().parse().ok()),
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Loopback, private, shared and link-local addresses (RFC 1918, 3927, 4193, 4291, 6598).
fn is_local(address: Option<IpAddr>) -> bool {
    match address {
        Some(IpAddr::V4(address)) => {
            let [a, b, ..] = address.octets();
            address.is_private() || address.is_loopback() || address.is_link_local() || a == 0 || (a == 100 && b & 0xc0 == 64)
        }
        Some(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unspecified() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => false,
    }
}

/// The value of a key in `key=value,key=value`.
fn setting_of<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.split(',')
        .find_map(|part| part.trim().split_once('=').filter(|(name, _)| name.trim() == key))
        .map(|(_, value)| value.trim())
}

/// A date in the described format, in ISO 8601; a sentence that is no date when it is not in that format.
fn date(format: &str, zone: Option<&TimeZone>, text: &str) -> String {
    let time = match format {
        "unix" => text.parse().ok().and_then(Time::from_unix_seconds),
        "unix_ms" => text.parse().ok().map(Time).filter(|time| Time::MIN <= *time && *time <= Time::MAX),
        _ => described(format, zone, text),
    };
    time.map_or_else(|| format!("{text} is not as '{format}'"), |time| time.to_string())
}

/// A date in one of the forms that need no description, as the clock of `zone` showed it; any other text as it is.
fn local(zone: Option<&TimeZone>, text: &str) -> String {
    let read = |text: &str| Time::parse(text.as_bytes()).or_else(|| dutch(text));
    // A zone can be added to those texts alone that have none; a date alone is one of them.
    let has_none = |time: Time| {
        let marked = if text.contains(':') { format!("{text}Z") } else { format!("{text} 00:00Z") };
        read(&marked) == Some(time)
    };
    match (zone, read(text)) {
        (Some(zone), Some(time)) if has_none(time) => {
            in_zone(zone, time).map_or_else(|| text.to_owned(), |time| time.to_string())
        }
        _ => text.to_owned(),
    }
}

/// The instant at which a clock in `zone` showed what a clock in UTC shows at `shown`.
fn in_zone(zone: &TimeZone, shown: Time) -> Option<Time> {
    let clock = Timestamp::from_millisecond(shown.0).ok()?.to_zoned(TimeZone::UTC).datetime();
    let instant = Time(clock.to_zoned(zone.clone()).ok()?.timestamp().as_millisecond());
    (Time::MIN <= instant && instant <= Time::MAX).then_some(instant)
}

fn described(format: &str, zone: Option<&TimeZone>, text: &str) -> Option<Time> {
    let parts = jiff::fmt::strtime::parse(format, text).ok()?;
    if let Ok(instant) = parts.to_timestamp() {
        return Some(Time(instant.as_millisecond())).filter(|time| Time::MIN <= *time && *time <= Time::MAX);
    }
    // Without a zone it is that of the description, else UTC; without a time it is the first instant of the day.
    let (date, clock) = (parts.to_date().ok()?, parts.to_time().unwrap_or(jiff::civil::Time::midnight()));
    let number = |number: i8| u32::try_from(number).ok();
    let shown = Time::civil(
        i32::from(date.year()),
        number(date.month())?,
        number(date.day())?,
        number(clock.hour())?,
        number(clock.minute())?,
        number(clock.second())?,
        u32::try_from(clock.millisecond()).ok()?,
    )?;
    zone.map_or(Some(shown), |zone| in_zone(zone, shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_files_name_says() {
        for (path, stem, number) in [
            ("/srv/qemu-104.json", "qemu-104", "104"),
            ("104.conf", "104", "104"),
            ("da01.example.json.gz", "da01.example", "01"),
            ("clients.csv", "clients", ""),
            ("é7é.json", "é7é", "7"),
            ("-", "-", ""),
        ] {
            let name = FileName::of(path, false);
            assert_eq!((name.stem.as_str(), name.number.as_str()), (stem, number), "{path}");
        }
    }
}
