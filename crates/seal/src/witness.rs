//! What a witness is asked, and what it answers (C2SP `tlog-witness`): the request, the decision, and the cosignatures that come back.
//!
//! A witness vouches that it never saw two histories of one log. It remembers, for each origin, the largest checkpoint that it
//! cosigned ([`Seen`]). [`Request::open`] checks what does not depend on that, [`follows`] what does. Whoever keeps the memory
//! compares it once more when replacing it, and only then signs: two requests at once could otherwise roll it back.
//!
//! A witness looks at roots and not at entries, so it says nothing about slots that occur twice; one that mirrors the log does.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    checkpoint::{self, Checkpoint, decimal, hash},
    cosignature,
    note::{Note, SignatureLine, VerifierKey},
    tree::{EMPTY_ROOT, Hash, MAX_SIZE, verify_consistency},
};

/// The most bytes of a request: room for a checkpoint with more than sixteen signatures of any algorithm.
pub const MAX_REQUEST: usize = 128 << 10;
/// The most bytes of an answer.
pub const MAX_ANSWER: usize = 64 << 10;
/// The most hashes of a proof.
pub const MAX_PROOF: usize = 63;
/// The media type of an answer that says which size the witness knows.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// What is asked: that this checkpoint be cosigned, which is said to continue one of `old` entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Size of the checkpoint that the witness is thought to know; 0 for none.
    pub old: u64,
    /// Consistency proof from that size (RFC 6962, section 2.1.2).
    pub proof: Vec<Hash>,
    /// The checkpoint, signed by its log.
    pub checkpoint: Note,
}

/// The largest checkpoint of a log that was cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Its number of entries.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Why nothing is cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The bytes are no request, or it contradicts itself.
    #[error("not a request: {0}")]
    Malformed(String),
    /// The log is not known here.
    #[error("the log {0} is not known to this witness")]
    UnknownLog(String),
    /// None of the keys that are known for this log signed it.
    #[error("the checkpoint is not signed by a known key of its log")]
    Unsigned,
    /// The witness knows a checkpoint of another size than the request begins from.
    #[error("the checkpoint known here has {0} entries")]
    OtherSize(u64),
    /// The witness knows another root of the same size: the log has two histories.
    #[error("another root is known here for {0} entries")]
    OtherRoot(u64),
    /// The proof does not show that the checkpoint continues the one that is known.
    #[error("the consistency proof does not hold")]
    Inconsistent,
}

impl Refused {
    /// The status of HTTP that says so.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unsigned => 403,
            Self::UnknownLog(_) => 404,
            Self::OtherSize(_) | Self::OtherRoot(_) => 409,
            Self::Inconsistent => 422,
        }
    }

    /// The body of the answer, and its media type.
    #[must_use]
    pub fn body(&self) -> (&'static str, String) {
        match self {
            Self::OtherSize(size) => (SIZE_TYPE, format!("{size}\n")),
            _ => ("text/plain; charset=utf-8", format!("{self}\n")),
        }
    }
}

impl Request {
    /// Reads the body of a request. There is one valid byte string for what is in one.
    ///
    /// # Errors
    /// [`Refused::Malformed`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        let malformed = |what: &str| Refused::Malformed(what.to_owned());
        if bytes.len() > MAX_REQUEST {
            return Err(malformed("it is larger than 128 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        let (first, mut rest) = text.split_once('\n').ok_or_else(|| malformed("it has one line only"))?;
        let old = first.strip_prefix("old ").and_then(decimal).filter(|old| *old <= MAX_SIZE);
        let old = old.ok_or_else(|| malformed("the first line is not 'old' and a size"))?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or_else(|| malformed("no empty line follows the proof"))?;
            rest = after;
            if line.is_empty() {
                break;
            }
            if proof.len() == MAX_PROOF {
                return Err(malformed("the proof has more than 63 hashes"));
            }
            proof.push(hash(line).ok_or_else(|| malformed("a line of the proof is not 32 bytes in base64"))?);
        }
        let checkpoint = Note::parse(rest.as_bytes()).map_err(|wrong| match SignatureLine::parse(last_line(rest)) {
            // A checkpoint whose signature cannot even be decoded is one that its log did not sign; the standard has a status for that.
            Err(of_line) if of_line == wrong && last_line(rest).starts_with("\u{2014} ") => Refused::Unsigned,
            _ => Refused::Malformed(wrong.to_string()),
        })?;
        Ok(Self { old, proof, checkpoint })
    }

    /// Checks what does not depend on what was seen before: that a known log signed this, and that the sizes can be.
    ///
    /// `keys` are those that are known for an origin; none when the log is not known.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn open(&self, keys: impl FnOnce(&str) -> Vec<VerifierKey>) -> Result<Checkpoint, Refused> {
        let checkpoint = Checkpoint::parse(&self.checkpoint.text).map_err(|wrong| Refused::Malformed(wrong.to_string()))?;
        let keys = keys(&checkpoint.origin);
        if keys.is_empty() {
            return Err(Refused::UnknownLog(checkpoint.origin));
        }
        // Several keys of one log are tried each for itself: one that rotated away does not spoil the other's signature.
        if !keys.iter().any(|key| checkpoint::open_as(&self.checkpoint, &checkpoint.origin, key).is_ok()) {
            return Err(Refused::Unsigned);
        }
        if self.old > checkpoint.size {
            return Err(Refused::Malformed("the old size is larger than the checkpoint's".to_owned()));
        }
        Ok(checkpoint)
    }
}

