//! Ed25519, by one strict rule that every verifier of ours uses.

use ed25519_dalek::{Signature, VerifyingKey};

/// Whether `signature` (R and S, 64 bytes) is that of `key` over `message`, by the strictest common reading of RFC 8032:
///
/// 1. The key A and the point R are canonical: the y coordinate is less than the prime 2^255-19.
/// 2. Neither A nor R has a low order (1, 2, 4 or 8): such a key would accept signatures that nobody made.
/// 3. S is canonical: less than the order of the group, 2^252+27742317777372353535851937790883648493.
/// 4. R, byte for byte, is the encoding of `[S]B - [H(R, A, message)]A` (the equation without cofactor).
///
/// Keys of mixed order are not refused as such: that would ask for arithmetic which a browser does not offer, and rule 4 gives
/// one answer about them everywhere. Rules 1 to 3 are comparisons of bytes, so that a second verifier can hold the same rule
/// whatever its library accepts.
#[must_use]
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Some((r, s)) = signature.split_first_chunk::<32>() else { return false };
    let Ok(s) = <&[u8; 32]>::try_from(s) else { return false };
    if !plain_point(key) || !plain_point(r) || !less(s, &GROUP_ORDER) {
        return false;
    }
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    key.verify_strict(message, &Signature::from_components(*r, *s)).is_ok()
}

/// Whether a key may be trusted at all: rules 1 and 2 of [`verify`], and that it is a point of the curve.
#[must_use]
pub fn is_sound_key(key: &[u8; 32]) -> bool {
    plain_point(key) && VerifyingKey::from_bytes(key).is_ok()
}

/// 2^255-19, little-endian, as RFC 8032 writes numbers.
const PRIME: [u8; 32] = {
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    prime
};

/// Order of the group, little-endian.
const GROUP_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, //
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The y coordinates of the eight points of low order, little-endian: 0 (order 4), 1 (order 1), -1 (order 2), and the two of order 8.
const LOW_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = PRIME;
        minus_one[0] = 0xec;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, //
        0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, //
        0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether these 32 bytes encode a point canonically, and not one of low order. The highest bit is the sign of x; the
/// encodings in which the sign of x = 0 is wrong are of low order, hence refused with them.
fn plain_point(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    less(&y, &PRIME) && !LOW_ORDER.contains(&y)
}

/// Whether one little-endian number is less than another.
fn less(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().rev().lt(other.iter().rev())
}
