//! Batches that were asked and are not answered yet: their inputs and seeds, encrypted, in a folder that backups leave out, destroyed once the
//! answer is kept (M9). Whoever had a seed, its inputs' form and the query file could test guesses of customers.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

use matching::Digest;
use matching::bytes::{Malformed, Reader, Writer};
use matching::envelope::{Envelope, Header, Kind};
use matching::message::EvalRequest;
use matching::token::{Group, MOST_BYTES};
use matching::voprf;
use rand_core::CryptoRng;
use zeroize::{Zeroize as _, Zeroizing};

use super::directory::{CACHE, OUTBOX, Pinned, Provider};
use super::error::Error;
use crate::files;
use crate::vault::Key;

const MAGIC: &[u8; 8] = b"SLUPEND1";
const PURPOSE: &str = "sluis/v1/pending";
/// The most bytes of one file: ten million inputs of a hundred bytes.
const MOST: u64 = 2 << 30;
/// The most batches of one file.
pub const MOST_BATCHES: usize = 1 << 16;

/// The batches of one query file.
#[derive(Debug)]
pub struct Asked {
    /// What the query file is called, without its extension.
    pub name: String,
    /// The publication that was asked.
    pub list: [u8; 16],
    /// Its epoch.
    pub epoch: u32,
    /// The hash of its manifest.
    pub manifest: Digest,
    /// When the file was signed, in milliseconds since 1970 UTC.
    pub issued: i64,
    /// Until when it may be taken in.
    pub until: i64,
    /// Those not answered yet, in the order of the file.
    pub batches: Vec<Batch>,
}

/// One batch.
pub struct Batch {
    /// Whose key is asked.
    pub group: Group,
    /// How many elements.
    pub size: u16,
    /// Its number.
    pub seq: u64,
    /// What the elements are blinded with.
    pub(crate) seed: Zeroizing<[u8; 32]>,
    /// [`Envelope::hash`] of the request as it was signed last.
    pub request: Digest,
    /// What is asked; the rest of the batch is dummies.
    pub(crate) inputs: Vec<Box<[u8]>>,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch")
            .field("group", &self.group)
            .field("seq", &self.seq)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for input in &mut self.inputs {
            input.zeroize();
        }
    }
}

impl Batch {
    /// The blinded elements: the same each time (M9).
    pub(crate) fn elements(&self) -> Result<Vec<voprf::Element>, voprf::Wrong> {
        voprf::blind(&self.inputs, usize::from(self.size), &self.seed)
    }

    /// The request, signed as of when its file was.
    pub(crate) fn request(&self, asked: &Asked, pinned: &Pinned, provider: &Provider) -> Result<Envelope, voprf::Wrong> {
        let mut header = Header::new(Kind::EvalRequest, provider.key(), pinned.evaluator.0, asked.issued, asked.until);
        (header.list, header.epoch, header.under, header.seq) = (asked.list, asked.epoch, asked.manifest, self.seq);
        let body = EvalRequest { group: self.group, elements: self.elements()? }.encode();
        Ok(Envelope::signed(header, body, &provider.identity().signing))
    }

