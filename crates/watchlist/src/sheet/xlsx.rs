//! Rows of a worksheet in an XLSX workbook (ECMA-376), its archive weighed before anything of it is believed.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxCellReader, XlsxError};

use super::{Fault, MOST_CELL, MOST_COLUMNS, MOST_ROWS, MOST_XLSX, Remark, Row, Unreadable, place};

/// The most that all parts unpack to: 1 GiB. A full sheet of a million rows with ten columns takes half of it.
const MOST_UNPACKED: u64 = 1 << 30;
/// The most parts.
const MOST_PARTS: usize = 4096;
/// The most texts that cells share: each costs memory beyond its letters.
const MOST_SHARED: u64 = 8 << 20;
/// The longest tag or text between tags: a cell of the greatest length, each letter written as an entity, with room.
const MOST_RUN: u64 = 1 << 20;

/// The most bytes of a part that is not XML.
const MOST_OTHER: u64 = 32 << 20;

pub(super) struct Book {
    book: Xlsx<Cursor<Vec<u8>>>,
    worksheet: String,
}

impl Book {
    pub(super) fn open(bytes: Vec<u8>, worksheet: Option<&str>, remarks: &mut Vec<Remark>) -> Result<Book, Unreadable> {
        if bytes.len() > MOST_XLSX {
            return Err(Unreadable::TooBig(MOST_XLSX));
        }
        weigh(&bytes, MOST_UNPACKED)?;
        let mut book: Xlsx<_> = guarded(|| Xlsx::new(Cursor::new(bytes)))?;
        let visible = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible;
        let names: Vec<String> = book.sheets_metadata().iter().filter(visible).map(|sheet| sheet.name.clone()).collect();
        let chosen = match worksheet {
            Some(name) => book.sheet_names().into_iter().find(|known| known == name),
            None => {
                let mut with_cells = None;
                for name in &names {
                    if has_cells(&mut book, name)? {
                        with_cells = Some(name.clone());
                        break;
                    }
                }
                with_cells
            }
        };
        let Some(chosen) = chosen else {
            return match worksheet {
                Some(name) => Err(Unreadable::NoWorksheet(name.to_owned())),
                None => Err(Unreadable::Empty),
            };
        };
        let others: Vec<String> = names.into_iter().filter(|name| *name != chosen).collect();
        if !others.is_empty() {
            remarks.push(Remark::OtherWorksheets(others));
        }
        Ok(Book { book, worksheet: chosen })
    }

    pub(super) fn rows(&mut self) -> Result<Rows<'_>, Unreadable> {
        let (book, worksheet) = (&mut self.book, &self.worksheet);
        let cells = guarded(|| book.worksheet_cells_reader(worksheet))?;
        let zeros = cells
            .styles()
            .iter()
            .map(|style| style.number_format.as_ref().map_or(0, |format| zeros(&format.format_code)))
            .collect();
        Ok(Rows { cells, zeros, next: None, ended: false, done: false })
    }
}

fn damaged(error: &XlsxError) -> Unreadable {
    // What an attacker wrote into the file does not get into messages whole.
    Unreadable::Damaged(error.to_string().chars().filter(|letter| !letter.is_control()).take(200).collect())
}

