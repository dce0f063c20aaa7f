//! What the checks are about: the bundle, and what follows from it without anybody's trust.
//!
//! A bundle may have a hundred thousand records, so whatever is looked for is looked up: no check compares all with all.

use std::collections::BTreeMap;

use seal::bundle::{Bundle, Inclusion, ShownRecord, ShownReport};
use seal::checkpoint::Checkpoint;
use seal::note::Note;
use seal::record::{Hash, Value};
use seal::tree;

/// A bundle, its records with their commitments, and its checkpoints as they were read.
pub(crate) struct Subject<'a> {
    /// The bundle.
    pub(crate) bundle: &'a Bundle,
    /// Its records, in the same order.
    pub(crate) records: Vec<Known<'a>>,
    /// The checkpoint that all proofs lead to. `None` when there is none; an error when it is not one.
    pub(crate) main: Option<Result<Parsed, String>>,
    /// The checkpoints of the anchors, in the order of the bundle.
    pub(crate) anchors: Vec<Result<Parsed, String>>,
    /// The secrets that are shown, by their streams.
    pub(crate) secrets: BTreeMap<Stream, Hash>,
    by_commitment: BTreeMap<Hash, usize>,
    firsts: BTreeMap<Stream, usize>,
}

/// The identifier of a stream.
pub(crate) type Stream = [u8; 16];

/// A record and its commitment.
pub(crate) struct Known<'a> {
    pub(crate) shown: &'a ShownRecord,
    pub(crate) commitment: Hash,
    /// The stream that it says to be of.
    pub(crate) stream: Stream,
    /// Its place in the stream.
    pub(crate) seq: u64,
}

/// A checkpoint and the note around it.
pub(crate) struct Parsed {
    pub(crate) note: Note,
    pub(crate) checkpoint: Checkpoint,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(bundle: &'a Bundle) -> Subject<'a> {
        let records: Vec<Known<'a>> = bundle.records.iter().map(Known::new).collect();
        let by_commitment = records.iter().enumerate().map(|(place, record)| (record.commitment, place)).collect();
        let first = |(_, record): &(usize, &Known<'_>)| record.seq == 0;
        let firsts = records.iter().enumerate().filter(first).map(|(place, record)| (record.stream, place)).collect();
        let secrets = bundle.secrets.iter().copied().collect();
        let main = bundle.checkpoint.as_deref().map(parse);
        let anchors = bundle.anchors.iter().map(|anchor| parse(&anchor.checkpoint)).collect();
        Subject { bundle, records, main, anchors, secrets, by_commitment, firsts }
    }

    /// The checkpoint that all proofs lead to, if it was read.
    pub(crate) fn checkpoint(&self) -> Option<&Checkpoint> {
        Some(&self.main.as_ref()?.as_ref().ok()?.checkpoint)
    }

    /// The proof of an entry.
    pub(crate) fn proof(&self, index: u64) -> Option<&'a Inclusion> {
        let at = self.bundle.proofs.binary_search_by_key(&index, |proof| proof.index).ok()?;
        self.bundle.proofs.get(at)
    }

    /// Whether a proof leads to the root of the checkpoint.
    pub(crate) fn is_proven(&self, proof: &Inclusion) -> bool {
        let leaf = tree::leaf_hash(&proof.entry);
        let holds = |to: &Checkpoint| tree::verify_inclusion(proof.index, to.size, &leaf, &proof.path, &to.root).is_ok();
        self.checkpoint().is_some_and(holds)
    }

    /// The bodies of public entries that are proven, with their places in the log.
    pub(crate) fn public_entries(&self) -> impl Iterator<Item = (u64, &'a [u8])> {
        let proofs = self.bundle.proofs.iter().filter(|proof| self.is_proven(proof));
        proofs.filter_map(|proof| Some((proof.index, body(&proof.entry)?)))
    }

    /// The record with this commitment.
    pub(crate) fn with_commitment(&self, commitment: &Hash) -> Option<&Known<'a>> {
        self.records.get(*self.by_commitment.get(commitment)?)
    }

    /// The first record of a stream, if it is shown.
    pub(crate) fn first_of(&self, stream: &Stream) -> Option<&Known<'a>> {
        self.records.get(*self.firsts.get(stream)?)
    }

    /// The report at a place of a batch.
    pub(crate) fn report(&self, batch: &Hash, place: u64) -> Option<&'a ShownReport> {
        let found = self.bundle.reports.binary_search_by_key(&(*batch, place), |report| (report.batch, report.place));
        self.bundle.reports.get(found.ok()?)
    }

    /// The records of the case itself, in their order.
    pub(crate) fn own(&self) -> impl Iterator<Item = &Known<'a>> {
        self.records.iter().filter(|record| record.stream == self.bundle.stream)
    }

    /// The place in the log after which no record of the bundle comes.
    pub(crate) fn last_index(&self) -> Option<u64> {
        self.records.iter().map(|record| record.shown.index).max()
    }
}

fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let note = Note::parse(bytes).map_err(|wrong| wrong.to_string())?;
    let checkpoint = Checkpoint::parse(&note.text).map_err(|wrong| wrong.to_string())?;
    Ok(Parsed { note, checkpoint })
}

/// The body of a public entry: `01 02`, its length in two bytes, and it.
pub(crate) fn body(entry: &[u8]) -> Option<&[u8]> {
    let (&[1, 2, high, low], body) = entry.split_first_chunk::<4>()? else { return None };
    (body.len() == usize::from(u16::from_be_bytes([high, low]))).then_some(body)
}

impl<'a> Known<'a> {
    fn new(shown: &'a ShownRecord) -> Known<'a> {
        let mut known = Known { shown, commitment: shown.commitment(), stream: Stream::default(), seq: u64::MAX };
        // The reader of bundles lets no record pass that does not show both.
        known.stream = known.bytes("stream").and_then(|stream| stream.try_into().ok()).unwrap_or_default();
        known.seq = known.number("seq").unwrap_or(u64::MAX);
        known
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.shown.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn time(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Time(time) => Some(*time),
            _ => None,
        }
    }

    pub(crate) fn digest(&self, name: &str) -> Option<&'a Hash> {
        match self.value(name)? {
            Value::Digest(digest) => Some(digest),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        match self.value(name)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}
