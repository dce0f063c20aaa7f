//! How everything in a list is encrypted: keys by HKDF-SHA-256 (RFC 5869), each for one piece, ChaCha20 (RFC 8439) under it, and an untruncated
//! HMAC-SHA-256 over it.
//!
//! Not an AEAD of the usual kind: ChaCha20-Poly1305 and GCM do not commit to their key, so a record could be crafted that opens to one entry
//! for one customer and to another for the next (Dodis, Grubbs, Ristenpart, Woodage, CRYPTO 2018). To do so here is to find a collision of
//! SHA-256 (M4).

use chacha20::{
    ChaCha20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{ListId, Output, RECORD, STATUS, Status};
use crate::token::Class;

/// A secret of 32 bytes, wiped when it is let go.
pub type Key = Zeroizing<[u8; 32]>;
/// What a record is found by.
pub type Tag = [u8; 16];
/// What makes the keys of one body its own: 16 random bytes in its header. A holder whose state was put back from a copy, or a desk and a holder
/// who make the delta of one number, then still never use a keystream twice (M4).
pub(super) type Salt = [u8; 16];

type Prf = Hmac<Sha256>;

/// Bytes of what a record encrypts: `key 32 | slot u32 | flags u16 | family u8 | class u8 | zero 8`.
const CLEAR: usize = 48;
/// Bytes of what a slot of a table encrypts: `status u8 | since i64 | zero 23`.
const CLEAR_STATUS: usize = STATUS - 32;
/// Flag of a record: its key opens the reason as well.
const FULL: u16 = 1;

/// HMAC under a key. `None` cannot happen: HMAC takes a key of any length.
fn prf(key: &[u8]) -> Option<Prf> {
    Prf::new_from_slice(key).ok()
}

/// HKDF-Extract, the salt made ready once for many tokens.
#[derive(Clone)]
pub(super) struct Extractor(Prf);

impl Extractor {
    pub(super) fn new() -> Option<Extractor> {
        prf(b"sluis/v1").map(Extractor)
    }

    /// What every key of a token comes from.
    pub(super) fn prk(&self, output: &Output) -> Key {
        let mut mac = self.0.clone();
        mac.update(output);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// HKDF-Expand of one or two blocks: as many bytes as asked, at most 64.
fn expand(prk: &Prf, info: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let mut out = Zeroizing::new([0; 64]);
    let first = block(prk, &[], info, 1);
    let second = block(prk, &*first, info, 2);
    out[..32].copy_from_slice(&*first);
    out[32..].copy_from_slice(&*second);
    out
}

/// T(i) = HMAC(PRK, T(i-1) | info | i), RFC 5869 2.3.
fn block(prk: &Prf, before: &[u8], info: &[&[u8]], number: u8) -> Key {
    let mut mac = prk.clone();
    mac.update(before);
    for part in info {
        mac.update(part);
    }
    mac.update(&[number]);
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// The keys of one token: what follows from its output.
#[derive(Clone)]
pub(super) struct TokenKeys(Prf);

impl TokenKeys {
    pub(super) fn of(prk: &Key) -> Option<TokenKeys> {
        prf(&**prk).map(TokenKeys)
    }

    /// Of one output.
    pub(super) fn of_output(output: &Output) -> Option<TokenKeys> {
        TokenKeys::of(&Extractor::new()?.prk(output))
    }

    /// The tag of the `j`-th record of this token.
    pub(super) fn tag(&self, list: &ListId, epoch: u32, j: u32) -> Tag {
        let whole = block(&self.0, &[], &[b"sluis/v1/tag", list, &epoch.to_be_bytes(), &j.to_be_bytes()], 1);
        let mut tag = [0; 16];
        tag.copy_from_slice(&whole[..16]);
        tag
    }

    fn record(&self, place: &Place<'_>) -> Pair {
        Pair::of(&expand(
            &self.0,
            &[b"sluis/v1/rec", place.list, &place.epoch.to_be_bytes(), &place.number.to_be_bytes(), place.salt],
        ))
    }

    /// The record of a tag at its place.
    pub(super) fn seal(&self, place: &Place<'_>, tag: &Tag, found: &Found) -> [u8; RECORD] {
        let pair = self.record(place);
        let mut clear = Zeroizing::new([0; CLEAR]);
        clear[..32].copy_from_slice(&*found.key);
        clear[32..36].copy_from_slice(&found.slot.to_be_bytes());
        clear[36..38].copy_from_slice(&(if found.full { FULL } else { 0 }).to_be_bytes());
        clear[38] = found.family;
        clear[39] = found.class as u8;
        pair.apply(&mut *clear);
        let mut record = [0; RECORD];
        let (head, mac) = record.split_at_mut(64);
        head[..16].copy_from_slice(tag);
        head[16..].copy_from_slice(&*clear);
        mac.copy_from_slice(&pair.mac(&[place.list, &place.number.to_be_bytes(), head]));
        record
    }

    /// What a record holds, if it was made for this token at this place.
    pub(super) fn open(&self, place: &Place<'_>, record: &[u8; RECORD]) -> Option<Found> {
        let pair = self.record(place);
        let (head, mac) = record.split_at(64);
        if !pair.is_mac(&[place.list, &place.number.to_be_bytes(), head], mac) {
            return None;
        }
        let mut clear = Zeroizing::new([0; CLEAR]);
        clear.copy_from_slice(&head[16..]);
        pair.apply(&mut *clear);
        let (key, rest) = clear.split_first_chunk::<32>()?;
        let &[a, b, c, d, flags_a, flags_b, family, class, ref zero @ ..] = rest else { return None };
        let (class, flags) = (Class::of(class)?, u16::from_be_bytes([flags_a, flags_b]));
        // One meaning has one encoding: a name that carries the whole entry, or an identifier that does not, was not made by the format.
        if flags & !FULL != 0 || (flags == FULL) != class.is_strong() || zero.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Found { key: Zeroizing::new(*key), slot: u32::from_be_bytes([a, b, c, d]), full: flags == FULL, family, class })
    }
}

/// The tag under which a token is found first: what a provider keeps of it beside the output. Zero for nothing.
#[must_use]
pub fn tag(output: &Output, list: &ListId, epoch: u32) -> Tag {
    TokenKeys::of_output(output).map_or([0; 16], |keys| keys.tag(list, epoch, 0))
}

/// Where a record stands.
pub(super) struct Place<'a> {
    pub(super) list: &'a ListId,
    pub(super) epoch: u32,
    pub(super) number: u64,
    pub(super) salt: &'a Salt,
}

/// What a record leads to.
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) slot: u32,
    pub(super) full: bool,
    pub(super) family: u8,
    pub(super) class: Class,
}

