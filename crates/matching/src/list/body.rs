//! The layout of what is published: of a whole list (segment), of what changed (delta), of a status table alone.
//!
//! ```text
//! "SLB1" | kind u8 | seq u64 | salt 16 | first record u64 | records u32 | first slot u32 | slots u32
//!        | bytes of a capsule's part u32 | of a reason's u32 | slots in the table u32
//! records * (tag 16 | ct 48 | mac 32)       in the order of their tags
//! slots * (capsule's part | reason's part)
//! slots in the table * (ct 32 | mac 32)
//! ```
//!
//! Everything behind the header is indistinguishable from random bytes. Sizes are powers of two.

use super::{CAPSULE_SIZES, MOST_RECORDS, MOST_SLOTS, REASON_SIZES, RECORD, STATUS, keys::Salt};
use crate::bytes::{Malformed, Reader, Writer};

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum BodyKind {
    /// The whole list.
    Segment = 1,
    /// What changed, by the officers.
    Delta = 2,
    /// A status table alone, by the desk.
    Table = 3,
}

/// The sizes of a body: what anybody who has the file can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// 0 for the whole list, then the number of the delta.
    pub seq: u64,
    /// The number of its first record.
    pub first_record: u64,
    /// Its records, dummies counted.
    pub records: u32,
    /// Its first slot.
    pub first_slot: u32,
    /// Its slots for entries, empty ones counted.
    pub slots: u32,
    /// Bytes of the part of a slot that holds a capsule.
    pub capsule_size: u32,
    /// Bytes of the part of a slot that holds a reason.
    pub reason_size: u32,
    /// Slots in its status table.
    pub table: u32,
}

impl Stats {
    /// The sizes of a segment's or delta's body.
    ///
    /// # Errors
    /// When it is none.
    pub fn of(body: &[u8]) -> Result<Stats, Malformed> {
        Body::layout(body).map(|(_, stats, _)| stats)
    }

    /// Slots of the publication after this body.
    #[must_use]
    pub fn slots_after(&self) -> u32 {
        self.first_slot.saturating_add(self.slots)
    }

    fn slot_size(&self) -> usize {
        self.capsule_size as usize + self.reason_size as usize
    }

    /// Where records, slots and the table begin, and where all ends.
    fn offsets(&self) -> Option<[usize; 4]> {
        let slots = HEADER.checked_add((self.records as usize).checked_mul(RECORD)?)?;
        let table = slots.checked_add((self.slots as usize).checked_mul(self.slot_size())?)?;
        let end = table.checked_add((self.table as usize).checked_mul(STATUS)?)?;
        Some([HEADER, slots, table, end])
    }
}

const MAGIC: [u8; 4] = *b"SLB1";
const HEADER: usize = 4 + 1 + 8 + 16 + 8 + 6 * 4;

/// A body whose sizes fit its bytes.
pub(super) struct Body {
    bytes: Vec<u8>,
    pub(super) kind: BodyKind,
    pub(super) stats: Stats,
    pub(super) salt: Salt,
    offsets: [usize; 4],
}

impl Body {
    /// A body of these sizes, all zero behind its header.
    ///
    /// # Errors
    /// When it would be too large.
    pub(super) fn blank(kind: BodyKind, stats: Stats, salt: Salt) -> Option<Body> {
        let offsets = stats.offsets().filter(|offsets| offsets[3] <= crate::envelope::MOST_BODY)?;
        let mut w = Writer::new();
        w.raw(&MAGIC).u8(kind as u8).u64(stats.seq).raw(&salt).u64(stats.first_record).u32(stats.records);
        w.u32(stats.first_slot).u32(stats.slots).u32(stats.capsule_size).u32(stats.reason_size).u32(stats.table);
        let mut bytes = w.done();
        bytes.resize(offsets[3], 0);
        Some(Body { bytes, kind, stats, salt, offsets })
    }

    /// A body from outside. Its memory is that of its bytes.
    ///
    /// # Errors
    /// When its sizes are not of the format or do not fit its bytes, or its records are out of order.
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Body, Malformed> {
        let (kind, stats, salt) = Body::layout(&bytes)?;
        let offsets = stats.offsets().ok_or(Malformed { at: 0, expected: "a smaller list" })?;
        let body = Body { bytes, kind, stats, salt, offsets };
        // Tags in one order and each once: so nobody can tell two records of one token by equal tags, nor hide something in the order.
        if !body.records().is_sorted_by(|a, b| a[..16] < b[..16]) {
            return Err(Malformed { at: HEADER, expected: "records in the order of their tags, each tag once" });
        }
        Ok(body)
    }

