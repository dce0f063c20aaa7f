//! Where a node's data is, and what time it is there: what every command needs before it begins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use desk::{Clock, SystemClock};
use model::time::Time;
use store::Reader;

/// The directory of the service that the Debian package sets up.
const SYSTEM: &str = "/var/lib/sluis";

/// The data directory: `--data`, else `SLUIS_DATA`, else the system's if this user may write there, else the user's own.
pub(crate) fn directory(option: Option<&Path>) -> Result<PathBuf> {
    if let Some(directory) = option {
        return Ok(directory.to_owned());
    }
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = set("SLUIS_DATA") {
        return Ok(directory);
    }
    if is_writable(Path::new(SYSTEM)) {
        return Ok(PathBuf::from(SYSTEM));
    }
    // The XDG base directory specification: a relative XDG_DATA_HOME is to be ignored.
    let home = set("XDG_DATA_HOME").filter(|path| path.is_absolute()).or_else(|| Some(set("HOME")?.join(".local/share")));
    Ok(home.context("there is no home directory; say where the data is with --data DIR or SLUIS_DATA")?.join("sluis"))
}

/// Opens the data to read, whether or not another process works on it.
pub(crate) fn reader(option: Option<&Path>) -> Result<Reader> {
    Ok(Reader::open(&directory(option)?)?)
}

/// Whether this user can make files there. Asking the mode bits would miss read-only mounts and access lists.
fn is_writable(directory: &Path) -> bool {
    let probe = directory.join(format!(".writable-{}", std::process::id()));
    let made = std::fs::File::create_new(&probe).is_ok();
    if made {
        let _ = std::fs::remove_file(&probe);
    }
    made
}

/// The clock: the machine's, or with `--now` one that starts at another moment and runs on from there.
pub(crate) fn clock(now: Option<Time>) -> Arc<dyn Clock> {
    match now {
        None => Arc::new(SystemClock),
        Some(now) => Arc::new(Moved { ahead: now.0.saturating_sub(SystemClock.now().0) }),
    }
}

/// The machine's clock, moved.
struct Moved {
    ahead: i64,
}

impl Clock for Moved {
    fn now(&self) -> Time {
        SystemClock.now().plus(self.ahead)
    }
}
