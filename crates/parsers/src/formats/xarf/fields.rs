//! From JSON values to the fields of a report: what both versions of XARF share.

use std::borrow::Cow;
use std::collections::HashMap;

use model::address::Address;
use model::category::Kind as ReportKind;
use model::report::{Batch, Core, Place, Word};
use model::resource::{Resource, Url};

use super::check::SLOTS;
use super::json::{At, Document, Kind};
use super::shape::shown;

/// Names of a submission's own that become words; what comes after goes into one field as an object.
const MOST_NAMES: usize = 4_096;
/// Bytes that a name of the source's own may have.
const LONGEST_NAME: usize = 128;
/// Bytes of a value of a report about child abuse, beside its evidence, that are kept: enough for words, not for pictures.
pub(super) const LARGEST_ABUSE_VALUE: usize = 4_096;

/// The words of names, so that each is asked of the batch once. Word numbers stay the same for all batches of a part.
#[derive(Debug, Default)]
pub(super) struct Words {
    own: HashMap<String, Word>,
    /// By kind and place in its plan: the words of names that the schema knows.
    planned: Vec<Option<Word>>,
}

impl Words {
    /// The word of a property, `object` before it when it stands in one; `None` when there are too many names.
    ///
    /// A dot in a name of the source does not lead into an object, so it is written `\.` (and `\` as `\\`).
    pub(super) fn property(&mut self, batch: &mut Batch, object: &str, name: &str) -> Option<Word> {
        if object.is_empty()
            && let Some(word) = self.own.get(name)
        {
            return Some(*word);
        }
        if name.len() > LONGEST_NAME || self.own.len() >= MOST_NAMES {
            return None;
        }
        let mut full = String::with_capacity(object.len() + name.len() + 1);
        if !object.is_empty() {
            full.push_str(object);
            full.push('.');
        }
        for char in name.chars() {
            if matches!(char, '.' | '\\') {
                full.push('\\');
            }
            full.push(char);
        }
        let key = if object.is_empty() { name.to_owned() } else { format!("{object}\u{0}{name}") };
        if let Some(word) = self.own.get(&key) {
            return Some(*word);
        }
        let word = batch.word(&full, Place::Property);
        self.own.insert(key, word);
        Some(word)
    }

    /// The word of a name that stands at `place` in the plan of `kind`.
    fn planned(&mut self, batch: &mut Batch, kind: ReportKind, place: usize, name: &str) -> Option<Word> {
        let at = kind as usize * SLOTS + place;
        if let Some(Some(word)) = self.planned.get(at) {
            return Some(*word);
        }
        let word = self.property(batch, "", name);
        if self.planned.len() <= at {
            self.planned.resize(at + 1, None);
        }
        if let Some(slot) = self.planned.get_mut(at) {
            *slot = word;
        }
        word
    }

    /// The word of any place, for names that we choose ourselves.
    pub(super) fn other(&mut self, batch: &mut Batch, name: &'static str, place: Place) -> Word {
        let key = format!("{name}\u{0}{place:?}");
        *self.own.entry(key).or_insert_with(|| batch.word(name, place))
    }
}

/// For an object that may have names twice: which values count.
pub(super) struct LastOfEach<'t> {
    few: Vec<(Cow<'t, str>, At)>,
    many: HashMap<Cow<'t, str>, At>,
}

impl<'t> LastOfEach<'t> {
    pub(super) fn new(document: &Document, text: &'t str, members: impl Iterator<Item = (At, At)>) -> LastOfEach<'t> {
        let mut few: Vec<_> = members.map(|(name, value)| (document.text(text, name).unwrap_or_default(), value)).collect();
        // Comparing all pairs is the fastest for the few that honest objects have.
        let many = if few.len() > 24 { few.drain(..).collect() } else { HashMap::new() };
        LastOfEach { few, many }
    }

    /// Whether this is the value that counts for the name.
    pub(super) fn is(&self, name: &str, value: At) -> bool {
        if self.many.is_empty() {
            return self.few.iter().rev().find(|(other, _)| other == name).is_none_or(|(_, last)| *last == value);
        }
        self.many.get(name) == Some(&value)
    }
}

/// A report being filled from a document.
pub(super) struct Filler<'a> {
    pub(super) document: &'a Document,
    pub(super) text: &'a str,
    pub(super) batch: &'a mut Batch,
    pub(super) words: &'a mut Words,
    pub(super) core: Core,
    /// What a person may want to know.
    pub(super) remarks: Vec<String>,
    /// Properties whose names are not words, as the inside of a JSON object.
    other: String,
    /// Values that were too large for a report about child abuse.
    pub(super) withheld: usize,
}

