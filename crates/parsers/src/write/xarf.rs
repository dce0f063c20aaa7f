//! A report as one line of XARF 4 JSON, for `sluis read` and for those we pass reports on to.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::label::{Pap, Tlp};
use model::report::{Core, Place, Report, Shape, Value, Word};
use model::resource::Url;
use model::time::Time;

use crate::formats::xarf::compact;
use crate::formats::xarf::text::{is_date_time, is_tag, is_uuid};

/// The version of XARF that is written.
pub const VERSION: &str = "4.2.0";
/// Tags that XARF allows a report.
const MOST_TAGS: usize = 20;
/// Characters that XARF allows a description.
const LONGEST_DESCRIPTION: usize = 1_000;
/// Objects inside each other that a dotted word may ask for; past it the rest of the word is one name.
const DEEPEST: usize = 8;

/// Names that are written from what the report is, so that no dotted word may lead into them.
const CORE: &[&str] = &[
    "xarf_version",
    "report_id",
    "timestamp",
    "source_identifier",
    "source_port",
    "category",
    "type",
    "evidence_source",
    "confidence",
    "description",
    "tags",
    "evidence",
    "_internal",
];

/// What a report does not know of itself.
#[derive(Clone, Debug)]
pub struct Ids {
    /// The identifier to write when the source gave none that is a UUID. XARF wants a UUID here.
    pub fallback_report_id: String,
    /// When the report was received: the `timestamp` of one without a time, which then has the tag `sluis:undated`.
    pub received: Time,
}

/// Writes `report` and a newline.
///
/// Names come in one order: `xarf_version`, `report_id`, `timestamp`, `reporter`, `sender`, `source_identifier`,
/// `source_port`, `category`, `type`, `evidence_source`, `confidence`, `description`, the others as they were read,
/// `tags`, `evidence`. What XARF has no word for becomes one evidence item. XARF wants a reporter and a sender: each
/// stands for the other when one is missing; when both are, `unknown@unknown.invalid` (RFC 2606) stands for them.
pub fn write(report: &Report<'_>, ids: &Ids, out: &mut Vec<u8>) {
    let mut parts = Parts::of(report);
    let mut object = Object::begin(out);
    object.text("xarf_version", VERSION);
    object.text("report_id", parts.report_id.unwrap_or(&ids.fallback_report_id));
    match (report.core.observed(), parts.timestamp) {
        (Some(_), Some(written)) => object.text("timestamp", written),
        (observed, _) => object.text("timestamp", &observed.unwrap_or(ids.received).to_string()),
    }
    parts.contact(&mut object, "reporter", 0, 1);
    parts.contact(&mut object, "sender", 1, 0);
    object.text("source_identifier", &parts.source(report));
    if report.core.port != 0 {
        object.number("source_port", report.core.port);
    }
    object.text("category", report.core.kind.category());
    object.text("type", report.core.kind.type_name());
    for (word, name) in [(parts.evidence_source, "evidence_source"), (parts.confidence, "confidence")] {
        if let Some(value) = word {
            object.value(name, value);
        } else if name == "confidence" && report.core.confidence != Core::UNSTATED {
            object.number(name, f64::from(report.core.confidence.min(100)) / 100.0);
        }
    }
    parts.description(&mut object);
    parts.others(&mut object);
    parts.write_tags(&mut object, report);
    parts.write_evidence(&mut object);
    object.end();
    out.push(b'\n');
}

