//! RPSL objects, one by one: attributes with their continuation lines, comments aside (RFC 2622 section 2).

use std::borrow::Cow;
use std::io::{self, Read};

use crate::administration::lines::{Line, Lines};

/// One object: attributes in order, the first of which names its class and key.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The line it begins in.
    pub line: u64,
    text: String,
    attributes: Vec<Attribute>,
}

/// Where an attribute stands in the text: its name, and its value until the next attribute.
#[derive(Clone, Copy, Debug)]
struct Attribute {
    name: usize,
    value: usize,
    end: usize,
}

impl Object {
    /// Class in lower case: `inetnum`.
    pub fn class(&self) -> &str {
        self.attributes.first().map_or("", |attribute| &self.text[attribute.name..attribute.value])
    }

    /// The value of the first attribute, as written but for blanks around it.
    pub fn key(&self) -> &str {
        self.attributes.first().map_or("", |attribute| self.text[attribute.value..attribute.end].trim())
    }

    /// How many attributes it has.
    pub fn len(&self) -> usize {
        self.attributes.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.attributes.is_empty()
    }

    /// Names in lower case and values: without comments, lines joined by a blank.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.attributes.iter().map(|attribute| {
            let name = &self.text[attribute.name..attribute.value];
            (name, clean(&self.text[attribute.value..attribute.end]))
        })
    }

    fn clear(&mut self, line: u64) {
        self.line = line;
        self.text.clear();
        self.attributes.clear();
    }

    fn begin(&mut self, name: &[u8], value: &[u8]) {
        let from = self.text.len();
        for byte in name {
            self.text.push(char::from(byte.to_ascii_lowercase()));
        }
        let at = self.text.len();
        self.push(value);
        self.attributes.push(Attribute { name: from, value: at, end: self.text.len() });
    }

    fn go_on(&mut self, value: &[u8]) {
        self.text.push('\n');
        self.push(value);
        let end = self.text.len();
        if let Some(attribute) = self.attributes.last_mut() {
            attribute.end = end;
        }
    }

    /// Registries write Latin-1; some objects are UTF-8. Each line is what it can be.
    fn push(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.text.push_str(text),
            Err(_) => self.text.extend(bytes.iter().copied().map(char::from)),
        }
    }
}

/// A value without its comments, on one line.
fn clean(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['#', '\n']) {
        return Cow::Borrowed(raw.trim());
    }
    let mut value = String::new();
    for line in raw.split('\n') {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty() {
            if !value.is_empty() {
                value.push(' ');
            }
            value.push_str(line);
        }
    }
    Cow::Owned(value)
}

/// What came next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// An object.
    Object,
    /// A block of lines that is no object: why. What could be read of it is in the object.
    Broken(String),
    /// Nothing.
    End,
}

/// A reader of objects, none longer than a bound.
pub struct Objects<R> {
    lines: Lines<R>,
    limit: usize,
}

impl<R: Read> Objects<R> {
    /// Objects of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Objects<R> {
        Objects { lines: Lines::new(reader, limit), limit }
    }

    /// Reads the next object into `object`, whose memory is used again.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn next_into(&mut self, object: &mut Object) -> io::Result<Next> {
        object.clear(0);
        let mut broken = None;
        let mut any = false;
        loop {
            let number = self.lines.number() + 1;
            let Some(line) = self.lines.next_line()? else { break };
            let (line, too_long) = match line {
                Line::Whole(line) => (line, false),
                Line::TooLong(line) => (line, true),
            };
            // The byte order mark of an exporter that means well.
            let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
            if line.trim_ascii().is_empty() {
                if any {
                    break;
                }
                continue;
            }
            if matches!(line.first(), Some(b'%' | b'#')) {
                continue;
            }
            if !any {
                any = true;
                object.clear(number);
            }
            if too_long || object.text.len() + line.len() > self.limit {
                broken.get_or_insert_with(|| format!("an object of over {} bytes", self.limit));
                continue;
            }
            if let [b' ' | b'\t' | b'+', value @ ..] = line {
                if object.is_empty() {
                    broken.get_or_insert_with(|| "it begins with a continuation line".to_owned());
                } else {
                    object.go_on(value);
                }
                continue;
            }
            match memchr::memchr(b':', line).map(|colon| (&line[..colon], &line[colon + 1..])) {
                Some((name, value)) if is_name(name) => object.begin(name, value),
                // A line that is no attribute costs the line, unless it should have been the first.
                _ if object.is_empty() => {
                    broken.get_or_insert_with(|| "it does not begin with an attribute, like 'inetnum: …'".to_owned());
                }
                _ => {}
            }
        }
        Ok(match (any, broken) {
            (false, _) => Next::End,
            (true, Some(reason)) => Next::Broken(reason),
            (true, None) => Next::Object,
        })
    }
}

fn is_name(name: &[u8]) -> bool {
    name.first().is_some_and(u8::is_ascii_alphanumeric)
        && name.len() <= 64
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}
