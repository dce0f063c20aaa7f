//! JSON documents of a submission, one after the other, each walked where it lies: for formats whose documents are large.

use std::borrow::Cow;

use model::time::Time;

use crate::formats::xarf::feed::{BOM, Feed, Layout, Piece};
use crate::formats::xarf::json::{At, Document, Kind};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Hands each JSON document of a submission to `take`, with its place for people. They may stand alone, one a line, in an
/// array or after each other. What is no JSON, nested too deeply or too large becomes a reject; `what` says what was expected.
///
/// # Errors
/// Those of the reader and of `take`.
pub(crate) fn each(
    reading: &mut Reading<'_>,
    source: &mut Source<'_>,
    what: &str,
    mut take: impl FnMut(&mut Reading<'_>, Json<'_>, &str) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let limits = reading.hint.limits;
    let layout = Layout::of(source.prefix(), limits.json_depth);
    let mut feed = Feed::new(source);
    let (mut document, mut number, most) = (Document::default(), 0u64, limits.whole.max(limits.line));
    loop {
        let piece = feed.next(layout, most)?;
        number = number.saturating_add(1);
        let place = match layout {
            _ if number == 1 => String::new(),
            Layout::Lines => format!("line {number}"),
            Layout::Array | Layout::Documents => format!("document {number}"),
        };
        match piece {
            Piece::End => {
                if feed.is_cut() {
                    reading.note("", "the array has no end; some of it may be missing");
                }
                return Ok(());
            }
            Piece::TooLong(beginning) => {
                let ordinal = reading.ordinal();
                let reason = format!("{what} of over {most} bytes; send it in parts");
                reading.reject(ordinal, &place, &beginning, reason);
            }
            Piece::Report(range) => {
                let bytes = feed.bytes(&range).trim_ascii();
                if bytes.is_empty() {
                    continue;
                }
                let text = String::from_utf8_lossy(bytes);
                match document.scan(&text, limits.json_depth) {
                    Ok(()) => take(reading, Json { document: &document, text: &text, at: 0 }, &place)?,
                    Err(fault) => {
                        let ordinal = reading.ordinal();
                        let reason = format!("no {what}: not JSON at byte {}: {}", fault.at, fault.what);
                        reading.reject(ordinal, &place, bytes, reason);
                    }
                }
            }
        }
    }
}

/// The beginning of a JSON object or array, without what Windows puts before it; `None` for anything else.
pub(crate) fn beginning<'a>(prefix: &Prefix<'a>) -> Option<&'a [u8]> {
    let start = prefix.bytes.strip_prefix(BOM).unwrap_or(prefix.bytes).trim_ascii_start();
    matches!(start.first(), Some(b'{' | b'[')).then_some(start)
}

/// A value of a document.
#[derive(Clone, Copy)]
pub(crate) struct Json<'a> {
    document: &'a Document,
    text: &'a str,
    at: At,
}

impl<'a> Json<'a> {
    /// The whole of a document that was scanned from this text.
    pub(crate) fn of(document: &'a Document, text: &'a str) -> Json<'a> {
        Json { document, text, at: 0 }
    }

    fn other(self, at: At) -> Json<'a> {
        Json { at, ..self }
    }

    /// The member of a name, the last when it comes again; `None` when there is none, or it is null.
    pub(crate) fn get(self, name: &str) -> Option<Json<'a>> {
        let at = self.document.member(self.text, self.at, name)?;
        (self.document.kind(at) != Kind::Null).then_some(self.other(at))
    }

    /// The text of a string.
    pub(crate) fn text(self) -> Option<Cow<'a, str>> {
        self.document.text(self.text, self.at)
    }

    /// The text of a member that is a string, a number or a truth, without blanks around it; empty for any other.
    pub(crate) fn word(self, name: &str) -> Cow<'a, str> {
        self.get(name).map(Json::scalar).unwrap_or_default()
    }

    /// The text of a string, a number or a truth, without blanks around it; empty for any other.
    pub(crate) fn scalar(self) -> Cow<'a, str> {
        match self.document.kind(self.at) {
            Kind::Plain | Kind::Escaped => match self.text() {
                Some(Cow::Borrowed(text)) => Cow::Borrowed(text.trim()),
                Some(Cow::Owned(text)) => Cow::Owned(text.trim().to_owned()),
                None => Cow::Borrowed(""),
            },
            Kind::Number | Kind::Bool => self.document.raw(self.text, self.at),
            Kind::Null | Kind::List | Kind::Object => Cow::Borrowed(""),
        }
    }

    /// Whether a member is true: the truth itself, 1, or either as text.
    pub(crate) fn is(self, name: &str) -> bool {
        matches!(&*self.word(name), "true" | "True" | "1")
    }

    /// A member that is a whole number, as number or text.
    pub(crate) fn number(self, name: &str) -> Option<i64> {
        self.word(name).parse().ok()
    }

    /// A member that is a time: ISO 8601, or Unix seconds, of which 0 is none.
    pub(crate) fn time(self, name: &str) -> Option<Time> {
        let word = self.word(name);
        match word.parse::<i64>() {
            Ok(0) => None,
            Ok(seconds) => Time::from_unix_seconds(seconds),
            Err(_) => Time::parse(word.as_bytes()),
        }
    }

    /// The values of an array; nothing for other values.
    pub(crate) fn items(self) -> impl Iterator<Item = Json<'a>> {
        self.document.items(self.at).map(move |at| self.other(at))
    }

    /// The values of a member that is an array; nothing for other values.
    pub(crate) fn list(self, name: &str) -> impl Iterator<Item = Json<'a>> {
        self.get(name).into_iter().flat_map(Json::items)
    }

    /// Names and values of an object, in order, with names that come again; nothing for other values.
    pub(crate) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        let name = move |at| self.document.text(self.text, at).unwrap_or_default();
        self.document.members(self.at).map(move |(key, value)| (name(key), self.other(value)))
    }

    /// Whether it is an object.
    pub(crate) fn is_object(self) -> bool {
        self.document.kind(self.at) == Kind::Object
    }

    /// Whether it is an array.
    pub(crate) fn is_list(self) -> bool {
        self.document.kind(self.at) == Kind::List
    }

    /// As written.
    pub(crate) fn raw(self) -> Cow<'a, str> {
        self.document.raw(self.text, self.at)
    }
}

/// Reads a text that is in memory already, for what looks at documents without making reports of them; `None` when it is no
/// JSON within `depth`.
pub(crate) fn with<T>(text: &str, depth: usize, take: impl FnOnce(Json<'_>) -> T) -> Option<T> {
    let mut document = Document::default();
    document.scan(text, depth).ok()?;
    Some(take(Json { document: &document, text, at: 0 }))
}
