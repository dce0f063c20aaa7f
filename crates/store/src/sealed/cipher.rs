//! The encryption of a record's values: each field under a key of its own.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::Error;
use crate::keys::Key;

/// What is bound to a ciphertext: the number of the record and the ordinal of the field.
fn bound(number: i64, ordinal: u8) -> [u8; 9] {
    let mut bytes = [ordinal; 9];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Encrypts the value of a field (AES-256-GCM), in place. A key is used for one field of one record, and the nonce is random for
/// each attempt to seal that.
///
/// # Errors
/// [`Error::Damaged`] when the value is too long for the cipher.
pub fn close(key: &Key, nonce: &[u8; 12], number: i64, ordinal: u8, value: &mut Vec<u8>) -> Result<(), Error> {
    let failed = |_| Error::Damaged("a value could not be encrypted".to_owned());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(failed)?);
    let nonce = Nonce::assume_unique_for_key(*nonce);
    key.seal_in_place_append_tag(nonce, Aad::from(bound(number, ordinal)), value).map_err(failed)
}

/// Opens what [`close`] closed; `None` when it is not that.
pub fn open(key: &Key, nonce: &[u8; 12], number: i64, ordinal: u8, closed: &[u8]) -> Option<Vec<u8>> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let mut value = closed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let plain = key.open_in_place(nonce, Aad::from(bound(number, ordinal)), &mut value).ok()?.len();
    value.truncate(plain);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_opens_under_its_own_key_nonce_and_place_only() {
        let mut value = b"Voorbeeld B.V.".to_vec();
        close(&[1; 32], &[2; 12], 3, 4, &mut value).unwrap();
        assert_eq!(open(&[1; 32], &[2; 12], 3, 4, &value).unwrap(), b"Voorbeeld B.V.");
        for (key, nonce, number, ordinal) in [(9, 2, 3, 4), (1, 9, 3, 4), (1, 2, 9, 4), (1, 2, 3, 9)] {
            assert_eq!(open(&[key; 32], &[nonce; 12], number, ordinal, &value), None);
        }
        assert_eq!(open(&[1; 32], &[2; 12], 3, 4, b"short"), None);
    }
}
