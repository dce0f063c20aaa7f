//! Delimited text (RFC 4180, as people really write it): a stream cut into records, without an allocation per record.
//!
//! A field that begins with `"` runs to the next single `"`, line ends included; `""` stands for one. Anything else
//! is taken as it stands. A record ends with LF, CRLF or CR; empty lines are no records; a UTF-8 mark at the start is
//! skipped. NULs and bytes that are not UTF-8 are kept.
//!
//! What cannot be a record is handed out as [`Item::Spoilt`], so that nothing vanishes: a record longer than the
//! limit, and a line whose quotation mark is never closed (only that line; reading goes on with the next).

use std::io::{self, Read};

use crate::read::REJECT_TEXT;
use crate::source::PREFIX;

const BUFFER: usize = 128 << 10;

/// Columns that are read of a header; rows with more fields are set aside.
pub const COLUMNS: usize = 1_000;

/// Records of one stream of delimited text.
pub struct Records<'r> {
    reader: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// Where the next record begins in `buffer`, and where what was read ends.
    at: usize,
    filled: usize,
    ended: bool,
    started: bool,
    separator: u8,
    quotes: Quotes,
    /// Lines so far whose quotation mark nothing closed.
    spoilt: u32,
    /// Bytes that begin a comment when they begin a line.
    comments: &'static [u8],
    limit: usize,
    line: u64,
    /// Place of `buffer[0]` in the stream.
    base: u64,
    fields: Vec<Span>,
    scratch: Vec<u8>,
}

/// After how many lines with a quotation mark that nothing closes no record may go over several lines.
const SPOILT: u32 = 16;

/// A field: in the record's text, or (when it had doubled quotes) in the scratch space.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    end: u32,
}

/// Set in both ends of a span that lies in the scratch space. Limits keep records far below this.
const IN_SCRATCH: u32 = 1 << 31;

/// When a quotation mark opens a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// When it is the field's first byte.
    First,
    /// When it is, or when only one blank stands before it.
    Spaced,
    /// Never.
    Never,
}

/// One record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    text: &'a [u8],
    scratch: &'a [u8],
    fields: &'a [Span],
    /// The line it begins on, from 1.
    pub line: u64,
    /// The byte it begins at, from 0.
    pub offset: u64,
}

/// What stands next in the stream.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A record.
    Record(Record<'a>),
    /// Text that is no record.
    Spoilt {
        /// The line it begins on, from 1.
        line: u64,
        /// Its beginning, at most [`REJECT_TEXT`] bytes.
        text: &'a [u8],
        /// What is wrong.
        reason: &'static str,
    },
}

impl<'a> Record<'a> {
    /// Number of fields, at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// The field at `index`, without its quotes; empty when the record is shorter than that.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        match self.fields.get(index) {
            Some(span) if span.start < IN_SCRATCH => &self.text[span.start as usize..span.end as usize],
            Some(span) => &self.scratch[(span.start - IN_SCRATCH) as usize..(span.end - IN_SCRATCH) as usize],
            None => b"",
        }
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let record = *self;
        (0..record.len()).map(move |index| record.get(index))
    }

    /// The fields of a header, as they are compared; at most [`COLUMNS`].
    pub fn names(&self) -> Vec<String> {
        self.iter().take(COLUMNS).map(column_name).collect()
    }

    /// The record as it stands in the stream, without its line end.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }
}

enum Scan {
    /// A record of this many bytes, and of this many with its line end.
    Whole(usize, usize),
    /// The text ends before the record does.
    Open { quoted: bool },
}

