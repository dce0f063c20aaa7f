//! Archives: each entry of a zip is read as if it had come by itself, within bounds that a bomb cannot move.

use std::cell::{Cell, RefCell};
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use memchr::memmem;
use zip::CompressionMethod;
use zip::read::ZipFile;
use zip::result::ZipError;

use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Limits, Prefix, Source};

/// What an entry may unpack to before its ratio is looked at: short runs of one byte are common in honest files.
const SLACK: u64 = 1 << 20;

/// Entries whose names are listed when nothing in the archive is understood.
const LISTED: usize = 10;

/// Whether the beginning is that of a zip archive: a local header, or the end of an archive without entries
/// (PKWARE APPNOTE 4.3.7, 4.3.16).
pub fn detect(prefix: &Prefix<'_>) -> bool {
    prefix.bytes.starts_with(b"PK\x03\x04") || prefix.bytes.starts_with(b"PK\x05\x06")
}

/// Reads each entry of an archive; whether anything in it was understood or set aside with its own reason.
///
/// # Errors
/// [`Stop`] when the outer reader fails or the sink breaks off; never for what the archive holds.
pub fn open(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<bool, Stop> {
    let limits = reading.hint.limits;
    let Some(bytes) = source.read_whole(limits.whole)? else {
        reading.unreadable(format!("the archive is larger than {} MiB", limits.whole >> 20));
        return Ok(false);
    };
    // The directory is kept in memory by the library, so its length is looked at before it is believed. Stored archives
    // inside this one count too, which is why this bound is wide.
    if memmem::find_iter(&bytes, b"PK\x01\x02").take(limits.parts.saturating_mul(16) + 1).count() > limits.parts * 16 {
        reading.unreadable(format!("the archive has far more than {} entries", limits.parts));
        return Ok(false);
    }
    let packed = Rc::new(Cell::new(0));
    let counted = Counted { inner: Cursor::new(&bytes[..]), count: Rc::clone(&packed) };
    let mut archive = match zip::ZipArchive::new(counted) {
        Ok(archive) => archive,
        Err(error) => {
            reading.unreadable(format!("the archive is damaged: {error}"));
            return Ok(false);
        }
    };
    // Entries that share bytes are how a small archive unpacks to petabytes without being nested.
    match archive.has_overlapping_files() {
        Ok(false) => {}
        Ok(true) => {
            reading.unreadable("entries of the archive overlap, as they do in archives made to do harm");
            return Ok(false);
        }
        Err(error) => {
            reading.unreadable(format!("the archive is damaged: {error}"));
            return Ok(false);
        }
    }
    entries(reading, &mut archive, &packed)
}

fn entries(reading: &mut Reading<'_>, archive: &mut zip::ZipArchive<Counted<'_>>, packed: &Rc<Cell<u64>>) -> Result<bool, Stop> {
    let limits = reading.hint.limits;
    let mut settled = false;
    let mut unknown = Vec::new();
    for index in 0..archive.len() {
        let name = match archive.by_index_data(index) {
            Ok(entry) if entry.is_dir() => continue,
            Ok(entry) => file_name(entry.name_raw(), index),
            Err(_) => format!("entry {}", index + 1),
        };
        if !reading.count_part() {
            let ordinal = reading.ordinal();
            let reason = format!("more than {} parts in one submission; this and the rest were not read", limits.parts);
            reading.reject(ordinal, &name, b"", reason);
            settled = true;
            break;
        }
        let mut entry = match archive.by_index(index) {
            Ok(entry) => entry,
            Err(error) => {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, &name, b"", closed(&error));
                settled = true;
                continue;
            }
        };
        if !matches!(entry.compression(), CompressionMethod::Stored | CompressionMethod::Deflated) {
            let reason = format!("packed by a method ({}) that is not read; deflate is", entry.compression());
            drop(entry);
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &name, b"", reason);
            settled = true;
            continue;
        }
        let trouble = RefCell::new(String::new());
        let mut unpacking = Unpacking {
            start: packed.get(),
            entry: &mut entry,
            packed,
            given: 0,
            unpacked: reading.unpacked(),
            limits,
            trouble: &trouble,
        };
        let understood = reading.nested(&name, "", &mut unpacking)?;
        let empty = unpacking.given == 0;
        let trouble = trouble.take();
        if !trouble.is_empty() {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &name, b"", trouble);
            settled = true;
        } else if understood {
            settled = true;
        } else if empty {
            // Feeds send empty files to say that there is nothing to say.
            reading.note(&name, "this file of the archive is empty");
            settled = true;
        } else {
            unknown.push((name, reading.why_not()));
        }
    }
    if settled {
        for (name, why) in unknown {
            let ordinal = reading.ordinal();
            let why = why.unwrap_or_else(|| "no format of this version understands this file of the archive".to_owned());
            reading.reject(ordinal, &name, b"", why);
        }
        return Ok(true);
    }
    if unknown.is_empty() {
        reading.unreadable("the archive holds no files");
    } else {
        let more = if unknown.len() > LISTED { ", …" } else { "" };
        let names = unknown.iter().take(LISTED).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ");
        reading.unreadable(format!("no format of this version understands any file of the archive: {names}{more}"));
    }
    Ok(false)
}