fn has_cells(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Result<bool, Unreadable> {
    let mut cells = guarded(|| book.worksheet_cells_reader(name))?;
    while let Some(cell) = guarded(|| cells.next_cell())? {
        if *cell.get_value() != DataRef::Empty {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many digits a number format shows at least: "00000000" is eight, which is how spreadsheets keep a register's leading zeros. Blanks and
/// dashes between zeros are left out, since a register's number is the same without.
fn zeros(format: &str) -> usize {
    let plain = |byte: u8| matches!(byte, b'0' | b' ' | b'-' | b'\\' | b'.' | b'"');
    let count = format.bytes().filter(|byte| *byte == b'0').count();
    // "0.00" shows decimals: not a number of a register.
    let decimals = format.contains('.');
    if format.bytes().all(plain) && !decimals && (2..=32).contains(&count) { count } else { 0 }
}

/// A cell as it is read: where, what, and the number of its style.
type Read<'b> = ((u32, u32), DataRef<'b>, usize);

pub(super) struct Rows<'b> {
    cells: XlsxCellReader<'b, Cursor<Vec<u8>>>,
    /// By style: how many digits its numbers show at least.
    zeros: Vec<usize>,
    /// The first cell of the row to come.
    next: Option<Read<'b>>,
    /// Whether the last cell was read: the library is not asked again.
    ended: bool,
    done: bool,
}

impl<'b> Rows<'b> {
    pub(super) fn read(&mut self, row: &mut Row) -> Result<bool, Unreadable> {
        if self.done {
            return Ok(false);
        }
        let outcome = self.gather(row);
        // After an error nothing of the sheet is believed any more.
        self.done = !matches!(outcome, Ok(true));
        outcome
    }

    fn gather(&mut self, row: &mut Row) -> Result<bool, Unreadable> {
        row.start(0);
        while let Some(((line, column), value, style)) = self.taken()? {
            let number = line.saturating_add(1);
            if row.number > 0 && number > row.number {
                self.next = Some(((line, column), value, style));
                break;
            }
            let column = usize::try_from(column).unwrap_or(usize::MAX);
            if number > MOST_ROWS {
                return Err(Unreadable::TooManyRows(MOST_ROWS));
            }
            if column >= MOST_COLUMNS {
                return Err(Unreadable::TooManyColumns(place(column, number)));
            }
            if number < row.number || column < row.len() {
                return Err(Unreadable::Order(place(column, number)));
            }
            row.number = number;
            while row.len() < column {
                row.end_cell();
            }
            self.put(row, &value, style)?;
            row.end_cell();
        }
        Ok(row.number > 0)
    }

    /// The next cell with anything in it.
    fn taken(&mut self) -> Result<Option<Read<'b>>, Unreadable> {
        if let Some(cell) = self.next.take() {
            // Rows have to follow each other: the next has a greater number than the last, or it would have been of it.
            return Ok(Some(cell));
        }
        loop {
            if self.ended {
                return Ok(None);
            }
            let cells = &mut self.cells;
            let Some((cell, style)) = guarded(|| cells.next_cell_with_style_id())? else {
                self.ended = true;
                return Ok(None);
            };
            if *cell.get_value() != DataRef::Empty {
                return Ok(Some((cell.get_position(), cell.get_value().clone(), style)));
            }
        }
    }

    fn put(&self, row: &mut Row, value: &DataRef<'_>, style: usize) -> Result<(), Unreadable> {
        match value {
            DataRef::Int(number) => row.text.push_str(&number.to_string()),
            DataRef::Float(number) => match digits(*number, self.zeros.get(style).copied().unwrap_or(0)) {
                Some(text) => row.text.push_str(&text),
                None => row.fault(Fault::Digits),
            },
            DataRef::String(text) => put_text(row, text)?,
            DataRef::SharedString(text) => put_text(row, text)?,
            DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => put_text(row, text)?,
            DataRef::Bool(truth) => row.text.push_str(if *truth { "true" } else { "false" }),
            DataRef::DateTime(time) if time.is_datetime() => {
                let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
                row.text.push_str(&format!("{year:04}-{month:02}-{day:02}"));
                if (hour, minute, second) != (0, 0, 0) {
                    row.text.push_str(&format!("T{hour:02}:{minute:02}:{second:02}"));
                }
            }
            DataRef::DateTime(time) => row.text.push_str(&time.as_f64().to_string()),
            DataRef::Error(_) => row.fault(Fault::Formula),
            DataRef::Empty => {}
        }
        Ok(())
    }
}

fn put_text(row: &mut Row, text: &str) -> Result<(), Unreadable> {
    if text.len() > MOST_CELL && text.chars().count() > MOST_CELL {
        return Err(Unreadable::LongCell(place(row.len(), row.number)));
    }
    row.text.push_str(text);
    Ok(())
}

/// A number as its digits, with at least `zeros` of them. Nothing when it is whole and has more digits than a spreadsheet keeps (fifteen), since
/// its last digits are then not those that were entered.
fn digits(number: f64, zeros: usize) -> Option<String> {
    if number.fract() != 0.0 || !number.is_finite() {
        return Some(number.to_string());
    }
    if number.abs() >= 1e15 {
        return None;
    }
    Some(format!("{number:0zeros$.0}"))
}

/// Calls the library so that a panic in it is an error: a workbook comes from outside, and the arithmetic of its reader trusts places in it.
fn guarded<T>(call: impl FnOnce() -> Result<T, XlsxError>) -> Result<T, Unreadable> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(damaged(&error)),
        Err(_) => Err(Unreadable::Damaged("its parts contradict each other".to_owned())),
    }
}

