//! Times in text for people: as machines write them, as logs do, and as people do in English, Dutch and German.

use model::time::{DAY, HOUR, MINUTE, Time};

use super::addresses::{begins_with, digits, is_end, skip};

/// A time as it is written: perhaps without a year, a zone or a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    /// The year, when it is said.
    pub(super) year: Option<i32>,
    /// The month, 1 to 12.
    pub(super) month: u32,
    /// The day, 1 to 31.
    pub(super) day: u32,
    /// Whether month and day may stand the other way round: `02/03/2026` is in February or in March.
    pub(super) either: bool,
    /// Hour, minute, second and millisecond, when they are said.
    pub(super) clock: Option<(u32, u32, u32, u32)>,
    /// Milliseconds east of Greenwich, when a zone is said.
    pub(super) zone: Option<i64>,
}

impl Stamp {
    /// The instant, when there is one: what is not said is taken from when it was written (`reference`) and from what the text
    /// says of its times (`zone`). `None` too for a date that may be of two months, unless only one of them is near.
    pub(super) fn time(&self, reference: Time, zone: Option<i64>) -> Option<Time> {
        let of = |month, day| {
            let (hour, minute, second, millis) = self.clock.unwrap_or_default();
            let offset = self.zone.or(zone).unwrap_or(0);
            let at = |year| Time::civil(year, month, day, hour, minute, second, millis).map(|time| Time(time.0 - offset));
            match self.year {
                Some(year) => at(year),
                None => {
                    let (year, ..) = reference.date();
                    // What is a day ahead was written in another zone; what is further ahead was last year.
                    at(year).filter(|time| *time <= reference.plus(DAY)).or_else(|| at(year - 1))
                }
            }
            .filter(|time| (Time::MIN..=Time::MAX).contains(time))
        };
        let said = of(self.month, self.day);
        if !self.either {
            return said;
        }
        let near = |time: &Time| reference.plus(-45 * DAY) <= *time && *time <= reference.plus(DAY);
        match (said.filter(near), of(self.day, self.month).filter(near)) {
            (Some(time), None) | (None, Some(time)) => Some(time),
            _ => None,
        }
    }
}

/// A time that begins at `at`, and its end. The caller sees to it that no word runs into it.
pub(super) fn stamp(line: &[u8], at: usize) -> Option<(Stamp, usize)> {
    if let Some((mut stamp, end)) = date(line, at) {
        return match clock(line, after_date(line, end)) {
            Some((of_day, clock_end)) => {
                stamp.clock = Some(of_day);
                let (zone, mut end) = zone_after(line, clock_end, of_day);
                stamp.zone = zone;
                if stamp.year.is_none()
                    && let Some((year, after)) = year(line, skip(line, end, 2, b" "))
                {
                    (stamp.year, end) = (Some(year), after);
                }
                Some((stamp, end))
            }
            None => stamp.year.is_some().then_some((stamp, end)),
        };
    }
    // The time of day before the date: `05:06:07 on 4 March 2026`.
    let (of_day, end) = clock(line, at)?;
    let (zone, end) = zone_after(line, end, of_day);
    let mut next = skip(line, end, 3, b" ,-|/;");
    for word in ["on", "op", "am", "vom", "van", "of"] {
        if let Some(after) = begins_with(line, next, word).filter(|after| line.get(*after) == Some(&b' ')) {
            next = after + 1;
        }
    }
    let (stamp, end) = date(line, skip_weekday(line, next)).filter(|(stamp, _)| stamp.year.is_some())?;
    Some((Stamp { clock: Some(of_day), zone, ..stamp }, end))
}

/// A date that begins at `at`.
fn date(line: &[u8], at: usize) -> Option<(Stamp, usize)> {
    let first = *line.get(at)?;
    if first.is_ascii_alphabetic() || first >= 0x80 {
        return month_first(line, at);
    }
    let (number, end) = digits(line, at, 8)?;
    let stamp = match end - at {
        8 => {
            let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
            // Alone it is a number like any other.
            let with_time = line.get(end).is_some_and(|byte| matches!(byte, b'T' | b't'))
                || clock(line, skip(line, end, 2, b" -_")).is_some();
            with_time.then(|| dated(year, month, day)).flatten().map(|stamp| (stamp, end))
        }
        4 => {
            let by = *line.get(end).filter(|byte| matches!(byte, b'-' | b'/' | b'.'))?;
            let (month, after) = digits(line, end + 1, 2).or_else(|| month(line, end + 1))?;
            let (day, after) = digits(line, after + 1, 2).filter(|_| line.get(after) == Some(&by))?;
            dated(number, month, day).map(|stamp| (stamp, after))
        }
        1 | 2 => day_first(line, number, end),
        _ => None,
    };
    let (stamp, end) = stamp?;
    // `2026-03-04T05` goes on; `4.3.2026a` and `2026-03-041` are something else.
    let goes_on = matches!(line.get(end), Some(b'T' | b't' | b'_')) && line.get(end + 1).is_some_and(u8::is_ascii_digit);
    (goes_on || is_end(line, end)).then_some((stamp, end))
}

