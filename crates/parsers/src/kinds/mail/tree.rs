//! The tree of a mail: header fields, and the leaf parts of its multiparts, in one pass over the bytes.
//!
//! What stands inside a field (addresses, dates, parameters, encoded words) is read by `mail-parser`; cutting the mail
//! into parts is done here. A tree built by that library is as deep as the mail says and is freed by recursion, and a
//! boundary that never comes is searched to the end of the mail once per part: a mail of 32 MiB made for the purpose
//! would overflow the stack, or take days.

use std::borrow::Cow;
use std::net::IpAddr;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{Address, DateTime, HeaderValue};
use memchr::{memchr, memmem};
use model::resource::DomainName;
use model::time::{MINUTE, Time};

/// Multiparts inside each other. Honest mail has three or four; what is deeper stays one unread part.
const LEVELS: u8 = 16;
/// Header fields of one block that are kept; honest mail has some dozens.
const FIELDS: usize = 10_000;
/// Bytes of a field that are looked at when its structure matters.
const STRUCTURED: usize = 8 << 10;
/// Bytes of a mail address (RFC 5321 section 4.5.3.1.3).
const ADDRESS: usize = 254;

/// A mail, cut into parts (RFC 5322, RFC 2046).
#[derive(Debug)]
pub struct Mail<'a> {
    /// The fields of its own header.
    pub fields: Fields<'a>,
    /// Its media type.
    pub media: Media,
    /// Its leaf parts, in order; a mail without multipart is one part. A message inside it is a leaf.
    pub parts: Vec<Part<'a>>,
    /// Whether there are more parts than were asked for.
    pub more: bool,
}

/// The fields of a header block, in order.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    list: Vec<(&'a [u8], &'a [u8])>,
    /// Whether there were more than are kept.
    pub more: bool,
}

/// A media type with the parameters that matter here, in lower case but for the boundary and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `text/plain`; empty when none is stated.
    pub essence: String,
    /// Separates the parts of a multipart.
    pub boundary: Vec<u8>,
    /// Character set of a text.
    pub charset: String,
    /// File name.
    pub name: String,
    /// What a `multipart/report` reports (RFC 6522).
    pub report_type: String,
}

/// A leaf of a mail.
#[derive(Debug)]
pub struct Part<'a> {
    /// Its own header fields.
    pub fields: Fields<'a>,
    /// Its media type.
    pub media: Media,
    /// Its header as it stands in the mail, with lines that are no fields.
    pub head: &'a [u8],
    /// Its body as it stands in the mail, transfer encoding and all.
    pub raw: &'a [u8],
}

impl<'a> Mail<'a> {
    /// Cuts a mail into at most `parts` leaf parts. Never fails: what is not a multipart after all is one part.
    pub fn parse(bytes: &'a [u8], parts: usize) -> Mail<'a> {
        let bytes = skip_envelope(bytes);
        let (fields, body) = Fields::parse(bytes);
        let media = Media::of(&fields);
        let mut mail = Mail { fields: Fields::default(), media: media.clone(), parts: Vec::new(), more: false };
        if media.is_multipart() {
            mail.split(body, &media, parts, 1);
            mail.fields = fields;
        } else {
            // The one part is described by the mail's own header.
            let own = Fields { list: fields.list.clone(), more: fields.more };
            mail.parts.push(Part { fields: own, media, head: before(bytes, body), raw: body });
            mail.fields = fields;
        }
        mail
    }

    fn split(&mut self, body: &'a [u8], media: &Media, limit: usize, level: u8) {
        let mut rest = body;
        let Some(after) = next_boundary(rest, &media.boundary).map(|(_, after, _)| after) else {
            return self.push(Part { fields: Fields::default(), media: Media::default(), head: &[], raw: body }, limit);
        };
        rest = after;
        loop {
            let (part, after, last) = next_boundary(rest, &media.boundary).unwrap_or((rest, &[], true));
            let (fields, inner) = Fields::parse(part);
            let mut kind = Media::of(&fields);
            if kind.essence.is_empty() && media.essence == "multipart/digest" {
                kind.essence.push_str("message/rfc822");
            }
            if kind.is_multipart() && level < LEVELS {
                self.split(inner, &kind, limit, level + 1);
            } else if !(last && after.is_empty() && part.trim_ascii().is_empty()) {
                self.push(Part { fields, media: kind, head: before(part, inner), raw: inner }, limit);
            }
            if last || self.more {
                return;
            }
            rest = after;
        }
    }

    fn push(&mut self, part: Part<'a>, limit: usize) {
        if self.parts.len() < limit { self.parts.push(part) } else { self.more = true }
    }
}

/// What stands before the end of some bytes.
fn before<'a>(bytes: &'a [u8], end: &[u8]) -> &'a [u8] {
    bytes.get(..bytes.len().saturating_sub(end.len())).unwrap_or_default()
}

