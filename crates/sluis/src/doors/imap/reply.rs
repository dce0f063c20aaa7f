//! What servers say (RFC 3501, 7), as far as it is of use here: lines become words, and words what we ask of them.
//!
//! Whatever a line holds, it is read once from its beginning to its end, and what is not understood is nothing.

use model::time::Time;

/// A line of a server, with the literals that were in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `* …`: something that is so.
    Untagged(Vec<u8>),
    /// `+ …`: go on.
    Continue(Vec<u8>),
    /// The end of a command: its tag, how it went, and what is said of it.
    Done(Vec<u8>, Status, Vec<u8>),
}

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    No,
    Bad,
}

impl Reply {
    /// Reads a line.
    pub(crate) fn parse(line: &[u8]) -> Option<Reply> {
        if let Some(rest) = line.strip_prefix(b"* ") {
            return Some(Reply::Untagged(rest.to_vec()));
        }
        if let Some(rest) = line.strip_prefix(b"+") {
            return Some(Reply::Continue(rest.trim_ascii().to_vec()));
        }
        let (tag, rest) = split(line)?;
        let (word, text) = split(rest).unwrap_or((rest, b""));
        let status = match () {
            () if word.eq_ignore_ascii_case(b"OK") => Status::Ok,
            () if word.eq_ignore_ascii_case(b"NO") => Status::No,
            () if word.eq_ignore_ascii_case(b"BAD") => Status::Bad,
            () => return None,
        };
        Some(Reply::Done(tag.to_vec(), status, text.to_vec()))
    }
}

/// Up to the first blank, and what comes after it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == b' ')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// How many bytes follow a line that ends in `{123}`.
pub(crate) fn literal_size(line: &[u8]) -> Option<u64> {
    let inner = line.strip_suffix(b"}")?;
    let at = inner.iter().rposition(|byte| *byte == b'{')?;
    let digits = inner.get(at + 1..)?;
    let digits = digits.strip_suffix(b"+").unwrap_or(digits);
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The code in brackets at the beginning of a text, in capitals: `TRYCREATE` of `[TRYCREATE] no such folder`.
pub(crate) fn code(text: &[u8]) -> Option<Vec<u8>> {
    let inner = text.trim_ascii_start().strip_prefix(b"[")?;
    let end = inner.iter().position(|byte| *byte == b']')?;
    Some(inner.get(..end)?.to_ascii_uppercase())
}

/// The number of a code: 7 of `[UIDVALIDITY 7]`.
pub(crate) fn numbered_code(text: &[u8], name: &str) -> Option<u32> {
    let code = code(text)?;
    let (word, number) = split(&code)?;
    if word != name.as_bytes() {
        return None;
    }
    std::str::from_utf8(number.trim_ascii()).ok()?.parse().ok()
}

/// 12 of `12 EXISTS`, whatever the word is.
pub(crate) fn numbered<'a>(untagged: &'a [u8], word: &str) -> Option<(u32, &'a [u8])> {
    let (number, rest) = split(untagged)?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    let (found, rest) = split(rest).unwrap_or((rest, b""));
    found.eq_ignore_ascii_case(word.as_bytes()).then_some((number, rest))
}

/// What follows a word at the beginning of something untagged: `CAPABILITY …`, `SEARCH …`.
pub(crate) fn after<'a>(untagged: &'a [u8], word: &str) -> Option<&'a [u8]> {
    let (found, rest) = split(untagged).unwrap_or((untagged, b""));
    found.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

/// A mail in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its number, as long as UIDVALIDITY stays.
    pub(crate) uid: u32,
    /// Its size, as the server says.
    pub(crate) size: u64,
    /// When the server got it.
    pub(crate) received: Option<Time>,
    /// Its flags, in small letters.
    pub(crate) flags: Vec<Vec<u8>>,
}

