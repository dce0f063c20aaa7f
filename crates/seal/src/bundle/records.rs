//! `records.bin`: records of which some fields are shown; and the openings that `reports.bin` has too.

use super::bytes::Bytes;
use super::{Opening, ShownRecord, Wrong};
use crate::record::{EVIDENCE, Hash, MOST_FIELDS, Type, Value};

pub(super) const NAME: &str = "records.bin";
const MAGIC: &[u8] = b"sluis-records/v1\0";

const HIDDEN: u8 = 0;
const SHOWN: u8 = 1;
const ERASED: u8 = 2;
const ATTACHED: u8 = 3;

/// A stream's identifier and its secret.
pub(super) type Secret = ([u8; 16], Hash);

/// Secrets and records. Values that are attachments are still empty: `attachment` finds them by the record's place.
pub(super) fn read<'a>(
    bytes: &'a [u8],
    attachment: impl Fn(usize) -> Option<&'a [u8]>,
) -> Result<(Vec<Secret>, Vec<ShownRecord>), Wrong> {
    let mut bytes = Bytes::of(NAME, bytes, MAGIC)?;
    let secrets = (0..bytes.u16()?).map(|_| Ok((bytes.array()?, bytes.array()?))).collect::<Result<_, Wrong>>()?;
    let count = bytes.u32()?;
    let mut records = Vec::new();
    for place in 0..count as usize {
        let (index, slot, kind, width) = (bytes.u64()?, bytes.array()?, bytes.u16()?, bytes.u16()?);
        if usize::from(width) > MOST_FIELDS {
            return Err(bytes.wrong("a record has more than 32 fields"));
        }
        let openings = (0..width).map(|_| opening(&mut bytes, &|| attachment(place))).collect::<Result<_, Wrong>>()?;
        records.push(ShownRecord { index, slot, kind, openings });
    }
    bytes.end()?;
    Ok((secrets, records))
}

/// One opening; `attachment` gives the content of one whose value is a file of its own.
pub(super) fn opening<'a>(bytes: &mut Bytes<'_>, attachment: &dyn Fn() -> Option<&'a [u8]>) -> Result<Opening, Wrong> {
    let form = bytes.u8()?;
    match form {
        HIDDEN => Ok(Opening::Hidden { digest: bytes.array()? }),
        ERASED => Ok(Opening::Erased { digest: bytes.array()?, record: bytes.array()? }),
        SHOWN | ATTACHED => {
            let salt = bytes.array()?;
            let length = bytes.u8()?;
            let name = std::str::from_utf8(bytes.take(length.into())?);
            let name = name.map_err(|_| bytes.wrong("a field's name is not text"))?.to_owned();
            let kind = Type::of(bytes.u8()?).ok_or(bytes.wrong("a field is of no type"))?;
            let length = usize::try_from(bytes.u64()?).map_err(|_| bytes.wrong("a length is too large"))?;
            let value = if form == SHOWN {
                bytes.take(length)?
            } else {
                let missing = bytes.wrong("the attachment of a field is missing, of another length, or not bytes");
                attachment().filter(|content| content.len() == length && kind == Type::Bytes).ok_or(missing)?
            };
            let value = Value::decode(kind, value).ok_or(bytes.wrong("a value is not one of its type"))?;
            let attached = form == ATTACHED;
            Ok(Opening::Shown { salt, name, value, attached })
        }
        _ => Err(bytes.wrong("an opening is of no known form")),
    }
}

/// Writes what [`read`] reads.
pub(super) fn write(secrets: &[Secret], records: &[ShownRecord]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(secrets.len() as u16).to_be_bytes());
    for (stream, secret) in secrets {
        bytes.extend_from_slice(stream);
        bytes.extend_from_slice(secret);
    }
    bytes.extend_from_slice(&(records.len() as u32).to_be_bytes());
    for record in records {
        bytes.extend_from_slice(&record.index.to_be_bytes());
        bytes.extend_from_slice(&record.slot);
        bytes.extend_from_slice(&record.kind.to_be_bytes());
        bytes.extend_from_slice(&(record.openings.len() as u16).to_be_bytes());
        record.openings.iter().for_each(|opening| put(&mut bytes, opening));
    }
    bytes
}

/// Writes what [`opening`] reads.
pub(super) fn put(bytes: &mut Vec<u8>, opening: &Opening) {
    match opening {
        Opening::Hidden { digest } => {
            bytes.push(HIDDEN);
            bytes.extend_from_slice(digest);
        }
        Opening::Erased { digest, record } => {
            bytes.push(ERASED);
            bytes.extend_from_slice(digest);
            bytes.extend_from_slice(record);
        }
        Opening::Shown { salt, name, value, attached } => {
            let content = value.encode();
            bytes.push(if *attached { ATTACHED } else { SHOWN });
            bytes.extend_from_slice(salt);
            bytes.push(name.len() as u8);
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(value.kind() as u8);
            bytes.extend_from_slice(&(content.len() as u64).to_be_bytes());
            if !attached {
                bytes.extend_from_slice(&content);
            }
        }
    }
}

/// The attachment of a record, if it has one, and how its name ends: what the record says of its `media`, where that is
/// shown and one of the three; `bin` otherwise.
pub(super) fn attachment(record: &ShownRecord) -> Option<(&'static str, &[u8])> {
    let content = record.openings.iter().find_map(|opening| match opening {
        Opening::Shown { value: Value::Bytes(content), attached: true, .. } => Some(content),
        _ => None,
    })?;
    let media = EVIDENCE.ordinal("media").filter(|_| record.kind == EVIDENCE.number);
    let ending = match media.and_then(|at| record.openings.get(at)).and_then(Opening::value) {
        Some(Value::Text(media)) if media == "eml" => "eml",
        Some(Value::Text(media)) if media == "txt" => "txt",
        _ => "bin",
    };
    Some((ending, content))
}
