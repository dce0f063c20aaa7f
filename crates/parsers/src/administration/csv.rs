//! Administrations as CSV in the columns that Sluis documents ([`super::columns::TABLE`]), in any order.
//!
//! The first line names the columns; it also shows whether `,`, `;` or a tab separates them. A row is an assignment, a
//! party, or both; a party may be told of in any number of rows.

use std::io::{self, Read};

use csv_core::ReadRecordResult;
use model::administration::Snapshot;

use super::columns::Column;
use super::rows::{Builder, Row, place};
use super::{Finding, Findings, Limits, is_secret};

/// Fields that one record may have.
const FIELDS: usize = 4_096;

/// Reads an administration. `separator` is `None` to see it from the first line.
pub fn read(reader: &mut dyn Read, separator: Option<u8>, limits: &Limits) -> (Snapshot, Vec<Finding>) {
    let mut builder = Builder::default();
    rows(reader, separator, limits, &mut builder);
    builder.finish()
}

/// Reads the rows of one file into `builder`.
pub(super) fn rows(reader: &mut dyn Read, separator: Option<u8>, limits: &Limits, builder: &mut Builder) {
    let mut records = Records::new(reader, separator, limits.record);
    let mut columns: Vec<Option<Column>> = Vec::new();
    let mut row = Row::default();
    let mut first = true;
    while let Some(record) = records.next_record(&mut builder.findings) {
        if first {
            first = false;
            columns = header(&record, &mut builder.findings);
            if columns.iter().all(Option::is_none) {
                let reason = || "the first line names no column of Sluis; describe other files with --map".to_owned();
                builder.findings.lose(|| place(1), "", reason);
                break;
            }
            continue;
        }
        if record.len() > columns.len() && record.fields().skip(columns.len()).any(|field| !field.trim_ascii().is_empty()) {
            let (line, got, wanted) = (record.line, record.len(), columns.len());
            let reason = || {
                format!("it has {got} fields and the first line names {wanted}; a separator inside a field needs \"…\" around it")
            };
            builder.findings.lose(|| place(line), "", reason);
            continue;
        }
        row.clear();
        for (column, field) in columns.iter().zip(record.fields()) {
            if let Some(column) = column {
                row.set(*column, &mended(field));
            }
        }
        builder.row(record.line, &row);
    }
}

/// The columns of the first line.
fn header(record: &Record<'_>, findings: &mut Findings) -> Vec<Option<Column>> {
    let mut columns: Vec<Option<Column>> = Vec::new();
    for field in record.fields() {
        let name = mended(field);
        let column = Column::parse(&name);
        if column.is_some() && columns.contains(&column) {
            findings.note(|| place(record.line), &name, || "the column is there twice; the first is read".to_owned());
            columns.push(None);
            continue;
        }
        if column.is_none() && is_secret(&name) {
            findings.note(
                || place(record.line),
                &name,
                || "the column looks like a secret: it is not read and not kept".to_owned(),
            );
        } else if column.is_none() && !name.trim().is_empty() {
            let reason = || match Column::nearest(&name) {
                Some(near) => format!("the column is not known and not read; did you mean '{near}'?"),
                None => "the column is not known and not read".to_owned(),
            };
            findings.note(|| place(record.line), &name, reason);
        }
        columns.push(column);
    }
    columns
}

/// The text of a field: UTF-8, or else Latin-1, in which older systems export. Control characters become blanks.
pub(super) fn mended(field: &[u8]) -> String {
    without_controls(match std::str::from_utf8(field) {
        Ok(text) => text.to_owned(),
        Err(_) => field.iter().copied().map(char::from).collect(),
    })
}

/// A text whose control characters are blanks; ends of lines stay, for lists stand on several.
pub(super) fn without_controls(text: String) -> String {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
    }
    text
}

/// The separator that a first line shows: of `,`, `;` and tab the one that is there most often outside quotes.
pub(super) fn separator_of(start: &[u8]) -> u8 {
    let mut counts = [(0usize, b','), (0, b';'), (0, b'\t')];
    let mut quoted = false;
    for byte in start {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            byte if !quoted => counts.iter_mut().filter(|(_, separator)| separator == byte).for_each(|(count, _)| *count += 1),
            _ => {}
        }
    }
    let best = counts.iter().rev().max_by_key(|(count, _)| *count);
    best.map_or(b',', |(_, separator)| *separator)
}

/// One record: its fields, unquoted.
pub(super) struct Record<'r> {
    /// The line it began in.
    pub(super) line: u64,
    bytes: &'r [u8],
    ends: &'r [usize],
}

