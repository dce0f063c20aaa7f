//! What travels with each manifest and delta: the checkpoint that holds it, its place, and how that checkpoint continues those that a provider
//! may have seen. Body of [`matching::envelope::Kind::LogProof`].

use matching::bytes::{Malformed, Reader, Writer};
use seal::tree::Hash;

use super::{Seen, check::MOST_PATH};

/// The most checkpoints before to which one proof leads back.
pub const MOST_SINCE: usize = 256;
/// The most bytes of a checkpoint with all its cosignatures.
pub const MOST_CHECKPOINT: usize = 64 << 10;

/// That a publication stands in the log, and that the log only grew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// A signed note of a checkpoint, perhaps with cosignatures.
    pub checkpoint: String,
    /// Index of the publication's leaf.
    pub index: u64,
    /// Its audit path to the checkpoint.
    pub path: Vec<Hash>,
    /// For sizes that were published before: the proof that the checkpoint continues that tree. In order of the sizes.
    pub since: Vec<(u64, Vec<Hash>)>,
    /// The tree to which the proofs in this publication's entries lead.
    pub entries: Seen,
    /// That the checkpoint continues that one too.
    pub entries_path: Vec<Hash>,
}

impl LogProof {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        fn hash(w: &mut Writer, hash: &Hash) {
            w.raw(hash);
        }
        let mut w = Writer::new();
        w.text(&self.checkpoint).u64(self.index).list(&self.path, hash);
        w.list(&self.since, |w, (size, path)| {
            w.u64(*size).list(path, hash);
        });
        w.u64(self.entries.size).raw(&self.entries.root).list(&self.entries_path, hash);
        w.done()
    }

    /// Reads it. It proves nothing until [`super::check::check`] says so.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn decode(bytes: &[u8]) -> Result<LogProof, Malformed> {
        let mut r = Reader::new(bytes);
        let checkpoint = r.text(MOST_CHECKPOINT)?.to_owned();
        let (index, path) = (r.u64()?, r.list(MOST_PATH, Reader::array)?);
        let here = r.clone();
        let since: Vec<(u64, Vec<Hash>)> = r.list(MOST_SINCE, |r| Ok((r.u64()?, r.list(MOST_PATH, Reader::array)?)))?;
        if !since.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(here.wrong("sizes in order, each once"));
        }
        let entries = Seen { size: r.u64()?, root: r.array()? };
        let entries_path = r.list(MOST_PATH, Reader::array)?;
        r.end()?;
        Ok(LogProof { checkpoint, index, path, since, entries, entries_path })
    }
}
