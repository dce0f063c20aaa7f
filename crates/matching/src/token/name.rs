//! Tokens of names: the words that a name is compared by, and what a provider asks and the list holder publishes of them.
//!
//! `normal` makes the words, `tables` holds the data it goes by, `edits` the names one slip away. docs/matching.md, section Names, has the
//! rules and what they were measured to do; golden cases in `vectors/names.txt` hold them still.

mod edits;
mod normal;
mod tables;

use thiserror::Error;

use super::{Class, Token};
use normal::Normal;

/// Why a text is no name that can be compared. Whoever asked must be told: no token is sent for it, so it can have no hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoName {
    /// No letter and no digit is left.
    #[error("the name has no letter or digit to compare: write it as the company does")]
    Nothing,
    /// More than a name can be: 4,096 bytes as written, or 256 letters and digits after normalisation.
    #[error("the name is too long to be one (256 letters at most): put the name alone in this field")]
    TooLong,
}

/// A name that was normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    words: Vec<String>,
    forms: Vec<tables::Form>,
    written: Vec<String>,
}

/// Where a name has its neighbours of one edit: the list names it in its manifest, so that both sides make the same tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum EditSide {
    /// The list holder publishes the whole neighbourhood; a provider asks four or five tokens a name. For lists of up to 5,000 entries.
    #[default]
    List = 1,
    /// Both sides delete a letter; a provider asks one token for each letter of a name. For long lists.
    Both = 2,
}

impl EditSide {
    /// By its number in a manifest.
    #[must_use]
    pub fn of(number: u8) -> Option<EditSide> {
        [EditSide::List, EditSide::Both].into_iter().find(|side| *side as u8 == number)
    }

    /// What it is called in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            EditSide::List => "list",
            EditSide::Both => "both",
        }
    }
}

/// Why a token is published: how a name that has it is like the listed one. The surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Family {
    /// The same words in any order.
    Sorted = 1,
    /// The same letters, whatever parts them.
    Joined = 2,
    /// The same words at the same place.
    Place = 3,
    /// The same letters but for habits of spelling: y for i, kh for h, one letter for two.
    Spelt = 4,
    /// One letter more, less, other or swapped, when habits of spelling are folded.
    Edited = 5,
    /// The same letters when one is left out on either side or on both, likewise.
    Deleted = 6,
    /// The same words but one, where the others are rare enough.
    Less = 7,
}

impl Family {
    /// All, in order of their numbers.
    pub const ALL: [Family; 7] =
        [Family::Sorted, Family::Joined, Family::Place, Family::Spelt, Family::Edited, Family::Deleted, Family::Less];

    /// By its number.
    #[must_use]
    pub fn of(number: u8) -> Option<Family> {
        Family::ALL.into_iter().find(|family| *family as u8 == number)
    }

    /// What it is called in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Sorted => "sorted",
            Family::Joined => "joined",
            Family::Place => "place",
            Family::Spelt => "spelt",
            Family::Edited => "edited",
            Family::Deleted => "deleted",
            Family::Less => "less",
        }
    }
}

/// Where a name is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// ISO 3166-1 alpha-2, in any case.
    pub country: [u8; 2],
    /// A city as people write it.
    pub city: Option<String>,
    /// A postal code as people write it.
    pub postal: Option<String>,
}

impl Place {
    /// The city in letters and digits, joined; the first of its names where it has several ("'s-Gravenhage" is "denhaag").
    #[must_use]
    pub fn city_core(&self) -> Option<String> {
        let words = normal::split(self.city.as_deref().filter(|city| city.len() <= 256)?);
        let core: String = words.iter().map(|word| normal::latin(word)).collect();
        let core = tables::CITIES.get(core.as_str()).map_or(core, |first| (*first).to_owned());
        (!core.is_empty() && core.len() <= MOST_PLACE).then_some(core)
    }

    /// The country in capitals and the postal code in capitals and digits: "NL1234AB". None without both.
    #[must_use]
    pub fn postal_core(&self) -> Option<String> {
        let postal = self.postal.as_deref().filter(|postal| postal.len() <= 64)?;
        let code: String = postal.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).collect();
        let country =
            std::str::from_utf8(&self.country).ok().filter(|code| code.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
        let country = country.to_ascii_uppercase();
        // Some write the country before the code.
        let code = code.strip_prefix(country.as_str()).map_or(code.as_str(), |code| code);
        (!code.is_empty() && code.len() <= 12).then(|| country + code)
    }
}

