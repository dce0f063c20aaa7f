//! Checkpoints (C2SP `tlog-checkpoint`): what a log signs about itself, its size and its root.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    note::{self, Note, SignError, Signer, VerifierKey},
    tree::{Hash, MAX_SIZE},
};

/// The most bytes of an origin.
pub const MAX_ORIGIN: usize = 255;
/// The most bytes of the text of a checkpoint.
pub const MAX_TEXT: usize = 64 << 10;

/// Why a checkpoint was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The text is not that of a checkpoint; the sentence says what is wrong.
    #[error("not a checkpoint: {0}")]
    Text(&'static str),
    /// It is of another log.
    #[error("this checkpoint is of the log {0}")]
    Origin(String),
    /// The note around it.
    #[error(transparent)]
    Note(#[from] note::Wrong),
}

/// The size and the root of a log at some moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    /// Which log: a name like `log.sluis.example/2026`.
    pub origin: String,
    /// Number of entries, at most [`MAX_SIZE`].
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Lines that other logs add. Ours adds none: nobody can audit them.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// A checkpoint of our own: without extension lines.
    ///
    /// # Errors
    /// When the origin cannot be one, or the size is beyond [`MAX_SIZE`].
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, Wrong> {
        check_origin(origin)?;
        if size > MAX_SIZE {
            return Err(Wrong::Text("the size is beyond 2^63-1"));
        }
        Ok(Self { origin: origin.to_owned(), size, root, extensions: Vec::new() })
    }

    /// Reads the text of a note. There is one valid text for each checkpoint.
    ///
    /// # Errors
    /// [`Wrong::Text`].
    pub fn parse(text: &str) -> Result<Self, Wrong> {
        if text.len() > MAX_TEXT {
            return Err(Wrong::Text("it is larger than 64 KiB"));
        }
        let text = text.strip_suffix('\n').ok_or(Wrong::Text("it does not end with a line feed"))?;
        let mut lines = text.split('\n');
        let origin = lines.next().unwrap_or_default();
        let size = lines.next().and_then(decimal).ok_or(Wrong::Text("the second line is not a size"))?;
        let root = lines.next().and_then(hash).ok_or(Wrong::Text("the third line is not a root of 32 bytes in base64"))?;
        let mut checkpoint = Self::new(origin, size, root)?;
        for line in lines {
            if line.is_empty() || line.chars().any(char::is_control) {
                return Err(Wrong::Text("an extension line is empty or has control characters"));
            }
            checkpoint.extensions.push(line.to_owned());
        }
        Ok(checkpoint)
    }

    /// This checkpoint as a note, signed by the log.
    ///
    /// # Errors
    /// When a signer cannot sign.
    pub fn sign(&self, signers: &[&dyn Signer]) -> Result<Note, SignError> {
        Note::sign(&self.to_string(), signers)
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed, with its last line feed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// The checkpoint in a note, when the log whose key this is signed it. The origin must be the key's name, as the standard advises
/// and as ours is.
///
/// # Errors
/// [`Wrong`].
pub fn open(note: &Note, key: &VerifierKey) -> Result<Checkpoint, Wrong> {
    open_as(note, key.name(), key)
}

/// As [`open`], for a log whose key has another name than its origin.
///
/// # Errors
/// [`Wrong`].
pub fn open_as(note: &Note, origin: &str, key: &VerifierKey) -> Result<Checkpoint, Wrong> {
    note::open(note, std::slice::from_ref(key))?;
    let checkpoint = Checkpoint::parse(&note.text)?;
    if checkpoint.origin == origin { Ok(checkpoint) } else { Err(Wrong::Origin(checkpoint.origin)) }
}

/// A number as these formats write it: decimal digits without leading zeroes.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

/// A hash as these formats write it: 32 bytes in base64.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    // 32 bytes are always 44 characters: a longer line is not decoded at all.
    if text.len() == 44 { BASE64.decode(text).ok()?.try_into().ok() } else { None }
}

fn check_origin(origin: &str) -> Result<(), Wrong> {
    if origin.is_empty() || origin.len() > MAX_ORIGIN || origin.chars().any(char::is_control) {
        return Err(Wrong::Text("an origin has 1 to 255 bytes and no control characters"));
    }
    Ok(())
}
