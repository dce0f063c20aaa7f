//! Puts a bundle together: records as they are shown, what erased their fields, the checkpoint, and every proof. What is given
//! away is verified first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use ::seal::bundle::{self, Anchor, Bundle, Form, Inclusion, MOST_FILES, Opening, ShownRecord, ShownReport, UNSEALED};
use ::seal::checkpoint::Checkpoint as Text;
use ::seal::note::{Note, SignatureLine};
use ::seal::record::{EVIDENCE, Hash, ISSUED, REPORT, Value};
use ::seal::shelf::Shelf;
use ::seal::{tile, tree};
use model::time::Time;
use store::Transaction;
use store::anchors::Anchor as Stamped;
use store::keys::{Keys, sha256};
use store::log::{Checkpoint, Shard};
use store::sealed::{Row, what};

use super::super::folder::Folder;
use super::super::folder_of;
use super::super::open::{self, Field, Opened};
use super::choice::Choice;
use super::{Made, index};
use crate::Error;

/// Published checkpoints among which the bundle's is looked for, the newest first.
const CHECKPOINTS: u32 = 64;
/// Attachments of a bundle; what is more stands among the records.
const ATTACHMENTS: usize = 100;

/// A bundle under way.
pub(super) struct Assembly<'a, 'b> {
    transaction: &'a Transaction<'b>,
    keys: &'a Keys,
    shard: Shard,
    folder: Folder,
    /// Names of time-stamping authorities.
    authorities: Vec<String>,
    /// The checkpoint that all proofs lead to; `None` for a receipt from before one.
    last: Option<Checkpoint>,
    bundle: Bundle,
    /// Numbers of records that are in it.
    there: BTreeSet<i64>,
    hidden: BTreeSet<&'static str>,
    attachments: usize,
}

impl<'a, 'b> Assembly<'a, 'b> {
    /// Begins a bundle of records in one shard, for this stream.
    pub(super) fn begin(
        transaction: &'a Transaction<'b>,
        keys: &'a Keys,
        directory: &Path,
        shard: i64,
        form: Form,
        stream: [u8; 16],
    ) -> Result<Assembly<'a, 'b>, Error> {
        let shard = transaction.shards()?.into_iter().find(|one| one.id == shard);
        let shard = shard.ok_or_else(|| damaged("there is no such shard of the log"))?;
        let bundle = Bundle {
            form,
            origin: shard.origin.clone(),
            stream,
            made: 0,
            secrets: Vec::new(),
            records: Vec::new(),
            reports: Vec::new(),
            checkpoint: None,
            proofs: Vec::new(),
            anchors: Vec::new(),
        };
        let folder = Folder::shown(folder_of(directory, shard.label()));
        let (there, hidden) = (BTreeSet::new(), BTreeSet::new());
        let authorities = transaction.authorities(shard.id)?;
        Ok(Assembly { transaction, keys, shard, folder, authorities, last: None, bundle, there, hidden, attachments: 0 })
    }

    /// Chooses the checkpoint, and leaves out records that are not published yet; what there is to say about these.
    pub(super) fn only_published(&mut self, records: &mut Vec<Opened>) -> Result<Option<String>, Error> {
        let Some(newest) = self.transaction.published_checkpoint(self.shard.id)? else {
            records.clear();
            return Ok(None);
        };
        let is_published = |record: &Opened| index(&record.row) < newest.size;
        let left = records.iter().filter(|record| !is_published(record) && record.kind.number != ISSUED.number).count();
        records.retain(is_published);
        let Some(highest) = records.iter().map(|record| index(&record.row)).max() else { return Ok(None) };
        self.last = Some(self.choose(highest)?.unwrap_or(newest));
        Ok((left > 0)
            .then(|| format!("the last {left} records are not under a published checkpoint yet, and are not in this bundle")))
    }

    /// Takes a checkpoint that covers all of these; whether there is one.
    pub(super) fn cover(&mut self, records: &[Opened]) -> Result<bool, Error> {
        let highest = records.iter().map(|record| index(&record.row)).max().unwrap_or(0);
        self.last = self.choose(highest)?;
        Ok(self.last.is_some())
    }

