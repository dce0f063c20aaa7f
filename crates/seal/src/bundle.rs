//! Bundles: one case, or one notice, as it is given to somebody, with the proofs. `docs/seal.md` 6.
//!
//! [`read`] takes nothing on trust and judges nothing: what comes out of it is well formed, in the one form that there is for what
//! is in it. Whether it is true is for `sluis-verify`.

mod bytes;
pub(crate) mod container;
pub(crate) mod manifest;
mod proofs;
mod records;
mod reports;

use std::borrow::Cow;

#[cfg(feature = "testing")]
pub(crate) use manifest::said;

use crate::checkpoint::MAX_ORIGIN;
use crate::record::{Hash, Kind, Type, Value, commitment, field_digest, kind_of};

/// Most files of a bundle.
pub const MOST_FILES: usize = 256;
/// Most bytes of a file.
pub const MOST_FILE: usize = 64 << 20;
/// Most hashes of a path: a tree has at most 2^64 leaves.
pub const MOST_PATH: usize = 64;
/// Index of a record that is not under a checkpoint yet.
pub const UNSEALED: u64 = u64::MAX;
/// What stands in `README.txt` of every bundle of this version.
pub const README: &str = include_str!("bundle/README.txt");

/// For whom a bundle is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A case, for a court, a defence or an auditor.
    Evidence,
    /// One notice, for who sent it (DSA article 16(4)).
    Receipt,
}

/// A bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// For whom it is made.
    pub form: Form,
    /// The name of the log.
    pub origin: String,
    /// The stream of the case.
    pub stream: [u8; 16],
    /// When it was made, as who made it claims: milliseconds since 1970 in UTC, a whole second.
    pub made: i64,
    /// Identifiers of streams and their secrets, in the order of [`Bundle::sort`].
    pub secrets: Vec<([u8; 16], Hash)>,
    /// The records, in the order of [`Bundle::sort`].
    pub records: Vec<ShownRecord>,
    /// Reports of batches, by rising batch and place.
    pub reports: Vec<ShownReport>,
    /// The checkpoint that all proofs lead to: a signed note. Only a receipt may lack it.
    pub checkpoint: Option<Vec<u8>>,
    /// Proofs that entries are under the checkpoint, by rising index.
    pub proofs: Vec<Inclusion>,
    /// Time-stamped checkpoints, by rising size.
    pub anchors: Vec<Anchor>,
}

/// A record, with what of it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownRecord {
    /// Its place in the log, or [`UNSEALED`].
    pub index: u64,
    /// Its slot.
    pub slot: Hash,
    /// The number of its kind.
    pub kind: u16,
    /// Its fields and decoys, by ordinal; at most 32.
    pub openings: Vec<Opening>,
}

/// A field, shown or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Not shown, or a decoy.
    Hidden {
        /// d_k.
        digest: Hash,
    },
    /// Shown.
    Shown {
        /// Its salt.
        salt: Hash,
        /// Its name, as who made the bundle says; at most 255 bytes.
        name: String,
        /// Its value.
        value: Value,
        /// Whether the value (bytes, then) is a file of its own.
        attached: bool,
    },
    /// Nobody can show it any more.
    Erased {
        /// d_k.
        digest: Hash,
        /// C of the record that says so.
        record: Hash,
    },
}

/// A report of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownReport {
    /// C of the batch's record.
    pub batch: Hash,
    /// Its place in the batch.
    pub place: u64,
    /// Its four fields, never attached.
    pub openings: [Opening; 4],
    /// Its way up the tree of the batch.
    pub path: Vec<Hash>,
}

/// A proof that an entry is under the bundle's checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Its place in the log.
    pub index: u64,
    /// The entry.
    pub entry: Vec<u8>,
    /// Its way up the tree.
    pub path: Vec<Hash>,
}

/// A checkpoint with time-stamps over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Size of its tree.
    pub size: u64,
    /// A signed note.
    pub checkpoint: Vec<u8>,
    /// Time-stamp responses (RFC 3161) over its text, one for each authority; at least one.
    pub tokens: Vec<Vec<u8>>,
    /// Its consistency with the bundle's checkpoint.
    pub consistency: Vec<Hash>,
}