impl Entry {
    /// Reads what follows `12 FETCH`; nothing when it does not name a mail and its size.
    pub(crate) fn parse(items: &[u8]) -> Option<Entry> {
        let mut words = Words(items);
        let (mut uid, mut size) = (None, None);
        let mut entry = Entry::default();
        let number = |words: &mut Words<'_>| match words.next() {
            Some(Word::Atom(digits)) => std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<u64>().ok()),
            _ => None,
        };
        while let Some(word) = words.next() {
            let Word::Atom(name) = word else { continue };
            match () {
                () if name.eq_ignore_ascii_case(b"UID") => uid = number(&mut words).and_then(|uid| u32::try_from(uid).ok()),
                () if name.eq_ignore_ascii_case(b"RFC822.SIZE") => size = number(&mut words),
                () if name.eq_ignore_ascii_case(b"INTERNALDATE") => {
                    if let Some(Word::Quoted(date)) = words.next() {
                        entry.received = std::str::from_utf8(date).ok().and_then(date_time);
                    }
                }
                () if name.eq_ignore_ascii_case(b"FLAGS") => {
                    if words.next() != Some(Word::Open) {
                        return None;
                    }
                    loop {
                        match words.next() {
                            Some(Word::Atom(flag)) => entry.flags.push(flag.to_ascii_lowercase()),
                            Some(Word::Close) => break,
                            _ => return None,
                        }
                    }
                }
                () => {}
            }
        }
        Some(Entry { uid: uid.filter(|uid| *uid > 0)?, size: size?, ..entry })
    }

    /// Whether it has a flag, in small letters.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|has| has == flag.as_bytes())
    }
}

/// The number of a mail in the items of a FETCH, when it is there.
pub(crate) fn uid_of(items: &[u8]) -> Option<u32> {
    let mut words = Words(items);
    while let Some(word) = words.next() {
        if matches!(word, Word::Atom(name) if name.eq_ignore_ascii_case(b"UID")) {
            let Some(Word::Atom(digits)) = words.next() else { return None };
            return std::str::from_utf8(digits).ok()?.parse().ok();
        }
    }
    None
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word<'a> {
    Open,
    Close,
    Atom(&'a [u8]),
    /// Without its quotes; escapes are left as they are.
    Quoted(&'a [u8]),
}

struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<Word<'a>> {
        let text = self.0.trim_ascii_start();
        let (first, rest) = text.split_first()?;
        let (word, rest) = match first {
            b'(' => (Word::Open, rest),
            b')' => (Word::Close, rest),
            b'"' => {
                let mut escaped = false;
                let end = rest.iter().position(|byte| {
                    let ends = *byte == b'"' && !escaped;
                    escaped = *byte == b'\\' && !escaped;
                    ends
                });
                let end = end.unwrap_or(rest.len());
                (Word::Quoted(rest.get(..end)?), rest.get(end + 1..).unwrap_or_default())
            }
            _ => {
                let end = text.iter().position(|byte| matches!(byte, b' ' | b'(' | b')' | b'"')).unwrap_or(text.len());
                (Word::Atom(text.get(..end)?), text.get(end..)?)
            }
        };
        self.0 = rest;
        Some(word)
    }
}