    /// The newest checkpoint over an entry that is stamped and cosigned; else the newest that is stamped; else the newest.
    fn choose(&self, highest: u64) -> Result<Option<Checkpoint>, Error> {
        let (mut newest, mut stamped) = (None, None);
        for checkpoint in self.transaction.published_covering(self.shard.id, highest, CHECKPOINTS)? {
            let is_stamped = !self.tokens(checkpoint.size)?.is_empty();
            if is_stamped && !self.transaction.cosignatures(self.shard.id, checkpoint.size)?.is_empty() {
                return Ok(Some(checkpoint));
            }
            if is_stamped && stamped.is_none() {
                stamped = Some(checkpoint.clone());
            }
            newest = newest.or(Some(checkpoint));
        }
        Ok(stamped.or(newest))
    }

    /// Whether a record can be proven under the checkpoint.
    pub(super) fn is_published(&self, row: &Row) -> bool {
        row.shard == self.shard.id && self.last.as_ref().is_some_and(|last| index(row) < last.size)
    }

    /// Adds a record as it is to be shown, and the records that say what of it was erased.
    pub(super) fn add(&mut self, record: &Opened, choice: &Choice) -> Result<(), Error> {
        if !self.there.insert(record.row.number) {
            return Ok(());
        }
        let mut openings = Vec::with_capacity(record.fields.len());
        for (ordinal, field) in record.fields.iter().enumerate() {
            let name = record.kind.field(ordinal).map(|(name, _)| name);
            openings.push(self.opening(field, name, choice, record.kind.number == EVIDENCE.number)?);
        }
        let index = if self.last.is_some() { index(&record.row) } else { UNSEALED };
        self.bundle.records.push(ShownRecord { index, slot: record.slot, kind: record.kind.number, openings });
        Ok(())
    }

    /// Adds all letters to or about a party, so that nobody has to wonder whether one was left out; what there is to say about
    /// those that cannot be.
    pub(super) fn add_letters(&mut self, party: i64) -> Result<Option<String>, Error> {
        let letters = open::letters(self.transaction, self.keys, party)?;
        let mut elsewhere = 0;
        for letter in &letters {
            if self.is_published(&letter.row) {
                self.add(letter, &Choice::of_letter())?;
            } else {
                elsewhere += 1;
            }
        }
        Ok((elsewhere > 0).then(|| {
            format!("{elsewhere} letters to the party are in an earlier shard of the log or not published yet, and are not in this bundle")
        }))
    }

    fn opening(
        &mut self,
        field: &Field,
        name: Option<&'static str>,
        choice: &Choice,
        is_evidence: bool,
    ) -> Result<Opening, Error> {
        let hidden = Opening::Hidden { digest: field.digest };
        let Some(name) = name else { return Ok(hidden) };
        match (&field.open, field.erased) {
            (Some((salt, value)), _) if choice.shows(name) => {
                let attached = is_evidence && name == "content" && *value != Value::Absent && self.attachments < ATTACHMENTS;
                self.attachments += usize::from(attached);
                Ok(Opening::Shown { salt: *salt, name: name.to_owned(), value: value.clone(), attached })
            }
            (Some((_, Value::Absent)), _) => Ok(hidden),
            (Some(_), _) => {
                self.hidden.insert(name);
                Ok(hidden)
            }
            (None, Some(number)) => Ok(match self.erasure(number)? {
                Some(record) => Opening::Erased { digest: field.digest, record },
                None => hidden,
            }),
            (None, None) => Ok(hidden),
        }
    }

    /// C of the record that says that something was erased, which is added; `None` when it cannot be proven here.
    fn erasure(&mut self, number: i64) -> Result<Option<Hash>, Error> {
        let Some(record) = open::record(self.transaction, self.keys, number)? else { return Ok(None) };
        if self.last.is_some() && !self.is_published(&record.row) {
            return Ok(None);
        }
        if self.last.is_some() {
            self.add(&record, &Choice::default())?;
        }
        Ok(self.last.is_some().then_some(record.commitment))
    }

    /// Shows the secret of a stream, unless it was destroyed.
    pub(super) fn add_secret(&mut self, of: i64, target: i64) -> Result<(), Error> {
        let stream = self.bundle.stream;
        if let Some(secret) = open::secret(self.transaction, self.keys, of, target)? {
            self.bundle.secrets.push((stream, secret));
        }
        Ok(())
    }

    /// Shows the secret of the stream that a batch is in, when this is its first record: else nobody could check it.
    pub(super) fn add_first_secret(&mut self, batch: &Opened) -> Result<(), Error> {
        let Value::Bytes(stream) = batch.get("stream") else { return Ok(()) };
        let stream = stream.as_slice().try_into().map_err(|_| damaged("a record names a stream of another length"))?;
        if batch.row.seq == 0
            && let Some(secret) = open::secret(self.transaction, self.keys, what::BATCH, batch.row.target)?
        {
            self.bundle.secrets.push((stream, secret));
        }
        Ok(())
    }

