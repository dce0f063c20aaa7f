//! Which policy is in force: the file is the truth, its versions are kept, and a wrong one changes nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

use model::policy::{Alarm, Policy};
use model::severity::Severity;
use store::alerts::Raise;
use store::policies::Version;

use super::{SHIPPED, Wrong, read::MOST};
use crate::{Desk, Error};

/// A policy with the number of its version.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// The rules.
    pub policy: Policy,
    /// Row number of the version, which cases refer to.
    pub version: i64,
}

/// What a look at the policy file came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Looked {
    /// It is as it was.
    Same,
    /// Another policy is in force now.
    Changed(Arc<InForce>),
    /// The file cannot be used, for this reason; the policy is as it was.
    Wrong(String),
}

/// The file that is watched, and what was last seen of it.
pub(crate) struct Watched {
    /// Where it is.
    file: PathBuf,
    /// Whether it has to be there; the one in the data directory need not.
    is_needed: bool,
    seen: Option<Stamp>,
    wrong: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stamp {
    Gone,
    There { modified: Option<SystemTime>, size: u64 },
}

/// Between the operator's text and the shipped one, when a version is kept: the next program may ship another.
const SEAM: &str = "\n#=== what the program shipped with then ===\n";
const KEY: &str = "policy/file";

impl Watched {
    /// The policy file of a data directory.
    pub(crate) fn of(directory: &Path) -> Watched {
        Watched { file: directory.join(super::FILE), is_needed: false, seen: None, wrong: None }
    }
}

/// The text of a version as it is kept.
fn kept_text(text: &str, policy_is_based: bool) -> String {
    if policy_is_based { format!("{text}{SEAM}{SHIPPED}") } else { text.to_owned() }
}

/// The policy of a version that was kept, read over what the program shipped with when it held.
///
/// # Errors
/// [`Wrong`] when this program does not understand it any more.
pub fn read_kept(version: &Version) -> Result<Policy, Wrong> {
    let name = format!("version {} of the policy", version.id);
    match version.text.rsplit_once(SEAM) {
        None => super::read(&version.text, &name),
        Some((own, shipped)) if shipped == SHIPPED => super::read(own, &name),
        Some((own, shipped)) => super::read::read_over(own, &name, shipped),
    }
}

/// The operator's own part of a version's text.
pub fn own_text(version: &Version) -> &str {
    version.text.rsplit_once(SEAM).map_or(version.text.as_str(), |(own, _)| own)
}

impl Desk {
    /// The policy that is in force.
    pub fn policy(&self) -> Arc<InForce> {
        Arc::clone(&self.in_force.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Names the policy file, which has to be there from now on, and takes it.
    ///
    /// # Errors
    /// As [`Desk::look_at_policy`].
    pub fn use_policy_file(&self, file: &Path) -> Result<Looked, Error> {
        {
            let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
            if watched.file == file && watched.is_needed {
                return Ok(Looked::Same);
            }
            *watched = Watched { file: file.to_owned(), is_needed: true, seen: None, wrong: None };
        }
        self.look_at_policy()
    }

    /// Looks whether the policy file has changed, and if so reads it and puts it in force. A wrong file leaves the last good
    /// policy in force, and raises an alert until it is mended. Cheap when nothing changed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the version cannot be kept; then the policy is as it was.
    pub fn look_at_policy(&self) -> Result<Looked, Error> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&watched.file);
        if watched.seen == Some(stamp) {
            return Ok(match &watched.wrong {
                Some(reason) => Looked::Wrong(reason.clone()),
                None => Looked::Same,
            });
        }
        let name = watched.file.display().to_string();
        // Without a file in a new node the shipped policy holds. A file that has gone is no wish for that; and one that was
        // elsewhere is named by the configuration in a moment.
        let is_absent = stamp == Stamp::Gone && !watched.is_needed;
        if is_absent && self.came_from().is_ok_and(|file| !file.is_empty() && file != name) {
            return Ok(Looked::Same);
        }
        let text = match is_absent && self.came_from()?.is_empty() {
            true => Ok(String::new()),
            false => text_of(&watched.file),
        };
        let read = text.and_then(|text| match super::read(&text, &name) {
            Ok(policy) => Ok((policy, text)),
            Err(wrong) => Err(wrong.to_string()),
        });
        let looked = match read {
            Ok((policy, text)) => {
                watched.wrong = None;
                let name = if is_absent { "" } else { name.as_str() };
                self.put_in_force(policy, &text, name)?
            }
            Err(reason) => {
                // What is wrong may name people of the operator's, so the alert only says that something is.
                let first = reason.lines().next().unwrap_or_default();
                let place = first.strip_prefix(&name).and_then(|rest| rest.split(": ").next()).unwrap_or_default();
                let line = place.trim_matches(':').split(':').next().unwrap_or_default();
                let place = if line.is_empty() { String::new() } else { format!(" (line {line})") };
                let text =
                    format!("the policy file cannot be used{place}; the last good one holds. 'sluis policy check' says why");
                let raise = Raise { kind: Alarm::Policy, key: KEY, severity: Severity::P2, text: &text, due: None };
                self.store.write("wrong policy", |transaction| transaction.raise_alert(&raise, self.now()))?;
                watched.wrong = Some(reason.clone());
                Looked::Wrong(reason)
            }
        };
        watched.seen = Some(stamp);
        Ok(looked)
    }