/// A key for one keystream and one for its MAC, used once.
struct Pair {
    cipher: Key,
    mac: Key,
}

impl Pair {
    fn of(bytes: &[u8; 64]) -> Pair {
        let (mut cipher, mut mac) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        cipher.copy_from_slice(&bytes[..32]);
        mac.copy_from_slice(&bytes[32..]);
        Pair { cipher, mac }
    }

    /// Encrypts or decrypts. The nonce is zero, since the key is of this one piece.
    fn apply(&self, bytes: &mut [u8]) {
        ChaCha20::new((&*self.cipher).into(), &[0; 12].into()).apply_keystream(bytes);
    }

    fn keyed(&self, parts: &[&[u8]]) -> Option<Prf> {
        let mut mac = prf(&*self.mac)?;
        for part in parts {
            mac.update(part);
        }
        Some(mac)
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.keyed(parts).map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    /// In constant time.
    fn is_mac(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.keyed(parts).is_some_and(|keyed| keyed.verify_slice(mac).is_ok())
    }
}

/// What opens the capsule alone, from what opens all.
pub(super) fn compare_key(full: &Key) -> Key {
    prf(&**full).map_or_else(Key::default, |prk| block(&prk, &[], &[b"sluis/v1/cmp"], 1))
}

/// Which part of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Capsule,
    Reason,
}

/// Where a part of an entry, or its status, stands.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) list: &'a ListId,
    pub(super) salt: &'a Salt,
    pub(super) slot: u32,
}