impl<'a> Filler<'a> {
    pub(super) fn new(
        document: &'a Document,
        text: &'a str,
        batch: &'a mut Batch,
        words: &'a mut Words,
        core: Core,
    ) -> Filler<'a> {
        Filler { document, text, batch, words, core, remarks: Vec::new(), other: String::new(), withheld: 0 }
    }

    /// Keeps a value: a string as text, everything else as written.
    pub(super) fn put(&mut self, word: Word, at: At) {
        match self.document.text(self.text, at) {
            Some(text) if self.may_keep(text.len()) => self.batch.text(word, &*text),
            Some(_) => {}
            None => {
                let raw = self.document.raw(self.text, at);
                if self.may_keep(raw.len()) {
                    self.batch.json(word, &raw);
                }
            }
        }
    }

    fn may_keep(&mut self, length: usize) -> bool {
        let may = !self.core.kind.is_child_abuse() || length <= LARGEST_ABUSE_VALUE;
        self.withheld += usize::from(!may);
        may
    }

    /// Keeps a property whose name stands at `place` in the plan of the report's kind.
    pub(super) fn planned(&mut self, place: usize, name: &str, at: At) {
        match self.words.planned(self.batch, self.core.kind, place, name) {
            Some(word) => self.put(word, at),
            None => self.property("", name, at),
        }
    }

    /// Keeps a property by the name the source gives it.
    pub(super) fn property(&mut self, object: &str, name: &str, at: At) {
        match self.words.property(self.batch, object, name) {
            Some(word) => self.put(word, at),
            None => {
                let raw = self.document.raw(self.text, at);
                if self.may_keep(raw.len()) {
                    let dot = if object.is_empty() { "" } else { "." };
                    let name = serde_json::to_string(&format!("{object}{dot}{name}")).unwrap_or_default();
                    let comma = if self.other.is_empty() { "" } else { "," };
                    self.other.push_str(&format!("{comma}{name}:{raw}"));
                }
            }
        }
    }

    /// Writes what has no word of its own; to be called at the end.
    pub(super) fn finish(&mut self) {
        if !self.other.is_empty() {
            let word = self.words.other(self.batch, "other_properties", Place::Property);
            self.batch.json(word, &format!("{{{}}}", self.other));
        }
        if self.withheld > 0 {
            let count = self.withheld;
            self.remarks.push(format!("it is about child abuse: {count} payloads or large values were dropped and not kept"));
        }
    }

    /// The port of the source, from a number or its digits; false when it is neither.
    pub(super) fn port(&mut self, at: At) -> bool {
        let number = self.document.number_value(self.text, at);
        let text = self.document.text(self.text, at);
        let number = number.or_else(|| text.and_then(|text| text.trim().parse::<u16>().ok()).map(f64::from));
        match number.filter(|port| port.fract() == 0.0 && (1.0..=65_535.0).contains(port)) {
            Some(port) => {
                self.core.port = port as u16;
                true
            }
            None => false,
        }
    }

    /// Takes a text as the source of the abuse; whether it names one. An address may come with its port.
    pub(super) fn source(&mut self, text: &str) -> bool {
        let bare = text.trim();
        if let Some(address) = Address::parse(bare.as_bytes()) {
            if address == Address::NONE {
                return false;
            }
            self.core.address = address;
            if address.to_string() != text {
                self.batch.text(Word::SOURCE_IDENTIFIER, text);
            }
            return true;
        }
        if let Some((host, port)) = bare.rsplit_once(':')
            && let (Some(address), Ok(port)) = (Address::parse(host.as_bytes()), port.parse::<u16>())
            && address != Address::NONE
        {
            self.core.address = address;
            if self.core.port == 0 {
                self.core.port = port;
            }
            return true;
        }
        let names = Resource::parse(bare).is_ok();
        if names {
            self.batch.text(Word::SOURCE_IDENTIFIER, text);
        }
        names
    }

    /// Whether the string at a place is a URL with a host.
    pub(super) fn is_url(&self, at: Option<At>) -> bool {
        at.and_then(|at| self.document.text(self.text, at)).is_some_and(|text| Url::parse(text.trim()).is_some())
    }

    /// Begins an evidence item.
    pub(super) fn evidence(&mut self, content_type: Option<At>) {
        let text = content_type.and_then(|at| self.document.text(self.text, at)).unwrap_or_default();
        self.batch.text(Word::EVIDENCE_TYPE, &*text);
    }

    /// A value for a message: its text, or what is written.
    pub(super) fn shown(&self, at: At) -> String {
        shown(&self.document.text(self.text, at).unwrap_or_else(|| self.document.raw(self.text, at)))
    }

    /// Names and values of an object, of names that come again the last only.
    pub(super) fn members(&self, at: At) -> impl Iterator<Item = (Cow<'a, str>, At)> + use<'a> {
        let (document, text) = (self.document, self.text);
        // Small objects, which nearly all are, are searched again instead of remembered.
        let large = document.members(at).nth(8).is_some();
        let last = large.then(|| LastOfEach::new(document, text, document.members(at)));
        document.members(at).filter_map(move |(name, value)| {
            let name = document.text(text, name).unwrap_or_default();
            let counts = match &last {
                Some(last) => last.is(&name, value),
                None => document.member(text, at, &name) == Some(value),
            };
            counts.then_some((name, value))
        })
    }

    /// Whether the value is an object.
    pub(super) fn is_object(&self, at: At) -> bool {
        self.document.kind(at) == Kind::Object
    }

    /// Whether the value is `[]`.
    pub(super) fn is_empty_list(&self, at: At) -> bool {
        self.document.kind(at) == Kind::List && self.document.items(at).next().is_none()
    }
}