/// The fields of a report, sorted by where they go.
#[derive(Default)]
struct Parts<'a> {
    report_id: Option<&'a str>,
    /// The time as written, when it is the core's and XARF's spelling.
    timestamp: Option<&'a str>,
    /// Reporter and sender: organisation, mail address, domain name, and what else is said of them.
    contacts: [Contact<'a>; 2],
    identifier: Option<&'a str>,
    evidence_source: Option<Value<'a>>,
    confidence: Option<Value<'a>>,
    description: Option<&'a str>,
    others: Vec<(Vec<String>, Value<'a>, Word)>,
    tags: Vec<&'a str>,
    own_tags: Vec<String>,
    no_tags: bool,
    evidence: Vec<(Word, &'a str, Value<'a>)>,
    no_evidence: bool,
    extra: Vec<(&'a str, Value<'a>)>,
    url: Option<&'a str>,
    domain: Option<&'a str>,
}

#[derive(Default)]
struct Contact<'a> {
    named: [Option<&'a str>; 3],
}

impl<'a> Parts<'a> {
    fn of(report: &Report<'a>) -> Parts<'a> {
        let mut parts = Parts::default();
        for (word, value) in report.fields() {
            let (name, place) = report.name(word);
            match place {
                Place::Property => parts.property(report, word, name, value),
                Place::Tag => parts.tag(word, name, value),
                Place::Evidence => parts.evidence.push((word, name, value)),
                Place::Extra => parts.extra.push((name, value)),
            }
        }
        parts
    }

    fn property(&mut self, report: &Report<'a>, word: Word, name: &'a str, value: Value<'a>) {
        let text = (value.shape == Shape::Text).then(|| value.text());
        let contacts = [
            [Word::REPORTER_ORG, Word::REPORTER_CONTACT, Word::REPORTER_DOMAIN],
            [Word::SENDER_ORG, Word::SENDER_CONTACT, Word::SENDER_DOMAIN],
        ];
        for (contact, words) in self.contacts.iter_mut().zip(contacts) {
            for (slot, known) in contact.named.iter_mut().zip(words) {
                if word == known && slot.is_none() && text.is_some_and(|text| !text.is_empty()) {
                    *slot = text;
                    return;
                }
            }
        }
        match name {
            "report_id" if self.report_id.is_none() && text.is_some_and(is_uuid) => self.report_id = text,
            "timestamp" if report.core.observed().is_some() && self.timestamp.is_none() && same_time(report.core, text) => {
                self.timestamp = text;
            }
            "source_identifier" if self.identifier.is_none() && text.is_some() => self.identifier = text,
            "evidence_source" if self.evidence_source.is_none() => self.evidence_source = Some(value),
            "confidence" if self.confidence.is_none() && is_share(value) => self.confidence = Some(value),
            "description" if self.description.is_none() && text.is_some() => {
                self.description = text;
                // Cut at the door, kept whole beside it.
                if value.text().chars().nth(LONGEST_DESCRIPTION).is_some() {
                    self.extra.push((name, value));
                }
            }
            "tags" if is_empty_list(value) => self.no_tags = true,
            "evidence" if is_empty_list(value) => self.no_evidence = true,
            "report_id" | "timestamp" | "source_identifier" | "evidence_source" | "confidence" | "description" | "tags"
            | "evidence" | "xarf_version" | "source_port" | "category" | "type" | "reporter" | "sender" | "_internal" => {
                self.extra.push((name, value));
            }
            _ => {
                match word {
                    Word::URL => self.url = self.url.or(text),
                    Word::DOMAIN => self.domain = self.domain.or(text),
                    _ => {}
                }
                // Comparing with all before costs little: words are numbers and reports have some twenty.
                if self.others.len() < 512 && self.others.iter().any(|(.., other)| *other == word) {
                    return self.extra.push((name, value));
                }
                let path = path(name);
                match path.as_slice() {
                    [first, _, ..] if CORE.contains(&first.as_str()) => self.extra.push((name, value)),
                    _ => self.others.push((path, value, word)),
                }
            }
        }
    }

    fn tag(&mut self, word: Word, name: &'a str, value: Value<'a>) {
        if value.shape != Shape::Text {
            return self.extra.push((name, value));
        }
        let text = value.text();
        if word == Word::TAG {
            match is_tag(text) {
                true => self.tags.push(text),
                false => self.extra.push((name, value)),
            }
            return;
        }
        let tag = format!("{name}:{text}").to_ascii_lowercase().replace(' ', "-");
        match is_tag(&tag) {
            true => self.own_tags.push(tag),
            false => self.extra.push((name, value)),
        }
    }

    fn contact(&mut self, object: &mut Object<'_>, name: &'static str, this: usize, that: usize) {
        let named = |at: usize| self.contacts.get(at).map(|contact| contact.named).unwrap_or_default();
        let (own, other) = (named(this), named(that));
        // Parts of one are not mixed with parts of the other.
        let [org, mut contact, mut domain] = if own.iter().any(Option::is_some) { own } else { other };
        let of_mail = contact.and_then(|contact| contact.rsplit_once('@')).map(|(_, domain)| domain);
        domain = domain.or(of_mail);
        let org = org.or(domain).unwrap_or("unknown");
        contact = contact.or(Some("unknown@unknown.invalid"));
        let mut inner = object.object(name);
        inner.text("org", org);
        inner.text("contact", contact.unwrap_or_default());
        inner.text("domain", domain.unwrap_or("unknown.invalid"));
        let mut rest = Vec::new();
        self.others.retain_mut(|(path, value, word)| {
            let here = path.len() > 1 && path.first().is_some_and(|first| first == name);
            match path.get(1).map(String::as_str) {
                Some("org" | "contact" | "domain") if here => self.extra.push((name, *value)),
                _ if here => rest.push((path.split_off(1), *value, *word)),
                _ => {}
            }
            !here
        });
        let rest: Vec<_> = rest.iter().map(|(path, value, word)| (path.as_slice(), *value, *word)).collect();
        tree(&mut inner, &rest, &mut self.extra, DEEPEST);
        inner.end();
    }

    /// The source as the source wrote it, unless the address was corrected since; else what comes nearest.
    fn source(&self, report: &Report<'_>) -> String {
        let address = report.core.address;
        let known = address != model::address::Address::NONE;
        match self.identifier {
            Some(text) => match model::address::Address::parse(text.as_bytes()) {
                Some(written) if known && written != address => address.to_string(),
                _ => text.to_owned(),
            },
            None if known => address.to_string(),
            None => {
                let host = self.url.and_then(Url::parse).map(|url| url.host().to_string());
                host.or_else(|| self.domain.map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
            }
        }
    }

    fn description(&self, object: &mut Object<'_>) {
        let Some(text) = self.description else { return };
        match text.char_indices().nth(LONGEST_DESCRIPTION) {
            None => object.text("description", text),
            Some(_) => {
                let end = text.char_indices().nth(LONGEST_DESCRIPTION - 1).map_or(0, |(end, _)| end);
                object.text("description", &format!("{}…", text.get(..end).unwrap_or("")));
            }
        }
    }

    fn others(&mut self, object: &mut Object<'_>) {
        let others: Vec<_> = self.others.iter().map(|(path, value, word)| (path.as_slice(), *value, *word)).collect();
        tree(object, &others, &mut self.extra, DEEPEST);
    }

    /// Tags of the source first, but never at the cost of those that say what may be done with the report.
    fn write_tags(&mut self, object: &mut Object<'_>, report: &Report<'a>) {
        let mut ours = Vec::new();
        let has = |tlp: &dyn Fn(&str) -> bool| self.tags.iter().any(|tag| tlp(tag));
        let tlp = report.core.tlp;
        if tlp != Tlp::Unstated && !has(&|tag| tag.starts_with("tlp:") && Tlp::parse(tag) == Some(tlp)) {
            ours.push(tlp.to_string().to_ascii_lowercase());
        }
        let pap = report.core.pap;
        if pap != Pap::Unstated && !has(&|tag| tag.starts_with("pap:") && Pap::parse(tag) == Some(pap)) {
            ours.push(pap.to_string().to_ascii_lowercase());
        }
        if report.core.observed().is_none() && !self.tags.contains(&"sluis:undated") {
            ours.push("sluis:undated".to_owned());
        }
        ours.splice(0..0, self.own_tags.drain(..));
        let room = MOST_TAGS.saturating_sub(ours.len());
        let beyond = self.tags.split_off(room.min(self.tags.len()));
        for tag in beyond {
            self.extra.push(("tags", Value { shape: Shape::Text, bytes: tag.as_bytes() }));
        }
        if self.tags.is_empty() && ours.is_empty() && !self.no_tags {
            return;
        }
        let mut list = object.list("tags");
        for tag in self.tags.iter().copied().chain(ours.iter().map(String::as_str)) {
            list.text(tag);
        }
        list.end();
    }

    fn write_evidence(&mut self, object: &mut Object<'_>) {
        if self.evidence.is_empty() && self.extra.is_empty() && !self.no_evidence {
            return;
        }
        let mut list = object.list("evidence");
        let mut rest = self.evidence.as_slice();
        while !rest.is_empty() {
            // An item lasts until the next begins.
            let next = rest.iter().skip(1).position(|(word, ..)| *word == Word::EVIDENCE_TYPE).map_or(rest.len(), |at| at + 1);
            let (item, after) = rest.split_at(next);
            evidence_item(&mut list.object(), item, &mut self.extra);
            rest = after;
        }
        if !self.extra.is_empty() {
            let mut item = list.object();
            item.text("content_type", "application/json");
            item.text("description", "Fields of the source that XARF has no word for");
            item.text("payload", &STANDARD.encode(extra(&self.extra)));
            item.end();
        }
        list.end();
    }
}

fn evidence_item<'a>(object: &mut Object<'_>, item: &[(Word, &'a str, Value<'a>)], extra: &mut Vec<(&'a str, Value<'a>)>) {
    let words =
        [Word::EVIDENCE_TYPE, Word::EVIDENCE_DESCRIPTION, Word::EVIDENCE_PAYLOAD, Word::EVIDENCE_HASH, Word::EVIDENCE_SIZE];
    let mut found: [Option<Value<'_>>; 5] = [None; 5];
    for (word, name, value) in item {
        match words.iter().zip(&mut found).find(|(known, _)| *known == word) {
            Some((_, slot)) if slot.is_none() => *slot = Some(*value),
            _ => extra.push((name, *value)),
        }
    }
    let [content_type, description, payload, hash, size] = found;
    let content_type = content_type.map(|value| value.text()).filter(|text| !text.is_empty());
    object.text("content_type", content_type.unwrap_or("application/octet-stream"));
    if let Some(value) = description {
        object.value("description", value);
    }
    // XARF wants a payload; an item without one (none is kept of child abuse) has an empty one.
    match payload {
        Some(value) => object.value("payload", value),
        None => object.text("payload", ""),
    }
    if let Some(value) = hash {
        object.value("hash", value);
    }
    if let Some(value) = size {
        object.number_or_text("size", value);
    }
    object.end();
}

/// Fields without a word as one JSON object; values of a name that comes again become an array.
fn extra(fields: &[(&str, Value<'_>)]) -> Vec<u8> {
    let mut names: Vec<(&str, Vec<Value<'_>>)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for (name, value) in fields {
        let place = *at.entry(*name).or_insert(names.len());
        match names.get_mut(place) {
            Some((_, values)) => values.push(*value),
            None => names.push((name, vec![*value])),
        }
    }
    let mut out = Vec::new();
    let mut object = Object::begin(&mut out);
    for (name, values) in names {
        match values.as_slice() {
            [value] => object.value(name, *value),
            values => {
                let mut list = object.list(name);
                for value in values {
                    list.value(*value);
                }
                list.end();
            }
        }
    }
    object.end();
    out
}

/// The steps of a word: dots lead into objects, `\.` is a dot and `\\` a backslash.
fn path(name: &str) -> Vec<String> {
    let mut steps = vec![String::new()];
    let mut chars = name.chars();
    while let Some(char) = chars.next() {
        let char = match char {
            '.' if steps.len() < DEEPEST => {
                steps.push(String::new());
                continue;
            }
            '\\' => chars.next().unwrap_or('\\'),
            char => char,
        };
        if let Some(step) = steps.last_mut() {
            step.push(char);
        }
    }
    steps
}

type Branch<'p, 'a> = (&'p [String], Value<'a>, Word);

/// Writes fields, those with a common first step as one object where the first of them stands. A name that is both a
/// value and an object is a value; what would be in the object goes to the extra fields.
fn tree<'a>(object: &mut Object<'_>, fields: &[Branch<'_, 'a>], extra: &mut Vec<(&'a str, Value<'a>)>, depth: usize) {
    let mut groups: Vec<(&str, Vec<Branch<'_, 'a>>)> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for (path, value, word) in fields {
        let Some((first, rest)) = path.split_first() else { continue };
        let place = *at.entry(first.as_str()).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, group)) => group.push((rest, *value, *word)),
            None => groups.push((first, vec![(rest, *value, *word)])),
        }
    }
    for (name, group) in groups {
        match group.iter().find(|(rest, ..)| rest.is_empty()) {
            Some((_, value, word)) => {
                object.field(name, *word, *value);
                for (_, value, _) in group.iter().filter(|(rest, ..)| !rest.is_empty()) {
                    extra.push(("properties inside a value", *value));
                }
            }
            None if depth > 0 => {
                let mut inner = object.object(name);
                tree(&mut inner, &group, extra, depth - 1);
                inner.end();
            }
            None => {}
        }
    }
}

fn same_time(core: &Core, text: Option<&str>) -> bool {
    text.is_some_and(|text| is_date_time(text) && Time::parse(text.as_bytes()) == core.observed())
}

fn is_share(value: Value<'_>) -> bool {
    value.shape == Shape::Json && value.text().parse::<f64>().is_ok_and(|number| (0.0..=1.0).contains(&number))
}

fn is_empty_list(value: Value<'_>) -> bool {
    let text = value.text().trim();
    value.shape == Shape::Json
        && text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|rest| rest.trim().is_empty())
}

