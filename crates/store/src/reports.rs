//! Reports: rows of columns that are asked for, and the other fields compressed beside them.

use model::address::Address;
use model::case::Case;
use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Batch, Core, Place, Report, Shape, Word};
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::db::{OptionalExtension, Transaction, numbered};
use crate::keys::sha256;

/// A report's number is its batch's number times this, plus its place.
pub(crate) const BATCH: i64 = 1 << 20;
/// Reports whose fields are compressed together.
pub(crate) const CHUNK: i64 = 1 << 10;
/// Level of zstd: the fastest, for this is on the way of every report.
const LEVEL: i32 = 1;
/// Rows of a run that are asked for together.
const PAGE: usize = 10_000;
/// Bytes that the fields of [`CHUNK`] reports unpack to, at the very most.
const MOST: usize = 1 << 30;

/// A report as it is kept, with where it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// Row number.
    pub id: i64,
    /// Row number of its submission.
    pub submission: i64,
    /// Public identifier of its submission.
    pub submission_public: PublicId,
    /// When that was received.
    pub received: Time,
    /// Its place there.
    pub ordinal: u32,
    /// Where it stands in the batch that it was loaded into.
    pub place: usize,
}

/// Writes the fields of up to [`CHUNK`] reports, in the order of `order`, with every word by its name: numbers of
/// words may differ between releases.
pub(crate) fn pack(batch: &Batch, order: &[u32], compressor: &mut zstd::bulk::Compressor<'_>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::with_capacity(64 << 10);
    let mut names: Vec<Word> = Vec::new();
    let mut body = Vec::with_capacity(64 << 10);
    let mut local: Vec<u16> = Vec::new();
    let mut number_of = |word: Word| -> u64 {
        let at = usize::from(word.0);
        if local.len() <= at {
            local.resize(at + 1, u16::MAX);
        }
        if local[at] == u16::MAX {
            local[at] = names.len() as u16;
            names.push(word);
        }
        u64::from(local[at])
    };
    let shared: Vec<_> = batch.shared().collect();
    put_number(&mut body, shared.len() as u64);
    for (word, value) in shared {
        put_number(&mut body, number_of(word));
        body.push(value.shape as u8);
        put_bytes(&mut body, value.bytes);
    }
    put_number(&mut body, order.len() as u64);
    for &at in order {
        let report = batch.report(at as usize);
        let child_abuse = report.core.kind.is_child_abuse();
        let kept = |word: Word| word != Word::EVIDENCE_PAYLOAD && !(child_abuse && word == Word::URL);
        let hashed = report.own_fields().any(|(word, _)| word == Word::EVIDENCE_HASH);
        let count: usize = report
            .own_fields()
            .map(|(word, _)| match word {
                Word::EVIDENCE_PAYLOAD if !hashed && !child_abuse => 1,
                word => usize::from(kept(word)),
            })
            .sum();
        put_number(&mut body, count as u64);
        for (word, value) in report.own_fields() {
            if kept(word) {
                put_number(&mut body, number_of(word));
                body.push(value.shape as u8);
                put_bytes(&mut body, value.bytes);
            } else if word == Word::EVIDENCE_PAYLOAD && !hashed && !child_abuse {
                // The material itself stays in the raw submission; here stands what it was.
                put_number(&mut body, number_of(Word::EVIDENCE_HASH));
                body.push(Shape::Text as u8);
                let hex: String = sha256(value.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                put_bytes(&mut body, format!("sha256:{hex}").as_bytes());
            }
        }
    }
    out.push(1);
    put_bytes(&mut out, batch.format.as_bytes());
    put_number(&mut out, names.len() as u64);
    for word in names {
        let (name, place) = batch.name(word);
        out.push(place_number(place));
        put_bytes(&mut out, name.as_bytes());
    }
    out.extend_from_slice(&body);
    let mut packed = (out.len() as u32).to_be_bytes().to_vec();
    packed.extend(compressor.compress(&out).map_err(|error| Error::Damaged(error.to_string()))?);
    Ok(packed)
}

/// A compressor for [`pack`].
pub(crate) fn compressor() -> Result<zstd::bulk::Compressor<'static>, Error> {
    zstd::bulk::Compressor::new(LEVEL).map_err(|error| Error::Damaged(error.to_string()))
}

