//! Rows of a CSV (RFC 4180), as spreadsheets of different countries write it: columns by comma, semicolon, tab or bar, lines by LF, CRLF or CR.
//!
//! It is read here and not by a library since every row has to have the number that a spreadsheet shows for it, empty lines counted, and
//! since a quote that is out of place must be seen: it makes two customers one.

use super::{Fault, MOST_CELL, MOST_COLUMNS, MOST_CSV, MOST_ROWS, Remark, Row, Unreadable, encoding, place};

const DELIMITERS: [u8; 4] = *b",;\t|";

pub(super) struct Text {
    text: String,
    /// Where the first row starts, and its number: after a line that names the delimiter ("sep=;", which Excel writes).
    start: (usize, u32),
    delimiter: u8,
}

impl Text {
    pub(super) fn open(bytes: Vec<u8>, remarks: &mut Vec<Remark>) -> Result<Text, Unreadable> {
        if bytes.len() > MOST_CSV {
            return Err(Unreadable::TooBig(MOST_CSV));
        }
        let text = encoding::decode(bytes, remarks)?;
        if text.trim().is_empty() {
            return Err(Unreadable::Empty);
        }
        let first = text.split(['\r', '\n']).next().unwrap_or_default();
        let named = first.get(..4).filter(|head| head.eq_ignore_ascii_case("sep=")).and_then(|_| first.as_bytes().get(4..));
        let (start, delimiter) = match named {
            Some([delimiter]) if DELIMITERS.contains(delimiter) => {
                let after =
                    first.len() + if text.get(first.len()..).is_some_and(|rest| rest.starts_with("\r\n")) { 2 } else { 1 };
                ((after.min(text.len()), 2), *delimiter)
            }
            _ => ((0, 1), found_delimiter(&text)),
        };
        remarks.push(Remark::Delimiter(char::from(delimiter)));
        Ok(Text { text, start, delimiter })
    }

    pub(super) fn rows(&self) -> Rows<'_> {
        Rows { text: &self.text, at: self.start.0, number: self.start.1, delimiter: self.delimiter }
    }
}

/// The delimiter that stands most often in the first row with anything in it, outside quotes. A comma where there is none.
fn found_delimiter(text: &str) -> u8 {
    let mut counts = [0usize; DELIMITERS.len()];
    let mut quoted = false;
    let mut seen = false;
    for byte in text.bytes().take(1 << 20) {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && seen => break,
            _ if !quoted => {
                for (count, _) in counts.iter_mut().zip(DELIMITERS).filter(|(_, delimiter)| *delimiter == byte) {
                    *count += 1;
                }
            }
            _ => {}
        }
        seen |= !byte.is_ascii_whitespace();
    }
    let most = counts.into_iter().max().unwrap_or(0);
    counts.into_iter().zip(DELIMITERS).find(|(count, _)| *count == most && most > 0).map_or(b',', |(_, delimiter)| delimiter)
}

pub(super) struct Rows<'t> {
    text: &'t str,
    at: usize,
    number: u32,
    delimiter: u8,
}

/// What ended a cell.
#[derive(PartialEq)]
enum End {
    Cell,
    Row,
}

impl Rows<'_> {
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, Unreadable> {
        let outcome = self.gather(row);
        if outcome.is_err() {
            // Where cells end is not known any more.
            self.at = self.text.len();
        }
        outcome
    }

    fn gather(&mut self, row: &mut Row) -> Result<bool, Unreadable> {
        while self.at < self.text.len() {
            if self.number > MOST_ROWS.saturating_mul(10) {
                return Err(Unreadable::TooManyRows(MOST_ROWS.saturating_mul(10)));
            }
            row.start(self.number);
            while self.cell(row)? == End::Cell {}
            self.number = self.number.saturating_add(1);
            if !row.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a cell and what ends it.
    fn cell(&mut self, row: &mut Row) -> Result<End, Unreadable> {
        let column = row.len();
        let rest = self.text.get(self.at..).unwrap_or_default();
        if column >= MOST_COLUMNS {
            return Err(Unreadable::TooManyColumns(place(column, self.number)));
        }
        let start = row.text.len();
        let plain = match rest.strip_prefix('"') {
            Some(quoted) => self.quoted(row, quoted, column)?,
            None => rest,
        };
        // What is left of the cell is not quoted: of a cell that was, nothing should be.
        let delimiter = self.delimiter;
        let length = plain.bytes().position(|byte| byte == delimiter || byte == b'\n' || byte == b'\r').unwrap_or(plain.len());
        let (piece, after) = plain.split_at(length);
        row.text.push_str(piece);
        if row.text.len() - start > MOST_CELL && row.text.get(start..).is_some_and(|cell| cell.chars().count() > MOST_CELL) {
            return Err(Unreadable::LongCell(place(column, self.number)));
        }
        if rest.starts_with('"') && !piece.trim().is_empty() {
            row.fault(Fault::Quote);
        }
        row.end_cell();
        let (end, width) = match after.as_bytes() {
            [b'\r', b'\n', ..] => (End::Row, 2),
            [b'\r' | b'\n', ..] => (End::Row, 1),
            [] => (End::Row, 0),
            _ => (End::Cell, 1),
        };
        self.at = self.text.len() - after.len() + width;
        Ok(end)
    }

    /// Puts a quoted text into the row, its doubled quotes as one, and gives what follows the closing quote.
    fn quoted<'t>(&self, row: &mut Row, text: &'t str, column: usize) -> Result<&'t str, Unreadable> {
        let mut rest = text;
        loop {
            let Some((piece, after)) = rest.split_once('"') else {
                return Err(Unreadable::OpenQuote(place(column, self.number)));
            };
            row.text.push_str(piece);
            // Four bytes a character at most; what is longer has swallowed rows.
            if text.len() - after.len() > 4 * MOST_CELL {
                return Err(Unreadable::LongCell(place(column, self.number)));
            }
            match after.strip_prefix('"') {
                Some(next) => {
                    row.text.push('"');
                    rest = next;
                }
                None => return Ok(after),
            }
        }
    }
}
