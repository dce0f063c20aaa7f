//! What a mail says in words: the text for people, for formats that are known by their wording.

use std::borrow::Cow;

use model::time::Time;

use super::{Mail, Part, time};

/// Bytes of text that are looked at; what notifiers write is some kilobytes.
const TEXT: usize = 4 << 20;

/// Tags that begin or end a line.
const LINES: &[&str] = &["p", "div", "tr", "li", "h1", "h2", "h3", "h4", "table", "pre"];

/// The text of a mail: its first part of plain text, else the text of its first HTML part without the mark-up. Files that are
/// attached are not it. Empty when there is none.
pub fn plain(mail: &Mail<'_>) -> String {
    let unnamed = |part: &&Part<'_>| part.media.name.is_empty();
    let plain = mail.parts.iter().filter(unnamed).find(|part| part.media.is_text() && part.media.essence != "text/html");
    if let Some(part) = plain {
        return shortened(&part.utf8()).into_owned();
    }
    let html = mail.parts.iter().filter(unnamed).find(|part| part.media.essence == "text/html");
    html.map(|part| without_marks(&shortened(&part.utf8()))).unwrap_or_default()
}

fn shortened(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.get(..TEXT).unwrap_or(bytes))
}

/// What stands after a label on the first line that begins with it, without blanks; `None` when there is no such line. Case
/// does not matter, nor do quotation marks, stars and blanks before the label.
pub fn after<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let line = line.trim_start_matches([' ', '\t', '>', '*', '|']);
        let (start, rest) = line.split_at_checked(label.len())?;
        start.eq_ignore_ascii_case(label).then(|| rest.trim_matches([' ', '\t', '*', '\r']))
    })
}

/// A time as programs write it into text: ISO 8601, `Wed, 04 Mar 2026 03:58:11 +0100`, `Mar  4 03:58:11 2026` with its parts in any
/// order, an hour as `18h`, and words beside it. `year` stands for one that is missing, as in system logs. Without a zone it is taken
/// as UTC. `None` when no such time exists, or something is there twice. Stricter than [`time`], which takes what a field of a
/// header can only mean for a time.
pub fn written(text: &str, year: Option<i32>) -> Option<Time> {
    let text = text.trim();
    if let Some(time) = Time::parse(text.as_bytes()) {
        return Some(time);
    }
    if let Some((time, name)) = text.rsplit_once(' ')
        && let Some((_, offset)) = ZONES.iter().find(|(zone, _)| *zone == name)
    {
        // ISO 8601 has no names of zones, and programs write them behind it all the same.
        let iso = Time::parse(format!("{}{offset}", time.trim_end()).as_bytes());
        if iso.is_some() {
            return iso;
        }
    }
    let (mut month, mut day, mut stated, mut clock, mut zone) = (None, None, None, None, None);
    let mut named = None;
    for word in text.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '(' | ')')).take(16) {
        let place = if MONTHS.iter().any(|name| word.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(name))) {
            &mut month
        } else if is_clock(word) {
            &mut clock
        } else if word.len() == 4 && word.parse::<u16>().is_ok() {
            &mut stated
        } else if word.len() <= 2 && word.parse::<u8>().is_ok() {
            &mut day
        } else if word.len() == 5 && word.starts_with(['+', '-']) {
            &mut zone
        } else {
            named = named.or(ZONES.iter().find(|(name, _)| *name == word).map(|(_, offset)| *offset));
            continue;
        };
        if place.replace(word).is_some() {
            return None;
        }
    }
    let year = stated.map(str::to_owned).or_else(|| year.map(|year| year.to_string()))?;
    let clock = clock?;
    let clock = clock.strip_suffix('h').map_or(clock.to_owned(), |hour| format!("{hour}:00"));
    let (month, zone) = (month?.get(..3)?, zone.or(named).unwrap_or("+0000"));
    time(format!("{} {month} {year} {clock} {zone}", day?).as_bytes())
}

/// `3:58`, `03:58:11` or `18h`.
fn is_clock(word: &str) -> bool {
    let digits = |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
    match word.strip_suffix('h') {
        Some(hour) => digits(hour),
        None => (2..=3).contains(&word.split(':').count()) && word.split(':').all(digits),
    }
}