/// Why something is not a bundle.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The container is not one of ours.
    #[error(
        "this is not a bundle: {what} (at byte {at}). Ask for the file once more; a ZIP program must not have packed it again"
    )]
    Container {
        /// Where.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// A file is there that does not belong there, or twice, or not in its place.
    #[error("the bundle has a file that does not belong where it is: {0:?}")]
    Name(String),
    /// A file is missing.
    #[error("the bundle lacks {0}")]
    Missing(&'static str),
    /// The text for readers is another one.
    #[error("README.txt is not the text that every bundle has: somebody changed it")]
    Readme,
    /// The manifest is not one.
    #[error("manifest.txt: {0}")]
    Manifest(&'static str),
    /// A file is not what the manifest says.
    #[error("{0:?} is not the file that the manifest names: it was damaged or changed")]
    Digest(String),
    /// A file cannot be read.
    #[error("{file}: {what} (at byte {at})")]
    Part {
        /// Which.
        file: &'static str,
        /// Where.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// Its parts do not belong together, or stand in another order.
    #[error("the parts of the bundle do not fit together: {0}")]
    Parts(&'static str),
    /// It is beyond the limits.
    #[error(
        "the bundle would have more than 256 files, or one of more than 64 MiB, or more than 4 GiB: make it of fewer records"
    )]
    TooLarge,
    /// It is well formed, but not in the one form.
    #[error("the bundle is written in another way than the one that is valid for what is in it: it was changed or repacked")]
    Another,
}

impl Opening {
    /// A field that is shown in place.
    pub fn shown(salt: Hash, name: &str, value: Value) -> Opening {
        Opening::Shown { salt, name: name.to_owned(), value, attached: false }
    }

    /// d_k, computed where the field is shown.
    pub fn digest(&self) -> Hash {
        match self {
            Opening::Hidden { digest } | Opening::Erased { digest, .. } => *digest,
            Opening::Shown { salt, name, value, .. } => field_digest(salt, name, value.kind(), &value.encode()),
        }
    }

    /// Its value, if it is shown.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Opening::Shown { value, .. } => Some(value),
            _ => None,
        }
    }
}

impl ShownRecord {
    /// Its kind, if there is such a one.
    pub fn kind(&self) -> Option<&'static Kind> {
        kind_of(self.kind)
    }

    /// C, from all its digests.
    pub fn commitment(&self) -> Hash {
        let digests: Vec<Hash> = self.openings.iter().map(Opening::digest).collect();
        commitment(self.kind, &digests)
    }

    /// The value of a field by its name, if it is shown. Say names of the kind only: whether what is shown stands at the
    /// ordinal of its name is for the verifier.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.kind()?.ordinal(name).and_then(|at| self.openings.get(at)).and_then(Opening::value)
    }

    /// Its stream and its place there, which are always shown.
    fn place(&self) -> Option<([u8; 16], u64)> {
        match (self.openings.get(1)?.value()?, self.openings.get(2)?.value()?) {
            (Value::Bytes(stream), Value::Number(seq)) => Some((stream.as_slice().try_into().ok()?, *seq)),
            _ => None,
        }
    }
}

impl Bundle {
    /// Puts everything in its order: secrets, records (the case's own stream first, then by stream, place and index), reports,
    /// proofs and anchors. Of proofs and anchors that stand there twice, one stays.
    pub fn sort(&mut self) {
        let own = self.stream;
        self.secrets.sort_by_key(|(stream, secret)| (*stream != own, *stream, *secret));
        self.secrets.dedup();
        self.records.sort_by_key(|record| key(&own, record));
        self.reports.sort_by_key(|report| (report.batch, report.place));
        self.proofs.sort_by_key(|proof| proof.index);
        self.proofs.dedup();
        self.anchors.sort_by_key(|anchor| anchor.size);
        self.anchors.dedup();
    }

