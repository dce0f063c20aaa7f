//! Reading somebody's rows by a description of them.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use model::administration::Snapshot;
use model::time::Time;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Field, Kind, Mapping, Origin, Part};
use crate::administration::columns::Column;
use crate::administration::csv::{Records, mended};
use crate::administration::lines::{Line, Lines};
use crate::administration::rows::{Builder, Row, is_never};
use crate::administration::{Finding, Limits, nearest};

/// Bytes of a part of a JSON document that nobody asked for.
const IGNORED: usize = 64 << 20;

/// Reads an administration that `mapping` describes.
pub fn read(reader: &mut dyn Read, mapping: &Mapping, limits: &Limits) -> (Snapshot, Vec<Finding>) {
    let mut rows =
        Rows { mapping, builder: Builder::default(), row: Row::default(), seen: vec![false; mapping.columns.len()], count: 0 };
    match mapping.kind {
        Kind::Csv => csv(reader, &mut rows, limits),
        Kind::Json => json(reader, &mut rows, limits),
    }
    rows.finish()
}

/// The rows on their way into the snapshot.
struct Rows<'m> {
    mapping: &'m Mapping,
    builder: Builder,
    row: Row,
    /// Whether any row had something for a column.
    seen: Vec<bool>,
    count: u64,
}

impl Rows<'_> {
    /// Takes a row, whose fields `look` finds.
    fn take(&mut self, line: u64, look: &dyn Fn(&Field) -> Option<String>) {
        self.count += 1;
        for (field, texts) in &self.mapping.skip_when {
            let text = look(field).unwrap_or_default();
            if texts.iter().any(|skipped| skipped.trim() == text.trim()) {
                return;
            }
        }
        self.row.clear();
        for ((column, origin), seen) in self.mapping.columns.iter().zip(&mut self.seen) {
            let (text, found) = origin.text(look);
            *seen |= found;
            let is_date = matches!(column, Column::From | Column::To | Column::AupAccepted | Column::KycChecked);
            match &self.mapping.date_format {
                Some(format) if is_date && !is_never(text.trim()) => self.row.set(*column, &date(format, text.trim())),
                _ => self.row.set(*column, &text),
            }
        }
        self.builder.row(line, &self.row);
    }

    fn lose(&mut self, line: u64, reason: impl FnOnce() -> String) {
        let place = self.builder.place(line);
        self.builder.findings.lose(|| place, "", reason);
    }

    fn finish(mut self) -> (Snapshot, Vec<Finding>) {
        for ((column, origin), seen) in self.mapping.columns.iter().zip(&self.seen) {
            if !seen && self.count > 0 && origin.parts.iter().any(|part| matches!(part, Part::Field(_))) {
                let names: Vec<&str> = origin.fields().map(|field| field.name.as_str()).collect();
                let reason = || format!("no row has it, so the column '{}' stays empty", column.name());
                self.builder.findings.note(|| "the file".to_owned(), &names.join(", "), reason);
            }
        }
        self.builder.finish()
    }
}

impl Origin {
    fn fields(&self) -> impl Iterator<Item = &Field> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }

    /// The text for a row, and whether the row has any of the fields. A template whose fields are all empty is empty.
    fn text(&self, look: &dyn Fn(&Field) -> Option<String>) -> (String, bool) {
        let (mut text, mut found, mut filled) = (String::new(), false, self.fields().next().is_none());
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Field(field) => {
                    if let Some(value) = look(field) {
                        found = true;
                        filled |= !value.trim().is_empty();
                        text.push_str(value.trim());
                    }
                }
            }
        }
        if !filled {
            text.clear();
        }
        match (self.map.get(text.trim()), &self.otherwise) {
            (Some(mapped), _) => (mapped.clone(), found),
            (None, Some(otherwise)) => (otherwise.clone(), found),
            (None, None) => (text, found),
        }
    }
}

/// A date in the described format, in ISO 8601; a sentence that is no date when it is not in that format.
fn date(format: &str, text: &str) -> String {
    let time = match format {
        "unix" => text.parse().ok().and_then(Time::from_unix_seconds),
        "unix_ms" => text.parse().ok().map(Time).filter(|time| Time::MIN <= *time && *time <= Time::MAX),
        _ => described(format, text),
    };
    time.map_or_else(|| format!("{text} is not as '{format}'"), |time| time.to_string())
}

fn described(format: &str, text: &str) -> Option<Time> {
    let parts = jiff::fmt::strtime::parse(format, text).ok()?;
    if let Ok(instant) = parts.to_timestamp() {
        return Some(Time(instant.as_millisecond())).filter(|time| Time::MIN <= *time && *time <= Time::MAX);
    }
    // Without a zone it is UTC, without a time it is the first instant of the day.
    let (date, clock) = (parts.to_date().ok()?, parts.to_time().unwrap_or(jiff::civil::Time::midnight()));
    let number = |number: i8| u32::try_from(number).ok();
    Time::civil(
        i32::from(date.year()),
        number(date.month())?,
        number(date.day())?,
        number(clock.hour())?,
        number(clock.minute())?,
        number(clock.second())?,
        u32::try_from(clock.millisecond()).ok()?,
    )
}

