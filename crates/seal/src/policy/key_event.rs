//! What happens to the keys of a log, as a public entry of the log says it, signed by the recovery key that the policy names.
//!
//! ```text
//! sluis-key-event/v1
//! <origin>
//! added|retired|revoked
//! <size>
//! <verifier key>
//! ```
//!
//! A revocation takes nothing back that a time-stamp or a quorum had fixed before it stood in the log: else whom a record
//! hurts would declare his key stolen.

use super::Policy;
use crate::checkpoint::decimal;
use crate::note::{self, Note, VerifierKey};

/// The number of this kind of public entry.
const BODY: u8 = 2;
const TITLE: &str = "sluis-key-event/v1";

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It may sign from a size on. A verifier needs more than this to trust it: its policy.
    Added = 1,
    /// It signs nothing beyond a size.
    Retired = 2,
    /// What it signed beyond a size may be another's.
    Revoked = 3,
}

impl What {
    const ALL: [(What, &'static str); 3] = [(What::Added, "added"), (What::Retired, "retired"), (What::Revoked, "revoked")];

    /// Its word in the note.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(what, _)| *what == self).map_or("", |(_, word)| word)
    }
}

/// Something that happened to a key of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// Which log.
    pub origin: String,
    /// What.
    pub what: What,
    /// The size of the log from which on it holds: it is about checkpoints of larger sizes.
    pub size: u64,
    /// The key.
    pub key: VerifierKey,
}

impl KeyEvent {
    /// The text that the recovery key signs.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{TITLE}\n{}\n{}\n{}\n{}\n", self.origin, self.what.word(), self.size, self.key)
    }

    /// The body of the public entry, around the signed note.
    #[must_use]
    pub fn body(&self, signed: &Note) -> Vec<u8> {
        let key = self.key.to_string();
        let mut body = vec![BODY, self.what as u8];
        body.extend_from_slice(&self.size.to_be_bytes());
        body.extend_from_slice(&(key.len() as u16).to_be_bytes());
        body.extend_from_slice(key.as_bytes());
        body.extend_from_slice(signed.to_string().as_bytes());
        body
    }

    /// Reads the body of a public entry that a policy's recovery key signed. `None` for every other body, also for one of this
    /// kind that somebody else signed, or whose note says something else than the bytes before it.
    #[must_use]
    pub fn of_body(body: &[u8], policy: &Policy) -> Option<KeyEvent> {
        let recovery = policy.recovery.as_ref()?;
        let (&[kind, what, ..], rest) = body.split_first_chunk::<2>()?;
        let (size, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<2>()?;
        let (key, signed) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        let note = Note::parse(signed).ok()?;
        note::open(&note, std::slice::from_ref(recovery)).ok()?;
        let event = KeyEvent::of_text(&note.text)?;
        let same = kind == BODY && what == event.what as u8 && u64::from_be_bytes(*size) == event.size;
        (same && key == event.key.to_string().as_bytes()).then_some(event)
    }

    fn of_text(text: &str) -> Option<KeyEvent> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let title = lines.next()?;
        let origin = lines.next()?.to_owned();
        let word = lines.next()?;
        let what = What::ALL.iter().find(|(_, known)| *known == word)?.0;
        let size = decimal(lines.next()?)?;
        let key = VerifierKey::parse(lines.next()?).ok()?;
        (title == TITLE && lines.next().is_none()).then_some(KeyEvent { origin, what, size, key })
    }
}
