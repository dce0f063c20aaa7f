//! Alerts: what wakes the operator's people, and whom and when.
//!
//! They are raised in the transaction of what causes them ([`store::alerts`]), or by [`Desk::check_alarms`], which looks
//! at the state of the node. [`plan`] says who is told now, [`text`] what; sending is the program's.

pub mod hours;
pub mod order;
pub mod plan;
pub mod text;

use model::calendar::Calendar;
use model::policy::{Alarm, is_under};
use model::sender::{Proof, Sender};
use model::severity::Severity;
use model::submission::{PublicId, Submission};
use model::time::{DAY, HOUR, Time};
use store::Transaction;
use store::alerts::{Alert, Channel, Raise};
use store::feeds::Feed;
use store::orders::Outcome;

use crate::{Desk, Error, fetches};
use order::Wanted;
use plan::{Due, Known, Receiver};

/// How long a person has to look at what is perhaps an order (Regulation (EU) 2021/784 article 3(3) gives an hour).
const ORDER: i64 = HOUR;
/// Open cases whose clocks an order may shorten.
const CASES: u32 = 100_000;
/// Alerts that are looked through for new ones.
const NEWEST: u32 = 200;
/// After this nobody waits for a feed any more, in milliseconds.
const FORGOTTEN: i64 = 90 * DAY;
/// How long the log may be unable to sign before somebody is told, when it is not known to last, in milliseconds.
const UNSIGNED: i64 = 60_000;
/// Bytes of a person's reason.
const REASON: usize = 4 << 10;
/// Shown as its own source in alerts about the disk.
const DISK: &str = "disk";

/// What the caller knows of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    /// Bytes free on the disk of the data directory; `None` when it does not say.
    pub free: Option<u64>,
    /// Bytes that ought to be.
    pub least: u64,
}

/// A message that is to be sent, with what is to be kept when it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its alerts, the worst first.
    pub alerts: Vec<Alert>,
    /// Whether it is about P0.
    pub urgent: bool,
    /// Whether the receiver was told before.
    pub again: bool,
    /// Which of the receiver's messages it is, from 1: the same when it is tried once more.
    pub number: i64,
}

/// Something that is wrong and lasts, as long as it does.
struct State {
    key: String,
    severity: Severity,
    text: String,
}