/// What [`pack`] wrote: shared fields, and per report its fields.
pub(crate) struct Unpacked {
    format: Vec<u8>,
    names: Vec<(String, Place)>,
    /// Fields that all reports have, unless they have their own.
    pub(crate) shared: Vec<(usize, Shape, Vec<u8>)>,
    /// Fields of each report.
    pub(crate) reports: Vec<Vec<(usize, Shape, Vec<u8>)>>,
}

impl Unpacked {
    /// Writes it as [`pack`] does.
    pub(crate) fn pack(&self, compressor: &mut zstd::bulk::Compressor<'_>) -> Result<Vec<u8>, Error> {
        let mut out = vec![1];
        put_bytes(&mut out, &self.format);
        put_number(&mut out, self.names.len() as u64);
        for (name, place) in &self.names {
            out.push(place_number(*place));
            put_bytes(&mut out, name.as_bytes());
        }
        put_fields(&self.shared, &mut out);
        put_number(&mut out, self.reports.len() as u64);
        for fields in &self.reports {
            put_fields(fields, &mut out);
        }
        let mut packed = (out.len() as u32).to_be_bytes().to_vec();
        packed.extend(compressor.compress(&out).map_err(|error| Error::Damaged(error.to_string()))?);
        Ok(packed)
    }
}

fn put_fields(fields: &[(usize, Shape, Vec<u8>)], out: &mut Vec<u8>) {
    put_number(out, fields.len() as u64);
    for (name, shape, bytes) in fields {
        put_number(out, *name as u64);
        out.push(*shape as u8);
        put_bytes(out, bytes);
    }
}

fn place_number(place: Place) -> u8 {
    match place {
        Place::Property => 0,
        Place::Tag => 1,
        Place::Evidence => 2,
        Place::Extra => 3,
    }
}

pub(crate) fn unpack(packed: &[u8]) -> Option<Unpacked> {
    let (length, packed) = packed.split_first_chunk::<4>()?;
    // What is damaged must not ask for four gigabytes either.
    let length = (u32::from_be_bytes(*length) as usize).min(MOST);
    let bytes = zstd::bulk::decompress(packed, length).ok()?;
    let mut rest = &bytes[..];
    if take_byte(&mut rest)? != 1 {
        return None;
    }
    let format = take_bytes(&mut rest)?.to_vec();
    let mut names = Vec::new();
    for _ in 0..take_number(&mut rest)? {
        let place = match take_byte(&mut rest)? {
            0 => Place::Property,
            1 => Place::Tag,
            2 => Place::Evidence,
            _ => Place::Extra,
        };
        names.push((String::from_utf8_lossy(take_bytes(&mut rest)?).into_owned(), place));
    }
    let fields = |rest: &mut &[u8]| {
        let mut list = Vec::new();
        for _ in 0..take_number(rest)? {
            let name = take_number(rest)? as usize;
            let shape = match take_byte(rest)? {
                0 => Shape::Text,
                1 => Shape::Json,
                _ => Shape::Bytes,
            };
            list.push((name, shape, take_bytes(rest)?.to_vec()));
        }
        Some(list)
    };
    let shared = fields(&mut rest)?;
    let mut reports = Vec::new();
    for _ in 0..take_number(&mut rest)? {
        reports.push(fields(&mut rest)?);
    }
    Some(Unpacked { format, names, shared, reports })
}

/// What [`pack`] wrote, to be looked through: nothing of it is copied.
pub(crate) struct Slices {
    bytes: Vec<u8>,
    names: Vec<String>,
    /// Name, shape, and where the bytes are.
    fields: Vec<(u32, Shape, u32, u32)>,
    /// How many of them, from the first, all reports share.
    shared: usize,
    /// Where the fields of each report begin and end.
    reports: Vec<(u32, u32)>,
}

