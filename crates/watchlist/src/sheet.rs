//! A table from a file that somebody made in a spreadsheet: XLSX or CSV, as rows of texts whose every cell has its place ("B7").
//!
//! What opens here comes from outside and is bounded: bytes, rows, columns, the length of a cell, and what an archive unpacks to. A cell that
//! lost something on its way (a number of more digits than a spreadsheet keeps, a formula that failed) is a [`Fault`] and has no text, since a
//! wrong number is worse than none. A table that cannot be trusted as a whole (a quote that is never closed) is [`Unreadable`].

mod csv;
mod encoding;
mod xlsx;

use std::fmt;

/// The most bytes of an XLSX file: 200 MiB.
pub const MOST_XLSX: usize = 200 << 20;
/// The most bytes of a CSV file: 1 GiB. It is held in memory once.
pub const MOST_CSV: usize = 1 << 30;
/// The most rows, those of a full worksheet of Excel. A CSV may have ten times as many.
pub const MOST_ROWS: u32 = 1_048_576;
/// The most columns.
pub const MOST_COLUMNS: usize = 256;
/// The most characters in a cell, which is Excel's own bound.
pub const MOST_CELL: usize = 32_767;

/// A file that was opened. [`Sheet::rows`] reads it.
pub struct Sheet {
    name: String,
    source: Source,
    remarks: Vec<Remark>,
}

enum Source {
    Csv(csv::Text),
    Xlsx(Box<xlsx::Book>),
}

/// What a reader of the table should know, and nobody has to act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// The text is not UTF-8 and was read as Windows-1252: accented letters may be others.
    Windows1252,
    /// This many pieces of the text are not UTF-8, though the rest is; each was replaced by U+FFFD.
    Damaged(usize),
    /// The workbook has other worksheets, which were not read.
    OtherWorksheets(Vec<String>),
    /// What separates the columns of a CSV, as found in its first row.
    Delimiter(char),
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Windows1252 => f.write_str(
                "the text is not UTF-8 and was read as Windows-1252; if accented letters look wrong, save it as \"CSV UTF-8\"",
            ),
            Remark::Damaged(pieces) => write!(f, "{pieces} pieces of the text are not UTF-8 and could not be read"),
            Remark::OtherWorksheets(names) => write!(f, "only one worksheet was read; the others are: {}", names.join(", ")),
            Remark::Delimiter('\t') => f.write_str("columns are separated by tabs"),
            Remark::Delimiter(delimiter) => write!(f, "columns are separated by \"{delimiter}\""),
        }
    }
}

/// Why a file is no table that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// It has nothing in it.
    Empty,
    /// It has more bytes than this.
    TooBig(usize),
    /// It is neither text nor a workbook.
    NotATable,
    /// A workbook of before 2007, or one under a password.
    OldExcel,
    /// A workbook of OpenDocument.
    OpenDocument,
    /// The archive unpacks to more than a workbook needs, or its parts are built to fill the memory; which part.
    Bomb(String),
    /// The archive or its XML is damaged; how.
    Damaged(String),
    /// There is no such worksheet.
    NoWorksheet(String),
    /// There are more rows than this.
    TooManyRows(u32),
    /// There are more columns than [`MOST_COLUMNS`]; at which place.
    TooManyColumns(String),
    /// A quote is opened here and never closed.
    OpenQuote(String),
    /// A cell is longer than [`MOST_CELL`]; at which place.
    LongCell(String),
    /// Rows do not follow each other; at which place.
    Order(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::Empty => f.write_str("the file is empty"),
            Unreadable::TooBig(most) => write!(f, "the file is larger than {} MiB; split it", most >> 20),
            Unreadable::NotATable => f.write_str("this is neither a CSV nor an XLSX workbook; save it as one of them"),
            Unreadable::OldExcel => f.write_str(
                "this is a workbook of before 2007 or one with a password; save it as XLSX without a password, or as CSV",
            ),
            Unreadable::OpenDocument => f.write_str("this is an OpenDocument workbook; save it as XLSX or CSV"),
            Unreadable::Bomb(part) => {
                write!(
                    f,
                    "its part {part} unpacks to more than a workbook needs; open it in a spreadsheet and save it again, or save it as CSV"
                )
            }
            Unreadable::Damaged(how) => write!(f, "the workbook is damaged ({how}); open it in a spreadsheet and save it again"),
            Unreadable::NoWorksheet(name) => write!(f, "the workbook has no worksheet {name} with cells"),
            Unreadable::TooManyRows(most) => write!(f, "there are more than {most} rows; split the file"),
            Unreadable::TooManyColumns(place) => {
                write!(f, "there are more than {MOST_COLUMNS} columns ({place}); leave out what is not needed")
            }
            Unreadable::OpenQuote(place) => {
                write!(
                    f,
                    "the quote in front of cell {place} is never closed, so what follows it cannot be told apart; mend that cell"
                )
            }
            Unreadable::LongCell(place) => {
                write!(f, "cell {place} has more than {MOST_CELL} characters; a quote in it or before it is probably not closed")
            }
            Unreadable::Order(place) => {
                write!(f, "the rows at {place} are not in their order; open it in a spreadsheet and save it again")
            }
        }
    }
}

impl std::error::Error for Unreadable {}

