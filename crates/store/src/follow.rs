//! What follows from a batch beside its rows: letters into the outbox, receipts, alerts, and what a person has to look at.

use model::outbox::{Errand, Hold, Purpose};
use model::policy::{Alarm, Brake};
use model::severity::Severity;
use model::step::What;
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::alerts::Raise;
use crate::apply::{Group, Placed};
use crate::cases::step;
use crate::db::Transaction;
use crate::outbox::{Valve, Wanted};
use crate::touch::{DEEPEST, DIRECT, How, Touched};

/// Cases that one receipt names of one batch: a feed of a hundred thousand rows is one thing that arrived.
const NAMED: u32 = 100;
/// Alerts about single cases that one batch raises; the cases beyond are one alert.
const ALERTS: u64 = 100;

impl Transaction<'_> {
    /// Writes what follows from the groups of a batch, each of which was touched as `touched` says.
    pub(crate) fn follow(&self, placed: &Placed, touched: &[Touched], now: Time) -> Result<(), Error> {
        // Whether the brake goes on depends on what others put into the outbox.
        self.alone()?;
        let mut wanted = Vec::new();
        let mut named = vec![0; placed.receipts.len()];
        let mut alerts = 0;
        let mut many = Vec::new();
        for (group, touched) in placed.groups.iter().zip(touched) {
            if let Some(at) = (group.receipt as usize).checked_sub(1)
                && let (Some(receipt), Some(named)) = (placed.receipts.get(at), named.get_mut(at))
                && *named < NAMED
            {
                *named += 1;
                let (errand, subject) = (receipt.errand, receipt.contact.clone());
                wanted.push(Wanted { case: touched.case, errand, severity: Severity::P4, subject });
            }
            if touched.how != How::Opened {
                continue;
            }
            let Some(opening) = placed.openings.get(group.opening as usize) else { continue };
            if let Some(other) = group.other {
                self.hold_for_person(touched.case, group, other, placed, now)?;
            }
            let Some(decided) = &opening.decided else { continue };
            let severity = decided.progress.severity;
            let errands = decided.errands.iter().filter_map(|errand| addressed(errand, group, placed));
            wanted.extend(errands.map(|errand| Wanted { case: touched.case, errand, severity, subject: String::new() }));
            for alarm in &decided.alarms {
                let sure = opening.marks & crate::cases::marks::AUTHENTICATED != 0 && alerts < ALERTS;
                if sure {
                    alerts += 1;
                    self.alarm(*alarm, (touched.case, touched.public), severity, now)?;
                } else {
                    many.push((*alarm, severity));
                }
            }
        }
        self.alarm_of_many(&mut many, now)?;
        self.send(&mut wanted, &placed.terms.brake, now)
    }

    /// Puts errands into the outbox, and wakes a person when that puts the brake on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn send(&self, wanted: &mut [Wanted], brake: &Brake, now: Time) -> Result<(), Error> {
        match self.add_errands(wanted, brake, now)? {
            Some(valve) => self.raise_brake(&valve, now),
            None => Ok(()),
        }
    }

    /// Wakes a person: the brake has gone on.
    pub(crate) fn raise_brake(&self, valve: &Valve, now: Time) -> Result<(), Error> {
        let Valve { letters, restrictions, usual, .. } = valve;
        let text = format!(
            "The outbox stands still: {letters} letters and {restrictions} restrictions this hour, where {usual} letters are usual. \
             Further ones are held until a person has looked: sluis outbox list --hold brake; sluis outbox brake --help"
        );
        let raise = Raise { kind: Alarm::Brake, key: "brake", severity: Severity::P1, text: &text, due: None };
        self.raise_alert(&raise, now)?;
        Ok(())
    }

    /// Wakes a person about one case.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn alarm(&self, alarm: Alarm, (case, public): (i64, PublicId), severity: Severity, now: Time) -> Result<(), Error> {
        let key = format!("case/{case}/{}", alarm.word());
        let what = match alarm {
            Alarm::Urgent => format!("A case of {severity} was opened"),
            Alarm::Overdue => format!("A case of {severity} was not mended in time"),
            Alarm::Dispute => "A dispute was not decided in time".to_owned(),
            other => other.word().to_owned(),
        };
        let text = format!("{what}: {public}. See it: sluis case show {public}");
        self.raise_alert(&Raise { kind: alarm, key: &key, severity, text: &text, due: None }, now)?;
        Ok(())
    }

    /// Wakes a person once about cases of which anybody may have written, however many there are.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn alarm_of_many(&self, alarms: &mut [(Alarm, Severity)], now: Time) -> Result<(), Error> {
        alarms.sort_unstable();
        for same in alarms.chunk_by(|a, b| a == b) {
            let Some(&(alarm, severity)) = same.first() else { continue };
            let key = format!("many/{}/{severity}", alarm.word());
            let text = format!(
                "Cases of {severity} ({}; {} at first), by senders who did not prove who they are, or too many to name. \
                 See them: sluis case list --open",
                alarm.word(),
                same.len()
            );
            self.raise_alert(&Raise { kind: alarm, key: &key, severity, text: &text, due: None }, now)?;
        }
        Ok(())
    }

    /// Puts a case before a person whose reports are of the minutes of a change of holder: whose they were, a clock that
    /// is a little wrong decides (security.md Y1).
    fn hold_for_person(&self, case: i64, group: &Group, other: i64, placed: &Placed, now: Time) -> Result<(), Error> {
        let first = placed.order.get(group.reports.start).copied().unwrap_or(0);
        let holder = placed.chains.holder(first as usize).unwrap_or(0);
        let reports = group.reports.len() as i64;
        self.execute(
            "-- follow::near_change
             INSERT INTO holder_changes (case_id, found, old_party, new_party, reports, of_all, outcome, person, reason)
             VALUES ($1, $2, $3, $4, $5, $5, 0, '', $6) ON CONFLICT (case_id, found) DO NOTHING",
            (case, now.0, holder, other, reports, NEAR),
        )?;
        self.add_step(case, &step(What::HolderChanged, now, NEAR.to_owned()))
    }
}

/// Why a person looks at a case.
const NEAR: &str = "reported within 15 minutes of a change of holder: a person says whose it was";

/// An errand of many cases as it is for one; `None` when there is nobody for it.
fn addressed(errand: &Errand, group: &Group, placed: &Placed) -> Option<Errand> {
    let party = match errand.party {
        DIRECT => group.direct,
        DEEPEST => {
            let first = placed.order.get(group.reports.start)?;
            placed.chains.holder(*first as usize)?
        }
        party => party,
    };
    (party > 0).then_some(Errand { party, ..*errand })
}

/// Whether a receipt may be held at all: one to somebody who proved to be the sender goes.
pub fn receipt(ready: Time, hold: Hold) -> Errand {
    Errand { purpose: Purpose::Receipt, party: 0, ready, hold }
}
