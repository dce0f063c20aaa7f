//! The manifest of an epoch: which keys, which list, who signs, and how much a provider may ask. All providers see the same one, since it stands
//! in the log before any query.

use super::{Error, Stats};
use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::{EVERYBODY, Envelope, Expected, KeyId, Kind},
    sha256,
    token::{Group, NORM_VERSION},
};

/// Most bytes of a line of text.
pub const MOST_LINE: usize = 300;
/// Most officers.
pub const MOST_OFFICERS: usize = 16;
/// Most shares of a key that the format has room for.
pub const MOST_SHARES: usize = 8;
/// The longest epoch: 200 days, in milliseconds. Three months and an overlap is usual.
pub const MOST_EPOCH: i64 = 200 * 24 * 60 * 60 * 1000;

/// Where one more edit is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum EditSide {
    /// The list has every string one edit away; a provider sends names as they are.
    #[default]
    List = 1,
    /// Both leave out a letter.
    Both = 2,
}

/// What belongs to one epoch of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// What the list is called.
    pub name: String,
    /// Who holds it.
    pub holder: String,
    /// From when it holds, in milliseconds since 1970 UTC.
    pub not_before: i64,
    /// Until when.
    pub not_after: i64,
    /// The version of the canonical forms, [`NORM_VERSION`].
    pub norm_version: u8,
    /// Where one more edit is looked for.
    pub edit_side: EditSide,
    /// How rare, in bits, the words must be that are left of a name (`docs/matching.md`, names).
    pub rarity_bits: u8,
    /// The groups in use, in order, and for each the public key of every share. This version takes exactly one share.
    pub groups: Vec<(Group, Vec<[u8; 32]>)>,
    /// Who sign for the list holder, at least two, in the order of their keys.
    pub officers: Vec<KeyId>,
    /// Who evaluates.
    pub evaluator: KeyId,
    /// The contest desk.
    pub desk: KeyId,
    /// The desk's key for what only it may read (X25519).
    pub desk_hpke: [u8; 32],
    /// The origin of the log.
    pub log_origin: String,
    /// The log's key, as the note of a checkpoint names it (C2SP signed-note).
    pub log_key: String,
    /// SHA-256 of the segment's body.
    pub segment: Digest,
    /// Records in the segment, dummies counted.
    pub records: u32,
    /// Slots in the segment, empty ones counted.
    pub slots: u32,
    /// The size of the log to which the proofs in the list lead.
    pub entries_size: u64,
    /// Its root.
    pub entries_root: Digest,
    /// The hash of the manifest before this one; zero for the first.
    pub predecessor: Digest,
    /// How many guesses the largest plan of a provider has in this epoch, dummies counted, by group (M6).
    pub guesses: Vec<(Group, u64)>,
    /// Where an entry is contested, beginning with `https://`.
    pub contest: String,
    /// Where the protocol is published, with the criteria for being listed.
    pub protocol: String,
}

const MAGIC: [u8; 4] = *b"SLM1";

