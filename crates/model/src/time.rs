//! The one kind of time in Sluis: milliseconds since 1970-01-01T00:00:00Z, in UTC.

use std::fmt;

/// An instant, in milliseconds since the Unix epoch, UTC.
///
/// The valid range is years 0001 to 9999 ([`Time::MIN`] to [`Time::MAX`]); parsing refuses anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub i64);

/// One second, in milliseconds.
pub const SECOND: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour, in milliseconds.
pub const HOUR: i64 = 60 * MINUTE;
/// One day, in milliseconds.
pub const DAY: i64 = 24 * HOUR;

impl Time {
    /// 0001-01-01T00:00:00Z, the earliest instant that can be written.
    pub const MIN: Time = Time(-62_135_596_800_000);
    /// 9999-12-31T23:59:59.999Z, the last instant that can be written. As the end of an interval: "still".
    pub const MAX: Time = Time(253_402_300_799_999);

    /// The day number since 1970-01-01 (negative before).
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// This instant moved by `millis`, kept inside the valid range.
    pub fn plus(self, millis: i64) -> Time {
        Time(self.0.saturating_add(millis).clamp(Time::MIN.0, Time::MAX.0))
    }

    /// The instant of a civil date and time of day in UTC; `None` when no such date or time exists.
    ///
    /// A leap second (`second` 60) is taken as the last millisecond of its minute.
    pub fn civil(year: i32, month: u32, day: u32, hour: u32, minute: u32, second: u32, millis: u32) -> Option<Time> {
        let leap_second = second == 60;
        if !(1..=9999).contains(&year)
            || !(1..=12).contains(&month)
            || day < 1
            || day > days_in_month(year, month)
            || hour > 23
            || minute > 59
            || second > 60
            || millis > 999
        {
            return None;
        }
        let (second, millis) = if leap_second { (59, 999) } else { (second, millis) };
        let of_day = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND + i64::from(millis);
        Some(Time(days_from_civil(year, month, day) * DAY + of_day))
    }

    /// Reads ISO 8601 / RFC 3339 as machines write it: `YYYY-MM-DD`, then optionally `T`, `t`, blank or `_` and
    /// `HH:MM[:SS[.fraction]]`, then optionally a blank and `Z`, `UTC`, `GMT` or `±HH[:]MM`.
    ///
    /// Without a zone the time is taken as UTC: feeds are UTC unless they say otherwise. A date alone is its first
    /// instant. `None` for anything else, including dates that do not exist.
    pub fn parse(text: &[u8]) -> Option<Time> {
        let text = text.trim_ascii();
        let year = digits(text.get(0..4)?)?;
        if *text.get(4)? != b'-' || *text.get(7)? != b'-' {
            return None;
        }
        let month = digits(text.get(5..7)?)?;
        let day = digits(text.get(8..10)?)?;
        let mut rest = &text[10..];
        let (mut hour, mut minute, mut second, mut millis) = (0, 0, 0, 0);
        if let Some((b'T' | b't' | b' ' | b'_', clock)) = rest.split_first() {
            hour = digits(clock.get(0..2)?)?;
            if *clock.get(2)? != b':' {
                return None;
            }
            minute = digits(clock.get(3..5)?)?;
            rest = &clock[5..];
            if let Some((b':', seconds)) = rest.split_first() {
                second = digits(seconds.get(0..2)?)?;
                rest = &seconds[2..];
                if let Some((b'.' | b',', fraction)) = rest.split_first() {
                    let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    if length == 0 || length > 18 {
                        return None;
                    }
                    let mut scale = 100;
                    for byte in &fraction[..length.min(3)] {
                        millis += u32::from(byte - b'0') * scale;
                        scale /= 10;
                    }
                    rest = &fraction[length..];
                }
            }
        }
        let local = Time::civil(i32::try_from(year).ok()?, month, day, hour, minute, second, millis)?;
        let offset = zone_offset(rest.trim_ascii())?;
        let instant = Time(local.0 - offset);
        (Time::MIN <= instant && instant <= Time::MAX).then_some(instant)
    }

    /// Reads whole seconds since the epoch, as some feeds write them. `None` outside the valid range.
    pub fn from_unix_seconds(seconds: i64) -> Option<Time> {
        let instant = Time(seconds.checked_mul(SECOND)?);
        (Time::MIN <= instant && instant <= Time::MAX).then_some(instant)
    }

    /// Year, month (1-12) and day (1-31) of this instant in UTC.
    pub fn date(self) -> (i32, u32, u32) {
        civil_from_days(self.day())
    }
}

/// RFC 3339 in UTC; milliseconds are written only when there are any.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let of_day = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (of_day / HOUR, of_day / MINUTE % 60, of_day / SECOND % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match of_day % SECOND {
            0 => f.write_str("Z"),
            millis => write!(f, ".{millis:03}Z"),
        }
    }
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))
}

/// The offset east of Greenwich, in milliseconds, of a zone as machines write it.
fn zone_offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        b"" | b"Z" | b"z" | b"UTC" | b"GMT" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [_, _] => (digits(rest)?, 0),
        [_, _, b':', _, _] => (digits(&rest[..2])?, digits(&rest[3..])?),
        [_, _, _, _] => (digits(&rest[..2])?, digits(&rest[2..])?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(sign * (i64::from(hours) * HOUR + i64::from(minutes) * MINUTE))
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a civil date (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let day_of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The civil date of a day number: the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = (if shifted < 10 { shifted + 3 } else { shifted - 9 }) as u32;
    let year = (year_of_era + era * 400 + i64::from(month <= 2)) as i32;
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_machines_write() {
        for (text, expected) in [
            ("2026-11-21T23:47:54Z", Some("2026-11-21T23:47:54Z")),
            ("2026-11-21 23:47:54", Some("2026-11-21T23:47:54Z")),
            ("2026-11-21 23:47:54.5", Some("2026-11-21T23:47:54.500Z")),
            ("2026-11-21T23:47:54.123456+01:00", Some("2026-11-21T22:47:54.123Z")),
            ("2026-11-21T23:47-0130", Some("2026-11-22T01:17:00Z")),
            ("2026-11-21 23:47:54 UTC", Some("2026-11-21T23:47:54Z")),
            ("2026-11-21 23:47:54 +0000", Some("2026-11-21T23:47:54Z")),
            ("2026-11-21", Some("2026-11-21T00:00:00Z")),
            ("2024-02-29", Some("2024-02-29T00:00:00Z")),
            ("2016-12-31T23:59:60Z", Some("2016-12-31T23:59:59.999Z")),
            ("2023-02-29", None),
            ("2026-13-01", None),
            ("2026-11-21T24:00:00Z", None),
            ("2026-11-21T23:47:54+99:00", None),
            ("2026-11-21T23:47:54 CEST", None),
            ("0000-01-01", None),
            ("0001-01-01T00:00:00+01:00", None),
            ("21-11-2026", None),
            ("", None),
            ("\u{0}", None),
        ] {
            assert_eq!(Time::parse(text.as_bytes()).map(|time| time.to_string()).as_deref(), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn written_times_read_back(millis in Time::MIN.0..=Time::MAX.0) {
            let time = Time(millis);
            prop_assert_eq!(Time::parse(time.to_string().as_bytes()), Some(time));
        }

        #[test]
        fn any_bytes_are_safe(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Time::parse(&text);
        }
    }
}
