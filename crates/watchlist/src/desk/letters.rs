//! The letters of the desk, in Dutch and English. A person reads them before they go out.

use super::Readable;
use super::listed::Request;
use crate::keys::hex;
use crate::provider::report::{Language, day};

/// Which letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// The question came in: how to prove control, and when the answer comes.
    Acknowledge,
    /// Control was not proven in time.
    Unproven,
    /// The answer to everybody to whom nothing is disclosed.
    Answer,
    /// The answer with an entry that the list holder decided to disclose.
    Disclose,
}

/// Writes a letter.
#[must_use]
pub fn write(letter: Letter, language: Language, request: &Request, entry: Option<&Readable>) -> String {
    let text = match (letter, language) {
        (Letter::Acknowledge, Language::Nl) => include_str!("letters/acknowledge.nl.txt"),
        (Letter::Acknowledge, Language::En) => include_str!("letters/acknowledge.en.txt"),
        (Letter::Unproven, Language::Nl) => include_str!("letters/unproven.nl.txt"),
        (Letter::Unproven, Language::En) => include_str!("letters/unproven.en.txt"),
        (Letter::Answer, Language::Nl) => include_str!("letters/answer.nl.txt"),
        (Letter::Answer, Language::En) => include_str!("letters/answer.en.txt"),
        (Letter::Disclose, Language::Nl) => include_str!("letters/disclose.nl.txt"),
        (Letter::Disclose, Language::En) => include_str!("letters/disclose.en.txt"),
    };
    let (entry, form) = match entry {
        None => (String::new(), String::new()),
        Some(one) => (entry_lines(one, language), form(language)),
    };
    // One pass over the letter, so that what somebody wrote into a name is never taken for a place to fill.
    let mut out = String::with_capacity(text.len() + entry.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((place, after)) = after.split_once('}') else { break };
        match place {
            "name" => out.push_str(&request.name),
            "number" => out.push_str(&request.number),
            "about" => out.push_str(&request.text),
            "code" => out.push_str(&request.code),
            "asked" => out.push_str(&day(language, request.at)),
            "due" => out.push_str(&day(language, request.due())),
            "entry" => out.push_str(&entry),
            "form" => out.push_str(&form),
            _ => {}
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The form to contest an entry with.
#[must_use]
pub fn form(language: Language) -> String {
    language.say(include_str!("letters/form.nl.txt"), include_str!("letters/form.en.txt")).to_owned()
}

fn entry_lines(one: &Readable, language: Language) -> String {
    let entry = &one.entry;
    let reason = match language {
        Language::En if !entry.reason_en.is_empty() => &entry.reason_en,
        _ => &entry.reason_nl,
    };
    let lines = [
        (
            language.say("Vermelding", "Entry"),
            format!("{} ({} {})", hex(&entry.id), language.say("versie", "version"), entry.version),
        ),
        (language.say("Namen", "Names"), entry.names.iter().chain(&entry.aliases).cloned().collect::<Vec<_>>().join(", ")),
        (language.say("Reden", "Reason"), reason.clone()),
        (language.say("Bron", "Source"), entry.source.clone()),
        (language.say("Wettelijke grondslag", "Legal basis"), entry.legal_basis.clone()),
        (language.say("Criterium", "Criterion"), format!("{} ({})", entry.criterion, entry.protocol)),
        (language.say("Op de lijst sinds", "Listed since"), day(language, entry.listed_at)),
        (language.say("Herzien vóór", "To be reviewed by"), day(language, entry.review_by)),
        (language.say("Bewijs in het log", "Proof in the log"), hex(&matching::sha256(&[&one.parts.capsule_proof]))),
    ];
    lines.iter().map(|(name, value)| format!("  {name}: {value}\n")).collect()
}
