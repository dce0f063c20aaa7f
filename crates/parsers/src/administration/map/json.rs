//! Described files that are JSON: an array of objects somewhere in a document, the members of an object, or one a line.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::read::{Rows, Texts};
use super::{Field, Mapping};
use crate::administration::Limits;
use crate::administration::csv::without_controls;
use crate::administration::lines::{Line, Lines};

/// Bytes of a part of a JSON document that nobody asked for.
const IGNORED: usize = 64 << 20;
/// Texts that one field may hold.
const TEXTS: usize = 4_096;

pub(super) fn read(reader: &mut dyn Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    rows.builder.unit = "row";
    let mut reader = BufReader::with_capacity(64 << 10, reader);
    let first = loop {
        match reader.fill_buf().map(|bytes| (bytes.iter().position(|byte| !byte.is_ascii_whitespace()), bytes.len())) {
            Ok((_, 0)) => return rows.lose_row(1, || "it is empty".to_owned()),
            Ok((Some(at), _)) => break reader.buffer().get(at).copied(),
            Ok((None, blank)) => reader.consume(blank),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return rows.lose_row(1, || format!("it cannot be read: {error}")),
        }
    };
    if first == Some(b'{') && mapping.rows.is_empty() && !mapping.single {
        return lines(reader, rows, mapping, limits);
    }
    let left = Rc::new(Cell::new(limits.record));
    let bounded = Bounded { reader, left: Rc::clone(&left) };
    let mut deserializer = serde_json::Deserializer::from_reader(bounded);
    let mut state = State { rows, mapping, left: &left, record: limits.record, found: false, total: None };
    let result = Walk { steps: mapping.rows.as_slice(), state: &mut state, top: true }.deserialize(&mut deserializer);
    let (found, total) = (state.found, state.total);
    let count = rows.count;
    if let Some(total) = total {
        rows.total(&mapping.rows.join("."), total, count);
    }
    match result {
        // The parser's own words quote nothing; those of `Walk` are ours.
        Err(error) => rows.lose_row(count + 1, || format!("reading stopped here: {error}")),
        Ok(()) if !found => {
            let path = mapping.rows.join(".");
            rows.lose_row(1, || format!("there is no array of rows at '{path}'; say in 'rows' where it is"));
        }
        Ok(()) => {}
    }
}

/// What a field of a row holds. Objects hold nothing that is a text; a list, or a step with `*`, may hold many.
fn look(row: &Value, field: &Field, member: &str) -> Option<Texts> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(without_controls(text.clone())),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    if field.name == "@member" {
        return Some(Texts::One(without_controls(member.to_owned())));
    }
    let plain = !field.steps.iter().any(|step| step.ends_with('*'));
    let mut at = row.get(&field.name);
    if at.is_none() && plain {
        at = Some(row);
        for step in &field.steps {
            at = match at? {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            };
        }
    }
    if let Some(value) = at {
        return match value {
            Value::Null => Some(Texts::One(String::new())),
            Value::Array(items) => Some(Texts::Many(items.iter().take(TEXTS).filter_map(scalar).collect())),
            value => scalar(value).map(Texts::One),
        };
    }
    let mut places = vec![row];
    for step in &field.steps {
        let mut next = Vec::new();
        for place in places {
            match (place, step.strip_suffix('*')) {
                (Value::Array(items), Some("")) => next.extend(items),
                (Value::Object(members), Some(begin)) => {
                    next.extend(members.iter().filter(|(name, _)| name.starts_with(begin)).map(|(_, value)| value));
                }
                (Value::Array(items), None) => next.extend(step.parse::<usize>().ok().and_then(|at| items.get(at))),
                (other, None) => next.extend(other.get(step)),
                _ => {}
            }
        }
        next.truncate(TEXTS);
        places = next;
    }
    if places.is_empty() {
        return None;
    }
    Some(Texts::Many(places.into_iter().filter_map(scalar).collect()))
}

