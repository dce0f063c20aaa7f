//! The rows of a database dump: SQL text as `mysqldump` and `mariadb-dump` write it, read as a stream.
//!
//! Only `CREATE TABLE` (for the names of columns) and `INSERT INTO … VALUES` are understood; everything else is passed over
//! with its quotes and comments respected. Columns whose name looks like a secret are dropped before anybody sees them.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read};

use crate::administration::is_secret;

/// Columns that one table may have, and fields one row.
const COLUMNS: usize = 512;
/// Tables of which columns are kept.
const TABLES: usize = 1_000;
/// Bytes of a name.
const NAME: usize = 128;

/// A row of a table.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// The line in which it begins.
    pub(super) line: u64,
    columns: Vec<String>,
    fields: Vec<Option<Vec<u8>>>,
    /// Whether a field was longer than allowed, and so is missing.
    pub(super) is_cut: bool,
}

impl Row {
    /// The bytes of a column; `None` for NULL, and for what the table does not have.
    pub(super) fn bytes(&self, name: &str) -> Option<&[u8]> {
        let at = self.columns.iter().position(|column| column == name)?;
        self.fields.get(at)?.as_deref()
    }

    /// The text of a column, mended to UTF-8 without control characters; empty for NULL.
    pub(super) fn text(&self, name: &str) -> String {
        let text = self.bytes(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
        crate::administration::csv::without_controls(text).trim().to_owned()
    }

    /// Whether the table has this column.
    pub(super) fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }
}

/// What comes next in a dump.
pub(super) enum Next {
    /// A row of this table.
    Row(&'static str),
    /// Something that cannot be read: line and reason. Reading goes on behind it.
    Broken(u64, String),
    /// The end.
    End,
}

/// A dump that is being read.
pub(super) struct Dump<R> {
    bytes: Bytes<R>,
    wanted: &'static [&'static str],
    limit: usize,
    tables: HashMap<String, Vec<String>>,
    /// The table whose rows are being read, if one is, and the columns of this statement.
    open: Option<(&'static str, Vec<String>)>,
}

impl<R: Read> Dump<R> {
    /// Reads rows of `wanted` tables; a field has at most `limit` bytes.
    pub(super) fn new(reader: R, wanted: &'static [&'static str], limit: usize) -> Dump<R> {
        let bytes = Bytes { reader: BufReader::with_capacity(256 << 10, reader), line: 1 };
        Dump { bytes, wanted, limit, tables: HashMap::new(), open: None }
    }

    /// The next row, put into `row`.
    ///
    /// # Errors
    /// Those of the reader.
    pub(super) fn next_into(&mut self, row: &mut Row) -> io::Result<Next> {
        loop {
            if let Some((table, columns)) = self.open.take() {
                row.line = self.bytes.line;
                match self.row(row, columns.len())? {
                    Ok(true) => {
                        row.columns.clone_from(&columns);
                        for (column, field) in row.columns.iter().zip(&mut row.fields) {
                            if is_secret(column) {
                                *field = None;
                            }
                        }
                        self.open = Some((table, columns));
                        return Ok(Next::Row(table));
                    }
                    Ok(false) => continue,
                    Err(reason) => {
                        let line = row.line;
                        self.skip_statement()?;
                        return Ok(Next::Broken(
                            line,
                            format!("a row of '{table}': {reason}; the rest of its statement is not read"),
                        ));
                    }
                }
            }
            self.bytes.skip_blank()?;
            let line = self.bytes.line;
            let word = self.bytes.word()?;
            match word.as_str() {
                "" => match self.bytes.next()? {
                    None => return Ok(Next::End),
                    // A statement that begins with something else.
                    Some(b';') => {}
                    Some(byte) => {
                        self.bytes.skip_quoted(byte)?;
                        self.skip_statement()?;
                    }
                },
                "create" => self.create()?,
                "insert" | "replace" => {
                    if let Err(reason) = self.insert()? {
                        self.skip_statement()?;
                        return Ok(Next::Broken(line, reason));
                    }
                }
                _ => self.skip_statement()?,
            }
        }
    }

