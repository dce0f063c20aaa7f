//! Lists and feeds that are JSON: an array of objects, somewhere in a document or alone, or one object a line.
//!
//! The stream is cut into objects before any is parsed, so no more than one is in memory and a bad one costs only itself. What
//! the members mean is a [`Layout`], as for lines; members of members have names with a dot (`geo.country`).

mod cut;

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::kinds::table::{Layout, Sheet};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::Source;
use cut::{Cutter, Piece};

/// Members of one object that are read, those of its own objects included.
const MEMBERS: usize = 1_000;
/// Objects inside objects whose members get names of their own; what lies deeper is kept as JSON.
const DEEP: usize = 4;

/// A list of JSON objects.
#[derive(Clone, Copy)]
pub struct Objects {
    /// What they say. The member that leads to a row, where a `*` stands in the path, is the column `@key`.
    pub layout: Layout,
    /// The members that lead to them from the outermost object; `*` is any. Arrays on the way are gone through. Empty when
    /// the objects stand in one array, or one a line.
    pub path: &'static [&'static str],
}

/// One object of a stream.
#[derive(Debug)]
pub struct Found<'a> {
    /// Its members.
    pub members: Map<String, Value>,
    /// As it was written.
    pub text: &'a [u8],
    /// The member that a `*` of the path stood for; empty when there is none.
    pub key: &'a str,
    /// Where it is, for people: `line 3`, `object 3`.
    pub place: String,
}

/// Reads a list.
///
/// # Errors
/// As [`crate::read::read`].
pub fn read(reading: &mut Reading<'_>, source: &mut Source<'_>, objects: &'static Objects) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&objects.layout, Vec::new(), reading);
    let most = reading.hint.limits.line;
    walk(reading, source, objects.path, most, &mut |reading, found| row(reading, &mut sheet, &found))?;
    sheet.tell(reading);
    Ok(())
}

/// Makes an object a report, or a reject.
///
/// # Errors
/// [`Stop::Sink`] when the sink breaks off.
pub fn row(reading: &mut Reading<'_>, sheet: &mut Sheet, found: &Found<'_>) -> Result<(), Stop> {
    let mut members = Vec::new();
    let ordinal = reading.ordinal();
    if !found.key.is_empty() {
        members.push(("@key".to_owned(), Cow::Borrowed(found.key)));
    }
    if !flatten(&found.members, "", 0, &mut members) {
        reading.reject(ordinal, &found.place, found.text, format!("the object has more than {MEMBERS} members"));
        return Ok(());
    }
    put(reading, sheet, members, ordinal, &found.place, found.text)
}

/// Makes named values a report, or a reject: of JSON, or of what was made to look like it.
///
/// # Errors
/// [`Stop::Sink`] when the sink breaks off.
pub fn put(
    reading: &mut Reading<'_>,
    sheet: &mut Sheet,
    members: Vec<(String, Cow<'_, str>)>,
    ordinal: u32,
    place: &str,
    text: &[u8],
) -> Result<(), Stop> {
    let mut cells: Vec<Cow<'_, str>> = Vec::with_capacity(members.len());
    for (name, value) in members {
        let at = sheet.column(&name, reading.batch());
        if cells.len() <= at {
            cells.resize(at + 1, Cow::Borrowed(""));
        }
        if let Some(cell) = cells.get_mut(at) {
            *cell = value;
        }
    }
    match sheet.row(&cells, 0, reading, ordinal) {
        Ok(core) => reading.report(core),
        Err(reason) => {
            reading.reject(ordinal, place, text, reason);
            Ok(())
        }
    }
}

/// Hands out every object of a stream at this path, of at most `most` bytes, and sets aside what cannot be read.
///
/// # Errors
/// As [`crate::read::read`], and those of `each`.
pub fn walk(
    reading: &mut Reading<'_>,
    source: &mut Source<'_>,
    path: &'static [&'static str],
    most: usize,
    each: &mut dyn FnMut(&mut Reading<'_>, Found<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut cutter = Cutter::new(source, path, most, reading.hint.limits.json_depth);
    let mut number = 0u64;
    loop {
        let piece = cutter.next()?;
        number += 1;
        let place = match cutter.line() {
            Some(line) => format!("line {line}"),
            None => format!("object {number}"),
        };
        match piece {
            Piece::End(None) => return Ok(()),
            Piece::End(Some(reason)) => {
                reading.note("", reason);
                return Ok(());
            }
            Piece::Broken(range, reason) => {
                let text = cutter.bytes(&range).to_vec();
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place, &text, reason);
            }
            Piece::Object(range, key) => {
                let bytes = cutter.bytes(&range);
                // Names and values that are no text are mended rather than lost.
                let text = String::from_utf8_lossy(bytes);
                match serde_json::from_str::<Map<String, Value>>(&text) {
                    Ok(members) => each(reading, Found { members, text: bytes, key: &key, place })?,
                    Err(error) => {
                        let ordinal = reading.ordinal();
                        reading.reject(ordinal, &place, bytes, format!("it is not JSON: {error}"));
                    }
                }
            }
        }
    }
}

/// The members of an object as named texts: a number as it is written, a list of values apart by commas, an object in an object
/// with a dot; `null` is no value. False when there are too many.
pub fn flatten<'a>(members: &'a Map<String, Value>, before: &str, deep: usize, into: &mut Vec<(String, Cow<'a, str>)>) -> bool {
    for (name, value) in members {
        if into.len() >= MEMBERS {
            return false;
        }
        let name = if before.is_empty() { name.to_ascii_lowercase() } else { format!("{before}.{}", name.to_ascii_lowercase()) };
        match value {
            Value::Object(inner) if deep < DEEP => {
                if !flatten(inner, &name, deep + 1, into) {
                    return false;
                }
            }
            value => into.push((name, text_of(value))),
        }
    }
    true
}

/// A value as text; empty for `null`.
pub fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            Cow::Owned(items.iter().map(text_of).collect::<Vec<_>>().join(", "))
        }
        other => Cow::Owned(other.to_string()),
    }
}
