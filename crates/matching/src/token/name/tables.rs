//! The tables of the normalisation, read once: types of organisations, stop words, cities of many names, and how rare words are.

use std::collections::{BTreeSet, HashMap, HashSet};
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
    /// First words of types that are long enough to be known when they are misspelt, by their first two letters and by their last two:
    /// one slip leaves either as it was. Empty for the types in native script.
    long: HashMap<(End, [u8; 2]), Vec<Box<str>>>,
}

/// Which two letters of a word.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum End {
    First,
    Last,
}

/// Letters from which on a word of a type is known by its like, beside other words of the type that are as they should be.
const LONG: usize = 5;
/// Letters from which on a word of the tables is known by its like when it stands alone.
const CLEAR: usize = 7;
/// Letters from which on a type that we transliterate counts. Shorter ones are words in Latin script ("бо", "го", "да"); those that are
/// written so are in the tables by themselves ("OOO").
const TRANSLITERATED: usize = 5;

/// Types of organisations in native script.
pub(super) static NATIVE: LazyLock<Types> = LazyLock::new(|| Types::read(false));
/// The same types, transliterated.
pub(super) static LATIN: LazyLock<Types> = LazyLock::new(|| Types::read(true));
/// Words that tell no companies apart.
static STOP: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| lines(include_str!("../../../data/stop-words.txt")).flat_map(str::split_whitespace).collect());
/// Those that are known when they are misspelt.
static LONG_STOP: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| STOP.iter().copied().filter(|word| word.len() >= CLEAR).collect());
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

/// A word that is not in the table, in sixteenths of a bit: 16 log2(20,000 / 0.64). By Good and Turing's rule a word that two names or fewer
/// had stands in 0.14 of 20,000 others (of the names counted, 17,102 words were in one, 2,068 in two and 724 in three), and the same half is
/// added as to those in the table.
const ABSENT: u16 = 238;
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
        let mut types = Types { by_first: HashMap::new(), unspaced: Vec::new(), names: Vec::new(), long: HashMap::new() };
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
                let transliterated =
                    latin && !one.is_ascii() && words.iter().map(|word| word.len()).sum::<usize>() < TRANSLITERATED;
                if transliterated || (latin && !ours && not.contains(words.join(" ").as_str())) || !seen.insert(words.clone()) {
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
        let firsts: BTreeSet<&Box<str>> = types.by_first.keys().filter(|word| latin && word.len() >= LONG).collect();
        for word in firsts {
            for key in ends(word.as_bytes()).into_iter().flatten() {
                types.long.entry(key).or_default().push(word.clone());
            }
        }
        types.unspaced.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        types
    }

    /// What a group is called.
    pub(super) fn name(&self, form: Form) -> &str {
        self.names.get(usize::from(form)).map_or("", |name| name)
    }

    /// The longest type with which these words begin: how many words it has, how many letters, and its group. One of the words may be
    /// misspelt by one slip, when it is long.
    pub(super) fn begins(&self, words: &[String]) -> Option<(usize, usize, Form)> {
        let first = words.first()?;
        let same = self.by_first.get(first.as_str());
        let long = same.is_none() && first.len() + 1 >= LONG;
        let near = ends(first.as_bytes()).into_iter().flatten().filter(|_| long).filter_map(|key| self.long.get(&key)).flatten();
        let near = near.filter(|one| is_one_slip(one.as_bytes(), first.as_bytes())).filter_map(|one| self.by_first.get(one));
        let all = same.into_iter().chain(near).flatten();
        let found = all.filter_map(|(of, form)| slips(of, words).map(|slips| (of, slips, form)));
        let (of, _, form) = found.max_by_key(|(of, slips, form)| (of.len(), std::cmp::Reverse((*slips, *form))))?;
        Some((of.len(), of.iter().map(|word| word.chars().count()).sum(), *form))
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

/// How many slips part these words from the type they begin with: none or one, else they do not begin with it.
fn slips(of: &[Box<str>], words: &[String]) -> Option<usize> {
    let words = words.get(..of.len())?;
    let pairs = of.iter().map(|word| &**word).zip(words.iter().map(String::as_str));
    let mut differing = pairs.filter(|(table, word)| table != word);
    let Some((table, word)) = differing.next() else { return Some(0) };
    let is_near =
        if of.len() == 1 { is_near(table, word) } else { table.len() >= LONG && is_one_slip(table.as_bytes(), word.as_bytes()) };
    (is_near && table.is_ascii() && differing.next().is_none()).then_some(1)
}

/// Whether a word that stands alone is a word of the tables with one slip. It must be long and begin well: "Golding" is no "holding".
fn is_near(table: &str, word: &str) -> bool {
    table.len() >= CLEAR && table.as_bytes().first() == word.as_bytes().first() && is_one_slip(table.as_bytes(), word.as_bytes())
}

/// Whether a word tells no companies apart.
pub(super) fn is_stop(word: &str) -> bool {
    STOP.contains(word) || LONG_STOP.iter().any(|stop| is_near(stop, word))
}

fn ends(word: &[u8]) -> [Option<(End, [u8; 2])>; 2] {
    [word.first_chunk().map(|first| (End::First, *first)), word.last_chunk().map(|last| (End::Last, *last))]
}

/// Whether one letter more, less, other, or two that changed places make one word of the other.
fn is_one_slip(a: &[u8], b: &[u8]) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let same = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (short.get(same..).unwrap_or_default(), long.get(same..).unwrap_or_default());
    match (short, long) {
        ([], [_]) => true,
        ([x, short @ ..], [y, long @ ..]) if short.len() == long.len() => {
            short == long || matches!((short, long), ([v, short @ ..], [w, long @ ..]) if (x, v) == (w, y) && short == long)
        }
        (short, [_, long @ ..]) => short == long,
        _ => false,
    }
}

/// Han, kana and hangul, where words follow each other without blanks.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}