/// Why a cell has no text, though something stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A number of more than fifteen digits, of which a spreadsheet keeps only the first fifteen.
    Digits,
    /// A formula that failed ("#REF!").
    Formula,
    /// Something follows the closing quote: a quote within the cell was not doubled, and what follows may be another row's.
    Quote,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Digits => "a number of more than fifteen digits, of which the spreadsheet lost the last; format the column as text and enter it anew",
            Fault::Formula => "a formula that failed; put the value itself in the cell",
            Fault::Quote => "something follows its closing quote; write quotes within a cell twice, and look whether the next row is in it",
        })
    }
}

impl Sheet {
    /// Opens a file. What it is, its bytes say; its name is only kept. Of a workbook the first visible worksheet with cells is read.
    ///
    /// # Errors
    /// When it is no table, or too large a one.
    pub fn open(bytes: Vec<u8>, name: &str) -> Result<Sheet, Unreadable> {
        Sheet::opened(bytes, name, None)
    }

    /// Opens a workbook at the worksheet of this name. Of a CSV, which has none, that is not looked at.
    ///
    /// # Errors
    /// As [`Sheet::open`], and when there is no such worksheet.
    pub fn open_worksheet(bytes: Vec<u8>, name: &str, worksheet: &str) -> Result<Sheet, Unreadable> {
        Sheet::opened(bytes, name, Some(worksheet))
    }

    fn opened(bytes: Vec<u8>, name: &str, worksheet: Option<&str>) -> Result<Sheet, Unreadable> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Unreadable::Empty);
        }
        if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(Unreadable::OldExcel);
        }
        let mut remarks = Vec::new();
        let source = if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            Source::Xlsx(Box::new(xlsx::Book::open(bytes, worksheet, &mut remarks)?))
        } else {
            Source::Csv(csv::Text::open(bytes, &mut remarks)?)
        };
        Ok(Sheet { name: name.to_owned(), source, remarks })
    }

    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a reader of the table should know.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// The rows from the first. Rows with nothing in them are passed over, but counted.
    ///
    /// # Errors
    /// When the worksheet cannot be opened.
    pub fn rows(&mut self) -> Result<Rows<'_>, Unreadable> {
        Ok(Rows(match &mut self.source {
            Source::Csv(text) => Reading::Csv(text.rows()),
            Source::Xlsx(book) => Reading::Xlsx(Box::new(book.rows()?)),
        }))
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Customers' data does not belong in messages.
        f.debug_struct("Sheet").field("name", &self.name).field("remarks", &self.remarks).finish_non_exhaustive()
    }
}

/// Reads one row after another.
pub struct Rows<'s>(Reading<'s>);

enum Reading<'s> {
    Csv(csv::Rows<'s>),
    Xlsx(Box<xlsx::Rows<'s>>),
}

impl Rows<'_> {
    /// Reads the next row into `row`, whose memory is used again. False at the end.
    ///
    /// # Errors
    /// When the table cannot be read any further; rows before stay good.
    pub fn read(&mut self, row: &mut Row) -> Result<bool, Unreadable> {
        match &mut self.0 {
            Reading::Csv(rows) => rows.read(row),
            Reading::Xlsx(rows) => rows.read(row),
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut row = Row::default();
        match self.read(&mut row) {
            Ok(true) => Some(Ok(row)),
            Ok(false) => None,
            Err(unreadable) => Some(Err(unreadable)),
        }
    }
}

/// A row of cells.
#[derive(Clone, Default)]
pub struct Row {
    number: u32,
    text: String,
    /// Where each cell ends in `text`.
    ends: Vec<usize>,
    faults: Vec<(usize, Fault)>,
}

impl Row {
    /// Its number, from 1, as a spreadsheet shows it.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How many cells it has, to the last that is written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether nothing stands in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.faults.is_empty()
    }

    /// The text of a cell, without blanks around it. Empty where there is none, and where there is a [`Fault`].
    #[must_use]
    pub fn cell(&self, column: usize) -> &str {
        let start = column.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied());
        match (start, self.ends.get(column)) {
            (Some(start), Some(end)) => self.text.get(start..*end).unwrap_or_default().trim(),
            _ => "",
        }
    }

    /// The texts of all cells.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|column| self.cell(column))
    }

    /// Cells that have something in them which could not be read, by their columns from 0.
    #[must_use]
    pub fn faults(&self) -> &[(usize, Fault)] {
        &self.faults
    }

    /// The place of a cell as a spreadsheet shows it: "B7".
    #[must_use]
    pub fn place(&self, column: usize) -> String {
        place(column, self.number)
    }

    fn start(&mut self, number: u32) {
        self.number = number;
        self.text.clear();
        self.ends.clear();
        self.faults.clear();
    }

    /// Ends the cell whose text was put in last.
    fn end_cell(&mut self) {
        self.ends.push(self.text.len());
    }

    /// Takes away what was put in since the last cell, and says why.
    fn fault(&mut self, fault: Fault) {
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
        self.faults.push((self.ends.len(), fault));
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Customers' data does not belong in messages.
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("cells", &self.ends.len())
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

/// The name of a place: letters for the column (from 0), then the row (from 1).
#[must_use]
pub fn place(column: usize, row: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column;
    loop {
        letters.push(char::from(b'A' + u8::try_from(rest % 26).unwrap_or(0)));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => break,
        }
    }
    letters.iter().rev().collect::<String>() + &row.to_string()
}

#[cfg(test)]
mod tests;
