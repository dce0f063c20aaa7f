//! Where one report ends and the next begins: lines of a stream, elements of an array, documents after each other.

use std::io::{self, Read};
use std::ops::Range;

use super::json::Document;
use crate::read::REJECT_TEXT;
use crate::source::Source;

const CHUNK: u64 = 128 * 1024;

/// How the reports of a submission are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One report a line, so that a bad line costs only itself.
    Lines,
    /// The elements of one array.
    Array,
    /// Documents over several lines, usually one.
    Documents,
}

impl Layout {
    /// Guesses from the beginning of a submission.
    pub(crate) fn of(prefix: &[u8], depth: usize) -> Layout {
        let start = prefix.strip_prefix(BOM).unwrap_or(prefix).trim_ascii_start();
        if start.first() == Some(&b'[') {
            return Layout::Array;
        }
        let Some(end) = memchr::memchr(b'\n', start) else { return Layout::Lines };
        let (line, rest) = start.split_at(end);
        let (line, rest) = (line.trim_ascii(), rest.trim_ascii_start());
        let whole = std::str::from_utf8(line).is_ok_and(|line| Document::default().scan(line, depth).is_ok());
        // A first line that is broken must not turn a stream of good ones into one broken document.
        let open = matches!(line.last(), Some(b'{' | b'[' | b',' | b':'));
        if whole || (!open && (rest.is_empty() || rest.first() == Some(&b'{'))) { Layout::Lines } else { Layout::Documents }
    }
}

/// The mark that Windows puts before UTF-8.
pub(crate) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The next piece of a feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A report, at this place in [`Feed::bytes`].
    Report(Range<usize>),
    /// A report larger than the limit: its beginning. The rest was skipped, or is lost when the layout gives no way.
    TooLong(Vec<u8>),
    /// No more.
    End,
}

/// A source cut into reports, holding no more of it than one report and a chunk.
pub(crate) struct Feed<'a, 's> {
    source: &'a mut Source<'s>,
    buffer: Vec<u8>,
    start: usize,
    fresh: bool,
    ended: bool,
    /// Whether an array's first bracket has not met its last.
    open: bool,
}

impl<'a, 's> Feed<'a, 's> {
    pub(crate) fn new(source: &'a mut Source<'s>) -> Feed<'a, 's> {
        Feed { source, buffer: Vec::new(), start: 0, fresh: true, ended: false, open: false }
    }

    /// The bytes of a piece; empty once another has been asked for.
    pub(crate) fn bytes(&self, piece: &Range<usize>) -> &[u8] {
        self.buffer.get(piece.clone()).unwrap_or_default()
    }

    /// The next piece, of at most `most` bytes.
    pub(crate) fn next(&mut self, layout: Layout, most: usize) -> io::Result<Piece> {
        if self.fresh {
            self.fresh = false;
            self.fill()?;
            let bom = if self.buffer.starts_with(BOM) { BOM.len() } else { 0 };
            self.start = bom;
            if layout == Layout::Array {
                let blanks = self.rest().len() - self.rest().trim_ascii_start().len();
                self.start += blanks + 1;
                self.open = true;
            }
        }
        match layout {
            Layout::Lines => self.line(most),
            Layout::Array => self.element(most),
            Layout::Documents => self.value(most),
        }
    }

    /// Whether an array stopped before its end, so that elements may be missing.
    pub(crate) fn is_cut(&self) -> bool {
        self.open
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// Reads more, forgetting what has been handed out; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..self.start.min(self.buffer.len()));
        self.start = 0;
        let count = self.source.take(CHUNK).read_to_end(&mut self.buffer)?;
        self.ended = count == 0;
        Ok(count > 0)
    }

    fn hand_out(&mut self, length: usize, skip: usize) -> Piece {
        let piece = self.start..self.start + length;
        self.start += length + skip;
        Piece::Report(piece)
    }

