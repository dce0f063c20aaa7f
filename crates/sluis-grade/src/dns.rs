//! Observations of the DNS: what somebody independent saw there, and signed. Without one, a key is what the sender says it was.

use seal::note::{self, Note, VerifierKey};
use seal::policy::Policy;
use seal::tsp::written;

/// The first line of an observation.
const TITLE: &str = "sluis-dns-observation/v1";
/// How long before or after a mail was fixed by time-stamps its key may have been seen, in milliseconds: keys are rotated, and some
/// are published, private half and all, when nobody is to rely on them any more.
const NEAR: i64 = 7 * 86_400_000;
/// Most observations that are read.
const MOST: usize = 256;

/// A record of the DNS as somebody saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Observation {
    /// The name, in lower case.
    name: String,
    /// When, in UTC milliseconds since 1970.
    at: i64,
    /// The text of the record of type TXT.
    pub(crate) record: String,
    /// Who saw it.
    pub(crate) holder: String,
}

/// Whether these bytes say that they are an observation.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.strip_prefix(TITLE.as_bytes()).is_some_and(|rest| rest.starts_with(b"\n"))
}

/// The observations among these that an observer of the policy signed who is not the operator of the log.
pub(crate) fn read<'a>(notes: impl Iterator<Item = &'a [u8]>, policy: &Policy, operator: &str) -> Vec<Observation> {
    let observers = policy.observers.iter().filter(|observer| observer.holder != operator);
    let keys: Vec<VerifierKey> = observers.map(|observer| observer.key.clone()).collect();
    let open = |bytes: &[u8]| {
        let note = Note::parse(bytes).ok()?;
        let opened = note::open(&note, &keys).ok()?;
        let key = opened.verified.first()?.key;
        let holder = policy.observers.iter().find(|observer| observer.key == *key)?.holder.clone();
        parse(&note.text, holder)
    };
    notes.filter(|bytes| is_one(bytes)).take(MOST).filter_map(open).collect()
}

/// `sluis-dns-observation/v1`, the name, `txt`, the moment, the text of the record: a line each.
fn parse(text: &str, holder: String) -> Option<Observation> {
    let lines: Vec<&str> = text.strip_suffix('\n')?.split('\n').collect();
    let [TITLE, name, "txt", at, record] = lines.as_slice() else { return None };
    let is_plain = record.bytes().all(|byte| matches!(byte, b' '..=b'~')) && name.bytes().all(|byte| !byte.is_ascii_uppercase());
    is_plain.then_some(Observation { name: (*name).to_owned(), at: written(at)?, record: (*record).to_owned(), holder })
}

impl Observation {
    /// Whether it is of this name, at about this moment.
    pub(crate) fn is_of(&self, name: &str, moment: i64) -> bool {
        self.name == name && self.at.saturating_sub(moment).saturating_abs() <= NEAR
    }
}