impl<'r> Records<'r> {
    /// Records of `reader`, fields apart by `separator`, none longer than `limit` bytes (at most 1 GiB).
    pub fn new(reader: &'r mut dyn Read, separator: u8, limit: usize) -> Records<'r> {
        Records {
            reader,
            buffer: Vec::new(),
            at: 0,
            filled: 0,
            ended: false,
            started: false,
            separator,
            quotes: Quotes::First,
            spoilt: 0,
            comments: b"",
            limit: limit.min(1 << 30),
            line: 1,
            base: 0,
            fields: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// The same without quotation marks: they are text like any other, and a record is always a line.
    #[must_use]
    pub fn unquoted(mut self) -> Records<'r> {
        self.quotes = Quotes::Never;
        self
    }

    /// The same for rows with a blank behind each separator: `"a", "b"`.
    #[must_use]
    pub fn spaced(mut self) -> Records<'r> {
        self.quotes = Quotes::Spaced;
        self
    }

    /// The same with lines that begin with one of these bytes taken as they stand: each is a record of one field.
    #[must_use]
    pub fn with_comments(mut self, comments: &'static [u8]) -> Records<'r> {
        self.comments = comments;
        self
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn next_item(&mut self) -> io::Result<Option<Item<'_>>> {
        if !self.started {
            self.started = true;
            self.fill()?;
            if self.buffer[..self.filled].starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
            }
        }
        loop {
            self.skip_empty_lines();
            if self.at == self.filled {
                if self.ended {
                    return Ok(None);
                }
                self.fill()?;
                continue;
            }
            let text = &self.buffer[self.at..self.filled];
            // At the end all of the rest is here; each line that spoils itself had all of it looked through.
            let alone = self.ended && self.spoilt >= SPOILT;
            let text = if alone { memchr::memchr(b'\n', text).map_or(text, |end| &text[..=end]) } else { text };
            let comment = text.first().is_some_and(|byte| self.comments.contains(byte));
            let (separator, quotes) = if comment { (b'\n', Quotes::Never) } else { (self.separator, self.quotes) };
            match scan(text, self.ended, separator, quotes, &mut self.fields, &mut self.scratch) {
                Scan::Whole(length, with_end) if length <= self.limit => {
                    let start = self.at;
                    let line = self.line;
                    self.at += with_end;
                    let text = &self.buffer[start..start + length];
                    // Only quoted fields hold line ends, and most records are on one line.
                    self.line += 1 + memchr::memchr_iter(b'\n', text).count() as u64;
                    let offset = self.base + start as u64;
                    return Ok(Some(Item::Record(Record { text, scratch: &self.scratch, fields: &self.fields, line, offset })));
                }
                Scan::Open { quoted: true } if self.ended && text.len() <= self.limit => return Ok(Some(self.spoilt_line())),
                Scan::Open { .. } if !self.ended && text.len() <= self.limit => self.fill()?,
                Scan::Open { .. } | Scan::Whole(..) => return self.skip_record().map(Some),
            }
        }
    }

    /// Skips line ends before a record. A CR at the very end of what was read waits for its LF.
    fn skip_empty_lines(&mut self) {
        while let Some(byte) = self.buffer[..self.filled].get(self.at) {
            match byte {
                b'\n' => self.line += 1,
                b'\r' if self.buffer[..self.filled].get(self.at + 1) != Some(&b'\n') => self.line += 1,
                b'\r' => {}
                _ => return,
            }
            self.at += 1;
        }
    }

    /// Moves what is left to the front and reads until the buffer is full; a record that fills it makes it grow.
    fn fill(&mut self) -> io::Result<()> {
        if self.at > 0 {
            self.buffer.copy_within(self.at..self.filled, 0);
            self.base += self.at as u64;
            self.filled -= self.at;
            self.at = 0;
        }
        if self.filled == self.buffer.len() {
            // Two bytes more than the longest record, to see its line end.
            let most = (self.limit + 2).max(BUFFER);
            let size = (self.buffer.len() * 2).clamp(BUFFER, most).max(self.filled + 1);
            self.buffer.resize(size, 0);
        }
        while self.filled < self.buffer.len() && !self.ended {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Hands out the first line of a record that does not end.
    ///
    /// No time is lost on a stream full of such lines: after [`SPOILT`] of them, a record is sought in its own line only.
    fn spoilt_line(&mut self) -> Item<'_> {
        self.spoilt = self.spoilt.saturating_add(1);
        let (start, line) = (self.at, self.line);
        let text = &self.buffer[start..self.filled];
        let length = memchr::memchr2(b'\n', b'\r', text).unwrap_or(text.len());
        self.at += length;
        let text = &text[..length.min(REJECT_TEXT)];
        Item::Spoilt { line, text, reason: "a quotation mark opens a field here and none closes it" }
    }

    /// Skips a record that is longer than the limit, keeping its beginning.
    fn skip_record(&mut self) -> io::Result<Item<'_>> {
        let line = self.line;
        self.scratch.clear();
        let comment = self.buffer.get(self.at).is_some_and(|byte| self.comments.contains(byte));
        // Where no quotation mark counts, the first byte is never seen as the start of a field.
        let quotes = self.quotes != Quotes::Never && !comment;
        let mut state = if quotes { State::Start } else { State::Plain };
        let mut closed = true;
        'stream: loop {
            for (index, &byte) in self.buffer[self.at..self.filled].iter().enumerate() {
                self.line += u64::from(byte == b'\n');
                state = state.after(byte, if quotes { self.separator } else { b'\n' });
                if let State::End = state {
                    // The line end is read again, and counted, as an empty line.
                    self.line -= u64::from(byte == b'\n');
                    self.at += index;
                    break 'stream;
                }
                if self.scratch.len() < REJECT_TEXT {
                    self.scratch.push(byte);
                }
            }
            self.at = self.filled;
            if self.ended {
                closed = !matches!(state, State::Quoted);
                break;
            }
            self.fill()?;
        }
        let reason = if closed {
            "the record is longer than a record may be"
        } else {
            "the record is longer than a record may be, and no quotation mark closes its field before the end of the file"
        };
        Ok(Item::Spoilt { line, text: &self.scratch, reason })
    }
}

