//! Bundles of a [`World`], as an honest exporter makes them.

use super::World;
use crate::batch;
use crate::bundle::{Anchor, Bundle, Form, Inclusion, Opening, ShownRecord, ShownReport, UNSEALED};
use crate::record::{Hash, REPORT, Value};
use crate::seed;

/// Whether a bundle shows a field, by the record's number and the field's name.
pub type Show<'a> = &'a dyn Fn(usize, &str) -> bool;

impl World {
    /// Some records under the last published checkpoint, with their proofs and the nearest time-stamps around each.
    pub fn bundle(&self, stream: usize, records: &[usize], reports: &[(usize, u64)], show: Show<'_>) -> Bundle {
        let last = self.published.last().unwrap();
        let mut bundle = Bundle {
            form: Form::Evidence,
            origin: self.origin.clone(),
            stream: self.streams[stream].id,
            made: self.now - self.now % 1_000,
            secrets: self.secrets(records),
            records: records.iter().map(|number| self.shown(*number, show)).collect(),
            reports: reports.iter().map(|(batch, place)| self.shown_report(*batch, *place, true)).collect(),
            checkpoint: Some(last.note.clone()),
            proofs: Vec::new(),
            anchors: Vec::new(),
        };
        for index in records.iter().map(|number| self.sealed[*number].index) {
            bundle.proofs.push(self.proof(index));
            // The last entry before it that says of a time-stamp, and the first checkpoint after it that has one.
            let before = self.published.iter().rev().find(|one| one.entries.first().is_some_and(|entry| *entry < index));
            let after = self.published.iter().find(|one| index < one.size && !one.tokens.is_empty());
            for published in before.into_iter().chain(after) {
                bundle.anchors.push(self.anchor(published));
            }
            for entry in before.into_iter().flat_map(|one| &one.entries).filter(|entry| **entry < index) {
                bundle.proofs.push(self.proof(*entry));
            }
        }
        bundle.sort();
        bundle
    }

    /// A receipt for some records from before they were under a checkpoint.
    pub fn early_receipt(&self, stream: usize, records: &[usize], show: Show<'_>) -> Bundle {
        let mut shown: Vec<ShownRecord> = records.iter().map(|number| self.shown(*number, show)).collect();
        shown.iter_mut().for_each(|record| record.index = UNSEALED);
        let mut bundle = Bundle {
            form: Form::Receipt,
            origin: self.origin.clone(),
            stream: self.streams[stream].id,
            made: self.now - self.now % 1_000,
            secrets: self.secrets(records),
            records: shown,
            reports: Vec::new(),
            checkpoint: None,
            proofs: Vec::new(),
            anchors: Vec::new(),
        };
        bundle.sort();
        bundle
    }

    /// The secrets of the streams of which record 0 is among these: without it nobody can check one.
    fn secrets(&self, records: &[usize]) -> Vec<([u8; 16], Hash)> {
        let of = |number: &usize| {
            let record = &self.sealed[*number].record;
            let stream = record.get("stream").encode();
            let stream = self.streams.iter().find(|one| one.id == *stream && *record.get("seq") == Value::Number(0));
            stream.map(|one| (one.id, one.secret))
        };
        records.iter().filter_map(of).collect()
    }

    /// A record as it is shown: what was erased says so, the content of evidence is attached.
    pub fn shown(&self, number: usize, show: Show<'_>) -> ShownRecord {
        let sealed = &self.sealed[number];
        let opening = |ordinal: usize| {
            let digest = sealed.digests[ordinal];
            if let Some((_, record)) = sealed.erased.iter().find(|(erased, _)| *erased == ordinal) {
                return Opening::Erased { digest, record: *record };
            }
            match sealed.record.kind.field(ordinal).filter(|(name, _)| show(number, name)) {
                Some((name, _)) => {
                    let value = sealed.record.values()[ordinal].clone();
                    let attached = name == "content" && !value.encode().is_empty();
                    Opening::Shown { salt: sealed.salts[ordinal], name: name.into(), value, attached }
                }
                None => Opening::Hidden { digest },
            }
        };
        let openings = (0..sealed.digests.len()).map(opening).collect();
        ShownRecord { index: sealed.index, slot: sealed.slot, kind: sealed.record.kind.number, openings }
    }

    /// A report of a batch; hidden in whole, when only its place matters.
    pub fn shown_report(&self, batch: usize, place: u64, show: bool) -> ShownReport {
        let whole = &self.batches[batch];
        let seed = whole.report_seed(place);
        let values = &whole.reports[place as usize];
        let digests = batch::digests(&seed, values);
        let erased = whole.erased.iter().find(|(erased, _)| *erased == place);
        let openings = std::array::from_fn(|ordinal| match erased {
            Some((_, record)) => Opening::Erased { digest: digests[ordinal], record: *record },
            None if show => Opening::shown(seed::report_salt(&seed, ordinal as u8), REPORT[ordinal].0, values[ordinal].clone()),
            None => Opening::Hidden { digest: digests[ordinal] },
        });
        ShownReport { batch: self.sealed[whole.record].commitment, place, openings, path: whole.path(place) }
    }

    /// The proof of an entry under the last published checkpoint.
    pub fn proof(&self, index: u64) -> Inclusion {
        let size = self.published.last().unwrap().size;
        Inclusion { index, entry: self.entries[index as usize].clone(), path: self.inclusion(index, size) }
    }

    /// A published checkpoint as an anchor of a bundle under the last one.
    pub fn anchor(&self, published: &super::Published) -> Anchor {
        let size = self.published.last().unwrap().size;
        Anchor {
            size: published.size,
            checkpoint: published.note.clone(),
            tokens: published.tokens.clone(),
            consistency: self.consistency(published.size, size),
        }
    }
}
