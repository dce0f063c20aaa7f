//! Tables of HTML, without a browser: rows of cells with the text in them, whatever stands around and however it is nested.
//!
//! Tags are found as they come and never trusted: what does not close is closed by what follows, scripts and styles are no
//! text, and only the entities of XML, `nbsp` and numbers are known. Work and memory grow with the length of the text alone.

/// Cells of a row that are read.
const CELLS: usize = 200;
/// Tables inside tables.
const DEPTH: usize = 64;
/// Bytes of a cell that are read.
const CELL: usize = 16 << 10;
/// Bytes of a tag that are looked through for its end.
const TAG: usize = 16 << 10;

/// A cell of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Its text, with single blanks.
    pub(crate) text: String,
    /// The location of the first picture in it, such as a flag; empty when there is none.
    pub(crate) picture: String,
}

/// A row of a table, or a piece of text outside of tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableRow {
    /// Which table it is in, in the order in which they begin, from 1.
    pub(crate) table: usize,
    /// The line of the document it begins on, from 1.
    pub(crate) line: u64,
    /// Whether it names columns: it has cells and all are `th`, or it is in a `thead`.
    pub(crate) head: bool,
    /// Its cells.
    pub(crate) cells: Vec<Cell>,
}

/// Hands on the rows of all tables of a document, in the order in which they end.
///
/// # Errors
/// The first of `take`.
pub(crate) fn rows<E>(text: &str, mut take: impl FnMut(TableRow) -> Result<(), E>) -> Result<(), E> {
    let mut page = Page { text, ..Page::default() };
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', text.as_bytes().get(at..).unwrap_or_default()) {
        page.words(at, at + found);
        at = page.tag(at + found);
        page.rows.drain(..).try_for_each(&mut take)?;
    }
    page.words(at, text.len());
    while !page.open.is_empty() {
        page.end_table();
    }
    page.rows.drain(..).try_for_each(take)
}

/// Whether a text begins as HTML does: with a tag or a comment, behind blanks.
pub(crate) fn begins(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    matches!(start, [b'<', b'!' | b'a'..=b'z' | b'A'..=b'Z', ..])
}

#[derive(Default)]
struct Page<'t> {
    text: &'t str,
    rows: Vec<TableRow>,
    open: Vec<Open>,
    tables: usize,
    line: u64,
    counted: usize,
    /// The next `>` that is known, so that a page without any is not looked through for each of its tags.
    next_end: usize,
}

/// A table that is open.
#[derive(Default)]
struct Open {
    table: usize,
    in_head: bool,
    row: Option<TableRow>,
    /// Whether the last cell of the row is open.
    in_cell: bool,
    only_heads: bool,
}

impl<'t> Page<'t> {
    /// Text between tags.
    fn words(&mut self, from: usize, to: usize) {
        let Some(open) = self.open.last_mut().filter(|open| open.in_cell) else { return };
        let Some(cell) = open.row.as_mut().and_then(|row| row.cells.last_mut()) else { return };
        let text = self.text.get(from..to).unwrap_or_default();
        if cell.text.len() < CELL {
            unescape(text, &mut cell.text);
        }
    }

    /// A tag, or what only looks like one; where reading goes on.
    fn tag(&mut self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        if let Some(comment) = rest.strip_prefix("<!--") {
            return comment.find("-->").map_or(self.text.len(), |end| at + 4 + end + 3);
        }
        let closes = rest.starts_with("</");
        let after = rest.get(if closes { 2 } else { 1 }..).unwrap_or_default();
        let length = after.bytes().take(12).take_while(u8::is_ascii_alphanumeric).count();
        if length == 0 && !rest.starts_with("<!") && !rest.starts_with("<?") {
            self.words(at, at + 1);
            return at + 1;
        }
        let name = after.get(..length).unwrap_or_default().to_ascii_lowercase();
        if !self.ends_within(at, TAG) {
            self.words(at, at + 1);
            return at + 1;
        }
        let end = tag_end(rest);
        match (&*name, closes) {
            ("script" | "style", false) => return at + end + closing(rest.get(end..).unwrap_or_default(), &name),
            ("table", false) => self.begin_table(),
            ("table", true) => self.end_table(),
            ("thead", opens) => {
                if let Some(open) = self.open.last_mut() {
                    open.in_head = !opens;
                }
            }
            ("tr", false) => self.begin_row(at),
            ("tr" | "tbody", _) => self.end_row(),
            ("td" | "th", false) => self.begin_cell(at, &name),
            ("td" | "th", true) => self.end_cell(),
            ("img", false) => self.picture(rest.get(..end).unwrap_or_default()),
            ("input", false) => self.filled_in(rest.get(..end).unwrap_or_default()),
            ("br" | "p" | "div" | "li", _) => self.blank(),
            _ => {}
        }
        at + end
    }

