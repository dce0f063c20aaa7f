//! Lines for a terminal: the verdict, then each check with what was found.

use super::{words, wrap};
use crate::moment::told as told_at;
use crate::said::{Language, both, quote};
use crate::story::Story;
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
    if let Some(story) = &verdict.story {
        letters(story, language, &mut out);
    }
    out
}

/// Who was told what, and when at the latest: a line for each letter.
fn letters(story: &Story, language: Language, out: &mut String) {
    let mut none = true;
    for (record, told) in story.told().filter(|(_, told)| told.letter) {
        if none {
            *out += words::say(
                language,
                "Letters: to whom, when at the latest (whether they left: 11)\n",
                "Brieven: aan wie, uiterlijk wanneer (of ze weg zijn: 11)\n",
            );
            none = false;
        }
        let when = told.at_the_latest.map_or_else(|| both("not proven when", "niet bewezen wanneer"), told_at);
        let whom =
            Story::text(record, "party_name").map_or_else(|| words::say(language, "not shown", "niet getoond").to_owned(), quote);
        let what = words::happened(record);
        *out += &wrap(2, &format!("{}: {whom}: {}", when.in_language(language), what.in_language(language)));
    }
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
