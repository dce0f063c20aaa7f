//! Private comparison and private counts. Bytes only: this room names no other room, asks no clock and reads no file.
//!
//! [`voprf`] is the mathematics, [`token`] what is compared, [`envelope`] and [`message`] what travels, [`list`] what the list holder publishes
//! and a provider opens, [`compare`] how alike two names are, [`tally`] the counts. `docs/matching.md` has every byte and every assumption.

pub mod bytes;
pub mod compare;
pub mod envelope;
pub mod list;
pub mod message;
pub mod parcel;
pub mod tally;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod token;
pub mod voprf;

/// A SHA-256 digest.
pub type Digest = [u8; 32];

/// SHA-256 of the parts, one after another.
#[must_use]
pub fn sha256(parts: &[&[u8]]) -> Digest {
    use sha2::Digest as _;
    let mut hash = sha2::Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}
