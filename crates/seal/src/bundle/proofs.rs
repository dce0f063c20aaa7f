//! `proofs.bin`: that entries are in the log, and that its checkpoints are of one tree.

use super::bytes::{Bytes, put_path};
use super::{Anchor, Inclusion, Wrong};
use crate::record::Hash;

pub(super) const NAME: &str = "proofs.bin";
const MAGIC: &[u8] = b"sluis-proofs/v1\0";

/// The size of a checkpoint, and its consistency with the last.
pub(super) type Consistency = (u64, Vec<Hash>);

/// The proofs of inclusion and those of consistency.
pub(super) fn read(bytes: &[u8]) -> Result<(Vec<Inclusion>, Vec<Consistency>), Wrong> {
    let mut bytes = Bytes::of(NAME, bytes, MAGIC)?;
    let mut proofs = Vec::new();
    for _ in 0..bytes.u32()? {
        let (index, length) = (bytes.u64()?, bytes.u16()?);
        let entry = bytes.take(length.into())?.to_vec();
        proofs.push(Inclusion { index, entry, path: bytes.path()? });
    }
    let mut sizes = Vec::new();
    for _ in 0..bytes.u32()? {
        sizes.push((bytes.u64()?, bytes.path()?));
    }
    bytes.end()?;
    Ok((proofs, sizes))
}

/// Writes what [`read`] reads.
pub(super) fn write(proofs: &[Inclusion], anchors: &[Anchor]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(proofs.len() as u32).to_be_bytes());
    for proof in proofs {
        bytes.extend_from_slice(&proof.index.to_be_bytes());
        bytes.extend_from_slice(&(proof.entry.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&proof.entry);
        put_path(&mut bytes, &proof.path);
    }
    bytes.extend_from_slice(&(anchors.len() as u32).to_be_bytes());
    for anchor in anchors {
        bytes.extend_from_slice(&anchor.size.to_be_bytes());
        put_path(&mut bytes, &anchor.consistency);
    }
    bytes
}
