//! What a tally asks, whom, when, and under which rules: canonical bytes, the digest of which is its name and is bound into everything.

use super::{DOMAIN, FLOOR, LOWEST_FLOOR, Role, SHOWN, Wrong, noise};
use crate::{
    Digest,
    bytes::{Malformed, Reader, Writer},
    envelope::KeyId,
    sha256,
};

/// The version of the task's bytes.
pub const VERSION: u8 = 1;
/// The most answers of a question, and the most values that an exact total has.
pub const MOST_ANSWERS: usize = 32;
/// The most bytes of a text.
pub const MOST_TEXT: usize = 600;
/// The largest number that an exact total may take from one provider.
pub const MOST_EACH: u32 = 65_535;
/// The bounds of the standard question: 0, 1, 2, 3-5, 6-10, 11-25, 26-100, more.
pub const STANDARD: [u32; 8] = [0, 1, 2, 3, 6, 11, 26, 101];
/// The default epsilon of "providers affected", in thousandths: the noises of both aggregators together have a standard deviation of 3.96.
pub const EPSILON_AFFECTED: u32 = 500;
/// The default epsilon of other closed questions, in thousandths: the same noise on each answer, at twice the cost.
pub const EPSILON_CHOICES: u32 = 1_000;
/// What an epsilon may be, in thousandths.
pub const EPSILONS: std::ops::RangeInclusive<u32> = 50..=2_000;

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// In Dutch.
    pub nl: String,
    /// In English.
    pub en: String,
}

impl Words {
    /// In both.
    #[must_use]
    pub fn new(nl: &str, en: &str) -> Words {
        Words { nl: nl.to_owned(), en: en.to_owned() }
    }

    fn write(&self, w: &mut Writer) {
        w.text(&self.nl).text(&self.en);
    }

    fn read(r: &mut Reader<'_>) -> Result<Words, Malformed> {
        Ok(Words { nl: r.text(MOST_TEXT)?.to_owned(), en: r.text(MOST_TEXT)?.to_owned() })
    }

    fn is_good(&self) -> bool {
        [&self.nl, &self.en].into_iter().all(|text| !text.trim().is_empty() && text.len() <= MOST_TEXT)
    }
}

/// The closed answers of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answers {
    /// A number, told as the range it falls in: the lowest of each, beginning with 0. Only how many providers are outside the first range is
    /// ever released (T3).
    Count {
        /// The lowest number of each range.
        from: Vec<u32>,
    },
    /// One of these; how many chose each is released, with noise on each.
    Choices(Vec<Words>),
}

/// Exact sums beside the ranges, of which each provider of the cohort must have consented in writing (T4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    /// The largest number that one provider may report in one place.
    pub most: u32,
    /// What is summed; a provider's number for the question is their sum.
    pub of: Vec<Words>,
}

/// A party of a task, as it says itself to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// Its name, for people.
    pub name: String,
    /// Its legal entity: a register number, or a name that is the same for all that one organisation does.
    pub entity: String,
    /// Whether it is police or acts for it.
    pub police: bool,
    /// Its Ed25519 key.
    pub signing: KeyId,
    /// Its X25519 key, for HPKE.
    pub sealing: [u8; 32],
}

impl Party {
    /// Writes it.
    pub fn write(&self, w: &mut Writer) {
        w.text(&self.name).text(&self.entity).u8(u8::from(self.police)).raw(&self.signing).raw(&self.sealing);
    }

    /// Reads one.
    ///
    /// # Errors
    /// When the bytes are none.
    pub fn read(r: &mut Reader<'_>) -> Result<Party, Malformed> {
        let (name, entity) = (r.text(100)?.to_owned(), r.text(100)?.to_owned());
        let police = match r.u8()? {
            0 => false,
            1 => true,
            _ => return Err(r.wrong("0 or 1")),
        };
        Ok(Party { name, entity, police, signing: r.array()?, sealing: r.array()? })
    }
}

/// What is counted over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// For people: `2026-Q4`.
    pub name: String,
    /// From, in milliseconds since 1970 UTC.
    pub from: i64,
    /// Until and without, likewise.
    pub until: i64,
}

/// A tally's whole configuration. It is public and logged: it names the roles but no provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// A short name of what is measured (`[a-z0-9-]`): of one measure and period a provider is counted once for ever.
    pub measure: String,
    /// The question.
    pub question: Words,
    /// Its answers.
    pub answers: Answers,
    /// Exact sums, where all consent.
    pub exact: Option<Exact>,
    /// The period.
    pub period: Period,
    /// How many such periods a year has, to add up the epsilons of a year.
    pub a_year: u8,
    /// The salted digest of the cohort, which itself is shown to its members alone (T5).
    pub cohort: Digest,
    /// How large the cohort is: see [`super::cohort::SIZES`].
    pub size: u8,
    /// Fewest independent providers, [`LOWEST_FLOOR`] or more; less than [`FLOOR`] is printed with the total.
    pub floor: u16,
    /// Epsilon of the released number, for each period, in thousandths.
    pub epsilon: u32,
    /// The digest of the key of verification and its salt: fixed before the first contribution.
    pub verify: Digest,
    /// Whose task it is.
    pub author: KeyId,
    /// The first aggregator.
    pub leader: Party,
    /// The second.
    pub helper: Party,
    /// Who gets the total.
    pub collector: Party,
    /// From when contributions are taken in, in milliseconds since 1970 UTC.
    pub opens: i64,
    /// Until when.
    pub closes: i64,
    /// Until when anything may still be done with it.
    pub ends: i64,
}