/// `4 Mar 2026`, `04/Mar/2026`, `4. März 2026`, `4th of March`, `04.03.2026`, `20/03/2026`, after the first number.
fn day_first(line: &[u8], first: u32, end: usize) -> Option<(Stamp, usize)> {
    let by = *line.get(end)?;
    if matches!(by, b'/' | b'-' | b'.')
        && let Some((second, after)) = digits(line, end + 1, 2)
    {
        if line.get(after) != Some(&by) {
            return None;
        }
        let (year, end) = match year(line, after + 1) {
            Some(found) => found,
            // Two digits are a year when a time of day follows; else it is a version.
            None => {
                let (year, end) = digits(line, after + 1, 2).filter(|(_, end)| *end == after + 3)?;
                clock(line, after_date(line, end))?;
                (2000 + i32::try_from(year).ok()?, end)
            }
        };
        let year = u32::try_from(year).ok()?;
        return match by {
            b'.' => dated(year, second, first),
            _ if second > 12 => dated(year, first, second),
            b'-' => dated(year, second, first),
            _ if first > 12 || first == second => dated(year, second, first),
            _ => dated(year, first, second).map(|stamp| Stamp { either: true, ..stamp }),
        }
        .map(|stamp| (stamp, end));
    }
    let mut next = end;
    for ordinal in ["st", "nd", "rd", "th", "ste", "de", "e"] {
        if let Some(after) = begins_with(line, end, ordinal).filter(|after| is_end(line, *after)) {
            next = after;
        }
    }
    next = skip(line, next, 3, b" ./-");
    if let Some(after) = begins_with(line, next, "of ") {
        next = after;
    }
    let (month, after) = month(line, next)?;
    let after = skip(line, after, 3, b" ./-,:");
    match year(line, after) {
        Some((year, end)) => dated(u32::try_from(year).ok()?, month, first).map(|stamp| (stamp, end)),
        None => {
            let stamp = Stamp { year: None, ..dated(2024, month, first)? };
            clock(line, after).map(|_| (stamp, after))
        }
    }
}

/// `Mar  4`, `March 4th, 2026`, `Mar-04-2026`.
fn month_first(line: &[u8], at: usize) -> Option<(Stamp, usize)> {
    let (month, end) = month(line, at)?;
    let (day, mut end) = digits(line, skip(line, end, 3, b" .-/"), 2)?;
    for ordinal in ["st", "nd", "rd", "th"] {
        end = begins_with(line, end, ordinal).unwrap_or(end);
    }
    let next = skip(line, end, 3, b" ,-/");
    match year(line, next) {
        Some((year, end)) => dated(u32::try_from(year).ok()?, month, day).map(|stamp| (stamp, end)),
        None => {
            let stamp = Stamp { year: None, ..dated(2024, month, day)? };
            clock(line, after_date(line, end)).map(|_| (stamp, end))
        }
    }
}

fn dated(year: u32, month: u32, day: u32) -> Option<Stamp> {
    let year = i32::try_from(year).ok().filter(|year| (1990..=2100).contains(year))?;
    Time::civil(year, month, day, 0, 0, 0, 0)?;
    Some(Stamp { year: Some(year), month, day, either: false, clock: None, zone: None })
}

/// A year of four digits.
fn year(line: &[u8], at: usize) -> Option<(i32, usize)> {
    let (year, end) = digits(line, at, 4).filter(|(_, end)| *end == at + 4)?;
    let year = i32::try_from(year).ok().filter(|year| (1990..=2100).contains(year))?;
    // `1996:12` would be hours, `2026.1` a version.
    (line.get(end) != Some(&b'.') || !line.get(end + 1).is_some_and(u8::is_ascii_digit)).then_some((year, end))
}