/// The most letters of a city.
const MOST_PLACE: usize = 64;
/// The fewest bits of rarity that are asked of words, whatever the sizes of list and customer base.
pub const LEAST_RARITY: u32 = 26;
/// What a city adds to the rarity of a name, in bits. A large city has one company in sixteen.
const CITY_BITS: u32 = 4;
/// What a postal code adds, in bits: even a whole four-digit code of the Netherlands has less than a thousandth of the companies.
const POSTAL_BITS: u32 = 10;
/// The most letters of a word that is an abbreviation, in which a slip makes another one.
const SHORT: usize = 3;
/// From this rarity on, in sixteenths of a bit, the other words tell whom a name is about: one that is not in the table is enough.
const TELLING: u32 = 14 * 16;
/// The most words of which one is left out. More are a sentence.
const MOST_WORDS: usize = 16;

/// How rare the words must be that are kept when one is left out, in bits: log2 of how many pairs of names there are, so that about one
/// pair that has nothing to do with each other meets by chance. At least [`LEAST_RARITY`]. It stands in the manifest: both sides must use
/// the same.
#[must_use]
pub fn rarity_bits(customers: u64, names: u64) -> u32 {
    let pairs = u128::from(customers.max(1)) * u128::from(names.max(1));
    (128 - (pairs - 1).leading_zeros()).max(LEAST_RARITY)
}

impl Name {
    /// Of a name as people write it; nothing when there is nothing to compare.
    #[must_use]
    pub fn of(text: &str) -> Option<Name> {
        Name::read(text).ok()
    }

    /// As [`Name::of`], with the reason.
    ///
    /// # Errors
    /// Why it cannot be compared.
    pub fn read(text: &str) -> Result<Name, NoName> {
        normal::normalise(text).map(|Normal { words, forms, written }| Name { words, forms, written })
    }

    /// The words that are compared, in the order of the name: letters a to z and digits.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// S: the words in order of the alphabet, a blank between them.
    #[must_use]
    pub fn sorted(&self) -> String {
        let mut words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        words.sort_unstable();
        words.join(" ")
    }

    /// J: the words in their order, without blanks.
    #[must_use]
    pub fn joined(&self) -> String {
        self.words.concat()
    }

    /// F: the words joined, without habits of spelling (y for i, kh for h, two letters for one), when that leaves seven letters or more.
    #[must_use]
    pub fn spelt(&self) -> Option<String> {
        let folded = edits::folded(&self.joined());
        edits::is_folded(&folded).then_some(folded)
    }

    /// The types of organisation that the name had, as people write them ("B.V."), in no particular order.
    #[must_use]
    pub fn forms(&self) -> Vec<&'static str> {
        self.forms.iter().map(|form| tables::LATIN.name(*form)).collect()
    }

    /// How rare its words are together, in sixteenths of a bit.
    #[must_use]
    pub fn rarity(&self) -> u32 {
        self.words.iter().map(|word| tables::rarity(word)).sum()
    }

    /// For each letter of the joined name whether a slip in it leaves the same name. A word of up to three letters is another abbreviation
    /// with another letter ("ABC Hosting", "ABD Hosting"), unless the other words are rare enough to tell whom it is about.
    fn may_slip(&self) -> Vec<bool> {
        let all = self.rarity();
        let may = |word: &String| word.len() > SHORT || all - tables::rarity(word) >= TELLING;
        self.words.iter().flat_map(|word| std::iter::repeat_n(may(word), word.len())).collect()
    }

    /// The words but one, for each that can be left out so that the others are rare enough: sorted, and how many they are.
    fn less(&self, rarity_bits: u32) -> Vec<(String, usize)> {
        if self.words.len() < 2 || self.words.len() > MOST_WORDS {
            return Vec::new();
        }
        let mut words: Vec<(&str, u32)> = self.words.iter().map(|word| (word.as_str(), tables::rarity(word))).collect();
        words.sort_unstable();
        let all: u32 = words.iter().map(|(_, bits)| bits).sum();
        let enough = rarity_bits.saturating_mul(16);
        let mut less = Vec::new();
        for (left_out, (_, bits)) in words.iter().enumerate() {
            if all - bits >= enough {
                let kept: Vec<&str> =
                    words.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, (word, _))| *word).collect();
                less.push((kept.join(" "), kept.len()));
            }
        }
        less.dedup();
        less
    }

    /// The sorted words with a city, and with a postal code, where that is rare enough for the whole entry to open.
    fn placed<'a>(&'a self, place: Option<&'a Place>, rarity_bits: u32) -> impl Iterator<Item = Token> + 'a {
        let enough = |bits: u32| self.rarity().saturating_add(bits * 16) >= rarity_bits.saturating_mul(16);
        let city = place.and_then(Place::city_core).filter(|_| enough(CITY_BITS));
        let postal = place.and_then(Place::postal_core).filter(|_| enough(POSTAL_BITS));
        [city, postal]
            .into_iter()
            .flatten()
            .filter_map(|place| token(Class::NamePlace, &format!("{}\u{1f}{place}", self.sorted())))
    }
}

