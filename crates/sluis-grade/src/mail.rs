//! Mail as far as grading needs it: header fields as they stand, the body, and the parts of a multipart (RFC 5322, RFC 2046).
//!
//! Nothing here nests without a bound, and each byte is looked at a fixed number of times.

use std::borrow::Cow;

/// Most bytes of a header that is read.
const HEADER: usize = 256 << 10;
/// Most fields of a header that is read.
const FIELDS: usize = 1_000;
/// Most parts of a multipart that are looked at.
const PARTS: usize = 32;

/// A mail: its header fields, and what follows the first empty line.
#[derive(Debug)]
pub(crate) struct Mail<'a> {
    /// The fields, from the top.
    pub(crate) fields: Vec<Field<'a>>,
    /// The body.
    pub(crate) body: &'a [u8],
}

/// A field of a header.
#[derive(Debug)]
pub(crate) struct Field<'a> {
    /// Its name in lower case.
    pub(crate) name: String,
    /// All of it, without the CRLF at its end.
    pub(crate) raw: &'a [u8],
    /// What stands behind the colon.
    pub(crate) value: &'a [u8],
}

/// Bytes in which each line ends with CR LF, as mail travels: files often have LF only.
pub(crate) fn with_crlf(bytes: &[u8]) -> Cow<'_, [u8]> {
    let is_lone = |at: &usize| bytes.get(*at) == Some(&b'\n') && at.checked_sub(1).and_then(|at| bytes.get(at)) != Some(&b'\r');
    if !(0..bytes.len()).any(|at| is_lone(&at)) {
        return Cow::Borrowed(bytes);
    }
    let mut whole = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for (at, byte) in bytes.iter().enumerate() {
        if is_lone(&at) {
            whole.push(b'\r');
        }
        whole.push(*byte);
    }
    Cow::Owned(whole)
}

impl<'a> Mail<'a> {
    /// Reads a mail whose lines end with CR LF. `None` when it begins with no header, or with one that is too large.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Mail<'a>> {
        let mut fields: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            if rest.is_empty() || at > HEADER || fields.len() > FIELDS {
                // A header by itself is a mail without a body.
                let whole = rest.is_empty() && !fields.is_empty();
                return whole.then_some(()).and_then(|()| Mail::of(bytes, &fields, bytes.len()));
            }
            if rest.starts_with(b"\r\n") {
                return if fields.is_empty() { None } else { Mail::of(bytes, &fields, at + 2) };
            }
            let length = line(rest);
            let end = at + length;
            match fields.last_mut() {
                Some(last) if rest.starts_with(b" ") || rest.starts_with(b"\t") => last.1 = end,
                _ => fields.push((at, end)),
            }
            at = end;
        }
    }

    fn of(bytes: &'a [u8], fields: &[(usize, usize)], body: usize) -> Option<Mail<'a>> {
        let field = |(from, to): &(usize, usize)| {
            let raw = bytes.get(*from..*to)?;
            let raw = raw.strip_suffix(b"\r\n").unwrap_or(raw);
            let colon = raw.iter().position(|byte| *byte == b':')?;
            let (name, value) = raw.split_at_checked(colon)?;
            let name = std::str::from_utf8(name).ok()?.trim_end_matches([' ', '\t']).to_ascii_lowercase();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic());
            is_name.then_some(Field { name, raw, value: value.get(1..)? })
        };
        Some(Mail { fields: fields.iter().map(field).collect::<Option<_>>()?, body: bytes.get(body..)? })
    }

    /// The value of the first field of this name, unfolded.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.fields.iter().find(|field| field.name == name).map(Field::text)
    }

    /// The media type in lower case, and a parameter of it.
    pub(crate) fn media(&self) -> String {
        let text = self.text("content-type").unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// A parameter of the media type.
    pub(crate) fn parameter(&self, wanted: &str) -> Option<String> {
        let text = self.text("content-type")?;
        text.split(';').skip(1).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
        })
    }

    /// The parts of a multipart, one level deep. Each is a header and a body again.
    pub(crate) fn parts(&self) -> Vec<Mail<'a>> {
        let Some(boundary) = self.parameter("boundary").filter(|one| !one.is_empty() && one.len() <= 200) else {
            return Vec::new();
        };
        let mark = format!("--{boundary}");
        let mut parts = Vec::new();
        let (mut at, mut begun) = (0, None);
        while let Some(rest) = self.body.get(at..).filter(|rest| !rest.is_empty()) {
            let length = line(rest);
            let text = rest.get(..length).unwrap_or_default();
            if let Some(after) = text.strip_prefix(mark.as_bytes()) {
                let after = after.trim_ascii();
                if after.is_empty() || after == b"--" {
                    parts.extend(begun.and_then(|from| self.body.get(from..at)).and_then(part));
                    if after == b"--" || parts.len() >= PARTS {
                        return parts;
                    }
                    begun = Some(at + length);
                }
            }
            at += length;
        }
        parts
    }
}