impl Slices {
    pub(crate) fn of(packed: &[u8]) -> Option<Slices> {
        let (length, packed) = packed.split_first_chunk::<4>()?;
        let length = (u32::from_be_bytes(*length) as usize).min(MOST);
        let bytes = zstd::bulk::decompress(packed, length).ok()?;
        let mut rest = &bytes[..];
        if take_byte(&mut rest)? != 1 {
            return None;
        }
        take_bytes(&mut rest)?;
        let mut names = Vec::new();
        for _ in 0..take_number(&mut rest)? {
            take_byte(&mut rest)?;
            names.push(String::from_utf8_lossy(take_bytes(&mut rest)?).into_owned());
        }
        let mut fields: Vec<(u32, Shape, u32, u32)> = Vec::new();
        let mut list = |rest: &mut &[u8]| {
            let from = fields.len() as u32;
            for _ in 0..take_number(rest)? {
                let name = u32::try_from(take_number(rest)?).ok()?;
                let shape = match take_byte(rest)? {
                    0 => Shape::Text,
                    1 => Shape::Json,
                    _ => Shape::Bytes,
                };
                let length = take_bytes(rest)?.len();
                // What unpacks is no longer than MOST, which fits.
                let end = bytes.len() - rest.len();
                fields.push((name, shape, (end - length) as u32, end as u32));
            }
            Some((from, fields.len() as u32))
        };
        let (_, shared) = list(&mut rest)?;
        let mut reports = Vec::new();
        for _ in 0..take_number(&mut rest)? {
            reports.push(list(&mut rest)?);
        }
        Some(Slices { shared: shared as usize, names, fields, reports, bytes })
    }

    /// Name, shape and bytes of a report's fields: its own, and those that all share, unless it has its own of that name.
    pub(crate) fn fields(&self, report: usize) -> impl Iterator<Item = (&str, Shape, &[u8])> {
        let (from, to) = self.reports.get(report).copied().unwrap_or_default();
        let own = self.fields.get(from as usize..to as usize).unwrap_or_default();
        let shared = self.fields.get(..self.shared).unwrap_or_default();
        let shared = shared.iter().filter(|(name, ..)| !own.iter().any(|(other, ..)| other == name));
        own.iter().chain(shared).filter_map(|(name, shape, from, to)| {
            let name = self.names.get(*name as usize)?;
            Some((name.as_str(), *shape, self.bytes.get(*from as usize..*to as usize)?))
        })
    }
}

