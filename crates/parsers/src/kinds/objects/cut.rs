//! Where one object ends and the next begins, in a stream of JSON that need not fit into memory.

use std::io::{self, Read};
use std::ops::Range;

use crate::read::REJECT_TEXT;
use crate::source::Source;

const CHUNK: u64 = 128 * 1024;
/// Bytes of a member's name that are compared.
const NAME: usize = 200;

/// The next piece of a stream. Ranges are of [`Cutter::bytes`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// An object, and the member that a `*` of the path stood for.
    Object(Range<usize>, String),
    /// What cannot be one, and why.
    Broken(Range<usize>, &'static str),
    /// No more; and what is wrong with the end of the stream.
    End(Option<&'static str>),
}

/// An object or array on the way to the rows.
struct Frame {
    object: bool,
    /// The member whose value is being read.
    name: Vec<u8>,
}

/// Cuts a stream into the objects at a path.
pub(super) struct Cutter<'a, 's> {
    source: &'a mut Source<'s>,
    path: &'static [&'static str],
    most: usize,
    deepest: usize,
    buffer: Vec<u8>,
    /// Where reading stands in the buffer.
    at: usize,
    /// How much of the buffer was there before it was filled last.
    kept: usize,
    ended: bool,
    fresh: bool,
    /// One object a line, so that a broken line costs only itself.
    lines: Option<u64>,
    frames: Vec<Frame>,
}

