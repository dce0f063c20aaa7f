//! `manifest.txt`: of what form a bundle is, of which log and which case, and the digests of its files.

use sha2::{Digest, Sha256};

use super::container::File;
use super::{Form, Wrong};

pub(crate) const NAME: &str = "manifest.txt";

/// What a manifest says before it comes to the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) form: Form,
    pub(crate) origin: String,
    pub(crate) stream: [u8; 16],
    pub(crate) made: i64,
}

/// The head of a manifest, and what is wrong with its list of files, if anything is.
pub(crate) fn read(bytes: &[u8], files: &[File<'_>]) -> Result<Head, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|_| Wrong::Manifest("it is not text"))?;
    let mut lines = text.split('\n');
    let mut line = |start: &str, wrong| lines.next().and_then(|line| line.strip_prefix(start)).ok_or(Wrong::Manifest(wrong));
    let form = match line("sluis-", "it is of no known form or version")? {
        "evidence/v1" => Form::Evidence,
        "receipt/v1" => Form::Receipt,
        _ => return Err(Wrong::Manifest("it is of no known form or version")),
    };
    let origin = line("origin ", "its second line is not that of the origin")?.to_owned();
    let stream = line("stream ", "its third line is not that of the stream")?;
    let stream = unhex(stream).ok_or(Wrong::Manifest("its third line is not that of the stream"))?;
    let made = line("made ", "its fourth line is not that of the time")?;
    let made = moment(made).ok_or(Wrong::Manifest("its fourth line is not that of the time"))?;
    for (name, content) in files {
        match lines.next() {
            Some(line) if line == listed(name, content) => {}
            Some(line) if line.rsplit_once(' ').is_some_and(|(_, said)| said == *name) => {
                return Err(Wrong::Digest((*name).to_owned()));
            }
            _ => return Err(Wrong::Manifest("its list of files is not that of the files")),
        }
    }
    Ok(Head { form, origin, stream, made })
}

/// Writes the manifest of some files.
pub(crate) fn write(head: &Head, files: &[File<'_>]) -> Result<String, Wrong> {
    let form = match head.form {
        Form::Evidence => "evidence",
        Form::Receipt => "receipt",
    };
    let stream: String = head.stream.iter().map(|byte| format!("{byte:02x}")).collect();
    let made = said(head.made).ok_or(Wrong::Manifest("its time is before 1970, after 9999, or not a whole second"))?;
    let mut text = format!("sluis-{form}/v1\norigin {}\nstream {stream}\nmade {made}\n", head.origin);
    for (name, content) in files {
        text.push_str(&listed(name, content));
        text.push('\n');
    }
    Ok(text)
}

fn listed(name: &str, content: &[u8]) -> String {
    let digest: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{digest} {} {name}", content.len())
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// `2026-01-31T23:59:59Z` (RFC 3339, in UTC, to the second) of a time; `None` before 1970, after 9999, and between seconds.
pub(crate) fn said(time: i64) -> Option<String> {
    let seconds = u64::try_from(time).ok().filter(|time| time.is_multiple_of(1_000))? / 1_000;
    let (day, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since 1 March of the year 0, in years that begin in March: then the leap day is the last of its year. One of 400
    // years has 146,097 days. This is the arithmetic of "chrono-Compatible Low-Level Date Algorithms" (Howard Hinnant, 2013).
    let day = day + 719_468;
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + 400 * era + u64::from(month <= 2);
    let text = format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3_600, rest / 60 % 60, rest % 60);
    (year <= 9_999).then_some(text)
}

/// The time that is said so.
fn moment(text: &str) -> Option<i64> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        if part.bytes().all(|byte| byte.is_ascii_digit()) { part.parse::<i64>().ok() } else { None }
    };
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let seconds = digits(11..13)? * 3_600 + digits(14..16)? * 60 + digits(17..19)?;
    let from_march = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (year, month) = from_march;
    let days =
        365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + (153 * month + 2) / 5 + day - 1 - 719_468;
    let time = (days * 86_400 + seconds) * 1_000;
    // What is no such day, hour or sign is not said again in the same way.
    said(time).filter(|said| said == text).map(|_| time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (951_868_799_000, "2000-02-29T23:59:59Z"),
            (1_772_323_200_000, "2026-03-01T00:00:00Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
            (253_402_300_799_000, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(said(time).as_deref(), Some(text));
            assert_eq!(moment(text), Some(time));
        }
        for time in [-1_000, 1, 253_402_300_800_000, i64::MIN, i64::MAX] {
            assert_eq!(said(time), None);
        }
        for text in [
            "",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00z",
            "2026-01-01T00:00:00+00:00",
            "2026-01-01T00:00:00.0Z",
            "+202-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z ",
            "2026\u{e9}01-01T00:00:00Z",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_said_and_read() {
        for day in 0..146_097 {
            let time = day * 86_400_000 + 3_723_000;
            assert_eq!(said(time).as_deref().and_then(moment), Some(time));
        }
    }
}