impl Transaction<'_> {
    /// The newest reports of a case, newest run first, at most `most`: their fields in a batch, and where each is from.
    ///
    /// # Errors
    /// [`Error::Database`], and [`Error::Damaged`] when fields do not unpack.
    pub fn reports_of(&self, case: &Case, tail: i64, most: usize) -> Result<(Batch, Vec<Kept>), Error> {
        self.load(&self.report_ids(case.id, tail, most)?)
    }

    /// Numbers of the newest reports of a case, newest run first, at most `most`.
    pub(crate) fn report_ids(&self, case: i64, tail: i64, most: usize) -> Result<Vec<i64>, Error> {
        let mut ids: Vec<i64> = Vec::new();
        let mut next = Some(tail);
        while let Some(first) = next
            && ids.len() < most
        {
            next = self.run(case, first, most, &mut ids)?;
        }
        Ok(ids)
    }

    /// Adds the reports of one run; the first of the run before it.
    ///
    /// A run is the reports from its first on, in the same batch, that are of this case. Those that a person gave to
    /// another case since bear this one's number below zero, and are passed over.
    fn run(&self, case: i64, first: i64, most: usize, ids: &mut Vec<i64>) -> Result<Option<i64>, Error> {
        let batch_end = (first / BATCH + 1) * BATCH;
        let (mut from, mut before) = (first, None);
        loop {
            let page = (most - ids.len()).clamp(1, PAGE);
            let mut select = self.prepare(
                "-- reports::run\nSELECT id, case_id, prev FROM reports WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3",
            )?;
            let mut rows = select.query((from, batch_end, page as i64))?;
            let mut count = 0;
            while let Some(row) = rows.next()? {
                let (id, of, prev): (i64, i64, Option<i64>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                if id == first {
                    before = prev;
                } else if prev.is_some() || of.saturating_abs() != case {
                    return Ok(before);
                }
                if of == case {
                    ids.push(id);
                }
                (count, from) = (count + 1, id + 1);
                if ids.len() >= most {
                    return Ok(before);
                }
            }
            if count < page {
                return Ok(before);
            }
        }
    }

    /// The reports of a submission, in their places, at most `most`.
    ///
    /// # Errors
    /// As [`Transaction::reports_of`].
    pub fn reports_from(&self, submission: i64, most: usize) -> Result<(Batch, Vec<Kept>), Error> {
        let mut ids: Vec<(u32, i64)> = Vec::new();
        let mut batches = self.prepare("-- reports::batches\nSELECT id FROM batches WHERE submission = $1 ORDER BY id")?;
        let batches: Vec<i64> = batches.query_map([submission], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for batch in batches {
            if ids.len() >= most {
                break;
            }
            let mut select = self
                .prepare("-- reports::of_batch\nSELECT ordinal, id FROM reports WHERE id >= $1 AND id < $2 AND case_id >= 0")?;
            let mut of_batch: Vec<(u32, i64)> = select
                .query_map((batch * BATCH, (batch + 1) * BATCH), |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Result<_, _>>()?;
            of_batch.sort_unstable();
            ids.extend(of_batch);
        }
        ids.truncate(most);
        let ids: Vec<i64> = ids.into_iter().map(|(_, id)| id).collect();
        self.load(&ids)
    }

    /// Whether a submission has a report of child abuse material: its bytes are shown to nobody then.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn holds_child_abuse(&self, submission: i64) -> Result<bool, Error> {
        let mut select = self.prepare(
            "-- reports::holds_child_abuse
             SELECT EXISTS (SELECT 1 FROM batches b JOIN reports r ON r.id >= b.id * 1048576 AND r.id < (b.id + 1) * 1048576
                            WHERE b.submission = $1 AND r.kind IN ($2, $3))",
        )?;
        Ok(select.query_row((submission, Kind::Csam as u8, Kind::Csem as u8), |row| row.get(0))?)
    }

    pub(crate) fn load(&self, ids: &[i64]) -> Result<(Batch, Vec<Kept>), Error> {
        let mut batch = Batch::new();
        let mut kept = Vec::with_capacity(ids.len());
        let mut open: Option<(i64, Unpacked)> = None;
        for &id in ids {
            let chunk = id / CHUNK;
            if open.as_ref().is_none_or(|(number, _)| *number != chunk) {
                let data: Vec<u8> = self
                    .prepare("-- reports::fields\nSELECT data FROM fields WHERE id = $1")?
                    .query_row([chunk], |row| row.get(0))
                    .optional()?
                    .ok_or_else(|| damaged(chunk))?;
                let unpacked = unpack(&data).ok_or_else(|| damaged(chunk))?;
                open = Some((chunk, unpacked));
            }
            let Some((_, unpacked)) = &open else { continue };
            let (core, submission) = self.core(id)?;
            let own = unpacked.reports.get((id % CHUNK) as usize).map_or(&[][..], Vec::as_slice);
            let shared = unpacked.shared.iter().filter(|(name, ..)| !own.iter().any(|(other, ..)| other == name));
            for (name, shape, bytes) in own.iter().chain(shared) {
                let (name, place) = unpacked.names.get(*name).map_or(("other", Place::Extra), |(name, place)| (name, *place));
                let word = batch.word(name, place);
                match shape {
                    Shape::Text => batch.text(word, bytes),
                    Shape::Json => batch.json(word, std::str::from_utf8(bytes).unwrap_or("null")),
                    Shape::Bytes => batch.bytes(word, bytes),
                }
            }
            kept.push(Kept { id, place: batch.len(), ordinal: core.ordinal, ..submission });
            batch.finish(core);
        }
        Ok((batch, kept))
    }

    pub(crate) fn core(&self, id: i64) -> Result<(Core, Kept), Error> {
        let mut select = self.prepare(
            "-- reports::core
             SELECT r.ordinal, r.observed, r.address, r.port, r.kind, r.confidence, r.labels, b.submission, b.received, s.public
             FROM reports r JOIN batches b ON b.id = r.id / 1048576 JOIN submissions s ON s.id = b.submission
             WHERE r.id = $1",
        )?;
        Ok(select.query_row([id], |row| {
            let kind = numbered(row, 4, Kind::ALL)?;
            let mut core = Core::new(kind, row.get(0)?);
            core.set_observed(row.get::<Option<i64>>(1)?.map(Time));
            core.address = row.get::<Option<[u8; 16]>>(2)?.map_or(Address::NONE, |bytes| Address(u128::from_be_bytes(bytes)));
            core.port = row.get(3)?;
            core.confidence = row.get::<Option<u8>>(5)?.unwrap_or(Core::UNSTATED);
            let labels: u8 = row.get(6)?;
            core.tlp = Tlp::ALL.get(usize::from(labels & 15)).copied().unwrap_or(Tlp::Red);
            core.pap = Pap::ALL.get(usize::from(labels >> 4)).copied().unwrap_or(Pap::Red);
            let kept = Kept {
                id,
                submission: row.get(7)?,
                received: Time(row.get(8)?),
                submission_public: PublicId(u128::from_be_bytes(row.get(9)?)),
                ordinal: core.ordinal,
                place: 0,
            };
            Ok((core, kept))
        })?)
    }
}

pub(crate) fn damaged(chunk: i64) -> Error {
    Error::Damaged(format!(
        "the fields of reports {} to {} are damaged: restore sluis.db from a backup and look at the disk; the raw submissions \
         hold the same reports, and other cases are not touched",
        chunk * CHUNK,
        chunk * CHUNK + CHUNK - 1
    ))
}

/// The public identifier of a report: it follows from its submission and place, so nothing can double it.
pub fn report_id(submission: PublicId, ordinal: u32) -> String {
    let mut bytes = submission.0.to_be_bytes().to_vec();
    bytes.extend_from_slice(&ordinal.to_be_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&sha256(&bytes)[..16]);
    PublicId(u128::from_be_bytes(id)).uuid()
}

/// TLP in the lower four bits, PAP above.
pub(crate) fn labels(report: &Report<'_>) -> u8 {
    report.core.tlp as u8 | (report.core.pap as u8) << 4
}

fn put_number(into: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        into.push(number as u8 | 128);
        number >>= 7;
    }
    into.push(number as u8);
}

