//! JSON of entries: one object a line, an array of objects, or objects after each other; for formats that know what the
//! members mean.

use std::fmt::{self, Write as _};

use model::report::Core;

use super::document::Json;
use crate::formats::xarf::feed::{BOM, Feed, Layout, Piece};
use crate::formats::xarf::json::Document;
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::Source;

/// Bytes of a name, with those that lead to it, that a value is kept under.
pub(crate) const LONGEST_NAME: usize = 200;
/// Items of a list that can be named by number.
const MOST_ITEMS: usize = 100;
/// Names that are looked at to recognise a format.
const TELLING_NAMES: usize = 200;

/// Hands on each value of an object with the names that lead to it, dots between them, as text: numbers, truths and lists as
/// they are written, no `null`, nothing empty. Lists are gone into by number when `enters` says so of their path, and a list of
/// one simple value counts as that.
pub(crate) fn leaves(object: Json<'_>, enters: &dyn Fn(&str) -> bool, take: &mut dyn FnMut(&str, &str)) {
    walk(object, &mut String::new(), enters, take);
}

fn walk(object: Json<'_>, path: &mut String, enters: &dyn Fn(&str) -> bool, take: &mut dyn FnMut(&str, &str)) {
    let before = path.len();
    for (name, value) in object.members() {
        if before > 0 {
            path.push('.');
        }
        path.push_str(&name);
        leaf(value, path, enters, take);
        path.truncate(before);
    }
}

fn leaf(value: Json<'_>, path: &mut String, enters: &dyn Fn(&str) -> bool, take: &mut dyn FnMut(&str, &str)) {
    if value.is_object() {
        return walk(value, path, enters, take);
    }
    if !value.is_list() {
        let text = value.scalar();
        if !text.is_empty() {
            take(path, &text);
        }
        return;
    }
    if enters(path) {
        let before = path.len();
        for (number, item) in value.items().enumerate().take(MOST_ITEMS) {
            // Writing to a string cannot fail.
            let _ = write!(path, ".{number}");
            leaf(item, path, enters, take);
            path.truncate(before);
        }
        return;
    }
    let mut items = value.items();
    match (items.next(), items.next()) {
        (None, _) => {}
        (Some(only), None) if !only.is_object() && !only.is_list() => leaf(only, path, enters, take),
        _ => take(path, &value.raw()),
    }
}

/// The value at a path of names with dots between them. A name that has dots itself is found too.
fn at<'d>(object: Json<'d>, path: &str) -> Option<Json<'d>> {
    let (mut value, mut rest) = (object, path);
    loop {
        if let Some(found) = value.get(rest) {
            return Some(found);
        }
        let (name, after) = rest.split_once('.')?;
        value = value.get(name)?;
        rest = after;
    }
}

/// Where an entry stands, for people.
#[derive(Clone, Copy)]
pub(crate) struct Where {
    line: bool,
    number: u64,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", if self.line { "line" } else { "entry" }, self.number)
    }
}

/// What a format does with an entry.
type Take<'t> = dyn FnMut(&mut Reading<'_>, Json<'_>, Where) -> Result<(), Stop> + 't;

/// Hands each entry to `take`, which gives out the places of its statements; what is no object is a reject. `rows` is the path
/// to the list of entries inside a document, empty when the entries stand by themselves.
pub(crate) fn each(reading: &mut Reading<'_>, source: &mut Source<'_>, rows: &str, take: &mut Take<'_>) -> Result<(), Stop> {
    let limits = reading.hint.limits;
    let most = limits.whole.max(limits.line);
    let layout = match Layout::of(source.prefix(), limits.json_depth) {
        // A list that is asked for stands in a document.
        _ if !rows.is_empty() => Layout::Documents,
        layout => layout,
    };
    let mut feed = Feed::new(source);
    let mut document = Document::default();
    let mut number = 0;
    loop {
        let piece = feed.next(layout, most)?;
        number += 1;
        let place = Where { line: layout == Layout::Lines, number };
        let range = match piece {
            Piece::End => break,
            Piece::TooLong(beginning) => {
                let ordinal = reading.ordinal();
                reading.reject(
                    ordinal,
                    &place.to_string(),
                    &beginning,
                    format!("it is longer than {most} bytes, or does not end"),
                );
                continue;
            }
            Piece::Report(range) => range,
        };
        let bytes = feed.bytes(&range).trim_ascii();
        let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
        if bytes.is_empty() {
            continue;
        }
        let text = String::from_utf8_lossy(bytes);
        if let Err(fault) = document.scan(&text, limits.json_depth) {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &place.to_string(), bytes, format!("it is not JSON: byte {}: {}", fault.at, fault.what));
            continue;
        }
        let whole = Json::of(&document, &text);
        if rows.is_empty() {
            one(reading, whole, place, take)?;
            continue;
        }
        match at(whole, rows) {
            Some(list) if list.is_list() => {
                for (object, number) in list.items().zip(1..) {
                    one(reading, object, Where { line: false, number }, take)?;
                }
            }
            Some(only) => one(reading, only, place, take)?,
            None => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &place.to_string(), bytes, format!("there is no list of entries at '{rows}'"));
            }
        }
    }
    if feed.is_cut() {
        reading.note("", "the list of entries has no end; some may be missing");
    }
    Ok(())
}

