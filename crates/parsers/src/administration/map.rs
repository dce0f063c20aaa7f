//! Anybody's CSV or JSON as an administration, by a description of it in TOML.
//!
//! ```toml
//! format = "json"              # or "csv"
//! rows = "data.items"          # where the rows are in a JSON document; without it the document is an array, or one object a line
//! separator = ";"              # of CSV; without it the first line shows it
//! date_format = "%d/%m/%Y"     # as strftime has it; or "unix", "unix_ms"; without it ISO 8601 and DD-MM-YYYY
//! zone = "Europe/Amsterdam"    # of dates that name no zone; without it UTC
//!
//! [columns]                    # Sluis's column = where it comes from
//! resource = "{first}-{last}"  # a template
//! party = "client.id"          # a field; dots go into nested JSON
//! level = { value = "assigned" }                                    # always this
//! product = { from = "type", map = { "1" = "vps", "2" = "web" }, otherwise = "other" }
//!
//! [skip_when]                  # rows that are left out
//! status = ["terminated", "fraud"]
//! ```
//!
//! A field that looks like a password, key or token is refused wherever it stands.

mod read;

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::columns::{Column, TABLE};
use super::{is_secret, nearest};
pub use read::read;

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Delimited text, whose first line names the fields.
    Csv,
    /// An array of objects, somewhere in a document; or an object per line.
    Json,
}

/// A description of somebody's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    kind: Kind,
    separator: Option<u8>,
    rows: Vec<String>,
    date_format: Option<String>,
    /// Where the clock hung that dates without a zone were read from; UTC when nobody says.
    zone: Option<TimeZone>,
    columns: Vec<(Column, Origin)>,
    skip_when: Vec<(Field, Vec<String>)>,
}

/// What is wrong with a description, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapError {
    /// The line; the first is 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

impl std::error::Error for MapError {}

/// Where the text of a column comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    parts: Vec<Part>,
    /// What texts stand for.
    map: BTreeMap<String, String>,
    /// What texts that are not in `map` stand for; without it they stay.
    otherwise: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

/// A field of a row: its name, and the same as steps into nested JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    name: String,
    steps: Vec<String>,
}

const KEYS: [&str; 7] = ["format", "separator", "rows", "date_format", "zone", "columns", "skip_when"];
const ORIGIN_KEYS: [&str; 4] = ["value", "from", "map", "otherwise"];

impl Mapping {
    /// Reads a description.
    ///
    /// # Errors
    /// [`MapError`] for what is not TOML, unknown keys and columns (with what was perhaps meant), fields that look like
    /// secrets, and descriptions that name no party.
    pub fn parse(text: &str) -> Result<Mapping, MapError> {
        let at = |place: usize| line_of(text, place);
        let table = DeTable::parse(text).map_err(|error| MapError {
            line: at(error.span().map_or(0, |span| span.start)),
            reason: error.message().to_owned(),
        })?;
        let parser = Parser { text };
        let mut mapping = Mapping {
            kind: Kind::Csv,
            separator: None,
            rows: Vec::new(),
            date_format: None,
            zone: None,
            columns: Vec::new(),
            skip_when: Vec::new(),
        };
        let mut format = None;
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "format" => {
                    format = Some(match parser.text(value)? {
                        "csv" => Kind::Csv,
                        "json" => Kind::Json,
                        other => return Err(parser.error(value, format!("'{other}' is not a format: csv or json"))),
                    });
                }
                "separator" => {
                    mapping.separator = Some(match parser.text(value)?.as_bytes() {
                        [byte] if !matches!(byte, b'"' | b'\n' | b'\r') && byte.is_ascii() => *byte,
                        _ => return Err(parser.error(value, "a separator is one character, like \";\" or \"\\t\"".to_owned())),
                    });
                }
                "rows" => {
                    mapping.rows = parser.text(value)?.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect()
                }
                "date_format" => mapping.date_format = Some(parser.text(value)?.to_owned()),
                "zone" => {
                    let zone = TimeZone::get(parser.text(value)?);
                    let reason = || "not a time zone; write one as \"Europe/Amsterdam\"".to_owned();
                    mapping.zone = Some(zone.map_err(|_| parser.error(value, reason()))?);
                }
                "columns" => mapping.columns = parser.columns(value)?,
                "skip_when" => mapping.skip_when = parser.skip_when(value)?,
                other => return Err(parser.unknown(key, other, "key", &KEYS)),
            }
        }
        let whole = |reason: &str| MapError { line: 1, reason: reason.to_owned() };
        mapping.kind = format.ok_or_else(|| whole("it has no format: write format = \"csv\" or format = \"json\""))?;
        if !mapping.columns.iter().any(|(column, _)| matches!(column, Column::Party | Column::PartyName)) {
            return Err(whole("[columns] says nothing of the party: write party = \"the field with its identifier\""));
        }
        if mapping.kind == Kind::Csv && !mapping.rows.is_empty() {
            return Err(whole("'rows' is for JSON; the rows of CSV are its lines"));
        }
        Ok(mapping)
    }
}

