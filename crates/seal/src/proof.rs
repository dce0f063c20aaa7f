//! Proofs of inclusion in a file of their own (C2SP `tlog-proof@v1`): index, path and checkpoint.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::{
    checkpoint::{self, Checkpoint, decimal, hash},
    note::{self, MAX_NOTE, Note, VerifierKey},
    tree::{self, Hash, MAX_SIZE},
};

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// The most bytes of `extra`.
pub const MAX_EXTRA: usize = 64 << 10;
/// The most bytes of a file: those of a note, of `extra` in base64, and of the path.
pub const MAX_FILE: usize = MAX_NOTE + 2 * MAX_EXTRA;

/// Why a proof was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The bytes are not such a file; the sentence says what is wrong.
    #[error("not a tlog-proof: {0}")]
    Text(&'static str),
    /// The note at its end.
    #[error(transparent)]
    Note(#[from] note::Wrong),
    /// The checkpoint in that note.
    #[error(transparent)]
    Checkpoint(#[from] checkpoint::Wrong),
    /// The path does not prove that the entry is there.
    #[error(transparent)]
    Path(#[from] tree::Wrong),
}

/// A proof as it was read. It proves nothing until [`Proof::verify`] says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Bytes of whoever made the file. Nobody signed them: they must not be believed.
    pub extra: Option<Vec<u8>>,
    /// Index of the entry, from 0.
    pub index: u64,
    /// The audit path, from the sibling of the leaf up.
    pub path: Vec<Hash>,
    /// The checkpoint to whose root the path leads, with cosignatures.
    pub checkpoint: Note,
}

impl Proof {
    /// Reads a file. There is one valid byte string for what is in one.
    ///
    /// # Errors
    /// [`Wrong::Text`], [`Wrong::Note`], and [`Wrong::Checkpoint`] when the note is not of a checkpoint.
    pub fn parse(bytes: &[u8]) -> Result<Self, Wrong> {
        if bytes.len() > MAX_FILE {
            return Err(Wrong::Text("it is too large"));
        }
        let whole = std::str::from_utf8(bytes).map_err(|_| Wrong::Text("it is not UTF-8"))?;
        // No line of the head is empty: the first empty line ends it.
        let (head, checkpoint) = whole.split_once("\n\n").ok_or(Wrong::Text("no empty line before the checkpoint"))?;
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(Wrong::Text("the first line is not c2sp.org/tlog-proof@v1"));
        }
        let mut line = lines.next().unwrap_or_default();
        let mut extra = None;
        if let Some(text) = line.strip_prefix("extra ") {
            let bytes = BASE64.decode(text).map_err(|_| Wrong::Text("extra is not base64"))?;
            if bytes.is_empty() || bytes.len() > MAX_EXTRA {
                return Err(Wrong::Text("extra is empty or over 64 KiB"));
            }
            extra = Some(bytes);
            line = lines.next().unwrap_or_default();
        }
        let index = line.strip_prefix("index ").and_then(decimal).filter(|index| *index < MAX_SIZE);
        let index = index.ok_or(Wrong::Text("the line of the index is missing or has no number"))?;
        let mut path = Vec::new();
        for line in lines {
            path.push(hash(line).ok_or(Wrong::Text("a line of the path is not 32 bytes in base64"))?);
            if path.len() > 63 {
                return Err(Wrong::Text("the path has more than 63 hashes"));
            }
        }
        let checkpoint = Note::parse(checkpoint.as_bytes())?;
        Checkpoint::parse(&checkpoint.text)?;
        Ok(Self { extra, index, path, checkpoint })
    }

    /// Checks that the entry with this leaf hash is in the log whose key this is, and gives the checkpoint that proves it.
    ///
    /// The origin must be the key's name. Whether enough witnesses saw the checkpoint is for the policy to say, which is never
    /// taken from the file.
    ///
    /// # Errors
    /// [`Wrong`].
    pub fn verify(&self, leaf: &Hash, key: &VerifierKey) -> Result<Checkpoint, Wrong> {
        let checkpoint = checkpoint::open(&self.checkpoint, key)?;
        tree::verify_inclusion(self.index, checkpoint.size, leaf, &self.path, &checkpoint.root)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST_LINE}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", BASE64.encode(hash)))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