impl<'a, 's> Cutter<'a, 's> {
    /// Objects of at most `most` bytes.
    pub(super) fn new(source: &'a mut Source<'s>, path: &'static [&'static str], most: usize, deepest: usize) -> Cutter<'a, 's> {
        Cutter {
            source,
            path,
            most,
            deepest,
            buffer: Vec::new(),
            at: 0,
            kept: 0,
            ended: false,
            fresh: true,
            lines: None,
            frames: Vec::new(),
        }
    }

    /// The bytes of a piece, until the next is asked for.
    pub(super) fn bytes(&self, piece: &Range<usize>) -> &[u8] {
        self.buffer.get(piece.clone()).unwrap_or_default()
    }

    /// The line of the piece, when objects stand one a line.
    pub(super) fn line(&self) -> Option<u64> {
        self.lines
    }

    /// The next piece.
    pub(super) fn next(&mut self) -> io::Result<Piece> {
        if self.fresh {
            self.fresh = false;
            self.fill(0)?;
            if self.buffer.starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
            }
            let start = self.buffer.get(self.at..).unwrap_or_default().trim_ascii_start();
            let line = start.get(..memchr::memchr(b'\n', start).unwrap_or(start.len())).unwrap_or_default().trim_ascii();
            let alone = line.first() == Some(&b'{') && line.last() == Some(&b'}');
            if self.path.is_empty() && alone {
                self.lines = Some(0);
            }
        }
        if let Some(line) = self.lines {
            return self.line_piece(line);
        }
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(Piece::End((!self.frames.is_empty()).then_some("the JSON has no end; rows may be missing")));
            };
            match byte {
                b'{' if self.is_row() => return self.object(),
                b'{' | b'[' => {
                    if self.frames.len() >= self.deepest {
                        self.at = self.buffer.len();
                        self.ended = true;
                        self.frames.clear();
                        return Ok(Piece::End(Some("objects and arrays are nested too deeply; nothing after that is read")));
                    }
                    self.frames.push(Frame { object: byte == b'{', name: Vec::new() });
                    self.at += 1;
                }
                b'}' | b']' => {
                    // What closes something else closes nothing.
                    if self.frames.last().is_some_and(|frame| frame.object == (byte == b'}')) {
                        self.frames.pop();
                    }
                    self.at += 1;
                }
                b'"' => self.string()?,
                _ => self.at += 1,
            }
        }
    }

    /// Whether an object that begins here is a row.
    fn is_row(&self) -> bool {
        let mut steps = self.path.iter();
        self.frames
            .iter()
            .filter(|frame| frame.object)
            .all(|frame| steps.next().is_some_and(|step| *step == "*" || step.as_bytes() == frame.name))
            && steps.next().is_none()
    }

    fn key(&self) -> String {
        let objects = self.frames.iter().filter(|frame| frame.object);
        let found = objects.zip(self.path).find(|(_, step)| **step == "*");
        found.map_or(String::new(), |(frame, _)| String::from_utf8_lossy(&frame.name).into_owned())
    }

    /// A string outside of rows: perhaps the name of a member, which a later one replaces.
    fn string(&mut self) -> io::Result<()> {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek()? {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    self.peek()?;
                    self.at = (self.at + 1).min(self.buffer.len());
                }
                _ if name.len() < NAME => name.push(byte),
                _ => {}
            }
        }
        // Only a name is followed by a colon, and only an object has names.
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek()? {
            self.at += 1;
        }
        if self.peek()? == Some(b':')
            && let Some(frame) = self.frames.last_mut().filter(|frame| frame.object)
        {
            frame.name = name;
        }
        Ok(())
    }

    /// The row that begins here.
    fn object(&mut self) -> io::Result<Piece> {
        let key = self.key();
        let (mut start, mut seen) = (self.at, self.at);
        let (mut depth, mut inside, mut escaped, mut length) = (0usize, false, false, 0usize);
        loop {
            while let Some(&byte) = self.buffer.get(seen) {
                seen += 1;
                length += 1;
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if inside => escaped = true,
                    b'"' => inside = !inside,
                    _ if inside => {}
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if depth == 0 {
                    self.at = seen;
                    if length > self.most {
                        let end = seen.min(start + REJECT_TEXT);
                        return Ok(Piece::Broken(start..end, "the object is longer than a row may be"));
                    }
                    return Ok(Piece::Object(start..seen, key));
                }
            }
            if length > self.most {
                // Its end is still looked for, but what lies between is not kept.
                self.buffer.truncate(start + REJECT_TEXT);
            }
            self.at = start;
            let more = self.fill(start)?;
            (start, seen) = (self.at, self.kept);
            if !more {
                (seen, self.at) = (self.buffer.len(), self.buffer.len());
                let end = seen.min(start + REJECT_TEXT);
                return Ok(Piece::Broken(start..end, "the object does not end; nothing after it can be read"));
            }
        }
    }

    fn line_piece(&mut self, mut line: u64) -> io::Result<Piece> {
        loop {
            line += 1;
            self.lines = Some(line);
            let (mut start, mut seen, mut long) = (self.at, self.at, false);
            let end = loop {
                if let Some(found) = memchr::memchr(b'\n', self.buffer.get(seen..).unwrap_or_default()) {
                    self.at = seen + found + 1;
                    break seen + found;
                }
                if self.buffer.len().saturating_sub(start) > self.most {
                    long = true;
                    self.buffer.truncate(start + REJECT_TEXT);
                }
                self.at = start;
                let more = self.fill(start)?;
                // What was forgotten moved the start.
                (start, seen) = (self.at, self.kept);
                if !more {
                    self.at = self.buffer.len();
                    break self.buffer.len();
                }
            };
            if long || end - start > self.most {
                return Ok(Piece::Broken(start..end.min(start + REJECT_TEXT), "the line is longer than a row may be"));
            }
            if !self.buffer.get(start..end).unwrap_or_default().trim_ascii().is_empty() {
                return Ok(Piece::Object(start..end, String::new()));
            }
            if self.ended && self.at >= self.buffer.len() {
                return Ok(Piece::End(None));
            }
        }
    }

    /// The byte at which reading stands.
    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at >= self.buffer.len() && !self.fill(self.at)? {
            return Ok(None);
        }
        Ok(self.buffer.get(self.at).copied())
    }

    /// Reads more, forgetting the first `done` bytes; false at the end.
    fn fill(&mut self, done: usize) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.drain(..done.min(self.buffer.len()));
        self.at -= done.min(self.at);
        self.kept = self.buffer.len();
        let count = self.source.take(CHUNK).read_to_end(&mut self.buffer)?;
        self.ended = count == 0;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, path: &'static [&'static str], most: usize) -> Vec<String> {
        let mut bytes = text.as_bytes();
        let mut source = Source::open(&mut bytes).unwrap();
        let mut cutter = Cutter::new(&mut source, path, most, 32);
        let mut all = Vec::new();
        loop {
            match cutter.next().unwrap() {
                Piece::Object(range, key) => {
                    let text = String::from_utf8_lossy(cutter.bytes(&range));
                    all.push(if key.is_empty() { text.into_owned() } else { format!("{key}={text}") });
                }
                Piece::Broken(_, reason) => all.push(reason.to_owned()),
                Piece::End(reason) => {
                    all.extend(reason.map(str::to_owned));
                    return all;
                }
            }
        }
    }

    #[test]
    fn objects_are_cut_out_where_they_are() {
        let too_long = "the object is longer than a row may be";
        for (text, path, expected) in [
            ("[{\"a\":1},{\"b\":{\"c\":[2]}}]", &[][..], vec!["{\"a\":1}", "{\"b\":{\"c\":[2]}}"]),
            ("{\"a\":1}\n\n{\"b\":2\n{\"c\":3}", &[], vec!["{\"a\":1}", "{\"b\":2", "{\"c\":3}"]),
            ("{\n \"a\": \"}\"\n}\n{\n}", &[], vec!["{\n \"a\": \"}\"\n}", "{\n}"]),
            ("{\"m\":{\"x\":1},\"data\":[{\"a\":\"\\\"}\"}],\"z\":[{}]}", &["data"], vec!["{\"a\":\"\\\"}\"}"]),
            ("{\"7\":[{\"a\":1},{}],\"8\":{}}", &["*"], vec!["7={\"a\":1}", "7={}", "8={}"]),
            ("{\"data\":{\"rows\":[{\"a\":1}]}}", &["data", "rows"], vec!["{\"a\":1}"]),
            (
                "[{\"a\":1},{\"b\":",
                &[],
                vec![
                    "{\"a\":1}",
                    "the object does not end; nothing after it can be read",
                    "the JSON has no end; rows may be missing",
                ],
            ),
            ("[{\"a\":1},{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":1},{}]", &[], vec!["{\"a\":1}", too_long, "{}"]),
            ("\u{feff}[{}]]}{\"a\":2}", &[], vec!["{}", "{\"a\":2}"]),
            ("", &[], vec![]),
            ("\"\\", &[], vec![]),
        ] {
            assert_eq!(pieces(text, path, 30), expected, "{text}");
        }
        let deep = "[".repeat(100) + "{}";
        assert_eq!(pieces(&deep, &[], 30).len(), 1);
    }

    #[test]
    fn what_is_too_long_costs_only_itself() {
        let text = format!("[{{\"a\":\"{}\"}},{{\"b\":1}}]", "x".repeat(500_000));
        assert_eq!(pieces(&text, &[], 1_000), ["the object is longer than a row may be", "{\"b\":1}"]);
        let text = format!("{{}}\n{{\"a\":\"{}\"}}\n{{\"b\":1}}\n", "x".repeat(500_000));
        assert_eq!(pieces(&text, &[], 1_000), ["{}", "the line is longer than a row may be", "{\"b\":1}"]);
    }
}