    fn write(&self, w: &mut Writer) {
        w.u8(self.group as u8).u16(self.size).u64(self.seq).raw(&*self.seed).raw(&self.request);
        w.list(&self.inputs, |w, input| {
            w.bytes(input);
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Batch, Malformed> {
        let here = r.clone();
        let group = Group::of(r.u8()?).ok_or_else(|| here.wrong("a group of classes"))?;
        Ok(Batch {
            group,
            size: r.u16()?,
            seq: r.u64()?,
            seed: Zeroizing::new(r.array()?),
            request: r.array()?,
            inputs: r.list(voprf::MOST, |r| Ok(r.bytes(MOST_BYTES + 9)?.into()))?,
        })
    }
}

impl Asked {
    /// Where the query file is put for whoever takes it to the evaluator.
    pub(crate) fn query_path(&self, provider: &Provider) -> Result<PathBuf, Error> {
        Ok(provider.folder(OUTBOX)?.join(format!("{}.slu", self.name)))
    }

    fn path(&self, provider: &Provider) -> Result<PathBuf, Error> {
        Ok(provider.folder(CACHE)?.join(format!("pending-{}.bin", self.name)))
    }

    /// Keeps it, encrypted.
    pub(crate) fn keep(&self, provider: &Provider, key: &Key, rng: &mut impl CryptoRng) -> Result<(), Error> {
        let mut w = Writer::new();
        w.raw(MAGIC).text(&self.name).raw(&self.list).u32(self.epoch).raw(&self.manifest).time(self.issued).time(self.until);
        // A file has at most MOST_BATCHES, which fits in four bytes.
        w.u32(self.batches.len() as u32);
        for batch in &self.batches {
            batch.write(&mut w);
        }
        let plain = Zeroizing::new(w.done());
        Ok(files::write(&self.path(provider)?, &key.seal(PURPOSE, &plain, rng))?)
    }

    /// Destroys it: written over, as far as the disk lets us, and taken away. What is on it was encrypted all the time.
    pub(crate) fn destroy(&self, provider: &Provider) -> Result<(), Error> {
        destroy(&self.path(provider)?)
    }

    fn read(bytes: &[u8]) -> Result<Asked, Malformed> {
        let mut r = Reader::new(bytes);
        let here = r.clone();
        if r.raw(8)? != MAGIC {
            return Err(here.wrong("a file of pending batches"));
        }
        let mut asked = Asked {
            name: r.text(100)?.to_owned(),
            list: r.array()?,
            epoch: r.u32()?,
            manifest: r.array()?,
            issued: r.time()?,
            until: r.time()?,
            batches: Vec::new(),
        };
        let count = r.u32()?;
        for _ in 0..count {
            asked.batches.push(Batch::read(&mut r)?);
        }
        r.end()?;
        Ok(asked)
    }
}

/// All that was asked under the manifest in force and is not answered, oldest first. What was asked under another one is destroyed: its
/// answers open nothing any more. So is what the state does not know of: it was being made when the machine stopped, and nobody saw it.
pub(crate) fn all(provider: &Provider, key: &Key) -> Result<Vec<Asked>, Error> {
    let manifest = provider.pinned()?.manifest.0;
    let mut all = Vec::new();
    for path in paths(provider)? {
        let sealed = files::read(&path, MOST)?;
        let plain = key.open(PURPOSE, &sealed)?;
        let asked = Asked::read(&plain)?;
        let traffic = &provider.state.traffic;
        let last = |batch: &Batch| traffic.groups.get(&(batch.group as u8)).map_or(0, |sent| sent.last);
        let known = traffic.manifest.is_some_and(|under| under.0 == manifest)
            && asked.batches.iter().all(|batch| batch.seq <= last(batch));
        if asked.manifest == manifest && known {
            all.push(asked);
        } else {
            files::remove(&asked.query_path(provider)?)?;
            destroy(&path)?;
        }
    }
    all.sort_by(|a, b| (a.issued, &a.name).cmp(&(b.issued, &b.name)));
    Ok(all)
}

/// Destroys all that was asked and is not answered, whatever key it is under. The customers are asked again in the next period.
///
/// # Errors
/// Those of the system.
pub fn forget(provider: &Provider) -> Result<usize, Error> {
    let paths = paths(provider)?;
    for path in &paths {
        destroy(path)?;
    }
    Ok(paths.len())
}

fn paths(provider: &Provider) -> Result<Vec<PathBuf>, Error> {
    let folder = provider.folder(CACHE)?;
    let entries = std::fs::read_dir(&folder).map_err(|source| files::Error::System { path: folder.clone(), source })?;
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with("pending-") && name.ends_with(".bin")
        })
        .collect();
    paths.sort_unstable();
    Ok(paths)
}

fn destroy(path: &std::path::Path) -> Result<(), Error> {
    let over = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
        let mut left = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(0))?;
        let zeros = vec![0; 1 << 20];
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(zeros.len()).min(zeros.len());
            file.write_all(&zeros[..now])?;
            left -= now as u64;
        }
        file.sync_all()
    };
    // Writing over is a courtesy of the disk; that the file is gone is what counts.
    let _ = over();
    Ok(files::remove(path)?)
}
