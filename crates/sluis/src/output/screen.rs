//! Standard output: buffered, with its width and whether it takes colours.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use super::safe::clean;

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As everything else.
    Plain,
    /// What names the thing.
    Strong,
    /// What one may pass over.
    Dim,
    /// What somebody has to act on.
    Alarm,
    /// What deserves a second look.
    Remark,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "0",
            Style::Strong => "1",
            Style::Dim => "2",
            Style::Alarm => "31",
            Style::Remark => "33",
        }
    }
}

/// Standard output.
pub(crate) struct Screen {
    out: BufWriter<Stdout>,
    /// Whether colours are wanted (<https://no-color.org>).
    pub(crate) colour: bool,
    /// Whether a person looks at it.
    pub(crate) terminal: bool,
}

impl Screen {
    /// Standard output as it is.
    pub(crate) fn new() -> Screen {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = terminal && !dumb && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Screen { out: BufWriter::with_capacity(64 << 10, out), colour, terminal }
    }

    /// The text, cleaned, in a style.
    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        let text = clean(text);
        if !self.colour || style == Style::Plain || text.is_empty() {
            return text.into_owned();
        }
        format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
    }

    /// A heading with an empty line before it.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(Style::Strong, text);
        writeln!(self.out, "\n{text}")
    }

    /// Facts as `name  value`, the empty ones left out. Values are cleaned.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) -> io::Result<()> {
        let width = facts.iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
            let name = self.paint(Style::Dim, &format!("{name:width$}"));
            writeln!(self.out, "{name}  {}", clean(value))?;
        }
        Ok(())
    }

    /// A line as it is: the caller has cleaned it.
    pub(crate) fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