/// Reads parts of a description, and knows the lines for its errors.
struct Parser<'t> {
    text: &'t str,
}

type Value<'t> = Spanned<DeValue<'t>>;

impl Parser<'_> {
    fn error<T>(&self, here: &Spanned<T>, reason: String) -> MapError {
        MapError { line: line_of(self.text, here.span().start), reason }
    }

    fn unknown<T>(&self, here: &Spanned<T>, name: &str, what: &str, known: &[&'static str]) -> MapError {
        let hint = match nearest(name, known.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("there are {}", known.join(", ")),
        };
        self.error(here, format!("'{name}' is not a known {what}; {hint}"))
    }

    fn text<'v>(&self, value: &'v Value<'_>) -> Result<&'v str, MapError> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.error(value, format!("a text is wanted here, not {}", value.get_ref().type_str())))
    }

    fn table<'v, 't>(&self, value: &'v Value<'t>) -> Result<&'v DeTable<'t>, MapError> {
        let wanted = || self.error(value, format!("a table is wanted here, not {}", value.get_ref().type_str()));
        value.get_ref().as_table().ok_or_else(wanted)
    }

    fn columns(&self, value: &Value<'_>) -> Result<Vec<(Column, Origin)>, MapError> {
        let mut columns = Vec::new();
        for (key, value) in self.table(value)? {
            let name = key.get_ref().as_ref();
            let known: Vec<&'static str> = TABLE.iter().map(|(_, name, _)| *name).collect();
            let column = Column::parse(name).ok_or_else(|| self.unknown(key, name, "column", &known))?;
            columns.push((column, self.origin(value)?));
        }
        Ok(columns)
    }

    fn origin(&self, value: &Value<'_>) -> Result<Origin, MapError> {
        let mut origin = Origin { parts: Vec::new(), map: BTreeMap::new(), otherwise: None };
        if value.get_ref().is_str() {
            origin.parts = self.template(value)?;
            return Ok(origin);
        }
        for (key, value) in self.table(value)? {
            match key.get_ref().as_ref() {
                "value" => origin.parts = vec![Part::Text(self.text(value)?.to_owned())],
                "from" => origin.parts = self.template(value)?,
                "otherwise" => origin.otherwise = Some(self.text(value)?.to_owned()),
                "map" => {
                    for (text, stands_for) in self.table(value)? {
                        origin.map.insert(text.get_ref().trim().to_owned(), self.text(stands_for)?.to_owned());
                    }
                }
                other => return Err(self.unknown(key, other, "key", &ORIGIN_KEYS)),
            }
        }
        if origin.parts.is_empty() {
            return Err(self.error(value, "say where it comes from: value = \"…\" or from = \"…\"".to_owned()));
        }
        Ok(origin)
    }

    /// A field's name, or a text with fields in braces.
    fn template(&self, value: &Value<'_>) -> Result<Vec<Part>, MapError> {
        let text = self.text(value)?;
        if !text.contains(['{', '}']) {
            return Ok(vec![Part::Field(self.field(value, text)?)]);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return Err(self.error(value, format!("a brace is not closed in '{text}'")));
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Field(self.field(value, name)?));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(parts)
    }

    fn field<T>(&self, here: &Spanned<T>, name: &str) -> Result<Field, MapError> {
        let name = name.trim();
        let steps: Vec<String> = name.split('.').map(|step| step.trim().to_owned()).collect();
        if name.is_empty() {
            return Err(self.error(here, "a field needs a name".to_owned()));
        }
        if is_secret(name) || steps.iter().any(|step| is_secret(step)) {
            return Err(
                self.error(here, format!("'{name}' looks like a secret: Sluis neither reads nor keeps it; take the line out"))
            );
        }
        Ok(Field { name: name.to_owned(), steps })
    }

    fn skip_when(&self, value: &Value<'_>) -> Result<Vec<(Field, Vec<String>)>, MapError> {
        let mut rules = Vec::new();
        for (key, value) in self.table(value)? {
            let field = self.field(key, key.get_ref().as_ref())?;
            let texts = match value.get_ref().as_array() {
                Some(array) => array.iter().map(|item| self.text(item).map(str::to_owned)).collect::<Result<Vec<_>, _>>()?,
                None => vec![self.text(value)?.to_owned()],
            };
            rules.push((field, texts));
        }
        Ok(rules)
    }
}

fn line_of(text: &str, place: usize) -> usize {
    1 + text.as_bytes().iter().take(place).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests;
