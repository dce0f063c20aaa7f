//! Sealed records: kinds and their fields, salted digests, the commitment, slots, and the entry of the log.
//!
//! `docs/seal.md` 2 states the bytes. Nothing here knows what a case is.

mod kinds;

use sha2::{Digest, Sha256};

pub use kinds::{ALWAYS, BATCH, ERASURE, EVIDENCE, FIELDS, ISSUED, KINDS, Kind, OPENED, REPORT, STEP, kind_of};

use crate::seed::hmac;

/// A SHA-256.
pub type Hash = [u8; 32];

/// Bytes of the entry of a sealed record.
pub const ENTRY: usize = 66;
/// Most fields of a record, decoys counted: ordinal 31 is a stream's secret.
pub const MOST_FIELDS: usize = 32;
/// Most bytes of a value.
pub const MOST_BYTES: usize = 64 << 20;

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Type {
    /// Nothing: the record lacks this field.
    Absent = 0,
    /// UTF-8.
    Text = 1,
    /// Big-endian.
    Number = 2,
    /// Milliseconds since 1970 in UTC, big-endian, signed.
    Time = 3,
    /// Any.
    Bytes = 4,
    /// Thirty-two.
    Digest = 5,
    /// Texts.
    List = 6,
}

impl Type {
    /// The type of its number.
    pub fn of(number: u8) -> Option<Type> {
        [Type::Absent, Type::Text, Type::Number, Type::Time, Type::Bytes, Type::Digest, Type::List]
            .into_iter()
            .find(|one| *one as u8 == number)
    }
}

/// The value of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// The record lacks this field.
    #[default]
    Absent,
    /// See [`clean`] for what may be in it.
    Text(String),
    /// A number.
    Number(u64),
    /// Milliseconds since 1970 in UTC.
    Time(i64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A SHA-256.
    Digest(Hash),
    /// Texts, each as above.
    List(Vec<String>),
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Value::Absent => Type::Absent,
            Value::Text(_) => Type::Text,
            Value::Number(_) => Type::Number,
            Value::Time(_) => Type::Time,
            Value::Bytes(_) => Type::Bytes,
            Value::Digest(_) => Type::Digest,
            Value::List(_) => Type::List,
        }
    }

    /// Its bytes, as they are hashed.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Value::Absent => Vec::new(),
            Value::Text(text) => text.as_bytes().to_vec(),
            Value::Number(number) => number.to_be_bytes().to_vec(),
            Value::Time(time) => time.to_be_bytes().to_vec(),
            Value::Bytes(bytes) => bytes.clone(),
            Value::Digest(digest) => digest.to_vec(),
            Value::List(items) => {
                let mut bytes = (items.len() as u16).to_be_bytes().to_vec();
                for item in items {
                    bytes.extend_from_slice(&(item.len() as u16).to_be_bytes());
                    bytes.extend_from_slice(item.as_bytes());
                }
                bytes
            }
        }
    }

    /// The value of some bytes; `None` when they are not one of this type, or not the one way to write it.
    pub fn decode(kind: Type, bytes: &[u8]) -> Option<Value> {
        if bytes.len() > MOST_BYTES {
            return None;
        }
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| is_clean(text)).map(str::to_owned);
        Some(match kind {
            Type::Absent => bytes.is_empty().then_some(Value::Absent)?,
            Type::Text => Value::Text(text(bytes)?),
            Type::Number => Value::Number(u64::from_be_bytes(bytes.try_into().ok()?)),
            Type::Time => Value::Time(i64::from_be_bytes(bytes.try_into().ok()?)),
            Type::Bytes => Value::Bytes(bytes.to_vec()),
            Type::Digest => Value::Digest(bytes.try_into().ok()?),
            Type::List => {
                let (count, mut rest) = bytes.split_first_chunk::<2>()?;
                let mut items = Vec::new();
                for _ in 0..u16::from_be_bytes(*count) {
                    let (length, after) = rest.split_first_chunk::<2>()?;
                    let (item, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
                    items.push(text(item)?);
                    rest = after;
                }
                rest.is_empty().then_some(Value::List(items))?
            }
        })
    }

    /// A text as it may be sealed; absent when there is nothing in it.
    pub fn text(text: &str) -> Value {
        let text = clean(text);
        if text.is_empty() { Value::Absent } else { Value::Text(text) }
    }

    /// Texts as they may be sealed; absent when there are none. What is beyond 65,535 texts, or of a text beyond as many
    /// bytes, is left out.
    pub fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> Value {
        let short = |item: &str| {
            let mut item = clean(item);
            while item.len() > usize::from(u16::MAX) {
                item.pop();
            }
            item
        };
        let items: Vec<String> = items.into_iter().take(usize::from(u16::MAX)).map(short).collect();
        if items.is_empty() { Value::Absent } else { Value::List(items) }
    }
}