    /// Adds reports of a batch whose record has this commitment. Those that were erased are left out; how many were not.
    pub(super) fn add_reports(&mut self, batch: i64, commitment: Hash, places: &[u32], choice: &Choice) -> Result<usize, Error> {
        let mut added = 0;
        for report in open::reports(self.transaction, self.keys, batch, places)? {
            if report.fields.iter().any(|field| field.open.is_none()) {
                continue;
            }
            let mut at = 0;
            let openings = report.fields.map(|field| {
                let name = REPORT.get(at).map_or("", |(name, _)| name);
                at += 1;
                match field.open {
                    Some((salt, value)) if choice.shows(name) => Opening::shown(salt, name, value),
                    Some((_, value)) => {
                        if value != Value::Absent {
                            self.hidden.insert(name);
                        }
                        Opening::Hidden { digest: field.digest }
                    }
                    None => Opening::Hidden { digest: field.digest },
                }
            });
            self.bundle.reports.push(ShownReport { batch: commitment, place: report.place.into(), openings, path: report.path });
            added += 1;
        }
        Ok(added)
    }

    /// Fetches the proofs, verifies them, and writes the file.
    pub(super) fn finish(mut self, now: Time, mut remarks: Vec<String>) -> Result<Made, Error> {
        self.bundle.made = now.0.max(0) / 1_000 * 1_000;
        let (mut stamped, mut witnesses) = (0, 0);
        if let Some(last) = self.last.take() {
            (stamped, witnesses) = self.prove(&last)?;
            self.last = Some(last);
            if stamped == 0 {
                remarks.push("no time-stamp covers all of it: a verifier calls it incomplete".to_owned());
            }
            if witnesses == 0 {
                remarks.push("no witness has cosigned the checkpoint: a verifier calls it incomplete".to_owned());
            }
        }
        self.bundle.sort();
        let bytes = bundle::write(&self.bundle).map_err(|wrong| Error::Conflict(wrong.to_string()))?;
        Ok(Made {
            digest: sha256(&bytes),
            bytes,
            records: self.bundle.records.len() as u64,
            reports: self.bundle.reports.len() as u64,
            hidden: self.hidden.into_iter().collect(),
            size: self.last.map(|last| last.size),
            stamped,
            witnesses,
            remarks,
        })
    }

    /// Adds the checkpoint, and every proof under it; how many authorities stamped what covers all records, and how many
    /// cosignatures the checkpoint has.
    fn prove(&mut self, last: &Checkpoint) -> Result<(u64, u64), Error> {
        let note = self.note(last)?;
        let witnesses = note.lines.len().saturating_sub(1) as u64;
        self.bundle.checkpoint = Some(note.to_string().into_bytes());
        let indexes: BTreeSet<u64> = self.bundle.records.iter().map(|record| record.index).collect();
        let highest = indexes.last().copied().unwrap_or(0);
        let (sizes, stamped) = self.stamped(&indexes, highest, last.size)?;
        let mut entries = indexes;
        let mut anchors = Vec::new();
        for size in self.fitting(sizes)? {
            let tokens = self.tokens(size)?;
            entries.extend(tokens.iter().filter_map(|token| token.index).filter(|entry| *entry < last.size));
            anchors.push((size, tokens.into_iter().map(|token| token.response).collect()));
        }
        let folder = &self.folder;
        let mut failed = None;
        let mut nodes = tile::nodes(last.size, |tile| {
            folder.read(&tile.to_string()).unwrap_or_else(|error| {
                failed = Some(error.to_string());
                None
            })
        });
        let wrong = |wrong: tree::Wrong| damaged(&wrong.to_string());
        for index in entries {
            let entry = self.transaction.log_entries(self.shard.id, index, 1)?.pop();
            let entry = entry.ok_or_else(|| damaged("an entry is missing"))?;
            let path = tree::prove_inclusion(index, last.size, &mut nodes).map_err(wrong)?;
            tree::verify_inclusion(index, last.size, &tree::leaf_hash(&entry), &path, &last.root).map_err(wrong)?;
            self.bundle.proofs.push(Inclusion { index, entry, path });
        }
        for (size, tokens) in anchors {
            let earlier = self.transaction.checkpoint_at(self.shard.id, size)?;
            let earlier = earlier.ok_or_else(|| damaged("a checkpoint that was stamped is missing"))?;
            let consistency = tree::prove_consistency(size, last.size, &mut nodes).map_err(wrong)?;
            tree::verify_consistency(size, &earlier.root, last.size, &last.root, &consistency).map_err(wrong)?;
            let checkpoint = self.note(&earlier)?.to_string().into_bytes();
            self.bundle.anchors.push(Anchor { size, checkpoint, tokens, consistency });
        }
        Ok((stamped, witnesses))
    }