/// RFC 3501's date and time: `17-Jul-1996 02:44:25 -0700`.
fn date_time(text: &str) -> Option<Time> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let mut parts = text.split_ascii_whitespace();
    let (date, time, zone) = (parts.next()?, parts.next()?, parts.next()?);
    let mut date = date.split('-');
    let (day, month, year): (u8, &str, i32) = (date.next()?.parse().ok()?, date.next()?, date.next()?.parse().ok()?);
    let month = MONTHS.iter().position(|name| month.eq_ignore_ascii_case(name))? + 1;
    let text = format!("{year:04}-{month:02}-{day:02}T{time}{}:{}", zone.get(..3)?, zone.get(3..)?);
    Time::parse(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_replies() {
        for (line, expected) in [
            ("* 12 EXISTS", Some(Reply::Untagged(b"12 EXISTS".to_vec()))),
            ("+ idling", Some(Reply::Continue(b"idling".to_vec()))),
            ("+", Some(Reply::Continue(Vec::new()))),
            ("s1 OK done", Some(Reply::Done(b"s1".to_vec(), Status::Ok, b"done".to_vec()))),
            ("s1 no", Some(Reply::Done(b"s1".to_vec(), Status::No, Vec::new()))),
            ("s1 BAD [X] what", Some(Reply::Done(b"s1".to_vec(), Status::Bad, b"[X] what".to_vec()))),
            ("s1 PERHAPS", None),
            ("220 mail.example ESMTP", None),
            ("", None),
        ] {
            assert_eq!(Reply::parse(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn sizes_of_literals() {
        for (line, expected) in [
            ("* 1 FETCH (BODY[] {123}", Some(123)),
            ("* 1 FETCH (BODY[] {0}", Some(0)),
            ("x {7+}", Some(7)),
            ("{999999999999999999}", Some(999_999_999_999_999_999)),
            ("{9999999999999999999}", None),
            ("{}", None),
            ("{-1}", None),
            ("12}", None),
            ("{12} ", None),
            ("", None),
        ] {
            assert_eq!(literal_size(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn codes_and_numbers() {
        assert_eq!(code(b"[TryCreate] no such folder"), Some(b"TRYCREATE".to_vec()));
        assert_eq!(code(b"no [code] here"), None);
        assert_eq!(code(b"[without end"), None);
        assert_eq!(numbered_code(b"[UIDVALIDITY 4294967295] valid", "UIDVALIDITY"), Some(u32::MAX));
        assert_eq!(numbered_code(b"[UIDVALIDITY 4294967296] too much", "UIDVALIDITY"), None);
        assert_eq!(numbered(b"12 exists", "EXISTS"), Some((12, &b""[..])));
        assert_eq!(numbered(b"12 FETCH (UID 1)", "FETCH"), Some((12, &b"(UID 1)"[..])));
        assert_eq!(numbered(b"-1 EXISTS", "EXISTS"), None);
        assert_eq!(after(b"capability IMAP4rev1 IDLE", "CAPABILITY"), Some(&b"IMAP4rev1 IDLE"[..]));
        assert_eq!(after(b"SEARCH", "SEARCH"), Some(&b""[..]));
    }

    #[test]
    fn mails_in_a_list() {
        let time = Time::parse(b"1996-07-17T09:44:25Z");
        let entry = |items: &str| Entry::parse(items.as_bytes());
        let full = r#"(UID 7 RFC822.SIZE 44827 INTERNALDATE "17-Jul-1996 02:44:25 -0700" FLAGS (\Seen $SluisReceived))"#;
        let flags = vec![br"\seen".to_vec(), b"$sluisreceived".to_vec()];
        assert_eq!(entry(full), Some(Entry { uid: 7, size: 44827, received: time, flags }));
        assert!(entry(full).is_some_and(|entry| entry.has("$sluisreceived") && !entry.has("\\deleted")));
        for (name, items, uid) in [
            ("another order", r#"(FLAGS () INTERNALDATE " 7-Jul-1996 02:44:25 +0000" RFC822.SIZE 1 UID 8)"#, Some(8)),
            ("no brackets", "UID 8 RFC822.SIZE 1", Some(8)),
            ("words that are not asked for", "(MODSEQ (12) UID 8 X-GM \"a \\\" UID 9\" RFC822.SIZE 1)", Some(8)),
            ("flags that changed", "(FLAGS (\\Seen))", None),
            ("no size", "(UID 8 FLAGS ())", None),
            ("no mail has that number", "(UID 0 RFC822.SIZE 1)", None),
            ("too large a number", "(UID 4294967296 RFC822.SIZE 1)", None),
            ("flags without end", "(UID 8 RFC822.SIZE 1 FLAGS (", None),
            ("flags in flags", "(UID 8 RFC822.SIZE 1 FLAGS ((((", None),
            ("a quote without end", "(UID 8 RFC822.SIZE 1 INTERNALDATE \"17", Some(8)),
            ("nothing", "", None),
        ] {
            assert_eq!(entry(items).map(|entry| entry.uid), uid, "{name}");
        }
        assert_eq!(uid_of(b"(BODY[] NIL UID 12)"), Some(12));
        assert_eq!(uid_of(b"(BODY[] NIL)"), None);
        for date in ["17-Jul-1996", "17-Jul-1996 02:44:25 ++é0", "99-Jul-1996 02:44:25 +0000", "a b c", "17-Jul-1996 02:44:25 é"]
        {
            assert_eq!(date_time(date), None, "{date}");
        }
    }
}
