//! Lines for a terminal: the verdict, then each check with what was found.

use super::{words, wrap};
use crate::said::{Language, both};
use crate::verdict::{Outcome, Verdict};

/// The verdict and its checks. Only the words of the verifier reach the left edge.
#[must_use]
pub fn terminal(verdict: &Verdict, language: Language) -> String {
    let (word, meaning) = words::verdict(verdict);
    let mut out = format!("{}\n", word.in_language(language));
    out += &wrap(2, meaning.in_language(language));
    for check in &verdict.checks {
        let mark = mark(check.outcome(), language);
        out += &format!("{mark:<12}{:>2}  {}\n", check.number, check.title().in_language(language));
        for line in &check.lines {
            let text = line.text.in_language(language);
            // In a check that failed, each line says whether it is why.
            let failed = check.outcome() > Outcome::Ok && line.outcome > Outcome::Ok;
            out += &if failed { wrap(16, &format!("! {text}")) } else { wrap(16, text) };
        }
        if check.left_out() > 0 {
            let more = both(format!("and {} more", check.left_out()), format!("en nog {}", check.left_out()));
            out += &wrap(16, more.in_language(language));
        }
    }
    out
}

fn mark(outcome: Outcome, language: Language) -> &'static str {
    match outcome {
        Outcome::Said => "-",
        Outcome::Ok => "ok",
        Outcome::Incomplete => words::say(language, "INCOMPLETE", "ONVOLLEDIG"),
        Outcome::Invalid => words::say(language, "INVALID", "ONGELDIG"),
        Outcome::Unreadable => words::say(language, "UNREADABLE", "ONLEESBAAR"),
    }
}