fn one(reading: &mut Reading<'_>, object: Json<'_>, place: Where, take: &mut Take<'_>) -> Result<(), Stop> {
    if object.is_object() {
        return take(reading, object, place);
    }
    let ordinal = reading.ordinal();
    reading.reject(ordinal, &place.to_string(), object.raw().as_bytes(), "it is not an entry: an entry is a JSON object");
    Ok(())
}

/// Ends an entry: the report, or the reject with its reason.
pub(crate) fn end(
    reading: &mut Reading<'_>,
    ordinal: u32,
    object: Json<'_>,
    place: Where,
    read: Result<Core, String>,
) -> Result<(), Stop> {
    match read {
        Ok(core) => reading.report(core),
        Err(reason) => {
            reading.reject(ordinal, &place.to_string(), object.raw().as_bytes(), reason);
            Ok(())
        }
    }
}

/// Why an entry is not read whose members have more names, or longer ones, than are kept apart.
pub(crate) fn too_many_names() -> String {
    let most = super::csv::COLUMNS;
    format!("its members and those before it have more than {most} names, or one of over {LONGEST_NAME} bytes; more are not read")
}

/// An object laid flat: its values by the number of their column.
#[derive(Default)]
pub(crate) struct Flat {
    bytes: Vec<u8>,
    spans: Vec<(usize, usize)>,
}

impl Flat {
    /// Forgets the values.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
    }

    /// Sets the value in a column, of which there are at most [`super::csv::COLUMNS`]. Of two values the last counts.
    pub(crate) fn set(&mut self, column: usize, value: &str) {
        if column >= super::csv::COLUMNS {
            return;
        }
        if self.spans.len() <= column {
            self.spans.resize(column + 1, (0, 0));
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(value.as_bytes());
        if let Some(span) = self.spans.get_mut(column) {
            *span = (start, self.bytes.len());
        }
    }

    /// The value in a column; empty when there is none.
    pub(crate) fn value(&self, column: usize) -> &[u8] {
        self.spans.get(column).and_then(|(start, end)| self.bytes.get(*start..*end)).unwrap_or_default()
    }

    /// How many columns there are up to the last that has a value.
    pub(crate) fn columns(&self) -> usize {
        self.spans.len()
    }
}

impl super::table::Cells for Flat {
    fn len(&self) -> usize {
        self.columns()
    }

    fn get(&self, column: usize) -> &[u8] {
        self.value(column)
    }
}

/// The names of the members of the first object in `bytes`, alone or first in a list, as far as it goes; empty when there is
/// none. For telling formats apart: names with escapes in them are not looked at.
pub(crate) fn telling(bytes: &[u8]) -> Vec<&str> {
    let mut names = Vec::new();
    let start = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
    let start = start.strip_prefix(b"[").map_or(start, <[u8]>::trim_ascii_start);
    let Some(mut rest) = start.strip_prefix(b"{") else { return names };
    let mut depth = 0usize;
    // Whether the next string of the outermost object is a name.
    let mut name = true;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => {
                let Some(end) = string_end(rest) else { break };
                if depth == 0 && name && names.len() < TELLING_NAMES {
                    names.extend(rest.get(..end).and_then(|name| std::str::from_utf8(name).ok()));
                }
                rest = rest.get(end + 1..).unwrap_or_default();
                name = false;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth == 0 => break,
            b'}' | b']' => depth -= 1,
            b',' => name = true,
            _ => {}
        }
    }
    names
}

/// Where the string that has begun ends.
fn string_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_formats_apart() {
        for (text, expected) in [
            ("{\"a\": 1, \"b\": {\"c\": [2, {\"d\": 3}]}, \"e\": \"f,\\\"g\\\"\", \"h\": null}", vec!["a", "b", "e", "h"]),
            (" [ {\"a\": [\"x\", \"y\"], \"b\": 1}, {\"c\": 1}]", vec!["a", "b"]),
            ("\u{feff}{\"a\"", vec!["a"]),
            ("{\"a\": \"cut", vec!["a"]),
            ("{\"a\\", vec![]),
            ("[\"a\"]", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(telling(text.as_bytes()), expected, "{text}");
        }
    }
}