/// An object being written.
struct Object<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

/// An array being written.
struct Items<'o> {
    out: &'o mut Vec<u8>,
    empty: bool,
}

impl<'o> Object<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Object<'o> {
        out.push(b'{');
        Object { out, empty: true }
    }

    fn end(&mut self) {
        self.out.push(b'}');
    }

    fn name(&mut self, name: &str) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        string(self.out, name);
        self.out.push(b':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        string(self.out, text);
    }

    fn number(&mut self, name: &str, number: impl std::fmt::Display) {
        self.name(name);
        self.out.extend_from_slice(number.to_string().as_bytes());
    }

    fn value(&mut self, name: &str, value: Value<'_>) {
        self.name(name);
        any(self.out, value);
    }

    /// A field whose word may be one that XARF wants as a number.
    fn field(&mut self, name: &str, word: Word, value: Value<'_>) {
        match word {
            Word::DESTINATION_PORT | Word::SERVICE_PORT | Word::ASN | Word::INCIDENTS => self.number_or_text(name, value),
            _ => self.value(name, value),
        }
    }

    fn number_or_text(&mut self, name: &str, value: Value<'_>) {
        match (value.shape, value.text().parse::<u64>()) {
            (Shape::Text, Ok(number)) => self.number(name, number),
            _ => self.value(name, value),
        }
    }

    fn object(&mut self, name: &str) -> Object<'_> {
        self.name(name);
        Object::begin(self.out)
    }

    fn list(&mut self, name: &str) -> Items<'_> {
        self.name(name);
        self.out.push(b'[');
        Items { out: self.out, empty: true }
    }
}

impl Items<'_> {
    fn end(&mut self) {
        self.out.push(b']');
    }

    fn comma(&mut self) {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
    }

    fn text(&mut self, text: &str) {
        self.comma();
        string(self.out, text);
    }

    fn value(&mut self, value: Value<'_>) {
        self.comma();
        any(self.out, value);
    }

    fn object(&mut self) -> Object<'_> {
        self.comma();
        Object::begin(self.out)
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    // Writing text into a vector cannot fail; were it to, an empty string keeps the line JSON.
    let before = out.len();
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"\"\"");
    }
}

fn any(out: &mut Vec<u8>, value: Value<'_>) {
    match value.shape {
        Shape::Text => string(out, value.text()),
        Shape::Json => {
            if !compact(value.text(), out) {
                string(out, value.text());
            }
        }
        Shape::Bytes => {
            out.push(b'"');
            out.extend_from_slice(STANDARD.encode(value.bytes).as_bytes());
            out.push(b'"');
        }
    }
}
