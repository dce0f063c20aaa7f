//! A JSON reader that copies nothing: one text becomes a flat tape of values, reused from report to report.
//!
//! It accepts what RFC 8259 accepts, and escapes of lone surrogates besides (RFC 7493 section 2.1 forbids them, senders
//! write them): those read as U+FFFD. Where an object has a name twice the last one counts, as in Python's `json`,
//! serde_json and JavaScript; [`Document::members`] gives them all in order and its callers keep that rule.

use std::borrow::Cow;

/// Values that one report may consist of; the bound on the tape's memory (16 MiB).
pub(crate) const MAX_VALUES: usize = 1 << 20;

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Bool,
    Number,
    /// A string without escapes.
    Plain,
    /// A string with escapes.
    Escaped,
    List,
    Object,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    next: u32,
    kind: Kind,
}

/// The place of a value on the tape; 0 is the whole.
pub(crate) type At = u32;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    /// Bytes before the fault.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) what: &'static str,
}

#[derive(Clone, Copy, Debug)]
struct Mend {
    start: u32,
    end: u32,
    number: bool,
}

/// The tape: scan a text, then ask about its values with the same text in hand.
#[derive(Debug, Default)]
pub(crate) struct Document {
    nodes: Vec<Node>,
    open: Vec<At>,
    /// What most readers of JSON refuse, in order: the four digits of lone surrogates, and numbers beyond `f64`.
    mends: Vec<Mend>,
}

/// What the scanner waits for.
enum Expect {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Next,
}