/// Names of zones that mails and logs have where a number is missing.
const ZONES: &[(&str, &str)] = &[
    ("UTC", "+0000"),
    ("GMT", "+0000"),
    ("Z", "+0000"),
    ("CET", "+0100"),
    ("CEST", "+0200"),
    ("MEZ", "+0100"),
    ("MESZ", "+0200"),
    ("BST", "+0100"),
    ("EST", "-0500"),
    ("EDT", "-0400"),
    ("CST", "-0600"),
    ("CDT", "-0500"),
    ("MST", "-0700"),
    ("MDT", "-0600"),
    ("PST", "-0800"),
    ("PDT", "-0700"),
];

const MONTHS: &[&str] = &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// HTML as text: tags go, those that end a line become line breaks, and the common entities their letters. It is for
/// reading labels and values, not for showing.
pub(crate) fn without_marks(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        text.push_str(before);
        let Some(close) = tag.find('>') else {
            rest = "";
            break;
        };
        let (tag, after) = tag.split_at(close + 1);
        let name = tag.trim_start_matches(['<', '/']);
        let name = name.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default();
        let ends = LINES.iter().any(|end| name.eq_ignore_ascii_case(end)) && !text.ends_with('\n');
        if ends || name.eq_ignore_ascii_case("br") {
            text.push('\n');
        } else if name.eq_ignore_ascii_case("td") || name.eq_ignore_ascii_case("th") {
            text.push(' ');
        }
        rest = after;
    }
    text.push_str(rest);
    let entities = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, letter)| if text.contains(entity) { text.replace(entity, letter) } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found_at_the_beginning_of_a_line() {
        let text = "Hello,\r\n\r\nthe IP: is below\r\n> IP: 192.0.2.1 \r\n*Issue*: bot\r\n";
        assert_eq!(after(text, "ip:"), Some("192.0.2.1"));
        assert_eq!(after(text, "Issue"), Some(": bot"));
        assert_eq!(after(text, "Malware:"), None);
        assert_eq!(after("é", "ab"), None);
    }

    #[test]
    fn times_as_programs_write_them() {
        for (text, year, expected) in [
            ("Wed, 04 Mar 2026 05:06:07 +0100", None, Some("2026-03-04T04:06:07Z")),
            ("Mar  4 2026 05:06:07 +0100", None, Some("2026-03-04T04:06:07Z")),
            ("Mar  4 05:06:07 host sshd[7]: no", None, None),
            ("Mar  4 05:06:07 host sshd[7]: no", Some(2026), Some("2026-03-04T05:06:07Z")),
            ("Mar  4 05:06:07 CET 2026", None, Some("2026-03-04T04:06:07Z")),
            ("Mar  4 25:06:07 CET 2026", None, None),
            ("Mar  4 05:06:07 +0000", Some(2026), Some("2026-03-04T05:06:07Z")),
            ("Oct 16 18h", Some(2025), Some("2025-10-16T18:00:00Z")),
            ("4 Mar 2026 05:06:07 -0400 (ES", None, Some("2026-03-04T09:06:07Z")),
            ("Feb 30 05:06:07", Some(2026), None),
            ("Mar 4 5 05:06:07", Some(2026), None),
            ("Marmalade", Some(2026), None),
            ("", Some(2026), None),
        ] {
            assert_eq!(written(text, year).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_line_of_a_log_is_no_date() {
        assert_eq!(time(b"Mar  4 05:06:07 host sshd[7]: no"), None);
        for date in ["Wed, 4 Mar 2026 05:06:07 +0000", "4 Mar 26 05:06:07 GMT", "Wed, 4 Mar 2026 05:06:07"] {
            assert_eq!(time(date.as_bytes()).map(|time| time.to_string()).as_deref(), Some("2026-03-04T05:06:07Z"), "{date}");
        }
    }

    #[test]
    fn marks_go() {
        let html = "<html><p class=\"a\">IP: 192.0.2.1<br/>a &lt;b&gt; &amp;amp;</p><table><tr><td>x<td>y</tr><b";
        assert_eq!(without_marks(html), "\nIP: 192.0.2.1\na <b> &amp;\n x y\n");
    }
}
