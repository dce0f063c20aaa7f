//! Lines of a reader that may be anything: bounded, and unpacked when they come packed with gzip.

use std::io::{self, BufRead, BufReader, Read};

use super::Limits;

/// A reader of lines, none longer than a bound.
pub struct Lines<R> {
    reader: BufReader<R>,
    limit: usize,
    number: u64,
    line: Vec<u8>,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Its bytes, without the end of line.
    Whole(&'a [u8]),
    /// It was longer than allowed; this is its beginning.
    TooLong(&'a [u8]),
}

impl<R: Read> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub fn new(reader: R, limit: usize) -> Lines<R> {
        Lines { reader: BufReader::with_capacity(256 << 10, reader), limit, number: 0, line: Vec::new() }
    }

    /// The number of the line that came last; the first is 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The next line, or `None` at the end. Ends of line are `\n` and `\r\n`.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let available = match self.reader.fill_buf() {
                Ok(available) => available,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
            let part = &available[..end.unwrap_or(available.len())];
            let room = self.limit - self.line.len();
            too_long |= part.len() > room;
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        Ok(Some(if too_long { Line::TooLong(&self.line) } else { Line::Whole(&self.line) }))
    }
}

/// Bytes as they came, or unpacked when they begin like gzip (RFC 1952).
///
/// Reading fails with a sentence for people when the file unpacks to more than it may.
pub enum Unpacked<R: Read> {
    /// Not packed.
    Plain(io::Chain<io::Cursor<Vec<u8>>, R>),
    /// Packed.
    Gzip(Box<Inflated<R>>),
}

/// An unpacker that keeps count.
pub struct Inflated<R: Read> {
    decoder: flate2::read::MultiGzDecoder<Counted<io::Chain<io::Cursor<Vec<u8>>, R>>>,
    out: u64,
    limits: Limits,
}

/// A reader that knows how much it gave.
pub struct Counted<R> {
    reader: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.count = self.count.saturating_add(count as u64);
        Ok(count)
    }
}

impl<R: Read> Unpacked<R> {
    /// Looks at the first two bytes.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn open(mut reader: R, limits: Limits) -> io::Result<Unpacked<R>> {
        let mut start = Vec::with_capacity(2);
        (&mut reader).take(2).read_to_end(&mut start)?;
        let packed = start == [0x1f, 0x8b];
        let whole = io::Cursor::new(start).chain(reader);
        Ok(if packed {
            let decoder = flate2::read::MultiGzDecoder::new(Counted { reader: whole, count: 0 });
            Unpacked::Gzip(Box::new(Inflated { decoder, out: 0, limits }))
        } else {
            Unpacked::Plain(whole)
        })
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let inflated = match self {
            Unpacked::Plain(reader) => return reader.read(into),
            Unpacked::Gzip(inflated) => inflated,
        };
        let count = inflated.decoder.read(into)?;
        inflated.out = inflated.out.saturating_add(count as u64);
        let packed = inflated.decoder.get_ref().count;
        // Small files may pack very well; the ratio is looked at from one mebibyte on.
        if inflated.out > 1 << 20 && inflated.out / packed.max(1) > inflated.limits.ratio {
            let limit = inflated.limits.ratio;
            return Err(io::Error::other(format!("it unpacks to more than {limit} times its size, which no export does")));
        }
        if inflated.out > inflated.limits.unpacked {
            let limit = inflated.limits.unpacked;
            return Err(io::Error::other(format!("it unpacks to more than {limit} bytes; unpack and split it first")));
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_end_in_both_ways_and_are_bounded() {
        let text = b"one\r\ntwo\n\n0123456789\nlast";
        let mut lines = Lines::new(&text[..], 5);
        let mut got = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            got.push(match line {
                Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                Line::TooLong(bytes) => format!("{}…", String::from_utf8_lossy(bytes)),
            });
        }
        assert_eq!(got, ["one", "two", "", "01234…", "last"]);
        assert_eq!(lines.number(), 5);
    }

    #[test]
    fn a_line_without_end_takes_bounded_memory() {
        let mut lines = Lines::new(io::repeat(b'x').take(1 << 28), 1 << 10);
        assert!(matches!(lines.next_line().unwrap(), Some(Line::TooLong(bytes)) if bytes.len() == 1 << 10));
        assert!(lines.next_line().unwrap().is_none());
    }

    #[test]
    fn gzip_is_unpacked_and_a_bomb_is_not() {
        let pack = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let read = |bytes: &[u8]| {
            let mut out = Vec::new();
            Unpacked::open(bytes, Limits::default()).unwrap().read_to_end(&mut out).map(|_| out)
        };
        assert_eq!(read(&pack(b"hello")).unwrap(), b"hello");
        assert_eq!(read(b"hello").unwrap(), b"hello");
        assert_eq!(read(b"").unwrap(), b"");
        let bomb = read(&pack(&vec![0; 8 << 20])).unwrap_err();
        assert!(bomb.to_string().contains("200 times"), "{bomb}");
    }
}