/// Where a byte-by-byte reader stands in a record; the slow twin of [`scan`], for records too long to hold.
#[derive(Clone, Copy)]
enum State {
    Start,
    Plain,
    Quoted,
    Quote,
    End,
}

impl State {
    fn after(self, byte: u8, separator: u8) -> State {
        match (self, byte) {
            (State::Start, b'"') => State::Quoted,
            (State::Quoted, b'"') => State::Quote,
            (State::Quote, b'"') | (State::Quoted, _) => State::Quoted,
            (_, b'\n' | b'\r') => State::End,
            (_, byte) if byte == separator => State::Start,
            _ => State::Plain,
        }
    }
}

/// Cuts the record at the start of `text` into fields.
fn scan(text: &[u8], ended: bool, separator: u8, quotes: Quotes, fields: &mut Vec<Span>, scratch: &mut Vec<u8>) -> Scan {
    fields.clear();
    scratch.clear();
    let mut at = 0;
    loop {
        if quotes == Quotes::Spaced && text.get(at) == Some(&b' ') && text.get(at + 1) == Some(&b'"') {
            at += 1;
        }
        let start = at;
        if quotes != Quotes::Never && text.get(at) == Some(&b'"') {
            let Some((span, after)) = quoted(text, start, ended, separator, scratch) else {
                return Scan::Open { quoted: true };
            };
            fields.push(span);
            at = after;
        } else {
            at = find(text, at, separator);
            fields.push(Span { start: start as u32, end: at as u32 });
        }
        match text.get(at) {
            Some(b'\n') => return Scan::Whole(at, at + 1),
            Some(b'\r') => match text.get(at + 1) {
                Some(b'\n') => return Scan::Whole(at, at + 2),
                None if !ended => return Scan::Open { quoted: false },
                _ => return Scan::Whole(at, at + 1),
            },
            Some(_) => at += 1,
            None if ended => return Scan::Whole(at, at),
            None => return Scan::Open { quoted: false },
        }
    }
}

/// The field that begins with the `"` at `start`, and where it ends: at a separator, a line end or the end of `text`.
#[inline]
fn quoted(text: &[u8], start: usize, ended: bool, separator: u8, scratch: &mut Vec<u8>) -> Option<(Span, usize)> {
    let first = start + 1;
    let close = find_byte(text, first, b'"')?;
    match text.get(close + 1) {
        Some(&byte) if byte == separator || byte == b'\n' || byte == b'\r' => {
            Some((Span { start: first as u32, end: close as u32 }, close + 1))
        }
        None if ended => Some((Span { start: first as u32, end: close as u32 }, close + 1)),
        None => None,
        Some(_) => quoted_with_quotes(text, first, close, ended, separator, scratch),
    }
}

/// The same for a field with doubled quotes, or with text behind its closing quote, which is taken as it stands.
#[cold]
fn quoted_with_quotes(
    text: &[u8],
    first: usize,
    close: usize,
    ended: bool,
    separator: u8,
    scratch: &mut Vec<u8>,
) -> Option<(Span, usize)> {
    let start = scratch.len() as u32 | IN_SCRATCH;
    let (mut from, mut close) = (first, close);
    let end = loop {
        scratch.extend_from_slice(&text[from..close]);
        match text.get(close + 1) {
            Some(b'"') => {
                scratch.push(b'"');
                from = close + 2;
                close = find_byte(text, from, b'"')?;
            }
            None if !ended => return None,
            _ => {
                let end = find(text, close + 1, separator);
                scratch.extend_from_slice(&text[close + 1..end]);
                break end;
            }
        }
    };
    Some((Span { start, end: scratch.len() as u32 | IN_SCRATCH }, end))
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// The high bit of each byte of `word` that is `byte`; the lowest set bit is always right, higher ones may not be.
#[inline]
fn equal(word: u64, byte: u8) -> u64 {
    let difference = word ^ (ONES * u64::from(byte));
    difference.wrapping_sub(ONES) & !difference & HIGHS
}

/// The first separator or line end at or after `from`, or the end. Fields are short: eight bytes at a time beat a call
/// into a vector search.
#[inline]
fn find(text: &[u8], from: usize, separator: u8) -> usize {
    let mut at = from;
    while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*eight);
        let found = equal(word, separator) | equal(word, b'\n') | equal(word, b'\r');
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| byte == separator || byte == b'\n' || byte == b'\r').unwrap_or(rest.len())
}

