//! Single files packed with gzip (RFC 1952): read as if they had come unpacked, within bounds that a bomb cannot move.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Limits, Prefix, Source};

/// What a file may unpack to before its ratio is looked at: short runs of one byte are common in honest files.
const SLACK: u64 = 1 << 20;

/// Whether the beginning is that of a file packed with gzip by its one method, deflate.
pub fn detect(prefix: &Prefix<'_>) -> bool {
    prefix.bytes.starts_with(b"\x1f\x8b\x08")
}

/// Reads the file inside; whether it was understood or set aside with its own reason.
///
/// # Errors
/// [`Stop`] when the outer reader fails or the sink breaks off; never for what is packed.
pub fn open(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<bool, Stop> {
    if !reading.count_part() {
        let ordinal = reading.ordinal();
        let limit = reading.hint.limits.parts;
        reading.reject(ordinal, "", b"", format!("more than {limit} parts in one submission; this was not read"));
        return Ok(true);
    }
    let name = inner_name(reading.name());
    let packed = Rc::new(Cell::new(0));
    let failed = Rc::new(Cell::new(None));
    let counted = Counted { source, count: Rc::clone(&packed), failed: Rc::clone(&failed) };
    let mut unpacking = Unpacking {
        inner: MultiGzDecoder::new(counted),
        packed,
        given: 0,
        unpacked: reading.unpacked(),
        limits: reading.hint.limits,
        trouble: String::new(),
    };
    let understood = reading.nested(&name, "", &mut unpacking)?;
    let Unpacking { given, trouble, .. } = unpacking;
    if let Some(error) = failed.take() {
        return Err(Stop::Io(error));
    }
    if !trouble.is_empty() {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, &name, b"", trouble);
        return Ok(true);
    }
    if !understood && given == 0 {
        // Feeds send empty files to say that there is nothing to say.
        reading.note(&name, "this packed file is empty");
        return Ok(true);
    }
    Ok(understood)
}

/// The name without what says that it is packed. The name inside is not believed: it is the packer's, and may be another's path.
fn inner_name(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let without = [".gz", ".gzip"].iter().find_map(|end| lower.strip_suffix(end)).map_or(0, str::len);
    match name.get(..without) {
        Some(inner) if !inner.is_empty() => inner.to_owned(),
        _ => "unpacked".to_owned(),
    }
}

/// The packed bytes, counting what was taken, and keeping the failure of the reader apart from what the bytes say.
struct Counted<'a, 'b> {
    source: &'a mut Source<'b>,
    count: Rc<Cell<u64>>,
    failed: Rc<Cell<Option<io::Error>>>,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.source.read(into) {
            Ok(count) => {
                self.count.set(self.count.get().saturating_add(count as u64));
                Ok(count)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let kind = error.kind();
                self.failed.set(Some(error));
                Err(kind.into())
            }
        }
    }
}

/// The bytes of the file up to the first trouble, which ends them as if the file ended there.
struct Unpacking<'a, 'b> {
    inner: MultiGzDecoder<Counted<'a, 'b>>,
    packed: Rc<Cell<u64>>,
    given: u64,
    unpacked: Rc<Cell<u64>>,
    limits: Limits,
    trouble: String,
}

impl Read for Unpacking<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if !self.trouble.is_empty() {
            return Ok(0);
        }
        let count = match self.inner.read(into) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.trouble = format!("this packed file is damaged after {} bytes: {error}", self.given);
                return Ok(0);
            }
        };
        self.given = self.given.saturating_add(count as u64);
        self.unpacked.set(self.unpacked.get().saturating_add(count as u64));
        if self.unpacked.get() > self.limits.unpacked {
            let limit = self.limits.unpacked >> 20;
            self.trouble = format!("the submission unpacks to more than {limit} MiB; this file was not read to its end");
            return Ok(0);
        }
        if self.given > SLACK && self.given / self.packed.get().max(1) > self.limits.ratio {
            let ratio = self.limits.ratio;
            self.trouble =
                format!("this file unpacks to more than {ratio} times its packed size, as bombs do; it was not read to its end");
            return Ok(0);
        }
        Ok(count)
    }
}