    /// Holds what must be so for there to be one byte string for a bundle, and one bundle for a byte string.
    fn check(&self) -> Result<(), Wrong> {
        let origin = (1..=MAX_ORIGIN).contains(&self.origin.len())
            && self.origin.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'+');
        let own = &self.stream;
        let attached = |record: &ShownRecord| {
            record.openings.iter().filter(|opening| matches!(opening, Opening::Shown { attached: true, .. })).count()
        };
        let shown = self.records.iter().flat_map(|record| &record.openings);
        let reported = self.reports.iter().flat_map(|report| &report.openings);
        let fits = |opening: &Opening| match opening {
            Opening::Shown { name, value, attached, .. } => {
                name.len() <= 255
                    && (!attached || value.kind() == Type::Bytes)
                    && Value::decode(value.kind(), &value.encode()).as_ref() == Some(value)
            }
            _ => true,
        };
        let paths = self.reports.iter().map(|report| &report.path);
        let paths = paths.chain(self.proofs.iter().map(|proof| &proof.path));
        let mut paths = paths.chain(self.anchors.iter().map(|anchor| &anchor.consistency));
        let sealed = self.checkpoint.is_some();
        for (holds, what) in [
            (origin, "the origin is empty, too long, or has other signs than visible ASCII without '+'"),
            (self.records.iter().all(|record| record.place().is_some()), "a record does not show its stream and its place there"),
            (
                self.records.iter().all(|record| record.openings.len() <= crate::record::MOST_FIELDS),
                "a record has more than 32 fields",
            ),
            (self.records.iter().all(|record| attached(record) <= 1), "a record has two attachments"),
            (!self.reports.iter().any(|report| report.openings.iter().any(is_attached)), "a report has an attachment"),
            (shown.chain(reported).all(fits), "a field's name is too long, or its value not one of its type"),
            (paths.all(|path| path.len() <= MOST_PATH), "a path is longer than that of any tree"),
            (self.proofs.iter().all(|proof| proof.entry.len() <= usize::from(u16::MAX)), "an entry is longer than 65,535 bytes"),
            (self.secrets.len() <= usize::from(u16::MAX), "there are too many secrets"),
            (
                self.secrets.is_sorted_by(|a, b| (a.0 != *own, a.0) < (b.0 != *own, b.0)),
                "secrets are out of order, or one is there twice",
            ),
            (self.records.is_sorted_by(|a, b| key(own, a) <= key(own, b)), "records are out of order"),
            (self.reports.is_sorted_by(|a, b| (a.batch, a.place) < (b.batch, b.place)), "reports are out of order"),
            (self.proofs.is_sorted_by(|a, b| a.index < b.index), "proofs are out of order"),
            (self.anchors.is_sorted_by(|a, b| a.size < b.size), "anchors are out of order"),
            (self.anchors.iter().all(|anchor| !anchor.tokens.is_empty()), "a checkpoint of an anchor has no time-stamp"),
            (sealed || self.form == Form::Receipt, "there is no checkpoint"),
            (sealed || self.proofs.is_empty() && self.anchors.is_empty(), "there are proofs without a checkpoint"),
            (
                self.records.iter().all(|record| (record.index == UNSEALED) != sealed),
                "a record has a place in the log without a checkpoint, or none with one",
            ),
        ] {
            if !holds {
                return Err(Wrong::Parts(what));
            }
        }
        Ok(())
    }
}

/// What records are ordered by.
fn key(own: &[u8; 16], record: &ShownRecord) -> (bool, [u8; 16], u64, u64) {
    let (stream, seq) = record.place().unwrap_or_default();
    (stream != *own, stream, seq, record.index)
}

fn is_attached(opening: &Opening) -> bool {
    matches!(opening, Opening::Shown { attached: true, .. })
}