impl Task {
    /// Its canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(DOMAIN).raw(b"/task\0").u8(VERSION).text(&self.measure);
        self.question.write(&mut w);
        match &self.answers {
            Answers::Count { from } => w.u8(1).list(from, |w, n| {
                w.u32(*n);
            }),
            Answers::Choices(choices) => w.u8(2).list(choices, |w, words| words.write(w)),
        };
        match &self.exact {
            None => w.u8(0),
            Some(exact) => w.u8(1).u32(exact.most).list(&exact.of, |w, words| words.write(w)),
        };
        w.text(&self.period.name).time(self.period.from).time(self.period.until).u8(self.a_year);
        w.raw(&self.cohort).u8(self.size).u16(self.floor).u32(self.epsilon).raw(&self.verify).raw(&self.author);
        for party in [&self.leader, &self.helper, &self.collector] {
            party.write(&mut w);
        }
        w.time(self.opens).time(self.closes).time(self.ends);
        w.done()
    }

    /// From its canonical bytes, checked.
    ///
    /// # Errors
    /// When the bytes are no task, or one that must not be.
    pub fn decode(bytes: &[u8]) -> Result<Task, Wrong> {
        let mut r = Reader::new(bytes);
        let task = Task::read(&mut r)?;
        r.end()?;
        task.check()?;
        Ok(task)
    }

    fn read(r: &mut Reader<'_>) -> Result<Task, Malformed> {
        let start = r.clone();
        if r.raw(DOMAIN.len())? != DOMAIN || r.raw(6)? != b"/task\0" {
            return Err(start.wrong("a task of a tally"));
        }
        if r.u8()? != VERSION {
            return Err(r.wrong("version 1 of a task: this program may be too old"));
        }
        let measure = r.text(40)?.to_owned();
        let question = Words::read(r)?;
        let answers = match r.u8()? {
            1 => Answers::Count { from: r.list(MOST_ANSWERS, Reader::u32)? },
            2 => Answers::Choices(r.list(MOST_ANSWERS, Words::read)?),
            _ => return Err(r.wrong("ranges or choices")),
        };
        let exact = match r.u8()? {
            0 => None,
            1 => Some(Exact { most: r.u32()?, of: r.list(MOST_ANSWERS, Words::read)? }),
            _ => return Err(r.wrong("0 or 1")),
        };
        Ok(Task {
            measure,
            question,
            answers,
            exact,
            period: Period { name: r.text(40)?.to_owned(), from: r.time()?, until: r.time()? },
            a_year: r.u8()?,
            cohort: r.array()?,
            size: r.u8()?,
            floor: r.u16()?,
            epsilon: r.u32()?,
            verify: r.array()?,
            author: r.array()?,
            leader: Party::read(r)?,
            helper: Party::read(r)?,
            collector: Party::read(r)?,
            opens: r.time()?,
            closes: r.time()?,
            ends: r.time()?,
        })
    }

    /// That it may be: each rule that keeps a provider from being exposed by how the task is made.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn check(&self) -> Result<(), Wrong> {
        let rule = |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(Wrong::Task(what)) };
        let letters = |text: &str| text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        rule(
            (1..=40).contains(&self.measure.len()) && letters(&self.measure),
            "its measure is a name of a-z, 0-9 and hyphens, at most 40",
        )?;
        rule(self.question.is_good(), "its question must be there in Dutch and in English, at most 600 bytes each")?;
        match &self.answers {
            Answers::Count { from } => {
                rule(
                    (2..=MOST_ANSWERS).contains(&from.len()) && from.first() == Some(&0),
                    "ranges are 2 to 32 and begin with 0",
                )?;
                rule(from.is_sorted_by(|a, b| a < b), "ranges must rise")?;
            }
            Answers::Choices(choices) => {
                rule((2..=MOST_ANSWERS).contains(&choices.len()), "there must be 2 to 32 choices")?;
                rule(choices.iter().all(Words::is_good), "each choice must be there in Dutch and in English")?;
                rule(self.exact.is_none(), "exact sums belong to a question for a number")?;
            }
        }
        if let Some(exact) = &self.exact {
            rule((1..=MOST_EACH).contains(&exact.most), "an exact total takes from 1 to 65,535 of each")?;
            rule(
                (1..=16).contains(&exact.of.len()) && exact.of.iter().all(Words::is_good),
                "an exact total has 1 to 16 named sums",
            )?;
            rule(self.floor >= FLOOR, "exact sums need 20 independent providers or more")?;
        }
        rule(!self.period.name.trim().is_empty() && self.period.name.len() <= 40, "its period needs a name")?;
        rule(self.period.from < self.period.until, "its period must end after it begins")?;
        rule((1..=12).contains(&self.a_year), "a year has 1 to 12 periods: more would use up the privacy of a year")?;
        rule(self.floor >= LOWEST_FLOOR, "fewer than ten independent providers would be exposed by any total")?;
        rule(
            super::cohort::SIZES.get(usize::from(self.size)).is_some_and(|size| size.1 >= u32::from(self.floor)),
            "its cohort is smaller than its floor",
        )?;
        rule(EPSILONS.contains(&self.epsilon), "epsilon is from 0.05 to 2 for a period")?;
        rule(self.opens < self.closes, "contributions must be taken in before they close")?;
        let shown = self.closes.checked_add(SHOWN).ok_or(Wrong::Task("its times are out of range"))?;
        rule(
            shown < self.ends,
            "between closing and the end there must be more than the seven days in which the accepted set is shown",
        )?;
        self.check_roles()
    }

    /// That the roles are apart: no one organisation may hold two shares of anything.
    fn check_roles(&self) -> Result<(), Wrong> {
        let rule = |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(Wrong::Task(what)) };
        let (leader, helper, collector) = (&self.leader, &self.helper, &self.collector);
        for party in [leader, helper, collector] {
            rule(!party.name.trim().is_empty() && party.name.len() <= 100, "each role has a name")?;
            rule(!party.entity.trim().is_empty() && party.entity.len() <= 100, "each role names its legal entity")?;
        }
        let same = |a: &Party, b: &Party| {
            let entity = |party: &Party| party.entity.split_whitespace().collect::<String>().to_lowercase();
            entity(a) == entity(b)
        };
        rule(!same(leader, helper), "leader and helper are one legal entity: together they could read every answer")?;
        rule(!same(helper, collector), "helper and collector are one legal entity: they must not be both")?;
        rule(!(leader.police && helper.police), "leader and helper are both police")?;
        rule(!collector.police, "the collector is police: the police do not collect")?;
        let keys = [leader.signing, helper.signing, collector.signing, leader.sealing, helper.sealing, collector.sealing];
        let twice = keys.iter().enumerate().any(|(i, key)| keys.iter().skip(i + 1).any(|other| other == key));
        rule(!twice, "two roles have one key")
    }

    /// Its name: the digest of its bytes.
    #[must_use]
    pub fn id(&self) -> Digest {
        sha256(&[&self.encode()])
    }

    /// The party of a role.
    #[must_use]
    pub fn party(&self, role: Role) -> &Party {
        match role {
            Role::Leader => &self.leader,
            Role::Helper => &self.helper,
            Role::Collector => &self.collector,
        }
    }

    /// The two aggregators' keys, which must both have signed the task.
    #[must_use]
    pub fn aggregators(&self) -> [KeyId; 2] {
        [self.leader.signing, self.helper.signing]
    }

    /// How many answers there are.
    #[must_use]
    pub fn answers(&self) -> usize {
        match &self.answers {
            Answers::Count { from } => from.len(),
            Answers::Choices(choices) => choices.len(),
        }
    }

    /// How many numbers are released with noise: one for a question for a number, each for choices.
    #[must_use]
    pub fn released(&self) -> usize {
        match &self.answers {
            Answers::Count { .. } => 1,
            Answers::Choices(choices) => choices.len(),
        }
    }

    /// By how much one provider's other answer can change what is released (L1, substitution: who takes part is known, T3). A provider is
    /// affected or not: 1. It leaves one choice and enters another: 2.
    #[must_use]
    pub fn sensitivity(&self) -> u32 {
        match &self.answers {
            Answers::Count { .. } => 1,
            Answers::Choices(_) => 2,
        }
    }

    /// The noise that each aggregator adds to each released number.
    #[must_use]
    pub fn noise(&self) -> noise::Laplace {
        noise::Laplace::new(self.sensitivity(), self.epsilon)
    }

    /// The standard deviation of a released number: of both aggregators' noise together.
    #[must_use]
    pub fn deviation(&self) -> f64 {
        (2.0 * self.noise().variance()).sqrt()
    }

    /// Epsilon of a period.
    #[must_use]
    pub fn epsilon(&self) -> f64 {
        f64::from(self.epsilon) / 1000.0
    }

    /// Epsilon of a year of such periods, by simple composition.
    #[must_use]
    pub fn epsilon_a_year(&self) -> f64 {
        self.epsilon() * f64::from(self.a_year)
    }
}
