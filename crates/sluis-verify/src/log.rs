//! The whole public log, walked through (`--log`): it is the tree of the bundle, no slot occurs twice, and whether the record after
//! the last one that is shown is in it.

use std::io;

use seal::audit::{Options, Source, Wrong, audit};
use seal::record::{Hash, slot};

use crate::said::quote;
use crate::subject::{Subject, body};
use crate::verdict::Check;

/// How many numbers after the last one shown are looked for.
const AHEAD: u64 = 64;

/// What the walk found.
pub(crate) struct Walked {
    /// Where the first record of the case stands that is not shown; `None` when there is none.
    pub(crate) next: Option<u64>,
    /// Key events, with their places.
    pub(crate) public: Vec<(u64, Vec<u8>)>,
    /// Entries, or why the copy could not be walked to its end.
    pub(crate) result: Result<u64, Wrong>,
}

/// Walks the log that the bundle's checkpoint is about. Without a checkpoint, or the secret of the case, there is nothing to look for.
pub(crate) fn walk(subject: &Subject<'_>, source: &mut dyn Source) -> Option<Walked> {
    let checkpoint = subject.checkpoint()?;
    let secret = subject.secrets.get(&subject.bundle.stream)?;
    let after = subject.own().map(|record| record.seq).max()?.checked_add(1)?;
    let wanted: Vec<Hash> = (after..after.saturating_add(AHEAD)).map(|seq| slot(secret, seq)).collect();
    let mut walked = Walked { next: None, public: Vec::new(), result: Ok(0) };
    let mut read = |path: &str| -> io::Result<Option<Vec<u8>>> { source.read(path) };
    let result = audit(&mut read, checkpoint, Options::default(), |index, entry| {
        if let Some(slot) = entry.strip_prefix(&[1, 1]).and_then(|rest| rest.first_chunk::<32>())
            && walked.next.is_none()
            && wanted.contains(slot)
        {
            walked.next = Some(index);
        }
        if let Some(body) = body(entry).filter(|body| body.first() == Some(&2)) {
            walked.public.push((index, body.to_vec()));
        }
    });
    walked.result = result.map(|audited| audited.entries);
    Some(walked)
}

impl Walked {
    /// Says how the walk went; whether it reached the end.
    pub(crate) fn told(&self, check: &mut Check) -> bool {
        match &self.result {
            Ok(entries) => {
                check.say(
                    format!("the copy of the log was read whole: {entries} entries, no slot twice"),
                    format!("de kopie van het logboek is heel gelezen: {entries} regels, geen plaats twee keer"),
                );
                return true;
            }
            // What the copy lacks says nothing about the log.
            Err(wrong @ (Wrong::Read { .. } | Wrong::Missing(_))) => check.lacks(
                format!("the copy of the log is not whole: {}", quote(&wrong.to_string())),
                format!("de kopie van het logboek is niet heel ({})", quote(&wrong.to_string())),
            ),
            Err(wrong) => check.wrong(
                format!("the copy of the log: {}", quote(&wrong.to_string())),
                format!("de kopie van het logboek klopt niet ({})", quote(&wrong.to_string())),
            ),
        }
        false
    }
}
