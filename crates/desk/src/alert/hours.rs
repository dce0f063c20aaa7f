//! On-call hours: when a receiver of alerts may be told of what can wait until then.

use model::calendar::Calendar;
use model::time::{DAY, HOUR, MINUTE, Time};

/// Days of the week as people write them, and their Dutch names.
const DAYS: [(&str, &str); 7] =
    [("mon", "ma"), ("tue", "di"), ("wed", "wo"), ("thu", "do"), ("fri", "vr"), ("sat", "za"), ("sun", "zo")];

/// When a receiver is on call, by the clock of the policy's calendar. The default is: always.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours {
    spans: Vec<Span>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Monday is bit 0.
    days: u8,
    /// Only when people work: holidays excepted.
    business: bool,
    /// Milliseconds since midnight, from 0 to a day.
    from: i64,
    /// Not after it: of the next day.
    to: i64,
}

impl Hours {
    /// Reads `always`, or spans with commas between: `Mon-Fri 08:00-18:00, Sat 10:00-14:00`, `business days 09:00-17:00`,
    /// `Mon-Sun 18:00-08:00` (through the night, counted to the day on which it begins).
    ///
    /// # Errors
    /// What is wrong, and how it is written.
    pub fn parse(text: &str) -> Result<Hours, String> {
        if text.trim().eq_ignore_ascii_case("always") {
            return Ok(Hours::default());
        }
        let spans: Option<Vec<Span>> = text.split(',').map(span).collect();
        match spans {
            Some(spans) if spans.len() <= 50 => Ok(Hours { spans }),
            _ => Err(format!(
                "'{text}' is no hours: write \"always\", \"Mon-Fri 08:00-18:00, Sat 10:00-14:00\" or \"business days 09:00-17:00\""
            )),
        }
    }

    /// Whether the receiver is on call at an instant.
    pub fn hold(&self, calendar: &Calendar, at: Time) -> bool {
        let (day, of_day) = (calendar.day(at), calendar.of_day(at));
        self.spans.is_empty()
            || self.spans.iter().any(|span| {
                if span.from < span.to {
                    span.has(calendar, day) && (span.from..span.to).contains(&of_day)
                } else {
                    (span.has(calendar, day) && of_day >= span.from) || (span.has(calendar, day - 1) && of_day < span.to)
                }
            })
    }
}

impl Span {
    fn has(self, calendar: &Calendar, day: i64) -> bool {
        if self.business {
            return calendar.is_business_day(day);
        }
        // 1970-01-01 was a Thursday.
        self.days & (1 << (day + 3).rem_euclid(7)) != 0
    }
}

fn span(text: &str) -> Option<Span> {
    let (days, times) = text.trim().rsplit_once(char::is_whitespace)?;
    let (from, to) = times.split_once('-')?;
    let (from, to) = (clock(from)?, clock(to)?);
    let days = days.trim().to_ascii_lowercase();
    if days == "business days" || days == "working days" {
        return Some(Span { days: 0, business: true, from, to });
    }
    let place = |name: &str| DAYS.iter().position(|(english, dutch)| [english, dutch].contains(&&name.trim()));
    let (first, last) = days.split_once('-').unwrap_or((&days, &days));
    let (first, last) = (place(first)?, place(last)?);
    let mut bits = 0_u8;
    let mut day = first;
    loop {
        bits |= 1 << day;
        if day == last {
            break;
        }
        day = (day + 1) % 7;
    }
    Some(Span { days: bits, business: false, from, to })
}

/// `08:00`, up to `24:00`.
fn clock(text: &str) -> Option<i64> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Some(hours.checked_mul(HOUR)?.checked_add(minutes * MINUTE)?).filter(|time| *time <= DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn who_is_on_call_when() {
        // 2026-11-16 is a Monday; the clock of the place is an hour ahead; Wednesday the 18th is a holiday there.
        let calendar = Calendar::new(vec![(Time::MIN, HOUR)], vec![time("2026-11-18").day()]);
        let office = "Mon-Fri 08:00-18:00, Sat 10:00-14:00";
        for (name, hours, at, expected) in [
            ("always", "always", "2026-11-22T03:00:00Z", true),
            ("begins by the clock of the place", office, "2026-11-16T07:00:00Z", true),
            ("a moment before", office, "2026-11-16T06:59:59Z", false),
            ("ends by it", office, "2026-11-16T17:00:00Z", false),
            ("a moment before the end", office, "2026-11-16T16:59:59Z", true),
            ("Saturday has its own", office, "2026-11-21T12:00:00Z", true),
            ("Saturday afternoon", office, "2026-11-21T13:30:00Z", false),
            ("Sunday", office, "2026-11-22T10:00:00Z", false),
            ("a holiday is a weekday", office, "2026-11-18T10:00:00Z", true),
            ("and no business day", "business days 09:00-17:00", "2026-11-18T10:00:00Z", false),
            ("a business day", "business days 09:00-17:00", "2026-11-19T10:00:00Z", true),
            ("the night of Friday", "Fri 18:00-08:00", "2026-11-21T05:00:00Z", true),
            ("is over on Saturday morning", "Fri 18:00-08:00", "2026-11-21T07:00:00Z", false),
            ("and does not begin before", "Fri 18:00-08:00", "2026-11-20T16:00:00Z", false),
            ("over the end of the week", "Sat-Mon 00:00-24:00", "2026-11-16T22:59:00Z", true),
            ("in Dutch", "ma-vr 08:00-18:00", "2026-11-17T10:00:00Z", true),
        ] {
            assert_eq!(Hours::parse(hours).unwrap().hold(&calendar, time(at)), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_hours_is_said_to_be() {
        for text in [
            "",
            "8-18",
            "Mon 8-18",
            "Mon-Fri",
            "Mon 08:00-24:01",
            "Mon 08:60-09:00",
            "Moon 08:00-18:00",
            "Mon +8:00-18:00",
            "Mon 99999999999999999999:00-18:00",
        ] {
            assert!(Hours::parse(text).unwrap_err().contains("Mon-Fri 08:00-18:00"), "{text}");
        }
    }
}
