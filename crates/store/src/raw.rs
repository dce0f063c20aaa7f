//! Raw submissions: once, encrypted, in frames, each under a key of its own.
//!
//! The form, for files and for the `raw` table alike: the eight bytes `SLUISRAW`, then frames. A frame is the length
//! of its ciphertext (four bytes, big-endian) and the ciphertext: AES-256-GCM over zstd of at most 1 MiB of the
//! submission, with the frame's number and a last-flag as nonce. So frames cannot be swapped, dropped or cut off.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use model::submission::PublicId;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::{digest, hmac};

use crate::keys::{Key, Keys, random};
use crate::{At, Error};

/// Bytes of a submission in one frame.
const FRAME: usize = 1 << 20;
/// Submissions whose frames are no longer than this live in the database: a file each would cost more.
const SMALL: usize = 48 << 10;
const MAGIC: &[u8; 8] = b"SLUISRAW";

/// Where frames are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Here, to be put into the `raw` table.
    Small(Vec<u8>),
    /// In a file of the data directory, durable.
    File(PathBuf),
}

/// A submission that was written: its bytes are durable (or in memory, when small), its key is only here.
#[derive(Debug)]
pub struct Written {
    /// Its identifier.
    pub public: PublicId,
    /// Its key, in memory only until [`Keys::keep`].
    pub key: Key,
    /// Its frames.
    pub frames: Frames,
    /// HMAC over its bytes: the same bytes have the same.
    pub digest: [u8; 32],
    /// SHA-256 of its bytes, by which whoever sent it finds it again; `None` when nobody is to.
    pub sha256: Option<[u8; 32]>,
    /// Its size.
    pub size: u64,
}

pub(crate) fn prepare(directory: &Path) -> Result<(), Error> {
    let unfinished = directory.join("raw").join("tmp");
    std::fs::create_dir_all(&unfinished).at(&unfinished)?;
    // What a killed process left unfinished was never acknowledged, and its key is gone with it.
    for entry in std::fs::read_dir(&unfinished).at(&unfinished)? {
        let path = entry.at(&unfinished)?.path();
        std::fs::remove_file(&path).at(&path)?;
    }
    Ok(())
}

/// Writes what `reader` gives, encrypted; a large one is durable then, under a name that does not last: see [`settle`].
///
/// # Errors
/// [`Error::File`] for the reader and for the disk alike; nothing is left behind then.
pub fn write(directory: &Path, keys: &Keys, public: PublicId, reader: &mut dyn Read) -> Result<Written, Error> {
    let mut out = Unfinished { path: directory.join("raw").join("tmp").join(public.to_string()), file: None };
    let written = out.write(keys, public, reader);
    if written.is_err() && out.file.is_some() {
        let _ = std::fs::remove_file(&out.path);
    }
    written
}

/// Frames on their way: in memory as long as they are few, then in a file.
struct Unfinished {
    path: PathBuf,
    file: Option<File>,
}

impl Unfinished {
    fn write(&mut self, keys: &Keys, public: PublicId, reader: &mut dyn Read) -> Result<Written, Error> {
        let key: Key = random()?;
        let sealing = sealing_key(&key)?;
        let mut mac = keys.mac("submission");
        let mut hash = digest::Context::new(&digest::SHA256);
        let mut size = 0;
        let mut frames = MAGIC.to_vec();
        let mut plain = vec![0; FRAME];
        let mut filled = fill(reader, &mut plain).at(Path::new("the submission"))?;
        for number in 0.. {
            let mut next = vec![0; if filled == FRAME { FRAME } else { 0 }];
            let next_filled = if filled == FRAME { fill(reader, &mut next).at(Path::new("the submission"))? } else { 0 };
            let last = next_filled == 0;
            mac.update(&plain[..filled]);
            hash.update(&plain[..filled]);
            size += filled as u64;
            seal_frame(&sealing, number, last, &plain[..filled], &mut frames)?;
            if frames.len() > SMALL || self.file.is_some() {
                let file = match &mut self.file {
                    Some(file) => file,
                    None => self.file.insert(File::create_new(&self.path).at(&self.path)?),
                };
                file.write_all(&frames).at(&self.path)?;
                frames.clear();
            }
            if last {
                break;
            }
            (plain, filled) = (next, next_filled);
        }
        let frames = match &self.file {
            None => Frames::Small(frames),
            Some(file) => {
                file.sync_all().at(&self.path)?;
                Frames::File(self.path.clone())
            }
        };
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(hash.finish().as_ref());
        Ok(Written { public, key, frames, digest: mac_bytes(mac), sha256: Some(sha256), size })
    }
}

/// Gives the file of a large submission the name that lasts, durably. To be done when its key is kept and before its row
/// is: so a key without a row tells which file nobody acknowledged.
///
/// # Errors
/// [`Error::File`].
pub fn settle(directory: &Path, written: &mut Written) -> Result<(), Error> {
    let Frames::File(unfinished) = &mut written.frames else { return Ok(()) };
    let path = path(directory, written.public);
    let folder = path.parent().unwrap_or(directory);
    if !folder.exists() {
        std::fs::create_dir_all(folder).at(folder)?;
        sync_directory(&directory.join("raw"))?;
    }
    std::fs::rename(&unfinished, &path).at(&path)?;
    *unfinished = path.clone();
    sync_directory(folder)
}