impl Document {
    /// Reads one JSON value with nothing but blanks around it. Nesting beyond `depth` is refused.
    pub(crate) fn scan(&mut self, text: &str, depth: usize) -> Result<(), Malformed> {
        self.nodes.clear();
        self.open.clear();
        self.mends.clear();
        let bytes = text.as_bytes();
        if u32::try_from(bytes.len()).is_err() {
            return Err(Malformed { at: 0, what: "the text is too long" });
        }
        let mut at = 0;
        let mut expect = Expect::Value;
        loop {
            while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
                at += 1;
            }
            let byte = bytes.get(at).copied();
            if self.nodes.len() >= MAX_VALUES {
                return Err(Malformed { at, what: "more than a million values" });
            }
            match (&expect, byte) {
                (Expect::Next, None) if self.open.is_empty() => return Ok(()),
                (_, None) => return Err(Malformed { at, what: "the text ends too early" }),
                (Expect::Next, Some(_)) if self.open.is_empty() => {
                    return Err(Malformed { at, what: "something follows the end" });
                }
                (Expect::Next, Some(b',')) => {
                    expect = if self.in_object() { Expect::Name } else { Expect::Value };
                    at += 1;
                }
                (Expect::Next | Expect::NameOrEnd, Some(b'}')) if self.in_object() => {
                    at += 1;
                    self.close(at);
                    expect = Expect::Next;
                }
                (Expect::Next | Expect::ValueOrEnd, Some(b']')) if !self.in_object() => {
                    at += 1;
                    self.close(at);
                    expect = Expect::Next;
                }
                (Expect::Next, Some(_)) => {
                    return Err(Malformed { at, what: "a comma or the end of an object or array is missing" });
                }
                (Expect::Name | Expect::NameOrEnd, Some(b'"')) => {
                    at = self.string(bytes, at)?;
                    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
                        at += 1;
                    }
                    if bytes.get(at) != Some(&b':') {
                        return Err(Malformed { at, what: "a colon is missing" });
                    }
                    at += 1;
                    expect = Expect::Value;
                }
                (Expect::Name | Expect::NameOrEnd, Some(_)) => return Err(Malformed { at, what: "a name in quotes is missing" }),
                (Expect::Value | Expect::ValueOrEnd, Some(byte)) => {
                    expect = Expect::Next;
                    match byte {
                        b'"' => at = self.string(bytes, at)?,
                        b'{' | b'[' => {
                            if self.open.len() >= depth {
                                return Err(Malformed { at, what: "objects and arrays are nested too deeply" });
                            }
                            let (kind, next) = match byte {
                                b'{' => (Kind::Object, Expect::NameOrEnd),
                                _ => (Kind::List, Expect::ValueOrEnd),
                            };
                            self.open.push(self.nodes.len() as At);
                            self.push(kind, at, at);
                            expect = next;
                            at += 1;
                        }
                        b'-' | b'0'..=b'9' => at = self.number(bytes, at)?,
                        b't' => at = self.literal(bytes, at, b"true", Kind::Bool)?,
                        b'f' => at = self.literal(bytes, at, b"false", Kind::Bool)?,
                        b'n' => at = self.literal(bytes, at, b"null", Kind::Null)?,
                        _ => return Err(Malformed { at, what: "this is not the beginning of a value" }),
                    }
                }
            }
        }
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize) {
        let next = self.nodes.len() as u32 + 1;
        self.nodes.push(Node { start: start as u32, end: end as u32, next, kind });
    }

    fn in_object(&self) -> bool {
        self.open.last().is_some_and(|at| self.kind(*at) == Kind::Object)
    }

    fn close(&mut self, end: usize) {
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|at| self.nodes.get_mut(at as usize)) {
            node.end = end as u32;
            node.next = next;
        }
    }

    fn literal(&mut self, bytes: &[u8], at: usize, word: &[u8], kind: Kind) -> Result<usize, Malformed> {
        let end = at + word.len();
        if bytes.get(at..end) != Some(word) {
            return Err(Malformed { at, what: "this is not the beginning of a value" });
        }
        self.push(kind, at, end);
        Ok(end)
    }

    /// RFC 8259 section 6.
    fn number(&mut self, bytes: &[u8], start: usize) -> Result<usize, Malformed> {
        let digits = |mut at: usize| {
            let first = at;
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            if at > first { Ok(at) } else { Err(Malformed { at, what: "a number lacks a digit" }) }
        };
        let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
        at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(at)? };
        if bytes.get(at) == Some(&b'.') {
            at = digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            at += 1;
            if let Some(b'+' | b'-') = bytes.get(at) {
                at += 1;
            }
            at = digits(at)?;
        }
        // Only a long number or one with an exponent can be beyond `f64`.
        let span = bytes.get(start..at).unwrap_or_default();
        if span.len() > 300 || span.iter().any(|byte| matches!(byte, b'e' | b'E')) {
            let value = std::str::from_utf8(span).ok().and_then(|span| span.parse::<f64>().ok());
            if !value.is_some_and(f64::is_finite) {
                self.mends.push(Mend { start: start as u32, end: at as u32, number: true });
            }
        }
        self.push(Kind::Number, start, at);
        Ok(at)
    }

    fn string(&mut self, bytes: &[u8], quote: usize) -> Result<usize, Malformed> {
        let start = quote + 1;
        let mut at = start;
        let mut kind = Kind::Plain;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    self.push(kind, start, at);
                    return Ok(at + 1);
                }
                Some(b'\\') => {
                    kind = Kind::Escaped;
                    match bytes.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 2,
                        Some(b'u') => {
                            let unit =
                                hex4(bytes, at + 2).ok_or(Malformed { at, what: "four hexadecimal digits are missing" })?;
                            let pair = (0xd800..0xdc00).contains(&unit) && low_surrogate(bytes, at + 6).is_some();
                            if !pair && (0xd800..0xe000).contains(&unit) {
                                self.mends.push(Mend { start: at as u32 + 2, end: at as u32 + 6, number: false });
                            }
                            at += if pair { 12 } else { 6 };
                        }
                        _ => return Err(Malformed { at, what: "this escape does not exist" }),
                    }
                }
                Some(0..0x20) => return Err(Malformed { at, what: "a control character stands in a string unescaped" }),
                Some(_) => at += 1,
                None => return Err(Malformed { at, what: "a string does not end" }),
            }
        }
    }

    /// What a value is.
    pub(crate) fn kind(&self, at: At) -> Kind {
        self.nodes.get(at as usize).map_or(Kind::Null, |node| node.kind)
    }

    /// The value as written, strings without their quotes.
    fn span<'t>(&self, text: &'t str, at: At) -> &'t str {
        self.nodes.get(at as usize).and_then(|node| text.get(node.start as usize..node.end as usize)).unwrap_or("")
    }

    /// A string's text; `None` for any other kind of value.
    pub(crate) fn text<'t>(&self, text: &'t str, at: At) -> Option<Cow<'t, str>> {
        match self.kind(at) {
            Kind::Plain => Some(Cow::Borrowed(self.span(text, at))),
            Kind::Escaped => Some(Cow::Owned(unescape(self.span(text, at)))),
            _ => None,
        }
    }

    /// The value as written, a string with its quotes; mended so that every reader accepts it: lone surrogates become
    /// U+FFFD, and numbers beyond `f64` become strings.
    pub(crate) fn raw<'t>(&self, text: &'t str, at: At) -> Cow<'t, str> {
        let Some(node) = self.nodes.get(at as usize) else { return Cow::Borrowed("null") };
        let quotes = u32::from(matches!(node.kind, Kind::Plain | Kind::Escaped));
        let (mut from, end) = (node.start.saturating_sub(quotes), node.end.saturating_add(quotes));
        let span = |from: u32, to: u32| text.get(from as usize..to as usize).unwrap_or("");
        let first = self.mends.partition_point(|mend| mend.start < from);
        let mut inside = self.mends.get(first..).unwrap_or_default().iter().take_while(|mend| mend.start < end).peekable();
        if inside.peek().is_none() {
            return Cow::Borrowed(span(from, end));
        }
        let mut mended = String::with_capacity((end - from) as usize + 16);
        for mend in inside {
            mended.push_str(span(from, mend.start));
            match mend.number {
                true => mended.extend(["\"", span(mend.start, mend.end), "\""]),
                false => mended.push_str("fffd"),
            }
            from = mend.end;
        }
        mended.push_str(span(from, end));
        Cow::Owned(mended)
    }

    /// A number's value. Beyond the range of `f64` it is infinite.
    pub(crate) fn number_value(&self, text: &str, at: At) -> Option<f64> {
        if self.kind(at) != Kind::Number {
            return None;
        }
        let span = self.span(text, at);
        if span.len() <= 9 && span.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(f64::from(span.bytes().fold(0u32, |value, byte| value * 10 + u32::from(byte - b'0'))));
        }
        span.parse().ok()
    }

    /// Whether there is anything that most readers of JSON refuse.
    pub(crate) fn is_mended(&self) -> bool {
        !self.mends.is_empty()
    }

    /// The place after a value and all inside it.
    fn after(&self, at: At) -> At {
        self.nodes.get(at as usize).map_or(At::MAX, |node| node.next)
    }

    /// Names and values of an object, in order, with names that come again; nothing for other values.
    pub(crate) fn members(&self, at: At) -> impl Iterator<Item = (At, At)> + '_ {
        let end = if self.kind(at) == Kind::Object { self.after(at) } else { at };
        let mut name = at.saturating_add(1);
        std::iter::from_fn(move || {
            (name < end).then(|| {
                let member = (name, name + 1);
                name = self.after(member.1);
                member
            })
        })
    }

    /// The values of an array, in order; nothing for other values.
    pub(crate) fn items(&self, at: At) -> impl Iterator<Item = At> + '_ {
        let end = if self.kind(at) == Kind::List { self.after(at) } else { at };
        let mut item = at.saturating_add(1);
        std::iter::from_fn(move || {
            (item < end).then(|| {
                let this = item;
                item = self.after(this);
                this
            })
        })
    }

    /// The value of a name in an object; the last, when the name comes again.
    pub(crate) fn member(&self, text: &str, at: At, name: &str) -> Option<At> {
        self.members(at).filter(|(key, _)| self.is_text(text, *key, name)).map(|(_, value)| value).last()
    }

    /// Whether a value is the string `wanted`.
    pub(crate) fn is_text(&self, text: &str, at: At, wanted: &str) -> bool {
        match self.kind(at) {
            Kind::Plain => self.span(text, at) == wanted,
            Kind::Escaped => unescape(self.span(text, at)) == wanted,
            _ => false,
        }
    }
}

