//! What the desk did, line by line, each bound to the one before: whoever takes a line away or changes one is seen.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use matching::envelope::KeyId;
use serde::{Deserialize, Serialize};

use crate::files;
use crate::keys::{Identity, hex, unhex};
use crate::provider::error::{Error, Result};

/// The file in the desk's directory.
pub const FILE: &str = "record.jsonl";
const MOST: u64 = 256 << 20;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1.
    pub number: u64,
    /// When, in milliseconds since 1970 UTC.
    pub at: i64,
    /// What the desk did.
    pub what: String,
    /// To what: keys and digests, no names.
    pub about: String,
    /// The digest of the line before; zeros for the first.
    pub before: String,
    /// The desk's signature over all of it.
    pub signed: String,
}

impl Line {
    fn message(&self) -> Vec<u8> {
        let mut w = matching::bytes::Writer::new();
        w.raw(b"sluis/v1/desk-record\0").u64(self.number).time(self.at).text(&self.what).text(&self.about).text(&self.before);
        w.done()
    }

    fn digest(&self) -> String {
        hex(&matching::sha256(&[&self.message()]))
    }
}

/// The record of a desk.
#[derive(Debug)]
pub struct Record {
    path: PathBuf,
    lines: Vec<Line>,
}

impl Record {
    /// Reads and checks a record. A last line that a stop cut short is left out: what it tells did not happen.
    ///
    /// # Errors
    /// When a line was changed or taken away.
    pub fn open(dir: &Path, desk: &KeyId) -> Result<Record> {
        let path = dir.join(FILE);
        let bytes = files::read_if_there(&path, MOST)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let wrong = |number: usize| {
            Error::said(format!(
                "line {number} of {} was changed or is missing; put it back from a backup, and ask who did it",
                path.display()
            ))
        };
        let key = VerifyingKey::from_bytes(desk).map_err(|_| wrong(0))?;
        let mut lines: Vec<Line> = Vec::new();
        for (at, one) in text.split_inclusive('\n').enumerate() {
            if !one.ends_with('\n') {
                break;
            }
            let line: Line = serde_json::from_str(one).map_err(|_| wrong(at + 1))?;
            let before = lines.last().map_or_else(|| "0".repeat(64), Line::digest);
            let signature = unhex::<64>(&line.signed).map_err(|_| wrong(at + 1))?;
            let good = key.verify_strict(&line.message(), &Signature::from_bytes(&signature)).is_ok();
            if line.number != at as u64 + 1 || line.before != before || !good {
                return Err(wrong(at + 1));
            }
            lines.push(line);
        }
        Ok(Record { path, lines })
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What stands for the whole record: its length and the digest of its last line. Whoever noted it sees later that nothing went.
    #[must_use]
    pub fn head(&self) -> (u64, String) {
        self.lines.last().map_or_else(|| (0, "0".repeat(64)), |line| (line.number, line.digest()))
    }

    /// Adds a line, and has it on the disk before it returns.
    ///
    /// # Errors
    /// Those of the system.
    pub fn add(&mut self, at: i64, what: &str, about: &str, desk: &Identity) -> Result<()> {
        let (number, before) = self.head();
        let mut line =
            Line { number: number + 1, at, what: what.to_owned(), about: about.to_owned(), before, signed: String::new() };
        line.signed = hex(&desk.signing.sign(&line.message()).to_bytes());
        let text = serde_json::to_string(&line).map_err(|error| Error::said(format!("the record cannot be written: {error}")))?;
        let io = |error| Error::io(&self.path, error);
        let mut options = std::fs::OpenOptions::new();
        options.create(true).read(true).write(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&self.path).map_err(io)?;
        let whole: Vec<u8> = self.bytes()?;
        // A line that a stop cut short is written over.
        file.set_len(whole.len() as u64).map_err(io)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).map_err(io)?;
        file.write_all(format!("{text}\n").as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        self.lines.push(line);
        Ok(())
    }

    fn bytes(&self) -> Result<Vec<u8>> {
        let bytes = files::read_if_there(&self.path, MOST)?.unwrap_or_default();
        let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Ok(bytes[..end].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Scratch;
    use crate::keys::Role;
    use matching::testing::Chance;

    #[test]
    fn a_line_that_is_changed_or_taken_away_is_seen() {
        let scratch = Scratch::new("record");
        let desk = Identity::draw(Role::Desk, "Loket", &mut Chance::of(1));
        let open = || Record::open(&scratch.0, &desk.public.key);
        for n in 0..4 {
            open().unwrap().add(n, "answered", &format!("ab{n}"), &desk).unwrap();
        }
        assert_eq!(open().unwrap().head().0, 4);
        let path = scratch.0.join(FILE);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        for (name, changed) in [
            ("changed", whole.replace("ab1", "ab9")),
            ("taken away", [lines[0], lines[2], lines[3]].concat()),
            ("turned round", [lines[0], lines[2], lines[1], lines[3]].concat()),
            ("the first gone", lines[1..].concat()),
        ] {
            std::fs::write(&path, changed).unwrap();
            assert!(open().is_err(), "{name}");
        }
        // A stop in the middle of a line costs that line alone.
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        assert_eq!(open().unwrap().head().0, 3);
        open().unwrap().add(9, "suspended", "cd", &desk).unwrap();
        assert_eq!(open().unwrap().head().0, 4);
    }
}
