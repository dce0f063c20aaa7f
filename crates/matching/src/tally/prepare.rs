//! How two aggregators make sure that a contribution is one of the answers, without either seeing it: the leader's message, the helper's
//! answer, and what each then holds. One round of Prio3 (draft-irtf-cfrg-vdaf-18, section 7), as in the ping-pong topology of section 5.7.1.

use std::io::Cursor;

use prio::{
    codec::{Encode, ParameterizedDecode},
    field::Field128,
    flp::Type,
    vdaf::{
        Aggregator as _, Client as _, VerifyTransition,
        prio3::{
            Prio3, Prio3Histogram, Prio3InputShare, Prio3PublicShare, Prio3SumVec, Prio3VerifierMessage, Prio3VerifierShare,
        },
        xof::XofTurboShake128,
    },
};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    DOMAIN, Role, Task, Wrong,
    share::{Opened, Place},
};
use crate::{
    Digest,
    bytes::{Reader, Writer},
    envelope::KeyId,
    parcel::{self, Opener},
    sha256,
};

/// The secret that both aggregators of a task hold and no provider ever sees: who knew it could make a false proof.
pub struct VerifyKey {
    key: Zeroizing<[u8; 32]>,
    salt: [u8; 32],
}

impl std::fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VerifyKey")
    }
}

impl VerifyKey {
    /// From chance. The leader does this once for each task, before the task is made.
    #[must_use]
    pub fn new(rng: &mut impl CryptoRng) -> VerifyKey {
        let mut key = Zeroizing::new([0; 32]);
        let mut salt = [0; 32];
        rng.fill_bytes(&mut key[..]);
        rng.fill_bytes(&mut salt);
        VerifyKey { key, salt }
    }

    /// What the task holds of it.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        sha256(&[&self.key[..], &self.salt])
    }

    /// Its bytes, for a secret file.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<[u8; 64]> {
        let mut bytes = Zeroizing::new([0; 64]);
        let (key, salt) = bytes.split_at_mut(32);
        key.copy_from_slice(&self.key[..]);
        salt.copy_from_slice(&self.salt);
        bytes
    }

    /// From its bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> VerifyKey {
        let (mut key, mut salt) = (Zeroizing::new([0; 32]), [0; 32]);
        let (first, second) = bytes.split_at(32);
        key.copy_from_slice(first);
        salt.copy_from_slice(second);
        VerifyKey { key, salt }
    }

    /// Sealed from the leader to the helper, beside its commitment.
    ///
    /// # Errors
    /// When the helper's key is none.
    pub fn seal(&self, leader: &KeyId, helper: &[u8; 32], rng: &mut impl CryptoRng) -> Result<Vec<u8>, Wrong> {
        let commitment = self.commitment();
        let sealed = parcel::pack(helper, &Role::Helper.info(&commitment), leader, &self.to_bytes()[..], rng)
            .map_err(|_| Wrong::Sealed)?;
        Ok(Writer::new().raw(&commitment).bytes(&sealed).done())
    }

    /// What the leader sealed.
    ///
    /// # Errors
    /// When it was sealed to another, by another, or is not what it says it commits to.
    pub fn open(bytes: &[u8], leader: &KeyId, key: &Opener) -> Result<VerifyKey, Wrong> {
        let mut r = Reader::new(bytes);
        let commitment: Digest = r.array()?;
        let sealed = r.bytes(64 + parcel::OVERHEAD)?;
        r.end()?;
        let inside = key.open(sealed, &Role::Helper.info(&commitment), leader).map(Zeroizing::new).map_err(|_| Wrong::Sealed)?;
        let inside: &[u8; 64] = inside.as_slice().try_into().map_err(|_| Wrong::Key)?;
        let opened = VerifyKey::from_bytes(inside);
        if opened.commitment() == commitment { Ok(opened) } else { Err(Wrong::Key) }
    }
}

/// An answer in two halves, not yet sealed.
pub(super) struct Splits {
    pub(super) public: Vec<u8>,
    pub(super) leader: Zeroizing<Vec<u8>>,
    pub(super) helper: Zeroizing<Vec<u8>>,
}

/// The Prio3 instances of a task: a histogram of its answers, and a vector of sums where it has exact ones. Both go in one contribution, so
/// that who is in the one is in the other (T5); each has a context of its own.
pub(super) struct Machines {
    counts: (Prio3Histogram, Vec<u8>),
    exact: Option<(Prio3SumVec, Vec<u8>)>,
}

/// The place of an aggregator in Prio3.
fn place(role: Role) -> usize {
    usize::from(role != Role::Leader)
}

/// The smallest whole number whose square is not less: near the best length of the proof's chunks.
fn chunk(length: usize) -> usize {
    let root = length.isqrt();
    if root * root < length { root + 1 } else { root.max(1) }
}