/// Removes the file of a submission that never got a row, if there is one.
pub(crate) fn remove(directory: &Path, public: PublicId) -> Result<(), Error> {
    let path = path(directory, public);
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(Error::File { path, cause }),
        _ => Ok(()),
    }
}

/// Where the frames of a large submission are kept.
pub fn path(directory: &Path, public: PublicId) -> PathBuf {
    let name = public.to_string();
    // Identifiers begin with the time: their last letters spread.
    directory.join("raw").join(&name[name.len() - 2..]).join(name)
}

/// The bytes of something that was written, before its key is kept.
///
/// # Errors
/// [`Error::File`].
pub fn open_written(written: &Written) -> Result<Box<dyn Read + '_>, Error> {
    match &written.frames {
        Frames::Small(frames) => Ok(Box::new(Opened::new(&frames[..], &written.key).at(Path::new("the submission"))?)),
        Frames::File(path) => {
            let file = File::open(path).at(path)?;
            Ok(Box::new(Opened::new(io::BufReader::with_capacity(1 << 20, file), &written.key).at(path)?))
        }
    }
}

/// Takes back what was written: it was a copy of something that is already here.
///
/// # Errors
/// [`Error::File`].
pub fn discard(written: &Written) -> Result<(), Error> {
    match &written.frames {
        Frames::Small(_) => Ok(()),
        Frames::File(path) => std::fs::remove_file(path).at(path),
    }
}

/// Makes names in a directory durable.
///
/// # Errors
/// [`Error::File`].
pub fn sync_directory(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|directory| directory.sync_all()).at(path)
}

/// Reads frames back as the bytes that were written.
pub struct Opened<R> {
    frames: R,
    key: LessSafeKey,
    number: u64,
    plain: Vec<u8>,
    at: usize,
    ended: bool,
}

impl<R: Read> Opened<R> {
    /// Begins to read frames.
    ///
    /// # Errors
    /// Of kind `InvalidData` when these are no frames.
    pub fn new(mut frames: R, key: &Key) -> io::Result<Opened<R>> {
        let mut magic = [0; 8];
        frames.read_exact(&mut magic)?;
        if &magic != MAGIC {
            return Err(damaged("not a raw submission"));
        }
        let key = sealing_key(key).map_err(|_| damaged("not a key"))?;
        Ok(Opened { frames, key, number: 0, plain: Vec::new(), at: 0, ended: false })
    }

    fn next_frame(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.frames.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > FRAME + FRAME / 8 {
            return Err(damaged("a frame is longer than any that is written"));
        }
        let mut sealed = vec![0; length];
        self.frames.read_exact(&mut sealed)?;
        let mut packed = None;
        for last in [false, true] {
            let mut attempt = sealed.clone();
            if let Ok(open) = self.key.open_in_place(nonce(self.number, last), Aad::empty(), &mut attempt) {
                let length = open.len();
                attempt.truncate(length);
                packed = Some((attempt, last));
                break;
            }
        }
        let Some((packed, last)) = packed else {
            return Err(damaged("a frame does not open under its key: altered, or of another submission"));
        };
        self.plain = zstd::bulk::decompress(&packed, FRAME)?;
        self.at = 0;
        self.number += 1;
        self.ended = last;
        Ok(())
    }
}

impl<R: Read> Read for Opened<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.next_frame()?;
        }
        let count = into.len().min(self.plain.len() - self.at);
        into[..count].copy_from_slice(&self.plain[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

/// Encrypts one short thing under a key, with a random nonce in front.
///
/// # Errors
/// [`Error::Random`].
pub fn seal_short(key: &Key, plain: &[u8]) -> Result<Vec<u8>, Error> {
    let number = random::<12>()?;
    let mut sealed = plain.to_vec();
    sealing_key(key)?
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(number), Aad::empty(), &mut sealed)
        .map_err(|_| Error::Random)?;
    Ok([&number[..], &sealed].concat())
}

/// Opens what [`seal_short`] closed; `None` when it is not that.
pub fn open_short(key: &Key, sealed: &[u8]) -> Option<Vec<u8>> {
    let (number, rest) = sealed.split_at_checked(12)?;
    let mut rest = rest.to_vec();
    let key = sealing_key(key).ok()?;
    let plain = key.open_in_place(Nonce::try_assume_unique_for_key(number).ok()?, Aad::empty(), &mut rest).ok()?;
    Some(plain.to_vec())
}

fn seal_frame(key: &LessSafeKey, number: u64, last: bool, plain: &[u8], into: &mut Vec<u8>) -> Result<(), Error> {
    let mut sealed = zstd::bulk::compress(plain, 1).at(Path::new("zstd"))?;
    key.seal_in_place_append_tag(nonce(number, last), Aad::empty(), &mut sealed).map_err(|_| Error::Random)?;
    into.extend_from_slice(&(sealed.len() as u32).to_be_bytes());
    into.extend_from_slice(&sealed);
    Ok(())
}

fn sealing_key(key: &Key) -> Result<LessSafeKey, Error> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| Error::Random)
}

/// A key encrypts one submission, so the frame's number never repeats under it.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

fn mac_bytes(mac: hmac::Context) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(mac.sign().as_ref());
    out
}

fn damaged(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Reads until `into` is full or the reader ends; how much.
fn fill(reader: &mut dyn Read, into: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match reader.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