/// The number of a month whose name begins at `at`, in English, Dutch or German, and the end of the name.
pub(super) fn month(line: &[u8], at: usize) -> Option<(u32, usize)> {
    const LONG: &[&str] = &[
        "january",
        "januari",
        "januar",
        "february",
        "februari",
        "februar",
        "march",
        "maart",
        "märz",
        "marz",
        "april",
        "june",
        "juni",
        "july",
        "juli",
        "august",
        "augustus",
        "sept",
        "september",
        "october",
        "oktober",
        "november",
        "december",
        "dezember",
    ];
    let rest = line.get(at..)?;
    let &[first, second, third, ..] = rest else { return None };
    let (number, short) = match [first | 0x20, second | 0x20, third | 0x20] {
        [b'j', b'a', b'n'] => (1, 3),
        [b'f', b'e', b'b'] => (2, 3),
        [b'm', b'a', b'r' | b'a'] | [b'm', b'r', b't' | b'z'] => (3, 3),
        // An umlaut in UTF-8, with the bit that tells capitals.
        [b'm', 0xe3, 0xa4] => (3, 4),
        [b'a', b'p', b'r'] => (4, 3),
        [b'm', b'a', b'y' | b'i'] | [b'm', b'e', b'i'] => (5, 3),
        [b'j', b'u', b'n'] => (6, 3),
        [b'j', b'u', b'l'] => (7, 3),
        [b'a', b'u', b'g'] => (8, 3),
        [b's', b'e', b'p'] => (9, 3),
        [b'o', b'c' | b'k', b't'] => (10, 3),
        [b'n', b'o', b'v'] => (11, 3),
        [b'd', b'e', b'c' | b'z'] => (12, 3),
        _ => return None,
    };
    let length = rest.iter().take(12).take_while(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    let word = rest.get(..length)?;
    let known = length == short || LONG.iter().any(|long| word.eq_ignore_ascii_case(long.as_bytes()));
    known.then_some((number, at + length))
}

/// Where the time of day may begin after a date.
fn after_date(line: &[u8], end: usize) -> usize {
    if matches!(line.get(end), Some(b'T' | b't' | b'_')) {
        return end + 1;
    }
    let mut next = skip(line, end, 5, b" \t:,|;\"'-/@");
    for word in ["at ", "um ", "om ", "te ", "kl. ", "kl "] {
        if let Some(after) = begins_with(line, next, word) {
            next = after;
        }
    }
    next
}

/// Hour, minute, second and millisecond of a day.
type OfDay = (u32, u32, u32, u32);

/// A time of day that begins at `at`: `5:06`, `05:06:07.89`, `11:00AM`, `050607Z` after a date without dashes.
fn clock(line: &[u8], at: usize) -> Option<(OfDay, usize)> {
    if let Some((whole, end)) = digits(line, at, 6).filter(|(_, end)| *end == at + 6) {
        let of_day = (whole / 10_000, whole / 100 % 100, whole % 100, 0);
        let compact = at > 0 && matches!(line.get(at - 1), Some(b'T' | b't'));
        return (compact && of_day.0 < 24 && of_day.1 < 60 && of_day.2 < 60).then_some((of_day, end));
    }
    let (mut hour, end) = digits(line, at, 2)?;
    let (minute, mut end) = digits(line, end + 1, 2).filter(|(_, after)| line.get(end) == Some(&b':') && *after == end + 3)?;
    let (mut second, mut millis) = (0, 0);
    if line.get(end) == Some(&b':')
        && let Some((seconds, after)) = digits(line, end + 1, 2).filter(|(_, after)| *after == end + 3)
    {
        (second, end) = (seconds, after);
        if matches!(line.get(end), Some(b'.' | b','))
            && let Some((fraction, after)) = fraction(line, end)
        {
            (millis, end) = (fraction, after);
        }
    }
    let half = skip(line, end, 1, b" ");
    for (word, add) in [("am", 0), ("pm", 12), ("a.m.", 0), ("p.m.", 12)] {
        if let Some(after) = begins_with(line, half, word).filter(|after| is_end(line, *after) && (1..=12).contains(&hour)) {
            (hour, end) = (hour % 12 + add, after);
            break;
        }
    }
    for word in [" Uhr", " uur", "Uhr", "h"] {
        if let Some(after) = begins_with(line, end, word).filter(|after| is_end(line, *after)) {
            end = after;
            break;
        }
    }
    // `12:34:56:78` is hardware, `10:20.5` is no time of day.
    let ends = is_end(line, end) || matches!(line.get(end), Some(b'Z' | b'z' | b'U' | b'G' | b'C'));
    let more = line.get(end) == Some(&b':') && line.get(end + 1).is_some_and(u8::is_ascii_hexdigit);
    (hour < 24 && minute < 60 && second <= 60 && ends && !more).then_some(((hour, minute, second, millis), end))
}

/// Thousandths from a point with digits, or a comma with three as logs of Java have it (in a table the next column follows it), and where
/// they end.
fn fraction(line: &[u8], point: usize) -> Option<(u32, usize)> {
    let at = point + 1;
    let rest = line.get(at..)?;
    let length = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    let comma = line.get(point) == Some(&b',');
    if length == 0 || length > 9 || (comma && (length != 3 || rest.get(3) == Some(&b','))) {
        return None;
    }
    let digit = |index: usize| rest.get(index).filter(|_| index < length).map_or(0, |byte| u32::from(byte - b'0'));
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), at + length))
}