fn put_bytes(into: &mut Vec<u8>, bytes: &[u8]) {
    put_number(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (byte, after) = rest.split_first()?;
    *rest = after;
    Some(*byte)
}

fn take_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let byte = take_byte(rest)?;
        number |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Some(number);
        }
    }
    None
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_number(rest)?).ok()?;
    let (bytes, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_fields_come_back(texts in proptest::collection::vec(".{0,20}", 0..50), shared in ".{0,9}") {
            let mut batch = Batch::new();
            batch.share(Word::REPORTER_ORG, &shared);
            let colour = batch.word("colour", Place::Extra);
            for (at, text) in texts.iter().enumerate() {
                batch.text(if at % 2 == 0 { Word::URL } else { colour }, text);
                batch.finish(Core::new(Kind::Phishing, at as u32));
            }
            let order: Vec<u32> = (0..texts.len() as u32).rev().collect();
            let packed = pack(&batch, &order, &mut compressor().unwrap()).unwrap();
            let unpacked = unpack(&packed).unwrap();
            prop_assert_eq!(&unpacked.shared[0].2, shared.as_bytes());
            // Written anew, nothing is another.
            let again = unpacked.pack(&mut compressor().unwrap()).unwrap();
            prop_assert_eq!(&again, &packed);
            let slices = Slices::of(&packed).unwrap();
            for (at, (fields, text)) in unpacked.reports.iter().zip(texts.iter().rev()).enumerate() {
                prop_assert_eq!(&fields[0].2, text.as_bytes());
                let (_, shape, bytes) = slices.fields(at).next().unwrap();
                prop_assert_eq!((shape, bytes), (Shape::Text, text.as_bytes()));
                let (name, _, bytes) = slices.fields(at).last().unwrap();
                prop_assert_eq!((name, bytes), ("reporter.org", shared.as_bytes()));
            }
        }

        #[test]
        fn damaged_fields_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (unpack(&bytes), Slices::of(&bytes));
            let mut packed = 60u32.to_be_bytes().to_vec();
            packed.extend(zstd::bulk::compress(&bytes, 1).unwrap());
            let _ = (unpack(&packed), Slices::of(&packed));
        }
    }
}