/// An object a line: a bad line costs that line.
fn lines(reader: impl Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    rows.builder.unit = "line";
    let mut lines = Lines::new(reader, limits.record);
    loop {
        let number = lines.number() + 1;
        let row = match lines.next_line() {
            Ok(None) => return,
            Ok(Some(Line::Whole(line))) if line.trim_ascii().is_empty() => continue,
            Ok(Some(Line::Whole(line))) => {
                serde_json::from_slice::<Value>(line).map_err(|error| format!("not a JSON object: {error}"))
            }
            Ok(Some(Line::TooLong(_))) => Err(format!("a line of over {} bytes", limits.record)),
            Err(error) => return rows.lose_row(number, || format!("reading stopped here: {error}")),
        };
        match row {
            Ok(row) if row.is_object() => rows.take(mapping, number, &|field| look(&row, field, "")),
            Ok(_) => rows.lose_row(number, || "not a JSON object".to_owned()),
            Err(reason) => rows.lose_row(number, || reason),
        }
    }
}

/// A reader that gives only so much until somebody allows more.
pub(super) struct Bounded<R> {
    pub(super) reader: R,
    pub(super) left: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        let left = self.left.get().checked_sub(count);
        self.left.set(left.ok_or_else(|| io::Error::other("a row, or something beside the rows, is larger than allowed"))?);
        Ok(count)
    }
}

struct State<'w> {
    rows: &'w mut Rows,
    mapping: &'w Mapping,
    left: &'w Rc<Cell<usize>>,
    record: usize,
    /// Whether the place of the rows was there.
    found: bool,
    /// How many rows there are, as the document says.
    total: Option<u64>,
}

impl State<'_> {
    fn row(&mut self, row: &Value, member: &str) {
        let number = self.rows.count + 1;
        if row.is_object() {
            self.rows.take(self.mapping, number, &|field| look(row, field, member));
        } else {
            self.rows.count += 1;
            self.rows.lose_row(number, || "not a JSON object".to_owned());
        }
    }

    fn count(&mut self, value: &Value, steps: &[String]) {
        let found = steps.iter().try_fold(value, |at, step| at.get(step));
        self.total = match found {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            _ => None,
        };
    }
}

/// Goes down to the rows, and through them.
struct Walk<'s, 'w> {
    steps: &'s [String],
    state: &'s mut State<'w>,
    /// Whether this is the outermost object, where the total may stand.
    top: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.steps.is_empty() { "an array of rows" } else { "an object on the way to the rows" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Walk { steps, state, top } = self;
        let Some((step, steps)) = steps.split_first() else {
            if !state.mapping.single {
                return Err(Error::custom("an object is where the array of rows should be; say in 'rows' where it is"));
            }
            state.found = true;
            state.left.set(state.record);
            let row = Value::deserialize(MapAccessDeserializer::new(map))?;
            state.row(&row, "");
            return Ok(());
        };
        state.left.set(state.record);
        while let Some(key) = map.next_key::<String>()? {
            if step == "*" && steps.is_empty() {
                state.found = true;
                let row = map.next_value::<Value>()?;
                state.row(&row, &key);
            } else if step == "*" || key == *step {
                map.next_value_seed(Walk { steps, state: &mut *state, top: false })?;
            } else if top && state.mapping.total.first() == Some(&key) {
                let value = map.next_value::<Value>()?;
                let rest = state.mapping.total.get(1..).unwrap_or_default();
                state.count(&value, rest);
            } else {
                state.left.set(IGNORED);
                map.next_value::<IgnoredAny>()?;
            }
            state.left.set(state.record);
        }
        state.found |= step == "*";
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Walk { steps, state, .. } = self;
        state.left.set(state.record);
        match steps.split_first() {
            Some((step, rest)) if step == "*" && !rest.is_empty() => {
                while seq.next_element_seed(Walk { steps: rest, state: &mut *state, top: false })?.is_some() {
                    state.left.set(state.record);
                }
                return Ok(());
            }
            Some((step, _)) if step != "*" => {
                return Err(Error::custom("an array is where an object should be; look at 'rows'"));
            }
            _ => {}
        }
        state.found = true;
        while let Some(row) = seq.next_element::<Value>()? {
            state.row(&row, "");
            state.left.set(state.record);
        }
        Ok(())
    }

    // What stands in the place of the rows is not quoted: it may be anything, a password among others.
    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Err(no_rows())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Err(no_rows())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Err(no_rows())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Err(no_rows())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(no_rows())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }
}

fn no_rows<E: Error>() -> E {
    E::custom("a text or number is where rows should be; look at 'rows'")
}
