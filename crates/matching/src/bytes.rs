//! Writing and reading what travels: big-endian numbers, and bytes with their length before them. One value has one encoding: what is read
//! and written again is the same bytes, or it is refused.

use std::fmt;

/// What is wrong with bytes from outside. Says where, in bytes from the start of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Bytes from the start.
    pub at: usize,
    /// What should have been there.
    pub expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not as the format has it at byte {}: expected {}", self.at, self.expected)
    }
}

impl std::error::Error for Malformed {}

/// Bytes that grow.
#[derive(Debug, Default, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Writer {
        Writer::default()
    }

    /// One byte.
    pub fn u8(&mut self, n: u8) -> &mut Self {
        self.0.push(n);
        self
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, n: u16) -> &mut Self {
        self.raw(&n.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, n: u32) -> &mut Self {
        self.raw(&n.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, n: u64) -> &mut Self {
        self.raw(&n.to_be_bytes())
    }

    /// A time, in milliseconds since 1970 UTC.
    pub fn time(&mut self, millis: i64) -> &mut Self {
        self.raw(&millis.to_be_bytes())
    }

    /// Bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// Bytes after their length (four bytes).
    ///
    /// # Panics
    /// Never: nothing that we write is longer than [`MOST`], which is checked where it is made; a longer one would be cut.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        let bytes = &bytes[..bytes.len().min(MOST)];
        // MOST fits in four bytes.
        self.u32(bytes.len() as u32).raw(bytes)
    }

    /// Text, as [`Writer::bytes`] of its UTF-8.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// How many items follow (two bytes), then each, by `write`. Never more than 65,535: callers hold shorter bounds.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) -> &mut Self {
        let items = &items[..items.len().min(u16::MAX as usize)];
        self.u16(items.len() as u16);
        for item in items {
            write(self, item);
        }
        self
    }

    /// What was written.
    #[must_use]
    pub fn done(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// The most bytes that one length may announce: 1 GiB.
pub const MOST: usize = 1 << 30;

/// A reader over bytes from outside. Nothing is allocated for a length before the bytes are there.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// From the start of these.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// Where we are, in bytes from the start.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The error for what should be here.
    #[must_use]
    pub fn wrong(&self, expected: &'static str) -> Malformed {
        Malformed { at: self.at, expected }
    }

    /// The next `n` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn raw(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len());
        let Some(end) = end else { return Err(self.wrong("more bytes than there are")) };
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// An array of `N` bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    /// One byte.
    ///
    /// # Errors
    /// At the end.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    /// At the end.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    /// At the end.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Eight bytes, big-endian.
    ///
    /// # Errors
    /// At the end.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// A time, in milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// At the end.
    pub fn time(&mut self) -> Result<i64, Malformed> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// Bytes after their length, at most `most`.
    ///
    /// # Errors
    /// When they are more, or not there.
    pub fn bytes(&mut self, most: usize) -> Result<&'a [u8], Malformed> {
        let n = self.u32()? as usize;
        if n > most {
            return Err(self.wrong("a shorter piece"));
        }
        self.raw(n)
    }

    /// Text of at most `most` bytes, without control characters but line feeds, and without characters that turn the direction of writing.
    ///
    /// # Errors
    /// When it is longer, not UTF-8, or has such characters.
    pub fn text(&mut self, most: usize) -> Result<&'a str, Malformed> {
        let here = self.clone();
        let bytes = self.bytes(most)?;
        match std::str::from_utf8(bytes) {
            Ok(text) if text.chars().all(is_plain) => Ok(text),
            _ => Err(here.wrong("plain text in UTF-8")),
        }
    }

    /// At most `most` items, each by `read`.
    ///
    /// # Errors
    /// When there are more, and those of `read`.
    pub fn list<T>(&mut self, most: usize, mut read: impl FnMut(&mut Self) -> Result<T, Malformed>) -> Result<Vec<T>, Malformed> {
        let n = usize::from(self.u16()?);
        if n > most {
            return Err(self.wrong("fewer items"));
        }
        (0..n).map(|_| read(self)).collect()
    }

    /// What is left.
    #[must_use]
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// When something is.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.wrong("nothing more")) }
    }
}

/// Whether a character may stand in text that travels: no control characters but the line feed, none that turn the direction of writing.
#[must_use]
pub fn is_plain(letter: char) -> bool {
    letter == '\n' || !(letter.is_control() || turns(letter))
}

/// Whether it turns the direction of writing, or is none that people see.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Text made fit to travel: what may not stand in it becomes a space.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().map(|letter| if is_plain(letter) { letter } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let bytes = Writer::new()
            .u8(1)
            .u16(2)
            .u32(3)
            .u64(4)
            .time(-5)
            .text("zes")
            .list(&[7u8, 8], |w, n| {
                w.u8(*n);
            })
            .done();
        let mut r = Reader::new(&bytes);
        assert_eq!((r.u8(), r.u16(), r.u32(), r.u64(), r.time()), (Ok(1), Ok(2), Ok(3), Ok(4), Ok(-5)));
        assert_eq!(r.clone().text(2).map_err(|w| w.expected), Err("a shorter piece"));
        assert_eq!(r.text(3), Ok("zes"));
        assert_eq!(r.list(2, Reader::u8), Ok(vec![7, 8]));
        assert_eq!(r.end(), Ok(()));
        assert!(r.u8().is_err());
    }

    #[test]
    fn text_that_hides_its_direction_is_refused() {
        let bytes = Writer::new().text("a\u{202e}b").done();
        assert!(Reader::new(&bytes).text(100).is_err());
        assert_eq!(plain("a\u{202e}b\u{7}"), "a b ");
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        let bytes = [0xff, 0xff, 0xff, 0xff, 1];
        assert!(Reader::new(&bytes).bytes(usize::MAX).is_err());
    }
}
