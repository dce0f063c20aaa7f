//! What comes after what: deltas are numbered, each names the one before by its hash, and all stand under one manifest (M8).

use super::{By, Error, Manifest, manifest::is_by_two};
use crate::{
    Digest,
    envelope::{Envelope, Expected, KeyId, Kind},
};

/// How old the newest delta may be for a case to be opened: seven days, in milliseconds.
pub const FRESH: i64 = 7 * 24 * 60 * 60 * 1000;

/// The newest of a chain: a manifest, or a delta after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    /// [`Envelope::hash`] of the manifest.
    pub manifest: Digest,
    /// The list that its header names.
    pub list: [u8; 16],
    /// The epoch that its header names.
    pub epoch: u32,
    /// 0 for the manifest, then the number of the delta.
    pub seq: u64,
    /// Its hash.
    pub hash: Digest,
    /// When it was made, in milliseconds since 1970 UTC.
    pub issued: i64,
}

impl Tip {
    /// A chain that begins with this manifest, which was opened before.
    #[must_use]
    pub fn of(manifest: &Envelope) -> Tip {
        let (hash, header) = (manifest.hash(), &manifest.header);
        Tip { manifest: hash, list: header.list, epoch: header.epoch, seq: 0, hash, issued: header.issued }
    }

    /// Whether it is young enough, and not from later than now. A provider opens no case on an older one: a withdrawal or suspension might have
    /// been kept from it.
    #[must_use]
    pub fn is_fresh(&self, now: i64) -> bool {
        self.issued <= now.saturating_add(crate::envelope::SKEW) && now.saturating_sub(self.issued) <= FRESH
    }

    /// The body of the next delta and who made it, and the tip after it. `officers` and desk are those of the manifest.
    ///
    /// # Errors
    /// When it is not the next one, or not signed by two officers or by the desk.
    pub fn next<'a>(&self, delta: &'a Envelope, manifest: &Manifest, now: i64) -> Result<(By, &'a [u8], Tip), Error> {
        let by = if delta.header.sender == manifest.desk { By::Desk } else { By::Officers };
        let body = self.following(delta, now)?;
        if by == By::Officers && !is_by_two(delta, &manifest.officers) {
            return Err(Error::Officers);
        }
        let header = &delta.header;
        let tip = Tip { seq: header.seq, hash: delta.hash(), issued: header.issued, ..*self };
        Ok((by, body, tip))
    }

    fn following<'a>(&self, delta: &'a Envelope, now: i64) -> Result<&'a [u8], Error> {
        let everybody: KeyId = crate::envelope::EVERYBODY;
        let expected = Expected {
            recipient: Some(&everybody),
            list: Some(&self.list),
            epoch: Some(self.epoch),
            under: Some(&self.manifest),
            ..Expected::default()
        };
        let body = delta.open(Kind::Delta, &expected, now)?;
        let header = &delta.header;
        if self.seq.checked_add(1) != Some(header.seq) || header.previous != self.hash {
            return Err(Error::Order("this delta"));
        }
        if header.issued < self.issued {
            return Err(Error::Order("a delta that is older than the one before it"));
        }
        // The number inside, which its keys are made of, is the number outside.
        if super::Stats::of(body)?.seq != header.seq {
            return Err(Error::Order("this delta"));
        }
        Ok(body)
    }
}
