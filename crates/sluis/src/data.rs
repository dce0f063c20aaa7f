//! Where a node's data is, and what time it is there: what every command needs before it begins.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use desk::{Clock, Desk, SystemClock};
use model::time::Time;
use store::{Engine, Reader};

use crate::serve::config::Config;
use crate::serve::config_mail::MailConfig;

/// The directory of the service that the Debian package sets up.
pub(crate) const SYSTEM: &str = "/var/lib/sluis";

/// The data directory: `--data`, else `SLUIS_DATA`, else the system's if this user may write there, else the user's own.
///
/// # Errors
/// When there is none, or when root would work in the data of another user.
pub(crate) fn directory(option: Option<&Path>) -> Result<PathBuf> {
    let directory = chosen(option)?;
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(&directory) {
        let owner = std::os::unix::fs::MetadataExt::uid(&metadata);
        is_for(rustix::process::geteuid().as_raw(), owner).with_context(|| directory.display().to_string())?;
    }
    Ok(directory)
}

/// Whether a user may work in data that `owner` has. Root may do anything, and what it makes there would be root's: a
/// database file or a mail that the node itself can no longer open.
#[cfg(unix)]
fn is_for(user: u32, owner: u32) -> Result<()> {
    if user != 0 || owner == 0 {
        return Ok(());
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = name_of(owner, &passwd).unwrap_or_else(|| format!("#{owner}"));
    anyhow::bail!("this data is of the user '{name}': as root, put 'runuser -u {name} --' before the command")
}

/// The name of a user, from the text of passwd(5).
#[cfg(unix)]
fn name_of(user: u32, passwd: &str) -> Option<String> {
    let mut lines = passwd.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    })
}

fn chosen(option: Option<&Path>) -> Result<PathBuf> {
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
    let own = home.context("there is no home directory; say where the data is with --data DIR or SLUIS_DATA")?.join("sluis");
    // A colleague at the machine of a node means that node, and not a second one that begins in their home.
    anyhow::ensure!(
        own.exists() || !Path::new(SYSTEM).exists(),
        "{SYSTEM}: this data is not yours: put 'sudo -u sluis' before the command, or name data of your own with --data DIR"
    );
    Ok(own)
}

/// A node's data: its directory, and the database that the configuration says.
pub(crate) struct Data {
    /// The data directory.
    pub(crate) directory: PathBuf,
    engine: Engine,
    workers: Option<usize>,
    /// What the operator chose about the log.
    pub(crate) log: desk::seal::Settings,
    /// This node as a witness, if it is one.
    witness: Option<desk::seal::witness::Settings>,
    /// How it is found out who mails are from.
    pub(crate) mail: MailConfig,
    /// The policy file that the configuration names.
    pub(crate) policy: Option<PathBuf>,
}

impl Data {
    /// The data of a directory, as a configuration has it.
    ///
    /// # Errors
    /// When the configuration asks for what cannot be.
    pub(crate) fn new(directory: PathBuf, config: &Config) -> Result<Data> {
        Ok(Data {
            directory,
            engine: config.engine()?,
            workers: config.work.workers.map(usize::from),
            log: config.log.settings(),
            witness: config.witness.settings(),
            mail: config.mail.clone(),
            policy: config.policy.file.clone(),
        })
    }

    /// Where its rows are.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Opens it to work on it.
    ///
    /// # Errors
    /// As [`Desk::open_on`].
    pub(crate) fn desk(&self, clock: Arc<dyn Clock>, reading: desk::Reading) -> Result<Desk, desk::Error> {
        let mut desk = Desk::open_on(&self.directory, &self.engine, clock, reading)?;
        desk.set_log(self.log.clone());
        desk.set_witness(self.witness.clone());
        if let Some(workers) = self.workers {
            desk.set_workers(workers);
        }
        if let Some(file) = &self.policy
            && let desk::policy::Looked::Wrong(reason) = desk.use_policy_file(file)?
        {
            crate::output::warn(&format!("{reason}\nthe last good policy holds"));
        }
        Ok(desk)
    }

    /// Opens it to read, whether or not another process works on it.
    ///
    /// # Errors
    /// As [`Reader::open_on`].
    pub(crate) fn reader(&self) -> Result<Reader, store::Error> {
        Reader::open_on(&self.directory, &self.engine)
    }
}

/// Seals what a command did, at its end. A log that cannot sign is no reason for the command to fail: what it did waits.
pub(crate) fn seal(desk: &Desk) {
    if let Err(error) = desk.seal() {
        crate::output::warn(&format!("not sealed yet: {error}"));
    }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn root_does_not_work_in_the_data_of_another() {
        for (user, owner) in [(0, 0), (999, 999), (1000, 999)] {
            assert!(is_for(user, owner).is_ok(), "{user} {owner}");
        }
        let said = is_for(0, 4_000_000_000).unwrap_err().to_string();
        assert!(said.contains("'#4000000000'") && said.contains("runuser"), "{said}");
    }

    #[test]
    fn names_are_those_of_passwd() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\nbroken\nsluis:x:104:110::/var/lib/sluis:/usr/sbin/nologin\n";
        assert_eq!(name_of(104, passwd).as_deref(), Some("sluis"));
        assert_eq!(name_of(1, passwd), None);
    }
}
