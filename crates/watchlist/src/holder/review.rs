//! What officers look at before they accept an entry: how complete it is, when its review is due, and who has a name like it without being meant.

use std::collections::{HashMap, HashSet};

use matching::{compare, token::name::Name};
use serde::Serialize;

use super::{Error, Holder, Known, form::Problem, state::Kept};

/// How long before its review date an entry is told as due: 30 days, in milliseconds.
const DUE: i64 = 30 * 24 * 60 * 60 * 1000;
/// The most namesakes shown of one entry.
const MOST_NAMESAKES: usize = 5;
/// A name whose words are together less rare than this, in bits, is common: about one name in a thousand has them.
const COMMON: u32 = 10;
/// The most entries in which a word of a register is looked for: a word of more entries says little.
const MOST_PER_WORD: usize = 2_000;

/// An entry as it is reviewed.
#[derive(Debug, Clone, Serialize)]
pub struct Reviewed {
    /// Its name, hexadecimal.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// What it is called.
    pub title: String,
    /// `waiting`, `ready`, `listed`, `suspended`, `overdue`, `withdrawn` or `wrong`.
    pub state: &'static str,
    /// 0 to 100: how much of what helps a provider to decide is there.
    pub completeness: u8,
    /// The last day on which it may be used.
    pub review_by: String,
    /// Whether that is within 30 days, or over.
    pub due: bool,
    /// Who wrote it.
    pub added_by: String,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// Names that are common, so that they open for many a namesake.
    pub common: Vec<String>,
    /// Who has a name like it: register, or another entry.
    pub namesakes: Vec<Namesake>,
    /// Other entries that have an identifier of it.
    pub duplicates: Vec<String>,
}

/// Somebody with a name like that of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Namesake {
    /// The entry's name that is meant.
    pub name: String,
    /// The other's.
    pub other: String,
    /// Where that stands: a row of the register, or an entry.
    pub place: String,
    /// 0 to 100.
    pub score: u8,
}

impl Holder {
    /// All entries that are not withdrawn, or this one. `register` are names of others, with the place where each stands.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn review(
        &self,
        only: Option<&str>,
        register: impl Iterator<Item = (String, String)>,
        now: i64,
    ) -> Result<Vec<Reviewed>, Error> {
        let all: Vec<&Kept> = match only {
            Some(entry) => vec![self.kept(entry)?],
            None => self.state.newest().filter(|kept| kept.withdrawn.is_none()).collect(),
        };
        let known = self.known();
        let mut reviewed = all.iter().map(|kept| self.reviewed(kept, &known, now)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<(usize, &str, Name)> = all
            .iter()
            .enumerate()
            .flat_map(|(at, kept)| kept.form.names.iter().chain(&kept.form.aliases).map(move |name| (at, name.as_str())))
            .filter_map(|(at, name)| Some((at, name, Name::of(name)?)))
            .collect();
        let index = Index::of(&names);
        let others = self.state.newest().filter(|kept| kept.withdrawn.is_none()).flat_map(|kept| {
            let place = format!("entry {}", kept.id.get(..8).unwrap_or_default());
            kept.form.names.iter().chain(&kept.form.aliases).map(move |name| (place.clone(), name.clone()))
        });
        for (place, other) in others.chain(register) {
            let Some(name) = Name::of(&other) else { continue };
            for (at, listed) in index.near(&name, &names) {
                let own = format!("entry {}", reviewed[at].id.get(..8).unwrap_or_default());
                let (score, of) = (compare::score(&name, &listed.2), &mut reviewed[at].namesakes);
                // The party itself stands in the register too, under exactly its name: whoever is meant cannot be seen from a name.
                if score >= compare::POSSIBLE && place != own {
                    of.push(Namesake { name: listed.1.to_owned(), other: other.clone(), place: place.clone(), score });
                    of.sort_by(|a, b| (b.score, &a.other, &a.place).cmp(&(a.score, &b.other, &b.place)));
                    of.dedup();
                    of.truncate(MOST_NAMESAKES);
                }
            }
        }
        Ok(reviewed)
    }

    fn reviewed(&self, kept: &Kept, known: &Known<'_>, now: i64) -> Result<Reviewed, Error> {
        let (entry, mut problems) = self.parse(kept, now)?;
        let overdue = entry.review_by < now;
        if let Err(Error::Problems(more)) = self.read(kept, now) {
            problems = more;
        }
        let listed = self
            .state
            .published
            .last()
            .is_some_and(|last| last.snapshot.iter().any(|(id, version, _)| *id == kept.id && *version == kept.version));
        let state = if kept.withdrawn.is_some() {
            "withdrawn"
        } else if overdue {
            "overdue"
        } else if !problems.is_empty() {
            "wrong"
        } else if kept.suspended.is_some() {
            "suspended"
        } else if !self.is_read_by_two(kept, &entry) {
            "waiting"
        } else if listed {
            "listed"
        } else {
            "ready"
        };
        let names = kept.form.names.iter().chain(&kept.form.aliases);
        let common = names.filter(|name| is_common(name)).cloned().collect();
        Ok(Reviewed {
            id: kept.id.clone(),
            version: kept.version,
            title: kept.form.title().to_owned(),
            state,
            completeness: entry.completeness(),
            review_by: kept.form.review_by.clone(),
            due: entry.review_by < now.saturating_add(DUE),
            added_by: self.name_of(&kept.added.key),
            accepted_by: kept.accepted.as_ref().map(|by| self.name_of(&by.key)),
            problems,
            common,
            namesakes: Vec::new(),
            duplicates: known.told(&kept.form, Some(&kept.id)),
        })
    }
}

/// Whether so many have a name like this that it says nothing of who is meant.
pub(super) fn is_common(name: &str) -> bool {
    Name::of(name).is_some_and(|name| name.rarity() < COMMON * 16)
}

/// Names by their words and by all their letters, so that a register of millions is compared with those alone that share something.
struct Index {
    words: HashMap<String, Vec<usize>>,
    joined: HashMap<String, Vec<usize>>,
}

impl Index {
    fn of(names: &[(usize, &str, Name)]) -> Index {
        let (mut words, mut joined): (HashMap<String, Vec<usize>>, HashMap<String, Vec<usize>>) =
            (HashMap::new(), HashMap::new());
        for (at, (_, _, name)) in names.iter().enumerate() {
            for word in name.words() {
                words.entry(word.clone()).or_default().push(at);
            }
            for piece in ends(&name.joined()) {
                joined.entry(piece).or_default().push(at);
            }
        }
        Index { words, joined }
    }

    /// Names that have a word, or their first or last letters, in common with this one.
    fn near<'n, 'a>(&self, name: &Name, names: &'n [(usize, &'a str, Name)]) -> Vec<(usize, &'n (usize, &'a str, Name))> {
        let mut found: HashSet<usize> = HashSet::new();
        for word in name.words() {
            found.extend(self.words.get(word).filter(|all| all.len() <= MOST_PER_WORD).into_iter().flatten());
        }
        for piece in ends(&name.joined()) {
            found.extend(self.joined.get(&piece).filter(|all| all.len() <= MOST_PER_WORD).into_iter().flatten());
        }
        let mut found: Vec<usize> = found.into_iter().collect();
        found.sort_unstable();
        found.into_iter().map(|at| (names[at].0, &names[at])).collect()
    }
}

/// The first and the last five letters: a typo leaves one of them alone in all but the shortest names.
fn ends(joined: &str) -> [String; 2] {
    let letters = joined.as_bytes();
    let piece = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    [piece(&letters[..letters.len().min(5)]), format!("..{}", piece(&letters[letters.len().saturating_sub(5)..]))]
}