/// Writes a bundle.
///
/// # Errors
/// When it is beyond the limits, or its parts are out of order ([`Bundle::sort`]) or do not belong together.
pub fn write(bundle: &Bundle) -> Result<Vec<u8>, Wrong> {
    bundle.check()?;
    let mut files: Vec<(String, Cow<'_, [u8]>)> =
        vec![(records::NAME.into(), records::write(&bundle.secrets, &bundle.records).into())];
    if !bundle.reports.is_empty() {
        files.push((reports::NAME.into(), reports::write(&bundle.reports).into()));
    }
    if let Some(checkpoint) = &bundle.checkpoint {
        files.push((CHECKPOINT.into(), checkpoint.into()));
        files.push((proofs::NAME.into(), proofs::write(&bundle.proofs, &bundle.anchors).into()));
    }
    for anchor in &bundle.anchors {
        files.push((format!("anchors/{}.txt", anchor.size), (&anchor.checkpoint).into()));
        for (place, token) in anchor.tokens.iter().enumerate() {
            files.push((token_name(anchor.size, place), token.into()));
        }
    }
    for (place, record) in bundle.records.iter().enumerate() {
        if let Some((ending, content)) = records::attachment(record) {
            files.push((format!("attachments/{place}.{ending}"), content.into()));
        }
    }
    let files: Vec<container::File<'_>> = files.iter().map(|(name, content)| (name.as_str(), content.as_ref())).collect();
    let head = manifest::Head { form: bundle.form, origin: bundle.origin.clone(), stream: bundle.stream, made: bundle.made };
    let manifest = manifest::write(&head, &files)?;
    let mut all: Vec<container::File<'_>> = vec![(README_NAME, README.as_bytes()), (manifest::NAME, manifest.as_bytes())];
    all.extend(files);
    container::write(&all)
}

const README_NAME: &str = "README.txt";
const CHECKPOINT: &str = "checkpoint.txt";

fn token_name(size: u64, place: usize) -> String {
    if place == 0 { format!("anchors/{size}.tsr") } else { format!("anchors/{size}.{}.tsr", place + 1) }
}

/// Reads a bundle.
///
/// # Errors
/// For whatever is not exactly what [`write()`] writes.
pub fn read(bytes: &[u8]) -> Result<Bundle, Wrong> {
    let files = container::read(bytes)?;
    let mut rest = Files { files: &files };
    if rest.need(README_NAME)? != README.as_bytes() {
        return Err(Wrong::Readme);
    }
    let manifest = rest.need(manifest::NAME)?;
    let head = manifest::read(manifest, rest.files)?;
    let written_records = rest.need(records::NAME)?;
    let reports = rest.find(reports::NAME).map(reports::read).transpose()?.unwrap_or_default();
    let checkpoint = rest.find(CHECKPOINT);
    let (proofs, sizes) = match checkpoint {
        Some(_) => proofs::read(rest.need(proofs::NAME)?)?,
        None => Default::default(),
    };
    let mut anchors = Vec::new();
    for (size, consistency) in sizes {
        let checkpoint = rest.find(&format!("anchors/{size}.txt")).ok_or(Wrong::Missing("the checkpoint of an anchor"))?.to_vec();
        let mut tokens = Vec::new();
        while let Some(token) = rest.find(&token_name(size, tokens.len())) {
            tokens.push(token.to_vec());
        }
        anchors.push(Anchor { size, checkpoint, tokens, consistency });
    }
    let attached = rest.attachments()?;
    let attachment = |place| attached.binary_search_by_key(&place, |(place, _)| *place).ok().map(|at| attached[at].1);
    let (secrets, records) = records::read(written_records, attachment)?;
    let manifest::Head { form, origin, stream, made } = head;
    let checkpoint = checkpoint.map(<[u8]>::to_vec);
    let bundle = Bundle { form, origin, stream, made, secrets, records, reports, checkpoint, proofs, anchors };
    if write(&bundle)? != bytes {
        return Err(Wrong::Another);
    }
    Ok(bundle)
}

/// The files that were not taken yet.
struct Files<'a, 'b> {
    files: &'b [container::File<'a>],
}

impl<'a> Files<'a, '_> {
    /// The next file, if it has this name.
    fn find(&mut self, name: &str) -> Option<&'a [u8]> {
        let ((next, content), rest) = self.files.split_first()?;
        (*next == name).then(|| self.files = rest)?;
        Some(content)
    }

    /// The next file, which must have this name.
    fn need(&mut self, name: &'static str) -> Result<&'a [u8], Wrong> {
        self.find(name).ok_or(Wrong::Missing(name))
    }

    /// The rest of the files, all of them attachments: the place of the record and the content, by rising place.
    fn attachments(self) -> Result<Vec<(usize, &'a [u8])>, Wrong> {
        let mut attached: Vec<(usize, &[u8])> = Vec::new();
        for (name, content) in self.files {
            let wrong = || Wrong::Name((*name).to_owned());
            let (place, _ending) = name.strip_prefix("attachments/").and_then(|name| name.split_once('.')).ok_or_else(wrong)?;
            let place = place.parse().map_err(|_| wrong())?;
            if attached.last().is_some_and(|(before, _)| *before >= place) {
                return Err(wrong());
            }
            attached.push((place, content));
        }
        Ok(attached)
    }
}

#[cfg(test)]
mod tests;
