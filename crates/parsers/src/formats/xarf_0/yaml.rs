//! The YAML of X-ARF: documents of `name: value` lines, with quotes, folded lines and comments. Not YAML as a whole, which
//! is a language with references and types that no report needs, and an attacker can use.

use std::borrow::Cow;

/// Documents of one text that are read.
pub(super) const DOCUMENTS: usize = 1_000;
/// Fields of one document that are kept; the schemata know some thirty.
const FIELDS: usize = 200;
/// Bytes of one value that are kept.
const VALUE: usize = 16 << 10;
/// Bytes of a name.
const NAME: usize = 64;

/// One document: what one report says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document<'a> {
    fields: Vec<(&'a str, String)>,
    /// The text of it.
    pub(super) text: &'a str,
    /// Whether there was more than is kept: too many fields, too long a value.
    pub(super) more: bool,
    /// Lines at the beginning that are no `name: value`, so that this is another text.
    stray: bool,
}

impl<'a> Document<'a> {
    /// Every field, in order, with its value as it is meant.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'a str, &str)> {
        self.fields.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of a name; case does not matter. Empty counts as absent. The last counts where there are several.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.fields.iter().rev().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())?;
        (!value.is_empty()).then_some(value)
    }

    /// Whether a name stands there more than once, with values that differ.
    pub(super) fn contradicts(&self, name: &str) -> bool {
        let mut values = self.fields.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// Whether this is a report of X-ARF: it begins with fields, and says of what and of which kind it is.
    pub(super) fn is_report(&self) -> bool {
        !self.stray && self.get("Source").is_some() && (self.get("Report-Type").is_some() || self.get("Category").is_some())
            || !self.stray && self.get("Report-Type").is_some() && self.get("Reported-From").is_some()
    }
}

/// The documents of a text that have any field, at most [`DOCUMENTS`], and whether there were more.
pub(super) fn documents(text: &str) -> (Vec<Document<'_>>, bool) {
    let mut done = Vec::new();
    let mut open = Writer::default();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        let line = line.trim_end();
        let bare = line.trim_start();
        if line.starts_with("---") || line == "..." {
            done.extend(open.take(text.get(start..begin)));
            start = at;
            if done.len() >= DOCUMENTS {
                return (done, true);
            }
        } else if bare.is_empty() || (open.is_empty() && line.starts_with('%')) || (bare.starts_with('#') && !open.is_block()) {
            open.blank();
        } else if line.len() > bare.len() || (bare.starts_with("- ") && !open.is_empty()) {
            open.fold(bare);
        } else if let Some((name, value)) = field(line) {
            open.begin(name, value);
        } else {
            open.stray();
        }
    }
    done.extend(open.take(text.get(start..)));
    (done, false)
}

/// `name: value`; the colon is followed by a blank or nothing, so that a URL is no name.
fn field(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let name = name.trim_end();
    let is_name = !name.is_empty()
        && name.len() <= NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b' ' | b'/'));
    (is_name && (value.is_empty() || value.starts_with([' ', '\t']))).then(|| (name, value.trim()))
}

/// The document that is being read.
#[derive(Default)]
struct Writer<'a> {
    document: Document<'a>,
    /// What stands between the lines of the open value: a blank, or for a block of lines a line break.
    block: Option<char>,
}

impl<'a> Writer<'a> {
    fn is_empty(&self) -> bool {
        self.document.fields.is_empty()
    }

    fn is_block(&self) -> bool {
        self.block == Some('\n')
    }

    fn blank(&mut self) {
        if self.is_block() {
            self.add("");
        }
    }

    fn stray(&mut self) {
        self.document.stray |= self.document.fields.is_empty();
    }

    fn begin(&mut self, name: &'a str, value: &str) {
        self.close();
        if self.document.fields.len() >= FIELDS {
            self.document.more = true;
            return;
        }
        // A block scalar says how its lines are joined: `|` keeps them, `>` folds them.
        let (block, value) = match value.as_bytes() {
            [b'|', rest @ ..] if rest.len() <= 2 => (Some('\n'), ""),
            [b'>', rest @ ..] if rest.len() <= 2 => (Some(' '), ""),
            _ => (None, value),
        };
        self.block = block;
        self.document.fields.push((name, String::new()));
        self.add(value);
    }

    fn fold(&mut self, line: &str) {
        if self.is_empty() { self.stray() } else { self.add(line) }
    }

    fn add(&mut self, line: &str) {
        let Some((_, value)) = self.document.fields.last_mut() else { return };
        if value.len() + line.len() >= VALUE {
            self.document.more = true;
            return;
        }
        if !value.is_empty() {
            value.push(self.block.unwrap_or(' '));
        }
        value.push_str(line);
    }

    /// The open value is whole: its quotes and comment can go.
    fn close(&mut self) {
        let block = self.block.take().is_some();
        let Some((_, value)) = self.document.fields.last_mut() else { return };
        if block {
            value.truncate(value.trim_end().len());
        } else if let Cow::Owned(meant) = meant(value) {
            *value = meant;
        }
    }