/// A mail without the `From ` line that mailboxes put before it (RFC 4155).
pub fn skip_envelope(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let bytes = &bytes[start..];
    if bytes.starts_with(b"From ") || bytes.starts_with(b">From ") { line(bytes).1 } else { bytes }
}

/// The text before the next line of a boundary, what follows that line, and whether it was the closing one.
fn next_boundary<'a>(bytes: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8], bool)> {
    if boundary.is_empty() {
        return None;
    }
    for at in memmem::find_iter(bytes, boundary) {
        let Some(start) = at.checked_sub(2) else { continue };
        let before = &bytes[..start];
        if bytes.get(start..at) != Some(b"--") || !(before.is_empty() || before.ends_with(b"\n")) {
            continue;
        }
        let tail = &bytes[at + boundary.len()..];
        let (closing, tail) = tail.strip_prefix(b"--").map_or((false, tail), |tail| (true, tail));
        let (rest_of_line, after) = line(tail);
        // A boundary may be the beginning of another, longer one.
        if !closing && !rest_of_line.trim_ascii().is_empty() {
            continue;
        }
        // The line break before a boundary belongs to the boundary (RFC 2046 section 5.1.1).
        let before = before.strip_suffix(b"\n").unwrap_or(before);
        return Some((before.strip_suffix(b"\r").unwrap_or(before), after, closing));
    }
    None
}

/// The first line with its line break, and the rest.
fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b'\n', bytes) {
        Some(end) => bytes.split_at(end + 1),
        None => (bytes, &[]),
    }
}

impl<'a> Fields<'a> {
    /// Reads a header block up to its empty line; also gives what follows it. Lines that are no field are passed over;
    /// when the very first is none there is no header at all.
    pub fn parse(bytes: &'a [u8]) -> (Fields<'a>, &'a [u8]) {
        let mut fields = Fields::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            let (first, mut after) = line(rest);
            if first.trim_ascii().is_empty() {
                return (fields, after);
            }
            while let Some(b' ' | b'\t') = after.first() {
                let (folded, next) = line(after);
                if folded.trim_ascii().is_empty() {
                    break;
                }
                after = next;
            }
            let whole = &rest[..rest.len() - after.len()];
            match field(whole) {
                Some(field) if fields.list.len() < FIELDS => fields.list.push(field),
                Some(_) => fields.more = true,
                None if fields.list.is_empty() => return (fields, bytes),
                None => {}
            }
            rest = after;
        }
        (fields, rest)
    }

    /// Every field: its name, and its value as it stands, folds and all.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        self.list.iter().copied()
    }

    /// The values of a name, as they stand.
    pub fn all<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'a [u8]> + 'b {
        self.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| value)
    }

    /// The first value of a name, as it stands.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The first value of a name as text; see [`text`]. Empty counts as absent.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.first(name).map(text).filter(|text| !text.is_empty())
    }

    /// The first value of a name as a time; see [`time`].
    pub fn time(&self, name: &str) -> Option<Time> {
        self.first(name).and_then(time)
    }

    /// Display name and mail address of the first mailbox in a field.
    pub fn mailbox(&self, name: &str) -> Option<(String, String)> {
        let HeaderValue::Address(list) = structured(self.first(name)?, |stream| stream.parse_address()) else { return None };
        let first = match &list {
            Address::List(list) => list.first(),
            Address::Group(groups) => groups.iter().find_map(|group| group.addresses.first()),
        }?;
        let of = |own: &Option<Cow<'_, str>>| text(own.as_deref().unwrap_or_default().trim().as_bytes()).into_owned();
        Some((of(&first.name), of(&first.address)))
    }

    /// The mail address, in lower case, of whoever wrote this, when exactly one is named: one `From` with one mailbox, not
    /// in a group (RFC 5322 section 3.6.2), at a domain name or a machine. `None` otherwise: what programs disagree about proves nothing.
    pub fn author(&self) -> Option<String> {
        let mut all = self.all("From");
        let (Some(value), None) = (all.next(), all.next()) else { return None };
        let HeaderValue::Address(Address::List(list)) = structured(value, |stream| stream.parse_address()) else { return None };
        let [one] = list.as_slice() else { return None };
        let address = one.address.as_deref()?.trim();
        let (local, domain) = address.rsplit_once('@')?;
        let is_plain = |letter: char| !letter.is_control() && !letter.is_whitespace() && !"@<>,;:\"()".contains(letter);
        let is_sound = value.len() <= STRUCTURED && address.len() <= ADDRESS && !local.is_empty() && local.chars().all(is_plain);
        // What runs on a machine of the operator's often gives that machine's name alone.
        let is_machine = !domain.is_empty() && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (is_sound && (is_machine || DomainName::parse(domain).is_some())).then(|| address.to_lowercase())
    }
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr(b':', bytes)?;
    let name = bytes[..colon].trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|byte| (33..127).contains(byte));
    is_name.then(|| (name, bytes[colon + 1..].trim_ascii()))
}

