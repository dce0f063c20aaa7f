//! The one form in which everything travels: an envelope that says from whom, to whom, under what, when and until when, signed (M8).
//!
//! A file holds one or more envelopes, one after another. Whoever takes one in checks with [`Envelope::open`] what it is meant to be
//! ([`Expected`]); nothing of a body is read before the signatures are good.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};

use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    sha256,
};

/// The first bytes of each envelope.
pub const MAGIC: [u8; 4] = *b"SLU1";
/// The most signatures on one envelope.
pub const MOST_SIGNATURES: usize = 4;
/// The most bytes of one body: 512 MiB.
pub const MOST_BODY: usize = 512 << 20;

/// A public key, which is also the name of whoever signs with it.
pub type KeyId = [u8; 32];

/// Nobody in particular: everybody may read it.
pub const EVERYBODY: KeyId = [0; 32];

/// What an envelope holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A provider asks to be enrolled.
    EnrolmentRequest = 1,
    /// The list holder enrols it, with its plan of batches.
    Enrolment = 2,
    /// A provider leaves, or is left.
    Leaving = 3,
    /// Blinded elements.
    EvalRequest = 10,
    /// Evaluated elements, with their proof and a receipt.
    EvalResponse = 11,
    /// Why a batch was not evaluated.
    EvalError = 12,
    /// The manifest of an epoch.
    Manifest = 20,
    /// The whole list of an epoch.
    Segment = 21,
    /// What changed since.
    Delta = 22,
    /// That a manifest or delta is in the log: a signed checkpoint, with paths.
    LogProof = 23,
    /// The whole list in clear for the contest desk, encrypted to it.
    DeskList = 24,
    /// A provider asks the desk for the reason behind a hit on a name.
    Ask = 30,
    /// The desk answers, encrypted to the provider.
    Answer = 31,
    /// The configuration of a tally.
    Task = 40,
    /// A contribution's share for the leader.
    LeaderShare = 41,
    /// A contribution's share for the helper.
    HelperShare = 42,
    /// An aggregator's receipt for a share.
    ShareReceipt = 43,
    /// The contributions that an aggregator accepted.
    AcceptedSet = 44,
    /// The leader's first message of the preparation.
    PrepareInit = 45,
    /// The helper's answer.
    PrepareResponse = 46,
    /// An aggregator's share of the total, encrypted to the collector.
    AggregateShare = 47,
    /// The total, as the collector publishes it.
    Total = 48,
    /// A provider withdraws its contribution before the collection.
    Withdrawal = 49,
    /// A provider consents to an exact total.
    Consent = 50,
    /// Who takes part in a tally.
    Cohort = 51,
    /// The key under which two aggregators verify contributions, sealed from the leader to the helper.
    VerifyKey = 52,
}

impl Kind {
    /// All, in order of their numbers.
    pub const ALL: [Kind; 26] = [
        Kind::EnrolmentRequest,
        Kind::Enrolment,
        Kind::Leaving,
        Kind::EvalRequest,
        Kind::EvalResponse,
        Kind::EvalError,
        Kind::Manifest,
        Kind::Segment,
        Kind::Delta,
        Kind::LogProof,
        Kind::DeskList,
        Kind::Ask,
        Kind::Answer,
        Kind::Task,
        Kind::LeaderShare,
        Kind::HelperShare,
        Kind::ShareReceipt,
        Kind::AcceptedSet,
        Kind::PrepareInit,
        Kind::PrepareResponse,
        Kind::AggregateShare,
        Kind::Total,
        Kind::Withdrawal,
        Kind::Consent,
        Kind::Cohort,
        Kind::VerifyKey,
    ];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// What is signed of an envelope beside its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// What it holds.
    pub kind: Kind,
    /// Whose envelope it is: the key that must have signed it.
    pub sender: KeyId,
    /// For whom, or [`EVERYBODY`].
    pub recipient: KeyId,
    /// The list it belongs to: 16 random bytes for each publication. Zero where there is none.
    pub list: [u8; 16],
    /// The epoch. Zero where there is none.
    pub epoch: u32,
    /// The hash of the manifest it stands under, or the task it belongs to. Zero where there is none.
    pub under: Digest,
    /// Which share of the key, from 0.
    pub share: u8,
    /// The number of the batch, of the delta, or of the message between two parties.
    pub seq: u64,
    /// [`Envelope::hash`] of what came before it in its chain. Zero where there is none.
    pub previous: Digest,
    /// When it was made, in milliseconds since 1970 UTC.
    pub issued: i64,
    /// Until when it may be taken in, in milliseconds since 1970 UTC.
    pub until: i64,
}

