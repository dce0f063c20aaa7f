//! Times, ages, counts and sizes as people read them.

use model::time::{DAY, HOUR, MINUTE, Time};

/// `2026-11-21 23:47`, in UTC.
pub(crate) fn moment(time: Time) -> String {
    let text = time.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(date), Some(clock)) => format!("{date} {clock}"),
        _ => text,
    }
}

/// `2026-11-21`, or the whole moment when it is not a day's first.
pub(crate) fn since(time: Time) -> String {
    match time {
        Time::MIN => "unknown".to_owned(),
        time if time.0.rem_euclid(DAY) == 0 => time.to_string().get(..10).unwrap_or_default().to_owned(),
        time => moment(time),
    }
}

/// `3 days`, `5 hours`, `moments`: how long before `now`.
pub(crate) fn age(time: Time, now: Time) -> String {
    let millis = now.0.saturating_sub(time.0).max(0);
    let (count, unit) = match millis {
        millis if millis < MINUTE => return "moments".to_owned(),
        millis if millis < HOUR => (millis / MINUTE, "minute"),
        millis if millis < 2 * DAY => (millis / HOUR, "hour"),
        millis if millis < 730 * DAY => (millis / DAY, "day"),
        millis => (millis / (365 * DAY), "year"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub(crate) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(0u64).to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 report`, `12,000 reports`, `2 parties`.
pub(crate) fn counted(number: impl TryInto<u64>, thing: &str) -> String {
    let number = number.try_into().unwrap_or(0u64);
    let many = match thing.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if thing.ends_with('s') || thing.ends_with("ch") => format!("{thing}es"),
        None => format!("{thing}s"),
    };
    format!("{} {}", count(number), if number == 1 { thing } else { &many })
}

/// `12.3 MB`, in thousands.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 999.95 {
            break;
        }
        value /= 1_000.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        for (number, expected) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(count(number as u64), expected);
        }
        assert_eq!(counted(1u8, "report"), "1 report");
        assert_eq!(counted(-1i64, "report"), "0 reports");
        assert_eq!(counted(2u8, "party"), "2 parties");
        assert_eq!(counted(2u8, "address"), "2 addresses");
        for (bytes, expected) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (12_345_678, "12.3 MB"), (u64::MAX, "18446.7 PB")]
        {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn times_as_people_read_them() {
        let time = Time::civil(2026, 11, 21, 23, 47, 54, 0).expect("it exists");
        assert_eq!(moment(time), "2026-11-21 23:47");
        assert_eq!(since(Time(0)), "1970-01-01");
        assert_eq!(since(Time::MIN), "unknown");
        for (millis, expected) in [(1_000, "moments"), (90 * MINUTE, "1 hour"), (3 * DAY, "3 days"), (-5, "moments")] {
            assert_eq!(age(time, time.plus(millis)), expected);
        }
        assert_eq!(age(Time::MIN, Time::MAX), "10005 years");
    }
}
