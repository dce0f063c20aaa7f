//! A strict reader of DER (X.690) over borrowed bytes, and the few writers that a request needs.
//!
//! It never descends by itself: each layer is read by code that names it, so hostile nesting cannot go deeper than that code.

use super::Wrong;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// The tag `[n]` on something primitive.
pub(super) const fn context(n: u8) -> u8 {
    0x80 | n
}

/// The tag `[n]` on something made of parts.
pub(super) const fn context_of(n: u8) -> u8 {
    0xa0 | n
}

/// One value: its tag, its content, and the bytes of both with the length between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// Reads what is inside.
    pub(super) fn inside(&self) -> Reader<'a> {
        Reader { rest: self.content }
    }
}

/// What is left to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The tag that comes next.
    pub(super) fn next_tag(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// The next value, whatever its tag. `what` names it in the error.
    ///
    /// # Errors
    /// When there is none, or its length is not written as DER demands (definite, in the fewest bytes, all there).
    pub(super) fn any(&mut self, what: &'static str) -> Result<Value<'a>, Wrong> {
        let wrong = Wrong::Malformed(what);
        let (&tag, after_tag) = self.rest.split_first().ok_or(wrong.clone())?;
        // Tags of more than one byte occur in nothing that is read here.
        if tag & 0x1f == 0x1f {
            return Err(wrong);
        }
        let (&first, after_length) = after_tag.split_first().ok_or(wrong.clone())?;
        let (length, after_length) = match first {
            0..=0x7f => (usize::from(first), after_length),
            // Up to three bytes of length: 16 MiB, far above every limit here.
            0x81..=0x83 => {
                let (bytes, after) = after_length.split_at_checked(usize::from(first & 0x7f)).ok_or(wrong.clone())?;
                let length = bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
                // DER: no leading zero, and no long form where the short one would do.
                if bytes.first() == Some(&0) || length < 0x80 {
                    return Err(wrong);
                }
                (length, after)
            }
            _ => return Err(wrong),
        };
        let (content, rest) = after_length.split_at_checked(length).ok_or(wrong.clone())?;
        let whole = self.rest.split_at_checked(self.rest.len() - rest.len()).ok_or(wrong)?.0;
        self.rest = rest;
        Ok(Value { tag, content, whole })
    }

    /// The next value, which must have this tag.
    ///
    /// # Errors
    /// As [`any`](Self::any), and for another tag.
    pub(super) fn take(&mut self, tag: u8, what: &'static str) -> Result<Value<'a>, Wrong> {
        if self.next_tag() == Some(tag) { self.any(what) } else { Err(Wrong::Malformed(what)) }
    }

    /// The next value if it has this tag.
    ///
    /// # Errors
    /// As [`any`](Self::any).
    pub(super) fn optional(&mut self, tag: u8, what: &'static str) -> Result<Option<Value<'a>>, Wrong> {
        if self.next_tag() == Some(tag) { self.any(what).map(Some) } else { Ok(None) }
    }

    /// A `BOOLEAN DEFAULT FALSE`.
    ///
    /// # Errors
    /// When it is written otherwise than DER demands: true as 0xff, false not at all.
    pub(super) fn flag(&mut self, what: &'static str) -> Result<bool, Wrong> {
        match self.optional(BOOLEAN, what)? {
            None => Ok(false),
            Some(value) if value.content == [0xff] => Ok(true),
            Some(_) => Err(Wrong::Malformed(what)),
        }
    }

    /// A whole number, as its bytes in two's complement.
    ///
    /// # Errors
    /// When it is not written in the fewest bytes.
    pub(super) fn integer(&mut self, what: &'static str) -> Result<&'a [u8], Wrong> {
        integer(self.take(INTEGER, what)?, what)
    }

    /// A whole number from 0 to 2^32 - 1.
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn small(&mut self, what: &'static str) -> Result<u32, Wrong> {
        unsigned(self.integer(what)?).and_then(|number| u32::try_from(number).ok()).ok_or(Wrong::Malformed(what))
    }

    /// Holds that nothing follows.
    ///
    /// # Errors
    /// When something does.
    pub(super) fn end(self, what: &'static str) -> Result<(), Wrong> {
        if self.rest.is_empty() { Ok(()) } else { Err(Wrong::Malformed(what)) }
    }
}

/// The bytes of a whole number.
///
/// # Errors
/// When it is not written in the fewest bytes.
pub(super) fn integer<'a>(value: Value<'a>, what: &'static str) -> Result<&'a [u8], Wrong> {
    match value.content {
        [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(Wrong::Malformed(what)),
        bytes => Ok(bytes),
    }
}

/// The number that these bytes of two's complement are, if it is from 0 to 2^64 - 1.
pub(super) fn unsigned(bytes: &[u8]) -> Option<u64> {
    let digits = match bytes {
        [0x80..=0xff, ..] => return None,
        [0, rest @ ..] => rest,
        all => all,
    };
    (digits.len() <= 8).then(|| digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Writes one value. For contents up to 65,535 bytes; a request has 100.
pub(super) fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let mut bytes = match (high, low) {
        (0, 0..=0x7f) => vec![tag, low],
        (0, _) => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    bytes.extend_from_slice(content);
    bytes
}

/// Writes a whole number.
pub(super) fn write_integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take(7).take_while(|byte| **byte == 0).count();
    let mut content: Vec<u8> = bytes.into_iter().skip(zeros).collect();
    // A set highest bit would make it negative.
    if content.first().is_some_and(|byte| *byte >= 0x80) {
        content.insert(0, 0);
    }
    write(INTEGER, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_der_is_read() {
        let long: Vec<u8> = [&[0x04, 0x81, 0x80][..], &[7; 0x80]].concat();
        let cases: [(&str, &[u8], bool); 12] = [
            ("a short length", &[0x04, 0x01, 0x07], true),
            ("a long length", &long, true),
            ("nothing", &[], false),
            ("no length", &[0x04], false),
            ("too little", &[0x04, 0x02, 0x07], false),
            ("more than there can be", &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff], false),
            ("a long form for a short length", &[0x04, 0x81, 0x01, 0x07], false),
            ("a leading zero", &[0x04, 0x82, 0x00, 0x80], false),
            ("an indefinite length (BER)", &[0x24, 0x80, 0x00, 0x00], false),
            ("a reserved length", &[0x04, 0xff], false),
            ("half a length", &[0x04, 0x82, 0x01], false),
            ("a tag of two bytes", &[0x1f, 0x01, 0x00], false),
        ];
        for (name, bytes, good) in cases {
            assert_eq!(Reader::new(bytes).any("x").is_ok(), good, "{name}");
        }
    }

    #[test]
    fn numbers_are_written_and_read_alike() {
        for number in [0, 1, 0x7f, 0x80, 0xff, 0x100, u64::from(u32::MAX), 1 << 63, u64::MAX] {
            let bytes = write_integer(number);
            let content = Reader::new(&bytes).integer("x").unwrap();
            assert_eq!(unsigned(content), Some(number), "{bytes:02x?}");
        }
        for bytes in [&[2, 0][..], &[2, 2, 0, 1], &[2, 2, 0xff, 0x80]] {
            assert!(Reader::new(bytes).integer("x").is_err(), "{bytes:02x?} is not the shortest form");
        }
        assert_eq!(unsigned(&[0xff]), None, "a negative number");
    }
}