/// Whether a character may be sealed: no control characters but LF, and nothing that turns the direction of a line
/// (Unicode property Bidi_Control), so that no value imitates a line of the verifier.
pub fn is_sealable(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter == '\n' || !(letter.is_control() || turns || matches!(letter, '\u{2028}' | '\u{2029}'))
}

/// Whether all of a text may be sealed.
pub fn is_clean(text: &str) -> bool {
    // Most is plain ASCII, and need not be taken apart into letters.
    text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) || text.chars().all(is_sealable)
}

/// A text as it may be sealed: what may not be becomes U+FFFD.
pub fn clean(text: &str) -> String {
    if is_clean(text) {
        return text.to_owned();
    }
    text.chars().map(|letter| if is_sealable(letter) { letter } else { '\u{fffd}' }).collect()
}

/// The salted digest of a field.
pub fn field_digest(salt: &Hash, name: &str, kind: Type, bytes: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sluis/field/v1\0");
    hash.update(salt);
    hash.update([name.len() as u8]);
    hash.update(name);
    hash.update([kind as u8]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
    hash.finalize().into()
}

/// The digest of a decoy.
pub fn decoy_digest(salt: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sluis/decoy/v1\0");
    hash.update(salt);
    hash.finalize().into()
}

/// The commitment of a record of a kind to its fields and decoys.
pub fn commitment(kind: u16, digests: &[Hash]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sluis/record/v1\0");
    hash.update(kind.to_be_bytes());
    hash.update((digests.len() as u16).to_be_bytes());
    digests.iter().for_each(|digest| hash.update(digest));
    hash.finalize().into()
}

/// The commitment to the secret of a stream, for its first record.
pub fn secret_commitment(secret: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"sluis/secret/v1\0");
    hash.update(secret);
    hash.finalize().into()
}

/// The slot of a stream's record.
pub fn slot(secret: &Hash, seq: u64) -> Hash {
    hmac(secret, &[b"sluis/slot/v1", &seq.to_be_bytes()])
}

/// The entry of a sealed record.
pub fn entry(slot: &Hash, commitment: &Hash) -> [u8; ENTRY] {
    let mut bytes = [1; ENTRY];
    bytes[2..34].copy_from_slice(slot);
    bytes[34..].copy_from_slice(commitment);
    bytes
}

/// A record before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its kind.
    pub kind: &'static Kind,
    values: Vec<Value>,
}

impl Record {
    /// A record that lacks every field.
    pub fn new(kind: &'static Kind) -> Record {
        Record { kind, values: vec![Value::Absent; kind.fields()] }
    }

    /// Gives a field its value. A name that the kind lacks, and a value of another type, are mistakes of the program: they
    /// change nothing but tests.
    pub fn set(&mut self, name: &str, value: Value) {
        let place = (0..self.values.len()).find(|ordinal| self.kind.field(*ordinal).is_some_and(|(known, _)| known == name));
        let fits = |(_, kind): (&str, Type)| value.kind() == kind || value == Value::Absent;
        debug_assert!(
            place.and_then(|at| self.kind.field(at)).is_some_and(fits),
            "{name} is not a field of {}, or of another type",
            self.kind.name
        );
        if let Some(place) = place {
            self.values[place] = value;
        }
    }

