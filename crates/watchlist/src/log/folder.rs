//! The files of the log on disk: whole or not there, and durable before anybody builds on them.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use seal::shelf::{Error, Shelf, fits};

/// What files are called until they are whole. No path of a tile ends like this.
const UNFINISHED: &str = ".new";

/// A folder that only its own user can look into.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// This folder. It is made when something is kept in it.
    #[must_use]
    pub fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned() }
    }

    fn failed(&self, path: &str, cause: io::Error) -> Error {
        Error::Disk { path: self.root.join(path).display().to_string(), cause }
    }

    /// The folder of a file, made if it is missing; `made` gets every folder in which a name is new.
    fn make_parent(path: &Path, made: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let Some(parent) = path.parent() else { return Ok(()) };
        made.insert(parent.to_owned());
        let mut missing = parent;
        while !missing.is_dir() {
            let Some(above) = missing.parent() else { break };
            made.insert(above.to_owned());
            missing = above;
        }
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(parent)
    }

    /// Writes a file beside its place, waits until the disk has it, and gives it its name.
    fn settle(&self, path: &str, bytes: &[u8], made: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        crate::crash::point()?;
        let (last, unfinished) = (self.root.join(path), self.root.join(format!("{path}{UNFINISHED}")));
        Folder::make_parent(&last, made)?;
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(unfinished, last)
    }

    fn sync(made: &BTreeSet<PathBuf>) -> Result<(), Error> {
        made.iter().try_for_each(|folder| {
            let synced = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
                .and_then(|folder| folder.sync_all());
            synced.map_err(|cause| Error::Disk { path: folder.display().to_string(), cause })
        })
    }
}

impl Shelf for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        match fs::read(self.root.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(self.failed(path, cause)),
        }
    }

    fn keep(&self, files: &[seal::shelf::File]) -> Result<(), Error> {
        let mut new = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let there = self.read(path)?;
            if !fits(there.as_deref(), bytes).ok_or_else(|| Error::Differs(self.root.join(path).display().to_string()))? {
                new.push((path, bytes));
            }
        }
        let mut made = BTreeSet::new();
        for (path, bytes) in new {
            self.settle(path, bytes, &mut made).map_err(|cause| self.failed(path, cause))?;
        }
        Folder::sync(&made)
    }

    fn publish(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut made = BTreeSet::new();
        self.settle(path, bytes, &mut made).map_err(|cause| self.failed(path, cause))?;
        Folder::sync(&made)
    }
}
