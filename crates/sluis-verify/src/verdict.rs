//! The verdict: for each check what was found, and the exit status that follows.

use seal::record::Hash;

use crate::said::{Text, both};
use crate::story::{Delivery, Story};

/// How a check ended, or a line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Only said; it changes nothing.
    Said,
    /// It holds.
    Ok,
    /// Something that a proof needs is not there.
    Incomplete,
    /// Something is there that cannot be true.
    Invalid,
    /// The file cannot be read.
    Unreadable,
}

impl Outcome {
    /// Its word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Said => "said",
            Outcome::Ok => "ok",
            Outcome::Incomplete => "incomplete",
            Outcome::Invalid => "invalid",
            Outcome::Unreadable => "unreadable",
        }
    }
}

/// One sentence of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it means for the check.
    pub outcome: Outcome,
    /// The sentence.
    pub text: Text,
}

/// One check of `docs/seal.md` 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its number, from 1.
    pub number: u8,
    /// What was found.
    pub lines: Vec<Line>,
    /// How many further lines were left out; the worst outcome among them.
    more: Option<(usize, Outcome)>,
}

/// Most lines of a check, so that a bundle of ten thousand faults is still read.
const MOST_LINES: usize = 64;

/// What each check is about.
pub const TITLES: [(&str, &str); 13] = [
    ("the file is whole", "het bestand is heel"),
    ("what is shown is what was sealed", "wat getoond wordt, is wat verzegeld werd"),
    ("records have the form of their kind", "de regels hebben de vorm van hun soort"),
    ("the records are in the log", "de regels staan in het logboek"),
    ("there is one log", "er is één logboek"),
    ("the log is signed", "het logboek is ondertekend"),
    ("witnesses saw it", "getuigen zagen het"),
    ("authorities stamped the time", "tijdstempels van derden"),
    ("the clock of the sender", "de klok van de afzender"),
    ("no record is left out", "er is geen regel weggelaten"),
    ("delivery", "aflevering"),
    ("what was erased", "wat gewist is"),
    ("what is NOT proven", "wat NIET bewezen is"),
];

impl Check {
    pub(crate) fn new(number: u8) -> Check {
        Check { number, lines: Vec::new(), more: None }
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> Text {
        let (en, nl) = TITLES.get(usize::from(self.number).wrapping_sub(1)).copied().unwrap_or_default();
        both(en, nl)
    }

    /// How it ended: as the worst of its lines.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let lines = self.lines.iter().map(|line| line.outcome);
        lines.chain(self.more.map(|(_, outcome)| outcome)).max().unwrap_or(Outcome::Said)
    }

    pub(crate) fn add(&mut self, outcome: Outcome, text: Text) {
        if self.lines.len() < MOST_LINES {
            self.lines.push(Line { outcome, text });
        } else {
            let (count, worst) = self.more.unwrap_or((0, Outcome::Said));
            self.more = Some((count + 1, worst.max(outcome)));
        }
    }

    pub(crate) fn ok(&mut self, en: impl Into<String>, nl: impl Into<String>) {
        self.add(Outcome::Ok, both(en, nl));
    }

    pub(crate) fn say(&mut self, en: impl Into<String>, nl: impl Into<String>) {
        self.add(Outcome::Said, both(en, nl));
    }

    pub(crate) fn lacks(&mut self, en: impl Into<String>, nl: impl Into<String>) {
        self.add(Outcome::Incomplete, both(en, nl));
    }

    pub(crate) fn wrong(&mut self, en: impl Into<String>, nl: impl Into<String>) {
        self.add(Outcome::Invalid, both(en, nl));
    }

    /// Says what holds if nothing was found wrong or lacking.
    pub(crate) fn unless_worse(mut self, en: impl Into<String>, nl: impl Into<String>) -> Check {
        if self.outcome() <= Outcome::Ok {
            self.lines.insert(0, Line { outcome: Outcome::Ok, text: both(en, nl) });
        }
        self
    }

    /// How many lines were left out.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.more.map_or(0, |(count, _)| count)
    }
}

/// What was found, in all.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// What the bundle tells. Nothing when it is invalid or cannot be read: then nothing in it may be relied upon.
    pub story: Option<Story>,
}

impl Verdict {
    /// The worst of the checks.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.checks.iter().map(Check::outcome).max().unwrap_or(Outcome::Unreadable)
    }

    /// 0 proven, 1 invalid, 2 incomplete, 3 unreadable. (4 is for a wrong call of the program.)
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.outcome() {
            Outcome::Ok | Outcome::Said => 0,
            Outcome::Invalid => 1,
            Outcome::Incomplete => 2,
            Outcome::Unreadable => 3,
        }
    }

    /// The word for it: `proven`, `invalid`, `incomplete` or `unreadable`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.exit_code() {
            0 => "proven",
            code => [Outcome::Invalid, Outcome::Incomplete, Outcome::Unreadable][usize::from(code - 1).min(2)].word(),
        }
    }

    /// Puts in the place of check 11 how deliveries are graded. Grades are only said: they cannot change the outcome.
    pub fn grade(&mut self, lines: impl IntoIterator<Item = Text>) {
        if let Some(check) = self.checks.iter_mut().find(|check| check.number == 11) {
            *check = Check::new(11);
            lines.into_iter().for_each(|text| check.add(Outcome::Said, text));
        }
    }

    /// Says of letters, by C of their records, how well their delivery is proven. Only said too.
    pub fn deliver(&mut self, deliveries: &[(Hash, Delivery)]) {
        for told in self.story.iter_mut().flat_map(|story| &mut story.records).filter(|told| told.letter) {
            let found = deliveries.iter().find(|(record, _)| *record == told.commitment);
            told.delivery = found.map(|(_, delivery)| delivery.clone());
        }
    }
}
