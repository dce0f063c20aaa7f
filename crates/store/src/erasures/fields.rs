//! The fields of reports, rewritten without what is erased.

use std::collections::BTreeMap;

use crate::Error;
use crate::db::{OptionalExtension, Transaction};
use crate::reports::{CHUNK, compressor, unpack};

impl Transaction<'_> {
    /// Erases reports and their fields; how many, and the bytes that this freed.
    pub(crate) fn erase_reports(&self, ids: &[i64]) -> Result<(u64, u64), Error> {
        let mut chunks: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        let mut delete = self.prepare("-- erasures::report\nDELETE FROM reports WHERE id = $1")?;
        let mut count = 0;
        for &id in ids {
            count += delete.execute([id])? as u64;
            chunks.entry(id / CHUNK).or_default().push((id % CHUNK) as usize);
        }
        let mut freed = 0;
        for (chunk, places) in chunks {
            freed += self.erase_fields(chunk, &places)?;
        }
        Ok((count, freed))
    }

    fn erase_fields(&self, chunk: i64, places: &[usize]) -> Result<u64, Error> {
        let Some(data) = self.fields_of(chunk)? else { return Ok(0) };
        let others: bool = self
            .prepare("-- erasures::others\nSELECT EXISTS (SELECT 1 FROM reports WHERE id >= $1 AND id < $2)")?
            .query_row((chunk * CHUNK, (chunk + 1) * CHUNK), |row| row.get(0))?;
        if !others {
            self.execute("-- erasures::chunk\nDELETE FROM fields WHERE id = $1", [chunk])?;
            return Ok(data.len() as u64);
        }
        // What does not unpack is damaged; it goes when the last of its reports does.
        let Some(mut unpacked) = unpack(&data) else { return Ok(0) };
        for &place in places {
            if let Some(fields) = unpacked.reports.get_mut(place) {
                fields.clear();
            }
        }
        let packed = unpacked.pack(&mut compressor()?)?;
        self.set_fields(chunk, &packed)?;
        Ok((data.len() as u64).saturating_sub(packed.len() as u64))
    }

    /// Passes every value of the fields of reports from number `after` on through `change`, which gives what stands there
    /// from then on, if `write`; at most `most` chunks. `found` gets the number of each report that was changed. The last chunk looked at.
    pub(crate) fn change_fields(
        &self,
        after: i64,
        most: u32,
        change: &dyn Fn(&[u8]) -> Option<Vec<u8>>,
        write: bool,
        found: &mut Vec<i64>,
    ) -> Result<Option<i64>, Error> {
        let mut select = self.prepare("-- erasures::chunks\nSELECT id FROM fields WHERE id > $1 ORDER BY id LIMIT $2")?;
        let chunks: Vec<i64> = select.query_map((after, most), |row| row.get(0))?.collect::<Result<_, _>>()?;
        for &chunk in &chunks {
            let Some(data) = self.fields_of(chunk)? else { continue };
            let Some(mut unpacked) = unpack(&data) else { continue };
            let mut changed = false;
            for (_, _, value) in &mut unpacked.shared {
                if let Some(other) = change(value) {
                    *value = other;
                    changed = true;
                }
            }
            if changed {
                // What is said once for all of them is said of each.
                found.extend(self.reports_of_chunk(chunk)?);
            }
            for (place, fields) in unpacked.reports.iter_mut().enumerate() {
                for (_, _, value) in fields {
                    if let Some(other) = change(value) {
                        *value = other;
                        changed = true;
                        found.push(chunk * CHUNK + place as i64);
                    }
                }
            }
            if changed && write {
                self.set_fields(chunk, &unpacked.pack(&mut compressor()?)?)?;
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(chunks.last().copied())
    }

    fn reports_of_chunk(&self, chunk: i64) -> Result<Vec<i64>, Error> {
        let mut select = self.prepare("-- erasures::of_chunk\nSELECT id FROM reports WHERE id >= $1 AND id < $2 ORDER BY id")?;
        let rows = select.query_map((chunk * CHUNK, (chunk + 1) * CHUNK), |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn fields_of(&self, chunk: i64) -> Result<Option<Vec<u8>>, Error> {
        let mut select = self.prepare("-- erasures::fields\nSELECT data FROM fields WHERE id = $1")?;
        Ok(select.query_row([chunk], |row| row.get(0)).optional()?)
    }

    fn set_fields(&self, chunk: i64, data: &[u8]) -> Result<(), Error> {
        self.execute("-- erasures::set_fields\nUPDATE fields SET data = $2 WHERE id = $1", (chunk, data))?;
        Ok(())
    }
}
