//! The calendar of a place: its clock against UTC, its working days, and terms counted in either.

use std::fmt;

use crate::time::{DAY, HOUR, MINUTE, Time};

/// A length of time as a rule states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// Milliseconds that pass, day and night.
    Elapsed(i64),
    /// Business days: the term ends with the last one, at midnight, and the day it begins on does not count (compare
    /// the Dutch Algemene termijnenwet, articles 1 and 3).
    BusinessDays(u16),
}

impl Term {
    /// Reads `0`, `15 minutes`, `12 hours`, `3 days`, `5 business days`; units may be short (`15 min`, `1 h`, `7 d`). `None`
    /// for anything else, and for more than ten years.
    pub fn parse(text: &str) -> Option<Term> {
        let text = text.trim();
        if text == "0" {
            return Some(Term::Elapsed(0));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let count: i64 = text.get(..digits)?.parse().ok()?;
        let unit = text.get(digits..)?.trim().to_ascii_lowercase();
        let unit = match unit.as_str() {
            "s" | "second" | "seconds" => 1_000,
            "m" | "min" | "minute" | "minutes" => MINUTE,
            "h" | "hour" | "hours" => HOUR,
            "d" | "day" | "days" => DAY,
            "business day" | "business days" | "working day" | "working days" => {
                return u16::try_from(count).ok().filter(|count| (1..=2_600).contains(count)).map(Term::BusinessDays);
            }
            _ => return None,
        };
        count.checked_mul(unit).filter(|length| *length <= 3_660 * DAY).map(Term::Elapsed)
    }

    /// About how long it is, in milliseconds, to compare terms: a business day counts as 7/5 of a day.
    pub fn about(self) -> i64 {
        match self {
            Term::Elapsed(length) => length,
            Term::BusinessDays(days) => i64::from(days) * DAY * 7 / 5,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: i64| if count == 1 { "" } else { "s" };
        match *self {
            Term::BusinessDays(days) => write!(f, "{days} business day{}", plural(days.into())),
            Term::Elapsed(0) => f.write_str("0"),
            Term::Elapsed(length) => {
                let units = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute"), (1_000, "second")];
                match units.into_iter().find(|(unit, _)| length % unit == 0) {
                    Some((unit, name)) => write!(f, "{} {name}{}", length / unit, plural(length / unit)),
                    None => write!(f, "{length} milliseconds"),
                }
            }
        }
    }
}

/// The clock and working days of a place. Where its zone and holidays come from is not this room's affair: they are data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    /// From an instant on, how many milliseconds the place's clock is ahead of UTC; in order of time. Before the first,
    /// its own offset holds; without any, UTC.
    offsets: Vec<(Time, i64)>,
    /// Day numbers (since 1970-01-01, in the place's own calendar) on which nobody works, sorted.
    holidays: Vec<i64>,
}

impl Calendar {
    /// A calendar of the place's offsets from UTC and its holidays, as day numbers since 1970-01-01.
    pub fn new(mut offsets: Vec<(Time, i64)>, mut holidays: Vec<i64>) -> Calendar {
        offsets.sort_unstable();
        holidays.sort_unstable();
        holidays.dedup();
        Calendar { offsets, holidays }
    }

    /// How far the place's clock is ahead of UTC at an instant, in milliseconds.
    pub fn offset(&self, at: Time) -> i64 {
        let next = self.offsets.partition_point(|(since, _)| *since <= at);
        self.offsets.get(next.saturating_sub(1)).map_or(0, |(_, offset)| *offset)
    }

    /// Day number of an instant, by the place's clock.
    pub fn day(&self, at: Time) -> i64 {
        at.plus(self.offset(at)).day()
    }

    /// Milliseconds since midnight, by the place's clock.
    pub fn of_day(&self, at: Time) -> i64 {
        at.plus(self.offset(at)).0.rem_euclid(DAY)
    }

    /// The instant at which a day begins in the place. (Clocks of the places we know do not change at midnight.)
    pub fn midnight(&self, day: i64) -> Time {
        let naive = Time(day.saturating_mul(DAY));
        // The offset at midnight, found by trying that of the instant that would be midnight without one.
        let first = naive.plus(-self.offset(naive));
        naive.plus(-self.offset(first))
    }

