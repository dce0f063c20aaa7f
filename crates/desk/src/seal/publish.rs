//! What others see of the log: at a fixed cadence, and always a multiple of a block larger, whatever happened.

use ::seal::record::{ENTRY, entry};
use ::seal::shelf::Shelf;
use model::time::Time;
use store::log::Checkpoint;

use super::{Growing, disk};
use crate::{Desk, Error};

impl Desk {
    /// Seals what waits, fills up with entries that say nothing, signs, and publishes the checkpoint. The log grows by a block at
    /// least, so that who reads it does not learn when something happened.
    ///
    /// # Errors
    /// As [`Desk::seal`].
    pub fn publish(&self) -> Result<Checkpoint, Error> {
        self.grow(|growing| {
            while self.add_waiting(growing, false)?.is_some() {}
            self.publish_now(growing)
        })
    }

    /// When the log was published last; nothing when it never was.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn last_published(&self) -> Result<Option<Time>, Error> {
        let last = self.store.reader()?.read(|transaction| {
            let shards = transaction.shards()?;
            shards.last().map_or(Ok(None), |shard| transaction.published_checkpoint(shard.id))
        })?;
        Ok(last.and_then(|last| last.published))
    }

    /// Fills up, signs and publishes.
    pub(super) fn publish_now(&self, growing: &mut Growing) -> Result<Checkpoint, Error> {
        let size = growing.growth.size();
        let before = self.store.reader()?.read(|transaction| transaction.published_checkpoint(growing.shard.id))?;
        let least = size.max(before.map_or(0, |before| before.size) + 1);
        let padding = least.next_multiple_of(self.log.settings.pad.max(1)) - size;
        self.add(growing, |_, _| Ok(((0..padding).map(|_| dummy()).collect::<Result<Vec<_>, _>>()?, ())))?;
        let now = self.now();
        // Who sees the checkpoint finds every tile of it.
        let partial = growing.growth.partial().map_err(|wrong| Error::Conflict(wrong.to_string()))?;
        growing.shelf.keep(&partial).map_err(|error| disk(&error))?;
        self.sign(growing, Some(now))?;
        self.show_published(growing)?;
        for full in std::mem::take(&mut growing.filled) {
            // C2SP tlog-tiles: whoever asks for the partial one takes the full one instead.
            let _ = std::fs::remove_dir_all(growing.shelf.path().join(format!("{full}.p")));
        }
        let published = self.store.reader()?.read(|transaction| transaction.published_checkpoint(growing.shard.id))?;
        published.ok_or_else(|| Error::Unavailable("the checkpoint was not kept; it is published the next time".to_owned()))
    }

    /// Shows the last checkpoint that is to be seen, also when a process ended before it did.
    pub(super) fn show_published(&self, growing: &mut Growing) -> Result<(), Error> {
        let last = self.store.reader()?.read(|transaction| transaction.published_checkpoint(growing.shard.id))?;
        let Some(last) = last else { return Ok(()) };
        if growing.shelf.read("checkpoint").map_err(|error| disk(&error))?.as_deref() != Some(last.note.as_bytes()) {
            growing.shelf.publish("checkpoint", last.note.as_bytes()).map_err(|error| disk(&error))?;
        }
        Ok(())
    }
}

/// An entry that looks like a sealed record, and that nothing opens.
fn dummy() -> Result<[u8; ENTRY], Error> {
    let (slot, commitment) = (store::keys::random()?, store::keys::random()?);
    Ok(entry(&slot, &commitment))
}