/// Writes a JSON value without blanks between its parts, so on one line; false, and nothing, when it is not JSON.
pub(crate) fn compact(raw: &str, out: &mut Vec<u8>) -> bool {
    // A batch promises one JSON value, but what leaves the house is checked where it leaves.
    if Document::default().scan(raw, 128).is_err() {
        return false;
    }
    let (mut inside, mut escaped) = (false, false);
    for &byte in raw.as_bytes() {
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' if !inside => continue,
            b'"' if !escaped => inside = !inside,
            _ => {}
        }
        escaped = inside && byte == b'\\' && !escaped;
        out.push(byte);
    }
    true
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |value, byte| Some(value << 4 | char::from(*byte).to_digit(16)?))
}

fn low_surrogate(bytes: &[u8], at: usize) -> Option<u32> {
    (bytes.get(at..at + 2)? == b"\\u").then(|| hex4(bytes, at + 2)).flatten().filter(|unit| (0xdc00..0xe000).contains(unit))
}

/// The text of a string whose escapes the scanner has checked.
fn unescape(span: &str) -> String {
    let bytes = span.as_bytes();
    let mut out = String::with_capacity(span.len());
    let mut at = 0;
    while let Some(step) = memchr::memchr(b'\\', bytes.get(at..).unwrap_or_default()) {
        out.push_str(span.get(at..at + step).unwrap_or(""));
        at += step;
        let (char, length) = match bytes.get(at + 1) {
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(b'u') => match (hex4(bytes, at + 2), low_surrogate(bytes, at + 6)) {
                (Some(high @ 0xd800..0xdc00), Some(low)) => {
                    (char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}'), 12)
                }
                (Some(unit), _) => (char::from_u32(unit).unwrap_or('\u{fffd}'), 6),
                (None, _) => ('\u{fffd}', 2),
            },
            Some(other) => (char::from(*other), 2),
            None => ('\u{fffd}', 1),
        };
        out.push(char);
        at += length;
    }
    out.push_str(span.get(at..).unwrap_or(""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rewritten(text: &str) -> Result<String, Malformed> {
        let mut document = Document::default();
        document.scan(text, 32)?;
        Ok(document.raw(text, 0).into_owned())
    }

    #[test]
    fn accepts_and_refuses_like_the_rfc() {
        for text in ["{}", "[]", " [1, -0.5e+3 ,null,true] ", r#"{"a":{"b":[{}]},"a":2}"#, r#""\ud83d\ude00\u0000""#, "0", "-0"] {
            assert!(rewritten(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "{",
            "[1,]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            "01",
            "1.",
            "+1",
            "NaN",
            "tru",
            "\"a\u{1}\"",
            r#""\x""#,
            "[1}",
            "1 2",
        ] {
            assert!(rewritten(text).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(rewritten(&deep).unwrap_err().what, "objects and arrays are nested too deeply");
    }

    #[test]
    fn lone_surrogates_are_mended_and_the_last_of_two_names_counts() {
        let text = r#"{"a":"\ud800x","b":["\udc00\ud83d\ude00",1e999],"a":"z"}"#;
        let mut document = Document::default();
        document.scan(text, 32).unwrap();
        let b = document.member(text, 0, "b").unwrap();
        assert_eq!(document.raw(text, b), r#"["\ufffd\ud83d\ude00","1e999"]"#);
        assert_eq!(document.text(text, b + 1).unwrap(), "\u{fffd}\u{1f600}");
        let a = document.member(text, 0, "a").unwrap();
        assert_eq!(document.text(text, a).unwrap(), "z");
        let mut out = Vec::new();
        assert!(compact("{ \"a b\" : [ 1 ,\n\"\\\" x\" ] }", &mut out));
        assert_eq!(out, b"{\"a b\":[1,\"\\\" x\"]}");
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}:,"a\\u01 e.+-]{0,24}"#) {
            // serde_json keeps to RFC 8259, except that it refuses lone surrogates and numbers beyond f64.
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            let mut document = Document::default();
            let ours = document.scan(&text, 32);
            match theirs {
                Ok(_) => prop_assert!(ours.is_ok(), "{:?}", ours),
                Err(error) if ours.is_ok() => {
                    let error = error.to_string();
                    prop_assert!(document.is_mended() || error.contains("out of range"), "{error}");
                }
                Err(_) => {}
            }
        }

        #[test]
        fn decodes_what_serde_json_encodes(value in ".{0,20}") {
            let text = serde_json::to_string(&value).unwrap();
            let mut document = Document::default();
            document.scan(&text, 1).unwrap();
            prop_assert_eq!(document.text(&text, 0).unwrap(), value);
        }
    }
}