    fn take(&mut self, text: Option<&'a str>) -> Option<Document<'a>> {
        self.close();
        let mut document = std::mem::take(&mut self.document);
        document.text = text.unwrap_or_default();
        (!document.fields.is_empty()).then_some(document)
    }
}

/// A value without its quotes, their escapes undone, or without the comment after it.
fn meant(value: &str) -> Cow<'_, str> {
    if let Some(inner) = value.strip_prefix('"') {
        if let Some(plain) = double_quoted(inner) {
            return Cow::Owned(plain);
        }
    } else if let Some(inner) = value.strip_prefix('\'') {
        // In single quotes, two stand for one.
        let mut rest = inner;
        let mut plain = String::new();
        while let Some((before, after)) = rest.split_once('\'') {
            plain.push_str(before);
            match after.strip_prefix('\'') {
                Some(after) => {
                    plain.push('\'');
                    rest = after;
                }
                None if after.is_empty() || after.trim_start().starts_with('#') => return Cow::Owned(plain),
                None => break,
            }
        }
    }
    let comment = value.find(" #").or_else(|| value.find("\t#"));
    match comment {
        Some(at) => Cow::Owned(value.get(..at).unwrap_or(value).trim_end().to_owned()),
        None => Cow::Borrowed(value),
    }
}

/// The text up to the closing quote; `None` when there is none, or something follows it.
fn double_quoted(inner: &str) -> Option<String> {
    let mut plain = String::new();
    let mut letters = inner.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => match letters.next()? {
                'n' => plain.push('\n'),
                't' => plain.push('\t'),
                'r' => plain.push('\r'),
                'x' => plain.push(escaped(&mut letters, 2)),
                'u' => plain.push(escaped(&mut letters, 4)),
                'U' => plain.push(escaped(&mut letters, 8)),
                other => plain.push(other),
            },
            letter => plain.push(letter),
        }
    }
    let after = letters.as_str().trim_start();
    (after.is_empty() || after.starts_with('#')).then_some(plain)
}

/// The character of a number; control characters are no part of what a report says.
fn escaped(letters: &mut std::str::Chars<'_>, digits: usize) -> char {
    let text: String = letters.by_ref().take(digits).collect();
    let letter = u32::from_str_radix(&text, 16).ok().and_then(char::from_u32);
    letter.filter(|letter| !letter.is_control()).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_senders_write_them() {
        let text = "%YAML 1.1\n---\n# a comment\nSource: 192.0.2.1\nDate: Wed, 04 Mar 2026 05:06:07 +0100\nId: 'it''s'\n\
                    Said: \"a \\\"b\\\" \\u20ac\\x41\" # why\nUrl: http://a.example/x#y # not this\nLong: one\n  two\n\tthree\n\
                    Block: |\n  first\n\n  second\n  # third\nFolded: >-\n  a\n  b\nList:\n- x\n- y\nEmpty:\nOdd: 'a' b\n\
                    no field here\nhttp://a.example/\n...\n---\nSource: 192.0.2.2\n";
        let (documents, more) = documents(text);
        assert!(!more);
        let expected = [
            ("Source", "192.0.2.1"),
            ("Date", "Wed, 04 Mar 2026 05:06:07 +0100"),
            ("Id", "it's"),
            ("Said", "a \"b\" €A"),
            ("Url", "http://a.example/x#y"),
            ("Long", "one two three"),
            ("Block", "first\n\nsecond\n# third"),
            ("Folded", "a b"),
            ("List", "- x - y"),
            ("Empty", ""),
            ("Odd", "'a' b"),
        ];
        assert_eq!(documents[0].iter().collect::<Vec<_>>(), expected);
        assert_eq!(documents[0].get("source"), Some("192.0.2.1"));
        assert_eq!(documents[0].get("Empty"), None);
        assert_eq!(documents[1].iter().collect::<Vec<_>>(), [("Source", "192.0.2.2")]);
    }

    #[test]
    fn only_reports_are_reports() {
        let is = |text: &str| documents(text).0.first().is_some_and(Document::is_report);
        assert!(is("---\r\nReport-Type: spam\r\nSource: 192.0.2.1\r\n"));
        assert!(is("Reported-From: a@b.example\nReport-Type: spam\n"));
        assert!(!is("Hello,\nReport-Type: spam\nSource: 192.0.2.1\n"));
        assert!(!is("Source: 192.0.2.1\n"));
        assert!(!is(""));
    }

    #[test]
    fn hostile_texts_are_bounded() {
        let many = "---\nSource: x\n".repeat(DOCUMENTS + 5);
        let (found, more) = documents(&many);
        assert!(found.len() == DOCUMENTS && more);
        let fields = "Name: x\n".repeat(FIELDS + 5);
        assert!(documents(&fields).0[0].more);
        let long = format!("Name: |\n{}", "  x\n".repeat(1 << 20));
        let (found, _) = documents(&long);
        assert!(found[0].more && found[0].get("Name").unwrap_or_default().len() <= VALUE);
        for odd in ["Name: \"", "Name: '", "Name: \"\\", "Name: \"\\u12", "'", ":", ": x", "- x", "é: x", "Name: é\"'#"] {
            documents(odd);
        }
    }
}
