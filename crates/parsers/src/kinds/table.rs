//! Lists and feeds that are lines: comments, perhaps a header, and rows whose columns have a fixed meaning.
//!
//! A list is data: a [`Table`] says how its lines are cut, its [`Layout`] what the columns hold. One bad row costs one row. Rows
//! that are not lines (JSON, XML) have a [`Layout`] too and go through the same [`Sheet`].

mod layout;
mod row;
mod sheet;
pub mod times;

pub use layout::{Each, Layout, Means, Repeat, Sender, When, Written};
pub use row::{Row, mended, transport};
pub use sheet::{Cells, Sheet};

use memchr::memmem;
use model::time::Time;

use super::csv::{Item, Record, Records, column_name};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::Source;

/// A list of lines.
#[derive(Clone, Copy)]
pub struct Table {
    /// What its rows say.
    pub layout: Layout,
    /// What stands between columns.
    pub between: Between,
    /// Bytes that begin a comment when they begin a line.
    pub comments: &'static [u8],
    /// Whether a line before the first row names the columns: in a comment or not. When none does, they are as in the layout.
    pub header: bool,
}

impl Table {
    /// Comma-separated rows under comments with `#`.
    pub const PLAIN: Table = Table { layout: Layout::PLAIN, between: Between::Quoted(b','), comments: b"#", header: false };
}

/// What stands between columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// This byte; a column may stand in quotation marks (RFC 4180).
    Quoted(u8),
    /// The same with a blank behind each: `"a", "b"`.
    Spaced(u8),
    /// This byte; quotation marks are text.
    Plain(u8),
    /// Blanks and tabs, as many as there are.
    Blanks,
    /// Nothing: a line is one column.
    Nothing,
}

/// Reads a list.
///
/// # Errors
/// As [`crate::read::read`].
pub fn read(reading: &mut Reading<'_>, source: &mut Source<'_>, table: &'static Table) -> Result<(), Stop> {
    let limit = reading.hint.limits.line;
    let mut records = match table.between {
        Between::Quoted(byte) => Records::new(source, byte, limit),
        Between::Spaced(byte) => Records::new(source, byte, limit).spaced(),
        Between::Plain(byte) => Records::new(source, byte, limit).unquoted(),
        Between::Blanks | Between::Nothing => Records::new(source, b'\n', limit).unquoted(),
    }
    .with_comments(table.comments);
    let mut head = Head { table, names: Vec::new(), time: None };
    let mut sheets: Vec<Sheet> = Vec::new();
    let mut cuts = Vec::new();
    while let Some(item) = records.next_item()? {
        let record = match item {
            Item::Record(record) => record,
            Item::Spoilt { line, text, reason } => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &format!("line {line}"), text, reason);
                continue;
            }
        };
        let text = record.text();
        if text.first().is_some_and(|byte| table.comments.contains(byte)) {
            if sheets.is_empty() {
                head.comment(text);
            }
            continue;
        }
        if text.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            continue;
        }
        let cells = Cut::of(record, table.between, &mut cuts);
        if sheets.is_empty() {
            let named = table.header && head.header(&cells);
            sheets = head.sheets(reading);
            if named {
                continue;
            }
        }
        for sheet in &mut sheets {
            for nth in 0..sheet.reports_of(&cells) {
                let ordinal = reading.ordinal();
                match sheet.row(&cells, nth, reading, ordinal) {
                    Ok(core) => reading.report(core)?,
                    Err(reason) => reading.reject(ordinal, &format!("line {}", record.line), text, reason),
                }
            }
        }
    }
    for note in sheets.iter().flat_map(Sheet::afterwards) {
        reading.note("", note);
    }
    Ok(())
}

/// What stands before the first row.
struct Head {
    table: &'static Table,
    names: Vec<String>,
    time: Option<Time>,
}

