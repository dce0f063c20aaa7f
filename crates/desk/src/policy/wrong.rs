//! What is wrong with a policy file, as a compiler would say it: file, line, column, the line itself, and what to do.

use std::fmt;
use std::ops::Range;

use parsers::administration::nearest;

/// Everything that is wrong with a policy file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The file, as it was named.
    pub file: String,
    /// What is wrong; never empty.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// Column in characters, from 1; 0 when it is about the whole line.
    pub column: usize,
    /// What.
    pub text: String,
    /// What to do about it; empty when the text says it.
    pub hint: String,
    /// The line, cut to a readable length.
    pub excerpt: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, problem) in self.problems.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&self.file)?;
            if problem.line > 0 {
                write!(f, ":{}:{}", problem.line, problem.column)?;
            }
            write!(f, ": {}", problem.text)?;
            if !problem.excerpt.is_empty() {
                write!(f, "\n  | {}", problem.excerpt)?;
            }
            if !problem.hint.is_empty() {
                write!(f, "\n  hint: {}", problem.hint)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Wrong {}

/// Most problems that are told at once: who has more begins with these.
const MOST: usize = 50;
/// Characters of a line that are shown.
const EXCERPT: usize = 120;

/// Collects problems of one text.
pub(super) struct Problems<'t> {
    text: &'t str,
    list: Vec<Problem>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Problems<'t> {
        Problems { text, list: Vec::new() }
    }

    /// Notes what is wrong at a place of the text.
    pub(super) fn add(&mut self, span: Range<usize>, text: impl Into<String>, hint: impl Into<String>) {
        if self.list.len() < MOST {
            let (line, column, excerpt) = self.place(span.start);
            self.list.push(Problem { line, column, text: text.into(), hint: hint.into(), excerpt });
        }
    }

    /// Notes what TOML or the shape of the file does not allow.
    pub(super) fn add_toml(&mut self, error: &toml::de::Error) {
        let message = error.message().to_owned();
        let hint = hint(&message);
        match error.span() {
            Some(span) => self.add(span, message, hint),
            None => self.list.push(Problem { line: 0, column: 0, text: message, hint, excerpt: String::new() }),
        }
    }

    /// The line on which a place of the text is.
    pub(super) fn line(&self, at: usize) -> usize {
        self.place(at).0
    }

    pub(super) fn into_result<T>(mut self, file: &str, value: Option<T>) -> Result<T, Wrong> {
        self.list.sort_by_key(|problem| (problem.line, problem.column));
        match value {
            Some(value) if self.list.is_empty() => Ok(value),
            _ => Err(Wrong { file: file.to_owned(), problems: self.list }),
        }
    }

    fn place(&self, at: usize) -> (usize, usize, String) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = self.text.split_at(at);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let head = before.get(start..).unwrap_or_default();
        let rest = after.lines().next().unwrap_or_default();
        let excerpt: String = head.chars().chain(rest.chars()).take(EXCERPT).collect();
        (before.matches('\n').count() + 1, head.chars().count() + 1, excerpt.trim_end().to_owned())
    }
}

/// A hint for a message that names, in backquotes, the word it does not know and then those it does.
fn hint(message: &str) -> String {
    let is_unknown = message.starts_with("unknown field") || message.starts_with("unknown variant");
    let mut words = message.split('`').skip(1).step_by(2);
    match words.next() {
        Some(word) if is_unknown => {
            let known: Vec<&str> = words.collect();
            did_you_mean(word, known.into_iter())
        }
        _ => String::new(),
    }
}

/// `did you mean 'x'?`, when something is near; otherwise nothing.
pub(super) fn did_you_mean<'c>(word: &str, known: impl Iterator<Item = &'c str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("did you mean '{near}'?"))
}
