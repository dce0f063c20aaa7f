//! The calendar of a place: the clock of its zone and its public holidays, for rules that count in business days.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::calendar::Calendar;
use model::time::Time;
use serde::Deserialize;

/// Public holidays of the Netherlands, as data.
const NETHERLANDS: &str = include_str!("../data/holidays-nl.toml");
/// The years that are known: before the first nothing was hosted, after the last nobody has made the rules yet.
const YEARS: std::ops::RangeInclusive<i32> = 1990..=2060;

/// Which days off there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DaysOff {
    /// Country whose public holidays count: `nl`, or empty for none.
    pub holidays: String,
    /// Holidays that count every year, though the list keeps them to some years or to none.
    pub always: Vec<String>,
    /// Holidays that do not count.
    pub never: Vec<String>,
    /// Further days on which the operator is closed: day numbers since 1970-01-01.
    pub closed: Vec<i64>,
}

impl Default for DaysOff {
    fn default() -> DaysOff {
        DaysOff { holidays: "nl".to_owned(), always: Vec::new(), never: Vec::new(), closed: Vec::new() }
    }
}

/// The name of the zone in which the Netherlands live.
pub const AMSTERDAM: &str = "Europe/Amsterdam";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holidays {
    day: Vec<Holiday>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    name: String,
    month: Option<u32>,
    day: Option<u32>,
    /// Days after Easter Sunday.
    easter: Option<i64>,
    #[serde(default)]
    if_sunday: i64,
    /// Only in years that can be divided by it; 0 for never.
    every: Option<i32>,
    since: Option<i32>,
    until: Option<i32>,
}

/// The calendar of a zone of the IANA database, with its days off.
///
/// # Errors
/// A sentence that says which name nobody knows, and which there are.
pub fn calendar(zone: &str, days: &DaysOff) -> Result<Calendar, String> {
    let offsets = offsets(zone)?;
    let mut closed = days.closed.clone();
    closed.extend(holidays(days)?);
    Ok(Calendar::new(offsets, closed))
}

/// The offsets of a zone from UTC over the years that are known.
fn offsets(zone: &str) -> Result<Vec<(Time, i64)>, String> {
    let unknown = || format!("there is no time zone '{zone}'; write one of the IANA database, such as '{AMSTERDAM}'");
    let found = TimeZone::get(zone).map_err(|_| unknown())?;
    let bound = |year| Time::civil(year, 1, 1, 0, 0, 0, 0).unwrap_or(Time::MAX);
    let (first, last) = (bound(*YEARS.start()), bound(*YEARS.end() + 1));
    let start = Timestamp::from_millisecond(first.0).map_err(|_| unknown())?;
    let milliseconds = |offset: jiff::tz::Offset| i64::from(offset.seconds()) * 1_000;
    let mut offsets = vec![(first, milliseconds(found.to_offset(start)))];
    for change in found.following(start) {
        let at = Time(change.timestamp().as_millisecond());
        if at >= last {
            break;
        }
        offsets.push((at, milliseconds(change.offset())));
    }
    Ok(offsets)
}

fn holidays(days: &DaysOff) -> Result<Vec<i64>, String> {
    let list = match days.holidays.as_str() {
        "" => return Ok(Vec::new()),
        "nl" => NETHERLANDS,
        other => return Err(format!("there is no list of holidays '{other}'; there is 'nl', and 'none'")),
    };
    let list: Holidays = toml::from_str(list).map_err(|error| format!("the list of holidays: {}", error.message()))?;
    for name in days.always.iter().chain(&days.never) {
        if !list.day.iter().any(|holiday| holiday.name.eq_ignore_ascii_case(name)) {
            let names: Vec<&str> = list.day.iter().map(|holiday| holiday.name.as_str()).collect();
            return Err(format!("there is no holiday '{name}'; there is {}", names.join(", ")));
        }
    }
    let named = |names: &[String], holiday: &Holiday| names.iter().any(|name| holiday.name.eq_ignore_ascii_case(name));
    let kept = list.day.iter().filter(|holiday| !named(&days.never, holiday));
    Ok(kept.flat_map(|holiday| YEARS.filter_map(|year| holiday.in_year(year, named(&days.always, holiday)))).collect())
}

impl Holiday {
    /// Its day number in a year, if it is kept then.
    fn in_year(&self, year: i32, always: bool) -> Option<i64> {
        let is_kept = match self.every {
            None => true,
            Some(_) if always => true,
            Some(0) => false,
            Some(every) => year % every == 0,
        };
        if !is_kept || self.since.is_some_and(|since| year < since) || self.until.is_some_and(|until| year > until) {
            return None;
        }
        let day = match self.easter {
            Some(after) => easter(year)? + after,
            None => Time::civil(year, self.month?, self.day?, 0, 0, 0, 0)?.day(),
        };
        // 1970-01-01 was a Thursday.
        let is_sunday = (day + 3).rem_euclid(7) == 6;
        Some(if is_sunday { day + self.if_sunday } else { day })
    }
}