    /// `CREATE TABLE name (column …, …)`: the names of its columns.
    fn create(&mut self) -> io::Result<()> {
        self.bytes.skip_blank()?;
        let mut word = self.bytes.word()?;
        if word != "table" {
            return self.skip_statement();
        }
        loop {
            self.bytes.skip_blank()?;
            match self.bytes.peek()? {
                Some(b'`' | b'"') => break,
                _ => {
                    word = self.bytes.word()?;
                    // IF NOT EXISTS, before the name.
                    if !matches!(word.as_str(), "if" | "not" | "exists") {
                        break;
                    }
                }
            }
        }
        let table = if matches!(self.bytes.peek()?, Some(b'`' | b'"')) { self.bytes.name()? } else { word };
        self.bytes.skip_blank()?;
        if self.bytes.peek()? != Some(b'(') {
            return self.skip_statement();
        }
        self.bytes.next()?;
        let mut columns = Vec::new();
        loop {
            self.bytes.skip_blank()?;
            if matches!(self.bytes.peek()?, Some(b'`' | b'"')) {
                let name = self.bytes.name()?;
                if columns.len() < COLUMNS {
                    columns.push(name.to_lowercase());
                }
            }
            // The rest of the definition, up to the comma or the bracket that ends it.
            if !self.skip_item()? {
                break;
            }
        }
        if self.wanted.contains(&table.as_str()) && self.tables.len() < TABLES {
            self.tables.insert(table, columns);
        }
        self.skip_statement()
    }

    /// `INSERT INTO name [(columns)] VALUES`: what follows are rows.
    fn insert(&mut self) -> io::Result<Result<(), String>> {
        let mut table = String::new();
        for _ in 0..6 {
            self.bytes.skip_blank()?;
            if matches!(self.bytes.peek()?, Some(b'`' | b'"')) {
                table = self.bytes.name()?;
                break;
            }
            let word = self.bytes.word()?;
            if !matches!(word.as_str(), "into" | "ignore" | "low_priority" | "delayed") {
                table = word;
                break;
            }
        }
        let Some(wanted) = self.wanted.iter().copied().find(|wanted| *wanted == table) else {
            self.skip_statement()?;
            return Ok(Ok(()));
        };
        self.bytes.skip_blank()?;
        let mut columns = None;
        if self.bytes.peek()? == Some(b'(') {
            self.bytes.next()?;
            let mut named = Vec::new();
            loop {
                self.bytes.skip_blank()?;
                let name =
                    if matches!(self.bytes.peek()?, Some(b'`' | b'"')) { self.bytes.name()? } else { self.bytes.word()? };
                if named.len() < COLUMNS {
                    named.push(name.to_lowercase());
                }
                if !self.skip_item()? {
                    break;
                }
            }
            columns = Some(named);
            self.bytes.skip_blank()?;
        }
        let word = self.bytes.word()?;
        if word != "values" && word != "value" {
            return Ok(Err(format!("rows of '{wanted}' that are not written as VALUES")));
        }
        let Some(columns) = columns.or_else(|| self.tables.get(wanted).cloned()) else {
            return Ok(Err(format!("rows of '{wanted}' before its CREATE TABLE: dump the structure with the data")));
        };
        self.open = Some((wanted, columns));
        Ok(Ok(()))
    }

    /// The next `(…)` of a VALUES list; false when the list has ended.
    fn row(&mut self, row: &mut Row, columns: usize) -> io::Result<Result<bool, String>> {
        self.bytes.skip_blank()?;
        let mut byte = self.bytes.next()?;
        if byte == Some(b',') {
            self.bytes.skip_blank()?;
            byte = self.bytes.next()?;
        }
        match byte {
            Some(b'(') => {}
            Some(b';') => return Ok(Ok(false)),
            None => return Ok(Err("the dump ends here".to_owned())),
            Some(byte) => {
                self.bytes.skip_quoted(byte)?;
                return Ok(Err("a bracket is missing".to_owned()));
            }
        }
        row.fields.clear();
        row.is_cut = false;
        loop {
            self.bytes.skip_blank()?;
            let mut field = None;
            match self.bytes.peek()? {
                Some(quote @ (b'\'' | b'"')) => {
                    self.bytes.next()?;
                    let mut bytes = Vec::new();
                    match self.bytes.quoted(quote, Some((&mut bytes, self.limit)))? {
                        Quoted::Whole => field = Some(bytes),
                        Quoted::Cut => row.is_cut = true,
                        Quoted::Open => return Ok(Err("a quote is left open".to_owned())),
                    }
                }
                Some(_) => {
                    let word = self.bytes.value(self.limit)?;
                    let lower = word.to_ascii_lowercase();
                    if lower.starts_with('_') && matches!(self.bytes.peek_after_blank()?, Some(b'\'' | b'"')) {
                        // _binary 'bytes': the string that follows is the value.
                        continue;
                    }
                    field = match lower.as_str() {
                        "null" => None,
                        "true" => Some(b"1".to_vec()),
                        "false" => Some(b"0".to_vec()),
                        _ => Some(unhex(&lower).unwrap_or_else(|| word.into_bytes())),
                    };
                }
                None => return Ok(Err("the dump ends here".to_owned())),
            }
            row.fields.push(field);
            if row.fields.len() > COLUMNS {
                return Ok(Err(format!("over {COLUMNS} fields")));
            }
            self.bytes.skip_blank()?;
            // What does not belong here is left where it is: it may be a quote.
            let byte = self.bytes.peek()?;
            if matches!(byte, Some(b',' | b')')) {
                self.bytes.next()?;
            }
            match byte {
                Some(b',') => {}
                Some(b')') => break,
                None => return Ok(Err("the dump ends here".to_owned())),
                Some(_) => return Ok(Err("neither a comma nor a bracket behind a value".to_owned())),
            }
        }
        if row.fields.len() != columns {
            let got = row.fields.len();
            return Ok(Err(format!("it has {got} fields, and the table has {columns} columns")));
        }
        Ok(Ok(true))
    }