impl Head {
    fn comment(&mut self, line: &[u8]) {
        let start = line.iter().position(|byte| !self.table.comments.contains(byte)).unwrap_or(line.len());
        let text = line.get(start..).unwrap_or_default().trim_ascii();
        if let When::Comment(mark, written) = self.table.layout.when
            && self.time.is_none()
            && let Some(at) = memmem::find(text, mark.as_bytes())
        {
            self.time = sheet::time(written, text.get(at + mark.len()..).unwrap_or_default().trim_ascii());
        }
        if self.table.header {
            // `# Format: report|ip|…`: what stands before the names is no name.
            let separator = match self.table.between {
                Between::Quoted(byte) | Between::Spaced(byte) | Between::Plain(byte) => byte,
                Between::Blanks | Between::Nothing => b' ',
            };
            let first = memchr::memchr(separator, text).unwrap_or(text.len());
            let label = memchr::memrchr(b':', text.get(..first).unwrap_or_default()).map_or(0, |colon| colon + 1);
            let parts = text.get(label..).unwrap_or_default().split(|byte| *byte == separator);
            let names = parts.take(super::csv::COLUMNS).map(column_name).collect();
            self.take(names);
        }
    }

    /// Whether a line that is no comment is the header.
    fn header(&mut self, cells: &Cut<'_>) -> bool {
        let names = (0..cells.len().min(super::csv::COLUMNS)).map(|at| column_name(cells.get(at))).collect();
        self.take(names)
    }

    /// Takes names for those of the columns when at least half of the layout's are among them, or half of them are the layout's.
    fn take(&mut self, names: Vec<String>) -> bool {
        let columns = self.table.layout.columns;
        let known = columns.iter().filter(|(name, _)| names.iter().any(|other| other == name)).count();
        let fits = known > 0 && (known * 2 >= columns.len() || (known > 1 && known * 2 >= names.len()));
        if fits {
            self.names = names;
        }
        fits
    }

    fn sheets(&mut self, reading: &mut Reading<'_>) -> Vec<Sheet> {
        let mut sheets: Vec<Sheet> = Vec::new();
        let mut next = Some(&self.table.layout);
        while let Some(layout) = next {
            let mut names = self.names.clone();
            if names.is_empty() {
                names = layout.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
            }
            let mut sheet = match sheets.first() {
                None => Sheet::new(layout, names, reading),
                Some(first) => first.beside(layout, names, reading),
            };
            sheet.of_list = self.time;
            sheets.push(sheet);
            next = layout.also;
        }
        sheets
    }
}

/// A row cut into its columns.
enum Cut<'a> {
    Record(Record<'a>),
    Words(&'a [u8], &'a [(u32, u32)]),
}

impl<'a> Cut<'a> {
    fn of(record: Record<'a>, between: Between, cuts: &'a mut Vec<(u32, u32)>) -> Cut<'a> {
        if between != Between::Blanks {
            return Cut::Record(record);
        }
        let text = record.text();
        cuts.clear();
        let mut at = 0;
        while at < text.len() && cuts.len() <= super::csv::COLUMNS {
            let start = at + text.iter().skip(at).take_while(|byte| byte.is_ascii_whitespace()).count();
            let end = start + text.iter().skip(start).take_while(|byte| !byte.is_ascii_whitespace()).count();
            if end > start {
                cuts.push((start as u32, end as u32));
            }
            at = end.max(at + 1);
        }
        Cut::Words(text, cuts)
    }
}

impl Cells for Cut<'_> {
    fn len(&self) -> usize {
        match self {
            Cut::Record(record) => record.len(),
            Cut::Words(_, cuts) => cuts.len(),
        }
    }

    #[inline]
    fn get(&self, column: usize) -> &[u8] {
        match self {
            Cut::Record(record) => record.get(column),
            Cut::Words(text, cuts) => {
                cuts.get(column).and_then(|(start, end)| text.get(*start as usize..*end as usize)).unwrap_or_default()
            }
        }
    }
}