    /// Whether there is a `>` within so many bytes.
    fn ends_within(&mut self, at: usize, bytes: usize) -> bool {
        if self.next_end < at {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            self.next_end = memchr::memchr(b'>', rest).map_or(usize::MAX, |found| at + found);
        }
        self.next_end.saturating_sub(at) < bytes
    }

    fn begin_table(&mut self) {
        if self.open.len() < DEPTH {
            self.tables += 1;
            self.open.push(Open { table: self.tables, ..Open::default() });
        }
    }

    fn end_table(&mut self) {
        self.end_row();
        self.open.pop();
    }

    fn begin_row(&mut self, at: usize) {
        self.end_row();
        let bytes = self.text.as_bytes().get(self.counted..at).unwrap_or_default();
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.counted = at;
        let line = self.line + 1;
        if let Some(open) = self.open.last_mut() {
            open.row = Some(TableRow { table: open.table, line, head: false, cells: Vec::new() });
            open.only_heads = true;
        }
    }

    fn end_row(&mut self) {
        self.end_cell();
        let Some(open) = self.open.last_mut() else { return };
        if let Some(mut row) = open.row.take().filter(|row| !row.cells.is_empty()) {
            row.head = open.in_head || open.only_heads;
            self.rows.push(row);
        }
    }

    fn begin_cell(&mut self, at: usize, name: &str) {
        self.end_cell();
        if self.open.last().is_some_and(|open| open.row.is_none()) {
            self.begin_row(at);
        }
        let Some(open) = self.open.last_mut() else { return };
        open.only_heads &= name == "th";
        if let Some(row) = open.row.as_mut().filter(|row| row.cells.len() < CELLS) {
            row.cells.push(Cell::default());
            open.in_cell = true;
        }
    }

    fn end_cell(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        if std::mem::take(&mut open.in_cell)
            && let Some(cell) = open.row.as_mut().and_then(|row| row.cells.last_mut())
        {
            cell.text = cell.text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }

    fn blank(&mut self) {
        if let Some(open) = self.open.last_mut().filter(|open| open.in_cell)
            && let Some(cell) = open.row.as_mut().and_then(|row| row.cells.last_mut())
        {
            cell.text.push(' ');
        }
    }

    fn picture(&mut self, tag: &str) {
        let Some(open) = self.open.last_mut().filter(|open| open.in_cell) else { return };
        let Some(cell) = open.row.as_mut().and_then(|row| row.cells.last_mut()) else { return };
        if cell.picture.is_empty() {
            cell.picture.push_str(attribute(tag, "src="));
        }
    }

    /// What stands in a field that is filled in is text too.
    fn filled_in(&mut self, tag: &str) {
        let Some(open) = self.open.last_mut().filter(|open| open.in_cell) else { return };
        let Some(cell) = open.row.as_mut().and_then(|row| row.cells.last_mut()) else { return };
        if cell.text.len() < CELL {
            cell.text.push(' ');
            unescape(attribute(tag, "value="), &mut cell.text);
        }
    }
}

/// The value of an attribute, `name` with its `=`; empty when the tag has none.
fn attribute<'t>(tag: &'t str, name: &str) -> &'t str {
    let Some((_, value)) = tag.split_once(name) else { return "" };
    let value = match value.as_bytes().first() {
        Some(b'"') => value.split('"').nth(1),
        Some(b'\'') => value.split('\'').nth(1),
        _ => value.split(|c: char| c.is_ascii_whitespace() || c == '>').next(),
    };
    value.unwrap_or_default()
}

/// Bytes of a tag up to its end, quoted `>` passed over.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, &byte) in text.as_bytes().iter().enumerate().take(TAG) {
        match (byte, quote) {
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            (b'>', None) => return at + 1,
            _ => {}
        }
    }
    // A quotation mark that is never closed: the tag ends where it first may.
    memchr::memchr(b'>', text.as_bytes().get(..text.len().min(TAG)).unwrap_or_default()).map_or(1, |at| at + 1)
}