impl Machines {
    pub(super) fn new(task: &Task) -> Result<Machines, Wrong> {
        let context = |part: u8| [DOMAIN, &task.id(), &[part]].concat();
        let wrong = |_| Wrong::Parameters("lengths");
        let length = task.answers();
        let counts = Prio3Histogram::new_histogram(2, length, chunk(length)).map_err(wrong)?;
        let exact = match &task.exact {
            None => None,
            Some(exact) => {
                let bits = (u32::BITS - exact.most.leading_zeros()) as usize;
                let length = exact.of.len();
                let machine = Prio3SumVec::new_sum_vec(2, u128::from(exact.most), length, chunk(bits * length)).map_err(wrong)?;
                Some((machine, context(1)))
            }
        };
        Ok(Machines { counts: (counts, context(0)), exact })
    }

    pub(super) fn split(&self, place: &Place, nonce: &[u8; 16]) -> Result<Splits, Wrong> {
        let mut splits = Splits { public: Vec::new(), leader: Zeroizing::default(), helper: Zeroizing::default() };
        let (machine, context) = &self.counts;
        split_one(machine, context, &place.answer, nonce, &mut splits)?;
        if let (Some((machine, context)), Some(values)) = (&self.exact, &place.exact) {
            split_one(machine, context, values, nonce, &mut splits)?;
        }
        Ok(splits)
    }

    /// Whether an opened share has the form of this task.
    pub(super) fn check(&self, share: &Opened, role: Role) -> Result<(), Wrong> {
        let mut cursors = Cursors::new(share);
        cursors.take(&self.counts.0, role)?;
        if let Some((machine, _)) = &self.exact {
            cursors.take(machine, role)?;
        }
        cursors.end()
    }
}

fn split_one<T: Type<Field = Field128>>(
    machine: &Prio3<T, XofTurboShake128, 32>,
    context: &[u8],
    measurement: &T::Measurement,
    nonce: &[u8; 16],
    splits: &mut Splits,
) -> Result<(), Wrong> {
    let wrong = |_| Wrong::Answer("it is not one of the answers");
    let (public, shares) = machine.shard(context, measurement, nonce).map_err(wrong)?;
    let wrong = |_| Wrong::Parameters("encoding");
    public.encode(&mut splits.public).map_err(wrong)?;
    for (share, into) in shares.iter().zip([&mut splits.leader, &mut splits.helper]) {
        share.encode(into).map_err(wrong)?;
    }
    Ok(())
}

/// Reads the pieces of a share one after another.
struct Cursors<'a> {
    public: Cursor<&'a [u8]>,
    inside: Cursor<&'a [u8]>,
}

type Pieces<T> = (Prio3PublicShare<32>, Prio3InputShare<<T as prio::flp::Flp>::Field, 32>);

impl<'a> Cursors<'a> {
    fn new(share: &'a Opened) -> Cursors<'a> {
        Cursors { public: Cursor::new(&share.public), inside: Cursor::new(&share.inside) }
    }

    fn take<T: Type<Field = Field128>>(
        &mut self,
        machine: &Prio3<T, XofTurboShake128, 32>,
        role: Role,
    ) -> Result<Pieces<T>, Wrong> {
        let public = Prio3PublicShare::decode_with_param(machine, &mut self.public).map_err(|_| Wrong::Proof)?;
        let inside = Prio3InputShare::decode_with_param(&(machine, place(role)), &mut self.inside).map_err(|_| Wrong::Proof)?;
        Ok((public, inside))
    }

    fn end(&self) -> Result<(), Wrong> {
        let done = |cursor: &Cursor<&[u8]>| cursor.position() == cursor.get_ref().len() as u64;
        if done(&self.public) && done(&self.inside) { Ok(()) } else { Err(Wrong::Proof) }
    }
}

/// What an aggregator holds of one contribution that was proven to be an answer: its shares of the places and of the exact numbers.
pub struct Output {
    pub(super) counts: Vec<Field128>,
    pub(super) exact: Vec<Field128>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

/// One aggregator's side of verifying the contributions of a task.
pub struct Verifier {
    machines: Machines,
    key: VerifyKey,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// For a task, with the key that it commits to.
    ///
    /// # Errors
    /// When the key is another.
    pub fn new(task: &Task, key: VerifyKey) -> Result<Verifier, Wrong> {
        if key.commitment() != task.verify {
            return Err(Wrong::Key);
        }
        Ok(Verifier { machines: Machines::new(task)?, key })
    }

    /// With any key, for tests of what then fails.
    #[cfg(test)]
    pub(super) fn with(task: &Task, key: VerifyKey) -> Verifier {
        Verifier { machines: Machines::new(task).unwrap(), key }
    }

    /// The leader's message to the helper about one contribution.
    ///
    /// # Errors
    /// When the share has not the form of the task.
    pub fn leader_begins(&self, share: &Opened) -> Result<Vec<u8>, Wrong> {
        let mut message = Vec::new();
        let mut cursors = Cursors::new(share);
        let (counts, context) = &self.machines.counts;
        self.begin_one(counts, context, share, &mut cursors, &mut message)?;
        if let Some((machine, context)) = &self.machines.exact {
            self.begin_one(machine, context, share, &mut cursors, &mut message)?;
        }
        cursors.end()?;
        Ok(message)
    }

