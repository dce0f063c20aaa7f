//! What the association does: it gathers the public keys of the roles, describes the tally, and signs the task and its cohort.

use matching::{
    envelope::{EVERYBODY, Envelope, Header, KeyId, Kind},
    tally::{
        Answers, Cohort, Exact, Member, Party, Period, SHOWN, Task, Words,
        task::{EPSILON_AFFECTED, EPSILON_CHOICES, STANDARD},
    },
};
use rand_core::CryptoRng;

use super::{Error, Home, home::Held, rule};
use crate::{
    chance,
    keys::{self, Public},
};

/// One of the roles, as the association knows it.
#[derive(Debug, Clone)]
pub struct Named {
    /// Its public file.
    pub public: Public,
    /// Its legal entity: a register number, or its name.
    pub entity: String,
    /// Whether it is police or acts for it.
    pub police: bool,
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Question {
    /// How many of the provider's customers are on the list: the standard question, with or without exact sums of the decisions.
    Matches {
        /// Whether exact sums are asked, which needs the consent of the whole cohort.
        exact: bool,
    },
    /// Another closed one.
    Choices {
        /// A name of what is measured.
        measure: String,
        /// The question.
        question: Words,
        /// What may be answered.
        choices: Vec<Words>,
    },
}

/// A tally as the association describes it. Times are in milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What is asked.
    pub question: Question,
    /// Over which period.
    pub period: Period,
    /// How many such periods a year has.
    pub a_year: u8,
    /// From when contributions are taken in.
    pub opens: i64,
    /// Until when.
    pub closes: i64,
    /// Until when the total may be made; seven days and more after `closes`.
    pub ends: i64,
    /// Fewest independent providers.
    pub floor: u16,
    /// Epsilon in thousandths, or the default of the question.
    pub epsilon: Option<u32>,
    /// The first aggregator.
    pub leader: Named,
    /// The second.
    pub helper: Named,
    /// Who collects.
    pub collector: Named,
    /// The commitment that the leader printed with its key of verification.
    pub verify: [u8; 32],
    /// Who is asked.
    pub members: Vec<Member>,
}

/// What is summed exactly, where it is: what a provider did with each customer that it found on the list, in the order of
/// [`crate::provider::decide::count`].
#[must_use]
pub fn decisions() -> Vec<Words> {
    vec![
        Words::new("beëindigd", "terminated"),
        Words::new("in quarantaine", "quarantined"),
        Words::new("bekeken en behouden", "reviewed and kept"),
        Words::new("nog open", "pending"),
        Words::new("betwist", "contested"),
        Words::new("nog niet beslist", "not decided yet"),
    ]
}

/// The largest number that one provider can put in an exact sum.
pub const MOST_DECISIONS: u32 = 1_023;

impl Plan {
    /// The task and its cohort.
    fn task(&self, author: KeyId, salt: [u8; 32]) -> Result<(Task, Cohort), Error> {
        let cohort = Cohort::new(salt, self.members.clone())?;
        let (measure, question, answers, exact, epsilon) = match &self.question {
            Question::Matches { exact } => {
                let question = Words::new(
                    "Van hoeveel klanten hebt u in deze periode gevonden dat zij op de lijst staan?",
                    "How many customers did you find on the list in this period?",
                );
                let exact = exact.then(|| Exact { most: MOST_DECISIONS, of: decisions() });
                ("watchlist-matches".to_owned(), question, Answers::Count { from: STANDARD.to_vec() }, exact, EPSILON_AFFECTED)
            }
            Question::Choices { measure, question, choices } => {
                (measure.clone(), question.clone(), Answers::Choices(choices.clone()), None, EPSILON_CHOICES)
            }
        };
        let task = Task {
            measure,
            question,
            answers,
            exact,
            period: self.period.clone(),
            a_year: self.a_year,
            cohort: cohort.root(),
            size: cohort.size()?,
            floor: self.floor,
            epsilon: self.epsilon.unwrap_or(epsilon),
            verify: self.verify,
            author,
            leader: party(&self.leader, keys::Role::Leader)?,
            helper: party(&self.helper, keys::Role::Helper)?,
            collector: party(&self.collector, keys::Role::Collector)?,
            opens: self.opens,
            closes: self.closes,
            ends: self.ends,
        };
        task.check()?;
        cohort.least(task.floor)?;
        Ok((task, cohort))
    }
}

fn party(named: &Named, role: keys::Role) -> Result<Party, Error> {
    let Public { role: found, name, key, address } = &named.public;
    if *found != role {
        return rule(format!("the key given for the {role} is a {found}'s; ask them for the right public file"));
    }
    let mut name = name.clone();
    while name.len() > 100 {
        name.pop();
    }
    Ok(Party { name, entity: named.entity.trim().to_owned(), police: named.police, signing: *key, sealing: *address })
}

/// Makes a task: its file goes to the leader, the helper and the collector for their signatures, and then to all providers.
///
/// # Errors
/// When the description breaks a rule (fewer than ten independent providers, one organisation in two roles, police that collect, ...).
pub fn make(home: &Home, plan: &Plan, now: i64, rng: &mut impl CryptoRng) -> Result<Held, Error> {
    if home.identity.public.role != keys::Role::Association {
        return rule("the association makes the task; this directory is another role's");
    }
    if plan.ends.saturating_sub(plan.closes) <= SHOWN || plan.closes <= now {
        return rule("the task must close later than now, and end more than seven days after that");
    }
    let (task, cohort) = plan.task(home.key(), chance::draw(rng))?;
    let id = task.id();
    let sign = |kind: Kind, body: Vec<u8>| {
        let mut header = Header::new(kind, home.key(), EVERYBODY, now, task.ends);
        header.under = id;
        Envelope::signed(header, body, &home.identity.signing)
    };
    let file = [sign(Kind::Task, task.encode()).encode(), sign(Kind::Cohort, cohort.encode()).encode()].concat();
    home.join(&file, &home.key(), now)
}
