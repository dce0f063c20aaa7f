//! What is attached to the letters of a bundle, and which letter each belongs to.

use std::collections::HashMap;

use seal::policy::Policy;
use seal::record::{EVIDENCE, Hash, Value};
use sluis_verify::Story;

use crate::dns::{self, Observation};

/// Evidence may belong to other evidence (a bounce to a letter as it went); so far that is followed.
const STEPS: usize = 8;
/// Most evidence of one letter, and most bytes of one piece.
const PIECES: usize = 64;
const MOST: usize = 12 << 20;

/// A record of evidence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece<'a> {
    /// What it is said to be.
    pub(crate) what: &'a str,
    /// Its bytes; `None` when they are not shown, or are too many.
    pub(crate) content: Option<&'a [u8]>,
    /// Whom the letter was for, as the sender says.
    pub(crate) recipient: Option<&'a str>,
    /// The identifier of the message, as the sender says.
    pub(crate) message_id: Option<&'a str>,
    /// When it was in the log at the latest (UTC milliseconds since 1970).
    pub(crate) at_the_latest: Option<i64>,
}

/// All that is attached, by the commitment of the letter that it belongs to.
pub(crate) struct Attached<'a> {
    of: HashMap<Hash, Vec<Piece<'a>>>,
    /// What independent observers saw in the DNS.
    pub(crate) observations: Vec<Observation>,
    /// Whose keys count.
    pub(crate) policy: Option<&'a Policy>,
}

impl<'a> Attached<'a> {
    /// Gathers it.
    pub(crate) fn new(story: &'a Story, beside: &'a [Vec<u8>]) -> Attached<'a> {
        let records = || story.told().filter(|(_, told)| told.own);
        let about: HashMap<Hash, Hash> = records()
            .filter(|(record, _)| record.kind == EVIDENCE.number)
            .filter_map(|(record, told)| match record.get("about")? {
                Value::Digest(about) => Some((told.commitment, *about)),
                _ => None,
            })
            .collect();
        let mut attached = Attached { of: HashMap::new(), observations: Vec::new(), policy: story.policy.as_ref() };
        for (record, told) in records().filter(|(record, _)| record.kind == EVIDENCE.number) {
            let mut letter = told.commitment;
            for _ in 0..STEPS {
                letter = *about.get(&letter).unwrap_or(&letter);
            }
            let content = match record.get("content") {
                Some(Value::Bytes(bytes)) if bytes.len() <= MOST => Some(bytes.as_slice()),
                _ => None,
            };
            let pieces = attached.of.entry(letter).or_default();
            if pieces.len() < PIECES {
                pieces.push(Piece {
                    what: Story::text(record, "what").unwrap_or_default(),
                    content,
                    recipient: Story::text(record, "recipient").filter(|text| !text.is_empty()),
                    message_id: Story::text(record, "message_id").filter(|text| !text.is_empty()),
                    at_the_latest: told.at_the_latest,
                });
            }
        }
        if let Some(policy) = attached.policy {
            let own = attached.of.values().flatten().filter_map(|piece| piece.content);
            let notes = beside.iter().map(Vec::as_slice).chain(own);
            attached.observations = dns::read(notes, policy, story.operator.as_deref().unwrap_or_default());
        }
        attached
    }

    /// What belongs to a letter, in the order in which it was sealed.
    pub(crate) fn to(&self, letter: &Hash) -> &[Piece<'a>] {
        self.of.get(letter).map_or(&[], Vec::as_slice)
    }
}
