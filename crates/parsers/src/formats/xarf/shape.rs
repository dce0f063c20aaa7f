//! What a JSON value may look like: the words in which [`super::rules`] is written, and the check of a value against them.

use std::borrow::Cow;
use std::fmt;

use super::json::{At, Document, Kind};

/// Violations that one verdict lists; a report that breaks more says so in the last.
const MOST_VIOLATIONS: usize = 32;

/// The shapes of values.
pub(super) enum Shape {
    /// Any string.
    Text,
    /// A string of at most so many characters.
    Short(usize),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A string that passes a test.
    Like(&'static Like),
    /// A whole number (`25.0` is one) between these, both included.
    Whole(f64, f64),
    /// A number between these, both included.
    Number(f64, f64),
    /// `true` or `false`.
    Bool,
    /// An array of values of one shape.
    List(&'static List),
    /// An object.
    Object(&'static Object),
}

/// A test of strings.
pub(super) struct Like {
    /// `format` or `pattern`, as JSON Schema calls it.
    pub(super) keyword: &'static str,
    /// What it wants, for people.
    pub(super) wants: &'static str,
    /// The test.
    pub(super) test: fn(&str) -> bool,
}

/// An array.
pub(super) struct List {
    pub(super) of: Shape,
    pub(super) least: usize,
    pub(super) most: usize,
    /// Whether no string may come twice.
    pub(super) unique: bool,
}

/// An object.
pub(super) struct Object {
    pub(super) members: &'static [(&'static str, Shape)],
    pub(super) required: &'static [&'static str],
    /// Whether members that are not named here are refused.
    pub(super) closed: bool,
}

/// One thing a report does that the schema does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: names and places joined by `/`, empty for the report itself.
    pub at: String,
    /// The keyword of JSON Schema that is broken: `required`, `enum`, `format`, …
    pub keyword: &'static str,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.at, self.message),
        }
    }
}

/// A place in a document, as a chain up to the root, so that only violations pay for writing it.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    pub(super) up: Option<&'a Path<'a>>,
    pub(super) step: Step<'a>,
}

#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Root,
    Name(&'a str),
    Item(usize),
}

impl<'a> Path<'a> {
    pub(super) const ROOT: Path<'static> = Path { up: None, step: Step::Root };

    pub(super) fn name(&'a self, name: &'a str) -> Path<'a> {
        Path { up: Some(self), step: Step::Name(name) }
    }

    fn item(&'a self, item: usize) -> Path<'a> {
        Path { up: Some(self), step: Step::Item(item) }
    }

    fn write(&self, out: &mut String) {
        if let Some(up) = self.up {
            up.write(out);
        }
        let step = match self.step {
            Step::Root => return,
            Step::Name(name) => Cow::Borrowed(name),
            Step::Item(item) => Cow::Owned(item.to_string()),
        };
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(&step);
    }
}

/// A check under way: the document, and what is wrong with it.
pub(super) struct Check<'a> {
    pub(super) document: &'a Document,
    pub(super) text: &'a str,
    pub(super) violations: &'a mut Vec<Violation>,
}

impl<'a> Check<'a> {
    /// Notes a violation.
    pub(super) fn fail(&mut self, path: &Path<'_>, keyword: &'static str, message: impl FnOnce() -> String) {
        if self.violations.len() < MOST_VIOLATIONS {
            let mut at = String::new();
            path.write(&mut at);
            self.violations.push(Violation { at, keyword, message: message() });
        } else if self.violations.len() == MOST_VIOLATIONS {
            let message = "there is more, not listed".to_owned();
            self.violations.push(Violation { at: String::new(), keyword, message });
        }
    }