/// The zone after a time of day, and where it ends; where the time of day ended when there is none.
fn zone_after(line: &[u8], end: usize, of_day: OfDay) -> (Option<i64>, usize) {
    let next = skip(line, end, 3, b" ([\"");
    // `16:56-17:30` is from one time to another.
    if next == end && matches!(line.get(end), Some(b'-')) && of_day.2 == 0 && line.get(end + 3) == Some(&b':') {
        return (None, end);
    }
    match zone(line, next) {
        Some((zone, after)) => {
            let closed = line.get(next.saturating_sub(1)) == Some(&b'(') && line.get(after) == Some(&b')');
            (Some(zone), after + usize::from(closed))
        }
        None => (None, end),
    }
}

/// A zone that begins at `at`: `+0100`, `Z`, `CEST`, `UTC+2`; milliseconds east of Greenwich, and its end.
///
/// Names that mean several zones (`IST`, `CST`) are none.
pub(super) fn zone(line: &[u8], at: usize) -> Option<(i64, usize)> {
    let first = *line.get(at)?;
    if matches!(first, b'+' | b'-') {
        return offset(line, at);
    }
    let length = line.get(at..)?.iter().take(6).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let name = line.get(at..at + length)?;
    let end = at + length;
    if name.eq_ignore_ascii_case(b"utc") || name.eq_ignore_ascii_case(b"gmt") {
        return Some(offset(line, skip(line, end, 1, b" ")).filter(|_| !is_range(line, end)).unwrap_or((0, end)));
    }
    // Smaller letters would make words of several languages zones.
    let hours = match name {
        b"Z" | b"z" | b"UT" | b"WET" => 0,
        b"CET" | b"cet" | b"MET" | b"MEZ" | b"WEST" | b"BST" => 1,
        b"CEST" | b"cest" | b"MEST" | b"MESZ" | b"EET" | b"SAST" => 2,
        b"EEST" | b"MSK" => 3,
        b"SGT" | b"HKT" | b"AWST" => 8,
        b"JST" | b"KST" => 9,
        b"AEST" => 10,
        b"AEDT" => 11,
        b"NZST" => 12,
        b"NZDT" => 13,
        b"BRT" | b"ART" => -3,
        b"EDT" => -4,
        b"EST" | b"CDT" => -5,
        b"MDT" => -6,
        b"MST" | b"PDT" => -7,
        b"PST" => -8,
        _ => return None,
    };
    is_end(line, end).then_some((hours * HOUR, end))
}

/// Whether a zone's name is followed by a blank, a dash and something else than hours: `UTC - 192.0.2.1`.
fn is_range(line: &[u8], end: usize) -> bool {
    line.get(end) == Some(&b' ') && !matches!(line.get(end + 1), Some(b'+' | b'-'))
}

/// `+1`, `+01`, `+0100`, `+01:00`.
fn offset(line: &[u8], at: usize) -> Option<(i64, usize)> {
    let sign = match line.get(at)? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (number, end) = digits(line, at + 1, 4)?;
    let (hours, minutes, end) = match end - at - 1 {
        1 | 2 => match digits(line, end + 1, 2).filter(|(_, after)| line.get(end) == Some(&b':') && *after == end + 3) {
            Some((minutes, after)) => (number, minutes, after),
            None => (number, 0, end),
        },
        4 => (number / 100, number % 100, end),
        _ => return None,
    };
    let ends = is_end(line, end) && !(line.get(end) == Some(&b'.') && line.get(end + 1).is_some_and(u8::is_ascii_digit));
    (ends && hours <= 14 && minutes < 60 && line.get(end) != Some(&b'-'))
        .then(|| (sign * (i64::from(hours) * HOUR + i64::from(minutes) * MINUTE), end))
}

fn skip_weekday(line: &[u8], at: usize) -> usize {
    let length = line.get(at..).unwrap_or_default().iter().take(12).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let end = at + length;
    if length >= 2 && line.get(end) == Some(&b',') { skip(line, end + 1, 2, b" ") } else { at }
}
