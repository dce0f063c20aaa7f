//! Times as lists write them that do not write ISO 8601.

use model::time::Time;

/// Seconds since 1970, perhaps with a fraction, or milliseconds when there are twelve digits or more. Zero is no time.
pub fn unix(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let number: i64 = whole.parse().ok().filter(|number| *number > 0)?;
    let seconds = if whole.len() >= 12 { number / 1_000 } else { number };
    let millis = if whole.len() >= 12 { number % 1_000 } else { 0 };
    Time::from_unix_seconds(seconds).map(|time| time.plus(millis))
}

/// `Tue Dec 15 15:33:38 2015 UTC`, and the same with the zone before the year, as `date` and `ctime` write it. Only zones whose
/// name means one thing are understood.
pub fn ctime(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text.get(..text.len().min(100))?).ok()?;
    let (mut month, mut day, mut year, mut clock, mut offset) = (None, None, None, None, Some(0));
    for word in text.split(|c: char| c.is_ascii_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        if let Some(found) = month_of(word) {
            month = month.or(Some(found));
        } else if word.contains(':') {
            clock = clock.or(Some(word));
        } else if let Ok(number) = word.parse::<u32>() {
            match (day, number) {
                (None, 1..=31) => day = Some(number),
                _ => year = year.or(i32::try_from(number).ok()),
            }
        } else if !WEEKDAYS.iter().any(|name| word.get(..3).is_some_and(|begin| begin.eq_ignore_ascii_case(name))) {
            offset = ZONES.iter().find(|(name, _)| *name == word).map(|(_, hours)| hours * 3_600_000);
        }
    }
    let mut parts = clock?.splitn(3, ':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let second = parts.next().map_or(Some(0), |second| second.parse().ok())?;
    Some(Time::civil(year?, month?, day?, hour, minute, second, 0)?.plus(-offset?))
}

/// `09/Feb/2021` or `09-Feb-2021`, with a time of day behind a blank or colon or without.
pub fn day_month_year(text: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(text.get(..text.len().min(100))?).ok()?.trim();
    let (date, clock) = text.split_once([' ', ':']).unwrap_or((text, "00:00:00"));
    let mut parts = date.splitn(3, ['/', '-', '.']);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = month_of(month).or_else(|| month.parse().ok())?;
    let written = format!("{:04}-{month:02}-{:02} {clock}", year.parse::<u32>().ok()?, day.parse::<u32>().ok()?);
    Time::parse(written.as_bytes())
}

/// A time in RFC 3339, as [`Time`] writes itself; of most times, whole seconds, without the formatter.
pub fn written(time: Time) -> Vec<u8> {
    let (year, month, day) = time.date();
    let seconds = time.0.rem_euclid(86_400_000);
    let Ok(year @ 0..=9_999) = u32::try_from(year) else { return time.to_string().into_bytes() };
    if seconds % 1_000 != 0 {
        return time.to_string().into_bytes();
    }
    let seconds = (seconds / 1_000) as u32;
    let mut text = Vec::with_capacity(20);
    let mut two = |number: u32, then: u8| {
        text.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
        if then != 0 {
            text.push(then);
        }
    };
    two(year / 100, 0);
    two(year % 100, b'-');
    two(month, b'-');
    two(day, b'T');
    two(seconds / 3_600, b':');
    two(seconds / 60 % 60, b':');
    two(seconds % 60, b'Z');
    text
}

fn month_of(word: &str) -> Option<u32> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let begin = word.get(..3).filter(|_| word.bytes().all(|byte| byte.is_ascii_alphabetic()))?;
    MONTHS.iter().position(|name| name.eq_ignore_ascii_case(begin)).map(|at| at as u32 + 1)
}

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Names of zones and their hours before UTC (RFC 5322 section 4.3, and those of Central Europe).
const ZONES: [(&str, i64); 13] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("UT", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("CET", 1),
    ("CEST", 2),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_are_written_as_the_model_does(millis in any::<i64>(), whole in any::<bool>()) {
            let time = Time(0).plus(millis % 300_000_000_000_000);
            let time = if whole { Time(time.0 - time.0.rem_euclid(1_000)) } else { time };
            prop_assert_eq!(String::from_utf8(written(time)).unwrap(), time.to_string());
        }
    }

    #[test]
    fn times_as_lists_write_them() {
        type Reader = fn(&[u8]) -> Option<Time>;
        let (unix, ctime, dmy): (Reader, Reader, Reader) = (unix, ctime, day_month_year);
        for (reader, text, expected) in [
            (unix, "1772600767", Some("2026-03-04T05:06:07Z")),
            (unix, "1772600767.25", Some("2026-03-04T05:06:07Z")),
            (unix, "1772600767123", Some("2026-03-04T05:06:07.123Z")),
            (unix, "0", None),
            (unix, "99999999999999999999", None),
            (ctime, "Wed Mar 04 05:06:07 2026 UTC", Some("2026-03-04T05:06:07Z")),
            (ctime, "Wed Mar  4 05:06:07 PDT 2026", Some("2026-03-04T12:06:07Z")),
            (ctime, "Wed, 04 Mar 2026 05:06 GMT", Some("2026-03-04T05:06:00Z")),
            (ctime, "Wed Mar 04 05:06:07 XYZ 2026", None),
            (ctime, "Wed Mar 04 2026", None),
            (ctime, "", None),
            (dmy, "04/Mar/2026", Some("2026-03-04T00:00:00Z")),
            (dmy, "04-03-2026 05:06:07", Some("2026-03-04T05:06:07Z")),
            (dmy, "31/Feb/2026", None),
        ] {
            assert_eq!(reader(text.as_bytes()).map(|time| time.to_string()).as_deref(), expected, "{text:?}");
        }
    }
}