impl Manifest {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&MAGIC).u8(self.norm_version).text(&self.name).text(&self.holder).time(self.not_before).time(self.not_after);
        w.u8(self.edit_side as u8).u8(self.rarity_bits);
        w.list(&self.groups, |w, (group, shares)| {
            w.u8(*group as u8).list(shares, |w, share| {
                w.raw(share);
            });
        });
        w.list(&self.officers, |w, officer| {
            w.raw(officer);
        });
        w.raw(&self.evaluator).raw(&self.desk).raw(&self.desk_hpke).text(&self.log_origin).text(&self.log_key);
        w.raw(&self.segment).u32(self.records).u32(self.slots).u64(self.entries_size).raw(&self.entries_root);
        w.raw(&self.predecessor);
        w.list(&self.guesses, |w, (group, guesses)| {
            w.u8(*group as u8).u64(*guesses);
        });
        w.text(&self.contest).text(&self.protocol);
        w.done()
    }

    /// The manifest of a body. Says nothing of who signed it, see [`Manifest::open`].
    ///
    /// # Errors
    /// When it is of another norm version, asks what this version cannot do, or contradicts itself.
    pub fn read(body: &[u8]) -> Result<Manifest, Error> {
        let mut r = Reader::new(body);
        let start = r.clone();
        if r.array()? != MAGIC {
            return Err(start.wrong("a manifest").into());
        }
        // Before anything else, so that a later version may change the rest and still be refused for the right reason.
        let norm_version = r.u8()?;
        if norm_version != NORM_VERSION {
            return Err(Error::NormVersion(norm_version));
        }
        let manifest = Manifest::rest(&mut r, norm_version)?;
        r.end()?;
        manifest.check()?;
        Ok(manifest)
    }

    fn rest(r: &mut Reader<'_>, norm_version: u8) -> Result<Manifest, Malformed> {
        let line = |r: &mut Reader<'_>| r.text(MOST_LINE).map(str::to_owned);
        let group = |r: &mut Reader<'_>| {
            let here = r.clone();
            Group::of(r.u8()?).ok_or_else(|| here.wrong("a group of classes"))
        };
        let (name, holder, not_before, not_after) = (line(r)?, line(r)?, r.time()?, r.time()?);
        let here = r.clone();
        let edit_side = match r.u8()? {
            1 => EditSide::List,
            2 => EditSide::Both,
            _ => return Err(here.wrong("where edits are looked for")),
        };
        Ok(Manifest {
            name,
            holder,
            not_before,
            not_after,
            norm_version,
            edit_side,
            rarity_bits: r.u8()?,
            groups: r.list(Group::ALL.len(), |r| Ok((group(r)?, r.list(MOST_SHARES, Reader::array)?)))?,
            officers: r.list(MOST_OFFICERS, Reader::array)?,
            evaluator: r.array()?,
            desk: r.array()?,
            desk_hpke: r.array()?,
            log_origin: line(r)?,
            log_key: line(r)?,
            segment: r.array()?,
            records: r.u32()?,
            slots: r.u32()?,
            entries_size: r.u64()?,
            entries_root: r.array()?,
            predecessor: r.array()?,
            guesses: r.list(Group::ALL.len(), |r| Ok((group(r)?, r.u64()?)))?,
            contest: line(r)?,
            protocol: line(r)?,
        })
    }

    /// That it can be right.
    ///
    /// # Errors
    /// When it contradicts itself, or asks what this version cannot do.
    pub fn check(&self) -> Result<(), Error> {
        if self.norm_version != NORM_VERSION {
            return Err(Error::NormVersion(self.norm_version));
        }
        if self.groups.iter().any(|(_, shares)| shares.len() > 1) {
            return Err(Error::Unsupported("a key in several shares"));
        }
        let faults = [
            (self.groups.is_empty() || !self.groups.is_sorted_by(|a, b| a.0 < b.0), "its groups are none, or out of order"),
            (self.groups.iter().any(|(_, shares)| shares.len() != 1), "a group has no key"),
            (has_twice(&self.groups), "two groups have one key, which makes one quota of two"),
            (!self.guesses.is_sorted_by(|a, b| a.0 < b.0), "its quotas are out of order"),
            (
                !self.groups.iter().map(|(group, _)| group).eq(self.guesses.iter().map(|(group, _)| group)),
                "its quotas are not those of its groups",
            ),
            (self.officers.len() < 2, "it has fewer than two officers"),
            (!self.officers.is_sorted_by(|a, b| a < b), "its officers are out of order, or one stands there twice"),
            (
                self.officers.contains(&self.desk),
                "the desk is also an officer, who would then decide on contests of their own entries",
            ),
            (self.evaluator == self.desk, "the desk is also the evaluator"),
            (self.not_before >= self.not_after, "it ends before it begins"),
            (self.not_after.saturating_sub(self.not_before) > MOST_EPOCH, "its epoch is longer than 200 days"),
            (!self.contest.starts_with("https://"), "the address for contests does not begin with https://"),
            (!self.protocol.starts_with("https://"), "the address of the protocol does not begin with https://"),
            (self.entries_size == 0, "the log that its proofs lead to is empty"),
        ];
        match faults.into_iter().find(|(applies, _)| *applies) {
            Some((_, fault)) => Err(Error::Manifest(fault)),
            None => Ok(()),
        }
    }

    /// The manifest in an envelope, when two of the officers that the provider holds for right signed it, one of them as its sender. Who are
    /// held for right is `officers`: those whose fingerprints were compared at enrolment, later those of the manifest before.
    ///
    /// `seen` is the highest epoch ever taken in.
    ///
    /// # Errors
    /// When it is refused.
    pub fn open(envelope: &Envelope, officers: &[KeyId], seen: Option<u32>, now: i64) -> Result<Manifest, Error> {
        // A manifest for one provider would show it another list than the rest.
        let expected = Expected { recipient: Some(&EVERYBODY), under: Some(&[0; 32]), ..Expected::default() };
        let body = envelope.open(Kind::Manifest, &expected, now)?;
        if !is_by_two(envelope, officers) {
            return Err(Error::Officers);
        }
        let manifest = Manifest::read(body)?;
        let epoch = envelope.header.epoch;
        if let Some(seen) = seen.filter(|seen| epoch < *seen) {
            return Err(Error::OldEpoch(epoch, seen));
        }
        if manifest.not_after < now {
            return Err(Error::OutOfTime);
        }
        Ok(manifest)
    }

    /// Whether this is the body of the segment that the manifest speaks of.
    #[must_use]
    pub fn is_segment(&self, body: &[u8]) -> bool {
        sha256(&[body]) == self.segment
            && Stats::of(body).is_ok_and(|stats| stats.seq == 0 && (stats.records, stats.slots) == (self.records, self.slots))
    }

    /// The public key of a group.
    #[must_use]
    pub fn key(&self, group: Group) -> Option<&[u8; 32]> {
        self.groups.iter().find(|(other, _)| *other == group).and_then(|(_, shares)| shares.first())
    }
}

/// Whether two different keys of these signed it, the sender's among them.
pub(super) fn is_by_two(envelope: &Envelope, officers: &[KeyId]) -> bool {
    let signed: std::collections::BTreeSet<_> = officers.iter().filter(|key| envelope.is_signed_by(key)).collect();
    signed.len() >= 2 && signed.contains(&envelope.header.sender)
}

fn has_twice(groups: &[(Group, Vec<[u8; 32]>)]) -> bool {
    let mut keys: Vec<_> = groups.iter().flat_map(|(_, shares)| shares).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}
