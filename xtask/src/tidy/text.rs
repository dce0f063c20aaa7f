//! Rules about the text of files.

use super::{Tree, is_fixture};

/// Bytes a file may have; more is data, and data of others stays out of the repository.
const LARGE: u64 = 200 * 1024;
/// Lines a Rust file may have: the house says "about six hundred", and this is where "about" ends.
const LINES: usize = 750;
/// Extensions of files written by people, line by line.
const WRITTEN: &[&str] = &["rs", "md", "toml", "sql", "css", "js", "html", "sh", "yml", "yaml", "service"];

/// House rule: each Rust file begins with a `//!` sentence.
pub fn opens_with_a_sentence(tree: &Tree) -> Vec<String> {
    tree.rust()
        .filter(|file| !opens_well(&tree.text(file).unwrap_or_default()))
        .map(|file| format!("{file}: begin with a `//!` sentence that says what lives here, and for whom"))
        .collect()
}

fn opens_well(text: &str) -> bool {
    // A fuzz target must switch off main before anything else.
    let first = text.lines().find(|line| !line.starts_with("#!")).unwrap_or_default();
    first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty())
}

/// House rule: no line ends in blanks, and each file in a newline.
pub fn no_trailing_blanks(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let extension = file.rsplit('.').next().unwrap_or_default();
        if is_fixture(file) || !(WRITTEN.contains(&extension) || file == "LICENSE" || file == ".ci/run") {
            continue;
        }
        let text = tree.text(file).unwrap_or_default();
        findings.extend(lines_ending_in_blanks(&text).map(|line| format!("{file}:{line}: remove the blanks at its end")));
        if !text.is_empty() && !text.ends_with('\n') {
            findings.push(format!("{file}: end it with a newline"));
        }
    }
    findings
}

fn lines_ending_in_blanks(text: &str) -> impl Iterator<Item = usize> {
    // `\r` counts as a blank: files here have plain newlines.
    text.split('\n').enumerate().filter(|(_, line)| line.ends_with([' ', '\t', '\r'])).map(|(at, _)| at + 1)
}

/// House rule: what is not done is an issue, not a remark in the code.
pub fn nothing_left_undone(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.rust() {
        let text = tree.text(file).unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            if let Some(mark) = mark_of_undone(line) {
                findings.push(format!("{file}:{}: '{mark}': finish it, or say what is missing in an issue", at + 1));
            }
        }
    }
    findings
}

fn mark_of_undone(line: &str) -> Option<&'static str> {
    // Put together here so that the rule does not find itself.
    const MARKS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
    MARKS.into_iter().find(|mark| {
        let is_word = |at: usize| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + mark.len()..).and_then(|text| text.chars().next());
            ![before, after].into_iter().flatten().any(char::is_alphanumeric)
        };
        line.match_indices(mark).any(|(at, _)| is_word(at))
    })
}

/// House rule: a file is one idea.
pub fn files_fit_the_head(tree: &Tree) -> Vec<String> {
    let lines = |file: &&str| tree.text(file).unwrap_or_default().lines().count();
    tree.rust()
        .filter(|file| lines(file) > LINES)
        .map(|file| format!("{file}: {} lines; split it by idea (about 600 lines is the measure)", lines(&file)))
        .collect()
}

/// House rule: no data in the repository but small fixtures of our own.
pub fn no_large_files(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.rsplit('/').next() != Some("Cargo.lock")) {
        let size = std::fs::metadata(tree.root.join(file)).map_or(0, |data| data.len());
        if size > LARGE {
            findings.push(format!("{file}: {size} bytes; a fixture shows one thing in little, data of others stays outside"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_opens_with_a_sentence_or_not() {
        for (text, well) in [
            ("//! Where names live.\n", true),
            ("#![no_main]\n//! A fuzz target.\n", true),
            ("//!\n//! Late.\n", false),
            ("use std::fs;\n//! Late.\n", false),
            ("/// For the next item.\n", false),
            ("", false),
        ] {
            assert_eq!(opens_well(text), well, "{text:?}");
        }
    }

    #[test]
    fn blanks_are_found_with_their_lines() {
        let found: Vec<usize> = lines_ending_in_blanks("good\nblank \n\ntab\t\ndos\r\n").collect();
        assert_eq!(found, [2, 4, 5]);
    }

    #[test]
    fn marks_are_words() {
        assert!(mark_of_undone(concat!("// TO", "DO: more")).is_some());
        assert!(mark_of_undone(concat!("// (FIX", "ME)")).is_some());
        assert!(mark_of_undone("// TODOS").is_none());
        assert!(mark_of_undone("é").is_none());
    }
}