/// The last part of an entry's path: names that climb out of a folder are names all the same.
fn file_name(raw: &[u8], index: usize) -> String {
    let last = raw.rsplit(|byte| matches!(byte, b'/' | b'\\')).next().unwrap_or_default();
    let name: String =
        String::from_utf8_lossy(&last[..last.len().min(255)]).chars().filter(|letter| !letter.is_control()).collect();
    if name.is_empty() { format!("entry {}", index + 1) } else { name }
}

fn closed(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(text) if *text == ZipError::PASSWORD_REQUIRED => {
            "this file of the archive is encrypted; ask for it without a password".to_owned()
        }
        ZipError::InvalidPassword => "this file of the archive is encrypted; ask for it without a password".to_owned(),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            "packed by a method that is not read; deflate is".to_owned()
        }
        other => format!("this file of the archive is damaged: {other}"),
    }
}

/// The packed bytes, counting what was taken: the honest measure for the ratio, whatever the headers say.
struct Counted<'a> {
    inner: Cursor<&'a [u8]>,
    count: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(into)?;
        self.count.set(self.count.get().saturating_add(count as u64));
        Ok(count)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// The bytes of an entry up to the first trouble, which ends them as if the file ended there: what came before it was
/// honestly read, and the reason is told afterwards.
struct Unpacking<'a, 'b, 'c> {
    entry: &'a mut ZipFile<'b, Counted<'c>>,
    packed: &'a Cell<u64>,
    start: u64,
    given: u64,
    unpacked: Rc<Cell<u64>>,
    limits: Limits,
    trouble: &'a RefCell<String>,
}

impl Read for Unpacking<'_, '_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.trouble.borrow().is_empty() {
            return Ok(0);
        }
        let count = match self.entry.read(into) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                return Ok(self.stop(format!("this file of the archive is damaged after {} bytes: {error}", self.given)));
            }
        };
        self.given = self.given.saturating_add(count as u64);
        self.unpacked.set(self.unpacked.get().saturating_add(count as u64));
        if self.unpacked.get() > self.limits.unpacked {
            return Ok(self.stop(format!(
                "the submission unpacks to more than {} MiB; this file was not read to its end",
                self.limits.unpacked >> 20
            )));
        }
        let packed = self.packed.get().saturating_sub(self.start).max(1);
        if self.given > SLACK && self.given / packed > self.limits.ratio {
            return Ok(self.stop(format!(
                "this file unpacks to more than {} times its packed size, as bombs do; it was not read to its end",
                self.limits.ratio
            )));
        }
        Ok(count)
    }
}

impl Unpacking<'_, '_, '_> {
    fn stop(&self, reason: String) -> usize {
        *self.trouble.borrow_mut() = reason;
        0
    }
}
