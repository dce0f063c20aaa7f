//! Where the files of a log stand: what it asks of a disk, and a shelf in memory that can fail at any write, for tests.

use std::{collections::BTreeMap, io, sync::Mutex, sync::PoisonError};

/// A file on its way to the shelf: its path, with `/` between folders, and its bytes.
pub type File = (String, Vec<u8>);

/// Why a file was not kept or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What stands there differs from what was to be kept: nothing is ever replaced by something else.
    #[error("{0}: what stands there is something else")]
    Differs(String),
    /// The disk said no.
    #[error("{path}: {cause}")]
    Disk {
        /// The file.
        path: String,
        /// What the disk said.
        #[source]
        cause: io::Error,
    },
}

/// A place for files. A path is relative, and made by this program: nothing from outside becomes one unread.
pub trait Shelf {
    /// The bytes of a file; nothing when there is none.
    ///
    /// # Errors
    /// [`Error::Disk`].
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error>;

    /// Writes files that never change. They are durable, whole and under their names when this returns well; before, each is there
    /// whole or not at all. One that is there already must be equal, or a beginning of it, which is then completed.
    ///
    /// # Errors
    /// [`Error::Differs`], and then none of them is written; [`Error::Disk`].
    fn keep(&self, files: &[File]) -> Result<(), Error>;

    /// Puts a file in the place of what was there. Afterwards the new bytes are durable; whoever reads meanwhile, or after a
    /// crash, finds the old or the new ones, whole.
    ///
    /// # Errors
    /// [`Error::Disk`].
    fn publish(&self, path: &str, bytes: &[u8]) -> Result<(), Error>;
}

/// Whether a file may be kept where `there` stands: `Some(true)` when it is there already, `Some(false)` when it has to be
/// written, nothing when something else stands there.
#[must_use]
pub fn fits(there: Option<&[u8]>, bytes: &[u8]) -> Option<bool> {
    match there {
        None => Some(false),
        Some(there) if there == bytes => Some(true),
        Some(there) => bytes.starts_with(there).then_some(false),
    }
}

/// A shelf in memory, for tests. It can be told to fail: then a write leaves a torn file, as a disk at power failure may.
#[derive(Debug, Default)]
pub struct Memory {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    /// Writes that still go well; `None` for all.
    left: Mutex<Option<usize>>,
}

impl Memory {
    /// Lets so many writes go well, and fails from then on; `None`: no more failures.
    pub fn fail_after(&self, writes: Option<usize>) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) = writes;
    }

    /// Puts bytes there, whatever stood there: damage.
    pub fn damage(&self, path: &str, bytes: &[u8]) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.to_vec());
    }

    /// Takes a file away.
    pub fn lose(&self, path: &str) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> Vec<String> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Whether this write goes well.
    fn works(&self) -> bool {
        match &mut *self.left.lock().unwrap_or_else(PoisonError::into_inner) {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

fn broken(path: &str) -> Error {
    Error::Disk { path: path.to_owned(), cause: io::Error::other("it was told to fail") }
}

impl Shelf for Memory {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.files.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned())
    }

    fn keep(&self, files: &[File]) -> Result<(), Error> {
        let mut there = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        for (path, bytes) in files {
            fits(there.get(path).map(Vec::as_slice), bytes).ok_or_else(|| Error::Differs(path.clone()))?;
        }
        for (path, bytes) in files {
            if !self.works() {
                // A disk that lost power may show the name with a part of the bytes.
                there.insert(path.clone(), bytes.iter().take(bytes.len() / 2).copied().collect());
                return Err(broken(path));
            }
            there.insert(path.clone(), bytes.clone());
        }
        Ok(())
    }

    fn publish(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        if !self.works() {
            return Err(broken(path));
        }
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }
}