impl Slot<'_> {
    fn part(&self, key: &Key, part: Part) -> Option<Pair> {
        let label: &[u8] = match part {
            Part::Capsule => b"sluis/v1/capsule",
            Part::Reason => b"sluis/v1/reason",
        };
        Some(Pair::of(&expand(&prf(&**key)?, &[label, self.list, &self.slot.to_be_bytes(), self.salt])))
    }

    /// Writes `proof` and `clear` into a part of fixed size: `length | proof | length | clear | zeros`, encrypted, and a MAC. Says whether it fitted.
    pub(super) fn seal_part(&self, key: &Key, part: Part, clear: &[u8], proof: &[u8], out: &mut [u8]) -> bool {
        let Some(pair) = self.part(key, part) else { return false };
        let Some((inside, mac)) = out.split_last_chunk_mut::<32>() else { return false };
        let written = crate::bytes::Writer::new().bytes(proof).bytes(clear).done();
        let Some(rest) = inside.len().checked_sub(written.len()) else { return false };
        let (head, tail) = inside.split_at_mut(written.len());
        head.copy_from_slice(&written);
        debug_assert_eq!(tail.len(), rest);
        tail.fill(0);
        pair.apply(inside);
        *mac = pair.mac(&[self.list, &self.slot.to_be_bytes(), inside]);
        true
    }

    /// What a part holds, `(clear, proof)`, if it was made under this key for this slot.
    pub(super) fn open_part(&self, key: &Key, part: Part, bytes: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
        let pair = self.part(key, part)?;
        let (inside, mac) = bytes.split_last_chunk::<32>()?;
        if !pair.is_mac(&[self.list, &self.slot.to_be_bytes(), inside], mac) {
            return None;
        }
        let mut inside = Zeroizing::new(inside.to_vec());
        pair.apply(&mut inside);
        let mut r = crate::bytes::Reader::new(&inside);
        let (proof, clear) = (r.bytes(bytes.len()).ok()?, r.bytes(bytes.len()).ok()?);
        r.rest().iter().all(|byte| *byte == 0).then(|| (clear.to_vec(), proof.to_vec()))
    }

    fn status(&self, key: &Key, seq: u64) -> Option<Pair> {
        let info: [&[u8]; 5] = [b"sluis/v1/status", self.list, &seq.to_be_bytes(), &self.slot.to_be_bytes(), self.salt];
        Some(Pair::of(&expand(&prf(&**key)?, &info)))
    }

    /// The status of an entry in the table of delta `seq`, under its comparison key.
    pub(super) fn seal_status(&self, key: &Key, seq: u64, status: Status, since: i64) -> Option<[u8; STATUS]> {
        let pair = self.status(key, seq)?;
        let mut out = [0; STATUS];
        let (inside, mac) = out.split_at_mut(CLEAR_STATUS);
        inside[0] = status as u8;
        inside[1..9].copy_from_slice(&since.to_be_bytes());
        pair.apply(inside);
        mac.copy_from_slice(&pair.mac(&[self.list, &seq.to_be_bytes(), &self.slot.to_be_bytes(), inside]));
        Some(out)
    }

    /// What the table of delta `seq` says of an entry.
    pub(super) fn open_status(&self, key: &Key, seq: u64, bytes: &[u8; STATUS]) -> Option<(Status, i64)> {
        let pair = self.status(key, seq)?;
        let (inside, mac) = bytes.split_at(CLEAR_STATUS);
        if !pair.is_mac(&[self.list, &seq.to_be_bytes(), &self.slot.to_be_bytes(), inside], mac) {
            return None;
        }
        let mut inside = <[u8; CLEAR_STATUS]>::try_from(inside).ok()?;
        pair.apply(&mut inside);
        let [status, a, b, c, d, e, f, g, h, zero @ ..] = inside;
        let since = i64::from_be_bytes([a, b, c, d, e, f, g, h]);
        zero.iter().all(|byte| *byte == 0).then_some(())?;
        Some((Status::of(status)?, since))
    }
}

/// Random bytes without end from 32: what dummies are made of.
pub(super) struct Chaff(ChaCha20);

impl Chaff {
    pub(super) fn new(seed: &Key) -> Chaff {
        Chaff(ChaCha20::new((&**seed).into(), &[0; 12].into()))
    }

    /// Bytes that nobody can tell from encrypted ones.
    pub(super) fn fill(&mut self, out: &mut [u8]) {
        out.fill(0);
        self.0.apply_keystream(out);
    }
}
