//! The ways in which certificates, tokens and trust files write a moment, as UTC milliseconds since 1970.

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A `GeneralizedTime` as RFC 3161 section 2.4.2 has it: `YYYYMMDDhhmmss[.s...]Z`. Fractions are cut to milliseconds; they should
/// have no zeros at their end, but some authorities write them with three digits always, and sign that.
pub(super) fn generalized(bytes: &[u8]) -> Option<i64> {
    let (seconds, rest) = bytes.split_at_checked(14)?;
    let fraction = match rest {
        b"Z" => 0,
        [b'.', digits @ .., b'Z'] if (1..20).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) => {
            digits.iter().chain(b"00").take(3).fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
        }
        _ => return None,
    };
    let (date, time) = seconds.split_at_checked(8)?;
    let (year, rest) = date.split_at_checked(4)?;
    let (month, day) = rest.split_at_checked(2)?;
    Some(moment([year, month, day], time)? + fraction)
}

/// A `UTCTime` as RFC 5280 section 4.1.2.5.1 has it: `YYMMDDhhmmssZ`, from 1950 to 2049.
pub(super) fn utc(bytes: &[u8]) -> Option<i64> {
    let century = if *bytes.first()? < b'5' { b"20" } else { b"19" };
    match bytes {
        [start @ .., b'Z'] if start.len() == 12 => generalized(&[century, bytes].concat()),
        _ => None,
    }
}

/// What people write: `2026-11-22`, which is its beginning, or `2026-11-22T09:30:00Z`; as UTC milliseconds since 1970.
#[must_use]
pub fn written(text: &str) -> Option<i64> {
    let (date, time) = text.split_once('T').map_or((text, "00:00:00Z"), |(date, time)| (date, time));
    let digits: String = time.strip_suffix('Z')?.split(':').collect();
    let mut parts = date.split('-');
    let date = [parts.next()?.as_bytes(), parts.next()?.as_bytes(), parts.next()?.as_bytes()];
    let in_form = time.len() == 9 && parts.next().is_none() && date.map(<[u8]>::len) == [4, 2, 2];
    in_form.then(|| moment(date, digits.as_bytes()))?
}

fn moment([year, month, day]: [&[u8]; 3], time: &[u8]) -> Option<i64> {
    let (hour, rest) = time.split_at_checked(2)?;
    let (minute, second) = rest.split_at_checked(2)?;
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let (hour, minute, second) = (number(hour)?, number(minute)?, number(second)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=days).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(days_since_1970(year, month, day) * DAY + ((hour * 60 + minute) * 60 + second) * 1_000)
}

/// Days of the Gregorian calendar. Years begin in March, so that a leap day is a year's last; 400 of them have 146,097 days.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn number(digits: &[u8]) -> Option<i64> {
    let all = !digits.is_empty() && digits.len() <= 4 && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_all_three_forms() {
        // date -u -d '...' +%s
        let cases = [
            ("19700101000000Z", Some(0)),
            ("20261121222938.497Z", Some(1_795_300_178_497)),
            ("20261121222938.4Z", Some(1_795_300_178_400)),
            ("20261121222938.4979Z", Some(1_795_300_178_497)),
            ("20240229000000Z", Some(1_709_164_800_000)),
            ("20230229000000Z", None),
            ("20000229000000Z", Some(951_782_400_000)),
            ("21000229000000Z", None),
            ("00010101000000Z", Some(-62_135_596_800_000)),
            ("99991231235959Z", Some(253_402_300_799_000)),
            ("20261321000000Z", None),
            ("20261121240000Z", None),
            ("20261121222960Z", None),
            ("20261121222938.490Z", Some(1_795_300_178_490)),
            ("20261121222938.Z", None),
            ("20261121222938.4x9Z", None),
            ("20261121222938", None),
            ("202611212229Z", None),
            ("20261121222938+0100", None),
            ("2026112122293 Z", None),
        ];
        for (text, expected) in cases {
            assert_eq!(generalized(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("261121222938Z", Some(1_795_300_178_000)),
            ("491231235959Z", Some(2_524_607_999_000)),
            ("500101000000Z", Some(-631_152_000_000)),
            ("2611212229Z", None),
            ("261121222938.4Z", None),
            ("", None),
        ] {
            assert_eq!(utc(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [
            ("2026-11-21T22:29:38Z", Some(1_795_300_178_000)),
            ("1970-01-02", Some(DAY)),
            ("2026-11-21T22:29:38", None),
            ("2026-11-21T222938Z", None),
            ("2026-11", None),
            ("2026-11-21-1", None),
            ("26-11-21", None),
        ] {
            assert_eq!(written(text), expected, "{text}");
        }
    }
}
