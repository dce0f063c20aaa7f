//! The witnesses of this node's own log: what they are asked, and what becomes of their answers.
//!
//! Nothing that a witness says without our own log's signature stops anything (see [`Desk::seen_elsewhere`]): a size that it claims
//! to know is a reason to look, and no more.

use std::collections::BTreeMap;

use ::seal::note::{Note, VerifierKey};
use ::seal::shelf::Shelf;
use ::seal::tile;
use ::seal::tree::prove_consistency;
use ::seal::witness::{Request, cosignatures};
use model::time::Time;
use store::log::{Checkpoint, Shard};
use store::witness::Cosignature;

use super::disk;
use super::watch::State;
use crate::{Desk, Error};

/// How old the newest cosignature of a witness may be, in milliseconds.
const FRESH: i64 = model::time::DAY;

/// What a witness is to cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The shard.
    pub shard: Shard,
    /// Its newest published checkpoint.
    pub published: Checkpoint,
    /// The largest size of it that this witness cosigned; 0 for none.
    pub cosigned: u64,
}

/// How a witness is called in the database: the name and the identifier of its key.
pub fn label(key: &VerifierKey) -> String {
    let id = key.id().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("{}+{id}", key.name())
}

impl Desk {
    /// What a witness is to cosign now; nothing when it has cosigned the newest.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn wanted_of(&self, key: &VerifierKey) -> Result<Option<Wanted>, Error> {
        Ok(self.store.reader()?.read(|transaction| {
            // Also a shard that was frozen a moment ago has a last checkpoint to be cosigned.
            let shards = transaction.shards()?;
            for shard in shards.iter().rev().take(2).rev() {
                let Some(published) = transaction.published_checkpoint(shard.id)? else { continue };
                let cosigned = transaction.cosigned_by(shard.id, &label(key))?;
                if cosigned < published.size {
                    return Ok(Some(Wanted { shard: shard.clone(), published, cosigned }));
                }
            }
            Ok::<_, store::Error>(None)
        })?)
    }

    /// The request for a witness that knows a checkpoint of `old` entries.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a tile is missing, [`Error::Invalid`] when the log does not have so many entries.
    pub fn request_for(&self, wanted: &Wanted, old: u64) -> Result<Request, Error> {
        let size = wanted.published.size;
        if old > size {
            return Err(Error::Invalid(format!("the published log has {size} entries, not {old}")));
        }
        let checkpoint = Note::parse(wanted.published.note.as_bytes()).map_err(|wrong| Error::Unavailable(wrong.to_string()))?;
        let shelf = self.shelf_of(wanted.shard.label());
        let mut nodes = tile::nodes(size, |tile| shelf.read(&tile.to_string()).ok().flatten());
        let proof = match old {
            0 => Vec::new(),
            old => prove_consistency(old, size, &mut nodes).map_err(|wrong| Error::Unavailable(wrong.to_string()))?,
        };
        Ok(Request { old, proof, checkpoint })
    }

    /// Keeps what a witness answered: the cosignatures of these keys that hold, in the database and in the file that others see.
    /// How many there are; the node's own key never counts.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when they cannot be kept.
    pub fn keep_cosignatures(&self, wanted: &Wanted, body: &[u8], keys: &[VerifierKey]) -> Result<usize, Error> {
        let Wanted { shard, published, .. } = wanted;
        let mut note = Note::parse(published.note.as_bytes()).map_err(|wrong| Error::Unavailable(wrong.to_string()))?;
        let own = self.witness_key().ok().flatten();
        let foreign: Vec<VerifierKey> =
            keys.iter().filter(|key| own.as_ref().is_none_or(|own| own.public() != key.public())).cloned().collect();
        let found = cosignatures(&note.text, body, &foreign);
        if found.is_empty() {
            return Ok(0);
        }
        // One at a time: each writes the whole file, from what the database has by then.
        let _alone = self.log.witness.writing.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let all = self.store.write("cosigned", |transaction| {
            for (key, line, seconds) in &found {
                let at = Time(i64::try_from(*seconds).unwrap_or(i64::MAX).saturating_mul(1_000));
                let cosignature = Cosignature { witness: label(key), line: line.to_string(), at };
                transaction.add_cosignature(shard.id, published.size, &cosignature)?;
            }
            transaction.cosignatures(shard.id, published.size)
        })?;
        let lines = all.iter().filter_map(|cosignature| ::seal::note::SignatureLine::parse(&cosignature.line).ok());
        note.lines.extend(lines);
        let shelf = self.shelf_of(shard.label());
        shelf.publish(&format!("cosigned/{}", published.size), note.to_string().as_bytes()).map_err(|error| disk(&error))?;
        Ok(found.len())
    }

    /// Begins to wait for these witnesses, by the operator's names for them: one that does not cosign for a day wakes a person.
    pub fn expect_witnesses(&self, witnesses: &[(String, VerifierKey)]) {
        let now = self.now();
        let mut states = self.states();
        for (name, key) in witnesses {
            states.insert(format!("witness/{name}"), State::of_witness(label(key), now));
        }
    }

    /// Takes note that a witness claims to know a larger log than there is, or another of the same size. Nobody signed that, so it stops nothing.
    pub fn witness_claims(&self, name: &str, size: Option<u64>) {
        if let Some(state) = self.states().get_mut(&format!("witness/{name}")) {
            state.trouble = size.map(|size| {
                format!(
                    "Witness '{name}' says that it knows a log of ours of {size} entries that is not this one: larger, or another. \
                     Either it is wrong, or this node's data was rolled back: 'sluis log show' and 'sluis log fsck' say how the log stands."
                )
            });
        }
    }

    /// Which of the witnesses have not cosigned for too long, by the key of their alert.
    pub(super) fn stale_witnesses(&self, states: &BTreeMap<String, State>, now: Time) -> Result<Vec<(String, String)>, Error> {
        let mut stale = Vec::new();
        let mut reader = self.store.reader()?;
        for (key, state) in states {
            let Some(label) = &state.witness else { continue };
            let last = reader.read(|transaction| transaction.last_cosigned(label))?;
            let since = last.unwrap_or(state.since);
            if now.0.saturating_sub(since.0) <= FRESH {
                continue;
            }
            let name = key.strip_prefix("witness/").unwrap_or(key);
            let last =
                last.map_or_else(|| "has not cosigned the log yet".to_owned(), |last| format!("last cosigned the log at {last}"));
            stale.push((key.clone(), format!("Witness '{name}' {last}: its cosignature is what proves that the log has one history. Ask its operator, or name another.")));
        }
        Ok(stale)
    }
}