impl Header {
    /// A header of this kind from one to another; the rest is empty.
    #[must_use]
    pub fn new(kind: Kind, sender: KeyId, recipient: KeyId, issued: i64, until: i64) -> Header {
        Header {
            kind,
            sender,
            recipient,
            list: [0; 16],
            epoch: 0,
            under: [0; 32],
            share: 0,
            seq: 0,
            previous: [0; 32],
            issued,
            until,
        }
    }

    fn write(&self, w: &mut Writer) {
        w.raw(&MAGIC).u8(self.kind as u8).raw(&[0; 3]);
        w.raw(&self.sender).raw(&self.recipient).raw(&self.list).u32(self.epoch).raw(&self.under);
        w.u8(self.share).u64(self.seq).raw(&self.previous).time(self.issued).time(self.until);
    }

    fn read(r: &mut Reader<'_>) -> Result<Header, Malformed> {
        let start = r.clone();
        if r.raw(4)? != MAGIC {
            return Err(start.wrong("an envelope of Sluis (SLU1)"));
        }
        let here = r.clone();
        let kind = Kind::of(r.u8()?).ok_or_else(|| here.wrong("a kind of envelope that this version knows"))?;
        let here = r.clone();
        if r.raw(3)? != [0; 3] {
            return Err(here.wrong("no flags"));
        }
        Ok(Header {
            kind,
            sender: r.array()?,
            recipient: r.array()?,
            list: r.array()?,
            epoch: r.u32()?,
            under: r.array()?,
            share: r.u8()?,
            seq: r.u64()?,
            previous: r.array()?,
            issued: r.time()?,
            until: r.time()?,
        })
    }
}

/// A header, a body and who signed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// What is signed beside the body.
    pub header: Header,
    /// What it holds, as its kind has it.
    pub body: Vec<u8>,
    /// Who signed, and how, ordered by key, each key once.
    pub signatures: Vec<(KeyId, [u8; 64])>,
}