    /// Puts a policy in force: its text is kept when it is not the newest version. Cases whose severity acts from now on are
    /// woken by who looks at clocks, when it sees the new version.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the text is wrong, [`Error::Unavailable`].
    pub fn set_policy(&self, text: &str, file: &str) -> Result<Looked, Error> {
        let policy = super::read(text, file).map_err(|wrong| Error::Invalid(wrong.to_string()))?;
        self.put_in_force(policy, text, file)
    }

    fn put_in_force(&self, policy: Policy, text: &str, file: &str) -> Result<Looked, Error> {
        let is_based = super::read::is_based(text);
        let kept = kept_text(text, is_based);
        let now = self.now();
        let version = self.store.write("keep policy", |transaction| {
            transaction.end_alert(KEY, now)?;
            let last = transaction.newest_policy()?;
            if let Some(last) = last.as_ref().filter(|last| last.text == kept) {
                return Ok::<_, store::Error>(last.id);
            }
            transaction.keep_policy(&kept, file, now)
        })?;
        let mut in_force = self.in_force.write().unwrap_or_else(PoisonError::into_inner);
        if in_force.version == version {
            return Ok(Looked::Same);
        }
        let new = Arc::new(InForce { policy, version });
        *in_force = Arc::clone(&new);
        Ok(Looked::Changed(new))
    }

    /// At the start: the newest version that can be read holds until the file was looked at.
    pub(crate) fn begin_policy(&self) -> Result<(), Error> {
        let newest = self.store.reader()?.read(|transaction| transaction.newest_policy())?;
        if let Some(version) = newest
            && let Ok(policy) = read_kept(&version)
        {
            let in_force = Arc::new(InForce { policy, version: version.id });
            *self.in_force.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        }
        self.look_at_policy()?;
        if self.policy().version == 0 {
            // The file is wrong and there was no good one before it: the shipped policy sends nothing.
            self.set_policy("", "")?;
        }
        Ok(())
    }

    /// The file from which the newest version came; empty for none.
    fn came_from(&self) -> Result<String, Error> {
        let newest = self.store.reader()?.read(|transaction| transaction.newest_policy())?;
        Ok(newest.map_or_else(String::new, |version| version.file))
    }

    /// The policy of a version, for those who ask what held then.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] when this program does not understand it any more, [`Error::Unavailable`].
    pub fn policy_of(&self, version: i64) -> Result<Policy, Error> {
        self.store.reader()?.read(|transaction| policy_of(transaction, version))
    }
}

/// The policy of a version that was kept.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Invalid`] when this program does not understand it any more, [`Error::Unavailable`].
pub fn policy_of(transaction: &store::Transaction<'_>, version: i64) -> Result<Policy, Error> {
    let kept = transaction.policy(version)?;
    let kept = kept.ok_or_else(|| Error::NotFound(format!("there is no version {version} of the policy")))?;
    read_kept(&kept).map_err(|wrong| Error::Invalid(wrong.to_string()))
}

fn stamp(file: &Path) -> Stamp {
    match std::fs::metadata(file) {
        Ok(metadata) => Stamp::There { modified: metadata.modified().ok(), size: metadata.len() },
        Err(_) => Stamp::Gone,
    }
}

/// The text of a policy file.
///
/// # Errors
/// A sentence that says why it cannot be read.
pub fn text_of(file: &Path) -> Result<String, String> {
    let name = file.display();
    let metadata = std::fs::metadata(file).map_err(|error| {
        format!("{name}: cannot be read: {error}\n  hint: 'sluis policy init' writes one; an empty file is the shipped policy")
    })?;
    if metadata.len() > MOST as u64 {
        return Err(format!("{name}: a policy has at most {MOST} bytes, this has {}", metadata.len()));
    }
    let bytes = std::fs::read(file).map_err(|error| format!("{name}: cannot be read: {error}"))?;
    String::from_utf8(bytes).map_err(|error| format!("{name}: is not UTF-8 from byte {} on", error.utf8_error().valid_up_to()))
}