fn token(class: Class, text: &str) -> Option<Token> {
    Token::new(class, text.as_bytes())
}

/// What a provider asks of a name: its words joined; sorted, when they are more than one (one word says the same either way); the words but
/// one, where they are rare enough; the name with its place; and with [`EditSide::Both`] the joined name without each of its letters.
#[must_use]
pub fn asked(name: &Name, place: Option<&Place>, edit: EditSide, rarity_bits: u32) -> Vec<Token> {
    let joined = name.joined();
    let mut tokens: Vec<Token> = token(Class::NameJoined, &joined).into_iter().collect();
    if name.words.len() > 1 {
        tokens.extend(token(Class::NameSorted, &name.sorted()));
    }
    // One that is as it was folded is there already.
    tokens.extend(name.spelt().and_then(|folded| token(Class::NameJoined, &folded)));
    tokens.extend(name.less(rarity_bits).iter().filter_map(|(less, _)| token(Class::NameLess, less)));
    tokens.extend(name.placed(place, rarity_bits));
    if edit == EditSide::Both {
        tokens.extend(edits::asked(&joined, &name.may_slip()).iter().filter_map(|less| token(Class::NameDeleted, less)));
    }
    tokens.sort_unstable();
    tokens.dedup();
    tokens
}

/// What the list holder publishes of a name: all that [`asked`] may bring of a name that is like it. A token that has several reasons is
/// there once, with the surest.
#[must_use]
pub fn listed(name: &Name, place: Option<&Place>, edit: EditSide, rarity_bits: u32) -> Vec<(Token, Family)> {
    let joined = name.joined();
    let mut tokens: Vec<(Token, Family)> = Vec::new();
    let mut add = |class, text: &str, family| tokens.extend(token(class, text).map(|token| (token, family)));
    add(Class::NameJoined, &joined, Family::Joined);
    if name.words.len() > 1 {
        add(Class::NameSorted, &name.sorted(), Family::Sorted);
    }
    for (less, words) in name.less(rarity_bits) {
        add(Class::NameLess, &less, Family::Less);
        // A customer whose whole name this is asks it as sorted, one of one word as joined.
        add(if words > 1 { Class::NameSorted } else { Class::NameJoined }, &less, Family::Less);
    }
    // A customer with one word more asks the whole of our name.
    if name.rarity() >= rarity_bits.saturating_mul(16) {
        add(Class::NameLess, &name.sorted(), Family::Less);
    }
    let folded = name.spelt();
    if let Some(folded) = &folded {
        add(Class::NameJoined, folded, Family::Spelt);
    }
    let may_slip = name.may_slip();
    match edit {
        EditSide::List => {
            let mut near = |near: &str| add(Class::NameJoined, near, Family::Edited);
            edits::neighbours(&joined, &may_slip, b'0', &mut near);
            // Which letter of the folded name is of which word is not known: all must allow it.
            if let Some(folded) = folded.filter(|folded| *folded != joined && may_slip.iter().all(|may| *may)) {
                edits::neighbours(&folded, &vec![true; folded.len()], b'a', &mut near);
            }
            edits::around(&name.words, &name.written, &mut near);
        }
        EditSide::Both => {
            edits::listed(&joined, &may_slip, &mut |class, near| add(class, near, Family::Deleted));
            edits::around(&name.words, &name.written, &mut |near| add(Class::NameJoined, near, Family::Edited));
        }
    }
    tokens.extend(name.placed(place, rarity_bits).map(|token| (token, Family::Place)));
    tokens.sort_unstable();
    tokens.dedup_by(|later, first| later.0 == first.0);
    tokens
}
