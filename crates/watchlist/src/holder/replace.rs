//! When a key is lost or stolen, or somebody leaves: another officer, evaluator, desk or log. What is pinned by providers changes with a new
//! epoch only, which two officers sign whom they know already.

use super::{
    Error, Holder, LogAt,
    state::{Former, LogKey, Person},
};
use crate::{
    files,
    keys::{Identity, Public, hex},
    log::ListLog,
};

impl Holder {
    /// Puts an officer in the place of another, or takes one out, or puts one in. What the one who goes read and accepted before `until` still
    /// counts (the moment of the theft, or now); what they did later has to be read again.
    ///
    /// # Errors
    /// When fewer than two officers would be left whom providers know, or `by` is not one who stays.
    pub fn replace_officer(&mut self, gone: Option<&str>, new: Option<&Public>, until: i64, by: &Identity) -> Result<(), Error> {
        let mut officers = self.state.officers.clone();
        let mut former = None;
        if let Some(gone) = gone {
            let at = officers.iter().position(|officer| {
                officer.key().is_ok_and(|key| matching::envelope::fingerprint(&key) == gone.trim()) || officer.name == gone
            });
            let at = at.ok_or(Error::Begin("no officer has this name or fingerprint"))?;
            former = Some(Former { person: officers.remove(at), until });
        }
        if !officers.iter().any(|officer| officer.key == hex(&by.public.key)) {
            return Err(Error::Officer(by.public.name.clone()));
        }
        if officers.len() < 2 && !self.state.epochs.is_empty() {
            return Err(Error::Begin(
                "providers take a new officer from two whom they know, and fewer would be left: they have to pin the list anew, so begin another list. A list with three officers or more is spared that",
            ));
        }
        if let Some(new) = new {
            let person = Person::of(new);
            if officers.iter().any(|officer| officer.key == person.key) {
                return Err(Error::Begin("this officer is one already"));
            }
            officers.push(person);
        }
        if officers.len() < 2 {
            return Err(Error::Begin("a list has two officers or more; name the one who comes as well"));
        }
        self.state.officers = officers;
        self.state.former.extend(former);
        self.save()
    }

    /// Another evaluator.
    ///
    /// # Errors
    /// When `by` is no officer.
    pub fn replace_evaluator(&mut self, new: &Public, by: &Identity) -> Result<(), Error> {
        self.officer(by)?;
        self.state.evaluator = Person::of(new);
        self.save()
    }

    /// Another desk.
    ///
    /// # Errors
    /// When `by` is no officer.
    pub fn replace_desk(&mut self, new: &Public, by: &Identity) -> Result<(), Error> {
        self.officer(by)?;
        self.state.desk = Person::of(new);
        self.save()
    }

    /// Another log, since the key of the one before is lost or stolen. The old one is kept beside; every entry gets a leaf in the new one, so a
    /// listed party finds both.
    ///
    /// # Errors
    /// When `by` is no officer, a draft waits, the origin is the old one, or the disk says no.
    pub fn replace_log(&mut self, new: &LogAt, origin: &str, by: &Identity) -> Result<(), Error> {
        self.officer(by)?;
        if let Some(draft) = &self.state.draft {
            return Err(Error::Pending(draft.file.clone()));
        }
        if origin == self.state.log.origin {
            return Err(Error::Begin("a new log has an origin of its own; add the year or a number to the old one"));
        }
        // Before anything is moved: beside the key of another log this one could not begin, and the old one would be gone from its place.
        if ListLog::promised_beside(&new.beside)?.is_some_and(|promised| promised != origin) {
            return Err(Error::Begin(
                "beside this key lies what another log promised; keep the new log's key on a stick or in a directory of its own",
            ));
        }
        let place = format!("log-{}", self.state.epochs.last().map_or(0, |epoch| epoch.epoch));
        let (dir, old) = (self.dir.join("log"), self.dir.join(place));
        if !old.exists() {
            std::fs::rename(&dir, &old).map_err(|source| files::Error::System { path: dir.clone(), source })?;
        }
        let log = match ListLog::create(&dir, &new.beside, origin, &new.seed()) {
            // It was made by a process that was killed before it could say so.
            Err(crate::log::Error::Exists(_)) => ListLog::open(&dir, &new.beside, origin, &new.seed())?,
            made => made?,
        };
        self.state.log = LogKey { origin: origin.to_owned(), key: log.key().to_string() };
        self.state.log_size = 0;
        self.state.unlogged.clear();
        for kept in &mut self.state.entries {
            kept.leaf = None;
        }
        for published in &mut self.state.published {
            published.size = 0;
        }
        self.save()
    }
}
