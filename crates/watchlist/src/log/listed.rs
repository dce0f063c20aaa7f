//! The leaf of a version of an entry, and of a change of its status: a sealed record whose fields are digests under salts (M3). What a capsule
//! carries proves it with the reason undisclosed; what a reason carries proves the rest.

use matching::bytes::{Malformed, Reader, Writer};
use seal::{
    record::{self, ENTRY, Type, commitment, field_digest},
    tree::{self, Hash, leaf_hash},
};
use zeroize::Zeroizing;

use super::{Seen, Wrong, check::MOST_PATH};

/// The kind of record of a version of an entry: `capsule`, `reason`, `status-key`. The last is what the slots and salts of this version come
/// from: who is shown it (the party listed) finds in a copy of the log each change of its status, and that there is no other.
pub const LISTED: u16 = 16;
/// The kind of record of a change of status: `status`, `since`, `why`.
pub const STATUS: u16 = 17;

/// Slots and salts come from one secret of the list holder, entry by entry: who sees one learns nothing of the next.
#[derive(Debug)]
pub struct Salts<'a> {
    secret: &'a [u8; 32],
    id: [u8; 16],
    version: u32,
}

impl<'a> Salts<'a> {
    /// Of a version of an entry.
    #[must_use]
    pub fn of(secret: &'a [u8; 32], id: [u8; 16], version: u32) -> Salts<'a> {
        Salts { secret, id, version }
    }

    /// The key of this version of this entry: a digest over input of one length that begins with the secret, so nothing can be appended to it.
    fn key(&self) -> Zeroizing<Hash> {
        let mut id = Writer::new();
        let label = id.raw(b"sluis/v1/listed\0").raw(&self.id).u32(self.version).done();
        Zeroizing::new(matching::sha256(&[b"sluis/v1/list-secret\0", self.secret, &matching::sha256(&[&label])]))
    }

    /// The slot of the record of this version (0), or of its n-th change of status.
    #[must_use]
    pub fn slot(&self, seq: u64) -> Hash {
        record::slot(&self.key(), seq.saturating_mul(16))
    }

    /// The salt of a field of that record.
    #[must_use]
    pub fn salt(&self, seq: u64, field: u8) -> Hash {
        record::slot(&self.key(), seq.saturating_mul(16).saturating_add(1 + u64::from(field % 15)))
    }
}

/// A version of an entry, sealed: its leaf, and what its parts need to prove it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The leaf.
    pub leaf: [u8; ENTRY],
    slot: Hash,
    capsule_salt: Hash,
    reason_salt: Hash,
    reason: Hash,
    status_key: Hash,
}

/// Seals a version of an entry.
#[must_use]
pub fn seal_entry(salts: &Salts<'_>, capsule: &[u8], reason: &[u8]) -> Sealed {
    let (capsule_salt, reason_salt) = (salts.salt(0, 0), salts.salt(0, 1));
    let capsule = field_digest(&capsule_salt, "capsule", Type::Bytes, capsule);
    let reason = field_digest(&reason_salt, "reason", Type::Bytes, reason);
    let status_key = field_digest(&salts.salt(0, 2), "status-key", Type::Bytes, &salts.key()[..]);
    let slot = salts.slot(0);
    let leaf = record::entry(&slot, &commitment(LISTED, &[capsule, reason, status_key]));
    Sealed { leaf, slot, capsule_salt, reason_salt, reason, status_key }
}

/// The leaf of the `seq`-th change of status of a version of an entry, from 1.
#[must_use]
pub fn seal_status(salts: &Salts<'_>, seq: u64, status: &str, since: i64, why: &str) -> [u8; ENTRY] {
    let digests = [
        field_digest(&salts.salt(seq, 0), "status", Type::Text, status.as_bytes()),
        field_digest(&salts.salt(seq, 1), "since", Type::Time, &since.to_be_bytes()),
        field_digest(&salts.salt(seq, 2), "why", Type::Text, why.as_bytes()),
    ];
    record::entry(&salts.slot(seq), &commitment(STATUS, &digests))
}

impl Sealed {
    /// What stands next to the capsule: where its leaf is in the tree of `size` entries, and all that the leaf needs.
    #[must_use]
    pub fn capsule_proof(&self, index: u64, size: u64, path: &[Hash]) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(index).u64(size).raw(&self.slot).raw(&self.capsule_salt).raw(&self.reason).raw(&self.status_key);
        w.list(path, |w, hash| {
            w.raw(hash);
        });
        w.done()
    }

    /// What stands next to the reason.
    #[must_use]
    pub fn reason_proof(&self) -> Vec<u8> {
        self.reason_salt.to_vec()
    }
}

/// That an entry stands in the log: what is left to prove is its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Index of its leaf.
    pub index: u64,
    /// Entries of the log of which that was proven.
    pub size: u64,
    reason: Hash,
}

/// Checks that a capsule is that of an entry in the log. `roots` are those that [`super::check::check`] gave for this epoch's manifest and deltas.
///
/// # Errors
/// [`Wrong`]: then the entry is not a valid hit, since nobody can contest what is not in the log.
pub fn check_capsule(proof: &[u8], capsule: &[u8], roots: &[Seen]) -> Result<Logged, Wrong> {
    let (index, size, slot, salt, reason, status_key, path) = read_capsule_proof(proof)?;
    let root = roots.iter().find(|root| root.size == size).ok_or(Wrong::Unknown(size))?.root;
    let capsule = field_digest(&salt, "capsule", Type::Bytes, capsule);
    let leaf = record::entry(&slot, &commitment(LISTED, &[capsule, reason, status_key]));
    tree::verify_inclusion(index, size, &leaf_hash(&leaf), &path, &root)?;
    Ok(Logged { index, size, reason })
}

/// Checks that a reason belongs to the entry whose capsule was checked.
///
/// # Errors
/// [`Wrong`]: as above.
pub fn check_reason(logged: &Logged, proof: &[u8], reason: &[u8]) -> Result<(), Wrong> {
    let mut r = Reader::new(proof);
    let salt: Hash = r.array()?;
    r.end()?;
    if field_digest(&salt, "reason", Type::Bytes, reason) == logged.reason { Ok(()) } else { Err(Wrong::Reason) }
}

type CapsuleProof = (u64, u64, Hash, Hash, Hash, Hash, Vec<Hash>);

fn read_capsule_proof(bytes: &[u8]) -> Result<CapsuleProof, Malformed> {
    let mut r = Reader::new(bytes);
    let read = (r.u64()?, r.u64()?, r.array()?, r.array()?, r.array()?, r.array()?, r.list(MOST_PATH, Reader::array)?);
    r.end()?;
    Ok(read)
}
