//! The secret of an epoch: a key for each group. The list holder makes them and builds the list with them; the evaluator gets them in a parcel,
//! and nothing else of the list, nor what they were made of.

use matching::bytes::{Reader, Writer};
use matching::parcel::{Address, Opener, Unopened, pack};
use matching::token::Group;
use matching::voprf::{SecretKey, Wrong};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Error;

const MAGIC: &[u8; 8] = b"SLUEPOC1";
const INFO: &[u8] = b"sluis/v1/epoch-keys";

/// The keys of an epoch. Whoever has them and the published list can try any dictionary on the list.
pub struct Secret {
    /// The publication.
    pub list: [u8; 16],
    /// The epoch.
    pub epoch: u32,
    keys: Vec<(Group, SecretKey)>,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Secret {
    /// Of these keys.
    #[must_use]
    pub fn of(list: [u8; 16], epoch: u32, mut keys: Vec<(Group, SecretKey)>) -> Secret {
        keys.sort_by_key(|(group, _)| *group);
        keys.dedup_by_key(|(group, _)| *group);
        Secret { list, epoch, keys }
    }

    /// The keys that follow from a seed: `DeriveKeyPair(seed, "sluis/v1/oprf" || epoch u32 || group u8)` (RFC 9497, 3.2.1).
    ///
    /// # Errors
    /// When the seed yields none, which happens once in 2^252.
    pub fn derive(list: [u8; 16], epoch: u32, seed: &[u8; 32]) -> Result<Secret, Wrong> {
        let key = |group: Group| {
            let info = Writer::new().raw(b"sluis/v1/oprf").u32(epoch).u8(group as u8).done();
            Ok((group, SecretKey::derive(seed, &info)?))
        };
        Ok(Secret { list, epoch, keys: Group::ALL.into_iter().map(key).collect::<Result<_, Wrong>>()? })
    }

    /// The key of a group.
    #[must_use]
    pub fn key(&self, group: Group) -> Option<&SecretKey> {
        self.keys.iter().find(|(other, _)| *other == group).map(|(_, key)| key)
    }

    /// The parcel for an evaluator: only its key opens it.
    ///
    /// # Errors
    /// When the address is no usable key.
    pub fn parcel(&self, evaluator: &Address, rng: &mut impl CryptoRng) -> Result<Vec<u8>, Unopened> {
        let mut w = Writer::new();
        w.list(&self.keys, |w, (group, key)| {
            w.u8(*group as u8).raw(&*key.to_bytes());
        });
        let plain = Zeroizing::new(w.done());
        let about = about(&self.list, self.epoch);
        let parcel = pack(evaluator, INFO, &about, &plain, rng)?;
        Ok([about, parcel].concat())
    }

    /// What is in a parcel.
    ///
    /// # Errors
    /// When it is none, or for somebody else. Whether it belongs to a manifest is seen from the manifest's public keys.
    pub fn open(parcel: &[u8], evaluator: &Opener) -> Result<Secret, Error> {
        let mut r = Reader::new(parcel);
        let here = r.clone();
        if r.raw(8)? != MAGIC {
            return Err(here.wrong("the keys of an epoch").into());
        }
        let (list, epoch) = (r.array()?, r.u32()?);
        let opened = Zeroizing::new(evaluator.open(r.rest(), INFO, &about(&list, epoch))?);
        let mut r = Reader::new(&opened);
        let raw = r.list(Group::ALL.len(), |r| {
            let here = r.clone();
            let group = Group::of(r.u8()?).ok_or_else(|| here.wrong("a group of classes"))?;
            Ok((group, Zeroizing::new(r.array::<32>()?)))
        })?;
        r.end()?;
        let keys = raw.iter().map(|(group, key)| Ok((*group, SecretKey::from_bytes(key)?))).collect::<Result<_, Wrong>>()?;
        Ok(Secret::of(list, epoch, keys))
    }
}

fn about(list: &[u8; 16], epoch: u32) -> Vec<u8> {
    Writer::new().raw(MAGIC).raw(list).u32(epoch).done()
}
