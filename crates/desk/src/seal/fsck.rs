//! The whole log reckoned again: every tile and slot, the database against them, and what was promised.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use ::seal::audit::{Options, Source, audit};
use ::seal::checkpoint::{self, Checkpoint};
use ::seal::log::promised;
use ::seal::note::{Note, VerifierKey};
use ::seal::tile::MAX_FILE;
use ::seal::tree::{Frontier, leaf_hash};
use store::Reader;
use store::log::Shard;

use super::{Settings, folder_of, start};
use crate::Error;

/// Entries of the database that are read at once.
const TOGETHER: u32 = 8_192;
/// The most bytes of a checkpoint.
const NOTE: u64 = 1 << 20;

/// What was found in a shard, or in a folder with a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The name that its checkpoints begin with; empty when there is none.
    pub origin: String,
    /// Entries under the published checkpoint.
    pub published: u64,
    /// Entries under the last signed checkpoint; those of a folder are as many as are published.
    pub signed: u64,
    /// Entries in all, those that are not signed yet included.
    pub entries: u64,
    /// Sealed records and padding among the published ones.
    pub sealed: u64,
    /// Tiles that were compared.
    pub tiles: u64,
    /// Whether the key that signed was known.
    pub verified: bool,
    /// What is wrong, in words for people; nothing when the log is sound.
    pub wrong: Vec<String>,
}

/// Reckons every shard of a node again.
///
/// # Errors
/// [`Error::Unavailable`] when the database or the key cannot be read.
pub fn of_data(reader: &mut Reader, settings: &Settings) -> Result<Vec<Report>, Error> {
    let directory = reader.directory().to_owned();
    let shards = reader.read(|transaction| transaction.shards())?;
    shards.iter().map(|shard| of_shard(reader, &directory, settings, shard)).collect()
}

/// Reckons the log in a folder again, as anybody can who has a copy: with the key, or without and then only what it says of itself.
pub fn of_folder(folder: &Path, key: Option<&VerifierKey>, sluis: bool) -> Report {
    let most = |path: &str| if path == "checkpoint" { NOTE } else { MAX_FILE as u64 };
    of_source(&mut |path: &str| read_file(&folder.join(path), most(path)), key, sluis)
}

/// As [`of_folder`], of a log wherever it is.
pub fn of_source(source: &mut impl Source, key: Option<&VerifierKey>, sluis: bool) -> Report {
    let mut report = Report::default();
    let opened = source
        .read("checkpoint")
        .map_err(|cause| format!("checkpoint: {cause}"))
        .and_then(|bytes| bytes.ok_or_else(|| "there is no file 'checkpoint'".to_owned()))
        .and_then(|bytes| opened(&bytes, key));
    match opened {
        Ok(checkpoint) => {
            report.verified = key.is_some();
            audit_tiles(source, &checkpoint, sluis, &mut report, |_, _| Ok(()));
            (report.signed, report.entries) = (checkpoint.size, checkpoint.size);
        }
        Err(wrong) => report.wrong.push(wrong),
    }
    report
}