    /// The value of a field; absent for a name that the kind lacks.
    pub fn get(&self, name: &str) -> &Value {
        let place = (0..self.values.len()).find(|ordinal| self.kind.field(*ordinal).is_some_and(|(known, _)| known == name));
        place.map_or(&Value::Absent, |place| &self.values[place])
    }

    /// All values, in the order of the ordinals.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The digests of its fields and decoys, and its commitment. There is a salt for each of [`Kind::width`] ordinals; what is
    /// missing counts as zeros.
    pub fn commit(&self, salts: &[Hash]) -> (Vec<Hash>, Hash) {
        let salt = |ordinal: usize| salts.get(ordinal).copied().unwrap_or_default();
        let digests: Vec<Hash> = (0..self.kind.width())
            .map(|ordinal| match (self.kind.field(ordinal), self.values.get(ordinal)) {
                (Some((name, _)), Some(value)) => field_digest(&salt(ordinal), name, value.kind(), &value.encode()),
                _ => decoy_digest(&salt(ordinal)),
            })
            .collect();
        let commitment = commitment(self.kind.number, &digests);
        (digests, commitment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_keep_their_form() {
        let widths: Vec<(u16, &str, usize)> = KINDS.iter().map(|kind| (kind.number, kind.name, kind.width())).collect();
        assert_eq!(
            widths,
            [(1, "step", 16), (2, "opened", 32), (3, "batch", 24), (4, "evidence", 24), (5, "erasure", 24), (6, "issued", 24)]
        );
        for kind in KINDS {
            let names: std::collections::BTreeSet<&str> =
                (0..kind.fields()).filter_map(|at| kind.field(at)).map(|(name, _)| name).collect();
            assert_eq!(names.len(), kind.fields(), "{} names a field twice", kind.name);
            // Ordinal 31 is a stream's secret.
            assert!(kind.fields() < MOST_FIELDS && kind.width() <= MOST_FIELDS);
        }
    }

    #[test]
    fn values_are_written_in_one_way() {
        for value in [
            Value::Absent,
            Value::text("a line\nand another"),
            Value::Number(u64::MAX),
            Value::Time(-1),
            Value::Bytes(vec![0, 255]),
            Value::Digest([3; 32]),
            Value::list(["", "twee"]),
        ] {
            assert_eq!(Value::decode(value.kind(), &value.encode()), Some(value));
        }
        assert_eq!(Value::decode(Type::Number, &[1]), None);
        assert_eq!(Value::decode(Type::List, &[0, 1, 0, 1]), None);
        assert_eq!(Value::decode(Type::List, &[0, 0, 0]), None);
        assert_eq!(Value::decode(Type::Text, "a\u{202e}b".as_bytes()), None);
        assert_eq!(Value::text("a\u{202e}b\u{85}\r\n"), Value::Text("a\u{fffd}b\u{fffd}\u{fffd}\n".into()));
    }

    #[test]
    fn a_field_that_is_missing_is_sealed_all_the_same() {
        let salts = [[5; 32]; 16];
        let empty = Record::new(&STEP);
        let mut named = Record::new(&STEP);
        named.set("party_name", Value::text("Voorbeeld B.V."));
        let (without, first) = empty.commit(&salts);
        let (with, second) = named.commit(&salts);
        assert_eq!(without.len(), 16);
        assert_eq!(without.iter().zip(&with).filter(|(a, b)| a != b).count(), 1);
        assert_ne!(first, second);
        assert_eq!(named.get("party_name"), &Value::text("Voorbeeld B.V."));
        assert_eq!(named.get("no such field"), &Value::Absent);
    }
}
