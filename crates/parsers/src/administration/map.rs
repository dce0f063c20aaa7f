//! Anybody's CSV, JSON, XML or list as an administration, by a description of it in TOML.
//!
//! ```toml
//! format = "json"              # or "csv", "xml", "pairs" (`name: value` a line), "settings" (`key=value` lines make a row)
//! rows = "data.items"          # where the rows are in JSON or XML; `*` is every member; without it the document is an array,
//!                              # or one object a line
//! single = true                # what is there is one row, no array of rows
//! total = "data.count"         # of JSON: how many rows there are with those of other pages
//! begins = "username"          # of settings: the key with which a row begins; without it a file is a row
//! separator = ";"              # of CSV; without it the first line shows it
//! date_format = "%d/%m/%Y"     # as strftime has it; or "unix", "unix_ms"; without it ISO 8601 and DD-MM-YYYY
//! zone = "Europe/Amsterdam"    # of dates that name no zone; without it UTC
//!
//! [columns]                    # Sluis's column = where it comes from
//! resource = "{first}-{last}"  # a template
//! party = "client.id"          # a field; dots go into nested JSON, `*` to every member, `net*` to those that begin so
//! party_name = ["company", "{first_name} {last_name}"]              # the first of them that is not empty
//! level = { value = "assigned" }                                    # always this
//! product = { from = "type", map = { "1" = "vps", "2" = "web" }, otherwise = "other" }
//!
//! [[also]]                     # another party that the same row tells of, when it names one
//! party = "reseller"
//!
//! [skip_when]                  # rows that are left out
//! status = ["terminated", "fraud"]
//! ```
//!
//! A `resource` may be a list too, and then each of its texts is one. `split = ", "` cuts a text at any of these
//! characters; `setting = "ip"` takes the value out of `ip=…,gw=…`; `before = "/"` keeps what stands before; `sole = true`
//! takes a resource only when no other party has the same, and `maybe = true` leaves out, with a remark, what is no resource or
//! a private address. In a list, a text that lacks one of its fields is left out. `@stem` and `@number` are of the file's name, `@member` is the
//! name of a row that is a member of an object.
//!
//! A field that looks like a password, key or token is refused wherever it stands.

mod json;
mod parse;
mod read;
mod text;
mod xml;

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use toml::de::DeTable;

use super::columns::Column;
pub use read::{FileName, Rows, read};

/// How the rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Delimited text, whose first line names the fields.
    Csv,
    /// An array of objects, somewhere in a document; or an object per line.
    Json,
    /// Elements of one path in a document.
    Xml,
    /// A row a line, `name: value`, with the fields `name` and `value`.
    Pairs,
    /// `key=value` or `key: value` lines, which together are a row.
    Settings,
}

/// A description of somebody's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    kind: Kind,
    separator: Option<u8>,
    rows: Vec<String>,
    single: bool,
    total: Vec<String>,
    begins: String,
    date_format: Option<String>,
    /// Where the clock hung that dates without a zone were read from; UTC when nobody says.
    zone: Option<TimeZone>,
    columns: Columns,
    also: Vec<Columns>,
    skip_when: Vec<(Field, Vec<String>)>,
    /// Fields that no row has are not worth a remark: the description is not its reader's own.
    quiet: bool,
}

/// Columns, each with the places it may come from.
type Columns = Vec<(Column, Vec<Origin>)>;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Origin {
    parts: Vec<Part>,
    /// The key whose value is taken out of `key=value,key=value`.
    setting: String,
    /// Only what stands before this is taken.
    before: String,
    /// Characters at which the text is cut into several; line ends among them.
    split: String,
    /// Of a resource: only when no other party has it.
    sole: bool,
    /// Of a resource: left out with a remark when it is none that anybody could have alone.
    maybe: bool,
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

impl Mapping {
    /// Reads a description.
    ///
    /// # Errors
    /// [`MapError`] for what is not TOML, unknown keys and columns (with what was perhaps meant), fields that look like
    /// secrets, and descriptions that name no party.
    pub fn parse(text: &str) -> Result<Mapping, MapError> {
        let table = document(text)?;
        parse::Parser { text }.mapping(table.get_ref(), 1, &[])
    }

    /// Reads a description that is part of another document; `others` are keys that its caller reads.
    pub(crate) fn of_table(text: &str, table: &DeTable<'_>, line: usize, others: &[&'static str]) -> Result<Mapping, MapError> {
        Ok(Mapping { quiet: true, ..parse::Parser { text }.mapping(table, line, others)? })
    }

    /// How the rows are written.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The first step to the rows of JSON or XML.
    pub(crate) fn first_step(&self) -> Option<&str> {
        self.rows.first().map(String::as_str)
    }

    /// Whether what is there is one row.
    pub(crate) fn is_single(&self) -> bool {
        self.single
    }
}

/// The table of a TOML document.
pub(crate) fn document(text: &str) -> Result<toml::Spanned<DeTable<'_>>, MapError> {
    DeTable::parse(text).map_err(|error| MapError {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        reason: error.message().to_owned(),
    })
}

/// The line of a place in a text; the first is 1.
pub(crate) fn line_of(text: &str, place: usize) -> usize {
    1 + text.as_bytes().iter().take(place).filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests;
