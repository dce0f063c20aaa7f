//! Files that survive a kill, and directories that one process at a time works in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// What went wrong with a file: which one, and why.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system said no.
    #[error("{}: {source}", path.display())]
    System {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// It is larger than it may be.
    #[error("{} is larger than {most} bytes, which nothing of ours is: check which file you gave", path.display())]
    Large {
        /// Which file.
        path: PathBuf,
        /// The most it may be.
        most: u64,
    },
    /// Somebody else is at work there.
    #[error("{} is in use by another process: wait until it has ended", path.display())]
    Busy {
        /// Which directory.
        path: PathBuf,
    },
    /// It is there already.
    #[error("{} is there already, and nothing is written over it: choose another name", path.display())]
    There {
        /// Which file.
        path: PathBuf,
    },
}

impl Error {
    fn system(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
        |source| Error::System { path: path.to_owned(), source }
    }
}

/// Writes a file that only its owner reads, whole or not at all: beside it, fsync, rename, fsync of the directory.
///
/// # Errors
/// Those of the system.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = beside(path);
    // What a stop left there goes; and what somebody else put there, a link or a file that others may read, is never written into.
    remove(&beside)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).map_err(Error::system(&beside))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(Error::system(&beside))?;
    fs::rename(&beside, path).map_err(Error::system(path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::system(folder))
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// As [`write()`], but refuses to write over what is there.
///
/// # Errors
/// When it is there, and those of the system.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if path.exists() {
        return Err(Error::There { path: path.to_owned() });
    }
    write(path, bytes)
}

/// A whole file of at most `most` bytes.
///
/// # Errors
/// When it is larger, and those of the system.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(Error::system(path))?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes).map_err(Error::system(path))?;
    if bytes.len() as u64 > most { Err(Error::Large { path: path.to_owned(), most }) } else { Ok(bytes) }
}

/// As [`read`]; nothing when there is no such file.
///
/// # Errors
/// When it is larger, and those of the system.
pub fn read_if_there(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Error> {
    match read(path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(Error::System { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes a file away; that it was not there is no failure.
///
/// # Errors
/// Those of the system.
pub fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::system(path)(error)),
        _ => Ok(()),
    }
}

/// Makes a directory that only its owner enters, and those above it.
///
/// # Errors
/// Those of the system.
pub fn directory(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(Error::system(path))
}

/// Marks a directory as one that backups leave out (<https://bford.info/cachedir/>).
///
/// # Errors
/// Those of the system.
pub fn leave_out_of_backups(path: &Path) -> Result<(), Error> {
    let text = b"Signature: 8a477f597d28d172789f06886806bc55\n# What is in here must not be in a backup.\n";
    write(&path.join("CACHEDIR.TAG"), text)
}

/// That this process alone works in a directory, until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "held until dropped")] File);

impl Lock {
    /// Takes the lock of a directory; the system lets go of it when the process ends, however it ends.
    ///
    /// # Errors
    /// When another process has it, and those of the system.
    pub fn of(path: &Path) -> Result<Lock, Error> {
        let at = path.join("lock");
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&at).map_err(Error::system(&at))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Lock(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(Error::Busy { path: path.to_owned() }),
            Err(error) => Err(Error::system(&at)(error.into())),
        }
    }
}

/// A directory of its own for a test, gone when it is dropped.
#[cfg(test)]
pub(crate) struct Scratch(pub(crate) PathBuf);

#[cfg(test)]
impl Scratch {
    pub(crate) fn new(name: &str) -> Scratch {
        let unique: [u8; 8] = crate::chance::draw(&mut crate::chance::system());
        let path = std::env::temp_dir().join(format!("sluis-{name}-{:016x}", u64::from_be_bytes(unique)));
        directory(&path).expect("a directory for a test");
        Scratch(path)
    }
}

#[cfg(test)]
impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_and_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new("files");
        let path = scratch.0.join("a");
        write(&path, b"one").expect("written");
        write(&path, b"two").expect("written over");
        assert!(matches!(write_new(&path, b"three"), Err(Error::There { .. })));
        assert_eq!(read(&path, 3).expect("read"), b"two");
        assert!(matches!(read(&path, 2), Err(Error::Large { .. })));
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        remove(&path).expect("gone");
        remove(&path).expect("gone already");
        assert_eq!(read_if_there(&path, 3).expect("no failure"), None);
    }

    #[test]
    fn nothing_is_written_into_what_lies_beside_already() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let scratch = Scratch::new("beside");
        let (path, theirs, new) = (scratch.0.join("a"), scratch.0.join("theirs"), scratch.0.join("a.new"));
        fs::write(&theirs, b"theirs").expect("written");
        symlink(&theirs, &new).expect("linked");
        write(&path, b"ours").expect("written");
        assert_eq!((fs::read(&theirs).expect("read"), read(&path, 4).expect("read")), (b"theirs".to_vec(), b"ours".to_vec()));
        fs::write(&new, b"left by a stop").expect("written");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o666)).expect("set");
        write(&path, b"again").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn one_process_at_a_time() {
        let scratch = Scratch::new("lock");
        let first = Lock::of(&scratch.0).expect("free");
        assert!(matches!(Lock::of(&scratch.0), Err(Error::Busy { .. })));
        drop(first);
        assert!(Lock::of(&scratch.0).is_ok());
    }
}