/// Why an envelope is refused. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its bytes are not an envelope.
    #[error("{0}; ask for the file again")]
    Malformed(#[from] Malformed),
    /// It holds something else than was expected.
    #[error("this is {0:?}, and {1:?} was expected; check which file you gave")]
    Kind(Kind, Kind),
    /// A signature that must be there is missing or wrong.
    #[error("it is not signed as it must be ({0}); do not use it, and tell whoever gave it to you")]
    Unsigned(&'static str),
    /// It is from somebody else.
    #[error("it is from another sender than expected; check the fingerprint")]
    Sender,
    /// It is for somebody else.
    #[error("it is for another recipient; give it to them")]
    Recipient,
    /// It belongs to another list, epoch, manifest, task or share.
    #[error("it belongs to another {0}; ask for the newest files")]
    Foreign(&'static str),
    /// It is too old.
    #[error("it was to be taken in before its time ran out; ask for a new one")]
    Expired,
    /// It is from the future.
    #[error("it was made later than now; check the clock of this machine")]
    Future,
}

/// What an envelope must be for us to take it in. What is `None` is not asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Expected<'a> {
    /// From whom.
    pub sender: Option<&'a KeyId>,
    /// For whom; [`EVERYBODY`] is always allowed when `everybody` says so.
    pub recipient: Option<&'a KeyId>,
    /// Whether it may be for everybody.
    pub everybody: bool,
    /// The list.
    pub list: Option<&'a [u8; 16]>,
    /// The epoch.
    pub epoch: Option<u32>,
    /// The manifest or task.
    pub under: Option<&'a Digest>,
    /// Keys that must have signed, beside the sender.
    pub signers: &'a [KeyId],
}

/// How much later than now something may have been made, for clocks that differ: five minutes.
pub const SKEW: i64 = 5 * 60 * 1000;

impl Envelope {
    /// An envelope nobody signed yet.
    #[must_use]
    pub fn new(header: Header, body: Vec<u8>) -> Envelope {
        Envelope { header, body, signatures: Vec::new() }
    }

    /// Signed by its sender alone.
    #[must_use]
    pub fn signed(header: Header, body: Vec<u8>, key: &SigningKey) -> Envelope {
        let mut envelope = Envelope::new(header, body);
        envelope.sign(key);
        envelope
    }

    /// What is signed: a domain, the header, and the digest of the body.
    fn message(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(b"sluis/v1/envelope\0");
        self.header.write(&mut w);
        w.raw(&sha256(&[&self.body]));
        w.done()
    }

    /// Adds a signature, or replaces that of the same key.
    pub fn sign(&mut self, key: &SigningKey) {
        let id = key.verifying_key().to_bytes();
        let signature = key.sign(&self.message()).to_bytes();
        self.signatures.retain(|(other, _)| *other != id);
        self.signatures.push((id, signature));
        self.signatures.sort_unstable();
    }

    /// Whether this key signed it well. Weak keys and malleable signatures are refused (RFC 8032, strictly).
    #[must_use]
    pub fn is_signed_by(&self, key: &KeyId) -> bool {
        let Some((_, signature)) = self.signatures.iter().find(|(id, _)| id == key) else { return false };
        let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
        key.verify_strict(&self.message(), &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }

    /// What others call it: the digest of what was signed. The same whatever signatures are on it.
    #[must_use]
    pub fn hash(&self) -> Digest {
        sha256(&[&self.message()])
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.header.write(&mut w);
        w.bytes(&self.body).u8(self.signatures.len() as u8);
        for (key, signature) in &self.signatures {
            w.raw(key).raw(signature);
        }
        w.done()
    }

    /// The next envelope of a file. Says nothing of its signatures.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn read(r: &mut Reader<'_>) -> Result<Envelope, Malformed> {
        let header = Header::read(r)?;
        let body = r.bytes(MOST_BODY)?.to_vec();
        let here = r.clone();
        let count = usize::from(r.u8()?);
        if count > MOST_SIGNATURES {
            return Err(here.wrong("at most four signatures"));
        }
        let mut signatures = Vec::with_capacity(count);
        for _ in 0..count {
            signatures.push((r.array::<32>()?, r.array::<64>()?));
        }
        if !signatures.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(here.wrong("signatures in the order of their keys, each once"));
        }
        Ok(Envelope { header, body, signatures })
    }

    /// All envelopes of a file, at most `most`.
    ///
    /// # Errors
    /// When one of them is none, or there are more.
    pub fn read_all(bytes: &[u8], most: usize) -> Result<Vec<Envelope>, Malformed> {
        let mut r = Reader::new(bytes);
        let mut all = Vec::new();
        while r.end().is_err() {
            if all.len() == most {
                return Err(r.wrong("fewer envelopes in one file"));
            }
            all.push(Envelope::read(&mut r)?);
        }
        Ok(all)
    }

    /// The body, once the envelope is what it must be at this time.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn open(&self, kind: Kind, expected: &Expected<'_>, now: i64) -> Result<&[u8], Refused> {
        let header = &self.header;
        if header.kind != kind {
            return Err(Refused::Kind(header.kind, kind));
        }
        if expected.sender.is_some_and(|sender| *sender != header.sender) {
            return Err(Refused::Sender);
        }
        if let Some(recipient) = expected.recipient
            && *recipient != header.recipient
            && !(expected.everybody && header.recipient == EVERYBODY)
        {
            return Err(Refused::Recipient);
        }
        if expected.list.is_some_and(|list| *list != header.list) {
            return Err(Refused::Foreign("list"));
        }
        if expected.epoch.is_some_and(|epoch| epoch != header.epoch) {
            return Err(Refused::Foreign("epoch"));
        }
        if expected.under.is_some_and(|under| *under != header.under) {
            return Err(Refused::Foreign("manifest or task"));
        }
        if header.issued > now.saturating_add(SKEW) {
            return Err(Refused::Future);
        }
        if header.until < now {
            return Err(Refused::Expired);
        }
        if !self.is_signed_by(&header.sender) {
            return Err(Refused::Unsigned("by its sender"));
        }
        if !expected.signers.iter().all(|key| self.is_signed_by(key)) {
            return Err(Refused::Unsigned("by everybody who must"));
        }
        Ok(&self.body)
    }
}

