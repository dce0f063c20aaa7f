//! Where bytes wait for the desk: the spool, for when another process owns the data, and maildirs that are watched.
//!
//! Both follow maildir's way (tmp, then new): a name appears in `new` only when all its bytes are durable.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use model::submission::Door;
use store::keys::public_id;
use store::raw::sync_directory;
use store::submissions::Receipt;

use crate::receive::Arrived;
use crate::{Clock, Desk, Error};

/// Submissions acknowledged together.
const TOGETHER: usize = 500;
/// Files of a folder that may fail before it is the disk that fails, and the rest can wait.
const FAILURES: usize = 10;
/// Bytes of submissions acknowledged together.
const WEIGHT: u64 = 64 << 20;

/// Lays a submission into the spool of a data directory that another process owns. When this returns well the bytes are
/// durable, and that process will take them.
///
/// # Errors
/// [`Error::Unavailable`] when the reader or the disk fails; nothing is left then.
pub fn put(directory: &Path, clock: &dyn Clock, door: Door, name: &str, reader: &mut dyn Read) -> Result<(), Error> {
    let spool = directory.join("spool");
    let (tmp, new) = (spool.join("tmp"), spool.join("new"));
    let failed = |path: &Path, error: io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
    for folder in [&tmp, &new] {
        std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    }
    let file_name = format!("{}-{}-{}", public_id(clock.now())?, door.word(), plain(name));
    let path = tmp.join(&file_name);
    let write = || -> io::Result<()> {
        // Mail waits here in the clear: for the node's own user, and nobody else on the machine.
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        io::copy(reader, &mut file)?;
        file.flush()?;
        file.sync_all()?;
        std::fs::rename(&path, new.join(&file_name))
    };
    if let Err(error) = { write }() {
        let _ = std::fs::remove_file(&path);
        return Err(failed(&path, error));
    }
    Ok(sync_directory(&new)?)
}

impl Desk {
    /// Takes in what lies in the spool; how many submissions were taken.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; what was not taken stays where it is.
    pub fn take_spool(&self) -> Result<u64, Error> {
        let new = self.store.directory().join("spool").join("new");
        self.take_folder(
            &new,
            &|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let mut parts = name.splitn(3, '-').skip(1);
                let door = parts.next().and_then(|word| Door::ALL.into_iter().find(|door| door.word() == word));
                (door.unwrap_or(Door::Pipe), parts.next().unwrap_or_default().to_owned())
            },
            &|path| std::fs::remove_file(path),
        )
    }

    /// Takes in the new mails of a maildir, and moves each to `cur`, marked as seen, once it is durable here.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is no maildir, [`Error::Unavailable`]; what was not taken stays where it is.
    pub fn take_maildir(&self, maildir: &Path) -> Result<u64, Error> {
        let (new, cur) = (maildir.join("new"), maildir.join("cur"));
        if !new.is_dir() || !cur.is_dir() {
            return Err(Error::NotFound(format!("{}: not a maildir: it has no folders 'new' and 'cur'", maildir.display())));
        }
        self.take_folder(
            &new,
            &|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                (Door::Maildir, name.split(":2,").next().unwrap_or_default().to_owned())
            },
            &|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                std::fs::rename(path, cur.join(format!("{}:2,S", name.split(":2,").next().unwrap_or_default())))
            },
        )
    }

    fn take_folder(
        &self,
        folder: &Path,
        describe: &dyn Fn(&Path) -> (Door, String),
        taken: &dyn Fn(&Path) -> io::Result<()>,
    ) -> Result<u64, Error> {
        let failed = |path: &Path, error: io::Error| Error::Unavailable(format!("{}: {error}", path.display()));
        let mut paths: Vec<PathBuf> = match std::fs::read_dir(folder) {
            Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(failed(folder, error)),
        };
        paths.sort();
        let mut count = 0;
        let mut failures: Vec<Error> = Vec::new();
        let mut together: Vec<(PathBuf, Arrived)> = Vec::new();
        let mut weight = 0;
        for path in paths {
            if self.is_stopping() {
                break;
            }
            let mut file = match File::open(&path) {
                Ok(file) => file,
                // Another program took it away meanwhile: it was theirs to take.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // One file that cannot be read must not hold up those behind it.
                Err(error) => {
                    failures.push(failed(&path, error));
                    continue;
                }
            };
            let (door, name) = describe(&path);
            let arrived = match self.arrive(door, &name, &mut file) {
                Ok(arrived) => arrived,
                Err(_) if self.is_stopping() => break,
                Err(error) => {
                    failures.push(error);
                    if failures.len() >= FAILURES {
                        break;
                    }
                    continue;
                }
            };
            weight += arrived.size();
            together.push((path, arrived));
            if together.len() >= TOGETHER || weight >= WEIGHT {
                count += self.take_together(std::mem::take(&mut together), taken)?;
                weight = 0;
            }
        }
        count += self.take_together(together, taken)?;
        failures.into_iter().next().map_or(Ok(count), Err)
    }

    fn take_together(&self, together: Vec<(PathBuf, Arrived)>, taken: &dyn Fn(&Path) -> io::Result<()>) -> Result<u64, Error> {
        if together.is_empty() {
            return Ok(0);
        }
        let (paths, arrived): (Vec<PathBuf>, Vec<Arrived>) = together.into_iter().unzip();
        let receipts: Vec<Receipt> = self.acknowledge(arrived)?;
        for path in paths {
            taken(&path).map_err(|error| Error::Unavailable(format!("{}: {error}", path.display())))?;
        }
        Ok(receipts.len() as u64)
    }
}

/// A name that any file system takes.
fn plain(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-@=,+".contains(c) { c } else { '_' }).take(120).collect()
}
