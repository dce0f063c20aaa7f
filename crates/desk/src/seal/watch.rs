//! Logs of others that this node looks at: whether each continues what was seen of it, and the proof when it does not.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use ::seal::checkpoint::{self, Checkpoint};
use ::seal::fork::{self, ForkProof};
use ::seal::note::{Note, VerifierKey};
use ::seal::shelf::Shelf;
use ::seal::tile::{self, Tile};
use ::seal::tree::{self, prove_consistency, verify_consistency};
use ::seal::witness::of_origin;
use model::policy::Alarm;
use model::severity::Severity;
use model::time::{HOUR, Time};
use store::Transaction;
use store::alerts::Raise;
use store::witness::{View, Views};

use super::folder::Folder;
use super::{disk, start};
use crate::{Desk, Error};

/// How long a log may be out of reach before somebody is told, in milliseconds.
const UNSEEN: i64 = HOUR;
/// The state of this node as a witness, among those of others.
const COSIGNING: &str = "cosigning";
/// Conflicts whose files are written, the newest.
const SHOWN: u32 = 1_000;

/// What is known of a witness or of a log that is looked at, by this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    /// Since when it is expected, or since when there is trouble.
    pub(super) since: Time,
    /// For a witness: how the database calls it.
    pub(super) witness: Option<String>,
    /// What a person is told at once.
    pub(super) trouble: Option<String>,
    /// What a person is told when it lasts.
    lasting: Option<String>,
}

impl State {
    pub(super) fn of_witness(label: String, since: Time) -> State {
        State { since, witness: Some(label), trouble: None, lasting: None }
    }
}

/// What a look at a log showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// It continues everything that was seen of it.
    Sound {
        /// Its entries.
        size: u64,
    },
    /// It shows fewer entries than were seen, and those are a beginning of what was seen.
    Behind {
        /// What it shows.
        size: u64,
        /// What was seen.
        seen: u64,
    },
    /// It has two histories, and its own signatures prove that.
    Forked,
    /// What it shows does not fit what was seen, and nothing proves whose fault that is.
    Unproven,
}

/// How two signed checkpoints of one log stand to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// One is a beginning of the other.
    Consistent,
    /// They contradict each other, and this file proves it.
    Fork(String),
    /// They seem to contradict each other: both notes, which accuse nobody.
    Unproven(String),
    /// A tile that is needed is not there.
    Missing,
}

/// Compares two signed checkpoints of a log by its tiles; `read` gives the bytes of one.
///
/// # Errors
/// [`Error::Invalid`] when one is not a checkpoint that this key signed.
pub fn compare(
    one: &Note,
    other: &Note,
    key: &VerifierKey,
    mut read: impl FnMut(&Tile) -> Option<Vec<u8>>,
) -> Result<Compared, Error> {
    let open = |note: &Note| checkpoint::open(note, key).map_err(|wrong| Error::Invalid(wrong.to_string()));
    let (mut earlier, mut later) = (open(one)?, open(other)?);
    if later.size < earlier.size {
        std::mem::swap(&mut earlier, &mut later);
    }
    if earlier.size == later.size && earlier.root == later.root || earlier.size == 0 {
        return Ok(Compared::Consistent);
    }
    let mut nodes = tile::nodes(later.size, &mut read);
    if earlier.size < later.size {
        match prove_consistency(earlier.size, later.size, &mut nodes) {
            Ok(path) => {
                if verify_consistency(earlier.size, &earlier.root, later.size, &later.root, &path).is_ok() {
                    return Ok(Compared::Consistent);
                }
            }
            Err(tree::Wrong::Missing { .. }) => return Ok(Compared::Missing),
            Err(_) => {}
        }
    }
    Ok(match ForkProof::by_prefix(one.clone(), other.clone(), key.name(), key, &mut nodes) {
        Ok(proof) => Compared::Fork(proof.to_string()),
        Err(fork::Wrong::Tree(tree::Wrong::Missing { .. })) => Compared::Missing,
        Err(_) => Compared::Unproven(format!("{one}\n{other}")),
    })
}

