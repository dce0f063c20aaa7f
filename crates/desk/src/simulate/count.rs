//! What comes of many cases, added up by rule, and by hour for the brake.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::chain::PartyId;
use model::outbox::Purpose;
use model::policy::Brake;
use model::severity::Severity;
use model::time::{HOUR, MINUTE, Time};

/// Hours that the usual one is learnt from, as the desk's own brake does: four weeks.
const LEARNT: i64 = 28 * 24;

/// What a policy would have done with the cases of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The rule.
    pub rule: String,
    /// Its severity.
    pub severity: Option<Severity>,
    /// Cases.
    pub cases: u64,
    /// Letters to parties that would have gone; what was gathered into one counts once.
    pub letters: u64,
    /// Reminders, likewise.
    pub reminders: u64,
    /// Last warnings, likewise.
    pub warnings: u64,
    /// Letters, reminders and warnings that would only have been shown, or held.
    pub held: u64,
    /// Restrictions that would have been proposed.
    pub restrictions: u64,
    /// Cases that the rule would have closed.
    pub closed: u64,
    /// Half of the cases were told within so many minutes; `None` when nobody was.
    pub minutes_to_told: Option<u32>,
    /// Parties whose cases they are.
    pub parties: u64,
}

/// What a policy would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// By rule, in the order of the policy.
    pub rules: Vec<Sum>,
    /// The hour in which most went, and how much.
    pub worst_hour: Option<(Time, u64)>,
    /// Hours in which the brake would have gone on.
    pub brakes: u64,
}

#[derive(Default)]
struct Row {
    severity: Option<Severity>,
    cases: u64,
    restrictions: u64,
    closed: u64,
    minutes: Vec<u32>,
    parties: HashSet<PartyId>,
}

/// What makes two errands one letter.
type Letter = (PartyId, u8, u8, bool, i64);

#[derive(Default)]
pub(super) struct Counter {
    rows: Vec<Row>,
    letters: HashMap<Letter, u32>,
}

impl Counter {
    fn row(&mut self, row: usize) -> &mut Row {
        if self.rows.len() <= row {
            self.rows.resize_with(row + 1, Row::default);
        }
        &mut self.rows[row]
    }

    pub(super) fn case(&mut self, row: usize, severity: Severity, party: Option<PartyId>) {
        let row = self.row(row);
        row.severity = Some(severity);
        row.cases += 1;
        row.parties.extend(party);
    }

    pub(super) fn told(&mut self, row: usize, milliseconds: i64) {
        self.row(row).minutes.push(u32::try_from((milliseconds / MINUTE).max(0)).unwrap_or(u32::MAX));
    }

    pub(super) fn closed(&mut self, row: usize) {
        self.row(row).closed += 1;
    }

    pub(super) fn errand(&mut self, row: usize, purpose: Purpose, party: PartyId, ready: Time, goes: bool, severity: Severity) {
        if purpose == Purpose::Restriction {
            self.row(row).restrictions += 1;
            return;
        }
        let row = u32::try_from(row).unwrap_or(u32::MAX);
        let mine = self.letters.entry((party, purpose as u8, severity as u8, goes, ready.0)).or_insert(row);
        // Which of its cases a letter counts for must not depend on which thread was first.
        *mine = row.min(*mine);
    }

    pub(super) fn join(&mut self, other: Counter) {
        for (number, from) in other.rows.into_iter().enumerate() {
            let row = self.row(number);
            row.severity = row.severity.or(from.severity);
            row.cases += from.cases;
            row.restrictions += from.restrictions;
            row.closed += from.closed;
            row.minutes.extend(from.minutes);
            row.parties.extend(from.parties);
        }
        for (letter, row) in other.letters {
            let mine = self.letters.entry(letter).or_insert(row);
            *mine = row.min(*mine);
        }
    }

    pub(super) fn totals(mut self, names: &[String], brake: Option<Brake>) -> Totals {
        self.row(names.len().saturating_sub(1));
        let mut rules: Vec<Sum> = Vec::new();
        for (name, mut row) in names.iter().zip(self.rows) {
            row.minutes.sort_unstable();
            rules.push(Sum {
                rule: name.clone(),
                severity: row.severity,
                cases: row.cases,
                restrictions: row.restrictions,
                closed: row.closed,
                minutes_to_told: row.minutes.get(row.minutes.len() / 2).copied(),
                parties: row.parties.len() as u64,
                ..Sum::default()
            });
        }
        let mut hours: BTreeMap<i64, u64> = BTreeMap::new();
        for ((_, purpose, _, goes, ready), row) in self.letters {
            let Some(sum) = rules.get_mut(row as usize) else { continue };
            if !goes {
                sum.held += 1;
                continue;
            }
            *hours.entry(ready.div_euclid(HOUR)).or_default() += 1;
            match Purpose::ALL.get(usize::from(purpose)) {
                Some(Purpose::Reminder) => sum.reminders += 1,
                Some(Purpose::LastWarning) => sum.warnings += 1,
                _ => sum.letters += 1,
            }
        }
        let worst = hours.iter().map(|(hour, letters)| (*letters, std::cmp::Reverse(*hour))).max();
        let worst_hour = worst.map(|(letters, hour)| (Time(hour.0.saturating_mul(HOUR)), letters));
        Totals { rules, worst_hour, brakes: brake.map_or(0, |brake| brakes(&hours, &brake)) }
    }
}

/// Hours in which more would have gone than the brake allows.
fn brakes(hours: &BTreeMap<i64, u64>, brake: &Brake) -> u64 {
    let is_braked = |(hour, letters): (&i64, &u64)| {
        // Only a busy hour is worth comparing with its weeks before.
        if *letters <= u64::from(brake.letters) {
            return false;
        }
        let mut before: Vec<u64> = hours.range(hour - LEARNT..*hour).map(|(_, letters)| *letters).collect();
        before.sort_unstable();
        let usual = before.get(before.len() / 2).copied().unwrap_or(0);
        *letters > usual.saturating_mul(brake.factor.into()).max(brake.letters.into())
    };
    hours.iter().filter(|hour| is_braked(*hour)).count() as u64
}