fn of_shard(reader: &mut Reader, directory: &Path, settings: &Settings, shard: &Shard) -> Result<Report, Error> {
    let mut report = Report { origin: shard.origin.clone(), ..Report::default() };
    let key = start::verifier(directory, settings, &shard.origin)?;
    report.verified = key.is_some();
    // Before the database: that is never behind what was promised then, though the node goes on signing.
    let promise = promised(&start::promises(directory, settings), shard.label());
    let (size, signed, published) = reader.read(|transaction| {
        let id = shard.id;
        Ok::<_, store::Error>((
            transaction.log_size(id)?,
            transaction.signed_checkpoint(id)?,
            transaction.published_checkpoint(id)?,
        ))
    })?;
    report.entries = size;
    report.signed = signed.as_ref().map_or(0, |signed| signed.size);
    // The database against the roots that it says were signed, and against the promise.
    let mut roots: Vec<(u64, [u8; 32], &str)> = Vec::new();
    if let Some(signed) = &signed {
        roots.push((signed.size, signed.root, "its last signed checkpoint"));
        if let Err(wrong) = opened(signed.note.as_bytes(), key.as_ref()) {
            report.wrong.push(format!("its last signed checkpoint: {wrong}"));
        }
    }
    match &promise {
        Ok(Some(promise)) => roots.push((promise.size, promise.root, "what was promised to be the only one")),
        Ok(None) if signed.is_some() && shard.ended.is_none() => {
            report.wrong.push("nothing says what was signed last, as after a restore: it cannot sign".to_owned());
        }
        Ok(None) => {}
        Err(wrong) => report.wrong.push(wrong.to_string()),
    }
    roots.sort_unstable();
    let mut frontier = Frontier::new();
    let mut next = roots.iter().peekable();
    let mut place = 0;
    reader.read(|transaction| {
        transaction.each_entry(shard.id, 0, size, |index, entry| {
            if index != place {
                report.wrong.push(format!("the database has no entry {place}"));
                place = index;
            }
            place += 1;
            frontier.push(leaf_hash(&entry));
            while let Some((_, root, what)) = next.next_if(|(size, ..)| *size == place) {
                if frontier.root() != *root {
                    report.wrong.push(format!("the database does not lead to {what}, of {place} entries"));
                }
            }
            Ok::<_, store::Error>(())
        })
    })?;
    for (size, _, what) in next.filter(|(size, ..)| *size > 0) {
        report.wrong.push(format!("the database has {place} entries, and {what} has {size}: it is older, as after a restore"));
    }
    if let Some(published) = published {
        let folder = folder_of(directory, shard.label());
        report.wrong.extend(shown(reader, shard, &folder)?);
        match opened(published.note.as_bytes(), key.as_ref()) {
            Ok(checkpoint) => {
                let mut rows: std::collections::VecDeque<Vec<u8>> = std::collections::VecDeque::new();
                let mut differs = None;
                let mut source = |path: &str| read_file(&folder.join(path), MAX_FILE as u64);
                audit_tiles(&mut source, &checkpoint, true, &mut report, |index, entry| {
                    if rows.is_empty() {
                        rows.extend(reader.read(|transaction| transaction.log_entries(shard.id, index, TOGETHER))?);
                    }
                    if rows.pop_front().as_deref() != Some(entry) && differs.is_none() {
                        differs = Some(index);
                    }
                    Ok(())
                });
                if let Some(index) = differs {
                    report.wrong.push(format!("entry {index} is another in the database than in its bundle"));
                }
            }
            Err(wrong) => report.wrong.push(format!("the published checkpoint: {wrong}")),
        }
    }
    Ok(report)
}

/// What is wrong with the checkpoint that is shown; nothing when it is the one in the database. A node that publishes right now writes
/// the one a moment after the other.
fn shown(reader: &mut Reader, shard: &Shard, folder: &Path) -> Result<Option<String>, Error> {
    let mut wrong = None;
    for again in [true, true, false] {
        let published = reader.read(|transaction| transaction.published_checkpoint(shard.id))?;
        wrong = match read_file(&folder.join("checkpoint"), NOTE) {
            Ok(Some(bytes)) if published.is_some_and(|published| bytes == published.note.as_bytes()) => return Ok(None),
            Ok(Some(_)) => Some("the published checkpoint is not the one in the database".to_owned()),
            Ok(None) => Some("the published checkpoint is missing".to_owned()),
            Err(cause) => Some(format!("the published checkpoint: {cause}")),
        };
        if again {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(wrong)
}

/// Audits tiles and bundles; `compare` gets each entry.
fn audit_tiles(
    source: &mut impl Source,
    checkpoint: &Checkpoint,
    slots: bool,
    report: &mut Report,
    mut compare: impl FnMut(u64, &[u8]) -> Result<(), store::Error>,
) {
    (report.origin, report.published) = (checkpoint.origin.clone(), checkpoint.size);
    let mut failed = None;
    let audited = audit(source, checkpoint, Options { slots, ..Options::default() }, |index, entry| {
        if failed.is_none() {
            failed = compare(index, entry).err();
        }
    });
    match audited {
        Ok(audited) => (report.sealed, report.tiles) = (audited.sealed, audited.tiles),
        Err(wrong) => report.wrong.push(wrong.to_string()),
    }
    report.wrong.extend(failed.map(|failed| failed.to_string()));
}

/// The checkpoint in a note, which must be of this key if there is one.
fn opened(bytes: &[u8], key: Option<&VerifierKey>) -> Result<Checkpoint, String> {
    let note = Note::parse(bytes).map_err(|wrong| wrong.to_string())?;
    match key {
        Some(key) => checkpoint::open(&note, key).map_err(|wrong| wrong.to_string()),
        None => Checkpoint::parse(&note.text).map_err(|wrong| wrong.to_string()),
    }
}

/// The bytes of a file, no more than so many; nothing when there is none.
fn read_file(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than any such file"));
    }
    Ok(Some(bytes))
}
