//! Who is told of which alert now: a pure function of what is open, who was told, how the channels do, and the time.

use model::calendar::Calendar;
use model::policy::Alarm;
use model::severity::Severity;
use model::time::{HOUR, MINUTE, Time};
use store::alerts::{Alert, Channel, Told};

use super::hours::Hours;

/// New alerts that are told one by one; more at once are one message.
const SINGLE: usize = 3;
/// How long a channel rests after its first failure; then twice as long, and so on.
const REST: i64 = MINUTE;
/// How long at most.
const LONGEST_REST: i64 = 15 * MINUTE;

/// Someone who is told of alerts, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name in the configuration.
    pub name: String,
    /// When it is on call. P0 is told at any hour.
    pub hours: Hours,
    /// The severities that it is told of.
    pub severities: Vec<Severity>,
    /// The kinds that it is told of.
    pub kinds: Vec<Alarm>,
    /// How long an alert must have been without anybody who acknowledged it, in milliseconds: 0 for who is told first.
    pub after: i64,
    /// How long until it is told again, in milliseconds; twice as long each time, except for P0.
    pub repeat: i64,
    /// How long at most.
    pub repeat_most: i64,
    /// Messages an hour at most, and as many more about P0.
    pub per_hour: i64,
}

impl Receiver {
    /// Whether an alert is this receiver's affair, at whatever hour.
    fn takes(&self, alert: &Alert) -> bool {
        self.severities.contains(&alert.severity) && self.kinds.contains(&alert.kind)
    }

    /// How long after the `times`th telling the next one is due.
    fn interval(&self, severity: Severity, times: i64) -> i64 {
        if severity == Severity::P0 {
            return self.repeat;
        }
        let doubled = self.repeat.saturating_mul(1 << (times - 1).clamp(0, 20));
        doubled.min(self.repeat_most.max(self.repeat))
    }
}

/// What is known when it is asked who is told.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Alerts that are not over, the worst first.
    pub open: &'a [Alert],
    /// What this receiver was told of them.
    pub told: &'a [Told],
    /// How it goes with all receivers.
    pub channels: &'a [Channel],
    /// All receivers.
    pub receivers: &'a [Receiver],
    /// The operator's clock and working days.
    pub calendar: &'a Calendar,
    /// Now.
    pub now: Time,
}

/// A message that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Places of its alerts in [`Known::open`].
    pub alerts: Vec<usize>,
    /// Whether it is about P0.
    pub urgent: bool,
    /// Whether the receiver was told before.
    pub again: bool,
}

/// The messages that a receiver is to get now, the worst first.
pub fn due(receiver: &Receiver, known: &Known<'_>) -> Vec<Due> {
    let channel = known.channels.iter().find(|channel| channel.name == receiver.name);
    // A rest that ends later than any can is of a clock that was set back since.
    if channel.and_then(|channel| channel.next_try).is_some_and(|next| next > known.now && next <= known.now.plus(LONGEST_REST)) {
        return Vec::new();
    }
    let on_call = receiver.hours.hold(known.calendar, known.now);
    let mut messages = Vec::new();
    for urgent in [true, false] {
        let sent = channel
            .filter(|channel| channel.hour == hour(known.now))
            .map_or(0, |channel| if urgent { channel.urgent } else { channel.sent });
        let mut left = receiver.per_hour.saturating_sub(sent);
        let (mut new, mut again, mut soon) = (Vec::new(), Vec::new(), Vec::new());
        for (place, alert) in known.open.iter().enumerate() {
            if (alert.severity == Severity::P0) != urgent
                || alert.acknowledged.is_some()
                || !receiver.takes(alert)
                || !(urgent || on_call)
            {
                continue;
            }
            match known.told.binary_search_by_key(&alert.id, |told| told.alert).ok().and_then(|at| known.told.get(at)) {
                Some(told) => {
                    let left = receiver.interval(alert.severity, told.times) - since(told.at, known.now);
                    match left {
                        left if left <= 0 => again.push(place),
                        left if left <= receiver.repeat / 2 => soon.push(place),
                        _ => {}
                    }
                }
                None if since(alert.raised, known.now) >= wait(receiver, alert, known) => new.push(place),
                None => {}
            }
        }
        if !again.is_empty() {
            // One reminder of everything that would be due soon, instead of one each.
            again.extend(soon);
            again.sort_unstable();
        }
        let singly = new.len() <= SINGLE && new.len() as i64 <= left;
        let new = if singly { new.into_iter().map(|place| vec![place]).collect() } else { vec![new] };
        let new = new.into_iter().map(|alerts| Due { alerts, urgent, again: false });
        let due = new.chain([Due { alerts: again, urgent, again: true }]);
        for message in due.filter(|message| !message.alerts.is_empty()) {
            if left > 0 {
                left -= 1;
                messages.push(message);
            }
        }
    }
    messages
}

/// How long a receiver's turn waits. When another who ought to know cannot be reached, it is its turn at once.
fn wait(receiver: &Receiver, alert: &Alert, known: &Known<'_>) -> i64 {
    let unreachable = known.receivers.iter().any(|other| {
        other.name != receiver.name
            && other.after < receiver.after
            && other.takes(alert)
            && known.channels.iter().any(|channel| channel.name == other.name && channel.failing > 0)
    });
    if unreachable { 0 } else { receiver.after }
}

/// How long something is past. What lies ahead is of a clock that was set back since: long past, so that nobody waits
/// until the clock is there again.
fn since(past: Time, now: Time) -> i64 {
    let passed = now.0.saturating_sub(past.0);
    if passed < -HOUR { i64::MAX } else { passed.max(0) }
}

/// The number of the hour, to count messages in.
fn hour(now: Time) -> i64 {
    now.0.div_euclid(HOUR)
}

/// How a channel does after a message went well.
pub fn after_success(channel: &Channel, urgent: bool, now: Time) -> Channel {
    let mut next = counted(channel, now);
    if urgent {
        next.urgent += 1
    } else {
        next.sent += 1
    }
    next.messages += 1;
    Channel { failing: 0, next_try: None, last_ok: Some(now), trouble: String::new(), ..next }
}

/// How a channel does after a message failed, and why.
pub fn after_failure(channel: &Channel, trouble: &str, now: Time) -> Channel {
    let next = counted(channel, now);
    let rest = REST.saturating_mul(1 << next.failing.clamp(0, 10)).min(LONGEST_REST);
    Channel {
        failures: next.failures + 1,
        failing: next.failing + 1,
        next_try: Some(now.plus(rest)),
        trouble: trouble.to_owned(),
        ..next
    }
}

fn counted(channel: &Channel, now: Time) -> Channel {
    let hour = hour(now);
    if channel.hour == hour { channel.clone() } else { Channel { hour, sent: 0, urgent: 0, ..channel.clone() } }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