impl Desk {
    /// Looks at what lasts: stale sources, quiet feeds and the disk. Raises what is new, and ends what is over. To be called each
    /// minute or so.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn check_alarms(&self, machine: &Machine) -> Result<(), Error> {
        let now = self.now();
        let (open, mut feeds, fetches) = self.store.reader()?.read(|transaction| {
            Ok::<_, store::Error>((transaction.open_alerts()?, transaction.feeds()?, transaction.fetches()?))
        })?;
        let stale: Vec<State> = self
            .stale_sources(now)?
            .into_iter()
            .map(|source| State {
                key: format!("source/{}", source.id),
                severity: Severity::P2,
                text: format!(
                    "Source '{}' was last imported at {}, longer ago than it may be: letters about its ranges wait. Import it again: sluis import.",
                    source.name, source.checked
                ),
            })
            .collect();
        let was_full = open.iter().any(|alert| alert.key == DISK);
        // Nobody waits for what is downloaded no more.
        feeds.retain(|feed| self.is_in_use(&feed.name));
        let state = |(key, text): (String, String)| State { key, severity: Severity::P2, text };
        let mut quiet = quiet(&feeds, now);
        quiet.extend(self.failing_fetches(&fetches, now).into_iter().map(state));
        let fallen = fetches::fallen(&feeds, now, FORGOTTEN).into_iter().map(state).collect();
        let mut states = vec![
            (Alarm::StaleSource, stale),
            (Alarm::QuietFeed, quiet),
            (Alarm::FallenFeed, fallen),
            (Alarm::Unsigned, self.unsigned(now)),
        ];
        states.push((Alarm::Witness, self.witnesses(now)?));
        if let Some(free) = machine.free {
            // What is over must be so by more than a hair, or each log line would begin and end it.
            let least = if was_full { machine.least.saturating_add(machine.least / 10) } else { machine.least };
            let text = format!(
                "{} MiB are free on the disk of the data directory, and {} are asked for: intake stops when it is full. Make room.",
                free >> 20,
                machine.least >> 20
            );
            let full = (free < least).then(|| State { key: DISK.to_owned(), severity: Severity::P1, text });
            states.push((Alarm::Disk, full.into_iter().collect()));
        }
        self.keep_states(&open, &states, now)
    }

    /// What is wrong with the log.
    fn unsigned(&self, now: Time) -> Vec<State> {
        let trouble = self.log_trouble().filter(|trouble| trouble.lasts || now.0.saturating_sub(trouble.since.0) > UNSIGNED);
        let text = |reason: &str| {
            format!(
                "The log cannot sign, so letters wait, but for the worst, which go unsealed. 'sluis log show' says more: {reason}"
            )
        };
        let state = |lasts: bool| State {
            key: "log".to_owned(),
            severity: Severity::P1,
            text: text(if lasts { "a person has to look." } else { "it is tried again." }),
        };
        trouble.map(|trouble| state(trouble.lasts)).into_iter().collect()
    }

    /// What is wrong with witnesses, and with logs of others.
    fn witnesses(&self, now: Time) -> Result<Vec<State>, Error> {
        let troubles = self.witness_troubles(now)?;
        Ok(troubles.into_iter().map(|(key, text)| State { key, severity: Severity::P2, text }).collect())
    }

    /// Raises and ends the alerts of states; writes nothing when nothing has changed.
    fn keep_states(&self, open: &[Alert], states: &[(Alarm, Vec<State>)], now: Time) -> Result<(), Error> {
        let is_open = |key: &str| open.iter().any(|alert| alert.key == key);
        let begun = states.iter().any(|(_, states)| states.iter().any(|state| !is_open(&state.key)));
        let still = |alert: &&Alert| {
            states.iter().any(|(kind, states)| *kind == alert.kind && !states.iter().any(|state| state.key == alert.key))
        };
        let about_cases = open.iter().any(|alert| alert.key.starts_with("case/"));
        if !begun && !open.iter().any(|alert| still(&alert)) && !about_cases {
            return Ok(());
        }
        Ok(self.store.write("alarms", |transaction| {
            for (kind, states) in states {
                for state in states.iter().filter(|state| !is_open(&state.key)) {
                    let raise = Raise { kind: *kind, key: &state.key, severity: state.severity, text: &state.text, due: None };
                    transaction.raise_alert(&raise, now)?;
                }
                let keys: Vec<String> = states.iter().map(|state| state.key.clone()).collect();
                transaction.end_alerts_but(*kind, &keys, now)?;
            }
            transaction.end_alerts_of_closed(now)?;
            Ok::<_, store::Error>(())
        })?)
    }

    /// The messages that a receiver is to get now; `receivers` are all there are.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn due_messages(&self, receiver: &Receiver, receivers: &[Receiver]) -> Result<Vec<Message>, Error> {
        let now = self.now();
        let (open, told, channels) = self.store.reader()?.read(|transaction| {
            let mut open = transaction.open_alerts()?;
            if let Some(restored) = transaction.condition()?.restored {
                // What was open when the backup was taken has been told, and may long be over: whoever restored it looks.
                open.retain(|alert| alert.raised >= restored.at);
            }
            if open.is_empty() {
                return Ok((open, Vec::new(), Vec::new()));
            }
            let told = transaction.told(&receiver.name)?;
            Ok::<_, store::Error>((open, told, transaction.channels()?))
        })?;
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let calendar = self.alert_calendar();
        let known = Known { open: &open, told: &told, channels: &channels, receivers, calendar: &calendar, now };
        let got = channels.iter().find(|channel| channel.name == receiver.name).map_or(0, |channel| channel.messages);
        let message = |(at, due): (usize, Due)| Message {
            alerts: due.alerts.iter().filter_map(|place| open.get(*place).cloned()).collect(),
            urgent: due.urgent,
            again: due.again,
            number: got + at as i64 + 1,
        };
        Ok(plan::due(receiver, &known).into_iter().enumerate().map(message).collect())
    }

    /// The newest alerts, newest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn newest_alerts(&self) -> Result<Vec<Alert>, Error> {
        Ok(self.store.reader()?.read(|transaction| transaction.alerts(NEWEST))?)
    }

    /// Keeps what became of a message: that it went out, or what the trouble was, in words that name nobody.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; the message is sent once more then.
    pub fn message_sent(&self, receiver: &str, message: &Message, trouble: Option<&str>) -> Result<(), Error> {
        let now = self.now();
        Ok(self.store.write("alert told", |transaction| {
            let channels = transaction.channels()?;
            let channel = channels.into_iter().find(|channel| channel.name == receiver);
            let channel = channel.unwrap_or_else(|| Channel { name: receiver.to_owned(), ..Channel::default() });
            match trouble {
                None => {
                    let alerts: Vec<i64> = message.alerts.iter().map(|alert| alert.id).collect();
                    transaction.set_told(receiver, &alerts, now)?;
                    transaction.set_channel(&plan::after_success(&channel, message.urgent, now))
                }
                Some(trouble) => transaction.set_channel(&plan::after_failure(&channel, trouble, now)),
            }
        })?)
    }

    /// Says that a person cares for an alert. What lasts stays open until it is over, and is silent.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Conflict`] when it is acknowledged or over already, [`Error::Unavailable`].
    pub fn acknowledge_alert(&self, alert: PublicId, by: &str) -> Result<(), Error> {
        let now = self.now();
        self.store.write("acknowledge", |transaction| {
            let found =
                transaction.alert_by_public(alert)?.ok_or_else(|| Error::NotFound(format!("there is no alert {alert}")))?;
            if transaction.acknowledge_alert(&found, by, now)? {
                return Ok(());
            }
            Err(Error::Conflict(match (found.acknowledged, found.ended) {
                (Some(at), _) => format!("alert {alert} was acknowledged by {} at {at}", found.person),
                (None, Some(at)) => format!("alert {alert} is over since {at}"),
                (None, None) => format!("alert {alert} changed meanwhile; try again"),
            }))
        })
    }

    /// Says what a submission that looked like an order is. When it is one, the clocks of the open cases that it has
    /// reports of become as short as it asks; clocks that are shorter already stay. How many became shorter.
    ///
    /// # Errors
    /// [`Error::Invalid`] without a reason, or when the term had ended before the order came; [`Error::NotFound`];
    /// [`Error::Unavailable`].
    pub fn decide_order(
        &self,
        submission: PublicId,
        is_order: bool,
        ends: Option<Ends>,
        by: &str,
        reason: &str,
    ) -> Result<u64, Error> {
        if reason.trim().is_empty() || reason.len() > REASON {
            return Err(Error::Invalid(format!("say why, in 1 to {REASON} bytes: --reason TEXT")));
        }
        let now = self.now();
        let calendar = self.alert_calendar();
        self.store.write("order", |transaction| {
            let found = transaction.submission_by_public(submission)?;
            let found = found.ok_or_else(|| Error::NotFound(format!("there is no submission {submission}")))?;
            // A term counts from when the order came, not from when somebody found the time to look at it.
            let ends = ends.filter(|_| is_order).map(|ends| match ends {
                Ends::At(at) => at,
                Ends::Within(term) => calendar.after(found.received, term),
            });
            if ends.is_some_and(|ends| ends <= found.received) {
                return Err(Error::Invalid(format!("the order came at {}: its term cannot have ended before", found.received)));
            }
            let outcome = if is_order { Outcome::Order } else { Outcome::NoOrder };
            transaction.decide_order(found.id, outcome, ends, by, reason.trim(), now)?;
            transaction.end_alert(&order_key(found.id), now)?;
            let Some(ends) = ends else { return Ok(0) };
            let cases = transaction.open_cases_of(found.id, CASES)?;
            for case in &cases {
                transaction.set_ordered(*case, ends, now)?;
            }
            Ok(cases.len() as u64)
        })
    }

    /// Whether the beginning of a submission looks like an order, and why; see [`order::looks_like_order`].
    pub(crate) fn looks_like_order(&self, beginning: &[u8], received: Time, sender: Option<&Sender>) -> Option<Suspicion> {
        let in_force = self.policy();
        let policy = &in_force.policy;
        let wanted = Wanted { authorities: &policy.authorities, words: &policy.order_words, history: policy.history };
        let mut why = order::looks_like_order(beginning, received, &wanted)?;
        let proof = sender.map_or(Proof::None, |sender| sender.proof);
        let proven = sender.and_then(|sender| policy.authorities.iter().find(|authority| is_under(&sender.domain, authority)));
        match (proof, proven) {
            (Proof::Dkim | Proof::Spf, Some(authority)) => {
                why = format!("it is from {authority}, which the policy names as an authority ({} proves it)", proof.word());
            }
            (Proof::Failed, _) => why.push_str("; the domain name in its From says that it is not from it"),
            _ => {}
        }
        Some(Suspicion { why, wakes: proof != Proof::Failed })
    }

    /// The clock and working days by which people are on call.
    pub fn alert_calendar(&self) -> Calendar {
        self.policy().policy.calendar.clone()
    }
}

