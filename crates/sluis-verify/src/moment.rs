//! Moments as people read them: in UTC, and in Amsterdam by the rule of the European Union.
//!
//! Directive 2000/84/EC: summer time begins on the last Sunday of March and ends on the last Sunday of October, each at 01:00 UTC.
//! Should the rule change, UTC remains what counts; it stands beside every other time.

use crate::said::{Language, Text, both};

const DAY: i64 = 86_400_000;
const HOUR: i64 = 3_600_000;

/// A moment in UTC as RFC 3339 writes it, in whole seconds (cut): `2026-11-22T09:30:00Z`.
#[must_use]
pub fn utc(ms: i64) -> String {
    let Parts { year, month, day, hour, minute, second, .. } = parts(ms);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// A moment for a sentence: `2026-11-22 09:30:00 UTC (10:30:00 in Amsterdam)`.
pub(crate) fn told(ms: i64) -> Text {
    let Parts { year, month, day, hour, minute, second, .. } = parts(ms);
    let here = parts(ms.saturating_add(offset(ms)));
    let utc = format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC");
    let date = if here.day == day { String::new() } else { format!("{:04}-{:02}-{:02} ", here.year, here.month, here.day) };
    let local = format!("{date}{:02}:{:02}:{:02}", here.hour, here.minute, here.second);
    both(format!("{utc} ({local} in Amsterdam)"), format!("{utc} ({local} in Amsterdam)"))
}

/// A moment for the page: day and time in Amsterdam in words, then in UTC.
pub(crate) fn in_full(ms: i64, language: Language) -> String {
    let here = parts(ms.saturating_add(offset(ms)));
    let there = parts(ms);
    let (days, months, at) = match language {
        Language::English => (DAYS_EN, MONTHS_EN, "at"),
        Language::Dutch => (DAYS_NL, MONTHS_NL, "om"),
    };
    format!(
        "{} {} {} {} {at} {:02}:{:02}:{:02} in Amsterdam ({:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC)",
        days[here.weekday],
        here.day,
        months[here.month as usize - 1],
        here.year,
        here.hour,
        here.minute,
        here.second, //
        there.year,
        there.month,
        there.day,
        there.hour,
        there.minute,
        there.second
    )
}

/// A duration in its largest unit that fits, with the next: `3 days 4 hours`.
pub(crate) fn long(ms: i64) -> Text {
    let seconds = ms.unsigned_abs() / 1_000;
    let units = [
        (86_400, "day", "days", "dag", "dagen"),
        (3_600, "hour", "hours", "uur", "uur"),
        (60, "minute", "minutes", "minuut", "minuten"),
        (1, "second", "seconds", "seconde", "seconden"),
    ];
    let mut rest = seconds;
    let (mut en, mut nl) = (Vec::new(), Vec::new());
    for (size, one, many, een, meer) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 && en.len() < 2 {
            en.push(format!("{count} {}", if count == 1 { one } else { many }));
            nl.push(format!("{count} {}", if count == 1 { een } else { meer }));
        }
    }
    if en.is_empty() {
        return both("less than a second", "minder dan een seconde");
    }
    both(en.join(" "), nl.join(" "))
}

const DAYS_EN: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
const DAYS_NL: [&str; 7] = ["donderdag", "vrijdag", "zaterdag", "zondag", "maandag", "dinsdag", "woensdag"];
const MONTHS_EN: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const MONTHS_NL: [&str; 12] =
    ["januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"];

struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    /// Days since Thursday, the day on which 1970 began.
    weekday: usize,
}

/// The years 1 to 9999, which is what dates are written for; what is beyond is shown as their end.
const WRITTEN: std::ops::RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// Date and time of a moment. Years begin in March, so that a leap day is a year's last; 400 of them have 146,097 days.
fn parts(ms: i64) -> Parts {
    let ms = ms.clamp(*WRITTEN.start(), *WRITTEN.end());
    let (days, of_day) = (ms.div_euclid(DAY), ms.rem_euclid(DAY));
    let from_0 = days + 719_468;
    let (era, of_era) = (from_0.div_euclid(146_097), from_0.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march + 2) / 5 + 1;
    let month = if march < 10 { march + 3 } else { march - 9 };
    let year = era * 400 + year_of_era + i64::from(month < 3);
    let (hour, minute, second) = (of_day / HOUR, of_day / 60_000 % 60, of_day / 1_000 % 60);
    Parts { year, month, day, hour, minute, second, weekday: days.rem_euclid(7) as usize }
}

/// How far Amsterdam is ahead of UTC at a moment, in milliseconds.
fn offset(ms: i64) -> i64 {
    let year = parts(ms).year;
    let summer = last_sunday(year, 3)..last_sunday(year, 10);
    if summer.contains(&ms) { 2 * HOUR } else { HOUR }
}

/// 01:00 UTC on the last Sunday of March or October, which both have 31 days.
fn last_sunday(year: i64, month: i64) -> i64 {
    let (year, month) = (if month > 2 { year } else { year - 1 }, (month + 9) % 12);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + 30;
    let the_31st = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    // Day 3 since 1970 was a Sunday.
    (the_31st - (the_31st - 3).rem_euclid(7)) * DAY + HOUR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        // TZ=Europe/Amsterdam date -d @...
        for (ms, expected_utc, expected) in [
            (0, "1970-01-01T00:00:00Z", "1970-01-01 00:00:00 UTC (01:00:00 in Amsterdam)"),
            (1_795_300_178_497, "2026-11-21T22:29:38Z", "2026-11-21 22:29:38 UTC (23:29:38 in Amsterdam)"),
            (1_795_305_600_000, "2026-11-22T00:00:00Z", "2026-11-22 00:00:00 UTC (01:00:00 in Amsterdam)"),
            (1_774_746_000_000 - 1_000, "2026-03-29T00:59:59Z", "2026-03-29 00:59:59 UTC (01:59:59 in Amsterdam)"),
            (1_774_746_000_000, "2026-03-29T01:00:00Z", "2026-03-29 01:00:00 UTC (03:00:00 in Amsterdam)"),
            (1_792_890_000_000 - 1_000, "2026-10-25T00:59:59Z", "2026-10-25 00:59:59 UTC (02:59:59 in Amsterdam)"),
            (1_792_890_000_000, "2026-10-25T01:00:00Z", "2026-10-25 01:00:00 UTC (02:00:00 in Amsterdam)"),
            (1_709_164_800_000 + 23 * HOUR, "2024-02-29T23:00:00Z", "2024-02-29 23:00:00 UTC (2024-03-01 00:00:00 in Amsterdam)"),
        ] {
            assert_eq!(utc(ms), expected_utc);
            assert_eq!(told(ms).en, expected);
        }
        assert_eq!(
            in_full(1_795_300_178_497, Language::Dutch),
            "zaterdag 21 november 2026 om 23:29:38 in Amsterdam (2026-11-21 22:29:38 UTC)"
        );
        for ms in [i64::MIN, i64::MAX] {
            assert!(!told(ms).en.is_empty() && !in_full(ms, Language::English).is_empty());
        }
        assert_eq!(long(3 * DAY + 4 * HOUR + 5).en, "3 days 4 hours");
        assert_eq!(long(-61_000).nl, "1 minuut 1 seconde");
    }
}