/// Unpacks all parts once, keeping nothing, and refuses what would fill the memory of who reads them: the sizes that an archive states may lie.
pub(super) fn weigh(bytes: &[u8], most: u64) -> Result<(), Unreadable> {
    let broken = |error: zip::result::ZipError| Unreadable::Damaged(error.to_string().chars().take(200).collect());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > MOST_PARTS {
        return Err(Unreadable::Bomb("list of contents".to_owned()));
    }
    if archive.index_for_name("mimetype").is_some() && archive.index_for_name("content.xml").is_some() {
        return Err(Unreadable::OpenDocument);
    }
    if archive.index_for_name("[Content_Types].xml").is_none() {
        return Err(Unreadable::NotATable);
    }
    let mut left = most;
    let mut buffer = vec![0u8; 1 << 16];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(broken)?;
        let lower = part.name().map_err(broken)?.to_ascii_lowercase();
        let bomb = || Unreadable::Bomb(lower.chars().filter(|letter| !letter.is_control()).take(80).collect());
        let is_xml = lower.ends_with(".xml") || lower.ends_with(".rels");
        // Pictures and macros are not XML; but any part may be named as a worksheet, and would then be read as one.
        let (mut is_bounded, mut size) = (true, 0u64);
        let mut shape = Shape::default();
        loop {
            let read = part.read(&mut buffer).map_err(|error| Unreadable::Damaged(error.to_string()))?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or_else(bomb)?;
            size += read as u64;
            is_bounded = is_bounded && shape.feed(buffer.get(..read).unwrap_or_default());
            if !is_bounded && (is_xml || size > MOST_OTHER) {
                return Err(bomb());
            }
        }
        if lower.contains("sharedstrings") && shape.tags > 4 * MOST_SHARED {
            return Err(bomb());
        }
    }
    Ok(())
}

/// Follows the tags and texts of XML far enough to know how long each is: a reader holds one in memory.
#[derive(Default)]
struct Shape {
    inside: Inside,
    /// Bytes since the tag or text began.
    run: u64,
    tags: u64,
    /// The last bytes seen, for the ends of comments.
    last: [u8; 2],
}

#[derive(Default, PartialEq, Clone, Copy)]
enum Inside {
    #[default]
    Text,
    /// Just after `<`.
    Start,
    Tag,
    /// Within quotes of this kind in a tag.
    Quoted(u8),
    /// Just after `<!`.
    Other,
    Comment,
    /// Within `<?`.
    Instruction,
}

impl Shape {
    /// Whether what was read is bounded so far. Declarations of types and CDATA, which no spreadsheet writes, are not.
    fn feed(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.run += 1;
            let next = match (self.inside, byte) {
                (Inside::Text, b'<') => Inside::Start,
                (Inside::Start, b'!') => Inside::Other,
                (Inside::Start, b'?') => Inside::Instruction,
                (Inside::Start, b'>') | (Inside::Tag, b'>') => Inside::Text,
                (Inside::Start, _) => Inside::Tag,
                (Inside::Tag, b'"' | b'\'') => Inside::Quoted(*byte),
                (Inside::Quoted(quote), byte) if *byte == quote => Inside::Tag,
                (Inside::Other, b'-') => {
                    if self.last[1] == b'-' {
                        Inside::Comment
                    } else {
                        Inside::Other
                    }
                }
                (Inside::Other, _) => return false,
                // "<!-->" opens a comment and does not close it.
                (Inside::Comment, b'>') if self.last == *b"--" && self.run >= 6 => Inside::Text,
                (Inside::Instruction, b'>') if self.last[1] == b'?' && self.run >= 3 => Inside::Text,
                (inside, _) => inside,
            };
            if matches!((self.inside, next), (Inside::Text, Inside::Start) | (_, Inside::Text)) && self.inside != next {
                self.tags += u64::from(next == Inside::Start);
                self.run = 0;
            }
            if self.run > MOST_RUN {
                return false;
            }
            self.inside = next;
            self.last = [self.last[1], *byte];
        }
        true
    }
}