    /// Checks one value.
    pub(super) fn value(&mut self, shape: &Shape, at: At, path: &Path<'_>) {
        match shape {
            Shape::Text => {
                self.string(at, path);
            }
            Shape::Short(most) => {
                let Some(value) = self.string(at, path) else { return };
                // A character has at least one byte, so short texts need no counting.
                if value.len() > *most && value.chars().count() > *most {
                    self.fail(path, "maxLength", || format!("is longer than {most} characters"));
                }
            }
            Shape::OneOf(words) => {
                let Some(value) = self.string(at, path) else { return };
                if !words.contains(&&*value) {
                    self.fail(path, "enum", || format!("'{}' is not one of {}", shown(&value), words.join(", ")));
                }
            }
            Shape::Like(like) => {
                let Some(value) = self.string(at, path) else { return };
                if !(like.test)(&value) {
                    self.fail(path, like.keyword, || format!("'{}' is not {}", shown(&value), like.wants));
                }
            }
            Shape::Whole(least, most) => {
                let number = self.document.number_value(self.text, at);
                match number.filter(|number| number.is_finite() && number.fract() == 0.0) {
                    Some(number) => self.between(number, *least, *most, path),
                    None => self.fail(path, "type", || "is not a whole number".to_owned()),
                }
            }
            Shape::Number(least, most) => match self.document.number_value(self.text, at) {
                Some(number) => self.between(number, *least, *most, path),
                None => self.fail(path, "type", || "is not a number".to_owned()),
            },
            Shape::Bool => {
                self.kind(at, path, "true or false", |kind| kind == Kind::Bool);
            }
            Shape::List(list) => self.list(list, at, path),
            Shape::Object(object) => self.object(object, at, path),
        }
    }

    fn kind(&mut self, at: At, path: &Path<'_>, wanted: &str, fits: fn(Kind) -> bool) -> bool {
        let fits = fits(self.document.kind(at));
        if !fits {
            self.fail(path, "type", || format!("is not {wanted}"));
        }
        fits
    }

    fn string(&mut self, at: At, path: &Path<'_>) -> Option<Cow<'a, str>> {
        if !self.kind(at, path, "a string", |kind| matches!(kind, Kind::Plain | Kind::Escaped)) {
            return None;
        }
        self.document.text(self.text, at)
    }

    fn between(&mut self, number: f64, least: f64, most: f64, path: &Path<'_>) {
        if number < least {
            self.fail(path, "minimum", || format!("is less than {least}"));
        }
        if number > most {
            self.fail(path, "maximum", || format!("is more than {most}"));
        }
    }

    fn list(&mut self, list: &List, at: At, path: &Path<'_>) {
        if !self.kind(at, path, "an array", |kind| kind == Kind::List) {
            return;
        }
        let mut count = 0;
        for item in self.document.items(at) {
            self.value(&list.of, item, &path.item(count));
            count += 1;
        }
        if count > list.most {
            self.fail(path, "maxItems", || format!("has more than {} items", list.most));
        } else if count < list.least {
            self.fail(path, "minItems", || format!("has fewer than {} items", list.least));
        } else if list.unique {
            // Lists that must be unique are short, so comparing all pairs is cheap.
            let items: Vec<_> = self.document.items(at).map(|item| self.document.text(self.text, item)).collect();
            if items.iter().enumerate().any(|(place, item)| items.iter().take(place).any(|other| other == item)) {
                self.fail(path, "uniqueItems", || "has an item twice".to_owned());
            }
        }
    }

    fn object(&mut self, object: &Object, at: At, path: &Path<'_>) {
        if !self.kind(at, path, "an object", |kind| kind == Kind::Object) {
            return;
        }
        const NONE: At = 0;
        // Where each named member stands; the last counts. No object of the tables has more members.
        let mut found = [NONE; 24];
        for (name, value) in self.document.members(at) {
            let Some(text) = self.document.text(self.text, name) else { continue };
            match object.members.iter().position(|(member, _)| *member == text) {
                Some(place) => {
                    if let Some(slot) = found.get_mut(place) {
                        *slot = value;
                    }
                }
                None if object.closed => {
                    self.fail(path, "additionalProperties", || format!("'{}' is not expected here", shown(&text)));
                }
                None => {}
            }
        }
        for ((name, shape), value) in object.members.iter().zip(found) {
            if value != NONE {
                self.value(shape, value, &path.name(name));
            } else if object.required.contains(name) {
                self.fail(path, "required", || format!("'{name}' is missing"));
            }
        }
    }
}

/// The beginning of a text, for messages.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
        None => text.to_owned(),
    }
}