    /// The helper's answer to it, and its output share.
    ///
    /// # Errors
    /// [`Wrong::Proof`] when the contribution is none of the answers, or the leader's message is not about it.
    pub fn helper_answers(&self, share: &Opened, message: &[u8]) -> Result<(Vec<u8>, Output), Wrong> {
        let (mut answer, mut message) = (Vec::new(), Cursor::new(message));
        let mut cursors = Cursors::new(share);
        let (counts, context) = &self.machines.counts;
        let counts = self.answer_one(counts, context, share, &mut cursors, &mut message, &mut answer)?;
        let exact = match &self.machines.exact {
            Some((machine, context)) => self.answer_one(machine, context, share, &mut cursors, &mut message, &mut answer)?,
            None => Vec::new(),
        };
        cursors.end()?;
        if message.position() == message.get_ref().len() as u64 {
            Ok((answer, Output { counts, exact }))
        } else {
            Err(Wrong::Proof)
        }
    }

    /// The leader's output share, after the helper's answer.
    ///
    /// # Errors
    /// [`Wrong::Proof`] when the answer is not about this contribution, or its parts do not fit.
    pub fn leader_ends(&self, share: &Opened, answer: &[u8]) -> Result<Output, Wrong> {
        let mut answer = Cursor::new(answer);
        let mut cursors = Cursors::new(share);
        let (counts, context) = &self.machines.counts;
        let counts = self.end_one(counts, context, share, &mut cursors, &mut answer)?;
        let exact = match &self.machines.exact {
            Some((machine, context)) => self.end_one(machine, context, share, &mut cursors, &mut answer)?,
            None => Vec::new(),
        };
        cursors.end()?;
        if answer.position() == answer.get_ref().len() as u64 { Ok(Output { counts, exact }) } else { Err(Wrong::Proof) }
    }

    fn begin_one<T: Type<Field = Field128>>(
        &self,
        machine: &Prio3<T, XofTurboShake128, 32>,
        context: &[u8],
        share: &Opened,
        cursors: &mut Cursors<'_>,
        message: &mut Vec<u8>,
    ) -> Result<(), Wrong> {
        let (public, inside) = cursors.take(machine, Role::Leader)?;
        let (_, ours) = machine
            .verify_init(&self.key.key, context, place(Role::Leader), &(), &share.nonce, &public, &inside)
            .map_err(|_| Wrong::Proof)?;
        ours.encode(message).map_err(|_| Wrong::Parameters("encoding"))
    }

    fn answer_one<T: Type<Field = Field128>>(
        &self,
        machine: &Prio3<T, XofTurboShake128, 32>,
        context: &[u8],
        share: &Opened,
        cursors: &mut Cursors<'_>,
        message: &mut Cursor<&[u8]>,
        answer: &mut Vec<u8>,
    ) -> Result<Vec<Field128>, Wrong> {
        let (public, inside) = cursors.take(machine, Role::Helper)?;
        let (state, ours) = machine
            .verify_init(&self.key.key, context, place(Role::Helper), &(), &share.nonce, &public, &inside)
            .map_err(|_| Wrong::Proof)?;
        let theirs = Prio3VerifierShare::decode_with_param(&state, message).map_err(|_| Wrong::Proof)?;
        let both = machine.verifier_shares_to_message(context, &(), [theirs, ours]).map_err(|_| Wrong::Proof)?;
        both.encode(answer).map_err(|_| Wrong::Parameters("encoding"))?;
        finish(machine.verify_next(context, state, both))
    }

    fn end_one<T: Type<Field = Field128>>(
        &self,
        machine: &Prio3<T, XofTurboShake128, 32>,
        context: &[u8],
        share: &Opened,
        cursors: &mut Cursors<'_>,
        answer: &mut Cursor<&[u8]>,
    ) -> Result<Vec<Field128>, Wrong> {
        let (public, inside) = cursors.take(machine, Role::Leader)?;
        // The state is made again rather than kept between two files: it costs microseconds, and nothing secret lies on disk for it.
        let (state, _) = machine
            .verify_init(&self.key.key, context, place(Role::Leader), &(), &share.nonce, &public, &inside)
            .map_err(|_| Wrong::Proof)?;
        let both = Prio3VerifierMessage::decode_with_param(&state, answer).map_err(|_| Wrong::Proof)?;
        finish(machine.verify_next(context, state, both))
    }
}

fn finish<T: Type<Field = Field128>>(
    transition: Result<VerifyTransition<Prio3<T, XofTurboShake128, 32>, 32, 16>, prio::vdaf::VdafError>,
) -> Result<Vec<Field128>, Wrong> {
    match transition {
        Ok(VerifyTransition::Finish(output)) => Ok(output.as_ref().to_vec()),
        // Prio3 has one round.
        Ok(VerifyTransition::Continue(..)) | Err(_) => Err(Wrong::Proof),
    }
}