/// A fingerprint for people to read to each other: eight groups of four letters of the digest of a key (160 bits, base 32 without
/// letters that look alike).
#[must_use]
pub fn fingerprint(key: &KeyId) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let digest = sha256(&[b"sluis/v1/fingerprint\0", key]);
    let mut out = String::with_capacity(39);
    let (mut bits, mut held) = (0u32, 0u32);
    let mut letters = 0;
    for byte in &digest[..20] {
        bits = (bits << 8 | u32::from(*byte)) & 0xffff;
        held += 8;
        while held >= 5 {
            if letters > 0 && letters % 4 == 0 {
                out.push('-');
            }
            held -= 5;
            out.push(char::from(LETTERS[(bits >> held & 31) as usize]));
            letters += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn id(n: u8) -> KeyId {
        key(n).verifying_key().to_bytes()
    }

    fn sample() -> Envelope {
        let mut header = Header::new(Kind::Delta, id(1), EVERYBODY, 1_000, 2_000);
        (header.list, header.epoch, header.under, header.seq) = ([7; 16], 3, [9; 32], 4);
        let mut envelope = Envelope::signed(header, b"what changed".to_vec(), &key(1));
        envelope.sign(&key(2));
        envelope
    }

    #[test]
    fn what_was_signed_is_read_again() {
        let envelope = sample();
        let bytes = [envelope.encode(), envelope.encode()].concat();
        assert_eq!(Envelope::read_all(&bytes, 2), Ok(vec![envelope.clone(), envelope.clone()]));
        assert!(Envelope::read_all(&bytes, 1).is_err());
        let (sender, officer) = (id(1), id(2));
        let expected = Expected {
            sender: Some(&sender),
            recipient: Some(&[5; 32]),
            everybody: true,
            list: Some(&[7; 16]),
            epoch: Some(3),
            under: Some(&[9; 32]),
            signers: &[officer],
        };
        assert_eq!(envelope.open(Kind::Delta, &expected, 1_500), Ok(&b"what changed"[..]));
    }

    #[test]
    fn what_is_not_meant_for_us_is_refused_with_what_to_do() {
        let envelope = sample();
        let none = Expected::default();
        let open = |expected: &Expected<'_>, now| envelope.open(Kind::Delta, expected, now).map(<[u8]>::to_vec);
        assert_eq!(envelope.open(Kind::Manifest, &none, 1_500), Err(Refused::Kind(Kind::Delta, Kind::Manifest)));
        assert_eq!(open(&Expected { sender: Some(&id(3)), ..none }, 1_500), Err(Refused::Sender));
        assert_eq!(open(&Expected { recipient: Some(&id(3)), ..none }, 1_500), Err(Refused::Recipient));
        assert_eq!(open(&Expected { list: Some(&[8; 16]), ..none }, 1_500), Err(Refused::Foreign("list")));
        assert_eq!(open(&Expected { epoch: Some(4), ..none }, 1_500), Err(Refused::Foreign("epoch")));
        assert_eq!(open(&Expected { under: Some(&[1; 32]), ..none }, 1_500), Err(Refused::Foreign("manifest or task")));
        assert_eq!(open(&none, 2_001), Err(Refused::Expired));
        assert_eq!(open(&none, 999 - SKEW), Err(Refused::Future));
        assert!(matches!(open(&Expected { signers: &[id(3)], ..none }, 1_500), Err(Refused::Unsigned(_))));
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let bytes = sample().encode();
        let signers = [id(1), id(2)];
        let expected = Expected { sender: Some(&signers[0]), signers: &signers, ..Expected::default() };
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let opened = Envelope::read_all(&changed, 1)
                .ok()
                .filter(|all| all.len() == 1 && all[0].open(Kind::Delta, &expected, 1_500).is_ok());
            assert_eq!(opened, None, "bit {bit}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_aloud() {
        let print = fingerprint(&id(1));
        assert_eq!(print.len(), 39);
        assert!(print.split('-').all(|group| group.len() == 4), "{print}");
        assert_ne!(print, fingerprint(&id(2)));
    }
}