/// Bytes up to the tag that closes a script or style; all of them when none does.
fn closing(text: &str, name: &str) -> usize {
    let bytes = text.as_bytes();
    let begins =
        |at: usize| bytes.get(at + 2..at + 2 + name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()));
    memchr::memmem::find_iter(bytes, b"</").find(|at| begins(*at)).unwrap_or(text.len())
}

/// Adds text with its entities resolved.
fn unescape(text: &str, into: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        into.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let resolved = end.and_then(|end| entity(rest.get(1..end)?).map(|char| (char, end + 1)));
        let (char, length) = resolved.unwrap_or(('&', 1));
        into.push(char);
        rest = rest.get(length..).unwrap_or_default();
    }
    into.push_str(rest);
}

fn entity(name: &str) -> Option<char> {
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let char = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(hex.get(1..)?, 16)?,
            digits => number(digits, 10)?,
        },
    };
    Some(if char.is_control() { ' ' } else { char })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str) -> Vec<TableRow> {
        let mut all = Vec::new();
        let _ = rows(text, |row| -> Result<(), ()> {
            all.push(row);
            Ok(())
        });
        all
    }

    #[test]
    fn rows_are_found_in_what_people_write() {
        for (name, text, expected) in [
            ("plain", "<table><tr><td>a</td><td> b\n c </td></tr></table>", vec![(1, false, vec!["a", "b c"])]),
            ("nothing is closed", "<table><tr><td>a<td>b<tr><td>c", vec![(1, false, vec!["a", "b"]), (1, false, vec!["c"])]),
            (
                "a head",
                "<table><thead><tr><td>A</td></tr></thead><tbody><tr><th>x</th><td>y</td></tr></tbody></table>",
                vec![(1, true, vec!["A"]), (1, false, vec!["x", "y"])],
            ),
            ("heads without a head", "<TABLE><TR><TH>A</TH></TR></TABLE>", vec![(1, true, vec!["A"])]),
            (
                "nested",
                "<table><tr><td>a<table><tr><td>in</td></tr></table>b</td></tr></table>",
                vec![(2, false, vec!["in"]), (1, false, vec!["ab"])],
            ),
            (
                "entities",
                "<table><tr><td>a&amp;b &#65;&#x42; &nope; &</td></tr></table>",
                vec![(1, false, vec!["a&b AB &nope; &"])],
            ),
            ("scripts", "<script>'<table><tr><td>x'</script><table><tr><td>y</td></tr></table>", vec![(1, false, vec!["y"])]),
            ("quotes", "<table><tr><td title='a > b'>c</td><td title=\"d>e</td></tr></table>", vec![(1, false, vec!["c", "e"])]),
            ("no table", "<p>a < b</p><td>c", vec![]),
            ("a comment without end", "<table><tr><td>a</td></tr><!-- ", vec![(1, false, vec!["a"])]),
        ] {
            let found = all(text);
            let found: Vec<_> = found
                .iter()
                .map(|row| (row.table, row.head, row.cells.iter().map(|cell| &*cell.text).collect::<Vec<_>>()))
                .collect();
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn work_grows_with_the_text_alone() {
        for piece in ["<a\"", "<td '", "<script", "<!--", "</td\" ><td", "<td>&", "<table>", "<tr><td>"] {
            let text = format!("<table>{}", piece.repeat(400_000));
            let begun = std::time::Instant::now();
            all(&text);
            assert!(begun.elapsed().as_secs() < 20, "{piece}");
        }
    }

    #[test]
    fn pictures_are_told() {
        let found = all("<table><tr><td><img alt='' src=\"/flags/nl.gif\">x</td><td><img src=a.png></td></tr></table>");
        assert_eq!(found[0].cells[0], Cell { text: "x".into(), picture: "/flags/nl.gif".into() });
        assert_eq!(found[0].cells[1].picture, "a.png");
    }

    proptest! {
        #[test]
        fn any_text_is_safe(text in "(<(/?(table|tr|td|th|script)|!--|[a-z]{0,3})[ '\"=>]{0,3}|[a-zé&#;<>]{0,4}){0,40}") {
            all(&text);
        }
    }
}