/// A field's value as text: unfolded, its encoded words decoded (RFC 2047), mended to UTF-8, without control characters.
pub fn text(value: &[u8]) -> Cow<'_, str> {
    let decoded = match memmem::find(value, b"=?") {
        Some(_) => match structured(value, |stream| stream.parse_unstructured()) {
            HeaderValue::Text(text) => Cow::Owned(text.into_owned()),
            _ => String::from_utf8_lossy(value),
        },
        None => String::from_utf8_lossy(value),
    };
    // Folds go, and so does what an encoded word hides: a line break in a name would forge a field somewhere else.
    if !decoded.contains(char::is_control) {
        return decoded;
    }
    let words = decoded.split(char::is_control).map(str::trim).filter(|word| !word.is_empty());
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// A field's value as a time (RFC 5322 section 3.3 with its obsolete forms, and ISO 8601). A time without a zone is
/// taken as UTC. `None` when no such time exists.
pub fn time(value: &[u8]) -> Option<Time> {
    if let Some(time) = Time::parse(value) {
        return Some(time);
    }
    if has_bogus_zone(value) {
        return None;
    }
    let date = |value: &[u8]| match structured(value, |stream| stream.parse_date()) {
        HeaderValue::DateTime(date) if names_year(value, date.year) => instant(&date),
        _ => None,
    };
    date(value).or_else(|| date(&[&value[..value.len().min(64)], b" +0000"].concat()))
}

/// Whether a year stands in a text, whole or as its last two digits (RFC 5322 section 4.3): the library makes some year of a line
/// of a log, which names none.
fn names_year(value: &[u8], year: u16) -> bool {
    let mut words = value.split(|byte| !byte.is_ascii_alphanumeric());
    words.any(|word| match std::str::from_utf8(word).ok().and_then(|word| word.parse::<u16>().ok()) {
        Some(number) if word.len() >= 4 => number == year,
        Some(number) if word.len() == 2 => number == year % 100,
        _ => false,
    })
}

/// Whether a zone is no time of day: the library would turn `+9999` into some hour.
fn has_bogus_zone(value: &[u8]) -> bool {
    value.windows(6).any(|window| match window {
        [b' ' | b'\t', b'+' | b'-', h1, h2, m1, m2] if [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit()) => {
            (*h1, *h2) >= (b'2', b'4') || *m1 >= b'6'
        }
        _ => false,
    })
}

fn instant(date: &DateTime) -> Option<Time> {
    let (month, day) = (u32::from(date.month), u32::from(date.day));
    let (hour, minute, second) = (u32::from(date.hour), u32::from(date.minute), u32::from(date.second));
    let local = Time::civil(i32::from(date.year), month, day, hour, minute, second, 0)?;
    let offset = (i64::from(date.tz_hour) * 60 + i64::from(date.tz_minute)) * MINUTE;
    let instant = Time(if date.tz_before_gmt { local.0 + offset } else { local.0 - offset });
    (Time::MIN <= instant && instant <= Time::MAX).then_some(instant)
}

