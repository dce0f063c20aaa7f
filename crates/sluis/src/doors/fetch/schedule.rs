//! When a feed is asked, and when again after it failed. Pure: time and chance are passed in.

use model::time::{DAY, HOUR, MINUTE, Time};

/// The first pause after a failure, in milliseconds; it doubles with each.
const FIRST: i64 = MINUTE;
/// The longest pause after a failure, unless the feed is due less often or its server asks for more.
const LONGEST: i64 = 6 * HOUR;
/// The longest pause that a server may ask for.
const ASKED: i64 = DAY;
/// At most so much later than they are due are feeds asked, so that not everybody asks at the same moment.
const SCATTER: i64 = 5 * MINUTE;

/// How often a feed is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Every {
    /// So many milliseconds after the last time.
    Each(i64),
    /// Each day, so many milliseconds after midnight (UTC).
    Daily(i64),
}

impl Every {
    /// When it is asked again after it went well. `chance` is any number, drawn anew each time.
    pub(crate) fn next(self, now: Time, chance: u16) -> Time {
        match self {
            Every::Each(length) => now.plus(length.saturating_add(share(chance, (length / 10).min(SCATTER)))),
            Every::Daily(at) => {
                let today = Time(now.0 - now.0.rem_euclid(DAY)).plus(at);
                // A moment that is just past is today's, and that was asked for.
                let next = if today > now { today } else { today.plus(DAY) };
                next.plus(share(chance, SCATTER))
            }
        }
    }

    /// When it is asked again after it failed `failures` times in succession. `asked` is what its server asks to wait for.
    pub(crate) fn again(self, now: Time, failures: i64, asked: Option<i64>, chance: u16) -> Time {
        let longest = match self {
            Every::Each(length) => length.max(LONGEST),
            Every::Daily(_) => LONGEST,
        };
        let doublings = failures.clamp(1, 20) - 1;
        let pause = FIRST.saturating_mul(1 << doublings).min(longest);
        // Half of it is by chance (RFC 9110 says nothing of that; many that failed together must not come back together).
        let pause = pause / 2 + share(chance, pause / 2);
        now.plus(pause.max(asked.unwrap_or(0).clamp(0, ASKED)))
    }

    /// Whether it is due. A moment that is further away than any of the above gives was written by a clock that was wrong.
    pub(crate) fn is_due(self, next: Time, now: Time) -> bool {
        let longest = match self {
            Every::Each(length) => length.saturating_mul(2).max(2 * DAY),
            Every::Daily(_) => 2 * DAY,
        };
        next <= now || next.0.saturating_sub(now.0) > longest
    }
}

/// A share of `most` by chance.
fn share(chance: u16, most: i64) -> i64 {
    most.saturating_mul(i64::from(chance)) / i64::from(u16::MAX)
}

/// The milliseconds that a server asks to wait for (`Retry-After`, RFC 9110 section 10.2.3): a number of seconds. A date, which hardly
/// anybody sends, is passed over: then the pause is our own.
pub(crate) fn retry_after(text: &str) -> Option<i64> {
    let seconds: i64 = text.trim().parse().ok()?;
    (seconds >= 0).then(|| seconds.saturating_mul(1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_next_time_after_it_went_well() {
        let now = time("2026-03-04T06:30:00Z");
        for (every, chance, expected) in [
            (Every::Each(HOUR), 0, "2026-03-04T07:30:00Z"),
            (Every::Each(HOUR), u16::MAX, "2026-03-04T07:35:00Z"),
            (Every::Each(MINUTE), u16::MAX, "2026-03-04T06:31:06Z"),
            (Every::Daily(6 * HOUR + 30 * MINUTE), 0, "2026-03-05T06:30:00Z"),
            (Every::Daily(6 * HOUR + 31 * MINUTE), 0, "2026-03-04T06:31:00Z"),
            (Every::Daily(0), u16::MAX, "2026-03-05T00:05:00Z"),
        ] {
            assert_eq!(every.next(now, chance), time(expected), "{every:?}");
        }
    }

    #[test]
    fn the_pause_grows_with_each_failure_and_is_as_long_as_a_server_asks() {
        let pause = |every: Every, failures, asked, chance| every.again(Time(0), failures, asked, chance).0;
        let hourly = Every::Each(HOUR);
        assert_eq!(pause(hourly, 1, None, 0), MINUTE / 2);
        assert_eq!(pause(hourly, 1, None, u16::MAX), MINUTE);
        assert_eq!(pause(hourly, 4, None, u16::MAX), 8 * MINUTE);
        assert_eq!(pause(hourly, i64::MAX, None, u16::MAX), LONGEST);
        assert_eq!(pause(Every::Each(2 * DAY), 99, None, u16::MAX), 2 * DAY);
        assert_eq!(pause(hourly, 1, retry_after("7200"), 0), 2 * HOUR);
        assert_eq!(pause(hourly, 1, retry_after("99999999999999"), 0), DAY);
        for text in ["", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(retry_after(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_that_a_wrong_clock_wrote_does_not_hold_a_feed_up() {
        let now = time("2026-03-04T06:30:00Z");
        let hourly = Every::Each(HOUR);
        assert!(hourly.is_due(now, now) && !hourly.is_due(now.plus(1), now));
        assert!(!hourly.is_due(now.plus(DAY), now), "a server asked for that");
        assert!(hourly.is_due(now.plus(365 * DAY), now));
    }
}