    /// Whether people work on a day: Monday to Friday, holidays excepted.
    pub fn is_business_day(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        (day + 3).rem_euclid(7) < 5 && self.holidays.binary_search(&day).is_err()
    }

    /// Whether the holidays reach as far as a day: beyond the last one that is known, business days are only weekdays.
    pub fn knows(&self, day: i64) -> bool {
        self.holidays.last().is_some_and(|last| day <= *last)
    }

    /// When a term that began at `from` ends.
    pub fn after(&self, from: Time, term: Term) -> Time {
        match term {
            Term::Elapsed(length) => from.plus(length),
            Term::BusinessDays(days) => {
                let mut day = self.day(from);
                let mut left = days;
                while left > 0 && day < Time::MAX.day() - 1 {
                    day += 1;
                    left -= u16::from(self.is_business_day(day));
                }
                self.midnight(day + 1)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    /// Amsterdam in 2026: summer from 29 March 01:00 UTC to 25 October 01:00 UTC; Easter Monday, King's Day, Ascension.
    fn amsterdam() -> Calendar {
        let offsets = vec![
            (time("2025-10-26T01:00:00Z"), HOUR),
            (time("2026-03-29T01:00:00Z"), 2 * HOUR),
            (time("2026-10-25T01:00:00Z"), HOUR),
        ];
        let holidays = ["2026-04-06", "2026-04-27", "2026-05-14", "2026-12-25"];
        Calendar::new(offsets, holidays.iter().map(|day| time(day).day()).collect())
    }

    #[test]
    fn terms_as_people_write_them() {
        for (text, expected) in [
            ("0", Some("0")),
            ("15 min", Some("15 minutes")),
            ("60 minutes", Some("1 hour")),
            ("1h", Some("1 hour")),
            ("36 hours", Some("36 hours")),
            ("48 h", Some("2 days")),
            ("7 d", Some("7 days")),
            ("5 business days", Some("5 business days")),
            ("1 working day", Some("1 business day")),
            ("0 business days", None),
            ("-1 hour", None),
            ("1", None),
            ("hour", None),
            ("99999999999999999999 days", None),
            ("4000 days", None),
            ("1 fortnight", None),
            ("", None),
        ] {
            assert_eq!(Term::parse(text).map(|term| term.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn terms_end_when_they_should() {
        let calendar = amsterdam();
        for (name, from, term, expected) in [
            ("hours run through the night", "2026-11-20T22:00:00Z", "12 hours", "2026-11-21T10:00:00Z"),
            ("a day is a day when the clock changes", "2026-03-28T12:00:00Z", "1 day", "2026-03-29T12:00:00Z"),
            ("one business day from a Monday", "2026-11-16T09:00:00Z", "1 business day", "2026-11-17T23:00:00Z"),
            ("over a weekend", "2026-11-20T09:00:00Z", "1 business day", "2026-11-23T23:00:00Z"),
            ("begun on a Saturday", "2026-11-21T09:00:00Z", "1 business day", "2026-11-23T23:00:00Z"),
            ("over Easter and the change to summer", "2026-03-27T09:00:00Z", "6 business days", "2026-04-07T22:00:00Z"),
            ("King's Day", "2026-04-24T09:00:00Z", "1 business day", "2026-04-28T22:00:00Z"),
            ("half past midnight there is yesterday in UTC", "2026-06-14T22:30:00Z", "1 business day", "2026-06-16T22:00:00Z"),
        ] {
            let end = calendar.after(time(from), Term::parse(term).unwrap());
            assert_eq!(end.to_string(), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn terms_never_end_before_they_begin(from in 0i64..4_000_000_000_000, days in 1u16..400, length in 0i64..DAY * 400) {
            let calendar = amsterdam();
            let from = Time(from);
            prop_assert!(calendar.after(from, Term::Elapsed(length)) >= from);
            let end = calendar.after(from, Term::BusinessDays(days));
            prop_assert!(end.0 - from.0 >= i64::from(days) * DAY - 2 * HOUR);
            prop_assert_eq!(calendar.of_day(end), 0, "a term in business days ends at midnight");
            prop_assert!(calendar.is_business_day(calendar.day(end.plus(-1))));
        }
    }
}
