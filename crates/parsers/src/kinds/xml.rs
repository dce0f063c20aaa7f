//! Elements of an XML document as trees, one after the other: enough of XML for accounts that people and programs write.
//!
//! Nothing is fetched and no entity but the five of XML is known, so a document cannot grow.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Elements inside elements.
const DEPTH: usize = 48;
/// Elements of one tree.
const ELEMENTS: usize = 20_000;
/// Attributes of one element that are looked at.
const ATTRIBUTES: usize = 32;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Its name without a prefix.
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
    /// Its children, in order.
    pub(crate) children: Vec<Element>,
    /// The text right inside it.
    pub(crate) text: String,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Element {
        let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
        for attribute in start.attributes().with_checks(false).take(ATTRIBUTES).filter_map(Result::ok) {
            let name = attribute.key.local_name().as_ref().to_owned();
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map(Cow::into_owned).unwrap_or_default();
            element.attributes.push((name, value));
        }
        element
    }

    /// The value of an attribute; empty when there is none.
    pub(crate) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.trim())
    }

    /// Children of a name.
    pub(crate) fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first element of a name anywhere inside.
    pub(crate) fn find(&self, name: &str) -> Option<&Element> {
        self.children.iter().find_map(|child| if child.name == name { Some(child) } else { child.find(name) })
    }

    /// All text inside, for people.
    pub(crate) fn words(&self) -> String {
        let mut all = self.text.trim().to_owned();
        for child in &self.children {
            let inside = child.words();
            if !all.is_empty() && !inside.is_empty() {
                all.push(' ');
            }
            all.push_str(&inside);
        }
        all
    }
}

/// Hands each element of a name to `take`, with its number from 1. An error says where reading stopped; what came before it
/// has been handed out.
pub(crate) fn each(text: &str, name: &str, mut take: impl FnMut(usize, &Element)) -> Result<(), String> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let (mut outside, mut elements, mut number) = (0usize, 0usize, 0usize);
    loop {
        let at = reader.buffer_position();
        let event = reader.read_event().map_err(|_| format!("not XML at byte {at}"))?;
        let mut closed = false;
        match event {
            Event::Start(start) if open.is_empty() && start.local_name().as_ref() != name => outside += 1,
            Event::Start(start) => {
                elements += 1;
                open.push(Element::of(&start));
            }
            Event::Empty(start) if !open.is_empty() => {
                elements += 1;
                let element = Element::of(&start);
                if let Some(parent) = open.last_mut() {
                    parent.children.push(element);
                }
            }
            Event::End(_) if open.is_empty() => outside = outside.saturating_sub(1),
            Event::End(_) => closed = true,
            Event::Text(text) => add(&mut open, &text.xml10_content()),
            Event::CData(text) => add(&mut open, &text.xml10_content()),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(character)) => add(&mut open, character.encode_utf8(&mut [0; 4])),
                _ => add(&mut open, entity(&name)),
            },
            Event::Eof if open.is_empty() && outside == 0 => return Ok(()),
            Event::Eof => return Err("the document has no end".to_owned()),
            _ => {}
        }
        if outside > DEPTH || open.len() > DEPTH || elements > ELEMENTS {
            return Err(format!(
                "an element with more than {ELEMENTS} others inside, or {DEPTH} inside each other, at byte {at}"
            ));
        }
        if !closed {
            continue;
        }
        let Some(done) = open.pop() else { continue };
        match open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => {
                number += 1;
                elements = 0;
                take(number, &done);
            }
        }
    }
}

fn add(open: &mut [Element], text: &str) {
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