    fn line(&mut self, most: usize) -> io::Result<Piece> {
        let mut seen = 0;
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.rest().get(seen..).unwrap_or_default()) {
                return Ok(self.hand_out(seen + at, 1));
            }
            seen = self.rest().len();
            if seen > most {
                return self.skip_line();
            }
            if !self.fill()? {
                return Ok(if seen == 0 { Piece::End } else { self.hand_out(seen, 0) });
            }
        }
    }

    fn skip_line(&mut self) -> io::Result<Piece> {
        let beginning = self.rest().get(..REJECT_TEXT).unwrap_or_default().to_vec();
        loop {
            match memchr::memchr(b'\n', self.rest()) {
                Some(at) => {
                    self.start += at + 1;
                    break;
                }
                None => self.start = self.buffer.len(),
            }
            if !self.fill()? {
                break;
            }
        }
        Ok(Piece::TooLong(beginning))
    }

    /// The next element of an array, or of another array after it.
    fn element(&mut self, most: usize) -> io::Result<Piece> {
        loop {
            self.skip_blanks()?;
            match (self.rest().first(), self.open) {
                (Some(b']'), true) => self.open = false,
                (Some(b'['), false) => self.open = true,
                _ => return self.value(most),
            }
            self.start += 1;
        }
    }

    fn skip_blanks(&mut self) -> io::Result<()> {
        loop {
            let blanks = self.rest().iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == b',').count();
            self.start += blanks;
            if !self.rest().is_empty() || !self.fill()? {
                return Ok(());
            }
        }
    }

    fn value(&mut self, most: usize) -> io::Result<Piece> {
        self.skip_blanks()?;
        if self.rest().is_empty() {
            return Ok(Piece::End);
        }
        let (mut seen, mut depth, mut inside, mut escaped) = (0, 0usize, false, false);
        loop {
            for &byte in self.rest().get(seen..).unwrap_or_default() {
                seen += 1;
                if inside {
                    match byte {
                        _ if escaped => escaped = false,
                        b'\\' => escaped = true,
                        b'"' => inside = false,
                        _ => {}
                    }
                    continue;
                }
                match byte {
                    b'"' => inside = true,
                    b'{' | b'[' => depth += 1,
                    // The array ends where its last element does not: that one is cut short.
                    b']' if depth == 0 && seen > 1 => return Ok(self.hand_out(seen - 1, 0)),
                    b'}' | b']' => {
                        depth = depth.saturating_sub(1);
                        if depth == 0 {
                            return Ok(self.hand_out(seen, 0));
                        }
                    }
                    b',' if depth == 0 => return Ok(self.hand_out(seen - 1, 1)),
                    _ => {}
                }
            }
            if seen > most {
                // Without its end there is no next one either.
                let beginning = self.rest().get(..REJECT_TEXT).unwrap_or_default().to_vec();
                self.buffer.clear();
                self.start = 0;
                self.ended = true;
                return Ok(Piece::TooLong(beginning));
            }
            if !self.fill()? {
                return Ok(self.hand_out(seen, 0));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, most: usize) -> (Layout, Vec<String>) {
        let mut bytes = text.as_bytes();
        let mut source = Source::open(&mut bytes).unwrap();
        let layout = Layout::of(source.prefix(), 32);
        let mut feed = Feed::new(&mut source);
        let mut all = Vec::new();
        loop {
            match feed.next(layout, most).unwrap() {
                Piece::Report(range) => all.push(String::from_utf8_lossy(feed.bytes(&range)).into_owned()),
                Piece::TooLong(_) => all.push("too long".to_owned()),
                Piece::End => return (layout, all),
            }
        }
    }

    #[test]
    fn layouts() {
        for (text, layout, expected) in [
            ("{\"a\":1}\n{\"b\":2}\n", Layout::Lines, vec!["{\"a\":1}", "{\"b\":2}"]),
            ("\u{feff}{\"a\":1}", Layout::Lines, vec!["{\"a\":1}"]),
            ("{\"a\":\n{\"b\":2}\n", Layout::Documents, vec!["{\"a\":\n{\"b\":2}\n"]),
            ("{\"a\":1\n{\"b\":2}\n", Layout::Lines, vec!["{\"a\":1", "{\"b\":2}"]),
            ("{\n\"a\":\"}\\\"\"\n}\n{\n}", Layout::Documents, vec!["{\n\"a\":\"}\\\"\"\n}", "{\n}"]),
            (" [ {\"a\":[1]} , 5,\n{}]", Layout::Array, vec!["{\"a\":[1]}", "5", "{}"]),
            ("[{\"a\":1}", Layout::Array, vec!["{\"a\":1}"]),
            ("[5]", Layout::Array, vec!["5"]),
            ("[{}]\n[{\"a\":1}] x", Layout::Array, vec!["{}", "{\"a\":1}", "x"]),
            ("[{},", Layout::Array, vec!["{}"]),
            ("{\n}]", Layout::Documents, vec!["{\n}", "]"]),
            ("[]", Layout::Array, vec![]),
            (
                "{\"a\":1}\n{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}\n{}",
                Layout::Lines,
                vec!["{\"a\":1}", "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1}", "{}"],
            ),
        ] {
            assert_eq!(pieces(text, 1 << 20), (layout, expected.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn a_line_beyond_the_limit_costs_only_itself() {
        let text = format!("{{\"a\":1}}\n{{\"b\":\"{}\"}}\n{{}}\n", "x".repeat(1 << 20));
        assert_eq!(pieces(&text, 1000).1, ["{\"a\":1}", "too long", "{}"]);
        let text = format!("[{{\"a\":1}},{{\"b\":\"{}\"}},{{}}]", "x".repeat(1 << 20));
        assert_eq!(pieces(&text, 1000).1, ["{\"a\":1}", "too long"]);
    }
}
