//! Sealing to one reader: HPKE (RFC 9180) in base mode with X25519, HKDF-SHA256 and ChaCha20-Poly1305, one message for each sealing. The
//! suite is fixed: nothing is negotiated.

use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::Wrong;

type Suite = X25519HkdfSha256;

/// By how many bytes a sealed piece is longer than what is in it: an X25519 key and a tag.
pub const OVERHEAD: usize = 32 + 16;

/// The secret half of a party's X25519 key.
pub struct SealingKey {
    secret: <Suite as Kem>::PrivateKey,
    public: [u8; 32],
}

impl std::fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealingKey")
    }
}

impl SealingKey {
    /// Derived from 32 secret bytes of chance (RFC 9180, section 7.1.3).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> SealingKey {
        let (secret, public) = Suite::derive_keypair(seed);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&public.to_bytes());
        SealingKey { secret, public: bytes }
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> [u8; 32] {
        self.public
    }

    /// What was sealed to this key under the same info and beside the same data.
    ///
    /// # Errors
    /// When it was sealed to another key, for something else, or changed.
    pub fn open(&self, sealed: &[u8], info: &[u8], beside: &[u8]) -> Result<Zeroizing<Vec<u8>>, Wrong> {
        let (key, sealed) = sealed.split_at_checked(32).ok_or(Wrong::Sealed)?;
        let key = <Suite as Kem>::EncappedKey::from_bytes(key).map_err(|_| Wrong::Sealed)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, Suite>(&OpModeR::Base, &self.secret, &key, info, sealed, beside)
            .map(Zeroizing::new)
            .map_err(|_| Wrong::Sealed)
    }
}

/// Seals to a public key.
///
/// # Errors
/// When the key is none.
pub fn seal(to: &[u8; 32], info: &[u8], beside: &[u8], inside: &[u8], rng: &mut impl CryptoRng) -> Result<Vec<u8>, Wrong> {
    let to = <Suite as Kem>::PublicKey::from_bytes(to).map_err(|_| Wrong::Sealed)?;
    let (key, sealed) =
        hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Suite>(&OpModeS::Base, &to, info, inside, beside, rng)
            .map_err(|_| Wrong::Sealed)?;
    Ok([&key.to_bytes()[..], &sealed].concat())
}
