//! Poly1305 (RFC 8439), slowly and for tests alone: to craft what ChaCha20-Poly1305 opens under two keys, and to show that a record is not that.

use std::cmp::Ordering;

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};

/// A number below 2^132: high and low half.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Number(u8, u128);

/// 2^130 - 5.
const P: Number = Number(3, u128::MAX - 4);

impl Number {
    fn plus(self, other: Number) -> Number {
        let (low, carry) = self.1.overflowing_add(other.1);
        Number(self.0 + other.0 + u8::from(carry), low).reduced()
    }

    fn minus(self, other: Number) -> Number {
        let (low, borrow) = P.1.overflowing_sub(other.reduced().1);
        self.plus(Number(P.0 - other.reduced().0 - u8::from(borrow), low))
    }

    fn reduced(self) -> Number {
        match self.cmp(&P) {
            Ordering::Less => self,
            _ => {
                let (low, borrow) = self.1.overflowing_sub(P.1);
                Number(self.0 - P.0 - u8::from(borrow), low).reduced()
            }
        }
    }

    fn times(self, other: Number) -> Number {
        (0..131).rev().fold(Number(0, 0), |sum, bit| {
            let sum = sum.plus(sum);
            let set = if bit < 128 { self.1 >> bit & 1 == 1 } else { self.0 >> (bit - 128) & 1 == 1 };
            if set { sum.plus(other) } else { sum }
        })
    }

    /// By Fermat.
    fn inverse(self) -> Number {
        let exponent = Number(P.0, P.1 - 2);
        (0..130).rev().fold(Number(0, 1), |power, bit| {
            let power = power.times(power);
            let set = if bit < 128 { exponent.1 >> bit & 1 == 1 } else { exponent.0 >> (bit - 128) & 1 == 1 };
            if set { power.times(self) } else { power }
        })
    }
}

/// A whole block of 16 bytes, with the bit that RFC 8439 sets above it.
fn block(bytes: &[u8; 16]) -> Number {
    Number(1, u128::from_le_bytes(*bytes)).reduced()
}

fn clamped(r: [u8; 16]) -> Number {
    Number(0, u128::from_le_bytes(r) & 0x0fff_fffc_0fff_fffc_0fff_fffc_0fff_ffff)
}

fn sum(r: Number, blocks: &[Number]) -> Number {
    blocks.iter().fold(Number(0, 0), |sum, block| sum.plus(*block).times(r))
}

/// `(r, s)` of ChaCha20-Poly1305 under a key and nonce zero.
fn one_time(key: &[u8; 32]) -> (Number, u128) {
    let mut bytes = [0; 32];
    ChaCha20::new(key.into(), &[0; 12].into()).apply_keystream(&mut bytes);
    let (r, s) = bytes.split_at(16);
    (clamped(r.try_into().unwrap()), u128::from_le_bytes(s.try_into().unwrap()))
}

fn lengths() -> [u8; 16] {
    let mut lengths = [0; 16];
    lengths[8] = 48;
    lengths
}

/// The tag of 48 bytes of ciphertext without associated data (RFC 8439, 2.8).
pub(super) fn tag(key: &[u8; 32], ct: &[u8; 48]) -> [u8; 16] {
    let (r, s) = one_time(key);
    let mut blocks: Vec<Number> = ct.as_chunks().0.iter().map(block).collect();
    blocks.push(block(&lengths()));
    sum(r, &blocks).1.wrapping_add(s).to_le_bytes()
}

/// 48 bytes of ciphertext with one tag under two keys: what "not committing" means. The last two blocks begin as given.
pub(super) fn two_keys(first: &[u8; 32], second: &[u8; 32], mut ct: [u8; 48]) -> [u8; 48] {
    let ((r1, s1), (r2, s2)) = (one_time(first), one_time(second));
    // tag = c1 r^4 + c2 r^3 + c3 r^2 + length r + s: linear in c1. Some other c3 when c1 is no block, or the sums wrap differently.
    let power = |r: Number| r.times(r).times(r.times(r));
    let slope = power(r1).minus(power(r2)).inverse();
    for counter in 0u32.. {
        ct[44..].copy_from_slice(&counter.to_le_bytes());
        let rest = |r: Number| {
            let [_, c2, c3] = ct.as_chunks::<16>().0 else { unreachable!("48 bytes") };
            sum(r, &[Number(0, 0), block(c2), block(c3), block(&lengths())])
        };
        let wanted = rest(r2).plus(Number(0, s2)).minus(rest(r1).plus(Number(0, s1)));
        let c1 = wanted.times(slope);
        if c1.0 == 1 {
            ct[..16].copy_from_slice(&c1.1.to_le_bytes());
            if tag(first, &ct) == tag(second, &ct) {
                return ct;
            }
        }
    }
    unreachable!("a few tries are enough")
}

#[test]
fn poly1305_is_that_of_rfc_8439() {
    // 2.5.2, its last block being two bytes.
    let r = clamped(*b"\x85\xd6\xbe\x78\x57\x55\x6d\x33\x7f\x44\x52\xfe\x42\xd5\x06\xa8");
    let s = u128::from_le_bytes(*b"\x01\x03\x80\x8a\xfb\x0d\xb2\xfd\x4a\xbf\xf6\xaf\x41\x49\xf5\x1b");
    let mut blocks: Vec<Number> = b"Cryptographic Forum Research Gro".as_chunks().0.iter().map(block).collect();
    blocks.push(Number(0, u128::from(u32::from_le_bytes(*b"up\x01\x00"))));
    let tag = sum(r, &blocks).1.wrapping_add(s).to_le_bytes();
    assert_eq!(tag, *b"\xa8\x06\x1d\xc1\x30\x51\x36\xc6\xc2\x2b\x8b\xaf\x0c\x01\x27\xa9");
}
