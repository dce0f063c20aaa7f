//! `reports.bin`: single reports of batches, with their way up the tree of the batch.

use super::bytes::{Bytes, put_path};
use super::{ShownReport, Wrong, records};

pub(super) const NAME: &str = "reports.bin";
const MAGIC: &[u8] = b"sluis-reports/v1\0";

/// The reports.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<ShownReport>, Wrong> {
    let mut bytes = Bytes::of(NAME, bytes, MAGIC)?;
    let mut reports = Vec::new();
    for _ in 0..bytes.u32()? {
        let (batch, place) = (bytes.array()?, bytes.u64()?);
        let mut opening = || records::opening(&mut bytes, &|| None);
        let openings = [opening()?, opening()?, opening()?, opening()?];
        reports.push(ShownReport { batch, place, openings, path: bytes.path()? });
    }
    bytes.end()?;
    Ok(reports)
}

/// Writes what [`read`] reads.
pub(super) fn write(reports: &[ShownReport]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&(reports.len() as u32).to_be_bytes());
    for report in reports {
        bytes.extend_from_slice(&report.batch);
        bytes.extend_from_slice(&report.place.to_be_bytes());
        report.openings.iter().for_each(|opening| records::put(&mut bytes, opening));
        put_path(&mut bytes, &report.path);
    }
    bytes
}