impl<'r> Record<'r> {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &'r [u8]> {
        let (bytes, ends) = (self.bytes, self.ends);
        let mut from = 0;
        ends.iter().map(move |end| {
            let field = bytes.get(from..*end).unwrap_or_default();
            from = *end;
            field
        })
    }
}

/// The records of a reader, none longer than a bound (RFC 4180, and what people make of it).
pub(super) struct Records<'a> {
    reader: &'a mut dyn Read,
    csv: csv_core::Reader,
    input: Vec<u8>,
    at: usize,
    filled: usize,
    separator: Option<u8>,
    limit: usize,
    output: Vec<u8>,
    ends: Vec<usize>,
    started: bool,
    ended: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(reader: &'a mut dyn Read, separator: Option<u8>, limit: usize) -> Records<'a> {
        Records {
            reader,
            csv: csv_core::Reader::new(),
            input: vec![0; 256 << 10],
            at: 0,
            filled: 0,
            separator,
            limit,
            output: vec![0; 4 << 10],
            ends: vec![0; 64],
            started: false,
            ended: false,
        }
    }

    /// Looks at the beginning: the byte order mark goes, the separator is seen.
    fn start(&mut self) -> io::Result<()> {
        while self.filled < self.input.len() {
            let count = read_some(self.reader, &mut self.input[self.filled..])?;
            if count == 0 {
                break;
            }
            self.filled += count;
        }
        if self.input[..self.filled].starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        }
        let separator = self.separator.unwrap_or_else(|| separator_of(&self.input[self.at..self.filled]));
        self.csv = csv_core::ReaderBuilder::new().delimiter(separator).build();
        self.started = true;
        Ok(())
    }

    /// The next record; records over the bound are left out with a finding. `None` at the end, also when the reader fails.
    pub(super) fn next_record(&mut self, findings: &mut Findings) -> Option<Record<'_>> {
        match self.advance(findings) {
            Ok(Some((line, length, fields))) => Some(Record { line, bytes: &self.output[..length], ends: &self.ends[..fields] }),
            Ok(None) => None,
            Err(error) => {
                self.ended = true;
                let line = self.csv.line();
                findings.lose(|| place(line), "", || format!("reading stopped here: {error}"));
                None
            }
        }
    }

    fn advance(&mut self, findings: &mut Findings) -> io::Result<Option<(u64, usize, usize)>> {
        if !self.started {
            self.start()?;
        }
        let (mut length, mut fields, mut too_long) = (0, 0, false);
        let mut line = self.csv.line();
        while !self.ended {
            if self.at == self.filled {
                self.at = 0;
                self.filled = read_some(self.reader, &mut self.input)?;
            }
            // An empty input tells the reader that this is the end.
            let (result, read, wrote, ended) =
                self.csv.read_record(&self.input[self.at..self.filled], &mut self.output[length..], &mut self.ends[fields..]);
            self.at += read;
            length += wrote;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < self.limit => {
                    self.output.resize((self.output.len() * 2).min(self.limit), 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (length, fields, too_long) = (0, 0, true);
                }
                ReadRecordResult::Record if too_long => {
                    let limit = self.limit;
                    let reason = || format!("a row of over {limit} bytes or {FIELDS} fields; is a quote left open?");
                    findings.lose(|| place(line), "", reason);
                    (length, fields, too_long) = (0, 0, false);
                    line = self.csv.line();
                }
                ReadRecordResult::Record => return Ok(Some((line, length, fields))),
                ReadRecordResult::End => self.ended = true,
            }
        }
        Ok(None)
    }
}