fn csv(reader: &mut dyn Read, rows: &mut Rows<'_>, limits: &Limits) {
    let mut records = Records::new(reader, rows.mapping.separator, limits.record);
    let mut header: Option<Vec<String>> = None;
    while let Some(record) = records.next_record(&mut rows.builder.findings) {
        let Some(names) = &header else {
            let names: Vec<String> = record.fields().map(|field| mended(field).trim().to_lowercase()).collect();
            for field in rows.mapping.columns.iter().flat_map(|(_, origin)| origin.fields()) {
                if !names.contains(&field.name.to_lowercase()) {
                    let near = nearest(&field.name, names.iter().map(String::as_str).filter(|name| !super::is_secret(name)));
                    let hint = near.map_or(String::new(), |near| format!("; did you mean '{near}'?"));
                    let reason = || format!("the first line has no such field{hint}");
                    rows.builder.findings.note(|| "line 1".to_owned(), &field.name, reason);
                }
            }
            header = Some(names);
            continue;
        };
        let fields: Vec<&[u8]> = record.fields().collect();
        if fields.len() > names.len() && fields[names.len()..].iter().any(|field| !field.trim_ascii().is_empty()) {
            let (got, wanted) = (fields.len(), names.len());
            rows.lose(record.line, || format!("it has {got} fields and the first line names {wanted}"));
            continue;
        }
        rows.take(record.line, &|field| {
            let at = names.iter().position(|name| name.eq_ignore_ascii_case(&field.name))?;
            fields.get(at).map(|field| mended(field))
        });
    }
}

/// What a field of a JSON row holds, as text. Objects and lists of lists hold nothing that is a text.
fn look(row: &Value, field: &Field) -> Option<String> {
    let mut at = row.get(&field.name);
    if at.is_none() {
        at = Some(row);
        for step in &field.steps {
            at = match at? {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            };
        }
    }
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    match at? {
        Value::Null => Some(String::new()),
        Value::Array(items) => Some(items.iter().filter_map(scalar).collect::<Vec<_>>().join(";")),
        value => scalar(value),
    }
}

fn json(reader: &mut dyn Read, rows: &mut Rows<'_>, limits: &Limits) {
    rows.builder.unit = "row";
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let first = loop {
        match reader.fill_buf().map(|bytes| (bytes.iter().position(|byte| !byte.is_ascii_whitespace()), bytes.len())) {
            Ok((_, 0)) => return rows.lose(1, || "it is empty".to_owned()),
            Ok((Some(at), _)) => break reader.buffer().get(at).copied(),
            Ok((None, blank)) => reader.consume(blank),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return rows.lose(1, || format!("it cannot be read: {error}")),
        }
    };
    if first == Some(b'{') && rows.mapping.rows.is_empty() {
        return json_lines(reader, rows, limits);
    }
    let left = Rc::new(Cell::new(limits.record));
    let bounded = Bounded { reader, left: Rc::clone(&left) };
    let mut deserializer = serde_json::Deserializer::from_reader(bounded);
    let mut found = false;
    let steps = rows.mapping.rows.as_slice();
    let walk = Walk { steps, rows, left: &left, record: limits.record, found: &mut found };
    let result = walk.deserialize(&mut deserializer);
    match result {
        Err(error) => {
            let count = rows.count;
            rows.lose(count + 1, || format!("reading stopped here: {error}"));
        }
        Ok(()) if !found => {
            let path = rows.mapping.rows.join(".");
            rows.lose(1, || format!("there is no array of rows at '{path}'; say in 'rows' where it is"));
        }
        Ok(()) => {}
    }
}

/// An object a line: a bad line costs that line.
fn json_lines(reader: impl Read, rows: &mut Rows<'_>, limits: &Limits) {
    rows.builder.unit = "line";
    let mut lines = Lines::new(reader, limits.record);
    loop {
        let number = lines.number() + 1;
        let row = match lines.next_line() {
            Ok(None) => return,
            Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
            Ok(Some(Line::Whole(line))) => {
                serde_json::from_slice::<Value>(line).map_err(|error| format!("not a JSON object: {error}"))
            }
            Ok(Some(Line::TooLong(_))) => Err(format!("a line of over {} bytes", limits.record)),
            Err(error) => return rows.lose(number, || format!("reading stopped here: {error}")),
        };
        match row {
            Ok(row) if row.is_object() => rows.take(number, &|field| look(&row, field)),
            Ok(_) => rows.lose(number, || "not a JSON object".to_owned()),
            Err(reason) => rows.lose(number, || reason),
        }
    }
}

/// A reader that gives only so much until somebody allows more.
struct Bounded<R> {
    reader: R,
    left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        let left = self.left.get().checked_sub(count);
        self.left.set(left.ok_or_else(|| io::Error::other("a row, or something beside the rows, is larger than allowed"))?);
        Ok(count)
    }
}

/// Goes down to the array of rows, and through it.
struct Walk<'w, 'm> {
    steps: &'w [String],
    rows: &'w mut Rows<'m>,
    left: &'w Rc<Cell<usize>>,
    record: usize,
    found: &'w mut bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.steps.is_empty() { "an array of rows" } else { "an object on the way to the rows" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((step, steps)) = self.steps.split_first() else {
            return Err(serde::de::Error::custom("an object is where the array of rows should be; say in 'rows' where it is"));
        };
        self.left.set(self.record);
        while let Some(key) = map.next_key::<String>()? {
            if key == *step {
                let rows = &mut *self.rows;
                map.next_value_seed(Walk { steps, rows, left: self.left, record: self.record, found: self.found })?;
            } else {
                self.left.set(IGNORED);
                map.next_value::<IgnoredAny>()?;
            }
            self.left.set(self.record);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if !self.steps.is_empty() {
            return Err(serde::de::Error::custom("an array is where an object should be; look at 'rows'"));
        }
        *self.found = true;
        self.left.set(self.record);
        while let Some(row) = seq.next_element::<Value>()? {
            let number = self.rows.count + 1;
            if row.is_object() {
                self.rows.take(number, &|field| look(&row, field));
            } else {
                self.rows.count += 1;
                self.rows.lose(number, || "not a JSON object".to_owned());
            }
            self.left.set(self.record);
        }
        Ok(())
    }
}
