//! One provider's contribution: its answer split into a share for the leader and one for the helper, each sealed to its aggregator and bound to
//! the task, the provider and the other share. (DAP calls a contribution a report.)

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    Answers, Role, Task, Wrong,
    prepare::{Machines, Splits},
};
use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::KeyId,
    parcel::{self, Opener},
    sha256,
};

/// The most bytes that one sealed share may have; the largest task needs a tenth of it.
pub const MOST_SHARE: usize = 1 << 20;

/// What a provider answers.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// A number, for a task without exact sums.
    Number(u32),
    /// The parts of a number, for a task with exact sums, in its order.
    Parts(Vec<u32>),
    /// The place of a choice, from 0.
    Choice(u16),
}

impl std::fmt::Debug for Answer {
    // A provider's answer is its secret, so it is never printed by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

/// Where an answer falls: the place among the answers, and the numbers of the exact sums.
pub(super) struct Place {
    pub(super) answer: usize,
    pub(super) exact: Option<Vec<u128>>,
}

impl Answer {
    /// Where it falls.
    pub(super) fn place(&self, task: &Task) -> Result<Place, Wrong> {
        match (self, &task.answers, &task.exact) {
            (Answer::Number(number), Answers::Count { from }, None) => Ok(Place { answer: range(from, *number)?, exact: None }),
            (Answer::Number(_), Answers::Count { .. }, Some(_)) => {
                Err(Wrong::Answer("this tally also sums exactly: give the number in parts"))
            }
            (Answer::Parts(parts), Answers::Count { from }, Some(exact)) => {
                if parts.len() != exact.of.len() {
                    return Err(Wrong::Answer("give as many parts as the task names"));
                }
                if parts.iter().any(|part| *part > exact.most) {
                    return Err(Wrong::Answer("a part is larger than the task allows; report the largest that it does"));
                }
                // At most 16 parts of 65,535.
                let sum = parts.iter().fold(0u32, |sum, part| sum.saturating_add(*part));
                let parts = parts.iter().map(|part| u128::from(*part)).collect();
                Ok(Place { answer: range(from, sum)?, exact: Some(parts) })
            }
            (Answer::Choice(choice), Answers::Choices(choices), _) => {
                let answer = usize::from(*choice);
                if answer < choices.len() {
                    Ok(Place { answer, exact: None })
                } else {
                    Err(Wrong::Answer("there is no such choice"))
                }
            }
            (Answer::Parts(_), _, _) => Err(Wrong::Answer("this tally has no parts: give one number or choice")),
            (Answer::Number(_), Answers::Choices(_), _) => Err(Wrong::Answer("the question has choices: give the place of one")),
            (Answer::Choice(_), Answers::Count { .. }, _) => Err(Wrong::Answer("the question asks for a number")),
        }
    }
}

/// The last range that begins at or below the number.
fn range(from: &[u32], number: u32) -> Result<usize, Wrong> {
    from.partition_point(|from| *from <= number).checked_sub(1).ok_or(Wrong::Answer("it is below the lowest range"))
}

/// Both shares of one contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// For the leader.
    pub leader: Share,
    /// For the helper.
    pub helper: Share,
}

/// The share for one aggregator, as it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The name of the contribution: 16 bytes of chance.
    pub nonce: [u8; 16],
    /// What both aggregators see: hashes that bind the two shares to each other.
    pub public: Vec<u8>,
    /// The share itself, for one aggregator's eyes.
    pub sealed: Vec<u8>,
}

/// Splits an answer.
///
/// The nonce and the sealing come from `rng`; the splitting takes its chance from the operating system, since `prio` has no other door for it.
///
/// # Errors
/// When the question does not have this answer, or a key of the task is none.
pub fn contribute(task: &Task, provider: &KeyId, answer: &Answer, rng: &mut impl CryptoRng) -> Result<Contribution, Wrong> {
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    let place = answer.place(task)?;
    let splits = Machines::new(task)?.split(&place, &nonce)?;
    seal_splits(task, provider, nonce, &splits, rng)
}

/// A contribution that votes twice in its first place, as a liar would make it. For tests alone.
///
/// # Errors
/// As [`contribute`].
#[cfg(any(test, feature = "testing"))]
pub fn out_of_range(task: &Task, provider: &KeyId, answer: &Answer, rng: &mut impl CryptoRng) -> Result<Contribution, Wrong> {
    let mut nonce = [0; 16];
    rng.fill_bytes(&mut nonce);
    let mut splits = Machines::new(task)?.split(&answer.place(task)?, &nonce)?;
    for (byte, one) in splits.leader.iter_mut().zip([1u8]) {
        *byte = byte.wrapping_add(one);
    }
    seal_splits(task, provider, nonce, &splits, rng)
}

/// Seals what was split, each half to its aggregator.
pub(super) fn seal_splits(
    task: &Task,
    provider: &KeyId,
    nonce: [u8; 16],
    splits: &Splits,
    rng: &mut impl CryptoRng,
) -> Result<Contribution, Wrong> {
    let id = task.id();
    let beside = beside(&id, &nonce, &splits.public, provider);
    let mut share = |role: Role, inside: &[u8]| {
        let sealed = parcel::pack(&task.party(role).sealing, &role.info(&id), &beside, inside, rng).map_err(|_| Wrong::Sealed)?;
        Ok::<_, Wrong>(Share { nonce, public: splits.public.clone(), sealed })
    };
    Ok(Contribution { leader: share(Role::Leader, &splits.leader)?, helper: share(Role::Helper, &splits.helper)? })
}

/// What a sealed share is bound to: task, nonce, public share and provider.
fn beside(task: &Digest, nonce: &[u8; 16], public: &[u8], provider: &KeyId) -> Vec<u8> {
    [task, &nonce[..], public, provider].concat()
}

impl Share {
    /// As it travels.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        Writer::new().raw(&self.nonce).bytes(&self.public).bytes(&self.sealed).done()
    }

    /// From what travelled.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<Share, Malformed> {
        let mut r = Reader::new(bytes);
        let share = Share { nonce: r.array()?, public: r.bytes(1024)?.to_vec(), sealed: r.bytes(MOST_SHARE)?.to_vec() };
        r.end()?;
        Ok(share)
    }

    /// What both aggregators have of a contribution, so that they can tell whether they mean the same one.
    #[must_use]
    pub fn digest(&self, provider: &KeyId) -> Digest {
        sha256(&[super::DOMAIN, b"/contribution\0", provider, &self.nonce, &self.public])
    }

    /// Opens it, and looks whether it has the form that the task asks. Whether it is in range only [`super::prepare`] can tell.
    ///
    /// # Errors
    /// When it was sealed for another key, role, task or provider, or has another form.
    pub fn open(&self, task: &Task, role: Role, provider: &KeyId, key: &Opener) -> Result<Opened, Wrong> {
        let id = task.id();
        let beside = beside(&id, &self.nonce, &self.public, provider);
        let inside = key.open(&self.sealed, &role.info(&id), &beside).map(Zeroizing::new).map_err(|_| Wrong::Sealed)?;
        let opened = Opened { nonce: self.nonce, public: self.public.clone(), inside };
        Machines::new(task)?.check(&opened, role)?;
        Ok(opened)
    }
}

/// A share that its aggregator has opened. On its own it says nothing of the answer; beside the other one it says all.
pub struct Opened {
    pub(super) nonce: [u8; 16],
    pub(super) public: Vec<u8>,
    pub(super) inside: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opened")
    }
}