    /// Passes over the rest of an item of a list in brackets; whether another follows.
    fn skip_item(&mut self) -> io::Result<bool> {
        let mut depth = 0u32;
        while let Some(byte) = self.bytes.next()? {
            match byte {
                b'(' => depth = depth.saturating_add(1),
                b')' if depth == 0 => return Ok(false),
                b')' => depth -= 1,
                b',' if depth == 0 => return Ok(true),
                byte => self.bytes.skip_quoted(byte)?,
            }
        }
        Ok(false)
    }

    /// Passes over the rest of a statement.
    fn skip_statement(&mut self) -> io::Result<()> {
        while let Some(byte) = self.bytes.next()? {
            match byte {
                b';' => break,
                byte => self.bytes.skip_quoted(byte)?,
            }
        }
        Ok(())
    }
}

/// `0xC0000201` as bytes.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() % 2 == 0 && digits.is_ascii())?;
    let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// How a quoted text ended.
enum Quoted {
    Whole,
    /// It was longer than allowed.
    Cut,
    /// It did not end.
    Open,
}

/// Bytes one by one, with a look at the next.
struct Bytes<R> {
    reader: BufReader<R>,
    line: u64,
}

impl<R: Read> Bytes<R> {
    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.reader.fill_buf() {
                Ok(bytes) => return Ok(bytes.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.reader.consume(1);
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// The second byte from here, if it is in the buffer: enough for `--` and `/*`.
    fn second(&mut self) -> io::Result<Option<u8>> {
        self.peek()?;
        Ok(self.reader.buffer().get(1).copied())
    }

    fn peek_after_blank(&mut self) -> io::Result<Option<u8>> {
        self.skip_blank()?;
        self.peek()
    }

    /// Passes over blanks and comments.
    fn skip_blank(&mut self) -> io::Result<()> {
        loop {
            match self.peek()? {
                Some(byte) if byte.is_ascii_whitespace() => drop(self.next()?),
                Some(b'#') => self.skip_line()?,
                Some(b'-') if self.second()? == Some(b'-') => self.skip_line()?,
                Some(b'/') if self.second()? == Some(b'*') => {
                    self.next()?;
                    self.next()?;
                    let mut star = false;
                    while let Some(byte) = self.next()? {
                        if star && byte == b'/' {
                            break;
                        }
                        star = byte == b'*';
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<()> {
        while self.next()?.is_some_and(|byte| byte != b'\n') {}
        Ok(())
    }

    /// A word of letters, digits and `_`, in lower case; empty when something else stands here.
    fn word(&mut self) -> io::Result<String> {
        let mut word = String::new();
        while let Some(byte) = self.peek()?.filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            self.next()?;
            if word.len() < NAME {
                word.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        Ok(word)
    }

    /// A number or a word as a value: up to a comma, a bracket or a blank.
    fn value(&mut self, limit: usize) -> io::Result<String> {
        let mut value = String::new();
        while let Some(byte) = self.peek()?.filter(|byte| !byte.is_ascii_whitespace() && !b",();'\"`".contains(byte)) {
            self.next()?;
            if value.len() < limit {
                value.push(char::from(byte));
            }
        }
        Ok(value)
    }

    /// A name in back quotes or double quotes.
    fn name(&mut self) -> io::Result<String> {
        let Some(quote) = self.next()? else { return Ok(String::new()) };
        let mut bytes = Vec::new();
        self.quoted(quote, Some((&mut bytes, NAME)))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Passes over a quoted text, if this byte begins one; or over a comment's beginning, which is none here.
    fn skip_quoted(&mut self, byte: u8) -> io::Result<()> {
        if matches!(byte, b'\'' | b'"' | b'`') {
            self.quoted(byte, None)?;
        }
        Ok(())
    }

    /// The text up to the closing quote. Two quotes are one; a backslash goes before what is meant otherwise, but not in
    /// back quotes.
    fn quoted(&mut self, quote: u8, mut into: Option<(&mut Vec<u8>, usize)>) -> io::Result<Quoted> {
        let mut cut = false;
        loop {
            let Some(mut byte) = self.next()? else { return Ok(Quoted::Open) };
            if byte == quote {
                if self.peek()? != Some(quote) {
                    return Ok(if cut { Quoted::Cut } else { Quoted::Whole });
                }
                self.next()?;
            } else if byte == b'\\' && quote != b'`' {
                let Some(escaped) = self.next()? else { return Ok(Quoted::Open) };
                byte = match escaped {
                    b'0' => 0,
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 8,
                    b'Z' => 26,
                    other => other,
                };
            }
            if let Some((bytes, limit)) = &mut into {
                if bytes.len() < *limit {
                    bytes.push(byte);
                } else {
                    cut = true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &[u8]) -> Vec<String> {
        let mut dump = Dump::new(text, &["t", "notes"], 64);
        let mut row = Row::default();
        let mut found = Vec::new();
        loop {
            match dump.next_into(&mut row).unwrap() {
                Next::End => return found,
                Next::Broken(line, reason) => found.push(format!("line {line}: {reason}")),
                Next::Row(table) => {
                    let fields: Vec<String> = row.columns.iter().map(|column| format!("{column}={}", row.text(column))).collect();
                    found.push(format!("{table} {}{}", fields.join(" "), if row.is_cut { " cut" } else { "" }));
                }
            }
        }
    }

    const CREATE: &str = "-- MySQL dump\n/*!40101 SET NAMES utf8 */;\nCREATE TABLE IF NOT EXISTS `t` (\n  `id` int(10) unsigned NOT NULL,\n  \
        `name` enum('a','b),(c') DEFAULT 'x;y',\n  `api_token` text,\n  PRIMARY KEY (`id`),\n  KEY `n` (`name`)\n) ENGINE=InnoDB;\n";

    #[test]
    fn rows_are_found_whatever_is_around_them() {
        let text = format!(
            "{CREATE}LOCK TABLES `t` WRITE;\nINSERT INTO `other` VALUES (1,'SLUIS-SECRET; INSERT INTO `t` VALUES (9)');\n\
             INSERT INTO `t` VALUES (1,'it''s \\'so\\'; -- no comment','SLUIS-SECRET'),\n(2,NULL,NULL) , (3, _binary 'x\\n\\0y', 'z');\n\
             insert ignore into t (name, id) values ('only', -4.5), (0x414243, 7); UNLOCK TABLES;\n"
        );
        assert_eq!(
            rows(text.as_bytes()),
            [
                "t id=1 name=it's 'so'; -- no comment api_token=",
                "t id=2 name= api_token=",
                "t id=3 name=x\n y api_token=",
                "t name=only id=-4.5",
                "t name=ABC id=7"
            ]
        );
    }

    #[test]
    fn what_is_broken_costs_its_statement() {
        for (statement, expected) in [
            ("INSERT INTO t VALUES (1,'a');", "it has 2 fields, and the table has 3 columns"),
            ("INSERT INTO t VALUES (1,'a' 'b',NULL);", "neither a comma nor a bracket"),
            ("INSERT INTO t VALUES 1,2,3;", "a bracket is missing"),
            ("INSERT INTO t SELECT * FROM x;", "not written as VALUES"),
            ("INSERT INTO notes VALUES (1);", "before its CREATE TABLE"),
        ] {
            let text = format!("{CREATE}{statement}\nINSERT INTO `t` VALUES (5,'after','');");
            let found = rows(text.as_bytes());
            assert!(found[0].contains(expected), "{statement}: {found:?}");
            assert_eq!(found.last().unwrap(), "t id=5 name=after api_token=", "{statement}");
        }
        let open = rows(format!("{CREATE}INSERT INTO t VALUES (1,'open").as_bytes());
        assert!(open[0].contains("a quote is left open"), "{open:?}");
        let long = rows(format!("{CREATE}INSERT INTO t VALUES (1,'{}','x');", "a".repeat(1 << 20)).as_bytes());
        assert_eq!(long, ["t id=1 name= api_token= cut"]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400), text in "[`'\"(),;a-z \\\\*/-]{0,200}") {
            rows(&bytes);
            rows(format!("{CREATE}INSERT INTO t VALUES {text}").as_bytes());
        }
    }
}
