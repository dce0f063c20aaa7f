//! Described files that are XML: the elements of one path are the rows.
//!
//! Elements become objects of their children, texts become texts, and attributes are not read. Nothing is fetched and no
//! entity but the five of XML is known, so a document cannot grow.

use std::cell::Cell;
use std::io::{BufReader, Read};
use std::rc::Rc;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::json::Bounded;
use super::read::{Rows, Texts};
use super::{Field, Mapping};
use crate::administration::Limits;
use crate::administration::csv::without_controls;

/// Elements inside elements.
const DEPTH: usize = 64;
/// Elements of one row.
const ELEMENTS: usize = 20_000;

/// An element of a row that is open: its name, its children and its text.
struct Open {
    name: String,
    children: Map<String, Value>,
    text: String,
}

pub(super) fn read(reader: &mut dyn Read, rows: &mut Rows, mapping: &Mapping, limits: &Limits) {
    rows.builder.unit = "row";
    let left = Rc::new(Cell::new(limits.record));
    let bounded = Bounded { reader, left: Rc::clone(&left) };
    let mut reader = Reader::from_reader(BufReader::with_capacity(16 << 10, bounded));
    let mut buffer = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let (mut elements, mut weight, mut ended) = (0usize, 0usize, false);
    while !ended {
        buffer.clear();
        // A tag or text without end must not fill the memory.
        left.set(limits.record.max(32 << 10));
        let number = rows.count + 1;
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(_) => {
                let at = reader.buffer_position();
                return rows.lose_row(number, || format!("reading stopped here: not XML at byte {at}"));
            }
        };
        weight = weight.saturating_add(event.len());
        if path.len() > DEPTH || elements > ELEMENTS || (!open.is_empty() && weight > limits.record) {
            return rows.lose_row(number, || "reading stopped here: an element is larger or deeper than allowed".to_owned());
        }
        match event {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                begin(&path, mapping, &mut open, &mut elements, &mut weight);
            }
            Event::Empty(start) => {
                path.push(start.local_name().as_ref().to_owned());
                begin(&path, mapping, &mut open, &mut elements, &mut weight);
                close(rows, mapping, &mut open);
                path.pop();
            }
            Event::End(_) => {
                close(rows, mapping, &mut open);
                path.pop();
            }
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(character)) => add(&mut open, character.encode_utf8(&mut [0; 4])),
                _ => add(&mut open, entity(&name)),
            },
            Event::Eof => ended = true,
            _ => {}
        }
    }
    if !path.is_empty() {
        let number = rows.count + 1;
        return rows.lose_row(number, || "the document has no end".to_owned());
    }
    if rows.count == 0 {
        let path = mapping.rows.join(".");
        rows.lose_row(1, || format!("there are no elements at '{path}'"));
    }
}

fn begin(path: &[String], mapping: &Mapping, open: &mut Vec<Open>, elements: &mut usize, weight: &mut usize) {
    let is_row =
        path.len() == mapping.rows.len() && path.iter().zip(&mapping.rows).all(|(name, step)| step == "*" || name == step);
    if open.is_empty() && !is_row {
        return;
    }
    if open.is_empty() {
        (*elements, *weight) = (0, 0);
    }
    *elements += 1;
    open.push(Open { name: path.last().cloned().unwrap_or_default(), children: Map::new(), text: String::new() });
}

fn add(open: &mut [Open], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

/// The character that `&name;` stands for; none for what XML does not define.
fn entity(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

fn close(rows: &mut Rows, mapping: &Mapping, open: &mut Vec<Open>) {
    let Some(done) = open.pop() else { return };
    let value = if done.children.is_empty() { Value::String(done.text.trim().to_owned()) } else { Value::Object(done.children) };
    if let Some(parent) = open.last_mut() {
        match parent.children.get_mut(&done.name) {
            None => drop(parent.children.insert(done.name, value)),
            Some(Value::Array(items)) => items.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
        return;
    }
    let number = rows.count + 1;
    rows.take(mapping, number, &|field| look(&value, field));
}

/// What a field of a row holds; of elements that are there more than once, all.
fn look(row: &Value, field: &Field) -> Option<Texts> {
    let mut places = vec![row];
    for step in &field.steps {
        let mut next = Vec::new();
        for place in places {
            match place.get(step) {
                Some(Value::Array(items)) => next.extend(items),
                Some(other) => next.push(other),
                None => {}
            }
        }
        places = next;
    }
    let mut texts: Vec<String> =
        places.into_iter().filter_map(Value::as_str).map(|text| without_controls(text.to_owned())).collect();
    match texts.len() {
        0 => None,
        1 => texts.pop().map(Texts::One),
        _ => Some(Texts::Many(texts)),
    }
}