/// Who handed a mail over, and when, as a `Received` field says (RFC 5321 section 4.4).
pub fn received(value: &[u8]) -> (Option<IpAddr>, Option<Time>) {
    match structured(value, |stream| stream.parse_received()) {
        HeaderValue::Received(received) => (received.from_ip(), received.date().as_ref().and_then(instant)),
        _ => (None, None),
    }
}

/// Reads a value by one of the library's field parsers, which stop at a line break that is no fold and want to see one.
fn structured(value: &[u8], read: for<'x> fn(&mut MessageStream<'x>) -> HeaderValue<'x>) -> HeaderValue<'static> {
    let value = &value[..value.len().min(STRUCTURED)];
    let mut ended = Vec::with_capacity(value.len() + 1);
    ended.extend_from_slice(value);
    ended.push(b'\n');
    read(&mut MessageStream::new(&ended)).into_owned()
}

impl Media {
    fn of(fields: &Fields<'_>) -> Media {
        let mut media = Media::default();
        if let Some(value) = fields.first("Content-Type")
            && let HeaderValue::ContentType(parsed) = structured(value, |stream| stream.parse_content_type())
        {
            let attribute = |name: &str| parsed.attribute(name).unwrap_or_default().to_owned();
            media.essence = match parsed.subtype() {
                Some(subtype) => format!("{}/{subtype}", parsed.ctype()),
                None => parsed.ctype().to_owned(),
            };
            media.essence.make_ascii_lowercase();
            media.boundary = attribute("boundary").into_bytes();
            media.charset = attribute("charset").to_ascii_lowercase();
            media.report_type = attribute("report-type").to_ascii_lowercase();
            media.name = attribute("name");
        }
        if let Some(value) = fields.first("Content-Disposition")
            && let HeaderValue::ContentType(parsed) = structured(value, |stream| stream.parse_content_type())
        {
            if let Some(name) = parsed.attribute("filename") {
                media.name = name.to_owned();
            } else if parsed.is_attachment() && media.name.is_empty() {
                media.name = "attachment".to_owned();
            }
        }
        if !media.name.is_empty() {
            media.name = file_name(&media.name);
        }
        media
    }

    /// Whether this is a multipart whose parts can be told apart.
    pub fn is_multipart(&self) -> bool {
        self.essence.starts_with("multipart/") && !self.boundary.is_empty()
    }

    /// Whether this is a whole mail.
    pub fn is_message(&self) -> bool {
        matches!(self.essence.as_str(), "message/rfc822" | "message/global")
    }

    /// Whether this is text for people, as far as it says.
    pub fn is_text(&self) -> bool {
        self.essence.is_empty() || self.essence.starts_with("text/")
    }

    /// Whether this is an image, a sound or a film: never read, never shown.
    pub fn is_picture(&self) -> bool {
        ["image/", "audio/", "video/"].iter().any(|kind| self.essence.starts_with(kind))
    }
}

/// The last part of a path, without control characters, encoded words decoded, at most 255 bytes.
fn file_name(name: &str) -> String {
    let decoded = text(name.as_bytes());
    let last = decoded.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut clean = String::new();
    for letter in last.trim().chars().filter(|letter| !letter.is_control()) {
        if clean.len() + letter.len_utf8() > 255 {
            break;
        }
        clean.push(letter);
    }
    clean
}

impl<'a> Part<'a> {
    /// The body with its transfer encoding undone; as it stands when that fails.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        let encoding = self.fields.first("Content-Transfer-Encoding").unwrap_or_default();
        let decoded = if encoding.eq_ignore_ascii_case(b"base64") {
            base64_decode(self.raw)
        } else if encoding.eq_ignore_ascii_case(b"quoted-printable") {
            quoted_printable_decode(self.raw)
        } else {
            None
        };
        decoded.map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }

    /// As [`Part::bytes`], in UTF-8 when this is text of a stated character set.
    pub fn utf8(&self) -> Cow<'a, [u8]> {
        let bytes = self.bytes();
        if !self.media.is_text() || matches!(self.media.charset.as_str(), "" | "utf-8" | "us-ascii") || bytes.is_ascii() {
            return bytes;
        }
        match charset_decoder(self.media.charset.as_bytes()) {
            Some(decode) => Cow::Owned(decode(&bytes).into_bytes()),
            None => bytes,
        }
    }
}