    fn layout(bytes: &[u8]) -> Result<(BodyKind, Stats, Salt), Malformed> {
        let mut r = Reader::new(bytes);
        let start = r.clone();
        if r.array()? != MAGIC {
            return Err(start.wrong("the body of a list or delta"));
        }
        let here = r.clone();
        let kind = match r.u8()? {
            1 => BodyKind::Segment,
            2 => BodyKind::Delta,
            3 => BodyKind::Table,
            _ => return Err(here.wrong("a list, a delta or a table")),
        };
        let seq = r.u64()?;
        let salt = r.array()?;
        let here = r.clone();
        let stats = Stats {
            seq,
            first_record: r.u64()?,
            records: r.u32()?,
            first_slot: r.u32()?,
            slots: r.u32()?,
            capsule_size: r.u32()?,
            reason_size: r.u32()?,
            table: r.u32()?,
        };
        let power = |n: u32, (least, most): (u32, u32)| n.is_power_of_two() && (least..=most).contains(&n);
        let good = match kind {
            BodyKind::Segment => seq == 0 && stats.first_record == 0 && stats.first_slot == 0,
            BodyKind::Delta => seq > 0,
            BodyKind::Table => {
                seq > 0 && stats.records == 0 && stats.slots == 0 && stats.capsule_size == 0 && stats.reason_size == 0
            }
        };
        let sized = kind == BodyKind::Table
            || (power(stats.records, (super::LEAST_RECORDS, MOST_RECORDS))
                && power(stats.slots, (super::LEAST_SLOTS, MOST_SLOTS))
                && power(stats.capsule_size, CAPSULE_SIZES)
                && power(stats.reason_size, REASON_SIZES));
        let after = stats.first_slot.checked_add(stats.slots).filter(|after| (1..=MOST_SLOTS).contains(after));
        let numbered = stats.first_record.checked_add(u64::from(stats.records)).is_some_and(|end| end <= u64::from(u32::MAX));
        if !good || !sized || !numbered || after.map(u32::next_power_of_two) != Some(stats.table) {
            return Err(here.wrong("sizes as the format has them"));
        }
        if stats.offsets().map(|offsets| offsets[3]) != Some(bytes.len()) {
            return Err(here.wrong("as many bytes as its sizes say"));
        }
        Ok((kind, stats, salt))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn range(&self, from: usize) -> &[u8] {
        match self.offsets.get(from..from + 2) {
            Some(&[start, end]) => self.bytes.get(start..end).unwrap_or_default(),
            _ => &[],
        }
    }

    /// All behind the header.
    pub(super) fn content_mut(&mut self) -> &mut [u8] {
        self.bytes.get_mut(HEADER..).unwrap_or_default()
    }

    /// The records in the order of their tags.
    pub(super) fn records(&self) -> &[[u8; RECORD]] {
        self.range(0).as_chunks().0
    }

    pub(super) fn records_mut(&mut self) -> &mut [[u8; RECORD]] {
        let [start, end, ..] = self.offsets;
        self.bytes.get_mut(start..end).unwrap_or_default().as_chunks_mut().0
    }

    /// The record of this number, if it is in here.
    pub(super) fn record(&self, number: u64) -> Option<&[u8; RECORD]> {
        let at = number.checked_sub(self.stats.first_record)?;
        self.records().get(usize::try_from(at).ok()?)
    }

    /// Whether the slot is one of this body's own.
    pub(super) fn holds(&self, slot: u32) -> bool {
        (self.stats.first_slot..self.stats.slots_after()).contains(&slot)
    }

    /// The capsule's and the reason's part of a slot.
    pub(super) fn slot(&self, slot: u32) -> Option<(&[u8], &[u8])> {
        let at = slot.checked_sub(self.stats.first_slot).filter(|at| *at < self.stats.slots)? as usize;
        let size = self.stats.slot_size();
        let whole = self.range(1).get(at.checked_mul(size)?..)?.get(..size)?;
        whole.split_at_checked(self.stats.capsule_size as usize)
    }

    pub(super) fn slot_mut(&mut self, slot: u32) -> Option<(&mut [u8], &mut [u8])> {
        let at = slot.checked_sub(self.stats.first_slot).filter(|at| *at < self.stats.slots)? as usize;
        let (size, capsule) = (self.stats.slot_size(), self.stats.capsule_size as usize);
        let start = self.offsets[1].checked_add(at.checked_mul(size)?)?;
        self.bytes.get_mut(start..)?.get_mut(..size)?.split_at_mut_checked(capsule)
    }

    /// What the status table has for a slot.
    pub(super) fn status(&self, slot: u32) -> Option<&[u8; STATUS]> {
        self.range(2).as_chunks().0.get(slot as usize)
    }

    pub(super) fn statuses_mut(&mut self) -> &mut [[u8; STATUS]] {
        let [_, _, start, end] = self.offsets;
        self.bytes.get_mut(start..end).unwrap_or_default().as_chunks_mut().0
    }
}