fn read_some(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::assignment::Level;
    use model::party::{Channel, Role};

    fn read_text(text: &[u8]) -> (Snapshot, Vec<Finding>) {
        let mut reader = text;
        read(&mut reader, None, &Limits::default())
    }

    #[test]
    fn a_file_with_everything_in_it_and_a_broken_row() {
        let text = "\u{feff}resource;from;to;level;party;party_name;parent;contact_mail;contact_hours;notify;trade_names;password;produkt;kyc_checked;resells\n\
            192.0.2.0/24;2024-02-29;;allocated;P1;Duinhost B.V.;;abuse@duinhost.example;24/7;;\"Duin; Duinhost\";hunter2;x;2025-01-02;nee\n\
            192.0.2.64/26;01-03-2025;;sub allocated;P2;Kade;P1;abuse@kade.example;;no;;;;;ja\n\
            192.0.2.65;01-03-2025 13:37:00;2026-01-01T00:00:00+01:00;;P3;;P2;;;;;;;;\n\
            192.0.2.1/24;;;;P3;;;;;;;;;;\n\
            shop.example;2026-02-30;;;P3;;;;;;;;;;\n\
            198.51.100.9 - 198.51.100.2;;;;P3;;;;;;;;;;\n\
            AS64496;;;;P1;Other name;;;;;;;;;\n\
            192.0.2.66;;;;;;;;;;;;;;\n\
            192.0.2.67;;;;P4;Oak;too;many;fields;;;;;;;;x\n\
            account:da01.example/c1042;;;;P3;;;;;;;;;;\n";
        let (snapshot, findings) = read_text(text.as_bytes());
        let rows: Vec<String> =
            snapshot.assignments.iter().map(|row| format!("{} {} {}", row.resource, row.party, row.period)).collect();
        assert_eq!(
            rows,
            [
                "192.0.2.0/24 P1 2024-02-29T00:00:00Z until now",
                "192.0.2.64/26 P2 2025-03-01T00:00:00Z until now",
                "192.0.2.65 P3 2025-03-01T13:37:00Z until 2025-12-31T23:00:00Z",
                "AS64496 P1 unknown until now",
                "account:da01.example/c1042 P3 unknown until now",
            ]
        );
        assert_eq!(snapshot.assignments[1].level, Level::SubAllocated);
        let p1 = &snapshot.parties[0];
        assert_eq!((p1.name.as_str(), p1.trade_names.len(), p1.kyc.resells), ("Duinhost B.V.", 2, Some(false)));
        assert_eq!((p1.contacts[0].channel, p1.contacts[0].hours.as_str()), (Channel::Mail, "24/7"));
        assert_eq!(p1.roles, [Role::Provider, Role::Customer]);
        assert!(!snapshot.parties[1].contacts[0].notify && snapshot.parties[1].parent.as_deref() == Some("P1"));
        assert_eq!(snapshot.parties.len(), 3);
        assert!(!snapshot.complete);
        let all = format!("{findings:?}");
        for expected in [
            "did you mean 'product'",
            "looks like a secret",
            "did you mean 192.0.2.0/24",
            "not a date",
            "above the last",
            "names no party",
            "needs \\\"…\\\"",
            "which stands",
        ] {
            assert!(all.contains(expected), "{expected}: {findings:#?}");
        }
        assert!(!all.contains("hunter2"), "a secret is never quoted");
        let place = |text: &str| findings.iter().find(|finding| finding.text == text).map(|finding| finding.place.clone());
        assert_eq!(place("192.0.2.1/24").as_deref(), Some("line 5"));
    }

    #[test]
    fn separators_are_seen() {
        for (text, expected) in [
            ("resource,party", b','),
            ("resource;party", b';'),
            ("resource\tparty", b'\t'),
            ("party", b','),
            ("\"a,b,c\";d\n,,,,", b';'),
        ] {
            assert_eq!(separator_of(text.as_bytes()), expected, "{text:?}");
        }
        let (snapshot, findings) = read_text(b"first,last,party\n192.0.2.1,192.0.2.9,A\n192.0.2.20,,A\n");
        assert_eq!((snapshot.assignments.len(), findings.len(), snapshot.complete), (2, 0, true));
    }

    #[test]
    fn hostile_bytes_cost_their_row() {
        for (why, text, assignments) in [
            ("NULs", &b"resource,party\n192.0.2.1,\0\0A\0\n"[..], 1),
            ("invalid UTF-8", b"resource,party\n192.0.2.1,Caf\xe9\n", 1),
            (
                "bogus zone",
                b"resource,party,from\n192.0.2.1,A,2026-01-01T00:00:00 CEST\n192.0.2.2,A,2026-01-01T00:00+99:99\n192.0.2.3,A,\n",
                1,
            ),
            ("nothing", b"", 0),
            ("no columns of ours", b"\x00\x01\x02", 0),
            ("a quote left open", b"resource,party\n192.0.2.1,A\n192.0.2.2,\"A\n192.0.2.3,A\n", 2),
        ] {
            let (snapshot, _) = read_text(text);
            assert_eq!(snapshot.assignments.len(), assignments, "{why}");
        }
        let mut bomb =
            (&b"resource,party\n192.0.2.1,\""[..]).chain(io::repeat(b'x').take(1 << 28)).chain(&b"\"\n192.0.2.2,A\n"[..]);
        let (snapshot, findings) = read(&mut bomb, None, &Limits::default());
        assert_eq!((snapshot.assignments.len(), snapshot.complete), (1, false));
        assert!(findings[0].reason.contains("quote left open"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_safe(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
            let mut whole = b"resource;party;from;to;level;roles;country\n".to_vec();
            whole.extend_from_slice(&text);
            let _ = read_text(&whole);
        }
    }
}