impl Desk {
    /// Looks at a log by its checkpoint as it is shown now, under the operator's name for it. `read` gives the bytes of a tile, by its
    /// path below the log.
    ///
    /// # Errors
    /// [`Error::Invalid`] when this is no checkpoint of that log, [`Error::Unavailable`] when a tile is missing or nothing can be kept.
    pub fn look_at_log(
        &self,
        name: &str,
        key: &VerifierKey,
        shown: &[u8],
        mut read: impl FnMut(&Tile) -> Option<Vec<u8>>,
    ) -> Result<Looked, Error> {
        let invalid = |wrong: &dyn std::fmt::Display| Error::Invalid(wrong.to_string());
        let note = Note::parse(shown).map_err(|wrong| invalid(&wrong))?;
        let origin = Checkpoint::parse(&note.text).map_err(|wrong| invalid(&wrong))?.origin;
        let year = self.now().date().0.saturating_add(1);
        let key = of_origin(key, &origin, year).ok_or_else(|| invalid(&format!("it is of another log: {origin}")))?;
        let new = checkpoint::open(&note, &key).map_err(|wrong| invalid(&wrong))?;
        // A mirror of our own log: what it shows and we do not have means that our data was rolled back.
        let own = start::verifier(self.store.directory(), &self.log.settings, &origin)?;
        if own.is_some_and(|own| own.public() == key.public()) {
            self.seen_elsewhere(&note)?;
        }
        let views = [Views::Watched, Views::Witnessed];
        let known = self.store.reader()?.read(|transaction| {
            views.iter().map(|views| transaction.view(*views, &origin)).collect::<Result<Vec<_>, store::Error>>()
        })?;
        let mut seen = 0;
        for view in known.iter().flatten() {
            seen = seen.max(view.size);
            let Ok(before) = Note::parse(view.note.as_bytes()) else { continue };
            let (proven, text) = match compare(&before, &note, &key, &mut read)? {
                Compared::Consistent => continue,
                Compared::Missing => {
                    return Err(Error::Unavailable("it does not show the tiles that its checkpoint needs".to_owned()));
                }
                Compared::Fork(proof) => (true, proof),
                Compared::Unproven(notes) => (false, notes),
            };
            self.store
                .write("conflict", |transaction| keep_conflict(transaction, &origin, proven, &text, self.now()).map(|_| ()))?;
            self.write_conflicts()?;
            self.set_trouble(name, None, (!proven).then(|| unproven(name)));
            return Ok(if proven { Looked::Forked } else { Looked::Unproven });
        }
        if new.size < seen {
            let behind = format!(
                "Log '{name}' shows {} entries, and {seen} were seen before: it was rolled back, or what is shown is an old copy.",
                new.size
            );
            self.set_trouble(name, None, Some(behind));
            return Ok(Looked::Behind { size: new.size, seen });
        }
        let before = known.into_iter().next().flatten();
        if before.as_ref().is_none_or(|before| before.size < new.size) {
            let next = View { origin, size: new.size, root: new.root, note: note.to_string(), at: self.now() };
            let before = before.map(|before| (before.size, before.root));
            self.store.write("watch", |transaction| transaction.advance_view(Views::Watched, before, &next))?;
        }
        self.set_trouble(name, None, None);
        Ok(Looked::Sound { size: new.size })
    }

    /// Takes note that a log could not be looked at, and why.
    pub fn could_not_look(&self, name: &str, reason: &str) {
        let text = format!(
            "Log '{name}' could not be looked at for an hour: {reason}. As long as that lasts nobody here would see a fork."
        );
        self.set_trouble(name, Some(text), None);
    }

    /// Keeps whether this node can cosign.
    pub(super) fn note_cosigning(&self, error: Option<&Error>) {
        let lasts = matches!(error, Some(Error::Conflict(_) | Error::Invalid(_)));
        if !lasts && !self.states().contains_key(COSIGNING) {
            return;
        }
        let text = "This node cannot cosign logs of others until a person has looked: what 'sluis serve' logs says why.";
        let (since, trouble) = (self.now(), lasts.then(|| text.to_owned()));
        self.states().insert(COSIGNING.to_owned(), State { since, witness: None, trouble, lasting: None });
    }

    /// Keeps how it stands with a log: what is told when it lasts, and what is told at once.
    fn set_trouble(&self, name: &str, lasting: Option<String>, trouble: Option<String>) {
        let now = self.now();
        let mut states = self.states();
        let fresh = State { since: now, witness: None, trouble: None, lasting: None };
        let state = states.entry(format!("watch/{name}")).or_insert(fresh);
        if state.lasting.is_none() || lasting.is_none() {
            state.since = now;
        }
        (state.lasting, state.trouble) = (lasting, trouble);
    }

    pub(super) fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.log.witness.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with witnesses and with logs of others, and lasts: keys and texts of alerts.
    pub(crate) fn witness_troubles(&self, now: Time) -> Result<Vec<(String, String)>, Error> {
        let states = self.states().clone();
        let mut found = self.stale_witnesses(&states, now)?;
        for (key, state) in &states {
            if let Some(text) = &state.trouble {
                found.push((format!("{key}/says"), text.clone()));
            }
            if let Some(text) = state.lasting.as_ref().filter(|_| now.0.saturating_sub(state.since.0) > UNSEEN) {
                found.push((key.clone(), text.clone()));
            }
        }
        Ok(found)
    }

    /// Writes what does not fit together into files, for those who shall verify it: `log/forks/<number>.fork-proof`, or
    /// `.unproven`.
    pub(super) fn write_conflicts(&self) -> Result<(), Error> {
        let conflicts = self.store.reader()?.read(|transaction| transaction.conflicts(SHOWN))?;
        let folder = Folder::shown(self.store.directory().join("log").join("forks"));
        let name = |proven, id| format!("{id}.{}", if proven { "fork-proof" } else { "unproven" });
        let files: Vec<(String, Vec<u8>)> =
            conflicts.into_iter().map(|conflict| (name(conflict.proven, conflict.id), conflict.text.into_bytes())).collect();
        folder.keep(&files).map_err(|error| disk(&error))
    }
}

/// What a person is told of what does not fit and is not proven.
fn unproven(name: &str) -> String {
    format!(
        "Log '{name}' shows a checkpoint that does not fit what was seen of it, and nothing proves whose fault that is: both are kept \
         in log/forks. 'sluis log witness' shows them; ask its operator before you accuse anybody."
    )
}

/// Keeps what does not fit together, and wakes a person when it is proven; whether it is new.
pub(super) fn keep_conflict(
    transaction: &Transaction<'_>,
    origin: &str,
    proven: bool,
    text: &str,
    now: Time,
) -> Result<bool, store::Error> {
    let new = transaction.add_conflict(origin, proven, text, now)?;
    if new && proven {
        let digest: String = store::keys::sha256(origin.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let raise = Raise {
            kind: Alarm::Fork,
            key: &format!("fork/{digest}"),
            severity: Severity::P1,
            text: "A log that this node watches over has two histories, and its own signatures prove it. 'sluis log witness' shows \
                   which log, and the proof is in the folder log/forks: 'sluis verify --fork' checks it, anywhere.",
            due: None,
        };
        transaction.raise_alert(&raise, now)?;
    }
    Ok(new)
}