/// The day number of Easter Sunday in the Gregorian calendar (the anonymous algorithm of Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<i64> {
    let a = year % 19;
    let (b, c) = (year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let date = h + l - 7 * m + 114;
    let (month, day) = (u32::try_from(date / 31).ok()?, u32::try_from(date % 31 + 1).ok()?);
    Some(Time::civil(year, month, day, 0, 0, 0, 0)?.day())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::calendar::Term;
    use model::time::HOUR;

    fn day(text: &str) -> i64 {
        Time::parse(text.as_bytes()).unwrap().day()
    }

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    /// As the calendars on the wall say: Easter Monday, King's Day, Liberation Day where it is a day off, Ascension, Whit
    /// Monday, and the first and second day of Christmas and New Year where they are not on a weekend.
    const WALL: &[(&str, &str)] = &[
        ("2024", "01-01 04-01 05-09 05-20 12-25 12-26"),
        ("2025", "01-01 04-21 05-05 05-29 06-09 12-25 12-26"),
        ("2026", "01-01 04-06 04-27 05-14 05-25 12-25"),
        ("2027", "01-01 03-29 04-27 05-06 05-17"),
        ("2028", "04-17 04-27 05-25 06-05 12-25 12-26"),
        ("2029", "01-01 04-02 04-27 05-10 05-21 12-25 12-26"),
        ("2030", "01-01 04-22 05-30 06-10 12-25 12-26"),
        ("2031", "01-01 04-14 05-22 06-02 12-25 12-26"),
        ("2032", "01-01 03-29 04-27 05-06 05-17"),
    ];

    #[test]
    fn holidays_are_those_of_calendars_on_walls() {
        let calendar = calendar(AMSTERDAM, &DaysOff::default()).unwrap();
        for (year, expected) in WALL {
            let first = day(&format!("{year}-01-01"));
            let last = day(&format!("{year}-12-31"));
            let is_weekday = |day: i64| (day + 3).rem_euclid(7) < 5;
            let off = (first..=last).filter(|day| is_weekday(*day) && !calendar.is_business_day(*day));
            let off: Vec<String> = off.map(|day| Time(day * 86_400_000).to_string()[5..10].to_owned()).collect();
            let mut expected: Vec<&str> = expected.split(' ').collect();
            // Liberation Day of 2030 is a Sunday; King's Day of 2025 was kept on Saturday the 26th.
            expected.retain(|text| is_weekday(day(&format!("{year}-{text}"))));
            assert_eq!(off, expected, "{year}");
        }
    }

    #[test]
    fn days_that_some_keep() {
        let with = |always: &[&str], never: &[&str], closed: &[&str]| {
            let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let closed = closed.iter().map(|text| day(text)).collect();
            let days = DaysOff { always: names(always), never: names(never), closed, ..DaysOff::default() };
            calendar(AMSTERDAM, &days).unwrap()
        };
        for (name, calendar, date, expected) in [
            ("Liberation Day, most years", with(&[], &[], &[]), "2026-05-05", true),
            ("every fifth", with(&[], &[], &[]), "2025-05-05", false),
            ("by the Algemene termijnenwet", with(&["Bevrijdingsdag"], &[], &[]), "2026-05-05", false),
            ("Good Friday", with(&[], &[], &[]), "2026-04-03", true),
            ("Good Friday, by the same law", with(&["goede vrijdag"], &[], &[]), "2026-04-03", false),
            ("who works on Ascension", with(&[], &["Hemelvaartsdag"], &[]), "2026-05-14", true),
            ("closed on the day before Christmas", with(&[], &[], &["2026-12-24"]), "2026-12-24", false),
            ("King's Day on a Sunday", with(&[], &[], &[]), "2031-04-28", true),
            ("Queen's Day of old", with(&[], &[], &[]), "2012-04-30", false),
        ] {
            assert_eq!(calendar.is_business_day(day(date)), expected, "{name}");
        }
        assert!(calendar("Europe/Amsterdan", &DaysOff::default()).unwrap_err().contains("no time zone"));
        let other = DaysOff { holidays: "xx".to_owned(), ..DaysOff::default() };
        assert!(calendar(AMSTERDAM, &other).unwrap_err().contains("there is 'nl'"));
        let wrong = DaysOff { always: vec!["Carnaval".to_owned()], ..DaysOff::default() };
        assert!(calendar(AMSTERDAM, &wrong).unwrap_err().contains("Goede Vrijdag"));
    }

    #[test]
    fn the_clock_of_amsterdam() {
        let calendar = calendar(AMSTERDAM, &DaysOff::default()).unwrap();
        for (at, hours) in [
            ("1990-01-15T12:00:00Z", 1),
            ("1995-09-30T12:00:00Z", 1),
            ("2026-03-29T00:59:59Z", 1),
            ("2026-03-29T01:00:00Z", 2),
            ("2026-10-25T00:59:59Z", 2),
            ("2026-10-25T01:00:00Z", 1),
            ("2059-07-01T12:00:00Z", 2),
        ] {
            assert_eq!(calendar.offset(time(at)), hours * HOUR, "{at}");
        }
        // Thursday before Ascension, over the long weekend that follows it and Whit Monday.
        let end = calendar.after(time("2026-05-13T09:00:00Z"), Term::BusinessDays(7));
        assert_eq!(end.to_string(), "2026-05-26T22:00:00Z");
        assert!(calendar.knows(day("2060-12-26")) && !calendar.knows(day("2061-01-02")));
    }
}
