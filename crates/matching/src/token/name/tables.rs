//! The tables of the normalisation, read once: types of organisations, stop words, cities of many names, and how rare words are.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use super::normal;

/// The number of a group of types that mean the same, in the order of the tables.
pub(super) type Form = u16;

/// How a type of organisation is written, as words, and its group.
type Written = (Box<[Box<str>]>, Form);

/// The types of organisations, found by the first of their words.
pub(super) struct Types {
    /// Of each first word: what begins with it, longest first.
    by_first: HashMap<Box<str>, Vec<Written>>,
    /// Types in scripts that put no blanks between words, longest first.
    unspaced: Vec<(Box<str>, Form)>,
    /// What each group is called.
    names: Vec<Box<str>>,
}

/// Types of organisations in native script.
pub(super) static NATIVE: LazyLock<Types> = LazyLock::new(|| Types::read(false));
/// The same types, transliterated.
pub(super) static LATIN: LazyLock<Types> = LazyLock::new(|| Types::read(true));
/// Words that tell no companies apart.
pub(super) static STOP: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| lines(include_str!("../../../data/stop-words.txt")).flat_map(str::split_whitespace).collect());
/// The first name of each city that has several.
pub(super) static CITIES: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let mut cities = HashMap::new();
    for line in lines(include_str!("../../../data/cities.txt")) {
        let mut names = line.split('|');
        let first = names.next().unwrap_or_default();
        cities.extend(names.map(|name| (name, first)));
    }
    cities
});
/// How rare words are, in sixteenths of a bit.
static RARE: LazyLock<HashMap<&'static str, u16>> = LazyLock::new(|| {
    let words = lines(include_str!("../../../data/name-words.txt"));
    words.filter_map(|line| line.split_once(' ')).filter_map(|(word, bits)| Some((word, bits.parse().ok()?))).collect()
});

/// A word that is not in the table, in sixteenths of a bit: as one that stands in one of 20,000 names, log2(20,000 / 1.5). Words of two
/// names are not in the table either, and to take a word for too rare opens what need not be opened.
const ABSENT: u16 = 219;
/// The most that a letter adds, in sixteenths of a bit: text has about four bits a letter when nothing is known of it. Without this bound
/// two letters that happen to be rare would count as much as a surname.
const LETTER: u16 = 64;
/// The most that a digit adds: log2(10), rounded down.
const DIGIT: u16 = 53;

/// How much a word says, in sixteenths of a bit. Whole numbers, so that every machine decides alike.
pub(super) fn rarity(word: &str) -> u32 {
    let bound = word.bytes().map(|byte| u32::from(if byte.is_ascii_digit() { DIGIT } else { LETTER })).sum();
    u32::from(RARE.get(word).copied().unwrap_or(ABSENT)).min(bound)
}

/// Lines that are no remarks.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

impl Types {
    fn read(latin: bool) -> Types {
        let own = include_str!("../../../data/org-types-own.txt");
        let table = include_str!("../../../data/org-types.txt");
        let not: HashSet<&str> = lines(own).filter_map(|line| line.strip_prefix("- ")).flat_map(|line| line.split('|')).collect();
        let mut types = Types { by_first: HashMap::new(), unspaced: Vec::new(), names: Vec::new() };
        let mut seen = HashSet::new();
        // Our own lines come first: what both have is of our group.
        let own = lines(own).filter(|line| !line.starts_with("- ")).map(|line| (line, true));
        for (line, ours) in own.chain(lines(table).map(|line| (line, false))) {
            let mut written = line.split('|');
            let form = types.names.len() as Form;
            types.names.push(written.next().unwrap_or_default().into());
            for one in written.filter(|one| ours || !not.contains(one)) {
                let words: Vec<Box<str>> = normal::split(one)
                    .iter()
                    .map(|word| if latin { normal::latin(word) } else { word.clone() })
                    .map(String::into_boxed_str)
                    .filter(|word| !word.is_empty())
                    .collect();
                let Some(first) = words.first().cloned() else { continue };
                // "ип" is a type and "ip" is none: what was excluded stays excluded when it is transliterated.
                if (latin && !ours && not.contains(words.join(" ").as_str())) || !seen.insert(words.clone()) {
                    continue;
                }
                if words.len() == 1 && !latin && first.chars().count() > 1 && first.chars().all(is_unspaced) {
                    types.unspaced.push((first.clone(), form));
                }
                types.by_first.entry(first).or_default().push((words.into(), form));
            }
        }
        for written in types.by_first.values_mut() {
            written.sort_by_key(|(words, _)| std::cmp::Reverse(words.len()));
        }
        types.unspaced.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        types
    }

    /// What a group is called.
    pub(super) fn name(&self, form: Form) -> &str {
        self.names.get(usize::from(form)).map_or("", |name| name)
    }

    /// The longest type with which these words begin: how many words it has, how many letters, and its group.
    pub(super) fn begins(&self, words: &[String]) -> Option<(usize, usize, Form)> {
        let written = self.by_first.get(words.first()?.as_str())?;
        let found = written.iter().find(|(of, _)| of.len() <= words.len() && of.iter().zip(words).all(|(a, b)| **a == **b));
        found.map(|(of, form)| (of.len(), of.iter().map(|word| word.chars().count()).sum(), *form))
    }

    /// A type that is one word.
    pub(super) fn word(&self, word: &str) -> Option<Form> {
        let written = self.by_first.get(word)?;
        written.iter().find(|(of, _)| of.len() == 1).map(|(_, form)| *form)
    }

    /// A word of a script without blanks, without the type at its end or its start.
    pub(super) fn without_affix<'a>(&self, word: &'a str) -> Option<(&'a str, Form)> {
        if !word.chars().any(is_unspaced) {
            return None;
        }
        self.unspaced.iter().find_map(|(affix, form)| {
            let rest = word.strip_suffix(&**affix).or_else(|| word.strip_prefix(&**affix))?;
            (!rest.is_empty()).then_some((rest, *form))
        })
    }
}

/// Han, kana and hangul, where words follow each other without blanks.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}