/// The first `byte` at or after `from`.
#[inline]
fn find_byte(text: &[u8], from: usize, byte: u8) -> Option<usize> {
    let mut at = from;
    for _ in 0..4 {
        let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
        let found = equal(u64::from_le_bytes(*eight), byte);
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr::memchr(byte, text.get(at..)?).map(|found| at + found)
}

/// The fields of the first record of a text, for a look at a header; empty when there is none.
pub fn first_record(prefix: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let text = prefix.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix);
    let start = text.iter().position(|byte| !matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    let text = &text[start..];
    // A file of nothing but separators has millions of fields; no record that tells what a file is is as long as that.
    let text = &text[..text.len().min(PREFIX)];
    let (mut fields, mut scratch) = (Vec::new(), Vec::new());
    match scan(text, true, separator, Quotes::First, &mut fields, &mut scratch) {
        Scan::Whole(length, _) if length > 0 => {
            let record = Record { text, scratch: &scratch, fields: &fields, line: 1, offset: 0 };
            record.iter().map(<[u8]>::to_vec).collect()
        }
        _ => Vec::new(),
    }
}

/// The columns of the first record, as they are compared; empty when there is none.
pub fn header_of(prefix: &[u8]) -> Vec<String> {
    first_record(prefix, separator(prefix)).iter().take(COLUMNS).map(|name| column_name(name)).collect()
}

/// A column's name as it is compared: lower case, without blanks and stray quotes around it, blanks inside as `_`.
pub fn column_name(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(&name[..name.len().min(200)]);
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{feff}' || c == '\0');
    name.to_ascii_lowercase().replace(|c: char| c.is_whitespace(), "_")
}

/// The separator of a file by its first line: of comma, semicolon, tab and bar the one that is there most often.
pub fn separator(prefix: &[u8]) -> u8 {
    let line = &prefix[..memchr::memchr2(b'\n', b'\r', prefix).unwrap_or(prefix.len())];
    let mut best = (0, b',');
    for candidate in [b',', b';', b'\t', b'|'] {
        let count = memchr::memchr_iter(candidate, line).count();
        if count > best.0 {
            best = (count, candidate);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a few bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn many_lines_that_nothing_closes_cost_one_look_each() {
        let text = [b"\"a\",\"b\n".repeat(40_000), b"c,d\n".to_vec()].concat();
        let items = read(&text, 4_096, b',', 1 << 20);
        assert_eq!(items.len(), 40_001);
        assert_eq!(items.last().map(String::as_str), Some("40001: c|d"));
    }

    /// Records as `line: field|field`, spoilt text as `line! text`.
    fn read(text: &[u8], step: usize, separator: u8, limit: usize) -> Vec<String> {
        let mut drip = Drip(text, step);
        let mut records = Records::new(&mut drip, separator, limit);
        let mut out = Vec::new();
        while let Some(item) = records.next_item().unwrap() {
            out.push(match item {
                Item::Record(record) => {
                    assert!(text[record.offset as usize..].starts_with(record.text()));
                    let fields: Vec<_> = record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
                    format!("{}: {}", record.line, fields.join("|"))
                }
                Item::Spoilt { line, text, .. } => format!("{line}! {}", String::from_utf8_lossy(text)),
            });
        }
        out
    }

    #[test]
    fn records_as_people_write_them() {
        for (text, expected) in [
            ("", vec![]),
            ("\u{feff}a,b\n1,2\n", vec!["1: a|b", "2: 1|2"]),
            ("a,b\r\n1,2", vec!["1: a|b", "2: 1|2"]),
            ("a\r\rb\r", vec!["1: a", "3: b"]),
            ("a,\n,\n", vec!["1: a|", "2: |"]),
            ("\n\n\"\"\n", vec!["3: "]),
            ("\"a\nb\",c\nd", vec!["1: a\nb|c", "3: d"]),
            ("\"a \"\"b\"\" c\",d\n", vec!["1: a \"b\" c|d"]),
            ("\"a\" b,\"c\"d\"e\",f\n", vec!["1: a b|cd\"e\"|f"]),
            ("a\"b\"\"c,d\n", vec!["1: a\"b\"\"c|d"]),
            ("a\0b,\u{0}\n", vec!["1: a\0b|\0"]),
            ("a\n\"b,c\nd,e\n", vec!["1: a", "2! \"b,c", "3: d|e"]),
            ("a,b\n\"never closed", vec!["1: a|b", "2! \"never closed"]),
        ] {
            for step in [1, 2, 3, 1000] {
                assert_eq!(read(text.as_bytes(), step, b',', 1000), expected, "{text:?} by {step}");
            }
        }
        assert_eq!(read(b"a;b,c\n", 9, b';', 100), ["1: a|b,c"]);
        assert_eq!(first_record(b"\xef\xbb\xbf\r\n\"a\"\"\",b\r\nc", b','), [&b"a\""[..], b"b"]);
        assert!(first_record(b"", b',').is_empty() && first_record(b"\"a", b',').is_empty());
        assert_eq!(read(b"a\xff,b\n", 9, b',', 100), ["1: a\u{fffd}|b"]);
    }

    #[test]
    fn a_record_over_the_limit_is_one_spoilt_item() {
        let long = "x".repeat(300_000);
        let text = format!("a\n{long},\"y\nz\",{long}\r\nb\n");
        let found = read(text.as_bytes(), 7_000, b',', 200_000);
        assert_eq!(found.len(), 3);
        assert_eq!((&*found[0], &*found[2]), ("1: a", "4: b"));
        assert_eq!(found[1].len(), "2! ".len() + REJECT_TEXT);
        let text = format!("a\n\"{long}\nb\n");
        assert_eq!(read(text.as_bytes(), 7_000, b',', 200_000).len(), 2);
        let found = read(format!("{}\nb\n", "y".repeat(11)).as_bytes(), 1, b',', 10);
        assert_eq!(found, ["1! yyyyyyyyyyy", "2: b"]);
        assert_eq!(read(b"0123456789\nb\n", 1, b',', 10), ["1: 0123456789", "2: b"]);
    }

    /// What `csv-core` makes of the text: its state machine is the same, apart from quotes that never close.
    fn reference(text: &[u8], separator: u8) -> Vec<Vec<Vec<u8>>> {
        let mut reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
        let (mut records, mut record) = (Vec::new(), Vec::new());
        let (mut field, mut input) = (Vec::new(), text);
        loop {
            let mut out = [0; 64];
            let (result, read, written) = reader.read_field(input, &mut out);
            input = &input[read..];
            field.extend_from_slice(&out[..written]);
            match result {
                csv_core::ReadFieldResult::Field { record_end } => {
                    record.push(std::mem::take(&mut field));
                    if record_end {
                        records.push(std::mem::take(&mut record));
                    }
                }
                csv_core::ReadFieldResult::End => return records,
                _ => {}
            }
        }
    }

    proptest! {
        #[test]
        fn records_are_those_of_csv_core(
            parts in proptest::collection::vec(prop_oneof![
                Just("\""), Just(","), Just("\n"), Just("\r\n"), Just("\r"), Just("\"\""), Just(";"), Just("ab"),
                Just("a longer field of text"), Just("\u{e9}\u{0}"), Just(",\""), Just("\","),
            ], 0..60),
            step in 1usize..40,
            semicolon in any::<bool>(),
        ) {
            let text = parts.concat();
            let separator = if semicolon { b';' } else { b',' };
            let mut drip = Drip(text.as_bytes(), step);
            let mut records = Records::new(&mut drip, separator, 1 << 20);
            let mut expected = reference(text.as_bytes(), separator).into_iter();
            while let Some(item) = records.next_item().unwrap() {
                let Item::Record(record) = item else { return Ok(()) };
                let fields: Vec<_> = record.iter().map(<[u8]>::to_vec).collect();
                prop_assert_eq!(Some(fields), expected.next());
                let lines = text.as_bytes()[..record.offset as usize].iter().filter(|byte| **byte == b'\n').count() as u64;
                prop_assert!(record.line > lines);
            }
            prop_assert_eq!(expected.next(), None);
        }

        #[test]
        fn any_bytes_are_cut_the_same_whatever_the_steps(
            text in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'\n')], 0..300),
            step in 1usize..20,
            limit in 1usize..100,
        ) {
            prop_assert_eq!(read(&text, step, b',', limit), read(&text, 10_000, b',', limit));
        }
    }
}