    /// The time-stamps over a checkpoint, by the names of the authorities.
    fn tokens(&self, size: u64) -> Result<Vec<Stamped>, Error> {
        let of = |tsa: &String| self.transaction.anchor_at(self.shard.id, tsa, size).transpose();
        Ok(self.authorities.iter().filter_map(of).collect::<Result<_, _>>()?)
    }

    /// A checkpoint with the lines of all witnesses.
    fn note(&self, checkpoint: &Checkpoint) -> Result<Note, Error> {
        let mut note = Note::parse(checkpoint.note.as_bytes()).map_err(|wrong| damaged(&wrong.to_string()))?;
        let text = Text::parse(&note.text).map_err(|wrong| damaged(&wrong.to_string()))?;
        if (text.size, text.root) != (checkpoint.size, checkpoint.root) {
            return Err(damaged("a checkpoint is not what its row says"));
        }
        for cosignature in self.transaction.cosignatures(self.shard.id, checkpoint.size)? {
            let line = SignatureLine::parse(cosignature.line.trim_end()).map_err(|wrong| damaged(&wrong.to_string()))?;
            if !note.lines.contains(&line) {
                note.lines.push(line);
            }
        }
        Ok(note)
    }

    /// Sizes of checkpoints whose time-stamps bound the records: for each record and authority the last before it and the first
    /// after it, and all over the last checkpoint. How many authorities bound all of them from above.
    fn stamped(&self, indexes: &BTreeSet<u64>, highest: u64, last: u64) -> Result<(BTreeSet<u64>, u64), Error> {
        let shard = self.shard.id;
        let mut sizes = BTreeSet::new();
        let mut bounding = 0;
        for authority in &self.authorities {
            for index in indexes {
                sizes.extend(self.transaction.stamped_before(shard, authority, *index)?);
                let after = self.transaction.stamped_after(shard, authority, *index, last)?;
                bounding += u64::from(*index == highest && after.is_some());
                sizes.extend(after);
            }
        }
        if !self.tokens(last)?.is_empty() {
            sizes.insert(last);
        }
        Ok((sizes, bounding))
    }

    /// As many of these sizes as a bundle has room for, evenly chosen, the first and the last among them: a bound that is left out
    /// makes that of its neighbour wider, and never wrong.
    fn fitting(&self, sizes: BTreeSet<u64>) -> Result<Vec<u64>, Error> {
        let mut files = BTreeMap::new();
        for size in sizes {
            files.insert(size, 1 + self.tokens(size)?.len());
        }
        let room = MOST_FILES.saturating_sub(8 + self.attachments);
        Ok(thinned(&files, room))
    }
}

/// Evenly chosen sizes whose files fit.
fn thinned(files: &BTreeMap<u64, usize>, room: usize) -> Vec<u64> {
    for every in 1..=files.len().max(1) {
        let end = files.len().saturating_sub(1);
        let chosen = files.iter().enumerate().filter(|(at, _)| at % every == 0 || *at == end);
        if chosen.clone().map(|(_, (_, files))| files).sum::<usize>() <= room {
            return chosen.map(|(_, (size, _))| *size).collect();
        }
    }
    Vec::new()
}

fn damaged(what: &str) -> Error {
    Error::Conflict(format!("the log here does not prove what it should ({what}): run 'sluis log fsck'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_are_left_out_evenly_when_there_are_too_many() {
        let files = |count: u64| (1..=count).map(|size| (size * 64, 3)).collect::<BTreeMap<u64, usize>>();
        assert_eq!(thinned(&files(0), 100), Vec::<u64>::new());
        assert_eq!(thinned(&files(3), 9), [64, 128, 192]);
        assert_eq!(thinned(&files(5), 9), [64, 192, 320]);
        let some = thinned(&files(1_000), 150);
        assert!(some.len() <= 50 && some.len() > 30 && some[0] == 64 && some[some.len() - 1] == 64_000, "{}", some.len());
    }
}
