//! JSON that programs can read and terminals cannot obey.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter};

use super::safe::is_hidden;

/// One value on one line. Keys stand in the order of their declaration.
pub(crate) fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    value.serialize(&mut Serializer::with_formatter(&mut *out, Escaping))?;
    out.write_all(b"\n")
}

/// Writes characters that a terminal would obey, or hide, as `\uXXXX`: the value stays the same.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices().filter(|(_, c)| c.is_control() || is_hidden(*c)) {
            CompactFormatter.write_string_fragment(writer, fragment.get(plain..at).unwrap_or_default())?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        CompactFormatter.write_string_fragment(writer, fragment.get(plain..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_nothing_is_obeyed() {
        let text = "a\u{1b}[31m\u{9b}31m\u{202e}\u{e0041}\"é\u{7f}";
        let mut out = Vec::new();
        line(&mut out, &[text]).expect("a vector takes everything");
        let written = String::from_utf8(out).expect("JSON is UTF-8");
        assert!(written.trim_end().chars().all(|c| !c.is_control() && !is_hidden(c)), "{written}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).expect("it is JSON"), [text]);
    }
}
