//! The files of the log on disk: whole or not there, durable before anybody builds on them, and few waits for the disk.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ::seal::shelf::{Error, Shelf, fits};

/// What files are called until they are whole. No path of a tile ends like this.
const UNFINISHED: &str = ".new";
/// Files whose bytes are on their way to the disk at the same time: the disk's journal then takes them together.
const TOGETHER: usize = 8;

/// A folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    private: bool,
}

impl Folder {
    /// A folder whose files anybody may see who may look into the data directory. It is made when something is kept in it.
    pub fn shown(root: PathBuf) -> Folder {
        Folder { root, private: false }
    }

    /// A folder that only the node's own user can look into.
    pub fn private(root: PathBuf) -> Folder {
        Folder { root, private: true }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The folder of a file, made if it is missing; `made` gets every folder in which a name is new.
    fn make_parent(&self, path: &Path, made: &mut BTreeSet<PathBuf>) -> io::Result<()> {
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
        if self.private {
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        }
        builder.create(parent)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        if self.private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        let mut file = options.open(path)?;
        file.write_all(bytes)?;
        Ok(file)
    }

    /// Writes files beside their places, waits until the disk has them, and gives them their names.
    fn settle(&self, files: &[(&str, &[u8])]) -> Result<(), Error> {
        let failed = |path: &str, cause| Error::Disk { path: self.root.join(path).display().to_string(), cause };
        let mut folders = BTreeSet::new();
        for some in files.chunks(64 * TOGETHER) {
            let mut written = Vec::with_capacity(some.len());
            for (path, bytes) in some {
                let (last, unfinished) = (self.root.join(path), self.root.join(format!("{path}{UNFINISHED}")));
                self.make_parent(&last, &mut folders).map_err(|cause| failed(path, cause))?;
                written.push((*path, self.write(&unfinished, bytes).map_err(|cause| failed(path, cause))?, unfinished, last));
            }
            std::thread::scope(|scope| {
                let share = written.len().div_ceil(TOGETHER).max(1);
                let threads: Vec<_> = written
                    .chunks(share)
                    .map(|some| {
                        scope.spawn(move || {
                            some.iter().try_for_each(|(path, file, ..)| file.sync_all().map_err(|cause| (*path, cause)))
                        })
                    })
                    .collect();
                threads.into_iter().try_for_each(|thread| match thread.join() {
                    Ok(synced) => synced.map_err(|(path, cause)| failed(path, cause)),
                    Err(_) => Err(failed("", io::Error::other("a thread ended by itself"))),
                })
            })?;
            for (path, _, unfinished, last) in &written {
                fs::rename(unfinished, last).map_err(|cause| failed(path, cause))?;
            }
        }
        for folder in &folders {
            File::open(folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|cause| Error::Disk { path: folder.display().to_string(), cause })?;
        }
        Ok(())
    }
}

impl Shelf for Folder {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let file = self.root.join(path);
        match fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Error::Disk { path: file.display().to_string(), cause }),
        }
    }

    fn keep(&self, files: &[::seal::shelf::File]) -> Result<(), Error> {
        let mut new = Vec::with_capacity(files.len());
        for (path, bytes) in files {
            let there = self.read(path)?;
            if !fits(there.as_deref(), bytes).ok_or_else(|| Error::Differs(self.root.join(path).display().to_string()))? {
                new.push((path.as_str(), bytes.as_slice()));
            }
        }
        self.settle(&new)
    }

    fn publish(&self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        self.settle(&[(path, bytes)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_whole_and_never_replaced() {
        let root = std::env::temp_dir().join(format!("sluis-folder-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        let folder = Folder::private(root.join("log"));
        assert_eq!(folder.read("tile/0/000").unwrap(), None);
        let many: Vec<(String, Vec<u8>)> = (0..40).map(|at| (format!("tile/0/{at:03}"), vec![at; 100])).collect();
        folder.keep(&many).unwrap();
        folder.keep(&many).unwrap();
        assert_eq!(folder.read("tile/0/039").unwrap().unwrap(), vec![39; 100]);
        // Torn: completed. Something else: refused.
        fs::write(root.join("log/tile/0/007"), [7; 50]).unwrap();
        fs::write(root.join("log/tile/0/008.new"), [1; 50]).unwrap();
        folder.keep(&many).unwrap();
        assert_eq!(folder.read("tile/0/007").unwrap().unwrap(), vec![7; 100]);
        assert!(matches!(folder.keep(&[("tile/0/007".into(), vec![8; 100])]), Err(Error::Differs(_))));
        folder.publish("checkpoint", b"one").unwrap();
        folder.publish("checkpoint", b"two").unwrap();
        assert_eq!(folder.read("checkpoint").unwrap().unwrap(), b"two");
        fs::remove_dir_all(&root).unwrap();
    }
}
