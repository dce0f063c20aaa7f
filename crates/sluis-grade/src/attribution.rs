//! What it rests on that a letter went to the right party. It is always the sender's statement: how good a one, its kind tells.

use seal::bundle::ShownRecord;
use seal::record::Hash;
use sluis_verify::Story;
use sluis_verify::moment::utc;
use sluis_verify::said::{Text, quote};

use crate::text;

/// The words of `docs/seal.md` 2.3, from the strongest to the weakest, with their meaning.
const WORDS: [(&str, &str, &str); 4] = [
    ("own contract record", "a contract record of the sender itself", "een contract in de eigen administratie van de afzender"),
    ("address registry", "an address registry that others can look into", "een adresregister dat ook anderen kunnen inzien"),
    ("statement of a reseller", "the statement of a reseller", "de opgave van een wederverkoper"),
    ("unknown", "nothing that is known", "niets dat bekend is"),
];

/// What the attribution of letters rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributed {
    /// C of the record that says so; `None` when none is shown.
    pub record: Option<Hash>,
    /// The word of the record; `unknown` when it says none of those that there are.
    pub word: &'static str,
    /// The source, as the sender names it.
    pub source: Option<String>,
    /// How old the source's last reading was when the first of these letters was recorded, in milliseconds.
    pub age: Option<i64>,
    /// All of this in a sentence.
    pub line: Text,
}

/// What the letters at these places rest on, each record that says so once.
pub(crate) fn all(story: &Story, letters: &[usize]) -> Vec<Attributed> {
    let mut found: Vec<(Option<Hash>, usize, Vec<usize>)> = Vec::new();
    for (number, place) in (1_usize..).zip(letters) {
        let opened = story.opened(Some(*place));
        let at = |opened: &ShownRecord| story.bundle.records.iter().position(|record| std::ptr::eq(record, opened));
        let record = opened.and_then(at).and_then(|at| story.records.get(at)).map(|told| told.commitment);
        match found.iter_mut().find(|(known, ..)| *known == record) {
            Some((.., numbers)) => numbers.push(number),
            None => found.push((record, *place, vec![number])),
        }
    }
    found.iter().map(|(record, place, numbers)| one(story, *record, *place, numbers)).collect()
}

fn one(story: &Story, record: Option<Hash>, place: usize, numbers: &[usize]) -> Attributed {
    let opened = story.opened(Some(place));
    let said = opened.and_then(|opened| Story::text(opened, "attribution")).unwrap_or_default();
    let unknown = WORDS[3];
    let (word, en, nl) = WORDS.iter().find(|(word, ..)| *word == said).copied().unwrap_or(unknown);
    let source = opened.and_then(|opened| Story::text(opened, "attribution_source")).filter(|source| !source.is_empty());
    let checked = opened.and_then(|opened| Story::time(opened, "attribution_checked"));
    let sent = story.bundle.records.get(place).and_then(|letter| Story::time(letter, "recorded_at"));
    let age = checked.zip(sent).map(|(checked, sent)| sent.saturating_sub(checked));
    let which = match (numbers.first(), numbers.last()) {
        (Some(first), Some(last)) if first != last => {
            (format!("letters {first} to {last}"), format!("brieven {first} tot en met {last}"))
        }
        (first, _) => {
            let first = first.copied().unwrap_or_default();
            (format!("letter {first}"), format!("brief {first}"))
        }
    };
    let (mut in_english, mut in_dutch) = (
        format!("{}: that this is the right party rests on {en}", which.0),
        format!("{}: dat dit de juiste partij is, rust op {nl}", which.1),
    );
    if let Some(source) = source {
        in_english += &format!(", source {}", quote(source));
        in_dutch += &format!(", herkomst {}", quote(source));
    }
    if let (Some(checked), Some(age)) = (checked, age) {
        let (old_en, old_nl) = old(age);
        in_english += &format!(", last read {} ({old_en})", utc(checked));
        in_dutch += &format!(", laatst gelezen {} ({old_nl})", utc(checked));
    }
    in_english += "; proved by: sender's own record";
    in_dutch += "; bewezen door: eigen administratie van de afzender";
    Attributed { record, word, source: source.map(str::to_owned), age, line: text(in_english, in_dutch) }
}

/// How old something was when a letter was recorded.
fn old(age: i64) -> (String, String) {
    let hours = age / 3_600_000;
    match hours {
        i64::MIN..0 => ("after the letter".to_owned(), "na de brief".to_owned()),
        0..48 => (format!("{hours} hours before the letter"), format!("{hours} uur voor de brief")),
        _ => (format!("{} days before the letter", hours / 24), format!("{} dagen voor de brief", hours / 24)),
    }
}
