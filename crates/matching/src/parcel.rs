//! A parcel: bytes that one recipient can open, and nobody else (RFC 9180, HPKE in base mode: X25519 with HKDF-SHA256, ChaCha20-Poly1305).
//!
//! It does not say who packed it: parcels travel in signed envelopes.

use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256};
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of the key that a parcel begins with.
const ENCAPPED: usize = 32;
/// Bytes that a parcel is longer than what is in it.
pub const OVERHEAD: usize = ENCAPPED + 16;

/// A public key to pack for.
pub type Address = [u8; 32];

/// The secret that opens parcels: a seed of 32 bytes, from which RFC 9180 derives the key pair. Overwritten when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Opener([u8; 32]);

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Opener(secret)")
    }
}

impl Opener {
    /// From a seed drawn at random.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Opener {
        Opener(seed)
    }

    /// The key that others pack for.
    #[must_use]
    pub fn address(&self) -> Address {
        let (_, public) = X25519HkdfSha256::derive_keypair(&self.0);
        public.to_bytes().into()
    }

    /// What is in a parcel that was packed for us with these labels.
    ///
    /// # Errors
    /// When it is for somebody else, was changed, or has other labels.
    pub fn open(&self, parcel: &[u8], info: &[u8], aad: &[u8]) -> Result<Vec<u8>, Unopened> {
        let (encapped, sealed) = parcel.split_at_checked(ENCAPPED).ok_or(Unopened)?;
        let encapped = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(encapped).map_err(|_| Unopened)?;
        let (secret, _) = X25519HkdfSha256::derive_keypair(&self.0);
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &secret,
            &encapped,
            info,
            sealed,
            aad,
        )
        .map_err(|_| Unopened)
    }
}

/// Why a parcel could not be opened, or not be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parcel cannot be opened with this key: it is for somebody else, or it was changed on the way; ask for it again")]
pub struct Unopened;

/// Packs bytes for whoever holds the secret of `address`. `info` says for what purpose, `aad` what it belongs to: both must be the same when it is
/// opened.
///
/// # Errors
/// When the address is no usable key.
pub fn pack(address: &Address, info: &[u8], aad: &[u8], bytes: &[u8], rng: &mut impl CryptoRng) -> Result<Vec<u8>, Unopened> {
    let public = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(address).map_err(|_| Unopened)?;
    let (encapped, sealed) = hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeS::Base,
        &public,
        info,
        bytes,
        aad,
        rng,
    )
    .map_err(|_| Unopened)?;
    Ok([&encapped.to_bytes()[..], &sealed].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Chance;

    #[test]
    fn only_the_recipient_opens_it_and_only_as_it_was_packed() {
        let (one, other) = (Opener::new([1; 32]), Opener::new([2; 32]));
        let parcel = pack(&one.address(), b"for", b"about", b"what is in it", &mut Chance::of(7));
        let parcel = parcel.unwrap_or_default();
        assert_eq!(parcel.len(), b"what is in it".len() + OVERHEAD);
        assert_eq!(one.open(&parcel, b"for", b"about").as_deref(), Ok(&b"what is in it"[..]));
        assert_eq!(other.open(&parcel, b"for", b"about"), Err(Unopened));
        assert_eq!(one.open(&parcel, b"other", b"about"), Err(Unopened));
        assert_eq!(one.open(&parcel, b"for", b"other"), Err(Unopened));
        for at in 0..parcel.len() {
            let mut changed = parcel.clone();
            changed[at] ^= 1;
            // The top bit of an X25519 key is ignored (RFC 7748), and HPKE binds the key's bytes in the context.
            assert_eq!(one.open(&changed, b"for", b"about"), Err(Unopened), "byte {at}");
        }
        assert_eq!(one.open(&parcel[..20], b"for", b"about"), Err(Unopened));
        assert_eq!(pack(&[0; 32], b"", b"", b"x", &mut Chance::of(1)), Err(Unopened));
    }
}