/// Feeds that came regularly and do not. One that has been silent for a season is nobody's expectation any more.
fn quiet(feeds: &[Feed], now: Time) -> Vec<State> {
    // Of one that has fallen it is told that it has.
    let late = feeds.iter().filter(|feed| feed.is_late(now) && feed.last > now.plus(-FORGOTTEN) && feed.fallen.is_none());
    late.map(|feed| {
        let name = fetches::shown(&feed.name);
        State {
            key: format!("feed/{}", feed.id),
            severity: Severity::P2,
            text: format!(
                "Feed {} ({name}) came last at {}, and comes otherwise about every {} hours: what it would tell is not known. \
                 Ask who sends it, and look whether it comes in: sluis submission list.",
                feed.id,
                feed.last,
                feed.every.unwrap_or(0) / HOUR
            ),
        }
    })
    .collect()
}

/// When the term of an order ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// At this moment.
    At(Time),
    /// So long after it came.
    Within(model::calendar::Term),
}

fn order_key(submission: i64) -> String {
    format!("order/{submission}")
}

/// Why a submission is perhaps an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspicion {
    /// Why, in words of ours.
    pub why: String,
    /// Whether people are woken. Anyone can write the name of an authority: where that itself says that it did not, the mail
    /// waits for the day like any other, so that nobody can be kept awake by forgeries.
    pub wakes: bool,
}

/// Puts what is perhaps an order before a person, in the transaction that works it off.
pub(crate) fn put_order(
    transaction: &Transaction<'_>,
    submission: &Submission,
    Suspicion { why, wakes }: &Suspicion,
    now: Time,
) -> Result<(), store::Error> {
    let due = submission.received.plus(ORDER);
    if !transaction.found_order(submission.id, why, due, now)? || !wakes {
        return Ok(());
    }
    let id = submission.public;
    let text = format!(
        "Submission {id} is perhaps the order of an authority: {why}. A person looks at it before {due}: sluis submission show {id}. \
         Then: sluis submission order {id} --is order --term '24 hours' --reason TEXT, or --is not."
    );
    let key = order_key(submission.id);
    let raise = Raise { kind: Alarm::Order, key: &key, severity: Severity::P0, text: &text, due: Some(due) };
    transaction.raise_alert(&raise, now)?;
    Ok(())
}
