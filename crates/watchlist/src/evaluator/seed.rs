//! The secret of an epoch: one seed, from which the key of each group follows. The list holder draws it and builds the list with it; the
//! evaluator gets it in a parcel and nothing else of the list.

use matching::bytes::{Reader, Writer};
use matching::parcel::{Address, Opener, Unopened, pack};
use matching::token::Group;
use matching::voprf::{SecretKey, Wrong};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Error;
use crate::chance;

const MAGIC: &[u8; 8] = b"SLUEPOC1";
const INFO: &[u8] = b"sluis/v1/epoch-seed";

/// The secret of an epoch. Whoever has it and the published list can try any dictionary on the list.
#[derive(Clone)]
pub struct Seed {
    /// The publication.
    pub list: [u8; 16],
    /// The epoch.
    pub epoch: u32,
    seed: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seed").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl Seed {
    /// A fresh one.
    pub fn draw(list: [u8; 16], epoch: u32, rng: &mut impl CryptoRng) -> Seed {
        Seed { list, epoch, seed: Zeroizing::new(chance::draw(rng)) }
    }

    /// One that was kept.
    #[must_use]
    pub fn of(list: [u8; 16], epoch: u32, seed: [u8; 32]) -> Seed {
        Seed { list, epoch, seed: Zeroizing::new(seed) }
    }

    /// Its bytes, to be kept where nobody else reads them.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.seed
    }

    /// The key of a group: `DeriveKeyPair(seed, "sluis/v1/oprf" || epoch u32 || group u8)` (RFC 9497, 3.2.1).
    ///
    /// # Errors
    /// When the seed yields none, which happens once in 2^252.
    pub fn secret(&self, group: Group) -> Result<SecretKey, Wrong> {
        let info = Writer::new().raw(b"sluis/v1/oprf").u32(self.epoch).u8(group as u8).done();
        SecretKey::derive(&self.seed, &info)
    }

    /// The parcel for an evaluator: only its key opens it.
    ///
    /// # Errors
    /// When the address is no usable key.
    pub fn parcel(&self, evaluator: &Address, rng: &mut impl CryptoRng) -> Result<Vec<u8>, Unopened> {
        let about = self.about();
        Ok([about.clone(), pack(evaluator, INFO, &about, &*self.seed, rng)?].concat())
    }

    /// What is in a parcel.
    ///
    /// # Errors
    /// When it is none, or for somebody else. Whether it belongs to a manifest is seen from the manifest's public keys.
    pub fn open(parcel: &[u8], evaluator: &Opener) -> Result<Seed, Error> {
        let mut r = Reader::new(parcel);
        let here = r.clone();
        if r.raw(8)? != MAGIC {
            return Err(here.wrong("the keys of an epoch").into());
        }
        let (list, epoch) = (r.array()?, r.u32()?);
        let about = Seed::of(list, epoch, [0; 32]).about();
        let opened = Zeroizing::new(evaluator.open(r.rest(), INFO, &about)?);
        let seed = opened.as_slice().try_into().map_err(|_| here.wrong("a seed of 32 bytes"))?;
        Ok(Seed::of(list, epoch, seed))
    }

    fn about(&self) -> Vec<u8> {
        Writer::new().raw(MAGIC).raw(&self.list).u32(self.epoch).done()
    }
}
