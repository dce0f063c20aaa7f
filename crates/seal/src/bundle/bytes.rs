//! Reading the binary files of a bundle: big-endian numbers and bytes, one after the other, never past the end.

use super::Wrong;

/// A place in one file of a bundle.
pub(super) struct Bytes<'a> {
    file: &'static str,
    all: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    /// The beginning of a file, after the words that say what it is.
    pub(super) fn of(file: &'static str, all: &'a [u8], magic: &[u8]) -> Result<Bytes<'a>, Wrong> {
        let mut bytes = Bytes { file, all, at: 0 };
        if bytes.take(magic.len())? != magic {
            return Err(Wrong::Part { file, at: 0, what: "it is of another form or version" });
        }
        Ok(bytes)
    }

    /// Says what is wrong here.
    pub(super) fn wrong(&self, what: &'static str) -> Wrong {
        Wrong::Part { file: self.file, at: self.at, what }
    }

    /// So many bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Wrong> {
        let end = self.at.checked_add(count).ok_or(self.wrong("a length is too large"))?;
        let taken = self.all.get(self.at..end).ok_or(self.wrong("it ends too early"))?;
        self.at = end;
        Ok(taken)
    }

    /// So many bytes, known beforehand.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let wrong = self.wrong("it ends too early");
        self.take(N)?.try_into().map_err(|_| wrong)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Wrong> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Wrong> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Wrong> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, Wrong> {
        self.array().map(u64::from_be_bytes)
    }

    /// A path of a tree: how many hashes (at most 64, since no tree is higher), and they.
    pub(super) fn path(&mut self) -> Result<Vec<[u8; 32]>, Wrong> {
        let count = self.u8()?;
        if usize::from(count) > super::MOST_PATH {
            return Err(self.wrong("a path is longer than that of any tree"));
        }
        (0..count).map(|_| self.array()).collect()
    }

    /// Holds that nothing follows.
    pub(super) fn end(self) -> Result<(), Wrong> {
        if self.at == self.all.len() { Ok(()) } else { Err(self.wrong("something follows the end")) }
    }
}

/// Writes a path as [`Bytes::path`] reads it.
pub(super) fn put_path(bytes: &mut Vec<u8>, path: &[[u8; 32]]) {
    bytes.push(path.len() as u8);
    path.iter().for_each(|hash| bytes.extend_from_slice(hash));
}
