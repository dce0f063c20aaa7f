//! Grades how well a delivery is proven, from what is attached to a bundle. It can lower a grade and never changes a proof.
//!
//! The log proves what the operator *said* when; that a letter *came* is proven by others, or by nobody. So a grade is worked out
//! anew from the attachments of the kind `evidence`, never copied from a record, and each line ends by saying who proves it.
//! `docs/seal.md` 10 states the grades. What is attached may be anything: a part that fails costs its own grade.

mod attribution;
mod bounce;
mod dkim;
mod dns;
mod evidence;
mod letter;
mod mail;
pub mod receipt;
mod reply;
mod transcript;

use std::panic::{AssertUnwindSafe, catch_unwind};

use seal::record::Hash;
use sluis_verify::said::Text;
use sluis_verify::{Delivery, Story, Verdict};

pub use attribution::Attributed;

/// Most letters that are graded: a case with more is nobody's to read.
const LETTERS: usize = 4_096;

/// How well it is proven that a letter came, the best first. B (qualified delivery) and C (an answer by a credential that was logged
/// before) are kept free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grade {
    /// The recipient signed for it, with a key that whoever verifies binds to it.
    A,
    /// The recipient's mail server took it, or somebody answered it.
    D,
    /// It was handed to a mail server of which nothing shows that it is the recipient's.
    E,
    /// It came back.
    F,
}

impl Grade {
    /// Its letter.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Grade::A => "A",
            Grade::D => "D",
            Grade::E => "E",
            Grade::F => "F",
        }
    }
}

/// Who proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProvedBy {
    /// The recipient itself.
    Recipient,
    /// Somebody who is neither sender nor recipient.
    ThirdParty,
    /// What the sender wrote down: nobody else.
    OwnRecord,
}

impl ProvedBy {
    /// In words.
    #[must_use]
    pub fn text(self) -> Text {
        let (en, nl) = match self {
            ProvedBy::Recipient => ("recipient", "de ontvanger"),
            ProvedBy::ThirdParty => ("third party", "een derde"),
            ProvedBy::OwnRecord => ("sender's own record", "eigen administratie van de afzender"),
        };
        text(en, nl)
    }
}

/// What is known of the delivery of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graded {
    /// C of its record.
    pub record: Hash,
    /// The grade; `None` when nothing shows that it was even handed over.
    pub grade: Option<Grade>,
    /// Who proves it.
    pub proved_by: ProvedBy,
    /// What it rests on, in a sentence.
    pub line: Text,
    /// What was attached besides, and why it counts for no more.
    pub why: Vec<Text>,
}

/// The grades of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grading {
    /// Of each letter, in the order of the bundle.
    pub letters: Vec<Graded>,
    /// What it rests on that these letters went to the right party, for each record that says so.
    pub attributions: Vec<Attributed>,
}

/// Grades the letters of a bundle that was verified; `beside` are observations of the DNS that whoever verifies has by himself.
#[must_use]
pub fn grade(story: &Story, beside: &[Vec<u8>]) -> Grading {
    let places = story.told().enumerate().filter(|(_, (_, told))| told.letter).map(|(place, _)| place);
    let places: Vec<usize> = places.take(LETTERS).collect();
    let attached = safely(|| evidence::Attached::new(story, beside));
    let one = |place: &usize| {
        let record = story.records.get(*place)?.commitment;
        let graded = attached.as_ref().and_then(|attached| safely(|| letter::grade(story, attached, *place)));
        Some(graded.flatten().unwrap_or_else(|| Graded {
            record,
            grade: None,
            proved_by: ProvedBy::OwnRecord,
            line: text("what is attached could not be read", "wat is bijgevoegd, was niet te lezen"),
            why: Vec::new(),
        }))
    };
    Grading {
        letters: places.iter().filter_map(one).collect(),
        attributions: safely(|| attribution::all(story, &places)).unwrap_or_default(),
    }
}

/// Puts the grades into a verdict: as check 11, and with each letter. What the verdict comes to stays as it is.
pub fn into_verdict(verdict: &mut Verdict, beside: &[Vec<u8>]) {
    let Some(story) = &verdict.story else { return };
    let grading = grade(story, beside);
    let lines = grading.lines();
    let delivery = |graded: &Graded| {
        let grade = graded.grade.map_or("none", Grade::word);
        (graded.record, Delivery { grade, proved_by: graded.proved_by.text().en, text: graded.sentence() })
    };
    let deliveries: Vec<(Hash, Delivery)> = grading.letters.iter().map(delivery).collect();
    verdict.grade(lines);
    verdict.deliver(&deliveries);
}

impl Graded {
    /// The grade in a sentence that ends with who proves it.
    #[must_use]
    pub fn sentence(&self) -> Text {
        let by = self.proved_by.text();
        let (en, nl) = match self.grade {
            Some(grade) => (format!("grade {}", grade.word()), format!("graad {}", grade.word())),
            None => ("no grade".to_owned(), "geen graad".to_owned()),
        };
        text(format!("{en}: {}; proved by: {}", self.line.en, by.en), format!("{nl}: {}; bewezen door: {}", self.line.nl, by.nl))
    }
}

impl Grading {
    /// What check 11 says.
    #[must_use]
    pub fn lines(&self) -> Vec<Text> {
        if self.letters.is_empty() {
            return vec![text(
                "no letter is shown, so there is none to grade",
                "er wordt geen brief getoond, dus valt er geen te beoordelen",
            )];
        }
        let mut lines = Vec::new();
        for (number, letter) in (1_usize..).zip(&self.letters) {
            let sentence = letter.sentence();
            lines.push(text(format!("letter {number}: {}", sentence.en), format!("brief {number}: {}", sentence.nl)));
            lines.extend(letter.why.iter().map(|why| {
                text(format!("letter {number}, besides: {}", why.en), format!("brief {number}, daarnaast: {}", why.nl))
            }));
        }
        lines.extend(self.attributions.iter().map(|one| one.line.clone()));
        lines
    }
}

/// What a mail says of itself, for whoever attaches it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its identifier, without angle brackets.
    pub message_id: Option<String>,
    /// The one address that it is to.
    pub to: Option<String>,
}

/// What a mail says of itself; nothing when it is none.
#[must_use]
pub fn named(bytes: &[u8]) -> Named {
    let whole = mail::with_crlf(bytes);
    let Some(mail) = mail::Mail::parse(&whole) else { return Named::default() };
    let message_id = mail.text("message-id").map(|id| mail::bare(&id).to_owned()).filter(|id| !id.is_empty());
    Named { message_id, to: mail.text("to").and_then(|to| mail::address(&to)) }
}

/// Does it; a panic makes it `None`.
fn safely<T>(what: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(what)).ok()
}

/// A sentence in English and in Dutch.
fn text(en: impl Into<String>, nl: impl Into<String>) -> Text {
    Text { en: en.into(), nl: nl.into() }
}
