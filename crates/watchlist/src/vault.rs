//! Secrets at rest: bytes under a key that is kept apart from them (ChaCha20-Poly1305, RFC 8439), and keys that follow from a passphrase
//! (Argon2id, RFC 9106).

use rand_core::CryptoRng;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::chance;

/// A key of 32 bytes, overwritten when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 32]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(secret)")
    }
}

/// Why sealed bytes could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// Another key, another purpose, or changed bytes.
    #[error("it cannot be opened: the key or the passphrase is another one, or the file was changed")]
    Wrong,
    /// The passphrase is too short to protect anything.
    #[error("a passphrase has at least 12 characters")]
    Short,
}

/// How much work a passphrase costs: 64 MiB, three passes, one lane (RFC 9106, 4: second recommended option).
const MEMORY: u32 = 64 * 1024;
const PASSES: u32 = 3;

impl Key {
    /// Of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Key {
        Key(bytes)
    }

    /// A new one.
    pub fn draw(rng: &mut impl CryptoRng) -> Key {
        Key(chance::draw(rng))
    }

    /// The one that follows from a passphrase and a salt.
    ///
    /// # Errors
    /// When the passphrase is too short.
    pub fn of_passphrase(passphrase: &str, salt: &[u8; 16]) -> Result<Key, Closed> {
        if passphrase.chars().count() < 12 {
            return Err(Closed::Short);
        }
        let params = argon2::Params::new(MEMORY, PASSES, 1, Some(32)).map_err(|_| Closed::Wrong)?;
        let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let mut key = Key([0; 32]);
        argon.hash_password_into(passphrase.as_bytes(), salt, &mut key.0).map_err(|_| Closed::Wrong)?;
        Ok(key)
    }

    /// Its bytes, to write into a file of its own.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals bytes for one purpose: `nonce (12) || sealed || tag (16)`. Nonces are drawn, so one key seals at most 2^32 times.
    pub fn seal(&self, purpose: &str, bytes: &[u8], rng: &mut impl CryptoRng) -> Vec<u8> {
        let nonce: [u8; 12] = chance::draw(rng);
        let mut out = Vec::with_capacity(12 + bytes.len() + 16);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(bytes);
        // A key of 32 bytes is one; sealing fails for more than 256 GiB alone, which no file of ours is.
        if let Some(key) = self.aead()
            && let Ok(tag) =
                key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut out[12..])
        {
            out.extend_from_slice(tag.as_ref());
            out
        } else {
            out.zeroize();
            Vec::new()
        }
    }

    /// What was sealed for this purpose.
    ///
    /// # Errors
    /// When key or purpose are others, or a byte was changed.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Closed> {
        let (nonce, sealed) = sealed.split_at_checked(12).ok_or(Closed::Wrong)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Closed::Wrong)?;
        let mut bytes = Zeroizing::new(sealed.to_vec());
        let key = self.aead().ok_or(Closed::Wrong)?;
        let length = key.open_in_place(nonce, Aad::from(purpose), &mut bytes).map_err(|_| Closed::Wrong)?.len();
        bytes.truncate(length);
        Ok(bytes)
    }

    fn aead(&self) -> Option<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).ok().map(LessSafeKey::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use matching::testing::Chance;

    #[test]
    fn only_the_same_key_and_purpose_open_it() {
        let (key, other) = (Key::new([1; 32]), Key::new([2; 32]));
        let sealed = key.seal("cache", b"what is kept", &mut Chance::of(1));
        assert_eq!(key.open("cache", &sealed).as_deref().map(Vec::as_slice), Ok(&b"what is kept"[..]));
        assert_eq!(key.open("pending", &sealed).err(), Some(Closed::Wrong));
        assert_eq!(other.open("cache", &sealed).err(), Some(Closed::Wrong));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open("cache", &changed).is_err());
        }
        assert!(key.open("cache", &[]).is_err());
    }

    #[test]
    fn a_passphrase_needs_length_and_its_salt() {
        let key = |text, salt| Key::of_passphrase(text, &[salt; 16]).map(|key| *key.bytes());
        assert_eq!(key("short", 1), Err(Closed::Short));
        assert_eq!(key("a long passphrase", 1), key("a long passphrase", 1));
        assert_ne!(key("a long passphrase", 1), key("a long passphrase", 2));
    }
}
