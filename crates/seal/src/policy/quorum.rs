//! Whether a checkpoint is signed by a log of the policy, and cosigned by enough of its witnesses: persons are counted, not keys.

use super::{Log, Member, Policy, Witness, Wrong};
use crate::checkpoint::{self, Checkpoint};
use crate::note::{self, Note};

/// A checkpoint whose signatures were all checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged<'a> {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The keys of the log that signed it. Never empty.
    pub logs: Vec<&'a Log>,
    /// The witnesses that cosigned it, each once.
    pub cosigned: Vec<Cosigned<'a>>,
}

/// A cosignature that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosigned<'a> {
    /// Whose.
    pub witness: &'a Witness,
    /// When, as the witness says, in UTC milliseconds since 1970.
    pub at: i64,
}

impl Policy {
    /// Checks all signatures of a checkpoint. Lines of keys that the policy does not know are ignored.
    ///
    /// # Errors
    /// When a line of a known key does not hold, when no log of the policy with this origin signed, or the text is no checkpoint.
    pub fn judge(&self, note: &Note) -> Result<Judged<'_>, checkpoint::Wrong> {
        let keys = self.keys();
        let opened = note::open(note, &keys)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        let signed = |key: &note::VerifierKey| opened.verified.iter().find(|verified| verified.key == key);
        let of_origin = self.logs.iter().filter(|log| log.key.name() == checkpoint.origin);
        let logs: Vec<&Log> = of_origin.filter(|log| signed(&log.key).is_some()).collect();
        if logs.is_empty() {
            return Err(note::Wrong::Unsigned.into());
        }
        let cosigned = self.witnesses.iter().filter_map(|witness| {
            let seconds = signed(&witness.key)?.time?;
            Some(Cosigned { witness, at: i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1_000) })
        });
        let cosigned = cosigned.collect();
        Ok(Judged { checkpoint, logs, cosigned })
    }

    /// Whether the policy asks for no witness at all.
    #[must_use]
    pub fn wants_no_witness(&self) -> bool {
        self.quorum.is_none()
    }

    /// The cosignatures that count, at a moment by time-stamps (`None` when it is not known): of a valid key, not of the log's
    /// own operator, and by algorithms that are enough.
    #[must_use]
    pub fn counting<'a>(&self, judged: &Judged<'a>, moment: Option<i64>) -> Vec<Cosigned<'a>> {
        let own = |witness: &Witness| {
            self.logs_of(&judged.checkpoint.origin).any(|log| log.operator == witness.holder || log.key.name() == witness.holder)
        };
        let counts = |one: &&Cosigned<'_>| {
            let enough = !self.asks_for_more(&one.witness.holder, moment.unwrap_or(one.at));
            one.witness.valid.has(one.at) && !own(one.witness) && enough
        };
        judged.cosigned.iter().filter(counts).copied().collect()
    }

    /// Whether these witnesses are a quorum.
    #[must_use]
    pub fn is_quorum(&self, cosigned: &[Cosigned<'_>]) -> bool {
        self.quorum.is_none_or(|member| self.met(member, cosigned))
    }

    /// When these cosignatures became a quorum: the time of the one that completed it. `None` when they are none, or when the
    /// policy asks for no witness.
    #[must_use]
    pub fn complete_at(&self, cosigned: &[Cosigned<'_>]) -> Option<i64> {
        self.quorum?;
        let mut early: Vec<Cosigned<'_>> = cosigned.to_vec();
        early.sort_by_key(|one| one.at);
        (1..=early.len()).find(|count| self.is_quorum(&early[..*count])).map(|count| early[count - 1].at)
    }

    /// What must have cosigned, in words: the groups that the quorum rests on.
    #[must_use]
    pub fn quorum_in_words(&self) -> String {
        self.quorum.map_or_else(|| "none".to_owned(), |member| self.in_words(member))
    }

    fn in_words(&self, member: Member) -> String {
        match member {
            Member::Witness(at) => self.witnesses[at].name.clone(),
            Member::Group(at) => {
                let group = &self.groups[at];
                let members: Vec<String> = group.members.iter().map(|member| self.in_words(*member)).collect();
                format!("{} of ({})", group.threshold, members.join(", "))
            }
        }
    }

    // Members name groups of lines above only, so this ends.
    fn met(&self, member: Member, cosigned: &[Cosigned<'_>]) -> bool {
        match member {
            Member::Witness(at) => cosigned.iter().any(|one| *one.witness == self.witnesses[at]),
            Member::Group(at) => {
                let group = &self.groups[at];
                let met = group.members.iter().filter(|member| self.met(**member, cosigned));
                self.persons(met) >= group.threshold
            }
        }
    }

    /// How many of these members there are when witnesses of one person count once.
    fn persons<'a>(&'a self, members: impl Iterator<Item = &'a Member>) -> usize {
        let mut holders: Vec<&str> = Vec::new();
        let mut groups = 0;
        for member in members {
            match member {
                Member::Group(_) => groups += 1,
                Member::Witness(at) if !holders.contains(&self.witnesses[*at].holder.as_str()) => {
                    holders.push(&self.witnesses[*at].holder);
                }
                Member::Witness(_) => {}
            }
        }
        groups + holders.len()
    }

    /// Persons are counted: all keys of one stand in one group, and no group asks for more persons than it has.
    pub(super) fn check_holders(&self) -> Result<(), Wrong> {
        let mut places: Vec<(&str, usize)> = Vec::new();
        for (place, group) in self.groups.iter().enumerate() {
            for member in &group.members {
                let Member::Witness(at) = member else { continue };
                let holder = self.witnesses[*at].holder.as_str();
                match places.iter().find(|(known, _)| *known == holder) {
                    Some((_, other)) if *other != place => {
                        let reason = format!("keys of '{holder}' stand in two groups: one person could fill both");
                        return Err(Wrong::at(group.line, reason));
                    }
                    Some(_) => {}
                    None => places.push((holder, place)),
                }
            }
            let persons = self.persons(group.members.iter());
            if group.threshold > persons {
                let reason = format!("the group '{}' asks for {} of {persons} persons", group.name, group.threshold);
                return Err(Wrong::at(group.line, reason));
            }
        }
        Ok(())
    }
}