impl Field<'_> {
    /// Its value, unfolded, without blanks around it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.value).replace("\r\n", "").replace('\t', " ").trim().to_owned()
    }
}

/// A part of a multipart; one that begins with an empty line has no header.
fn part(bytes: &[u8]) -> Option<Mail<'_>> {
    match bytes.strip_prefix(b"\r\n") {
        Some(body) => Some(Mail { fields: Vec::new(), body }),
        None => Mail::parse(bytes),
    }
}

/// Length of the first line, with its end.
fn line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1)
}

/// The one address of a field like `From`; `None` when there are several, or none.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = without_quotes(text);
    let inner = match text.split_once('<') {
        Some((_, rest)) => {
            let (inner, after) = rest.split_once('>')?;
            if after.contains(['<', '>', ',', '@']) {
                return None;
            }
            inner.to_owned()
        }
        None => text,
    };
    let inner = inner.trim().to_ascii_lowercase();
    let (local, domain) = inner.split_once('@')?;
    let is_plain =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>,;:\"()[]@".contains(&byte));
    (is_plain(local) && is_plain(domain)).then_some(inner)
}

/// A text without what stands in quotes: a name may hold anything.
fn without_quotes(text: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for letter in text.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ => out.push(letter),
        }
    }
    out
}

/// The part of an address behind the `@`.
pub(crate) fn domain(address: &str) -> Option<&str> {
    address.rsplit_once('@').map(|(_, domain)| domain).filter(|domain| !domain.is_empty())
}

/// The identifiers in a field like `References`, without angle brackets.
pub(crate) fn identifiers(text: &str) -> Vec<&str> {
    text.split(|letter: char| letter.is_whitespace() || letter == ',').map(bare).filter(|one| !one.is_empty()).collect()
}

/// An identifier of a message without angle brackets.
pub(crate) fn bare(text: &str) -> &str {
    text.trim().trim_start_matches('<').trim_end_matches('>')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_one_address() {
        for (text, found) in [
            ("abuse@customer.example", Some("abuse@customer.example")),
            ("\"Abuse, <x@evil.example>\" <Abuse@Customer.example>", Some("abuse@customer.example")),
            ("a@customer.example, b@evil.example", None),
            ("a@customer.example <b@evil.example>, c@evil.example", None),
            ("<a@customer.example> <b@evil.example>", None),
            ("nobody", None),
            ("", None),
        ] {
            assert_eq!(address(text).as_deref(), found, "{text:?}");
        }
    }

    #[test]
    fn folded_fields_and_parts() {
        let text = "From: a@b.example\nContent-Type: multipart/report;\n boundary=\"x\"\n\npreamble\n--x\nA: 1\n\none\n--x\n\ntwo\n--x--\n--x\nno\n";
        let bytes = with_crlf(text.as_bytes());
        let mail = Mail::parse(&bytes).unwrap();
        assert_eq!((mail.media().as_str(), mail.parts().len()), ("multipart/report", 2));
        assert_eq!(mail.parts()[0].body, b"one\r\n");
        assert_eq!(mail.parts()[1].body, b"two\r\n");
        for not in [&b""[..], b"\r\nbody", b"no colon\r\n\r\n", b" folded: first\r\n\r\n"] {
            assert!(Mail::parse(not).is_none(), "{not:?}");
        }
    }
}
