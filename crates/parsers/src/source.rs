//! Where bytes come from: a reader with a prefix one may look at, a name, and limits.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::io::{self, Read};

use model::category::Kind;
use model::time::Time;

use crate::formats::csv::Declared;
use crate::formats::shadowserver::Maps;
use crate::kinds::mail::Letter;
use crate::kinds::members;

/// How much of a submission a format may look at before it is chosen.
pub const PREFIX: usize = 64 * 1024;

/// Bounds on hostile input. Past a bound something is rejected with the reason; nothing is cut in silence.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a text line or CSV record. Default 1 MiB.
    pub line: usize,
    /// Bytes of a whole that must be in memory at once: a mail, a JSON document. Default 32 MiB.
    pub whole: usize,
    /// Containers inside containers: mail in mail, zip in zip. Default 4.
    pub depth: u8,
    /// Parts of mails and entries of archives, in all containers of a submission together. Default 1,000.
    pub parts: usize,
    /// Bytes that all archives of a submission may unpack to. Default 2 GiB.
    pub unpacked: u64,
    /// How many times larger than its packed form an archive entry may be. Default 500.
    pub ratio: u64,
    /// Nesting of arrays and objects in JSON. Default 32.
    pub json_depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { line: 1 << 20, whole: 32 << 20, depth: 4, parts: 1_000, unpacked: 2 << 30, ratio: 500, json_depth: 32 }
    }
}

/// What the caller knows of a submission beside its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Hint<'a> {
    /// The name it came under; empty when none.
    pub name: &'a str,
    /// Media type, when a container stated one; empty otherwise.
    pub content_type: &'a str,
    /// Where it was fetched from: the URL of a feed, without what is secret in it; empty when it came by itself. Lists that
    /// do not say what they are of are known by it.
    pub location: &'a str,
    /// The kind of abuse of lists that do not say it, as the operator configured it for the feed.
    pub kind: Option<Kind>,
    /// The format to use, whatever the bytes look like; the name of one in [`crate::formats::all`].
    pub format: Option<&'a str>,
    /// When it was received, for formats whose reports stand for that moment: lists of what is so now.
    pub received: Time,
    /// Column maps of Shadowserver's report types.
    pub maps: &'a Maps,
    /// The user's description of a CSV, JSON or web page of their own.
    pub declared: Option<&'a Declared>,
    /// Bounds.
    pub limits: Limits,
}

impl<'a> Hint<'a> {
    /// Nothing known but a name and the time.
    pub fn new(name: &'a str, received: Time) -> Hint<'a> {
        Hint {
            name,
            content_type: "",
            location: "",
            kind: None,
            format: None,
            received,
            maps: Maps::builtin(),
            declared: None,
            limits: Limits::default(),
        }
    }
}

/// What a format's `detect` may look at.
#[derive(Debug)]
pub struct Prefix<'a> {
    /// The first bytes, at most [`PREFIX`].
    pub bytes: &'a [u8],
    /// Whether `bytes` is all there is.
    pub whole: bool,
    /// The name it came under, without folders; empty when none.
    pub name: &'a str,
    /// Media type in lower case without parameters; empty when none was stated.
    pub content_type: &'a str,
    /// As [`Hint::location`].
    pub location: &'a str,
    /// The user's description of a CSV, JSON or web page of their own, if there is one.
    pub declared: Option<&'a Declared>,
    /// Column maps of Shadowserver's report types.
    pub maps: &'a Maps,
    letter: OnceCell<Option<Letter<'a>>>,
    members: OnceCell<Vec<&'a str>>,
}

impl<'a> Prefix<'a> {
    /// The beginning of `bytes`, or of what they are the beginning of, which came under this name.
    pub fn new(bytes: &'a [u8], name: &'a str, content_type: &'a str, hint: &Hint<'a>) -> Prefix<'a> {
        Prefix {
            bytes: &bytes[..bytes.len().min(PREFIX)],
            whole: bytes.len() < PREFIX,
            name,
            content_type,
            location: hint.location,
            declared: hint.declared,
            maps: hint.maps,
            letter: OnceCell::new(),
            members: OnceCell::new(),
        }
    }

    /// What stands on the outside of it, when it is a mail; read once for all formats that ask.
    pub fn letter(&self) -> Option<&Letter<'a>> {
        self.letter.get_or_init(|| Letter::of(self)).as_ref()
    }

    /// The names of the members of the first object, when it is JSON: by them feeds are known. Looked for once for all
    /// formats that ask.
    pub fn members(&self) -> &[&'a str] {
        self.members.get_or_init(|| members::telling(self.bytes))
    }

    /// Whether the first object has all of these members.
    pub fn has_members(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.members().contains(name))
    }
}

/// Bytes to read, whose first have been looked at and will be read again.
pub struct Source<'a> {
    prefix: Cow<'a, [u8]>,
    at: usize,
    whole: bool,
    rest: Rest<'a>,
}

/// Where the bytes past the prefix are.
enum Rest<'a> {
    Reader(&'a mut dyn Read),
    /// All of them, those of the prefix included: what a container had in memory is not copied for what is inside.
    Memory(&'a [u8]),
}

impl<'a> Source<'a> {
    /// Reads the prefix.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn open(reader: &'a mut dyn Read) -> io::Result<Source<'a>> {
        let mut prefix = Vec::new();
        reader.take(PREFIX as u64).read_to_end(&mut prefix)?;
        let whole = prefix.len() < PREFIX;
        Ok(Source { prefix: Cow::Owned(prefix), at: 0, whole, rest: Rest::Reader(reader) })
    }

    /// Bytes that are in memory already.
    pub fn memory(bytes: &'a [u8]) -> Source<'a> {
        let prefix = Cow::Borrowed(&bytes[..bytes.len().min(PREFIX)]);
        Source { prefix, at: 0, whole: bytes.len() < PREFIX, rest: Rest::Memory(bytes) }
    }

    /// The first bytes, however much has been read since.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Whether the prefix is all there is.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether nothing has been read yet.
    pub fn is_untouched(&self) -> bool {
        self.at == 0
    }

    /// Everything that is left, or `None` when that is more than `limit` bytes.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn read_whole(&mut self, limit: usize) -> io::Result<Option<Cow<'a, [u8]>>> {
        if let Rest::Memory(bytes) = self.rest {
            let left = bytes.get(self.at..).unwrap_or_default();
            self.at = bytes.len();
            return Ok((left.len() <= limit).then_some(Cow::Borrowed(left)));
        }
        let mut bytes = Vec::new();
        self.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok((bytes.len() <= limit).then_some(Cow::Owned(bytes)))
    }
}

impl Read for Source<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let known = match self.rest {
            Rest::Memory(bytes) => bytes,
            Rest::Reader(_) => &self.prefix,
        };
        let left = known.get(self.at..).unwrap_or_default();
        let count = into.len().min(left.len());
        into[..count].copy_from_slice(&left[..count]);
        self.at += count;
        match &mut self.rest {
            Rest::Reader(reader) if count == 0 && !self.whole => reader.read(into),
            _ => Ok(count),
        }
    }
}