/// The last line of a text that ends with a line feed; nothing of one that does not.
fn last_line(text: &str) -> &str {
    text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n')).map_or("", |(_, line)| line)
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", BASE64.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Whether an opened checkpoint continues what was seen of its log, by the request's proof.
///
/// # Errors
/// [`Refused::OtherSize`], [`Refused::OtherRoot`] and [`Refused::Inconsistent`].
pub fn follows(request: &Request, checkpoint: &Checkpoint, seen: Option<&Seen>) -> Result<(), Refused> {
    let (size, root) = seen.map_or((0, EMPTY_ROOT), |seen| (seen.size, seen.root));
    if request.old != size {
        return Err(Refused::OtherSize(size));
    }
    if checkpoint.size == size && checkpoint.root != root {
        // Of the empty tree there is one root only; who signs another knows not what it does.
        return Err(if size == 0 { Refused::Inconsistent } else { Refused::OtherRoot(size) });
    }
    let holds = match size {
        0 => request.proof.is_empty(),
        _ => verify_consistency(size, &root, checkpoint.size, &checkpoint.root, &request.proof).is_ok(),
    };
    if holds { Ok(()) } else { Err(Refused::Inconsistent) }
}

/// The body of an answer that cosigns.
#[must_use]
pub fn answer(lines: &[SignatureLine]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The cosignatures over a checkpoint's text in the body of an answer, with their times in seconds since 1970: of each key the
/// latest. Lines of unknown keys, and lines that do not hold, are passed over: a witness's other key is no reason to lose one.
#[must_use]
pub fn cosignatures<'a>(text: &str, body: &[u8], keys: &'a [VerifierKey]) -> Vec<(&'a VerifierKey, SignatureLine, u64)> {
    let mut found: Vec<(&VerifierKey, SignatureLine, u64)> = Vec::new();
    let Some(body) = body.get(..body.len().min(MAX_ANSWER)).and_then(|body| std::str::from_utf8(body).ok()) else {
        return found;
    };
    for line in body.lines().take(16).filter_map(|line| SignatureLine::parse(line).ok()) {
        for key in keys.iter().filter(|key| line.is_by(key)) {
            let Ok(time) = cosignature::verify(text, &line, key) else { continue };
            match found.iter_mut().find(|(other, ..)| *other == key) {
                Some(other) if other.2 < time => *other = (key, line.clone(), time),
                Some(_) => {}
                None => found.push((key, line.clone(), time)),
            }
        }
    }
    found
}

/// The size in the body of an answer of 409; nothing when it says none.
#[must_use]
pub fn size_of(body: &[u8]) -> Option<u64> {
    let size = std::str::from_utf8(body).ok()?;
    decimal(size.strip_suffix('\n').unwrap_or(size)).filter(|size| *size <= MAX_SIZE)
}

/// Whether a key of a log also stands for this origin.
///
/// A tree of Sluis is named for the year in which it began, `<host>/<log>/<year>` or `<year>.<number>`, and the trees that follow it are
/// signed by the same key: who knows one knows those of later years, up to `year`. The number stays below 100, so that nobody fills a witness's memory.
#[must_use]
pub fn of_origin(key: &VerifierKey, origin: &str, year: i32) -> Option<VerifierKey> {
    if key.name() == origin {
        return Some(key.clone());
    }
    let (name, since) = key.name().rsplit_once('/')?;
    let (other, label) = origin.rsplit_once('/')?;
    let ((since, _), (label, _)) = (label_of(since)?, label_of(label)?);
    if name != other || label < since || label > year {
        return None;
    }
    VerifierKey::new(origin, key.algorithm(), key.public()).ok()
}

/// The year and the number of the last part of an origin.
fn label_of(label: &str) -> Option<(i32, u64)> {
    let (year, number) = match label.split_once('.') {
        Some((year, number)) => (year, decimal(number).filter(|number| (2..100).contains(number))?),
        None => (label, 1),
    };
    if year.len() == 4 && year.bytes().all(|digit| digit.is_ascii_digit()) { Some((year.parse().ok()?, number)) } else { None }
}
